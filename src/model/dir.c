// SPDX-License-Identifier: GPL-2.0-or-later
/* See dir.h. */
#include "model/dir.h"

#include "base/hash.h"
#include "base/mem.h"
#include "event/handle.h"
#include "names/nfs3.h"
#include "names/nfs4.h"

#include <stdlib.h>

/* A directory as one client lists it: the chains that go on. */
struct dir_listed {
	struct endpoint client, server; /* hosts */
	struct file_handle dir;
	struct dir_chain *active[DIR_ACTIVE_MAX]; /* oldest first */
	uint32_t active_len;
	struct dir_listed *older, *newer; /* by last use */
};

static int64_t apart_ns(struct stamp a, struct stamp b)
{
	int64_t ns;

	return a.clock != b.clock || __builtin_sub_overflow(b.ns, a.ns, &ns) ? 0 : ns;
}

int64_t dir_chain_elapsed_ns(const struct dir_chain *c)
{
	return c->last.frame == FRAME_NONE ? 0 : apart_ns(c->first.at, c->last.at);
}

const char *dir_state_name(enum dir_state state)
{
	static const char *const names[DIR_STATE_COUNT] = {
		[DIR_ASKED] = "unanswered",    [DIR_ANSWERED] = "going on",
		[DIR_COMPLETE] = "complete",   [DIR_FAILED] = "failed",
		[DIR_RESTARTED] = "restarted", [DIR_LEFT] = "left",
	};

	return names[state];
}

/* --- directories --- */

static bool listed_is(const void *item, const void *key)
{
	const struct dir_listed *d = item;
	const struct dir_listed *k = key;

	return file_handle_equal(&d->dir, &k->dir) && endpoint_equal(&d->client, &k->client) &&
	       endpoint_equal(&d->server, &k->server);
}

static uint64_t listed_hash(const struct dir_listed *d)
{
	return hash_bytes(d->dir.bytes, d->dir.len) ^
	       hash_bytes(d->client.addr, sizeof(d->client.addr)) ^
	       endpoint_hash(hash_start(), &d->server);
}

static void listed_link(struct dir_model *m, struct dir_listed *d)
{
	d->older = m->newest;
	d->newer = NULL;
	*(m->newest ? &m->newest->newer : &m->oldest) = d;
	m->newest = d;
}

static void listed_unlink(struct dir_model *m, struct dir_listed *d)
{
	*(d->older ? &d->older->newer : &m->oldest) = d->newer;
	*(d->newer ? &d->newer->older : &m->newest) = d->older;
}

/* The chain is over, and no longer among the active ones. */
static void chain_tell(struct dir_model *m, struct dir_chain *c)
{
	if (m->ended)
		m->ended(m->ended_context, c);
	free(longest_add(&m->chains, dir_chain_elapsed_ns(c), c));
}

static void chain_end(struct dir_model *m, struct dir_listed *d, uint32_t index,
		      enum dir_state state)
{
	struct dir_chain *c = d->active[index];

	c->state = state;
	if (c->at_server) {
		c->other_calls = c->at_server->calls - c->other_calls;
		c->other_rtt_sum_ns = c->at_server->rtt_sum_ns - c->other_rtt_sum_ns;
	}
	d->active_len--;
	m->active_len--;
	memmove(&d->active[index], &d->active[index + 1],
		(d->active_len - index) * sizeof(d->active[0]));
	chain_tell(m, c);
}

/* What became of a chain that nothing more was seen of. */
static enum dir_state chain_left_state(const struct dir_chain *c)
{
	if (c->state == DIR_ASKED)
		return DIR_ASKED;
	return c->superseded ? DIR_RESTARTED : DIR_LEFT;
}

static void listed_drop(struct dir_model *m, struct dir_listed *d)
{
	while (d->active_len)
		chain_end(m, d, 0, chain_left_state(d->active[0]));
	listed_unlink(m, d);
	map_remove(&m->map, listed_hash(d), d);
	m->listed_len--;
	free(d);
}

