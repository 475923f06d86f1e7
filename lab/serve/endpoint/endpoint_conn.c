// SPDX-License-Identifier: GPL-2.0-or-later
/* Connections of clients: what comes on them, and what faults do to them. */
#include <stdlib.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/mem.h"
#include "lab/serve/endpoint/endpoint_private.h"

static void say(struct endpoint_conn *c, const char *what)
{
	char peer[NET_ADDRESS_TEXT_BYTES];

	if (!c->door->endpoint->config.log)
		return;
	net_address_format(net_stream_peer(c->stream), peer);
	endpoint_say(c->door->endpoint, "%s: connection %llu from %s %s",
		     server_port_name(c->door->port), (unsigned long long)c->number, peer, what);
}

static uint64_t number_hash(uint64_t number)
{
	return hash_u64(hash_start(), number);
}

struct endpoint_conn *endpoint_conn_find(const struct endpoint *e, uint64_t number)
{
	return map_find(&e->by_number, number_hash(number), &number);
}

void endpoint_conn_destroy(struct endpoint_conn *c, bool reset)
{
	struct endpoint *e = c->door->endpoint;
	uint64_t number = c->number;

	if (c->previous)
		c->previous->next = c->next;
	else
		e->conns = c->next;
	if (c->next)
		c->next->previous = c->previous;
	e->conns_len--;
	map_remove(&e->by_number, number_hash(number), &number);
	net_timer_deinit(&c->timer);
	net_timer_deinit(&c->late_timer);
	strbuf_deinit(&c->late);
	if (reset)
		net_stream_reset(c->stream);
	else
		net_stream_destroy(c->stream);
	rpc_assembler_deinit(&c->assembler);
	free(c);
	endpoint_callouts_closed(e, number);
	if (e->closed)
		e->closed(e->closed_context, number);
}

static size_t on_data(void *context, struct slice bytes)
{
	struct endpoint_conn *c = context;
	struct endpoint_way way = {.door = c->door, .conn = c, .peer = *net_stream_peer(c->stream)};
	size_t done = 0;

	if (c->ignores)
		return bytes.len;
	while (!net_stream_is_full(c->stream) && !net_stream_reading_is_paused(c->stream)) {
		struct slice record;
		size_t consumed;
		enum rpc_assembly found = rpc_assembler_take(
			&c->assembler, slice_make(bytes.ptr + done, bytes.len - done), &consumed,
			&record);

		done += consumed;
		if (found == RPC_ASSEMBLY_MORE)
			break;
		if (found == RPC_ASSEMBLY_BROKEN) {
			say(c, "sent what is no RPC and is closed");
			endpoint_conn_destroy(c, false);
			return done;
		}
		if (!endpoint_handle(&way, record))
			return done;
		if (c->ignores)
			return bytes.len;
	}
	return done;
}

static void on_closed(void *context, int error)
{
	struct endpoint_conn *c = context;
	char peer[NET_ADDRESS_TEXT_BYTES];

	net_address_format(net_stream_peer(c->stream), peer);
	if (error)
		endpoint_say(c->door->endpoint, "%s: connection %llu from %s broke: %s",
			     server_port_name(c->door->port), (unsigned long long)c->number, peer,
			     strerror(error));
	else
		say(c, "was closed by the client");
	endpoint_conn_destroy(c, false);
}

static const struct net_stream_ops conn_ops = {.data = on_data, .closed = on_closed};

/* A fault's time is over. */
static void on_timer(void *context)
{
	struct endpoint_conn *c = context;

	c->ignores = false;
	net_stream_resume_reading(c->stream);
	net_stream_resume_writing(c->stream);
}

bool endpoint_conn_suffer(struct endpoint_conn *c, enum fault_conn what, int64_t for_ns)
{
	switch (what) {
	case FAULT_CONN_KEEP:
		return true;
	case FAULT_CONN_STOP_READING:
		net_stream_pause_reading(c->stream);
		break;
	case FAULT_CONN_STOP_WRITING:
		net_stream_pause_writing(c->stream);
		break;
	case FAULT_CONN_IGNORE:
		c->ignores = true;
		break;
	case FAULT_CONN_CLOSE:
	case FAULT_CONN_RESET:
		endpoint_conn_destroy(c, what == FAULT_CONN_RESET);
		return false;
	}
	if (for_ns > 0)
		net_timer_start(&c->timer, for_ns);
	return true;
}

static void on_late(void *context)
{
	struct endpoint_conn *c = context;
	struct strbuf late = c->late;

	strbuf_init(&c->late);
	net_stream_send(c->stream, slice_make(late.data, late.len));
	strbuf_deinit(&late);
}

/* What faults do to a connection that came. False: it is not accepted. */
static bool judge_connection(struct endpoint_door *door, const struct net_address *peer,
			     struct fault_verdict *v)
{
	struct endpoint *e = door->endpoint;
	struct fault_message m;
	struct fault_peer who;

	*v = (struct fault_verdict){0};
	if (!e->config.engine || fault_engine_is_empty(e->config.engine))
		return true;
	endpoint_peer_of(peer, &who);
	fault_message_of_connect(server_port_program(door->port), &who, &m);
	fault_engine_judge(e->config.engine, &m, NULL, net_loop_now_ns(e->loop), v);
	return !v->refuses;
}

void endpoint_conn_accept(struct endpoint_door *door, int fd, const struct net_address *peer)
{
	struct linger linger = {.l_onoff = 1};
	struct endpoint *e = door->endpoint;
	struct endpoint_conn *c;
	struct fault_verdict v;

	if (e->conns_len >= e->config.connections_max) {
		close(fd);
		return;
	}
	if (!judge_connection(door, peer, &v)) {
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
		close(fd);
		return;
	}
	c = mem_alloc(1, sizeof(*c));
	c->door = door;
	c->number = e->next_number++;
	c->assembler.limit_bytes = e->config.record_bytes_max;
	strbuf_init(&c->late);
	net_timer_init(&c->timer, e->loop, on_timer, c);
	net_timer_init(&c->late_timer, e->loop, on_late, c);
	c->next = e->conns;
	if (c->next)
		c->next->previous = c;
	e->conns = c;
	e->conns_len++;
	map_add(&e->by_number, number_hash(c->number), c);
	c->stream = net_stream_create(e->loop, fd, peer, &conn_ops, c);
	say(c, "was accepted");
	endpoint_conn_suffer(c, v.conn, v.conn_ns);
}
