// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nlm-port-changed: the client talks to a port of the lock manager that is no longer there
 * (catalogue C1). It learnt the port from the portmapper, the lock manager came back at another
 * one, and the client tries the old one until it asks again. Only locks wait: NFS has a port of its
 * own.
 *
 * A port that the portmapper goes on telling while nothing listens there is the same fault: the
 * registration is left over. A port that does not answer at all may as well be filtered: then it is
 * not for this rule to say.
 */
#include "diagnose/rules/host/host_services.h"
#include "diagnose/rules/lock/nlm_common.h"
#include "diagnose/rules/nfs4/nfs4_common.h"
#include "diagnose/rules/rules.h"
#include "diagnose/rules/transport.h"
#include "model/portmap.h"
#include "names/nlm.h"

#include <inttypes.h>

/* A client that is refused asks again at once, and 3 s later: nobody notices less. */
#define TROUBLE_MIN_NS STAMP_NS_PER_S

/* lockd asks again after its major timeout, 60 s; so long a port may be tried in vain before. */
#define TRIED_BEFORE_NS (200 * STAMP_NS_PER_S)

enum { REFUSED_MIN = 2 };

/* What was sent to a port in vain. */
struct vain {
	uint64_t syns, refused, calls;
	struct provenance first, last;
	struct conn conn;                  /* of the first */
	struct provenance first_by, after; /* the first RST; what worked at the port after it */
};

static void vain_add(struct vain *v, const struct conn_record *r, const struct provenance *first,
		     const struct provenance *last)
{
	if (v->first.frame == FRAME_NONE || path_span_ns(first->at, v->first.at) > 0) {
		v->first = *first;
		v->conn = r->conn;
	}
	if (v->last.frame == FRAME_NONE || path_span_ns(v->last.at, last->at) > 0)
		v->last = *last;
}

/* One connection to the port: was it in vain, or did it work? */
static void vain_take(struct vain *v, const struct conn_record *r)
{
	bool udp = r->conn.transport == TRANSPORT_UDP;

	if (udp ? r->replies > 0 : transport_known(&r->established)) {
		v->after = udp ? r->last : r->established;
	} else if (udp && r->calls) {
		v->calls += r->calls;
		vain_add(v, r, &r->first, &r->last);
	} else if (!udp && transport_known(&r->syn)) {
		v->syns += r->syns;
		v->refused += transport_known(&r->refused);
		if (transport_known(&r->refused) && v->first_by.frame == FRAME_NONE)
			v->first_by = r->refused;
		vain_add(v, r, &r->syn,
			 transport_known(&r->refused) ? &r->refused : conn_record_syn_last(r));
	}
}

/* What this client sent in vain to the port from..until. */
static struct vain vain_at(const struct rule_input *in, const struct portmap_service *s,
			   uint16_t port, struct stamp from, struct stamp until)
{
	struct vain v = {0};

	for (size_t i = 0; i < in->conns->records.len; i++) {
		const struct conn_record *r = transport_record(in, i);

		if (r->conn.server.port == port &&
		    endpoint_same_host(&r->conn.server, &s->server) &&
		    endpoint_same_host(&r->conn.client, &s->client) &&
		    path_span_ns(from, r->first.at) >= 0 && path_span_ns(r->first.at, until) > 0)
			vain_take(&v, r);
	}
	return v;
}

/* The first connection of the client to the port after the stamp; NULL: none. */
static const struct conn_record *connected(const struct rule_input *in,
					   const struct portmap_service *s, uint16_t port,
					   struct stamp after)
{
	const struct conn_record *first = NULL;

	for (size_t i = 0; i < in->conns->records.len; i++) {
		const struct conn_record *r = transport_record(in, i);
		bool works = r->conn.transport == TRANSPORT_UDP ? r->replies > 0
								: transport_known(&r->established);

		if (works && r->conn.server.port == port &&
		    endpoint_same_host(&r->conn.server, &s->server) &&
		    endpoint_same_host(&r->conn.client, &s->client) &&
		    path_span_ns(after, r->last.at) > 0 &&
		    (!first || path_span_ns(r->first.at, first->first.at) > 0))
			first = r;
	}
	return first;
}

/*
 * True when the client could not reach other ports of the server either, up to the end of the
 * trouble: then the host was not there, and the port is the least of it.
 */
static bool host_is_away(const struct rule_input *in, const struct portmap_service *s,
			 uint16_t port, const struct vain *v)
{
	for (size_t i = 0; i < in->conns->records.len; i++) {
		const struct conn_record *r = transport_record(in, i);

		if (r->conn.transport == TRANSPORT_TCP && r->conn.server.port != port &&
		    transport_known(&r->syn) && !transport_known(&r->established) &&
		    endpoint_same_host(&r->conn.server, &s->server) &&
		    endpoint_same_host(&r->conn.client, &s->client) &&
		    path_span_ns(v->first.at, r->last.at) > 0 &&
		    path_span_ns(r->last.at, v->last.at) < TROUBLE_MIN_NS)
			return true;
	}
	return false;
}

static const char *vain_text(struct diagnosis *d, const struct vain *v)
{
	if (v->calls)
		return arena_format(&d->arena, "%s over UDP, and none was answered",
				    nfs4_count_text(d, v->calls, "call", "calls"));
	return arena_format(&d->arena, "%s, and %s", nfs4_count_text(d, v->syns, "SYN", "SYNs"),
			    v->refused == v->syns ? "each was refused (RST)"
			    : v->refused          ? "some were refused (RST), others not answered"
						  : "none was answered");
}

