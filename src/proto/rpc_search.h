/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds a record mark by what it and the bytes behind it look like. Not for others. */
#ifndef PROTO_RPC_SEARCH_H
#define PROTO_RPC_SEARCH_H

#include "proto/rpc_record.h"

struct rpc_search {
	enum rpc_plausible verdict;
	size_t at; /* YES: a mark stands there; MORE: the first offset that is not decided */
};

/*
 * Looks at the offsets below `end` of `bytes`, in order. from_start: the bytes begin with a
 * segment, where a mark is likely and may be a first fragment's. At every other offset it must be
 * the last fragment's, and the mark that follows the record must be right, where it can be seen.
 */
struct rpc_search rpc_search_mark(struct slice bytes, size_t end, bool from_start);

static inline uint32_t rpc_mark_load(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

#define RPC_MARK_LAST UINT32_C(0x80000000)

#endif
