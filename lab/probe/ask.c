// SPDX-License-Identifier: GPL-2.0-or-later
/* See ask.h. */
#include "lab/probe/ask.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

enum { RESERVED_PORT_LAST = 1023, RESERVED_PORT_FIRST = 665, MARK_BYTES = 4 };

static void finish(struct ask *a, enum ask_result result)
{
	a->result = result;
	a->is_done = true;
	net_timer_stop(&a->timer);
	net_loop_stop(a->loop);
}

static void on_time(void *context)
{
	struct ask *a = context;

	finish(a, a->is_connected ? ASK_NO_ANSWER : ASK_NO_CONNECTION);
}

static void on_connected(void *context)
{
	struct ask *a = context;

	a->is_connected = true;
	finish(a, ASK_OK);
}

static void on_closed(void *context, int error)
{
	struct ask *a = context;
	enum ask_result why = error ? ASK_RESET : ASK_CLOSED;

	net_stream_destroy(a->stream);
	a->stream = NULL;
	a->error = error;
	if (!a->is_connected)
		why = error == ECONNREFUSED ? ASK_REFUSED : ASK_UNREACHABLE;
	if (!a->is_done)
		finish(a, why);
}

/* A server tries the back channel with a NULL; whatever else it asks is left unanswered. */
static void take_callback(struct ask *a, const struct rpc_in *in)
{
	uint8_t memory[64];
	struct xdr_writer w = xdr_writer_make(memory, sizeof(memory));

	a->callbacks++;
	if (in->procedure != 0)
		return;
	rpc_mark_encode(&w, 24, true);
	rpc_reply_success(&w, in->xid);
	net_stream_send(a->stream, xdr_writer_bytes(&w));
}

static void take_record(struct ask *a, struct slice record)
{
	struct rpc_in in = {0};

	switch (rpc_in_take(record, &in)) {
	case RPC_TAKEN_CALL:
		take_callback(a, &in);
		return;
	case RPC_TAKEN_REPLY:
		break;
	case RPC_TAKEN_REFUSED:
		return;
	case RPC_TAKEN_GARBAGE:
		finish(a, ASK_GARBAGE);
		return;
	}
	if (a->is_done || in.xid != a->xid)
		return;
	if (!a->reply)
		a->reply = mem_alloc(1, RPC_RECORD_LIMIT_BYTES);
	if (record.len > RPC_RECORD_LIMIT_BYTES) {
		finish(a, ASK_GARBAGE);
		return;
	}
	memcpy(a->reply, record.ptr, record.len);
	a->reply_len = record.len;
	finish(a, ASK_OK);
}

static size_t on_data(void *context, struct slice bytes)
{
	struct ask *a = context;
	size_t total = 0;

	while (total < bytes.len && a->stream) {
		struct slice record, rest = slice_make(bytes.ptr + total, bytes.len - total);
		size_t consumed = 0;
		enum rpc_assembly got = rpc_assembler_take(&a->assembler, rest, &consumed, &record);

		if (got == RPC_ASSEMBLY_BROKEN) {
			finish(a, ASK_GARBAGE);
			return bytes.len;
		}
		if (got == RPC_ASSEMBLY_RECORD)
			take_record(a, record);
		total += consumed;
		if (got == RPC_ASSEMBLY_MORE)
			break;
	}
	return total;
}

static const struct net_stream_ops ops = {
	.connected = on_connected, .data = on_data, .closed = on_closed};

void ask_init(struct ask *a, struct net_loop *loop, const struct rpc_auth_sys *sys)
{
	*a = (struct ask){.loop = loop, .sys = *sys};
	/* Like the kernel's: not from a fixed number, so that a restarted probe is somebody new. */
	a->xid = (uint32_t)net_loop_utc_ns(loop) ^ (uint32_t)getpid() << 16;
	net_timer_init(&a->timer, loop, on_time, a);
}

void ask_close(struct ask *a)
{
	net_stream_destroy(a->stream);
	a->stream = NULL;
	a->is_connected = false;
	rpc_assembler_deinit(&a->assembler);
	a->assembler = (struct rpc_assembler){0};
}

void ask_deinit(struct ask *a)
{
	ask_close(a);
	net_timer_deinit(&a->timer);
	free(a->reply);
	a->reply = NULL;
}

static enum ask_result wait(struct ask *a, int64_t limit_ns)
{
	net_timer_start(&a->timer, limit_ns);
	if (!a->is_done)
		net_loop_run(a->loop);
	net_timer_stop(&a->timer);
	/* A signal ended the loop. */
	return a->is_done ? a->result : (a->result = ASK_NO_ANSWER);
}

