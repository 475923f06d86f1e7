// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Calls of the server to its clients: on a connection of theirs (NFSv4.1), or to an address, over a
 * connection or a socket that lives as long as the call.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "lab/serve/endpoint_private.h"

static const int64_t answer_ns = 10000000000; /* how long an answer is waited for */
static const int64_t again_ns = 2000000000;   /* between datagrams */

struct endpoint_callout {
	struct endpoint_callout *previous, *next;
	struct endpoint *endpoint;
	struct endpoint_call call; /* args: not valid */
	uint32_t xid;
	struct net_stream *stream;     /* of its own; NULL: none */
	struct net_datagram *datagram; /* the same */
	struct rpc_assembler assembler;
	struct net_timer timer;
	int64_t until_ns;
	bool is_over; /* to be freed by the timer: its own socket may be calling */
	size_t len;
	uint8_t message[]; /* with room for a record mark before it */
};

static void callout_free(struct endpoint_callout *o)
{
	struct endpoint *e = o->endpoint;

	net_timer_deinit(&o->timer);
	net_stream_destroy(o->stream);
	net_datagram_destroy(o->datagram);
	rpc_assembler_deinit(&o->assembler);
	if (o->next)
		o->next->previous = o->previous;
	if (o->previous)
		o->previous->next = o->next;
	else
		e->callouts = o->next;
	e->callouts_len--;
	free(o);
}

/* Tells what came of it, once. The memory goes in the loop's next turn. */
static void finish(struct endpoint_callout *o, bool answered, struct cursor results)
{
	if (o->is_over)
		return;
	o->is_over = true;
	net_timer_start(&o->timer, 0);
	if (o->call.answer)
		o->call.answer(o->call.context, o->call.token, answered, results);
}

static void finish_unanswered(struct endpoint_callout *o)
{
	finish(o, false, cursor_make((struct slice){0}));
}

/* A reply with this XID came. */
static void replied(struct endpoint_callout *o, const struct rpc_in *in)
{
	bool success = in->message.reply.reply_stat == RPC_REPLY_ACCEPTED &&
		       in->message.reply.accept_stat == RPC_ACCEPT_SUCCESS;

	finish(o, success, cursor_make(success ? in->args : (struct slice){0}));
}

void endpoint_callout_replied(struct endpoint *e, uint64_t connection, const struct rpc_in *in)
{
	for (struct endpoint_callout *o = e->callouts; o; o = o->next)
		if (o->xid == in->xid && connection && o->call.connection == connection &&
		    !o->is_over) {
			replied(o, in);
			return;
		}
}

void endpoint_callouts_closed(struct endpoint *e, uint64_t connection)
{
	for (struct endpoint_callout *o = e->callouts; o; o = o->next)
		if (o->call.connection == connection)
			finish_unanswered(o);
}

/* Who waits for an answer learns that there is none: it may own memory. */
void endpoint_drop_callouts(struct endpoint *e)
{
	e->callouts_len += ENDPOINT_CALLOUTS_MAX; /* none is begun any more */
	while (e->callouts) {
		finish_unanswered(e->callouts);
		callout_free(e->callouts);
	}
}

static struct slice message_of(struct endpoint_callout *o)
{
	return slice_make(o->message + ENDPOINT_MARK_BYTES, o->len);
}

static struct slice framed_of(struct endpoint_callout *o)
{
	return slice_make(o->message, ENDPOINT_MARK_BYTES + o->len);
}

static void on_timer(void *context)
{
	struct endpoint_callout *o = context;

	if (o->is_over) {
		callout_free(o);
		return;
	}
	if (net_loop_now_ns(o->endpoint->loop) >= o->until_ns) {
		finish_unanswered(o);
		return;
	}
	net_datagram_send(o->datagram, message_of(o), &o->call.to);
	net_timer_start(&o->timer, again_ns);
}

static void on_connected(void *context)
{
	struct endpoint_callout *o = context;

	net_stream_send(o->stream, framed_of(o));
	if (o->call.no_reply)
		finish_unanswered(o);
}

