// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The NLM model's restarts: grace periods, SM_NOTIFY (X/Open XNFS chapter 11), reclaims, and locks
 * that went to somebody else because their holders did not reclaim them.
 */
#include "base/mem.h"
#include "event/handle.h"
#include "model/nlm/nlm_internal.h"
#include "names/nlm.h"

/* Answers DENIED_GRACE_PERIOD further apart than this are of two periods: clients try every 5 s. */
#define GRACE_APART_NS (60 * STAMP_NS_PER_S)

/* --- grace periods --- */

static struct nlm_grace *grace_last(const struct nlm_model *m, const struct endpoint *server)
{
	for (size_t i = m->graces.len; i > 0; i--) {
		struct nlm_grace *g = *(struct nlm_grace **)vec_at(&m->graces, i - 1);

		if (endpoint_same_host(&g->server, server))
			return g;
	}
	return NULL;
}

static struct nlm_grace *grace_get(struct nlm_model *m, const struct nlm_request *r)
{
	struct nlm_grace *g = grace_last(m, &r->server);

	if (g && nlm_apart(g->last.at, r->reply.at) <= GRACE_APART_NS)
		return g;
	if (m->graces.len == NLM_GRACES_MAX) {
		m->dropped++;
		return NULL;
	}
	g = mem_alloc(1, sizeof(*g));
	g->conn = *r->conn;
	g->server = r->server;
	g->first = r->reply;
	*(struct nlm_grace **)vec_push(&m->graces) = g;
	return g;
}

void nlm_grace_add(struct nlm_model *m, const struct nlm_request *r)
{
	struct nlm_grace *g = grace_get(m, r);

	if (!g)
		return;
	g->count++;
	g->last = r->reply;
	if (g->cites_len < NLM_CITES_MAX)
		g->cites[g->cites_len++] = r->reply;
	for (uint32_t i = 0; i < g->clients_len; i++)
		if (endpoint_same_host(&g->clients[i], &r->client))
			return;
	if (g->clients_len < NLM_HOSTS_MAX)
		g->clients[g->clients_len++] = r->client;
}

/* What a client could not take back is granted to it after all. */
static void reclaims_regain(struct nlm_model *m, const struct nlm_request *r)
{
	for (size_t i = 0; m->reclaims_refused && i < m->reclaims.len; i++) {
		struct nlm_reclaim *c = *(struct nlm_reclaim **)vec_at(&m->reclaims, i);

		if (c->refused == 0 || c->regained.frame != FRAME_NONE ||
		    c->refused_owner != r->told->owner_hash ||
		    !endpoint_same_host(&c->client, &r->client) ||
		    !endpoint_same_host(&c->server, &r->server) ||
		    !file_handle_equal(&c->refused_file, &r->told->file))
			continue;
		c->regained = r->reply;
		c->regained_reclaim = r->told->reclaim;
		m->reclaims_refused--;
	}
}

void nlm_grace_note_grant(struct nlm_model *m, const struct nlm_request *r)
{
	struct nlm_grace *g = m->graces.len ? grace_last(m, &r->server) : NULL;

	reclaims_regain(m, r);
	if (!g)
		return;
	if (r->told->reclaim)
		g->reclaims++;
	else if (g->over.frame == FRAME_NONE)
		g->over = r->reply;
}

/* --- reclaims --- */

static struct nlm_reclaim *reclaim_get(struct nlm_model *m, const struct nlm_request *r)
{
	struct nlm_reclaim *c;

	for (size_t i = 0; i < m->reclaims.len; i++) {
		c = *(struct nlm_reclaim **)vec_at(&m->reclaims, i);
		if (endpoint_same_host(&c->client, &r->client) &&
		    endpoint_same_host(&c->server, &r->server))
			return c;
	}
	if (m->reclaims.len == NLM_RECLAIMS_MAX) {
		m->dropped++;
		return NULL;
	}
	c = mem_alloc(1, sizeof(*c));
	c->conn = *r->conn;
	c->client = r->client;
	c->server = r->server;
	c->first = r->reply;
	*(struct nlm_reclaim **)vec_push(&m->reclaims) = c;
	return c;
}

static bool taken_from(const struct nlm_taken *t, const struct nlm_request *r)
{
	return t->from.hash == r->told->owner_hash &&
	       endpoint_same_host(&t->from.host, &r->client) &&
	       endpoint_same_host(&t->server, &r->server) && t->file.len == r->told->file.len &&
	       memcmp(t->file.bytes, r->told->file.bytes, t->file.len) == 0;
}

void nlm_reclaim_note(struct nlm_model *m, const struct nlm_request *r)
{
	struct nlm_reclaim *c = reclaim_get(m, r);

	for (size_t i = 0; i < m->taken.len; i++) {
		struct nlm_taken *t = *(struct nlm_taken **)vec_at(&m->taken, i);

		if (t->reclaimed.frame == FRAME_NONE && taken_from(t, r))
			t->reclaimed = r->reply;
	}
	if (!c)
		return;
	c->last = r->reply;
	if (r->status == NLM_GRANTED) {
		c->granted++;
		return;
	}
	if (c->refused++ == 0) {
		c->refused_first = r->reply;
		c->refused_status = r->status;
		c->refused_owner = r->told->owner_hash;
		c->refused_file = r->told->file;
		m->reclaims_refused++;
	}
	c->refused_last = r->reply;
}

