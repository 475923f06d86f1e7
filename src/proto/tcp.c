// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See tcp.h. Here are the connection's states (RFC 9293 section 3.3.2, as an onlooker sees them)
 * and what flags tell; bytes are put in order by tcp_order.c.
 */
#include "proto/tcp.h"

#include "proto/tcp_order.h"

/* What a segment is in the present state of the connection. */
enum tcp_event {
	TCP_EVENT_SYN,        /* the first, or a late one that fits what is known */
	TCP_EVENT_SYN_REPEAT, /* the same again */
	TCP_EVENT_SYN_ACK,    /* answers the SYN (or may, where no SYN was seen), and repetitions */
	TCP_EVENT_REFUSED,    /* RST that answers the SYN */
	TCP_EVENT_OPENER_RST, /* the opener's RST before any answer: it goes on with its SYN */
	TCP_EVENT_RST,        /* any other */
	TCP_EVENT_ACCEPTED,   /* a plain segment by which the handshake must be complete */
	TCP_EVENT_BARE_ACK,   /* acknowledges something else than the SYN */
	TCP_EVENT_PLAIN,      /* any other segment of this connection */
	TCP_EVENT_STRAY,      /* not of this connection, nor does it begin another */
	TCP_EVENT_FOREIGN,    /* begins another connection */
};

struct tcp_segment {
	enum tcp_side from;
	const struct packet *packet;
	const struct tcp_frame *frame;
	bool is_twice;
};

void tcp_init(struct tcp *tcp, const struct tcp_sink *sink, struct tcp_budget *budget,
	      void *context)
{
	*tcp = (struct tcp){.sink = sink, .budget = budget, .context = context};
}

void tcp_deinit(struct tcp *tcp)
{
	tcp_order_drop(tcp, TCP_SIDE_A);
	tcp_order_drop(tcp, TCP_SIDE_B);
}

static struct tcp_note tcp_note_of(const struct tcp *tcp, enum tcp_note_kind kind,
				   const struct tcp_segment *seg)
{
	return (struct tcp_note){
		.kind = kind,
		.from = seg->from,
		.ttl = seg->packet->ttl,
		.frame = *seg->frame,
		.heard = tcp->half[tcp_other_side(seg->from)].last,
		.said = tcp->half[seg->from].last,
	};
}

static void tcp_tell(struct tcp *tcp, enum tcp_note_kind kind, const struct tcp_segment *seg)
{
	struct tcp_note note = tcp_note_of(tcp, kind, seg);

	tcp->sink->note(tcp->context, &note);
}

/* Stream bytes that the segment has on the wire; a RST's are a message for people (RFC 9293 3.5.2).
 */
static size_t tcp_wire_bytes(const struct packet *p)
{
	return p->tcp.flags & TCP_RST ? 0 : p->payload_wire_bytes;
}

/* The number of its first stream byte. */
static uint32_t tcp_data_seq(const struct packet *p)
{
	return p->tcp.seq + (p->tcp.flags & TCP_SYN ? 1 : 0);
}

static void tcp_remember(struct tcp_half *half, const struct tcp_segment *seg)
{
	const struct packet *p = seg->packet;
	struct tcp_recent *r = &half->recent[half->recent_next++ % TCP_RECENT];

	r->ns = seg->frame->at.ns;
	r->seq = p->tcp.seq;
	r->ack = p->tcp.ack;
	r->tsval = p->tcp.tsval;
	r->len = (uint32_t)p->payload_wire_bytes;
	r->ip_id = p->ip_id;
	r->flags = p->tcp.flags;
	r->used = true;
}

/*
 * Did the capture show this very segment just now? (`-i any` on a host that forwards or bridges;
 * two mirror ports.) The same IP id tells a copy from a retransmission; without one, a time in
 * which no sender would give up.
 */
