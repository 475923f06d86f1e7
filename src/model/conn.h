/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TCP connections: how each began, what it carried, how it ended; and, for each pair of client host
 * and server port, the attempts to connect that were refused.
 *
 * Follows the states of RFC 9293 only as far as a diagnosis wants them. It says what was seen and
 * judges nothing: how many refusals make an outage is the rule's business.
 */
#ifndef MODEL_CONN_H
#define MODEL_CONN_H

#include "base/map.h"
#include "base/vec.h"
#include "event/event.h"

enum {
	CONN_ENDED_MAX = 6144, /* ended connections kept; open ones are bounded by ingest */
	CONN_REACH_MAX = 8192, /* pairs of client host and server port */
	CONN_OUTAGES_MAX = 8,  /* kept for each pair; the shortest goes first */
	CONN_CITES_MAX = 4,    /* refusals kept for each outage, besides the last */
	CONN_RPC_SERVERS_MAX = 4096,
	CONN_PROGRAMS_MAX = 4, /* kept for each RPC server port */
	CONN_UNFRAMED_MAX = 1024,
	CONN_RECENT = 256, /* records found without a look-up; a power of two */
	CONN_HOPS_MAX = 4, /* captures whose TTL of a SYN-ACK is kept for each pair */
};

enum conn_state {
	CONN_JOINED,       /* seen from the middle */
	CONN_SYN_SENT,     /* SYN, nothing else yet */
	CONN_SYN_ANSWERED, /* SYN-ACK seen, not acknowledged */
	CONN_ESTABLISHED,
	CONN_REFUSED, /* RST in answer to SYN */
	CONN_CLOSING, /* a FIN was seen */
	CONN_RESET,
	CONN_STATE_COUNT,
};

struct conn_reach;

/* What most connections have nothing of: what was repeated, challenged or reset. */
struct conn_odds {
	struct provenance challenge; /* the first bare ACK in answer to a SYN */
	/* Of the first RST: the last segments of both before it. */
	struct provenance rst_heard, rst_said;
	/* The last of each that came more than once, and the last thing that its receiver had said
	 * before a repeated FIN. */
	struct provenance syn_last, syn_ack_last, fin_last[2], fin_heard[2];
};

/* One connection. Kept for the whole run, up to the model's cap; the oldest ended ones go first. */
struct conn_record {
	struct conn conn; /* a copy: identity, sides, joined, lossy */
	enum conn_state state;
	bool ended; /* the totals are valid */
	bool carried_rpc;
	bool fin_acked[2];             /* by enum conn_side: who acknowledged the other's FIN */
	struct provenance first, last; /* facts, calls and replies; once ended: of all segments */
	/* The first of each; FRAME_NONE: not seen. */
	struct provenance syn, syn_ack, established, refused, fin[2], rst;
	enum conn_side rst_from;   /* who sent the first RST */
	struct conn_odds *odds;    /* NULL: none; see conn_record_odds */
	struct provenance replied; /* the last reply; FRAME_NONE: none */
	uint32_t syns, syn_acks, fins[2], challenges;
	uint32_t syn_acks_anew;     /* of them: with another number than the one before */
	uint32_t syns_after_answer; /* SYNs sent again although a SYN-ACK was seen */
	uint64_t retransmissions[2];
	struct stamp orphan_last; /* a reply to a call that was not seen; unknown: none */
	uint64_t calls, replies;  /* without what was sent again; calls of both sides */
	uint8_t answered_ttl;     /* of the last SYN-ACK; 0: not known */
	struct conn_totals totals;

	/* The model's own. */
	struct conn_reach *reach; /* NULL: nothing to tell there */
	size_t index;             /* in records */
	struct conn_record *ended_newer;
};

