// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * tcp-syn-refused: SYN answered by RST, nothing listens (catalogue B7; RFC 9293 section 3.5.2).
 *
 * Speaks for ports that are NFS's, because RPC was seen from them or because they are well known.
 * Clients that the same port refused at the same time make one finding. Stays silent about a client
 * that was merely faster than the service: refused once, and successful within a second.
 */
#include "diagnose/rules/rules.h"
#include "diagnose/rules/transport.h"
#include "model/portmap.h"

#include <inttypes.h>
#include <stdlib.h>

/* Shorter than this nobody notices. */
#define OUTAGE_MIN_NS STAMP_NS_PER_S

/* A Linux client waits so long before it tries again (XS_TCP_INIT_REEST_TO, net/sunrpc/xprtsock.c).
 */
#define RETRY_NS (3 * STAMP_NS_PER_S)

/* Outages of several clients that are no further apart are one: their retries are spread so far. */
#define JOIN_NS (30 * STAMP_NS_PER_S)

/* One client's outage that is worth speaking of. */
struct refusal {
	const struct conn_reach *reach;
	const struct conn_outage *outage;
	enum finding_confidence confidence;
	bool other_ttl; /* the RST has another TTL than the server's SYN-ACK */
	bool working;   /* not over, yet calls on another connection were answered later */
	struct stamp end;
};

/* Nanoseconds from a to b; 0 when they are not on one clock. */
static int64_t stamp_apart_ns(struct stamp a, struct stamp b)
{
	int64_t ns;

	return a.clock != b.clock || __builtin_sub_overflow(b.ns, a.ns, &ns) ? 0 : ns;
}

/* True when the capture goes on long enough after the last refusal to have shown another attempt.
 */
static bool evidence_goes_on(const struct rule_input *in, const struct provenance *last)
{
	const struct evidence *e;

	if (last->evidence >= in->evidence->items.len)
		return false;
	e = evidence_list_at(in->evidence, last->evidence);
	return stamp_apart_ns(last->at, e->last) >= RETRY_NS;
}

/* True when the portmapper told the client another port at once: the service has moved. */
static bool moved_at_once(const struct rule_input *in, const struct conn_reach *reach,
			  const struct conn_outage *outage)
{
	for (size_t i = 0; in->portmap && i < in->portmap->services.len; i++) {
		const struct portmap_service *s =
			*(struct portmap_service **)vec_at(&in->portmap->services, i);

		if (!endpoint_same_host(&s->client, &reach->client) ||
		    !endpoint_same_host(&s->server, &reach->server))
			continue;
		for (uint32_t j = 0; j < s->moves_len; j++) {
			int64_t ns = stamp_apart_ns(outage->first.at, s->moves[j].told.at);

			if (s->moves[j].from == reach->server.port && ns > 0 && ns < OUTAGE_MIN_NS)
				return true;
		}
	}
	return false;
}

/* True when both ports have shown the same program, or RPC at the other lacks the calls that tell.
 */
static bool serve_the_same(const struct conn_model *conns, const struct endpoint *a,
			   const struct conn_record *other)
{
	const struct conn_rpc_server *x = conn_model_rpc_server(conns, a);
	const struct conn_rpc_server *y = conn_model_rpc_server(conns, &other->conn.server);

	if (x && !y)
		return other->carried_rpc;
	for (uint32_t i = 0; x && y && i < x->programs_len; i++)
		for (uint32_t j = 0; j < y->programs_len; j++)
			if (!x->programs[i].callback &&
			    x->programs[i].program == y->programs[j].program)
				return true;
	return false;
}

/*
 * True when the client was at once connected to another port of the server that serves the same:
 * the service has moved, whether the capture shows the portmapper's answer or not.
 */
static bool served_elsewhere(const struct rule_input *in, const struct conn_reach *reach,
			     const struct conn_outage *outage)
{
	for (size_t i = 0; i < in->conns->records.len; i++) {
		const struct conn_record *r = transport_record(in, i);
		int64_t ns;

		if (!transport_known(&r->established) ||
		    r->conn.server.port == reach->server.port ||
		    !endpoint_same_host(&r->conn.client, &reach->client) ||
		    !endpoint_same_host(&r->conn.server, &reach->server))
			continue;
		ns = stamp_apart_ns(outage->first.at, r->established.at);
		if (ns > 0 && ns < OUTAGE_MIN_NS && serve_the_same(in->conns, &reach->server, r))
			return true;
	}
	return false;
}

