// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * proto/rpc_record.h: records made here, cut into chunks in every way. What comes out is compared
 * by xid, length, the bytes that are here, and damage.
 */
#include "check.h"
#include "proto/rpc_pool.h"
#include "proto/rpc_record.h"

#include <stdlib.h>

enum { WIRE_MAX = 1 << 22, GOT_MAX = 512, NOTHING = 1 << 30 };

struct got {
	uint32_t xid;
	size_t bytes, skipped;
	uint32_t damage;
	uint64_t offset, first, last;
	bool is_right; /* the bytes that are here are the message's, in their places */
};

struct tester {
	struct rpc_pool pool;
	struct rpc_stream stream;
	struct got got[GOT_MAX];
	size_t got_count;
	struct rpc_range want_plan; /* the plan's answer */
	size_t plans, plan_head;
	unsigned found, lost_mark, not_rpc;
	uint64_t frame;
	uint64_t off;
};

static uint8_t *wire; /* the stream under test */
static size_t wire_len;

static uint8_t body_byte(uint32_t xid, size_t at)
{
	return (uint8_t)(xid * 7 + at * 3 + (at >> 8) * 5);
}

static void put_u32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

static uint32_t get_u32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* A message: an even xid is a call of NFS, an odd one a reply; then bytes told by the xid. */
static void message_make(uint8_t *p, uint32_t xid, size_t bytes)
{
	static const uint32_t call[] = {0, 2, 100003, 4, 1, 0, 0, 0, 0};
	static const uint32_t reply[] = {1, 0, 0, 0, 0};
	size_t words = xid & 1 ? 5 : 9;

	for (size_t i = 0; i < bytes; i++)
		p[i] = body_byte(xid, i);
	put_u32(p, xid);
	for (size_t i = 0; i < words; i++)
		put_u32(p + 4 + 4 * i, (xid & 1 ? reply : call)[i]);
}

/* Appends a record of one fragment per `pieces`, and returns its offset in the stream. */
static size_t wire_add(uint32_t xid, size_t bytes, size_t pieces)
{
	uint8_t *message = malloc(bytes);
	size_t at = 0, off = wire_len;

	message_make(message, xid, bytes);
	for (size_t i = 0; i < pieces; i++) {
		size_t n = i + 1 == pieces ? bytes - at : bytes / pieces;

		put_u32(wire + wire_len, (uint32_t)n | (i + 1 == pieces ? UINT32_C(1) << 31 : 0));
		memcpy(wire + wire_len + 4, message + at, n);
		wire_len += 4 + n;
		at += n;
	}
	free(message);
	return off;
}

static void wire_reset(void)
{
	if (!wire)
		wire = malloc(WIRE_MAX);
	wire_len = 0;
}

/* Reads the record through its cursor, piece by piece, around the gap. */
static bool record_is_right(const struct rpc_record *record)
{
	uint8_t *want = malloc(record->bytes + 64);
	const struct cursor *c = &record->body;
	size_t head = cursor_here(c), tail = (size_t)(c->tail_end - c->end);
	bool right = head + c->gap + tail + c->missing == record->bytes;

	if (head >= 4) {
		message_make(want, get_u32(c->pos), record->bytes < 64 ? 64 : record->bytes);
		right = right && memcmp(c->pos, want, head) == 0;
		if (tail && right)
			right = memcmp(c->end, want + head + c->gap, tail) == 0;
	}
	free(want);
	return right;
}

static void on_record(void *context, enum tcp_side from, const struct rpc_record *record)
{
	struct tester *t = context;
	struct cursor c = record->body;
	struct got *got = &t->got[t->got_count];

	(void)from;
	if (t->got_count == GOT_MAX)
		return;
	t->got_count++;
	*got = (struct got){.bytes = record->bytes,
			    .skipped = record->skipped_bytes,
			    .damage = record->damage,
			    .offset = record->offset,
			    .first = record->first->number,
			    .last = record->last->number,
			    .is_right = record_is_right(record)};
	got->xid = cursor_u32(&c);
}

static struct rpc_range on_plan(void *context, enum tcp_side from, struct cursor head)
{
	struct tester *t = context;

	(void)from;
	t->plans++;
	t->plan_head = cursor_here(&head);
	return t->want_plan;
}

static void on_note(void *context, enum tcp_side from, enum rpc_stream_note note,
		    const struct tcp_frame *frame)
{
	struct tester *t = context;

	(void)from;
	(void)frame;
	t->found += note == RPC_STREAM_FOUND;
	t->lost_mark += note == RPC_STREAM_LOST_MARK;
	t->not_rpc += note == RPC_STREAM_NOT_RPC;
}

static const struct rpc_stream_sink sink = {on_record, on_plan, on_note};