static bool tcp_seen_twice(const struct tcp_half *half, const struct tcp_segment *seg)
{
	const struct packet *p = seg->packet;
	int64_t known_ns = p->tcp.tsval ? TCP_TWICE_STAMPED_NS : TCP_TWICE_NS;
	uint64_t window_ns = (uint64_t)(p->ip_id ? known_ns : TCP_TWICE_ANY_NS);

	for (size_t i = 0; i < TCP_RECENT; i++) {
		const struct tcp_recent *r = &half->recent[i];

		if (r->used && r->seq == p->tcp.seq && r->ack == p->tcp.ack &&
		    r->len == p->payload_wire_bytes && r->flags == p->tcp.flags &&
		    r->ip_id == p->ip_id && r->tsval == p->tcp.tsval &&
		    (uint64_t)seg->frame->at.ns - (uint64_t)r->ns + window_ns <= 2 * window_ns)
			return true;
	}
	return false;
}

/* Only what is not simply next in the stream can be a copy that matters. */
static bool tcp_may_be_twice(const struct tcp_half *half, const struct packet *p)
{
	return p->tcp.flags & (TCP_SYN | TCP_FIN | TCP_RST) ||
	       (p->payload_wire_bytes != 0 && half->base == TCP_BASE_KNOWN &&
		p->tcp.seq != half->next_seq);
}

/* Number of the direction's first stream byte, where that is known. */
static uint32_t tcp_first_seq(const struct tcp_half *half)
{
	return half->next_seq - (uint32_t)half->next_off;
}

static enum tcp_event tcp_classify_syn(const struct tcp *tcp, const struct tcp_segment *seg)
{
	const struct tcp_half *half = &tcp->half[seg->from];
	uint32_t seq = seg->packet->tcp.seq;

	if (half->has_isn)
		return half->isn == seq ? TCP_EVENT_SYN_REPEAT : TCP_EVENT_FOREIGN;
	if (tcp->state == TCP_STATE_NEW || half->base == TCP_BASE_NONE)
		return TCP_EVENT_SYN;
	/* The capture may show it after what it began. */
	return tcp_first_seq(half) == seq + 1 ? TCP_EVENT_SYN : TCP_EVENT_FOREIGN;
}

static enum tcp_event tcp_classify_syn_ack(const struct tcp *tcp, const struct tcp_segment *seg)
{
	const struct tcp_half *half = &tcp->half[seg->from];
	const struct tcp_half *peer = &tcp->half[tcp_other_side(seg->from)];
	const struct packet_tcp *t = &seg->packet->tcp;

	if (peer->has_isn && t->ack != peer->isn + 1)
		return TCP_EVENT_FOREIGN;
	if (half->has_isn && half->isn == t->seq)
		return TCP_EVENT_SYN_ACK;
	if (half->base == TCP_BASE_NONE || tcp->state == TCP_STATE_NEW)
		return TCP_EVENT_SYN_ACK;
	if (!half->has_isn)
		return tcp_first_seq(half) == t->seq + 1 ? TCP_EVENT_SYN_ACK : TCP_EVENT_FOREIGN;
	/* The server forgot the first attempt and answers the SYN again with another number. */
	return half->next_off == 0 && tcp->state != TCP_STATE_OPEN ? TCP_EVENT_SYN_ACK
								   : TCP_EVENT_FOREIGN;
}

static enum tcp_event tcp_classify_rst(const struct tcp *tcp, const struct tcp_segment *seg)
{
	const struct packet_tcp *t = &seg->packet->tcp;

	if (tcp->state != TCP_STATE_SYN)
		return TCP_EVENT_RST;
	if (seg->from == tcp->opener)
		return TCP_EVENT_OPENER_RST;
	return t->flags & TCP_ACK && t->ack == tcp->half[tcp->opener].isn + 1 ? TCP_EVENT_REFUSED
									      : TCP_EVENT_RST;
}

static enum tcp_event tcp_classify_plain(const struct tcp *tcp, const struct tcp_segment *seg)
{
	const struct tcp_half *opener = &tcp->half[tcp->opener];
	const struct packet *p = seg->packet;
	int32_t ahead = tcp_seq_distance(p->tcp.seq, opener->isn);

