// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * RPC transactions out of messages: decodes headers, matches replies with calls, recognises what is
 * sent again, and tells the board (EVENT_RPC_*). Follows RFC 5531; what stands in arguments and
 * results is read by nfs4_call.c and nfs4_reply.c, or only its status.
 */
#include "ingest/private.h"

#include "base/hash.h"
#include "base/mem.h"
#include "names/names.h"
#include "names/nfs4.h"
#include "proto/xdr_type.h"

#include <stdlib.h>

enum {
	HEAD_HASH_BYTES = 256,
	SETTLED_QUEUE_MAX = 4096, /* calls that wait for being sent once more */
};

/* One message with its place, whether it came as a record or as a datagram. */
struct message {
	struct flow *flow;
	enum conn_side from;
	struct cursor body; /* from the xid on */
	struct provenance at;
	uint64_t first_frame;
	uint32_t damage; /* RPC_RECORD_* */
};

static void rpc_emit(struct ingest *in, enum event_kind kind, const struct rpc_call *call,
		     const struct provenance *at)
{
	struct event event = {.kind = kind, .at = *at, .conn = call->conn, .rpc = call};

	if (event_wanted(in->board, kind))
		event_emit(in->board, &event);
}

static struct flow_calls *flow_calls_of(struct flow *flow)
{
	if (!flow->rpc)
		flow->rpc = mem_alloc(1, sizeof(struct flow_calls));
	return flow->rpc;
}

static void rpc_tell_settled(struct ingest *in)
{
	struct pending_call *p = call_queue_pop(&in->settled);

	rpc_emit(in, EVENT_RPC_SETTLED, &p->call,
		 p->call.reply.frame != FRAME_NONE ? &p->call.reply : &p->call.call);
	call_table_release(&in->calls, p);
}

/* The call, which is in no table any more, is done with; but a viewer wants it whole. */
static void rpc_settle(struct ingest *in, struct pending_call *p)
{
	if (!event_wanted(in->board, EVENT_RPC_SETTLED)) {
		call_table_release(&in->calls, p);
		return;
	}
	call_queue_push(&in->settled, p);
	if (in->settled.len > SETTLED_QUEUE_MAX)
		rpc_tell_settled(in);
}

void ingest_rpc_finish(struct ingest *in)
{
	while (in->settled.len)
		rpc_tell_settled(in);
}

/* A call whose reply will not come any more. */
static void rpc_give_up(struct ingest *in, struct pending_call *p)
{
	call_table_remove(&in->calls, p);
	p->call.outcome = RPC_NO_REPLY;
	rpc_emit(in, EVENT_RPC_UNANSWERED, &p->call, &p->call.call);
	p->flow = NULL;
	rpc_settle(in, p);
}

static uint64_t head_hash(const struct cursor *body)
{
	size_t len = cursor_here(body);

	return hash_bytes(body->pos, len < HEAD_HASH_BYTES ? len : HEAD_HASH_BYTES);
}

static void count_damage(struct ingest *in, uint32_t damage, enum cursor_fault fault)
{
	if (fault == CURSOR_OK)
		return;
	if (fault != CURSOR_CUT)
		in->undecoded[UNDECODED_MALFORMED]++;
	else if (damage & (RPC_RECORD_LOST | RPC_RECORD_TOO_LONG | RPC_RECORD_END_UNKNOWN))
		in->undecoded[UNDECODED_LOST]++;
	else
		in->undecoded[UNDECODED_CUT]++;
}

/* --- calls --- */

static bool call_is_compound(const struct rpc_call *call)
{
	if (call->is_callback)
		return call->procedure == CB_COMPOUND;
	return call->program == NFS4_PROGRAM && call->version == NFS_V4 &&
	       call->procedure == NFSPROC4_COMPOUND;
}

static void call_from_header(struct pending_call *p, const struct rpc_call_header *h)
{
	struct rpc_call *call = &p->call;

	call->has_call = true;
	call->program = h->program;
	call->version = h->version;
	call->procedure = h->procedure;
	call->is_callback = rpc_program_is_transient(h->program) && h->version <= NFS_CB &&
			    h->procedure <= CB_COMPOUND;
	call->cred_flavor = h->cred.flavor;
	call->uid = h->has_sys ? h->sys.uid : UINT32_MAX;
	call->status = NFS4_STATUS_NONE;
	p->has_gss = h->has_gss;
	p->gss = h->gss;
	p->gss.handle = (struct slice){0};
}

static void call_read_args(struct ingest *in, struct pending_call *p, const struct message *m,
			   enum rpc_body body, struct cursor *c)
{
	const struct names_version *version;
	const struct xdr_procedure *procedure;

