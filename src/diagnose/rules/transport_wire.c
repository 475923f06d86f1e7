// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a second capture of the same connection tells about segments that got no answer: whether
 * they were lost between the two, or came to the other end. See model/wire/wire.h.
 */
#include "diagnose/rules/transport.h"

#include <inttypes.h>

/* A capture that misses more than one segment in so many proves no loss by what it lacks. */
enum { SIGHT_MISSED_PART = 4 };

static const char *sight_evidence(const struct rule_input *in, uint32_t index)
{
	return index < in->evidence->items.len ? evidence_list_at(in->evidence, index)->id : "";
}

/* What the receiver sent meanwhile and the sender's capture lacks. */
static void sight_answers(const struct rule_input *in, const struct conn *conn, enum conn_side from,
			  struct stamp first, struct stamp last, struct transport_sight *s)
{
	enum conn_side back = conn_other_side(from);
	struct wire_tale tale;
	struct wire_span span;

	if (!wire_ask(in->wire, conn->serial, back, &tale) || !tale.is_shown)
		return;
	span = wire_tale_span(&tale, first, last);
	if (span.lost && !span.arrived) {
		s->answers_lost = span.lost;
		s->answer = span.lost_first->at[tale.sender];
	} else if (wire_tale_bare_within(&tale, first, last)) {
		s->answers_lost = tale.way->bare_alone[tale.sender];
		s->answer = tale.way->bare_last[tale.sender];
	}
}

bool transport_sight(const struct rule_input *in, const struct conn *conn, enum conn_side from,
		     struct stamp first, struct stamp last, struct transport_sight *out)
{
	const struct wire_tale *t = &out->tale;
	struct wire_span span;

	*out = (struct transport_sight){0};
	if (!in->wire || !wire_ask(in->wire, conn->serial, from, &out->tale) || !t->is_shown)
		return false;
	span = wire_tale_span(t, first, last);
	out->arrived = span.arrived;
	out->lost = span.lost;
	if (span.lost) {
		out->lost_first = span.lost_first->at[t->sender];
		out->lost_last = span.lost_last->at[t->sender];
	}
	if (span.arrived) {
		out->arrived_there = span.arrived_last->at[!t->sender];
		out->arrived_here = span.arrived_last->at[t->sender];
	}
	if (span.lost && (t->not_shown > (t->lost + t->arrived) / SIGHT_MISSED_PART ||
			  evidence_list_at(in->evidence, t->near_receiver)->dropped_packets))
		return false;
	if (span.arrived && !span.lost)
		sight_answers(in, conn, from, first, last, out);
	return span.arrived || span.lost;
}

/* They came to the other capture: who lets them fall behind that, or what became of the answers. */
static const char *sight_arrived_text(const struct rule_input *in, struct diagnosis *d,
				      const struct conn *conn, enum conn_side from,
				      const struct transport_sight *s)
{
	const char *there = sight_evidence(in, s->tale.near_receiver);
	const char *receiver =
		transport_host(d, from == CONN_FROM_CLIENT ? &conn->server : &conn->client);
	struct conn seen = *conn;
	struct vantage v;

	if (s->answers_lost)
		return arena_format(&d->arena,
				    "They arrived: they are in %s too, taken nearer to %s (frame "
				    "%" PRIu64
				    "), and what %s sent in answer, in %s, is not in %s: "
				    "lost on the way back between the two captures.",
				    there, receiver, s->arrived_there.frame, receiver, there,
				    sight_evidence(in, s->tale.near_sender));
	seen.evidence = s->tale.near_receiver;
	v = vantage_of(in->conns, &seen);
	return arena_format(
		&d->arena,
		"They were not lost between the two captures: they are in %s too, taken nearer to "
		"%s (frame %" PRIu64 "). %s",
		there, receiver, s->arrived_there.frame,
		v.on_host && v.place != VANTAGE_BETWEEN
			? arena_format(&d->arena,
				       "That capture was taken on %s itself (%s): the host had "
				       "them, and gave no answer.",
				       receiver, vantage_reason_text(v.reason))
			: arena_format(&d->arena,
				       "If that one was taken on %s itself, the host had them and "
				       "gave no answer.",
				       receiver));
}

const char *transport_sight_text(const struct rule_input *in, struct diagnosis *d,
				 const struct conn *conn, enum conn_side from,
				 const struct transport_sight *s)
{
	const char *here = sight_evidence(in, s->tale.near_sender);
	const char *there = sight_evidence(in, s->tale.near_receiver);
	const struct endpoint *receiver = from == CONN_FROM_CLIENT ? &conn->server : &conn->client;

	if (s->lost && !s->arrived)
		return arena_format(&d->arena,
				    "Two captures show where: %" PRIu64
				    " of them are in %s, and none of these is in %s, taken nearer "
				    "to %s, which goes on in that time: they are lost between the "
				    "two captures.",
				    s->lost, here, there, transport_host(d, receiver));
	if (s->lost)
		return arena_format(&d->arena,
				    "Of them %" PRIu64 " are in %s and not in %s, taken nearer to "
				    "%s: lost between the two captures; %" PRIu64 " arrived there.",
				    s->lost, here, there, transport_host(d, receiver), s->arrived);
	return sight_arrived_text(in, d, conn, from, s);
}

void transport_sight_cite(struct diagnosis *d, struct finding *f, const struct conn *conn,
			  const struct transport_sight *s)
{
	if (s->lost) {
		finding_cite(d, f, &s->lost_first, conn,
			     "the first that the capture at the other end does not show");
		finding_cite(d, f, &s->lost_last, conn,
			     "the last that the capture at the other end does not show");
	} else if (s->arrived) {
		finding_cite(d, f, &s->arrived_there, conn, "it arrived at the other end");
		if (s->answers_lost)
			finding_cite(d, f, &s->answer, conn,
				     "sent in answer, and not shown at the first end");
	}
}

const char *transport_ends_text(const struct rule_input *in, struct diagnosis *d,
				const struct conn *conn)
{
	struct wire_tale to, back;

	if (!in->wire || !wire_ask(in->wire, conn->serial, CONN_FROM_CLIENT, &to) ||
	    !wire_ask(in->wire, conn->serial, CONN_FROM_SERVER, &back) || !to.is_shown ||
	    !back.is_shown || to.record != back.record || to.lost || back.lost ||
	    to.not_shown + to.not_caught + back.not_shown + back.not_caught || to.way->unplaced ||
	    back.way->unplaced || wire_tale_is_late(&to) || wire_tale_is_late(&back))
		return "";
	return arena_format(
		&d->arena,
		" Nothing of this connection was lost between %s, taken nearer to the "
		"client, and %s, nearer to the server: %" PRIu64
		" segments of the client and %" PRIu64
		" of the server are in both. What was late or missing is the server's, or "
		"lies between that capture and it.",
		sight_evidence(in, to.near_sender), sight_evidence(in, to.near_receiver),
		to.arrived, back.arrived);
}

const char *transport_where(const struct rule_input *in, struct diagnosis *d, struct finding *f,
			    const struct transport_trouble *t, enum conn_side from)
{
	struct stamp last = t->cite_last.at;
	struct transport_sight s;

	if (t->over)
		last.ns--; /* that one came through, or its answer did */
	if (!transport_sight(in, &t->conn, from, t->first, last, &s))
		return transport_place_tells(in, d, &t->conn, from);
	transport_sight_cite(d, f, &t->conn, &s);
	return transport_sight_text(in, d, &t->conn, from, &s);
}
