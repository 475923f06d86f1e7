// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Delegations (RFC 8881 section 10.4): OPEN gives one, CB_RECALL asks for it, DELEGRETURN returns
 * it. The callback comes over a connection of the client's since 4.1, over one of the server's own
 * in 4.0: there the roles of the connection are turned round.
 */
#include "model/nfs4/nfs4_state_internal.h"

#include "base/mem.h"
#include "names/nfs4.h"

#include <stdlib.h>

bool nfs4_delegation_equal(const void *item, const void *key)
{
	const struct nfs4_delegation *a = item, *b = key;

	return stateid_same(&a->stateid, &b->stateid) && endpoint_equal(&a->server, &b->server);
}

static uint64_t delegation_hash(const struct nfs4_delegation *d)
{
	return endpoint_hash(hash_bytes(d->stateid.other, sizeof(d->stateid.other)), &d->server);
}

/* A delegation that is gone: kept where it had been recalled. */
static void delegation_over(struct nfs4_state_model *m, struct nfs4_delegation *d)
{
	void *gone = d;

	if (d->recalls.count)
		gone = longest_add(&m->recalls_over, apart_ns(&d->recalls.first, &d->returned), d);
	free(gone);
}

/* The record of this delegation, made where there is none. */
static struct nfs4_delegation *delegation_get(struct nfs4_state_model *m,
					      const struct endpoint *server,
					      const struct nfs4_stateid *stateid)
{
	struct nfs4_delegation key = {.server = host_of(server), .stateid = *stateid};
	uint64_t hash = delegation_hash(&key);
	struct nfs4_delegation *d = recent_find(&m->delegations, hash, &key);

	if (d)
		return d;
	d = mem_alloc(1, sizeof(*d));
	*d = key;
	d->answered_status = d->returned_status = NFS4_STATUS_NONE;
	free(recent_add(&m->delegations, hash, &d->item));
	return d;
}

const struct file_handle *nfs4_opened_file(const struct rpc_call *call, uint32_t index)
{
	if (index >= call->ops_len)
		return NULL;
	if (call->ops[index].name == 0)
		return rpc_op_file(call, &call->ops[index]);
	for (uint32_t i = index + 1; i < call->ops_len; i++)
		if (call->ops[i].op == OP_GETFH && call->ops[i].status == NFS4_OK)
			return rpc_op_file(call, &call->ops[i]);
	return NULL;
}

void nfs4_delegations_take_reply(struct nfs4_state_model *m, const struct rpc_call *call)
{
	for (uint32_t i = 0; i < call->facts_len; i++) {
		const struct nfs4_fact *f = &call->facts[i];
		const struct file_handle *file;
		struct nfs4_delegation *d;

		if (f->kind != NFS4_FACT_OPEN || f->status != NFS4_OK || !f->delegation)
			continue;
		d = delegation_get(m, &call->conn->server, &f->res_stateid);
		d->holder = host_of(&call->conn->client);
		d->type = f->delegation;
		d->given = call->reply;
		file = nfs4_opened_file(call, f->index);
		if (file)
			d->file = *file;
	}
}

/* What the server says of a stateid that it does not know (any more). */
static bool status_is_gone(uint32_t status)
{
	return status == NFS4_OK || status == NFS4ERR_BAD_STATEID || status == NFS4ERR_EXPIRED ||
	       status == NFS4ERR_STALE_STATEID || status == NFS4ERR_ADMIN_REVOKED ||
	       status == NFS4ERR_DELEG_REVOKED;
}

void nfs4_delegations_take_return(struct nfs4_state_model *m, const struct rpc_call *call,
				  const struct nfs4_op_fact *op, bool answered)
{
	const struct nfs4_stateid *stateid = rpc_op_stateid(call, op);
	struct nfs4_delegation key, *d;

	if (!stateid || m->delegations.len == 0)
		return;
	key = (struct nfs4_delegation){.server = host_of(&call->conn->server), .stateid = *stateid};
	d = recent_find(&m->delegations, delegation_hash(&key), &key);
	if (!d)
		return;
	if (!answered) {
		if (d->return_call.frame == FRAME_NONE)
			d->return_call = call->call;
		return;
	}
	if (!status_is_gone(op->status))
		return;
	d->returned = call->reply;
	d->returned_op = op->op;
	d->returned_status = op->status;
	recent_remove(&m->delegations, &d->item);
	delegation_over(m, d);
}

static void take_recall_call(struct nfs4_delegation *d, const struct rpc_call *call,
			     const struct nfs4_op_fact *op)
{
	const struct file_handle *file = rpc_op_file(call, op);

	if (file && d->file.len == 0)
		d->file = *file;
	d->v40 = call->from == CONN_FROM_CLIENT;
	d->holder = host_of(d->v40 ? &call->conn->server : &call->conn->client);
	span_add(&d->recalls, &call->call, call->conn);
}

static void take_recall(struct nfs4_state_model *m, const struct event *event,
			const struct nfs4_op_fact *op)
{
	const struct rpc_call *call = event->rpc;
	const struct nfs4_stateid *stateid = rpc_op_stateid(call, op);
	const struct endpoint *server =
		call->from == CONN_FROM_CLIENT ? &call->conn->client : &call->conn->server;
	struct nfs4_delegation key, *d;

	if (!stateid)
		return;
	if (event->kind == EVENT_RPC_CALL) {
		d = delegation_get(m, server, stateid);
		take_recall_call(d, call, op);
		recent_touch(&m->delegations, &d->item);
		return;
	}
	key = (struct nfs4_delegation){.server = host_of(server), .stateid = *stateid};
	d = recent_find(&m->delegations, delegation_hash(&key), &key);
	if (!d)
		return;
	d->lossy |= call->conn->lossy;
	if (event->kind == EVENT_RPC_UNANSWERED) {
		d->given_up++;
	} else if (d->answered.frame == FRAME_NONE || d->answered_status != NFS4_OK) {
		d->answered = call->reply;
		d->answered_status = op->status != NFS4_STATUS_NONE ? op->status
				     : call->has_status             ? call->status
								    : NFS4_STATUS_NONE;
	}
}

void nfs4_delegations_take_callback(struct nfs4_state_model *m, const struct event *event)
{
	const struct rpc_call *call = event->rpc;

	for (uint32_t i = 0; call->has_call && i < call->ops_len; i++)
		if (call->ops[i].op == OP_CB_RECALL)
			take_recall(m, event, &call->ops[i]);
}
