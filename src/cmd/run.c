// SPDX-License-Identifier: GPL-2.0-or-later
/* See run.h. */
#include "cmd/run.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "capfile/archive.h"
#include "cmd/command.h"
#include "cmd/health.h"
#include "cmd/links.h"
#include "cmd/progress.h"
#include "cmd/run_private.h"
#include "evidence/capture.h"
#include "evidence/hostclock.h"
#include "evidence/klog/klog_head.h"
#include "evidence/sniff.h"
#include "evidence/walk.h"
#include "ingest/ahead.h"
#include "ingest/counters.h"
#include "ingest/filters.h"
#include "ingest/lists.h"
#include "ingest/merge.h"
#include "ingest/mounts.h"
#include "ingest/survey/survey.h"
#include "ingest/syscalls.h"

/* Smaller captures are read before a thread is well under way. */
#define THREAD_BYTES_MIN (UINT64_C(16) << 20)

static void run_take_journal(void *arg, uint64_t frame, struct slice text)
{
	const struct run_input *input = arg;

	if (!ahead_put_journal(input->run->ahead, input->evidence, frame, text))
		logs_take_journal(input->run->logs, input->evidence, frame, text);
}

void run_init(struct run *r)
{
	*r = (struct run){0};
	evidence_list_init(&r->evidence);
	vec_init(&r->files, sizeof(struct walk_file));
	vec_init(&r->inputs, sizeof(struct run_input));
	vec_init(&r->packet_texts, sizeof(struct run_packets));
	vec_init(&r->unknown, sizeof(struct run_unknown));
	/* Every capture is open during the run: a directory of rotated ones may hold a thousand. */
	command_raise_file_limit();
}

void run_deinit(struct run *r)
{
	ingest_destroy(r->ingest);
	logs_destroy(r->logs);
	mounts_destroy(r->mounts);
	counters_destroy(r->counters);
	filters_destroy(r->filters);
	lists_destroy(r->lists);
	syscalls_destroy(r->syscalls);
	run_packets_deinit(r);
	survey_destroy(r->survey);
	for (size_t i = 0; i < r->inputs.len; i++)
		capture_destroy(((struct run_input *)vec_at(&r->inputs, i))->capture);
	vec_deinit(&r->inputs);
	vec_deinit(&r->unknown);
	walk_deinit(&r->files);
	evidence_list_deinit(&r->evidence);
}

static struct err *run_take_zone(struct run *r, const char *text)
{
	struct slice zone = slice_of_string(text);

	if (zone.len == 0 || klog_zone_parse(zone, &r->log_options.zone_s) != zone.len)
		return err_new("--tz=%s: it must be a difference to UTC, as +08:00, or UTC", text);
	r->log_options.has_zone = true;
	return NULL;
}

static struct err *run_take_year(struct run *r, const char *text)
{
	char *end;
	long year = strtol(text, &end, 10);

	if (strlen(text) != 4 || *end != '\0' || year < 1970 || year > 2199)
		return err_new("--year=%s: it must be a year of four digits", text);
	r->log_options.year = (int32_t)year;
	return NULL;
}

static struct err *run_take_boot_time(struct run *r, const char *text)
{
	struct klog_head h;
	int64_t zone_s;

	if (!klog_stamp_parse(slice_of_string(text), &h))
		return err_new("--boot-time=%s: it must be a time, as 2026-11-22T01:26:00Z", text);
	zone_s = h.wall == KLOG_WALL_UTC ? h.zone_s : r->log_options.zone_s;
	r->log_options.boot_time =
		stamp_utc(klog_date_ns(&h.date, h.date.year) - zone_s * STAMP_NS_PER_S);
	return NULL;
}

static struct err *run_take_threads(struct run *r, const char *text)
{
	if (strcmp(text, "1") != 0 && strcmp(text, "2") != 0)
		return err_new("--threads=%s: it must be 1 or 2", text);
	r->threads = (unsigned)(text[0] - '0');
	return NULL;
}

struct err *run_take_options(struct run *r, const struct options *options)
{
	struct err *err = NULL;