	switch (tcp->state) {
	case TCP_STATE_NEW:
	case TCP_STATE_OPEN:
	case TCP_STATE_RESET:
		return TCP_EVENT_PLAIN;
	case TCP_STATE_SYN:
		if (!(p->tcp.flags & TCP_ACK))
			return TCP_EVENT_STRAY;
		if (seg->from == tcp->opener) /* the SYN-ACK is not in the capture */
			return ahead > 0 && ahead < TCP_FAR_BYTES ? TCP_EVENT_ACCEPTED
								  : TCP_EVENT_STRAY;
		if (p->tcp.ack == opener->isn + 1)
			return TCP_EVENT_ACCEPTED;
		return p->payload_wire_bytes || p->tcp.flags & TCP_FIN ? TCP_EVENT_STRAY
								       : TCP_EVENT_BARE_ACK;
	case TCP_STATE_SYN_ACK:
		if (seg->from != tcp->opener)
			return TCP_EVENT_ACCEPTED;
		ahead = tcp_seq_distance(p->tcp.ack, tcp->half[tcp_other_side(seg->from)].isn);
		return p->tcp.flags & TCP_ACK && ahead > 0 && ahead < TCP_FAR_BYTES
			       ? TCP_EVENT_ACCEPTED
			       : TCP_EVENT_STRAY;
	}
	return TCP_EVENT_STRAY;
}

static enum tcp_event tcp_classify(const struct tcp *tcp, const struct tcp_segment *seg)
{
	switch (seg->packet->tcp.flags & (TCP_SYN | TCP_ACK | TCP_RST)) {
	case TCP_SYN:
		return tcp_classify_syn(tcp, seg);
	case TCP_SYN | TCP_ACK:
		return tcp_classify_syn_ack(tcp, seg);
	case 0:
	case TCP_ACK:
		return tcp_classify_plain(tcp, seg);
	default:
		return tcp_classify_rst(tcp, seg);
	}
}

/* The direction begins with this SYN or SYN-ACK. */
static void tcp_begin(struct tcp_half *half, const struct tcp_segment *seg)
{
	half->mss = seg->packet->tcp.mss;
	half->has_isn = true;
	half->isn = seg->packet->tcp.seq;
	if (half->base != TCP_BASE_KNOWN || half->next_off == 0)
		tcp_order_start(half, half->isn + 1, TCP_BASE_KNOWN);
}

static void tcp_on_syn(struct tcp *tcp, const struct tcp_segment *seg)
{
	tcp_begin(&tcp->half[seg->from], seg);
	if (tcp->state == TCP_STATE_NEW)
		tcp->state = TCP_STATE_SYN;
	if (!tcp->has_opener)
		tcp->opener = seg->from;
	tcp->has_opener = true;
	tcp->completeness |= TCP_COMPLETE_SYN;
	tcp_tell(tcp, TCP_NOTE_SYN, seg);
}

static void tcp_on_syn_ack(struct tcp *tcp, const struct tcp_segment *seg)
{
	struct tcp_half *half = &tcp->half[seg->from];
	struct tcp_half *peer = &tcp->half[tcp_other_side(seg->from)];
	struct tcp_note note = tcp_note_of(tcp, TCP_NOTE_SYN_ACK, seg);

	if (seg->is_twice)
		return;
	note.anew = half->has_isn && half->isn != seg->packet->tcp.seq;
	if (!half->has_isn || half->isn != seg->packet->tcp.seq)
		tcp_begin(half, seg);
	if (peer->base != TCP_BASE_KNOWN)
		tcp_order_start(peer, seg->packet->tcp.ack, TCP_BASE_KNOWN);
	if (tcp->state == TCP_STATE_NEW || tcp->state == TCP_STATE_SYN)
		tcp->state = TCP_STATE_SYN_ACK;
	if (!tcp->has_opener)
		tcp->opener = tcp_other_side(seg->from);
	tcp->has_opener = true;
	tcp->completeness |= TCP_COMPLETE_SYN_ACK;
	tcp->sink->note(tcp->context, &note);
}

static void tcp_on_rst(struct tcp *tcp, const struct tcp_segment *seg, enum tcp_note_kind kind,
		       enum tcp_state next)
{
	tcp->completeness |= TCP_COMPLETE_RST;
	tcp->state = next;
	if (!seg->is_twice)
		tcp_tell(tcp, kind, seg);
}

