/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TCP connections: how each began, what it carried, how it ended; and, for each pair of client host
 * and server port, the attempts to connect that were refused.
 */
#ifndef MODEL_CONN_H
#define MODEL_CONN_H

#include "base/map.h"
#include "base/vec.h"
#include "event/event.h"

enum conn_state {
	CONN_JOINED,	  /* seen from the middle */
	CONN_SYN_SENT,	  /* SYN, nothing else yet */
	CONN_SYN_ANSWERED, /* SYN-ACK seen, not acknowledged */
	CONN_ESTABLISHED,
	CONN_REFUSED, /* RST in answer to SYN */
	CONN_CLOSING, /* a FIN was seen */
	CONN_RESET,
	CONN_STATE_COUNT,
};

/* One connection. Kept for the whole run, up to the model's cap; the oldest ended ones go first. */
struct conn_record {
	struct conn conn; /* a copy: identity, sides, joined, lossy */
	enum conn_state state;
	bool ended; /* the totals are valid */
	bool carried_rpc;
	struct provenance first, last;
	struct provenance syn, syn_ack, established, refused, fin[2], rst; /* FRAME_NONE: not seen */
	uint32_t syns, syn_acks, fins[2], challenges;
	uint64_t retransmissions[2];
	uint64_t calls, replies;
	struct conn_totals totals;
};

enum { CONN_CITES_MAX = 8 };

/* Attempts of one client host to reach one server port, over all source ports. */
struct conn_reach {
	struct endpoint client; /* host; port 0 */
	struct endpoint server;
	uint64_t refused; /* SYNs answered by RST */
	struct provenance refused_at[CONN_CITES_MAX]; /* the first ones */
	struct provenance refused_last;
	struct provenance established_after; /* first success after the last refusal */
	struct provenance established_before; /* last success before the first refusal */
	uint64_t established;
	uint8_t refused_ttl;  /* of the last RST; 0: not known */
	uint8_t answered_ttl; /* of the last SYN-ACK; 0: not known */
	bool server_is_rpc;   /* RPC was seen from this server port, by anybody */
};

struct conn_model {
	struct map by_serial; /* struct conn_record */
	struct vec records;   /* struct conn_record *, by serial */
	struct map reach_map; /* struct conn_reach */
	struct vec reach;     /* struct conn_reach *, in order of first sight */
	struct map rpc_servers; /* struct rpc_server: ports that carried RPC */
	struct vec rpc_server_list;
	uint64_t dropped; /* connections that the cap forgot */
};

void conn_model_init(struct conn_model *m);
void conn_model_deinit(struct conn_model *m);

/* Registers the model's sinks. */
void conn_model_attach(struct conn_model *m, struct event_board *board);

/* True when RPC was seen from this server endpoint, on any connection. */
bool conn_model_is_rpc_server(const struct conn_model *m, const struct endpoint *server);

/* "established", "refused" ... */
const char *conn_state_name(enum conn_state state);

#endif