static bool connect_reserved(struct ask *a, const struct net_address *to)
{
	struct net_address from = *to;

	if (geteuid() != 0)
		return false;
	if (from.any.sa_family == AF_INET6)
		memset(&from.v6.sin6_addr, 0, sizeof(from.v6.sin6_addr));
	else
		from.v4.sin_addr.s_addr = 0;
	/* Begun at another one each time: the last connection's may still be in TIME_WAIT. */
	for (unsigned i = 0; i <= RESERVED_PORT_LAST - RESERVED_PORT_FIRST; i++) {
		unsigned span = RESERVED_PORT_LAST - RESERVED_PORT_FIRST + 1;
		struct err *err;

		net_address_set_port(&from,
				     (uint16_t)(RESERVED_PORT_FIRST + (++a->xid * 37 + i) % span));
		err = net_stream_connect(a->loop, to, &from, &ops, a, &a->stream);
		if (!err)
			return true;
		err_destroy(err);
	}
	return false;
}

enum ask_result ask_connect(struct ask *a, const struct net_address *to, int64_t limit_ns)
{
	struct err *err;

	ask_close(a);
	a->is_done = false;
	if (!connect_reserved(a, to)) {
		err = net_stream_connect(a->loop, to, NULL, &ops, a, &a->stream);
		if (err) {
			err_destroy(err);
			a->error = EMFILE;
			return a->result = ASK_UNREACHABLE;
		}
	}
	wait(a, limit_ns);
	if (a->result != ASK_OK) {
		enum ask_result why = a->result;

		ask_close(a);
		a->result = why;
	}
	return a->result;
}

struct xdr_writer *ask_begin(struct ask *a, uint32_t program, uint32_t version, uint32_t procedure)
{
	a->writer = xdr_writer_make(a->call + MARK_BYTES, sizeof(a->call) - MARK_BYTES);
	rpc_call_begin(&a->writer, ++a->xid, program, version, procedure, &a->sys);
	return &a->writer;
}

static enum ask_result take_reply(struct ask *a, struct cursor *results)
{
	struct rpc_msg m;

	*results = cursor_make(slice_make(a->reply, a->reply_len));
	if (!rpc_msg_decode(results, &m) || m.type != RPC_MSG_REPLY)
		return ASK_GARBAGE;
	a->auth_stat = 0;
	a->accept_stat = RPC_ACCEPT_SUCCESS;
	if (m.reply.reply_stat != RPC_REPLY_ACCEPTED)
		a->auth_stat = m.reply.auth_stat ? m.reply.auth_stat : UINT32_MAX;
	else
		a->accept_stat = m.reply.accept_stat;
	return a->auth_stat || a->accept_stat ? ASK_DENIED : ASK_OK;
}

enum ask_result ask_call(struct ask *a, int64_t limit_ns, struct cursor *results)
{
	struct xdr_writer mark = xdr_writer_make(a->call, MARK_BYTES);
	size_t len = xdr_writer_bytes(&a->writer).len;

	if (!a->stream)
		return a->result = ASK_CLOSED;
	rpc_mark_encode(&mark, (uint32_t)len, true);
	a->is_done = false;
	net_stream_send(a->stream, slice_make(a->call, MARK_BYTES + len));
	if (wait(a, limit_ns) == ASK_OK)
		a->result = take_reply(a, results);
	return a->result;
}

static const char *accept_name(uint32_t stat)
{
	static const char *const names[] = {"SUCCESS",      "PROG_UNAVAIL", "PROG_MISMATCH",
					    "PROC_UNAVAIL", "GARBAGE_ARGS", "SYSTEM_ERR"};

	return stat < sizeof(names) / sizeof(names[0]) ? names[stat] : "an unknown accept_stat";
}

void ask_explain(const struct ask *a, char text[ASK_TEXT_BYTES])
{
	static const char *const texts[] = {
		[ASK_OK] = "ok",
		[ASK_NO_CONNECTION] = "no connection (nothing answers SYN)",
		[ASK_REFUSED] = "connection refused",
		[ASK_NO_ANSWER] = "connected, but no answer to the call",
		[ASK_CLOSED] = "the server closed the connection",
		[ASK_GARBAGE] = "what came is no RPC reply",
	};

	if (a->result == ASK_DENIED && a->auth_stat)
		(void)snprintf(text, ASK_TEXT_BYTES, "denied by RPC, auth_stat %u", a->auth_stat);
	else if (a->result == ASK_DENIED)
		(void)snprintf(text, ASK_TEXT_BYTES, "%s", accept_name(a->accept_stat));
	else if (a->result == ASK_UNREACHABLE || a->result == ASK_RESET)
		(void)snprintf(text, ASK_TEXT_BYTES, "%s", strerror(a->error));
	else
		(void)snprintf(text, ASK_TEXT_BYTES, "%s", texts[a->result]);
}
