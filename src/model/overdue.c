// SPDX-License-Identifier: GPL-2.0-or-later
/* See overdue.h. A call that is answered in time costs a comparison. */
#include "model/overdue.h"

#include "base/hash.h"

enum { PROGRAM_NLM = 100021 };

static bool call_is(const void *item, const void *key)
{
	const struct overdue_call *c = item;
	const struct rpc_call *rpc = key;

	return c->xid == rpc->xid && c->call.frame == rpc->origin.frame &&
	       c->call.evidence == rpc->origin.evidence;
}

static uint64_t call_hash(const struct rpc_call *rpc)
{
	return hash_u64(hash_u64(rpc->xid, rpc->origin.frame), rpc->origin.evidence);
}

/* A record in the list; NULL: there is no room. */
static struct overdue_call *call_add(struct overdue_model *m, const struct event *e)
{
	const struct rpc_call *rpc = e->rpc;
	uint64_t *count = rpc->program == PROGRAM_NLM ? &m->nlm : &m->others;
	struct overdue_call *c;

	if (*count == OVERDUE_CALLS_MAX) {
		m->dropped++;
		return NULL;
	}
	++*count;
	c = arena_alloc(&m->arena, sizeof(*c));
	*c = (struct overdue_call){
		.conn = *e->conn,
		.program = rpc->program,
		.version = rpc->version,
		.procedure = rpc->procedure,
		.xid = rpc->xid,
		.call = rpc->origin,
		.reply = {.frame = FRAME_NONE},
	};
	*(struct overdue_call **)vec_push(&m->calls) = c;
	return c;
}

static void note_repeat(struct overdue_model *m, const struct event *e, bool other_conn)
{
	uint64_t hash = call_hash(e->rpc);
	struct overdue_call *c = map_find(&m->open, hash, e->rpc);

	if (!c) {
		c = call_add(m, e);
		if (!c)
			return;
		map_add(&m->open, hash, c);
	}
	c->repeats_count++;
	if (c->repeats_len < OVERDUE_REPEATS_MAX)
		c->repeats[c->repeats_len++] =
			(struct overdue_repeat){.at = e->at, .other_conn = other_conn};
}

static void take_call(void *context, const struct event *e)
{
	if (__builtin_expect(e->rpc->again, 0) && e->rpc->from == CONN_FROM_CLIENT)
		note_repeat(context, e, true);
}

static void take_repeat(void *context, const struct event *e)
{
	/* One that follows the reply tells no more of the timer than the one before. */
	if (e->rpc->from == CONN_FROM_CLIENT && e->rpc->origin.frame != FRAME_NONE)
		note_repeat(context, e, false);
}

/* The call's record, which is not open any more. */
static struct overdue_call *call_close(struct overdue_model *m, const struct event *e)
{
	struct overdue_call *c =
		m->open.len ? map_remove(&m->open, call_hash(e->rpc), e->rpc) : NULL;

	return c ? c : call_add(m, e);
}

static void take_reply(void *context, const struct event *e)
{
	const struct rpc_call *rpc = e->rpc;
	struct overdue_call *c;

	if (!rpc->has_call || rpc->from != CONN_FROM_CLIENT)
		return;
	if (rpc->retransmissions.len == 0 && rpc->origin.at.clock == rpc->reply.at.clock &&
	    rpc->reply.at.ns - rpc->origin.at.ns < OVERDUE_MIN_NS)
		return;
	c = call_close(context, e);
	if (c)
		c->reply = rpc->reply;
}

static void take_unanswered(void *context, const struct event *e)
{
	if (e->rpc->from == CONN_FROM_CLIENT && !e->rpc->left)
		call_close(context, e);
}

void overdue_model_init(struct overdue_model *m)
{
	*m = (struct overdue_model){0};
	arena_init(&m->arena);
	map_init(&m->open, call_is);
	vec_init(&m->calls, sizeof(struct overdue_call *));
}

void overdue_model_deinit(struct overdue_model *m)
{
	vec_deinit(&m->calls);
	map_deinit(&m->open);
	arena_deinit(&m->arena);
}

void overdue_model_attach(struct overdue_model *m, struct event_board *board)
{
	event_board_add(board, EVENT_RPC_CALL, take_call, m);
	event_board_add(board, EVENT_RPC_REPEAT, take_repeat, m);
	event_board_add(board, EVENT_RPC_REPLY, take_reply, m);
	event_board_add(board, EVENT_RPC_UNANSWERED, take_unanswered, m);
}
