/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the endpoint share; nobody else includes it. */
#ifndef LAB_SERVE_ENDPOINT_PRIVATE_H
#define LAB_SERVE_ENDPOINT_PRIVATE_H

#include "base/map.h"
#include "lab/fault/later.h"
#include "lab/rpc/record.h"
#include "lab/serve/endpoint/endpoint.h"
#include "net/datagram.h"
#include "net/listener.h"
#include "net/stream.h"
#include "net/timer.h"

enum { ENDPOINT_MARK_BYTES = 4 };

/* One port: where calls for its program come in. */
struct endpoint_door {
	struct endpoint *endpoint;
	enum server_port port;
	struct net_listener *listener; /* NULL: closed */
	struct net_datagram *datagram; /* NULL: no UDP */
	uint16_t number;               /* of the port, when it was open last; 0: it never was */
	struct net_timer shut;         /* until it opens again */
};

/* A connection of a client. */
struct endpoint_conn {
	struct endpoint_conn *previous, *next;
	struct endpoint_door *door;
	struct net_stream *stream;
	struct rpc_assembler assembler;
	uint64_t number;
	bool ignores;           /* what comes is thrown away */
	struct net_timer timer; /* ends what a fault did to it for a while */
	struct strbuf late;     /* a framed reply that waits for the next one to pass it */
	struct net_timer late_timer;
};

struct endpoint_callout;

struct endpoint {
	struct net_loop *loop;
	struct server *server;
	struct endpoint_config config;
	struct endpoint_door doors[SERVER_PORTS];
	struct endpoint_conn *conns;
	size_t conns_len;
	struct map by_number; /* connections */
	uint64_t next_number;
	struct fault_paths paths;
	uint8_t *scratch;      /* SERVER_REPLY_BYTES: replies over UDP, and those that faults see */
	struct strbuf changed; /* a message that a fault changed */
	struct strbuf answer;  /* a message that a fault made */
	struct fault_later held; /* delayed messages */
	struct endpoint_callout *callouts;
	size_t callouts_len;
	uint32_t next_xid;
	void (*closed)(void *context, uint64_t connection);
	void *closed_context;
};

/* The way by which a message came, and its reply goes. */
struct endpoint_way {
	struct endpoint_door *door;
	struct endpoint_conn *conn; /* NULL: UDP */
	struct net_address peer;
};

/* endpoint_conn.c */
void endpoint_conn_accept(struct endpoint_door *door, int fd, const struct net_address *peer);
struct endpoint_conn *endpoint_conn_find(const struct endpoint *e, uint64_t number);
/* Closes it; the server's states that are bound to it learn of it. */
void endpoint_conn_destroy(struct endpoint_conn *c, bool reset);
/* What a verdict does to it. False: it is gone. */
bool endpoint_conn_suffer(struct endpoint_conn *c, enum fault_conn what, int64_t for_ns);
void endpoint_say(struct endpoint *e, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The client as faults know it. */
void endpoint_peer_of(const struct net_address *address, struct fault_peer *out);

/* endpoint_handle.c: a message that came. False: the connection is gone. */
bool endpoint_handle(const struct endpoint_way *way, struct slice message);
/* A call that was judged before: executed, and its reply judged by the plan. */
bool endpoint_execute(const struct endpoint_way *way, struct slice message,
		      const struct fault_call *kept);
/* With a record mark where there are records; `breaks` turns the mark's bits. */
void endpoint_send(const struct endpoint_way *way, struct slice message, bool breaks);

/* endpoint_hold.c: what comes later. False: no room. `kept` NULL: a reply, else a call. */
bool endpoint_hold(const struct endpoint_way *way, struct slice message,
		   const struct fault_call *kept, bool breaks, int64_t for_ns);
void endpoint_hold_init(struct endpoint *e);

/* endpoint_callout.c: a reply that came on a connection (0: any other way). */
void endpoint_callout_replied(struct endpoint *e, uint64_t connection, const struct rpc_in *in,
			      struct slice message);
void endpoint_callouts_closed(struct endpoint *e, uint64_t connection);
void endpoint_drop_callouts(struct endpoint *e);

#endif
