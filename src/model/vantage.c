// SPDX-License-Identifier: GPL-2.0-or-later
/* See vantage.h. */
#include "model/vantage.h"

/* Connections looked at, and how much nearer one side must be by the times of handshakes. */
enum { VANTAGE_CONNS = 64, VANTAGE_FACTOR = 3 };

/* So many segments must have been seen; a checksum is as if not filled in once in 65536 times. */
enum { VANTAGE_SEGMENTS_MIN = 4, VANTAGE_STRAY_PART = 50 };

/* Hop counts at their start. */
static const uint8_t vantage_ttls[] = {32, 64, 128, 255};

/* What the connections between two hosts show together, by enum conn_side. */
struct vantage_signs {
	uint64_t small[2], marked[2], unfilled[2];
	bool at_start[2], on_way[2]; /* of the hop count */
	int64_t there_ns, back_ns;   /* SYN to SYN-ACK, SYN-ACK to ACK */
};

static int64_t vantage_span_ns(const struct provenance *a, const struct provenance *b)
{
	int64_t ns;

	if (a->at.clock != b->at.clock || __builtin_sub_overflow(b->at.ns, a->at.ns, &ns))
		return 0;
	return ns > 0 ? ns : 0;
}

static bool vantage_ttl_is_start(uint8_t ttl)
{
	for (size_t i = 0; i < sizeof(vantage_ttls); i++)
		if (ttl == vantage_ttls[i])
			return true;
	return false;
}

/* A quick handshake without repetitions. */
static void vantage_add_handshake(struct vantage_signs *s, const struct conn_record *r)
{
	int64_t there = vantage_span_ns(&r->syn, &r->syn_ack);
	int64_t back = vantage_span_ns(&r->syn_ack, &r->established);

	if (r->syns != 1 || r->syn_acks != 1 || r->established.frame == FRAME_NONE ||
	    there >= STAMP_NS_PER_S || back >= STAMP_NS_PER_S)
		return;
	s->there_ns += there;
	s->back_ns += back;
}

static void vantage_add(struct vantage_signs *s, const struct conn_record *r)
{
	vantage_add_handshake(s, r);
	if (!r->ended)
		return;
	for (int side = 0; side < 2; side++) {
		s->small[side] += r->totals.small[side];
		s->marked[side] += r->totals.marked[side];
		s->unfilled[side] += r->totals.unfilled[side];
		if (r->totals.ttl[side] == 0)
			continue;
		if (vantage_ttl_is_start(r->totals.ttl[side]))
			s->at_start[side] = true;
		else
			s->on_way[side] = true;
	}
}

static struct vantage vantage_at(int side, enum vantage_reason reason, bool on_host)
{
	return (struct vantage){.place = side == CONN_FROM_CLIENT ? VANTAGE_AT_CLIENT
								  : VANTAGE_AT_SERVER,
				.reason = reason,
				.on_host = on_host};
}

static struct vantage vantage_judge(const struct vantage_signs *s)
{
	/* `-i any` on a host that forwards marks both. */
	if (s->marked[0] && s->marked[1])
		return (struct vantage){.place = VANTAGE_BETWEEN, .reason = VANTAGE_BY_LINK};
	for (int side = 0; side < 2; side++) {
		int other = 1 - side;

		if (s->marked[side])
			return vantage_at(side, VANTAGE_BY_LINK, true);
		/* Between guests of one machine checksums are never filled in, of neither side. */
		if (s->small[side] >= VANTAGE_SEGMENTS_MIN &&
		    s->unfilled[side] > s->small[side] / 2 &&
		    s->small[other] >= VANTAGE_SEGMENTS_MIN &&
		    s->unfilled[other] <= s->small[other] / VANTAGE_STRAY_PART)
			return vantage_at(side, VANTAGE_BY_CHECKSUMS, true);
	}
	if (s->there_ns > VANTAGE_FACTOR * s->back_ns)
		return vantage_at(CONN_FROM_CLIENT, VANTAGE_BY_TIMES, false);
	if (s->back_ns > VANTAGE_FACTOR * s->there_ns)
		return vantage_at(CONN_FROM_SERVER, VANTAGE_BY_TIMES, false);
	for (int side = 0; side < 2; side++)
		if (s->at_start[side] && !s->on_way[side] && s->on_way[1 - side] &&
		    !s->at_start[1 - side])
			return vantage_at(side, VANTAGE_BY_HOPS, false);
	/* A host sees its own segments with the hop count that it gave them. */
	if (s->on_way[0] && s->on_way[1] && !s->at_start[0] && !s->at_start[1])
		return (struct vantage){.place = VANTAGE_BETWEEN, .reason = VANTAGE_BY_HOPS};
	return (struct vantage){0};
}

struct vantage vantage_of(const struct conn_model *conns, const struct conn *conn)
{
	struct vantage_signs signs = {0};
	uint32_t seen = 0;

	for (size_t i = 0; i < conns->records.len && seen < VANTAGE_CONNS; i++) {
		const struct conn_record *r = *(struct conn_record **)vec_at(&conns->records, i);

		if (r->conn.evidence != conn->evidence || r->conn.transport != TRANSPORT_TCP ||
		    !endpoint_same_host(&r->conn.client, &conn->client) ||
		    !endpoint_same_host(&r->conn.server, &conn->server))
			continue;
		vantage_add(&signs, r);
		seen++;
	}
	return vantage_judge(&signs);
}

const char *vantage_reason_text(enum vantage_reason reason)
{
	static const char *const texts[VANTAGE_REASON_COUNT] = {
		[VANTAGE_BY_NOTHING] = "",
		[VANTAGE_BY_LINK] = "by the direction that its link layer tells",
		[VANTAGE_BY_CHECKSUMS] = "by checksums that are not filled in yet",
		[VANTAGE_BY_TIMES] = "by the times of handshakes",
		[VANTAGE_BY_HOPS] = "by hop counts",
	};

	return texts[reason];
}
