/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One line of the list of RPC tasks that a kernel prints to its log when somebody writes to
 * /proc/sys/sunrpc/rpc_debug, and that it offers under /sys/kernel/debug/sunrpc (net/sunrpc/clnt.c:
 * rpc_show_task; net/sunrpc/debugfs.c: tasks_show, which has the XID in the place of an address):
 *
 *	-pid- flgs status -client- --rqstp- -timeout ---ops--
 *	    1 8080      0 d88df19f 9c4ec553     4942 abc6d810 lockdv4 LOCK a:call_bind_status
 *		[sunrpc] q:xprt_binding                              (all of it is one line)
 */
#ifndef EVIDENCE_RPC_TASK_LINE_H
#define EVIDENCE_RPC_TASK_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

struct rpc_task_line {
	uint64_t task, client;
	bool sent; /* RPC_TASK_SENT of its flags */
	int64_t status;
	bool has_xid;
	uint32_t xid;
	struct slice program; /* with its version */
	struct slice procedure;
	struct slice action; /* the function that comes next; empty: none */
	struct slice queue;  /* empty: it waits on none */
};

/* The head of such a list. */
bool rpc_task_head(struct slice text);

/* False: it is no such line. Texts are borrowed from it. */
bool rpc_task_line_parse(struct slice text, struct rpc_task_line *out);

#endif
