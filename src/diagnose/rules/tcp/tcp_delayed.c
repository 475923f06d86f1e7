// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * tcp-delivery-delayed: a call or an answer was sent in time, and held back below the sender's TCP
 * or in the network. Its own sender tells: what it sent later was captured long before. A slow
 * service shows the same wait for the answer, and no such order.
 */
#include "diagnose/rules/tcp/tcp_delayed.h"
#include "diagnose/rules/rules.h"

#include <inttypes.h>
#include <stdlib.h>

static struct path_calls *delayed_at(const struct rule_input *in, size_t i)
{
	return *(struct path_calls **)vec_at(&in->path->calls, i);
}

/* The longest delay that no loss and new copy explains, or NULL. */
static const struct path_held *delayed_worst(const struct path_calls *c)
{
	const struct path_held *worst = NULL;

	for (uint32_t i = 0; i < c->held_worst_len; i++) {
		const struct path_held *h = &c->held_worst[i];

		/* what proves most, then what took longest: they are sorted by that */
		if (h->by != PATH_HELD_SENT_AGAIN && (!worst || h->by < worst->by))
			worst = h;
	}
	return worst;
}

static uint64_t delayed_count(const struct path_calls *c)
{
	return c->held[PATH_HELD_BY_CLOCK] + c->held[PATH_HELD_BY_ID] + c->held[PATH_HELD_OR_LOST];
}

/* By server host, then what proves most, then the longest. */
static int delayed_order(const void *a, const void *b)
{
	const struct path_calls *x = *(struct path_calls *const *)a;
	const struct path_calls *y = *(struct path_calls *const *)b;
	const struct path_held *p = delayed_worst(x), *q = delayed_worst(y);
	int order = memcmp(x->conn.server.addr, y->conn.server.addr, IDENT_ADDR_BYTES);

	if (order == 0)
		order = (int)p->by - (int)q->by;
	if (order == 0)
		order = (p->ns < q->ns) - (p->ns > q->ns);
	if (order == 0)
		order = endpoint_compare(&x->conn.client, &y->conn.client);
	if (order == 0)
		order = endpoint_compare(&x->conn.server, &y->conn.server);
	return order ? order : (x->program > y->program) - (x->program < y->program);
}

static enum finding_confidence delayed_confidence(enum path_held_by by)
{
	switch (by) {
	case PATH_HELD_BY_CLOCK:
		return CONFIDENCE_CERTAIN;
	case PATH_HELD_BY_ID:
		return CONFIDENCE_LIKELY;
	case PATH_HELD_OR_LOST:
	case PATH_HELD_SENT_AGAIN:
	case PATH_HELD_BY_COUNT:
		break;
	}
	return CONFIDENCE_POSSIBLE;
}

/* How it is known, for people. */
static const char *delayed_proof(struct diagnosis *d, const struct path_held *h)
{
	switch (h->by) {
	case PATH_HELD_BY_CLOCK:
		return arena_format(
			&d->arena,
			"Its timestamp (TSval %" PRIu32 ") is older than that of what the "
			"same host sent in frame %" PRIu64 " (%" PRIu32 "), captured %s "
			"before it: it was made first, and overtaken.",
			h->tsval, h->shown.frame, h->shown_tsval, transport_duration(d, h->ns));
	case PATH_HELD_BY_ID:
		return arena_format(&d->arena,
				    "Frame %" PRIu64
				    " of the same host, captured %s before it, has "
				    "a sequence number behind it and a later IP identification: it "
				    "had been sent by then, and was overtaken.",
				    h->shown.frame, transport_duration(d, h->ns));
	case PATH_HELD_OR_LOST:
	case PATH_HELD_SENT_AGAIN:
	case PATH_HELD_BY_COUNT:
		break;
	}
	return arena_format(
		&d->arena,
		"Frame %" PRIu64 " of the same host, captured %s before it, has a sequence "
		"number behind it: it had been sent by then. Without timestamps it is not "
		"told whether it was held back, or lost and sent again.",
		h->shown.frame, transport_duration(d, h->ns));
}

/* Where it was held back: before it came to the place of the capture. */
static const char *delayed_where(const struct rule_input *in, struct diagnosis *d,
				 const struct path_held *h)
{
	bool from_client = h->from == CONN_FROM_CLIENT;
	struct vantage v = vantage_of(in->conns, &h->conn);
	const char *sender = transport_host(d, from_client ? &h->conn.client : &h->conn.server);

	if (v.on_host && v.place == (from_client ? VANTAGE_AT_CLIENT : VANTAGE_AT_SERVER))
		return arena_format(
			&d->arena,
			"The capture was taken at %s itself: it was held back there, below "
			"TCP (a queueing discipline, the driver, the hypervisor).",
			sender);
	return arena_format(
		&d->arena,
		"It was held back between TCP of %s and the place of the capture: a queue "
		"or shaper on the way, or below TCP in that host.",
		sender);
}

