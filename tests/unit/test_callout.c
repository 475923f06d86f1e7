// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Calls of the server to its clients, and what faults do to them and to their replies: a client in
 * the same loop is called on its connection, and answers. Time runs twenty times as fast.
 */
#include "check.h"
#include "lab/rpc/record.h"
#include "lab/serve/endpoint/endpoint.h"
#include "net/stream.h"
#include "net/timer.h"

#include <stdlib.h>

#define SECOND_NS INT64_C(1000000000)

enum { SPEED = 20, CALLBACK_PROGRAM = 0x40000000, CONNECTION = 1 };

struct talk {
	struct net_loop loop;
	struct net_timer begin;
	struct tree *tree;
	struct server server;
	struct endpoint *endpoint;
	struct fault_engine *engine;
	struct net_stream *client;
	struct rpc_assembler assembler;
	unsigned calls; /* that came to the client */
	unsigned answers;
	bool is_answered;
	int64_t called_ns, answered_ns;
};

static void on_answer(void *context, uint64_t token, bool answered, struct cursor results)
{
	struct talk *t = context;

	(void)results;
	CHECK_EQ_U64(token, 77);
	t->answers++;
	t->is_answered = answered;
	t->answered_ns = net_loop_now_ns(&t->loop);
	net_loop_stop(&t->loop);
}

/* The server has accepted by now. */
static void on_begin(void *context)
{
	struct talk *t = context;
	struct endpoint_call call = {.connection = CONNECTION,
				     .transport = RPC_OVER_TCP,
				     .program = CALLBACK_PROGRAM,
				     .version = 1,
				     .answer = on_answer,
				     .context = t,
				     .token = 77};

	t->called_ns = net_loop_now_ns(&t->loop);
	CHECK(endpoint_call_out(t->endpoint, &call));
}

static void on_connected(void *context)
{
	struct talk *t = context;

	net_timer_start(&t->begin, 1 * SECOND_NS);
}

static size_t on_data(void *context, struct slice bytes)
{
	struct talk *t = context;
	struct rpc_in in = {.peer = NULL};
	uint8_t memory[64];
	struct xdr_writer w = xdr_writer_make(memory, sizeof(memory));
	struct slice record;
	size_t consumed;

	if (rpc_assembler_take(&t->assembler, bytes, &consumed, &record) != RPC_ASSEMBLY_RECORD)
		return consumed;
	CHECK_EQ_U64(rpc_in_take(record, &in), RPC_TAKEN_CALL);
	t->calls++;
	rpc_mark_encode(&w, 24, true);
	rpc_reply_success(&w, in.xid);
	net_stream_send(t->client, xdr_writer_bytes(&w));
	return consumed;
}

static void on_closed(void *context, int error)
{
	struct talk *t = context;

	(void)error;
	net_stream_destroy(t->client);
	t->client = NULL;
}

static const struct net_stream_ops ops = {
	.connected = on_connected, .data = on_data, .closed = on_closed};

static void talk_run(struct talk *t, const char *fault)
{
	struct tree_limits limits = {0};
	struct endpoint_config config = {.listen = net_address_loopback(0)};
	struct net_address to;
	struct err *err;

	*t = (struct talk){0};
	CHECK(net_loop_init(&t->loop, SPEED) == NULL);
	t->engine = fault_engine_create(1, 0);
	err = fault_engine_add(t->engine, "test", slice_of_string(fault));
	CHECK_TEXT(err ? err_text(err) : "", "");
	err_destroy(err);
	t->tree = tree_create(&limits, 1, 0);
	server_init(&t->server, t->tree, 0);
	config.engine = t->engine;
	CHECK(endpoint_create(&t->loop, &t->server, &config, &t->endpoint) == NULL);
	net_timer_init(&t->begin, &t->loop, on_begin, t);
	to = net_address_loopback(endpoint_port(t->endpoint, SERVER_NFS));
	CHECK(net_stream_connect(&t->loop, &to, NULL, &ops, t, &t->client) == NULL);
	net_loop_run(&t->loop);
	CHECK_EQ_U64(t->answers, 1);
	net_timer_deinit(&t->begin);
	net_stream_destroy(t->client);
	rpc_assembler_deinit(&t->assembler);
	endpoint_destroy(t->endpoint);
	CHECK_EQ_U64(t->answers, 1);
	server_deinit(&t->server);
	tree_destroy(t->tree);
	fault_engine_destroy(t->engine);
	net_loop_deinit(&t->loop);
}

static void check(const char *fault, unsigned calls, bool is_answered, int64_t min_s, int64_t max_s)
{
	struct talk t;
	int64_t took_ns;

	talk_run(&t, fault);
	took_ns = t.answered_ns - t.called_ns;
	CHECK_EQ_U64(t.calls, calls);
	CHECK(t.is_answered == is_answered);
	if (!CHECK(took_ns >= min_s * SECOND_NS && took_ns < max_s * SECOND_NS))
		CHECK_TEXT(fault, "");
}

TEST(answered_where_no_fault_fits)
{
	check("", 1, true, 0, 5);
	check("when READ do drop call", 1, true, 0, 5);
	check("when callback uid 5 do drop reply", 1, true, 0, 5);
}

TEST(dropped)
{
	check("when callback do drop call", 0, false, 10, 15);
	check("when callback do drop reply", 1, false, 10, 15);
}

TEST(late)
{
	check("when callback do delay call 4s", 1, true, 4, 9);
	check("when callback do delay reply 4s", 1, true, 4, 9);
}

TEST(doubled)
{
	check("when callback do duplicate call 2, delay reply 2s", 3, true, 2, 7);
}

TEST(answered_by_the_fault)
{
	check("when callback do answer SYSTEM_ERR", 0, false, 0, 5);
	check("when callback do status SYSTEM_ERR", 1, false, 0, 5);
}

TEST(ended_with_the_connection)
{
	check("when callback do reset", 0, false, 0, 5);
}
