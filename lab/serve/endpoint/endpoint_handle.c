// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One message: executed by the server, and before and after that judged by the engine of faults.
 * Without a fault the reply is written straight to where it goes out.
 */
#include "lab/serve/endpoint/endpoint_private.h"

/* How long a reply that is to come out of order waits for another at most. */
static const int64_t late_ns = 1000000000;

void endpoint_peer_of(const struct net_address *address, struct fault_peer *out)
{
	*out = (struct fault_peer){.address = {[10] = 0xff, [11] = 0xff},
				   .port = net_address_port(address)};
	if (address->any.sa_family == AF_INET6)
		memcpy(out->address, &address->v6.sin6_addr, 16);
	else
		memcpy(out->address + 12, &address->v4.sin_addr, 4);
}

static void put_mark(uint8_t *at, size_t len, bool breaks)
{
	uint32_t mark = (uint32_t)len | UINT32_C(0x80000000);

	mark = __builtin_bswap32(breaks ? ~mark : mark);
	memcpy(at, &mark, sizeof(mark));
}

void endpoint_send(const struct endpoint_way *way, struct slice message, bool breaks)
{
	uint8_t *room;

	if (!way->conn) {
		if (way->door->datagram)
			net_datagram_send(way->door->datagram, message, &way->peer);
		return;
	}
	room = net_stream_reserve(way->conn->stream, ENDPOINT_MARK_BYTES + message.len);
	put_mark(room, message.len, breaks);
	memcpy(room + ENDPOINT_MARK_BYTES, message.ptr, message.len);
	net_stream_commit(way->conn->stream, ENDPOINT_MARK_BYTES + message.len);
}

static struct rpc_in in_of(const struct endpoint_way *way)
{
	struct rpc_in in = {.peer = &way->peer};

	if (way->conn) {
		in.local = net_stream_local(way->conn->stream);
		in.transport = RPC_OVER_TCP;
		in.connection = way->conn->number;
	} else {
		in.local = way->door->datagram ? net_datagram_address(way->door->datagram) : NULL;
		in.transport = RPC_OVER_UDP;
	}
	return in;
}

/* The reply to a message that was taken; false: there is none. */
static bool reply_make(const struct endpoint_way *way, const struct rpc_in *in,
		       enum rpc_taken taken, struct xdr_writer *w)
{
	struct endpoint *e = way->door->endpoint;

	if (taken == RPC_TAKEN_REFUSED) {
		rpc_refuse(w, in);
		return true;
	}
	return serve_handle(e->server, in, 1u << way->door->port, w, net_loop_now_ns(e->loop)) ==
	       SERVER_REPLY;
}

static size_t reply_room(const struct endpoint_way *way)
{
	return way->conn ? SERVER_REPLY_BYTES : SERVER_UDP_REPLY_BYTES;
}

/* The ordinary way. */
static void reply_straight(const struct endpoint_way *way, const struct rpc_in *in,
			   enum rpc_taken taken)
{
	struct endpoint *e = way->door->endpoint;
	struct xdr_writer w = xdr_writer_make(e->scratch, reply_room(way));
	uint8_t *room;

	if (!way->conn) {
		if (reply_make(way, in, taken, &w))
			endpoint_send(way, xdr_writer_bytes(&w), false);
		return;
	}
	room = net_stream_reserve(way->conn->stream, ENDPOINT_MARK_BYTES + SERVER_REPLY_BYTES);
	w = xdr_writer_make(room + ENDPOINT_MARK_BYTES, SERVER_REPLY_BYTES);
	if (reply_make(way, in, taken, &w)) {
		size_t len = xdr_writer_bytes(&w).len;

		put_mark(room, len, false);
		net_stream_commit(way->conn->stream, ENDPOINT_MARK_BYTES + len);
	}
}

/* Holds a reply back until another has gone out. */
static bool reply_reorder(const struct endpoint_way *way, struct slice message, bool breaks,
			  int64_t delay_ns)
{
	struct endpoint_conn *c = way->conn;
	uint8_t mark[ENDPOINT_MARK_BYTES];

	if (!c || c->late.len)
		return false;
	put_mark(mark, message.len, breaks);
	strbuf_add(&c->late, mark, sizeof(mark));
	strbuf_add(&c->late, message.ptr, message.len);
	net_timer_start(&c->late_timer, late_ns + delay_ns);
	return true;
}

static void reply_send(const struct endpoint_way *way, struct slice message,
		       const struct fault_verdict *v)
{
	if (v->reorders && reply_reorder(way, message, v->breaks_mark, v->delay_ns))
		return;
	for (uint32_t i = 0; i <= v->copies; i++) {
		if (v->delay_ns > 0 &&
		    endpoint_hold(way, message, NULL, v->breaks_mark, v->delay_ns))
			continue;
		endpoint_send(way, message, v->breaks_mark);
		/* What waited for another goes out behind it. */
		if (way->conn && way->conn->late.len) {
			net_stream_send(way->conn->stream,
					slice_make(way->conn->late.data, way->conn->late.len));
			strbuf_reset(&way->conn->late);
			net_timer_stop(&way->conn->late_timer);
		}
	}
}

