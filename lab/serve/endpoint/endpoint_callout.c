// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Calls of the server to its clients: on a connection of theirs (NFSv4.1), or to an address, over a
 * connection or a socket that lives as long as the call.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "lab/serve/endpoint/endpoint_private.h"

static const int64_t answer_ns = 10000000000; /* how long an answer is waited for */
static const int64_t again_ns = 2000000000;   /* between datagrams */

struct endpoint_callout {
	struct endpoint_callout *previous, *next;
	struct endpoint *endpoint;
	struct endpoint_call call; /* args: not valid */
	uint32_t xid;
	struct strbuf framed; /* the call with its record mark */
	struct strbuf reply;  /* one that a fault delays */
	struct fault_call kept;
	uint32_t copies; /* that are sent beyond the first */
	bool is_judged, is_dropped;
	struct net_stream *stream;     /* of its own; NULL: none */
	struct net_datagram *datagram; /* the same */
	struct rpc_assembler assembler;
	struct net_timer timer;
	int64_t until_ns;
	struct net_timer later; /* it is judged, sent or answered then */
	bool is_over;           /* to be freed by the timer: its own socket may be calling */
};

static void callout_free(struct endpoint_callout *o)
{
	struct endpoint *e = o->endpoint;

	net_timer_deinit(&o->timer);
	net_timer_deinit(&o->later);
	strbuf_deinit(&o->framed);
	strbuf_deinit(&o->reply);
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

/* The reply as it is, or as faults left it. */
static void take_reply(struct endpoint_callout *o, struct slice message)
{
	struct rpc_in in = {.peer = NULL};
	bool success;

	if (rpc_in_take(message, &in) != RPC_TAKEN_REPLY)
		return;
	success = in.message.reply.reply_stat == RPC_REPLY_ACCEPTED &&
		  in.message.reply.accept_stat == RPC_ACCEPT_SUCCESS;
	finish(o, success, cursor_make(success ? in.args : (struct slice){0}));
}

/* A reply with this XID came, or was made instead of one: its faults happen to it. */
static void replied(struct endpoint_callout *o, struct slice message)
{
	struct endpoint *e = o->endpoint;
	struct fault_message m;
	struct fault_verdict v;
	struct fault_peer peer;

	if (o->reply.len) /* a fault delays it, and it came once more */
		return;
	endpoint_peer_of(&o->call.to, &peer);
	if (!o->kept.plan.len ||
	    !fault_message_read_reply(message, 0, &o->kept, &peer, &e->paths, &m)) {
		take_reply(o, message);
		return;
	}
	fault_engine_judge(e->config.engine, &m, &o->kept.plan, net_loop_now_ns(e->loop), &v);
	if (o->is_over || v.drops)
		return;
	fault_verdict_apply(&v, &m, &o->reply);
	if (v.delay_ns > 0)
		net_timer_start(&o->later, v.delay_ns);
	else
		take_reply(o, slice_make(o->reply.data, o->reply.len));
}

void endpoint_callout_replied(struct endpoint *e, uint64_t connection, const struct rpc_in *in,
			      struct slice message)
{
	for (struct endpoint_callout *o = e->callouts; o; o = o->next)
		if (o->xid == in->xid && connection && o->call.connection == connection &&
		    !o->is_over) {
			replied(o, message);
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

static struct slice framed_of(const struct endpoint_callout *o)
{
	return slice_make(o->framed.data, o->framed.len);
}

static struct slice message_of(const struct endpoint_callout *o)
{
	return slice_make(o->framed.data + ENDPOINT_MARK_BYTES,
			  o->framed.len - ENDPOINT_MARK_BYTES);
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
	if (o->datagram && !o->is_dropped)
		net_datagram_send(o->datagram, message_of(o), &o->call.to);
	net_timer_start(&o->timer, again_ns);
}

static void send_on(struct endpoint_callout *o, struct net_stream *stream)
{
	for (uint32_t i = 0; i <= o->copies; i++)
		net_stream_send(stream, framed_of(o));
}

static void on_connected(void *context)
{
	struct endpoint_callout *o = context;

	send_on(o, o->stream);
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
		replied(o, record);
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
		replied(o, bytes);
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
			send_on(o, c->stream);
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
	for (uint32_t i = 0; o->datagram && i <= o->copies; i++)
		net_datagram_send(o->datagram, message_of(o), &o->call.to);
	if (o->datagram && o->call.no_reply)
		finish_unanswered(o);
	return true;
}

/* --- faults --- */

static void set_message(struct endpoint_callout *o, struct slice message, bool breaks_mark)
{
	uint8_t mark[ENDPOINT_MARK_BYTES];
	struct xdr_writer w = xdr_writer_make(mark, sizeof(mark));

	rpc_mark_encode(&w, (uint32_t)message.len, true);
	for (size_t i = 0; breaks_mark && i < sizeof(mark); i++)
		mark[i] = (uint8_t)~mark[i];
	strbuf_reset(&o->framed);
	strbuf_add(&o->framed, mark, sizeof(mark));
	strbuf_add(&o->framed, message.ptr, message.len);
}

/* The fault answers instead of the client. False: what is left of the call is to be sent. */
static bool answer(struct endpoint_callout *o, const struct fault_message *m,
		   const struct fault_verdict *v)
{
	struct strbuf built;
	bool is_whole = false, is_built;

	strbuf_init(&built);
	is_built = fault_answer_build(&v->answer->status, v->answer_op, m, &built, &is_whole);
	if (is_built && is_whole)
		replied(o, slice_make(built.data, built.len));
	else if (is_built)
		set_message(o, slice_make(built.data, built.len), false);
	strbuf_deinit(&built);
	return is_built && is_whole;
}

/* What becomes of the call; false: it is not sent now. */
static bool suffer(struct endpoint_callout *o, const struct fault_message *m,
		   const struct fault_verdict *v)
{
	struct endpoint *e = o->endpoint;
	struct endpoint_conn *c = endpoint_conn_find(e, o->call.connection);

	o->is_dropped = v->drops;
	o->copies = v->copies;
	if (v->answer && !v->drops && answer(o, m, v))
		return false;
	if (v->edits_len) {
		fault_verdict_apply(v, m, &e->changed);
		set_message(o, slice_make(e->changed.data, e->changed.len), v->breaks_mark);
	}
	if (v->conn != FAULT_CONN_KEEP && c && !endpoint_conn_suffer(c, v->conn, v->conn_ns))
		return false;
	if (v->delay_ns > 0 && !v->drops) {
		net_timer_start(&o->later, v->delay_ns);
		return false;
	}
	return !v->drops;
}

/* The call is judged in a turn of its own: what a fault does may touch the state it comes from. */
static bool judge(struct endpoint_callout *o)
{
	struct endpoint *e = o->endpoint;
	struct endpoint_conn *c = endpoint_conn_find(e, o->call.connection);
	struct strbuf message;
	struct fault_message m;
	struct fault_verdict v;
	struct fault_peer peer;
	bool goes = true;

	o->is_judged = true;
	if (c)
		o->call.to = *net_stream_peer(c->stream);
	endpoint_peer_of(&o->call.to, &peer);
	strbuf_init(&message);
	strbuf_add(&message, message_of(o).ptr, message_of(o).len);
	if (fault_message_read_call(slice_make(message.data, message.len), 0, true, &peer,
				    &e->paths, &m)) {
		fault_engine_judge(e->config.engine, &m, NULL, net_loop_now_ns(e->loop), &v);
		fault_call_keep(&m, &o->kept);
		o->kept.plan = v.plan;
		goes = !o->is_over && suffer(o, &m, &v);
	}
	strbuf_deinit(&message);
	return goes;
}

static void on_later(void *context)
{
	struct endpoint_callout *o = context;

	if (o->is_over)
		return;
	if (o->reply.len)
		take_reply(o, slice_make(o->reply.data, o->reply.len));
	else if (!o->is_judged && !judge(o))
		return;
	else if (!callout_start(o))
		finish_unanswered(o);
}

/* False: it does not fit. */
static bool callout_encode(struct endpoint_callout *o, const struct endpoint_call *call)
{
	enum { HEADER_BYTES = 128 };
	struct rpc_auth_sys who = {.machine = slice_of_string("nfsleuth")};
	size_t room = HEADER_BYTES + call->args.len;
	uint8_t *memory = mem_alloc(room, 1);
	struct xdr_writer w = xdr_writer_make(memory, room);

	rpc_call_begin(&w, o->xid, call->program, call->version, call->procedure, &who);
	xdr_put_raw(&w, call->args);
	set_message(o, xdr_writer_bytes(&w), false);
	free(memory);
	return xdr_writer_ok(&w);
}

bool endpoint_call_out(struct endpoint *e, const struct endpoint_call *call)
{
	struct endpoint_callout *o;
	bool is_judged = e->config.engine && !fault_engine_is_empty(e->config.engine);

	if (e->callouts_len >= ENDPOINT_CALLOUTS_MAX)
		return false;
	o = mem_alloc(1, sizeof(*o));
	o->endpoint = e;
	o->call = *call;
	o->xid = e->next_xid++;
	o->until_ns = net_loop_now_ns(e->loop) + answer_ns;
	strbuf_init(&o->framed);
	strbuf_init(&o->reply);
	net_timer_init(&o->timer, e->loop, on_timer, o);
	net_timer_init(&o->later, e->loop, on_later, o);
	o->next = e->callouts;
	if (o->next)
		o->next->previous = o;
	e->callouts = o;
	e->callouts_len++;
	if (!callout_encode(o, call)) {
		callout_free(o);
		return false;
	}
	net_timer_start(&o->timer, call->transport == RPC_OVER_UDP ? again_ns : answer_ns);
	if (is_judged) {
		net_timer_start(&o->later, 0);
	} else if (!callout_start(o)) {
		callout_free(o);
		return false;
	}
	return true;
}
