/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds a record mark by what it and the bytes behind it look like. Not for others. */
#ifndef PROTO_RPC_SEARCH_H
#define PROTO_RPC_SEARCH_H

#include "proto/rpc_record.h"

struct rpc_search {
	enum rpc_plausible verdict;
	size_t at; /* YES: a mark stands there; MORE: the first offset that is not decided */
};

/* What is known of the first of the bytes. */
enum rpc_search_place {
	RPC_SEARCH_ANYWHERE,
	RPC_SEARCH_CHUNK,  /* a segment begins here: a mark is likely */
	RPC_SEARCH_STREAM, /* the stream begins here: it must be a mark */
};

/*
 * Looks at the offsets below `end` of `bytes`, in order. At the first one `place` tells how much
 * has to be proved: the first of several fragments is believed at the stream's beginning, and at a
 * chunk's when the next mark is seen. At all others it must be the mark of a last fragment, and the
 * mark behind it must be right where it is seen.
 */
struct rpc_search rpc_search_mark(struct slice bytes, size_t end, enum rpc_search_place place);

static inline uint32_t rpc_mark_load(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

#define RPC_MARK_LAST UINT32_C(0x80000000)

/* Keeps n more of the bytes where a record mark should be, as far as there is room for them. */
void rpc_unframed_add(struct rpc_unframed *u, const uint8_t *p, size_t n);

#endif