	if (options->tz)
		err = run_take_zone(r, options->tz);
	if (!err && options->year)
		err = run_take_year(r, options->year);
	if (!err && options->boot_time)
		err = run_take_boot_time(r, options->boot_time);
	if (!err && options->threads)
		err = run_take_threads(r, options->threads);
	return err;
}

/* Tells and enters a file that cannot be read. */
void run_refuse(struct run *r, const char *path, const char *problem)
{
	struct evidence *e = evidence_list_add(&r->evidence, path, EVIDENCE_UNREAD);

	e->problem = arena_text(&r->evidence.arena, problem);
	r->unread = true;
	command_complain("%s: %s", path, problem);
}

/* The error's text without the path that may stand before it: run_refuse adds that itself. */
static void run_refuse_err(struct run *r, const char *path, struct err *err)
{
	const char *text = err_text(err);
	size_t len = strlen(path);

	if (strncmp(text, path, len) == 0 && strncmp(text + len, ": ", 2) == 0)
		text += len + 2;
	run_refuse(r, path, text);
	err_destroy(err);
}

static const char *run_no_capture_text(enum sniff_kind kind)
{
	static const char *const texts[] = {
		[SNIFF_PCAP] = "",
		[SNIFF_PCAPNG] = "",
		[SNIFF_TEXT] = "is text without a line of a kernel log, a stack, a mount of NFS, "
			       "or a list of packets, connections, RPC services or clients in it, "
			       "and no strace",
		[SNIFF_EMPTY] = "is empty",
		[SNIFF_TAR] = "is a tar archive inside of another: unpack it",
		[SNIFF_ELF] = "is an ELF file: this version reads captures (pcap, pcapng)",
		[SNIFF_KDUMP] = "is a kernel dump: this version reads captures (pcap, pcapng)",
		[SNIFF_UNKNOWN] = "is no evidence: neither pcap nor pcapng nor a text that we know",
	};

	return texts[kind];
}

/* When the file was last written; not known of pipes and standard input. */
static struct stamp run_written(const char *path)
{
	struct stat st;

	if (strcmp(path, "-") == 0 || stat(path, &st) != 0 || !S_ISREG(st.st_mode))
		return stamp_none();
	return stamp_utc(st.st_mtim.tv_sec * STAMP_NS_PER_S);
}

static bool run_take_plain(void *context, uint32_t evidence, uint64_t line, struct slice text)
{
	struct run *r = context;

	bool known = mounts_take_line(r->mounts, evidence, line, text);

	known |= counters_take_line(r->counters, evidence, line, text);
	known |= filters_take_line(r->filters, evidence, line, text);
	known |= lists_take_line(r->lists, evidence, line, text);
	known |= syscalls_take_line(r->syscalls, evidence, line, text);
	known |= packet_list_take_line(r->packets, line, text);
	return known;
}

static void run_take_unknown(void *context, uint32_t evidence, uint64_t line, struct slice text)
{
	struct run *r = context;

	if (r->unknown.len == RUN_UNKNOWN_MAX) {
		r->unknown_dropped++;
		return;
	}
	if (text.len > RUN_UNKNOWN_BYTES_MAX)
		text.len = RUN_UNKNOWN_BYTES_MAX;
	*(struct run_unknown *)vec_push(&r->unknown) = (struct run_unknown){
		.evidence = evidence,
		.line = line,
		.text = arena_copy(&r->evidence.arena, text.ptr, text.len),
	};
}

/* Reads a text to its end; false when nothing of it is evidence. */
static bool run_open_text(struct run *r, const struct walk_file *file, struct stamp written,
			  struct source *source)
{
	uint32_t index = (uint32_t)r->evidence.items.len;
	struct hostclock clock;
	bool has_clock = hostclock_read(source, &clock);
	char name[HOSTCLOCK_NAME_BYTES];
	bool has_name = has_clock && hostclock_read_name(source, name);
	size_t unknown = r->unknown.len;
	bool is_log = logs_read(r->logs, index, file->path, written, source);
	uint64_t mounts = mounts_count(r->mounts, index);
	uint64_t filters = filters_count(r->filters, index);
	bool has_lists = lists_knows(r->lists, index);
	uint64_t calls = syscalls_end_text(r->syscalls, index);
	struct evidence *e;

