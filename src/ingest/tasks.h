/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From texts about tasks to events: EVENT_TASK and EVENT_OBJECT. Part of the reading of logs: the
 * same lines go to both, because a listing of tasks may stand in a kernel log, and a piece of a
 * kernel log in the middle of somebody's notes.
 *
 * What was looked at together is one snapshot: a listing of sysrq, a round of a loop over /proc, a
 * dump of memory, whatever the number of texts that quote it.
 */
#ifndef INGEST_TASKS_H
#define INGEST_TASKS_H

#include "event/event.h"
#include "evidence/klog/klog_head.h"

struct logs;
struct tasks;

enum { TASKS_RECORDS_MAX = 16384, TASKS_OBJECTS_MAX = 16384 };

/* Never NULL; the logs outlive it. */
struct tasks *tasks_create(struct logs *l);

/* tasks_destroy(NULL) is fine. */
void tasks_destroy(struct tasks *t);

/*
 * A line of the file at hand; `head` is NULL for one that has none. False: it tells nothing of
 * tasks.
 */
bool tasks_line(struct tasks *t, uint64_t line, const struct klog_head *head, struct slice text);

/* The file at hand is over. Returns how many tasks were found in it. */
uint64_t tasks_end_file(struct tasks *t);

/* After hosts and times of the logs are settled: which dumps are the same one. */
void tasks_settle(struct tasks *t);

/* Hands everything to the board. */
void tasks_emit(const struct tasks *t, const struct event_board *board);

#endif
