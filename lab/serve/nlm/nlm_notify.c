// SPDX-License-Identifier: GPL-2.0-or-later
/* What the lock manager tells its clients, and what time does to it. See nlm.h. */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "lab/serve/nlm/nlm_private.h"
#include "names/nsm.h"
#include "proto/nsm_xdr.h"

/* lockd's NLM_TIMEOUT is 7 s; it sends GRANTED_MSG again after 10 (NLM_TIMEOUT of svclock.c). */
static const int64_t granted_again_ns = 10000000000;

static void say(struct nlm_server *n, const char *what, const struct nlm_client *client)
{
	char text[NLM_NAME_MAX + 128];

	if (!n->ops.log)
		return;
	if (client)
		snprintf(text, sizeof(text), "nlm: %s %.*s", what, (int)client->name.len,
			 (const char *)client->name.bytes);
	else
		snprintf(text, sizeof(text), "nlm: %s", what);
	n->ops.log(n->ops.context, text);
}

static void tell(struct nlm_server *n, const struct nlm_client *client, uint32_t program,
		 uint32_t version, uint32_t procedure, const struct xdr_writer *args)
{
	struct nlm_send s = {.client = &client->address,
			     .transport = client->transport,
			     .program = program,
			     .version = version,
			     .procedure = procedure,
			     .args = xdr_writer_bytes(args)};

	if (n->ops.send && xdr_writer_ok(args) && client->address.any.sa_family != AF_UNSPEC)
		n->ops.send(n->ops.context, &s);
}

void nlm_send_granted(struct nlm_server *n, struct nlm_lock *lock, int64_t now_ns)
{
	uint8_t memory[NLM_CALL_BYTES_MAX], handle[TREE_HANDLE_BYTES];
	struct xdr_writer w = xdr_writer_make(memory, sizeof(memory));
	struct nlm_nlm4_testargs args = {
		.exclusive = lock->exclusive,
		.alock = {.caller_name = program_opaque(nlm_bytes_slice(&lock->client->name)),
			  .fh = program_opaque(slice_make(handle, sizeof(handle))),
			  .oh = program_opaque(nlm_bytes_slice(&lock->owner)),
			  .svid = lock->svid,
			  .l_offset = lock->start,
			  .l_len = lock->length}};

	/* GRANTED has a cookie of its own, by which GRANTED_RES is known. */
	if (!lock->tell_ns) {
		uint64_t cookie = ++n->next_cookie;

		nlm_bytes_set(&lock->cookie, slice_make(&cookie, sizeof(cookie)));
	}
	args.cookie = program_opaque(nlm_bytes_slice(&lock->cookie));
	tree_handle_make(n->tree, lock->fileid, handle);
	nlm_encode_nlm4_testargs(&w, &args);
	lock->tell_ns = now_ns + granted_again_ns;
	say(n, "GRANTED to", lock->client);
	tell(n, lock->client, NLM_PROG, NLM4_VERS, NLMPROC4_GRANTED_MSG, &w);
}

void nlm_send_notifies(struct nlm_server *n)
{
	for (const struct nlm_client *c = n->clients; c; c = c->next) {
		uint8_t memory[NLM_CALL_BYTES_MAX];
		struct xdr_writer w = xdr_writer_make(memory, sizeof(memory));
		char name[NET_ADDRESS_TEXT_BYTES] = "nfsleuth";
		struct nsm_stat_chge args = {.state = n->state};
		char *port;

		if (c->has_local) {
			net_address_format(&c->local, name);
			port = strrchr(name, ':');
			if (port)
				*port = '\0';
		}
		args.mon_name = program_text(name);
		nsm_encode_stat_chge(&w, &args);
		say(n, "notifies", c);
		tell(n, c, SM_PROG, SM_VERS, SMPROC_NOTIFY, &w);
	}
}

struct nlm_server *nlm_create(struct tree *tree, const struct nlm_ops *ops, int64_t grace_ns)
{
	struct nlm_server *n = mem_alloc(1, sizeof(*n));

	n->tree = tree;
	n->ops = *ops;
	n->grace_ns = grace_ns;
	n->state = 1;
	return n;
}

void nlm_destroy(struct nlm_server *n)
{
	struct nlm_client *next;

	if (!n)
		return;
	nlm_forget_client(n, NULL);
	for (struct nlm_client *c = n->clients; c; c = next) {
		next = c->next;
		free(c);
	}
	free(n);
}

int64_t nlm_tick(struct nlm_server *n, int64_t now_ns)
{
	int64_t next_ns = INT64_MAX;

	/* Others do not say when they give a lock back. */
	if (n->ops.held && now_ns >= n->frozen_until_ns)
		nlm_grant_waiting(n, now_ns);
	for (struct nlm_lock *l = n->locks; l; l = l->next) {
		if (l->state != NLM_HELD || !l->tell_ns)
			continue;
		if (l->tell_ns <= now_ns && now_ns >= n->frozen_until_ns)
			nlm_send_granted(n, l, now_ns);
		if (l->tell_ns < next_ns)
			next_ns = l->tell_ns;
	}
	return next_ns;
}

void nlm_restart(struct nlm_server *n, int64_t grace_ns, int64_t now_ns)
{
	nlm_forget_client(n, NULL);
	n->state += 2;
	n->frozen_until_ns = 0;
	n->grace_until_ns = now_ns + (grace_ns ? grace_ns : n->grace_ns);
	nlm_send_notifies(n);
}

void nlm_grace(struct nlm_server *n, int64_t length_ns, int64_t now_ns)
{
	if (!length_ns)
		n->grace_until_ns = 0;
	else
		n->grace_until_ns =
			(n->grace_until_ns > now_ns ? n->grace_until_ns : now_ns) + length_ns;
}

void nlm_freeze(struct nlm_server *n, int64_t length_ns, int64_t now_ns)
{
	n->frozen_until_ns = length_ns ? now_ns + length_ns : INT64_MAX;
}

void nlm_forget(struct nlm_server *n, const struct net_address *client, int64_t now_ns)
{
	for (struct nlm_client *c = n->clients; c; c = c->next)
		if (!client || net_address_same_host(client, &c->address))
			nlm_forget_client(n, c);
	nlm_grant_waiting(n, now_ns);
}

size_t nlm_held_count(const struct nlm_server *n)
{
	size_t count = 0;

	for (const struct nlm_lock *l = n->locks; l; l = l->next)
		count += l->state == NLM_HELD;
	return count;
}
