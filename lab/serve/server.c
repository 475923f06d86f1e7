// SPDX-License-Identifier: GPL-2.0-or-later
/* Finds the program for a call, and frames its reply. See server.h. */
#include "lab/serve/server.h"

#include <stdlib.h>

#include "lab/serve/program.h"
#include "names/mount.h"
#include "names/nfs3.h"
#include "names/nfs4.h"
#include "names/nlm.h"
#include "names/nsm.h"
#include "names/portmap.h"

static const struct program programs[] = {
	{SERVER_PORTMAP, PMAP_PROG, PMAP_VERS, RPCBVERS4, portmap_call},
	{SERVER_NFS, NFS_PROGRAM, NFS_V3, NFS_V3, nfs3_call},
	{SERVER_NFS, NFS_PROGRAM, NFS_V4, NFS_V4, nfs4_call},
	{SERVER_MOUNT, MOUNT_PROGRAM, MOUNT_V1, MOUNT_V3, mount_call},
	{SERVER_NLM, NLM_PROG, NLM4_VERS, NLM4_VERS, nlm_call},
	{SERVER_NSM, SM_PROG, SM_VERS, SM_VERS, nsm_call},
};

enum { PROGRAM_COUNT = sizeof(programs) / sizeof(programs[0]) };

const char *server_port_name(enum server_port port)
{
	static const char *const names[SERVER_PORTS] = {"portmap", "nfs", "mount", "nlm", "nsm"};

	return names[port];
}

uint32_t server_port_program(enum server_port port)
{
	static const uint32_t numbers[SERVER_PORTS] = {[SERVER_PORTMAP] = PMAP_PROG,
						       [SERVER_NFS] = NFS4_PROGRAM,
						       [SERVER_MOUNT] = MOUNT_PROGRAM,
						       [SERVER_NLM] = NLM_PROG,
						       [SERVER_NSM] = SM_PROG};

	return numbers[port];
}

const struct program *program_table(size_t *count)
{
	*count = PROGRAM_COUNT;
	return programs;
}

void server_init(struct server *s, struct tree *tree, int64_t wall_offset_ns)
{
	*s = (struct server){.tree = tree,
			     .wall_offset_ns = wall_offset_ns,
			     .versions = 1u << NFS_V3 | 1u << NFS_V4};
	s->write_verifier = (uint64_t)wall_offset_ns;
}

void server_deinit(struct server *s)
{
	for (size_t i = 0; i < s->mounts_len; i++) {
		free(s->mounts[i].host);
		free(s->mounts[i].path);
	}
	*s = (struct server){0};
}

bool program_is_served(const struct server *s, const struct program *p, uint32_t version)
{
	if (p->port == SERVER_NLM || p->port == SERVER_NSM)
		return s->nlm != NULL;
	if (p->port != SERVER_NFS)
		return true;
	return (s->versions >> version & 1) && (version != NFS_V4 || s->nfs4);
}

/* Version 4 wants a transport that looks after congestion: RFC 8881 section 2.9.1. */
static bool goes_over(const struct program *p, uint32_t version, enum rpc_transport transport)
{
	return p->number != NFS_PROGRAM || version != NFS_V4 || transport == RPC_OVER_TCP;
}

static void unregister(struct server *s, uint32_t program, uint32_t version,
		       enum rpc_transport transport, bool is_v6)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->services_len; i++) {
		const struct server_service *v = &s->services[i];

		if (v->program != program || v->version != version || v->transport != transport ||
		    v->is_v6 != is_v6)
			s->services[kept++] = *v;
	}
	s->services_len = kept;
}

void server_register(struct server *s, enum server_port port, enum rpc_transport transport,
		     bool is_v6, uint16_t number)
{
	for (size_t i = 0; i < PROGRAM_COUNT; i++) {
		const struct program *p = &programs[i];

		for (uint32_t v = p->low; p->port == port && v <= p->high; v++) {
			unregister(s, p->number, v, transport, is_v6);
			if (number && program_is_served(s, p, v) && goes_over(p, v, transport) &&
			    s->services_len < SERVER_SERVICES_MAX)
				s->services[s->services_len++] = (struct server_service){
					p->number, v, transport, is_v6, number};
		}
	}
}

/* The program and version; NULL with the range of versions, which is 0 without the program. */
static const struct program *find(const struct server *s, const struct rpc_in *in, unsigned ports,
				  uint32_t *low, uint32_t *high)
{
	*low = UINT32_MAX;
	*high = 0;
	for (size_t i = 0; i < PROGRAM_COUNT; i++) {
		const struct program *p = &programs[i];

		if (p->number != in->program || !(ports >> p->port & 1))
			continue;
		for (uint32_t v = p->low; v <= p->high; v++) {
			if (!program_is_served(s, p, v) || !goes_over(p, v, in->transport))
				continue;
			if (v == in->version)
				return p;
			*low = v < *low ? v : *low;
			*high = v > *high ? v : *high;
		}
	}
	return NULL;
}

static struct tree_cred cred_of(const struct rpc_in *in)
{
	return (struct tree_cred){
		.uid = in->uid, .gid = in->gid, .gids_len = in->gids_len, .gids = in->gids};
}

static enum server_outcome run(struct server *s, const struct program *p, const struct rpc_in *in,
			       struct xdr_writer *out, int64_t now_ns)
{
	struct xdr_writer start = *out;
	struct program_call c = {.server = s,
				 .tree = s->tree,
				 .in = in,
				 .args = cursor_make(in->args),
				 .out = out,
				 .cred = cred_of(in),
				 .now_ns = now_ns,
				 .wall_ns = now_ns + s->wall_offset_ns};
	enum program_done done;

	rpc_reply_success(out, in->xid);
	done = p->run(&c);
	if (done == PROGRAM_DONE && xdr_writer_ok(out))
		return SERVER_REPLY;
	*out = start;
	switch (done) {
	case PROGRAM_DONE:
		rpc_reply_failure(out, in->xid, RPC_ACCEPT_SYSTEM_ERR);
		break;
	case PROGRAM_GARBAGE:
		rpc_reply_failure(out, in->xid, RPC_ACCEPT_GARBAGE_ARGS);
		break;
	case PROGRAM_NO_PROCEDURE:
		rpc_reply_failure(out, in->xid, RPC_ACCEPT_PROC_UNAVAIL);
		break;
	case PROGRAM_SILENT:
		return SERVER_SILENT;
	}
	return SERVER_REPLY;
}

enum server_outcome serve_handle(struct server *s, const struct rpc_in *in, unsigned ports,
				 struct xdr_writer *out, int64_t now_ns)
{
	enum { AUTH_TOOWEAK = 5 };
	uint32_t low, high;
	const struct program *p = find(s, in, ports, &low, &high);

	if (p && in->flavor > RPC_AUTH_SYS && in->procedure != 0)
		rpc_reply_denied(out, in->xid, AUTH_TOOWEAK);
	else if (p)
		return run(s, p, in, out, now_ns);
	else if (high)
		rpc_reply_versions(out, in->xid, low, high);
	else
		rpc_reply_failure(out, in->xid, RPC_ACCEPT_PROG_UNAVAIL);
	return SERVER_REPLY;
}
