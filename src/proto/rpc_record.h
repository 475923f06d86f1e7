/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RPC records in a byte stream: record marking, RFC 5531 section 11.
 *
 * Takes one direction's chunks and gaps from proto/tcp.h and hands on whole records. A record that
 * lies in one chunk is handed on in place. Others are collected in a buffer from a pool. Of a long
 * record the owner may say which bytes nobody wants (the data of READ and WRITE): these are neither
 * stored nor copied, and the record's cursor has a gap there. Bytes that the capture has not got
 * are such a gap too, and damage.
 *
 * Where the place of the next record mark is not known (joined in the middle, after a gap) it is
 * looked for by content. A stream that never looks like RPC is given up.
 */
#ifndef PROTO_RPC_RECORD_H
#define PROTO_RPC_RECORD_H

#include "proto/rpc_msg.h"
#include "proto/tcp.h"

enum {
	RPC_RECORD_BYTES_MAX = 16 << 20,    /* longer ones are taken for a broken mark */
	RPC_RECORD_STORE_MAX = 2 << 20,     /* bytes stored of one record; the rest is left out */
	RPC_RECORD_PLAN_BYTES = 4 << 10,    /* records above are planned ... */
	RPC_RECORD_PLAN_HEAD = 1 << 10,     /* ... once so many of their bytes are there */
	RPC_SEARCH_EACH_BYTES = 256 << 10,  /* a search looks at each offset of so many bytes, then
					     * at chunk starts only */
	RPC_SEARCH_GIVE_UP_BYTES = 4 << 20, /* so much without a record: not RPC; ... */
	RPC_SEARCH_GIVE_UP_NEW = 4 << 10,   /* ... the same for a stream seen from its start */
	RPC_MARK_BYTES = 4,
	RPC_SEARCH_CARRY = RPC_MARK_BYTES + RPC_PLAUSIBLE_BYTES - 1,
	RPC_UNFRAMED_KEEP = 8,
};

/* Why not all bytes of a record are here. */
enum rpc_record_damage {
	RPC_RECORD_CUT = 1,         /* snap length */
	RPC_RECORD_LOST = 2,        /* not captured */
	RPC_RECORD_TOO_LONG = 4,    /* more than RPC_RECORD_STORE_MAX, or the pool was empty */
	RPC_RECORD_END_UNKNOWN = 8, /* its last fragment was not seen: `bytes` is what is known */
};

/* One record. Everything is valid until the callback returns. */
struct rpc_record {
	struct cursor body;            /* the message, from the xid on, without record marks */
	uint64_t offset;               /* stream offset of its (first) record mark */
	size_t bytes;                  /* the message's length, whether here or not */
	size_t skipped_bytes;          /* left out because nobody wants them */
	uint32_t damage;               /* RPC_RECORD_* bits; 0: complete, but for skipped_bytes */
	const struct tcp_frame *first; /* the frame with its first byte */
	const struct tcp_frame *last;  /* the frame that completed it: its time is the message's */
};

/* Bytes [from, to) of a record: offsets as in the cursor. from == to: none. */
struct rpc_range {
	size_t from, to;
};

enum rpc_stream_note {
	RPC_STREAM_FOUND,     /* RPC was recognised: the first record follows */
	RPC_STREAM_LOST_MARK, /* what should be a record mark is none: the search begins */
	RPC_STREAM_NOT_RPC,   /* nothing like RPC was found in its beginning, or for very long */
};

struct rpc_stream_sink {
	/* A record; damaged ones too. */
	void (*record)(void *context, enum tcp_side from, const struct rpc_record *record);
	/*
	 * `head` has the first bytes of a long record (the rest is a cut): which bytes of it are
	 * not wanted? May be NULL: all are wanted.
	 */
	struct rpc_range (*plan)(void *context, enum tcp_side from, struct cursor head);
	void (*note)(void *context, enum tcp_side from, enum rpc_stream_note note,
		     const struct tcp_frame *frame);
};

/* Buffers for records that are not in one piece, shared by all streams of an owner. */
enum { RPC_POOL_CLASSES = 5, RPC_POOL_SPARE = 16 };

