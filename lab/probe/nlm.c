// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The part of v3.h that locks: NLM version 4, as fs/lockd/clntproc.c calls it. The port is asked
 * for once (nlm_bind_host), and again after the connection was refused.
 */
#include <stdio.h>
#include <unistd.h>

#include "lab/probe/v3.h"
#include "names/nlm.h"
#include "proto/nlm_xdr.h"

static bool find_nlm(struct v3 *v)
{
	struct timing_call timing = timing_call_of_lockd(&v->words->timing);
	uint16_t port = 0;

	if (v->has_nlm)
		return true;
	/* The kernel's own question; what it waits for is the lock manager. */
	v->portmap.voice = "lockd";
	v->portmap.timing = timing;
	if (!v3_port(v, NLM_PROG, NLM4_VERS, &port) || port == 0)
		return false;
	client_peer_deinit(&v->portmap);
	client_peer_init(&v->nlm, v->client, "lockd", port, &timing);
	v->has_nlm = true;
	return true;
}

struct lock_names {
	char oh[CLIENT_NAME_BYTES_MAX + 16];
	uint8_t cookie[4];
};

/* Owner and cookie as fs/lockd/clntproc.c makes them: "PID@HOST", a number. */
static void name_lock(struct v3 *v, struct lock_names *n)
{
	uint32_t number = ++v->lock_number;

	(void)snprintf(n->oh, sizeof(n->oh), "%d@%s", (int)getpid(), v->client->machine);
	for (size_t i = 0; i < sizeof(n->cookie); i++)
		n->cookie[i] = (uint8_t)(number >> (8 * (3 - i)));
}

static struct nlm_nlm4_lock whole_file(struct v3 *v, const struct lock_names *n)
{
	return (struct nlm_nlm4_lock){
		.caller_name = v3_opaque(v->client->machine, strlen(v->client->machine)),
		.fh = v3_opaque(v->file.bytes, v->file.len),
		.oh = v3_opaque(n->oh, strlen(n->oh)),
		.svid = (int32_t)getpid(),
	};
}

static bool take_status(struct v3 *v)
{
	struct nlm_nlm4_res res;
	struct cursor at;

	if (client_call(&v->nlm, &at) != CLIENT_ANSWERED)
		return false;
	nlm_decode_nlm4_res(&at, &res);
	v->status = res.stat.stat;
	return cursor_ok(&at);
}

bool v3_lock(struct v3 *v, bool reclaim)
{
	struct nlm_nlm4_lockargs args = {.block = true, .exclusive = true, .reclaim = reclaim};
	struct lock_names names;

	if (!find_nlm(v))
		return false;
	name_lock(v, &names);
	args.cookie = v3_opaque(names.cookie, sizeof(names.cookie));
	args.alock = whole_file(v, &names);
	nlm_encode_nlm4_lockargs(client_begin(&v->nlm, NLM_PROG, NLM4_VERS, NLMPROC_LOCK), &args);
	return take_status(v);
}

bool v3_unlock(struct v3 *v)
{
	struct nlm_nlm4_unlockargs args = {0};
	struct lock_names names;

	if (!find_nlm(v))
		return false;
	name_lock(v, &names);
	args.cookie = v3_opaque(names.cookie, sizeof(names.cookie));
	args.alock = whole_file(v, &names);
	nlm_encode_nlm4_unlockargs(client_begin(&v->nlm, NLM_PROG, NLM4_VERS, NLMPROC_UNLOCK),
				   &args);
	return take_status(v);
}
