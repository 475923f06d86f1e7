/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets of several captures, read, unpacked, merged and taken apart down to their transport
 * header; in a thread of its own, ahead of who wants them, where that is wanted.
 *
 * What runs ahead are readers of files and functions of one packet, which know nothing of what
 * packets before it said: so it is all the same to the result whether there is a thread or not.
 * Packets are handed over in batches, of which there are a few: memory is bounded.
 */
#ifndef INGEST_AHEAD_H
#define INGEST_AHEAD_H

#include "ingest/ingest.h"
#include "ingest/merge.h"

struct ahead;

/* What comes next: a packet, or an entry of a journal that stands between packets. */
struct ahead_item {
	bool is_journal;
	const struct ingest_packet *packet; /* of a journal: its evidence and frame */
	const struct rpc_ahead *message;    /* in it, decoded; NULL: none */
	struct slice journal;               /* its text */
};

/* Reads from `merge`, which is the caller's again after ahead_destroy; never NULL. */
struct ahead *ahead_create(struct merge *merge, bool threaded);

/* What was read ahead is dropped. ahead_destroy(NULL) is fine. */
void ahead_destroy(struct ahead *a);

/* The next item, borrowed until the next call; NULL at the end of all. */
const struct ahead_item *ahead_next(struct ahead *a);

/*
 * Takes an entry of a journal that a capture of the merge came upon, as a capfile_journal_fn does.
 * False: there is no thread, and the caller may use it at once.
 */
bool ahead_put_journal(struct ahead *a, uint32_t evidence, uint64_t frame, struct slice text);

/* How far the captures are read, as capture_get_progress tells it. */
void ahead_get_progress(const struct ahead *a, uint64_t *done_bytes, uint64_t *total_bytes);

#endif
