/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a client's own kernel tells of its calls: the tasks of its RPC machine (net/sunrpc/sched.c),
 * as a list of what is under way shows them at one moment, or as a trace follows them. Texts are
 * borrowed: a sink copies what it keeps.
 */
#ifndef EVENT_RPC_TASK_H
#define EVENT_RPC_TASK_H

#include "base/slice.h"
#include "event/ident.h"

enum rpc_task_step {
	RPC_TASK_LISTED, /* in a list: `list`, `queue`, `sent` and the names are told */
	RPC_TASK_BEGUN,
	RPC_TASK_NAMED, /* which procedure it calls */
	RPC_TASK_SLEPT, /* on `queue` */
	RPC_TASK_WOKEN, /* from `queue`, with `status` */
	RPC_TASK_SENT,  /* given to the connection, for the first time or again */
	RPC_TASK_REPLIED,
	RPC_TASK_ENDED,
	RPC_TASK_ALARM,       /* the time that it waits for its answer is set: `alarm_ns` */
	RPC_TASK_LOST,        /* no task: what was told lately was lost in part */
	RPC_TASK_PEER_TRIED,  /* no task: a connection to `peer` is being made */
	RPC_TASK_PEER_FAILED, /* no task: a connection to `peer` could not be made; `status` */
	RPC_TASK_PEER_JOINED, /* no task: it could */
};

struct rpc_task_fact {
	enum rpc_task_step step;
	uint32_t list; /* LISTED: which list, over all files */
	bool has_task; /* `task` and `client` are told; else only `xid` names the call */
	uint64_t task, client;
	bool has_xid;
	uint32_t xid;
	bool sent;              /* it was given to the connection before this */
	int64_t alarm_ns;       /* ALARM: from now */
	int64_t status;         /* as the kernel has it: 0, or below 0 an error */
	struct slice program;   /* with its version: "lockdv4"; empty: not told */
	struct slice procedure; /* "LOCK"; empty: not told */
	struct slice queue;     /* "xprt_pending", "ForeChannel Slot table" ...; empty: none */
	bool has_peer;
	struct endpoint peer; /* valid with has_peer */
	struct slice host;    /* the client: as in struct log_fact */
	bool host_told;
};

#endif
