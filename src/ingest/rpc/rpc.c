// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The layer above the flows: RPC messages go to rpc_call.c and rpc_reply.c, and here is told
 * (EVENT_RPC_*) what became of each call. Follows RFC 5531.
 */
#include "ingest/rpc/rpc_private.h"

#include "base/mem.h"
#include "names/names.h"
#include "names/nlm.h"

#include <stdlib.h>

/*
 * Calls that wait for being sent once more. Who wants no texts has models beside them, which may be
 * full; what a call that comes so late adds is frames of retransmissions.
 */
enum {
	SETTLED_QUEUE_MAX = 4096,
	SETTLED_QUEUE_MAX_FACTS = 256,
	SETTLED_QUEUE_BYTES_MAX = 16 << 20, /* of what they own */
};

void rpc_emit(struct ingest *in, enum event_kind kind, const struct rpc_call *call,
	      const struct provenance *at)
{
	struct event event = {.kind = kind, .at = *at, .conn = call->conn, .rpc = call};

	if (event_wanted(in->board, kind))
		event_emit(in->board, &event);
}

struct flow_calls *rpc_calls_of(struct ingest *in, struct flow *flow)
{
	if (!flow->rpc) {
		flow->rpc = pool_alloc(&in->conn_calls);
		flow_calls_init(flow->rpc, &flow->conn);
	}
	return flow->rpc;
}

static void rpc_tell_settled(struct ingest *in)
{
	struct pending_call *p = call_queue_pop(&in->settled);

	rpc_emit(in, EVENT_RPC_SETTLED, &p->call,
		 p->call.reply.frame != FRAME_NONE ? &p->call.reply : &p->call.origin);
	call_table_release(&in->calls, p);
}

/* The call, which is in no table any more, is done with; but a viewer wants it whole. */
void rpc_settle(struct ingest *in, struct pending_call *p)
{
	size_t max = in->options.keep_text ? SETTLED_QUEUE_MAX : SETTLED_QUEUE_MAX_FACTS;

	if (!event_wanted(in->board, EVENT_RPC_SETTLED)) {
		call_table_release(&in->calls, p);
		return;
	}
	call_queue_push(&in->settled, p);
	while (in->settled.len > max ||
	       (in->settled.bytes > SETTLED_QUEUE_BYTES_MAX && in->settled.len > 1))
		rpc_tell_settled(in);
}

/* A call whose reply will not come any more on its connection. */
void rpc_tell_unanswered(struct ingest *in, struct pending_call *p)
{
	p->call.outcome = RPC_NO_REPLY;
	rpc_emit(in, EVENT_RPC_UNANSWERED, &p->call, &p->call.call);
}

/* A call whose reply will not come any more. One whose connection ended was told already. */
void rpc_forget(struct ingest *in, struct pending_call *p)
{
	call_table_remove(&in->calls, p);
	if (p->flow)
		rpc_tell_unanswered(in, p);
	p->flow = NULL;
	rpc_settle(in, p);
}

/* Its connection ends: it may be sent again on another. */
static void rpc_strand(struct ingest *in, struct pending_call *p)
{
	struct pending_call *oldest;

	if (p->call.from != CONN_FROM_CLIENT || p->call.conn->transport != TRANSPORT_TCP) {
		rpc_forget(in, p);
		return;
	}
	rpc_tell_unanswered(in, p);
	oldest = call_table_strand(&in->calls, p);
	if (oldest) {
		in->calls.stranded_let_go++;
		rpc_forget(in, oldest);
	}
}

void ingest_rpc_finish(struct ingest *in)
{
	while (in->calls.oldest)
		rpc_forget(in, in->calls.oldest);
	while (in->settled.len)
		rpc_tell_settled(in);
}

const struct names_version *rpc_version_find(struct ingest *in, const struct rpc_call *call)
{
	struct ingest_version *last = &in->version;

	if (last->program != call->program || last->number != call->version || !last->version)
		*last = (struct ingest_version){call->program, call->version,
						names_version_find(call->program, call->version)};
	return last->version;
}

bool rpc_wants_told(const struct ingest *in, const struct rpc_call *call)
{
	return !in->options.counts_only || call->program == NLM_PROG;
}

void rpc_count_damage(struct ingest *in, uint32_t damage, enum cursor_fault fault)
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

void rpc_note_lost(const struct rpc_message *m, const char **damage)
{
	if (!*damage && m->damage & (RPC_RECORD_LOST | RPC_RECORD_END_UNKNOWN))
		*damage = undecoded_text(UNDECODED_LOST);
}

/* --- messages --- */