static void tester_init(struct tester *t, bool joined)
{
	*t = (struct tester){0};
	rpc_pool_init(&t->pool, 64 << 20);
	rpc_stream_init(&t->stream, TCP_SIDE_A, joined, &sink, &t->pool, t);
}

static void tester_deinit(struct tester *t)
{
	rpc_stream_deinit(&t->stream);
	CHECK_EQ_U64(t->pool.used_bytes, 0);
	rpc_pool_deinit(&t->pool);
}

/* The next n bytes of the wire, in a block of exactly that size. */
static void feed(struct tester *t, size_t n)
{
	uint8_t *bytes = check_copy(wire + t->off, n);
	struct tcp_chunk chunk = {.offset = t->off, .bytes = slice_make(bytes, n)};
	struct tcp_frame frame;

	frame = (struct tcp_frame){.number = ++t->frame, .at = stamp_utc((int64_t)t->frame)};
	chunk.frame = chunk.done = &frame;
	rpc_stream_chunk(&t->stream, &chunk);
	t->off += n;
	free(bytes);
}

static void skip(struct tester *t, enum tcp_gap_kind kind, size_t n)
{
	struct tcp_gap gap = {.kind = kind, .offset = t->off, .len = n};

	gap.frame.number = kind == TCP_GAP_CUT ? t->frame : t->frame + 1;
	rpc_stream_gap(&t->stream, &gap);
	t->off += n;
}

/* All records are whole and right, and their xids count from `first`. */
static void check_whole(const struct tester *t, uint32_t first, size_t count)
{
	CHECK_EQ_U64(t->got_count, count);
	for (size_t i = 0; i < t->got_count; i++) {
		CHECK_EQ_U64(t->got[i].xid, first + i);
		CHECK(t->got[i].is_right);
		CHECK_EQ_U64(t->got[i].damage, 0);
	}
}

TEST(several_records_in_a_chunk)
{
	struct tester t;

	wire_reset();
	for (uint32_t xid = 0; xid < 20; xid++)
		wire_add(xid, 44 + xid * 4, 1);
	tester_init(&t, false);
	feed(&t, wire_len);
	check_whole(&t, 0, 20);
	CHECK_EQ_U64(t.got[19].first, 1);
	CHECK_EQ_U64(t.pool.used_bytes, 0);
	tester_deinit(&t);
}

/* Every way to cut a stream in two, then in pieces of every size, gives the same records. */
TEST(every_split)
{
	wire_reset();
	wire_add(0, 60, 1);
	wire_add(1, 24, 1);
	wire_add(2, 120, 3);
	wire_add(3, 300, 1);
	wire_add(4, 40, 2);
	for (size_t at = 1; at < wire_len; at++) {
		struct tester t;

		tester_init(&t, false);
		feed(&t, at);
		feed(&t, wire_len - at);
		check_whole(&t, 0, 5);
		CHECK_EQ_U64(t.stream.counts.fragments, 3);
		tester_deinit(&t);
		tester_init(&t, true);
		while (t.off < wire_len)
			feed(&t, wire_len - t.off < at ? wire_len - t.off : at);
		check_whole(&t, 0, 5);
		CHECK_EQ_U64(t.lost_mark, 0);
		tester_deinit(&t);
	}
}

TEST(frames_of_a_record)
{
	struct tester t;

	wire_reset();
	wire_add(2, 100, 1);
	wire_add(3, 100, 1);
	tester_init(&t, false);
	for (size_t i = 0; i < 4; i++)
		feed(&t, 52);
	check_whole(&t, 2, 2);
	CHECK_EQ_U64(t.got[0].first, 1);
	CHECK_EQ_U64(t.got[0].last, 2);
	CHECK_EQ_U64(t.got[1].first, 3);
	CHECK_EQ_U64(t.got[1].last, 4);
	CHECK_EQ_U64(t.got[1].offset, 104);
	tester_deinit(&t);
}

/* A capture that begins anywhere in a stream finds the first record that begins behind that. */
TEST(joining_at_every_offset)
{
	size_t begin[12];

	wire_reset();
	for (uint32_t xid = 0; xid < 12; xid++)
		begin[xid] = wire_add(xid, 40 + xid * 12, 1 + (xid == 5));
	for (size_t at = 0; at < begin[10]; at++) {
		for (size_t step = 7; step <= 4096; step *= 4) {
			struct tester t;
			uint32_t first = 0;

			while (begin[first] < at)
				first++;
			tester_init(&t, true);
			t.off = at;
			while (t.off < wire_len)
				feed(&t, wire_len - t.off < step ? wire_len - t.off : step);
			/* In the middle of a chunk a record of several fragments is passed over. */
			if (first == 5 && t.got[0].xid == 6)
				first = 6;
			check_whole(&t, first, 12 - first);
			CHECK_EQ_U64(t.got[0].offset, begin[first]);
			tester_deinit(&t);
		}
	}
}

