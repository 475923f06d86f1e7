// SPDX-License-Identifier: GPL-2.0-or-later
/* See endpoint.h. */
#include "lab/serve/endpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "lab/rpc/record.h"
#include "net/datagram.h"
#include "net/listener.h"
#include "net/stream.h"

enum { MARK_BYTES = 4, LOG_BYTES = 256 };

/* One port: where calls for its program come in. */
struct door {
	struct endpoint *endpoint;
	enum server_port port;
	struct net_listener *listener; /* NULL: closed */
	struct net_datagram *datagram; /* NULL: no UDP */
};

/* A connection of a client. */
struct conn {
	struct conn *prev, *next;
	struct door *door;
	struct net_stream *stream;
	struct rpc_assembler assembler;
	uint64_t number;
};

struct endpoint {
	struct net_loop *loop;
	struct server *server;
	struct endpoint_config config;
	struct door doors[SERVER_PORTS];
	struct conn *conns;
	size_t conns_len;
	uint64_t next_number;
	uint8_t *udp_reply; /* SERVER_UDP_REPLY_BYTES */
};

static void say(struct endpoint *e, const struct conn *c, const char *what)
{
	char peer[NET_ADDRESS_TEXT_BYTES];
	char text[LOG_BYTES];

	if (!e->config.log)
		return;
	net_address_format(net_stream_peer(c->stream), peer);
	snprintf(text, sizeof(text), "%s: connection %llu from %s %s",
		 server_port_name(c->door->port), (unsigned long long)c->number, peer, what);
	e->config.log(e->config.context, text);
}

static void conn_destroy(struct conn *c)
{
	struct endpoint *e = c->door->endpoint;

	if (c->prev)
		c->prev->next = c->next;
	else
		e->conns = c->next;
	if (c->next)
		c->next->prev = c->prev;
	e->conns_len--;
	net_stream_destroy(c->stream);
	rpc_assembler_deinit(&c->assembler);
	free(c);
}

static void put_mark(uint8_t *at, size_t len)
{
	struct xdr_writer w = xdr_writer_make(at, MARK_BYTES);

	rpc_mark_encode(&w, (uint32_t)len, true);
}

/* False: what came is no RPC, and the connection is of no further use. */
static bool handle_record(struct conn *c, struct slice record)
{
	struct endpoint *e = c->door->endpoint;
	struct rpc_in in = {.peer = net_stream_peer(c->stream),
			    .local = net_stream_local(c->stream),
			    .transport = RPC_OVER_TCP,
			    .connection = c->number};
	enum server_outcome outcome = SERVER_REPLY;
	enum rpc_taken taken = rpc_in_take(record, &in);
	struct xdr_writer w;
	uint8_t *room;

	if (taken == RPC_TAKEN_GARBAGE)
		return false;
	if (taken == RPC_TAKEN_REPLY)
		return true;
	room = net_stream_reserve(c->stream, MARK_BYTES + SERVER_REPLY_BYTES);
	w = xdr_writer_make(room + MARK_BYTES, SERVER_REPLY_BYTES);
	if (taken == RPC_TAKEN_REFUSED)
		rpc_refuse(&w, &in);
	else
		outcome = serve_handle(e->server, &in, 1u << c->door->port, &w,
				       net_loop_now_ns(e->loop));
	if (outcome == SERVER_REPLY) {
		size_t len = xdr_writer_bytes(&w).len;

		put_mark(room, len);
		net_stream_commit(c->stream, MARK_BYTES + len);
	}
	return true;
}

static size_t on_data(void *context, struct slice bytes)
{
	struct conn *c = context;
	size_t done = 0;

	while (!net_stream_is_full(c->stream)) {
		struct slice record;
		size_t consumed;
		enum rpc_assembly found = rpc_assembler_take(
			&c->assembler, slice_make(bytes.ptr + done, bytes.len - done), &consumed,
			&record);

		done += consumed;
		if (found == RPC_ASSEMBLY_MORE)
			break;
		if (found == RPC_ASSEMBLY_BROKEN || !handle_record(c, record)) {
			say(c->door->endpoint, c, "sent what is no RPC and was closed");
			conn_destroy(c);
			return done;
		}
	}
	return done;
}

