// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Calls that TCP delivered and that are answered late or never (catalogue B8, C3):
 *
 * rpc-server-slow     answers come, late enough to explain a complaint
 * rpc-server-silent   none came until the evidence ended, or the client gave up
 * rpc-retransmission  the client's own timer sent calls again (a symptom)
 *
 * What the network took is not counted (model/path/path_calls.c). Healthy servers are slow at
 * times: the first lock of a client waits 6 to 10 s for a statd whose name service is slow.
 */
#include "diagnose/rules/nfs4/nfs4_common.h"
#include "diagnose/rules/rules.h"
#include "diagnose/rules/timers.h"
#include "diagnose/rules/transport.h"

#include <inttypes.h>
#include <stdlib.h>

/* lockd sends a call again after 10 s; a mount's timeo is rarely below. */
#define SLOW_REPEATED_NS (10 * STAMP_NS_PER_S)

/* Longer than any healthy answer that was seen, with no timer to tell. */
#define SLOW_ALONE_NS (15 * STAMP_NS_PER_S)

/* The time after which Linux complains about a lock, and sends NFS calls again by default. */
#define SILENT_MIN_NS (60 * STAMP_NS_PER_S)

/* A segment without the answer, so long after the call, shows that it was made late. */
#define SLOW_UNSENT_NS (5 * STAMP_NS_PER_S)

/* What a clock may be wrong by: one part in so many. */
enum { SLOW_AGE_PART = 20 };

enum { PROGRAM_NLM = 100021, NLM_GRANTED = 5 };

static struct path_calls *calls_at(const struct rule_input *in, size_t i)
{
	return *(struct path_calls **)vec_at(&in->path->calls, i);
}

/*
 * Was it made late, and not held back on its way? Its age tells, or a segment meanwhile without it.
 * In a capture without loss nothing speaks against it; in one with loss the witness may be missing.
 */
static bool late_was_made_late(const struct rule_input *in, const struct path_late *late)
{
	int64_t wait_ns = path_span_ns(late->call.at, late->reply.at);

	if (late->repeats == 0 && late->ahead_ns > wait_ns / 2)
		return false; /* by the server's own clock: that of the capture was set ahead */
	if (late->has_age)
		return late->age_ns < SLOW_UNSENT_NS + wait_ns / SLOW_AGE_PART;
	if (path_span_ns(late->call.at, late->unsent.at) >= SLOW_UNSENT_NS)
		return true;
	return late->reply.evidence >= in->evidence->items.len ||
	       evidence_list_at(in->evidence, late->reply.evidence)->lost_bytes == 0;
}

static bool calls_are_slow(const struct rule_input *in, const struct path_calls *c)
{
	if (c->worst_len == 0 || !transport_port_is_nfs(in, &c->conn.server))
		return false;
	if (c->program == PROGRAM_NLM && c->worst[0].procedure == NLM_GRANTED)
		return false; /* a client that is slow to take a granted lock is another story */
	return (c->repeated_worst.ns >= SLOW_REPEATED_NS &&
		late_was_made_late(in, &c->repeated_worst)) ||
	       (c->worst[0].ns >= SLOW_ALONE_NS && late_was_made_late(in, &c->worst[0]));
}

/* By server and program, then by client. */
static int calls_order(const void *a, const void *b)
{
	const struct path_calls *x = *(struct path_calls *const *)a;
	const struct path_calls *y = *(struct path_calls *const *)b;
	int order = endpoint_compare(&x->conn.server, &y->conn.server);

	if (order == 0)
		order = (x->program > y->program) - (x->program < y->program);
	return order ? order : endpoint_compare(&x->conn.client, &y->conn.client);
}

