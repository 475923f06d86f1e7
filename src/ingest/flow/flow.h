/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of connections: finds the connection of each packet, follows its TCP state, tells the
 * board what happened on it (EVENT_TCP, EVENT_CONN_END), and hands RPC records and datagrams to the
 * layer above. Captures may come interleaved: each has connections of its own.
 *
 * Bounded: flows by an option (the one that was idle longest makes room), held segments and record
 * buffers by budgets. What is no RPC costs a counter per packet once that is known.
 */
#ifndef INGEST_FLOW_H
#define INGEST_FLOW_H

#include "base/map.h"
#include "base/pool.h"
#include "event/event.h"
#include "proto/rpc_record.h"
#include "proto/tcp_past.h"

enum {
	FLOW_FLOWS_MAX = 32768,
	FLOW_QUIET_MAX = 1024,     /* open, but not heard of for FLOW_QUIET_S: beyond it the oldest
				    * make room */
	FLOW_CLOSING_MAX = 8192,   /* closed, and kept for stragglers: likewise */
	FLOW_DATAGRAMS_MAX = 4096, /* of UDP: likewise */
	FLOW_PASTS_MAX = 8192, /* flows with a past; beyond it that of further ones is not kept */
	FLOW_HOLD_BYTES_MAX = 64 << 20,
	FLOW_POOL_BYTES_MAX = 256 << 20,
	FLOW_LINGER_S = 120, /* a closed connection is kept so long for its stragglers */
	FLOW_QUIET_S = 240,  /* longer than struct tcp_past looks back */
};

struct flow_table;

/* How it is known which side is the client. */
enum flow_orientation {
	FLOW_BY_PORT, /* guessed: the side with the lower (or a well-known RPC) port is the server
		       */
	FLOW_BY_CALL, /* who sent the first call */
	FLOW_BY_SYN,
};

enum {
	FLOW_SEEN = 4,
	FLOW_FIRSTS = 64,
	FLOW_FIRSTS_JOINED = 4, /* of each connection that is joined in the middle */
};

/* The server's TCP timestamps against the stamps of the capture. */
struct flow_clock {
	bool used;
	bool woke;         /* woke_ns is the stamp at which the capture's clock last fell behind */
	uint32_t tsval;    /* the latest */
	int64_t tick_ns;   /* 0: not known yet */
	int64_t ticks;     /* from the first to the latest */
	int64_t first_ns;  /* stamp of the first */
	int64_t last_ns;   /* stamp of the last that was looked at */
	int64_t window_ns; /* stamp from which on ahead_ns counts */
	int64_t ahead_ns;  /* the furthest that timestamps were ahead of stamps */
	int64_t before_ns; /* the same in the window before */
	int64_t woke_ns;
};

/* Enough of a UDP datagram to know it again when the capture shows it twice. */
struct flow_seen {
	int64_t ns;
	uint32_t ip_id, xid;
	size_t bytes; /* 0: none yet */
};

/* What only a pair of UDP endpoints needs; by the side that sends. */
struct flow_udp {
	struct flow_seen seen[2][FLOW_SEEN];
	uint64_t datagrams[2], datagram_bytes[2];
};

/* Enough of the first segment of a TCP connection to know it again behind a translation. */
struct flow_first {
	int64_t ns;
	uint64_t serial; /* of the connection */
	size_t bytes;
	uint32_t evidence, seq, ack, tsval, tsecr;
	uint8_t flags;
};

/* One connection (or pair of UDP endpoints). */
struct flow {
	struct conn
		conn; /* stays at its address until `end`. Where the client was guessed by its port
		       * the two may be exchanged once, before the first record is handed on */
	void *rpc;    /* for the layer above, NULL at first; it frees it in `end` */

	/* The table's own. */
	struct flow_table *table;
	enum flow_orientation orientation;
	enum tcp_side client; /* which of the key's ends is the client */
	bool is_settled;      /* a record was handed on: the orientation stays */
	bool is_rpc;          /* RPC was recognised in at least one direction */
	bool gives_up;        /* it was found to be no RPC in this very packet */
	bool not_rpc;         /* counted only */
	bool past_refused;    /* counted once */
	bool is_echo;         /* another shows it with other addresses: nothing is told of it */
	uint32_t echo_seq;    /* of its first segment; with is_echo */
	uint8_t firsts;       /* so many of its first segments are yet to come; see flow_echo.c */
	enum flow_queue {
		FLOW_OPEN,
		FLOW_QUIET,     /* open, but not heard of for so long that its past was let go */
		FLOW_CLOSING,   /* closed: kept for its stragglers */
		FLOW_DATAGRAMS, /* of UDP, which tells no end */
		FLOW_QUEUE_COUNT
	} queue;
	bool asked_tls;         /* AUTH_TLS was seen: what follows may be encrypted; the layer
				 * above sets it */
	struct endpoint end[2]; /* the key, by enum tcp_side; end[0] is the lower */
	uint64_t hash;
	struct provenance first, last;
	int64_t queued_ns; /* last.at when it was put at its list's head */
	struct flow *newer, *older;
	struct flow_clock clock;     /* TCP only */
	struct tcp tcp;              /* TCP only */
	struct rpc_stream stream[2]; /* TCP only: by the side that sends */
	/* TCP only, by the side that sends; see conn_totals */
	uint64_t marked[2], small[2], unfilled[2];
	uint8_t ttl[2];        /* of the first segment; 0: none */
	struct tcp_past *past; /* the same, once RPC was recognised; else NULL */
	/* TCP only: the segment that is being taken, while it is, and its frame. */
	const struct packet *packet;
	const struct tcp_frame *now;
	struct flow_udp *udp; /* UDP only; else NULL */
};

