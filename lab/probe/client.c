// SPDX-License-Identifier: GPL-2.0-or-later
/* See client.h. */
#include "lab/probe/client.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/stamp.h"

enum {
	MARK_BYTES = 4,
	FIRST_PORT = 1023, /* reserved ports are taken from here on downwards */
	LAST_PORT = 665,   /* xprt_min_resvport */
};

/* XS_TCP_INIT_REEST_TO of net/sunrpc/xprtsock.c; and how long the kernel lets TCP try to connect.
 */
static const int64_t reconnect_ns = 3 * STAMP_NS_PER_S;
static const int64_t connect_max_ns = 60 * STAMP_NS_PER_S;
static const int64_t wait_max_ns = 3600 * STAMP_NS_PER_S;

static void wake(void *context)
{
	net_loop_stop(context);
}

struct err *client_init(struct client *c, const char *server, double speed)
{
	struct err *err;

	*c = (struct client){.end_ns = INT64_MAX, .shut_ns = INT64_MAX};
	err = net_address_parse(server, 0, &c->server);
	if (!err)
		err = net_loop_init(&c->loop, speed);
	if (err)
		return err;
	net_timer_init(&c->timer, &c->loop, wake, &c->loop);
	(void)snprintf(c->server_name, sizeof(c->server_name), "%s", server);
	if (gethostname(c->machine, sizeof(c->machine) - 1) != 0)
		(void)snprintf(c->machine, sizeof(c->machine), "probe");
	c->sys = (struct rpc_auth_sys){.machine = slice_of_string(c->machine)};
	c->next_xid = (uint32_t)(net_loop_utc_ns(&c->loop) >> 10) ^ (uint32_t)getpid() << 20;
	c->call = mem_alloc(1, CLIENT_CALL_BYTES_MAX);
	c->reply = mem_alloc(1, CLIENT_REPLY_BYTES_MAX);
	return NULL;
}

void client_deinit(struct client *c)
{
	net_timer_deinit(&c->timer);
	net_loop_deinit(&c->loop);
	free(c->call);
	free(c->reply);
}

int64_t client_now_ns(const struct client *c)
{
	return net_loop_now_ns(&c->loop);
}

bool client_is_over(const struct client *c)
{
	return client_now_ns(c) >= c->end_ns;
}

/* Lets the loop run until something wakes it, or until then. */
static void wait_until(struct client *c, int64_t until_ns)
{
	int64_t wait_ns = until_ns - client_now_ns(c);

	net_timer_start(&c->timer, wait_ns < wait_max_ns ? wait_ns : wait_max_ns);
	net_loop_run(&c->loop);
	net_timer_stop(&c->timer);
}

bool client_sleep_unless(struct client *c, int64_t ns, const bool *over)
{
	int64_t until_ns = client_now_ns(c) + ns;

	if (until_ns > c->end_ns)
		until_ns = c->end_ns;
	while (client_now_ns(c) < until_ns && !*over)
		wait_until(c, until_ns);
	return !client_is_over(c);
}

bool client_sleep(struct client *c, int64_t ns)
{
	const bool never = false;

	return client_sleep_unless(c, ns, &never);
}

void client_say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vprintf(format, args);
	va_end(args);
	(void)putchar('\n');
	(void)fflush(stdout);
}

void client_peer_init(struct client_peer *p, struct client *c, const char *voice, uint16_t port,
		      const struct timing_call *timing)
{
	*p = (struct client_peer){
		.client = c, .voice = voice, .to = c->server, .timing = *timing, .sent = true};
	net_address_set_port(&p->to, port);
	p->from_port = (uint16_t)(FIRST_PORT - (c->next_xid + port) % (FIRST_PORT - LAST_PORT));
}

static void drop_connection(struct client_peer *p)
{
	net_stream_destroy(p->stream);
	rpc_assembler_deinit(&p->assembler);
	p->assembler = (struct rpc_assembler){0};
	p->stream = NULL;
	p->connected = false;
	p->sent = false;
}

void client_peer_deinit(struct client_peer *p)
{
	drop_connection(p);
}

static void take_reply(struct client_peer *p, struct slice record)
{
	p->answered = true;
	p->reply_len = record.len < CLIENT_REPLY_BYTES_MAX ? record.len : CLIENT_REPLY_BYTES_MAX;
	memcpy(p->client->reply, record.ptr, p->reply_len);
	net_loop_stop(&p->client->loop);
}

