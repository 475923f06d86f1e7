// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * proto/tcp.h on scripted segments. All that comes out is written to one line of text:
 * `A0+10` is a chunk of A's bytes 0..9, `A!10+5c` a gap (c cut, a lost but acknowledged, l lost, u
 * unknown), `A:syn` a note, with the bytes of retransmissions and losses behind a `/`.
 */
#include "base/strbuf.h"
#include "check.h"
#include "proto/tcp.h"

#include <stdlib.h>

enum { A = TCP_SIDE_A, B = TCP_SIDE_B, STREAM_BYTES = 1 << 17 };

#define ISN_A UINT32_C(0xffffff00) /* wraps after 255 bytes */
#define ISN_B UINT32_C(5000)

struct script {
	struct tcp tcp;
	struct tcp_budget budget;
	struct strbuf log;
	uint64_t frame;
	int64_t now_ns;
	uint64_t streamed[2]; /* where the stream stands, by chunks and gaps */
	bool is_wrong;        /* bytes in the wrong place, or not one behind the other */
	uint32_t ip_id;       /* of the next segment; 0: a fresh one each time */
	uint32_t tsval;       /* TCP timestamp of all segments; 0: none */
	size_t cut;           /* bytes cut off the next segment */
};

static const char gap_letter[] = {'c', 'a', 'l', 'u'};
static const char *const note_name[TCP_NOTE_COUNT] = {
	"syn",       "syn-again", "syn-ack", "up",    "refused", "bare-ack",   "fin",
	"fin-again", "fin-acked", "rst",     "again", "lost",    "shown-late", "progress",
};

static uint8_t stream_byte(uint64_t off)
{
	return (uint8_t)(off * 131 + (off >> 8));
}

static void on_chunk(void *context, const struct tcp_chunk *chunk)
{
	struct script *s = context;

	strbuf_add_format(&s->log, " %c%llu+%zu", 'A' + chunk->from,
			  (unsigned long long)chunk->offset, chunk->bytes.len);
	s->is_wrong |= chunk->offset != s->streamed[chunk->from] || chunk->bytes.len == 0 ||
		       chunk->frame->number > chunk->done->number;
	for (size_t i = 0; i < chunk->bytes.len; i++)
		s->is_wrong |= chunk->bytes.ptr[i] != stream_byte(chunk->offset + i);
	s->streamed[chunk->from] += chunk->bytes.len;
}

static void on_gap(void *context, const struct tcp_gap *gap)
{
	struct script *s = context;

	strbuf_add_format(&s->log, " %c!%llu+%llu%c", 'A' + gap->from,
			  (unsigned long long)gap->offset, (unsigned long long)gap->len,
			  gap_letter[gap->kind]);
	s->is_wrong |= gap->offset != s->streamed[gap->from];
	s->streamed[gap->from] += gap->len;
}

static void on_note(void *context, const struct tcp_note *note)
{
	struct script *s = context;

	if (note->kind == TCP_NOTE_LOST || note->kind == TCP_NOTE_SHOWN_LATE)
		return; /* its gap follows; as the order shows */
	strbuf_add_format(&s->log, " %c:%s", 'A' + note->from, note_name[note->kind]);
	if (note->bytes)
		strbuf_add_format(&s->log, "/%llu", (unsigned long long)note->bytes);
}

static struct tcp_note last_note;

static void keep_note(void *context, const struct tcp_note *note)
{
	(void)context;
	last_note = *note;
}

static const struct tcp_sink sink = {on_chunk, on_gap, on_note};

static void script_init(struct script *s)
{
	*s = (struct script){.budget.max_bytes = 8 << 20, .now_ns = STAMP_NS_PER_S};
	tcp_init(&s->tcp, &sink, &s->budget, s);
	strbuf_init(&s->log);
}