static void listed_forget_oldest(struct dir_model *m)
{
	m->forgotten += m->oldest->active_len;
	listed_drop(m, m->oldest);
}

static struct dir_listed *listed_get(struct dir_model *m, const struct rpc_call *call, bool add)
{
	struct dir_listed key = {.client = call->conn->client,
				 .server = call->conn->server,
				 .dir = call->told.listing->dir};
	struct dir_listed *d;

	key.client.port = 0;
	d = map_find(&m->map, listed_hash(&key), &key);
	if (d && d != m->newest) {
		listed_unlink(m, d);
		listed_link(m, d);
	}
	if (d || !add)
		return d;
	if (m->listed_len == DIR_LISTED_MAX)
		listed_forget_oldest(m);
	d = mem_alloc(1, sizeof(*d));
	*d = key;
	map_add(&m->map, listed_hash(d), d);
	listed_link(m, d);
	m->listed_len++;
	return d;
}

/* --- servers --- */

static bool server_is(const void *item, const void *key)
{
	const struct dir_server *s = item;

	return endpoint_equal(&s->server, key);
}

/* NULL: too many. */
static struct dir_server *server_get(struct dir_model *m, const struct endpoint *server)
{
	struct dir_server *s;
	uint64_t hash;

	if (m->last && endpoint_equal(&m->last->server, server))
		return m->last;
	hash = endpoint_hash(hash_start(), server);
	s = map_find(&m->servers, hash, server);
	if (s)
		return m->last = s;
	if (m->servers.len == DIR_SERVERS_MAX)
		return NULL;
	s = mem_alloc(1, sizeof(*s));
	s->server = *server;
	map_add(&m->servers, hash, s);
	return m->last = s;
}

/* Calls that need the server to look at its file system, and no listing or change of it. */
static bool call_compares(const struct rpc_call *c)
{
	bool looks = false;

	if (c->program != NFS_PROGRAM || !c->has_call)
		return false;
	if (c->version == NFS_V3)
		return c->procedure == NFSPROC3_GETATTR || c->procedure == NFSPROC3_LOOKUP ||
		       c->procedure == NFSPROC3_ACCESS || c->procedure == NFSPROC3_READ;
	for (uint32_t i = 0; i < c->ops_len; i++) {
		uint32_t op = c->ops[i].op;

		if (op == OP_GETATTR || op == OP_LOOKUP || op == OP_ACCESS || op == OP_READ)
			looks = true;
		else if (op != OP_SEQUENCE && op != OP_PUTFH && op != OP_GETFH)
			return false;
	}
	return looks;
}

static void take_other(struct dir_model *m, const struct rpc_call *c, const struct provenance *at)
{
	struct dir_server *s = call_compares(c) ? server_get(m, &c->conn->server) : NULL;

	if (!s)
		return;
	s->calls++;
	s->rtt_sum_ns += apart_ns(c->call.at, at->at);
}

/* --- chains --- */

static struct dir_chain *chain_begin(struct dir_model *m, struct dir_listed *d,
				     const struct rpc_call *call, const struct provenance *at)
{
	struct dir_chain *c = mem_alloc(1, sizeof(*c));

	while (m->active_len >= DIR_ACTIVE_ALL_MAX && m->oldest != d)
		listed_forget_oldest(m);
	if (d->active_len == DIR_ACTIVE_MAX) {
		m->forgotten += !d->active[0]->superseded;
		chain_end(m, d, 0, DIR_LEFT); /* whether it goes on will not be known */
	}
	c->conn = *call->conn;
	c->client = d->client;
	c->server = d->server;
	c->dir = d->dir;
	c->version = call->version;
	c->plus = call->told.listing->plus;
	c->joined = call->told.listing->cookie != 0;
	c->at_server = server_get(m, &call->conn->server);
	if (c->at_server) { /* until it ends: what there was before */
		c->other_calls = c->at_server->calls;
		c->other_rtt_sum_ns = c->at_server->rtt_sum_ns;
	}
	c->first = *at;
	d->active[d->active_len++] = c;
	m->active_len++;
	for (uint32_t i = 0; i < d->active_len; i++)
		if (d->active[i]->others < d->active_len - 1)
			d->active[i]->others = d->active_len - 1;
	return c;
}

