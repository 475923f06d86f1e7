// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See tcp_order.h and the head of tcp.h. The held segments of a direction are a list ordered by
 * offset without overlaps: what is held is cut to the holes when it comes, so the first copy wins.
 */
#include "proto/tcp_order.h"

#include "base/mem.h"

#include <stdlib.h>

struct tcp_held {
	struct tcp_held *next;
	uint64_t off;      /* stream offset */
	size_t len;        /* bytes here */
	size_t wire_bytes; /* >= len: the rest was cut */
	struct tcp_frame frame;
	uint8_t bytes[];
};

void tcp_order_start(struct tcp_half *half, uint32_t seq, enum tcp_base base)
{
	half->base = base;
	half->next_seq = seq;
}

static void tcp_gap_tell(struct tcp *tcp, const struct tcp_gap *gap)
{
	struct tcp_half *half = &tcp->half[gap->from];
	struct tcp_note note = {
		.kind = TCP_NOTE_LOST,
		.from = gap->from,
		.bytes = gap->len,
		.acked = gap->kind == TCP_GAP_LOST_ACKED,
		.frame = gap->frame,
	};

	if (gap->kind == TCP_GAP_CUT) {
		half->cut_bytes += gap->len;
		half->payload_bytes += gap->len;
	} else {
		half->lost_bytes += gap->len;
		tcp->sink->note(tcp->context, &note);
	}
	tcp->sink->gap(tcp->context, gap);
}

/* What the snap length cut of a segment: the bytes from `off` on. */
__attribute__((noinline)) static void tcp_cut_tell(struct tcp *tcp, enum tcp_side from,
						   uint64_t off, uint64_t len,
						   const struct tcp_frame *frame)
{
	struct tcp_gap gap = {
		.from = from, .kind = TCP_GAP_CUT, .offset = off, .len = len, .frame = *frame};

	tcp_gap_tell(tcp, &gap);
}

/* Moves the stream on by the bytes and by what was cut of them. */
static inline void tcp_hand_on(struct tcp *tcp, enum tcp_side from, struct slice bytes,
			       size_t wire_bytes, const struct tcp_frame *frame,
			       const struct tcp_frame *done)
{
	struct tcp_half *half = &tcp->half[from];
	uint64_t off = half->next_off;

	half->next_off += wire_bytes;
	half->next_seq += (uint32_t)wire_bytes;
	if (bytes.len) {
		struct tcp_chunk chunk = {
			.from = from, .offset = off, .bytes = bytes, .frame = frame, .done = done};

		half->payload_bytes += bytes.len;
		tcp->sink->chunk(tcp->context, &chunk);
	}
	if (wire_bytes > bytes.len)
		tcp_cut_tell(tcp, from, off + bytes.len, wire_bytes - bytes.len, frame);
}

static void tcp_held_free(struct tcp *tcp, struct tcp_half *half, struct tcp_held *held)
{
	half->held = held->next;
	if (!half->held)
		half->held_last = NULL;
	half->held_count--;
	half->held_bytes -= held->len;
	tcp->budget->held_bytes -= held->len;
	free(held);
}

/* Hands on what is held right behind the stream. `filler` NULL: no frame completed it. */
static void tcp_held_release(struct tcp *tcp, enum tcp_side from, const struct tcp_frame *filler)
{
	struct tcp_half *half = &tcp->half[from];

	while (half->held && half->held->off == half->next_off) {
		struct tcp_held *held = half->held;

		tcp_hand_on(tcp, from, slice_make(held->bytes, held->len), held->wire_bytes,
			    &held->frame, filler ? filler : &held->frame);
		tcp_held_free(tcp, half, held);
	}
}

/* Gives up the bytes up to offset `to`, at most to the first that is held. */
static void tcp_give_up(struct tcp *tcp, enum tcp_side from, uint64_t to,
			const struct tcp_frame *frame)
{
	struct tcp_half *half = &tcp->half[from];
	struct tcp_gap gap = {.from = from, .offset = half->next_off, .frame = *frame};

	if (half->held && half->held->off < to)
		to = half->held->off;
	gap.len = to - half->next_off;
	gap.kind = TCP_GAP_LOST;
	if (half->has_ack &&
	    tcp_seq_distance(half->ack_seq, half->next_seq + (uint32_t)gap.len) >= 0)
		gap.kind = TCP_GAP_LOST_ACKED;
	half->base = TCP_BASE_KNOWN;
	half->next_off = to;
	half->next_seq += (uint32_t)gap.len;
	if (gap.len)
		tcp_gap_tell(tcp, &gap);
	tcp_held_release(tcp, from, NULL);
}

