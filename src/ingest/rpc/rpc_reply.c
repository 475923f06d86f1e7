// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * RPC replies: finds the call of each and reads what it says; a reply without its call is kept for
 * a moment, because captures show some in the wrong order. Results are read by nfs4_reply.c and
 * told*.c. Follows RFC 5531.
 */
#include "ingest/rpc/rpc_private.h"
#include "names/names.h"
#include "names/nlm.h"
#include "proto/xdr_type.h"

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
	const struct names_version *version = rpc_version_find(in, &p->call);
	const struct xdr_procedure *procedure;
	struct cursor peek;
	uint32_t status;

	if (version && version->statuses && p->call.procedure != 0 && cursor_left(c) >= 4) {
		cursor_copy(&peek, c);
		status = cursor_u32(&peek);
		p->call.has_status = cursor_ok(&peek);
		p->call.status = p->call.has_status ? status : NFS4_STATUS_NONE;
	}
	if (!rpc_wants_told(in, &p->call))
		return;
	ingest_told_reply(p, c);
	if (!in->options.keep_text)
		return;
	procedure = xdr_procedure_find(p->call.program, p->call.version, p->call.procedure);
	if (procedure && procedure->results)
		p->call.result_text = ingest_text_type(in, procedure->results, c);
	p->call.reply_damage = ingest_fault_text(c->fault);
}

static void reply_read_results(struct ingest *in, struct pending_call *p,
			       const struct rpc_message *m, struct cursor *c)
{
	if (p->has_gss && rpc_reply_enter_gss(c, &p->gss) == RPC_BODY_SEALED) {
		in->undecoded[UNDECODED_SEALED]++;
		p->call.reply_damage = undecoded_text(UNDECODED_SEALED);
		return;
	}
	if (rpc_call_is_compound(&p->call))
		ingest_nfs4_reply(in, p, c);
	else
		reply_read_plain(in, p, c);
	rpc_count_damage(in, m->damage, c->fault);
}

/* A reply whose call is not there: told all the same, since it shows that the server answered. */
static void tell_orphan(struct ingest *in, const struct rpc_message *m, const struct rpc_msg *msg,
			bool whole)
{
	struct pending_call *p = call_table_loose(&in->calls);

	p->call.conn = &m->flow->conn;
	p->call.from = conn_other_side(m->from);
	p->call.xid = msg->xid;
	p->call.cred_flavor = UINT32_MAX;
	p->call.uid = UINT32_MAX;
	p->call.call = (struct provenance){
		.evidence = m->at.evidence, .frame = FRAME_NONE, .at = stamp_none()};
	p->call.origin = p->call.call;
	p->call.reply = m->at;
	p->call.reply_took_ns = m->took_ns;
	p->call.status = NFS4_STATUS_NONE;
	p->call.outcome = whole ? outcome_of(&msg->reply) : RPC_REPLY_CUT;
	if (!whole)
		p->call.reply_damage = undecoded_text(UNDECODED_HEADER);
	rpc_note_lost(m, &p->call.reply_damage);
	in->undecoded[UNDECODED_NO_CALL]++;
	rpc_emit(in, EVENT_RPC_REPLY, &p->call, &m->at);
	rpc_settle(in, p);
}

/* `body` becomes the message's, and must live as long. */
static struct rpc_message orphan_message(const struct orphan *orphan, struct cursor *body)
{
	*body = orphan_body(orphan);
	return (struct rpc_message){
		.flow = orphan->flow,
		.from = orphan->from,
		.body = body,
		.at = orphan->at,
		.first_frame = orphan->first_frame,
		.damage = orphan->damage,
	};
}

/* The call did not come: frees the place. */
void rpc_release_orphan(struct ingest *in, struct orphan *orphan)
{
	struct cursor body;
	struct rpc_message m = orphan_message(orphan, &body);
	struct cursor c = body;
	struct rpc_msg msg = {0};
	bool whole = rpc_msg_decode(&c, &msg);

	tell_orphan(in, &m, &msg, whole);
	orphan_free(&in->orphans, orphan);
}

/* The call may still come. */
__attribute__((noinline)) static void take_orphan(struct ingest *in, const struct rpc_message *m,
						  const struct rpc_msg *msg, bool whole)
{
	struct orphan *place = orphans_place(&in->orphans);

	if (!whole || !orphan_fits(m->body)) {
		tell_orphan(in, m, msg, whole);
		return;
	}
	if (place->flow)
		rpc_release_orphan(in, place);
	place->at = m->at;
	place->first_frame = m->first_frame;
	place->damage = m->damage;
	orphan_fill(&in->orphans, place, m->flow, m->from, msg->xid, m->body);
}

