/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From kernel logs to events: EVENT_LOG, in order of time, after the packets. What the same texts,
 * and those that are no log, tell of tasks and their stacks comes before: see tasks.h.
 *
 * All logs of a run are read before the captures, and their times are settled after them: what a
 * line's time means is told by another file (the year by a capture, the boot's time by a copy with
 * dates, or by a reply on the wire). Only facts are kept, at most LOG_RECORDS_MAX of them. Copies
 * of one log (dmesg.txt and dmesg-T.txt of one host) are told apart from events that happened
 * twice: each event is emitted once.
 */
#ifndef INGEST_LOG_H
#define INGEST_LOG_H

#include "base/slice.h"
#include "event/event.h"
#include "event/evidence.h"

enum { LOG_RECORDS_MAX = 32768 };

/* What the user tells of the times of logs. */
struct log_options {
	bool has_zone;
	int64_t zone_s;         /* seconds east of UTC, of logs without a zone: of the first line */
	int32_t year;           /* of lines without a year; 0: not told */
	struct stamp boot_time; /* CLOCK_UTC: of logs that count from boot; else not told */
};

struct logs;
struct source; /* capfile/source.h */

/*
 * A line that is of no log, with its number: other readers may know what it is, and say so by true.
 * Borrowed.
 */
typedef bool logs_plain_fn(void *context, uint32_t evidence, uint64_t line, struct slice text);

/* A line that nobody knows. Borrowed. */
typedef void logs_unknown_fn(void *context, uint32_t evidence, uint64_t line, struct slice text);

/* The evidence list outlives the logs. Never NULL. */
struct logs *logs_create(const struct log_options *options, struct evidence_list *evidence);

/* logs_destroy(NULL) is fine. */
void logs_destroy(struct logs *l);

/* Hands all such lines of the texts that are read from now on to `take`. */
void logs_set_plain(struct logs *l, logs_plain_fn *take, void *context);

/*
 * Hands all lines to `take` that nobody understands, here or of those told of plain lines, and
 * those of a trace whose events are not used. Whether a text is a log at all tells logs_read when
 * it returns.
 */
void logs_set_unknown(struct logs *l, logs_unknown_fn *take, void *context);

/*
 * Reads a text to its end; false when no line of it is of a kernel log and none tells of a task:
 * nothing is kept then (its lines were plain ones, and handed on as such).
 * `evidence` is the index that its entry has or will have; `path` (borrowed) tells its folder;
 * `written` is when the file was last written, as a help to the year (CLOCK_UNKNOWN: not known).
 */
bool logs_read(struct logs *l, uint32_t evidence, const char *path, struct stamp written,
	       struct source *source);

/* What the text that was read last is to be in the list of evidence. */
enum evidence_kind logs_kind(const struct logs *l);

/* Before the captures, after the logs: what the wire shows of waits is remembered. */
void logs_watch(struct logs *l, struct event_board *board);

/*
 * A text told a host's clock and uptime: it booted at boot_ns (UTC), off by error_ns at most. Logs
 * in the folder of `path` (borrowed, outlives the logs) are of that host.
 */
void logs_take_clock(struct logs *l, uint32_t evidence, const char *path, int64_t boot_ns,
		     int64_t error_ns);

/* The same text told the host's name: files in its folder are of that host. */
void logs_take_name(struct logs *l, const char *path, const char *name, int64_t boot_ns,
		    int64_t error_ns);

/*
 * After all logs and captures: dates, hosts and copies, and the numbers in the list of evidence.
 * `capture` is the time of the first packet, or stamp_none. Once.
 */
void logs_settle(struct logs *l, struct stamp capture);

/*
 * Emits all facts: first what has no time in UTC, then the others in order of time. After
 * logs_settle, once.
 */
void logs_emit(struct logs *l, const struct event_board *board);

/*
 * One entry of a journal inside of a capture (see capfile_journal_fn): what it tells is emitted by
 * logs_emit, unless another log has it. Before logs_settle.
 */
void logs_take_journal(struct logs *l, uint32_t evidence, uint64_t frame, struct slice text);

/* Facts in all logs, each once; after logs_settle. */
uint64_t logs_fact_count(const struct logs *l);

#endif
