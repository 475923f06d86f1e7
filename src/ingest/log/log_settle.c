// SPDX-License-Identifier: GPL-2.0-or-later
/* After the logs were read: whose they are, when it was, what is a copy; and what that is told. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "ingest/log/log_private.h"

static struct log_file *file_at(const struct logs *l, size_t index)
{
	return vec_at(&l->files, index);
}

/* The folder's part of a path: up to the last slash, which is left out. */
static struct slice folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slice_make(path, slash ? (size_t)(slash - path) : 0);
}

bool log_same_folder(const char *a, const char *b)
{
	return slice_equal(folder_of(a), folder_of(b));
}

/* The host that logs of the same folder name, if it is one only; else LOG_HOST_NONE. */
static uint32_t folder_host(const struct logs *l, struct slice folder)
{
	uint32_t host = LOG_HOST_NONE;

	for (size_t i = 0; i < l->files.len; i++) {
		const struct log_file *f = file_at(l, i);

		if (f->hosts_told == 0 || !slice_equal(folder_of(f->path), folder))
			continue;
		if (f->hosts_told > 1 || (host != LOG_HOST_NONE && host != f->host))
			return LOG_HOST_NONE;
		host = f->host;
	}
	return host;
}

/* "client1" of "case/client1/dmesg.txt"; the file's name where there is no folder. */
static struct slice folder_name(const char *path)
{
	struct slice folder = folder_of(path);
	size_t start = folder.len;

	if (strcmp(path, "-") == 0)
		return slice_of_string("standard input");
	while (start > 0 && folder.ptr[start - 1] != '/')
		start--;
	if (start == folder.len)
		return slice_of_string(
			path + (folder.len && path[folder.len] == '/' ? folder.len + 1 : 0));
	return slice_make(folder.ptr + start, folder.len - start);
}

/* A name for an unnamed host: of its folder, told apart from a folder of the same name. */
static uint32_t host_by_folder(struct logs *l, size_t index)
{
	const struct log_file *f = file_at(l, index);
	struct slice name = folder_name(f->path);

	for (size_t i = 0; i < index; i++) {
		const struct log_file *other = file_at(l, i);
		const struct log_host *h =
			other->host == LOG_HOST_NONE
				? NULL
				: (struct log_host *)vec_at(&l->hosts, other->host);

		if (!h || h->told || folder_of(f->path).len == 0)
			continue;
		if (slice_equal(folder_of(other->path), folder_of(f->path)))
			return other->host;
		if (slice_equal(slice_of_string(h->name), name))
			name = folder_of(f->path);
	}
	return log_host_of(l, name, false);
}

static void settle_hosts(struct logs *l)
{
	for (size_t i = 0; i < l->files.len; i++) {
		struct log_file *f = file_at(l, i);
		const char *name;

		if (f->hosts_told > 1)
			f->host = LOG_HOST_NONE;
		if (f->hosts_told == 0)
			f->host = folder_host(l, folder_of(f->path));
		name = f->host == LOG_HOST_NONE && f->hosts_told == 0 ? log_name_of(l, f->path)
								      : NULL;
		if (name)
			f->host = log_host_of(l, slice_of_string(name), true);
		if (f->host == LOG_HOST_NONE)
			f->host = host_by_folder(l, i);
		for (size_t k = f->first; k < f->last; k++) {
			struct log_record *r = vec_at(&l->records, k);

			if (r->host == LOG_HOST_NONE)
				r->host = f->host;
		}
	}
}

static void note_host(const struct logs *l, const struct log_file *f)
{
	const struct log_host *h =
		f->host == LOG_HOST_NONE ? NULL : (struct log_host *)vec_at(&l->hosts, f->host);
	struct strbuf text;

	if (!h || f->hosts_told > 1)
		return;
	strbuf_init(&text);
	strbuf_add_text(&text, !h->told                ? "does not name its host: called "
			       : f->stats.kernel_lines ? "is the log of host "
						       : "is of host ");
	strbuf_add_safe(&text, slice_of_string(h->name));
	if (!h->told)
		strbuf_add_text(&text, " after its place; files of one folder are taken to be of "
				       "one host");
	else if (f->hosts_told == 0)
		strbuf_add_text(&text, ", as its folder tells");
	evidence_add_note(l->evidence, f->evidence, strbuf_text(&text));
	strbuf_deinit(&text);
}

