// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SETCLIENTID, SETCLIENTID_CONFIRM and RENEW: RFC 7530 sections 16.33, 16.34 and 16.28. As nfsd's
 * nfsd4_setclientid and nfsd4_setclientid_confirm.
 */
#include "lab/serve/nfs4/nfs4_callback.h"
#include "lab/serve/nfs4/nfs4_deleg.h"
#include "lab/serve/nfs4/nfs4_stateid.h"

#include <stdio.h>

static void confirm_make(struct nfs4_server *server, struct nfs4_client *client)
{
	uint64_t number = ++server->next_confirm;

	/* As nfsd's gen_confirm: the start of the server, and a counter. */
	for (uint32_t i = 0; i < 4; i++) {
		client->confirm[i] = (uint8_t)(server->boot >> (8 * i));
		client->confirm[4 + i] = (uint8_t)(number >> (8 * i));
	}
}

static void opaque_text(struct xdr_opaque opaque, char *text, size_t size_bytes)
{
	snprintf(text, size_bytes, "%.*s", (int)opaque.have, (const char *)opaque.ptr);
}

static void callback_set(struct nfs4_client *client, const struct nfs4_SETCLIENTID4args *args)
{
	client->cb_program = args->callback.cb_program;
	client->cb_ident = args->callback_ident;
	opaque_text(args->callback.cb_location.na_r_netid, client->cb_netid,
		    sizeof(client->cb_netid));
	opaque_text(args->callback.cb_location.na_r_addr, client->cb_address,
		    sizeof(client->cb_address));
}

static uint32_t in_use(const struct nfs4_client *client, struct nfs4_nfs_resop4 *res)
{
	struct nfs4_netaddr4 *using = &res->opsetclientid.client_using;

	using->na_r_netid = nfs4_opaque_text(client->cb_netid);
	using->na_r_addr = nfs4_opaque_text(client->cb_address);
	return NFS4ERR_CLID_INUSE;
}

uint32_t nfs4_op_setclientid(struct nfs4_run *run, const struct nfs4_nfs_argop4 *arg,
			     struct nfs4_nfs_resop4 *res)
{
	const struct nfs4_SETCLIENTID4args *args = &arg->opsetclientid;
	struct nfs4_server *server = run->server;
	struct slice owner = xdr_opaque_slice(args->client.id);
	struct nfs4_client *confirmed = nfs4_client_by_owner(server, owner, true);
	struct nfs4_client *unconfirmed = nfs4_client_by_owner(server, owner, false);
	struct nfs4_client *client;

	if (confirmed && nfs4_client_has_state(confirmed) &&
	    (confirmed->by_exchange_id || !nfs4_cred_equal(&confirmed->cred, &run->call->cred)))
		return in_use(confirmed, res);
	if (unconfirmed)
		nfs4_client_destroy(server, unconfirmed);
	client = nfs4_client_create(server, args->client.verifier, args->client.id,
				    &run->call->cred, run->now_ns);
	if (!client)
		return NFS4ERR_DELAY;
	/* The same instance of the client changes its callback: the ID stays. */
	if (confirmed && memcmp(confirmed->verifier, args->client.verifier, 8) == 0)
		client->id = confirmed->id;
	confirm_make(server, client);
	callback_set(client, args);
	nfs4_client_add(server, client);
	res->opsetclientid.resok4.clientid = client->id;
	memcpy(res->opsetclientid.resok4.setclientid_confirm, client->confirm, 8);
	return NFS4_OK;
}

/* The confirmed record takes over where callbacks go; the unconfirmed one has served its purpose.
 */
static void callback_move(struct nfs4_server *server, struct nfs4_client *to,
			  struct nfs4_client *from)
{
	to->cb_program = from->cb_program;
	to->cb_ident = from->cb_ident;
	memcpy(to->cb_netid, from->cb_netid, sizeof(to->cb_netid));
	memcpy(to->cb_address, from->cb_address, sizeof(to->cb_address));
	memcpy(to->confirm, from->confirm, sizeof(to->confirm));
	nfs4_client_destroy(server, from);
}

uint32_t nfs4_op_setclientid_confirm(struct nfs4_run *run, const struct nfs4_nfs_argop4 *arg,
				     struct nfs4_nfs_resop4 *res)
{
	const struct nfs4_SETCLIENTID_CONFIRM4args *args = &arg->opsetclientid_confirm;
	struct nfs4_server *server = run->server;
	struct nfs4_client *confirmed = nfs4_client_by_id(server, args->clientid, true);
	struct nfs4_client *client = nfs4_client_by_id(server, args->clientid, false);
	struct nfs4_client *old;

	(void)res;
	if (nfs4_clientid_stale(server, args->clientid))
		return NFS4ERR_STALE_CLIENTID;
	if ((client && !nfs4_cred_equal(&client->cred, &run->call->cred)) ||
	    (confirmed && !nfs4_cred_equal(&confirmed->cred, &run->call->cred)))
		return NFS4ERR_CLID_INUSE;
	if (!client || memcmp(client->confirm, args->setclientid_confirm, 8) != 0) {
		bool is_repeated =
			confirmed && memcmp(confirmed->confirm, args->setclientid_confirm, 8) == 0;

		return is_repeated ? NFS4_OK : NFS4ERR_STALE_CLIENTID;
	}
	if (confirmed) {
		callback_move(server, confirmed, client);
		client = confirmed;
	} else {
		old = nfs4_client_by_owner(server, slice_make(client->owner, client->owner_len),
					   true);
		if (old && nfs4_client_has_state(old) &&
		    !nfs4_cred_equal(&old->cred, &client->cred))
			return NFS4ERR_CLID_INUSE;
		if (old)
			nfs4_client_destroy(server, old);
		nfs4_client_confirm(server, client);
	}
	nfs4_client_renew(client, run->now_ns);
	nfs4_callback_probe(server, client);
	return NFS4_OK;
}

uint32_t nfs4_op_renew(struct nfs4_run *run, const struct nfs4_nfs_argop4 *arg,
		       struct nfs4_nfs_resop4 *res)
{
	struct nfs4_client *client;
	uint32_t status = nfs4_client_of(run, arg->oprenew.clientid, &client);

	(void)res;
	if (status != NFS4_OK)
		return status;
	/* nfsd: only one who holds delegations need hear of it. */
	if (client->cb_path != NFS4_PATH_UP && nfs4_client_has_delegs(client))
		return NFS4ERR_CB_PATH_DOWN;
	return NFS4_OK;
}
