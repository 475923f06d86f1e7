/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the rules about a client's RPC tasks share. */
#ifndef DIAGNOSE_RULES_RPC_TASK_COMMON_H
#define DIAGNOSE_RULES_RPC_TASK_COMMON_H

#include "diagnose/rule.h"
#include "model/rpc_task.h"

/* True where a capture tells of connections: it says more of them than a client's tasks do. */
bool rpc_task_wire_speaks(const struct rule_input *in);

/* "nfsv4 READ (XID 0x28f27607)", or "a call" */
const char *rpc_task_text(struct diagnosis *d, const struct rpc_task_seen *t);

/* Whose tasks the finding is about. */
void rpc_task_about(struct diagnosis *d, struct finding *f, const struct rpc_task_host *h);

/* True for calls of a client of NFS, its mounts and locks; false for callbacks of a server. */
bool rpc_task_is_ours(const struct rpc_task_seen *t);

#endif