	if (!is_log)
		r->unknown.len = unknown; /* it is a text of another kind */
	if (!is_log && !has_clock && mounts == 0 && filters == 0 && !has_lists && calls == 0)
		return run_packets_end_text(r, file->path, UINT32_MAX);
	run_packets_end_text(r, file->path, index);
	e = evidence_list_add(&r->evidence, file->path,
			      is_log      ? logs_kind(r->logs)
			      : has_clock ? EVIDENCE_HOST_CLOCK
			      : mounts    ? EVIDENCE_MOUNTS
			      : filters   ? EVIDENCE_FILTERS
			      : calls     ? EVIDENCE_STRACE
					  : EVIDENCE_LISTS);
	if (has_clock)
		logs_take_clock(r->logs, index, e->path, clock.boot_ns, clock.error_ns);
	/* A name without a clock may be of another host whose texts are in the same folder. */
	if (has_name)
		logs_take_name(r->logs, e->path, name, clock.boot_ns, clock.error_ns);
	if (is_log)
		health_enter_mounts(&r->evidence, index, mounts);
	if (e->kind == EVIDENCE_HOST_CLOCK)
		health_enter_hostclock(&r->evidence, index, &clock);
	else if (e->kind == EVIDENCE_MOUNTS)
		e->records = mounts;
	else if (e->kind == EVIDENCE_FILTERS)
		e->records = filters;
	else if (e->kind == EVIDENCE_STRACE)
		e->records = calls;
	else if (e->kind == EVIDENCE_LISTS)
		e->records = lists_count(r->lists, index);
	return true;
}

static void run_open_archive(struct run *r, const struct walk_file *file, struct source *source);

/*
 * Captures stay open until their turn has come: one in an archive that is being walked through is
 * opened anew, for itself. Consumes the source.
 */
static struct err *run_open_capture(struct source *source, const char *path, struct capture **out)
{
	struct err *err;

	if (!source_seekable(source) && source_is_member(source)) {
		source_destroy(source);
		err = source_open(path, &source);
		if (err)
			return err;
	}
	err = capture_open_source(source, out);
	if (err)
		source_destroy(source);
	return err;
}

static void run_open_source(struct run *r, const struct walk_file *file, struct stamp written,
			    struct source *source)
{
	enum sniff_kind kind = sniff_source(source);
	struct run_input *input;
	struct capture *capture;
	struct err *err;

	if (kind == SNIFF_TEXT && run_open_text(r, file, written, source)) {
		source_destroy(source);
		return;
	}
	if (kind == SNIFF_TAR && !source_is_member(source)) {
		run_open_archive(r, file, source);
		source_destroy(source);
		return;
	}
	if (!sniff_is_capture(kind)) {
		/* Packed bytes that do not unpack look empty: tell which it is. */
		const char *fault = source_fault(source);

		if (file->named || fault)
			run_refuse(r, file->path, fault ? fault : run_no_capture_text(kind));
		else
			r->passed_count++;
		source_destroy(source);
		return;
	}
	/* Captures wait for their turn, and a pipe does not. */
	if (r->piped && source_is_member(source)) {
		source_destroy(source);
		run_refuse(r, file->path,
			   "is a capture in an archive on a pipe: give the archive as a file");
		return;
	}
	err = run_open_capture(source, file->path, &capture);
	if (err) {
		run_refuse_err(r, file->path, err);
		return;
	}
	capture_rest(capture); /* until the survey is over, and all others are opened */
	input = vec_push(&r->inputs);
	input->capture = capture;
	input->evidence = (uint32_t)r->evidence.items.len;
	evidence_list_add(&r->evidence, file->path,
			  kind == SNIFF_PCAP ? EVIDENCE_PCAP : EVIDENCE_PCAPNG);
}

