/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Several captures, delivered as one in the order of time.
 *
 * Each capture keeps its own order: its key of merging never decreases, even when its stamps do;
 * the stamps that are delivered are the true ones. Captures of one time come in the order in which
 * they were added. One packet a capture is held, and a capture whose turn has not come or is over
 * rests (capture_rest): memory grows with the captures of one time, not with all.
 */
#ifndef INGEST_MERGE_H
#define INGEST_MERGE_H

#include "base/vec.h"
#include "evidence/capture.h"

struct merge {
	struct vec inputs; /* of struct merge_input, private */
	struct vec heap;   /* of size_t: inputs that hold a packet, the earliest first */
	size_t fresh;      /* first input that was not asked yet */
	bool has_pending;  /* the top of the heap was delivered and is to be replaced */
};

struct merge_item {
	uint32_t evidence;
	bool resync;    /* bytes of this capture are missing between its last packet and this */
	int64_t key_ns; /* aligned time by which it was merged */
	const struct capfile_packet *packet; /* borrowed until the next call */
};

void merge_init(struct merge *m);

/* Does not destroy the captures. */
void merge_deinit(struct merge *m);

/*
 * Adds a capture, which stays the caller's and must outlive the merge. shift_ns is added to its
 * stamps for the order only (alignment of clocks).
 */
void merge_add(struct merge *m, uint32_t evidence, struct capture *capture, int64_t shift_ns);

/* The next packet of all; false at the end of all. */
bool merge_next(struct merge *m, struct merge_item *out);

/* All captures are regular files: none keeps who reads waiting for somebody to write it. */
bool merge_is_steady(const struct merge *m);

/* How far the captures are read in all, as capture_get_progress tells it of one. */
void merge_get_progress(const struct merge *m, uint64_t *done_bytes, uint64_t *total_bytes);

#endif
