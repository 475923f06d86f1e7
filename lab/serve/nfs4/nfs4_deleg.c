// SPDX-License-Identifier: GPL-2.0-or-later
/* See nfs4_deleg.h. Only reading is delegated, as nfsd did for long. */
#include "lab/serve/nfs4/nfs4_deleg.h"
#include "lab/serve/nfs4/nfs4_callback.h"
#include "lab/serve/nfs4/nfs4_lease.h"
#include "lab/serve/nfs4/nfs4_stateid.h"
#include "lab/serve/tree/tree.h"

bool nfs4_client_has_delegs(const struct nfs4_client *client)
{
	for (const struct nfs4_link *link = client->states.next; link != &client->states;
	     link = link->next) {
		if (NFS4_ITEM(link, struct nfs4_state, in_client)->kind == NFS4_DELEG)
			return true;
	}
	return false;
}

void nfs4_deleg_recall(struct nfs4_server *server, struct nfs4_state *deleg, int64_t now_ns)
{
	char text[256];

	if (deleg->recalled || deleg->life != NFS4_VALID)
		return;
	deleg->recalled = true;
	deleg->recalled_ns = now_ns;
	deleg->resend_ns = now_ns;
	if (nfs4_callback_recall(server, deleg))
		deleg->resend_ns = NFS4_NEVER;
	nfs4_client_text(deleg->client, text, sizeof(text));
	nfs4_log(server, "delegation of client %s is recalled", text);
}

void nfs4_deleg_revoke(struct nfs4_server *server, struct nfs4_state *deleg)
{
	char text[256];

	nfs4_client_text(deleg->client, text, sizeof(text));
	nfs4_log(server, "delegation of client %s is revoked", text);
	/* In 4.0 nobody could ask for it to be freed. */
	if (deleg->client->by_exchange_id)
		nfs4_state_end(server, deleg, NFS4_REVOKED);
	else
		nfs4_state_destroy(server, deleg);
}

static bool conflicts(const struct nfs4_state *state, const struct nfs4_client *client,
		      bool is_write)
{
	return state->kind == NFS4_DELEG && state->client != client &&
	       (is_write || state->deleg_type != OPEN_DELEGATE_READ);
}

/* One client by courtesy whose delegation is in the way loses all that it has. */
static bool courtesy_end_one(struct nfs4_server *server, const struct nfs4_client *client,
			     uint64_t fileid, bool is_write)
{
	struct nfs4_file *file = nfs4_file_find(server, fileid);

	if (!file)
		return false;
	for (struct nfs4_link *link = file->states.next; link != &file->states; link = link->next) {
		struct nfs4_state *state = NFS4_ITEM(link, struct nfs4_state, in_file);

		if (conflicts(state, client, is_write) &&
		    nfs4_courtesy_end(server, state->client, "its delegation is wanted"))
			return true;
	}
	return false;
}

bool nfs4_delegs_conflict(struct nfs4_server *server, const struct nfs4_client *client,
			  uint64_t fileid, bool is_write, int64_t now_ns)
{
	struct nfs4_file *file;
	bool found = false;

	while (courtesy_end_one(server, client, fileid, is_write))
		continue;
	file = nfs4_file_find(server, fileid);
	if (!file)
		return false;
	for (struct nfs4_link *link = file->states.next; link != &file->states; link = link->next) {
		struct nfs4_state *state = NFS4_ITEM(link, struct nfs4_state, in_file);

		if (!conflicts(state, client, is_write))
			continue;
		nfs4_deleg_recall(server, state, now_ns);
		found = true;
	}
	return found;
}

static int64_t deleg_age(struct nfs4_server *server, struct nfs4_state *deleg, int64_t now_ns)
{
	int64_t end_ns = deleg->recalled_ns + server->lease_ns;

	if (now_ns >= end_ns) {
		nfs4_deleg_revoke(server, deleg);
		return NFS4_NEVER;
	}
	if (now_ns >= deleg->resend_ns)
		deleg->resend_ns =
			nfs4_callback_recall(server, deleg) ? NFS4_NEVER : now_ns + 2 * NFS4_SECOND;
	return deleg->resend_ns < end_ns ? deleg->resend_ns : end_ns;
}

int64_t nfs4_delegs_age(struct nfs4_server *server, struct nfs4_client *client, int64_t now_ns)
{
	int64_t next_ns = NFS4_NEVER;
	struct nfs4_link *next;

	for (struct nfs4_link *link = client->states.next; link != &client->states; link = next) {
		struct nfs4_state *state = NFS4_ITEM(link, struct nfs4_state, in_client);
		int64_t at_ns;

		next = link->next;
		if (state->kind != NFS4_DELEG || !state->recalled || state->life != NFS4_VALID)
			continue;
		at_ns = deleg_age(server, state, now_ns);
		if (at_ns < next_ns)
			next_ns = at_ns;
	}
	return next_ns;
}

