// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Byte-range locks of NFSv4 as far as recovery asks for them: that a client had a lock on a file,
 * and what it got when it asked for it again (RFC 8881 sections 8.4, 18.10). Ranges and owners are
 * not told apart: an unlock of any of them says that the file may be without locks.
 */
#include "model/nfs4/nfs4_state_internal.h"

#include "base/mem.h"
#include "event/handle.h"
#include "names/nfs4.h"

#include <stdlib.h>

bool nfs4_lock_equal(const void *item, const void *key)
{
	const struct nfs4_lock *a = item, *b = key;

	return endpoint_equal(&a->client, &b->client) && endpoint_equal(&a->server, &b->server) &&
	       file_handle_equal(&a->file, &b->file);
}

static uint64_t lock_hash(const struct nfs4_lock *l)
{
	uint64_t hash = endpoint_hash(hash_bytes(l->file.bytes, l->file.len), &l->server);

	return endpoint_hash(hash, &l->client);
}

static bool lock_is_reclaim(const struct rpc_call *call, const struct nfs4_op_fact *op)
{
	for (uint32_t i = 0; i < call->facts_len; i++)
		if (call->facts[i].kind == NFS4_FACT_LOCK &&
		    call->facts[i].index == (uint64_t)(op - call->ops))
			return call->facts[i].claim != 0;
	return false;
}

static void lock_refused(struct nfs4_lock *l, const struct rpc_call *call,
			 const struct nfs4_op_fact *op)
{
	bool reclaim = lock_is_reclaim(call, op);

	if (op->status == NFS4ERR_DELAY || op->status == NFS4ERR_GRACE ||
	    (!reclaim && op->status != NFS4ERR_DENIED))
		return;
	if (l->refusals++ == 0)
		l->refused = call->reply;
	l->refused_status = op->status;
	l->refused_reclaim = reclaim;
}

static void lock_taken(struct nfs4_state_model *m, const struct nfs4_lock *key, uint64_t hash,
		       struct nfs4_lock *l, const struct rpc_call *call)
{
	if (!l) {
		l = mem_alloc(1, sizeof(*l));
		*l = *key;
		free(recent_add(&m->locks, hash, &l->item));
	} else {
		recent_touch(&m->locks, &l->item);
	}
	l->taken = call->reply;
	l->refusals = 0;
	l->refused.frame = FRAME_NONE;
}

void nfs4_locks_take(struct nfs4_state_model *m, const struct rpc_call *call,
		     const struct nfs4_op_fact *op)
{
	const struct file_handle *file = rpc_op_file(call, op);
	struct nfs4_lock key = {.server = call->conn->server,
				.client = host_of(&call->conn->client)};
	struct nfs4_lock *l;
	uint64_t hash;

	if (!file || (op->op != OP_LOCK && m->locks.len == 0))
		return;
	key.file = *file;
	hash = lock_hash(&key);
	l = recent_find(&m->locks, hash, &key);
	if (op->op == OP_LOCK && op->status == NFS4_OK) {
		lock_taken(m, &key, hash, l, call);
	} else if (l && op->op == OP_LOCK) {
		lock_refused(l, call, op);
	} else if (l && (op->op == OP_LOCKU || op->op == OP_CLOSE) && op->status == NFS4_OK) {
		recent_remove(&m->locks, &l->item);
		free(l);
	}
}
