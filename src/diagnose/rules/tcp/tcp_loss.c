// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Segments that do not arrive while others do (catalogue B9, B10):
 *
 * tcp-large-segments-lost  only the largest are sent again in vain: path MTU
 * tcp-loss                 retransmissions in plenty, and a wait for each
 *
 * A receiver's capture does not tell the first of them: what never arrives looks as what was never
 * sent. Nor does a hole in front of a small last segment tell what would have filled it.
 *
 * Loss happens in every network. It is a finding only where calls must have waited for seconds.
 */
#include "diagnose/rules/rules.h"
#include "diagnose/rules/transport.h"

#include <inttypes.h>

/* Loss: so many separate waits, so long together, and of so many segments at least one. */
enum { LOSS_STALLS_MIN = 20, LOSS_SHARE = 100, LOSS_CITES = 3 };
#define LOSS_WAITED_NS (10 * STAMP_NS_PER_S)

/*
 * Large segments: smaller ones fit through any link (RFC 8200: 1280 bytes in IPv6); the window of a
 * beginning connection holds so many, and they are all that was ever sent.
 */
enum { LARGE_BYTES_MIN = 1000, LARGE_REPEATS_MIN = 4, LARGE_WINDOW_SEGMENTS = 64 };
#define LARGE_WAITED_NS (5 * STAMP_NS_PER_S)

/* What was on its way when the stall began arrives within so many round trips of the handshake. */
enum { IN_FLIGHT_ROUND_TRIPS = 2 };
#define IN_FLIGHT_NS (STAMP_NS_PER_S / 20)

/* The other side said something on this connection that it must have sent after the stall began. */
static bool heard_since(const struct path_stall *s, const struct conn_record *r)
{
	int64_t round_trip_ns = path_span_ns(r->syn.at, r->established.at);
	int64_t after_ns = path_span_ns(s->since.at, s->heard.at);

	return transport_known(&s->heard) && transport_known(&r->syn) &&
	       transport_known(&r->established) && after_ns > IN_FLIGHT_NS &&
	       after_ns / IN_FLIGHT_ROUND_TRIPS > round_trip_ns;
}

static bool is_within(const struct provenance *p, const struct path_stall *s)
{
	return transport_known(p) && path_span_ns(s->first.at, p->at) > 0 &&
	       path_span_ns(p->at, s->last.at) > 0;
}

/* The other host was heard during the stall: on this connection, or on another one. */
static const struct provenance *heard_during(const struct rule_input *in,
					     const struct path_stall *s)
{
	const struct conn_record *own = conn_model_find(in->conns, s->conn.serial);

	if (transport_known(&s->quiet.until) && s->quiet.until.frame < s->last.frame)
		return &s->quiet.until;
	if (own && heard_since(s, own))
		return &s->heard;
	for (size_t i = 0; i < in->conns->records.len; i++) {
		const struct conn_record *r = transport_record(in, i);

		if (r->conn.serial == s->conn.serial || r->conn.evidence != s->conn.evidence ||
		    !endpoint_same_host(&r->conn.client, &s->conn.client) ||
		    !endpoint_same_host(&r->conn.server, &s->conn.server))
			continue;
		if (is_within(&r->established, s))
			return &r->established;
		if (s->from == CONN_FROM_CLIENT && is_within(&r->replied, s))
			return &r->replied;
	}
	return NULL;
}

bool transport_stall_is_large(const struct rule_input *in, const struct path_stall *s)
{
	const struct conn_record *r = conn_model_find(in->conns, s->conn.serial);

	if (s->repeats < LARGE_REPEATS_MIN || s->full != s->repeats ||
	    s->bytes_min < LARGE_BYTES_MIN || transport_known(&s->progress) ||
	    path_span_ns(s->since.at, s->last.at) < LARGE_WAITED_NS)
		return false;
	/* Where more than a first window went through, segments of that size did. */
	return r && r->ended && !r->conn.joined &&
	       r->totals.payload_bytes[s->from] < LARGE_WINDOW_SEGMENTS * s->bytes_max &&
	       transport_port_is_nfs(in, &s->conn.server) && heard_during(in, s);
}