static void slow_cite(struct diagnosis *d, struct finding *f, const struct path_calls *c,
		      const struct path_late *late)
{
	const char *name = transport_procedure(d, c->program, late->version, late->procedure);

	finding_cite(d, f, &late->call, &c->conn, "%s, XID 0x%08x", name, late->xid);
	if (path_span_ns(late->call.at, late->unsent.at) >= SLOW_UNSENT_NS)
		finding_cite(d, f, &late->unsent, &c->conn,
			     "%s later the server had not sent the reply yet",
			     transport_duration(d, path_span_ns(late->call.at, late->unsent.at)));
	finding_cite(d, f, &late->reply, &c->conn, "its reply, %s after the server had it",
		     transport_duration(d, late->ns));
}

/* One finding of the calls of all clients to one program at one port. */
static void slow_tell(const struct rule_input *in, struct diagnosis *d, struct path_calls *const *c,
		      size_t n)
{
	const struct path_late *worst = &c[0]->worst[0];
	uint64_t count = 0, repeats = 0;
	struct finding *f = transport_finding(d, "rpc-server-slow", CONFIDENCE_LIKELY, &c[0]->conn,
					      c[0]->late_first.at, c[0]->late_last.at);
	const char *server = transport_endpoint(d, &c[0]->conn.server);

	for (size_t i = 0; i < n; i++) {
		finding_add_client(d, f, &c[i]->conn.client);
		if (path_span_ns(c[i]->late_first.at, f->first) > 0)
			f->first = c[i]->late_first.at;
		if (path_span_ns(f->last, c[i]->late_last.at) > 0)
			f->last = c[i]->late_last.at;
		count += c[i]->late;
		repeats += c[i]->repeats;
		if (c[i]->worst[0].ns > worst->ns)
			worst = &c[i]->worst[0];
	}
	f->count = count;
	finding_subject(d, f, "program", "%s", transport_program(d, c[0]->program));
	f->title =
		arena_format(&d->arena, "%s answers %s calls up to %s late", server,
			     transport_program(d, c[0]->program), transport_duration(d, worst->ns));
	f->why = arena_format(
		&d->arena,
		"%" PRIu64 " %s 5 s or more after the network was done with %s, the slowest (%s) "
		"%s.%s TCP was not in trouble in that time: the call waited in the server, or its "
		"answer was held back behind it.%s",
		count, count == 1 ? "call got its answer" : "calls got their answers",
		count == 1 ? "it" : "them",
		transport_procedure(d, c[0]->program, worst->version, worst->procedure),
		transport_duration(d, worst->ns),
		repeats ? arena_format(&d->arena,
				       " Meanwhile the client's timer fired: calls were sent again "
				       "(%" PRIu64 ").",
				       repeats)
			: "",
		n == 1 ? transport_ends_text(in, d, &c[0]->conn) : "");
	for (size_t i = 0; i < n; i++)
		slow_cite(d, f, c[i], &c[i]->worst[0]);
	for (uint32_t i = 1; i < c[0]->worst_len; i++)
		slow_cite(d, f, c[0], &c[0]->worst[i]);
	if (path_span_ns(worst->call.at, worst->unsent.at) >= SLOW_UNSENT_NS)
		finding_rule_out(
			d, f, "tcp-delivery-delayed",
			"%s after the call, in frame %" PRIu64 ", the server's own sequence "
			"number shows that the reply had not been sent yet",
			transport_duration(d, path_span_ns(worst->call.at, worst->unsent.at)),
			worst->unsent.frame);
	finding_rule_out(d, f, "rpc-server-silent", "the answers came in the end");
	finding_rule_out(d, f, "tcp-path-silent",
			 "what was sent was acknowledged while the answer was awaited");
}

