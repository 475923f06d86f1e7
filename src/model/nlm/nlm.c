// SPDX-License-Identifier: GPL-2.0-or-later
/* See nlm.h; nlm_internal.h says where its parts are. */
#include "model/nlm/nlm.h"

#include "base/mem.h"
#include "model/nlm/nlm_internal.h"
#include "names/nlm.h"
#include "names/nsm.h"

#include <stdlib.h>

enum { NLM_MSG_STEP = NLMPROC_TEST_MSG - NLMPROC_TEST };

/* An asynchronous call, until its result comes as a call of its own. */
struct nlm_message {
	bool used;
	uint32_t procedure;
	struct endpoint from, to; /* hosts */
	struct provenance at;
	struct nlm_told told;
};

/* --- small things --- */

static struct endpoint host_of(const struct endpoint *e)
{
	struct endpoint host = *e;

	host.port = 0;
	return host;
}

struct endpoint nlm_rpc_caller(const struct rpc_call *c)
{
	return host_of(c->from == CONN_FROM_CLIENT ? &c->conn->client : &c->conn->server);
}

struct endpoint nlm_rpc_answerer(const struct rpc_call *c)
{
	return host_of(c->from == CONN_FROM_CLIENT ? &c->conn->server : &c->conn->client);
}

int64_t nlm_apart(struct stamp a, struct stamp b)
{
	int64_t ns;

	return a.clock != b.clock || __builtin_sub_overflow(b.ns, a.ns, &ns) ? 0 : ns;
}

int64_t nlm_lock_wait_ns(const struct nlm_lock *l)
{
	const struct provenance *until = &l->asked_last;

	if (l->refused.frame == FRAME_NONE)
		return 0;
	if (l->granted.frame != FRAME_NONE)
		until = &l->granted;
	else if (l->ended.frame != FRAME_NONE)
		until = &l->ended;
	return nlm_apart(l->asked.at, until->at);
}

const char *nlm_state_name(enum nlm_state state)
{
	static const char *const names[NLM_STATE_COUNT] = {
		[NLM_WAITING] = "waiting",   [NLM_TRYING] = "denied",       [NLM_HELD] = "held",
		[NLM_RELEASED] = "released", [NLM_CANCELLED] = "cancelled", [NLM_FAILED] = "failed",
		[NLM_GONE] = "gone",         [NLM_CLEARED] = "cleared",
	};

	return names[state];
}

/* --- locks --- */

static void lock_find_holder(struct nlm_lock *l)
{
	const struct nlm_lock *held = l->in->locks;

	while (held && (!nlm_lock_conflicts(held, l) || held->void_since.frame != FRAME_NONE))
		held = held->file_next;
	if (!held) {
		if (!l->holder.seen)
			l->holder = l->in->told;
		return;
	}
	if (!l->holder.seen || l->holder.granted.frame != held->granted.frame ||
	    !nlm_owner_same(&l->holder.owner, &held->owner))
		l->holders++;
	l->holder = (struct nlm_holder){
		.seen = true,
		.owner = held->owner,
		.exclusive = held->exclusive,
		.offset = held->offset,
		.length = held->length,
		.granted = held->granted,
	};
}

/* The server granted it, so whatever it conflicts with is no longer held. */
static void lock_grant(struct nlm_model *m, struct nlm_lock *l, const struct nlm_request *r,
		       const struct provenance *at)
{
	struct nlm_lock *next;

	l->state = NLM_HELD;
	l->granted = *at;
	nlm_lock_carve(m, l->in, r, l);
	for (struct nlm_lock *held = l->in->locks; held; held = next) {
		next = held->file_next;
		if (!nlm_lock_conflicts(held, l))
			continue;
		nlm_taken_add(m, held, r);
		nlm_lock_end(m, held, NLM_GONE, at);
	}
	nlm_grace_note_grant(m, r);
}

/* The lock that the request is about: the one that is waited for, or a new one. */
static struct nlm_lock *lock_requested(struct nlm_model *m, const struct nlm_request *r)
{
	struct nlm_lock *l = nlm_lock_waiting(nlm_file_find(m, r), r);

