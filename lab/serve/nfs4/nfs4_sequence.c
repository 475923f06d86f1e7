// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SEQUENCE and the reply cache of the slots: RFC 8881 sections 2.10.6 and 18.46, as nfsd4_sequence
 * and replay_matches_cache.
 */
#include "base/mem.h"
#include "lab/serve/nfs4/nfs4_callback.h"
#include "lab/serve/nfs4/nfs4_lease.h"
#include "lab/serve/nfs4/nfs4_stateid.h"

#include <stdlib.h>

/* The same call again? RFC 8881 section 2.10.6.1.3.1; we compare what nfsd compares. */
static bool is_true_retry(const struct nfs4_run *run, const struct nfs4_slot *slot)
{
	if (slot->cachethis != run->cachethis)
		return false;
	if (slot->op_count < run->op_count && slot->status == NFS4_OK)
		return false;
	if (slot->op_count > run->op_count)
		return false;
	return nfs4_cred_equal(&slot->cred, &run->call->cred);
}

/* nfsd's check_slot_seqid, and what comes of a repetition. */
static uint32_t slot_judge(struct nfs4_run *run, const struct nfs4_SEQUENCE4args *args,
			   const struct nfs4_slot *slot)
{
	bool is_busy = run->now_ns < run->session->busy_until_ns;

	if (is_busy) /* as if the call before it were still being executed */
		return args->sa_sequenceid == slot->seqid || args->sa_sequenceid == slot->seqid + 1
			       ? NFS4ERR_DELAY
			       : NFS4ERR_SEQ_MISORDERED;
	if (args->sa_sequenceid == slot->seqid + 1)
		return NFS4_OK;
	if (args->sa_sequenceid != slot->seqid || !slot->used)
		return NFS4ERR_SEQ_MISORDERED;
	if (!is_true_retry(run, slot))
		return NFS4ERR_SEQ_FALSE_RETRY;
	run->slot = NULL;
	/* A SEQUENCE alone is answered anew, which is the same answer. */
	run->replayed = slot->reply != NULL;
	run->replay_refused = slot->reply == NULL && run->op_count > 1;
	return NFS4_OK;
}

static uint32_t status_flags(const struct nfs4_run *run)
{
	const struct nfs4_client *client = run->client;
	uint32_t flags = 0;

	if (client->cb_path == NFS4_PATH_FAULT)
		flags |= SEQ4_STATUS_BACKCHANNEL_FAULT;
	if (client->cb_path == NFS4_PATH_DOWN)
		flags |= nfs4_client_back_session(client)
				 ? SEQ4_STATUS_CB_PATH_DOWN
				 : SEQ4_STATUS_CB_PATH_DOWN | SEQ4_STATUS_CB_PATH_DOWN_SESSION;
	if (client->revoked_count > 0)
		flags |= SEQ4_STATUS_RECALLABLE_STATE_REVOKED;
	if (client->admin_revoked_count > 0)
		flags |= SEQ4_STATUS_ADMIN_STATE_REVOKED;
	if (client->expired_count > 0)
		flags |= SEQ4_STATUS_EXPIRED_SOME_STATE_REVOKED;
	return flags;
}

/* Where the reply may not be as long as it likes: of a call to be cached, of any other. */
static uint32_t limit_set(struct nfs4_run *run)
{
	const struct nfs4_channel_attrs4 *fore = &run->session->fore;
	enum { HEADS = 24 + 12 + 40 }; /* RPC reply; status, tag, count; SEQUENCE's result */

	run->reply_limit =
		run->cachethis ? fore->ca_maxresponsesize_cached : fore->ca_maxresponsesize;
	run->limit_status = run->cachethis ? NFS4ERR_REP_TOO_BIG_TO_CACHE : NFS4ERR_REP_TOO_BIG;
	if (run->reply_limit < HEADS)
		return run->limit_status;
	run->reply_limit -= 24; /* the RPC header counts, and is not in the COMPOUND */
	return NFS4_OK;
}

static uint32_t session_judge(struct nfs4_run *run, const struct nfs4_SEQUENCE4args *args)
{
	const struct nfs4_session *session = run->session;

	if (run->op_count > session->fore.ca_maxoperations)
		return NFS4ERR_TOO_MANY_OPS;
	if (run->call->record_bytes > session->fore.ca_maxrequestsize)
		return NFS4ERR_REQ_TOO_BIG;
	if (args->sa_slotid >= session->fore.ca_maxrequests)
		return NFS4ERR_BADSLOT;
	return NFS4_OK;
}

static void slot_take(struct nfs4_run *run, const struct nfs4_SEQUENCE4args *args)
{
	struct nfs4_slot *slot = run->slot;

	slot->seqid = args->sa_sequenceid;
	slot->used = true;
	slot->cachethis = args->sa_cachethis;
	slot->cred = run->call->cred;
	slot->op_count = run->op_count;
	slot->status = NFS4_OK;
	free(slot->reply);
	slot->reply = NULL;
	slot->reply_len = 0;
	/* nfsd's nfsd4_sequence_check_conn: without SP4_MACH_CRED whoever calls is bound. */
	nfs4_session_bind(run->session, run->call->connection);
}

uint32_t nfs4_op_sequence(struct nfs4_run *run, const struct nfs4_nfs_argop4 *arg,
			  struct nfs4_nfs_resop4 *res)
{
	const struct nfs4_SEQUENCE4args *args = &arg->opsequence;
	struct nfs4_SEQUENCE4resok *ok = &res->opsequence.sr_resok4;
	struct nfs4_slot *slot;
	uint32_t status;

	if (run->op_index != 0)
		return NFS4ERR_SEQUENCE_POS;
	run->session = nfs4_session_of_id(run->server, args->sa_sessionid);
	if (!run->session)
		return NFS4ERR_BADSESSION;
	run->client = run->session->client;
	run->cachethis = args->sa_cachethis;
	status = session_judge(run, args);
	if (status != NFS4_OK)
		return status;
	slot = &run->session->slots[args->sa_slotid];
	run->slot = slot;
	status = slot_judge(run, args, slot);
	if (status == NFS4_OK && run->slot)
		status = limit_set(run);
	if (status != NFS4_OK) {
		run->slot = NULL; /* nothing was executed, nothing is to be kept */
		return status;
	}
	if (run->slot)
		slot_take(run, args);
	else
		run->slot = run->replayed ? slot : NULL;
	nfs4_client_renew(run->client, run->now_ns);
	memcpy(ok->sr_sessionid, run->session->id, sizeof(run->session->id));
	ok->sr_sequenceid = args->sa_sequenceid;
	ok->sr_slotid = args->sa_slotid;
	/* nfsd says the same for both: it does not negotiate. */
	ok->sr_highest_slotid = run->session->fore.ca_maxrequests - 1;
	ok->sr_target_highest_slotid = run->session->fore.ca_maxrequests - 1;
	ok->sr_status_flags = status_flags(run);
	return NFS4_OK;
}

void nfs4_slot_store(struct nfs4_run *run, uint32_t status, uint32_t results, struct slice reply)
{
	struct nfs4_slot *slot = run->slot;

	slot->status = status;
	slot->op_count = results;
	/*
	 * nfsd's nfsd4_store_cache_entry keeps nothing but the status without cachethis; and what
	 * is longer than the session allows never comes here.
	 */
	if (!slot->cachethis)
		return;
	slot->reply = mem_copy(reply.ptr, reply.len);
	slot->reply_len = (uint32_t)reply.len;
}
