/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes headers of ONC RPC messages (RFC 5531 section 9) and record marks (section 11): what
 * proto/rpc_msg.h and proto/rpc_record.h read. For those who speak RPC themselves.
 */
#ifndef PROTO_RPC_ENCODE_H
#define PROTO_RPC_ENCODE_H

#include "proto/rpc_msg.h"
#include "proto/xdr_writer.h"

/*
 * The header of a call, with cred and verf as they stand in `body`. Arguments follow it; what
 * RPCSEC_GSS puts around them is the caller's business. A body above RPC_AUTH_BODY_MAX makes the
 * writer invalid.
 */
void rpc_call_encode(struct xdr_writer *w, uint32_t xid, const struct rpc_call_header *call);

/* The body of an AUTH_SYS credential; too many groups or too long a name make the writer invalid.
 */
void rpc_auth_sys_encode(struct xdr_writer *w, const struct rpc_auth_sys *sys);

/* The header of a reply, accepted or denied; results follow where accept_stat is SUCCESS. */
void rpc_reply_encode(struct xdr_writer *w, uint32_t xid, const struct rpc_reply_header *reply);

/* The mark of a record's last (or only) fragment of so many bytes. */
void rpc_mark_encode(struct xdr_writer *w, uint32_t fragment_bytes, bool is_last);

#endif
