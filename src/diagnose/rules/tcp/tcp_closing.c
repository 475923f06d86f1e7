// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Connections that do not end (catalogue B4, B5; RFC 9293 section 3.6). A Linux client connects
 * anew only when the old connection is gone, so that whoever wants to call meanwhile waits:
 *
 * tcp-fin-unanswered  its FIN is sent again and again, and nothing comes back
 * tcp-half-closed     its FIN is acknowledged, and the server never sends its own
 *
 * From a capture of one side it cannot be told whether the FIN or its answer was lost.
 */
#include "diagnose/rules/rules.h"
#include "diagnose/rules/transport.h"

#include <inttypes.h>

/* Linux sends a FIN again as it does data: after so long nothing was merely lost once or twice. */
#define FIN_MIN_NS (10 * STAMP_NS_PER_S)
enum { FINS_MIN = 4 };

/* A server closes at once; a busy one takes a second. */
#define HALF_MIN_NS (15 * STAMP_NS_PER_S)

/* So long after the last FIN a new connection still has waited for the end of the old one. */
#define FOLLOWS_NS (150 * STAMP_NS_PER_S)

/* What came after it between the same hosts, at the same server port or where it has moved to. */
struct sequel {
	const struct conn_record *next; /* the first one to begin after the FIN; NULL: none */
	bool meanwhile;                 /* another one was begun, or was at work, meanwhile */
	bool same_ports;                /* `next` uses the same source port */
};

/* Calls that were on the connection and never answered there; NULL: none. */
static const struct path_wait *waiting(const struct rule_input *in, const struct conn_record *r)
{
	for (size_t i = 0; i < in->path->waits.len; i++) {
		const struct path_wait *w = vec_at(&in->path->waits, i);

		if (w->conn.serial == r->conn.serial)
			return w;
	}
	return NULL;
}

static struct sequel sequel_of(const struct rule_input *in, const struct conn_record *r,
			       struct stamp fin, struct stamp fin_last)
{
	struct sequel s = {0};

	for (size_t i = 0; i < in->conns->records.len; i++) {
		const struct conn_record *o = transport_record(in, i);

		if (o == r || o->conn.transport != TRANSPORT_TCP ||
		    o->conn.evidence != r->conn.evidence ||
		    !endpoint_same_host(&o->conn.server, &r->conn.server) ||
		    !endpoint_same_host(&o->conn.client, &r->conn.client))
			continue;
		/* A service that has moved is called from the same source port. */
		if (o->conn.server.port != r->conn.server.port &&
		    o->conn.client.port != r->conn.client.port)
			continue;
		if (o->conn.server.port == r->conn.server.port &&
		    path_span_ns(o->first.at, fin_last) > 0 && path_span_ns(fin, o->last.at) > 0)
			s.meanwhile = true;
		if (path_span_ns(fin, o->first.at) > 0 &&
		    (!s.next || path_span_ns(o->first.at, s.next->first.at) > 0))
			s.next = o;
	}
	s.same_ports = s.next && s.next->conn.client.port == r->conn.client.port;
	return s;
}

/* True when data before the FIN was in vain already: then the FIN is not what began it. */
static bool silent_before(const struct rule_input *in, const struct conn_record *r)
{
	for (size_t i = 0; i < in->path->stalls.len; i++) {
		const struct path_stall *s = vec_at(&in->path->stalls, i);

		if (s->conn.serial == r->conn.serial && s->from == CONN_FROM_CLIENT &&
		    !transport_known(&s->progress))
			return true;
	}
	return false;
}

static bool fin_is_unanswered(const struct rule_input *in, const struct conn_record *r)
{
	const struct provenance *fin = &r->fin[CONN_FROM_CLIENT];
	const struct provenance *last = conn_record_fin_last(r, CONN_FROM_CLIENT);
	const struct provenance *heard = &conn_record_odds(r)->fin_heard[CONN_FROM_CLIENT];

	if (r->conn.transport != TRANSPORT_TCP || r->fins[CONN_FROM_CLIENT] < FINS_MIN ||
	    r->fin_acked[CONN_FROM_SERVER] || path_span_ns(fin->at, last->at) < FIN_MIN_NS)
		return false;
	/* Both directions are in the capture: the server was heard on this connection, but not
	 * since; or it repeats a FIN of its own, as nothing of the client's reaches it. */
	if (transport_known(&r->fin[CONN_FROM_SERVER])
		    ? r->fins[CONN_FROM_SERVER] < FINS_MIN
		    : !transport_known(heard) || heard->frame > fin->frame)
		return false;
	return transport_port_is_nfs(in, &r->conn.server) && !silent_before(in, r);
}