/* Answers that queue up: who holds them up shows elsewhere. The longest of all is told. */
static void queued_tell(const struct rule_input *in, struct diagnosis *d)
{
	const struct path_calls *worst = NULL;

	for (size_t i = 0; i < in->path->calls.len; i++) {
		const struct path_calls *c = calls_at(in, i);

		if (c->queued && transport_port_is_nfs(in, &c->conn.server) &&
		    (!worst || c->queued_worst_ns > worst->queued_worst_ns))
			worst = c;
	}
	if (!worst || worst->queued_worst_ns < SLOW_ALONE_NS)
		return;
	diagnosis_undecided(
		d, "rpc-server-slow",
		arena_format(
			&d->arena,
			"what holds up the answers of %s to %s: %" PRIu64 " waited 5 s or more, "
			"up to %s, and all the time answers were on their way there, one behind "
			"the other (frames %" PRIu64 " to %" PRIu64
			"). The server is not what they waited for, but a narrow way, a sender "
			"that is held back, or a client that does not read",
			transport_endpoint(d, &worst->conn.server),
			transport_host(d, &worst->conn.client), worst->queued,
			transport_duration(d, worst->queued_worst_ns), worst->queued_first.frame,
			worst->queued_last.frame),
		"on the server while it lasts: ss -tinm dst CLIENT (rwnd_limited: the client does "
		"not read; cwnd and rtt: the way)");
}

static void slow_run(const struct rule_input *in, struct diagnosis *out)
{
	struct vec slow;
	struct path_calls **c;

	vec_init(&slow, sizeof(struct path_calls *));
	for (size_t i = 0; i < in->path->calls.len; i++)
		if (calls_are_slow(in, calls_at(in, i)))
			*(struct path_calls **)vec_push(&slow) = calls_at(in, i);
	c = slow.items;
	if (slow.len)
		qsort(c, slow.len, sizeof(*c), calls_order);
	for (size_t i = 0, n; i < slow.len; i += n) {
		for (n = 1; i + n < slow.len && c[i + n]->program == c[i]->program &&
			    endpoint_equal(&c[i + n]->conn.server, &c[i]->conn.server);)
			n++;
		slow_tell(in, out, c + i, n);
	}
	vec_deinit(&slow);
	queued_tell(in, out);
}

/*
 * Over UDP nothing but its answer says that a call arrived: what a second capture tells of those
 * that were sent again, and of the answers.
 */
static const char *repeats_where(const struct rule_input *in, struct diagnosis *d,
				 struct finding *f, const struct path_calls *c)
{
	struct wire_tale to, back;

	if (c->conn.transport != TRANSPORT_UDP || !in->wire ||
	    !wire_ask(in->wire, c->conn.serial, CONN_FROM_CLIENT, &to) ||
	    !wire_ask(in->wire, c->conn.serial, CONN_FROM_SERVER, &back) || !to.is_shown ||
	    !back.is_shown || to.record != back.record)
		return "";
	for (int way = 0; way < 2; way++) {
		const struct wire_tale *t = way ? &back : &to;
		struct wire_span span = wire_tale_span(t, c->repeat_call.at, c->repeat_last.at);

		if (span.lost)
			finding_cite(d, f, &span.lost_first->at[t->sender], &c->conn,
				     "%s that is not in the other capture",
				     way ? "the first answer" : "the first call");
	}
	return arena_format(
		&d->arena,
		" By the captures of both ends %" PRIu64 " of %" PRIu64 " datagrams of the client "
		"were lost on the way there, and %" PRIu64 " of %" PRIu64 " of the server on the "
		"way back%s.",
		to.lost, to.lost + to.not_shown + to.arrived, back.lost,
		back.lost + back.not_shown + back.arrived,
		to.way->unplaced + back.way->unplaced ? "; some could not be placed"
		: to.lost + back.lost                 ? ""
						      : ": what was late is the server's");
}

