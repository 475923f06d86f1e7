// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * EXCHANGE_ID, DESTROY_CLIENTID and RECLAIM_COMPLETE: RFC 8881 sections 18.35, 18.50 and 18.51. The
 * cases are numbered as in section 18.35.4; where the RFC leaves room, nfsd4_exchange_id decides.
 */
#include "lab/serve/nfs4/nfs4_lease.h"
#include "lab/serve/nfs4/nfs4_stateid.h"

enum {
	/* EXCHGID4_FLAG_MASK_A of RFC 5661: what a client may set. */
	CLIENT_FLAGS = EXCHGID4_FLAG_SUPP_MOVED_REFER | EXCHGID4_FLAG_SUPP_MOVED_MIGR |
		       EXCHGID4_FLAG_SUPP_FENCE_OPS | EXCHGID4_FLAG_BIND_PRINC_STATEID |
		       EXCHGID4_FLAG_MASK_PNFS | EXCHGID4_FLAG_UPD_CONFIRMED_REC_A,
};

/* How the request stands to the record that is already confirmed. */
struct comparison {
	bool creds_match;
	bool verifiers_match;
};

/* Cases 6, 8 and 9, and an update of what EXCHANGE_ID did not make. */
static uint32_t update_judge(const struct nfs4_client *confirmed, struct comparison same)
{
	if (!confirmed->by_exchange_id)
		return NFS4ERR_INVAL;
	if (!same.creds_match)
		return NFS4ERR_PERM;
	if (!same.verifiers_match)
		return NFS4ERR_NOT_SAME;
	return NFS4_OK;
}

/*
 * Which record is answered. *out stays NULL when a new one has to be made; *replaced is what it
 * replaces at once.
 */
static uint32_t record_choose(struct nfs4_run *run, const struct nfs4_EXCHANGE_ID4args *args,
			      struct nfs4_client **out, struct nfs4_client **replaced)
{
	struct slice owner = xdr_opaque_slice(args->eia_clientowner.co_ownerid);
	struct nfs4_client *confirmed = nfs4_client_by_owner(run->server, owner, true);
	bool is_update = (args->eia_flags & EXCHGID4_FLAG_UPD_CONFIRMED_REC_A) != 0;
	struct comparison same;
	uint32_t status;

	if (!confirmed && is_update) /* case 7 */
		return NFS4ERR_NOENT;
	if (!confirmed) { /* case 1; case 4: the unconfirmed record goes */
		*replaced = nfs4_client_by_owner(run->server, owner, false);
		return NFS4_OK;
	}
	same = (struct comparison){
		.creds_match = nfs4_cred_equal(&confirmed->cred, &run->call->cred),
		.verifiers_match =
			memcmp(confirmed->verifier, args->eia_clientowner.co_verifier, 8) == 0,
	};
	if (is_update) {
		status = update_judge(confirmed, same);
		if (status == NFS4_OK) /* case 6 */
			*out = confirmed;
		return status;
	}
	if (!same.creds_match) { /* case 3 */
		if (nfs4_client_has_state(confirmed))
			return NFS4ERR_CLID_INUSE;
		*replaced = confirmed;
		return NFS4_OK;
	}
	if (same.verifiers_match) /* case 2 */
		*out = confirmed;
	return NFS4_OK; /* case 5 where they differ: the old one stays until CREATE_SESSION */
}

static void answer_fill(struct nfs4_run *run, const struct nfs4_client *client,
			struct nfs4_EXCHANGE_ID4resok *ok)
{
	struct nfs4_server *server = run->server;

	ok->eir_clientid = client->id;
	ok->eir_sequenceid = client->create_seqid + 1;
	ok->eir_flags = EXCHGID4_FLAG_USE_NON_PNFS;
	if (client->confirmed)
		ok->eir_flags |= EXCHGID4_FLAG_CONFIRMED_R;
	ok->eir_state_protect.spr_how = SP4_NONE;
	ok->eir_server_owner.so_minor_id = 0;
	ok->eir_server_owner.so_major_id = nfs4_opaque_text(server->owner);
	ok->eir_server_scope = nfs4_opaque_text(server->scope);
}

uint32_t nfs4_op_exchange_id(struct nfs4_run *run, const struct nfs4_nfs_argop4 *arg,
			     struct nfs4_nfs_resop4 *res)
{
	const struct nfs4_EXCHANGE_ID4args *args = &arg->opexchange_id;
	struct slice owner = xdr_opaque_slice(args->eia_clientowner.co_ownerid);
	struct nfs4_server *server = run->server;
	struct nfs4_client *client = NULL;
	struct nfs4_client *replaced = NULL;
	struct nfs4_client *old;
	uint32_t status;

	if ((args->eia_flags & ~(uint32_t)CLIENT_FLAGS) != 0)
		return NFS4ERR_INVAL;
	if (args->eia_state_protect.spa_how == SP4_SSV)
		return NFS4ERR_ENCR_ALG_UNSUPP;
	/* nfsd: machine credentials need RPCSEC_GSS with integrity. */
	if (args->eia_state_protect.spa_how == SP4_MACH_CRED)
		return NFS4ERR_INVAL;
	status = record_choose(run, args, &client, &replaced);
	if (status != NFS4_OK)
		return status;
	if (!client) {
		client = nfs4_client_create(server, args->eia_clientowner.co_verifier,
					    args->eia_clientowner.co_ownerid, &run->call->cred,
					    run->now_ns);
		if (!client)
			return NFS4ERR_DELAY;
		if (replaced)
			nfs4_client_destroy(server, replaced);
		/* Case 5 that is repeated, or another client's next turn. */
		old = nfs4_client_by_owner(server, owner, false);
		if (old)
			nfs4_client_destroy(server, old);
		client->by_exchange_id = true;
		client->minor = run->minor;
		client->exchange_flags = args->eia_flags;
		nfs4_client_add(server, client);
	}
	answer_fill(run, client, &res->opexchange_id.eir_resok4);
	return NFS4_OK;
}

uint32_t nfs4_op_destroy_clientid(struct nfs4_run *run, const struct nfs4_nfs_argop4 *arg,
				  struct nfs4_nfs_resop4 *res)
{
	uint64_t id = arg->opdestroy_clientid.dca_clientid;
	struct nfs4_client *client = nfs4_client_by_id(run->server, id, true);

	(void)res;
	if (client && nfs4_client_has_state(client))
		return NFS4ERR_CLIENTID_BUSY;
	if (!client)
		client = nfs4_client_by_id(run->server, id, false);
	if (!client)
		return NFS4ERR_STALE_CLIENTID;
	/* Its state hangs on sessions: one that calls here has another client's session, or none.
	 */
	nfs4_client_destroy(run->server, client);
	return NFS4_OK;
}

uint32_t nfs4_op_reclaim_complete(struct nfs4_run *run, const struct nfs4_nfs_argop4 *arg,
				  struct nfs4_nfs_resop4 *res)
{
	struct nfs4_client *client = run->client;
	struct nfs4_reclaimer *one;

	(void)res;
	if (arg->opreclaim_complete.rca_one_fs)
		return run->current.set ? NFS4_OK : NFS4ERR_NOFILEHANDLE;
	if (client->reclaim_complete)
		return NFS4ERR_COMPLETE_ALREADY;
	client->reclaim_complete = true;
	one = nfs4_reclaimer_find(run->server, slice_make(client->owner, client->owner_len));
	if (one)
		one->done = true;
	nfs4_grace_check(run->server, run->now_ns);
	return NFS4_OK;
}