/* The capture may show the acknowledgement before the FIN: until now it was one byte too many. */
static void tcp_fin_was_acked(struct tcp *tcp, const struct tcp_segment *seg)
{
	struct tcp_half *half = &tcp->half[seg->from];
	struct tcp_segment answer = *seg;

	if (!half->has_ack || tcp_seq_distance(half->ack_seq, half->fin_seq) <= 0)
		return;
	half->ack_seq = half->fin_seq;
	half->fin_acked = true;
	answer.from = tcp_other_side(seg->from);
	tcp_tell(tcp, TCP_NOTE_FIN_ACKED, &answer);
}

static void tcp_on_fin(struct tcp *tcp, const struct tcp_segment *seg)
{
	struct tcp_half *half = &tcp->half[seg->from];
	const struct packet *p = seg->packet;
	uint32_t seq = tcp_data_seq(p) + (uint32_t)p->payload_wire_bytes;

	tcp->completeness |= TCP_COMPLETE_FIN;
	if (half->fin_seen) {
		if (!seg->is_twice)
			tcp_tell(tcp, TCP_NOTE_FIN_REPEAT, seg);
		return;
	}
	if (half->base == TCP_BASE_NONE)
		tcp_order_start(half, seq, TCP_BASE_HINT);
	half->fin_seen = true;
	half->fin_seq = seq;
	tcp_tell(tcp, TCP_NOTE_FIN, seg);
	tcp_fin_was_acked(tcp, seg);
}

static void tcp_on_ack(struct tcp *tcp, const struct tcp_segment *seg)
{
	enum tcp_side sender = tcp_other_side(seg->from);
	struct tcp_half *half = &tcp->half[sender];
	uint32_t ack = seg->packet->tcp.ack;

	if (__builtin_expect(half->fin_seen, 0) && tcp_seq_distance(ack, half->fin_seq) > 0) {
		ack = half->fin_seq;
		if (!half->fin_acked) {
			half->fin_acked = true;
			tcp_tell(tcp, TCP_NOTE_FIN_ACKED, seg);
		}
	}
	if (!tcp->deaf)
		tcp_order_acked(tcp, sender, ack, seg->frame);
}

/* False for what the sender's card has yet to cut into segments. */
static bool tcp_fits_wire(const struct tcp *tcp, enum tcp_side from, size_t bytes)
{
	uint16_t mss = tcp->half[tcp_other_side(from)].mss;

	return mss == 0 || bytes <= mss;
}

/* Bytes, acknowledgement and FIN of a segment that belongs to the stream. */
static void tcp_on_stream(struct tcp *tcp, const struct tcp_segment *seg)
{
	struct tcp_half *half = &tcp->half[seg->from];
	const struct packet *p = seg->packet;
	size_t wire_bytes = tcp_wire_bytes(p);

	if (wire_bytes && !tcp->deaf) {
		struct tcp_bytes bytes = {.seq = tcp_data_seq(p),
					  .bytes = p->payload,
					  .wire_bytes = wire_bytes,
					  .ttl = p->ttl,
					  .is_twice = seg->is_twice};

		tcp->completeness |= TCP_COMPLETE_DATA;
		if (half->has_ack ? half->ack_seq == half->next_seq : half->next_off == 0)
			half->sent = *seg->frame;
		if (wire_bytes > half->largest_bytes && tcp_fits_wire(tcp, seg->from, wire_bytes))
			half->largest_bytes = (uint32_t)wire_bytes;
		if (__builtin_expect(half->looking, 0) && !seg->is_twice &&
		    tcp_seq_distance(half->ack_seq, bytes.seq) > 0)
			tcp_tell(tcp, TCP_NOTE_SHOWN_LATE, seg);
		tcp_order_bytes(tcp, seg->from, &bytes, seg->frame);
	} else if (half->base == TCP_BASE_NONE) {
		tcp_order_start(half, p->tcp.seq, TCP_BASE_HINT);
	}
	if (p->tcp.flags & TCP_FIN)
		tcp_on_fin(tcp, seg);
	if (p->tcp.flags & TCP_ACK)
		tcp_on_ack(tcp, seg);
	if (tcp->half[TCP_SIDE_A].looking)
		tcp_order_look(tcp, TCP_SIDE_A, seg->frame);
	if (tcp->half[TCP_SIDE_B].looking)
		tcp_order_look(tcp, TCP_SIDE_B, seg->frame);
}

