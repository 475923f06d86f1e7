// SPDX-License-Identifier: GPL-2.0-or-later
/* See call.h. Counting only: which status is an error of whom is told by the readers of the counts.
 */
#include "model/call.h"

#include "base/hash.h"
#include "base/mem.h"

#include <stdlib.h>

struct op_key {
	uint32_t minor_version;
	bool callback;
	uint32_t op;
};

static bool call_stats_is(const void *item, const void *key)
{
	const struct call_stats *s = item;
	const struct rpc_call *c = key;

	return s->program == c->program && s->version == c->version && s->procedure == c->procedure;
}

static bool call_op_stats_is(const void *item, const void *key)
{
	const struct call_op_stats *s = item;
	const struct op_key *k = key;

	return s->op == k->op && s->minor_version == k->minor_version && s->callback == k->callback;
}

/* See call_stats_get: the one found last is another one, whose place it takes. */
static struct call_stats *call_stats_find(struct call_model *m, const struct rpc_call *c,
					  struct call_stats **recent)
{
	uint64_t hash =
		hash_u64(hash_u64(hash_u64(hash_start(), c->program), c->version), c->procedure);
	struct call_stats *s = map_find(&m->map, hash, c);

	if (!s && m->stats.len == CALL_STATS_MAX) {
		m->dropped++;
		return NULL;
	}
	if (!s) {
		s = mem_alloc(1, sizeof(*s));
		s->program = c->program;
		s->version = c->version;
		s->procedure = c->procedure;
		hist_init(&s->latency);
		vec_init(&s->errors, sizeof(struct call_error));
		map_add(&m->map, hash, s);
		*(struct call_stats **)vec_push(&m->stats) = s;
	}
	*recent = s;
	return s;
}

/* The counts of a call's procedure; NULL when there is no room for one more. */
static inline struct call_stats *call_stats_get(struct call_model *m, const struct rpc_call *c)
{
	struct call_stats **recent =
		&m->recent[(c->program * 7 + c->version * 24 + c->procedure) % CALL_RECENT];

	if (__builtin_expect(*recent && call_stats_is(*recent, c), 1))
		return *recent;
	return call_stats_find(m, c, recent);
}

/* The counts of an operation that has no place in known_ops yet; NULL when there is no room. */
static struct call_op_stats *call_op_find(struct call_model *m, const struct op_key *key)
{
	uint64_t hash = hash_u64(hash_u64(hash_u64(hash_start(), key->op), key->minor_version),
				 key->callback);
	struct call_op_stats *s = map_find(&m->op_map, hash, key);

	if (s)
		return s;
	if (m->ops.len == CALL_STATS_MAX) {
		m->dropped++;
		return NULL;
	}
	s = mem_alloc(1, sizeof(*s));
	s->minor_version = key->minor_version;
	s->callback = key->callback;
	s->op = key->op;
	hist_init(&s->latency);
	vec_init(&s->errors, sizeof(struct call_error));
	map_add(&m->op_map, hash, s);
	*(struct call_op_stats **)vec_push(&m->ops) = s;
	return s;
}

static struct call_op_stats *call_op_get(struct call_model *m, const struct rpc_call *c,
					 uint32_t op)
{
	struct op_key key = {c->has_call ? c->minor_version : UINT32_MAX, c->is_callback, op};
	struct call_op_stats **known;

	if (key.minor_version >= CALL_KNOWN_MINORS || op >= CALL_KNOWN_OPS)
		return call_op_find(m, &key);
	known = &m->known_ops[key.callback][key.minor_version][op];
	if (!*known)
		*known = call_op_find(m, &key);
	return *known;
}

static void call_error_add(struct vec *errors, uint64_t *other, enum rpc_outcome outcome,
			   uint32_t status)
{
	struct call_error *items = errors->items;

	for (size_t i = 0; i < errors->len; i++)
		if (items[i].status == status && items[i].outcome == outcome) {
			items[i].count++;
			return;
		}
	if (errors->len == CALL_ERRORS_MAX) {
		(*other)++;
		return;
	}
	*(struct call_error *)vec_push(errors) = (struct call_error){status, outcome, 1};
}