/* A segment with raw numbers whose bytes are those of the stream from `off` on. */
static enum tcp_verdict raw(struct script *s, int from, uint8_t flags, uint32_t seq, uint32_t ack,
			    uint64_t off, size_t len)
{
	struct packet p = {.kind = PACKET_TCP, .ttl = 64, .payload_wire_bytes = len};
	struct tcp_frame frame = {.number = ++s->frame, .at = stamp_utc(s->now_ns)};
	size_t here = len - s->cut;
	uint8_t *bytes = malloc(here ? here : 1);
	enum tcp_verdict verdict;

	for (size_t i = 0; i < here; i++)
		bytes[i] = stream_byte(off + i);
	p.payload = slice_make(bytes, here);
	p.tcp.flags = flags;
	p.tcp.seq = seq;
	p.tcp.ack = ack;
	p.tcp.tsval = s->tsval;
	p.tcp.has_timestamps = s->tsval != 0;
	p.ip_id = s->ip_id ? s->ip_id : (uint32_t)s->frame + 1000;
	verdict = tcp_segment(&s->tcp, (enum tcp_side)from, &p, &frame);
	free(bytes);
	s->cut = 0;
	s->ip_id = 0;
	s->now_ns += STAMP_NS_PER_MS / 100;
	return verdict;
}

/* A segment with stream offsets: `acked` bytes of the other side are acknowledged. */
static void seg(struct script *s, int from, uint8_t flags, uint64_t off, size_t len, uint64_t acked)
{
	uint32_t isn[2] = {ISN_A, ISN_B};

	raw(s, from, flags | TCP_ACK, isn[from] + 1 + (uint32_t)off,
	    isn[!from] + 1 + (uint32_t)acked, off, len);
}

static void handshake(struct script *s)
{
	script_init(s);
	raw(s, A, TCP_SYN, ISN_A, 0, 0, 0);
	raw(s, B, TCP_SYN | TCP_ACK, ISN_B, ISN_A + 1, 0, 0);
	seg(s, A, 0, 0, 0, 0);
	CHECK_TEXT(strbuf_text(&s->log), " A:syn B:syn-ack A:up");
	strbuf_reset(&s->log);
}

/* Compares and empties what came out. */
static void expect(struct script *s, const char *text)
{
	CHECK_TEXT(strbuf_text(&s->log), text);
	CHECK(!s->is_wrong);
	strbuf_reset(&s->log);
}

/* Ends the connection, expecting what is told then. */
static void finish(struct script *s, const char *text)
{
	struct tcp_frame last = {.number = s->frame, .at = stamp_utc(s->now_ns)};

	tcp_finish(&s->tcp, &last);
	expect(s, text);
	tcp_deinit(&s->tcp);
	CHECK_EQ_U64(s->budget.held_bytes, 0);
	strbuf_deinit(&s->log);
}

TEST(in_order_and_wrapping)
{
	struct script s;

	handshake(&s);
	for (uint64_t off = 0; off < 1000; off += 100)
		seg(&s, A, 0, off, 100, 0);
	expect(&s, " A0+100 A100+100 A200+100 A300+100 A400+100 A500+100 A600+100 A700+100"
		   " A800+100 A900+100");
	seg(&s, B, 0, 0, 65483, 1000);
	expect(&s, " B0+65483");
	CHECK_EQ_U64(s.tcp.half[A].payload_bytes, 1000);
	CHECK_EQ_U64(s.tcp.completeness, 15);
	finish(&s, "");
}

TEST(reordered_around_the_wrap)
{
	struct script s;

	handshake(&s);
	seg(&s, A, 0, 300, 100, 0);
	seg(&s, A, 0, 100, 100, 0);
	seg(&s, A, 0, 200, 100, 0);
	expect(&s, "");
	CHECK_EQ_U64(s.budget.held_bytes, 300);
	seg(&s, A, 0, 0, 100, 0);
	expect(&s, " A0+100 A100+100 A200+100 A300+100");
	CHECK_EQ_U64(s.tcp.half[A].retransmitted_segments, 0);
	finish(&s, "");
}