/* --- locks that somebody else got --- */

void nlm_taken_add(struct nlm_model *m, const struct nlm_lock *lock, const struct nlm_request *r)
{
	struct nlm_taken *t;

	if (m->taken.len == NLM_TAKEN_MAX) {
		m->dropped++;
		return;
	}
	t = mem_alloc(1, sizeof(*t));
	*t = (struct nlm_taken){
		.conn = *r->conn,
		.conn_from = lock->conn,
		.server = r->server,
		.file = lock->file,
		.from = lock->owner,
		.to = nlm_request_owner(r),
		.granted = lock->granted,
		.taken = r->reply,
	};
	*(struct nlm_taken **)vec_push(&m->taken) = t;
	m->taken_unheard++;
}

void nlm_taken_hear(struct nlm_model *m, const struct event *e)
{
	struct endpoint caller;

	if (m->taken_unheard == 0)
		return;
	caller = nlm_rpc_caller(e->rpc);
	for (size_t i = 0; i < m->taken.len; i++) {
		struct nlm_taken *t = *(struct nlm_taken **)vec_at(&m->taken, i);

		if (t->heard.frame == FRAME_NONE && endpoint_same_host(&t->from.host, &caller)) {
			t->heard = e->at;
			m->taken_unheard--;
		}
	}
}

void nlm_taken_note_unlock(struct nlm_model *m, const struct nlm_request *r)
{
	for (size_t i = 0; i < m->taken.len; i++) {
		struct nlm_taken *t = *(struct nlm_taken **)vec_at(&m->taken, i);

		if (t->unlocked.frame == FRAME_NONE && taken_from(t, r))
			t->unlocked = r->call;
	}
}

/* --- SM_NOTIFY --- */

/* The notifications between the two hosts; `add`: made when they are new and there is room. */
static struct nlm_notify *notify_get(struct nlm_model *m, const struct rpc_call *rpc, bool add)
{
	struct endpoint from = nlm_rpc_caller(rpc), to = nlm_rpc_answerer(rpc);
	struct nlm_notify *n;

	for (size_t i = 0; i < m->notifies.len; i++) {
		n = *(struct nlm_notify **)vec_at(&m->notifies, i);
		if (endpoint_same_host(&n->from, &from) && endpoint_same_host(&n->to, &to))
			return n;
	}
	if (!add || m->notifies.len == NLM_NOTIFIES_MAX) {
		m->dropped += add;
		return NULL;
	}
	n = mem_alloc(1, sizeof(*n));
	n->conn = *rpc->conn;
	n->from = from;
	n->to = to;
	*(struct nlm_notify **)vec_push(&m->notifies) = n;
	return n;
}

/*
 * A client that has restarted holds no locks any more. A server that has restarted knows of none
 * until they are reclaimed: until then they are void, as the clients may not know.
 */
static void locks_void(struct nlm_model *m, const struct rpc_call *rpc, const struct provenance *at)
{
	struct endpoint from = nlm_rpc_caller(rpc), to = nlm_rpc_answerer(rpc);
	struct nlm_lock *newer;

	for (struct nlm_lock *l = m->oldest; l; l = newer) {
		const struct endpoint *client = &l->owner.host, *server = &l->in->server;

		newer = l->newer;
		if (l->state != NLM_HELD)
			continue;
		if (endpoint_same_host(client, &to) && endpoint_same_host(server, &from))
			l->void_since = *at;
		else if (endpoint_same_host(client, &from) && endpoint_same_host(server, &to))
			nlm_lock_end(m, l, NLM_CLEARED, at);
	}
}

void nlm_notify_take(struct nlm_model *m, const struct event *e)
{
	struct nlm_notify *n = notify_get(m, e->rpc, true);

	if (n) {
		if (n->count++ == 0)
			n->first = e->at;
		n->last = e->at;
		if (e->rpc->told_kind == RPC_TOLD_STATE) {
			n->state = e->rpc->told.state->state;
			memcpy(n->name, e->rpc->told.state->name, NLM_CALLER_KEEP_BYTES - 1);
		}
	}
	locks_void(m, e->rpc, &e->at);
}

void nlm_notify_take_repeat(struct nlm_model *m, const struct event *e)
{
	struct nlm_notify *n = notify_get(m, e->rpc, false);

	if (!n)
		return;
	n->repeats++;
	n->last = e->at;
}

void nlm_notify_take_reply(struct nlm_model *m, const struct event *e)
{
	struct nlm_notify *n = notify_get(m, e->rpc, false);

	if (n && n->answered.frame == FRAME_NONE && e->rpc->outcome == RPC_SUCCESS)
		n->answered = e->at;
}