/* The chain that a call with this cookie goes on with; NULL: none. */
static struct dir_chain *chain_going_on(const struct dir_listed *d, uint64_t cookie)
{
	for (uint32_t i = d->active_len; i > 0; i--) {
		struct dir_chain *c = d->active[i - 1];

		if (c->state == DIR_ANSWERED &&
		    (!c->next_known || (cookie >= c->from && cookie <= c->next)))
			return c;
	}
	return NULL;
}

/* The chain that has asked with this cookie last, and asks so again; NULL: none. */
static struct dir_chain *chain_repeating(const struct dir_listed *d, uint64_t cookie)
{
	for (uint32_t i = d->active_len; i > 0; i--)
		if (d->active[i - 1]->state == DIR_ANSWERED && d->active[i - 1]->cookie == cookie)
			return d->active[i - 1];
	return NULL;
}

/* Entries that the reply had behind the cookie at which the client goes on are sent again. */
static void chain_skip(struct dir_chain *c, uint64_t cookie)
{
	double share;

	if (!c->next_known || cookie == c->next)
		return;
	share = (double)(c->next - cookie) / (double)(c->next - c->from);
	c->entries -= (uint64_t)(share * (c->got - 1));
	c->skipped = true;
}

/*
 * A cycle is found by keeping one cookie, renewed after 1, 2, 4 ... steps (Brent): a listing that
 * goes in a circle comes by it. Only steps count that ask with the last cookie of a whole reply:
 * then it is the replies that lead there, whichever process asks.
 */
static void chain_mark(struct dir_chain *c, uint64_t cookie, bool exact,
		       const struct provenance *at)
{
	c->steps = exact ? c->steps + 1 : 0;
	if (exact && cookie == c->mark && c->rounds++ == 0) {
		c->round_from = c->mark_at;
		c->round_to = *at;
	}
	if (exact && c->steps < c->mark_due)
		return;
	c->mark = cookie;
	c->mark_at = *at;
	c->mark_due = exact ? c->steps * 2 : 1;
}

static void note_restart(const struct dir_listed *d)
{
	for (uint32_t i = d->active_len; i > 0; i--)
		if (d->active[i - 1]->state == DIR_ANSWERED && !d->active[i - 1]->superseded) {
			d->active[i - 1]->superseded = true;
			return;
		}
}

static void dir_take_call(void *context, const struct event *e)
{
	struct dir_model *m = context;
	const struct listing_told *t;
	struct dir_listed *d;
	struct dir_chain *c = NULL;
	bool repeats = false, exact = false;

	if (e->rpc->told_kind != RPC_TOLD_LISTING || e->rpc->from != CONN_FROM_CLIENT)
		return;
	t = e->rpc->told.listing;
	if (t->dir.len == 0)
		return;
	d = listed_get(m, e->rpc, true);
	if (t->cookie == 0) {
		note_restart(d);
	} else {
		c = chain_going_on(d, t->cookie);
		exact = c && c->next_known && c->next == t->cookie;
		if (c)
			chain_skip(c, t->cookie);
		if (!c && (c = chain_repeating(d, t->cookie)) && c->repeats++ == 0)
			c->repeat = e->at;
		repeats = c && c->cookie == t->cookie;
	}
	if (!c)
		c = chain_begin(m, d, e->rpc, &e->at);
	c->state = DIR_ASKED;
	c->superseded = false;
	c->asked = e->at;
	c->cookie = t->cookie;
	c->calls++;
	if (!repeats)
		chain_mark(c, t->cookie, exact, &e->at);
}

