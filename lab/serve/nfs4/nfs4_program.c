// SPDX-License-Identifier: GPL-2.0-or-later
/* NFSv4 as one of the server's programs: NULL, and COMPOUND by way of nfs4_server.h. */
#include "lab/serve/nfs4/nfs4_server.h"
#include "lab/serve/program.h"
#include "names/nfs4.h"

static void call_fill(const struct program_call *c, char peer[NET_ADDRESS_TEXT_BYTES],
		      struct nfs4_call *out)
{
	const struct rpc_in *in = c->in;
	char *port;

	*out = (struct nfs4_call){.cred = {.flavor = in->flavor, .uid = in->uid, .gid = in->gid},
				  .connection = in->connection,
				  .record_bytes = (uint32_t)in->bytes.len};
	out->cred.group_count =
		in->gids_len < NFS4_CRED_GROUPS ? in->gids_len : (uint32_t)NFS4_CRED_GROUPS;
	for (uint32_t i = 0; i < out->cred.group_count; i++)
		out->cred.groups[i] = in->gids[i];
	if (!in->peer)
		return;
	net_address_format(in->peer, peer);
	port = strrchr(peer, ':');
	if (port)
		*port = '\0';
	out->peer = peer;
}

enum program_done nfs4_call(struct program_call *c)
{
	char peer[NET_ADDRESS_TEXT_BYTES];
	struct nfs4_call call;

	if (c->in->procedure == NFSPROC4_NULL)
		return PROGRAM_DONE;
	if (c->in->procedure != NFSPROC4_COMPOUND)
		return PROGRAM_NO_PROCEDURE;
	call_fill(c, peer, &call);
	return nfs4_compound(c->server->nfs4, &call, c->args, c->out, c->now_ns) == NFS4_REPLY
		       ? PROGRAM_DONE
		       : PROGRAM_GARBAGE;
}
