// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * OPEN: RFC 7530 section 16.16, RFC 8881 section 18.16. In the order of nfsd4_open: who opens,
 * whether it may now (grace, reclaim), which file, with what permission, against which shares and
 * delegations, and at last the state.
 */
#include "lab/serve/nfs4/nfs4_attr.h"
#include "lab/serve/nfs4/nfs4_deleg.h"
#include "lab/serve/nfs4/nfs4_lease.h"
#include "lab/serve/nfs4/nfs4_owner.h"

enum { DEFAULT_MODE = 0666, DIR_WRITE = TREE_MAY_WRITE | TREE_MAY_EXECUTE };

/* An OPEN under way. */
struct opening {
	struct nfs4_run *run;
	const struct nfs4_OPEN4args *args;
	struct nfs4_OPEN4resok *ok;
	struct nfs4_client *client;
	struct nfs4_owner *owner;
	uint32_t access;
	bool is_create;
	bool created;
	bool truncate;
	struct nfs4_setting setting;
};

static bool by_handle(uint32_t claim)
{
	return claim == CLAIM_PREVIOUS || claim == CLAIM_FH || claim == CLAIM_DELEG_CUR_FH ||
	       claim == CLAIM_DELEG_PREV_FH;
}

static uint32_t args_check(struct opening *o)
{
	const struct nfs4_OPEN4args *args = o->args;
	uint32_t claim = args->claim.claim;

	o->access = args->share_access & OPEN4_SHARE_ACCESS_BOTH;
	o->is_create = args->openhow.opentype == OPEN4_CREATE;
	if (o->access == 0 || args->share_deny > OPEN4_SHARE_DENY_BOTH)
		return NFS4ERR_INVAL;
	if (o->run->minor == 0 &&
	    (args->share_access > OPEN4_SHARE_ACCESS_BOTH || claim > CLAIM_DELEGATE_PREV ||
	     (o->is_create && args->openhow.how.mode == EXCLUSIVE4_1)))
		return o->run->minor == 0 && args->share_access > OPEN4_SHARE_ACCESS_BOTH
			       ? NFS4ERR_INVAL
			       : NFS4ERR_BADXDR;
	if (claim == CLAIM_DELEGATE_PREV || claim == CLAIM_DELEG_PREV_FH)
		return NFS4ERR_NOTSUPP;
	if (o->is_create && claim != CLAIM_NULL)
		return NFS4ERR_INVAL;
	return NFS4_OK;
}

/* The owner, and in 4.0 its sequence. nfsd4_process_open1. */
static uint32_t owner_take(struct opening *o)
{
	struct slice name = xdr_opaque_slice(o->args->owner.owner);
	struct nfs4_server *server = o->run->server;

	o->owner = nfs4_owner_find(o->client, false, name);
	if (o->owner && !o->owner->confirmed) {
		/* It was never confirmed: RFC 7530 section 16.18.5, forgotten with what it opened.
		 */
		nfs4_owner_states_drop(server, o->owner);
		nfs4_owner_destroy(server, o->owner);
		o->owner = NULL;
	}
	if (o->owner)
		return nfs4_owner_check(o->run, o->owner, OP_OPEN, o->args->seqid);
	o->owner = nfs4_owner_create(server, o->client, false, name);
	if (!o->owner)
		return NFS4ERR_DELAY;
	if (o->run->minor == 0) {
		o->owner->seqid = o->args->seqid - 1;
		return nfs4_owner_check(o->run, o->owner, OP_OPEN, o->args->seqid);
	}
	return NFS4_OK;
}

/* May it be opened now? */
static uint32_t grace_check(const struct opening *o)
{
	const struct nfs4_run *run = o->run;
	bool in_grace = nfs4_in_grace(run->server, run->now_ns);

	if (o->args->claim.claim != CLAIM_PREVIOUS) {
		/* In 4.1 a client says first that it has nothing to reclaim: section 18.51.3. */
		if (in_grace || (run->minor > 0 && !o->client->reclaim_complete))
			return NFS4ERR_GRACE;
		return NFS4_OK;
	}
	if (!in_grace || o->client->reclaim_complete)
		return NFS4ERR_NO_GRACE;
	return o->client->may_reclaim ? NFS4_OK : NFS4ERR_RECLAIM_BAD;
}

static uint32_t settings_take(struct opening *o)
{
	const struct nfs4_createhow4 *how = &o->args->openhow.how;

	switch (how->mode) {
	case EXCLUSIVE4:
		return NFS4_OK;
	case EXCLUSIVE4_1:
		return nfs4_setting_take(o->run, &how->ch_createboth.cva_attrs, &o->setting);
	default:
		return nfs4_setting_take(o->run, &how->createattrs, &o->setting);
	}
}

