// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Open owners and lock owners, and in 4.0 the sequence of what each of them asks (RFC 7530
 * sections 9.1.7 to 9.1.9): nfsd's nfsd4_check_seqid, nfsd4_encode_replay and seqid_mutating_err.
 */
#include "lab/serve/nfs4/nfs4_owner.h"
#include "base/mem.h"

#include <stdlib.h>

struct nfs4_owner *nfs4_owner_find(struct nfs4_client *client, bool locks, struct slice name)
{
	for (struct nfs4_link *link = client->owners.next; link != &client->owners;
	     link = link->next) {
		struct nfs4_owner *owner = NFS4_ITEM(link, struct nfs4_owner, in_client);

		if (owner->locks == locks &&
		    slice_equal(slice_make(owner->name, owner->name_len), name))
			return owner;
	}
	return NULL;
}

struct nfs4_owner *nfs4_owner_create(struct nfs4_server *server, struct nfs4_client *client,
				     bool locks, struct slice name)
{
	struct nfs4_owner *owner;

	if (server->owner_count >= NFS4_MAX_OWNERS)
		return NULL;
	owner = mem_alloc(1, sizeof(*owner));
	owner->client = client;
	owner->locks = locks;
	owner->name = mem_copy(name.ptr, name.len);
	owner->name_len = (uint32_t)name.len;
	owner->confirmed = client->by_exchange_id || locks;
	nfs4_list_init(&owner->states);
	nfs4_list_append(&client->owners, &owner->in_client);
	server->owner_count++;
	return owner;
}

void nfs4_owner_states_drop(struct nfs4_server *server, struct nfs4_owner *owner)
{
	struct nfs4_client *client = owner->client;
	struct nfs4_link *next;

	/* In the client's list all of them are, also those that have ended. */
	for (struct nfs4_link *link = client->states.next; link != &client->states; link = next) {
		struct nfs4_state *state = NFS4_ITEM(link, struct nfs4_state, in_client);

		next = link->next;
		if (state->owner != owner)
			continue;
		nfs4_state_destroy(server, state);
		next = client->states.next; /* the locks of an open went with it */
	}
}

void nfs4_owners_age(struct nfs4_server *server, struct nfs4_client *client, int64_t now_ns)
{
	struct nfs4_link *next;

	if (client->by_exchange_id)
		return;
	for (struct nfs4_link *link = client->owners.next; link != &client->owners; link = next) {
		struct nfs4_owner *owner = NFS4_ITEM(link, struct nfs4_owner, in_client);

		next = link->next;
		if (owner->used_ns + server->lease_ns > now_ns || !nfs4_list_empty(&owner->states))
			continue;
		if (owner->closed)
			nfs4_state_destroy(server, owner->closed);
		nfs4_owner_destroy(server, owner);
	}
}

void nfs4_owner_destroy(struct nfs4_server *server, struct nfs4_owner *owner)
{
	nfs4_list_remove(&owner->in_client);
	server->owner_count--;
	free(owner->replay);
	free(owner->name);
	free(owner);
}

uint32_t nfs4_owner_check(struct nfs4_run *run, struct nfs4_owner *owner, uint32_t op,
			  uint32_t seqid)
{
	if (run->minor > 0)
		return NFS4_OK;
	owner->used_ns = run->now_ns;
	if (seqid == owner->seqid && owner->replay_op == op) {
		run->owner = owner;
		run->owner_replayed = true;
		return NFS4_OK;
	}
	if (seqid != owner->seqid + 1)
		return NFS4ERR_BAD_SEQID;
	run->owner = owner;
	return NFS4_OK;
}

/* RFC 7530 section 9.1.7: after these the sequence stays where it was. */
static bool keeps_sequence(uint32_t status)
{
	switch (status) {
	case NFS4ERR_STALE_CLIENTID:
	case NFS4ERR_STALE_STATEID:
	case NFS4ERR_BAD_STATEID:
	case NFS4ERR_BAD_SEQID:
	case NFS4ERR_BADXDR:
	case NFS4ERR_RESOURCE:
	case NFS4ERR_NOFILEHANDLE:
	case NFS4ERR_MOVED:
		return true;
	default:
		return false;
	}
}

void nfs4_owner_store(struct nfs4_owner *owner, uint32_t op, uint32_t status, struct slice result)
{
	if (keeps_sequence(status))
		return;
	owner->seqid++;
	free(owner->replay);
	owner->replay = NULL;
	owner->replay_op = 0;
	if (result.len > NFS4_REPLAY_BYTES)
		return;
	owner->replay = mem_copy(result.ptr, result.len);
	owner->replay_len = (uint32_t)result.len;
	owner->replay_op = op;
}
