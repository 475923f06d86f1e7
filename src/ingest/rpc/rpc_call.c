// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * RPC calls: decodes headers, recognises what is sent again, on the same connection or on the next
 * one, and keeps each call until its reply. What stands in the arguments is read by nfs4_call.c and
 * told*.c. Follows RFC 5531.
 */
#include "base/mem.h"
#include "ingest/rpc/rpc_private.h"
#include "names/names.h"
#include "names/nfs4.h"
#include "proto/xdr_type.h"

static uint64_t head_hash(const struct ingest *in, const struct cursor *body)
{
	if (rpc_ahead_is(in->ahead, body))
		return in->ahead->head_hash;
	return rpc_msg_head_hash(slice_make(body->pos, cursor_here(body)));
}

bool rpc_call_is_compound(const struct rpc_call *call)
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
	call->cred_flavor = h->has_sys ? RPC_AUTH_SYS : h->cred.flavor;
	call->uid = h->has_sys ? h->sys.uid : UINT32_MAX;
	if (h->has_sys) {
		call->machine = h->sys.machine;
		call->machine_stamp = h->sys.stamp;
	}
	call->status = NFS4_STATUS_NONE;
	p->has_gss = h->has_gss;
	if (h->has_gss) {
		p->gss = h->gss;
		p->gss.handle = (struct slice){0};
	}
}

static void call_read_args(struct ingest *in, struct pending_call *p, const struct rpc_message *m,
			   enum rpc_body body, struct cursor *c)
{
	const struct names_version *version;
	const struct xdr_procedure *procedure;

