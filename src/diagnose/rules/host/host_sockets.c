// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What lists of connections (ss, netstat) tell of TCP, each for its id:
 *
 * tcp-syn-unanswered         SYN-SENT whose SYN was sent again (B1)
 * tcp-synack-unacknowledged  SYN-RECV at the server whose SYN-ACK was sent again
 * tcp-fin-unanswered         FIN-WAIT-1 whose FIN was sent again (B5)
 * tcp-half-closed            FIN-WAIT-2 at the client, or CLOSE-WAIT at the server, that stays (B4)
 * tcp-path-silent            what was sent on an established connection is sent again in vain (B16)
 *
 * A list tells how often something was sent in vain, and not what came of it on the wire; so it
 * never speaks where a capture shows the two hosts, and is never certain. One look at a state that
 * every connection passes through is nothing. A server's view of a client that is gone is nobody's
 * trouble.
 */
#include "diagnose/rules/rules.h"
#include "diagnose/rules/transport.h"
#include "model/host.h"
#include "model/portmap.h"

#include <inttypes.h>

enum { CASES_MAX = 64, PORT_NFS = 2049 };

/* Linux sends a SYN-ACK again after 1 and 3 s. */
enum { SYN_ACK_REPEATS_MIN = 2 };

/* From 0.2 s on the timer doubles: four times in vain are 3 s, six are 12 s. */
enum { SEND_REPEATS_MIN = 4, SEND_REPEATS_SURE = 6, KEEPALIVE_PROBES_MIN = 2 };

/* What a FIN alone counts in the queue of what is not acknowledged. */
enum { FIN_SEND_Q = 1 };

/* So long a connection hears nothing at all, or stays half open. */
enum { SILENT_MIN_MS = 10000, HALF_MIN_MS = 15000 };

enum case_kind { CASE_SYN, CASE_SYN_ACK, CASE_FIN, CASE_HALF, CASE_SILENT, CASE_NONE };

/* Rows of one kind for one client host and one port of a server. */
struct socket_case {
	enum case_kind kind;
	struct endpoint client, server;
	bool at_server;                  /* the list is the server's */
	const struct host_record *best;  /* sent in vain most often */
	const struct host_record *again; /* the same connection in another list; NULL: none */
	const struct host_record
		*other; /* its other end, in SYN-SENT or SYN-RECV; NULL: not listed */
	uint64_t count;
};

/* A port of NFS, or one that some portmapper's list names for a service of NFS. */
static bool port_serves(const struct rule_input *in, const struct endpoint *server)
{
	const struct host_record *r;
	size_t i = 0;

	if (transport_port_is_nfs(in, server))
		return true;
	while ((r = host_model_next(in->hosts, HOST_SERVICE, &i)))
		if (r->fact.service.is_tcp && r->fact.service.port == server->port &&
		    portmap_program_is_nfs(r->fact.service.program))
			return true;
	return false;
}

static bool hears_nothing(const struct socket_fact *s, uint64_t least_ms)
{
	return !s->has_times || (s->received_ms >= least_ms && s->acked_ms >= least_ms);
}

/* Sent again or probed in vain; a probe that is answered says that the other side is there. */
static bool sends_in_vain(const struct socket_fact *s)
{
	if (s->repeats < SEND_REPEATS_MIN || !hears_nothing(s, SILENT_MIN_MS))
		return false;
	return s->timer == SOCKET_TIMER_SEND || (s->timer == SOCKET_TIMER_PROBE && s->has_times);
}

static enum case_kind kind_at_client(const struct socket_fact *s)
{
	switch (s->state) {
	case SOCKET_SYN_SENT:
		/* Without timers: hardly anybody sees a SYN that is answered. */
		return s->timer == SOCKET_TIMER_UNKNOWN || s->repeats ? CASE_SYN : CASE_NONE;
	case SOCKET_FIN_WAIT1:
		return sends_in_vain(s) ? CASE_FIN : CASE_NONE;
	case SOCKET_FIN_WAIT2:
		return s->timer != SOCKET_TIMER_WAIT && hears_nothing(s, HALF_MIN_MS) ? CASE_HALF
										      : CASE_NONE;
	case SOCKET_ESTABLISHED:
		if (s->timer == SOCKET_TIMER_KEEPALIVE && s->repeats >= KEEPALIVE_PROBES_MIN &&
		    hears_nothing(s, SILENT_MIN_MS))
			return CASE_SILENT;
		return s->send_q && sends_in_vain(s) ? CASE_SILENT : CASE_NONE;
	case SOCKET_SYN_RECV:
	case SOCKET_TIME_WAIT:
	case SOCKET_CLOSE_WAIT:
	case SOCKET_LAST_ACK:
	case SOCKET_CLOSING:
	case SOCKET_STATE_COUNT:
		break;
	}
	return CASE_NONE;
}

