// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Who could reach what: refusals as outages, per client host and server port, and which ports
 * carried RPC. A pair is kept from its first refusal or its first RPC on, so that the connections
 * of everything else on a wire cost nothing here.
 */
#include "model/conn_reach.h"

#include "base/hash.h"
#include "base/mem.h"

#include <stdlib.h>

struct reach_key {
	struct endpoint client;
	struct endpoint server;
};

static bool reach_is(const void *item, const void *key)
{
	const struct conn_reach *reach = item;
	const struct reach_key *k = key;

	return endpoint_same_host(&reach->client, &k->client) &&
	       endpoint_equal(&reach->server, &k->server);
}

static bool rpc_server_is(const void *item, const void *key)
{
	const struct conn_rpc_server *s = item;

	return endpoint_equal(&s->at, key);
}

static uint64_t reach_hash(const struct conn *conn)
{
	return hash_u64(endpoint_hash(hash_start(), &conn->server),
			hash_bytes(conn->client.addr, sizeof(conn->client.addr)));
}

static struct conn_reach *reach_find(const struct conn_model *m, const struct conn *conn)
{
	struct reach_key key = {conn->client, conn->server};

	return map_find(&m->reach_map, reach_hash(conn), &key);
}

/* The pair of a connection; NULL when there is no room for one more. */
static struct conn_reach *reach_get(struct conn_model *m, struct conn_record *r)
{
	struct conn_reach *reach = r->reach ? r->reach : reach_find(m, &r->conn);

	if (!reach && m->reach.len == CONN_REACH_MAX) {
		m->reach_dropped++;
		return NULL;
	}
	if (!reach) {
		reach = mem_alloc(1, sizeof(*reach));
		reach->client = r->conn.client;
		reach->client.port = 0;
		reach->server = r->conn.server;
		vec_init(&reach->outages, sizeof(struct conn_outage));
		map_add(&m->reach_map, reach_hash(&r->conn), reach);
		*(struct conn_reach **)vec_push(&m->reach) = reach;
	}
	r->reach = reach;
	return reach;
}

static int64_t outage_span_ns(const struct conn_outage *o)
{
	int64_t span;

	return __builtin_sub_overflow(o->last.at.ns, o->first.at.ns, &span) ? 0 : span;
}

/* Makes room by forgetting the shortest outage that is over; the longest tell the story. */
static void reach_forget_outage(struct conn_reach *reach)
{
	struct conn_outage *items = reach->outages.items;
	size_t shortest = 0;

	for (size_t i = 1; i < reach->outages.len; i++)
		if (outage_span_ns(&items[i]) < outage_span_ns(&items[shortest]))
			shortest = i;
	for (size_t i = shortest + 1; i < reach->outages.len; i++)
		items[i - 1] = items[i];
	reach->outages.len--;
	reach->outages_dropped++;
}

/* The TTL of the last SYN-ACK that this capture shows; 0: it shows none. */
static uint8_t reach_hops(const struct conn_reach *reach, uint32_t evidence)
{
	for (uint32_t i = 0; i < reach->hops_len; i++)
		if (reach->hops[i].evidence == evidence)
			return reach->hops[i].ttl;
	return 0;
}

/* A TTL is compared with those of the same capture only: elsewhere another one is left of it. */
static void reach_answered(struct conn_reach *reach, uint32_t evidence, uint8_t ttl)
{
	uint32_t i = 0;

	while (i < reach->hops_len && reach->hops[i].evidence != evidence)
		i++;
	if (i == CONN_HOPS_MAX)
		return;
	if (i == reach->hops_len)
		reach->hops_len++;
	reach->hops[i] = (struct conn_hops){evidence, ttl};
	for (size_t j = 0; j < reach->outages.len; j++) {
		struct conn_outage *o = vec_at(&reach->outages, j);

		if (o->answered_ttl == 0 && o->last.evidence == evidence)
			o->answered_ttl = ttl;
	}
}

static void reach_refused(struct conn_reach *reach, const struct event *e)
{
	struct conn_outage *o;

	if (!reach->down) {
		if (reach->outages.len == CONN_OUTAGES_MAX)
			reach_forget_outage(reach);
		o = vec_push(&reach->outages);
		o->first = e->at;
		o->worked_before = reach->worked_last;
		reach->down = true;
	}
	o = vec_last(&reach->outages);
	o->last = e->at;
	o->answered = (struct provenance){.frame = FRAME_NONE};
	o->ttl = e->tcp->ttl;
	o->answered_ttl = reach_hops(reach, e->at.evidence);
	o->refused++;
	reach->refused++;
	if (o->cites_len < CONN_CITES_MAX)
		o->cites[o->cites_len++] = e->at;
}

/* A SYN-ACK: something listens, also where the capture holds no plain segment (by its filter). */
static void reach_listens(struct conn_reach *reach, const struct provenance *at)
{
	struct conn_outage *o = vec_last(&reach->outages);

	if (o->answered.frame == FRAME_NONE)
		o->answered = *at;
}

static void reach_established(struct conn_reach *reach, const struct event *e)
{
	reach->established++;
	reach->worked_last = e->at;
	if (reach->down) {
		struct conn_outage *o = vec_last(&reach->outages);

		o->recovered = e->at;
		reach->down = false;
	}
}

