/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sockets of the server: a port for each of its programs, over TCP and UDP. Calls of one read
 * are answered by one write.
 */
#ifndef LAB_SERVE_ENDPOINT_H
#define LAB_SERVE_ENDPOINT_H

#include "lab/serve/server.h"
#include "net/loop.h"

enum { ENDPOINT_CONNECTIONS_MAX = 20000 };

struct endpoint_config {
	struct net_address listen;    /* its port is not looked at */
	uint16_t ports[SERVER_PORTS]; /* 0: one that is free */
	bool closed[SERVER_PORTS];    /* there is no such port */
	bool no_udp;
	size_t record_bytes_max; /* 0: RPC_RECORD_LIMIT_BYTES */
	size_t connections_max;  /* 0: ENDPOINT_CONNECTIONS_MAX; further ones are closed at once */
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

#endif
