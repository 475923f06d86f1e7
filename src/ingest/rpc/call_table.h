/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls that wait for their reply: found again by connection, direction and XID. Bounded: when it
 * is full the oldest call makes room. Memory of settled calls is used again, so that in the steady
 * state nothing is allocated.
 *
 * A client whose connection broke sends what was unanswered again on the next one, under the same
 * XID (RFC 5531 section 9; net/sunrpc/xprt.c keeps the request). So calls stay in the table when
 * their connection ends, and are found from the other connections of the two hosts.
 */
#ifndef INGEST_CALL_TABLE_H
#define INGEST_CALL_TABLE_H

#include "base/hash.h"
#include "base/pool.h"
#include "event/rpc.h"
#include "proto/rpc_msg.h"

enum {
	CALL_TABLE_DEFAULT_MAX = 32768,
	CALL_TABLE_BYTES_MAX = 16 << 20, /* of what calls own, all that wait together */
	CALL_TABLE_SPARE_MAX = 1024,
	CALL_TABLE_STRANDED_MAX = 2048, /* calls whose connection ended: beyond it the one that
					 * waits longest goes */
	CALL_SPARE_BYTES_MAX =
		16 << 10, /* a call that owns more gives it back when it is settled */
	CALL_SETTLED_KEPT = 16,
	CALL_SETTLED_CLASSES = 64, /* of XIDs: most calls are of one in which none is settled */
	CALL_SAME_XID_MAX = 32, /* calls of one pair of hosts, over all connections, with one XID */
};

/* Room for what arguments and results tell. */
union pending_told {
	struct portmap_told port;
	struct nlm_told lock;
	struct nsm_told state;
	struct listing_told listing;
};

/* What a call owns besides the arrays in struct rpc_call; kept for the next call. */
struct pending_buffers {
	size_t bytes; /* of all that is here, of the arrays, and of `handles` */
	uint32_t ops_cap, facts_cap, files_cap, stateids_cap;
	struct pool *told_pool;
	union pending_told *told;    /* what rpc_call.told points to; NULL until it is needed */
	struct pending_names *names; /* owners and others that facts point to; the newest first */
};

/* A call in the table, with what only ingest needs. */
struct pending_call {
	struct rpc_call call;
	bool has_gss;
	uint64_t busy_ns;   /* of the side that answers, when the call was sent */
	uint64_t head_hash; /* of the first bytes: tells a call sent again from an XID used again */
	uint32_t names_len; /* bytes of all names */
	uint32_t weight_bytes; /* when it was last weighed; 0: not yet */
	uint32_t handles_cap;
	uint32_t *handles; /* what listing_told.handles points to; not kept for the next call */

	struct pending_call *hash_next;
	struct pending_call *newer, *older;           /* of all */
	struct pending_call *flow_newer, *flow_older; /* of its connection, or stranded too */
	struct flow_calls *flow; /* NULL: its connection ended while it was kept */
	uint64_t pair;           /* as in struct flow_calls */
	uint64_t hash;           /* as in struct call_place */
	/* What follows is not zeroed for a new call. */
	struct rpc_auth_gss gss; /* of the call, when has_gss; its handle is not kept */
	struct pending_buffers own;
	struct conn conn; /* a copy, while it is kept */
};

/* A call that got its reply: repetitions of either are known by it. */
struct settled_call {
	bool used;
	enum conn_side from;
	uint32_t xid, program, version, procedure;
	uint64_t head_hash;
	struct pending_call *kept; /* while a viewer waits for it to be told whole; else NULL */
};

/* What one connection has of it; struct flow's `rpc` points here. */
struct flow_calls {
	uint64_t
		pair; /* hash of the hosts and the server's port: alike for all their connections */
	struct pending_call *newest, *oldest;
	struct settled_call settled[CALL_SETTLED_KEPT]; /* a ring */
	uint32_t settled_xid[CALL_SETTLED_KEPT];        /* theirs, to be searched for each call */
	uint32_t settled_next;
	uint8_t settled_in[CALL_SETTLED_CLASSES]; /* how many of them have an XID of this class */
	/* By side (enum conn_side): how long its messages were on their way; may wrap. And when the
	 * last one was there. */
	uint64_t busy_ns[2];
	int64_t last_ns[2];
};

struct call_table {
	struct pool call_pool, told_pool; /* struct pending_call, union pending_told */
	struct pending_call **buckets;
	size_t buckets_len; /* a power of two */
	size_t len, max;
	size_t bytes; /* the weights of those in the table */
	struct pending_call *newest, *oldest;
	struct pending_call *stranded_newest, *stranded_oldest; /* by flow_newer, flow_older */
	size_t stranded_len;
	uint64_t stranded_let_go;   /* by the cap on them */
	struct pending_call *spare; /* by hash_next */
	size_t spare_len;
};

