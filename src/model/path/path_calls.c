// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The part of the path model that remembers calls in trouble: see path.h. How long a server took is
 * counted from the call, or from the moment when the network was done with it: what TCP had to send
 * again is not the server's doing.
 */
#include "base/hash.h"
#include "base/mem.h"
#include "model/path/path_internal.h"

#include <stdlib.h>

/* Programs whose ports are NFS's: portmap, nfs, mount, nlm, rquota, nsm, nfsacl. */
static const uint32_t path_programs[] = {100000, 100003, 100005, 100021, 100011, 100024, 100227};

struct calls_key {
	const struct conn *conn;
	uint32_t program;
};

static bool calls_are(const void *item, const void *key)
{
	const struct path_calls *c = item;
	const struct calls_key *k = key;

	return c->program == k->program && endpoint_same_host(&c->conn.client, &k->conn->client) &&
	       endpoint_equal(&c->conn.server, &k->conn->server);
}

static uint64_t calls_hash(const struct conn *conn, uint32_t program)
{
	uint64_t hash = hash_bytes(conn->server.addr, sizeof(conn->server.addr));

	hash = hash_u64(hash, hash_bytes(conn->client.addr, sizeof(conn->client.addr)));
	return hash_u64(hash, (uint64_t)conn->server.port << 32 | program);
}

static struct path_calls *calls_find(const struct path_model *m, const struct event *e)
{
	struct calls_key key = {e->conn, e->rpc->program};

	return map_find(&m->call_map, calls_hash(e->conn, e->rpc->program), &key);
}

struct path_calls *path_calls_get(struct path_model *m, const struct event *e)
{
	struct path_calls *c = calls_find(m, e);

	if (c)
		return c;
	if (m->calls.len == PATH_CALLS_MAX) {
		m->dropped++;
		return NULL;
	}
	c = mem_alloc(1, sizeof(*c));
	c->conn = *e->conn;
	c->program = e->rpc->program;
	c->accepted_last = stamp_none();
	map_add(&m->call_map, calls_hash(e->conn, e->rpc->program), c);
	*(struct path_calls **)vec_push(&m->calls) = c;
	return c;
}

/* Nanoseconds that the server had the call; 0 where the network had it all the time. */
static int64_t server_ns(const struct path_model *m, const struct rpc_call *rpc)
{
	const struct path_conn *c = path_conn_find(m, rpc->conn->serial);
	struct stamp from = rpc->call.at;
	struct stamp until = path_held_shown(&rpc->reply_past)->at;

	if (!stamp_known(until))
		until = rpc->reply.at;
	for (enum conn_side side = CONN_FROM_CLIENT; c && side <= CONN_FROM_SERVER; side++) {
		if (path_span_ns(from, c->progress[side]) > 0)
			from = c->progress[side];
		/* What is still not acknowledged may be this very call. A server's TCP that has it
		 * says so at once: with the answer, it got it just before. */
		if (c->is_open[side] && path_span_ns(c->open[side].since.at, rpc->reply.at) > 0 &&
		    path_span_ns(from, c->open[side].last.at) > 0)
			from = side == CONN_FROM_CLIENT ? rpc->reply.at : c->open[side].last.at;
	}
	return path_span_ns(from, until);
}

/*
 * `ns` of server_ns, less the time in which answers were on their way on this connection, one
 * behind the other: a narrow way, or a client that does not read, holds them up, and the server is
 * waiting.
 */
static int64_t idle_ns(int64_t ns, const struct rpc_call *rpc)
{
	int64_t all_ns = path_span_ns(rpc->call.at, rpc->reply.at);
	int64_t left_ns = all_ns > rpc->reply_busy_ns ? all_ns - rpc->reply_busy_ns : 0;

	return left_ns < ns ? left_ns : ns;
}

static void late_note(struct path_calls *c, const struct event *e, int64_t ns)
{
	const struct rpc_call *rpc = e->rpc;
	struct path_late late = {
		.call = rpc->call,
		.reply = rpc->reply,
		.xid = rpc->xid,
		.version = rpc->version,
		.procedure = rpc->procedure,
		.repeats = rpc->retransmissions.len,
		.ns = ns,
		.age_ns = rpc->reply_past.age_ns,
		.has_age = rpc->reply_past.has_age,
		.ahead_ns = e->conn->clock_ahead_ns,
	};
	const struct provenance *unsent = &rpc->reply_past.unsent_last;
	uint32_t i = c->worst_len;

	if (unsent->frame > rpc->call.frame)
		late.unsent = *unsent;
	if (c->late++ == 0)
		c->late_first = rpc->call;
	c->late_last = rpc->reply;
	if (__builtin_add_overflow(c->late_sum_ns, ns, &c->late_sum_ns))
		c->late_sum_ns = INT64_MAX;
	if (late.repeats && late.ns > c->repeated_worst.ns)
		c->repeated_worst = late;
	while (i > 0 && c->worst[i - 1].ns < late.ns)
		i--;
	if (i == PATH_CITES_MAX)
		return;
	c->worst_len += c->worst_len < PATH_CITES_MAX;
	for (uint32_t j = c->worst_len - 1; j > i; j--)
		c->worst[j] = c->worst[j - 1];
	c->worst[i] = late;
}

