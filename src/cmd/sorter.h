/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sorts more lines than memory holds: sorted runs go to a temporary file and are merged at the end.
 */
#ifndef CMD_SORTER_H
#define CMD_SORTER_H

#include "base/err.h"
#include "base/slice.h"

/* What lines are sorted by, in this order; lines with equal keys stay in the order of adding. */
struct sort_key {
	int64_t ns;
	uint32_t evidence;
	uint64_t frame;
};

struct sorter;

/* The smaller one beside models that may be full. */
enum { SORTER_MEMORY_BYTES = 8 << 20, SORTER_MEMORY_BYTES_MIN = 1 << 20 };

/* Keeps up to memory_bytes of lines in memory. Never NULL. */
struct sorter *sorter_create(size_t memory_bytes);

/* sorter_destroy(NULL) is fine. */
void sorter_destroy(struct sorter *s);

/* A line, without its line break. A failure to write is told by sorter_run. */
void sorter_add(struct sorter *s, const struct sort_key *key, struct slice line);

typedef void sorter_fn(void *context, const struct sort_key *key, struct slice line);

/* Hands out all lines in order; each is borrowed for its call. Once, after the last sorter_add. */
struct err *sorter_run(struct sorter *s, sorter_fn *take, void *context);

#endif