TEST(retransmission_overlaps)
{
	struct script s;

	handshake(&s);
	seg(&s, A, 0, 0, 100, 0);
	seg(&s, A, 0, 0, 100, 0);   /* all of it again */
	seg(&s, A, 0, 50, 100, 0);  /* half of it, and more */
	seg(&s, A, 0, 200, 50, 0);  /* ahead */
	seg(&s, A, 0, 210, 20, 0);  /* inside of what is held */
	seg(&s, A, 0, 190, 100, 0); /* around it */
	seg(&s, A, 0, 120, 200, 0); /* fills, and is held in parts already */
	expect(&s, " A0+100 A:again/100 A:again/50 A100+50 A:again/20 A:again/50 A:again/30"
		   " A150+40 A190+10 A200+50 A250+40 A290+30 A:again/100");
	CHECK_EQ_U64(s.tcp.half[A].payload_bytes, 320);
	finish(&s, "");
}

TEST(keep_alive_is_no_retransmission)
{
	struct script s;

	handshake(&s);
	seg(&s, A, 0, 0, 100, 0);
	seg(&s, A, 0, 99, 0, 0);
	seg(&s, A, 0, 99, 1, 0);
	seg(&s, A, 0, 100, 10, 0);
	expect(&s, " A0+100 A100+10");
	seg(&s, A, 0, 50, 1, 0); /* one byte, but no keep-alive */
	expect(&s, " A:again/1");
	finish(&s, "");
}

TEST(frame_captured_twice)
{
	struct script s;

	handshake(&s);
	s.ip_id = 77;
	seg(&s, A, 0, 0, 100, 0);
	s.ip_id = 77;
	seg(&s, A, 0, 0, 100, 0);
	expect(&s, " A0+100");
	s.now_ns += STAMP_NS_PER_MS * 2;
	s.ip_id = 77;
	seg(&s, A, 0, 0, 100, 0);
	expect(&s, " A:again/100");
	seg(&s, A, 0, 0, 100, 0); /* another IP id */
	expect(&s, " A:again/100");
	CHECK_EQ_U64(s.tcp.half[A].twice_segments, 1);
	finish(&s, "");
}

/* A mirror on both sides of a router: milliseconds apart, and a timestamp shows that it is one. */
TEST(stamped_frame_captured_twice)
{
	struct script s;

	handshake(&s);
	s.tsval = 4711;
	s.ip_id = 77;
	seg(&s, A, 0, 0, 100, 0);
	s.now_ns += STAMP_NS_PER_MS * 15;
	s.ip_id = 77;
	seg(&s, A, 0, 0, 100, 0);
	expect(&s, " A0+100");
	s.tsval++; /* sent anew */
	s.ip_id = 77;
	seg(&s, A, 0, 0, 100, 0);
	expect(&s, " A:again/100");
	CHECK_EQ_U64(s.tcp.half[A].twice_segments, 1);
	finish(&s, "");
}

TEST(lost_and_acknowledged)
{
	struct script s;

	handshake(&s);
	seg(&s, A, 0, 0, 100, 0);
	seg(&s, A, 0, 200, 100, 0);
	seg(&s, B, 0, 0, 0, 300);
	expect(&s, " A0+100"); /* the capture may only be late */
	seg(&s, A, 0, 300, 100, 0);
	for (size_t i = 0; i < TCP_LOOK_SEGMENTS; i++)
		seg(&s, B, 0, 0, 0, 400);
	expect(&s, " A!100+100a A200+100 A300+100");
	CHECK_EQ_U64(s.tcp.half[A].lost_bytes, 100);
	/* The same by time, and at the end of what was sent. */
	seg(&s, B, 0, 0, 0, 500);
	s.now_ns += TCP_LOOK_NS;
	seg(&s, B, 0, 0, 0, 500);
	expect(&s, " A!400+100a");
	finish(&s, "");
}

TEST(late_in_the_capture_is_not_lost)
{
	struct script s;

	handshake(&s);
	seg(&s, B, 0, 0, 0, 100);
	seg(&s, A, 0, 100, 100, 0);
	seg(&s, B, 0, 0, 0, 200);
	seg(&s, A, 0, 0, 100, 0);
	for (size_t i = 0; i < 2 * TCP_LOOK_SEGMENTS; i++)
		seg(&s, B, 0, 0, 0, 200);
	expect(&s, " A0+100 A100+100");
	finish(&s, "");
}

