// SPDX-License-Identifier: GPL-2.0-or-later
/* proto/tcp_past.h on segments of one direction: what was overtaken, and what is merely late. */
#include "check.h"
#include "proto/tcp_past.h"

struct line {
	struct tcp_past past;
	uint64_t number;
	struct packet packet;
	struct tcp_frame frame;
};

/* The next segment, captured at this time: its numbers, its clock in ms (0: no timestamps). */
static void segment(struct line *l, double at, uint32_t seq, size_t bytes, uint32_t tsval)
{
	l->packet = (struct packet){.kind = PACKET_TCP, .payload_wire_bytes = bytes};
	l->packet.tcp.flags = TCP_ACK;
	l->packet.tcp.seq = seq;
	l->packet.tcp.has_timestamps = tsval != 0;
	l->packet.tcp.tsval = tsval;
	l->frame = (struct tcp_frame){.number = ++l->number,
				      .at = stamp_utc((int64_t)(at * 1e9) + STAMP_NS_PER_S)};
}

static void take(struct line *l, double at, uint32_t seq, size_t bytes, uint32_t tsval)
{
	segment(l, at, seq, bytes, tsval);
	tcp_past_take(&l->past, &l->packet, &l->frame);
}

static bool ask(struct line *l, double at, uint32_t seq, size_t bytes, uint32_t tsval,
		struct tcp_tale *tale)
{
	segment(l, at, seq, bytes, tsval);
	return tcp_past_ask(&l->past, &l->packet, &l->frame, tale);
}

TEST(what_comes_in_order_tells_nothing)
{
	struct line l = {0};
	struct tcp_tale tale;

	CHECK(!ask(&l, 0, 100, 40, 5000, &tale));
	take(&l, 0, 100, 40, 5000);
	CHECK(!ask(&l, 0.1, 140, 40, 5100, &tale));
	take(&l, 0.1, 140, 40, 5100);
	/* Late, and made late: its clock went on. */
	CHECK(!ask(&l, 30, 180, 40, 35000, &tale));
	/* The machine was paused, its clock stood still. */
	CHECK(!ask(&l, 30, 180, 40, 5101, &tale));
	/* A clock of 10 ms makes two of one time. */
	CHECK(!ask(&l, 30, 180, 40, 5100, &tale));
}

TEST(a_segment_that_was_overtaken)
{
	struct line l = {0};
	struct tcp_tale tale;

	take(&l, 0, 100, 40, 5000);
	take(&l, 1, 180, 0, 6000); /* number 2: behind bytes 140..179, which nobody saw */
	take(&l, 9, 180, 0, 14000);
	CHECK(ask(&l, 25, 140, 40, 5100, &tale));
	CHECK_EQ_U64(tale.made_before.number, 2);
	CHECK_EQ_U64(tale.sent_before.number, 2);
	CHECK_EQ_U64(tale.tsval, 5100);
	CHECK_EQ_U64(tale.made_tsval, 6000);
	CHECK(tale.has_clock);
	/* A new copy of it: sent before, but made now. */
	CHECK(ask(&l, 25, 140, 40, 30000, &tale));
	CHECK_EQ_U64(tale.made_before.number, 0);
	CHECK_EQ_U64(tale.sent_before.number, 2);
}

/* Marks are half a second apart; the newest frame counts all the same. */
TEST(the_newest_frame_is_a_witness)
{
	struct line l = {0};
	struct tcp_tale tale;

	take(&l, 0, 100, 40, 5000);
	take(&l, 0.2, 180, 0, 5200);
	CHECK(ask(&l, 25, 140, 40, 5100, &tale));
	CHECK_EQ_U64(tale.made_before.number, 2);
	CHECK_EQ_U64(tale.sent_before.number, 2);
}

