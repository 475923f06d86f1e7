/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the proxy share. */
#ifndef PROXY_PRIVATE_H
#define PROXY_PRIVATE_H

#include "base/map.h"
#include "lab/fault/later.h"
#include "lab/proxy/portmap.h"
#include "lab/proxy/proxy.h"
#include "net/datagram.h"
#include "net/listener.h"
#include "net/stream.h"
#include "net/timer.h"

enum proxy_side { PROXY_CLIENT, PROXY_SERVER };

/* Where clients come in, and where they go. */
struct proxy_route {
	struct proxy *proxy;
	struct net_address at, to;
	uint32_t program; /* 0: not known */
	struct net_listener *listener;
	struct net_datagram *datagram;
	struct net_timer shut; /* until it listens again */
	bool is_back;          /* who comes is the server, and `to` is a client */
	bool is_hidden;        /* it listens nowhere: another route hands connections on to it */
	struct net_address client; /* who came last; port 0: nobody did */
};

/* A call that waits for its reply. */
struct proxy_call {
	struct fault_call facts;
	struct portmap_question question;
};

/* What the records of one direction are in the middle of. */
enum proxy_pipe_state {
	PROXY_PIPE_MARK, /* at the start of a record */
	PROXY_PIPE_PASS, /* in a record that goes through as it is */
	PROXY_PIPE_RAW,  /* no RPC: all goes through */
};

struct proxy_link;

/* One of the two ends of a link, and what comes from it. */
struct proxy_end {
	struct proxy_link *link;
	enum proxy_side side;
	struct net_stream *stream; /* NULL: UDP, or gone */
	bool has_ended;            /* it sends nothing more */
	bool waits;                /* not read until the other end's queue has drained */
	enum proxy_pipe_state state;
	uint32_t pass_left; /* bytes of the fragment */
	bool pass_is_last;  /* fragment */
	struct map calls;   /* struct proxy_call by XID: what this end has asked */
	struct strbuf late; /* a framed message that waits for the next to pass it; empty: none */
	struct net_timer late_timer;
};

/* A connection through the proxy, or a client of UDP. */
struct proxy_link {
	struct proxy *proxy;
	struct proxy_route *route;
	struct proxy_link *previous, *next;
	uint64_t id;
	struct fault_peer client;
	struct net_address client_address, local; /* local: where the client came to */
	struct proxy_end ends[2];
	bool ignores;            /* what the client sends is thrown away */
	bool is_closing;         /* only waits for the client's FIN */
	bool is_delayed;         /* the server is not connected to yet */
	struct net_timer timer;  /* ends what a fault did to the connection for a while */
	struct net_timer linger; /* both ends have ended: goes when the queues are empty */
	int64_t used_ns;         /* UDP: last datagram */
	struct net_datagram *up; /* UDP */
};

struct proxy {
	struct net_loop *loop;
	struct fault_engine *engine;
	proxy_note_fn *note;
	void *note_context;
	struct fault_paths paths;
	size_t routes_len;
	struct proxy_route *routes[PROXY_ROUTES_MAX];
	struct proxy_link *links; /* doubly linked */
	size_t links_len;
	uint64_t next_id;
	struct map by_id; /* links */
	size_t udp_len;   /* of them: clients of UDP */
	size_t calls_len;
	uint16_t source_port;    /* the last reserved one that was tried */
	struct fault_later held; /* delayed messages */
	struct strbuf message;   /* scratch: a record of several fragments */
	struct strbuf rewritten; /* scratch: an answer of portmap with our ports */
	struct strbuf changed;   /* scratch: a message that a fault changed */
	struct strbuf framed;    /* scratch: with its record mark */
	struct strbuf callback;  /* scratch: a SETCLIENTID with our address */
};

/* A message under way. */
struct proxy_message {
	enum proxy_side from;
	struct slice bytes;   /* without marks */
	size_t missing_bytes; /* that are not here yet */
	struct slice raw;     /* as it came, with marks; UDP: the datagram */
};

void proxy_note(struct proxy *proxy, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* link.c: TCP */
void proxy_link_accept(struct proxy_route *route, int fd, const struct net_address *peer);
void proxy_link_destroy(struct proxy_link *link, bool reset);
/* Listed, without streams; NULL when there are too many. */
struct proxy_link *proxy_link_new(struct proxy_route *route, const struct net_address *peer);
void proxy_peer_of(const struct net_address *address, struct fault_peer *out);
void proxy_link_send(struct proxy_link *link, enum proxy_side to, struct slice framed);
/* What a verdict does to the client's connection. False: the link is gone. */
bool proxy_link_suffer(struct proxy_link *link, enum fault_conn conn, int64_t for_ns);

/* pipe.c: the records of one direction; how many of the bytes it takes. */
size_t proxy_pipe_take(struct proxy_end *end, struct slice bytes);

/*
 * relay.c: judges a message, and sends it or does what its verdict says. False: the link is gone.
 */
bool proxy_relay(struct proxy_link *link, const struct proxy_message *message);

/* Forgets the calls of an end, without replies to them. */
void proxy_forget_calls(struct proxy_end *end);
void proxy_calls_init(struct proxy_end *end);

/* hold.c: sends the framed message later. False: no room, to be sent at once. */
bool proxy_hold(struct proxy_link *link, enum proxy_side to, struct slice framed, int64_t for_ns);
void proxy_hold_init(struct proxy *proxy);

/* udp.c */
void proxy_datagram_came(void *context, struct slice bytes, const struct net_address *from);

/*
 * back.c: the route of a connection that the server of `route` makes to it, to have its client's
 * rpcbind; NULL: it is no such connection.
 */
struct proxy_route *proxy_back_route(struct proxy_route *route, const struct net_address *peer);

/* The call with an address of ours for callbacks, where it is a SETCLIENTID that tells one. */
bool proxy_back_rewrite(struct proxy_link *link, const struct fault_message *m, struct strbuf *out);

/* route.c */
void proxy_route_destroy(struct proxy_route *route);

/* A route that listens nowhere; NULL: no room. */
struct proxy_route *proxy_route_hidden(struct proxy_route *asked, const struct net_address *to);

/* Listens at a free port of *at, which is set, for callbacks to a client. False: not possible. */
bool proxy_route_callback(struct proxy_route *asked, struct net_address *at,
			  const struct net_address *to);

/* route.c: the port at which what goes to `to` is listened for, 0 when that is not possible. */
uint16_t proxy_route_port(struct proxy_route *asked, uint32_t program, bool is_udp, uint16_t port);

#endif