static struct finding *begin(struct diagnosis *d, const struct portmap_service *s,
			     const struct vain *v, enum finding_confidence confidence)
{
	struct finding *f = diagnosis_add(d, "nlm-port-changed", confidence);

	finding_set_server(d, f, &s->server);
	finding_add_client(d, f, &s->client);
	nfs4_finding_span(f, &v->first);
	nfs4_finding_span(f, &v->last);
	f->count = v->calls ? v->calls : v->syns;
	finding_cite(d, f, &v->first, &v->conn, "the old port is tried in vain, first");
	finding_cite(d, f, &v->first_by, &v->conn, "RST: nothing listens there");
	finding_cite(d, f, &v->last, &v->conn, "the old port is tried in vain, last");
	return f;
}

/* --- another port was told --- */

static void moved_tell(const struct rule_input *in, struct diagnosis *d,
		       const struct portmap_service *s, const struct portmap_move *move,
		       const struct vain *v)
{
	const struct conn_record *next = connected(in, s, move->to, v->first.at);
	const struct provenance *end = next ? &next->first : &move->told;
	struct finding *f;

	if (path_span_ns(v->first.at, end->at) < TROUBLE_MIN_NS)
		return;
	f = begin(d, s, v, next ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY);
	nfs4_finding_span(f, end);
	finding_subject(d, f, "port", "%u, then %u", move->from, move->to);
	f->title = arena_format(&d->arena, "the lock manager of %s moved from port %u to %u",
				nfs4_host_text(d, &s->server), move->from, move->to);
	f->why = arena_format(
		&d->arena,
		"The portmapper told %s port %u of the lock manager. From %s on that port was "
		"tried in vain: %s. At %s the portmapper told port %u instead%s. Locks waited "
		"for that long; NFS itself has another port.",
		nfs4_host_text(d, &s->client), move->from, nlm_time_text(d, v->first.at),
		vain_text(d, v), nlm_time_text(d, move->told.at), move->to,
		next ? arena_format(&d->arena, ", and at %s the client connected there",
				    nlm_time_text(d, next->first.at))
		     : ", and no connection to it is in the evidence");
	finding_cite(d, f, &move->told_from, &s->conn, "the portmapper tells the old port");
	finding_cite(d, f, &move->told, &s->conn, "the portmapper tells the new port");
	if (next)
		finding_cite(d, f, &next->first, &next->conn,
			     "the client connects to the new port");
	finding_rule_out(d, f, "portmap-unanswered", "the portmapper told the new port when asked");
	if (v->refused && v->refused == v->syns)
		finding_rule_out(d, f, "tcp-syn-unanswered", "each SYN to the old port got an RST");
}

/* --- the port that does not work is told again --- */

static void stale_tell(const struct rule_input *in, struct diagnosis *d,
		       const struct portmap_service *s)
{
	struct stamp from = s->told_first.at, until = stamp_none();
	struct vain v;
	struct finding *f;

	until = s->told_last.at;
	until.ns += TRIED_BEFORE_NS;
	v = vain_at(in, s, s->port, from, until);
	if (v.syns + v.calls == 0 || path_span_ns(v.first.at, v.last.at) < TROUBLE_MIN_NS ||
	    path_span_ns(v.first.at, s->told_last.at) <= 0 ||
	    (v.after.frame != FRAME_NONE && path_span_ns(v.first.at, v.after.at) > 0))
		return;
	if (host_is_away(in, s, s->port, &v))
		return;
	if (v.refused < REFUSED_MIN || v.refused != v.syns) {
		diagnosis_undecided(
			d, "nlm-port-changed",
			"whether the lock manager listens at the port that the portmapper tells",
			"on the server: ss -ltn; rpcinfo -p; nft list ruleset");
		return;
	}
	f = begin(d, s, &v, CONFIDENCE_LIKELY);
	nfs4_finding_span(f, &s->told_last);
	finding_subject(d, f, "port", "%u", s->port);
	f->title = arena_format(
		&d->arena,
		"nothing listens at port %u, which the portmapper of %s tells for the lock "
		"manager",
		s->port, nfs4_host_text(d, &s->server));
	f->why = arena_format(
		&d->arena,
		"From %s on %s tried the port: %s. At %s the portmapper still told it: the "
		"registration is left over, and the lock manager is gone, or elsewhere.",
		nlm_time_text(d, v.first.at), nfs4_host_text(d, &s->client), vain_text(d, &v),
		nlm_time_text(d, s->told_last.at));
	finding_cite(d, f, &s->told_last, &s->conn, "the portmapper still tells that port");
	finding_rule_out(d, f, "portmap-unanswered", "the portmapper tells a port when asked");
}

static void service_run(const struct rule_input *in, struct diagnosis *out,
			const struct portmap_service *s)
{
	for (uint32_t i = 0; i < s->moves_len; i++) {
		const struct portmap_move *move = &s->moves[i];
		struct stamp from = move->told_from.at;
		struct vain v;

		v = vain_at(in, s, move->from, from, move->told.at);
		if (v.syns + v.calls &&
		    path_span_ns(v.first.at, move->told.at) <= TRIED_BEFORE_NS &&
		    !host_is_away(in, s, move->from, &v))
			moved_tell(in, out, s, move, &v);
	}
	if (s->told)
		stale_tell(in, out, s);
}

static void run(const struct rule_input *in, struct diagnosis *out)
{
	for (size_t i = 0; i < in->portmap->services.len; i++) {
		const struct portmap_service *s =
			*(struct portmap_service **)vec_at(&in->portmap->services, i);

		if (s->program == NLM_PROG)
			service_run(in, out, s);
	}
	host_services_moved(in, out);
}

const struct rule rule_nlm_port_changed = {
	.id = "nlm-port-changed",
	.needs = "a capture that shows the portmapper's answers and the attempts to connect",
	.run = run,
};
