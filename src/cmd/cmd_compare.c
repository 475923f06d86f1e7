// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `nfsleuth compare`: what differs between a good and a bad run of the same thing, or how time
 * grows in a table of measurements.
 */
#include "cmd/command.h"
#include "cmd/compare/compare_growth.h"
#include "cmd/compare/compare_lists.h"
#include "cmd/compare/compare_runs.h"
#include "cmd/confine.h"
#include "cmd/output.h"
#include "evidence/sniff.h"
#include "evidence/walk.h"

#include <sys/stat.h>

static void compare_traces(const struct trace *good, const struct trace *bad, struct json *j,
			   struct strbuf *out)
{
	struct lists lists;
	bool aligned = lists_align(&lists, good, bad);

	if (j)
		(aligned ? lists_add_json(j, &lists, good, bad)
			 : lists_add_calls_json(j, good, bad));
	else if (aligned)
		lists_add_text(out, &lists, good, bad);
	else
		lists_add_calls_text(out, good, bad);
	lists_deinit(&lists);
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

static enum status compare_evidence(const struct options *options, struct compare_side *good,
				    struct compare_side *bad, struct strbuf *out)
{
	struct json j;

	compare_side_go(good, NULL);
	compare_side_go(bad, good);
	if (good->run.unread || bad->run.unread)
		return STATUS_UNREAD;
	if (options->json) {
		open_json(&j, out, "evidence");
		compare_sides_json(&j, good, bad);
		close_json(&j, out);
	} else {
		compare_sides_text(out, good, bad);
	}
	return STATUS_NOTHING;
}

/* Both straces, or both evidence; neither was read before. */
static enum status compare_sides(const struct options *options, struct compare_side *good_side,
				 struct compare_side *bad_side, struct strbuf *out)
{
	enum status status = STATUS_NOTHING;
	struct trace good, bad;
	struct json j;

	trace_init(&good);
	trace_init(&bad);
	if (!read_trace(options->args[0], &good) || !read_trace(options->args[1], &bad)) {
		status = compare_evidence(options, good_side, bad_side, out);
	} else {
		if (options->json)
			open_json(&j, out, "strace");
		compare_traces(&good, &bad, options->json ? &j : NULL, out);
		if (options->json)
			close_json(&j, out);
	}
	trace_deinit(&bad);
	trace_deinit(&good);
	return status;
}

/* Says and frees it. */
static enum status complain(enum status status, struct err *err)
{
	command_complain("%s", err_text(err));
	err_destroy(err);
	return status;
}

static enum status compare_two(const struct options *options, struct output *output,
			       struct strbuf *out)
{
	enum status status = STATUS_UNREAD;
	struct compare_side good, bad;
	struct err *err;

	compare_side_init(&good);
	compare_side_init(&bad);
	run_find(&good.run, options->args, 1);
	run_find(&bad.run, options->args + 1, 1);
	err = confine(options, output, &good.run.files, &bad.run.files);
	if (!err)
		status = compare_sides(options, &good, &bad, out);
	compare_side_deinit(&bad);
	compare_side_deinit(&good);
	return err ? complain(STATUS_UNREAD, err) : status;
}

static struct err *open_table(const struct options *options, struct output *output,
			      struct source **out)
{
	struct vec files;
	struct stat st;
	struct err *err;

	if (stat(options->args[0], &st) == 0 && S_ISDIR(st.st_mode))
		return err_new("compare: %s: is a directory: give the good one and the bad one, or "
			       "a FILE that is a table",
			       options->args[0]);
	walk_expand(options->args, 1, &files);
	err = confine(options, output, &files, NULL);
	walk_deinit(&files);
	return err ? err : source_open(options->args[0], out);
}

static enum status compare_table(const struct options *options, struct output *output,
				 struct strbuf *out)
{
	struct source *source = NULL;
	struct err *err = open_table(options, output, &source);
	struct growth growth;
	struct json j;
	bool fits;

	if (err)
		return complain(STATUS_UNREAD, err);
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
	struct output output;
	struct strbuf out;
	struct err *err;

	if (options->arg_count == 0 || options->arg_count > 2) {
		command_complain(
			"compare: give the good and the bad one; try 'nfsleuth compare GOOD "
			"BAD'");
		return STATUS_USAGE;
	}
	err = output_init(&output, options->output);
	if (err)
		return complain(STATUS_UNREAD, err);
	command_tell_of_terminal(options);
	strbuf_init(&out);
	status = options->arg_count == 2 ? compare_two(options, &output, &out)
					 : compare_table(options, &output, &out);
	if (status != STATUS_UNREAD) {
		output_write(&output, &out);
		err = output_commit(&output);
	}
	strbuf_deinit(&out);
	output_deinit(&output);
	return err ? complain(STATUS_UNREAD, err) : status;
}

const struct command command_compare = {
	.name = "compare",
	.arguments = "GOOD BAD",
	.summary = "what differs between a good and a bad run",
	.detail = "Tells what differs between a good and a bad run of the same thing.\n"
		  "Two straces of a listing (strace -f -ttt -T -v -s 65536) are aligned by the "
		  "names\n"
		  "that they got, others call by call; of captures, mountstats or directories with "
		  "them the calls, their\n"
		  "times and the findings are compared. A single FILE is a table of measurements, "
		  "in\n"
		  "each line a size (or two) and the seconds: how does time grow with it?",
	.option_set = 1u << OPTION_JSON | 1u << OPTION_OUTPUT | OPTION_BIT(OPTION_NO_SANDBOX),
	.run = compare,
};