	if (body == RPC_BODY_SEALED) {
		in->undecoded[UNDECODED_SEALED]++;
		p->call.call_damage = undecoded_text(UNDECODED_SEALED);
		return;
	}
	if (rpc_call_is_compound(&p->call)) {
		ingest_nfs4_call(in, p, c);
		rpc_count_damage(in, m->damage, c->fault);
		return;
	}
	version = rpc_version_find(in, &p->call);
	if (!version)
		in->undecoded[UNDECODED_PROGRAM] += !p->call.is_callback;
	else if (!names_lookup(&version->procedures, p->call.procedure))
		in->undecoded[UNDECODED_PROCEDURE]++;
	if (!rpc_wants_told(in, &p->call))
		return;
	ingest_told_call(p, c);
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

/* The XID is that of a call that is settled. */
__attribute__((noinline)) static bool call_repeat_settled(struct ingest *in,
							  const struct rpc_message *m,
							  const struct settled_call *s,
							  const struct rpc_msg *msg, uint64_t hash)
{
	const struct rpc_call_header *h = &msg->call;
	struct rpc_call call;

	if (s->head_hash != hash || s->program != h->program || s->version != h->version ||
	    s->procedure != h->procedure)
		return false;
	call = (struct rpc_call){
		.conn = &m->flow->conn,
		.from = m->from,
		.xid = msg->xid,
		.program = h->program,
		.version = h->version,
		.procedure = h->procedure,
		.has_call = true,
		.uid = UINT32_MAX,
		.status = NFS4_STATUS_NONE,
		.call = m->at,
	};
	if (s->kept)
		call_add_repeat(s->kept, m->at.frame);
	rpc_emit(in, EVENT_RPC_REPEAT, &call, &m->at);
	return true;
}

/* A call that is sent again after its reply was seen. True when it is one. */
static inline bool call_repeat_late(struct ingest *in, const struct rpc_message *m,
				    const struct flow_calls *calls, const struct rpc_msg *msg,
				    uint64_t hash)
{
	const struct settled_call *s = flow_calls_settled(calls, m->from, msg->xid);

	return s && call_repeat_settled(in, m, s, msg, hash);
}

/*
 * The same call once more? Its bytes are the same, but for a GSS sequence number, which is new each
 * time (RFC 2203 section 5.3.3.1).
 */
static bool call_is_same(const struct pending_call *p, const struct rpc_call_header *h,
			 uint64_t hash)
{
	if (p->head_hash == hash)
		return true;
	return p->has_gss && h->has_gss && p->gss.seq != h->gss.seq && p->gss.proc == h->gss.proc &&
	       p->gss.service == h->gss.service && p->call.program == h->program &&
	       p->call.version == h->version && p->call.procedure == h->procedure;
}

/* The call as it was sent on an earlier connection, taken out of the table; NULL: it is a new one.
 */
static struct pending_call *call_take_origin(struct ingest *in, const struct rpc_message *m,
					     const struct call_place *place,
					     const struct rpc_msg *msg, uint64_t hash)
{
	struct pending_call *p;

	if (m->from != CONN_FROM_CLIENT || m->flow->conn.transport != TRANSPORT_TCP)
		return NULL;
	p = call_table_find_elsewhere(&in->calls, place, &m->flow->conn);
	/* A client with several connections at a time (nconnect) counts XIDs for each of them. */
	if (!p || !call_is_same(p, &msg->call, hash) || m->flow->first.at.ns < p->call.call.at.ns)
		return NULL;
	call_table_remove(&in->calls, p);
	if (p->flow) {
		p->call.left = true;
		rpc_tell_unanswered(in, p);
		flow_calls_settle(p->flow, p, false);
	}
	return p;
}

/* What came of the call on its earlier connection becomes a part of it. */
static void call_join_origin(struct ingest *in, struct pending_call *p, struct pending_call *origin)
{
	struct rpc_frames frames = p->call.retransmissions;

	p->call.again = true;
	p->call.origin = origin->call.origin;
	p->call.origin_first_frame = origin->call.origin_first_frame;
	p->call.retransmissions = origin->call.retransmissions;
	origin->call.retransmissions =
		(struct rpc_frames){.items = frames.items, .cap = frames.cap};
	call_add_repeat(p, p->call.call.frame);
	call_table_release(&in->calls, origin);
}

/* One call more wants room. */
static void call_make_room(struct ingest *in, const struct call_place *place)
{
	struct pending_call *crowd = call_table_crowded(&in->calls, place);
	struct pending_call *p = in->calls.len == in->calls.max ? in->calls.oldest : crowd;

	if (!p)
		return;
	in->undecoded[UNDECODED_TABLE_FULL] += p->flow != NULL;
	rpc_forget(in, p);
}

/* The call owns what its arguments told: older ones go until all together are within bounds. */
static void call_keep_bounds(struct ingest *in, struct pending_call *p)
{
	call_table_weigh(&in->calls, p);
	while (in->calls.bytes > CALL_TABLE_BYTES_MAX && in->calls.oldest != p) {
		in->undecoded[UNDECODED_TABLE_FULL] += in->calls.oldest->flow != NULL;
		rpc_forget(in, in->calls.oldest);
	}
}

void rpc_take_call(struct ingest *in, const struct rpc_message *m, const struct rpc_msg *msg,
		   struct cursor *c)
{
	struct flow_calls *calls = rpc_calls_of(in, m->flow);
	uint64_t hash = head_hash(in, m->body);
	struct call_place place = call_place_make(calls, m->from, msg->xid);
	struct pending_call *p = call_table_find(&in->calls, &place, &m->flow->conn);
	struct pending_call *origin;

	if (p && call_is_same(p, &msg->call, hash)) {
		call_add_repeat(p, m->at.frame);
		rpc_emit(in, EVENT_RPC_REPEAT, &p->call, &m->at);
		return;
	}
	if (p) /* the XID is used again for another call */
		rpc_forget(in, p);
	else if (call_repeat_late(in, m, calls, msg, hash))
		return;
	origin = call_take_origin(in, m, &place, msg, hash);
	call_make_room(in, &place);
	p = call_table_add(&in->calls, &place, &m->flow->conn);
	p->head_hash = hash;
	p->busy_ns = calls->busy_ns[conn_other_side(m->from)];
	p->call.call = p->call.origin = m->at;
	if (m->past)
		p->call.call_past = *m->past;
	p->call.origin_first_frame = m->first_frame;
	if (origin)
		call_join_origin(in, p, origin);
	call_from_header(p, &msg->call);
	m->flow->asked_tls |= p->call.cred_flavor == RPC_AUTH_TLS;
	call_read_args(in, p, m, msg->body, c);
	rpc_note_lost(m, &p->call.call_damage);
	call_keep_bounds(in, p);
	rpc_emit(in, EVENT_RPC_CALL, &p->call, &m->at);
	p->call.machine = (struct slice){0};
}