/* A call on our own connection: its answer goes out at once. */
static void take_call(struct client_peer *p, const struct rpc_in *in)
{
	uint8_t bytes[4096];
	struct xdr_writer w = xdr_writer_make(bytes + MARK_BYTES, sizeof(bytes) - MARK_BYTES);
	struct xdr_writer mark = xdr_writer_make(bytes, MARK_BYTES);
	size_t len;

	if (!p->serve || !p->serve(p->serve_context, in, &w) || !xdr_writer_ok(&w))
		return;
	len = xdr_writer_bytes(&w).len;
	rpc_mark_encode(&mark, (uint32_t)len, true);
	net_stream_send(p->stream, slice_make(bytes, MARK_BYTES + len));
}

static struct cursor results_of(const struct rpc_in *in)
{
	bool success = in->message.reply.reply_stat == RPC_REPLY_ACCEPTED &&
		       in->message.reply.accept_stat == RPC_ACCEPT_SUCCESS;

	return cursor_make(success ? in->args : (struct slice){0});
}

static size_t take_data(void *context, struct slice bytes)
{
	struct client_peer *p = context;
	size_t taken = 0;

	for (;;) {
		struct slice rest = slice_make(bytes.ptr + taken, bytes.len - taken);
		size_t consumed = 0;
		struct slice record;
		struct rpc_in in = {.transport = RPC_OVER_TCP};
		enum rpc_assembly what =
			rpc_assembler_take(&p->assembler, rest, &consumed, &record);

		taken += consumed;
		if (what == RPC_ASSEMBLY_MORE)
			return taken;
		if (what == RPC_ASSEMBLY_BROKEN) {
			drop_connection(p);
			net_loop_stop(&p->client->loop);
			return bytes.len;
		}
		switch (rpc_in_take(record, &in)) {
		case RPC_TAKEN_REPLY:
			if (p->waiting && in.xid == p->xid)
				take_reply(p, record);
			else if (p->replied)
				p->replied(p->replied_context, in.xid, results_of(&in));
			break;
		case RPC_TAKEN_CALL:
			take_call(p, &in);
			break;
		case RPC_TAKEN_REFUSED:
		case RPC_TAKEN_GARBAGE:
			break;
		}
	}
}

static void take_end(void *context, int error)
{
	struct client_peer *p = context;

	/* Our own old connection still has the port (TIME-WAIT): the next one, as xs_bind does. */
	if (error == EADDRINUSE || error == EADDRNOTAVAIL) {
		p->from_port = p->from_port > LAST_PORT ? p->from_port - 1 : 0;
		p->connect_ns = client_now_ns(p->client);
		drop_connection(p);
		net_loop_stop(&p->client->loop);
		return;
	}
	/* The kernel connects at once after an orderly end, and waits after a failure. */
	p->connect_ns = client_now_ns(p->client) + (error || !p->connected ? reconnect_ns : 0);
	drop_connection(p);
	net_loop_stop(&p->client->loop);
}

static void take_connection(void *context)
{
	struct client_peer *p = context;

	p->connected = true;
	p->connections++;
	net_loop_stop(&p->client->loop);
}

static const struct net_stream_ops stream_ops = {
	.connected = take_connection, .data = take_data, .closed = take_end};

void client_peer_accept(struct client_peer *p, struct client *c, int fd,
			const struct net_address *from, client_serve_fn *serve, void *context)
{
	*p = (struct client_peer){.client = c,
				  .to = *from,
				  .connected = true,
				  .sent = true,
				  .serve = serve,
				  .serve_context = context};
	p->stream = net_stream_create(&c->loop, fd, from, &stream_ops, p);
}

/* From the reserved port that it has; from any where that cannot be. */
static void connect_now(struct client_peer *p)
{
	struct client *c = p->client;
	struct net_address from = c->server;
	struct err *err;

	net_address_set_any(&from);
	net_address_set_port(&from, p->from_port);
	p->connect_late_ns = client_now_ns(c) + connect_max_ns;
	err = net_stream_connect(&c->loop, &p->to, p->from_port ? &from : NULL, &stream_ops, p,
				 &p->stream);
	if (!err)
		return;
	err_destroy(err);
	p->from_port = p->from_port > LAST_PORT ? p->from_port - 1 : 0;
	p->connect_ns = client_now_ns(c) + STAMP_NS_PER_MS;
}

struct xdr_writer *client_begin(struct client_peer *p, uint32_t program, uint32_t version,
				uint32_t procedure)
{
	struct client *c = p->client;

	p->xid = c->next_xid++;
	p->writer = xdr_writer_make(c->call + MARK_BYTES, CLIENT_CALL_BYTES_MAX - MARK_BYTES);
	rpc_call_begin(&p->writer, p->xid, program, version, procedure, &c->sys);
	return &p->writer;
}

