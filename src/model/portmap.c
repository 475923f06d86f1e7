// SPDX-License-Identifier: GPL-2.0-or-later
/* See portmap.h. */
#include "model/portmap.h"

#include "base/hash.h"
#include "base/mem.h"
#include "names/portmap.h"

#include <stdlib.h>

/* A stretch shorter than this is a conversation and no trouble. */
#define TROUBLE_MIN_NS STAMP_NS_PER_S

/*
 * Who gets no answer waits longer than this before it sends again (a SYN 1 s): what is sent sooner,
 * as a copy of the capture or a call behind the handshake, has left no time for one.
 */
#define TRY_APART_NS (STAMP_NS_PER_S / 2)

/* --- tables --- */

static struct endpoint host_of(const struct endpoint *e)
{
	struct endpoint host = *e;

	host.port = 0;
	return host;
}

static bool service_is(const void *item, const void *key)
{
	const struct portmap_service *s = item;
	const struct portmap_service *k = key;

	return s->program == k->program && s->version == k->version && s->protocol == k->protocol &&
	       endpoint_equal(&s->client, &k->client) && endpoint_equal(&s->server, &k->server);
}

static bool peer_is(const void *item, const void *key)
{
	const struct portmap_peer *p = item;
	const struct portmap_peer *k = key;

	return endpoint_equal(&p->client, &k->client) && endpoint_equal(&p->server, &k->server);
}

static bool port_is(const void *item, const void *key)
{
	return endpoint_equal(&((const struct portmap_port *)item)->at, key);
}

/* The service that the call asks for; NULL when there is no room. */
static struct portmap_service *service_get(struct portmap_model *m, const struct rpc_call *c)
{
	const struct portmap_told *t = c->told.port;
	struct portmap_service key = {
		.client = host_of(&c->conn->client),
		.server = host_of(&c->conn->server),
		.program = t->program,
		.version = t->version,
		.protocol = t->protocol,
	};
	uint64_t hash = endpoint_hash(endpoint_hash(hash_start(), &key.client), &key.server);
	struct portmap_service *s;

	hash = hash_u64(hash_u64(hash_u64(hash, t->program), t->version), t->protocol);
	s = map_find(&m->service_map, hash, &key);
	if (s)
		return s;
	if (m->services.len == PORTMAP_SERVICES_MAX) {
		m->dropped++;
		return NULL;
	}
	s = mem_alloc(1, sizeof(*s));
	*s = key;
	s->conn = *c->conn;
	s->asked_first = c->call;
	map_add(&m->service_map, hash, s);
	*(struct portmap_service **)vec_push(&m->services) = s;
	return s;
}

/* Client host and portmapper of the connection; `add`: made when it is new and there is room. */
static struct portmap_peer *peer_get(struct portmap_model *m, const struct conn *conn, bool add)
{
	struct portmap_peer key = {.client = host_of(&conn->client), .server = conn->server};
	struct portmap_peer *p;
	uint64_t hash;

	key.server.port = PORTMAP_PORT;
	hash = endpoint_hash(endpoint_hash(hash_start(), &key.client), &key.server);
	p = map_find(&m->peer_map, hash, &key);
	if (p || !add)
		return p;
	if (m->peers.len == PORTMAP_PEERS_MAX) {
		m->dropped++;
		return NULL;
	}
	p = mem_alloc(1, sizeof(*p));
	*p = key;
	p->conn = *conn;
	map_add(&m->peer_map, hash, p);
	*(struct portmap_peer **)vec_push(&m->peers) = p;
	return p;
}

static void port_note(struct portmap_model *m, const struct rpc_call *c,
		      const struct provenance *at)
{
	struct endpoint key = c->conn->server;
	struct portmap_port *p;
	uint64_t hash;

	key.port = c->told.port->port;
	hash = endpoint_hash(hash_start(), &key);
	p = map_find(&m->port_map, hash, &key);
	if (!p && m->ports.len == PORTMAP_PORTS_MAX) {
		m->dropped++;
		return;
	}
	if (!p) {
		p = mem_alloc(1, sizeof(*p));
		p->at = key;
		p->told = *at;
		map_add(&m->port_map, hash, p);
		*(struct portmap_port **)vec_push(&m->ports) = p;
	}
	p->program = c->told.port->program;
	p->version = c->told.port->version;
}