void conn_reach_take_tcp(struct conn_model *m, struct conn_record *r, const struct event *e)
{
	struct conn_reach *reach;

	switch (e->tcp->fact) {
	case TCP_FACT_REFUSED:
		reach = reach_get(m, r);
		if (reach)
			reach_refused(reach, e);
		return;
	case TCP_FACT_SYN_ACK:
	case TCP_FACT_ESTABLISHED:
		if (!r->reach)
			r->reach = reach_find(m, &r->conn);
		if (!r->reach)
			return;
		if (e->tcp->fact == TCP_FACT_SYN_ACK) {
			reach_answered(r->reach, e->at.evidence, e->tcp->ttl);
			if (r->reach->down)
				reach_listens(r->reach, &e->at);
		} else
			reach_established(r->reach, e);
		return;
	case TCP_FACT_SYN:
	case TCP_FACT_SYN_REPEAT:
	case TCP_FACT_BARE_ACK_TO_SYN:
	case TCP_FACT_FIN:
	case TCP_FACT_FIN_REPEAT:
	case TCP_FACT_FIN_ACKED:
	case TCP_FACT_RST:
	case TCP_FACT_RETRANSMISSION:
	case TCP_FACT_LOST:
	case TCP_FACT_SHOWN_LATE:
	case TCP_FACT_PROGRESS:
	case TCP_FACT_COUNT:
		return;
	}
}

static void rpc_server_note(struct conn_model *m, const struct endpoint *at,
			    const struct rpc_call *rpc)
{
	struct conn_rpc_server *s =
		map_find(&m->rpc_server_map, endpoint_hash(hash_start(), at), at);

	if (!s && m->rpc_servers.len == CONN_RPC_SERVERS_MAX) {
		m->reach_dropped++;
		return;
	}
	if (!s) {
		s = mem_alloc(1, sizeof(*s));
		s->at = *at;
		map_add(&m->rpc_server_map, endpoint_hash(hash_start(), at), s);
		*(struct conn_rpc_server **)vec_push(&m->rpc_servers) = s;
	}
	for (uint32_t i = 0; i < s->programs_len; i++)
		if (s->programs[i].program == rpc->program &&
		    s->programs[i].version == rpc->version)
			return;
	if (s->programs_len < CONN_PROGRAMS_MAX)
		s->programs[s->programs_len++] =
			(struct conn_program){rpc->program, rpc->version, rpc->is_callback};
}

void conn_reach_take_first_rpc(struct conn_model *m, struct conn_record *r, const struct event *e)
{
	struct conn_reach *reach;

	/* A callback on the backchannel (RFC 8881 section 2.10.3.1) tells nothing of this port. */
	if (e->rpc->has_call && e->rpc->from == CONN_FROM_CLIENT)
		rpc_server_note(m, &r->conn.server, e->rpc);
	if (r->conn.transport != TRANSPORT_TCP || r->reach)
		return;
	reach = reach_get(m, r);
	if (!reach)
		return;
	/*
	 * Its handshake was not counted: there was no pair to count it for. An outage that began
	 * since is not over by that; it only had a working port before it.
	 */
	if (r->established.frame != FRAME_NONE) {
		struct conn_outage *o = vec_last(&reach->outages);

		reach->established++;
		if (reach->worked_last.frame == FRAME_NONE)
			reach->worked_last = r->established;
		if (reach->down && o->worked_before.frame == FRAME_NONE)
			o->worked_before = r->established;
	}
	if (r->answered_ttl)
		reach_answered(reach, r->syn_ack.evidence, r->answered_ttl);
}

void conn_reach_init(struct conn_model *m)
{
	map_init(&m->reach_map, reach_is);
	vec_init(&m->reach, sizeof(struct conn_reach *));
	map_init(&m->rpc_server_map, rpc_server_is);
	vec_init(&m->rpc_servers, sizeof(struct conn_rpc_server *));
}

void conn_reach_deinit(struct conn_model *m)
{
	for (size_t i = 0; i < m->reach.len; i++) {
		struct conn_reach *reach = *(struct conn_reach **)vec_at(&m->reach, i);

		vec_deinit(&reach->outages);
		free(reach);
	}
	vec_deinit(&m->reach);
	map_deinit(&m->reach_map);
	for (size_t i = 0; i < m->rpc_servers.len; i++)
		free(*(struct conn_rpc_server **)vec_at(&m->rpc_servers, i));
	vec_deinit(&m->rpc_servers);
	map_deinit(&m->rpc_server_map);
}

const struct conn_rpc_server *conn_model_rpc_server(const struct conn_model *m,
						    const struct endpoint *server)
{
	return map_find(&m->rpc_server_map, endpoint_hash(hash_start(), server), server);
}

bool conn_model_is_rpc_server(const struct conn_model *m, const struct endpoint *server)
{
	const struct conn_rpc_server *s = conn_model_rpc_server(m, server);

	for (uint32_t i = 0; s && i < s->programs_len; i++)
		if (!s->programs[i].callback)
			return true;
	return false;
}