TEST(loss_of_every_stretch)
{
	size_t begin[6], end;

	wire_reset();
	for (uint32_t xid = 0; xid < 6; xid++)
		begin[xid] = wire_add(xid, 64 + xid * 8, 1);
	end = begin[5];
	for (size_t from = begin[1]; from < end; from += 3) {
		for (size_t to = from + 1; to < end; to += 5) {
			struct tester t;
			const struct got *last;

			tester_init(&t, false);
			feed(&t, from);
			skip(&t, TCP_GAP_LOST_ACKED, to - from);
			feed(&t, wire_len - to);
			last = &t.got[t.got_count - 1];
			CHECK_EQ_U64(last->xid, 5);
			CHECK_EQ_U64(last->damage, 0);
			for (size_t i = 0; i < t.got_count; i++)
				CHECK(t.got[i].is_right);
			/* Inside of one record the others are whole. */
			if (from > begin[1] + 12 && to <= begin[2]) {
				CHECK_EQ_U64(t.got_count, 6);
				CHECK_EQ_U64(t.got[1].damage, RPC_RECORD_LOST);
				CHECK_EQ_U64(t.got[1].bytes, begin[2] - begin[1] - 4);
			}
			tester_deinit(&t);
		}
	}
}

/* Each chunk is cut by a snap length: at every length, of a record of many chunks. */
TEST(cut_at_every_length)
{
	enum { CHUNK = 100 };

	wire_reset();
	wire_add(0, 96, 1);
	wire_add(1, 496, 1);
	wire_add(2, 96, 1);
	for (size_t keep = 0; keep <= CHUNK; keep++) {
		struct tester t;

		tester_init(&t, false);
		while (t.off < wire_len) {
			if (keep)
				feed(&t, keep);
			if (keep < CHUNK)
				skip(&t, TCP_GAP_CUT, CHUNK - keep);
		}
		for (size_t i = 0; i < t.got_count; i++)
			CHECK(t.got[i].is_right);
		if (keep >= 4 + RPC_PLAUSIBLE_BYTES) {
			CHECK_EQ_U64(t.got_count, 3);
			CHECK_EQ_U64(t.got[1].last, 6);
			CHECK_EQ_U64(t.got[1].damage, keep == CHUNK ? 0 : RPC_RECORD_CUT);
			CHECK_EQ_U64(t.got[1].bytes, 496);
		}
		tester_deinit(&t);
	}
}

TEST(several_holes_become_one)
{
	struct tester t;

	wire_reset();
	wire_add(0, 996, 1);
	tester_init(&t, false);
	for (size_t i = 0; i < 10; i += 2) {
		feed(&t, 100);
		skip(&t, i == 4 ? TCP_GAP_CUT : TCP_GAP_LOST, i == 8 ? 50 : 100);
	}
	feed(&t, 50);
	CHECK_EQ_U64(t.got_count, 1);
	CHECK(t.got[0].is_right);
	CHECK_EQ_U64(t.got[0].damage, RPC_RECORD_CUT | RPC_RECORD_LOST);
	tester_deinit(&t);
}

/* The data of a WRITE is not stored: whatever the chunks, head and tail are there. */
TEST(payload_left_out)
{
	static const size_t steps[] = {100, 536, 1000, 1024, 1028, 1448, 5000, 65536, 70000};

	wire_reset();
	wire_add(0, 100000, 1);
	wire_add(1, 60000, 2);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct tester t;
		size_t step = steps[i];

		tester_init(&t, false);
		t.want_plan = (struct rpc_range){300, 99000};
		while (t.off < wire_len) {
			feed(&t, wire_len - t.off < step ? wire_len - t.off : step);
			CHECK(t.stream.buf_cap <= 4 << 10);
		}
		check_whole(&t, 0, 2);
		CHECK_EQ_U64(t.got[0].skipped, 98700);
		CHECK_EQ_U64(t.got[1].skipped, 59700);
		CHECK_EQ_U64(t.plans, 2);
		CHECK(t.plan_head >= RPC_RECORD_PLAN_HEAD);
		tester_deinit(&t);
	}
}

TEST(loss_inside_of_what_is_left_out_is_no_damage)
{
	struct tester t;

	wire_reset();
	wire_add(0, 100000, 1);
	tester_init(&t, false);
	t.want_plan = (struct rpc_range){300, 99000};
	feed(&t, 2000);
	skip(&t, TCP_GAP_LOST, 50000);
	feed(&t, wire_len - t.off);
	check_whole(&t, 0, 1);
	CHECK_EQ_U64(t.got[0].skipped, 98700);
	tester_deinit(&t);
}

