// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where the payload of a READ or WRITE lies in a long record, from the record's first bytes: those
 * bytes are neither stored nor copied.
 */
#include "ingest/private.h"

#include "names/nfs4.h"
#include "proto/nfs4_xdr.h"
#include "proto/xdr.h"

/* NFSv3, RFC 1813. */
enum {
	NFS3_VERSION = 3,
	NFS3_READ = 6,
	NFS3_WRITE = 7,
	NFS3_FH_MAX = 64,
	NFS3_ATTR_BYTES = 84,
	STATEID_BYTES = 16,
	OPS_PLANNED_MAX = 64,
};

/* The opaque that begins at the cursor, as a range; nothing after a fault. */
static struct rpc_range range_of_opaque(struct cursor *c)
{
	uint32_t len = cursor_u32(c);
	size_t from = cursor_offset(c);

	if (!cursor_ok(c))
		return (struct rpc_range){0};
	return (struct rpc_range){from, from + xdr_padded(len)};
}

/* NFSv4: the first WRITE of the call, or the first READ of the reply. */
static struct rpc_range plan_compound(struct cursor *c, bool reply)
{
	uint32_t count;

	if (reply)
		cursor_skip(c, 4); /* status */
	cursor_opaque(c, UINT32_MAX);
	if (!reply)
		cursor_skip(c, 4); /* minor version */
	count = cursor_u32(c);
	for (uint32_t i = 0; i < count && i < OPS_PLANNED_MAX && cursor_ok(c); i++) {
		struct cursor op = *c;
		uint32_t number = cursor_u32(&op);

		if (!reply && number == OP_WRITE) {
			cursor_skip(&op, STATEID_BYTES + 8 + 4); /* stateid, offset, stable */
			return range_of_opaque(&op);
		}
		if (reply && number == OP_READ) {
			if (cursor_u32(&op) != NFS4_OK)
				break;
			cursor_skip(&op, 4); /* eof */
			return range_of_opaque(&op);
		}
		if (reply)
			nfs4_skip_nfs_resop4(c);
		else
			nfs4_skip_nfs_argop4(c);
	}
	return (struct rpc_range){0};
}

/* RFC 1813 sections 3.3.6 and 3.3.7. */
static struct rpc_range plan_v3(struct cursor *c, bool reply)
{
	if (!reply) {
		cursor_opaque(c, NFS3_FH_MAX);
		cursor_skip(c, 8 + 4 + 4); /* offset, count, stable */
		return range_of_opaque(c);
	}
	if (cursor_u32(c) != 0)
		return (struct rpc_range){0};
	if (cursor_bool(c))
		cursor_skip(c, NFS3_ATTR_BYTES);
	cursor_skip(c, 4 + 4); /* count, eof */
	return range_of_opaque(c);
}

static struct rpc_range plan_body(uint32_t version, uint32_t procedure, struct cursor *c,
				  bool reply)
{
	if (version == NFS_V4 && procedure == NFSPROC4_COMPOUND)
		return plan_compound(c, reply);
	if (version == NFS3_VERSION && procedure == (reply ? NFS3_READ : NFS3_WRITE))
		return plan_v3(c, reply);
	return (struct rpc_range){0};
}

static struct rpc_range plan_message(struct ingest *in, struct flow *flow, enum conn_side from,
				     struct cursor head)
{
	enum conn_side caller = conn_other_side(from);
	const struct pending_call *p = NULL;
	struct rpc_msg msg;

	if (!rpc_msg_decode(&head, &msg))
		return (struct rpc_range){0};
	if (msg.type == RPC_MSG_CALL) {
		if (msg.call.program != NFS4_PROGRAM || msg.body == RPC_BODY_SEALED)
			return (struct rpc_range){0};
		return plan_body(msg.call.version, msg.call.procedure, &head, false);
	}
	if (flow->rpc) {
		struct call_place place = call_place_make(flow->rpc, caller, msg.xid);

		p = call_table_find(&in->calls, &place, &flow->conn);
	}
	if (!p || p->call.program != NFS4_PROGRAM)
		return (struct rpc_range){0};
	if (msg.reply.reply_stat != RPC_REPLY_ACCEPTED ||
	    msg.reply.accept_stat != RPC_ACCEPT_SUCCESS)
		return (struct rpc_range){0};
	if (p->has_gss && rpc_reply_enter_gss(&head, &p->gss) == RPC_BODY_SEALED)
		return (struct rpc_range){0};
	return plan_body(p->call.version, p->call.procedure, &head, true);
}

struct rpc_range ingest_plan(void *context, struct flow *flow, enum conn_side from,
			     struct cursor head)
{
	struct ingest *in = context;
	struct rpc_range range = plan_message(in, flow, from, head);

	/* A record in one piece has all of its payload: the texts of both are the same. */
	if (in->options.keep_text && range.from < range.to)
		range.from += INGEST_BYTES_SHOWN_MAX;
	return range;
}
