// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A connection through the proxy: two streams, each with a queue; FIN of one is FIN of the other
 * once all before it has gone out, RST is RST.
 */
#include "lab/proxy/private.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/mem.h"

enum {
	RESERVED_PORTS_END = 1024, /* servers may want clients that are root at their host */
	RESERVED_PORTS_FIRST = 665,
	RESERVED_TRIES = 32,
	UNSENT_BYTES_MAX = 64 << 20, /* to a client that a fault keeps from being written to */
	LINGER_MS = 20,
	CLOSING_MS = 5000
};

static const int64_t ms_ns = 1000000;

void proxy_peer_of(const struct net_address *address, struct fault_peer *out)
{
	*out = (struct fault_peer){.address = {[10] = 0xff, [11] = 0xff},
				   .port = net_address_port(address)};
	if (address->any.sa_family == AF_INET6)
		memcpy(out->address, &address->v6.sin6_addr, 16);
	else
		memcpy(out->address + 12, &address->v4.sin_addr, 4);
}

/* --- the list of links --- */

static void on_timer(void *context);
static void on_linger(void *context);

struct proxy_link *proxy_link_new(struct proxy_route *route, const struct net_address *peer)
{
	struct proxy *proxy = route->proxy;
	struct proxy_link *link;

	if (proxy->links_len >= PROXY_LINKS_MAX)
		return NULL;
	link = mem_alloc(1, sizeof(*link));
	link->proxy = proxy;
	link->route = route;
	link->id = ++proxy->next_id;
	link->client_address = *peer;
	link->local = route->at;
	proxy_peer_of(peer, &link->client);
	for (int side = PROXY_CLIENT; side <= PROXY_SERVER; side++) {
		link->ends[side].link = link;
		link->ends[side].side = (enum proxy_side)side;
		strbuf_init(&link->ends[side].late);
		proxy_calls_init(&link->ends[side]);
	}
	net_timer_init(&link->timer, proxy->loop, on_timer, link);
	net_timer_init(&link->linger, proxy->loop, on_linger, link);
	link->next = proxy->links;
	if (link->next)
		link->next->previous = link;
	proxy->links = link;
	proxy->links_len++;
	map_add(&proxy->by_id, hash_u64(hash_start(), link->id), link);
	return link;
}

static void unlist(struct proxy_link *link)
{
	struct proxy *proxy = link->proxy;

	if (link->next)
		link->next->previous = link->previous;
	if (link->previous)
		link->previous->next = link->next;
	else
		proxy->links = link->next;
	proxy->links_len--;
	map_remove(&proxy->by_id, hash_u64(hash_start(), link->id), &link->id);
}

void proxy_link_destroy(struct proxy_link *link, bool reset)
{
	unlist(link);
	for (int side = PROXY_CLIENT; side <= PROXY_SERVER; side++) {
		struct proxy_end *end = &link->ends[side];

		if (end->stream && reset)
			net_stream_reset(end->stream);
		else
			net_stream_destroy(end->stream);
		net_timer_deinit(&end->late_timer);
		strbuf_deinit(&end->late);
		proxy_forget_calls(end);
	}
	net_timer_deinit(&link->timer);
	net_timer_deinit(&link->linger);
	net_datagram_destroy(link->up);
	free(link);
}

/* --- what comes and goes --- */

void proxy_link_send(struct proxy_link *link, enum proxy_side to, struct slice framed)
{
	struct net_stream *stream = link->ends[to].stream;

	if (link->is_closing)
		return;
	if (stream)
		net_stream_send(stream, framed);
	else if (link->up && to == PROXY_SERVER)
		net_datagram_send(link->up, framed, &link->route->to);
	else if (link->up && link->route->datagram)
		net_datagram_send(link->route->datagram, framed, &link->client_address);
}

static size_t on_data(void *context, struct slice bytes)
{
	struct proxy_end *end = context;
	struct proxy_end *other = &end->link->ends[1 - end->side];
	size_t total = 0;

	if (end->link->is_closing)
		return bytes.len;
	while (total < bytes.len) {
		size_t count;

		if (other->stream && (net_stream_is_full(other->stream) ||
				      net_stream_queued_bytes(other->stream) > UNSENT_BYTES_MAX)) {
			end->waits = true;
			net_stream_pause_reading(end->stream);
			break;
		}
		count = proxy_pipe_take(end, slice_make(bytes.ptr + total, bytes.len - total));
		if (count == SIZE_MAX) /* the link is gone, and its streams with it */
			return bytes.len;
		if (count == 0)
			break;
		total += count;
	}
	return total;
}

static void on_drained(void *context)
{
	struct proxy_end *end = context;
	struct proxy_end *other = &end->link->ends[1 - end->side];

	if (!other->waits || !other->stream)
		return;
	other->waits = false;
	net_stream_resume_reading(other->stream);
}

static void on_ended(void *context)
{
	struct proxy_end *end = context;
	struct proxy_link *link = end->link;
	struct proxy_end *other = &link->ends[1 - end->side];

	end->has_ended = true;
	if (link->is_closing || !other->stream) {
		proxy_link_destroy(link, false);
		return;
	}
	net_stream_end(other->stream);
	if (other->has_ended)
		net_timer_start(&link->linger, LINGER_MS * ms_ns);
}

/* Both ends have sent their FIN: the last bytes may still be under way. */
static void on_linger(void *context)
{
	struct proxy_link *link = context;

	for (int side = PROXY_CLIENT; side <= PROXY_SERVER; side++) {
		if (link->ends[side].stream && net_stream_queued_bytes(link->ends[side].stream)) {
			net_timer_start(&link->linger, LINGER_MS * ms_ns);
			return;
		}
	}
	proxy_link_destroy(link, false);
}

