/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From kernel logs to events: EVENT_LOG, in order of time, beside the packets.
 *
 * All logs of a run are read before the captures: what a line's time means is often told by
 * another one (the year by a capture, the boot's time by a copy with dates). Only facts are kept,
 * at most LOG_RECORDS_MAX of them. Copies of one log (dmesg.txt and dmesg-T.txt of one host) are
 * told apart from events that happened twice: each event is emitted once.
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
	int64_t zone_s;         /* seconds east of UTC, of logs without a zone */
	int32_t year;           /* of lines without a year; 0: not told */
	struct stamp boot_time; /* CLOCK_UTC: of logs that count from boot; else not told */
};

struct logs;
struct source; /* capfile/source.h */

/* A line that is of no log, with its number: other readers may know what it is. Borrowed. */
typedef void logs_plain_fn(void *context, uint32_t evidence, uint64_t line, struct slice text);

/* The evidence list outlives the logs. Never NULL. */
struct logs *logs_create(const struct log_options *options, struct evidence_list *evidence);

/* logs_destroy(NULL) is fine. */
void logs_destroy(struct logs *l);

/* Hands all such lines of the texts that are read from now on to `take`. */
void logs_set_plain(struct logs *l, logs_plain_fn *take, void *context);

/*
 * Reads a text to its end; false when no line of it is of a kernel log, and nothing is kept then
 * (its lines were plain ones, and handed on as such).
 * `evidence` is the index that its entry has or will have; `path` (borrowed) tells its folder;
 * `written` is when the file was last written, as a help to the year (CLOCK_UNKNOWN: not known).
 */
bool logs_read(struct logs *l, uint32_t evidence, const char *path, struct stamp written,
	       struct source *source);

/*
 * After all logs: dates, hosts and copies, and the numbers in the list of evidence. `capture` is
 * the time of the first packet, or stamp_none.
 */
void logs_settle(struct logs *l, struct stamp capture);

/*
 * Emits what has a time in UTC up to until_ns and was not emitted yet, and before all that what has
 * none. After logs_settle.
 */
void logs_emit(struct logs *l, const struct event_board *board, int64_t until_ns);

/*
 * Emits what one entry of a journal inside of a capture tells (see capfile_journal_fn): at once, or
 * when logs_settle has told what other logs have of it.
 */
void logs_take_journal(struct logs *l, const struct event_board *board, uint32_t evidence,
		       uint64_t frame, struct slice text);

/* Facts in all logs, each once; after logs_settle. */
uint64_t logs_fact_count(const struct logs *l);

#endif