static const uint8_t *exclusive_verifier(const struct opening *o)
{
	const struct nfs4_createhow4 *how = &o->args->openhow.how;

	if (how->mode == EXCLUSIVE4)
		return how->createverf;
	return how->mode == EXCLUSIVE4_1 ? how->ch_createboth.cva_verf : NULL;
}

static uint32_t file_make(struct opening *o, struct slice name, const struct tree_attr *dir,
			  uint64_t *fileid)
{
	const struct nfs4_cred *cred = &o->run->call->cred;
	struct tree_new what = {
		.kind = TREE_FILE,
		.mode = o->setting.set.what & TREE_SET_MODE ? o->setting.set.mode : DEFAULT_MODE,
		.uid = cred->uid,
		.gid = cred->gid,
		.verifier = exclusive_verifier(o),
	};
	struct tree_set *set = &o->setting.set;
	uint32_t status;

	if (!nfs4_may(o->run, dir, DIR_WRITE))
		return NFS4ERR_ACCESS;
	status = tree_make(nfs4_tree(o->run), o->run->current.fileid, name, &what,
			   nfs4_wall_ns(o->run), fileid);
	if (status != NFS4_OK)
		return status;
	o->created = true;
	o->ok->attrset = o->setting.done;
	set->what &= ~(uint32_t)TREE_SET_MODE;
	if (cred->uid != 0)
		set->what &= ~(uint32_t)(TREE_SET_UID | TREE_SET_GID);
	if (set->what != 0)
		status = tree_setattr(nfs4_tree(o->run), *fileid, set, nfs4_wall_ns(o->run));
	return status;
}

/* By name in the current directory, made if it is to be. */
static uint32_t name_open(struct opening *o, struct xdr_opaque name)
{
	struct nfs4_run *run = o->run;
	uint64_t dir = run->current.fileid;
	struct tree_attr attr;
	uint64_t fileid;
	uint32_t status = nfs4_current_dir(run, TREE_MAY_EXECUTE, &attr);

	if (status == NFS4_OK)
		status = nfs4_name_check(name);
	if (status == NFS4_OK && o->is_create)
		status = settings_take(o);
	if (status != NFS4_OK)
		return status;
	status = tree_lookup(nfs4_tree(run), dir, xdr_opaque_slice(name), &fileid);
	if (o->is_create && (status == NFS4ERR_NOENT ||
			     (status == NFS4_OK && o->args->openhow.how.mode != UNCHECKED4)))
		status = file_make(o, xdr_opaque_slice(name), &attr, &fileid);
	else if (o->is_create && status == NFS4_OK)
		o->truncate = (o->setting.set.what & TREE_SET_SIZE) && o->setting.set.size == 0;
	if (status != NFS4_OK)
		return status;
	o->ok->cinfo = nfs4_change_of(run, dir, attr.change);
	nfs4_place_set(run, fileid);
	return NFS4_OK;
}

/* Makes the file the current one. */
static uint32_t file_find(struct opening *o)
{
	const struct nfs4_open_claim4 *claim = &o->args->claim;
	struct nfs4_state *deleg;
	uint32_t status;

	switch (claim->claim) {
	case CLAIM_NULL:
		return name_open(o, claim->file);
	case CLAIM_DELEGATE_CUR:
		status = nfs4_stateid_find(o->run, &claim->delegate_cur_info.delegate_stateid,
					   NFS4_WANT_DELEG, &deleg);
		return status == NFS4_OK ? name_open(o, claim->delegate_cur_info.file) : status;
	case CLAIM_DELEG_CUR_FH:
		return nfs4_stateid_find(o->run, &claim->oc_delegate_stateid, NFS4_WANT_DELEG,
					 &deleg);
	default:
		return NFS4_OK;
	}
}

/* nfsd's do_open_permission. */
static uint32_t permission_check(const struct opening *o, const struct tree_attr *attr)
{
	const struct nfs4_run *run = o->run;
	bool may_read = nfs4_may(run, attr, TREE_MAY_READ) ||
			nfs4_may(run, attr, TREE_MAY_EXECUTE); /* to execute it is to read it */

	if (o->created || (by_handle(o->args->claim.claim) && run->call->cred.uid == attr->uid))
		return NFS4_OK;
	if ((o->access & OPEN4_SHARE_ACCESS_READ) && !may_read)
		return NFS4ERR_ACCESS;
	if (((o->access & OPEN4_SHARE_ACCESS_WRITE) || o->truncate) &&
	    !nfs4_may(run, attr, TREE_MAY_WRITE))
		return NFS4ERR_ACCESS;
	return o->truncate && !(o->access & OPEN4_SHARE_ACCESS_WRITE) ? NFS4ERR_INVAL : NFS4_OK;
}

