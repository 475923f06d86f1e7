/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scripted lock requests and portmapper questions, for tests of their models and rules. */
#ifndef NLM_SCRIPT_H
#define NLM_SCRIPT_H

#include "script.h"

/* As in names/nlm.h and names/portmap.h. */
enum { SCRIPT_NLM = 100021, SCRIPT_NLM4 = 4 };
enum { SCRIPT_PORTMAP = 100000, SCRIPT_PORTMAP_V2 = 2, SCRIPT_GETPORT = 3 };

#define SERVER   "192.0.2.10"
#define CLIENT_A "192.0.2.31"
#define CLIENT_B "192.0.2.32"

/* The file that the locks are on, unless a test says otherwise. */
static inline struct nlm_told script_lock(uint64_t owner, uint64_t offset, uint64_t length)
{
	struct nlm_told t = {
		.file = {.len = 4, .bytes = "file"},
		.owner_hash = owner,
		.svid = (int32_t)owner,
		.offset = offset,
		.length = length,
		.exclusive = true,
		.block = true,
		.has_lock = true,
	};

	memcpy(t.caller, "app", 4);
	return t;
}

/* A call of NLMv4 and its answer 1 ms later; status UINT32_MAX: no answer. */
static inline void script_nlm(struct script *s, double at, const struct conn *conn,
			      uint32_t procedure, const struct nlm_told *told, uint32_t status)
{
	struct rpc_call rpc = {
		.conn = conn,
		.program = SCRIPT_NLM,
		.version = SCRIPT_NLM4,
		.procedure = procedure,
		.has_call = true,
		.told_kind = RPC_TOLD_LOCK,
		.told.lock = told,
	};

	script_rpc(s, at, EVENT_RPC_CALL, &rpc);
	if (status == UINT32_MAX)
		return;
	rpc.outcome = RPC_SUCCESS;
	rpc.has_status = true;
	rpc.status = status;
	script_rpc(s, at + 0.001, EVENT_RPC_REPLY, &rpc);
}

/* A result that comes as a call of its own (12, 15 ...). */
static inline void script_nlm_result(struct script *s, double at, const struct conn *conn,
				     uint32_t procedure, uint32_t status)
{
	struct nlm_told told = {.has_lock = false};
	struct rpc_call rpc = {
		.conn = conn,
		.program = SCRIPT_NLM,
		.version = SCRIPT_NLM4,
		.procedure = procedure,
		.has_call = true,
		.has_status = true,
		.status = status,
		.told_kind = RPC_TOLD_LOCK,
		.told.lock = &told,
	};

	script_rpc(s, at, EVENT_RPC_CALL, &rpc);
}

/* GETPORT of version 2 over this connection, and the answer; port UINT32_MAX: none. */
static inline void script_getport_of(struct script *s, double at, const struct conn *conn,
				     uint32_t program, uint32_t version, uint32_t protocol,
				     uint32_t port)
{
	struct portmap_told told = {.program = program, .version = version, .protocol = protocol};
	struct rpc_call rpc = {
		.conn = conn,
		.program = SCRIPT_PORTMAP,
		.version = SCRIPT_PORTMAP_V2,
		.procedure = SCRIPT_GETPORT,
		.has_call = true,
		.told_kind = RPC_TOLD_PORT,
		.told.port = &told,
	};

	script_rpc(s, at, EVENT_RPC_CALL, &rpc);
	if (port == UINT32_MAX)
		return;
	told.answered = true;
	told.port = (uint16_t)port;
	rpc.outcome = RPC_SUCCESS;
	script_rpc(s, at + 0.001, EVENT_RPC_REPLY, &rpc);
}

/* The same of version 4. */
static inline void script_getport(struct script *s, double at, const struct conn *conn,
				  uint32_t program, uint32_t protocol, uint32_t port)
{
	script_getport_of(s, at, conn, program, 4, protocol, port);
}

#endif