static enum case_kind kind_at_server(const struct socket_fact *s)
{
	if (s->state == SOCKET_SYN_RECV && s->repeats >= SYN_ACK_REPEATS_MIN)
		return CASE_SYN_ACK;
	if (s->state == SOCKET_CLOSE_WAIT && hears_nothing(s, HALF_MIN_MS))
		return CASE_HALF;
	return CASE_NONE;
}

/* Of two ports of NFS the peer's is the server's, unless only the other is the well-known one. */
static bool is_at_server(const struct rule_input *in, const struct socket_fact *s)
{
	if (s->local.port == PORT_NFS || s->peer.port == PORT_NFS)
		return s->peer.port != PORT_NFS;
	return !port_serves(in, &s->peer);
}

/* A capture that shows the two hosts knows more. */
static bool is_captured(const struct rule_input *in, const struct socket_case *c)
{
	for (size_t i = 0; i < in->conns->records.len; i++) {
		const struct conn *conn = &transport_record(in, i)->conn;

		if ((endpoint_same_host(&conn->server, &c->server) &&
		     endpoint_same_host(&conn->client, &c->client)) ||
		    (endpoint_same_host(&conn->client, &c->server) &&
		     endpoint_same_host(&conn->server, &c->client)))
			return true;
	}
	return false;
}

static bool same_connection(const struct host_record *a, const struct host_record *b)
{
	return endpoint_equal(&a->fact.socket.local, &b->fact.socket.local) &&
	       endpoint_equal(&a->fact.socket.peer, &b->fact.socket.peer);
}

/* The same connection as the other host lists it, while it is being made; NULL: it is not there. */
static const struct host_record *other_end(const struct rule_input *in,
					   const struct host_record *of)
{
	const struct socket_fact *s = &of->fact.socket;
	const struct host_record *r;
	size_t i = 0;

	while ((r = host_model_next(in->hosts, HOST_SOCKET, &i))) {
		const struct socket_fact *o = &r->fact.socket;

		if ((o->state == SOCKET_SYN_SENT || o->state == SOCKET_SYN_RECV) &&
		    o->state != s->state && endpoint_equal(&o->local, &s->peer) &&
		    endpoint_equal(&o->peer, &s->local))
			return r;
	}
	return NULL;
}

/* The row with times tells more than one without, and the later one of two. */
static bool tells_more(const struct socket_fact *a, const struct socket_fact *b)
{
	return a->has_times != b->has_times ? a->has_times : a->repeats >= b->repeats;
}

static void case_add(struct socket_case *c, const struct host_record *r)
{
	bool more = tells_more(&r->fact.socket, &c->best->fact.socket);

	if (!same_connection(c->best, r))
		c->count++;
	else if (r->fact.list != c->best->fact.list)
		c->again = more ? c->best : r;
	if (more)
		c->best = r;
}

static void cases_take(const struct rule_input *in, const struct host_record *r,
		       enum case_kind kind, struct vec *cases)
{
	const struct socket_fact *s = &r->fact.socket;
	struct socket_case now = {.best = r, .count = 1, .at_server = is_at_server(in, s)};

	now.client = now.at_server ? s->peer : s->local;
	now.server = now.at_server ? s->local : s->peer;
	now.kind = now.at_server ? kind_at_server(s) : kind_at_client(s);
	if (now.kind != kind || !port_serves(in, &now.server) || is_captured(in, &now))
		return;
	for (size_t i = 0; i < cases->len; i++) {
		struct socket_case *c = vec_at(cases, i);

		if (c->at_server == now.at_server && endpoint_equal(&c->server, &now.server) &&
		    endpoint_same_host(&c->client, &now.client)) {
			case_add(c, r);
			return;
		}
	}
	if (cases->len < CASES_MAX)
		*(struct socket_case *)vec_push(cases) = now;
}

static enum finding_confidence confidence_of(const struct socket_case *c)
{
	const struct socket_fact *s = &c->best->fact.socket;
	bool sure = false;

	switch (c->kind) {
	case CASE_FIN: /* with data before the FIN it may be all that is not answered */
		sure = s->repeats >= SEND_REPEATS_SURE && s->send_q <= FIN_SEND_Q;
		break;
	case CASE_HALF:
		sure = s->has_times || c->again;
		break;
	case CASE_SILENT:
		sure = s->has_times && s->send_q && s->repeats >= SEND_REPEATS_SURE;
		break;
	case CASE_SYN_ACK:
		sure = c->other != NULL;
		break;
	case CASE_SYN: /* several faults look the same at this end */
	case CASE_NONE:
		break;
	}
	return sure ? CONFIDENCE_LIKELY : CONFIDENCE_POSSIBLE;
}