struct rpc_pool {
	size_t used_bytes; /* lent out */
	size_t max_bytes;
	uint8_t *spare[RPC_POOL_CLASSES][RPC_POOL_SPARE];
	uint8_t spare_count[RPC_POOL_CLASSES];
};

void rpc_pool_init(struct rpc_pool *pool, size_t max_bytes);

/* All streams must have been deinitialised. */
void rpc_pool_deinit(struct rpc_pool *pool);

enum rpc_stream_state {
	RPC_STREAM_SEARCH, /* looking for a record mark by content; so begins every stream */
	RPC_STREAM_MARK,   /* inside of a record mark, or before it */
	RPC_STREAM_BODY,   /* inside of a fragment */
	RPC_STREAM_DEAD,   /* stopped: takes nothing */
};

struct rpc_stream_counts {
	uint64_t records;
	uint64_t damaged;        /* of them: with any RPC_RECORD_* bit */
	uint64_t fragments;      /* beyond the first of their record */
	uint64_t marks_lost;     /* record marks that were none */
	uint64_t unframed_bytes; /* passed over while searching */
};

/* What stood where a record mark should be: at the stream's beginning, or behind a record. */
struct rpc_unframed {
	uint8_t bytes[RPC_UNFRAMED_KEEP];
	uint8_t len;            /* of bytes; 0: there is none */
	uint64_t off;           /* in the stream */
	uint64_t records;       /* that came before it */
	struct tcp_frame frame; /* of its first byte */
};

/* One direction of a connection. */
struct rpc_stream {
	enum rpc_stream_state state;
	enum tcp_side from;
	uint8_t carry_have;              /* bytes in carry */
	bool is_anchored;                /* SEARCH: the stream begins here, nothing went by yet */
	bool is_last;                    /* the fragment is the record's last */
	bool is_planned;                 /* the plan was asked for */
	bool is_checked;                 /* the record's msg_type was looked at */
	bool has_fragment;               /* a first mark was read: a record is under way */
	bool has_given_up;               /* RPC_STREAM_NOT_RPC was told of this search */
	uint8_t carry[RPC_SEARCH_CARRY]; /* MARK: the mark's first bytes; SEARCH: not yet decided */
	struct tcp_frame carry_frame;    /* of its first byte */
	uint64_t searched_bytes;         /* in this search */
	uint64_t give_up_bytes;          /* how many may be */

	/* The record under way; offsets are in the message, marks not counted. */
	uint32_t frag_left;    /* bytes of the fragment to come */
	uint32_t damage;       /* RPC_RECORD_* */
	size_t rec_bytes;      /* bytes that went by so far, here or not */
	size_t rec_known;      /* bytes that marks announced so far */
	struct rpc_range hole; /* left out: the buffer has what is before and behind it */
	struct rpc_range plan; /* what the owner does not want */
	size_t skipped_bytes;
	uint64_t rec_off; /* stream offset of its first mark */
	struct tcp_frame first, last;
	uint8_t *buf; /* from the pool; NULL: none */
	size_t buf_len, buf_cap;

	struct rpc_unframed unframed; /* the last one; meant only while no record is found again */
	struct rpc_stream_counts counts;
	const struct rpc_stream_sink *sink;
	struct rpc_pool *pool;
	void *context;
};

/*
 * joined: the stream's first byte need not be a record's. sink and pool are borrowed and must
 * outlive the stream.
 */
void rpc_stream_init(struct rpc_stream *s, enum tcp_side from, bool joined,
		     const struct rpc_stream_sink *sink, struct rpc_pool *pool, void *context);

/* Gives the buffer back. A record under way is dropped: see rpc_stream_finish. */
void rpc_stream_deinit(struct rpc_stream *s);

void rpc_stream_chunk(struct rpc_stream *s, const struct tcp_chunk *chunk);
void rpc_stream_gap(struct rpc_stream *s, const struct tcp_gap *gap);

/* The stream ended: a record under way is handed on with what is missing as LOST. */
void rpc_stream_finish(struct rpc_stream *s);

/*
 * What stands where a record mark should be, when no record followed: NULL after a stream that was
 * followed to its end, and where the place of the mark was not known.
 */
const struct rpc_unframed *rpc_stream_unframed(const struct rpc_stream *s);

/* Takes nothing any more and gives the buffer back. */
void rpc_stream_stop(struct rpc_stream *s);

#endif
