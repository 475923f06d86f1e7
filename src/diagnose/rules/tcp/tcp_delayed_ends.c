// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * tcp-delivery-delayed where two captures show a connection: between which of them and whom what
 * was late was held back. See model/wire/wire.h.
 */
#include "diagnose/rules/rules.h"
#include "diagnose/rules/tcp/tcp_delayed.h"

#include <inttypes.h>
#include <stdlib.h>

/* So little there and back between two captures is no part of a delay of WIRE_LATE_NS. */
#define ENDS_SOON_NS STAMP_NS_PER_S

/* A time by two clocks is told if it is so many times what it may be off. */
enum { ENDS_SURE_TIMES = 4 };

/* One side's late segments of a connection. */
struct ends_late {
	struct wire_tale tale;
	enum conn_side from;
	const struct wire_late *worst;
	struct wire_transit transit; /* of that */
	uint64_t count;
	struct stamp first, last; /* by the speaker's clock */
};

static const char *ends_id(const struct rule_input *in, uint32_t evidence)
{
	return evidence_list_at(in->evidence, evidence)->id;
}

static const struct endpoint *ends_sender(const struct conn *conn, enum conn_side from)
{
	return from == CONN_FROM_CLIENT ? &conn->client : &conn->server;
}

static bool ends_is_sure(const struct wire_transit *t)
{
	return t->has_one_way && t->ns >= WIRE_LATE_NS && t->bound_ns <= t->ns / ENDS_SURE_TIMES;
}

/* Where it waited, that was late when it passed the capture near its sender. */
static const char *ends_before(const struct rule_input *in, struct diagnosis *d,
			       const struct wire_tale *t, enum conn_side from)
{
	struct conn seen = t->record->conn;
	const char *sender = transport_host(d, ends_sender(&seen, from));
	const char *near = ends_id(in, t->near_sender);
	struct vantage v;

	seen.evidence = t->near_sender;
	v = vantage_of(in->conns, &seen);
	if (v.on_host &&
	    v.place == (from == CONN_FROM_CLIENT ? VANTAGE_AT_CLIENT : VANTAGE_AT_SERVER))
		return arena_format(
			&d->arena,
			"%s was taken at %s itself: it was held back there, below TCP (a "
			"queueing discipline, the driver, the hypervisor).",
			near, sender);
	return arena_format(&d->arena,
			    "It was held back between TCP of %s and the place of %s, taken nearer "
			    "to it: below TCP in that host, or on the way to there.",
			    sender, near);
}

static void ends_cite(struct diagnosis *d, struct finding *f, const struct wire_tale *t,
		      const struct wire_late *late)
{
	const struct conn *conn = &t->record->conn;

	finding_cite(d, f, &late->at[!t->sender], conn, "late, at the end nearer to its receiver");
	finding_cite(d, f, &late->at[t->sender], conn, "the same segment, nearer to its sender");
}

const char *delayed_ends_where(const struct rule_input *in, struct diagnosis *d, struct finding *f,
			       const struct path_held *h)
{
	const struct wire_late *late;
	struct wire_transit transit;
	struct wire_tale t;

	if (!in->wire || !wire_ask(in->wire, h->conn.serial, h->from, &t))
		return NULL;
	late = wire_tale_late(&t, &h->message);
	if (!late || !wire_tale_transit(&t, late, &transit)) {
		if (t.sender != WIRE_SPEAKER)
			return NULL;
		return ends_before(in, d, &t, h->from);
	}
	ends_cite(d, f, &t, late);
	if (transit.there_and_back_ns <= ENDS_SOON_NS)
		return arena_format(&d->arena,
				    "Both captures show it late, in frame %" PRIu64
				    " of %s and in frame %" PRIu64
				    " of %s: between the two it took no more than %s. %s",
				    late->at[t.sender].frame, ends_id(in, t.near_sender),
				    late->at[!t.sender].frame, ends_id(in, t.near_receiver),
				    transport_duration(d, transit.there_and_back_ns),
				    ends_before(in, d, &t, h->from));
	if (!ends_is_sure(&transit))
		return NULL;
	return arena_format(
		&d->arena,
		"Two captures show where: it passed %s, taken nearer to %s, in frame %" PRIu64
		", and came to %s, taken nearer to %s, %s later (give or take %s), in frame "
		"%" PRIu64 ". %s",
		ends_id(in, t.near_sender), transport_host(d, ends_sender(&h->conn, h->from)),
		late->at[t.sender].frame, ends_id(in, t.near_receiver),
		transport_host(d, ends_sender(&h->conn, h->from == CONN_FROM_CLIENT
								? CONN_FROM_SERVER
								: CONN_FROM_CLIENT)),
		transport_duration(d, transit.ns), transport_duration(d, transit.bound_ns),
		late->at[!t.sender].frame,
		transit.ns >= h->ns / 2 ? "It was held back between the two captures."
					: "It was late when it passed the first one, too.");
}