static bool suffer(const struct endpoint_way *way, const struct fault_verdict *v)
{
	return !way->conn || v->conn == FAULT_CONN_KEEP ||
	       endpoint_conn_suffer(way->conn, v->conn, v->conn_ns);
}

/* A reply on its way out. */
static bool reply_judge(const struct endpoint_way *way, struct slice reply,
			const struct fault_call *kept)
{
	struct endpoint *e = way->door->endpoint;
	uint64_t number = way->conn ? way->conn->number : 0;
	struct fault_message m;
	struct fault_verdict v;
	struct fault_peer peer;

	endpoint_peer_of(&way->peer, &peer);
	if (!fault_message_read_reply(reply, 0, kept, &peer, &e->paths, &m)) {
		endpoint_send(way, reply, false);
		return true;
	}
	fault_engine_judge(e->config.engine, &m, &kept->plan, net_loop_now_ns(e->loop), &v);
	if (number && !endpoint_conn_find(e, number))
		return false;
	if (v.edits_len) {
		fault_verdict_apply(&v, &m, &e->changed);
		reply = slice_make(e->changed.data, e->changed.len);
	}
	if (!v.drops)
		reply_send(way, reply, &v);
	return suffer(way, &v);
}

bool endpoint_execute(const struct endpoint_way *way, struct slice message,
		      const struct fault_call *kept)
{
	struct endpoint *e = way->door->endpoint;
	struct xdr_writer w = xdr_writer_make(e->scratch, reply_room(way));
	struct rpc_in in = in_of(way);
	enum rpc_taken taken = rpc_in_take(message, &in);

	if (taken == RPC_TAKEN_GARBAGE || taken == RPC_TAKEN_REPLY ||
	    !reply_make(way, &in, taken, &w))
		return true;
	return reply_judge(way, xdr_writer_bytes(&w), kept);
}

/* The fault answers instead of the server, or cuts the call so that the server answers less. */
static bool call_answer(const struct endpoint_way *way, const struct fault_message *m,
			const struct fault_verdict *v, const struct fault_call *kept)
{
	struct strbuf *built = &way->door->endpoint->answer;
	bool is_whole;

	if (!fault_answer_build(&v->answer->status, v->answer_op, m, built, &is_whole))
		return endpoint_execute(way, m->bytes, kept);
	if (is_whole)
		return reply_judge(way, slice_make(built->data, built->len), kept);
	return endpoint_execute(way, slice_make(built->data, built->len), kept);
}

/* A call that is to be judged. */
static bool call_judge(const struct endpoint_way *way, const struct fault_message *m)
{
	struct endpoint *e = way->door->endpoint;
	uint64_t number = way->conn ? way->conn->number : 0;
	struct slice message = m->bytes;
	struct fault_verdict v;
	struct fault_call kept;

	fault_engine_judge(e->config.engine, m, NULL, net_loop_now_ns(e->loop), &v);
	/* A restart resets connections, this one too. */
	if (number && !endpoint_conn_find(e, number))
		return false;
	fault_call_keep(m, &kept);
	kept.plan = v.plan;
	if (v.drops)
		return suffer(way, &v);
	if (v.answer)
		return call_answer(way, m, &v, &kept) && suffer(way, &v);
	if (v.edits_len) {
		fault_verdict_apply(&v, m, &e->changed);
		message = slice_make(e->changed.data, e->changed.len);
	}
	for (uint32_t i = 0; i <= v.copies; i++) {
		int64_t wait_ns = v.delay_ns + (v.reorders ? late_ns : 0);

		if (wait_ns > 0 && endpoint_hold(way, message, &kept, false, wait_ns))
			continue;
		if (!endpoint_execute(way, message, &kept))
			return false;
	}
	return suffer(way, &v);
}

bool endpoint_handle(const struct endpoint_way *way, struct slice message)
{
	struct endpoint *e = way->door->endpoint;
	struct rpc_in in = in_of(way);
	enum rpc_taken taken = rpc_in_take(message, &in);
	struct fault_message m;
	struct fault_peer peer;

	switch (taken) {
	case RPC_TAKEN_GARBAGE:
		if (way->conn)
			endpoint_conn_destroy(way->conn, false);
		return !way->conn;
	case RPC_TAKEN_REPLY:
		endpoint_callout_replied(e, in.connection, &in, message);
		return !in.connection || endpoint_conn_find(e, in.connection);
	case RPC_TAKEN_CALL:
	case RPC_TAKEN_REFUSED:
		break;
	}
	if (e->config.engine && !fault_engine_is_empty(e->config.engine)) {
		endpoint_peer_of(&way->peer, &peer);
		if (fault_message_read_call(message, 0, false, &peer, &e->paths, &m))
			return call_judge(way, &m);
	}
	reply_straight(way, &in, taken);
	return true;
}