	if (!l) {
		l = nlm_lock_add(m, r);
		l->asked = r->call;
	}
	l->conn = *r->conn;
	l->asked_last = r->call;
	l->requests++;
	l->block = r->told->block;
	l->exclusive = r->told->exclusive;
	l->reclaim = r->told->reclaim;
	l->status = r->status;
	return l;
}

/* A lock that is held is granted once more: a reclaim, a change of mode, or a late answer. */
static bool answer_lock_again(struct nlm_model *m, const struct nlm_request *r)
{
	struct nlm_lock *l = nlm_lock_held(nlm_file_find(m, r), r);

	if (!l || r->status != NLM_GRANTED)
		return false;
	l->requests++;
	l->asked_last = r->call;
	l->exclusive = r->told->exclusive;
	l->reclaim = r->told->reclaim;
	l->void_since = (struct provenance){0};
	nlm_grace_note_grant(m, r);
	return true;
}

static void answer_lock(struct nlm_model *m, const struct nlm_request *r)
{
	struct nlm_lock *l;

	nlm_denied_note(m, r);
	if (r->told->reclaim)
		nlm_reclaim_note(m, r);
	if (answer_lock_again(m, r))
		return;
	l = lock_requested(m, r);
	if (r->status == NLM_GRANTED) {
		lock_grant(m, l, r, &r->reply);
		return;
	}
	if (r->status != NLM_BLOCKED && r->status != NLM_DENIED &&
	    r->status != NLM_DENIED_GRACE_PERIOD) {
		nlm_lock_end(m, l, NLM_FAILED, &r->reply);
		return;
	}
	if (l->refused.frame == FRAME_NONE)
		l->refused = r->reply;
	l->state = r->status == NLM_BLOCKED ? NLM_WAITING : NLM_TRYING;
	if (r->status == NLM_DENIED_GRACE_PERIOD)
		l->graces++;
	else
		lock_find_holder(l);
}

static void answer_cancel(struct nlm_model *m, const struct nlm_request *r)
{
	struct nlm_lock *l = nlm_lock_waiting(nlm_file_find(m, r), r);

	if (l && r->status == NLM_GRANTED)
		nlm_lock_end(m, l, NLM_CANCELLED, &r->call);
}

static void answer_unlock(struct nlm_model *m, const struct nlm_request *r)
{
	struct nlm_file *file = nlm_file_find(m, r);

	if (r->status != NLM_GRANTED)
		return;
	nlm_taken_note_unlock(m, r);
	nlm_denied_note_unlock(m, r);
	if (!file)
		return;
	answer_cancel(m, r);
	file = nlm_file_find(m, r); /* it may have gone with the lock */
	if (file)
		nlm_lock_carve(m, file, r, NULL);
}

static void answer_test(struct nlm_model *m, const struct nlm_request *r)
{
	struct nlm_file *file = nlm_file_find(m, r);

	if (!file || !r->told->has_holder)
		return;
	file->told = (struct nlm_holder){
		.told = true,
		.owner.svid = r->told->holder_svid,
		.exclusive = r->told->holder_exclusive,
		.offset = r->told->holder_offset,
		.length = r->told->holder_length,
	};
}

/* The client's answer to the server's callback: only now is the lock really there. */
static void answer_granted(struct nlm_model *m, const struct nlm_request *r)
{
	struct nlm_lock *l = nlm_lock_waiting(nlm_file_find(m, r), r);

	if (!l)
		return;
	l->callback_status = r->status;
	if (r->status != NLM_GRANTED)
		return;
	l->granted_by_callback = true;
	lock_grant(m, l, r, &r->call);
}

static void note_callback(struct nlm_model *m, const struct nlm_request *r, bool again)
{
	struct nlm_lock *l = nlm_lock_waiting(nlm_file_find(m, r), r);

	if (!l)
		return;
	l->callback_last = r->call;
	if (again) {
		l->callbacks_again++;
	} else if (l->callbacks++ == 0) {
		l->called_back = r->call;
		l->callback = *r->conn;
	}
}