static void queued_note(struct path_calls *c, const struct rpc_call *rpc)
{
	int64_t ns = path_span_ns(rpc->call.at, rpc->reply.at);

	if (c->queued++ == 0)
		c->queued_first = rpc->call;
	c->queued_last = rpc->reply;
	if (ns > c->queued_worst_ns)
		c->queued_worst_ns = ns;
}

static void port_note(struct path_model *m, const struct event *e)
{
	const struct portmap_told *told = e->rpc->told.port;
	struct path_port port = {.at = e->conn->server, .program = told->program};
	bool ours = false;

	for (size_t i = 0; i < sizeof(path_programs) / sizeof(*path_programs); i++)
		ours |= told->program == path_programs[i];
	if (!told->answered || told->port == 0 || !ours)
		return;
	port.at.port = told->port;
	if (path_model_port_told(m, &port.at))
		return;
	if (m->ports.len == PATH_PORTS_MAX)
		m->dropped++;
	else
		*(struct path_port *)vec_push(&m->ports) = port;
}

static struct path_refusals *refusals_find(struct path_calls *c, uint32_t flavor)
{
	for (uint32_t i = 0; i < c->refusals_len; i++)
		if (c->refusals[i].flavor == flavor)
			return &c->refusals[i];
	return NULL;
}

static void refusal_note(struct path_model *m, const struct event *e)
{
	struct path_calls *c = path_calls_get(m, e);
	struct path_refusals *r;

	if (!c)
		return;
	r = refusals_find(c, e->rpc->cred_flavor);
	if (!r && c->refusals_len == PATH_FLAVORS_MAX)
		return;
	if (!r) {
		if (!c->refusals)
			c->refusals = mem_alloc(PATH_FLAVORS_MAX, sizeof(*c->refusals));
		r = &c->refusals[c->refusals_len++];
		r->flavor = e->rpc->cred_flavor;
	}
	if (r->refused++ == 0)
		r->first = e->at;
	r->last = e->at;
	r->auth_stat = e->rpc->auth_stat;
	if (++r->refused_now > r->longest)
		r->longest = r->refused_now;
	path_cite(r->cites, &r->cites_len, &e->at);
}

/* A call was accepted: whoever was refused before with these credentials is not any more. */
static void accepted_note(struct path_model *m, const struct event *e)
{
	struct path_calls *c = calls_find(m, e);
	struct path_refusals *r;

	if (!c || c->refusals_len == 0)
		return;
	c->accepted_last = e->at.at;
	r = refusals_find(c, e->rpc->cred_flavor);
	if (r)
		r->refused_now = 0;
}

static void take_reply(void *context, const struct event *e)
{
	struct path_model *m = context;
	const struct rpc_call *rpc = e->rpc;
	struct path_calls *c;
	int64_t ns;

	if (!rpc->has_call || rpc->from != CONN_FROM_CLIENT)
		return;
	if (__builtin_expect(rpc->told_kind == RPC_TOLD_PORT, 0))
		port_note(m, e);
	if (__builtin_expect(rpc->outcome == RPC_AUTH_ERROR, 0))
		refusal_note(m, e);
	else if (__builtin_expect(m->calls.len != 0, 0) && rpc->procedure != 0)
		accepted_note(m, e);
	if (e->conn->transport != TRANSPORT_TCP)
		return;
	path_held_take(m, e);
	if (path_span_ns(rpc->call.at, rpc->reply.at) < PATH_LATE_NS)
		return;
	ns = server_ns(m, rpc);
	if (ns < PATH_LATE_NS)
		return;
	ns = idle_ns(ns, rpc);
	c = path_calls_get(m, e);
	if (c && ns < PATH_LATE_NS)
		queued_note(c, rpc);
	else if (c)
		late_note(c, e, ns);
}