TEST(too_long_to_store)
{
	struct tester t;

	wire_reset();
	wire_add(0, 3 << 20, 1);
	wire_add(1, 100, 1);
	tester_init(&t, false);
	while (t.off < wire_len)
		feed(&t, wire_len - t.off < 60000 ? wire_len - t.off : 60000);
	CHECK_EQ_U64(t.got_count, 2);
	CHECK_EQ_U64(t.got[0].damage, RPC_RECORD_TOO_LONG);
	CHECK_EQ_U64(t.got[0].bytes, 3 << 20);
	CHECK(t.got[0].is_right);
	CHECK_EQ_U64(t.got[1].damage, 0);
	tester_deinit(&t);
	/* The same for want of memory. */
	tester_init(&t, false);
	t.pool.max_bytes = 5000;
	while (t.off < wire_len)
		feed(&t, wire_len - t.off < 3000 ? wire_len - t.off : 3000);
	CHECK_EQ_U64(t.got[0].damage, RPC_RECORD_TOO_LONG);
	CHECK_EQ_U64(t.got_count, 2);
	tester_deinit(&t);
}

TEST(broken_framing_is_found_again)
{
	struct tester t;
	size_t bad;

	wire_reset();
	wire_add(0, 100, 1);
	bad = wire_add(1, 100, 1);
	wire_add(2, 100, 1);
	wire_add(3, 100, 1);
	put_u32(wire + bad, UINT32_C(0xffffffff));
	tester_init(&t, false);
	feed(&t, wire_len);
	CHECK_EQ_U64(t.got_count, 3);
	CHECK_EQ_U64(t.got[1].xid, 2);
	CHECK_EQ_U64(t.lost_mark, 1);
	tester_deinit(&t);
	/* A good mark before what is no message. */
	put_u32(wire + bad, UINT32_C(0x80000064));
	put_u32(wire + bad + 8, 77);
	for (size_t step = 1; step < wire_len; step++) {
		tester_init(&t, false);
		while (t.off < wire_len)
			feed(&t, wire_len - t.off < step ? wire_len - t.off : step);
		CHECK_EQ_U64(t.got_count, 3);
		CHECK_EQ_U64(t.lost_mark, 1);
		tester_deinit(&t);
	}
}

TEST(what_is_no_rpc)
{
	struct tester t;

	wire_reset();
	while (wire_len < RPC_SEARCH_GIVE_UP_NEW + 1000) {
		wire[wire_len] = body_byte(1, wire_len);
		wire_len++;
	}
	tester_init(&t, false);
	while (t.off < wire_len && !t.not_rpc)
		feed(&t, 100);
	CHECK_EQ_U64(t.not_rpc, 1);
	CHECK_EQ_U64(t.found, 0);
	CHECK_EQ_U64(t.got_count, 0);
	CHECK_EQ_U64(t.off, RPC_SEARCH_GIVE_UP_NEW / 100 * 100 + 100);
	rpc_stream_stop(&t.stream);
	feed(&t, 100);
	tester_deinit(&t);
}

/* Behind a record, and at the stream's beginning: the same bytes, in pieces of every size. */
TEST(what_is_no_mark_is_kept_however_cut)
{
	for (size_t records = 0; records < 2; records++) {
		wire_reset();
		for (size_t i = 0; i < records; i++)
			wire_add(2, 60, 1);
		memset(wire + wire_len, 'x', 40);
		memcpy(wire + wire_len, "\x16\x03\x03\1\2\3\4\5", RPC_UNFRAMED_KEEP);
		wire_len += 40;
		for (size_t piece = 1; piece <= wire_len; piece++) {
			const struct rpc_unframed *u;
			struct tester t;

			tester_init(&t, false);
			while (t.off < wire_len)
				feed(&t, wire_len - t.off < piece ? wire_len - t.off : piece);
			u = rpc_stream_unframed(&t.stream);
			CHECK_EQ_U64(t.got_count, records);
			if (CHECK(u != NULL)) {
				CHECK_EQ_U64(u->off, wire_len - 40);
				CHECK_BYTES(u->bytes, u->len, wire + wire_len - 40,
					    RPC_UNFRAMED_KEEP);
			}
			tester_deinit(&t);
		}
	}
}

TEST(the_end_in_a_record)
{
	wire_reset();
	wire_add(0, 200, 2);
	for (size_t at = 1; at < wire_len; at++) {
		struct tester t;

		tester_init(&t, false);
		feed(&t, at);
		rpc_stream_finish(&t.stream);
		if (at >= 4 + RPC_PLAUSIBLE_BYTES) {
			CHECK_EQ_U64(t.got_count, 1);
			CHECK(t.got[0].damage & RPC_RECORD_LOST);
			CHECK(t.got[0].is_right);
		}
		CHECK(t.got_count <= 1);
		tester_deinit(&t);
	}
	free(wire);
	wire = NULL;
}
