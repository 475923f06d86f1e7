// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See nfs4_lease.h. A lease that ran out is not the end at once: since commit 66af25799940 ("NFSD:
 * add courteous server support", 5.19) nfsd keeps the state until somebody else wants what it
 * protects, or for a day.
 */
#include "lab/serve/nfs4/nfs4_lease.h"
#include "base/mem.h"
#include "lab/serve/nfs4/nfs4_callback.h"
#include "lab/serve/nfs4/nfs4_deleg.h"
#include "lab/serve/nfs4/nfs4_owner.h"

#include <stdlib.h>

bool nfs4_in_grace(const struct nfs4_server *server, int64_t now_ns)
{
	return now_ns < server->grace_end_ns;
}

void nfs4_grace_start(struct nfs4_server *server, int64_t length_ns, bool forced, int64_t now_ns)
{
	server->grace_end_ns = now_ns + length_ns;
	server->grace_forced = forced;
	nfs4_log(server, "grace period of %lld s", (long long)(length_ns / NFS4_SECOND));
}

static void grace_end(struct nfs4_server *server, int64_t now_ns)
{
	server->grace_end_ns = now_ns;
	server->grace_forced = false;
	nfs4_reclaimers_clear(server);
	nfs4_log(server, "end of the grace period");
}

void nfs4_grace_check(struct nfs4_server *server, int64_t now_ns)
{
	if (!nfs4_in_grace(server, now_ns) || server->grace_forced)
		return;
	for (struct nfs4_link *link = server->reclaimers.next; link != &server->reclaimers;
	     link = link->next) {
		if (!NFS4_ITEM(link, struct nfs4_reclaimer, in_server)->done)
			return;
	}
	grace_end(server, now_ns);
}

void nfs4_reclaimers_collect(struct nfs4_server *server)
{
	/* Who could not reclaim yet keeps the right to: it is the same stable record in nfsd. */
	for (struct nfs4_link *link = server->reclaimers.next; link != &server->reclaimers;
	     link = link->next)
		NFS4_ITEM(link, struct nfs4_reclaimer, in_server)->done = false;
	for (struct nfs4_link *link = server->clients.next; link != &server->clients;
	     link = link->next) {
		struct nfs4_client *client = NFS4_ITEM(link, struct nfs4_client, in_server);
		struct slice owner = slice_make(client->owner, client->owner_len);
		struct nfs4_reclaimer *one;

		if (!client->confirmed || client->courtesy ||
		    !(client->reclaim_complete || !nfs4_list_empty(&client->states)) ||
		    server->reclaimer_count >= NFS4_MAX_RECLAIMERS ||
		    nfs4_reclaimer_find(server, owner))
			continue;
		one = mem_alloc(1, sizeof(*one));
		one->owner = mem_copy(owner.ptr, owner.len);
		one->owner_len = client->owner_len;
		nfs4_list_append(&server->reclaimers, &one->in_server);
		server->reclaimer_count++;
	}
}

static void client_expire(struct nfs4_server *server, struct nfs4_client *client, const char *why)
{
	char text[256];

	nfs4_client_text(client, text, sizeof(text));
	nfs4_log(server, "client %s expires: %s", text, why);
	nfs4_client_destroy(server, client);
}

bool nfs4_courtesy_end(struct nfs4_server *server, struct nfs4_client *client, const char *why)
{
	if (!client->courtesy)
		return false;
	client_expire(server, client, why);
	return true;
}

/* What time does to one client; returns when it does the next thing. */
static int64_t client_age(struct nfs4_server *server, struct nfs4_client *client, int64_t now_ns)
{
	int64_t courtesy_ns = (int64_t)server->config.courtesy_seconds * NFS4_SECOND;
	int64_t lease_end_ns = client->renewed_ns + server->lease_ns;
	char text[256];

	if (now_ns < lease_end_ns)
		return lease_end_ns;
	if (!client->confirmed || courtesy_ns == 0 || !nfs4_client_has_state(client) ||
	    now_ns >= lease_end_ns + courtesy_ns) {
		client_expire(server, client, "its lease ran out");
		return NFS4_NEVER;
	}
	if (!client->courtesy) {
		client->courtesy = true;
		nfs4_client_text(client, text, sizeof(text));
		nfs4_log(server, "client %s is kept by courtesy", text);
	}
	return lease_end_ns + courtesy_ns;
}

static int64_t earlier(int64_t a_ns, int64_t b_ns)
{
	return a_ns < b_ns ? a_ns : b_ns;
}

int64_t nfs4_tick(struct nfs4_server *server, int64_t now_ns)
{
	int64_t next_ns = NFS4_NEVER;
	struct nfs4_link *next;

	if (server->grace_end_ns != 0 && now_ns >= server->grace_end_ns &&
	    !nfs4_list_empty(&server->reclaimers))
		grace_end(server, now_ns);
	if (nfs4_in_grace(server, now_ns))
		next_ns = server->grace_end_ns;
	for (struct nfs4_link *link = server->clients.next; link != &server->clients; link = next) {
		struct nfs4_client *client = NFS4_ITEM(link, struct nfs4_client, in_server);

		next = link->next;
		next_ns = earlier(next_ns, nfs4_delegs_age(server, client, now_ns));
		nfs4_owners_age(server, client, now_ns);
		next_ns = earlier(next_ns, client_age(server, client, now_ns));
	}
	if (nfs4_callbacks_send(server, now_ns))
		next_ns = earlier(next_ns, now_ns + NFS4_SECOND);
	return next_ns;
}