static void chain_add_reply(struct dir_chain *c, const struct rpc_call *call,
			    const struct provenance *at)
{
	const struct listing_told *t = call->told.listing;
	int64_t ns = apart_ns(call->call.at, at->at);

	if (c->replies++ == 0 || ns < c->rtt_min_ns)
		c->rtt_min_ns = ns;
	if (ns > c->rtt_max_ns) {
		c->rtt_max_ns = ns;
		c->slowest = *at;
	}
	c->rtt_sum_ns += ns;
	c->made_sum_ns += ns > call->reply_busy_ns ? ns - call->reply_busy_ns : 0;
	c->last = *at;
	c->status = call->has_status ? call->status : NFS4_STATUS_NONE;
	c->entries += t->entries;
	c->cut |= t->answered && !t->whole;
	if (t->same_cookies && c->same_cookies == 0)
		c->same_cookie = *at;
	c->same_cookies += t->same_cookies;
	c->state = DIR_ANSWERED;
	c->empty_now = t->answered && t->whole && t->entries == 0 && !t->eof ? c->empty_now + 1 : 0;
	if (c->empty_now > c->empty) {
		c->empty = c->empty_now;
		c->empty_last = *at;
	}
	c->got = t->entries;
	c->next = t->last_cookie;
	c->from = t->ascending ? t->first_cookie : t->last_cookie;
	c->next_known = t->whole && t->entries > 0;
	if (t->whole && t->entries == 0) { /* who goes on asks the same again */
		c->next = c->from = t->cookie;
		c->next_known = true;
	}
}

static void dir_take_reply(void *context, const struct event *e)
{
	struct dir_model *m = context;
	const struct listing_told *t;
	struct dir_listed *d;

	if (e->rpc->from != CONN_FROM_CLIENT || e->rpc->reply_repeats)
		return;
	if (e->rpc->told_kind != RPC_TOLD_LISTING) {
		take_other(m, e->rpc, &e->at);
		return;
	}
	t = e->rpc->told.listing;
	d = t->dir.len ? listed_get(m, e->rpc, false) : NULL;
	for (uint32_t i = 0; d && i < d->active_len; i++) {
		struct dir_chain *c = d->active[i];

		if (c->state != DIR_ASKED || c->cookie != t->cookie ||
		    c->asked.frame != e->rpc->call.frame)
			continue;
		chain_add_reply(c, e->rpc, &e->at);
		if (t->answered && t->whole && t->eof)
			chain_end(m, d, i, DIR_COMPLETE);
		else if (!t->answered && c->status != NFS4_STATUS_NONE && c->status != 0)
			chain_end(m, d, i, DIR_FAILED);
		break;
	}
}

void dir_model_init(struct dir_model *m)
{
	*m = (struct dir_model){0};
	map_init(&m->map, listed_is);
	longest_init(&m->chains, DIR_CHAINS_MAX);
	map_init(&m->servers, server_is);
}

void dir_model_finish(struct dir_model *m)
{
	while (m->oldest)
		listed_drop(m, m->oldest);
}

void dir_model_deinit(struct dir_model *m)
{
	size_t at = 0;

	m->ended = NULL;
	dir_model_finish(m);
	for (size_t i = 0; i < longest_count(&m->chains); i++)
		free(longest_at(&m->chains, i));
	longest_deinit(&m->chains);
	for (struct dir_server *s; (s = map_next(&m->servers, &at));)
		free(s);
	map_deinit(&m->servers);
	map_deinit(&m->map);
}

void dir_model_attach(struct dir_model *m, struct event_board *board)
{
	event_board_add(board, EVENT_RPC_CALL, dir_take_call, m);
	event_board_add(board, EVENT_RPC_REPLY, dir_take_reply, m);
}
