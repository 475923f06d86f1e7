// SPDX-License-Identifier: GPL-2.0-or-later
/* `nfsleuth show`: the evidence, decoded. Each view is a file of its own (show_*.c). */
#include <string.h>

#include "cmd/command.h"
#include "cmd/confine.h"
#include "cmd/show/show.h"

static const struct show_view *const views[] = {
	&show_view_calls,    &show_view_ops,      &show_view_conns,   &show_view_clients,
	&show_view_sessions, &show_view_locks,    &show_view_dirs,    &show_view_tasks,
	&show_view_waits,    &show_view_timeline, &show_view_summary, &show_view_unknown,
};

enum { VIEW_COUNT = sizeof(views) / sizeof(views[0]), SECONDS_PER_DAY = 86400 };

/* The views of the table above, for help. */
static const struct command_choice view_choices[] = {
	{"calls", "every RPC call with its reply, one a line, as their fate is known"},
	{"ops", "every operation of NFSv4 COMPOUNDs, with arguments and results"},
	{"conns", "TCP connections: how they began, what they carried, how they ended"},
	{"clients",
	 "NFSv4 clients: owner, instances (boot verifier as a date), client IDs, sessions"},
	{"sessions", "NFSv4.1 sessions: when made, used, refused"},
	{"locks", "locks of NFSv3 clients (NLM): who asked, who waited for whom, how they ended"},
	{"dirs", "listings of directories: calls, entries, how long, and how much of it in calls"},
	{"tasks", "tasks that wait, or are at work for NFS: for what, and which lock they hold"},
	{"waits", "the same as a tree: what is waited for, who holds it, who waits behind"},
	{"timeline",
	 "what matters, in one order: connections, calls by kind, locks, logs, findings"},
	{"summary", "counts, errors and latencies for each procedure and operation"},
	{"unknown", "lines of logs, stacks and traces that nobody here understands, or uses"},
	{NULL, NULL},
};

static const char *view_name_at(size_t index)
{
	return views[index]->name;
}

static const struct show_view *view_find(const char *name)
{
	for (size_t i = 0; i < VIEW_COUNT; i++)
		if (strcmp(views[i]->name, name) == 0)
			return views[i];
	return NULL;
}

static void show_write_line(struct show *s, struct stamp at, struct slice line)
{
	int64_t day = at.ns / (SECONDS_PER_DAY * STAMP_NS_PER_S);
	char text[STAMP_TEXT_BYTES];

	if (s->heading)
		fprintf(s->output.file, "# %s\n", s->heading);
	s->heading = NULL;
	if (!s->options->json && at.clock == CLOCK_UTC && day != s->day) {
		s->day = day;
		stamp_format(at, text);
		fprintf(s->output.file, "# %.10s UTC\n", text);
	}
	fwrite(line.ptr, 1, line.len, s->output.file);
	fputc('\n', s->output.file);
}

void show_line(struct show *s, struct stamp at, uint32_t evidence, uint64_t frame)
{
	struct slice line = slice_make(strbuf_text(&s->line), s->line.len);

	if (s->sorter) {
		struct sort_key key = {.ns = at.ns, .evidence = evidence, .frame = frame};

		sorter_add(s->sorter, &key, line);
	} else {
		show_write_line(s, at, line);
	}
	strbuf_reset(&s->line);
}

void show_flush(struct show *s)
{
	output_write(&s->output, &s->line);
}

const char *show_evidence(const struct show *s, uint32_t index)
{
	return evidence_list_at(&s->run.evidence, index)->id;
}

void show_pad(struct strbuf *line, size_t start, size_t columns)
{
	do
		strbuf_add_char(line, ' ');
	while (line->len < start + columns);
}

static void show_take_sorted(void *context, const struct sort_key *key, struct slice line)
{
	show_write_line(context, stamp_utc(key->ns), line);
}

/* Reads everything and writes the view. */
static struct err *show_run(struct show *s, const struct show_view *view)
{
	void *state = view->create(s);
	struct err *err = NULL;

	run_go(&s->run, view->detail);
	view->finish(s, state);
	view->destroy(state);
	if (s->sorter)
		err = sorter_run(s->sorter, show_take_sorted, s);
	return err ? err : output_commit(&s->output);
}

static struct err *show_take_filter(struct filter *f, const struct show_view *view,
				    const struct options *options)
{
	struct err *err = filter_init(f, options);

	if (!err && f->any && !view->filtered)
		err = err_new("show %s: takes no filter; calls, ops and timeline do", view->name);
	return err;
}

static enum status show_view_run(const struct options *options, const struct show_view *view)
{
	struct show s = {.options = options, .day = INT64_MIN};
	enum status status = STATUS_UNREAD;
	struct err *err;

	run_init(&s.run);
	s.run.keeps_unknown = view->wants_unknown;
	err = run_take_options(&s.run, options);
	if (!err)
		err = show_take_filter(&s.filter, view, options);
	if (err) {
		command_complain("%s", err_text(err));
		err_destroy(err);
		run_deinit(&s.run);
		return STATUS_USAGE;
	}
	strbuf_init(&s.line);
	command_tell_of_terminal(options);
	run_find(&s.run, options->args + 1, options->arg_count - 1);
	err = output_init(&s.output, options->output);
	if (!err && (view->ordered || (view->sortable && options->sort == SORT_TIME)))
		s.sorter = sorter_create(view->ordered ? SORTER_MEMORY_BYTES_MIN
						       : SORTER_MEMORY_BYTES);
	if (!err)
		err = confine(options, &s.output, &s.run.files, NULL);
	if (!err) {
		s.heading = options->json ? NULL : view->heading;
		run_open(&s.run);
		err = show_run(&s, view);
	}
	if (err)
		command_complain("%s", err_text(err));
	else
		status = s.run.unread ? STATUS_UNREAD : STATUS_NOTHING;
	err_destroy(err);
	sorter_destroy(s.sorter);
	strbuf_deinit(&s.line);
	run_deinit(&s.run);
	output_deinit(&s.output);
	return status;
}

static void complain_of_view(const char *typed)
{
	const char *nearest = command_nearest(typed, view_name_at, VIEW_COUNT);

	if (command_is_path(typed))
		command_complain("show %s: no such view; did you mean 'show calls %s'?", typed,
				 typed);
	else if (nearest)
		command_complain("show %s: no such view; did you mean 'show %s'?", typed, nearest);
	else
		command_complain("show %s: no such view; 'nfsleuth help show' lists them", typed);
}

static enum status show(const struct options *options)
{
	const struct show_view *view;

	if (options->arg_count == 0) {
		command_complain("show what? 'nfsleuth help show' lists it");
		return STATUS_USAGE;
	}
	view = view_find(options->args[0]);
	if (!view) {
		complain_of_view(options->args[0]);
		return STATUS_USAGE;
	}
	if (options->arg_count == 1) {
		command_complain("show %s: no FILE given; try 'nfsleuth show %s capture.pcap'",
				 view->name, view->name);
		return STATUS_USAGE;
	}
	return show_view_run(options, view);
}

const struct command command_show = {
	.name = "show",
	.arguments = "WHAT FILE...",
	.summary = "look at the evidence, decoded",
	.detail = "Shows the evidence decoded. WHAT is one of:",
	.choices = view_choices,
	.option_set = 1u << OPTION_JSON | 1u << OPTION_OUTPUT | 1u << OPTION_SORT | OPTIONS_LOG |
		      1u << OPTION_THREADS | OPTIONS_FILTER | OPTION_BIT(OPTION_NO_SANDBOX),
	.run = show,
};