/* False when there is nothing to say about the outage. */
static bool refusal_judge(const struct rule_input *in, const struct conn_reach *reach,
			  const struct conn_outage *outage, struct refusal *out)
{
	bool over = transport_known(&outage->recovered);
	struct stamp end = over ? outage->recovered.at : outage->last.at;
	bool enough = outage->refused > 1 || (!over && evidence_goes_on(in, &outage->last));

	if (over && stamp_apart_ns(outage->first.at, end) < OUTAGE_MIN_NS)
		return false;
	if (!over && transport_known(&outage->answered))
		return false; /* something listens since: that no ACK follows is another story */
	if (!over && (moved_at_once(in, reach, outage) || served_elsewhere(in, reach, outage)))
		return false;
	*out = (struct refusal){
		.reach = reach,
		.outage = outage,
		.other_ttl =
			outage->ttl && outage->answered_ttl && outage->ttl != outage->answered_ttl,
		.working = !over && transport_known(&reach->worked_last) &&
			   stamp_apart_ns(outage->last.at, reach->worked_last.at) > 0,
		.end = end,
	};
	out->confidence = !enough && !over                             ? CONFIDENCE_POSSIBLE
			  : enough && !out->other_ttl && !out->working ? CONFIDENCE_CERTAIN
								       : CONFIDENCE_LIKELY;
	return true;
}

/* By server, by who may have sent the RST, by time, by client. */
static int refusal_order(const void *a, const void *b)
{
	const struct refusal *x = a;
	const struct refusal *y = b;
	int order = endpoint_compare(&x->reach->server, &y->reach->server);

	if (order == 0)
		order = x->other_ttl - y->other_ttl;
	if (order == 0)
		order = (x->outage->first.at.ns > y->outage->first.at.ns) -
			(x->outage->first.at.ns < y->outage->first.at.ns);
	return order ? order : endpoint_compare(&x->reach->client, &y->reach->client);
}

static void refusals_collect(const struct rule_input *in, struct vec *out)
{
	for (size_t i = 0; i < in->conns->reach.len; i++) {
		const struct conn_reach *reach =
			*(struct conn_reach **)vec_at(&in->conns->reach, i);

		if (reach->outages.len == 0 || !transport_port_is_nfs(in, &reach->server))
			continue;
		for (size_t j = 0; j < reach->outages.len; j++) {
			struct refusal r;

			if (refusal_judge(in, reach, vec_at(&reach->outages, j), &r))
				*(struct refusal *)vec_push(out) = r;
		}
	}
	if (out->len)
		qsort(out->items, out->len, out->item_bytes, refusal_order);
}

/* What a second capture, nearer to the server, tells of the SYNs that were refused. */
struct refused_sight {
	uint64_t lost, arrived; /* SYNs that it does not show, and that it shows */
	uint32_t there;         /* its index */
	struct provenance seen; /* the first that it lacks */
};

/* It shows that the SYNs never came to the server. */
static bool between(const struct refused_sight *s)
{
	return s->lost && s->arrived == 0;
}

static void refused_sight_of(const struct rule_input *in, const struct refusal *r, size_t n,
			     struct refused_sight *out)
{
	*out = (struct refused_sight){0};
	for (size_t i = 0; in->wire && in->wire->records.len && i < in->conns->records.len; i++) {
		const struct conn_record *c = transport_record(in, i);
		struct transport_sight s;

		if (!transport_known(&c->refused) || !transport_known(&c->syn) ||
		    !endpoint_equal(&c->conn.server, &r[0].reach->server) ||
		    stamp_apart_ns(r[0].outage->first.at, c->refused.at) < 0 ||
		    stamp_apart_ns(c->refused.at, r[n - 1].end) < 0 ||
		    !transport_sight(in, &c->conn, CONN_FROM_CLIENT, c->syn.at, c->refused.at, &s))
			continue;
		if (s.lost && out->lost == 0) {
			out->seen = s.lost_first;
			out->there = s.tale.near_receiver;
		}
		out->lost += s.lost;
		out->arrived += s.arrived;
	}
}

/* How many refusals from `r` on make one finding; `end` is when the last of them was over. */
static size_t refusals_joined(const struct refusal *r, size_t len, struct stamp *end)
{
	size_t n = 1;

	for (*end = r[0].end; n < len; n++) {
		if (!endpoint_equal(&r[n].reach->server, &r[0].reach->server) ||
		    r[n].other_ttl != r[0].other_ttl ||
		    stamp_apart_ns(*end, r[n].outage->first.at) > JOIN_NS)
			break;
		if (stamp_apart_ns(*end, r[n].end) > 0)
			*end = r[n].end;
	}
	return n;
}