static bool tcp_hold_room(const struct tcp *tcp, const struct tcp_half *half, size_t len)
{
	/* One segment may fall into several holes, hence the 1 for the last of them. */
	return half->held_count + 1 < TCP_HOLD_SEGMENTS_MAX &&
	       len <= TCP_HOLD_BYTES_MAX - half->held_bytes &&
	       tcp->budget->held_bytes <= tcp->budget->max_bytes &&
	       len <= tcp->budget->max_bytes - tcp->budget->held_bytes;
}

/* Copies `wire` bytes from offset `off` on into the list behind `before` (NULL: at its head). */
static void tcp_held_add(struct tcp *tcp, struct tcp_half *half, struct tcp_held *before,
			 uint64_t off, struct slice bytes, size_t wire_bytes,
			 const struct tcp_frame *frame)
{
	struct tcp_held *held = mem_alloc(1, sizeof(*held) + bytes.len);
	struct tcp_held **link = before ? &before->next : &half->held;

	held->off = off;
	held->len = bytes.len;
	held->wire_bytes = wire_bytes;
	held->frame = *frame;
	if (bytes.len)
		memcpy(held->bytes, bytes.ptr, bytes.len);
	held->next = *link;
	*link = held;
	if (!held->next)
		half->held_last = held;
	half->held_count++;
	half->held_bytes += bytes.len;
	tcp->budget->held_bytes += bytes.len;
}

/* The part [at, at + n) of a segment: what is captured of it. */
static struct slice tcp_part(struct slice bytes, size_t at, size_t n)
{
	if (at >= bytes.len)
		return slice_make(bytes.ptr, 0);
	return slice_make(bytes.ptr + at, bytes.len - at < n ? bytes.len - at : n);
}

/*
 * Holds what is new of a segment that begins at `off`, ahead of the stream: its parts go into the
 * holes between what is held. Returns how many of its bytes were there already.
 */
static size_t tcp_hold(struct tcp *tcp, struct tcp_half *half, uint64_t off,
		       const struct tcp_bytes *bytes, const struct tcp_frame *frame)
{
	struct tcp_held *before = NULL, *after = half->held;
	size_t at = 0, old = 0;

	if (half->held_last && half->held_last->off + half->held_last->wire_bytes <= off) {
		before = half->held_last; /* the common case: behind all others */
		after = NULL;
	}
	while (at < bytes->wire_bytes) {
		size_t left = bytes->wire_bytes - at, n = left;
		uint64_t pos = off + at;

		while (after && after->off + after->wire_bytes <= pos) {
			before = after;
			after = after->next;
		}
		if (after && after->off <= pos) {
			uint64_t covered = after->off + after->wire_bytes - pos;

			n = covered < left ? (size_t)covered : left;
			old += n;
		} else {
			if (after && after->off - pos < left)
				n = (size_t)(after->off - pos);
			if (half->held_count >= TCP_HOLD_SEGMENTS_MAX)
				return old; /* its rest counts as not seen */
			tcp_held_add(tcp, half, before, pos, tcp_part(bytes->bytes, at, n), n,
				     frame);
			before = before ? before->next : half->held;
		}
		at += n;
	}
	return old;
}

static void tcp_repeated(struct tcp *tcp, enum tcp_side from, const struct tcp_bytes *bytes,
			 size_t old, const struct tcp_frame *frame)
{
	struct tcp_half *half = &tcp->half[from];
	struct tcp_note note = {.kind = TCP_NOTE_RETRANSMISSION,
				.from = from,
				.bytes = old,
				.ttl = bytes->ttl,
				.full = bytes->wire_bytes + TCP_SACK_BYTES >= half->largest_bytes,
				.frame = *frame,
				.heard = tcp->half[tcp_other_side(from)].last,
				.since = *tcp_half_since(half)};
	uint32_t end = bytes->seq + (uint32_t)bytes->wire_bytes;

	if (old == 0 || bytes->is_twice)
		return;
	note.acked = half->has_ack && tcp_seq_distance(end, half->ack_seq) <= 0;
	half->repeats += !note.acked;
	half->retransmitted_segments++;
	tcp->sink->note(tcp->context, &note);
}

/* Numbers far off. True: the stream jumped there, and the segment is the next one. */
static bool tcp_far(struct tcp *tcp, enum tcp_side from, uint32_t seq,
		    const struct tcp_frame *frame)
{
	struct tcp_half *half = &tcp->half[from];
	struct tcp_gap gap = {.from = from, .kind = TCP_GAP_UNKNOWN, .frame = *frame};

	if (++half->stale < TCP_FAR_SEGMENTS)
		return false;
	tcp_order_finish(tcp, from, frame);
	gap.offset = half->next_off;
	tcp_gap_tell(tcp, &gap);
	tcp_order_start(half, seq, TCP_BASE_KNOWN);
	half->stale = 0;
	half->looking = false;
	half->has_ack = false;
	return true;
}