bool transport_stall_may_be_large(const struct rule_input *in, const struct path_stall *s)
{
	return s->bytes_min >= LARGE_BYTES_MIN && !transport_known(&s->progress) &&
	       s->repeats >= LARGE_REPEATS_MIN && heard_during(in, s);
}

static const char *large_where(const struct rule_input *in, struct diagnosis *d, struct finding *f,
			       const struct path_stall *s)
{
	struct transport_sight sight;

	if (!transport_sight(in, &s->conn, s->from, s->since.at, s->last.at, &sight))
		return "";
	transport_sight_cite(d, f, &s->conn, &sight);
	return arena_format(&d->arena, " %s",
			    transport_sight_text(in, d, &s->conn, s->from, &sight));
}

static void large_tell(const struct rule_input *in, struct diagnosis *d, const struct path_stall *s)
{
	struct finding *f = transport_finding(d, "tcp-large-segments-lost", CONFIDENCE_LIKELY,
					      &s->conn, s->since.at, s->last.at);
	bool from_client = s->from == CONN_FROM_CLIENT;

	f->count = s->repeats;
	f->title = arena_format(&d->arena, "segments of %" PRIu64 " bytes from %s do not arrive",
				s->bytes_max,
				transport_host(d, from_client ? &s->conn.client : &s->conn.server));
	f->why = arena_format(
		&d->arena,
		"The largest segments (%" PRIu64 " bytes of data) were sent again %" PRIu32
		" times from %s on and never acknowledged, while smaller ones pass and the other "
		"host is heard: something on the way cannot carry packets of that size, and does "
		"not say so, or its ICMP message is dropped.%s",
		s->bytes_max, s->repeats, transport_time(d, s->first.at), large_where(in, d, f, s));
	finding_cite(d, f, &s->since, &s->conn, "sent first, or the last progress");
	for (uint32_t i = 0; i < s->cites_len; i++)
		finding_cite(d, f, &s->cites[i], &s->conn, "a full segment again");
	finding_cite(d, f, heard_during(in, s), &s->conn, "the other host is heard meanwhile");
	finding_cite(d, f, &s->last, &s->conn, "a full segment again, for the last time");
	finding_rule_out(d, f, "tcp-path-silent", "the other host was heard meanwhile");
	finding_rule_out(d, f, "tcp-loss", "all that was sent again in that time is of this size");
}

static void large_run(const struct rule_input *in, struct diagnosis *out)
{
	for (size_t i = 0; i < in->path->stalls.len; i++) {
		const struct path_stall *s = vec_at(&in->path->stalls, i);

		if (transport_stall_is_large(in, s))
			large_tell(in, out, s);
	}
}

/* What goes the other way is lost between two captures, acknowledgements too. */
static bool loss_is_back(const struct rule_input *in, const struct path_conn *c,
			 enum conn_side side)
{
	enum conn_side back = conn_other_side(side);
	struct wire_tale t;

	return wire_ask(in->wire, c->conn.serial, back, &t) && t.is_shown &&
	       t.lost + t.way->bare_alone[t.sender] > 0;
}

/* Where two captures show it: how much was lost between them. */
static const char *loss_where(const struct rule_input *in, struct diagnosis *d,
			      const struct path_conn *c, enum conn_side side)
{
	const char *near_sender, *near_receiver;
	struct wire_tale t;

	if (!in->wire || !wire_ask(in->wire, c->conn.serial, side, &t) || !t.is_shown)
		return " They were lost, or what acknowledged them was: a capture at the other end "
		       "tells.";
	near_sender = evidence_list_at(in->evidence, t.near_sender)->id;
	near_receiver = evidence_list_at(in->evidence, t.near_receiver)->id;
	if (t.lost == 0)
		return arena_format(&d->arena,
				    " None of them was lost between %s, taken nearer to the "
				    "sender, and %s, nearer to the receiver, which shows %" PRIu64
				    " of its segments too: they, or their acknowledgements, are "
				    "lost %s.",
				    near_sender, near_receiver, t.arrived,
				    loss_is_back(in, c, side) ? "on the way back between the two"
							      : "beyond the two captures");
	return arena_format(&d->arena,
			    " Two captures show where: %" PRIu64
			    " of its segments are in %s, taken nearer to the sender, and not in "
			    "%s, nearer to the receiver; %" PRIu64 " are in both.",
			    t.lost, near_sender, near_receiver, t.arrived);
}

