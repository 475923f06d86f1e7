/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From lines about mounts to events: EVENT_MOUNT, without a time, before everything else. Lines are
 * handed in by whoever reads the text; what is no line about a mount is passed over. At most
 * MOUNTS_MAX are kept.
 */
#ifndef INGEST_MOUNTS_H
#define INGEST_MOUNTS_H

#include "event/event.h"
#include "event/evidence.h"

enum { MOUNTS_MAX = 4096, MOUNT_BYTES_MAX = 8192 };

struct mounts;

/* Never NULL. mounts_destroy(NULL) is fine. */
struct mounts *mounts_create(void);
void mounts_destroy(struct mounts *m);

/*
 * One line of the text that has, or will have, this index in the list of evidence. True when it is
 * one that is read here.
 */
bool mounts_take_line(struct mounts *m, uint32_t evidence, uint64_t line, struct slice text);

/* Mounts found so far in this evidence. */
uint64_t mounts_count(const struct mounts *m, uint32_t evidence);

/* Emits all, in the order in which they were read; to be called once. */
void mounts_emit(const struct mounts *m, const struct event_board *board);

#endif
