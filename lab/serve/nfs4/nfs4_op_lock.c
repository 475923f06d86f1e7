// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * LOCK, LOCKT, LOCKU and RELEASE_LOCKOWNER: RFC 8881 sections 18.10 to 18.12, RFC 7530
 * section 16.37; nfsd4_lock and its neighbours.
 */
#include "lab/serve/nfs4/nfs4_lease.h"
#include "lab/serve/nfs4/nfs4_owner.h"
#include "lab/serve/nfs4/nfs4_place.h"
#include "lab/serve/nfs4/nfs4_range.h"

static bool is_exclusive(uint32_t type)
{
	return type == WRITE_LT || type == WRITEW_LT;
}

/* Who has the range, as the client is told. */
static void denied_fill(const struct nfs4_range *range, struct nfs4_LOCK4denied *out)
{
	const struct nfs4_owner *owner = range->state->owner;

	out->offset = range->start;
	out->length = range->end == UINT64_MAX ? UINT64_MAX : range->end - range->start + 1;
	out->locktype = range->exclusive ? WRITE_LT : READ_LT;
	out->owner.clientid = owner->client->id;
	out->owner.owner = nfs4_opaque_bytes(slice_make(owner->name, owner->name_len));
}

/* Another's lock there; one that is kept by courtesy only goes. */
static struct nfs4_range *conflict_find(struct nfs4_server *server, uint64_t fileid,
					const struct nfs4_span *span,
					const struct nfs4_owner *owner)
{
	struct nfs4_range *range;
	struct nfs4_file *file;

	do {
		file = nfs4_file_find(server, fileid);
		range = file ? nfs4_range_conflict(file, span, owner) : NULL;
	} while (range &&
		 nfs4_courtesy_end(server, range->state->client, "its lock is in the way"));
	return range;
}

/* Somebody's lock there, of NLM too, as LOCK and LOCKT tell it; false: there is none. */
static bool conflict_tell(struct nfs4_run *run, const struct nfs4_span *span,
			  const struct nfs4_owner *owner, struct nfs4_LOCK4denied *out)
{
	const struct nfs4_server_ops *ops = &run->server->config.ops;
	const struct nfs4_range *range =
		conflict_find(run->server, run->current.fileid, span, owner);
	struct held_range wanted = {span->start, span->end, span->exclusive}, held;

	if (range) {
		denied_fill(range, out);
		return true;
	}
	if (!ops->held || !ops->held(ops->context, run->current.fileid, &wanted, &held))
		return false;
	/* nfs4_set_lock_denied: who is no client of NFSv4 has no name. */
	*out = (struct nfs4_LOCK4denied){
		.offset = held.start,
		.length = held.end == UINT64_MAX ? UINT64_MAX : held.end - held.start + 1,
		.locktype = held.exclusive ? WRITE_LT : READ_LT};
	return true;
}

bool nfs4_holds(struct nfs4_server *server, uint64_t fileid, const struct held_range *wanted,
		struct held_range *out)
{
	struct nfs4_span span = {wanted->start, wanted->end, wanted->exclusive};
	const struct nfs4_range *range = conflict_find(server, fileid, &span, NULL);

	if (range)
		*out = (struct held_range){range->start, range->end, range->exclusive};
	return range != NULL;
}

static struct nfs4_state *lock_state_find(const struct nfs4_owner *owner, uint64_t fileid)
{
	for (struct nfs4_link *link = owner->states.next; link != &owner->states;
	     link = link->next) {
		struct nfs4_state *state = NFS4_ITEM(link, struct nfs4_state, in_owner);

		if (state->file && state->file->fileid == fileid && state->life == NFS4_VALID)
			return state;
	}
	return NULL;
}

/* The lock owner of a first lock, and its state. nfsd's lookup_or_create_lock_state. */
static uint32_t lock_state_make(struct nfs4_run *run, struct nfs4_state *open,
				const struct nfs4_open_to_lock_owner4 *args,
				struct nfs4_state **out)
{
	struct slice name = xdr_opaque_slice(args->lock_owner.owner);
	struct nfs4_owner *owner = nfs4_owner_find(open->client, true, name);

	if (owner && run->minor == 0 && args->lock_seqid != owner->seqid + 1)
		return NFS4ERR_BAD_SEQID;
	if (!owner) {
		owner = nfs4_owner_create(run->server, open->client, true, name);
		if (!owner)
			return NFS4ERR_DELAY;
		owner->seqid = args->lock_seqid - 1;
		owner->used_ns = run->now_ns;
	}
	*out = lock_state_find(owner, run->current.fileid);
	if (*out)
		return NFS4_OK;
	*out = nfs4_state_create(run->server, NFS4_LOCK, open->client, owner, run->current.fileid);
	if (!*out)
		return NFS4ERR_DELAY;
	(*out)->open = open;
	(*out)->seqid = 0; /* the lock makes it 1 */
	return NFS4_OK;
}