const struct portmap_port *portmap_model_port(const struct portmap_model *m,
					      const struct endpoint *at)
{
	return map_find(&m->port_map, endpoint_hash(hash_start(), at), at);
}

bool portmap_program_is_nfs(uint32_t program)
{
	/* NFS, MOUNT, RQUOTA, NLM, NSM, NFSACL */
	static const uint32_t programs[] = {100003, 100005, 100011, 100021, 100024, 100227};

	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		if (program == programs[i])
			return true;
	return false;
}

bool portmap_model_is_nfs_port(const struct portmap_model *m, const struct endpoint *at)
{
	const struct portmap_port *p = portmap_model_port(m, at);

	return p && portmap_program_is_nfs(p->program);
}

/* --- what was answered --- */

static int64_t apart_ns(struct stamp a, struct stamp b)
{
	int64_t ns;

	return a.clock != b.clock || __builtin_sub_overflow(b.ns, a.ns, &ns) ? 0 : ns;
}

/* The row of refusals is over: the longest one is kept. */
static void refusals_end(struct portmap_service *s, const struct provenance *over)
{
	struct portmap_refusals *now = &s->now;

	if (now->count == 0)
		return;
	now->over = *over;
	if (s->refusals.count == 0 || apart_ns(now->first.at, now->last.at) >
					      apart_ns(s->refusals.first.at, s->refusals.last.at))
		s->refusals = *now;
	*now = (struct portmap_refusals){0};
}

static void refusals_add(struct portmap_service *s, const struct provenance *at)
{
	struct portmap_refusals *now = &s->now;

	if (now->count++ == 0)
		now->first = *at;
	now->last = *at;
	if (now->cites_len < PORTMAP_CITES_MAX)
		now->cites[now->cites_len++] = *at;
}

/* Another port than before: that is kept. */
static void service_note_move(struct portmap_service *s, uint16_t port, const struct provenance *at)
{
	if (s->port == 0 || s->port == port)
		return;
	if (s->moves_len == PORTMAP_MOVES_MAX)
		memmove(s->moves, s->moves + 1, --s->moves_len * sizeof(*s->moves));
	s->moves[s->moves_len++] = (struct portmap_move){
		.from = s->port, .to = port, .told_from = s->told_last, .told = *at};
}

static void service_answered(struct portmap_model *m, const struct rpc_call *c,
			     const struct provenance *at)
{
	struct portmap_service *s = service_get(m, c);

	if (s && c->told.port->port == 0) {
		refusals_add(s, at);
	} else if (s) {
		if (s->told++ == 0)
			s->told_first = *at;
		service_note_move(s, c->told.port->port, at);
		s->told_last = *at;
		s->port = c->told.port->port;
		refusals_end(s, at);
	}
	if (c->told.port->port != 0)
		port_note(m, c, at);
}

/* --- what was not answered --- */

static void peer_wait(struct portmap_model *m, struct portmap_peer *p, bool waiting)
{
	m->waiting += (uint32_t)waiting - (uint32_t)p->waiting;
	p->waiting = waiting;
}

static int64_t trouble_ns(const struct portmap_trouble *t)
{
	return apart_ns(t->first.at, t->over.frame == FRAME_NONE ? t->last.at : t->over.at);
}