static void on_closed(void *context, int error)
{
	struct conn *c = context;
	char text[LOG_BYTES];

	if (error)
		snprintf(text, sizeof(text), "broke: %s", strerror(error));
	else
		snprintf(text, sizeof(text), "was closed by the client");
	say(c->door->endpoint, c, text);
	conn_destroy(c);
}

static const struct net_stream_ops conn_ops = {.data = on_data, .closed = on_closed};

static void on_accepted(void *context, int fd, const struct net_address *peer)
{
	struct door *d = context;
	struct endpoint *e = d->endpoint;
	struct conn *c;

	if (e->conns_len >= e->config.connections_max) {
		close(fd);
		return;
	}
	c = mem_alloc(1, sizeof(*c));
	c->door = d;
	c->number = e->next_number++;
	c->assembler.limit_bytes = e->config.record_bytes_max;
	c->next = e->conns;
	if (c->next)
		c->next->prev = c;
	e->conns = c;
	e->conns_len++;
	c->stream = net_stream_create(e->loop, fd, peer, &conn_ops, c);
	say(e, c, "was accepted");
}

static void on_datagram(void *context, struct slice bytes, const struct net_address *from)
{
	struct door *d = context;
	struct endpoint *e = d->endpoint;
	struct rpc_in in = {.peer = from,
			    .local = net_datagram_address(d->datagram),
			    .transport = RPC_OVER_UDP};
	struct xdr_writer w = xdr_writer_make(e->udp_reply, SERVER_UDP_REPLY_BYTES);
	enum server_outcome outcome = SERVER_REPLY;

	switch (rpc_in_take(bytes, &in)) {
	case RPC_TAKEN_CALL:
		outcome = serve_handle(e->server, &in, 1u << d->port, &w, net_loop_now_ns(e->loop));
		break;
	case RPC_TAKEN_REFUSED:
		rpc_refuse(&w, &in);
		break;
	case RPC_TAKEN_REPLY:
	case RPC_TAKEN_GARBAGE:
		return;
	}
	if (outcome == SERVER_REPLY)
		net_datagram_send(d->datagram, xdr_writer_bytes(&w), from);
}

/* UDP at the same port; NFSv4 knows no UDP, but version 3 does. */
static struct err *door_open(struct endpoint *e, enum server_port port)
{
	struct door *d = &e->doors[port];
	struct net_address at = e->config.listen;
	bool is_v6 = at.any.sa_family == AF_INET6;
	struct err *err;
	uint16_t number;

	d->endpoint = e;
	d->port = port;
	net_address_set_port(&at, e->config.ports[port]);
	err = net_listener_create(e->loop, &at, on_accepted, d, &d->listener);
	if (err)
		return err;
	number = net_address_port(net_listener_address(d->listener));
	server_register(e->server, port, RPC_OVER_TCP, is_v6, number);
	if (e->config.no_udp)
		return NULL;
	net_address_set_port(&at, number);
	err = net_datagram_create(e->loop, &at, on_datagram, d, &d->datagram);
	if (!err)
		server_register(e->server, port, RPC_OVER_UDP, is_v6, number);
	return err;
}

struct err *endpoint_create(struct net_loop *loop, struct server *server,
			    const struct endpoint_config *config, struct endpoint **out)
{
	struct endpoint *e = mem_alloc(1, sizeof(*e));
	struct err *err = NULL;

	e->loop = loop;
	e->server = server;
	e->config = *config;
	e->next_number = 1;
	if (!e->config.connections_max)
		e->config.connections_max = ENDPOINT_CONNECTIONS_MAX;
	e->udp_reply = mem_alloc(SERVER_UDP_REPLY_BYTES, 1);
	for (int port = 0; port < SERVER_PORTS && !err; port++)
		if (!config->closed[port])
			err = door_open(e, (enum server_port)port);
	if (err) {
		endpoint_destroy(e);
		return err;
	}
	*out = e;
	return NULL;
}

void endpoint_destroy(struct endpoint *e)
{
	if (!e)
		return;
	while (e->conns)
		conn_destroy(e->conns);
	for (int port = 0; port < SERVER_PORTS; port++) {
		net_listener_destroy(e->doors[port].listener);
		net_datagram_destroy(e->doors[port].datagram);
	}
	free(e->udp_reply);
	free(e);
}

uint16_t endpoint_port(const struct endpoint *e, enum server_port port)
{
	const struct door *d = &e->doors[port];

	return d->listener ? net_address_port(net_listener_address(d->listener)) : 0;
}