/* The files in a tar archive, in its order; those that are no evidence are passed over. */
static void run_open_archive(struct run *r, const struct walk_file *file, struct source *source)
{
	struct archive_member *member = mem_alloc(1, sizeof(*member));
	struct archive archive = archive_make(source);
	size_t before = r->evidence.items.len;

	r->piped = !source_seekable(source);
	while (archive_next(&archive, member)) {
		size_t count = r->evidence.items.len;
		struct walk_file inner = {.outcome = WALK_CANDIDATE, .first = WALK_FIRST_NONE};

		if (asprintf(&inner.path, "%s/%s", file->path, member->name) < 0)
			abort();
		run_open_source(r, &inner,
				member->written_s < 0
					? stamp_none()
					: stamp_utc(member->written_s * STAMP_NS_PER_S),
				source_borrow_member(source, member->bytes, inner.path));
		for (size_t i = count; i < r->evidence.items.len; i++)
			evidence_list_at(&r->evidence, (uint32_t)i)->archive =
				arena_text(&r->evidence.arena, file->path);
		free(inner.path);
	}
	free(member);
	r->piped = false;
	if (archive.fault)
		run_refuse(r, file->path, archive.fault);
	else if (file->named && r->evidence.items.len == before)
		run_refuse(r, file->path, "is a tar archive without evidence in it");
}

static void run_open_file(struct run *r, const struct walk_file *file)
{
	struct source *source;
	struct err *err;

	switch (file->outcome) {
	case WALK_CANDIDATE:
		err = source_open(file->path, &source);
		if (err)
			run_refuse_err(r, file->path, err);
		else
			run_open_source(r, file, run_written(file->path), source);
		break;
	case WALK_SAME:
		break;
	case WALK_SPECIAL:
	case WALK_OUTSIDE:
	case WALK_NOWHERE:
		r->passed_count++;
		break;
	case WALK_MISSING:
	case WALK_DENIED:
	case WALK_TOO_DEEP:
	case WALK_TOO_MANY:
	case WALK_UNREADABLE:
		run_refuse(r, file->path, walk_outcome_text(file->outcome));
		break;
	}
}

/* True when some evidence was found in this directory, readable or not. */
static bool run_has_under(const struct run *r, const char *directory)
{
	size_t len = strlen(directory);

	for (uint32_t i = 0; i < r->evidence.items.len; i++)
		if (strncmp(evidence_list_at(&r->evidence, i)->path, directory, len) == 0)
			return true;
	return false;
}

/*
 * Opens the files in their order. A link inside a directory to a file that was there before is told
 * only when that file is evidence: /etc is full of links to what is none.
 */
static void run_open_files(struct run *r, const struct vec *files)
{
	bool *evidence = mem_alloc(files->len + 1, sizeof(*evidence));

	for (size_t i = 0; i < files->len; i++) {
		const struct walk_file *file = vec_at(files, i);
		size_t count = r->evidence.items.len;

		run_open_file(r, file);
		evidence[i] = r->evidence.items.len > count;
		if (file->outcome == WALK_SAME &&
		    (file->named || (file->first < i && evidence[file->first])))
			command_complain("%s: the same file was given before: read once",
					 file->path);
	}
	free(evidence);
	links_tell(files);
}

void run_find(struct run *r, const char *const *args, size_t arg_count)
{
	r->args = args;
	r->arg_count = arg_count;
	walk_expand(args, arg_count, &r->files);
}

void run_open(struct run *r)
{
	r->logs = logs_create(&r->log_options, &r->evidence);
	r->mounts = mounts_create();
	r->counters = counters_create();
	r->filters = filters_create();
	r->lists = lists_create();
	r->syscalls = syscalls_create();
	r->packets = packet_list_create();
	logs_set_plain(r->logs, run_take_plain, r);
	if (r->keeps_unknown)
		logs_set_unknown(r->logs, run_take_unknown, r);
	run_open_files(r, &r->files);
	run_packets_settle(r);
	for (size_t i = 0; i < r->arg_count; i++) {
		const char *path = r->args[i];
		struct stat st;

		if (stat(path, &st) == 0 && S_ISDIR(st.st_mode) && !run_has_under(r, path))
			run_refuse(r, path, "has no capture, kernel log or stack in it");
	}
}