/* A run of refusals of one client host at one server port, without a success between them. */
struct conn_outage {
	uint64_t refused;                        /* SYNs answered by RST */
	struct provenance cites[CONN_CITES_MAX]; /* the first ones */
	uint32_t cites_len;
	struct provenance first, last;
	struct provenance worked_before; /* last sign of life before; FRAME_NONE: none seen */
	struct provenance recovered;     /* first success after it; FRAME_NONE: none seen */
	struct provenance answered;      /* first SYN-ACK after `last`; FRAME_NONE: none seen */
	uint8_t ttl;                     /* of the last RST; 0: not known */
	uint8_t answered_ttl;            /* of a SYN-ACK in the same capture; 0: none is known */
};

/*
 * Attempts of one client host to reach one server port, over all source ports. Kept only for ports
 * that refused, or that carried RPC: everything else on the wire is no business of ours.
 */
struct conn_reach {
	struct endpoint client; /* host; port 0 */
	struct endpoint server;
	uint64_t refused;              /* SYNs answered by RST, all in all */
	uint64_t established;          /* handshakes completed, as far as they are told apart */
	struct provenance worked_last; /* last success or RPC reply; FRAME_NONE: none */
	struct vec outages;            /* struct conn_outage, in order of their beginning */
	uint64_t outages_dropped;      /* short ones that the cap forgot */
	bool down;                     /* the last outage is not over */
	struct conn_hops {             /* of the last SYN-ACK, by capture */
		uint32_t evidence;
		uint8_t ttl; /* 0: not known */
	} hops[CONN_HOPS_MAX];
	uint32_t hops_len;
};

/* A connection of which one side's bytes are no RPC records: see struct event_unframed. */
struct conn_unframed {
	struct conn conn;
	struct provenance at;
	struct event_unframed what;
};

/* A server port that carried RPC, and what (from the first call of each connection). */
struct conn_rpc_server {
	struct endpoint at;
	struct conn_program {
		uint32_t program;
		uint32_t version;
		bool callback; /* an NFSv4 callback program: the port is a client's */
	} programs[CONN_PROGRAMS_MAX];
	uint32_t programs_len;
};

struct conn_model {
	struct map by_serial; /* struct conn_record */
	struct vec records;   /* struct conn_record *; by serial after conn_model_sort */
	struct conn_record *ended_oldest, *ended_newest;
	size_t ended_count;
	struct conn_record *recent[CONN_RECENT];
	struct map reach_map; /* struct conn_reach */
	struct vec reach;     /* struct conn_reach *, in order of first sight */
	struct map rpc_server_map;
	struct vec rpc_servers; /* struct conn_rpc_server *, in order of first sight */
	struct vec unframed;    /* struct conn_unframed, as they ended; at most CONN_UNFRAMED_MAX */
	uint64_t dropped;       /* connections that the cap forgot */
	uint64_t reach_dropped; /* facts about pairs for which there was no room */
};

void conn_model_init(struct conn_model *m);
void conn_model_deinit(struct conn_model *m);

/* Registers the model's sinks. */
void conn_model_attach(struct conn_model *m, struct event_board *board);

/* Sorts records by serial. After the last event. */
void conn_model_sort(struct conn_model *m);

/* The record of a connection, or NULL when it is not known or was forgotten. */
const struct conn_record *conn_model_find(const struct conn_model *m, uint64_t serial);

/* All of it not seen where the record has none. Valid as long as the record. */
const struct conn_odds *conn_record_odds(const struct conn_record *r);

/* The last SYN, SYN-ACK or FIN: the first one where there was no more than one. */
const struct provenance *conn_record_syn_last(const struct conn_record *r);
const struct provenance *conn_record_syn_ack_last(const struct conn_record *r);
const struct provenance *conn_record_fin_last(const struct conn_record *r, enum conn_side from);

/* What RPC was seen from this server endpoint, on any connection; NULL: none. */
const struct conn_rpc_server *conn_model_rpc_server(const struct conn_model *m,
						    const struct endpoint *server);

/* True when RPC other than NFSv4 callbacks was seen from this server endpoint. */
bool conn_model_is_rpc_server(const struct conn_model *m, const struct endpoint *server);

/* "established", "refused" ... */
const char *conn_state_name(enum conn_state state);

#endif
