// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Segments that wait for their like in the other capture; see ends.h.
 *
 * A range of sequence numbers with one timestamp is consumed piece by piece, whichever capture has
 * the larger pieces. Two transmissions of the same bytes have different timestamps unless they
 * follow each other within a tick: then IP's identification tells them apart, where it is seen to
 * be kept on the way.
 */
#include "ingest/ends/ends_private.h"

#include "base/hash.h"
#include "proto/tcp.h"

/* The segment that is being placed. */
struct placing {
	struct ends *ends;
	struct ends_pair *pair;
	struct ends_way *way;
	const struct provenance *at;
	struct ends_segment like; /* what would wait */
};

/* Identifications are kept on the way when so many were, and no more than one in so many was not.
 */
enum { PLACE_IDS_MIN = 8, PLACE_IDS_PART = 16 };

/* How far a is behind b, around the corner of 32 bits. */
static int32_t seq_after(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b);
}

static bool kind_has_range(uint8_t kind)
{
	return kind != WIRE_BARE && kind != WIRE_RST;
}

/* What is told of a segment; `twin`: of one that both show, where the other does. */
struct event_wire ends_tell(const struct ends_segment *s, enum wire_fact fact,
			    const struct provenance *twin, uint32_t bytes, bool again)
{
	const struct ends_pair *pair = s->pair;
	const struct ends_conn *c = pair->conn;
	struct event_wire wire = {
		.fact = fact,
		.kind = s->kind,
		.fate = s->fate,
		.from_high = s->high != c->flip,
		.again = again,
		.in_row = s->serial - pair->way[s->high].side[s->side].alone <= 1,
		.seen = s->side,
		.bytes = bytes,
		.other = pair->other,
		.ends = {pair->ends[c->flip], pair->ends[!c->flip]},
	};

	wire.at[s->side] = s->at;
	if (twin)
		wire.at[!s->side] = *twin;
	return wire;
}

void ends_send(struct ends *e, const struct ends_segment *s, const struct event_wire *wire)
{
	const struct ends_conn *c = s->pair->conn;
	struct event event = {.kind = EVENT_WIRE, .at = s->at, .conn = &c->conn, .wire = wire};

	if (c->has_conn)
		event_emit(e->board, &event);
}

static void place_emit(struct ends *e, const struct ends_segment *s, enum wire_fact fact,
		       const struct provenance *twin, uint32_t bytes, bool again)
{
	struct event_wire wire = ends_tell(s, fact, twin, bytes, again);

	ends_send(e, s, &wire);
}

static struct ends_waiting *place_list(const struct ends_segment *s)
{
	struct ends_side *side = &s->pair->way[s->high].side[s->side];

	return &side->waiting[!kind_has_range(s->kind)];
}

/*
 * Where what is like s, of this side, waits. By the timestamp there are few; without timestamps it
 * is all of the connection.
 */
struct ends_segment **ends_bucket(struct ends *e, const struct ends_segment *s, unsigned side)
{
	uint64_t hash = hash_u64(hash_start(), (uint64_t)(uintptr_t)s->pair);

	hash = hash_u64(hash, (uint64_t)(s->has_mark_ts ? s->mark : 0) << 8 |
				      (uint64_t)kind_has_range(s->kind) << 2 |
				      (uint64_t)s->high << 1 | side);
	return &e->buckets[hash & (ENDS_BUCKETS - 1)];
}

void ends_take_out(struct ends *e, struct ends_segment *s)
{
	struct ends_waiting *list = place_list(s);

	*(s->prev ? &s->prev->next : &list->first) = s->next;
	*(s->next ? &s->next->prev : &list->last) = s->prev;
	*(s->elder ? &s->elder->younger : &e->eldest) = s->younger;
	*(s->younger ? &s->younger->elder : &e->youngest) = s->elder;
	*s->place = s->after;
	if (s->after)
		s->after->place = s->place;
	s->next = e->unused;
	e->unused = s;
}

/* Did the receiver have it? Known by what it acknowledged before or without a later copy. */
static enum wire_fate place_fate(const struct ends_segment *s)
{
	const struct ends_way *way = &s->pair->way[s->high];

	/* of what was sent again an earlier copy may have come */
	if (s->fate != WIRE_FATE_OPEN || !kind_has_range(s->kind) || s->again)
		return s->fate;
	return way->has_acked && seq_after(way->acked, s->to) >= 0 ? WIRE_FATE_RECEIVED
								   : WIRE_FATE_OPEN;
}