static void why_add_before(struct strbuf *why, const struct refusal *r, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (transport_known(&r[i].outage->worked_before)) {
			char at[STAMP_TEXT_BYTES];

			stamp_format_time(r[i].outage->worked_before.at, at);
			strbuf_add_format(why, " It worked before, last seen at %s.", at);
			return;
		}
	strbuf_add_text(why, " No earlier success is in the evidence.");
}

/* Refused once, and nothing behind it that would tell. */
static void why_add_end(const struct rule_input *in, struct strbuf *why, const struct refusal *r)
{
	const struct provenance *last = &r->outage->last;
	char left[STAMP_TEXT_BYTES];

	stamp_format_duration(stamp_apart_ns(last->at, transport_evidence_end(in, last->evidence)),
			      left);
	strbuf_add_format(why,
			  " The evidence ends %s later: whether something listens there again at "
			  "once, or the service is at another port, it does not show.",
			  left);
}

static void why_add_after(const struct rule_input *in, struct strbuf *why, const struct refusal *r,
			  size_t n)
{
	size_t over = 0;
	const struct refusal *first = NULL;
	bool working = false;
	char at[STAMP_TEXT_BYTES];

	for (size_t i = 0; i < n; i++) {
		working |= r[i].working;
		if (!transport_known(&r[i].outage->recovered))
			continue;
		over++;
		if (!first || stamp_apart_ns(r[i].end, first->end) > 0)
			first = &r[i];
	}
	if (first) {
		stamp_format_time(first->end, at);
		strbuf_add_format(why, " The first connection after it succeeded at %s.", at);
	}
	if (over < n && transport_is_partial(in, r[0].outage->last.evidence))
		strbuf_add_text(why,
				" This list, which leaves packets out, shows no success since.");
	else if (over < n)
		strbuf_add_text(why, first ? " Not every client has succeeded since."
					   : " No connection succeeded since.");
	if (r[0].confidence == CONFIDENCE_POSSIBLE && n == 1)
		why_add_end(in, why, &r[0]);
	if (working)
		strbuf_add_text(why, " Calls on a connection that already stood were still "
				     "answered, so only new ones are refused.");
}

/* Who sent the RSTs, as far as that shows. */
static void why_add_sender(const struct rule_input *in, struct strbuf *why, const struct refusal *r,
			   const struct refused_sight *sight)
{
	if (between(sight)) {
		strbuf_add_format(why,
				  ", but %s, taken nearer to it, shows none of %" PRIu64
				  " such SYNs, and goes on in that time. Something between the two "
				  "captures sent the RSTs in its name; of the service itself they "
				  "tell nothing.",
				  evidence_list_at(in->evidence, sight->there)->id, sight->lost);
	} else if (r->other_ttl) {
		strbuf_add_format(why,
				  ". The RST came with TTL %u, the server's SYN-ACK with TTL %u: a "
				  "box on the way may have sent it in the server's name.",
				  r->outage->ttl, r->outage->answered_ttl);
	} else {
		strbuf_add_text(why, ": so a host answers where nothing listens at the port, or a "
				     "filter that rejects in its name.");
	}
}

static const char *refusals_why(const struct rule_input *in, struct diagnosis *d,
				const struct refusal *r, size_t n, uint64_t refused,
				const struct refused_sight *sight)
{
	struct stamp last = r[0].outage->last.at;
	char from[STAMP_TEXT_BYTES], until[STAMP_TEXT_BYTES];
	struct strbuf why;
	const char *text;

	for (size_t i = 1; i < n; i++)
		if (stamp_apart_ns(last, r[i].outage->last.at) > 0)
			last = r[i].outage->last.at;
	stamp_format_time(r[0].outage->first.at, from);
	stamp_format_time(last, until);
	strbuf_init(&why);
	if (refused == 1)
		strbuf_add_format(&why, "A SYN to ");
	else
		strbuf_add_format(&why, "%" PRIu64 " SYNs to ", refused);
	endpoint_add_text(&why, &r[0].reach->server);
	if (refused == 1)
		strbuf_add_format(&why, " was answered with RST at %s", from);
	else
		strbuf_add_format(&why, " were answered with RST, from %s to %s", from, until);
	why_add_sender(in, &why, r, sight);
	why_add_before(&why, r, n);
	why_add_after(in, &why, r, n);
	text = arena_text(&d->arena, strbuf_text(&why));
	strbuf_deinit(&why);
	return text;
}