/* max 0: the default. */
void call_table_init(struct call_table *t, size_t max);
void call_table_deinit(struct call_table *t);

/* Prepares what a connection has: `flow` is zeroed. */
void flow_calls_init(struct flow_calls *flow, const struct conn *conn);

/*
 * Counts what the call owns, texts included, now that its arguments are read. Who finds the table
 * above CALL_TABLE_BYTES_MAX lets the oldest ones go.
 */
void call_table_weigh(struct call_table *t, struct pending_call *p);

/* Where a call belongs: who asks for it more than once has it made once. */
struct call_place {
	struct flow_calls *flow;
	enum conn_side from;
	uint32_t xid;
	uint64_t hash;
};

static inline struct call_place call_place_make(struct flow_calls *flow, enum conn_side from,
						uint32_t xid)
{
	return (struct call_place){flow, from, xid, hash_u64(flow->pair ^ (uint64_t)from, xid)};
}

/* The waiting call of this connection, direction and XID, or NULL. */
struct pending_call *call_table_find(const struct call_table *t, const struct call_place *place,
				     const struct conn *conn);

/*
 * The client's newest call with this XID on another TCP connection between the same hosts, to the
 * same port of the server, or NULL. It may be one whose connection ended (flow is NULL).
 */
struct pending_call *call_table_find_elsewhere(const struct call_table *t,
					       const struct call_place *place,
					       const struct conn *conn);

/*
 * The oldest of the calls that share this place's XID and pair of hosts, once there are
 * CALL_SAME_XID_MAX; else NULL. It must go before one more is added, or whoever forges such calls
 * makes each look-up slow.
 */
struct pending_call *call_table_crowded(const struct call_table *t, const struct call_place *place);

/*
 * The connection of a call in the table ends; the call stays, with a copy of the connection.
 * Returns the one that must go for it, as there are CALL_TABLE_STRANDED_MAX; NULL: none.
 */
struct pending_call *call_table_strand(struct call_table *t, struct pending_call *p);

/* A fresh call in the table, zeroed but for its buffers. The table must not be full. */
struct pending_call *call_table_add(struct call_table *t, const struct call_place *place,
				    const struct conn *conn);

/* Takes the call out; it stays valid until call_table_release. */
void call_table_remove(struct call_table *t, struct pending_call *p);

/* Gives the memory of a call that was taken out back. */
void call_table_release(struct call_table *t, struct pending_call *p);

/* A call that is in no table: for a reply whose call is not there. Ends with call_table_release. */
struct pending_call *call_table_loose(struct call_table *t);

/* Remembers that it got its reply; kept: and that more can be told of it until call_queue_pop. */
void flow_calls_settle(struct flow_calls *flow, struct pending_call *p, bool kept);

/* The connection ends: the calls of it that are kept stay by themselves. */
void flow_calls_leave(struct flow_calls *flow);

/* Calls that are settled, in that order, until they are told whole. */
struct call_queue {
	struct pending_call *oldest, *newest; /* by newer and older */
	size_t len, bytes;                    /* the weights of those in it */
};

/* Appends a call that was taken out of the table; copies its connection. */
void call_queue_push(struct call_queue *q, struct pending_call *p);

/* The oldest, or NULL; nothing refers to it any more. */
struct pending_call *call_queue_pop(struct call_queue *q);

/* The settled call of this direction and XID that is still remembered, or NULL. */
const struct settled_call *flow_calls_settled(const struct flow_calls *flow, enum conn_side from,
					      uint32_t xid);

/* Zeroed room for what the call tells; the same room on each call of it. */
union pending_told *pending_told_of(struct pending_call *p);

/* Keeps the handle of one more entry with the listing; those above RPC_LISTED_HANDLES_MAX are not.
 */
void pending_keep_handle(struct pending_call *p, struct xdr_opaque handle);

/* Room for one more operation or fact (zeroed), or for a copy of a name. */
struct nfs4_op_fact *pending_add_op(struct pending_call *p);
struct nfs4_fact *pending_add_fact(struct pending_call *p);

/*
 * Keeps a handle or a stateid for operations to refer to: its index. One that is not here whole, or
 * for which there is no index, is NFS4_INDEX_NONE.
 */
uint8_t pending_keep_file(struct pending_call *p, struct xdr_opaque handle);
uint8_t pending_keep_stateid(struct pending_call *p, struct cursor at);

/*
 * Keeps the first NFS4_OWNER_KEEP_BYTES of a name. Pointers of names that were kept before stay
 * valid; a name for which a call has no room any more is empty.
 */
struct nfs4_name pending_keep_name(struct pending_call *p, struct xdr_opaque name);

#endif