/* Somebody writes the file: nothing to be delegated. */
static bool has_writer(const struct nfs4_file *file)
{
	for (const struct nfs4_link *link = file->states.next; link != &file->states;
	     link = link->next) {
		const struct nfs4_state *state = NFS4_ITEM(link, struct nfs4_state, in_file);

		if (state->kind == NFS4_OPEN && (state->access & OPEN4_SHARE_ACCESS_WRITE))
			return true;
	}
	return false;
}

static bool has_deleg(const struct nfs4_file *file, const struct nfs4_client *client)
{
	for (const struct nfs4_link *link = file->states.next; link != &file->states;
	     link = link->next) {
		const struct nfs4_state *state = NFS4_ITEM(link, struct nfs4_state, in_file);

		if (state->kind == NFS4_DELEG && (state->client == client || state->recalled))
			return true;
	}
	return false;
}

/* nfsd's nfs4_open_delegation: what speaks against it. */
static bool may_delegate(struct nfs4_run *run, const struct nfs4_OPEN4args *args,
			 const struct nfs4_state *open)
{
	bool is_reclaim = args->claim.claim == CLAIM_PREVIOUS;
	uint32_t want = args->share_access & OPEN4_SHARE_ACCESS_WANT_DELEG_MASK;

	if (run->server->config.no_delegations || !open->owner->confirmed)
		return false;
	if (open->access & OPEN4_SHARE_ACCESS_WRITE || open->deny != 0 || has_writer(open->file))
		return false;
	if (want == OPEN4_SHARE_ACCESS_WANT_NO_DELEG || want == OPEN4_SHARE_ACCESS_WANT_CANCEL ||
	    has_deleg(open->file, open->client))
		return false;
	if (is_reclaim)
		return args->claim.delegate_type == OPEN_DELEGATE_READ;
	return (args->claim.claim == CLAIM_NULL || args->claim.claim == CLAIM_FH) &&
	       !nfs4_in_grace(run->server, run->now_ns) && open->client->cb_path == NFS4_PATH_UP;
}

static void none_fill(const struct nfs4_run *run, const struct nfs4_OPEN4args *args,
		      struct nfs4_open_delegation4 *out)
{
	uint32_t want = args->share_access & OPEN4_SHARE_ACCESS_WANT_DELEG_MASK;

	out->delegation_type = OPEN_DELEGATE_NONE;
	/* Only who said what it wants gets to know why not: nfsd4_open_deleg_none_ext. */
	if (run->minor == 0 || want == 0)
		return;
	out->delegation_type = OPEN_DELEGATE_NONE_EXT;
	out->od_whynone.ond_why = want == OPEN4_SHARE_ACCESS_WANT_NO_DELEG ? WND4_NOT_WANTED
				  : want == OPEN4_SHARE_ACCESS_WANT_CANCEL ? WND4_CANCELLED
									   : WND4_RESOURCE;
}

void nfs4_deleg_offer(struct nfs4_run *run, const struct nfs4_OPEN4args *args,
		      struct nfs4_state *open, struct nfs4_open_delegation4 *out)
{
	struct nfs4_state *deleg = NULL;

	if (may_delegate(run, args, open))
		deleg = nfs4_state_create(run->server, NFS4_DELEG, open->client, NULL,
					  open->file->fileid);
	if (!deleg) {
		none_fill(run, args, out);
		return;
	}
	deleg->deleg_type = OPEN_DELEGATE_READ;
	out->delegation_type = OPEN_DELEGATE_READ;
	out->read.stateid = nfs4_stateid_of(deleg);
	/* One that was reclaimed over a path that is not known to work is wanted back at once. */
	out->read.recall = open->client->cb_path != NFS4_PATH_UP;
	/* nfsd: an entry that allows nothing more than the mode does. */
	out->read.permissions = (struct nfs4_nfsace4){
		.type = ACE4_ACCESS_ALLOWED_ACE_TYPE,
		.who = nfs4_opaque_text(""),
	};
}

uint32_t nfs4_op_delegreturn(struct nfs4_run *run, const struct nfs4_nfs_argop4 *arg,
			     struct nfs4_nfs_resop4 *res)
{
	struct nfs4_state *deleg;
	uint32_t status;

	(void)res;
	status = nfs4_stateid_find(run, &arg->opdelegreturn.deleg_stateid, NFS4_WANT_DELEG, &deleg);
	if (status != NFS4_OK)
		return status;
	if (!deleg->file || deleg->file->fileid != run->current.fileid)
		return NFS4ERR_BAD_STATEID;
	nfs4_state_destroy(run->server, deleg);
	return NFS4_OK;
}

uint32_t nfs4_op_delegpurge(struct nfs4_run *run, const struct nfs4_nfs_argop4 *arg,
			    struct nfs4_nfs_resop4 *res)
{
	(void)run;
	(void)arg;
	(void)res;
	return NFS4ERR_NOTSUPP;
}
