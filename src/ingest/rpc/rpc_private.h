/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What rpc.c, rpc_call.c and rpc_reply.c share; nobody else includes this. */
#ifndef INGEST_RPC_PRIVATE_H
#define INGEST_RPC_PRIVATE_H

#include "ingest/private.h"

/* One message with its place, whether it came as a record or as a datagram. */
struct rpc_message {
	struct flow *flow;
	enum conn_side from;
	const struct cursor *body; /* from the xid on */
	struct provenance at;
	uint64_t first_frame;
	int64_t took_ns;             /* from its first byte to its last; 0: not known */
	uint32_t damage;             /* RPC_RECORD_* */
	const struct rpc_past *past; /* NULL: it came in order */
};

/* --- rpc.c --- */

void rpc_emit(struct ingest *in, enum event_kind kind, const struct rpc_call *call,
	      const struct provenance *at);

/* What the connection has of calls; made when it is new. */
struct flow_calls *rpc_calls_of(struct ingest *in, struct flow *flow);

/* The call, which is in no table any more, is done with; but a viewer wants it whole. */
void rpc_settle(struct ingest *in, struct pending_call *p);

/* Tells that no reply will come any more on the call's connection. */
void rpc_tell_unanswered(struct ingest *in, struct pending_call *p);

/* A call whose reply will not come any more. One whose connection ended was told already. */
void rpc_forget(struct ingest *in, struct pending_call *p);

/* names_version_find, for what comes in runs. */
const struct names_version *rpc_version_find(struct ingest *in, const struct rpc_call *call);

/* Is it of interest what arguments and results are about? In NLM the status depends on it. */
bool rpc_wants_told(const struct ingest *in, const struct rpc_call *call);

/* Counts what could not be decoded to its end; `damage` is RPC_RECORD_*. */
void rpc_count_damage(struct ingest *in, uint32_t damage, enum cursor_fault fault);

/*
 * The message is not whole though what is decoded of it may be: its end, or a part of it, is not in
 * the capture. Sets *damage, where nothing is told there yet.
 */
void rpc_note_lost(const struct rpc_message *m, const char **damage);

/* --- rpc_call.c --- */

/* COMPOUND, or CB_COMPOUND of a callback. */
bool rpc_call_is_compound(const struct rpc_call *call);

/* The cursor stands behind the header; `msg` is a call. */
void rpc_take_call(struct ingest *in, const struct rpc_message *m, const struct rpc_msg *msg,
		   struct cursor *c);

/* --- rpc_reply.c --- */

/* whole: the header was; else only the XID is known. The cursor stands behind the header. */
void rpc_take_reply(struct ingest *in, const struct rpc_message *m, const struct rpc_msg *msg,
		    bool whole, struct cursor *c);

/* Takes the reply to a call that was just taken, if it was captured before it. */
void rpc_take_held_reply(struct ingest *in, const struct rpc_message *call, uint32_t xid);

/* The call of a held reply did not come: tells the reply alone and frees the place. */
void rpc_release_orphan(struct ingest *in, struct orphan *orphan);

#endif
