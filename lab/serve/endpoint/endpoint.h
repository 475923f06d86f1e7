/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sockets of the server: a port for each of its programs, over TCP and UDP, and what faults do
 * to the messages that go through them. Calls of one read are answered by one write.
 */
#ifndef LAB_SERVE_ENDPOINT_H
#define LAB_SERVE_ENDPOINT_H

#include "lab/fault/fault.h"
#include "lab/serve/server.h"
#include "net/loop.h"

enum {
	ENDPOINT_CONNECTIONS_MAX = 20000,
	ENDPOINT_HELD_BYTES_MAX = 64 << 20, /* of delayed messages; further ones are not delayed */
	ENDPOINT_CALLOUTS_MAX = 1024,       /* calls to clients that wait for their reply */
};

struct endpoint_config {
	struct net_address listen;    /* its port is not looked at */
	uint16_t ports[SERVER_PORTS]; /* 0: one that is free */
	bool closed[SERVER_PORTS];    /* there is no such port */
	bool no_udp;
	size_t record_bytes_max;     /* 0: RPC_RECORD_LIMIT_BYTES */
	size_t connections_max;      /* 0: ENDPOINT_CONNECTIONS_MAX; others are closed at once */
	struct fault_engine *engine; /* borrowed; NULL: no faults */
	/* Something happened: one line, without a line break. May be NULL. */
	void (*log)(void *context, const char *text);
	void *context;
};

struct endpoint;

/*
 * Opens the ports and registers the programs. The loop and the server are borrowed. *out belongs
 * to the caller. Fails when a port is not to be had.
 */
struct err *endpoint_create(struct net_loop *loop, struct server *server,
			    const struct endpoint_config *config, struct endpoint **out);

/* Closes everything. NULL is fine. */
void endpoint_destroy(struct endpoint *e);

/* The port that it got; 0: closed. */
uint16_t endpoint_port(const struct endpoint *e, enum server_port port);

/* Closes a port with its connections and opens another one, which is told to rpcbind. */
struct err *endpoint_move_port(struct endpoint *e, enum server_port port);

/*
 * Nobody listens at the port any more, so that connections are refused, until the time is over (0:
 * for good); those that there are stay. rpcbind goes on telling the number.
 */
void endpoint_shut_port(struct endpoint *e, enum server_port port, int64_t for_ns);

/* All connections break, as when the server's host restarts. */
void endpoint_reset_all(struct endpoint *e);

/* What came of a call to a client. `results` is empty when there was no answer. */
typedef void endpoint_answer_fn(void *context, uint64_t token, bool answered,
				struct cursor results);

/* A call of the server to a client. */
struct endpoint_call {
	uint64_t connection;   /* send it on this connection; 0: to the address */
	struct net_address to; /* with its port */
	enum rpc_transport transport;
	uint32_t program, version, procedure;
	struct slice args; /* encoded; copied */
	bool no_reply;     /* is not waited for */
	endpoint_answer_fn *answer;
	void *context;
	uint64_t token;
};

/* False when it cannot be sent; then `answer` is not called. Never calls it at once. */
bool endpoint_call_out(struct endpoint *e, const struct endpoint_call *call);

/* Told of each connection's end; for states that are bound to it. NULL: nobody. */
void endpoint_on_closed(struct endpoint *e, void (*closed)(void *context, uint64_t connection),
			void *context);

#endif