/* What the two captures show of one side; false: nothing that is late between them. */
static bool ends_look(const struct rule_input *in, const struct wire_record *r, enum conn_side from,
		      struct ends_late *out)
{
	*out = (struct ends_late){.from = from};
	if (r->conn.transport != TRANSPORT_TCP || r->way[0].late.len + r->way[1].late.len == 0 ||
	    !wire_record_tale(r, from, &out->tale) || !transport_port_is_nfs(in, &r->conn.server))
		return false;
	for (size_t i = 0; i < out->tale.way->late.len; i++) {
		const struct wire_late *late = vec_at(&out->tale.way->late, i);
		struct wire_transit transit;
		struct stamp at;

		if (!wire_tale_transit(&out->tale, late, &transit) || !ends_is_sure(&transit) ||
		    transit.there_and_back_ns < WIRE_LATE_NS)
			continue;
		at = late->at[WIRE_SPEAKER].at;
		if (out->count == 0 || at.ns < out->first.ns)
			out->first = at;
		if (out->count == 0 || at.ns > out->last.ns)
			out->last = at;
		out->count++;
		if (!out->worst || transit.ns > out->transit.ns) {
			out->worst = late;
			out->transit = transit;
		}
	}
	return out->count > 0;
}

/* By server host, then the longest. */
static int ends_order(const void *a, const void *b)
{
	const struct ends_late *x = a;
	const struct ends_late *y = b;
	const struct conn *c = &x->tale.record->conn, *e = &y->tale.record->conn;
	int order = memcmp(c->server.addr, e->server.addr, IDENT_ADDR_BYTES);

	if (order == 0)
		order = (x->transit.ns < y->transit.ns) - (x->transit.ns > y->transit.ns);
	if (order == 0)
		order = (c->serial > e->serial) - (c->serial < e->serial);
	if (order == 0)
		order = (x->tale.record->other > y->tale.record->other) -
			(x->tale.record->other < y->tale.record->other);
	return order ? order : (int)x->from - (int)y->from;
}

static bool ends_is_told(const struct diagnosis *d, const struct endpoint *server)
{
	for (size_t i = 0; i < d->findings.len; i++) {
		const struct finding *f = finding_at(&d->findings, i);

		if (strcmp(f->id, "tcp-delivery-delayed") == 0 &&
		    endpoint_same_host(&f->server_at, server))
			return true;
	}
	return false;
}

static void ends_fold(struct diagnosis *d, struct finding *f, const struct ends_late *l, size_t n)
{
	f->count = 0;
	for (size_t i = 0; i < n; i++) {
		f->count += l[i].count;
		finding_add_client(d, f, &l[i].tale.record->conn.client);
		if (path_span_ns(l[i].first, f->first) > 0)
			f->first = l[i].first;
		if (path_span_ns(f->last, l[i].last) > 0)
			f->last = l[i].last;
		ends_cite(d, f, &l[i].tale, l[i].worst);
	}
}

static void ends_tell(const struct rule_input *in, struct diagnosis *d, const struct ends_late *l,
		      size_t n)
{
	const struct wire_tale *t = &l->tale;
	const struct conn *conn = &t->record->conn;
	const struct wire_late *worst = l->worst;
	const char *sender = transport_host(d, ends_sender(conn, l->from));
	struct finding *f =
		transport_finding(d, "tcp-delivery-delayed", CONFIDENCE_CERTAIN, conn,
				  worst->at[WIRE_SPEAKER].at, worst->at[WIRE_SPEAKER].at);

	ends_fold(d, f, l, n);
	f->title = arena_format(&d->arena, "what %s sends waits between two captures for up to %s",
				sender, transport_duration(d, l->transit.ns));
	f->why = arena_format(
		&d->arena,
		"Of the segments with data that both captures show, with the same numbers and "
		"timestamp or IP identification, %" PRIu64 "%s took 5 s or more from one to the "
		"other. The slowest passed %s, taken nearer to %s, in frame %" PRIu64
		" and came to %s in frame %" PRIu64 " %s later (give or take %s): it was held back "
		"between the two. What was sent the other way before and after it took %s at most, "
		"so no clock was set meanwhile.",
		f->count, t->way->late_dropped ? " or more" : "", ends_id(in, t->near_sender),
		sender, worst->at[t->sender].frame, ends_id(in, t->near_receiver),
		worst->at[!t->sender].frame, transport_duration(d, l->transit.ns),
		transport_duration(d, l->transit.bound_ns), transport_duration(d, STAMP_NS_PER_S));
	finding_rule_out(d, f, "tcp-loss",
			 "it arrived: the same transmission, not a new copy of it");
	if (l->from == CONN_FROM_SERVER)
		finding_rule_out(d, f, "rpc-server-slow",
				 "the answer was on the wire at frame %" PRIu64 " of %s, before it "
				 "waited",
				 worst->at[t->sender].frame, ends_id(in, t->near_sender));
}

void delayed_ends_run(const struct rule_input *in, struct diagnosis *out)
{
	struct ends_late late, *l;
	struct vec found;

	vec_init(&found, sizeof(struct ends_late));
	for (size_t i = 0; in->wire && i < in->wire->records.len; i++) {
		const struct wire_record *r = *(struct wire_record **)vec_at(&in->wire->records, i);

		for (enum conn_side from = CONN_FROM_CLIENT; from <= CONN_FROM_SERVER; from++)
			if (!ends_is_told(out, &r->conn.server) && ends_look(in, r, from, &late))
				*(struct ends_late *)vec_push(&found) = late;
	}
	l = found.items;
	if (found.len)
		qsort(l, found.len, sizeof(*l), ends_order);
	for (size_t i = 0, n; i < found.len; i += n) {
		const struct endpoint *server = &l[i].tale.record->conn.server;

		for (n = 1; i + n < found.len &&
			    endpoint_same_host(&l[i + n].tale.record->conn.server, server);)
			n++;
		ends_tell(in, out, l + i, n);
	}
	vec_deinit(&found);
}
