// SPDX-License-Identifier: GPL-2.0-or-later
/* One message: which call it is, what the engine of faults says, and what comes of it. */
#include "lab/proxy/private.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "proto/rpc_encode.h"

enum { MARK_BYTES = 4 };

static const int64_t late_ns = 1000000000; /* how long a reordered message waits at most */

/* --- calls that wait for their replies --- */

static uint64_t xid_hash(uint32_t xid)
{
	return hash_u64(hash_start(), xid);
}

static bool call_has_xid(const void *item, const void *key)
{
	const struct proxy_call *call = item;

	return call->facts.xid == *(const uint32_t *)key;
}

void proxy_calls_init(struct proxy_end *end)
{
	map_init(&end->calls, call_has_xid);
}

void proxy_forget_calls(struct proxy_end *end)
{
	size_t index = 0;
	struct proxy_call *call;

	while ((call = map_next(&end->calls, &index))) {
		free(call);
		end->link->proxy->calls_len--;
	}
	map_deinit(&end->calls);
}

/* A call that is sent again under its XID is the same call. */
static struct proxy_call *remember(struct proxy_end *end, const struct fault_message *m,
				   const struct fault_plan *plan)
{
	struct proxy *proxy = end->link->proxy;
	struct proxy_call *call = map_find(&end->calls, xid_hash(m->xid), &m->xid);

	if (!call && proxy->calls_len >= PROXY_CALLS_MAX)
		return NULL;
	if (!call) {
		call = mem_alloc(1, sizeof(*call));
		call->facts.xid = m->xid;
		map_add(&end->calls, xid_hash(m->xid), call);
		proxy->calls_len++;
	}
	fault_call_keep(m, &call->facts);
	call->facts.plan = *plan;
	portmap_question_read(m, &call->question);
	return call;
}

/* --- what comes of a message --- */

/* With a record mark where there are records; `breaks` turns the bits of the mark. */
static struct slice frame(struct proxy_link *link, struct slice bytes, bool breaks)
{
	struct strbuf *out = &link->proxy->framed;
	uint32_t mark = (uint32_t)bytes.len | 0x80000000u;

	if (link->up)
		return bytes;
	mark = htonl(breaks ? ~mark : mark);
	strbuf_reset(out);
	strbuf_add(out, &mark, sizeof(mark));
	strbuf_add(out, bytes.ptr, bytes.len);
	return slice_make(out->data, out->len);
}

static void send_late(struct proxy_end *end)
{
	struct strbuf late = end->late;

	if (!late.len)
		return;
	strbuf_init(&end->late);
	net_timer_stop(&end->late_timer);
	proxy_link_send(end->link, 1 - end->side, slice_make(late.data, late.len));
	strbuf_deinit(&late);
}

static void on_late(void *context)
{
	send_late(context);
}

static void send_now(struct proxy_end *from, struct slice framed)
{
	proxy_link_send(from->link, 1 - from->side, framed);
	send_late(from);
}

static void send_verdict(struct proxy_end *from, struct slice framed, const struct fault_verdict *v)
{
	struct proxy_link *link = from->link;

	if (v->reorders && !from->late.len) {
		strbuf_add(&from->late, framed.ptr, framed.len);
		net_timer_init(&from->late_timer, link->proxy->loop, on_late, from);
		net_timer_start(&from->late_timer, late_ns + v->delay_ns);
		return;
	}
	for (uint32_t i = 0; i <= v->copies; i++)
		if (v->delay_ns <= 0 || !proxy_hold(link, 1 - from->side, framed, v->delay_ns))
			send_now(from, framed);
}

/* Sends the message as the verdict has it. False: the link is gone. */
static bool deliver(struct proxy_end *from, const struct fault_message *m, bool is_rewritten,
		    struct slice raw, const struct fault_verdict *v)
{
	struct proxy *proxy = from->link->proxy;

	if (m->missing_bytes) {
		if (v->fired_count && (v->drops || v->edits_len || v->delay_ns || v->copies))
			proxy_note(proxy,
				   "a message of more than %d bytes is not changed: it passes",
				   PROXY_CHANGE_BYTES);
		send_now(from, raw);
	} else if (!v->drops) {
		struct slice framed = raw;

		if (v->edits_len) {
			fault_verdict_apply(v, m, &proxy->changed);
			framed = frame(from->link,
				       slice_make(proxy->changed.data, proxy->changed.len),
				       v->breaks_mark);
		} else if (is_rewritten || v->breaks_mark) {
			framed = frame(from->link, m->bytes, v->breaks_mark);
		}
		send_verdict(from, framed, v);
	}
	return v->conn == FAULT_CONN_KEEP || proxy_link_suffer(from->link, v->conn, v->conn_ns);
}

/* --- calls --- */

