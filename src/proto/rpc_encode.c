// SPDX-License-Identifier: GPL-2.0-or-later
/* See rpc_encode.h. Section numbers are RFC 5531's. */
#include "proto/rpc_encode.h"

enum { RPC_VERSION = 2 };

static void rpc_put_slice(struct xdr_writer *w, struct slice bytes, uint32_t limit)
{
	struct xdr_opaque opaque = {.ptr = bytes.ptr};

	if (bytes.len > limit) {
		w->invalid = true;
		return;
	}
	opaque.len = (uint32_t)bytes.len;
	opaque.have = opaque.len;
	xdr_put_opaque(w, opaque, limit);
}

static void rpc_auth_encode(struct xdr_writer *w, const struct rpc_auth *auth)
{
	xdr_put_u32(w, auth->flavor);
	rpc_put_slice(w, auth->body, RPC_AUTH_BODY_MAX);
}

void rpc_call_encode(struct xdr_writer *w, uint32_t xid, const struct rpc_call_header *call)
{
	xdr_put_u32(w, xid);
	xdr_put_u32(w, RPC_MSG_CALL);
	xdr_put_u32(w, RPC_VERSION);
	xdr_put_u32(w, call->program);
	xdr_put_u32(w, call->version);
	xdr_put_u32(w, call->procedure);
	rpc_auth_encode(w, &call->cred);
	rpc_auth_encode(w, &call->verf);
}

/* Appendix A. */
void rpc_auth_sys_encode(struct xdr_writer *w, const struct rpc_auth_sys *sys)
{
	xdr_put_u32(w, sys->stamp);
	rpc_put_slice(w, sys->machine, RPC_MACHINE_NAME_MAX);
	xdr_put_u32(w, sys->uid);
	xdr_put_u32(w, sys->gid);
	xdr_put_u32(w, sys->gids_len);
	if (sys->gids_len > RPC_AUTH_GIDS_MAX) {
		w->invalid = true;
		return;
	}
	for (uint32_t i = 0; i < sys->gids_len; i++)
		xdr_put_u32(w, sys->gids[i]);
}

void rpc_reply_encode(struct xdr_writer *w, uint32_t xid, const struct rpc_reply_header *reply)
{
	xdr_put_u32(w, xid);
	xdr_put_u32(w, RPC_MSG_REPLY);
	xdr_put_u32(w, reply->reply_stat);
	if (reply->reply_stat == RPC_REPLY_ACCEPTED) {
		rpc_auth_encode(w, &reply->verf);
		xdr_put_u32(w, reply->accept_stat);
		if (reply->accept_stat != RPC_ACCEPT_PROG_MISMATCH)
			return;
	} else {
		xdr_put_u32(w, reply->reject_stat);
		if (reply->reject_stat != RPC_REJECT_MISMATCH) {
			xdr_put_u32(w, reply->auth_stat);
			return;
		}
	}
	xdr_put_u32(w, reply->low);
	xdr_put_u32(w, reply->high);
}

void rpc_mark_encode(struct xdr_writer *w, uint32_t fragment_bytes, bool is_last)
{
	if (fragment_bytes >> 31) {
		w->invalid = true;
		return;
	}
	xdr_put_u32(w, fragment_bytes | (uint32_t)is_last << 31);
}