/* Skims what can be read twice, so that a wire that two captures saw is counted once. */
static void run_survey(struct run *r)
{
	if (r->inputs.len < 2)
		return;
	r->survey = survey_create();
	for (size_t i = 0; i < r->inputs.len; i++) {
		const struct run_input *input = vec_at(&r->inputs, i);

		/* What cannot be skimmed speaks for itself; its own reader tells what is wrong. */
		if (capture_seekable(input->capture))
			err_destroy(survey_add(r->survey, input->evidence,
					       capture_path(input->capture), SURVEY_SKIM_BYTES));
	}
	survey_settle(r->survey);
}

/* Asks no file, which the sandbox would not let us open. */
static bool run_has_processors(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) > 1;
}

/* Reading ahead pays from so many bytes on; a pipe does not tell how many come. */
static bool run_wants_thread(const struct run *r, const struct merge *merge)
{
	uint64_t done, total;

	if (r->threads)
		return r->threads > 1;
	merge_get_progress(merge, &done, &total);
	return run_has_processors() && (total == 0 || total >= THREAD_BYTES_MIN);
}

/* What stands in the captures, in order; the time of the first packet. */
static struct stamp run_take_items(struct run *r)
{
	struct stamp first = stamp_none();
	const struct ahead_item *item;
	struct progress progress;
	bool any = false;

	progress_init(&progress);
	while ((item = ahead_next(r->ahead))) {
		if (item->is_journal) {
			logs_take_journal(r->logs, item->packet->where.evidence,
					  item->packet->where.frame, item->journal);
			continue;
		}
		if (!any)
			first = item->packet->where.at;
		any = true;
		ingest_packet(r->ingest, item->packet, item->message);
		if (progress_due(&progress)) {
			uint64_t done, total;

			ahead_get_progress(r->ahead, &done, &total);
			progress_show(&progress, done, total);
		}
	}
	progress_deinit(&progress);
	return first;
}

/* All packets; the time of the first one. */
static struct stamp run_read(struct run *r)
{
	struct stamp first;
	struct merge merge;

	merge_init(&merge);
	for (size_t i = 0; i < r->inputs.len; i++) {
		struct run_input *input = vec_at(&r->inputs, i);

		input->run = r;
		capture_set_journal(input->capture, run_take_journal, input);
		merge_add(&merge, input->evidence, input->capture,
			  r->survey ? survey_shift_ns(r->survey, input->evidence) : 0);
	}
	mounts_emit(r->mounts, &r->board);
	counters_emit(r->counters, &r->board);
	filters_emit(r->filters, &r->board);
	lists_emit(r->lists, &r->board);
	syscalls_emit(r->syscalls, &r->board);
	r->ahead = ahead_create(&merge, run_wants_thread(r, &merge));
	first = run_take_items(r);
	ahead_destroy(r->ahead);
	r->ahead = NULL;
	merge_deinit(&merge);
	return first;
}

void run_go(struct run *r, enum run_detail detail)
{
	struct ingest_options options = {.keep_text = detail == RUN_KEEP_TEXT,
					 .counts_only = detail == RUN_COUNTS_ONLY};
	struct stamp first;

	run_survey(r);
	options.survey = r->survey;
	r->ingest = ingest_create(&options, &r->board, &r->evidence);
	logs_watch(r->logs, &r->board);
	first = run_read(r);
	ingest_finish(r->ingest);
	logs_settle(r->logs, r->undated ? stamp_none() : first);
	logs_emit(r->logs, &r->board);
	for (size_t i = 0; i < r->inputs.len; i++) {
		const struct run_input *input = vec_at(&r->inputs, i);
		struct capfile_stats stats;

		capture_get_stats(input->capture, &stats);
		health_enter_stats(&r->evidence, input->evidence, &stats);
	}
	if (r->survey)
		health_enter_survey(&r->evidence, r->survey);
}