	if (body == RPC_BODY_SEALED) {
		in->undecoded[UNDECODED_SEALED]++;
		p->call.call_damage = undecoded_text(UNDECODED_SEALED);
		return;
	}
	if (call_is_compound(&p->call)) {
		ingest_nfs4_call(in, p, c);
		count_damage(in, m->damage, c->fault);
		return;
	}
	version = names_version_find(p->call.program, p->call.version);
	if (!version)
		in->undecoded[UNDECODED_PROGRAM] += !p->call.is_callback;
	else if (!names_lookup(&version->procedures, p->call.procedure))
		in->undecoded[UNDECODED_PROCEDURE]++;
	ingest_told_call(p, *c);
	if (!in->options.keep_text)
		return;
	procedure = xdr_procedure_find(p->call.program, p->call.version, p->call.procedure);
	if (procedure && procedure->args)
		p->call.args_text = ingest_text_type(in, procedure->args, c);
	p->call.call_damage = ingest_fault_text(c->fault);
}

static void call_add_repeat(struct pending_call *p, uint64_t frame)
{
	struct rpc_frames *frames = &p->call.retransmissions;

	if (frames->len == frames->cap) {
		frames->cap = frames->cap ? frames->cap * 2 : 4;
		frames->items = mem_resize(frames->items, frames->cap, sizeof(*frames->items));
	}
	frames->items[frames->len++] = frame;
}

/* A call that is sent again after its reply was seen. True when it is one. */
static bool call_repeat_late(struct ingest *in, const struct message *m,
			     const struct rpc_call_header *h, uint32_t xid, uint64_t hash)
{
	const struct settled_call *s = flow_calls_settled(flow_calls_of(m->flow), m->from, xid);
	struct rpc_call call = {
		.conn = &m->flow->conn,
		.from = m->from,
		.xid = xid,
		.program = h->program,
		.version = h->version,
		.procedure = h->procedure,
		.has_call = true,
		.uid = UINT32_MAX,
		.status = NFS4_STATUS_NONE,
		.call = m->at,
		.call_first_frame = m->first_frame,
	};

	if (!s || s->head_hash != hash || s->program != h->program || s->version != h->version ||
	    s->procedure != h->procedure)
		return false;
	if (s->kept)
		call_add_repeat(s->kept, m->at.frame);
	rpc_emit(in, EVENT_RPC_REPEAT, &call, &m->at);
	return true;
}

static void take_call(struct ingest *in, const struct message *m, const struct rpc_msg *msg,
		      struct cursor *c)
{
	uint64_t serial = m->flow->conn.serial;
	uint64_t hash = head_hash(&m->body);
	struct pending_call *p = call_table_find(&in->calls, serial, m->from, msg->xid);

	if (p && p->head_hash == hash) {
		call_add_repeat(p, m->at.frame);
		rpc_emit(in, EVENT_RPC_REPEAT, &p->call, &m->at);
		return;
	}
	if (p) /* the XID is used again for another call */
		rpc_give_up(in, p);
	else if (call_repeat_late(in, m, &msg->call, msg->xid, hash))
		return;
	if (in->calls.len == in->calls.max) {
		in->undecoded[UNDECODED_TABLE_FULL]++;
		rpc_give_up(in, in->calls.oldest);
	}
	p = call_table_add(&in->calls, flow_calls_of(m->flow), &m->flow->conn, m->from, msg->xid);
	p->head_hash = hash;
	p->call.call = m->at;
	p->call.call_first_frame = m->first_frame;
	call_from_header(p, &msg->call);
	call_read_args(in, p, m, msg->body, c);
	rpc_emit(in, EVENT_RPC_CALL, &p->call, &m->at);
}

/* --- replies --- */

static enum rpc_outcome outcome_of(const struct rpc_reply_header *h)
{
	static const enum rpc_outcome accepted[] = {
		[RPC_ACCEPT_SUCCESS] = RPC_SUCCESS,
		[RPC_ACCEPT_PROG_UNAVAIL] = RPC_PROG_UNAVAIL,
		[RPC_ACCEPT_PROG_MISMATCH] = RPC_PROG_MISMATCH,
		[RPC_ACCEPT_PROC_UNAVAIL] = RPC_PROC_UNAVAIL,
		[RPC_ACCEPT_GARBAGE_ARGS] = RPC_GARBAGE_ARGS,
		[RPC_ACCEPT_SYSTEM_ERR] = RPC_SYSTEM_ERR,
	};

	if (h->reply_stat == RPC_REPLY_DENIED)
		return h->reject_stat == RPC_REJECT_MISMATCH ? RPC_MISMATCH : RPC_AUTH_ERROR;
	return h->accept_stat < sizeof(accepted) / sizeof(*accepted) ? accepted[h->accept_stat]
								     : RPC_SYSTEM_ERR;
}

