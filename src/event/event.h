/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The vocabulary of facts. Ingest emits events, models and viewers take them.
 *
 * An event lives on its maker's stack and is handed to each sink at once: a sink copies what it
 * keeps. A fact is the same event whether a capture, a log or a trace told it.
 */
#ifndef EVENT_EVENT_H
#define EVENT_EVENT_H

#include "event/clid.h"
#include "event/filter.h"
#include "event/host.h"
#include "event/ident.h"
#include "event/ladder.h"
#include "event/log.h"
#include "event/mount.h"
#include "event/mount_stats.h"
#include "event/rpc.h"
#include "event/rpc_task.h"
#include "event/served.h"
#include "event/task.h"
#include "event/wire.h"

enum event_kind {
	EVENT_TCP,              /* something notable on a connection: struct event_tcp */
	EVENT_RPC_CALL,         /* a call was seen (first time): struct rpc_call */
	EVENT_RPC_REPEAT,       /* the same call again: struct rpc_call */
	EVENT_RPC_REPLY,        /* the call's reply, or a reply alone (has_call false) */
	EVENT_RPC_REPLY_REPEAT, /* one more reply to a call that has one: only its identity is
				 * told, and of NLM its status */
	EVENT_RPC_UNANSWERED,   /* given up: the evidence ended, or the table was full */
	/*
	 * Nothing more will be told of the call, neither a reply nor that it was sent again: for
	 * viewers, which want it whole. Comes well after the other events, with a copy of the
	 * connection.
	 */
	EVENT_RPC_SETTLED,
	EVENT_UNFRAMED, /* no record mark was found: struct event_unframed; before EVENT_CONN_END */
	EVENT_CONN_END, /* nothing more will come of this connection */
	EVENT_NET,      /* ICMP or ARP: struct event_net; without a connection */
	EVENT_LOG,      /* a line of a kernel log: struct log_fact; without a connection */
	EVENT_TASK,     /* a task was seen: struct task_fact; without a connection */
	EVENT_LADDER,   /* a step of a client's recovery: struct ladder_fact; likewise */
	EVENT_RPC_TASK, /* what a client's kernel tells of a call: struct rpc_task_fact; likewise */
	EVENT_CLID,     /* a server's table of clients: struct clid_fact; likewise */
	EVENT_SERVED,   /* what a server's kernel tells of a call: struct served_fact; likewise */
	EVENT_OBJECT,   /* what an object of the kernel is: struct object_fact; likewise */
	EVENT_MOUNT,    /* a mount, as its host tells it: struct mount_fact; without a connection */
	EVENT_MOUNT_STATS, /* what a client counted for a mount: struct mount_stats; likewise */
	EVENT_FILTER,      /* a rule of a packet filter that drops: struct filter_fact; likewise */
	EVENT_WIRE,        /* where a segment was seen, of two captures: struct event_wire */
	EVENT_HOST,        /* what a host lists of itself: struct host_fact; likewise */
	EVENT_KIND_COUNT,
};

enum tcp_fact {
	TCP_FACT_SYN,             /* first of a connection, from the client */
	TCP_FACT_SYN_REPEAT,      /* the same SYN again */
	TCP_FACT_SYN_ACK,         /* and its repetitions */
	TCP_FACT_ESTABLISHED,     /* the handshake's last ACK */
	TCP_FACT_REFUSED,         /* RST in answer to a SYN */
	TCP_FACT_BARE_ACK_TO_SYN, /* challenge ACK (RFC 5961) in answer to a SYN */
	TCP_FACT_FIN,
	TCP_FACT_FIN_REPEAT,
	TCP_FACT_FIN_ACKED,
	TCP_FACT_RST,
	TCP_FACT_RETRANSMISSION, /* data seen before, sent again (not a keep-alive) */
	TCP_FACT_LOST,           /* bytes that the capture never showed: damage of the evidence */
	TCP_FACT_SHOWN_LATE, /* bytes after their acknowledgement: the capture's order is not the
			      * wire's */
	TCP_FACT_PROGRESS, /* some of what was sent again, or 1 s ago, is acknowledged by `from` */
	TCP_FACT_COUNT,
};

struct event_tcp {
	enum tcp_fact fact;
	enum conn_side from; /* who sent the segment */
	uint64_t bytes;      /* LOST, RETRANSMISSION: how many; else 0 */
	uint8_t ttl;         /* of the segment; 0: not known */
	bool acked;          /* LOST: the receiver acknowledged them, so the wire had them;
			      * RETRANSMISSION: they were acknowledged before */
	bool full;           /* RETRANSMISSION: no segment from there was larger */
	bool anew; /* SYN_ACK: with another number: the server had forgotten the attempt */
	/* The other side's last segment before it, and (RETRANSMISSION, PROGRESS) since when
	 * nothing of what was outstanding had been acknowledged. FRAME_NONE: none, not known. */
	struct provenance heard, since;
	struct provenance said; /* FIN, RST: its sender's last segment before; FRAME_NONE: none */
};

enum net_fact {
	NET_FACT_UNREACHABLE, /* ICMP or ICMPv6 destination unreachable */
	NET_FACT_TOO_BIG,     /* fragmentation needed, packet too big */
	NET_FACT_ARP_ASK,     /* ARP request or neighbour solicitation */
	NET_FACT_ARP_ANSWER,  /* ARP reply or neighbour advertisement */
};

