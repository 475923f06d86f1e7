// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Connections that do not come about (catalogue B1, B2; RFC 9293 section 3.5, RFC 5961 section 4):
 *
 * tcp-syn-unanswered         nothing comes back
 * tcp-synack-unacknowledged  the SYN-ACK is repeated, the handshake is never completed
 * tcp-syn-challenged         a bare ACK of an older connection comes back, again and again
 *
 * Attempts of one client host at one server port belong together, whatever their source ports,
 * until one of them succeeds. One SYN lost, or two, is loss and no finding; so is a challenge that
 * is followed by success.
 */
#include "diagnose/rules/rules.h"
#include "diagnose/rules/transport.h"

#include <inttypes.h>
#include <stdlib.h>

/* Linux sends a SYN again after 1, 3 and 7 s: three in vain are more than a lost one. */
enum { TRIES_MIN = 3 };
#define TROUBLE_MIN_NS (3 * STAMP_NS_PER_S)

/* A capture that begins in the middle holds few of them, and far apart: 16 and 32 s. */
#define TROUBLE_LONG_NS (15 * STAMP_NS_PER_S)

/* An answer that takes longer than this counts as none to that SYN. */
#define ANSWER_NS STAMP_NS_PER_S

/* A Linux client waits no longer than this before it tries again (XS_TCP_MAX_REEST_TO). */
#define RETRY_NS (300 * STAMP_NS_PER_S)

enum attempt_kind {
	ATTEMPT_SUCCESS, /* established */
	ATTEMPT_ANSWER,  /* SYN-ACK or RST: the other host is there */
	ATTEMPT_UNANSWERED,
	ATTEMPT_UNACKNOWLEDGED,
	ATTEMPT_CHALLENGED,
};

/* What happened to one connection attempt, or one of several things that did. */
struct attempt {
	const struct conn_record *r;
	enum attempt_kind kind;
	const struct provenance *at, *last;
	uint32_t tries;
};

static int attempt_order(const void *a, const void *b)
{
	const struct attempt *x = a;
	const struct attempt *y = b;
	int order = endpoint_compare(&x->r->conn.server, &y->r->conn.server);

	if (order == 0)
		order = memcmp(x->r->conn.client.addr, y->r->conn.client.addr, IDENT_ADDR_BYTES);
	if (order == 0)
		order = (x->at->at.ns > y->at->at.ns) - (x->at->at.ns < y->at->at.ns);
	if (order == 0)
		order = (x->r->conn.serial > y->r->conn.serial) -
			(x->r->conn.serial < y->r->conn.serial);
	return order ? order : (int)x->kind - (int)y->kind;
}

static void attempt_add(struct vec *out, const struct conn_record *r, enum attempt_kind kind,
			const struct provenance *at, const struct provenance *last, uint32_t tries)
{
	*(struct attempt *)vec_push(out) = (struct attempt){r, kind, at, last, tries};
}

/* The client answered a SYN-ACK with RST: it has it and does not want it, as a scanner of ports. */
static bool rejected_by_client(const struct conn_record *r)
{
	return transport_known(&r->rst) && r->rst_from == CONN_FROM_CLIENT &&
	       path_span_ns(r->rst.at, conn_record_syn_ack_last(r)->at) >= 0;
}

static void attempts_of(const struct conn_record *r, struct vec *out)
{
	bool answered = transport_known(&r->syn_ack);
	bool established = transport_known(&r->established);
	const struct provenance *answer = answered ? &r->syn_ack : &r->refused;
	const struct provenance *syn_last = conn_record_syn_last(r);
	const struct provenance *syn_ack_last = conn_record_syn_ack_last(r);

	if (established)
		attempt_add(out, r, ATTEMPT_SUCCESS, &r->established, &r->established, 0);
	if (!transport_known(&r->syn))
		return;
	if (transport_known(answer))
		attempt_add(out, r, ATTEMPT_ANSWER, answer, answer, 0);
	if (r->challenges)
		attempt_add(out, r, ATTEMPT_CHALLENGED, &conn_record_odds(r)->challenge, &r->last,
			    r->challenges);
	else if (!transport_known(answer) && !established)
		attempt_add(out, r, ATTEMPT_UNANSWERED, &r->syn, syn_last, r->syns);
	else if (answered && r->syns > 1 && path_span_ns(r->syn.at, answer->at) >= TROUBLE_MIN_NS)
		attempt_add(out, r, ATTEMPT_UNANSWERED, &r->syn,
			    syn_last->frame < answer->frame ? syn_last : answer, r->syns);
	if (answered && r->syn_acks > 1 && !rejected_by_client(r))
		attempt_add(out, r, ATTEMPT_UNACKNOWLEDGED, &r->syn_ack,
			    established && r->established.frame < syn_ack_last->frame
				    ? &r->established
				    : syn_ack_last,
			    r->syn_acks);
}