static void repeats_tell(const struct rule_input *in, struct diagnosis *d,
			 const struct path_calls *c)
{
	struct finding *f = transport_finding(d, "rpc-retransmission", CONFIDENCE_CERTAIN, &c->conn,
					      c->repeat_call.at, c->repeat_last.at);
	const char *client = transport_host(d, &c->conn.client);

	f->count = c->repeats;
	finding_subject(d, f, "program", "%s", transport_program(d, c->program));
	f->title = arena_format(&d->arena, "%s retransmitted %s calls %" PRIu64 " %s", client,
				transport_program(d, c->program), c->repeats,
				c->repeats == 1 ? "time" : "times");
	f->why = arena_format(&d->arena,
			      "%s sent calls to %s again under the same XID before an answer came, "
			      "up to %s after the call: its timer fired.%s%s",
			      client, transport_endpoint(d, &c->conn.server),
			      transport_duration(d, c->repeat_after_ns),
			      timers_of_repeat(in, d, f, &c->conn, c->program,
					       path_span_ns(c->repeat_call.at, c->repeat_first.at)),
			      repeats_where(in, d, f, c));
	finding_cite(d, f, &c->repeat_call, &c->conn, "the call");
	for (uint32_t i = 0; i < c->repeat_cites_len; i++)
		finding_cite(d, f, &c->repeat_cites[i], &c->conn, "sent again");
	finding_cite(d, f, &c->repeat_last, &c->conn, "sent again for the last time");
}

/* What the client sent again on this connection: how often, and the first of it. */
static uint64_t sent_again(const struct wire_tale *to, const struct wire_place **first)
{
	uint64_t count = 0;

	for (size_t i = 0; i < to->way->places.len; i++) {
		const struct wire_place *p = vec_at(&to->way->places, i);

		if (!p->again || !transport_known(&p->at[to->sender]))
			continue;
		if (count++ == 0)
			*first = p;
	}
	return count;
}

/* Whether a second capture shows that answers over UDP were sent, did not arrive, and were asked
 * for again. The capture that speaks may be the server's, which shows each call answered. */
static bool answers_lost(const struct rule_input *in, const struct wire_record *w,
			 struct wire_tale *back, uint64_t *again, const struct wire_place **first)
{
	struct wire_tale to;

	if (w->conn.transport != TRANSPORT_UDP || !transport_port_is_nfs(in, &w->conn.server) ||
	    !wire_record_tale(w, CONN_FROM_SERVER, back) ||
	    !wire_record_tale(w, CONN_FROM_CLIENT, &to) || !back->is_shown || !to.is_shown ||
	    !back->lost || evidence_list_at(in->evidence, back->near_receiver)->dropped_packets)
		return false;
	*again = sent_again(&to, first);
	return *again >= back->lost;
}

static void answers_lost_tell(const struct rule_input *in, struct diagnosis *d,
			      const struct wire_record *w)
{
	const struct wire_place *first = NULL, *answer = NULL;
	struct finding *f;
	struct wire_tale back;
	uint64_t again;
	const char *client = transport_host(d, &w->conn.client);

	if (!answers_lost(in, w, &back, &again, &first))
		return;
	for (size_t i = 0; i < back.way->places.len && !answer; i++) {
		const struct wire_place *p = vec_at(&back.way->places, i);

		if (p->fate != WIRE_FATE_RECEIVED && !transport_known(&p->at[!back.sender]))
			answer = p;
	}
	if (!answer)
		return;
	f = transport_finding(d, "rpc-retransmission", CONFIDENCE_CERTAIN, &w->conn,
			      answer->at[back.sender].at, first->at[back.sender].at);
	f->count = again;
	f->title = arena_format(&d->arena, "%s retransmitted calls over UDP %" PRIu64 " %s", client,
				again, again == 1 ? "time" : "times");
	f->why = arena_format(
		&d->arena,
		"%s sent calls again that %s had answered: %" PRIu64 " of %" PRIu64
		" datagrams of the server are in its own capture and not in that nearer to the "
		"client. They were lost on the way back.",
		client, transport_endpoint(d, &w->conn.server), back.lost,
		back.lost + back.not_shown + back.arrived);
	finding_cite(d, f, &answer->at[back.sender], &w->conn,
		     "an answer that is not in the other capture");
	finding_cite(d, f, &first->at[WIRE_SPEAKER], &w->conn, "a call is sent again");
	finding_rule_out(d, f, "rpc-server-slow", "the answers had been sent");
}