/* A segment ahead of the stream. False: room was made up to it, so that it is the next one. */
static bool tcp_ahead(struct tcp *tcp, enum tcp_side from, uint64_t off,
		      const struct tcp_bytes *bytes, const struct tcp_frame *frame)
{
	struct tcp_half *half = &tcp->half[from];
	size_t old;

	while (off > half->next_off && !tcp_hold_room(tcp, half, bytes->bytes.len))
		tcp_give_up(tcp, from, off, frame);
	if (off <= half->next_off)
		return false;
	old = tcp_hold(tcp, half, off, bytes, frame);
	tcp_repeated(tcp, from, bytes, old, frame);
	return true;
}

/* The first bytes of a direction of which at most an acknowledgement was seen. */
static bool tcp_first_bytes(struct tcp_half *half, const struct tcp_bytes *bytes)
{
	int32_t ahead = tcp_seq_distance(bytes->seq, half->next_seq);
	int32_t end = tcp_seq_distance(bytes->seq + (uint32_t)bytes->wire_bytes, half->next_seq);

	/* One ahead: the hint came from a keep-alive, whose number is one less. */
	if (half->base == TCP_BASE_NONE || (ahead <= 0 && end >= 0) || ahead == 1 ||
	    ahead >= TCP_FAR_BYTES || ahead <= -TCP_FAR_BYTES)
		tcp_order_start(half, bytes->seq, TCP_BASE_KNOWN);
	else if (end < 0)
		return false; /* repeated from before the capture */
	else
		half->base = TCP_BASE_KNOWN;
	return true;
}

/*
 * The part of a segment that is behind the stream. True: there is more of it. One byte is no
 * retransmission but a keep-alive (RFC 9293 section 3.8.4) or a window probe.
 */
static bool tcp_behind(struct tcp *tcp, enum tcp_side from, struct tcp_bytes *bytes, size_t old,
		       const struct tcp_frame *frame)
{
	if (old > bytes->wire_bytes)
		old = bytes->wire_bytes;
	if (old > 1 || (old == 1 && tcp->half[from].next_seq - bytes->seq != 1))
		tcp_repeated(tcp, from, bytes, old, frame);
	bytes->seq += (uint32_t)old;
	bytes->bytes = tcp_part(bytes->bytes, old, bytes->bytes.len);
	bytes->wire_bytes -= old;
	return bytes->wire_bytes != 0;
}

/* Bytes that begin where the stream stands, while others are held behind them. */
static void tcp_fill(struct tcp *tcp, enum tcp_side from, const struct tcp_bytes *bytes,
		     const struct tcp_frame *frame)
{
	struct tcp_half *half = &tcp->half[from];
	uint64_t off = half->next_off;
	size_t at = 0, old = 0;

	while (at < bytes->wire_bytes) {
		size_t n = bytes->wire_bytes - at;

		if (half->next_off > off + at) { /* held bytes came before this part */
			uint64_t covered = half->next_off - (off + at);

			if (covered < n)
				n = (size_t)covered;
			old += n;
		} else {
			if (half->held && half->held->off - half->next_off < n)
				n = (size_t)(half->held->off - half->next_off);
			tcp_hand_on(tcp, from, tcp_part(bytes->bytes, at, n), n, frame, frame);
			tcp_held_release(tcp, from, frame);
		}
		at += n;
	}
	tcp_repeated(tcp, from, bytes, old, frame);
}

/* A segment that is not simply the next one. */
__attribute__((noinline)) static void tcp_order_other(struct tcp *tcp, enum tcp_side from,
						      const struct tcp_bytes *bytes,
						      const struct tcp_frame *frame)
{
	struct tcp_half *half = &tcp->half[from];
	struct tcp_bytes part = *bytes;
	int32_t ahead;

	if (half->base != TCP_BASE_KNOWN && !tcp_first_bytes(half, &part))
		return;
	ahead = tcp_seq_distance(part.seq, half->next_seq);
	if (__builtin_expect(ahead >= TCP_FAR_BYTES || ahead <= -TCP_FAR_BYTES, 0)) {
		if (!tcp_far(tcp, from, part.seq, frame))
			return;
		ahead = 0;
	}
	half->stale = 0;
	if (ahead > 0) {
		if (tcp_ahead(tcp, from, half->next_off + (uint32_t)ahead, &part, frame))
			return;
		ahead = tcp_seq_distance(part.seq, half->next_seq);
	}
	if (ahead < 0 && !tcp_behind(tcp, from, &part, (size_t) - (int64_t)ahead, frame))
		return;
	if (half->held)
		tcp_fill(tcp, from, &part, frame);
	else
		tcp_hand_on(tcp, from, part.bytes, part.wire_bytes, frame, frame);
}

