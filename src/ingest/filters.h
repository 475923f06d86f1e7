/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From listings of packet filters to events: EVENT_FILTER, without a time, before everything else.
 * Lines are handed in by whoever reads the text; what is no rule that drops is passed over. At most
 * FILTERS_MAX are kept.
 */
#ifndef INGEST_FILTERS_H
#define INGEST_FILTERS_H

#include "event/event.h"

enum { FILTERS_MAX = 4096, FILTER_BYTES_MAX = 1024 };

struct filters;

/* Never NULL. filters_destroy(NULL) is fine. */
struct filters *filters_create(void);
void filters_destroy(struct filters *f);

/*
 * One line of the text that has, or will have, this index in the list of evidence. True when it is
 * one that is read here.
 */
bool filters_take_line(struct filters *f, uint32_t evidence, uint64_t line, struct slice text);

/* Rules found so far in this evidence. */
uint64_t filters_count(const struct filters *f, uint32_t evidence);

/* Emits all, in the order in which they were read; to be called once. */
void filters_emit(const struct filters *f, const struct event_board *board);

#endif
