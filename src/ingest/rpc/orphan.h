/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Replies that were captured before their calls: where packets reach a capture by several ways, the
 * answer may overtake the question. Short ones are held for a moment; then they are replies without
 * a call.
 */
#ifndef INGEST_ORPHAN_H
#define INGEST_ORPHAN_H

#include "event/ident.h"
#include "proto/rpc_record.h"

struct flow;

enum { ORPHANS_HELD = 32, ORPHAN_BYTES_MAX = 2048 };

/* A call that comes later than this is another one under the same XID. */
#define ORPHAN_WAIT_NS STAMP_NS_PER_S

struct orphan {
	struct flow *flow;   /* NULL: the place is free */
	enum conn_side from; /* who sent the reply */
	uint32_t xid;
	struct provenance at;
	uint64_t first_frame;
	uint32_t damage;      /* RPC_RECORD_* */
	uint32_t len;         /* bytes held */
	size_t missing_bytes; /* of the message, behind them */
	uint8_t bytes[ORPHAN_BYTES_MAX];
};

struct orphans {
	struct orphan held[ORPHANS_HELD]; /* a ring */
	uint32_t next;                    /* the oldest */
	uint32_t taken;                   /* places; 0 nearly always */
};

/* Can this message be held? Only its first bytes may be here, and not more than fit. */
bool orphan_fits(const struct cursor *body);

/*
 * The place for one more, to be filled in by orphan_fill. Where its flow is not NULL it still holds
 * the oldest, which must be told first.
 */
struct orphan *orphans_place(struct orphans *o);

/* Copies the message; its place is taken until it is freed. */
void orphan_fill(struct orphans *o, struct orphan *place, struct flow *flow, enum conn_side from,
		 uint32_t xid, const struct cursor *body);

/* The reply to a call that was just seen, or NULL. */
struct orphan *orphans_find(struct orphans *o, const struct flow *flow, enum conn_side from,
			    uint32_t xid, struct stamp call_at);

/* The oldest that is held of this flow, or NULL. */
struct orphan *orphans_of(struct orphans *o, const struct flow *flow);

void orphan_free(struct orphans *o, struct orphan *orphan);

/* The message as it was given. */
struct cursor orphan_body(const struct orphan *orphan);

#endif