static const char *repeats_text(struct diagnosis *d, const struct socket_case *c)
{
	uint64_t repeats = c->best->fact.socket.repeats;

	if (repeats == 0)
		return "";
	return arena_format(&d->arena, ", after %" PRIu64 " repetition%s", repeats,
			    repeats == 1 ? "" : "s");
}

static void tell_syn(struct diagnosis *d, struct finding *f, const struct socket_case *c)
{
	f->title = arena_format(&d->arena, "%s waits for an answer of %s to its SYN%s",
				transport_host(d, &c->client), transport_endpoint(d, &c->server),
				repeats_text(d, c));
	f->why = arena_format(
		&d->arena,
		"The client's list of connections has it in SYN-SENT%s: nothing came back that its "
		"TCP takes for an answer. The list does not tell whether nothing came at all, or a "
		"SYN-ACK that was dropped on the way or on this host, or an ACK of an old "
		"connection: a capture at the client does.",
		repeats_text(d, c));
	finding_rule_out(d, f, "tcp-syn-refused", "a refusal (RST) would have ended the attempt");
}

static void tell_syn_ack(struct diagnosis *d, struct finding *f, const struct socket_case *c)
{
	f->title = arena_format(&d->arena, "SYN-ACKs of %s to %s are not acknowledged%s",
				transport_endpoint(d, &c->server), transport_host(d, &c->client),
				repeats_text(d, c));
	f->why = arena_format(
		&d->arena,
		"The server's list of connections has it in SYN-RECV%s: the client's SYN came, and "
		"the handshake is not completed. %s",
		repeats_text(d, c),
		c->other ? "The client's list has it in SYN-SENT: the SYN-ACKs are lost on the way "
			   "to it, or its host drops them."
			 : "The SYN-ACKs are lost on the way to the client, or the client's host "
			   "drops them; or who sent the SYN is not there at all.");
	finding_rule_out(d, f, "tcp-syn-unanswered", "the server got the SYN and answers it");
}

static void tell_fin(struct diagnosis *d, struct finding *f, const struct socket_case *c)
{
	uint64_t send_q = c->best->fact.socket.send_q;

	f->title = arena_format(
		&d->arena, "%s does not answer the FIN of %s%s", transport_endpoint(d, &c->server),
		transport_endpoint(d, &c->best->fact.socket.local), repeats_text(d, c));
	f->why = arena_format(
		&d->arena,
		"The client's list of connections has it in FIN-WAIT-1%s: its FIN is not even "
		"acknowledged%s. A Linux client does not connect anew before the old connection is "
		"gone. Whether the FIN is lost on the way or its answer, the list does not tell.",
		repeats_text(d, c),
		send_q > FIN_SEND_Q
			? arena_format(&d->arena,
				       ", nor is what was sent before it (%" PRIu64
				       " bytes in the queue): perhaps the whole path is silent",
				       send_q)
			: "");
	finding_rule_out(d, f, "tcp-half-closed", "the FIN was not acknowledged");
}

static void tell_half(struct diagnosis *d, struct finding *f, const struct socket_case *c)
{
	const struct socket_fact *s = &c->best->fact.socket;
	const char *since = "";

	if (s->has_times)
		since = arena_format(&d->arena, " for %s at least",
				     transport_duration(d, (int64_t)(s->acked_ms < s->received_ms
									     ? s->acked_ms
									     : s->received_ms) *
								   STAMP_NS_PER_MS));
	else if (c->again)
		since = " in each of two lists";
	f->title = arena_format(&d->arena, "%s does not close its side of a connection of %s",
				transport_endpoint(d, &c->server), transport_host(d, &c->client));
	f->why = arena_format(
		&d->arena,
		"The %s list of connections has it in %s%s: the client's FIN was acknowledged, and "
		"the server has not sent its own. A Linux client does not connect anew before the "
		"old connection is gone.%s",
		c->at_server ? "server's" : "client's", c->at_server ? "CLOSE-WAIT" : "FIN-WAIT-2",
		since,
		c->at_server && s->recv_q > 1
			? arena_format(&d->arena,
				       " %" PRIu64 " bytes wait there that nobody reads.",
				       s->recv_q)
			: "");
	finding_rule_out(d, f, "tcp-fin-unanswered", "the FIN was acknowledged");
}

static void tell_silent(struct diagnosis *d, struct finding *f, const struct socket_case *c)
{
	const struct socket_fact *s = &c->best->fact.socket;
	const char *heard = "";

	if (s->has_times)
		heard = arena_format(
			&d->arena, " Nothing was received for %s, and nothing acknowledged for %s.",
			transport_duration(d, (int64_t)s->received_ms * STAMP_NS_PER_MS),
			transport_duration(d, (int64_t)s->acked_ms * STAMP_NS_PER_MS));
	f->title = arena_format(&d->arena, "%s is silent towards %s on an established connection%s",
				transport_endpoint(d, &c->server), transport_host(d, &c->client),
				repeats_text(d, c));
	f->why = arena_format(
		&d->arena, "The client's list of connections has %s on it that %s in vain%s.%s",
		s->send_q ? arena_format(&d->arena, "%" PRIu64 " bytes", s->send_q) : "probes",
		s->send_q ? "are sent again" : "are sent", repeats_text(d, c), heard);
	if (s->has_times)
		finding_rule_out(d, f, "tcp-large-segments-lost",
				 "small segments do not come back either: nothing was received");
	finding_rule_out(d, f, "rpc-server-silent", "not even TCP acknowledged what was sent");
}

