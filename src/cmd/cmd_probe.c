// SPDX-License-Identifier: GPL-2.0-or-later
/* `nfsleuth probe`: the client's side. What a verb does is lab/probe's. */
#include <stdlib.h>
#include <string.h>

#include "cmd/command.h"
#include "cmd/probe_check.h"
#include "lab/probe/task.h"

struct verb {
	const char *name;
	/* A task: it says what it has to say itself. NULL: probe_check_run. */
	struct err *(*run)(const struct probe_words *words, double speed);
};

/* In the order of probe_choices. */
static const struct verb verbs[] = {
	{"check", NULL},
	{"load", probe_load},
	{"lock", probe_lock},
	{"session", probe_session},
};

static const struct command_choice probe_choices[] = {
	{"check",
	 "layer by layer, from TCP to a session: what answers, how fast, and where it stops"},
	{"load", "a task on a mount of NFSv3: getattr, access, lookup, read, write, readdir, list"},
	{"lock", "a task that takes a lock over NLM and gives it back"},
	{"session", "a task of NFSv4 with a file that is open and locked, and its recovery"},
	{NULL, NULL},
};

enum { VERBS = sizeof(verbs) / sizeof(verbs[0]) };

static const char *verb_name_at(size_t index)
{
	return verbs[index].name;
}

static const struct verb *verb_find(const char *name)
{
	for (size_t i = 0; i < VERBS; i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

static enum status complain_of_verb(const char *typed)
{
	const char *nearest = typed ? command_nearest(typed, verb_name_at, VERBS) : NULL;

	if (!typed)
		command_complain("probe: what? 'nfsleuth help probe' lists it");
	else if (nearest)
		command_complain("probe: there is no '%s'; did you mean '%s'?", typed, nearest);
	else
		command_complain("probe: there is no '%s'; 'nfsleuth help probe' lists all", typed);
	return STATUS_USAGE;
}

static struct err *take_speed(const char *text, double *out)
{
	char *end;
	double speed = 1;

	if (text) {
		speed = strtod(text, &end);
		if (end == text || *end != '\0' || !(speed > 0 && speed <= 1000))
			return err_new("--speed=%s: it must be a number above 0, up to 1000", text);
	}
	*out = speed;
	return NULL;
}

static enum status probe(const struct options *options)
{
	const struct verb *verb = options->arg_count ? verb_find(options->args[0]) : NULL;
	struct probe_words words;
	double speed = 1;
	struct err *err;

	if (!verb)
		return complain_of_verb(options->arg_count ? options->args[0] : NULL);
	err = take_speed(options->speed, &speed);
	if (!err)
		err = probe_words_parse(options->args + 1, options->arg_count - 1, &words);
	if (!err && !verb->run)
		return probe_check_run(options, &words, speed);
	if (!err && (options->json || options->watch))
		err = err_new("--json and --watch are for 'probe check'");
	if (!err)
		err = verb->run(&words, speed);
	if (!err)
		return STATUS_NOTHING;
	command_complain("probe %s: %s", verb->name, err_text(err));
	err_destroy(err);
	return STATUS_USAGE;
}

const struct command command_probe = {
	.name = "probe",
	.arguments = "WHAT SERVER...",
	.summary = "call a server as the kernel's client does",
	.detail =
		"Calls an NFS server as the Linux client does, with its timers, and complains when "
		"it would, in its\nwords. Words behind the server: mount options (vers=3 "
		"timeo=600), "
		"file=NAME, dir=NAME, mix=OP+OP,\nevery=S, hold=S, shut=S, for=S, owner=TEXT, "
		"verifier=N, "
		"uid=N, page=BYTES, port=N, portmap=N.",
	.choices = probe_choices,
	.option_set = OPTION_BIT(OPTION_SPEED) | OPTION_BIT(OPTION_JSON) | OPTION_BIT(OPTION_WATCH),
	.run = probe,
};
