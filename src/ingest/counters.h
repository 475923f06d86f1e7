/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From lines of mountstats to events: EVENT_MOUNT_STATS, one for each mount with statistics,
 * without a time, in the order of the evidence. At most COUNTERS_MAX are kept.
 */
#ifndef INGEST_COUNTERS_H
#define INGEST_COUNTERS_H

#include "event/event.h"

enum { COUNTERS_MAX = 512 };

struct counters;

/* Never NULL. counters_destroy(NULL) is fine. */
struct counters *counters_create(void);
void counters_destroy(struct counters *c);

/*
 * One line of the text that has, or will have, this index in the list of evidence. True when it is
 * one that is read here.
 */
bool counters_take_line(struct counters *c, uint32_t evidence, uint64_t line, struct slice text);

/* Emits all, in the order in which they were read; to be called once. */
void counters_emit(struct counters *c, const struct event_board *board);

#endif