/* 0.4 s were seen, in a virtual machine. */
#define TRACE_CLOCK_ERROR_NS STAMP_NS_PER_S

static struct stamp trace_stamp(const struct log_file *f, int64_t boot_ns)
{
	return f->trace_clock ? log_boot_stamp(f->trace_clock, boot_ns)
			      : (struct stamp){.ns = boot_ns, .clock = CLOCK_BOOT};
}

/*
 * A trace counts from boot as the kernel's log does, by nearly the same clock (sched_clock, which
 * the log's local_clock corrects where it is not stable): where a log of the same host is known to
 * UTC, so is the trace, roughly. Of one boot they are where it does not end before the log begins.
 */
static void settle_trace_clock(const struct logs *l, struct log_file *f)
{
	for (size_t i = 0; f->trace_lines && !f->trace_clock && i < l->files.len; i++) {
		const struct log_file *o = file_at(l, i);

		if (o == f || o->host != f->host || o->host == LOG_HOST_NONE ||
		    !o->stats.kernel_lines || !o->has_boot_offset || !o->head_first.has_boot ||
		    !o->head_last.has_boot || f->trace_last_ns < o->head_first.boot_ns)
			continue;
		if (log_boot_stamp(o, f->trace_first_ns).clock == CLOCK_UTC)
			f->trace_clock = o;
	}
}

static void note_trace_clock(const struct logs *l, const struct log_file *f)
{
	struct strbuf text;

	if (!f->trace_clock)
		return;
	strbuf_init(&text);
	strbuf_add_format(&text,
			  "its times since boot are told by the kernel log e%" PRIu32
			  " of the same host, within a second: the tracer's clock is not quite its",
			  f->trace_clock->evidence + 1);
	evidence_add_note(l->evidence, f->evidence, strbuf_text(&text));
	strbuf_deinit(&text);
}

/* What nobody understood, and where to look for it: a stack in a new form would be among it. */
static void note_strange(const struct logs *l, const struct log_file *f)
{
	struct strbuf text;

	if (f->strange == 0 || (f->tasks == 0 && f->trace_lines == 0))
		return;
	strbuf_init(&text);
	strbuf_add_format(&text, "lines that are of no log, stack or trace known here: %" PRIu64,
			  f->strange);
	for (uint64_t i = 0; i < f->strange && i < LOG_STRANGE_SHOWN; i++)
		strbuf_add_format(&text, "%s%" PRIu64, i ? ", " : "; line ", f->strange_lines[i]);
	if (f->strange > LOG_STRANGE_SHOWN)
		strbuf_add_text(&text, " and more");
	evidence_add_note(l->evidence, f->evidence, strbuf_text(&text));
	strbuf_deinit(&text);
}

/* Lines that count in another way than the rest. */
static void note_lines(const struct logs *l, const struct log_file *f)
{
	char text[192];

	if (f->copies) {
		snprintf(text, sizeof(text),
			 "messages that stand in the evidence more than once, and count once: "
			 "%" PRIu64,
			 f->copies);
		evidence_add_note(l->evidence, f->evidence, text);
	}
	if (f->stats.other_lines) {
		snprintf(text, sizeof(text),
			 "%" PRIu64 " lines are of other programs than the kernel",
			 f->stats.other_lines);
		evidence_add_note(l->evidence, f->evidence, text);
	}
	if (f->stats.untimed_lines) {
		snprintf(text, sizeof(text),
			 "%" PRIu64
			 " of its lines tell no time, or only what passed since the line before: "
			 "`dmesg --time-format iso` tells it",
			 f->stats.untimed_lines);
		evidence_add_note(l->evidence, f->evidence, text);
	}
}