static void trouble_keep(struct portmap_peer *p, const struct portmap_trouble *t)
{
	struct portmap_trouble *shortest;

	if (!p->troubles)
		p->troubles = mem_alloc(PORTMAP_TROUBLES_MAX, sizeof(*p->troubles));
	shortest = &p->troubles[0];
	if (p->troubles_len < PORTMAP_TROUBLES_MAX) {
		p->troubles[p->troubles_len++] = *t;
		return;
	}
	p->troubles_dropped++;
	for (uint32_t i = 1; i < PORTMAP_TROUBLES_MAX; i++)
		if (trouble_ns(&p->troubles[i]) < trouble_ns(shortest))
			shortest = &p->troubles[i];
	if (trouble_ns(t) > trouble_ns(shortest))
		*shortest = *t;
}

/* Something was sent to the portmapper. */
static struct portmap_trouble *peer_sent(struct portmap_model *m, const struct event *e)
{
	struct portmap_peer *p = peer_get(m, e->conn, true);
	struct portmap_trouble *t = p ? &p->now : NULL;

	if (!p)
		return NULL;
	if (t->first.frame == FRAME_NONE) {
		t->first = e->at;
		t->worked_before = p->worked;
	}
	t->last = e->at;
	t->lossy |= e->conn->lossy;
	if (t->cites_len < PORTMAP_CITES_MAX)
		t->cites[t->cites_len++] = e->at;
	peer_wait(m, p, true);
	return t;
}

/* What wants an answer, which what went before it has not got. */
static void trouble_try(struct portmap_trouble *t, const struct event *e)
{
	if (stamp_known(t->tried) && apart_ns(t->tried, e->at.at) < TRY_APART_NS)
		return;
	t->vain += stamp_known(t->tried);
	t->tried = e->at.at;
}

/* The portmapper took the connection, or answered. */
static void peer_worked(struct portmap_model *m, const struct event *e)
{
	struct portmap_peer *p = peer_get(m, e->conn, false);

	if (!p)
		return;
	if (p->now.first.frame != FRAME_NONE) {
		p->now.over = e->at;
		if (trouble_ns(&p->now) >= TROUBLE_MIN_NS)
			trouble_keep(p, &p->now);
	}
	p->now = (struct portmap_trouble){0};
	p->worked = e->at;
	peer_wait(m, p, false);
}

/* Another service of the host answered a call that was made while the portmapper was asked. */
static void peer_alive(struct portmap_model *m, const struct event *e)
{
	struct portmap_trouble *t;

	if (e->conn->serial != m->alive_serial) {
		m->alive_serial = e->conn->serial;
		m->alive_peer = peer_get(m, e->conn, false);
	}
	if (!m->alive_peer || !m->alive_peer->waiting)
		return;
	t = &m->alive_peer->now;
	if (apart_ns(t->first.at, e->rpc->call.at) < TROUBLE_MIN_NS)
		return;
	if (t->alive.frame == FRAME_NONE)
		t->alive = e->at;
	t->alive_last = e->at;
}

/* --- events --- */

static bool to_portmap(const struct event *e)
{
	return e->rpc->program == PMAP_PROG && e->rpc->has_call && e->rpc->from == CONN_FROM_CLIENT;
}

static void portmap_take_call(void *context, const struct event *e)
{
	struct portmap_model *m = context;
	struct portmap_service *s;
	struct portmap_peer *p;

	if (!to_portmap(e))
		return;
	s = e->rpc->told_kind == RPC_TOLD_PORT ? service_get(m, e->rpc) : NULL;
	if (s) {
		s->asked++;
		s->asked_last = e->at;
	}
	p = peer_sent(m, e) ? peer_get(m, e->conn, false) : NULL;
	if (p) {
		p->asked++;
		p->now.calls++;
		p->now.call_sure |= e->conn->transport == TRANSPORT_TCP && !e->conn->joined;
		trouble_try(&p->now, e);
	}
}

static void portmap_take_repeat(void *context, const struct event *e)
{
	struct portmap_trouble *t = to_portmap(e) ? peer_sent(context, e) : NULL;

	if (t) {
		t->repeats++;
		trouble_try(t, e);
	}
}

