// SPDX-License-Identifier: GPL-2.0-or-later
/* The model's door: takes the events and hands each operation to the part that keeps it. */
#include "model/nfs4/nfs4_state.h"

#include "event/handle.h"
#include "model/nfs4/nfs4_state_internal.h"
#include "names/nfs4.h"

#include <stdlib.h>

static bool call_is_ours(const struct rpc_call *call)
{
	return call->has_call && call->program == NFS4_PROGRAM && call->version == NFS_V4 &&
	       call->from == CONN_FROM_CLIENT;
}

static void take_call(void *context, const struct event *event)
{
	const struct rpc_call *call = event->rpc;

	if (call->is_callback) {
		nfs4_delegations_take_callback(context, event);
		return;
	}
	if (!call_is_ours(call))
		return;
	for (uint32_t i = 0; i < call->ops_len; i++)
		if (call->ops[i].op == OP_DELEGRETURN)
			nfs4_delegations_take_return(context, call, &call->ops[i], false);
}

/* The results of a COMPOUND end with the first operation that failed. */
static void take_ops(struct nfs4_state_model *m, const struct rpc_call *call)
{
	for (uint32_t i = 0; i < call->ops_len; i++) {
		const struct nfs4_op_fact *op = &call->ops[i];

		if (op->status == NFS4_STATUS_NONE)
			break;
		nfs4_runs_take(m, call, op);
		if (op->op == OP_DELEGRETURN || op->op == OP_FREE_STATEID)
			nfs4_delegations_take_return(m, call, op, true);
		if (op->op == OP_LOCK || op->op == OP_LOCKU || op->op == OP_CLOSE)
			nfs4_locks_take(m, call, op);
		if (op->op == OP_TEST_STATEID || op->op == OP_FREE_STATEID)
			nfs4_testers_take(m, call, op);
	}
}

static void take_reply(void *context, const struct event *event)
{
	const struct rpc_call *call = event->rpc;

	if (call->is_callback) {
		nfs4_delegations_take_callback(context, event);
		return;
	}
	if (!call_is_ours(call) || call->outcome != RPC_SUCCESS)
		return;
	take_ops(context, call);
	if (call->facts_len)
		nfs4_delegations_take_reply(context, call);
	nfs4_flags_take_reply(context, call);
}

static void take_unanswered(void *context, const struct event *event)
{
	if (event->rpc->is_callback)
		nfs4_delegations_take_callback(context, event);
}

void nfs4_state_init(struct nfs4_state_model *m)
{
	*m = (struct nfs4_state_model){0};
	recent_init(&m->runs_open, nfs4_run_equal, NFS4_RUNS_MAX);
	recent_init(&m->delegations, nfs4_delegation_equal, NFS4_DELEGATIONS_MAX);
	recent_init(&m->flagged, nfs4_flagged_equal, NFS4_FLAGGED_MAX);
	recent_init(&m->locks, nfs4_lock_equal, NFS4_LOCKS_MAX);
	recent_init(&m->testers, nfs4_tester_equal, NFS4_TESTERS_MAX);
	longest_init(&m->runs_over, NFS4_RUNS_KEPT_MAX);
	longest_init(&m->recalls_over, NFS4_RECALLS_KEPT_MAX);
	vec_init(&m->runs, sizeof(struct nfs4_run *));
	vec_init(&m->recalls, sizeof(struct nfs4_delegation *));
}

static void longest_free(struct longest *l)
{
	for (size_t i = 0; i < longest_count(l); i++)
		free(longest_at(l, i));
	longest_deinit(l);
}

void nfs4_state_deinit(struct nfs4_state_model *m)
{
	vec_deinit(&m->recalls);
	vec_deinit(&m->runs);
	longest_free(&m->recalls_over);
	longest_free(&m->runs_over);
	recent_deinit(&m->testers);
	recent_deinit(&m->locks);
	recent_deinit(&m->flagged);
	recent_deinit(&m->delegations);
	recent_deinit(&m->runs_open);
}

void nfs4_state_attach(struct nfs4_state_model *m, struct event_board *board)
{
	event_board_add_calls(board, EVENT_RPC_CALL, EVENT_CALLS_NFS4, take_call, m);
	event_board_add_calls(board, EVENT_RPC_REPLY, EVENT_CALLS_NFS4, take_reply, m);
	event_board_add(board, EVENT_RPC_UNANSWERED, take_unanswered, m);
}

static int order_places(const struct provenance *a, const struct provenance *b)
{
	if (a->evidence != b->evidence)
		return a->evidence < b->evidence ? -1 : 1;
	return (a->frame > b->frame) - (a->frame < b->frame);
}

static int order_runs(const void *a, const void *b)
{
	const struct nfs4_run *x = *(struct nfs4_run *const *)a, *y = *(struct nfs4_run *const *)b;
	int order = order_places(&x->call, &y->call);

	return order ? order : order_places(&x->all.last, &y->all.last);
}

static int order_recalls(const void *a, const void *b)
{
	return order_places(&(*(struct nfs4_delegation *const *)a)->recalls.first,
			    &(*(struct nfs4_delegation *const *)b)->recalls.first);
}

static void list_add(struct vec *list, void *item)
{
	*(void **)vec_push(list) = item;
}

static void list_sort(struct vec *list, int (*order)(const void *, const void *))
{
	if (list->len)
		qsort(vec_at(list, 0), list->len, sizeof(void *), order);
}

void nfs4_state_finish(struct nfs4_state_model *m)
{
	for (struct recent_item *i = m->runs_open.oldest; i; i = i->newer) {
		nfs4_run_settle((struct nfs4_run *)(void *)i);
		list_add(&m->runs, i);
	}
	for (size_t i = 0; i < longest_count(&m->runs_over); i++)
		list_add(&m->runs, longest_at(&m->runs_over, i));
	for (struct recent_item *i = m->delegations.oldest; i; i = i->newer)
		if (((struct nfs4_delegation *)(void *)i)->recalls.count)
			list_add(&m->recalls, i);
	for (size_t i = 0; i < longest_count(&m->recalls_over); i++)
		list_add(&m->recalls, longest_at(&m->recalls_over, i));
	list_sort(&m->runs, order_runs);
	list_sort(&m->recalls, order_recalls);
}

const struct nfs4_delegation *nfs4_state_holder(const struct nfs4_state_model *m,
						const struct endpoint *server,
						const struct file_handle *file,
						const struct endpoint *other)
{
	for (struct recent_item *i = m->delegations.oldest; i; i = i->newer) {
		const struct nfs4_delegation *d = (const struct nfs4_delegation *)(void *)i;

		if (d->given.frame != FRAME_NONE && d->file.len &&
		    endpoint_same_host(&d->server, server) &&
		    !endpoint_same_host(&d->holder, other) && file_handle_equal(&d->file, file))
			return d;
	}
	return NULL;
}
