// SPDX-License-Identifier: GPL-2.0-or-later
/* `nfsleuth timeouts`: when the kernel sends a call again, and when it complains. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "cmd/command.h"
#include "cmd/output.h"
#include "cmd/terminal.h"
#include "cmd/timeouts_text.h"

enum { UNTIL_MAX_S = 1000000 };

static bool word_is_lockd(const char *word)
{
	return strncasecmp(word, "lockd", 5) == 0 && !strchr(word, '=') &&
	       (word[5] == '\0' || word[5] == ',' || word[5] == ':' || word[5] == ' ');
}

/* All arguments in one: a pasted list may have been broken up by the shell. */
static struct err *take_words(const struct options *options, struct timeouts *t)
{
	bool lockd = word_is_lockd(options->args[0]);
	struct strbuf text;
	struct err *err;

	strbuf_init(&text);
	for (size_t i = 0; i < options->arg_count; i++)
		strbuf_add_format(&text, "%s%s", i ? "," : "", options->args[i]);
	err = timing_options_parse(slice_of_string(strbuf_text(&text)), &t->options);
	strbuf_deinit(&text);
	if (err)
		return err;
	if (!lockd && t->options.known == 0)
		return err_new("%s: none of the options that set the time: vers, proto, timeo, "
			       "retrans, hard, soft, softerr%s",
			       options->args[0],
			       command_is_path(options->args[0])
				       ? "; give the options themselves, not a file"
				       : "");
	t->call = lockd ? timing_call_of_lockd(&t->options) : timing_call_of_mount(&t->options);
	return NULL;
}

static struct err *take_until(const char *text, int64_t *until_ns)
{
	char *end;
	double seconds = strtod(text, &end);

	if (end == text || *end != '\0' || !(seconds > 0 && seconds <= UNTIL_MAX_S))
		return err_new("--until=%s: it must be seconds, up to %d", text, UNTIL_MAX_S);
	*until_ns = (int64_t)(seconds * (double)STAMP_NS_PER_S);
	return NULL;
}

/* Twice the time until the last alternative complains, so that what follows is seen. */
static int64_t until_of_itself(const struct timing_call *call)
{
	struct timing_event events[TIMING_EVENTS_MAX];
	int64_t last_ns = timing_major_ns(call);

	for (size_t i = 0; i < TIMING_ALTERNATIVES; i++) {
		const struct timing_alternative *a = &timing_alternatives[i];
		size_t count = timing_run(call, a->kernel, a->start, 1, INT64_MAX, events);

		for (size_t k = 0; k < count; k++)
			if (events[k].kind >= TIMING_COMPLAIN && events[k].at_ns > last_ns)
				last_ns = events[k].at_ns;
	}
	return 2 * last_ns;
}

static void work_out(struct timeouts *t)
{
	struct timing_event events[TIMING_EVENTS_MAX];

	for (size_t i = 0; i < TIMING_ALTERNATIVES; i++) {
		const struct timing_alternative *a = &timing_alternatives[i];

		t->counts[i] =
			timing_run(&t->call, a->kernel, a->start, 1, t->until_ns, t->events[i]);
	}
	if (timing_run(&t->call, TIMING_SINCE_5_13, TIMING_UNSENT, 0, INT64_MAX, events))
		t->unsent = events[0];
}

static void json_event(struct json *j, const struct timeouts *t, const struct timing_event *e)
{
	json_object_begin(j);
	json_member_seconds(j, "at_s", e->at_ns);
	json_member_text(j, "event", timing_event_name(e->kind));
	json_key(j, "kernels");
	json_array_begin(j);
	for (size_t i = 0; i < TIMING_ALTERNATIVES; i++)
		for (size_t k = 0; k < t->counts[i]; k++)
			if (t->events[i][k].at_ns == e->at_ns && t->events[i][k].kind == e->kind)
				json_text(j, timing_alternatives[i].id);
	json_array_end(j);
	json_member_seconds(j, "latest_s", e->latest_ns);
	json_object_end(j);
}

static int event_order(const void *a, const void *b)
{
	const struct timing_event *x = a;
	const struct timing_event *y = b;

	if (x->at_ns != y->at_ns)
		return x->at_ns < y->at_ns ? -1 : 1;
	/* The complaint is written before the call is sent again. */
	return x->kind == y->kind ? 0 : x->kind > y->kind ? -1 : 1;
}