static void take_repeat(void *context, const struct event *e)
{
	struct path_calls *c;
	int64_t after_ns = path_span_ns(e->rpc->call.at, e->at.at);

	/* A copy that follows at once was not sent by a timer. */
	if (e->rpc->from != CONN_FROM_CLIENT || after_ns < STAMP_NS_PER_S)
		return;
	c = path_calls_get(context, e);
	if (!c)
		return;
	if (c->repeats++ == 0) {
		c->repeat_first = e->at;
		c->repeat_call = e->rpc->call;
	}
	c->repeat_last = e->at;
	if (after_ns > c->repeat_after_ns)
		c->repeat_after_ns = after_ns;
	path_cite(c->repeat_cites, &c->repeat_cites_len, &e->at);
}

/* The wait of this call's connection and program among the last ones of the list; NULL: none. */
static struct path_wait *wait_find(const struct vec *waits, const struct rpc_call *rpc)
{
	for (size_t i = 0; i < PATH_CITES_MAX && i < waits->len; i++) {
		struct path_wait *w = vec_at(waits, waits->len - 1 - i);

		if (w->conn.serial == rpc->conn->serial && w->program == rpc->program &&
		    w->version == rpc->version)
			return w;
	}
	return NULL;
}

/*
 * Nothing is kept yet: only if the connection ends right after it was the call never answered. One
 * that left the connection was not either.
 */
static void take_unanswered(void *context, const struct event *e)
{
	struct path_model *m = context;
	const struct rpc_call *rpc = e->rpc;
	struct vec *waits = rpc->left ? &m->waits : &m->ending;
	size_t max = rpc->left ? PATH_WAITS_MAX : PATH_CITES_MAX;
	struct path_wait *w = vec_last(&m->ending);

	if (rpc->from != CONN_FROM_CLIENT || e->conn->transport != TRANSPORT_TCP)
		return;
	path_held_take(m, e);
	if (w && w->conn.serial != e->conn->serial)
		m->ending.len = 0;
	w = wait_find(waits, rpc);
	if (!w) {
		if (waits->len == max) {
			m->dropped += rpc->left;
			return;
		}
		w = vec_push(waits);
		*w = (struct path_wait){.conn = *e->conn,
					.program = rpc->program,
					.version = rpc->version,
					.first = rpc->call};
	}
	w->count++;
	w->repeats += rpc->retransmissions.len;
	if (rpc->call.frame < w->first.frame)
		w->first = rpc->call;
	if (rpc->call.frame > w->last.frame)
		w->last = rpc->call;
	if (w->cites_len < PATH_CITES_MAX) {
		w->procedures[w->cites_len] = rpc->procedure;
		w->cites[w->cites_len++] = rpc->call;
	}
}

void path_calls_conn_end(struct path_model *m, const struct event *e)
{
	const struct path_wait *w = vec_last(&m->ending);

	for (size_t i = 0; w && w->conn.serial == e->conn->serial && i < m->ending.len; i++) {
		if (m->waits.len == PATH_WAITS_MAX)
			m->dropped++;
		else
			*(struct path_wait *)vec_push(&m->waits) =
				*(struct path_wait *)vec_at(&m->ending, i);
	}
	m->ending.len = 0;
}

bool path_model_port_told(const struct path_model *m, const struct endpoint *at)
{
	for (size_t i = 0; i < m->ports.len; i++)
		if (endpoint_equal(&((struct path_port *)vec_at(&m->ports, i))->at, at))
			return true;
	return false;
}

void path_calls_init(struct path_model *m)
{
	map_init(&m->call_map, calls_are);
	vec_init(&m->calls, sizeof(struct path_calls *));
	vec_init(&m->waits, sizeof(struct path_wait));
	vec_init(&m->ending, sizeof(struct path_wait));
	vec_init(&m->ports, sizeof(struct path_port));
}

void path_calls_deinit(struct path_model *m)
{
	for (size_t i = 0; i < m->calls.len; i++) {
		struct path_calls *c = *(struct path_calls **)vec_at(&m->calls, i);

		free(c->held_worst);
		free(c->refusals);
		free(c);
	}
	map_deinit(&m->call_map);
	vec_deinit(&m->calls);
	vec_deinit(&m->waits);
	vec_deinit(&m->ending);
	vec_deinit(&m->ports);
}

void path_calls_attach(struct path_model *m, struct event_board *board)
{
	event_board_add(board, EVENT_RPC_REPLY, take_reply, m);
	event_board_add(board, EVENT_RPC_REPEAT, take_repeat, m);
	event_board_add(board, EVENT_RPC_UNANSWERED, take_unanswered, m);
}