/* Some of the waits: where each began, and what ended it. */
static void loss_cite_stalls(const struct rule_input *in, struct diagnosis *d, struct finding *f,
			     const struct path_conn *c, enum conn_side side)
{
	uint32_t cited = 0;

	for (size_t i = 0; i < in->path->stalls.len && cited < LOSS_CITES; i++) {
		const struct path_stall *s = vec_at(&in->path->stalls, i);

		if (s->conn.serial != c->conn.serial || s->from != side)
			continue;
		finding_cite(d, f, &s->first, &c->conn, "sent again");
		finding_cite(d, f, &s->progress, &c->conn, "acknowledged, %s after the first copy",
			     transport_duration(d, path_span_ns(s->since.at, s->progress.at)));
		cited++;
	}
}

static void loss_tell(const struct rule_input *in, struct diagnosis *d, const struct path_conn *c,
		      enum conn_side side, const struct conn_record *r)
{
	struct finding *f = transport_finding(d, "tcp-loss", CONFIDENCE_LIKELY, &c->conn,
					      r->totals.first.at, r->totals.last.at);
	bool from_client = side == CONN_FROM_CLIENT;

	f->count = c->repeats[side];
	f->title = arena_format(&d->arena, "%s had to send %" PRIu64 " segments to %s again",
				transport_host(d, from_client ? &c->conn.client : &c->conn.server),
				c->repeats[side],
				transport_host(d, from_client ? &c->conn.server : &c->conn.client));
	f->why = arena_format(&d->arena,
			      "Of %" PRIu64 " segments of %s %" PRIu64
			      " were sent again before they were acknowledged, in %" PRIu32
			      " separate waits of %s together.%s",
			      r->totals.segments[side],
			      transport_host(d, from_client ? &c->conn.client : &c->conn.server),
			      c->repeats[side], c->stalls[side],
			      transport_duration(d, c->stalled_ns[side]),
			      loss_where(in, d, c, side));
	for (uint32_t i = 0; i < c->open[side].cites_len; i++)
		finding_cite(d, f, &c->open[side].cites[i], &c->conn, "sent again");
	loss_cite_stalls(in, d, f, c, side);
	finding_rule_out(d, f, "tcp-path-silent", "each wait is over after %s on average",
			 transport_duration(d, c->stalled_ns[side] / c->stalls[side]));
}

static void loss_run(const struct rule_input *in, struct diagnosis *out)
{
	for (size_t i = 0; i < in->path->conns.len; i++) {
		const struct path_conn *c = *(struct path_conn **)vec_at(&in->path->conns, i);
		const struct conn_record *r = conn_model_find(in->conns, c->conn.serial);

		for (enum conn_side side = CONN_FROM_CLIENT; side <= CONN_FROM_SERVER; side++)
			if (r && r->ended && c->stalls[side] >= LOSS_STALLS_MIN &&
			    c->stalled_ns[side] >= LOSS_WAITED_NS &&
			    c->repeats[side] >= r->totals.segments[side] / LOSS_SHARE &&
			    transport_port_is_nfs(in, &c->conn.server))
				loss_tell(in, out, c, side, r);
	}
}

const struct rule rule_tcp_large_segments_lost = {
	.id = "tcp-large-segments-lost",
	.needs = "a capture that shows the connection from its beginning, in both directions",
	.run = large_run,
};

const struct rule rule_tcp_loss = {
	.id = "tcp-loss",
	.needs = "a capture that shows both directions",
	.run = loss_run,
};
