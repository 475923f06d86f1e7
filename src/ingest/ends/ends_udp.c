// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Datagrams that wait for their like in the other capture; see ends.h.
 *
 * A call and its reply have one XID. A call that is sent again has it too, and so has what answers
 * the copy: a copy that both captures show settles the elder ones that only one of them does. A
 * reply, wherever it is seen, says that the call was there; the call once more says that the reply
 * was not. A reply that the other capture lacks and nobody asks for again had arrived, or its
 * caller has given up: that is not placed.
 */
#include "ingest/ends/ends_private.h"

#include "base/mem.h"

enum { RECENT_MAX = 64, XID_BYTES = 4, HEAD_BYTES = 8, TYPE_REPLY = 1 };

/*
 * Without an identification two copies are told apart by time alone: the shortest timer of a client
 * over UDP is a tenth of a second (timeo=1), of nearly all 1.1 s and more (nfs(5)).
 */
#define NEAR_NS (400 * STAMP_NS_PER_MS)

/* XIDs of late, by direction and side: what comes again is known by them. */
struct ends_datagrams {
	struct ends_recent {
		uint32_t xids[RECENT_MAX];
		uint32_t count;
	} recent[2][2];
};

static uint32_t be32_at(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* True when this direction has had the XID before, at this side; notes it. */
static bool sent_before(struct ends_pair *pair, const struct ends_segment *like)
{
	struct ends_recent *r;
	uint32_t kept;

	if (!pair->datagrams)
		pair->datagrams = mem_alloc(1, sizeof(*pair->datagrams));
	r = &pair->datagrams->recent[like->high][like->side];
	kept = r->count < RECENT_MAX ? r->count : RECENT_MAX;
	for (uint32_t i = 0; i < kept; i++)
		if (r->xids[i] == like->mark)
			return true;
	r->xids[r->count++ % RECENT_MAX] = like->mark;
	return false;
}

/* Of this pair, direction, XID and size. */
static bool is_like(const struct ends_segment *s, const struct ends_segment *like)
{
	return s->pair == like->pair && s->is_datagram && s->high == like->high &&
	       s->mark == like->mark && s->bytes == like->bytes;
}

static uint64_t apart_ns(const struct ends_segment *a, const struct ends_segment *b)
{
	return a->aligned_ns < b->aligned_ns ? (uint64_t)b->aligned_ns - (uint64_t)a->aligned_ns
					     : (uint64_t)a->aligned_ns - (uint64_t)b->aligned_ns;
}

/* The one at the other side that is this very transmission; NULL: none. */
static struct ends_segment *find_twin(struct ends *e, const struct ends_segment *like)
{
	struct ends_segment *s = *ends_bucket(e, like, !like->side), *best = NULL;

	for (unsigned steps = 0; s && steps < ENDS_STEPS_MAX; s = s->after, steps++) {
		if (s->side == like->side || !is_like(s, like))
			continue;
		if (s->ip_id && s->ip_id == like->ip_id)
			return s;
		/* Some rewrite it on the way, but none takes it away from one and not the other. */
		if (!s->ip_id != !like->ip_id || apart_ns(s, like) > (uint64_t)NEAR_NS)
			continue;
		if (!best || apart_ns(s, like) < apart_ns(best, like))
			best = s;
	}
	return best;
}

/* What waits with this XID and direction, at any side, and came before: its fate is known now. */
static void settle(struct ends *e, const struct ends_segment *like, bool high, enum wire_fate fate)
{
	struct ends_segment key = *like;

	key.high = high;
	for (unsigned side = 0; side < 2; side++) {
		struct ends_segment *s = *ends_bucket(e, &key, side);

		for (unsigned steps = 0; s && steps < ENDS_STEPS_MAX; s = s->after, steps++)
			if (s->pair == like->pair && s->is_datagram && s->high == high &&
			    s->side == side && s->mark == like->mark && s->fate == WIRE_FATE_OPEN &&
			    s->aligned_ns < like->aligned_ns)
				s->fate = (uint8_t)fate;
	}
}

void ends_datagram_settle(struct ends *e, struct ends_segment *s)
{
	struct ends_segment *t = *ends_bucket(e, s, !s->side);
	bool found = false;

	for (unsigned steps = 0; t && steps < ENDS_STEPS_MAX; t = t->after, steps++)
		if (t->side != s->side && is_like(t, s))
			found = t->is_unsure = true;
	if (found || (s->is_reply && s->fate == WIRE_FATE_OPEN))
		s->is_unsure = true;
	if (s->is_unsure && !s->maybe_twice) {
		struct event_wire wire = ends_tell(s, WIRE_UNPLACED, NULL, s->bytes, s->again);

		ends_send(e, s, &wire);
		s->maybe_twice = true; /* that is all to be told of it */
	}
}

static void match(struct ends *e, struct ends_segment *s, const struct ends_segment *like)
{
	bool again = s->again || like->again;
	struct event_wire wire = ends_tell(s, WIRE_BOTH, &like->at, s->bytes, again);

	ends_note_both(s);
	wire.sure = s->ip_id && s->ip_id == like->ip_id;
	ends_send(e, s, &wire);
	if (again)
		settle(e, s, s->high, WIRE_FATE_LOST);
	ends_take_out(e, s);
}

void ends_place_datagram(struct ends *e, struct ends_pair *pair, uint8_t side, bool high,
			 const struct provenance *at, const struct packet *packet)
{
	struct ends_side *here = &pair->way[high].side[side];
	struct ends_segment like = {
		.ip_id = packet->ip_id,
		.pair = pair,
		.at = *at,
		.aligned_ns = survey_add_ns(at->at.ns, survey_shift_ns(e->survey, at->evidence)),
		.bytes = (uint32_t)packet->payload_wire_bytes,
		.kind = WIRE_DATA,
		.has_mark_ts = true,
		.high = high,
		.side = side,
		.is_datagram = true,
	};
	struct ends_segment *twin;

	if (packet->payload.len < HEAD_BYTES)
		return;
	like.mark = be32_at(packet->payload.ptr);
	like.from = like.mark;
	like.to = like.mark + 1;
	if (ends_seen_twice(&like, here))
		return;
	like.is_reply = be32_at(packet->payload.ptr + XID_BYTES) == TYPE_REPLY;
	like.again = sent_before(pair, &like);
	like.serial = ++here->serial;
	twin = find_twin(e, &like);
	if (twin)
		match(e, twin, &like);
	else
		ends_wait(e, &like, like.from, like.to);
	if (like.is_reply)
		settle(e, &like, !high, WIRE_FATE_RECEIVED);
	else if (like.again)
		settle(e, &like, !high, WIRE_FATE_LOST);
}
