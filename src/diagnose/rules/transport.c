// SPDX-License-Identifier: GPL-2.0-or-later
/* See transport.h. */
#include "diagnose/rules/transport.h"

#include "names/names.h"

#include <stdlib.h>

enum { PORT_PORTMAP = 111, PORT_NFS = 2049, PORT_NFS_RDMA = 20049 };
enum { PROGRAM_NFS = 100003, NFS_V4 = 4 };

/* True when the host serves NFSv4 and nothing else that needs portmap: then nobody misses it. */
static bool host_needs_only_nfs4(const struct conn_model *conns, const struct endpoint *host)
{
	bool nfs4 = false;

	for (size_t i = 0; i < conns->rpc_servers.len; i++) {
		const struct conn_rpc_server *s =
			*(struct conn_rpc_server **)vec_at(&conns->rpc_servers, i);

		if (!endpoint_same_host(&s->at, host))
			continue;
		for (uint32_t j = 0; j < s->programs_len; j++) {
			if (s->programs[j].callback)
				continue;
			if (s->programs[j].program != PROGRAM_NFS ||
			    s->programs[j].version != NFS_V4)
				return false;
			nfs4 = true;
		}
	}
	return nfs4;
}

bool transport_port_is_nfs(const struct rule_input *in, const struct endpoint *server)
{
	if (server->port == PORT_NFS || conn_model_is_rpc_server(in->conns, server) ||
	    (in->path && path_model_port_told(in->path, server)))
		return true;
	return (server->port == PORT_PORTMAP || server->port == PORT_NFS_RDMA) &&
	       !host_needs_only_nfs4(in->conns, server);
}

bool transport_host_hears(const struct rule_input *in, uint32_t evidence,
			  const struct endpoint *host)
{
	for (size_t i = 0; i < in->conns->records.len; i++) {
		const struct conn_record *r = transport_record(in, i);
		const struct conn_totals *t = &r->totals;

		if (r->conn.evidence != evidence || !r->ended)
			continue;
		if (t->segments[CONN_FROM_SERVER] && endpoint_same_host(&r->conn.client, host))
			return true;
		if (t->segments[CONN_FROM_CLIENT] && endpoint_same_host(&r->conn.server, host))
			return true;
	}
	/* An ICMP message about its packets went to it, too. */
	for (size_t i = 0; i < in->path->unreachable.len; i++) {
		const struct path_unreachable *u =
			*(struct path_unreachable **)vec_at(&in->path->unreachable, i);

		if (u->first.evidence == evidence && endpoint_same_host(&u->src, host))
			return true;
	}
	return false;
}

struct stamp transport_evidence_end(const struct rule_input *in, uint32_t evidence)
{
	if (evidence >= in->evidence->items.len)
		return stamp_none();
	return evidence_list_at(in->evidence, evidence)->last;
}

bool transport_is_partial(const struct rule_input *in, uint32_t evidence)
{
	return evidence < in->evidence->items.len &&
	       evidence_list_at(in->evidence, evidence)->partial;
}

static int trouble_order(const void *a, const void *b)
{
	const struct transport_trouble *x = a;
	const struct transport_trouble *y = b;
	int order = endpoint_compare(&x->conn.server, &y->conn.server);

	if (order == 0)
		order = memcmp(x->conn.client.addr, y->conn.client.addr, IDENT_ADDR_BYTES);
	if (order == 0)
		order = (int)x->from - (int)y->from;
	if (order == 0)
		order = (x->first.ns > y->first.ns) - (x->first.ns < y->first.ns);
	return order ? order
		     : (x->conn.serial > y->conn.serial) - (x->conn.serial < y->conn.serial);
}

/* Folds b, which begins later, into a. */
static void trouble_fold(struct transport_trouble *a, const struct transport_trouble *b)
{
	if (path_span_ns(a->end, b->end) > 0) {
		a->end = b->end;
		a->over = b->over;
		a->cite_over = b->cite_over;
		a->cite_last = b->cite_last;
	}
	a->tries += b->tries;
	a->conns += b->conns;
	a->worked_before |= b->worked_before;
	for (uint32_t i = 0; i < b->cites_len && a->cites_len < PATH_CITES_MAX; i++)
		a->cites[a->cites_len++] = b->cites[i];
}