/* All attempts at ports of NFS, by server, client and time. */
static void attempts_collect(const struct rule_input *in, struct vec *out)
{
	for (size_t i = 0; i < in->conns->records.len; i++) {
		const struct conn_record *r = transport_record(in, i);

		if (r->conn.transport == TRANSPORT_TCP &&
		    transport_port_is_nfs(in, &r->conn.server))
			attempts_of(r, out);
	}
	if (out->len)
		qsort(out->items, out->len, out->item_bytes, attempt_order);
}

static bool attempts_same_pair(const struct attempt *a, const struct transport_trouble *t)
{
	return endpoint_equal(&a->r->conn.server, &t->conn.server) &&
	       endpoint_same_host(&a->r->conn.client, &t->conn.client) &&
	       a->r->conn.evidence == t->conn.evidence;
}

static void trouble_begin(struct transport_trouble *t, const struct attempt *a)
{
	*t = (struct transport_trouble){
		.conn = a->r->conn,
		.connecting = true,
		.first = a->at->at,
		.end = a->last->at,
		.cite_first = *a->at,
	};
}

static void trouble_add(struct transport_trouble *t, const struct attempt *a)
{
	t->tries += a->tries;
	if (a->kind == ATTEMPT_UNACKNOWLEDGED) {
		t->anew += a->r->syn_acks_anew;
		t->asked_again += a->r->syns_after_answer;
	}
	t->conns++;
	if (path_span_ns(t->end, a->last->at) > 0)
		t->end = a->last->at;
	t->cite_last = *a->last;
	if (t->cites_len < PATH_CITES_MAX)
		t->cites[t->cites_len++] = *a->at;
}

/*
 * Long enough, often enough, and not merely at the end of what was captured. A host whose SYN is
 * not answered sends it again: where that is nowhere seen, the capture has lost the answers.
 */
static bool trouble_counts(const struct rule_input *in, enum attempt_kind kind,
			   const struct transport_trouble *t)
{
	struct stamp end = transport_evidence_end(in, t->conn.evidence);

	if (t->tries < TRIES_MIN || path_span_ns(t->first, t->end) < TROUBLE_MIN_NS)
		return false;
	if (kind == ATTEMPT_UNANSWERED && t->tries == t->conns)
		return false;
	if (evidence_may_lack(in->evidence, t->conn.evidence, t->tries))
		return false; /* so may each answer */
	return t->over || t->tries > TRIES_MIN || path_span_ns(t->end, end) >= ANSWER_NS ||
	       path_span_ns(t->first, t->end) >= TROUBLE_LONG_NS;
}

static void trouble_keep(const struct rule_input *in, enum attempt_kind kind,
			 struct transport_trouble *t, struct vec *out)
{
	if (t->tries && trouble_counts(in, kind, t))
		*(struct transport_trouble *)vec_push(out) = *t;
	*t = (struct transport_trouble){0};
}

/* Runs of attempts of this kind, each until what ends it: struct transport_trouble. */
static void troubles_of_kind(const struct rule_input *in, enum attempt_kind kind, struct vec *out)
{
	struct transport_trouble now = {0};
	struct vec attempts;

	vec_init(&attempts, sizeof(struct attempt));
	attempts_collect(in, &attempts);
	for (size_t i = 0; i < attempts.len; i++) {
		const struct attempt *a = vec_at(&attempts, i);
		bool ends = a->kind == ATTEMPT_SUCCESS ||
			    (a->kind == ATTEMPT_ANSWER && kind == ATTEMPT_UNANSWERED);

		if (now.tries &&
		    (!attempts_same_pair(a, &now) || path_span_ns(now.end, a->at->at) > RETRY_NS))
			trouble_keep(in, kind, &now, out);
		if (a->kind == kind) {
			if (now.tries == 0)
				trouble_begin(&now, a);
			trouble_add(&now, a);
		} else if (ends && now.tries && path_span_ns(a->at->at, now.end) == 0) {
			now.over = true;
			now.end = a->at->at;
			now.cite_over = *a->at;
			trouble_keep(in, kind, &now, out);
		}
	}
	trouble_keep(in, kind, &now, out);
	vec_deinit(&attempts);
}

/* Successes of the same client at other ports of the same server meanwhile, by a cite or NULL. */
static const struct provenance *works_meanwhile(const struct rule_input *in,
						const struct transport_trouble *t)
{
	for (size_t i = 0; i < in->conns->records.len; i++) {
		const struct conn_record *r = transport_record(in, i);

		if (endpoint_same_host(&r->conn.server, &t->conn.server) &&
		    endpoint_same_host(&r->conn.client, &t->conn.client) &&
		    r->conn.evidence == t->conn.evidence && transport_known(&r->established) &&
		    path_span_ns(t->first, r->established.at) > 0 &&
		    path_span_ns(r->established.at, t->end) > 0)
			return &r->established;
	}
	return NULL;
}