TEST(without_timestamps_the_numbers_tell)
{
	struct line l = {0};
	struct tcp_tale tale;

	take(&l, 0, UINT32_MAX - 50, 40, 0);
	l.number++;
	take(&l, 1, 30, 0, 0); /* the numbers have wrapped */
	CHECK(ask(&l, 25, UINT32_MAX - 10, 41, 0, &tale));
	CHECK_EQ_U64(tale.made_before.number, 0);
	CHECK_EQ_U64(tale.sent_before.number, 3);
	CHECK(!tale.has_clock);
	CHECK(!tale.has_older_id);
	l.packet.ip_id = 7;
	CHECK(tcp_past_ask(&l.past, &l.packet, &l.frame, &tale));
	CHECK(!tale.has_older_id); /* the other host does not count */
	CHECK(!ask(&l, 25, 30, 40, 0, &tale));
}

TEST(ip_identifications_tell_a_copy)
{
	struct line l = {0};
	struct tcp_tale tale;

	take(&l, 0, 100, 40, 0);
	segment(&l, 1, 180, 0, 0);
	l.packet.ip_id = 2; /* they have wrapped, too */
	tcp_past_take(&l.past, &l.packet, &l.frame);
	segment(&l, 25, 140, 40, 0);
	l.packet.ip_id = 0xffff;
	CHECK(tcp_past_ask(&l.past, &l.packet, &l.frame, &tale));
	CHECK(tale.has_older_id);
	l.packet.ip_id = 3;
	CHECK(tcp_past_ask(&l.past, &l.packet, &l.frame, &tale));
	CHECK(!tale.has_older_id);
}

TEST(a_reply_that_was_not_sent_yet)
{
	struct line l = {0};

	take(&l, 0, 100, 40, 5000);
	take(&l, 1, 140, 0, 6000);
	take(&l, 20, 140, 0, 25000); /* number 3: acknowledges, and has sent nothing since */
	segment(&l, 25, 140, 40, 30000);
	CHECK_EQ_U64(tcp_past_unsent(&l.past, &l.packet, &l.frame).number, 3);
	take(&l, 25, 140, 40, 30000);
	segment(&l, 26, 100, 40, 31000);
	CHECK_EQ_U64(tcp_past_unsent(&l.past, &l.packet, &l.frame).number, 0);
}

/* A busy connection for minutes, then one segment that was made in it: marks are thin, not wrong.
 */
TEST(marks_go_back_for_minutes)
{
	struct line l = {0};
	struct tcp_tale tale;

	for (uint32_t i = 0; i < 30000; i++)
		take(&l, i * 0.01, 1000 + i * 100, 100, 5000 + i * 10);
	for (uint32_t ago = 2; ago < 120; ago += 7) {
		uint32_t at = 30000 - ago * 100;
		uint32_t error = ago < 6 ? 60 : ago < 24 ? 210 : 1700;

		CHECK(ask(&l, 300, 1000 + at * 100, 100, 5000 + at * 10, &tale));
		CHECK(tale.made_before.number > at);
		CHECK(tale.made_before.number <= at + error);
	}
}

static int64_t age(const struct line *l, int64_t tick_ns)
{
	return tcp_past_age_ns(&l->past, &l->packet, &l->frame, tick_ns);
}

TEST(the_clock_tells_the_age)
{
	enum { TICK_NS = 10000000 }; /* 100 a second */
	struct line l = {0};

	take(&l, 0, 100, 40, 5000);
	take(&l, 2, 140, 40, 5200);
	take(&l, 20, 180, 40, 5300); /* itself held back for 17 s */
	segment(&l, 30, 220, 40, 5300);
	CHECK_EQ_I64(age(&l, 0), TCP_AGE_UNKNOWN);
	CHECK_EQ_I64(age(&l, TICK_NS), 27 * STAMP_NS_PER_S);
	segment(&l, 30, 220, 40, 8000);
	CHECK_EQ_I64(age(&l, TICK_NS), 0);
	segment(&l, 30, 220, 40, 0);
	CHECK_EQ_I64(age(&l, TICK_NS), TCP_AGE_UNKNOWN);
}

TEST(a_reset_is_no_witness)
{
	struct line l = {0};
	struct tcp_tale tale;

	take(&l, 0, 100, 40, 5000);
	segment(&l, 1, 900000, 0, 0);
	l.packet.tcp.flags = TCP_RST;
	tcp_past_take(&l.past, &l.packet, &l.frame);
	CHECK(!ask(&l, 25, 140, 40, 30000, &tale));
}