/* The open by which a first lock comes. */
static uint32_t open_take(struct nfs4_run *run, const struct nfs4_open_to_lock_owner4 *args,
			  struct nfs4_state **out)
{
	uint32_t status;

	if (run->minor == 0) {
		status = nfs4_stateid_find_loose(run, &args->open_stateid, NFS4_WANT_OPEN, out);
		if (status == NFS4_OK)
			status = nfs4_owner_check(run, (*out)->owner, OP_LOCK, args->open_seqid);
		if (status != NFS4_OK || run->owner_replayed)
			return status;
	}
	status = nfs4_stateid_find(run, &args->open_stateid, NFS4_WANT_OPEN, out);
	if (status == NFS4_OK && !(*out)->owner->confirmed)
		status = NFS4ERR_BAD_STATEID;
	if (status == NFS4_OK && run->minor == 0 && args->lock_owner.clientid != (*out)->client->id)
		status = NFS4ERR_BAD_STATEID;
	return status;
}

/* The lock state of a further lock or an unlock. */
static uint32_t lock_take(struct nfs4_run *run, const struct nfs4_stateid4 *stateid, uint32_t op,
			  uint32_t seqid, struct nfs4_state **out)
{
	uint32_t status;

	if (run->minor == 0) {
		status = nfs4_stateid_find_loose(run, stateid, NFS4_WANT_LOCK, out);
		if (status == NFS4_OK)
			status = nfs4_owner_check(run, (*out)->owner, op, seqid);
		if (status != NFS4_OK || run->owner_replayed)
			return status;
	}
	status = nfs4_stateid_find(run, stateid, NFS4_WANT_LOCK, out);
	if (status == NFS4_OK && (!(*out)->file || (*out)->file->fileid != run->current.fileid))
		status = NFS4ERR_BAD_STATEID;
	return status;
}

/* Finds what the lock is to be part of: an open and, when it is not the first, a lock state. */
static uint32_t locker_find(struct nfs4_run *run, const struct nfs4_locker4 *locker,
			    struct nfs4_state **open, struct nfs4_state **state)
{
	uint32_t status;

	*state = NULL;
	if (!locker->new_lock_owner) {
		status = lock_take(run, &locker->lock_owner.lock_stateid, OP_LOCK,
				   locker->lock_owner.lock_seqid, state);
		if (status == NFS4_OK && !run->owner_replayed)
			*open = (*state)->open;
		return status;
	}
	status = open_take(run, &locker->open_owner, open);
	if (status == NFS4_OK && !run->owner_replayed &&
	    (!(*open)->file || (*open)->file->fileid != run->current.fileid))
		status = NFS4ERR_BAD_STATEID;
	return status;
}

static uint32_t lock_check(const struct nfs4_run *run, const struct nfs4_LOCK4args *args,
			   const struct nfs4_state *open)
{
	bool in_grace = nfs4_in_grace(run->server, run->now_ns);
	uint32_t needed =
		is_exclusive(args->locktype) ? OPEN4_SHARE_ACCESS_WRITE : OPEN4_SHARE_ACCESS_READ;

	if (in_grace && !args->reclaim)
		return NFS4ERR_GRACE;
	if (!in_grace && args->reclaim)
		return NFS4ERR_NO_GRACE;
	return open->access & needed ? NFS4_OK : NFS4ERR_OPENMODE;
}

/* A lock state that came to be for a lock that was refused holds nothing: it goes again. */
static void lock_state_settle(struct nfs4_run *run, struct nfs4_state *state, bool is_new)
{
	if (is_new && !nfs4_state_has_ranges(state))
		nfs4_state_destroy(run->server, state);
}

static uint32_t range_take(struct nfs4_run *run, const struct nfs4_LOCK4args *args,
			   const struct nfs4_span *span, struct nfs4_state *state,
			   struct nfs4_LOCK4res *res)
{
	if (conflict_tell(run, span, state->owner, &res->denied))
		return args->reclaim ? NFS4ERR_RECLAIM_CONFLICT : NFS4ERR_DENIED;
	if (!nfs4_range_lock(run->server, state, span))
		return run->minor > 0 ? NFS4ERR_DELAY : NFS4ERR_RESOURCE;
	nfs4_state_bump(state);
	res->resok4.lock_stateid = nfs4_stateid_give(run, state);
	return NFS4_OK;
}

