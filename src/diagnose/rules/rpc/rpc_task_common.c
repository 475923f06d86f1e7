// SPDX-License-Identifier: GPL-2.0-or-later
/* See rpc_task_common.h. */
#include "diagnose/rules/rpc/rpc_task_common.h"

#include <string.h>

#include "diagnose/rules/log_common.h"
#include "diagnose/rules/nfs4/nfs4_trace.h"
#include "model/conn.h"

bool rpc_task_wire_speaks(const struct rule_input *in)
{
	return in->conns && in->conns->records.len;
}

const char *rpc_task_text(struct diagnosis *d, const struct rpc_task_seen *t)
{
	const char *name = "a call";

	if (t->program[0])
		name = arena_format(&d->arena, "%s %s", log_text(d, t->program),
				    log_text(d, t->procedure));
	return t->has_xid ? arena_format(&d->arena, "%s (XID 0x%08x)", name, t->xid) : name;
}

void rpc_task_about(struct diagnosis *d, struct finding *f, const struct rpc_task_host *h)
{
	finding_subject(d, f, "RPC tasks of", "%s", nfs4_trace_host_text(d, h->name, h->told));
	f->host = log_text(d, h->name);
}

bool rpc_task_is_ours(const struct rpc_task_seen *t)
{
	/* fs/nfsd/nfs4callback.c, fs/nfs/mount_clnt.c, net/sunrpc/rpcb_clnt.c, net/sunrpc/auth_gss
	 */
	static const char *const others[] = {"nfs4_cb", "NFS4_callback", "rpcbind", "gssd"};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (strncmp(t->program, others[i], strlen(others[i])) == 0)
			return false;
	return true;
}