static void call_stats_add_outcome(struct call_stats *s, const struct rpc_call *c)
{
	switch (c->outcome) {
	case RPC_NO_REPLY:
	case RPC_REPLY_CUT:
		return;
	case RPC_SUCCESS:
		/* 0 is success in every program that has a status (NFS, MOUNT, NLM, NSM). */
		if (c->has_status && c->status != 0)
			call_error_add(&s->errors, &s->errors_other, c->outcome, c->status);
		return;
	case RPC_AUTH_ERROR:
		call_error_add(&s->errors, &s->errors_other, c->outcome, c->auth_stat);
		return;
	case RPC_PROG_UNAVAIL:
	case RPC_PROG_MISMATCH:
	case RPC_PROC_UNAVAIL:
	case RPC_GARBAGE_ARGS:
	case RPC_SYSTEM_ERR:
	case RPC_MISMATCH:
		call_error_add(&s->errors, &s->errors_other, c->outcome, 0);
		return;
	}
}

/* Call, where it was first sent, to reply; false when not both are known, or on one clock. */
static bool call_latency_ns(const struct rpc_call *c, int64_t *ns)
{
	return c->has_call && stamp_known(c->origin.at) &&
	       c->origin.at.clock == c->reply.at.clock &&
	       !__builtin_sub_overflow(c->reply.at.ns, c->origin.at.ns, ns);
}

/*
 * A call that was sent before on a connection that broke: it was counted, also as unanswered there,
 * and now has another chance.
 */
static void call_take_again(struct call_model *m, const struct rpc_call *c)
{
	struct call_stats *s = call_stats_get(m, c);

	if (s) {
		s->retransmissions++;
		s->unanswered -= s->unanswered > 0;
	}
	for (uint32_t i = 0; i < c->ops_len; i++) {
		struct call_op_stats *op = call_op_get(m, c, c->ops[i].op);

		if (op)
			op->unanswered -= op->unanswered > 0;
	}
}

static void call_take_call(void *context, const struct event *e)
{
	struct call_model *m = context;
	const struct rpc_call *c = e->rpc;
	struct call_stats *s;

	if (c->again) {
		call_take_again(m, c);
		return;
	}
	s = call_stats_get(m, c);
	if (c->call_damage)
		m->calls_damaged++;
	if (s)
		s->calls++;
	for (uint32_t i = 0; i < c->ops_len; i++) {
		struct call_op_stats *op = call_op_get(m, c, c->ops[i].op);

		if (op)
			op->calls++;
	}
}

static void call_take_repeat(void *context, const struct event *e)
{
	struct call_stats *s = call_stats_get(context, e->rpc);

	if (s)
		s->retransmissions++;
}

/* The operations of a COMPOUND whose reply is here: those behind the first that failed got none. */
static void call_take_op_results(struct call_model *m, const struct rpc_call *c)
{
	int64_t ns = 0;
	bool timed = call_latency_ns(c, &ns);

	for (uint32_t i = 0; i < c->ops_len; i++) {
		struct call_op_stats *op = call_op_get(m, c, c->ops[i].op);
		uint32_t status = c->ops[i].status;

		if (!op)
			continue;
		if (status == NFS4_STATUS_NONE && i >= c->ops_in_reply) {
			op->not_executed++;
			continue;
		}
		op->replies++;
		if (timed)
			hist_add(&op->latency, ns);
		if (status != NFS4_STATUS_NONE && status != 0)
			call_error_add(&op->errors, &op->errors_other, RPC_SUCCESS, status);
	}
}

static void call_take_reply(void *context, const struct event *e)
{
	struct call_model *m = context;
	const struct rpc_call *c = e->rpc;
	struct call_stats *s = call_stats_get(m, c);
	int64_t ns;

	if (c->reply_damage)
		m->replies_damaged++;
	if (s) {
		s->replies++;
		s->replies_without_call += !c->has_call;
		call_stats_add_outcome(s, c);
		if (call_latency_ns(c, &ns))
			hist_add(&s->latency, ns);
	}
	call_take_op_results(m, c);
}