/* The open of somebody else that stands against this one; NULL: none. */
static struct nfs4_state *share_conflict(const struct opening *o, const struct nfs4_file *file)
{
	for (struct nfs4_link *link = file->states.next; link != &file->states; link = link->next) {
		struct nfs4_state *state = NFS4_ITEM(link, struct nfs4_state, in_file);

		if (state->kind == NFS4_OPEN && state->owner != o->owner &&
		    ((state->access & o->args->share_deny) || (state->deny & o->access)))
			return state;
	}
	return NULL;
}

static uint32_t shares_check(const struct opening *o)
{
	struct nfs4_server *server = o->run->server;
	struct nfs4_file *file;
	struct nfs4_state *other;

	do {
		file = nfs4_file_find(server, o->run->current.fileid);
		other = file ? share_conflict(o, file) : NULL;
	} while (other && nfs4_courtesy_end(server, other->client, "its share is in the way"));
	return other ? NFS4ERR_SHARE_DENIED : NFS4_OK;
}

static struct nfs4_state *open_find(const struct opening *o)
{
	for (struct nfs4_link *link = o->owner->states.next; link != &o->owner->states;
	     link = link->next) {
		struct nfs4_state *state = NFS4_ITEM(link, struct nfs4_state, in_owner);

		if (state->kind == NFS4_OPEN && state->life == NFS4_VALID && state->file &&
		    state->file->fileid == o->run->current.fileid)
			return state;
	}
	return NULL;
}

/* The state of this owner on this file: a new one, or what it has grows. nfsd4_process_open2. */
static uint32_t state_make(struct opening *o)
{
	struct nfs4_state *state = open_find(o);

	if (state) {
		nfs4_state_bump(state);
	} else {
		state = nfs4_state_create(o->run->server, NFS4_OPEN, o->client, o->owner,
					  o->run->current.fileid);
		if (!state)
			return NFS4ERR_DELAY;
	}
	state->access |= o->access;
	state->deny |= o->args->share_deny;
	state->access_set |= 1U << o->access;
	state->deny_set |= 1U << o->args->share_deny;
	o->ok->rflags = OPEN4_RESULT_LOCKTYPE_POSIX;
	if (!o->owner->confirmed)
		o->ok->rflags |= OPEN4_RESULT_CONFIRM;
	nfs4_deleg_offer(o->run, o->args, state, &o->ok->delegation);
	o->ok->stateid = nfs4_stateid_give(o->run, state);
	return NFS4_OK;
}

static uint32_t file_open(struct opening *o)
{
	struct tree_set cut = {.what = TREE_SET_SIZE, .size = 0};
	bool is_write = o->truncate || (o->access & OPEN4_SHARE_ACCESS_WRITE);
	struct nfs4_run *run = o->run;
	struct tree_attr attr;
	uint32_t status = file_find(o);

	if (status == NFS4_OK)
		status = nfs4_current_file(run, &attr);
	if (status == NFS4_OK)
		status = permission_check(o, &attr);
	if (status == NFS4_OK)
		status = shares_check(o);
	is_write = is_write || o->truncate;
	if (status == NFS4_OK &&
	    nfs4_delegs_conflict(run->server, o->client, attr.fileid, is_write, run->now_ns))
		status = NFS4ERR_DELAY;
	if (status == NFS4_OK && o->truncate) {
		status = tree_setattr(nfs4_tree(run), attr.fileid, &cut, nfs4_wall_ns(run));
		xdr_bitmap_set(&o->ok->attrset, FATTR4_SIZE);
	}
	return status == NFS4_OK ? state_make(o) : status;
}

uint32_t nfs4_op_open(struct nfs4_run *run, const struct nfs4_nfs_argop4 *arg,
		      struct nfs4_nfs_resop4 *res)
{
	struct opening o = {.run = run, .args = &arg->opopen, .ok = &res->opopen.resok4};
	uint32_t status = args_check(&o);

	if (status == NFS4_OK)
		status = nfs4_client_of(run, o.args->owner.clientid, &o.client);
	if (status == NFS4_OK)
		status = owner_take(&o);
	if (status != NFS4_OK || run->owner_replayed) {
		/* nfsd restores the filehandle of a replayed OPEN, which GETFH asks for. */
		if (status == NFS4_OK && run->owner->replay_fileid != 0)
			nfs4_place_set(run, run->owner->replay_fileid);
		return status;
	}
	status = grace_check(&o);
	if (status == NFS4_OK)
		status = file_open(&o);
	if (status == NFS4_OK)
		o.owner->replay_fileid = run->current.fileid;
	/* In 4.1 an owner without an open is nothing. */
	if (run->minor > 0 && nfs4_list_empty(&o.owner->states))
		nfs4_owner_destroy(run->server, o.owner);
	return status;
}