static void enter_file(const struct logs *l, const struct log_file *f)
{
	struct evidence *e = evidence_list_at(l->evidence, f->evidence);
	char text[160];

	e->records = f->stats.lines;
	if (f->stats.kernel_lines) {
		e->records = f->stats.kernel_lines;
		e->first = log_head_stamp(f, &f->head_low);
		e->last = log_head_stamp(f, &f->head_high);
		e->clock_error_ns = f->error_ns;
	}
	if (f->trace_lines && f->trace_last_ns && f->stats.kernel_lines == 0) {
		e->first = trace_stamp(f, f->trace_first_ns);
		e->last = trace_stamp(f, f->trace_last_ns);
		if (f->trace_clock)
			e->clock_error_ns = TRACE_CLOCK_ERROR_NS;
	}
	if (f->trace_lines) {
		snprintf(text, sizeof(text),
			 "lines of a kernel's trace: %" PRIu64
			 ", of events that are not used: %" PRIu64,
			 f->trace_lines, f->trace_unused);
		evidence_add_note(l->evidence, f->evidence, text);
	}
	if (f->trace_copies) {
		snprintf(text, sizeof(text),
			 "facts that another file of the host tells, too, and that count once: "
			 "%" PRIu64,
			 f->trace_copies);
		evidence_add_note(l->evidence, f->evidence, text);
	}
	if (f->trace_lost)
		evidence_add_damage(l->evidence, f->evidence,
				    "times that the tracer had no room and lost events",
				    f->trace_lost, UINT64_MAX, 0);
	if (f->tasks) {
		snprintf(text, sizeof(text), "tells of tasks and their stacks: %" PRIu64, f->tasks);
		evidence_add_note(l->evidence, f->evidence, text);
	}
	note_strange(l, f);
	note_trace_clock(l, f);
	note_host(l, f);
	log_jumps_note(l, f);
	note_lines(l, f);
	if (f->stats.cut_lines)
		evidence_add_damage(l->evidence, f->evidence, "lines that are too long, cut",
				    f->stats.cut_lines, UINT64_MAX, f->stats.cut_first);
	if (f->stats.fault)
		evidence_add_damage(l->evidence, f->evidence, f->stats.fault, 1, UINT64_MAX, 0);
}

/* What has no time in UTC first, then by time; as in the files where that is the same. */
static int record_order(const void *a, const void *b)
{
	const struct log_record *x = a;
	const struct log_record *y = b;

	if ((x->at.clock == CLOCK_UTC) != (y->at.clock == CLOCK_UTC))
		return x->at.clock == CLOCK_UTC ? 1 : -1;
	if (x->at.clock == CLOCK_UTC && x->at.ns != y->at.ns)
		return x->at.ns < y->at.ns ? -1 : 1;
	if (x->file != y->file)
		return x->file < y->file ? -1 : 1;
	return (x->line > y->line) - (x->line < y->line);
}

void logs_settle(struct logs *l, struct stamp capture)
{
	log_wire_finish(&l->wire);
	settle_hosts(l);
	log_names_enter(l);
	log_times_settle(l, capture);
	log_clients_settle(l);
	log_copies_settle(l);
	traces_copies_settle(l->traces);
	tasks_settle(l->tasks);
	for (size_t i = 0; i < l->files.len; i++)
		settle_trace_clock(l, file_at(l, i));
	for (size_t i = 0; i < l->files.len; i++)
		enter_file(l, file_at(l, i));
	if (l->dropped && l->files.len)
		evidence_add_damage(l->evidence, file_at(l, 0)->evidence,
				    "messages in the logs that were not kept: the same again and "
				    "again, or too many",
				    l->dropped, UINT64_MAX, 0);
	if (traces_dropped(l->traces) && l->files.len)
		evidence_add_damage(l->evidence, file_at(l, 0)->evidence,
				    "facts of traces that were not kept: too many",
				    traces_dropped(l->traces), UINT64_MAX, 0);
	if (l->records.len)
		qsort(l->records.items, l->records.len, l->records.item_bytes, record_order);
}