static void take_decoded(struct ingest *in, const struct rpc_message *m, const struct rpc_msg *msg,
			 bool whole, struct cursor *c)
{
	if (msg->type == RPC_MSG_CALL) {
		rpc_take_call(in, m, msg, c);
		rpc_take_held_reply(in, m, msg->xid);
	} else {
		rpc_take_reply(in, m, msg, whole, c);
	}
}

/* The header was decoded by who reads ahead. */
static void take_ahead(struct ingest *in, const struct rpc_message *m,
		       const struct rpc_ahead *ahead)
{
	struct cursor c;

	cursor_copy(&c, m->body);
	c.pos += ahead->header_bytes;
	take_decoded(in, m, &ahead->msg, true, &c);
}

/* Not inline: who reads ahead leaves it no message to decode. */
__attribute__((noinline)) static void take_undecoded(struct ingest *in, const struct rpc_message *m)
{
	struct cursor c;
	struct rpc_msg msg;
	bool whole;

	cursor_copy(&c, m->body);
	whole = rpc_msg_decode(&c, &msg);
	if (!whole) {
		rpc_count_damage(in, m->damage, c.fault);
		in->undecoded[UNDECODED_HEADER]++;
		/* Cut behind the procedure a call can still be told; a reply by its XID alone. */
		if (cursor_offset(&c) < 8 || (msg.type == RPC_MSG_CALL && msg.call.program == 0))
			return;
	}
	if (!whole && msg.type == RPC_MSG_CALL)
		msg.body = RPC_BODY_NONE;
	take_decoded(in, m, &msg, whole, &c);
}

static void take_message(struct ingest *in, const struct rpc_message *m)
{
	if (rpc_ahead_is(in->ahead, m->body))
		take_ahead(in, m, in->ahead);
	else
		take_undecoded(in, m);
}

/* A message of a connection whose past is known. */
__attribute__((noinline)) static void take_with_past(struct ingest *in, struct rpc_message *m,
						     const struct tcp_frame *frame)
{
	struct rpc_past past;
	struct tcp_tale tale;

	if (__builtin_expect(!flow_ask_past(m->flow, m->from, frame->number, &tale), 1)) {
		take_message(in, m);
		return;
	}
	m->past = &past;
	past = (struct rpc_past){
		.made_before = provenance_of(m->flow, &tale.made_before),
		.tsval = tale.tsval,
		.made_tsval = tale.made_tsval,
		.sent_before = provenance_of(m->flow, &tale.sent_before),
		.has_older_id = tale.has_older_id,
		.has_clock = tale.has_clock,
	};
	take_message(in, m);
}

/*
 * A message is on its way from its first byte to its last. So it is since the one before it, if
 * that is not longer: its first segment has no earlier one to tell when it was begun.
 */
static void message_note_busy(struct flow_calls *calls, enum conn_side from,
			      const struct stamp *first, int64_t took_ns)
{
	uint64_t before_ns = (uint64_t)first->ns - (uint64_t)calls->last_ns[from];

	calls->busy_ns[from] += (uint64_t)took_ns;
	if (before_ns <= (uint64_t)took_ns)
		calls->busy_ns[from] += before_ns;
	calls->last_ns[from] = (int64_t)((uint64_t)first->ns + (uint64_t)took_ns);
}

static void upper_record(void *context, struct flow *flow, enum conn_side from,
			 const struct rpc_record *record)
{
	/* Wireshark shows a record that the snap length cut under its first frame. */
	bool cut = (record->damage & RPC_RECORD_CUT) != 0;
	int64_t took_ns = record->last->at.ns > record->first->at.ns
				  ? record->last->at.ns - record->first->at.ns
				  : 0;
	struct rpc_message m;

	m.flow = flow;
	m.from = from;
	m.body = &record->body;
	m.at = provenance_of(flow, cut ? record->first : record->last);
	m.first_frame = record->first->number;
	m.took_ns = cut ? 0 : took_ns;
	m.damage = record->damage;
	m.past = NULL;
	if (flow->rpc)
		message_note_busy(flow->rpc, from, &record->first->at, took_ns);
	if (flow->past)
		take_with_past(context, &m, record->last);
	else
		take_message(context, &m);
}

static void upper_datagram(void *context, struct flow *flow, enum conn_side from,
			   const struct flow_datagram *datagram)
{
	struct rpc_message m = {
		.flow = flow,
		.from = from,
		.body = &datagram->body,
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
	health->holes += gap->kind != TCP_GAP_CUT;
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

	if (flow->is_rpc && flow->conn.transport == TRANSPORT_TCP)
		in->totals.rpc_connections++;
	for (struct orphan *o; (o = orphans_of(&in->orphans, flow));)
		rpc_release_orphan(in, o);
	if (!calls)
		return;
	flow_calls_leave(calls);
	while (calls->oldest)
		rpc_strand(in, calls->oldest);
	pool_free(&in->conn_calls, calls);
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