static void on_closed(void *context, int error)
{
	struct proxy_end *end = context;
	struct proxy_link *link = end->link;
	char text[NET_ADDRESS_TEXT_BYTES];

	if (end->side == PROXY_SERVER && error) {
		net_address_format(&link->route->to, text);
		proxy_note(link->proxy, "connection %llu: server %s: %s",
			   (unsigned long long)link->id, text, strerror(error));
	}
	proxy_link_destroy(link, error != 0);
}

static const struct net_stream_ops stream_ops = {
	.data = on_data,
	.closed = on_closed,
	.ended = on_ended,
	.drained = on_drained,
};

/* --- the server's side --- */

/* From a reserved port, where the client has one and we may. */
static bool connect_reserved(struct proxy_link *link)
{
	struct proxy *proxy = link->proxy;
	struct net_address from = link->route->to;

	if (link->client.port >= RESERVED_PORTS_END || geteuid() != 0)
		return false;
	if (from.any.sa_family == AF_INET6)
		memset(&from.v6.sin6_addr, 0, sizeof(from.v6.sin6_addr));
	else
		from.v4.sin_addr.s_addr = 0;
	for (int i = 0; i < RESERVED_TRIES; i++) {
		struct err *err;

		if (--proxy->source_port < RESERVED_PORTS_FIRST)
			proxy->source_port = RESERVED_PORTS_END - 1;
		net_address_set_port(&from, proxy->source_port);
		err = net_stream_connect(proxy->loop, &link->route->to, &from, &stream_ops,
					 &link->ends[PROXY_SERVER],
					 &link->ends[PROXY_SERVER].stream);
		if (!err)
			return true;
		err_destroy(err);
	}
	return false;
}

/* False: there is no socket left; the link is gone. */
static bool connect_server(struct proxy_link *link)
{
	struct proxy_end *server = &link->ends[PROXY_SERVER];
	struct err *err;

	if (connect_reserved(link))
		return true;
	err = net_stream_connect(link->proxy->loop, &link->route->to, NULL, &stream_ops, server,
				 &server->stream);
	if (!err)
		return true;
	proxy_note(link->proxy, "%s", err_text(err));
	err_destroy(err);
	proxy_link_destroy(link, true);
	return false;
}

/* --- faults of connections --- */

/* What was done for a while is over. */
static void on_timer(void *context)
{
	struct proxy_link *link = context;
	struct net_stream *client = link->ends[PROXY_CLIENT].stream;

	if (link->is_closing) {
		proxy_link_destroy(link, false);
		return;
	}
	link->ignores = false;
	if (!link->up && !link->ends[PROXY_SERVER].stream && !connect_server(link))
		return;
	if (client) {
		net_stream_resume_writing(client);
		net_stream_resume_reading(client);
	}
}

/* FIN to the client; what it still sends is read, so that the FIN does not become a RST. */
static void close_client(struct proxy_link *link)
{
	struct proxy_end *server = &link->ends[PROXY_SERVER];

	link->is_closing = true;
	net_stream_destroy(server->stream);
	server->stream = NULL;
	net_stream_end(link->ends[PROXY_CLIENT].stream);
	net_stream_resume_reading(link->ends[PROXY_CLIENT].stream);
	net_timer_start(&link->timer, CLOSING_MS * ms_ns);
}

bool proxy_link_suffer(struct proxy_link *link, enum fault_conn conn, int64_t for_ns)
{
	struct net_stream *client = link->ends[PROXY_CLIENT].stream;

	if (!client && conn != FAULT_CONN_IGNORE)
		return true; /* UDP has no connection */
	switch (conn) {
	case FAULT_CONN_KEEP:
		return true;
	case FAULT_CONN_STOP_READING:
		net_stream_pause_reading(client);
		break;
	case FAULT_CONN_STOP_WRITING:
		net_stream_pause_writing(client);
		break;
	case FAULT_CONN_IGNORE:
		link->ignores = true;
		break;
	case FAULT_CONN_CLOSE:
		close_client(link);
		return true;
	case FAULT_CONN_RESET:
		proxy_link_destroy(link, true);
		return false;
	}
	if (for_ns > 0)
		net_timer_start(&link->timer, for_ns);
	return true;
}

/* --- a client comes --- */

void proxy_link_accept(struct proxy_route *route, int fd, const struct net_address *peer)
{
	struct proxy *proxy = route->proxy;
	struct proxy_route *back = proxy_back_route(route, peer);
	struct proxy_link *link = proxy_link_new(back ? back : route, peer);
	struct proxy_end *client;
	struct fault_verdict v;
	struct fault_message m;

	if (!link) {
		proxy_note(proxy, "more than %d connections: one is closed", PROXY_LINKS_MAX);
		close(fd);
		return;
	}
	client = &link->ends[PROXY_CLIENT];
	client->stream = net_stream_create(proxy->loop, fd, peer, &stream_ops, client);
	link->local = *net_stream_local(client->stream);
	if (link->route->is_back) {
		proxy_peer_of(&link->route->to, &link->client);
		connect_server(link);
		return;
	}
	route->client = *peer;
	fault_message_of_connect(route->program, &link->client, &m);
	fault_engine_judge(proxy->engine, &m, NULL, net_loop_now_ns(proxy->loop), &v);
	if (v.refuses)
		v.conn = FAULT_CONN_RESET;
	if (v.conn != FAULT_CONN_KEEP && !proxy_link_suffer(link, v.conn, v.conn_ns))
		return;
	if (link->is_closing || link->ignores)
		return;
	if (v.delay_ns > 0) {
		net_stream_pause_reading(client->stream);
		net_timer_start(&link->timer, v.delay_ns);
		return;
	}
	connect_server(link);
}