void transport_unanswered(const struct rule_input *in, struct vec *out)
{
	size_t kept = out->len;

	troubles_of_kind(in, ATTEMPT_UNANSWERED, out);
	for (size_t i = kept; i < out->len; i++) {
		struct transport_trouble *t = vec_at(out, i);

		if (transport_host_hears(in, t->conn.evidence, &t->conn.client))
			*(struct transport_trouble *)vec_at(out, kept++) = *t;
	}
	out->len = kept;
}

void transport_unacknowledged(const struct rule_input *in, struct vec *out)
{
	troubles_of_kind(in, ATTEMPT_UNACKNOWLEDGED, out);
}

static const char *over_text(const struct rule_input *in, struct diagnosis *d,
			     const struct transport_trouble *t)
{
	if (t->over)
		return arena_format(&d->arena, "until %s", transport_time(d, t->end));
	if (transport_is_partial(in, t->conn.evidence))
		return "and this list, which leaves packets out, shows none that succeeded";
	return "and none succeeded while the evidence lasts";
}

static struct finding *trouble_tell(struct diagnosis *d, const char *id,
				    const struct transport_trouble *t, const char *last)
{
	struct finding *f = transport_finding(d, id, CONFIDENCE_LIKELY, &t->conn, t->first, t->end);

	f->count = t->tries;
	finding_cite(d, f, &t->cite_first, &t->conn, "%s", "the first one");
	finding_cite(d, f, &t->cite_last, &t->conn, "%s", last);
	finding_cite(d, f, &t->cite_over, &t->conn, "%s", "what ended it");
	for (uint32_t i = 1; i < t->cites_len; i++)
		finding_cite(d, f, &t->cites[i], &t->conn, "%s", "another attempt");
	return f;
}

static void unanswered_tell(const struct rule_input *in, struct diagnosis *d,
			    const struct transport_trouble *t)
{
	struct finding *f = trouble_tell(d, "tcp-syn-unanswered", t, "the last SYN in vain");
	const struct provenance *works = works_meanwhile(in, t);
	const char *to = transport_endpoint(d, &t->conn.server);

	f->title = arena_format(&d->arena, "%s did not answer connection attempts of %s for %s", to,
				transport_host(d, &t->conn.client),
				transport_duration(d, path_span_ns(t->first, t->end)));
	f->why = arena_format(
		&d->arena,
		"%" PRIu32
		" SYNs to %s from %s on got no answer of its TCP, neither SYN-ACK nor RST, %s. "
		"The capture shows other packets that reached the client. %s%s",
		t->tries, to, transport_time(d, t->first), over_text(in, d, t),
		transport_where(in, d, f, t, CONN_FROM_CLIENT),
		works ? " Another connection between the two hosts was established meanwhile: the "
			"host was up, and something treats this port or this connection "
			"differently (a packet filter, a stateful one that keeps an old "
			"connection, or a service that takes no connections and whose queue is "
			"full)."
		      : "");
	finding_cite(d, f, works ? works : &(struct provenance){0}, &t->conn,
		     "meanwhile another connection of the same hosts is established");
	finding_rule_out(d, f, "tcp-syn-refused", "no RST came back");
	finding_rule_out(d, f, "tcp-synack-unacknowledged", "no SYN-ACK is in the capture");
}

/* A host that waits for the SYN-ACK sends its SYN again. */
static void unacknowledged_undecided(struct diagnosis *d, const struct transport_trouble *t)
{
	const char *client = transport_host(d, &t->conn.client);

	diagnosis_undecided(
		d, "tcp-synack-unacknowledged",
		arena_format(
			&d->arena,
			"%s repeated SYN-ACKs to %s, which sent no SYN again: its ACKs are lost "
			"on their way or not in this evidence, or it is nobody who wants a "
			"connection (a scanner of ports, a forged address)",
			transport_endpoint(d, &t->conn.server), client),
		"tcpdump -i any -s 0 -w client.pcap, on the client, with all that it sends and "
		"gets");
}