/* The answer goes through the relay as if the server had sent it: its faults happen to it. */
static bool turn_away(struct proxy_end *from, struct slice reply)
{
	struct proxy_message m = {.from = 1 - from->side, .bytes = reply};
	struct strbuf framed;
	struct slice made = frame(from->link, reply, false);
	bool alive;

	/* The scratch buffers are used again on the way. */
	strbuf_init(&framed);
	strbuf_add(&framed, made.ptr, made.len);
	m.raw = slice_make(framed.data, framed.len);
	m.bytes = slice_make(framed.data + (made.len - reply.len), reply.len);
	alive = proxy_relay(from->link, &m);
	strbuf_deinit(&framed);
	return alive;
}

static bool answer(struct proxy_end *from, struct fault_message *m, struct fault_verdict *v,
		   struct slice raw)
{
	struct strbuf *built = &from->link->proxy->rewritten;
	bool is_whole = false;

	if (m->missing_bytes ||
	    !fault_answer_build(&v->answer->status, v->answer_op, m, built, &is_whole))
		return deliver(from, m, false, raw, v);
	if (!is_whole) {
		m->bytes = slice_make(built->data, built->len);
		return deliver(from, m, true, raw, v);
	}
	if (!turn_away(from, slice_make(built->data, built->len)))
		return false;
	return v->conn == FAULT_CONN_KEEP || proxy_link_suffer(from->link, v->conn, v->conn_ns);
}

static bool relay_call(struct proxy_end *from, const struct proxy_message *message)
{
	struct proxy_link *link = from->link;
	struct proxy *proxy = link->proxy;
	bool is_callback = (from->side == PROXY_SERVER) != link->route->is_back;
	bool is_rewritten;
	struct fault_verdict v;
	struct fault_message m;

	if (!fault_message_read_call(message->bytes, message->missing_bytes, is_callback,
				     &link->client, &proxy->paths, &m)) {
		send_now(from, message->raw);
		return true;
	}
	is_rewritten = proxy_back_rewrite(link, &m, &proxy->callback);
	if (is_rewritten)
		fault_message_read_call(slice_make(proxy->callback.data, proxy->callback.len), 0,
					is_callback, &link->client, &proxy->paths, &m);
	fault_engine_judge(proxy->engine, &m, NULL, net_loop_now_ns(proxy->loop), &v);
	if (!remember(from, &m, &v.plan) && v.answer)
		v.answer = NULL;
	if (v.answer && !v.drops)
		return answer(from, &m, &v, message->raw);
	return deliver(from, &m, is_rewritten, message->raw, &v);
}

/* --- replies --- */

/* What the answer of portmap tells of the host: the address that the client came to. */
static void host_of(const struct proxy_link *link, char text[NET_ADDRESS_TEXT_BYTES])
{
	const struct net_address *at = &link->local;

	text[0] = '\0';
	if (at->any.sa_family == AF_INET6)
		inet_ntop(AF_INET6, &at->v6.sin6_addr, text, NET_ADDRESS_TEXT_BYTES);
	else
		inet_ntop(AF_INET, &at->v4.sin_addr, text, NET_ADDRESS_TEXT_BYTES);
}

static uint16_t port_of(void *context, uint32_t program, bool is_udp, uint16_t port)
{
	return proxy_route_port(context, program, is_udp, port);
}

static bool rewrite_ports(struct proxy_link *link, const struct proxy_call *call,
			  struct fault_message *m)
{
	struct strbuf *out = &link->proxy->rewritten;
	char host[NET_ADDRESS_TEXT_BYTES];

	host_of(link, host);
	if (!portmap_reply_rewrite(m, &call->question, host, port_of, link->route, out))
		return false;
	m->bytes = slice_make(out->data, out->len);
	return true;
}

static bool relay_reply(struct proxy_end *from, const struct proxy_message *message, uint32_t xid)
{
	struct proxy_link *link = from->link;
	struct proxy *proxy = link->proxy;
	struct proxy_end *asker = &link->ends[1 - from->side];
	struct proxy_call *call = map_remove(&asker->calls, xid_hash(xid), &xid);
	struct fault_verdict v;
	struct fault_message m;
	bool is_rewritten;

	if (call)
		proxy->calls_len--;
	if (!call || !fault_message_read_reply(message->bytes, message->missing_bytes, &call->facts,
					       &link->client, &proxy->paths, &m)) {
		free(call);
		send_now(from, message->raw);
		return true;
	}
	fault_engine_judge(proxy->engine, &m, &call->facts.plan, net_loop_now_ns(proxy->loop), &v);
	is_rewritten = rewrite_ports(link, call, &m);
	free(call);
	return deliver(from, &m, is_rewritten, message->raw, &v);
}

bool proxy_relay(struct proxy_link *link, const struct proxy_message *message)
{
	struct proxy_end *from = &link->ends[message->from];
	struct rpc_msg head;

	if (link->ignores && message->from == PROXY_CLIENT)
		return true;
	if (!rpc_msg_peek(cursor_make_cut(message->bytes, message->missing_bytes), &head)) {
		send_now(from, message->raw);
		return true;
	}
	return head.type == RPC_MSG_CALL ? relay_call(from, message)
					 : relay_reply(from, message, head.xid);
}