/* What a procedure's answer does; `procedure` in its synchronous form. */
static void nlm_answer(struct nlm_model *m, uint32_t procedure, const struct nlm_request *r)
{
	/* A reclaim is refused so out of the grace period (Linux), and not within it. */
	if (r->status == NLM_DENIED_GRACE_PERIOD && !r->told->reclaim)
		nlm_grace_add(m, r);
	if (r->status == NLM_DENIED_NOLOCKS)
		nlm_denial_add(m, r);
	if (!r->told->has_lock || r->told->file.len == 0)
		return;
	switch (procedure) {
	case NLMPROC_TEST:
		answer_test(m, r);
		break;
	case NLMPROC_LOCK:
	case NLMPROC_NM_LOCK:
		answer_lock(m, r);
		break;
	case NLMPROC_CANCEL:
		answer_cancel(m, r);
		break;
	case NLMPROC_UNLOCK:
		answer_unlock(m, r);
		break;
	case NLMPROC_GRANTED:
		answer_granted(m, r);
		break;
	default:
		break;
	}
}

/* --- events --- */

static void message_keep(struct nlm_model *m, const struct event *e)
{
	m->messages[m->messages_next++ % NLM_MESSAGES_MAX] = (struct nlm_message){
		.used = true,
		.procedure = e->rpc->procedure - NLM_MSG_STEP,
		.from = nlm_rpc_caller(e->rpc),
		.to = nlm_rpc_answerer(e->rpc),
		.at = e->at,
		.told = *e->rpc->told.lock,
	};
}

/* The call that this result, itself a call, answers; NULL: not seen. */
static struct nlm_message *message_find(const struct nlm_model *m, const struct rpc_call *c)
{
	struct endpoint from = nlm_rpc_answerer(c), to = nlm_rpc_caller(c);
	const struct nlm_told *t = c->told.lock;

	for (uint32_t i = 0; i < NLM_MESSAGES_MAX; i++) {
		struct nlm_message *g = &m->messages[i];

		if (g->used && g->procedure == c->procedure - 2 * NLM_MSG_STEP &&
		    g->told.cookie_len == t->cookie_len &&
		    memcmp(g->told.cookie, t->cookie, t->cookie_len) == 0 &&
		    endpoint_same_host(&g->from, &from) && endpoint_same_host(&g->to, &to))
			return g;
	}
	return NULL;
}

/* `caller` called `procedure` (in its synchronous form): whose lock is it, and whose file? */
static struct nlm_request request_make(const struct event *e, uint32_t procedure,
				       const struct endpoint *caller,
				       const struct endpoint *answerer)
{
	bool callback = procedure == NLMPROC_GRANTED;

	return (struct nlm_request){
		.told = e->rpc->told.lock,
		.conn = e->conn,
		.client = callback ? *answerer : *caller,
		.server = callback ? *caller : *answerer,
		.call = e->rpc->call,
		.reply = e->at,
		.status = e->rpc->status,
		.xid = e->rpc->xid,
	};
}

static void take_result_message(struct nlm_model *m, const struct event *e)
{
	struct nlm_message *g = message_find(m, e->rpc);
	struct nlm_request r;

	if (!g || !e->rpc->has_status)
		return;
	r = request_make(e, g->procedure, &g->from, &g->to);
	g->told.has_holder = e->rpc->told.lock->has_holder;
	g->told.holder_exclusive = e->rpc->told.lock->holder_exclusive;
	g->told.holder_svid = e->rpc->told.lock->holder_svid;
	g->told.holder_offset = e->rpc->told.lock->holder_offset;
	g->told.holder_length = e->rpc->told.lock->holder_length;
	r.told = &g->told;
	r.call = g->at;
	nlm_answer(m, g->procedure, &r);
	g->used = false;
}

static bool is_notify(const struct rpc_call *c)
{
	return c->program == SM_PROG && c->procedure == SMPROC_NOTIFY && c->has_call;
}