TEST(lost_without_acknowledgement)
{
	struct script s;

	handshake(&s);
	seg(&s, A, 0, 100, 100, 0);
	expect(&s, "");
	finish(&s, " A!0+100l A100+100");
}

TEST(caps_of_what_is_held)
{
	struct script s;

	handshake(&s);
	for (uint64_t i = 1; i < TCP_HOLD_SEGMENTS_MAX; i++)
		seg(&s, A, 0, i * 20, 10, 0);
	expect(&s, "");
	seg(&s, A, 0, TCP_HOLD_SEGMENTS_MAX * 20, 10, 0);
	expect(&s, " A!0+20l A20+10");
	tcp_deinit(&s.tcp);
	strbuf_deinit(&s.log);

	handshake(&s);
	s.budget.max_bytes = 150; /* for all connections together */
	seg(&s, A, 0, 100, 100, 0);
	expect(&s, "");
	seg(&s, A, 0, 300, 100, 0);
	expect(&s, " A!0+100l A100+100");
	s.budget.max_bytes = 0;
	seg(&s, A, 0, 500, 50, 0);
	expect(&s, " A!200+100l A300+100 A!400+100l A500+50");
	finish(&s, "");
}

TEST(cut_by_the_snap_length)
{
	struct script s;

	handshake(&s);
	s.cut = 60;
	seg(&s, A, 0, 0, 100, 0);
	expect(&s, " A0+40 A!40+60c");
	s.cut = 100;
	seg(&s, A, 0, 200, 100, 0); /* held with nothing of it here */
	s.cut = 30;
	seg(&s, A, 0, 150, 100, 0); /* 50..99 new, 20 of its bytes are here */
	s.cut = 0;
	seg(&s, A, 0, 100, 50, 0);
	expect(&s, " A:again/50 A100+50 A150+50 A!200+100c");
	seg(&s, A, 0, 0, 100, 0);
	expect(&s, " A:again/100");
	CHECK_EQ_U64(s.tcp.half[A].cut_bytes, 160);
	finish(&s, "");
}

TEST(joined_in_the_middle)
{
	struct script s;

	script_init(&s);
	raw(&s, A, TCP_ACK, 1000, 7000, 0, 50);
	raw(&s, B, TCP_ACK, 7000, 1050, 0, 30);
	expect(&s, " A0+50 B0+30");
	finish(&s, "");
	/* An acknowledgement tells what is to come: here bytes are missing from the start. */
	script_init(&s);
	raw(&s, A, TCP_ACK, 1000, 7000, 0, 0);
	raw(&s, B, TCP_ACK, 7010, 1000, 10, 30);
	raw(&s, B, TCP_ACK, 7000, 1000, 0, 10);
	expect(&s, " B0+10 B10+30");
	finish(&s, "");
	/* A keep-alive's number is one too low, its answer's acknowledgement is right. */
	script_init(&s);
	raw(&s, A, TCP_ACK, 999, 7000, 0, 0);
	raw(&s, B, TCP_ACK, 7000, 1000, 0, 0);
	raw(&s, A, TCP_ACK, 1000, 7000, 0, 10);
	expect(&s, " A0+10");
	finish(&s, "");
}

TEST(one_direction_only)
{
	struct script s;

	script_init(&s); /* only A is seen: its acknowledgements tell what B sent */
	raw(&s, A, TCP_SYN, ISN_A, 0, 0, 0);
	seg(&s, A, 0, 0, 0, 0);
	seg(&s, A, 0, 0, 100, 0);
	expect(&s, " A:syn A:up A0+100");
	seg(&s, A, 0, 100, 100, 2000);
	s.now_ns += STAMP_NS_PER_S;
	seg(&s, A, 0, 200, 100, 4000);
	expect(&s, " A100+100 A200+100 B!0+4000a");
	finish(&s, "");

	script_init(&s); /* only B */
	raw(&s, B, TCP_SYN | TCP_ACK, ISN_B, ISN_A + 1, 0, 0);
	seg(&s, B, 0, 0, 100, 0);
	seg(&s, B, 0, 200, 100, 0);
	expect(&s, " B:syn-ack B:up B0+100");
	CHECK(s.tcp.has_opener && s.tcp.opener == TCP_SIDE_A);
	finish(&s, " B!100+100l B200+100");
}