/* True when the other capture was there: it shows the connection, or goes on, before and after. */
static bool place_is_covered(const struct ends_segment *s)
{
	const struct ends_pair *pair = s->pair;
	int64_t first_ns = survey_add_ns(pair->first_ns[!s->side], ENDS_MARGIN_NS);
	int64_t last_ns = survey_add_ns(pair->last_ns[!s->side], -ENDS_MARGIN_NS);

	if (pair->has_both && pair->both_first_ns < first_ns)
		first_ns = pair->both_first_ns;
	if (pair->has_both && pair->both_last_ns > last_ns)
		last_ns = pair->both_last_ns;
	return s->aligned_ns >= first_ns && s->aligned_ns <= last_ns;
}

/* It goes without an answer. */
static void place_give_up(struct ends *e, struct ends_segment *s)
{
	if (!s->maybe_twice)
		place_emit(e, s, WIRE_UNPLACED, NULL, s->bytes, false);
	ends_take_out(e, s);
}

/* Nothing like it came: tells it, if the other capture had to show it. */
static void place_decide(struct ends *e, struct ends_segment *s)
{
	struct ends_side *side = &s->pair->way[s->high].side[s->side];

	if (s->is_datagram)
		ends_datagram_settle(e, s);
	if (s->maybe_twice) {
		ends_take_out(e, s);
		return;
	}
	s->fate = (uint8_t)place_fate(s);
	if (s->fate == WIRE_FATE_RECEIVED && s->pair->way[s->high].crowded)
		place_emit(e, s, WIRE_UNPLACED, NULL, s->bytes, s->again);
	else if (place_is_covered(s))
		place_emit(e, s, WIRE_ONE, NULL, s->bytes, s->again);
	side->alone = s->serial;
	ends_take_out(e, s);
}

void ends_place_late(struct ends *e)
{
	while (e->eldest && survey_add_ns(e->eldest->aligned_ns, ENDS_WAIT_NS) < e->now_ns)
		place_decide(e, e->eldest);
}

void ends_place_rest(struct ends *e)
{
	while (e->eldest)
		place_decide(e, e->eldest);
}

void ends_place_all(struct ends *e, struct ends_pair *pair, bool decide)
{
	for (unsigned i = 0; i < 8; i++) {
		struct ends_waiting *list = &pair->way[i / 4].side[i / 2 % 2].waiting[i % 2];

		while (list->first) {
			if (decide) {
				place_decide(e, list->first);
				continue;
			}
			place_give_up(e, list->first);
		}
	}
}

/* Room for one more; the eldest makes it. */
static struct ends_segment *place_room(struct ends *e)
{
	struct ends_segment *s;

	if (!e->unused && e->pool_used < ENDS_SEGMENTS_MAX)
		return &e->pool[e->pool_used++];
	if (!e->unused)
		place_give_up(e, e->eldest);
	s = e->unused;
	e->unused = s->next;
	return s;
}

/* What is left from `from` to `to` waits, as the last of its side. */
void ends_wait(struct ends *e, const struct ends_segment *like, uint32_t from, uint32_t to)
{
	struct ends_segment *s = place_room(e);
	struct ends_waiting *list = place_list(like);
	struct ends_segment **bucket = ends_bucket(e, like, like->side);

	*s = *like;
	s->from = from;
	s->to = to;
	s->prev = list->last;
	s->next = NULL;
	*(list->last ? &list->last->next : &list->first) = s;
	list->last = s;
	s->after = *bucket;
	s->place = bucket;
	if (s->after)
		s->after->place = &s->after;
	*bucket = s;
	s->elder = e->youngest;
	s->younger = NULL;
	*(e->youngest ? &e->youngest->younger : &e->eldest) = s;
	e->youngest = s;
}

static bool place_overlap(const struct ends_segment *s, uint32_t from, uint32_t to)
{
	return seq_after(to, s->from) > 0 && seq_after(s->to, from) > 0;
}

/*
 * A copy of these bytes arrived that had been sent again: those that still wait were sent before
 * it, and are lost, unless they were acknowledged by then.
 */
static void place_settle_older(struct ends_way *way, uint32_t from, uint32_t to, bool has_acked,
			       uint32_t acked)
{
	for (unsigned side = 0; side < 2; side++) {
		unsigned steps = 0;

		for (struct ends_segment *s = way->side[side].waiting[0].last; s; s = s->prev) {
			if (++steps > ENDS_STEPS_MAX) {
				way->crowded = true;
				break;
			}
			if (s->fate == WIRE_FATE_OPEN && place_overlap(s, from, to))
				s->fate = has_acked && seq_after(acked, s->to) >= 0
						  ? WIRE_FATE_RECEIVED
						  : WIRE_FATE_LOST;
		}
	}
}

/* True when both are whole, and the same bytes. */
static bool place_same_size(const struct placing *p, const struct ends_segment *s)
{
	return s->from == p->like.from && s->to == p->like.to && s->bytes == p->like.bytes;
}