/* Each event of any alternative once, with the latest time of them. */
static void json_schedule(struct json *j, const struct timeouts *t)
{
	struct timing_event all[TIMING_ALTERNATIVES * TIMING_EVENTS_MAX];
	size_t len = 0;

	for (size_t i = 0; i < TIMING_ALTERNATIVES; i++)
		for (size_t k = 0; k < t->counts[i]; k++)
			all[len++] = t->events[i][k];
	qsort(all, len, sizeof(all[0]), event_order);
	json_key(j, "schedule");
	json_array_begin(j);
	for (size_t i = 0; i < len; i++) {
		if (i + 1 < len && event_order(&all[i], &all[i + 1]) == 0) {
			if (all[i + 1].latest_ns < all[i].latest_ns)
				all[i + 1].latest_ns = all[i].latest_ns;
			continue;
		}
		json_event(j, t, &all[i]);
	}
	json_array_end(j);
}

static void json_note(void *context, const char *note)
{
	json_text(context, note);
}

static void timeouts_add_json(struct strbuf *out, const struct timeouts *t)
{
	const struct timing_options *o = &t->options;
	struct json j;

	json_init(&j, out, true);
	json_object_begin(&j);
	json_member_text(&j, "schema", "nfsleuth.timeouts/1");
	json_member_text(&j, "program", t->call.lockd ? "lockd" : "nfs");
	json_key(&j, "version");
	if (o->has_vers && !t->call.lockd)
		json_u64(&j, o->vers);
	else
		json_null(&j);
	json_member_text(&j, "transport", timing_transport_name(t->call.transport));
	json_member_text(&j, "failure", timing_failure_name(t->call.failure));
	json_member_seconds(&j, "first_s", t->call.initval_ns);
	json_member_u64(&j, "retries", t->call.retries);
	json_member_seconds(&j, "major_s", timing_major_ns(&t->call));
	json_schedule(&j, t);
	json_key(&j, "unsent");
	json_object_begin(&j);
	json_member_seconds(&j, "at_s", t->unsent.at_ns);
	json_member_text(&j, "event", timing_event_name(t->unsent.kind));
	json_object_end(&j);
	json_key(&j, "alternatives");
	json_array_begin(&j);
	for (size_t i = 0; i < TIMING_ALTERNATIVES; i++) {
		json_object_begin(&j);
		json_member_text(&j, "id", timing_alternatives[i].id);
		json_member_text(&j, "text", timing_alternatives[i].text);
		json_object_end(&j);
	}
	json_array_end(&j);
	json_key(&j, "notes");
	json_array_begin(&j);
	timeouts_each_note(t, json_note, &j);
	json_array_end(&j);
	json_object_end(&j);
	strbuf_add_char(out, '\n');
}

static struct err *timeouts_write(const struct options *options, const struct timeouts *t)
{
	struct report_options how = {0};
	struct strbuf text;
	struct layout l;
	struct err *err;

	terminal_describe(options, &how);
	strbuf_init(&text);
	l = (struct layout){.out = &text, .colour = how.colour, .width = how.width};
	if (options->json)
		timeouts_add_json(&text, t);
	else
		timeouts_add_text(&l, t);
	err = output_write_whole(options->output, &text);
	strbuf_deinit(&text);
	return err;
}

static enum status timeouts(const struct options *options)
{
	struct timeouts t = {.until_ns = -1};
	struct err *err;

	if (options->arg_count == 0) {
		command_complain("timeouts: whose? try 'nfsleuth timeouts lockd', or give mount "
				 "options as in 'nfsleuth timeouts vers=3,proto=tcp,timeo=600'");
		return STATUS_USAGE;
	}
	err = take_words(options, &t);
	if (!err && options->until)
		err = take_until(options->until, &t.until_ns);
	if (err) {
		command_complain("timeouts: %s", err_text(err));
		err_destroy(err);
		return STATUS_USAGE;
	}
	if (t.until_ns < 0)
		t.until_ns = until_of_itself(&t.call);
	work_out(&t);
	err = timeouts_write(options, &t);
	if (!err)
		return STATUS_NOTHING;
	command_complain("%s", err_text(err));
	err_destroy(err);
	return STATUS_UNREAD;
}

const struct command command_timeouts = {
	.name = "timeouts",
	.arguments = "lockd|OPTIONS",
	.summary = "when the kernel sends a call again, and complains",
	.detail = "Shows when a Linux client sends a call again that gets no answer, and when it "
		  "says\n"
		  "\"not responding\": for locks of NFSv3 (lockd), or for a mount with these "
		  "OPTIONS,\n"
		  "as they stand in /proc/mounts or in the output of nfsstat -m. Kernels differ: "
		  "each\n"
		  "schedule names those that keep it.",
	.option_set = 1u << OPTION_JSON | 1u << OPTION_OUTPUT | 1u << OPTION_COLOR |
		      1u << OPTION_UNTIL_SECONDS,
	.run = timeouts,
};