TEST(the_end_of_a_connection)
{
	struct script s;

	handshake(&s);
	seg(&s, A, TCP_FIN, 0, 10, 0);
	seg(&s, A, TCP_FIN, 0, 10, 0);
	expect(&s, " A0+10 A:fin A:again/10 A:fin-again");
	CHECK(!tcp_is_closed(&s.tcp));
	seg(&s, B, TCP_FIN, 0, 0, 11);
	seg(&s, B, 0, 1, 0, 11);
	seg(&s, A, 0, 11, 0, 1);
	expect(&s, " B:fin B:fin-acked B:progress A:fin-acked");
	CHECK(tcp_is_closed(&s.tcp));
	CHECK_EQ_U64(s.tcp.completeness, 31);
	finish(&s, "");

	handshake(&s);
	s.cut = 0;
	seg(&s, B, TCP_RST, 0, 4, 0); /* its text is no stream */
	expect(&s, " B:rst");
	CHECK(tcp_is_closed(&s.tcp));
	finish(&s, "");
}

TEST(the_acknowledgement_of_a_fin_comes_first)
{
	struct script s;

	handshake(&s);
	seg(&s, A, 0, 0, 10, 0);
	seg(&s, B, 0, 0, 0, 11);
	seg(&s, A, TCP_FIN, 10, 0, 0);
	s.now_ns += STAMP_NS_PER_S;
	seg(&s, B, 0, 0, 0, 11);
	expect(&s, " A0+10 A:fin B:fin-acked");
	CHECK_EQ_U64(s.tcp.half[A].lost_bytes, 0);
	finish(&s, "");
}

TEST(refused_and_repeated_syn)
{
	struct script s;

	script_init(&s);
	raw(&s, A, TCP_SYN, ISN_A, 0, 0, 0);
	s.now_ns += STAMP_NS_PER_S;
	raw(&s, A, TCP_SYN, ISN_A, 0, 0, 0);
	raw(&s, B, TCP_RST | TCP_ACK, 0, ISN_A + 1, 0, 0);
	expect(&s, " A:syn A:syn-again B:refused");
	CHECK_EQ_U64(raw(&s, A, TCP_SYN, ISN_A + 99, 0, 0, 0), TCP_OTHER_CONNECTION);
	finish(&s, "");
}

TEST(challenge_ack)
{
	struct script s;

	script_init(&s);
	raw(&s, A, TCP_SYN, ISN_A, 0, 0, 0);
	raw(&s, B, TCP_ACK, 777, 888, 0, 0); /* of a connection that the server still has */
	raw(&s, A, TCP_RST, 888, 0, 0, 0);
	raw(&s, B, TCP_ACK | TCP_FIN, 777, 888, 0, 0);
	expect(&s, " A:syn B:bare-ack A:rst");
	s.now_ns += STAMP_NS_PER_S;
	raw(&s, A, TCP_SYN, ISN_A, 0, 0, 0);
	raw(&s, B, TCP_SYN | TCP_ACK, ISN_B, ISN_A + 1, 0, 0);
	seg(&s, A, 0, 0, 20, 0);
	expect(&s, " A:syn-again B:syn-ack A:up A0+20");
	finish(&s, "");
}