static void repeats_run(const struct rule_input *in, struct diagnosis *out)
{
	for (size_t i = 0; i < in->path->calls.len; i++) {
		const struct path_calls *c = calls_at(in, i);

		if (c->repeats && transport_port_is_nfs(in, &c->conn.server))
			repeats_tell(in, out, c);
	}
	for (size_t i = 0; in->wire && i < in->wire->records.len; i++) {
		const struct wire_record *w = *(struct wire_record **)vec_at(&in->wire->records, i);
		bool told = false;

		for (size_t k = 0; k < in->path->calls.len && !told; k++)
			told = calls_at(in, k)->repeats &&
			       calls_at(in, k)->conn.serial == w->conn.serial;
		if (!told)
			answers_lost_tell(in, out, w);
	}
}

/* When the waiting for an answer ended, and how. */
struct wait_end {
	struct stamp at;
	struct provenance closed;          /* by the client; FRAME_NONE: it still waits */
	struct provenance others_answered; /* the last answer meanwhile; FRAME_NONE: none */
	struct conn others;                /* on which; serial 0: that of the wait */
	bool others_served;                /* they were answered for half of the time or more */
};

/* Later than any acknowledgement of what the other side just said. */
#define PROBE_ANSWER_NS STAMP_NS_PER_S

/*
 * A client that waits says something within this time: a keep-alive (after 60 s on Linux), a
 * renewal of its lease, the call again. One that does not is gone, or the capture sees it no more.
 */
#define SIGHT_MAX_NS (180 * STAMP_NS_PER_S)

/* The client spoke last, and no answer is seen: a keep-alive, say. Then it is not known whether the
 * server was still there. */
static bool wait_spoke_in_vain(const struct provenance *said, const struct provenance *heard)
{
	return transport_known(said) && said->frame > heard->frame &&
	       path_span_ns(heard->at, said->at) >= PROBE_ANSWER_NS;
}

/*
 * How long was it waited for an answer: until the evidence ended or the client closed the
 * connection, by FIN (which a server that is there acknowledges) or RST. False: the server closed
 * it, or it is not known whether it was still there.
 */
static bool wait_ends(const struct conn_record *r, struct stamp evidence_end, struct wait_end *out)
{
	const struct provenance *fin = &r->fin[CONN_FROM_CLIENT];
	const struct provenance *server_fin = &r->fin[CONN_FROM_SERVER];

	*out = (struct wait_end){.at = evidence_end};
	if (transport_known(&r->rst) && (!transport_known(fin) || r->rst.frame < fin->frame)) {
		out->closed = r->rst;
		if (r->rst_from != CONN_FROM_CLIENT ||
		    wait_spoke_in_vain(&conn_record_odds(r)->rst_said,
				       &conn_record_odds(r)->rst_heard))
			return false;
	} else if (transport_known(fin)) {
		out->closed = *fin;
		if (!r->fin_acked[CONN_FROM_SERVER])
			return false;
	} else if (wait_spoke_in_vain(&r->totals.said[CONN_FROM_CLIENT],
				      &r->totals.said[CONN_FROM_SERVER]) ||
		   path_span_ns(r->totals.said[CONN_FROM_CLIENT].at, evidence_end) >=
			   SIGHT_MAX_NS) {
		return false;
	}
	if (transport_known(server_fin) &&
	    (!transport_known(&out->closed) || server_fin->frame < out->closed.frame))
		return false;
	if (transport_known(&out->closed))
		out->at = out->closed.at;
	return true;
}

/*
 * The connection is seen no more, long before a capture ends that has lost packets elsewhere: the
 * answer, and the end of the connection, may be among those.
 */