static const char *refusals_title(struct diagnosis *d, const struct refusal *r, size_t clients,
				  struct stamp end, bool on_the_way)
{
	char lasted[STAMP_TEXT_BYTES];
	int64_t ns = stamp_apart_ns(r->outage->first.at, end);
	struct strbuf title;
	const char *text;

	strbuf_init(&title);
	if (on_the_way) {
		strbuf_add_text(&title, "something on the way to ");
		endpoint_add_text(&title, &r->reach->server);
		strbuf_add_text(&title, " refused connections from ");
	} else {
		endpoint_add_text(&title, &r->reach->server);
		strbuf_add_text(&title, " refused connections from ");
	}
	if (clients == 1)
		endpoint_add_host(&title, &r->reach->client);
	else
		strbuf_add_format(&title, "%zu clients", clients);
	if (ns > 0) {
		stamp_format_duration(ns, lasted);
		strbuf_add_format(&title, " for %s", lasted);
	}
	text = arena_text(&d->arena, strbuf_text(&title));
	strbuf_deinit(&title);
	return text;
}

/* First what proves most: a refusal of each client, the recovery, then more refusals. */
static void refusals_cite(struct diagnosis *d, struct finding *f, const struct refusal *r, size_t n)
{
	struct conn conn = {.server = r[0].reach->server, .transport = TRANSPORT_TCP};

	for (size_t i = 0; i < n && i < FINDING_CITES_MAX / 2; i++)
		finding_cite(d, f, &r[i].outage->first, &conn, "RST in answer to a SYN: refused");
	for (size_t i = 0; i < n && i < 2; i++) {
		finding_cite(d, f, &r[i].outage->last, &conn, "the last RST in answer to a SYN");
		finding_cite(d, f, &r[i].outage->recovered, &conn,
			     "the first connection that is established again");
	}
	for (uint32_t i = 1; i < r[0].outage->cites_len; i++)
		finding_cite(d, f, &r[0].outage->cites[i], &conn, "refused again");
}

static void refusals_tell(const struct rule_input *in, struct diagnosis *d, const struct refusal *r,
			  size_t n, struct stamp end)
{
	enum finding_confidence confidence = CONFIDENCE_POSSIBLE;
	struct refused_sight sight;
	struct finding *f;

	for (size_t i = 0; i < n; i++)
		if (r[i].confidence > confidence)
			confidence = r[i].confidence;
	refused_sight_of(in, r, n, &sight);
	f = diagnosis_add(d, "tcp-syn-refused", confidence);
	finding_set_server(d, f, &r[0].reach->server);
	finding_subject(d, f, "port", "%u", r[0].reach->server.port);
	for (size_t i = 0; i < n; i++) {
		finding_add_client(d, f, &r[i].reach->client);
		f->count += r[i].outage->refused;
	}
	f->first = r[0].outage->first.at;
	f->last = end;
	f->title = refusals_title(d, r, f->clients.len, end, between(&sight));
	f->why = refusals_why(in, d, r, n, f->count, &sight);
	if (between(&sight)) {
		struct conn conn = {.server = r[0].reach->server, .transport = TRANSPORT_TCP};

		finding_cite(d, f, &sight.seen, &conn,
			     "a SYN that the capture nearer to the server does not show");
		finding_add_remedy(d, f,
				   "Find what rejects with a reset between the two captures: "
				   "`nft list ruleset` there, and a capture on each side of it.");
	}
	refusals_cite(d, f, r, n);
	finding_rule_out(d, f, "tcp-syn-unanswered", "each of these SYNs was answered by RST");
}

static void tcp_refused_run(const struct rule_input *in, struct diagnosis *out)
{
	struct vec refusals;

	vec_init(&refusals, sizeof(struct refusal));
	refusals_collect(in, &refusals);
	for (size_t i = 0; i < refusals.len;) {
		const struct refusal *r = vec_at(&refusals, i);
		struct stamp end;
		size_t n = refusals_joined(r, refusals.len - i, &end);

		refusals_tell(in, out, r, n, end);
		i += n;
	}
	vec_deinit(&refusals);
}

const struct rule rule_tcp_syn_refused = {
	.id = "tcp-syn-refused",
	.needs = "a capture that shows the connection attempts",
	.run = tcp_refused_run,
};