/* Results of programs other than COMPOUND: the status with which they begin, and text if wanted. */
static void reply_read_plain(struct ingest *in, struct pending_call *p, struct cursor *c)
{
	const struct names_version *version = names_version_find(p->call.program, p->call.version);
	const struct xdr_procedure *procedure;
	struct cursor peek = *c;
	uint32_t status;

	if (version && version->status_name && p->call.procedure != 0 && cursor_left(c) >= 4) {
		status = cursor_u32(&peek);
		p->call.has_status = cursor_ok(&peek);
		p->call.status = p->call.has_status ? status : NFS4_STATUS_NONE;
	}
	ingest_told_reply(p, *c);
	if (!in->options.keep_text)
		return;
	procedure = xdr_procedure_find(p->call.program, p->call.version, p->call.procedure);
	if (procedure && procedure->results)
		p->call.result_text = ingest_text_type(in, procedure->results, c);
	p->call.reply_damage = ingest_fault_text(c->fault);
}

static void reply_read_results(struct ingest *in, struct pending_call *p, const struct message *m,
			       struct cursor *c)
{
	if (p->has_gss && rpc_reply_enter_gss(c, &p->gss) == RPC_BODY_SEALED) {
		in->undecoded[UNDECODED_SEALED]++;
		p->call.reply_damage = undecoded_text(UNDECODED_SEALED);
		return;
	}
	if (call_is_compound(&p->call))
		ingest_nfs4_reply(p, c);
	else
		reply_read_plain(in, p, c);
	count_damage(in, m->damage, c->fault);
}

/* A reply whose call is not there: told all the same, since it shows that the server answered. */
static void tell_orphan(struct ingest *in, const struct message *m, const struct rpc_msg *msg,
			bool whole)
{
	struct pending_call *p = call_table_loose(&in->calls);

	p->call.conn = &m->flow->conn;
	p->call.from = m->from == CONN_FROM_CLIENT ? CONN_FROM_SERVER : CONN_FROM_CLIENT;
	p->call.xid = msg->xid;
	p->call.cred_flavor = UINT32_MAX;
	p->call.uid = UINT32_MAX;
	p->call.call = (struct provenance){m->at.evidence, FRAME_NONE, stamp_none()};
	p->call.reply = m->at;
	p->call.status = NFS4_STATUS_NONE;
	p->call.outcome = whole ? outcome_of(&msg->reply) : RPC_REPLY_CUT;
	in->undecoded[UNDECODED_NO_CALL]++;
	rpc_emit(in, EVENT_RPC_REPLY, &p->call, &m->at);
	rpc_settle(in, p);
}

static struct message orphan_message(const struct orphan *orphan)
{
	return (struct message){
		.flow = orphan->flow,
		.from = orphan->from,
		.body = orphan_body(orphan),
		.at = orphan->at,
		.first_frame = orphan->first_frame,
		.damage = orphan->damage,
	};
}

/* The call did not come: frees the place. */
static void release_orphan(struct ingest *in, struct orphan *orphan)
{
	struct message m = orphan_message(orphan);
	struct cursor c = m.body;
	struct rpc_msg msg = {0};
	bool whole = rpc_msg_decode(&c, &msg);

	tell_orphan(in, &m, &msg, whole);
	orphan_free(&in->orphans, orphan);
}

/* The call may still come. */
static void take_orphan(struct ingest *in, const struct message *m, const struct rpc_msg *msg,
			bool whole)
{
	struct orphan *place = orphans_place(&in->orphans);

	if (!whole || !orphan_fits(&m->body)) {
		tell_orphan(in, m, msg, whole);
		return;
	}
	if (place->flow)
		release_orphan(in, place);
	place->at = m->at;
	place->first_frame = m->first_frame;
	place->damage = m->damage;
	orphan_fill(&in->orphans, place, m->flow, m->from, msg->xid, &m->body);
}

static void take_reply_repeat(struct ingest *in, const struct message *m,
			      const struct settled_call *s)
{
	struct rpc_call call = {
		.conn = &m->flow->conn,
		.from = s->from,
		.xid = s->xid,
		.program = s->program,
		.version = s->version,
		.procedure = s->procedure,
		.has_call = true,
		.uid = UINT32_MAX,
		.status = NFS4_STATUS_NONE,
		.reply = m->at,
		.reply_repeats = 1,
	};

	rpc_emit(in, EVENT_RPC_REPLY_REPEAT, &call, &m->at);
}