static void fin_tell(const struct rule_input *in, struct diagnosis *d, const struct conn_record *r)
{
	const struct provenance *fin = &r->fin[CONN_FROM_CLIENT];
	const struct provenance *last = conn_record_fin_last(r, CONN_FROM_CLIENT);
	struct sequel s = sequel_of(in, r, fin->at, last->at);
	bool follows = s.next && path_span_ns(last->at, s.next->first.at) <= FOLLOWS_NS;
	const char *client = transport_endpoint(d, &r->conn.client);
	const char *server = transport_endpoint(d, &r->conn.server);
	bool closing = transport_known(&r->fin[CONN_FROM_SERVER]);
	struct transport_trouble trouble = {.conn = r->conn, .first = fin->at, .cite_last = *last};
	struct finding *f;

	if (s.meanwhile)
		return; /* nobody had to wait for it */
	f = transport_finding(d, "tcp-fin-unanswered",
			      follows || waiting(in, r) ? CONFIDENCE_LIKELY : CONFIDENCE_POSSIBLE,
			      &r->conn, fin->at, follows ? s.next->first.at : last->at);
	f->count = r->fins[CONN_FROM_CLIENT];
	finding_subject(d, f, "client port", "%u", r->conn.client.port);
	f->title = arena_format(&d->arena, "%s did not answer the FIN of %s for %s", server, client,
				transport_duration(d, path_span_ns(f->first, f->last)));
	f->why = arena_format(
		&d->arena,
		"%s sent its FIN %" PRIu32 " times from %s on, and %s %s. A Linux "
		"client does not connect anew before the old connection is gone.%s "
		"%s",
		client, r->fins[CONN_FROM_CLIENT], transport_time(d, fin->at),
		closing ? "it was not acknowledged, while FINs kept coming from"
			: "nothing came back from",
		server,
		!follows       ? " No new connection is in the evidence."
		: s.same_ports ? arena_format(&d->arena,
					      " At %s this one did, from the same port, to "
					      "%s.",
					      transport_time(d, s.next->first.at),
					      transport_endpoint(d, &s.next->conn.server))
			       : arena_format(&d->arena, " At %s this one did, from port %u.",
					      transport_time(d, s.next->first.at),
					      s.next->conn.client.port),
		transport_where(in, d, f, &trouble, CONN_FROM_CLIENT));
	finding_cite(d, f, &conn_record_odds(r)->fin_heard[CONN_FROM_CLIENT], &r->conn,
		     "the last that was heard of the server on this connection");
	finding_cite(d, f, fin, &r->conn, "the first FIN");
	finding_cite(d, f, last, &r->conn, "the last FIN, unanswered like the others");
	if (follows)
		finding_cite(d, f, &s.next->first, &s.next->conn, "the next connection");
	if (closing)
		finding_cite(d, f, conn_record_fin_last(r, CONN_FROM_SERVER), &r->conn,
			     "a FIN of the server, which does not acknowledge the client's");
	finding_rule_out(d, f, "tcp-half-closed", "the FIN was not even acknowledged");
	finding_rule_out(d, f, "tcp-path-silent", "no data was outstanding when the FIN was sent");
}

static void fin_run(const struct rule_input *in, struct diagnosis *out)
{
	for (size_t i = 0; i < in->conns->records.len; i++) {
		const struct conn_record *r = transport_record(in, i);

		if (fin_is_unanswered(in, r))
			fin_tell(in, out, r);
	}
}

static void half_tell(const struct rule_input *in, struct diagnosis *d, const struct conn_record *r)
{
	const struct path_wait *w = waiting(in, r);
	const struct provenance *fin = &r->fin[CONN_FROM_CLIENT];
	struct stamp end = transport_evidence_end(in, r->conn.evidence);
	struct sequel s = sequel_of(in, r, fin->at, end);
	struct finding *f;

	if (s.next)
		end = s.next->first.at;
	if (!w || path_span_ns(fin->at, end) < HALF_MIN_NS)
		return;
	f = transport_finding(d, "tcp-half-closed", CONFIDENCE_LIKELY, &r->conn, fin->at, end);
	f->count = w->count;
	finding_subject(d, f, "client port", "%u", r->conn.client.port);
	f->title = arena_format(&d->arena, "%s does not close its side of a connection of %s",
				transport_endpoint(d, &r->conn.server),
				transport_endpoint(d, &r->conn.client));
	f->why = arena_format(
		&d->arena,
		"The client's FIN at %s was acknowledged, and no FIN of the server came in %s. "
		"%" PRIu64
		" %s on the connection, and a Linux client does not connect anew before it is "
		"gone.",
		transport_time(d, fin->at), transport_duration(d, path_span_ns(fin->at, end)),
		w->count, w->count == 1 ? "call was unanswered" : "calls were unanswered");
	finding_cite(d, f, fin, &r->conn, "the client's FIN");
	finding_cite(d, f, &w->first, &r->conn, "a call that was never answered on it");
	if (s.next)
		finding_cite(d, f, &s.next->first, &s.next->conn, "the next connection");
	finding_rule_out(d, f, "tcp-fin-unanswered", "the FIN was acknowledged");
}

static void half_run(const struct rule_input *in, struct diagnosis *out)
{
	for (size_t i = 0; i < in->conns->records.len; i++) {
		const struct conn_record *r = transport_record(in, i);

		if (r->conn.transport == TRANSPORT_TCP && r->fins[CONN_FROM_CLIENT] &&
		    r->fin_acked[CONN_FROM_SERVER] && !r->fins[CONN_FROM_SERVER] &&
		    !transport_known(&r->rst) && !r->conn.lossy &&
		    transport_port_is_nfs(in, &r->conn.server))
			half_tell(in, out, r);
	}
}

const struct rule rule_tcp_fin_unanswered = {
	.id = "tcp-fin-unanswered",
	.needs = "a capture that shows both directions of the connection",
	.run = fin_run,
};

const struct rule rule_tcp_half_closed = {
	.id = "tcp-half-closed",
	.needs = "a capture without loss that shows both directions of the connection",
	.run = half_run,
};