static void delayed_cite(struct diagnosis *d, struct finding *f, const struct path_calls *c,
			 const struct path_held *h)
{
	const char *name = transport_procedure(d, c->program, h->version, h->procedure);
	bool is_reply = transport_known(&h->call);

	finding_cite(d, f, &h->message, &h->conn, "%s %s, XID 0x%08x, %s after it had been sent",
		     is_reply ? "the reply to" : "the call of", name, h->xid,
		     transport_duration(d, h->ns));
	finding_cite(d, f, &h->shown, &h->conn, "sent after it, captured before it");
	if (is_reply)
		finding_cite(d, f, &h->call, &h->conn, "%s, XID 0x%08x", name, h->xid);
}

/* What was found of the calls to all ports of one server. */
static void delayed_fold(struct diagnosis *d, struct finding *f, struct path_calls *const *c,
			 size_t n)
{
	f->count = 0;
	for (size_t i = 0; i < n; i++) {
		finding_add_client(d, f, &c[i]->conn.client);
		if (path_span_ns(c[i]->held_first.at, f->first) > 0)
			f->first = c[i]->held_first.at;
		if (path_span_ns(f->last, c[i]->held_last.at) > 0)
			f->last = c[i]->held_last.at;
		f->count += delayed_count(c[i]);
	}
	for (size_t i = 0; i < n; i++)
		delayed_cite(d, f, c[i], delayed_worst(c[i]));
	for (uint32_t i = 0; i < c[0]->held_worst_len; i++)
		if (c[0]->held_worst[i].by != PATH_HELD_SENT_AGAIN)
			delayed_cite(d, f, c[0], &c[0]->held_worst[i]);
}

static void delayed_tell(const struct rule_input *in, struct diagnosis *d,
			 struct path_calls *const *c, size_t n)
{
	const struct path_held *h = delayed_worst(c[0]);
	bool is_reply = transport_known(&h->call);
	struct finding *f = transport_finding(d, "tcp-delivery-delayed", delayed_confidence(h->by),
					      &c[0]->conn, c[0]->held_first.at, c[0]->held_last.at);
	const char *where = delayed_ends_where(in, d, f, h);

	finding_subject(d, f, "program", "%s", transport_program(d, c[0]->program));
	delayed_fold(d, f, c, n);
	f->title = arena_format(
		&d->arena, "%s of %s were sent in time and delivered up to %s late",
		is_reply ? "answers" : "calls",
		transport_host(d, h->from == CONN_FROM_CLIENT ? &h->conn.client : &h->conn.server),
		transport_duration(d, h->ns));
	f->why = arena_format(
		&d->arena,
		"%" PRIu64
		" %s captured 5 s or more after their sender had sent %s. The one that took "
		"longest is the %s in frame %" PRIu64 ". %s %s",
		f->count, f->count == 1 ? "message was" : "messages were",
		f->count == 1 ? "it" : "them", is_reply ? "reply" : "call", h->message.frame,
		delayed_proof(d, h), where ? where : delayed_where(in, d, h));
	if (is_reply)
		finding_rule_out(d, f, "rpc-server-slow",
				 "the answer had been sent by frame %" PRIu64 ", %s after the call",
				 h->shown.frame,
				 transport_duration(d, path_span_ns(h->call.at, h->shown.at)));
	if (h->by == PATH_HELD_BY_CLOCK)
		finding_rule_out(
			d, f, "tcp-loss",
			"what came late is what was sent first: a new copy would have a new "
			"timestamp");
}

static void delayed_run(const struct rule_input *in, struct diagnosis *out)
{
	struct vec delayed;
	struct path_calls **c;

	vec_init(&delayed, sizeof(struct path_calls *));
	for (size_t i = 0; i < in->path->calls.len; i++) {
		struct path_calls *calls = delayed_at(in, i);

		if (delayed_worst(calls) && transport_port_is_nfs(in, &calls->conn.server))
			*(struct path_calls **)vec_push(&delayed) = calls;
	}
	c = delayed.items;
	if (delayed.len)
		qsort(c, delayed.len, sizeof(*c), delayed_order);
	for (size_t i = 0, n; i < delayed.len; i += n) {
		for (n = 1; i + n < delayed.len &&
			    endpoint_same_host(&c[i + n]->conn.server, &c[i]->conn.server);)
			n++;
		delayed_tell(in, out, c + i, n);
	}
	vec_deinit(&delayed);
	delayed_ends_run(in, out);
}

const struct rule rule_tcp_delivery_delayed = {
	.id = "tcp-delivery-delayed",
	.needs = "a capture that shows calls and their replies, and other segments of who sends "
		 "them; or two captures of a connection",
	.run = delayed_run,
};