uint32_t nfs4_op_lock(struct nfs4_run *run, const struct nfs4_nfs_argop4 *arg,
		      struct nfs4_nfs_resop4 *res)
{
	const struct nfs4_LOCK4args *args = &arg->oplock;
	struct nfs4_state *open;
	struct nfs4_state *state;
	struct nfs4_span span;
	struct tree_attr attr;
	bool is_new;
	uint32_t status;

	if (!nfs4_span_make(args->offset, args->length, is_exclusive(args->locktype), &span))
		return NFS4ERR_INVAL;
	status = nfs4_current_file(run, &attr);
	if (status == NFS4_OK)
		status = locker_find(run, &args->locker, &open, &state);
	if (status != NFS4_OK || run->owner_replayed)
		return status;
	status = lock_check(run, args, open);
	if (status != NFS4_OK)
		return status;
	if (!state)
		status = lock_state_make(run, open, &args->locker.open_owner, &state);
	if (status != NFS4_OK)
		return status;
	is_new = state->seqid == 0;
	status = range_take(run, args, &span, state, &res->oplock);
	/* The open owner's sequence counts the operation; the lock owner's has to be moved by hand.
	 */
	if (run->minor == 0 && args->locker.new_lock_owner)
		state->owner->seqid = args->locker.open_owner.lock_seqid;
	lock_state_settle(run, state, is_new);
	return status;
}

uint32_t nfs4_op_lockt(struct nfs4_run *run, const struct nfs4_nfs_argop4 *arg,
		       struct nfs4_nfs_resop4 *res)
{
	const struct nfs4_LOCKT4args *args = &arg->oplockt;
	struct nfs4_client *client;
	struct nfs4_span span;
	struct tree_attr attr;
	uint32_t status;

	if (nfs4_in_grace(run->server, run->now_ns))
		return NFS4ERR_GRACE;
	if (!nfs4_span_make(args->offset, args->length, is_exclusive(args->locktype), &span))
		return NFS4ERR_INVAL;
	status = nfs4_current_file(run, &attr);
	if (status == NFS4_OK)
		status = nfs4_client_of(run, args->owner.clientid, &client);
	if (status != NFS4_OK)
		return status;
	return conflict_tell(run, &span,
			     nfs4_owner_find(client, true, xdr_opaque_slice(args->owner.owner)),
			     &res->oplockt.denied)
		       ? NFS4ERR_DENIED
		       : NFS4_OK;
}

uint32_t nfs4_op_locku(struct nfs4_run *run, const struct nfs4_nfs_argop4 *arg,
		       struct nfs4_nfs_resop4 *res)
{
	const struct nfs4_LOCKU4args *args = &arg->oplocku;
	struct nfs4_state *state;
	struct nfs4_span span;
	uint32_t status;

	if (!nfs4_span_make(args->offset, args->length, false, &span))
		return NFS4ERR_INVAL;
	status = lock_take(run, &args->lock_stateid, OP_LOCKU, args->seqid, &state);
	if (status != NFS4_OK || run->owner_replayed)
		return status;
	if (!nfs4_range_unlock(run->server, state, &span))
		return run->minor > 0 ? NFS4ERR_DELAY : NFS4ERR_RESOURCE;
	nfs4_state_bump(state);
	res->oplocku.lock_stateid = nfs4_stateid_give(run, state);
	return NFS4_OK;
}

uint32_t nfs4_op_release_lockowner(struct nfs4_run *run, const struct nfs4_nfs_argop4 *arg,
				   struct nfs4_nfs_resop4 *res)
{
	const struct nfs4_lock_owner4 *args = &arg->oprelease_lockowner.lock_owner;
	struct nfs4_client *client;
	struct nfs4_owner *owner;
	uint32_t status = nfs4_client_of(run, args->clientid, &client);

	(void)res;
	if (status != NFS4_OK)
		return status;
	owner = nfs4_owner_find(client, true, xdr_opaque_slice(args->owner));
	if (!owner)
		return NFS4_OK;
	for (struct nfs4_link *link = owner->states.next; link != &owner->states;
	     link = link->next) {
		if (nfs4_state_has_ranges(NFS4_ITEM(link, struct nfs4_state, in_owner)))
			return NFS4ERR_LOCKS_HELD;
	}
	nfs4_owner_states_drop(run->server, owner);
	nfs4_owner_destroy(run->server, owner);
	return NFS4_OK;
}
