// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `nfsleuth compare`: what differs between a good and a bad run of the same thing, or how time
 * grows in a table of measurements.
 */
#include "cmd/command.h"
#include "cmd/compare_growth.h"
#include "cmd/compare_lists.h"
#include "cmd/compare_runs.h"
#include "cmd/output.h"
#include "evidence/sniff.h"

/* Makes the report of two straces; false: they are none, or cannot be aligned (which is told). */
static bool compare_traces(const struct trace *good, const struct trace *bad, struct json *j,
			   struct strbuf *out)
{
	struct lists lists;
	bool aligned = lists_align(&lists, good, bad);

	if (!aligned)
		command_complain("compare: the traces have no times, or no names of a directory in "
				 "common: strace -f -ttt -T -v -s 65536 -o FILE COMMAND");
	else if (j)
		lists_add_json(j, &lists, good, bad);
	else
		lists_add_text(out, &lists, good, bad);
	lists_deinit(&lists);
	return aligned;
}

/* True when the file is text that is an strace; it has been read then. */
static bool read_trace(const char *path, struct trace *t)
{
	struct source *source = NULL;
	struct err *err = source_open(path, &source);
	bool is = !err && sniff_source(source) == SNIFF_TEXT && trace_read(t, source);

	err_destroy(err); /* told by whoever reads it as evidence */
	source_destroy(source);
	return is;
}

static void open_json(struct json *j, struct strbuf *out, const char *kind)
{
	json_init(j, out, true);
	json_object_begin(j);
	json_member_text(j, "schema", "nfsleuth.compare/1");
	json_member_text(j, "kind", kind);
}

static void close_json(struct json *j, struct strbuf *out)
{
	json_object_end(j);
	strbuf_add_char(out, '\n');
}

static enum status compare_evidence(const struct options *options, struct strbuf *out)
{
	struct compare_side good, bad;
	enum status status = STATUS_NOTHING;
	struct json j;

	compare_side_init(&good);
	compare_side_init(&bad);
	compare_side_go(&good, options->args[0]);
	compare_side_go(&bad, options->args[1]);
	if (good.run.unread || bad.run.unread) {
		status = STATUS_UNREAD;
	} else if (options->json) {
		open_json(&j, out, "evidence");
		compare_sides_json(&j, &good, &bad);
		close_json(&j, out);
	} else {
		compare_sides_text(out, &good, &bad);
	}
	compare_side_deinit(&bad);
	compare_side_deinit(&good);
	return status;
}

static enum status compare_two(const struct options *options, struct strbuf *out)
{
	enum status status = STATUS_NOTHING;
	struct trace good, bad;
	struct json j;

	trace_init(&good);
	trace_init(&bad);
	if (!read_trace(options->args[0], &good) || !read_trace(options->args[1], &bad)) {
		status = compare_evidence(options, out);
	} else {
		if (options->json)
			open_json(&j, out, "strace");
		if (!compare_traces(&good, &bad, options->json ? &j : NULL, out))
			status = STATUS_UNREAD;
		else if (options->json)
			close_json(&j, out);
	}
	trace_deinit(&bad);
	trace_deinit(&good);
	return status;
}

static enum status compare_table(const struct options *options, struct strbuf *out)
{
	struct source *source = NULL;
	struct err *err = source_open(options->args[0], &source);
	struct growth growth;
	struct json j;
	bool fits;

	if (err) {
		command_complain("%s", err_text(err));
		err_destroy(err);
		return STATUS_UNREAD;
	}
	fits = growth_read(&growth, source);
	source_destroy(source);
	if (!fits) {
		command_complain(
			"compare: %s: with one FILE it must be a table, in each line a size "
			"(or two) and the seconds, at least three different ones; or what `time` "
			"printed (real 0m1.2s), each behind a line with the size",
			options->args[0]);
		return STATUS_UNREAD;
	}
	if (options->json) {
		open_json(&j, out, "growth");
		growth_add_json(&j, &growth);
		close_json(&j, out);
	} else {
		growth_add_text(out, &growth);
	}
	return STATUS_NOTHING;
}

static enum status compare(const struct options *options)
{
	enum status status;
	struct strbuf out;
	struct err *err = NULL;

	if (options->arg_count == 0 || options->arg_count > 2) {
		command_complain(
			"compare: give the good and the bad one; try 'nfsleuth compare GOOD "
			"BAD'");
		return STATUS_USAGE;
	}
	strbuf_init(&out);
	status =
		options->arg_count == 2 ? compare_two(options, &out) : compare_table(options, &out);
	if (status != STATUS_UNREAD)
		err = output_write_whole(options->output, &out);
	strbuf_deinit(&out);
	if (!err)
		return status;
	command_complain("%s", err_text(err));
	err_destroy(err);
	return STATUS_USAGE;
}

const struct command command_compare = {
	.name = "compare",
	.arguments = "GOOD BAD",
	.summary = "what differs between a good and a bad run",
	.detail =
		"Tells what differs between a good and a bad run of the same thing.\n"
		"Two straces of a listing (strace -f -ttt -T -v -s 65536) are aligned by the "
		"names\n"
		"that they got; of captures, mountstats or directories with them the calls, their\n"
		"times and the findings are compared. A single FILE is a table of measurements, "
		"in\n"
		"each line a size (or two) and the seconds: how does time grow with it?",
	.option_set = 1u << OPTION_JSON | 1u << OPTION_OUTPUT,
	.run = compare,
};