static const struct {
	const char *id;
	void (*tell)(struct diagnosis *d, struct finding *f, const struct socket_case *c);
} kinds[] = {
	[CASE_SYN] = {"tcp-syn-unanswered", tell_syn},
	[CASE_SYN_ACK] = {"tcp-synack-unacknowledged", tell_syn_ack},
	[CASE_FIN] = {"tcp-fin-unanswered", tell_fin},
	[CASE_HALF] = {"tcp-half-closed", tell_half},
	[CASE_SILENT] = {"tcp-path-silent", tell_silent},
};

static void case_tell(struct diagnosis *d, const struct socket_case *c)
{
	struct finding *f = diagnosis_add(d, kinds[c->kind].id, confidence_of(c));

	finding_set_server(d, f, &c->server);
	finding_add_client(d, f, &c->client);
	f->count = c->count;
	kinds[c->kind].tell(d, f, c);
	finding_cite(d, f, &c->best->at, NULL, "the connection, as the host lists it");
	if (c->again)
		finding_cite(d, f, &c->again->at, NULL, "the same connection in another list");
	if (c->other)
		finding_cite(d, f, &c->other->at, NULL, "its other end still waits for an answer");
	if (f->confidence == CONFIDENCE_POSSIBLE)
		diagnosis_undecided(d, kinds[c->kind].id,
				    "what is on the wire: the list of connections shows one end",
				    c->at_server ? "tcpdump -i any -s 0 -w server.pcap port 2049"
						 : "ss -tanoi, again after 30 s; and "
						   "tcpdump -i any -s 0 -w client.pcap port 2049");
}

/*
 * A connection that is just being closed is in FIN-WAIT-2 for a moment; and a SYN that the server
 * lists has come there.
 */
static bool case_counts(const struct socket_case *c)
{
	const struct socket_fact *s = &c->best->fact.socket;

	if (c->kind == CASE_SYN && c->other)
		return false;
	return c->kind != CASE_HALF || c->at_server || c->again || s->has_times ||
	       s->timer != SOCKET_TIMER_UNKNOWN;
}

static void run_kind(const struct rule_input *in, struct diagnosis *out, enum case_kind kind)
{
	const struct host_record *r;
	struct vec cases;
	size_t i = 0;

	vec_init(&cases, sizeof(struct socket_case));
	while ((r = host_model_next(in->hosts, HOST_SOCKET, &i)))
		cases_take(in, r, kind, &cases);
	for (size_t k = 0; k < cases.len; k++) {
		struct socket_case *c = vec_at(&cases, k);

		c->other = other_end(in, c->best);
		if (case_counts(c))
			case_tell(out, c);
	}
	vec_deinit(&cases);
}

static void syn_run(const struct rule_input *in, struct diagnosis *out)
{
	run_kind(in, out, CASE_SYN);
}

static void syn_ack_run(const struct rule_input *in, struct diagnosis *out)
{
	run_kind(in, out, CASE_SYN_ACK);
}

static void fin_run(const struct rule_input *in, struct diagnosis *out)
{
	run_kind(in, out, CASE_FIN);
}

static void half_run(const struct rule_input *in, struct diagnosis *out)
{
	run_kind(in, out, CASE_HALF);
}

static void silent_run(const struct rule_input *in, struct diagnosis *out)
{
	run_kind(in, out, CASE_SILENT);
}

const struct rule rule_tcp_syn_listed = {
	.id = "tcp-syn-unanswered",
	.needs = "a list of the client's connections (ss -tano)",
	.run = syn_run,
};

const struct rule rule_tcp_synack_listed = {
	.id = "tcp-synack-unacknowledged",
	.needs = "a list of the server's connections (ss -tano)",
	.run = syn_ack_run,
};

const struct rule rule_tcp_fin_listed = {
	.id = "tcp-fin-unanswered",
	.needs = "a list of the client's connections (ss -tanoi)",
	.run = fin_run,
};

const struct rule rule_tcp_half_closed_listed = {
	.id = "tcp-half-closed",
	.needs = "a list of connections (ss -tanoi)",
	.run = half_run,
};

const struct rule rule_tcp_path_silent_listed = {
	.id = "tcp-path-silent",
	.needs = "a list of the client's connections (ss -tanoi)",
	.run = silent_run,
};
