// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Runs: one operation on one file that a client gets answered NFS4ERR_DELAY, or with a stateid that
 * the server refuses, again and again. Any other answer to it ends the run, and so does a pause.
 */
#include "model/nfs4/nfs4_state_internal.h"

#include "base/mem.h"
#include "event/handle.h"
#include "names/nfs4.h"

#include <stdlib.h>

bool nfs4_run_equal(const void *item, const void *key)
{
	const struct nfs4_run *a = item, *b = key;

	return a->op == b->op && a->name == b->name && endpoint_equal(&a->client, &b->client) &&
	       endpoint_equal(&a->server, &b->server) && file_handle_equal(&a->file, &b->file);
}

static uint64_t run_hash(const struct nfs4_run *r)
{
	uint64_t hash = endpoint_hash(hash_bytes(r->file.bytes, r->file.len), &r->server);

	return hash_u64(hash_u64(endpoint_hash(hash, &r->client), r->op), r->name);
}

/* Fills in the key; false where it is not known on what the operation works. */
static bool run_key(struct nfs4_run *r, const struct rpc_call *call, const struct nfs4_op_fact *op)
{
	const struct file_handle *file = rpc_op_file(call, op);

	r->server = call->conn->server;
	r->client = host_of(&call->conn->client);
	r->op = op->op;
	r->name = op->name;
	if (!file)
		return false;
	r->file.len = file->len;
	memcpy(r->file.bytes, file->bytes, file->len);
	return true;
}

static bool run_kind(const struct nfs4_op_fact *op, enum nfs4_run_kind *kind)
{
	switch (op->status) {
	case NFS4ERR_DELAY:
		*kind = NFS4_RUN_DELAY;
		return true;
	case NFS4ERR_BAD_STATEID:
	case NFS4ERR_OLD_STATEID:
	case NFS4ERR_STALE_STATEID:
		*kind = NFS4_RUN_STATEID;
		return op->stateid != NFS4_INDEX_NONE;
	default:
		return false;
	}
}

void nfs4_run_settle(struct nfs4_run *r)
{
	if (span_ns(&r->unchanged) >= span_ns(&r->unchanged_longest)) {
		r->unchanged_longest = r->unchanged;
		r->stateid_longest = r->stateid;
	}
}

static void run_over(struct nfs4_state_model *m, struct nfs4_run *r)
{
	void *gone = r;

	m->open_by_op[r->op % NFS4_OP_NUMBERS]--;
	nfs4_run_settle(r);
	if (r->all.count > 1)
		gone = longest_add(&m->runs_over, span_ns(&r->all), r);
	free(gone);
}

static void run_end(struct nfs4_state_model *m, struct nfs4_run *r)
{
	recent_remove(&m->runs_open, &r->item);
	run_over(m, r);
}

static void run_add(struct nfs4_run *r, const struct rpc_call *call, const struct nfs4_op_fact *op)
{
	const struct nfs4_stateid *s = rpc_op_stateid(call, op);

	span_add(&r->all, &call->reply, call->conn);
	r->status = op->status;
	r->lossy |= call->conn->lossy;
	if (r->kind != NFS4_RUN_STATEID || !s)
		return;
	if (r->unchanged.count && (s->seqid != r->stateid.seqid || !stateid_same(s, &r->stateid))) {
		r->changes++;
		nfs4_run_settle(r);
		r->unchanged = (struct nfs4_span){0};
	}
	r->stateid = *s;
	span_add(&r->unchanged, &call->reply, call->conn);
}

static struct nfs4_run *run_begin(struct nfs4_state_model *m, const struct nfs4_run *key,
				  uint64_t hash, enum nfs4_run_kind kind,
				  const struct rpc_call *call)
{
	struct nfs4_run *r = mem_alloc(1, sizeof(*r));
	struct nfs4_run *gone;

	*r = *key;
	r->kind = kind;
	r->call = call->call;
	r->minor_version = call->minor_version;
	gone = recent_add(&m->runs_open, hash, &r->item);
	m->open_by_op[r->op % NFS4_OP_NUMBERS]++;
	if (gone)
		run_over(m, gone);
	return r;
}

/* True when the reply says nothing against the run: a stateid that works is another's. */
static bool run_is_others(const struct nfs4_run *r, const struct rpc_call *call,
			  const struct nfs4_op_fact *op)
{
	const struct nfs4_stateid *s = rpc_op_stateid(call, op);

	return r->kind == NFS4_RUN_STATEID && r->changes == 0 && op->status == NFS4_OK && s &&
	       !stateid_same(s, &r->stateid);
}

static void run_note_end(struct nfs4_run *r, const struct rpc_call *call,
			 const struct nfs4_op_fact *op)
{
	const struct file_handle *found = NULL;

	r->ended = call->reply;
	r->ended_status = op->status;
	if (op->op == OP_OPEN && op->status == NFS4_OK && op->name)
		found = nfs4_opened_file(call, (uint32_t)(op - call->ops));
	if (found)
		r->found = *found;
}

static void run_take(struct nfs4_state_model *m, const struct rpc_call *call,
		     const struct nfs4_op_fact *op, bool goes_on, enum nfs4_run_kind kind)
{
	struct nfs4_run key = {0};
	struct nfs4_run *r;
	uint64_t hash;

	if (!run_key(&key, call, op))
		return;
	hash = run_hash(&key);
	r = recent_find(&m->runs_open, hash, &key);
	if (r && !goes_on) {
		if (run_is_others(r, call, op))
			return;
		run_note_end(r, call, op);
	}
	if (r && (!goes_on || r->kind != kind ||
		  apart_ns(&r->all.last, &call->reply) > NFS4_RUN_PAUSE_NS)) {
		run_end(m, r);
		r = NULL;
	}
	if (!goes_on)
		return;
	if (r)
		recent_touch(&m->runs_open, &r->item);
	else
		r = run_begin(m, &key, hash, kind, call);
	run_add(r, call, op);
}

void nfs4_runs_take(struct nfs4_state_model *m, const struct rpc_call *call,
		    const struct nfs4_op_fact *op)
{
	enum nfs4_run_kind kind = NFS4_RUN_DELAY;
	bool goes_on = run_kind(op, &kind);

	if (goes_on || m->open_by_op[op->op % NFS4_OP_NUMBERS])
		run_take(m, call, op, goes_on, kind);
}
