// SPDX-License-Identifier: GPL-2.0-or-later
/* `nfsleuth probe`: the client's side. What a verb does is lab/probe's. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/command.h"
#include "cmd/endpoints.h"
#include "cmd/probe_check.h"
#include "lab/probe/listing.h"
#include "lab/probe/path_lock.h"
#include "lab/probe/task.h"

struct verb {
	const char *name;
	/* A task: it says what it has to say itself; or NULL. */
	struct err *(*run)(const struct probe_words *words, double speed);
	/* What has a result, as text or JSON; or NULL. */
	enum status (*report)(const struct options *options, const struct probe_words *words,
			      double speed);
};

static enum status list(const struct options *options, const struct probe_words *words,
			double speed)
{
	struct listing_report report;
	struct err *err = options->watch ? err_new("--watch is for 'probe check'")
					 : probe_list(words, speed, &report);
	struct strbuf out;

	if (err) {
		command_complain("probe list: %s", err_text(err));
		err_destroy(err);
		return STATUS_USAGE;
	}
	strbuf_init(&out);
	if (options->json)
		listing_report_add_json(&report, &out);
	else
		listing_report_add_text(&report, &out);
	fputs(strbuf_text(&out), stdout);
	strbuf_deinit(&out);
	return STATUS_NOTHING;
}

/* In the order of probe_choices. */
static const struct verb verbs[] = {
	{"check", NULL, probe_check_run}, {"list", NULL, list},
	{"load", probe_load, NULL},       {"lock", probe_lock, NULL},
	{"session", probe_session, NULL},
};

static const struct command_choice probe_choices[] = {
	{"check",
	 "layer by layer, from TCP to a session: what answers, how fast, and where it stops"},
	{"list", "how long 1, 2, 4 ... processes take to list a directory, and how it grows"},
	{"load", "a task on a mount of NFSv3: getattr, access, lookup, read, write, readdir, list"},
	{"lock", "a task that takes a lock over NLM and gives it back; of /PATH by fcntl"},
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

static enum status complain(const struct verb *verb, struct err *err)
{
	command_complain("probe %s: %s", verb->name, err_text(err));
	err_destroy(err);
	return STATUS_USAGE;
}

static enum status run(const struct verb *verb, const struct options *options,
		       const struct probe_words *words, double speed)
{
	struct err *err = NULL;

	if (words->path && verb->run != probe_lock)
		return complain(verb, err_new("%s is a path; write SERVER:%s (a path on this host "
					      "is for 'probe lock')",
					      words->path, words->path));
	if (words->path && options->write_pcapng)
		return complain(verb, err_new("--write-pcapng: what the kernel does for a path is "
					      "not seen; capture it"));
	if (verb->report)
		return verb->report(options, words, speed);
	if (options->json || options->watch)
		err = err_new("--json and --watch are for 'probe check' and 'probe list'");
	if (!err)
		err = words->path ? probe_path_lock(words, speed) : verb->run(words, speed);
	return err ? complain(verb, err) : STATUS_NOTHING;
}

static enum status probe(const struct options *options)
{
	const struct verb *verb = options->arg_count ? verb_find(options->args[0]) : NULL;
	struct diary *diary = NULL;
	struct probe_words words;
	enum status status;
	double speed = 1;
	struct err *err;

	if (!verb)
		return complain_of_verb(options->arg_count ? options->args[0] : NULL);
	err = take_speed(options->speed, &speed);
	if (!err)
		err = probe_words_parse(options->args + 1, options->arg_count - 1, &words);
	if (!err)
		err = endpoint_open_diary(options, "probe", speed, &diary);
	if (err)
		return complain(verb, err);
	words.witness = diary ? diary_witness(diary) : NULL;
	status = run(verb, options, &words, speed);
	err = diary_close(diary);
	return err ? complain(verb, err) : status;
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
		"uid=N, page=BYTES, port=N, portmap=N,\nprocesses=N, plus=1.",
	.choices = probe_choices,
	.option_set = OPTION_BIT(OPTION_SPEED) | OPTION_BIT(OPTION_JSON) |
		      OPTION_BIT(OPTION_WATCH) | OPTION_BIT(OPTION_WRITE_PCAPNG),
	.run = probe,
};
