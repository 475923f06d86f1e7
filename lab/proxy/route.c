// SPDX-License-Identifier: GPL-2.0-or-later
/* Where the proxy listens: what it was told to, and the ports that portmap's answers named. */
#include "lab/proxy/private.h"

#include <stdlib.h>

#include "base/mem.h"
#include "names/nfs4.h"
#include "names/portmap.h"

enum { NFS_PORT = 2049 };

static const int64_t again_ns = 1000000000; /* a port that was taken meanwhile is tried so often */

static void on_connection(void *context, int fd, const struct net_address *peer)
{
	proxy_link_accept(context, fd, peer);
}

/* Listens with both protocols at the same port, as servers do. */
static struct err *listen_at(struct proxy_route *route, const struct net_address *at)
{
	struct net_loop *loop = route->proxy->loop;
	struct err *err = net_listener_create(loop, at, on_connection, route, &route->listener);

	if (err)
		return err;
	route->at = *net_listener_address(route->listener);
	err = net_datagram_create(loop, &route->at, proxy_datagram_came, route, &route->datagram);
	if (err) {
		net_listener_destroy(route->listener);
		route->listener = NULL;
	}
	return err;
}

static void close_sockets(struct proxy_route *route)
{
	net_listener_destroy(route->listener);
	net_datagram_destroy(route->datagram);
	route->listener = NULL;
	route->datagram = NULL;
}

/* The time of a shut port is over. */
static void on_shut_over(void *context)
{
	struct proxy_route *route = context;
	struct net_address at = route->at;
	struct err *err = listen_at(route, &at);

	if (!err)
		return;
	proxy_note(route->proxy, "%s", err_text(err));
	err_destroy(err);
	close_sockets(route);
	net_timer_start(&route->shut, again_ns);
}

void proxy_shut(struct proxy *proxy, uint32_t program, int64_t for_ns)
{
	for (size_t i = 0; i < proxy->routes_len; i++) {
		struct proxy_route *route = proxy->routes[i];

		if (route->is_hidden || (program && route->program != program))
			continue;
		close_sockets(route);
		net_timer_stop(&route->shut);
		if (for_ns > 0)
			net_timer_start(&route->shut, for_ns);
	}
}

void proxy_route_destroy(struct proxy_route *route)
{
	close_sockets(route);
	net_timer_deinit(&route->shut);
	free(route);
}

static uint32_t program_of_port(uint16_t port)
{
	return port == NFS_PORT ? NFS4_PROGRAM : port == PMAP_PORT ? PMAP_PROG : 0;
}

/* Without sockets, and not listed yet; NULL: there is no room. */
static struct proxy_route *make(struct proxy *proxy, const struct net_address *at,
				const struct net_address *to, uint32_t program)
{
	struct proxy_route *route;

	if (proxy->routes_len == PROXY_ROUTES_MAX)
		return NULL;
	route = mem_alloc(1, sizeof(*route));
	*route = (struct proxy_route){.proxy = proxy, .at = *at, .to = *to, .program = program};
	net_timer_init(&route->shut, proxy->loop, on_shut_over, route);
	return route;
}

static struct err *add(struct proxy *proxy, const struct net_address *at,
		       const struct net_address *to, uint32_t program, struct proxy_route **out)
{
	char from_text[NET_ADDRESS_TEXT_BYTES], to_text[NET_ADDRESS_TEXT_BYTES];
	struct proxy_route *route = make(proxy, at, to, program);
	struct err *err;

	if (!route)
		return err_new("more than %d ports", PROXY_ROUTES_MAX);
	err = listen_at(route, at);
	if (err) {
		proxy_route_destroy(route);
		return err;
	}
	proxy->routes[proxy->routes_len++] = route;
	net_address_format(&route->at, from_text);
	net_address_format(to, to_text);
	proxy_note(proxy, "listens at %s for %s", from_text, to_text);
	*out = route;
	return NULL;
}

struct err *proxy_add_route(struct proxy *proxy, const struct net_address *at,
			    const struct net_address *to)
{
	struct proxy_route *route;

	return add(proxy, at, to, program_of_port(net_address_port(to)), &route);
}

const struct net_address *proxy_route_at(const struct proxy *proxy, size_t index,
					 const struct net_address **to)
{
	if (index >= proxy->routes_len)
		return NULL;
	*to = &proxy->routes[index]->to;
	return &proxy->routes[index]->at;
}

static struct proxy_route *find(const struct proxy *proxy, const struct net_address *at,
				const struct net_address *to)
{
	for (size_t i = 0; i < proxy->routes_len; i++) {
		struct proxy_route *r = proxy->routes[i];

		if (net_address_same_host(&r->to, to) &&
		    net_address_port(&r->to) == net_address_port(to) &&
		    net_address_same_host(&r->at, at))
			return r;
	}
	return NULL;
}

struct proxy_route *proxy_route_hidden(struct proxy_route *asked, const struct net_address *to)
{
	struct proxy *proxy = asked->proxy;
	struct proxy_route *route = find(proxy, &asked->at, to);

	if (route)
		return route->is_hidden ? route : NULL;
	route = make(proxy, &asked->at, to, asked->program);
	if (!route)
		return NULL;
	route->is_back = route->is_hidden = true;
	return proxy->routes[proxy->routes_len++] = route;
}

bool proxy_route_callback(struct proxy_route *asked, struct net_address *at,
			  const struct net_address *to)
{
	struct proxy_route *route = find(asked->proxy, at, to);
	struct err *err = NULL;

	if (!route)
		err = add(asked->proxy, at, to, NFS4_CALLBACK, &route);
	if (err) {
		proxy_note(asked->proxy, "callbacks do not go through the proxy: %s",
			   err_text(err));
		err_destroy(err);
		return false;
	}
	route->is_back = true;
	*at = route->at;
	return true;
}

uint16_t proxy_route_port(struct proxy_route *asked, uint32_t program, bool is_udp, uint16_t port)
{
	struct net_address to = asked->to, at = asked->at;
	struct proxy_route *route;
	struct err *err;

	(void)is_udp; /* a route listens with both */
	net_address_set_port(&to, port);
	route = find(asked->proxy, &asked->at, &to);
	if (route) {
		if (!route->program)
			route->program = program;
		return net_address_port(&route->at);
	}
	/* The server's own number where it is free: then nobody is surprised. */
	net_address_set_port(&at, port);
	err = add(asked->proxy, &at, &to, program, &route);
	if (err) {
		err_destroy(err);
		net_address_set_port(&at, 0);
		err = add(asked->proxy, &at, &to, program, &route);
	}
	if (!err) {
		route->is_back = asked->is_back;
		return net_address_port(&route->at);
	}
	proxy_note(asked->proxy, "program %u at port %u does not go through the proxy: %s", program,
		   port, err_text(err));
	err_destroy(err);
	return 0;
}
