// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The records of clients: made, found by ID and by owner, confirmed, destroyed with all that hangs
 * on them. As in nfsd a confirmed and an unconfirmed record of one owner can stand side by side,
 * and two unconfirmed ones cannot. What the operations make of them is in nfs4_setclientid.c (RFC
 * 7530) and nfs4_exchange.c (RFC 8881).
 */
#include "base/hash.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "lab/serve/nfs4/nfs4_lease.h"
#include "lab/serve/nfs4/nfs4_stateid.h"

#include <stdio.h>
#include <stdlib.h>

/* nfsd's clientid_t has two host integers; little endian here on every machine. */
static uint64_t clientid_make(uint32_t boot, uint32_t number)
{
	return (uint64_t)__builtin_bswap32(boot) << 32 | __builtin_bswap32(number);
}

bool nfs4_clientid_stale(const struct nfs4_server *server, uint64_t id)
{
	return (uint32_t)(id >> 32) != __builtin_bswap32(server->boot);
}

/* nfsd's same_creds. */
bool nfs4_cred_equal(const struct nfs4_cred *a, const struct nfs4_cred *b)
{
	return a->flavor == b->flavor && a->uid == b->uid && a->gid == b->gid &&
	       a->group_count == b->group_count &&
	       memcmp(a->groups, b->groups, a->group_count * sizeof(a->groups[0])) == 0;
}

struct nfs4_client *nfs4_client_create(struct nfs4_server *server, const uint8_t verifier[8],
				       struct xdr_opaque owner, const struct nfs4_cred *cred,
				       int64_t now_ns)
{
	struct nfs4_client *client;

	if (server->client_count >= NFS4_MAX_CLIENTS)
		return NULL;
	client = mem_alloc(1, sizeof(*client));
	client->id = clientid_make(server->boot, server->next_client++);
	client->owner = mem_copy(owner.ptr, owner.len);
	client->owner_len = owner.len;
	memcpy(client->verifier, verifier, sizeof(client->verifier));
	client->cred = *cred;
	client->renewed_ns = now_ns;
	/* nfsd answers a CREATE_SESSION that repeats none with this. */
	client->create_status = NFS4ERR_SEQ_MISORDERED;
	nfs4_list_init(&client->sessions);
	nfs4_list_init(&client->owners);
	nfs4_list_init(&client->states);
	return client;
}

static struct slice client_owner(const struct nfs4_client *client)
{
	return slice_make(client->owner, client->owner_len);
}

static uint64_t owner_hash(struct slice owner)
{
	return hash_bytes(owner.ptr, owner.len);
}

static uint64_t id_hash(uint64_t id)
{
	return hash_u64(hash_start(), id);
}

void nfs4_client_add(struct nfs4_server *server, struct nfs4_client *client)
{
	struct slice owner = client_owner(client);

	nfs4_list_append(&server->clients, &client->in_server);
	server->client_count++;
	map_add(&server->by_id[client->confirmed], id_hash(client->id), client);
	map_add(&server->by_owner[client->confirmed], owner_hash(owner), client);
}

static void client_unhash(struct nfs4_server *server, struct nfs4_client *client)
{
	struct slice owner = client_owner(client);

	map_remove(&server->by_id[client->confirmed], id_hash(client->id), &client->id);
	map_remove(&server->by_owner[client->confirmed], owner_hash(owner), &owner);
}

void nfs4_client_confirm(struct nfs4_server *server, struct nfs4_client *client)
{
	struct slice owner = client_owner(client);

	client_unhash(server, client);
	client->confirmed = true;
	client->may_reclaim = nfs4_reclaimer_find(server, owner) != NULL;
	map_add(&server->by_id[1], id_hash(client->id), client);
	map_add(&server->by_owner[1], owner_hash(owner), client);
}

struct nfs4_client *nfs4_client_by_id(struct nfs4_server *server, uint64_t id, bool confirmed)
{
	return map_find(&server->by_id[confirmed], id_hash(id), &id);
}

struct nfs4_client *nfs4_client_by_owner(struct nfs4_server *server, struct slice owner,
					 bool confirmed)
{
	return map_find(&server->by_owner[confirmed], owner_hash(owner), &owner);
}

bool nfs4_client_has_state(const struct nfs4_client *client)
{
	if (!nfs4_list_empty(&client->sessions))
		return true;
	for (const struct nfs4_link *link = client->states.next; link != &client->states;
	     link = link->next) {
		if (NFS4_ITEM(link, struct nfs4_state, in_client)->life != NFS4_CLOSED)
			return true;
	}
	return false;
}

void nfs4_client_destroy(struct nfs4_server *server, struct nfs4_client *client)
{
	struct nfs4_link *link;
	struct nfs4_link *next;

	for (link = client->sessions.next; link != &client->sessions; link = next) {
		next = link->next;
		nfs4_session_destroy(server, NFS4_ITEM(link, struct nfs4_session, in_client));
	}
	nfs4_client_states_drop(server, client);
	client_unhash(server, client);
	nfs4_list_remove(&client->in_server);
	server->client_count--;
	free(client->owner);
	free(client);
}

void nfs4_client_renew(struct nfs4_client *client, int64_t now_ns)
{
	client->renewed_ns = now_ns;
	client->courtesy = false;
}

void nfs4_client_text(const struct nfs4_client *client, char *text, size_t size_bytes)
{
	struct strbuf buf;

	strbuf_init(&buf);
	strbuf_add_safe(&buf, client_owner(client));
	snprintf(text, size_bytes, "%016llx '%s'", (unsigned long long)client->id,
		 strbuf_text(&buf));
	strbuf_deinit(&buf);
}

struct nfs4_reclaimer *nfs4_reclaimer_find(struct nfs4_server *server, struct slice owner)
{
	for (struct nfs4_link *link = server->reclaimers.next; link != &server->reclaimers;
	     link = link->next) {
		struct nfs4_reclaimer *one = NFS4_ITEM(link, struct nfs4_reclaimer, in_server);

		if (slice_equal(slice_make(one->owner, one->owner_len), owner))
			return one;
	}
	return NULL;
}

void nfs4_reclaimers_clear(struct nfs4_server *server)
{
	while (!nfs4_list_empty(&server->reclaimers)) {
		struct nfs4_reclaimer *one =
			NFS4_ITEM(server->reclaimers.next, struct nfs4_reclaimer, in_server);

		nfs4_list_remove(&one->in_server);
		free(one->owner);
		free(one);
	}
	server->reclaimer_count = 0;
}