void tcp_order_bytes(struct tcp *tcp, enum tcp_side from, const struct tcp_bytes *bytes,
		     const struct tcp_frame *frame)
{
	struct tcp_half *half = &tcp->half[from];

	if (__builtin_expect(half->base == TCP_BASE_KNOWN && bytes->seq == half->next_seq &&
				     !half->held,
			     1)) { /* what comes next, and nothing is out of order */
		half->stale = 0;
		tcp_hand_on(tcp, from, bytes->bytes, bytes->wire_bytes, frame, frame);
	} else {
		tcp_order_other(tcp, from, bytes, frame);
	}
}

/* See tcp_progress: it was sent again before, or comes late. */
__attribute__((noinline)) static void tcp_progress_tell(struct tcp *tcp, enum tcp_side from,
							bool seen, const struct tcp_frame *frame)
{
	struct tcp_half *half = &tcp->half[from];
	struct tcp_note note = {.kind = TCP_NOTE_PROGRESS,
				.from = tcp_other_side(from),
				.frame = *frame,
				.since = *tcp_half_since(half)};
	uint64_t took_ns = (uint64_t)frame->at.ns - (uint64_t)note.since.at.ns;

	if (half->repeats == 0 && (!seen || note.since.number == 0 || took_ns > INT64_MAX))
		return;
	half->progress = *frame;
	half->repeats = 0;
	tcp->sink->note(tcp->context, &note);
}

/* The receiver acknowledges something new (`seen`: all of it is in the capture): a silence, or a
 * struggle for these bytes, is over. */
static inline void tcp_progress(struct tcp *tcp, enum tcp_side from, bool seen,
				const struct tcp_frame *frame)
{
	struct tcp_half *half = &tcp->half[from];
	const struct tcp_frame *since = tcp_half_since(half);
	uint64_t took_ns = (uint64_t)frame->at.ns - (uint64_t)since->at.ns;

	if (__builtin_expect(half->repeats != 0 || took_ns >= TCP_ACK_LATE_NS, 0))
		tcp_progress_tell(tcp, from, seen, frame);
	half->progress = *frame;
}

void tcp_order_acked(struct tcp *tcp, enum tcp_side from, uint32_t ack,
		     const struct tcp_frame *frame)
{
	struct tcp_half *half = &tcp->half[from];
	int32_t ahead;

	if (half->base == TCP_BASE_NONE)
		tcp_order_start(half, ack, TCP_BASE_HINT);
	ahead = tcp_seq_distance(ack, half->next_seq);
	/* The answer to a keep-alive, whose number was taken for the stream's. */
	if (half->base == TCP_BASE_HINT && (ahead == 1 || ahead >= TCP_FAR_BYTES)) {
		half->next_seq = ack;
		ahead = 0;
	}
	if (ahead >= TCP_FAR_BYTES || ahead <= -TCP_FAR_BYTES)
		return;
	if (!half->has_ack || tcp_seq_distance(ack, half->ack_seq) > 0)
		tcp_progress(tcp, from, half->base == TCP_BASE_KNOWN && ahead <= 0, frame);
	half->has_ack = true;
	half->ack_seq = ack;
	if (ahead <= 0) {
		half->looking = false;
	} else if (!half->looking) {
		half->looking = true;
		half->look_left = TCP_LOOK_SEGMENTS;
		half->look_since_ns = frame->at.ns;
	}
}

void tcp_order_look(struct tcp *tcp, enum tcp_side from, const struct tcp_frame *frame)
{
	struct tcp_half *half = &tcp->half[from];
	int32_t missing = tcp_seq_distance(half->ack_seq, half->next_seq);

	if (missing <= 0) {
		half->looking = false;
		return;
	}
	if (half->look_left > 0) {
		half->look_left--;
		if (frame->at.ns < half->look_since_ns ||
		    (uint64_t)frame->at.ns - (uint64_t)half->look_since_ns < (uint64_t)TCP_LOOK_NS)
			return;
	}
	half->looking = false;
	while ((missing = tcp_seq_distance(half->ack_seq, half->next_seq)) > 0)
		tcp_give_up(tcp, from, half->next_off + (uint32_t)missing, frame);
}

void tcp_order_finish(struct tcp *tcp, enum tcp_side from, const struct tcp_frame *frame)
{
	struct tcp_half *half = &tcp->half[from];
	int32_t missing;

	while (half->held)
		tcp_give_up(tcp, from, half->held->off, frame);
	if (!half->has_ack)
		return;
	missing = tcp_seq_distance(half->ack_seq, half->next_seq);
	if (missing > 0)
		tcp_give_up(tcp, from, half->next_off + (uint32_t)missing, frame);
}

void tcp_order_drop(struct tcp *tcp, enum tcp_side from)
{
	struct tcp_half *half = &tcp->half[from];

	while (half->held)
		tcp_held_free(tcp, half, half->held);
	half->looking = false;
}