static bool wait_may_be_lost(const struct rule_input *in, const struct conn_record *r,
			     struct stamp evidence_end)
{
	const struct evidence *e = evidence_list_at(in->evidence, r->conn.evidence);

	return (e->lost_bytes || e->dropped_packets) &&
	       path_span_ns(r->last.at, evidence_end) >= SILENT_MIN_NS;
}

/* Its ports begin another connection, and no end of it is in the capture: that has missed frames.
 */
static bool wait_was_followed(const struct rule_input *in, const struct conn_record *r)
{
	if (transport_known(&r->rst) || r->fins[CONN_FROM_CLIENT] || r->fins[CONN_FROM_SERVER])
		return false;
	for (size_t i = 0; i < in->conns->records.len; i++) {
		const struct conn_record *o = transport_record(in, i);

		if (o->conn.serial > r->conn.serial && o->conn.evidence == r->conn.evidence &&
		    endpoint_equal(&o->conn.client, &r->conn.client) &&
		    endpoint_equal(&o->conn.server, &r->conn.server))
			return true;
	}
	return false;
}

/* The last answer of the same port meanwhile: on this connection, or else on another one. */
static void wait_find_others(const struct rule_input *in, const struct path_wait *w,
			     const struct conn_record *r, struct wait_end *end)
{
	int64_t half_ns = path_span_ns(w->first.at, end->at) / 2;

	if (transport_known(&r->replied) && path_span_ns(w->first.at, r->replied.at) > 0) {
		end->others_answered = r->replied;
		end->others_served = path_span_ns(w->first.at, r->replied.at) >= half_ns;
		return;
	}
	for (size_t i = 0; i < in->conns->records.len; i++) {
		const struct conn_record *o = transport_record(in, i);

		if (o == r || !transport_known(&o->replied) ||
		    !endpoint_equal(&o->conn.server, &r->conn.server) ||
		    path_span_ns(w->first.at, o->replied.at) < half_ns ||
		    path_span_ns(o->replied.at, end->at) < 0 ||
		    (transport_known(&end->others_answered) &&
		     path_span_ns(end->others_answered.at, o->replied.at) <= 0))
			continue;
		end->others_answered = o->replied;
		end->others = o->conn;
		end->others_served = true;
	}
}

/* Acknowledged by TCP, unanswered for long. */
static bool wait_counts(const struct rule_input *in, const struct path_wait *w,
			struct wait_end *end)
{
	const struct conn_record *r = conn_model_find(in->conns, w->conn.serial);

	/* A client that does not take a granted lock is another story (nlm-granted-lost). */
	if (w->program == PROGRAM_NLM && w->procedures[0] == NLM_GRANTED)
		return false;
	if (!r || !r->ended || r->conn.lossy || !transport_port_is_nfs(in, &w->conn.server))
		return false;
	/* The capture may show the reply before its call: then neither finds the other. */
	if (stamp_known(r->orphan_last) &&
	    path_span_ns(r->orphan_last, w->first.at) <= STAMP_NS_PER_S)
		return false;
	if (r->totals.unacked_bytes[CONN_FROM_CLIENT] || r->totals.segments[CONN_FROM_SERVER] == 0)
		return false;
	if (!wait_ends(r, transport_evidence_end(in, w->conn.evidence), end))
		return false;
	if (!transport_known(&end->closed) && wait_may_be_lost(in, r, end->at))
		return false;
	if (path_span_ns(w->first.at, end->at) < SILENT_MIN_NS || wait_was_followed(in, r))
		return false;
	wait_find_others(in, w, r, end);
	return true;
}

/* What the calls without an answer tell of the service, as the end of a sentence. */
static const char *silent_means(struct diagnosis *d, const struct path_wait *w,
				const struct wait_end *end)
{
	if (!transport_known(&end->others_answered))
		return "the host is up and takes what is sent, but the service does not answer";
	return arena_format(
		&d->arena,
		"the host is up and takes what is sent, and %s answered meanwhile, the last at "
		"%s%s",
		end->others.serial ? "calls on other connections to the same port were"
				   : "other calls of this connection were",
		transport_time(d, end->others_answered.at),
		!end->others_served ? ""
		: w->count == 1
			? ": the service works, and does not get on with this one, or dropped it"
			: ": the service works, and does not get on with these, or dropped them");
}