static void unacknowledged_tell(const struct rule_input *in, struct diagnosis *d,
				const struct transport_trouble *t)
{
	const char *at = transport_endpoint(d, &t->conn.server);
	const char *client = transport_host(d, &t->conn.client);
	struct finding *f;

	/*
	 * A list of SYNs shows no ACK that ends a handshake, nor the RST with which a scanner of
	 * ports ends it: only SYN-ACKs that are repeated tell then. One with another number is
	 * none: the server had forgotten the attempt.
	 */
	if (t->tries - t->anew <= t->conns && transport_is_partial(in, t->conn.evidence))
		return;
	if (!t->asked_again) {
		unacknowledged_undecided(d, t);
		return;
	}
	f = trouble_tell(d, "tcp-synack-unacknowledged", t, "the last SYN-ACK");

	f->title = arena_format(&d->arena, "SYN-ACKs of %s to %s were not acknowledged for %s", at,
				client, transport_duration(d, path_span_ns(t->first, t->end)));
	f->why = arena_format(&d->arena,
			      "%s answered SYNs of %s with SYN-ACK %" PRIu32
			      " times from %s on, and the handshake was not completed, %s. %s",
			      at, client, t->tries, transport_time(d, t->first),
			      over_text(in, d, t), transport_where(in, d, f, t, CONN_FROM_SERVER));
	finding_rule_out(d, f, "tcp-syn-unanswered", "the server answered");
}

static void challenged_tell(const struct rule_input *in, struct diagnosis *d,
			    const struct transport_trouble *t)
{
	struct finding *f = trouble_tell(d, "tcp-syn-challenged", t, "the end of the last attempt");

	(void)in;
	finding_subject(d, f, "client port", "%u", t->conn.client.port);
	f->title = arena_format(&d->arena, "%s answers SYNs of %s with ACKs of an old connection",
				transport_endpoint(d, &t->conn.server),
				transport_endpoint(d, &t->conn.client));
	f->why = arena_format(
		&d->arena,
		"%" PRIu32 " SYNs got an ACK without SYN, from %s on, %s: the server still has a "
		"connection with these ports, and does not let go of it.",
		t->tries, transport_time(d, t->first), over_text(in, d, t));
	finding_rule_out(d, f, "tcp-syn-refused", "the answer is an ACK and no RST");
	finding_rule_out(d, f, "tcp-syn-unanswered", "answers came: ACKs without SYN");
}

static void run_kind(const struct rule_input *in, struct diagnosis *d, enum attempt_kind kind,
		     void (*tell)(const struct rule_input *, struct diagnosis *,
				  const struct transport_trouble *))
{
	struct vec troubles;

	vec_init(&troubles, sizeof(struct transport_trouble));
	if (kind == ATTEMPT_UNANSWERED)
		transport_unanswered(in, &troubles);
	else
		troubles_of_kind(in, kind, &troubles);
	for (size_t i = 0; i < troubles.len; i++)
		tell(in, d, vec_at(&troubles, i));
	vec_deinit(&troubles);
}

/* SYNs in vain in a capture that shows nothing of what comes to the client: which of two it is. */
static void one_sided_tell(const struct rule_input *in, struct diagnosis *d)
{
	struct vec troubles;

	vec_init(&troubles, sizeof(struct transport_trouble));
	troubles_of_kind(in, ATTEMPT_UNANSWERED, &troubles);
	for (size_t i = 0; i < troubles.len; i++) {
		const struct transport_trouble *t = vec_at(&troubles, i);

		if (transport_host_hears(in, t->conn.evidence, &t->conn.client))
			continue;
		diagnosis_undecided(
			d, "tcp-syn-unanswered",
			arena_format(&d->arena,
				     "%" PRIu32 " SYNs of %s to %s brought nothing back, and no "
				     "packet to %s is in the capture at all: either nothing comes, "
				     "or it shows one direction only",
				     t->tries, transport_host(d, &t->conn.client),
				     transport_endpoint(d, &t->conn.server),
				     transport_host(d, &t->conn.client)),
			"tcpdump -i any -s 0 -w client.pcap, on the client, with all that it "
			"sends and gets");
	}
	vec_deinit(&troubles);
}

static void unanswered_run(const struct rule_input *in, struct diagnosis *out)
{
	run_kind(in, out, ATTEMPT_UNANSWERED, unanswered_tell);
	one_sided_tell(in, out);
}

static void unacknowledged_run(const struct rule_input *in, struct diagnosis *out)
{
	run_kind(in, out, ATTEMPT_UNACKNOWLEDGED, unacknowledged_tell);
}

static void challenged_run(const struct rule_input *in, struct diagnosis *out)
{
	run_kind(in, out, ATTEMPT_CHALLENGED, challenged_tell);
}

const struct rule rule_tcp_syn_unanswered = {
	.id = "tcp-syn-unanswered",
	.needs = "a capture that shows both directions",
	.run = unanswered_run,
};

const struct rule rule_tcp_synack_unacknowledged = {
	.id = "tcp-synack-unacknowledged",
	.needs = "a capture that shows the connection attempts and their answers",
	.run = unacknowledged_run,
};

const struct rule rule_tcp_syn_challenged = {
	.id = "tcp-syn-challenged",
	.needs = "a capture that shows the connection attempts and their answers",
	.run = challenged_run,
};