/* What the network itself tells about the way to a host. */
struct event_net {
	enum net_fact fact;
	uint8_t icmp_type, icmp_code; /* as in the packet; 0 for ARP */
	struct endpoint from;         /* who tells, or who asks; port 0 */
	/* UNREACHABLE, TOO_BIG: the packet that could not be delivered, from its quotation. */
	struct endpoint src, dst;
	uint32_t mtu;           /* TOO_BIG; 0: not told */
	struct endpoint target; /* ARP: whose hardware address is asked for or told; port 0 */
};

enum { UNFRAMED_BYTES = 8 };

/*
 * A side's bytes are no RPC records (RFC 5531 section 11), from here to the connection's end,
 * although the capture holds all of them. Told also of what never was RPC.
 */
struct event_unframed {
	enum conn_side from;
	uint8_t bytes[UNFRAMED_BYTES]; /* what stands where a record mark should be */
	uint8_t len;                   /* of bytes */
	uint64_t offset;               /* in the side's stream */
	uint64_t records;              /* of this side before it; 0: the stream begins so */
	bool to_tls;                   /* the client asked for TLS (AUTH_TLS, RFC 9289) before */
};

/* Totals of a connection, told when it ends. */
struct conn_totals {
	uint64_t segments[2];      /* by enum conn_side */
	uint64_t payload_bytes[2]; /* stream bytes, once each */
	uint64_t retransmitted_segments[2];
	uint64_t lost_bytes[2];    /* never captured */
	uint64_t cut_bytes[2];     /* cut by the snap length */
	uint64_t unacked_bytes[2]; /* sent, not acknowledged as far as the capture shows */
	uint64_t marked[2];        /* segments that the link layer marks as sent by this host */
	/* Segments that are too small to be several joined by the receiver, and of these such whose
	 * checksum is not filled in yet. */
	uint64_t small[2], unfilled[2];
	uint8_t ttl[2];       /* of the first segment that is no RST; 0: not known */
	uint8_t completeness; /* bits as Wireshark's tcp.completeness: SYN 1, SYN-ACK 2, ACK 4,
			       * DATA 8, FIN 16, RST 32 */
	struct provenance first, last;
	struct provenance said[2]; /* the last segment of each side; FRAME_NONE: none */
};

struct event {
	enum event_kind kind;
	struct provenance at;
	const struct conn *conn;
	union {
		const struct event_tcp *tcp;           /* EVENT_TCP */
		const struct rpc_call *rpc;            /* EVENT_RPC_* */
		const struct event_unframed *unframed; /* EVENT_UNFRAMED */
		const struct conn_totals *totals;      /* EVENT_CONN_END */
		const struct event_net *net;           /* EVENT_NET: conn is NULL */
		const struct log_fact *log;            /* EVENT_LOG: conn is NULL */
		const struct mount_fact *mount;        /* EVENT_MOUNT: conn is NULL */
		const struct mount_stats *mount_stats; /* EVENT_MOUNT_STATS: conn is NULL */
		const struct ladder_fact *ladder;      /* EVENT_LADDER: conn is NULL */
		const struct rpc_task_fact *rpc_task;  /* EVENT_RPC_TASK: conn is NULL */
		const struct clid_fact *clid;          /* EVENT_CLID: conn is NULL */
		const struct served_fact *served;      /* EVENT_SERVED: conn is NULL */
		const struct task_fact *task;          /* EVENT_TASK: conn is NULL */
		const struct object_fact *object;      /* EVENT_OBJECT: conn is NULL */
		const struct filter_fact *filter;      /* EVENT_FILTER: conn is NULL */
		const struct event_wire *wire;         /* EVENT_WIRE: conn is the speaker's */
		const struct host_fact *host;          /* EVENT_HOST: conn is NULL */
	};
};

typedef void event_fn(void *context, const struct event *event);

enum { EVENT_SINKS_MAX = 16 };

/* Of which programs the calls are that a sink of EVENT_RPC_* wants. */
enum event_calls {
	EVENT_CALLS_NFS3 = 1 << 0,
	EVENT_CALLS_NFS4 = 1 << 1, /* NFSv4 and its callbacks, whatever their program's number */
	EVENT_CALLS_OTHER = 1 << 2,
	EVENT_CALLS_ALL = (1 << 3) - 1,
};

enum { EVENT_CALLS_SORTS = 3 };

/* Who wants which kind of event. A switchboard is filled before the run and not changed in it. */
struct event_board {
	struct event_sinks {
		struct event_sink {
			event_fn *take;
			void *context;
		} items[EVENT_SINKS_MAX];
		uint32_t len;
	} sinks[EVENT_KIND_COUNT][EVENT_CALLS_SORTS]; /* by bit of enum event_calls */
	bool wanted[EVENT_KIND_COUNT];
};

/* Adds a sink for the kind; there is room for EVENT_SINKS_MAX of each. */
void event_board_add(struct event_board *board, enum event_kind kind, event_fn *take,
		     void *context);

/*
 * The same for a kind of EVENT_RPC_*, of calls of these programs only (bits of enum event_calls):
 * most calls are NFS, and who looks for others need not be asked about each.
 */
void event_board_add_calls(struct event_board *board, enum event_kind kind, unsigned calls,
			   event_fn *take, void *context);

static inline bool event_wanted(const struct event_board *board, enum event_kind kind)
{
	return board->wanted[kind];
}

/* Hands the event to all sinks of its kind, in the order in which they were added. */
void event_emit(const struct event_board *board, const struct event *event);

#endif
