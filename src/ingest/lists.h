/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From what hosts list of themselves to events: EVENT_HOST, without a time, in the order of the
 * evidence. Lines are handed in by whoever reads the text; what is of no list is passed over. At
 * most LISTS_MAX rows are kept.
 */
#ifndef INGEST_LISTS_H
#define INGEST_LISTS_H

#include "event/event.h"

enum { LISTS_MAX = 16384, LISTS_BYTES_MAX = 8192 };

struct lists;

/* Never NULL. lists_destroy(NULL) is fine. */
struct lists *lists_create(void);
void lists_destroy(struct lists *l);

/*
 * One line of the text that has, or will have, this index in the list of evidence. True when it is
 * one that is read here.
 */
bool lists_take_line(struct lists *l, uint32_t evidence, uint64_t line, struct slice text);

/* True when the text that is being read, or was read last, has a list, if an empty one. */
bool lists_knows(const struct lists *l, uint32_t evidence);

/* Rows found so far in this evidence. */
uint64_t lists_count(const struct lists *l, uint32_t evidence);

/* Emits all, in the order in which they were read; to be called once. */
void lists_emit(const struct lists *l, const struct event_board *board);

#endif
