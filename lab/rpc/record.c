// SPDX-License-Identifier: GPL-2.0-or-later
/* See record.h. */
#include "lab/rpc/record.h"

#include <stdlib.h>

#include "base/mem.h"

enum { MARK_BYTES = 4 };

#define MARK_LAST UINT32_C(0x80000000)

static uint32_t mark_read(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

void rpc_assembler_deinit(struct rpc_assembler *a)
{
	free(a->collected);
	*a = (struct rpc_assembler){.limit_bytes = a->limit_bytes};
}

static size_t limit_of(const struct rpc_assembler *a)
{
	return a->limit_bytes ? a->limit_bytes : RPC_RECORD_LIMIT_BYTES;
}

static void collect(struct rpc_assembler *a, struct slice bytes)
{
	if (bytes.len > a->collected_cap - a->collected_len) {
		size_t cap = a->collected_cap ? a->collected_cap : 4096;

		while (cap - a->collected_len < bytes.len)
			cap *= 2;
		a->collected = mem_resize(a->collected, cap, 1);
		a->collected_cap = cap;
	}
	memcpy(a->collected + a->collected_len, bytes.ptr, bytes.len);
	a->collected_len += bytes.len;
}

/* A mark at the beginning of the bytes; false when it cannot be believed. */
static bool begin_fragment(struct rpc_assembler *a, uint32_t mark)
{
	a->fragment_left = mark & ~MARK_LAST;
	a->is_last = (mark & MARK_LAST) != 0;
	a->fragments++;
	return a->fragments <= RPC_RECORD_FRAGMENTS_MAX &&
	       a->fragment_left <= limit_of(a) - a->collected_len;
}

/* Takes what there is of a record in several fragments. */
static enum rpc_assembly collect_fragments(struct rpc_assembler *a, struct slice bytes,
					   size_t *consumed, struct slice *record)
{
	size_t at = 0;

	for (;;) {
		size_t have = bytes.len - at;
		size_t take = have < a->fragment_left ? have : a->fragment_left;

		if (take)
			collect(a, slice_make(bytes.ptr + at, take));
		at += take;
		a->fragment_left -= (uint32_t)take;
		*consumed = at;
		if (a->fragment_left)
			return RPC_ASSEMBLY_MORE;
		if (a->is_last) {
			a->fragments = 0;
			a->is_handed_out = true;
			*record = slice_make(a->collected, a->collected_len);
			return RPC_ASSEMBLY_RECORD;
		}
		if (bytes.len - at < MARK_BYTES)
			return RPC_ASSEMBLY_MORE;
		if (!begin_fragment(a, mark_read(bytes.ptr + at)))
			return RPC_ASSEMBLY_BROKEN;
		at += MARK_BYTES;
	}
}

enum rpc_assembly rpc_assembler_take(struct rpc_assembler *a, struct slice bytes, size_t *consumed,
				     struct slice *record)
{
	uint32_t mark, len;

	*consumed = 0;
	if (a->is_handed_out)
		rpc_assembler_deinit(a);
	if (a->fragments)
		return collect_fragments(a, bytes, consumed, record);
	if (bytes.len < MARK_BYTES)
		return RPC_ASSEMBLY_MORE;
	mark = mark_read(bytes.ptr);
	len = mark & ~MARK_LAST;
	if (len > limit_of(a))
		return RPC_ASSEMBLY_BROKEN;
	if (!(mark & MARK_LAST)) {
		enum rpc_assembly done;

		if (!begin_fragment(a, mark))
			return RPC_ASSEMBLY_BROKEN;
		done = collect_fragments(a,
					 slice_make(bytes.ptr + MARK_BYTES, bytes.len - MARK_BYTES),
					 consumed, record);
		*consumed += MARK_BYTES;
		return done;
	}
	if (bytes.len - MARK_BYTES < len)
		return RPC_ASSEMBLY_MORE;
	*consumed = MARK_BYTES + len;
	*record = slice_make(bytes.ptr + MARK_BYTES, len);
	return RPC_ASSEMBLY_RECORD;
}