/* The server's callback, or the same again. */
static void take_callback(struct nlm_model *m, const struct event *e, bool again)
{
	const struct rpc_call *c = e->rpc;
	struct endpoint caller = nlm_rpc_caller(c), answerer = nlm_rpc_answerer(c);
	struct nlm_request r;

	if ((c->procedure != NLMPROC_GRANTED && c->procedure != NLMPROC_GRANTED_MSG) ||
	    !c->told.lock->has_lock)
		return;
	r = request_make(e, NLMPROC_GRANTED, &caller, &answerer);
	r.call = e->at;
	note_callback(m, &r, again);
}

static void nlm_take_call(void *context, const struct event *e)
{
	struct nlm_model *m = context;
	const struct rpc_call *c = e->rpc;

	nlm_taken_hear(m, e);
	if (c->told_kind != RPC_TOLD_LOCK) {
		if (is_notify(c))
			nlm_notify_take(m, e);
		return;
	}
	if (c->procedure >= NLMPROC_TEST_RES && c->procedure <= NLMPROC_GRANTED_RES) {
		take_result_message(m, e);
		return;
	}
	take_callback(m, e, false);
	if (c->procedure >= NLMPROC_TEST_MSG && c->procedure <= NLMPROC_GRANTED_MSG)
		message_keep(m, e);
}

static void nlm_take_repeat(void *context, const struct event *e)
{
	if (is_notify(e->rpc))
		nlm_notify_take_repeat(context, e);
	else if (e->rpc->told_kind == RPC_TOLD_LOCK)
		take_callback(context, e, true);
}

static void nlm_take_reply(void *context, const struct event *e)
{
	const struct rpc_call *c = e->rpc;
	struct endpoint caller, answerer;
	struct nlm_request r;

	if (is_notify(c))
		nlm_notify_take_reply(context, e);
	if (c->told_kind != RPC_TOLD_LOCK || !c->has_status ||
	    (c->procedure >= NLMPROC_TEST_MSG && c->procedure <= NLMPROC_GRANTED_RES))
		return;
	caller = nlm_rpc_caller(c);
	answerer = nlm_rpc_answerer(c);
	r = request_make(e, c->procedure, &caller, &answerer);
	nlm_answer(context, c->procedure, &r);
}

static void nlm_take_reply_repeat(void *context, const struct event *e)
{
	if (e->rpc->program == NLM_PROG && e->rpc->has_status)
		nlm_denied_take_repeat(context, e);
}

void nlm_model_init(struct nlm_model *m)
{
	*m = (struct nlm_model){0};
	nlm_table_init(m);
	longest_init(&m->waits, NLM_WAITS_MAX);
	vec_init(&m->graces, sizeof(struct nlm_grace *));
	vec_init(&m->notifies, sizeof(struct nlm_notify *));
	vec_init(&m->reclaims, sizeof(struct nlm_reclaim *));
	vec_init(&m->taken, sizeof(struct nlm_taken *));
	nlm_denied_init(m);
	m->messages = mem_alloc(NLM_MESSAGES_MAX, sizeof(*m->messages));
}

static void free_all(struct vec *pointers)
{
	for (size_t i = 0; i < pointers->len; i++)
		free(*(void **)vec_at(pointers, i));
	vec_deinit(pointers);
}

void nlm_model_deinit(struct nlm_model *m)
{
	nlm_table_deinit(m);
	for (size_t i = 0; i < longest_count(&m->waits); i++)
		free(longest_at(&m->waits, i));
	longest_deinit(&m->waits);
	free_all(&m->graces);
	free_all(&m->notifies);
	free_all(&m->reclaims);
	free_all(&m->taken);
	nlm_denied_deinit(m);
	free(m->messages);
}

void nlm_model_finish(struct nlm_model *m)
{
	nlm_table_finish(m);
}

void nlm_model_attach(struct nlm_model *m, struct event_board *board)
{
	event_board_add(board, EVENT_RPC_CALL, nlm_take_call, m);
	event_board_add(board, EVENT_RPC_REPEAT, nlm_take_repeat, m);
	event_board_add_calls(board, EVENT_RPC_REPLY, EVENT_CALLS_OTHER, nlm_take_reply, m);
	event_board_add(board, EVENT_RPC_REPLY_REPEAT, nlm_take_reply_repeat, m);
}