/* "has not answered NFS of CLIENT", or the number of calls where it answers others. */
static const char *silent_title(struct diagnosis *d, const struct path_wait *w,
				const struct wait_end *end, const char *waited)
{
	bool closed = transport_known(&end->closed);
	const char *program = transport_program(d, w->program);
	const char *what = program;

	if (end->others_served)
		what = arena_format(&d->arena, "%" PRIu64 " %s call%s", w->count, program,
				    w->count == 1 ? "" : "s");
	return arena_format(&d->arena, "%s %s answer%s %s of %s for %s%s",
			    transport_endpoint(d, &w->conn.server), closed ? "did not" : "has not",
			    closed ? "" : "ed", what, transport_host(d, &w->conn.client), waited,
			    closed ? ", until the client closed" : "");
}

static void silent_tell(const struct rule_input *in, struct diagnosis *d, const struct path_wait *w,
			const struct wait_end *end)
{
	struct finding *f = transport_finding(d, "rpc-server-silent", CONFIDENCE_LIKELY, &w->conn,
					      w->first.at, end->at);
	const char *server = transport_endpoint(d, &w->conn.server);
	const char *waited = transport_duration(d, path_span_ns(w->first.at, end->at));
	bool closed = transport_known(&end->closed);

	f->count = w->count;
	finding_subject(d, f, "program", "%s", transport_program(d, w->program));
	f->title = silent_title(d, w, end, waited);
	f->why = arena_format(&d->arena,
			      "TCP of %s acknowledged %" PRIu64 " %s at %s, and no answer "
			      "came in the %s until %s: %s.%s",
			      server, w->count,
			      w->count == 1 ? "call, sent" : "calls, the first of them sent",
			      transport_time(d, w->first.at), waited,
			      closed ? "the client closed the connection" : "the evidence ends",
			      silent_means(d, w, end), transport_ends_text(in, d, &w->conn));
	for (uint32_t i = 0; i < w->cites_len; i++)
		finding_cite(d, f, &w->cites[i], &w->conn, "%s, never answered",
			     transport_procedure(d, w->program, w->version, w->procedures[i]));
	finding_cite(d, f, &w->last, &w->conn, "the last call without an answer");
	if (closed)
		finding_cite(d, f, &end->closed, &w->conn, "the client closes the connection");
	if (transport_known(&end->others_answered))
		finding_cite(d, f, &end->others_answered,
			     end->others.serial ? &end->others : &w->conn,
			     "the last answer on %s connection, to another call",
			     end->others.serial ? "another" : "this");
	finding_rule_out(d, f, "tcp-path-silent", "TCP acknowledged all that was sent");
}

static void silent_run(const struct rule_input *in, struct diagnosis *out)
{
	for (size_t i = 0; i < in->path->waits.len; i++) {
		const struct path_wait *w = vec_at(&in->path->waits, i);
		struct wait_end end;

		if (wait_counts(in, w, &end) &&
		    !(w->count == 1 && nfs4_slot_is_put_off(in, &w->first)))
			silent_tell(in, out, w, &end);
	}
}

const struct rule rule_rpc_server_slow = {
	.id = "rpc-server-slow",
	.needs = "a capture that shows calls and their replies",
	.run = slow_run,
};

const struct rule rule_rpc_server_silent = {
	.id = "rpc-server-silent",
	.needs = "a capture without loss that goes on for a minute after the call",
	.run = silent_run,
};

const struct rule rule_rpc_retransmission = {
	.id = "rpc-retransmission",
	.needs = "a capture that shows the calls",
	.run = repeats_run,
};
