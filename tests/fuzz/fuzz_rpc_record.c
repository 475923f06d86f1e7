// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * proto/rpc_record.h: a stream with chunks and gaps. Each record's cursor accounts for all of its
 * bytes, and all memory is given back.
 *
 * The first byte: joined or not, small pool or not. Then steps: a byte of kind, two of length, and
 * for a chunk so many bytes.
 */
#include "fuzz.h"
#include "proto/rpc_record.h"

#include <stdlib.h>
#include <string.h>

enum { JOINED = 1, SMALL_POOL = 2, STEP_BYTES = 3 };

/* Kinds of a step by its lowest bits; all others are chunks. */
enum { STEP_CUT = 4, STEP_LOST = 5, STEP_UNKNOWN = 6, STEP_ZEROES = 7 };

static void require(int holds)
{
	if (!holds)
		abort();
}

/* Reads the byte, whatever the compiler thinks of it. */
static void touch(uint8_t byte)
{
	__asm__ volatile("" : : "r"(byte));
}

static void on_record(void *context, enum tcp_side from, const struct rpc_record *record)
{
	struct cursor c = record->body;
	struct rpc_msg msg;

	(void)context;
	(void)from;
	require(cursor_left(&c) == record->bytes);
	require(record->bytes <= RPC_RECORD_BYTES_MAX);
	if (c.pos < c.tail_end) {
		touch(c.pos[0]);
		touch(c.tail_end[-1]);
	}
	if (record->damage == 0 && record->skipped_bytes == 0)
		require(cursor_here(&c) == record->bytes);
	rpc_msg_decode(&c, &msg);
}

static struct rpc_range on_plan(void *context, enum tcp_side from, struct cursor head)
{
	const uint8_t *p = head.pos;

	(void)context;
	(void)from;
	require(cursor_here(&head) >= RPC_RECORD_PLAN_HEAD);
	return (struct rpc_range){(size_t)p[40] << 5, (size_t)p[41] << 13 | p[42]};
}

static void on_note(void *context, enum tcp_side from, enum rpc_stream_note note,
		    const struct tcp_frame *frame)
{
	(void)context;
	(void)from;
	(void)note;
	(void)frame;
}

static const struct rpc_stream_sink sink = {on_record, on_plan, on_note};

/* A chunk in a block of its own size, so that a sanitizer sees an over-read. */
static void give(struct rpc_stream *s, const uint8_t *data, size_t n, uint64_t off, uint64_t frame)
{
	struct tcp_frame at = {.number = frame};
	struct tcp_chunk chunk = {.offset = off};
	uint8_t *copy = calloc(n ? n : 1, 1);

	require(copy != NULL);
	if (data && n)
		memcpy(copy, data, n);
	chunk.bytes = slice_make(copy, n);
	chunk.frame = chunk.done = &at;
	if (n)
		rpc_stream_chunk(s, &chunk);
	free(copy);
}

static void leave(struct rpc_stream *s, uint8_t kind, size_t n, uint64_t off, uint64_t frame)
{
	struct tcp_gap gap = {.offset = off, .len = n, .frame.number = frame};

	gap.kind = kind == STEP_CUT    ? TCP_GAP_CUT
		   : kind == STEP_LOST ? TCP_GAP_LOST_ACKED
				       : TCP_GAP_UNKNOWN;
	if (gap.kind == TCP_GAP_UNKNOWN)
		gap.len = 0;
	else if (n == 0)
		return;
	rpc_stream_gap(s, &gap);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rpc_pool pool;
	struct rpc_stream s;
	uint64_t off = 0, frame = 0;
	uint8_t options = size ? data[0] : 0;

	rpc_pool_init(&pool, options & SMALL_POOL ? 40 << 10 : 8 << 20);
	rpc_stream_init(&s, TCP_SIDE_A, options & JOINED, &sink, &pool, NULL);
	for (size_t at = 1; at + STEP_BYTES <= size;) {
		uint8_t kind = data[at] & 7;
		size_t n = (size_t)data[at + 1] << 8 | data[at + 2];

		at += STEP_BYTES;
		frame++;
		if (kind >= STEP_CUT && kind != STEP_ZEROES) {
			leave(&s, kind, n, off, frame);
		} else if (kind == STEP_ZEROES) {
			give(&s, NULL, n, off, frame);
		} else {
			if (n > size - at)
				n = size - at;
			give(&s, data + at, n, off, frame);
			at += n;
		}
		off += n;
		require(pool.used_bytes <= pool.max_bytes);
	}
	rpc_stream_finish(&s);
	rpc_stream_deinit(&s);
	require(pool.used_bytes == 0);
	rpc_pool_deinit(&pool);
	return 0;
}
