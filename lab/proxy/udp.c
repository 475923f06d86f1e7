// SPDX-License-Identifier: GPL-2.0-or-later
/* Clients of UDP: each has a socket of its own toward the server, which tells the replies apart. */
#include "lab/proxy/private.h"

#include <string.h>

enum { CLIENTS_MAX = 256 };

static struct proxy_link *find(struct proxy_route *route, const struct net_address *from)
{
	struct proxy_link *link = route->proxy->links;

	while (link && !(link->up && link->route == route &&
			 net_address_same_host(&link->client_address, from) &&
			 net_address_port(&link->client_address) == net_address_port(from)))
		link = link->next;
	return link;
}

/* The one that was silent for the longest time makes room. */
static void make_room(struct proxy *proxy)
{
	struct proxy_link *oldest = NULL;

	for (struct proxy_link *l = proxy->links; l; l = l->next)
		if (l->up && (!oldest || l->used_ns < oldest->used_ns))
			oldest = l;
	if (!oldest)
		return;
	proxy_link_destroy(oldest, false);
	proxy->udp_len--;
}

static void reply_came(void *context, struct slice bytes, const struct net_address *from)
{
	struct proxy_link *link = context;
	struct proxy_message m = {.from = PROXY_SERVER, .bytes = bytes, .raw = bytes};

	if (net_address_same_host(from, &link->route->to))
		proxy_relay(link, &m);
}

static struct proxy_link *add(struct proxy_route *route, const struct net_address *from)
{
	struct proxy *proxy = route->proxy;
	struct net_address any = route->to;
	struct proxy_link *link;
	struct err *err;

	if (proxy->udp_len >= CLIENTS_MAX)
		make_room(proxy);
	link = proxy_link_new(route, from);
	if (!link)
		return NULL;
	net_address_set_port(&any, 0);
	if (any.any.sa_family == AF_INET6)
		memset(&any.v6.sin6_addr, 0, sizeof(any.v6.sin6_addr));
	else
		any.v4.sin_addr.s_addr = 0;
	err = net_datagram_create(proxy->loop, &any, reply_came, link, &link->up);
	if (!err) {
		proxy->udp_len++;
		return link;
	}
	proxy_note(proxy, "%s", err_text(err));
	err_destroy(err);
	proxy_link_destroy(link, false);
	return NULL;
}

void proxy_datagram_came(void *context, struct slice bytes, const struct net_address *from)
{
	struct proxy_route *route = context;
	struct proxy_message m = {.from = PROXY_CLIENT, .bytes = bytes, .raw = bytes};
	struct proxy_link *link = find(route, from);

	if (!link)
		link = add(route, from);
	if (!link)
		return;
	link->used_ns = net_loop_now_ns(route->proxy->loop);
	proxy_relay(link, &m);
}