static size_t on_data(void *context, struct slice bytes)
{
	struct endpoint_callout *o = context;
	struct rpc_in in = {.peer = NULL};
	struct slice record;
	size_t consumed;

	if (rpc_assembler_take(&o->assembler, bytes, &consumed, &record) == RPC_ASSEMBLY_RECORD &&
	    rpc_in_take(record, &in) == RPC_TAKEN_REPLY && in.xid == o->xid)
		replied(o, &in);
	return consumed;
}

static void on_closed(void *context, int error)
{
	(void)error;
	finish_unanswered(context);
}

static const struct net_stream_ops stream_ops = {
	.connected = on_connected, .data = on_data, .closed = on_closed};

static void on_datagram(void *context, struct slice bytes, const struct net_address *from)
{
	struct endpoint_callout *o = context;
	struct rpc_in in = {.peer = from};

	if (net_address_same_host(from, &o->call.to) &&
	    rpc_in_take(bytes, &in) == RPC_TAKEN_REPLY && in.xid == o->xid)
		replied(o, &in);
}

/* Sends it. False: there is no way. */
static bool callout_start(struct endpoint_callout *o)
{
	struct endpoint *e = o->endpoint;
	struct net_address from = e->config.listen;
	struct err *err = NULL;
	struct endpoint_conn *c;

	net_address_set_port(&from, 0);
	if (o->call.connection) {
		c = endpoint_conn_find(e, o->call.connection);
		if (c)
			net_stream_send(c->stream, framed_of(o));
		return c != NULL;
	}
	if (o->call.transport == RPC_OVER_UDP)
		err = net_datagram_create(e->loop, &from, on_datagram, o, &o->datagram);
	else
		err = net_stream_connect(e->loop, &o->call.to, NULL, &stream_ops, o, &o->stream);
	if (err) {
		endpoint_say(e, "a client cannot be called: %s", err_text(err));
		err_destroy(err);
		return false;
	}
	if (o->datagram)
		net_datagram_send(o->datagram, message_of(o), &o->call.to);
	return true;
}

/* The message, with a mark before it. False: it does not fit. */
static bool callout_encode(struct endpoint_callout *o, const struct endpoint_call *call,
			   size_t room)
{
	struct rpc_auth_sys who = {.machine = slice_of_string("nfsleuth")};
	struct xdr_writer mark = xdr_writer_make(o->message, ENDPOINT_MARK_BYTES);
	struct xdr_writer w = xdr_writer_make(o->message + ENDPOINT_MARK_BYTES, room);

	rpc_call_begin(&w, o->xid, call->program, call->version, call->procedure, &who);
	xdr_put_raw(&w, call->args);
	o->len = xdr_writer_bytes(&w).len;
	rpc_mark_encode(&mark, (uint32_t)o->len, true);
	return xdr_writer_ok(&w);
}

bool endpoint_call_out(struct endpoint *e, const struct endpoint_call *call)
{
	enum { HEADER_BYTES = 128 };
	struct endpoint_callout *o;

	if (e->callouts_len >= ENDPOINT_CALLOUTS_MAX)
		return false;
	o = mem_alloc(1, sizeof(*o) + ENDPOINT_MARK_BYTES + HEADER_BYTES + call->args.len);
	o->endpoint = e;
	o->call = *call;
	o->xid = e->next_xid++;
	o->until_ns = net_loop_now_ns(e->loop) + answer_ns;
	net_timer_init(&o->timer, e->loop, on_timer, o);
	o->next = e->callouts;
	if (o->next)
		o->next->previous = o;
	e->callouts = o;
	e->callouts_len++;
	if (!callout_encode(o, call, HEADER_BYTES + call->args.len) || !callout_start(o)) {
		callout_free(o);
		return false;
	}
	if (!o->datagram)
		net_timer_start(&o->timer, answer_ns);
	else if (call->no_reply)
		finish_unanswered(o);
	else
		net_timer_start(&o->timer, again_ns);
	return true;
}