static void send_call(struct client_peer *p)
{
	struct client *c = p->client;
	size_t len = xdr_writer_bytes(&p->writer).len;
	struct xdr_writer mark = xdr_writer_make(c->call, MARK_BYTES);

	rpc_mark_encode(&mark, (uint32_t)len, true);
	net_stream_send(p->stream, slice_make(c->call, MARK_BYTES + len));
	p->sent = true;
}

bool client_post(struct client_peer *p)
{
	if (p->connected)
		send_call(p);
	return p->connected;
}

/* Keeps the connection: makes one when there is none and it is time. */
static void keep_connection(struct client_peer *p)
{
	int64_t now_ns = client_now_ns(p->client);

	if (p->stream && !p->connected && now_ns >= p->connect_late_ns) {
		drop_connection(p);
		p->connect_ns = now_ns + reconnect_ns;
	}
	if (!p->stream && now_ns >= p->connect_ns)
		connect_now(p);
	if (p->connected && !p->sent)
		send_call(p);
	/* As xs_tcp_shutdown does: the call goes on waiting, and nothing is sent any more. */
	if (p->connected && now_ns >= p->client->shut_ns) {
		p->client->shut_ns = INT64_MAX;
		net_stream_end(p->stream);
	}
}

/* The timetable of a call without an answer. */
struct schedule {
	struct timing_event events[TIMING_EVENTS_MAX];
	size_t count, next;
	int64_t start_ns;
	bool complained;
};

/* What is due; true when a soft mount gives up. */
static bool keep_schedule(struct client_peer *p, struct schedule *s)
{
	struct client *c = p->client;

	for (; s->next < s->count && client_now_ns(c) >= s->start_ns + s->events[s->next].at_ns;
	     s->next++) {
		switch (s->events[s->next].kind) {
		case TIMING_TRANSMIT:
			break;
		case TIMING_RETRANSMIT:
			if (p->connected)
				send_call(p);
			break;
		case TIMING_COMPLAIN:
			if (p->voice && !s->complained)
				client_say("%s: server %s not responding, still trying", p->voice,
					   c->server_name);
			s->complained = true;
			break;
		case TIMING_FAIL:
			if (p->voice)
				client_say("%s: server %s not responding, timed out", p->voice,
					   c->server_name);
			return true;
		}
	}
	return false;
}

static int64_t next_wake_ns(const struct client_peer *p, const struct schedule *s)
{
	int64_t at_ns = p->client->end_ns;
	int64_t due_ns = s->next < s->count ? s->start_ns + s->events[s->next].at_ns : INT64_MAX;
	int64_t connect_ns = INT64_MAX;

	if (!p->stream)
		connect_ns = p->connect_ns;
	else if (!p->connected)
		connect_ns = p->connect_late_ns;
	at_ns = due_ns < at_ns ? due_ns : at_ns;
	at_ns = p->client->shut_ns < at_ns ? p->client->shut_ns : at_ns;
	return connect_ns < at_ns ? connect_ns : at_ns;
}

static enum client_result take_results(struct client_peer *p, struct cursor *results)
{
	struct cursor at = cursor_make(slice_make(p->client->reply, p->reply_len));
	struct rpc_msg message;

	if (!rpc_msg_decode(&at, &message))
		return CLIENT_REFUSED;
	if (message.reply.reply_stat == RPC_REPLY_ACCEPTED &&
	    message.reply.accept_stat == RPC_ACCEPT_SUCCESS) {
		*results = at;
		return CLIENT_ANSWERED;
	}
	p->client->why = message.reply.reply_stat == RPC_REPLY_DENIED ? message.reply.auth_stat
								      : message.reply.accept_stat;
	return CLIENT_REFUSED;
}

enum client_result client_call(struct client_peer *p, struct cursor *results)
{
	struct client *c = p->client;
	struct schedule s = {.start_ns = client_now_ns(c)};
	enum client_result result = CLIENT_ANSWERED;

	s.count = timing_run(&p->timing, TIMING_SINCE_5_13, TIMING_CONNECTED, 0, INT64_MAX / 2,
			     s.events);
	p->waiting = true;
	p->answered = p->sent = false;
	while (!p->answered && result == CLIENT_ANSWERED) {
		keep_connection(p);
		if (client_is_over(c))
			result = CLIENT_OVER;
		else if (keep_schedule(p, &s))
			result = CLIENT_FAILED;
		else if (!p->answered)
			wait_until(c, next_wake_ns(p, &s));
	}
	p->waiting = false;
	p->sent = true;
	if (!p->answered)
		return result;
	if (s.complained && p->voice)
		client_say("%s: server %s OK", p->voice, c->server_name);
	return take_results(p, results);
}