void transport_join(struct vec *troubles, int64_t gap_ns)
{
	struct transport_trouble *t = troubles->items;
	size_t kept = 0;

	if (troubles->len == 0)
		return;
	qsort(t, troubles->len, sizeof(*t), trouble_order);
	for (size_t i = 1; i < troubles->len; i++) {
		struct transport_trouble *last = &t[kept];

		if (endpoint_equal(&last->conn.server, &t[i].conn.server) &&
		    endpoint_same_host(&last->conn.client, &t[i].conn.client) &&
		    last->from == t[i].from && !(last->over && last->end.ns < t[i].first.ns) &&
		    path_span_ns(last->end, t[i].first) <= gap_ns)
			trouble_fold(last, &t[i]);
		else
			t[++kept] = t[i];
	}
	troubles->len = kept + 1;
}

static const char *text_keep(struct diagnosis *d, struct strbuf *text)
{
	const char *kept = arena_text(&d->arena, strbuf_text(text));

	strbuf_deinit(text);
	return kept;
}

const char *transport_host(struct diagnosis *d, const struct endpoint *e)
{
	return diagnosis_host_text(d, e);
}

const char *transport_endpoint(struct diagnosis *d, const struct endpoint *e)
{
	struct strbuf text;

	strbuf_init(&text);
	endpoint_add_text(&text, e);
	return text_keep(d, &text);
}

const char *transport_place_tells(const struct rule_input *in, struct diagnosis *d,
				  const struct conn *conn, enum conn_side from)
{
	struct vantage v = vantage_of(in->conns, conn);
	bool from_client = from == CONN_FROM_CLIENT;
	const char *sender = transport_host(d, from_client ? &conn->client : &conn->server);
	const char *receiver = transport_host(d, from_client ? &conn->server : &conn->client);
	const char *reason = vantage_reason_text(v.reason);
	bool at_sender = v.place == (from_client ? VANTAGE_AT_CLIENT : VANTAGE_AT_SERVER);

	if (v.place == VANTAGE_UNKNOWN)
		return arena_format(
			&d->arena,
			"Where the capture was taken is not known: if on %s, that host "
			"itself drops them; elsewhere they may be lost on the way to it.",
			receiver);
	if (v.place == VANTAGE_BETWEEN)
		return arena_format(
			&d->arena,
			"The capture was taken between the two hosts (%s): they are lost "
			"between that place and %s, or dropped there, or its answer is lost.",
			reason, receiver);
	if (at_sender)
		return arena_format(
			&d->arena,
			"The capture was taken %s %s (%s): whether they arrived at %s is not "
			"seen there.",
			v.on_host ? "on" : "at or near", sender, reason, receiver);
	if (v.on_host)
		return arena_format(
			&d->arena,
			"The capture was taken on %s itself (%s): they arrived there, and "
			"that host let them fall (a packet filter, a full queue).",
			receiver, reason);
	return arena_format(
		&d->arena,
		"The capture was taken at or near %s (%s): if on that host itself, it lets "
		"them fall (a packet filter, a full queue).",
		receiver, reason);
}

const char *transport_time(struct diagnosis *d, struct stamp at)
{
	char text[STAMP_TEXT_BYTES];

	stamp_format_time(at, text);
	return arena_text(&d->arena, text);
}

const char *transport_duration(struct diagnosis *d, int64_t ns)
{
	char text[STAMP_TEXT_BYTES];

	stamp_format_duration(ns, text);
	return arena_text(&d->arena, text);
}

const char *transport_program(struct diagnosis *d, uint32_t program)
{
	const struct names_program *known = names_program_find(program);

	return known ? known->name : arena_format(&d->arena, "program %u", program);
}

const char *transport_procedure(struct diagnosis *d, uint32_t program, uint32_t version,
				uint32_t procedure)
{
	const char *name = names_procedure(program, version, procedure);

	return name ? name : arena_format(&d->arena, "procedure %u", procedure);
}

struct finding *transport_finding(struct diagnosis *d, const char *id,
				  enum finding_confidence confidence, const struct conn *conn,
				  struct stamp first, struct stamp last)
{
	struct finding *f = diagnosis_add(d, id, confidence);

	finding_set_server(d, f, &conn->server);
	finding_add_client(d, f, &conn->client);
	finding_subject(d, f, "port", "%u", conn->server.port);
	f->first = first;
	f->last = last;
	return f;
}