void ends_note_both(const struct ends_segment *s)
{
	struct ends_pair *pair = s->pair;

	if (!pair->has_both || s->aligned_ns < pair->both_first_ns)
		pair->both_first_ns = s->aligned_ns;
	if (!pair->has_both || s->aligned_ns > pair->both_last_ns)
		pair->both_last_ns = s->aligned_ns;
	pair->has_both = true;
}

/* They are one: tells it; what is more of the one that waited goes on waiting. */
static void place_match(struct placing *p, struct ends_segment *s, uint32_t from, uint32_t to)
{
	struct ends_segment whole = *s;
	bool again = s->again || p->like.again;

	if (place_same_size(p, s) && s->ip_id)
		++*(s->ip_id == p->like.ip_id ? &p->pair->ids_same : &p->pair->ids_differ);
	ends_note_both(s);
	if (!s->maybe_twice || !p->like.maybe_twice) {
		struct event_wire wire =
			ends_tell(s, WIRE_BOTH, p->at,
				  p->like.bytes < s->bytes ? p->like.bytes : s->bytes, again);

		wire.sure = s->has_mark_ts || (s->ip_id && s->ip_id == p->like.ip_id);
		ends_send(p->ends, s, &wire);
	}
	if (seq_after(from, s->from) > 0)
		s->to = from;
	else if (seq_after(s->to, to) > 0)
		s->from = to;
	else
		ends_take_out(p->ends, s);
	if (seq_after(from, whole.from) > 0 && seq_after(whole.to, to) > 0)
		ends_wait(p->ends, &whole, to, whole.to);
	if (again)
		place_settle_older(p->way, from, to, whole.has_acked, whole.acked);
}

/* True when what waits may be the same transmission. */
static bool place_same_mark(const struct placing *p, const struct ends_segment *s)
{
	const struct ends_pair *pair = p->pair;

	if (s->has_mark_ts != p->like.has_mark_ts || (s->has_mark_ts && s->mark != p->like.mark))
		return false;
	/* a network card numbers the pieces itself */
	if (!place_same_size(p, s) || s->ip_id == p->like.ip_id || s->ip_id == 0)
		return true;
	return pair->ids_same < PLACE_IDS_MIN || pair->ids_same / PLACE_IDS_PART < pair->ids_differ;
}

/* True when s waits at the other side of the connection that is being matched. */
static bool place_is_here(const struct placing *p, const struct ends_segment *s)
{
	return s->pair == p->pair && s->high == p->like.high && s->side != p->like.side;
}

/* How well it fits what begins at `from`, the less the better: what begins first, and of equals
 * what surely is a segment of its own. */
static int64_t place_misfit(const struct ends_segment *s, uint32_t from)
{
	int32_t behind = seq_after(s->from, from);

	return (behind > 0 ? (int64_t)behind * 2 : 0) + s->maybe_twice;
}

/*
 * Of what waits and overlaps this range, what fits best; of several, the youngest. NULL: none, and
 * *full is set when not all was compared.
 */
static struct ends_segment *place_find_range(struct placing *p, uint32_t from, uint32_t to,
					     bool *full)
{
	struct ends_segment *s = *ends_bucket(p->ends, &p->like, !p->like.side);
	struct ends_segment *best = NULL;
	unsigned steps = 0;

	for (; s && (!best || place_misfit(best, from) > 0); s = s->after) {
		if (!place_is_here(p, s))
			continue; /* of another connection, by chance */
		if (++steps > ENDS_STEPS_MAX) {
			*full = !best;
			break;
		}
		if (kind_has_range(s->kind) && place_overlap(s, from, to) &&
		    place_same_mark(p, s) &&
		    (!best || place_misfit(s, from) < place_misfit(best, from)))
			best = s;
	}
	return best;
}

/* A range: what was there is consumed piece by piece, the rest waits. */
static void place_range(struct placing *p)
{
	uint32_t from = p->like.from;
	struct ends_segment *s;
	bool full = false;

	while (seq_after(p->like.to, from) > 0 &&
	       (s = place_find_range(p, from, p->like.to, &full)) != NULL) {
		uint32_t begin = seq_after(s->from, from) > 0 ? s->from : from;
		uint32_t end = seq_after(s->to, p->like.to) > 0 ? p->like.to : s->to;

		/* the match first: waiting may take the room of what waits longest */
		place_match(p, s, begin, end);
		if (begin != from)
			ends_wait(p->ends, &p->like, from, begin);
		from = end;
	}
	if (full && !p->like.maybe_twice)
		place_emit(p->ends, &p->like, WIRE_UNPLACED, NULL, p->like.bytes, false);
	else if (!full && seq_after(p->like.to, from) > 0)
		ends_wait(p->ends, &p->like, from, p->like.to);
}

