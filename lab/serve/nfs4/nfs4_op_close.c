// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * OPEN_CONFIRM, OPEN_DOWNGRADE, CLOSE (RFC 7530 sections 16.18, 16.19, 16.2), and the two
 * operations of 4.1 on stateids, TEST_STATEID and FREE_STATEID (RFC 8881 sections 18.48 and 18.38).
 */
#include "lab/serve/nfs4/nfs4_owner.h"
#include "lab/serve/nfs4/nfs4_place.h"

/*
 * The open that the stateid names, with the owner's sequence. nfsd's nfs4_preprocess_seqid_op: a
 * repetition is recognized by the owner's sequence before the state's.
 */
static uint32_t open_take(struct nfs4_run *run, const struct nfs4_stateid4 *stateid, uint32_t op,
			  uint32_t seqid, struct nfs4_state **out)
{
	struct nfs4_stateid4 loose = *stateid;
	struct nfs4_state *state;
	uint32_t status;

	if (run->minor == 0) {
		status = nfs4_stateid_find_loose(run, &loose, NFS4_WANT_OPEN | NFS4_WANT_CLOSED,
						 &state);
		if (status == NFS4_OK)
			status = nfs4_owner_check(run, state->owner, op, seqid);
		if (status != NFS4_OK || run->owner_replayed)
			return status;
	}
	status = nfs4_stateid_find(run, stateid, NFS4_WANT_OPEN, &state);
	if (status != NFS4_OK)
		return status;
	if (!state->file || state->file->fileid != run->current.fileid)
		return NFS4ERR_BAD_STATEID;
	*out = state;
	return NFS4_OK;
}

uint32_t nfs4_op_open_confirm(struct nfs4_run *run, const struct nfs4_nfs_argop4 *arg,
			      struct nfs4_nfs_resop4 *res)
{
	const struct nfs4_OPEN_CONFIRM4args *args = &arg->opopen_confirm;
	struct nfs4_state *open;
	uint32_t status = open_take(run, &args->open_stateid, OP_OPEN_CONFIRM, args->seqid, &open);

	if (status != NFS4_OK || run->owner_replayed)
		return status;
	if (open->owner->confirmed)
		return NFS4ERR_BAD_STATEID;
	open->owner->confirmed = true;
	nfs4_state_bump(open);
	res->opopen_confirm.resok4.open_stateid = nfs4_stateid_give(run, open);
	return NFS4_OK;
}

/* An open may only go back to what it has been: RFC 7530 section 16.19.5. */
static bool was_opened_with(uint32_t set, uint32_t bits)
{
	return bits < 32 && (set & 1U << bits) != 0;
}

/* What is left of the modes when all that exceeds `to` goes. */
static uint32_t set_reduce(uint32_t set, uint32_t to)
{
	for (uint32_t mode = 0; mode < 4; mode++) {
		if (mode & ~to)
			set &= ~(1U << mode);
	}
	return set;
}

uint32_t nfs4_op_open_downgrade(struct nfs4_run *run, const struct nfs4_nfs_argop4 *arg,
				struct nfs4_nfs_resop4 *res)
{
	const struct nfs4_OPEN_DOWNGRADE4args *args = &arg->opopen_downgrade;
	uint32_t access = args->share_access & OPEN4_SHARE_ACCESS_BOTH;
	struct nfs4_state *open;
	uint32_t status =
		open_take(run, &args->open_stateid, OP_OPEN_DOWNGRADE, args->seqid, &open);

	if (status != NFS4_OK || run->owner_replayed)
		return status;
	if (!was_opened_with(open->access_set, access) ||
	    !was_opened_with(open->deny_set, args->share_deny))
		return NFS4ERR_INVAL;
	open->access = access;
	open->deny = args->share_deny;
	open->access_set = set_reduce(open->access_set, access);
	open->deny_set = set_reduce(open->deny_set, args->share_deny);
	nfs4_state_bump(open);
	res->opopen_downgrade.resok4.open_stateid = nfs4_stateid_give(run, open);
	return NFS4_OK;
}

uint32_t nfs4_op_close(struct nfs4_run *run, const struct nfs4_nfs_argop4 *arg,
		       struct nfs4_nfs_resop4 *res)
{
	const struct nfs4_CLOSE4args *args = &arg->opclose;
	struct nfs4_stateid4 *out = &res->opclose.open_stateid;
	struct nfs4_state *open;
	uint32_t status = open_take(run, &args->open_stateid, OP_CLOSE, args->seqid, &open);

	if (status != NFS4_OK || run->owner_replayed)
		return status;
	run->current.has_stateid = false;
	/* What is closed has no name: RFC 7530 section 16.2.5, RFC 8881 section 18.2.4; so nfsd. */
	memset(out->other, 0, sizeof(out->other));
	out->seqid = UINT32_MAX;
	if (run->minor > 0) {
		nfs4_state_destroy(run->server, open);
		return NFS4_OK;
	}
	/* The repeated CLOSE has to find its owner by the stateid. */
	if (open->owner->closed)
		nfs4_state_destroy(run->server, open->owner->closed);
	open->owner->closed = open;
	nfs4_state_end(run->server, open, NFS4_CLOSED);
	return NFS4_OK;
}

uint32_t nfs4_op_test_stateid(struct nfs4_run *run, const struct nfs4_nfs_argop4 *arg,
			      struct nfs4_nfs_resop4 *res)
{
	const struct xdr_array *array = &arg->optest_stateid.ts_stateids;
	uint8_t *start = run->scratch.pos;
	struct cursor at = array->at;
	struct nfs4_stateid4 stateid;
	struct nfs4_state *state;
	uint32_t count = array->count;

	for (uint32_t i = 0; i < count && cursor_ok(&at); i++) {
		nfs4_decode_stateid4(&at, &stateid);
		xdr_put_u32(&run->scratch,
			    nfs4_stateid_find(run, &stateid,
					      NFS4_WANT_OPEN | NFS4_WANT_LOCK | NFS4_WANT_DELEG,
					      &state));
	}
	if (!xdr_writer_ok(&run->scratch))
		return NFS4ERR_RESOURCE;
	res->optest_stateid.tsr_resok4.tsr_status_codes =
		xdr_array_make(count, slice_make(start, (size_t)(run->scratch.pos - start)));
	return NFS4_OK;
}

uint32_t nfs4_op_free_stateid(struct nfs4_run *run, const struct nfs4_nfs_argop4 *arg,
			      struct nfs4_nfs_resop4 *res)
{
	const struct nfs4_stateid4 *stateid = &arg->opfree_stateid.fsa_stateid;
	struct nfs4_state *state;
	uint32_t status = nfs4_stateid_find_loose(
		run, stateid, NFS4_WANT_OPEN | NFS4_WANT_LOCK | NFS4_WANT_DELEG | NFS4_WANT_ENDED,
		&state);

	(void)res;
	if (status != NFS4_OK)
		return status;
	if (state->life == NFS4_VALID) {
		/* nfsd's nfsd4_free_stateid: of what is valid only a lock state without locks. */
		if (state->kind != NFS4_LOCK || nfs4_state_has_ranges(state))
			return NFS4ERR_LOCKS_HELD;
		if (stateid->seqid != 0 && stateid->seqid != state->seqid)
			return NFS4ERR_OLD_STATEID;
	}
	nfs4_state_destroy(run->server, state);
	return NFS4_OK;
}