static void portmap_take_reply(void *context, const struct event *e)
{
	struct portmap_model *m = context;
	const struct rpc_call *c = e->rpc;

	if (c->from != CONN_FROM_CLIENT)
		return;
	if (!to_portmap(e)) {
		if (m->waiting && c->has_call && e->conn->server.port != PORTMAP_PORT)
			peer_alive(m, e);
		return;
	}
	peer_worked(m, e);
	if (c->told_kind == RPC_TOLD_PORT && c->told.port->answered)
		service_answered(m, c, &e->at);
}

static void portmap_take_unanswered(void *context, const struct event *e)
{
	struct portmap_service *s = NULL;

	if (to_portmap(e) && e->rpc->told_kind == RPC_TOLD_PORT)
		s = service_get(context, e->rpc);
	if (s)
		s->unanswered++;
}

static void portmap_take_tcp(void *context, const struct event *e)
{
	struct portmap_trouble *t;

	if (e->conn->server.port != PORTMAP_PORT)
		return;
	if (e->tcp->fact == TCP_FACT_ESTABLISHED) {
		peer_worked(context, e);
		return;
	}
	if (e->tcp->fact != TCP_FACT_SYN && e->tcp->fact != TCP_FACT_SYN_REPEAT &&
	    e->tcp->fact != TCP_FACT_SYN_ACK && e->tcp->fact != TCP_FACT_REFUSED)
		return;
	t = peer_sent(context, e);
	if (!t)
		return;
	t->connections += e->tcp->fact == TCP_FACT_SYN;
	if (e->tcp->fact == TCP_FACT_SYN || e->tcp->fact == TCP_FACT_SYN_REPEAT)
		trouble_try(t, e);
	if (e->tcp->fact == TCP_FACT_SYN_ACK) {
		t->syns_answered++;
		if (t->alive.frame == FRAME_NONE)
			t->alive = e->at;
		t->alive_last = e->at;
	}
	t->refused += e->tcp->fact == TCP_FACT_REFUSED;
}

void portmap_model_init(struct portmap_model *m)
{
	*m = (struct portmap_model){0};
	map_init(&m->service_map, service_is);
	map_init(&m->peer_map, peer_is);
	map_init(&m->port_map, port_is);
	vec_init(&m->services, sizeof(struct portmap_service *));
	vec_init(&m->peers, sizeof(struct portmap_peer *));
	vec_init(&m->ports, sizeof(struct portmap_port *));
}

static void free_all(struct vec *pointers)
{
	for (size_t i = 0; i < pointers->len; i++)
		free(*(void **)vec_at(pointers, i));
	vec_deinit(pointers);
}

void portmap_model_deinit(struct portmap_model *m)
{
	map_deinit(&m->service_map);
	map_deinit(&m->peer_map);
	map_deinit(&m->port_map);
	free_all(&m->services);
	for (size_t i = 0; i < m->peers.len; i++)
		free((*(struct portmap_peer **)vec_at(&m->peers, i))->troubles);
	free_all(&m->peers);
	free_all(&m->ports);
}

void portmap_model_finish(struct portmap_model *m)
{
	const struct provenance none = {0};

	for (size_t i = 0; i < m->services.len; i++)
		refusals_end(*(struct portmap_service **)vec_at(&m->services, i), &none);
	for (size_t i = 0; i < m->peers.len; i++) {
		struct portmap_peer *p = *(struct portmap_peer **)vec_at(&m->peers, i);

		if (p->now.first.frame != FRAME_NONE)
			trouble_keep(p, &p->now);
	}
}

void portmap_model_attach(struct portmap_model *m, struct event_board *board)
{
	event_board_add(board, EVENT_TCP, portmap_take_tcp, m);
	event_board_add_calls(board, EVENT_RPC_CALL, EVENT_CALLS_OTHER, portmap_take_call, m);
	event_board_add(board, EVENT_RPC_REPEAT, portmap_take_repeat, m);
	event_board_add(board, EVENT_RPC_REPLY, portmap_take_reply, m);
	event_board_add(board, EVENT_RPC_UNANSWERED, portmap_take_unanswered, m);
}