/* The transition function. True: what the segment carries belongs to the stream. */
static bool tcp_step(struct tcp *tcp, enum tcp_event event, const struct tcp_segment *seg)
{
	switch (event) {
	case TCP_EVENT_SYN:
		tcp_on_syn(tcp, seg);
		return true;
	case TCP_EVENT_SYN_REPEAT:
		if (tcp->state == TCP_STATE_RESET && tcp->half[seg->from].next_off == 0)
			tcp->state = TCP_STATE_SYN; /* tried again after a RST */
		if (!seg->is_twice)
			tcp_tell(tcp, TCP_NOTE_SYN_REPEAT, seg);
		return false;
	case TCP_EVENT_SYN_ACK:
		tcp_on_syn_ack(tcp, seg);
		return false;
	case TCP_EVENT_REFUSED:
		tcp_on_rst(tcp, seg, TCP_NOTE_REFUSED, TCP_STATE_RESET);
		return false;
	case TCP_EVENT_OPENER_RST:
		tcp_on_rst(tcp, seg, TCP_NOTE_RST, TCP_STATE_SYN);
		return false;
	case TCP_EVENT_RST:
		tcp_on_rst(tcp, seg, TCP_NOTE_RST, TCP_STATE_RESET);
		return false;
	case TCP_EVENT_ACCEPTED:
		tcp->state = TCP_STATE_OPEN;
		tcp->completeness |= TCP_COMPLETE_ACK;
		tcp_tell(tcp, TCP_NOTE_ESTABLISHED, seg);
		return true;
	case TCP_EVENT_PLAIN:
		if (tcp->state == TCP_STATE_NEW)
			tcp->state = TCP_STATE_OPEN;
		if (seg->packet->tcp.flags & TCP_ACK)
			tcp->completeness |= TCP_COMPLETE_ACK;
		return true;
	case TCP_EVENT_BARE_ACK:
		if (!seg->is_twice)
			tcp_tell(tcp, TCP_NOTE_BARE_ACK_TO_SYN, seg);
		return false;
	case TCP_EVENT_STRAY:
	case TCP_EVENT_FOREIGN:
		return false;
	}
	return false;
}

enum tcp_verdict tcp_segment(struct tcp *tcp, enum tcp_side from, const struct packet *packet,
			     const struct tcp_frame *frame)
{
	struct tcp_half *half = &tcp->half[from];
	struct tcp_segment seg = {.from = from, .packet = packet, .frame = frame};
	enum tcp_event event = TCP_EVENT_PLAIN;

	if (tcp->state != TCP_STATE_OPEN || packet->tcp.flags & (TCP_SYN | TCP_RST))
		event = tcp_classify(tcp, &seg);
	if (event == TCP_EVENT_FOREIGN)
		return TCP_OTHER_CONNECTION;
	half->segments++;
	if (__builtin_expect(tcp_may_be_twice(half, packet), 0)) {
		seg.is_twice = tcp_seen_twice(half, &seg);
		half->twice_segments += seg.is_twice;
	}
	tcp_remember(half, &seg);
	if (tcp_step(tcp, event, &seg))
		tcp_on_stream(tcp, &seg);
	half->last = *frame;
	return TCP_TAKEN;
}

uint64_t tcp_half_unacked_bytes(const struct tcp_half *half)
{
	int32_t ahead = tcp_seq_distance(half->next_seq, half->ack_seq);

	if (half->base != TCP_BASE_KNOWN)
		return 0;
	if (!half->has_ack)
		return half->next_off;
	return ahead > 0 ? (uint64_t)ahead : 0;
}

void tcp_finish(struct tcp *tcp, const struct tcp_frame *last)
{
	if (tcp->deaf)
		return;
	tcp_order_finish(tcp, TCP_SIDE_A, last);
	tcp_order_finish(tcp, TCP_SIDE_B, last);
}

void tcp_stop_data(struct tcp *tcp)
{
	tcp->deaf = true;
	tcp_deinit(tcp);
}

bool tcp_is_closed(const struct tcp *tcp)
{
	return tcp->state == TCP_STATE_RESET ||
	       (tcp->half[TCP_SIDE_A].fin_acked && tcp->half[TCP_SIDE_B].fin_acked);
}