static void take_reply(struct ingest *in, const struct message *m, const struct rpc_msg *msg,
		       bool whole, struct cursor *c)
{
	enum conn_side caller = m->from == CONN_FROM_CLIENT ? CONN_FROM_SERVER : CONN_FROM_CLIENT;
	struct pending_call *p =
		call_table_find(&in->calls, m->flow->conn.serial, caller, msg->xid);
	const struct settled_call *settled;

	if (!p) {
		settled = flow_calls_settled(flow_calls_of(m->flow), caller, msg->xid);
		if (settled)
			take_reply_repeat(in, m, settled);
		else
			take_orphan(in, m, msg, whole);
		return;
	}
	call_table_remove(&in->calls, p);
	p->call.reply = m->at;
	if (whole) {
		p->call.outcome = outcome_of(&msg->reply);
		p->call.auth_stat = msg->reply.auth_stat;
		if (p->call.outcome == RPC_SUCCESS)
			reply_read_results(in, p, m, c);
	} else {
		p->call.outcome = RPC_REPLY_CUT;
		p->call.reply_damage = ingest_fault_text(c->fault);
	}
	rpc_emit(in, EVENT_RPC_REPLY, &p->call, &m->at);
	flow_calls_settle(p->flow, p, event_wanted(in->board, EVENT_RPC_SETTLED));
	rpc_settle(in, p);
}

/* The reply to a call that was just taken was captured before it. */
static void take_held_reply(struct ingest *in, const struct message *call, uint32_t xid)
{
	enum conn_side answerer =
		call->from == CONN_FROM_CLIENT ? CONN_FROM_SERVER : CONN_FROM_CLIENT;
	struct orphan *orphan = orphans_find(&in->orphans, call->flow, answerer, xid, call->at.at);
	struct rpc_msg msg;
	struct message m;
	struct cursor c;

	if (!orphan)
		return;
	m = orphan_message(orphan);
	c = m.body;
	if (rpc_msg_decode(&c, &msg))
		take_reply(in, &m, &msg, true, &c);
	orphan_free(&in->orphans, orphan);
}

/* --- messages --- */

static void take_message(struct ingest *in, const struct message *m)
{
	struct cursor c = m->body;
	struct rpc_msg msg = {0};
	bool whole = rpc_msg_decode(&c, &msg);

	if (!whole) {
		count_damage(in, m->damage, c.fault);
		in->undecoded[UNDECODED_HEADER]++;
		/* Cut behind the procedure a call can still be told; a reply by its XID alone. */
		if (cursor_offset(&c) < 8 || (msg.type == RPC_MSG_CALL && msg.call.program == 0))
			return;
	}
	if (msg.type == RPC_MSG_CALL) {
		if (!whole)
			msg.body = RPC_BODY_NONE;
		take_call(in, m, &msg, &c);
		take_held_reply(in, m, msg.xid);
	} else {
		take_reply(in, m, &msg, whole, &c);
	}
}

static void upper_record(void *context, struct flow *flow, enum conn_side from,
			 const struct rpc_record *record)
{
	/* Wireshark shows a record that the snap length cut under its first frame. */
	bool cut = (record->damage & RPC_RECORD_CUT) != 0;
	struct message m = {
		.flow = flow,
		.from = from,
		.body = record->body,
		.at = provenance_of(flow, cut ? &record->first : &record->last),
		.first_frame = record->first.number,
		.damage = record->damage,
	};

	take_message(context, &m);
}

static void upper_datagram(void *context, struct flow *flow, enum conn_side from,
			   const struct flow_datagram *datagram)
{
	struct message m = {
		.flow = flow,
		.from = from,
		.body = datagram->body,
		.at = datagram->at,
		.first_frame = datagram->at.frame,
	};

	take_message(context, &m);
}

static void upper_gap(void *context, struct flow *flow, enum conn_side from,
		      const struct tcp_gap *gap)
{
	struct ingest_health *health = ingest_health_of(context, flow->conn.evidence);

	(void)from;
	if (gap->kind == TCP_GAP_LOST_ACKED) {
		if (health->lost_acked_bytes == 0)
			health->lost_first_frame = gap->frame.number;
		health->lost_acked_bytes += gap->len;
	} else if (gap->kind == TCP_GAP_LOST) {
		health->lost_bytes += gap->len;
	}
}

static void upper_end(void *context, struct flow *flow)
{
	struct ingest *in = context;
	struct flow_calls *calls = flow->rpc;

	if (flow->is_rpc)
		in->totals.rpc_connections++;
	for (struct orphan *o; (o = orphans_of(&in->orphans, flow));)
		release_orphan(in, o);
	if (!calls)
		return;
	flow_calls_leave(calls);
	while (calls->oldest)
		rpc_give_up(in, calls->oldest);
	free(calls);
	flow->rpc = NULL;
}

void ingest_rpc_upper(struct ingest *in, struct flow_upper *out)
{
	*out = (struct flow_upper){
		.context = in,
		.record = upper_record,
		.datagram = upper_datagram,
		.plan = ingest_plan,
		.gap = upper_gap,
		.end = upper_end,
	};
}