/* The cursor stands on the results, if the call was accepted. */
__attribute__((noinline)) static void take_reply_repeat(struct ingest *in,
							const struct rpc_message *m,
							const struct settled_call *s,
							const struct cursor *results)
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

	if (results && s->program == NLM_PROG)
		call.status = ingest_nlm_status(s->procedure, *results);
	call.has_status = call.status != NFS4_STATUS_NONE;
	rpc_emit(in, EVENT_RPC_REPLY_REPEAT, &call, &m->at);
}

/* When was it not sent yet, how old is it? Asked for replies that took long: rules may want it. */
static void reply_ask_unsent(struct pending_call *p, const struct rpc_message *m)
{
	struct rpc_past *past = &p->call.reply_past;
	struct tcp_frame unsent;
	int64_t age_ns;

	if ((uint64_t)m->at.at.ns - (uint64_t)p->call.call.at.ns < (uint64_t)STAMP_NS_PER_S ||
	    !flow_ask_unsent(m->flow, m->from, m->at.frame, &unsent, &age_ns))
		return;
	past->unsent_last = provenance_of(m->flow, &unsent);
	past->has_age = age_ns != TCP_AGE_UNKNOWN;
	past->age_ns = age_ns;
}

/* One that stayed open while its connection ended was not answered behind others on it. */
static int64_t reply_busy_ns(const struct pending_call *p, const struct rpc_message *m)
{
	uint64_t busy_ns = p->flow ? p->flow->busy_ns[m->from] - p->busy_ns : 0;

	return busy_ns < INT64_MAX ? (int64_t)busy_ns : INT64_MAX;
}

void rpc_take_reply(struct ingest *in, const struct rpc_message *m, const struct rpc_msg *msg,
		    bool whole, struct cursor *c)
{
	enum conn_side caller = conn_other_side(m->from);
	struct flow_calls *calls = rpc_calls_of(in, m->flow);
	struct call_place place = call_place_make(calls, caller, msg->xid);
	struct pending_call *p = call_table_find(&in->calls, &place, &m->flow->conn);
	const struct settled_call *settled;

	if (!p) {
		settled = flow_calls_settled(calls, caller, msg->xid);
		if (settled)
			take_reply_repeat(in, m, settled,
					  whole && outcome_of(&msg->reply) == RPC_SUCCESS ? c
											  : NULL);
		else
			take_orphan(in, m, msg, whole);
		return;
	}
	call_table_remove(&in->calls, p);
	p->call.reply = m->at;
	p->call.reply_took_ns = m->took_ns;
	p->call.reply_busy_ns = reply_busy_ns(p, m);
	if (m->past)
		p->call.reply_past = *m->past;
	reply_ask_unsent(p, m);
	if (whole) {
		p->call.outcome = outcome_of(&msg->reply);
		p->call.auth_stat = msg->reply.auth_stat;
		if (p->call.outcome == RPC_SUCCESS)
			reply_read_results(in, p, m, c);
	} else {
		p->call.outcome = RPC_REPLY_CUT;
		p->call.reply_damage = ingest_fault_text(c->fault);
	}
	rpc_note_lost(m, &p->call.reply_damage);
	rpc_emit(in, EVENT_RPC_REPLY, &p->call, &m->at);
	flow_calls_settle(p->flow, p, event_wanted(in->board, EVENT_RPC_SETTLED));
	rpc_settle(in, p);
}

/* The reply to a call that was just taken was captured before it. */
void rpc_take_held_reply(struct ingest *in, const struct rpc_message *call, uint32_t xid)
{
	enum conn_side answerer = conn_other_side(call->from);
	struct orphan *orphan = orphans_find(&in->orphans, call->flow, answerer, xid, call->at.at);
	struct rpc_msg msg;
	struct rpc_message m;
	struct cursor body, c;

	if (!orphan)
		return;
	m = orphan_message(orphan, &body);
	c = body;
	if (rpc_msg_decode(&c, &msg))
		rpc_take_reply(in, &m, &msg, true, &c);
	orphan_free(&in->orphans, orphan);
}