/* No bytes: the very same numbers. */
static void place_exact(struct placing *p)
{
	struct ends_segment *s = *ends_bucket(p->ends, &p->like, !p->like.side);
	struct ends_segment *best = NULL;

	for (unsigned steps = 0; s && steps < ENDS_STEPS_MAX; s = s->after, steps++) {
		if (!place_is_here(p, s) || s->kind != p->like.kind || s->from != p->like.from ||
		    s->ack != p->like.ack || s->mark != p->like.mark)
			continue;
		best = s;
		if (!s->maybe_twice)
			break;
	}
	if (!best) {
		ends_wait(p->ends, &p->like, p->like.from, p->like.to);
		return;
	}
	ends_note_both(best);
	if (!best->maybe_twice || !p->like.maybe_twice)
		place_emit(p->ends, best, WIRE_BOTH, p->at, 0, false);
	ends_take_out(p->ends, best);
}

/* Does this capture show the segment for the second time? See proto/tcp.c, tcp_seen_twice. */
bool ends_seen_twice(const struct ends_segment *like, struct ends_side *side)
{
	uint64_t window_ns = (uint64_t)(like->ip_id ? TCP_TWICE_NS : TCP_TWICE_ANY_NS);

	for (unsigned i = 0; i < ENDS_SEEN; i++) {
		const struct ends_seen *seen = &side->seen[i];

		if (seen->used && seen->from == like->from && seen->to == like->to &&
		    seen->ack == like->ack && seen->mark == like->mark &&
		    seen->ip_id == like->ip_id &&
		    (uint64_t)like->at.at.ns - (uint64_t)seen->ns + window_ns <= 2 * window_ns)
			return true;
	}
	side->seen[side->seen_next++ % ENDS_SEEN] = (struct ends_seen){
		like->at.at.ns, like->from, like->to, like->ack, like->mark, like->ip_id, true};
	return false;
}

static enum wire_kind place_kind(const struct packet *packet)
{
	uint8_t flags = packet->tcp.flags;

	if (flags & TCP_RST)
		return WIRE_RST;
	if (flags & TCP_SYN)
		return flags & TCP_ACK ? WIRE_SYN_ACK : WIRE_SYN;
	if (flags & TCP_FIN)
		return WIRE_FIN;
	return packet->payload_wire_bytes ? WIRE_DATA : WIRE_BARE;
}

static void place_note_sent(struct placing *p, struct ends_side *side)
{
	struct ends_segment *like = &p->like;

	if (!kind_has_range(like->kind))
		return;
	like->again = side->has_sent && seq_after(side->sent_to, like->from) > 0;
	if (!side->has_sent || seq_after(like->to, side->sent_to) > 0)
		side->sent_to = like->to;
	side->has_sent = true;
}

void ends_place(struct ends *e, struct ends_pair *pair, uint8_t side, bool high,
		const struct provenance *at, const struct packet *packet)
{
	const struct packet_tcp *tcp = &packet->tcp;
	struct placing p = {.ends = e, .pair = pair, .way = &pair->way[high], .at = at};
	struct ends_way *back = &pair->way[!high];
	uint32_t len = (uint32_t)packet->payload_wire_bytes + !!(tcp->flags & TCP_SYN) +
		       !!(tcp->flags & TCP_FIN);

	p.like = (struct ends_segment){
		.ip_id = packet->ip_id,
		.pair = pair,
		.at = *at,
		.aligned_ns = survey_add_ns(at->at.ns, survey_shift_ns(e->survey, at->evidence)),
		.from = tcp->seq,
		.to = tcp->seq + len,
		.mark = tcp->has_timestamps ? tcp->tsval : packet->ip_id,
		.has_mark_ts = tcp->has_timestamps,
		.ack = tcp->flags & TCP_ACK ? tcp->ack : 0,
		.bytes = (uint32_t)packet->payload_wire_bytes,
		.acked = p.way->acked,
		.has_acked = p.way->has_acked,
		.kind = (uint8_t)place_kind(packet),
		.high = high,
		.side = side,
	};
	if (ends_seen_twice(&p.like, &p.way->side[side])) {
		/* or sent again at once, as a SYN-ACK is by its timer and for a SYN that comes just
		 * then: without an identification nothing tells. Its like is looked for, and not
		 * missed. */
		if (packet->ip_id)
			return;
		p.like.maybe_twice = true;
	} else {
		place_note_sent(&p, &p.way->side[side]);
		p.like.serial = ++p.way->side[side].serial;
	}
	if (kind_has_range(p.like.kind))
		place_range(&p);
	else
		place_exact(&p);
	if ((tcp->flags & (TCP_ACK | TCP_RST)) == TCP_ACK &&
	    (!back->has_acked || seq_after(tcp->ack, back->acked) > 0)) {
		back->acked = tcp->ack;
		back->has_acked = true;
	}
}