/* One UDP datagram that looks like RPC. Valid until the callback returns. */
struct flow_datagram {
	struct cursor body; /* the message, with a cut when it was not captured whole */
	size_t bytes;       /* its length on the wire */
	struct provenance at;
};

/* The layer above. All callbacks get `context`; none may be NULL. */
struct flow_upper {
	void *context;
	void (*record)(void *context, struct flow *flow, enum conn_side from,
		       const struct rpc_record *record);
	void (*datagram)(void *context, struct flow *flow, enum conn_side from,
			 const struct flow_datagram *datagram);
	/* Which bytes of a long record nobody wants: see rpc_record.h. */
	struct rpc_range (*plan)(void *context, struct flow *flow, enum conn_side from,
				 struct cursor head);
	/*
	 * Bytes of the stream are missing for good: whole records may be among them. Not told of a
	 * cut inside of a record.
	 */
	void (*gap)(void *context, struct flow *flow, enum conn_side from,
		    const struct tcp_gap *gap);
	/* Before EVENT_CONN_END: the last chance to speak of the connection. */
	void (*end)(void *context, struct flow *flow);
};

struct flow_options {
	size_t flows_max;      /* 0: FLOW_FLOWS_MAX */
	size_t hold_bytes_max; /* 0: FLOW_HOLD_BYTES_MAX */
	size_t pool_bytes_max; /* 0: FLOW_POOL_BYTES_MAX */
	bool counts_only;      /* nobody asks for the past of a flow, nor for its clock */
};

struct flow_counts {
	uint64_t packets;            /* TCP and UDP packets given */
	uint64_t flows;              /* connections seen */
	uint64_t flows_not_rpc;      /* of them: given up as no RPC */
	uint64_t udp_pairs;          /* of them: of UDP, with RPC */
	uint64_t flows_evicted;      /* ended because the table was full, or too many were quiet */
	uint64_t flows_closed_early; /* closed ones, whose stragglers were not waited for */
	uint64_t pasts_refused;      /* flows without a past, as there were too many */
	uint64_t packets_not_rpc;    /* on flows that are no RPC, and UDP that is none */
	uint64_t records;            /* handed on */
	uint64_t records_damaged;    /* of them: not complete */
	uint64_t datagrams;          /* handed on */
	uint64_t datagrams_twice;    /* frames that the capture shows twice: not handed on again */
	uint64_t tls;        /* connections that went over to TLS, as the client had asked */
	uint64_t marks_lost; /* record marks that were none: framing broken, or bytes lost */
	uint64_t echoes;     /* connections shown a second time, with other addresses; not
			      * in `flows` */
};

struct flow_table {
	struct flow_options options;
	const struct event_board *board;
	struct flow_upper upper;
	struct map flows;
	struct pool flow_pool, past_pool; /* struct flow; two of struct tcp_past */
	struct flow *last_found;
	struct flow_list {
		struct flow *newest, *oldest;
		size_t len;
	} queues[FLOW_QUEUE_COUNT]; /* each approximately by last packet */
	struct tcp_budget budget;
	struct rpc_pool pool;
	struct flow_counts counts;
	uint64_t last_serial;
	size_t pasts;                          /* flows with a past */
	struct flow_first firsts[FLOW_FIRSTS]; /* the latest first segments */
	size_t firsts_next;
};

/* options NULL: all defaults. board is borrowed and must outlive the table; upper is copied. */
void flow_table_init(struct flow_table *t, const struct flow_options *options,
		     const struct event_board *board, const struct flow_upper *upper);

/* Ends what is left, evidence by evidence. */
void flow_table_deinit(struct flow_table *t);

/*
 * Takes one packet: TCP and UDP; other kinds are ignored. Frames count from 1 and ascend within an
 * evidence; stamps may go backwards. The packet is borrowed for the call.
 */
void flow_table_packet(struct flow_table *t, const struct provenance *where,
		       const struct packet *packet);

/*
 * Another capture speaks from here on for the connection of this packet: what this one told of it
 * ends, as if the capture had lost the rest.
 */
void flow_table_hand_over(struct flow_table *t, uint32_t evidence, const struct packet *packet);

/* The evidence ended: ends its connections in the order of their serials. */
void flow_table_end(struct flow_table *t, uint32_t evidence);

/*
 * What the sender's past tells about the segment that is being taken, if it is the frame with this
 * number; false: nothing.
 */
bool flow_ask_past(const struct flow *flow, enum conn_side from, uint64_t frame_number,
		   struct tcp_tale *out);

/*
 * The same for the last frame by which its bytes had not been sent yet (number 0: none is known)
 * and for its age; false: neither is known.
 */
bool flow_ask_unsent(const struct flow *flow, enum conn_side from, uint64_t frame_number,
		     struct tcp_frame *unsent, int64_t *age_ns);

/* The totals of a connection so far. */
void flow_totals(const struct flow *flow, struct conn_totals *out);

#endif
