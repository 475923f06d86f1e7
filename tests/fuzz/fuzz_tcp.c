// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * proto/tcp.h: a script of segments. Whatever they are, each direction's chunks and gaps follow
 * each other without holes, nothing is held beyond the caps, and nothing at the end.
 *
 * Twelve bytes a segment: side and what is odd about it, flags, sequence (relative, signed, 3
 * bytes), acknowledgement (the same), length on the wire (2), cut, milliseconds since the last one.
 */
#include "fuzz.h"
#include "proto/tcp.h"

#include <stdlib.h>

enum { STEP_BYTES = 12, SEGMENT_MAX = 1 << 16 };

struct script {
	uint64_t streamed[2];
	uint64_t payload[2], lost[2], cut[2];
};

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

static void on_chunk(void *context, const struct tcp_chunk *chunk)
{
	struct script *s = context;

	require(chunk->bytes.len > 0 && chunk->offset == s->streamed[chunk->from]);
	require(chunk->frame->number <= chunk->done->number);
	touch(chunk->bytes.ptr[0]);
	touch(chunk->bytes.ptr[chunk->bytes.len - 1]);
	s->streamed[chunk->from] += chunk->bytes.len;
	s->payload[chunk->from] += chunk->bytes.len;
}

static void on_gap(void *context, const struct tcp_gap *gap)
{
	struct script *s = context;

	require(gap->offset == s->streamed[gap->from]);
	require((gap->len == 0) == (gap->kind == TCP_GAP_UNKNOWN));
	s->streamed[gap->from] += gap->len;
	if (gap->kind == TCP_GAP_CUT) {
		s->payload[gap->from] += gap->len;
		s->cut[gap->from] += gap->len;
	} else {
		s->lost[gap->from] += gap->len;
	}
}

static void on_note(void *context, const struct tcp_note *note)
{
	(void)context;
	require(note->kind < TCP_NOTE_COUNT);
}

static const struct tcp_sink sink = {on_chunk, on_gap, on_note};

static uint32_t relative(const uint8_t *p)
{
	return (uint32_t)((int32_t)((uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
				    (uint32_t)p[2] << 8) >>
			  8);
}

/* One step of the script. True: it was the beginning of another connection. */
static int step(struct tcp *tcp, const uint8_t *p, struct tcp_frame *frame, const uint8_t *bytes)
{
	static const uint32_t base[2] = {UINT32_C(0xffffc000), 1 << 20};
	enum tcp_side from = p[0] & 1 ? TCP_SIDE_B : TCP_SIDE_A;
	struct packet packet = {.kind = PACKET_TCP, .ttl = 64};
	size_t wire = (size_t)p[8] << 8 | p[9];
	size_t cut = p[0] & 2 ? (size_t)p[10] << 8 : p[10];

	packet.tcp.flags = p[1] & 0x3f;
	packet.tcp.seq = base[from] + relative(p + 2) * (p[0] & 4 ? 4099 : 1);
	packet.tcp.ack = base[tcp_other_side(from)] + relative(p + 5) * (p[0] & 8 ? 4099 : 1);
	packet.ip_id = p[0] >> 4;
	packet.payload_wire_bytes = wire;
	packet.payload = slice_make(bytes, cut < wire ? wire - cut : 0);
	frame->number++;
	frame->at.ns += (int64_t)p[11] * STAMP_NS_PER_MS;
	return tcp_segment(tcp, from, &packet, frame) == TCP_OTHER_CONNECTION;
}

static void check(const struct tcp *tcp, const struct tcp_budget *budget, const struct script *s)
{
	size_t held = 0;

	for (size_t i = 0; i < 2; i++) {
		const struct tcp_half *half = &tcp->half[i];

		require(half->held_count <= TCP_HOLD_SEGMENTS_MAX);
		require(half->held_bytes <= TCP_HOLD_BYTES_MAX);
		require(half->next_off == s->streamed[i]);
		require(half->payload_bytes == s->payload[i] && half->lost_bytes == s->lost[i]);
		require(half->cut_bytes == s->cut[i]);
		held += half->held_bytes;
	}
	require(budget->held_bytes == held && held <= budget->max_bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t bytes[SEGMENT_MAX];
	struct tcp_budget budget = {.max_bytes = 1 << 18};
	struct tcp_frame frame = {.at = stamp_utc(0)};
	struct script s = {0};
	struct tcp tcp;

	tcp_init(&tcp, &sink, &budget, &s);
	for (; size >= STEP_BYTES; data += STEP_BYTES, size -= STEP_BYTES) {
		if (step(&tcp, data, &frame, bytes)) {
			tcp_finish(&tcp, &frame);
			tcp_deinit(&tcp);
			require(budget.held_bytes == 0);
			s = (struct script){0};
			tcp_init(&tcp, &sink, &budget, &s);
			require(!step(&tcp, data, &frame, bytes));
		}
		check(&tcp, &budget, &s);
	}
	tcp_finish(&tcp, &frame);
	require(tcp.half[0].held == NULL && tcp.half[1].held == NULL);
	tcp_deinit(&tcp);
	return 0;
}