TEST(port_used_again)
{
	struct script s;

	handshake(&s);
	seg(&s, A, 0, 0, 20, 0);
	CHECK_EQ_U64(raw(&s, A, TCP_SYN, ISN_A, 0, 0, 0), TCP_TAKEN);
	CHECK_EQ_U64(raw(&s, A, TCP_SYN, ISN_A + 5000000, 0, 0, 0), TCP_OTHER_CONNECTION);
	CHECK_EQ_U64(raw(&s, B, TCP_SYN | TCP_ACK, 1, 2, 0, 0), TCP_OTHER_CONNECTION);
	expect(&s, " A0+20 A:syn-again");
	finish(&s, "");
	/* Joined: the ISN is not known, but the stream's first byte is. */
	script_init(&s);
	raw(&s, A, TCP_ACK, 1000, 7000, 0, 50);
	CHECK_EQ_U64(raw(&s, A, TCP_SYN, 999, 0, 0, 0), TCP_TAKEN);
	CHECK_EQ_U64(raw(&s, B, TCP_SYN, 999, 0, 0, 0), TCP_OTHER_CONNECTION);
	expect(&s, " A0+50 A:syn");
	finish(&s, "");
}

TEST(the_numbers_jump)
{
	struct script s;

	handshake(&s);
	seg(&s, A, 0, 0, 20, 0);
	/* Far behind: one is a ghost, four in a row are the stream, somewhere else. */
	for (uint64_t i = 0; i < 3; i++)
		raw(&s, A, TCP_ACK, ISN_A - UINT32_C(0x40000000) + (uint32_t)i * 20, 0, 20, 20);
	expect(&s, " A0+20");
	raw(&s, A, TCP_ACK, ISN_A - UINT32_C(0x40000000) + 60, 0, 20, 20);
	raw(&s, A, TCP_ACK, ISN_A - UINT32_C(0x40000000) + 80, 0, 40, 20);
	expect(&s, " A!20+0u A20+20 A40+20");
	finish(&s, "");
}

/* Any order of the segments of a stream gives the stream: all orders of five segments. */
TEST(every_order)
{
	uint32_t order[5];

	for (uint32_t n = 0; n < 3125; n++) {
		struct script s;
		uint32_t seen = 0;

		for (uint32_t i = 0, v = n; i < 5; i++, v /= 5) {
			order[i] = v % 5;
			seen |= 1u << order[i];
		}
		if (seen != 31)
			continue;
		handshake(&s);
		for (uint32_t i = 0; i < 5; i++)
			seg(&s, A, 0, order[i] * 60, 70, 0); /* each overlaps the next */
		CHECK(!s.is_wrong);
		CHECK_EQ_U64(s.streamed[A], 310);
		CHECK_EQ_U64(s.tcp.half[A].lost_bytes, 0);
		tcp_deinit(&s.tcp);
		strbuf_deinit(&s.log);
	}
}

/* Since when a side waits, and when the other one was heard last. */
TEST(what_is_sent_again_tells_since_when_it_waits)
{
	static const struct tcp_sink keeper = {on_chunk, on_gap, keep_note};
	struct script s;

	handshake(&s);             /* frames 1 to 3 */
	seg(&s, A, 0, 0, 100, 0);  /* 4 */
	seg(&s, B, 0, 0, 0, 100);  /* 5 */
	seg(&s, A, 0, 100, 60, 0); /* 6: all before is acknowledged */
	seg(&s, A, 0, 160, 40, 0); /* 7 */
	s.tcp.sink = &keeper;
	seg(&s, A, 0, 100, 60, 0); /* 8 */
	CHECK_EQ_U64(last_note.kind, TCP_NOTE_RETRANSMISSION);
	CHECK_EQ_U64(last_note.since.number, 6);
	CHECK_EQ_U64(last_note.heard.number, 5);
	CHECK(!last_note.acked && !last_note.full);
	CHECK_EQ_U64(tcp_half_unacked_bytes(&s.tcp.half[A]), 100);
	seg(&s, B, 0, 0, 0, 160); /* 9: a part */
	CHECK_EQ_U64(last_note.kind, TCP_NOTE_PROGRESS);
	CHECK_EQ_U64(last_note.since.number, 6);
	seg(&s, A, 0, 160, 40, 0); /* 10 */
	CHECK_EQ_U64(last_note.since.number, 9);
	CHECK_EQ_U64(last_note.heard.number, 9);
	seg(&s, A, 0, 0, 100, 0); /* 11: needless, and as large as any */
	CHECK(last_note.acked && last_note.full);
	s.tcp.sink = &sink;
	strbuf_reset(&s.log);
	finish(&s, "");
}