static void call_take_reply_repeat(void *context, const struct event *e)
{
	struct call_stats *s = call_stats_get(context, e->rpc);

	if (s)
		s->reply_repeats++;
}

static void call_take_unanswered(void *context, const struct event *e)
{
	struct call_model *m = context;
	const struct rpc_call *c = e->rpc;
	struct call_stats *s = call_stats_get(m, c);

	if (s)
		s->unanswered++;
	for (uint32_t i = 0; i < c->ops_len; i++) {
		struct call_op_stats *op = call_op_get(m, c, c->ops[i].op);

		if (op)
			op->unanswered++;
	}
}

void call_model_init(struct call_model *m)
{
	*m = (struct call_model){0};
	map_init(&m->map, call_stats_is);
	vec_init(&m->stats, sizeof(struct call_stats *));
	map_init(&m->op_map, call_op_stats_is);
	vec_init(&m->ops, sizeof(struct call_op_stats *));
}

void call_model_deinit(struct call_model *m)
{
	for (size_t i = 0; i < m->stats.len; i++) {
		struct call_stats *s = *(struct call_stats **)vec_at(&m->stats, i);

		hist_deinit(&s->latency);
		vec_deinit(&s->errors);
		free(s);
	}
	for (size_t i = 0; i < m->ops.len; i++) {
		struct call_op_stats *s = *(struct call_op_stats **)vec_at(&m->ops, i);

		hist_deinit(&s->latency);
		vec_deinit(&s->errors);
		free(s);
	}
	map_deinit(&m->map);
	vec_deinit(&m->stats);
	map_deinit(&m->op_map);
	vec_deinit(&m->ops);
}

void call_model_attach(struct call_model *m, struct event_board *board)
{
	event_board_add(board, EVENT_RPC_CALL, call_take_call, m);
	event_board_add(board, EVENT_RPC_REPEAT, call_take_repeat, m);
	event_board_add(board, EVENT_RPC_REPLY, call_take_reply, m);
	event_board_add(board, EVENT_RPC_REPLY_REPEAT, call_take_reply_repeat, m);
	event_board_add(board, EVENT_RPC_UNANSWERED, call_take_unanswered, m);
}

static int order_u32(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

static int call_error_compare(const void *a, const void *b)
{
	const struct call_error *x = a;
	const struct call_error *y = b;
	int order = order_u32(x->outcome, y->outcome);

	return order ? order : order_u32(x->status, y->status);
}

static void call_errors_sort(struct vec *errors)
{
	if (errors->len)
		qsort(errors->items, errors->len, errors->item_bytes, call_error_compare);
}

static int call_stats_compare(const void *a, const void *b)
{
	const struct call_stats *x = *(struct call_stats *const *)a;
	const struct call_stats *y = *(struct call_stats *const *)b;
	int order = order_u32(x->program, y->program);

	if (order == 0)
		order = order_u32(x->version, y->version);
	return order ? order : order_u32(x->procedure, y->procedure);
}

static int call_op_stats_compare(const void *a, const void *b)
{
	const struct call_op_stats *x = *(struct call_op_stats *const *)a;
	const struct call_op_stats *y = *(struct call_op_stats *const *)b;
	int order = order_u32(x->callback, y->callback);

	if (order == 0)
		order = order_u32(x->minor_version, y->minor_version);
	return order ? order : order_u32(x->op, y->op);
}

void call_model_sort(struct call_model *m)
{
	if (m->stats.len)
		qsort(m->stats.items, m->stats.len, m->stats.item_bytes, call_stats_compare);
	if (m->ops.len)
		qsort(m->ops.items, m->ops.len, m->ops.item_bytes, call_op_stats_compare);
	for (size_t i = 0; i < m->stats.len; i++)
		call_errors_sort(&(*(struct call_stats **)vec_at(&m->stats, i))->errors);
	for (size_t i = 0; i < m->ops.len; i++)
		call_errors_sort(&(*(struct call_op_stats **)vec_at(&m->ops, i))->errors);
}
