// SPDX-License-Identifier: GPL-2.0-or-later
/* The ports of the server, opened, moved and closed. See endpoint.h. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "lab/serve/endpoint/endpoint_private.h"

enum { LOG_BYTES = 512 };

static const int64_t again_ns = 1000000000; /* a port that was taken meanwhile is tried so often */

void endpoint_say(struct endpoint *e, const char *format, ...)
{
	char text[LOG_BYTES];
	va_list args;

	if (!e->config.log)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	e->config.log(e->config.context, text);
}

static void on_accepted(void *context, int fd, const struct net_address *peer)
{
	endpoint_conn_accept(context, fd, peer);
}

static void on_datagram(void *context, struct slice bytes, const struct net_address *from)
{
	struct endpoint_way way = {.door = context, .peer = *from};

	endpoint_handle(&way, bytes);
}

/* UDP at the same port. */
static struct err *door_open(struct endpoint_door *d, uint16_t number)
{
	struct endpoint *e = d->endpoint;
	struct net_address at = e->config.listen;
	bool is_v6 = at.any.sa_family == AF_INET6;
	struct err *err;

	net_address_set_port(&at, number);
	err = net_listener_create(e->loop, &at, on_accepted, d, &d->listener);
	if (err)
		return err;
	d->number = number = net_address_port(net_listener_address(d->listener));
	server_register(e->server, d->port, RPC_OVER_TCP, is_v6, number);
	if (e->config.no_udp)
		return NULL;
	net_address_set_port(&at, number);
	err = net_datagram_create(e->loop, &at, on_datagram, d, &d->datagram);
	if (!err)
		server_register(e->server, d->port, RPC_OVER_UDP, is_v6, number);
	return err;
}

static void door_close(struct endpoint_door *d)
{
	net_listener_destroy(d->listener);
	net_datagram_destroy(d->datagram);
	d->listener = NULL;
	d->datagram = NULL;
}

static void on_shut_over(void *context)
{
	struct endpoint_door *d = context;
	struct err *err = d->listener ? NULL : door_open(d, d->number);

	if (err) {
		endpoint_say(d->endpoint, "%s: stays shut: %s", server_port_name(d->port),
			     err_text(err));
		door_close(d);
		net_timer_start(&d->shut, again_ns);
		err_destroy(err);
	}
}

void endpoint_shut_port(struct endpoint *e, enum server_port port, int64_t for_ns)
{
	struct endpoint_door *d = &e->doors[port];

	if (!d->number)
		return;
	door_close(d);
	net_timer_stop(&d->shut);
	if (for_ns > 0)
		net_timer_start(&d->shut, for_ns);
}

static bool number_equal(const void *item, const void *key)
{
	return ((const struct endpoint_conn *)item)->number == *(const uint64_t *)key;
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
	e->next_xid = (uint32_t)hash_u64(hash_start(), 1);
	if (!e->config.connections_max)
		e->config.connections_max = ENDPOINT_CONNECTIONS_MAX;
	e->scratch = mem_alloc(SERVER_REPLY_BYTES, 1);
	map_init(&e->by_number, number_equal);
	endpoint_hold_init(e);
	fault_paths_init(&e->paths);
	strbuf_init(&e->changed);
	strbuf_init(&e->answer);
	for (int port = 0; port < SERVER_PORTS; port++) {
		e->doors[port].endpoint = e;
		e->doors[port].port = (enum server_port)port;
		net_timer_init(&e->doors[port].shut, loop, on_shut_over, &e->doors[port]);
		if (!config->closed[port] && !err)
			err = door_open(&e->doors[port], config->ports[port]);
	}
	if (err) {
		endpoint_destroy(e);
		return err;
	}
	*out = e;
	return NULL;
}

void endpoint_reset_all(struct endpoint *e)
{
	struct endpoint_conn *next;

	for (struct endpoint_conn *c = e->conns; c; c = next) {
		next = c->next;
		endpoint_conn_destroy(c, true);
	}
}

void endpoint_destroy(struct endpoint *e)
{
	if (!e)
		return;
	e->closed = NULL;
	fault_later_deinit(&e->held);
	endpoint_drop_callouts(e);
	while (e->conns)
		endpoint_conn_destroy(e->conns, false);
	for (int port = 0; port < SERVER_PORTS; port++) {
		net_timer_deinit(&e->doors[port].shut);
		door_close(&e->doors[port]);
	}
	map_deinit(&e->by_number);
	fault_paths_deinit(&e->paths);
	strbuf_deinit(&e->changed);
	strbuf_deinit(&e->answer);
	free(e->scratch);
	free(e);
}

uint16_t endpoint_port(const struct endpoint *e, enum server_port port)
{
	const struct endpoint_door *d = &e->doors[port];

	return d->listener ? net_address_port(net_listener_address(d->listener)) : 0;
}

struct err *endpoint_move_port(struct endpoint *e, enum server_port port)
{
	struct endpoint_door *d = &e->doors[port];
	struct endpoint_door old = *d;
	struct endpoint_conn *next;
	struct err *err;

	/* The new one is opened first, so that it is another number. */
	d->listener = NULL;
	d->datagram = NULL;
	err = door_open(d, 0);
	if (err) {
		door_close(d);
		d->listener = old.listener;
		d->datagram = old.datagram;
		d->number = old.number;
		return err;
	}
	net_timer_stop(&d->shut);
	door_close(&old);
	for (struct endpoint_conn *c = e->conns; c; c = next) {
		next = c->next;
		if (c->door == d)
			endpoint_conn_destroy(c, true);
	}
	endpoint_say(e, "%s: now at port %u", server_port_name(port),
		     (unsigned)endpoint_port(e, port));
	return NULL;
}

void endpoint_on_closed(struct endpoint *e, void (*closed)(void *context, uint64_t connection),
			void *context)
{
	e->closed = closed;
	e->closed_context = context;
}
