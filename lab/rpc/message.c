// SPDX-License-Identifier: GPL-2.0-or-later
/* See message.h. */
#include "lab/rpc/message.h"

enum { NOBODY = 65534, RPC_VERSION = 2, AUTH_BADCRED = 1 };

enum rpc_taken rpc_in_take(struct slice bytes, struct rpc_in *in)
{
	struct cursor c = cursor_make(bytes);
	struct rpc_msg *m = &in->message;

	in->bytes = bytes;
	in->uid = NOBODY;
	in->gid = NOBODY;
	in->gids_len = 0;
	in->gids = NULL;
	in->machine = (struct slice){0};
	*m = (struct rpc_msg){0};
	if (!rpc_msg_decode(&c, m)) {
		in->xid = m->xid;
		/* As far as the version of RPC, it was a call; what fails behind it is its fault.
		 */
		if (bytes.len >= 12 && m->type == RPC_MSG_CALL && m->call.rpcvers)
			return RPC_TAKEN_REFUSED;
		return RPC_TAKEN_GARBAGE;
	}
	in->xid = m->xid;
	in->args = slice_make(c.pos, cursor_here(&c));
	if (m->type == RPC_MSG_REPLY)
		return RPC_TAKEN_REPLY;
	if (m->call.rpcvers != RPC_VERSION)
		return RPC_TAKEN_REFUSED;
	in->program = m->call.program;
	in->version = m->call.version;
	in->procedure = m->call.procedure;
	in->flavor = m->call.cred.flavor;
	if (in->flavor == RPC_AUTH_SYS && !m->call.has_sys)
		return RPC_TAKEN_REFUSED;
	if (m->call.has_sys) {
		in->uid = m->call.sys.uid;
		in->gid = m->call.sys.gid;
		in->gids_len = m->call.sys.gids_len;
		in->gids = m->call.sys.gids;
		in->machine = m->call.sys.machine;
	}
	return RPC_TAKEN_CALL;
}

void rpc_refuse(struct xdr_writer *w, const struct rpc_in *in)
{
	struct rpc_reply_header reply = {.reply_stat = RPC_REPLY_DENIED,
					 .reject_stat = RPC_REJECT_MISMATCH,
					 .low = RPC_VERSION,
					 .high = RPC_VERSION};

	if (in->message.call.rpcvers == RPC_VERSION) {
		rpc_reply_denied(w, in->xid, AUTH_BADCRED);
		return;
	}
	rpc_reply_encode(w, in->xid, &reply);
}

void rpc_reply_success(struct xdr_writer *w, uint32_t xid)
{
	static const struct rpc_reply_header reply; /* accepted, AUTH_NONE, SUCCESS: all zero */

	rpc_reply_encode(w, xid, &reply);
}

void rpc_reply_failure(struct xdr_writer *w, uint32_t xid, enum rpc_accept_stat why)
{
	struct rpc_reply_header reply = {.accept_stat = why};

	rpc_reply_encode(w, xid, &reply);
}

void rpc_reply_versions(struct xdr_writer *w, uint32_t xid, uint32_t low, uint32_t high)
{
	struct rpc_reply_header reply = {
		.accept_stat = RPC_ACCEPT_PROG_MISMATCH, .low = low, .high = high};

	rpc_reply_encode(w, xid, &reply);
}

void rpc_reply_denied(struct xdr_writer *w, uint32_t xid, uint32_t auth_stat)
{
	struct rpc_reply_header reply = {.reply_stat = RPC_REPLY_DENIED,
					 .reject_stat = RPC_REJECT_AUTH_ERROR,
					 .auth_stat = auth_stat};

	rpc_reply_encode(w, xid, &reply);
}

void rpc_call_begin(struct xdr_writer *w, uint32_t xid, uint32_t program, uint32_t version,
		    uint32_t procedure, const struct rpc_auth_sys *sys)
{
	uint8_t body[RPC_AUTH_BODY_MAX];
	struct rpc_call_header call = {
		.program = program, .version = version, .procedure = procedure};
	struct xdr_writer cred = xdr_writer_make(body, sizeof(body));

	if (sys) {
		rpc_auth_sys_encode(&cred, sys);
		w->invalid |= !xdr_writer_ok(&cred);
		call.cred = (struct rpc_auth){RPC_AUTH_SYS, xdr_writer_bytes(&cred)};
	}
	rpc_call_encode(w, xid, &call);
}
