// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The server with its sockets, over loopback, and what faults do to the messages: a client in the
 * same loop makes calls to NULL and counts what comes back. Time runs a hundred times as fast.
 */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "lab/rpc/record.h"
#include "lab/serve/service.h"
#include "names/nfs3.h"
#include "net/stream.h"
#include "net/timer.h"

#define SECOND_NS INT64_C(1000000000)

enum { CALLS = 4, SPEED = 100, WAIT_S = 30 };

struct talk {
	struct net_loop loop;
	struct service *service;
	struct fault_engine *engine;
	struct net_stream *stream; /* NULL: over */
	struct rpc_assembler assembler;
	struct net_timer end;
	uint32_t xids[16]; /* of replies, in the order in which they came */
	uint32_t stats[16];
	size_t replies;
	int64_t last_ns; /* when the last reply came */
	bool is_closed;
	int error;
};

static void on_connected(void *context)
{
	struct talk *t = context;

	for (uint32_t i = 1; i <= CALLS; i++) {
		uint8_t memory[128], mark[4];
		struct xdr_writer w = xdr_writer_make(memory, sizeof(memory));
		struct xdr_writer m = xdr_writer_make(mark, sizeof(mark));

		rpc_call_begin(&w, i, NFS_PROGRAM, NFS_V3, NFSPROC3_NULL, NULL);
		rpc_mark_encode(&m, (uint32_t)xdr_writer_bytes(&w).len, true);
		net_stream_send(t->stream, slice_make(mark, sizeof(mark)));
		net_stream_send(t->stream, xdr_writer_bytes(&w));
	}
}

static size_t on_data(void *context, struct slice bytes)
{
	struct talk *t = context;
	struct rpc_in in = {.peer = NULL};
	struct slice record;
	size_t consumed;

	if (rpc_assembler_take(&t->assembler, bytes, &consumed, &record) != RPC_ASSEMBLY_RECORD)
		return consumed;
	if (CHECK_EQ_U64(rpc_in_take(record, &in), RPC_TAKEN_REPLY) && t->replies < 16) {
		t->xids[t->replies] = in.xid;
		t->stats[t->replies++] = in.message.reply.accept_stat;
		t->last_ns = net_loop_now_ns(&t->loop);
	}
	return consumed;
}

static void on_closed(void *context, int error)
{
	struct talk *t = context;

	t->is_closed = true;
	t->error = error;
	net_stream_destroy(t->stream);
	t->stream = NULL;
}

static const struct net_stream_ops ops = {
	.connected = on_connected, .data = on_data, .closed = on_closed};

static void on_end(void *context)
{
	net_loop_stop(context);
}

/* Makes the calls while the fault is there, and waits WAIT_S of scaled time. */
static void talk_run(struct talk *t, const char *fault)
{
	struct service_config config = {.endpoint = {.listen = net_address_loopback(0)}};
	struct net_address to;
	struct err *err = NULL;

	memset(t, 0, sizeof(*t));
	CHECK(net_loop_init(&t->loop, SPEED) == NULL);
	t->service = service_create(&t->loop, &config);
	t->engine = fault_engine_create(1, net_loop_now_ns(&t->loop));
	fault_engine_serve(t->engine, &service_fault_ops, t->service);
	if (fault)
		err = fault_engine_add(t->engine, "test", slice_of_string(fault));
	if (!CHECK(err == NULL))
		CHECK_TEXT(err_text(err), "");
	err_destroy(err);
	CHECK(service_open(t->service, t->engine) == NULL);
	to = net_address_loopback(service_port(t->service, SERVER_NFS));
	CHECK(net_stream_connect(&t->loop, &to, NULL, &ops, t, &t->stream) == NULL);
	net_timer_init(&t->end, &t->loop, on_end, &t->loop);
	net_timer_start(&t->end, WAIT_S * SECOND_NS);
	net_loop_run(&t->loop);
}

static void talk_deinit(struct talk *t)
{
	net_timer_deinit(&t->end);
	net_stream_destroy(t->stream);
	rpc_assembler_deinit(&t->assembler);
	service_destroy(t->service);
	fault_engine_destroy(t->engine);
	net_loop_deinit(&t->loop);
}

/* The XIDs of the replies as digits: "1234". */
static void check_talk(const char *fault, const char *want, bool closes)
{
	struct talk t;
	char got[17] = "";

	talk_run(&t, fault);
	for (size_t i = 0; i < t.replies; i++)
		got[i] = (char)('0' + t.xids[i] % 10);
	CHECK_TEXT(got, want);
	CHECK(t.is_closed == closes);
	talk_deinit(&t);
}

TEST(calls_are_answered)
{
	check_talk(NULL, "1234", false);
	check_talk("when any nth 100 do drop call", "1234", false);
}

TEST(messages_are_lost_and_doubled)
{
	check_talk("when any nth 2 do drop call", "134", false);
	check_talk("when any nth 3 do drop reply", "124", false);
	check_talk("when any nth 2 do duplicate call", "12234", false);
	check_talk("when any nth 2 do duplicate reply", "12234", false);
}

TEST(messages_are_late)
{
	check_talk("when any nth 2 do delay call 5s", "1342", false);
	check_talk("when any nth 2 do delay reply 5s", "1342", false);
	check_talk("when any nth 2 do reorder reply", "1324", false);
	check_talk("when any nth 4 do reorder reply", "1234", false);
}

TEST(replies_are_changed)
{
	struct talk t;

	talk_run(&t, "when any nth 2 do status SYSTEM_ERR");
	CHECK_EQ_U64(t.replies, CALLS);
	CHECK_EQ_U64(t.stats[1], RPC_ACCEPT_SYSTEM_ERR);
	CHECK_EQ_U64(t.stats[2], RPC_ACCEPT_SUCCESS);
	talk_deinit(&t);
}

TEST(connections_end)
{
	check_talk("when any nth 2 do close", "1", true);
	check_talk("when any nth 3 do reset reply", "", true);
	check_talk("when connect do refuse", "", true);
	check_talk("when connect do ignore", "", false);
	check_talk("when any nth 2 do restart", "", true);
}

TEST(connections_stand_still)
{
	check_talk("when any nth 2 do stop reading", "12", false);
	check_talk("when any nth 2 do stop reading for 5s", "1234", false);
	check_talk("when any nth 2 do stop writing for 5s", "1234", false);
}

TEST(server_does_what_faults_want_of_it)
{
	check_talk("when any nth 2 do move port", "1234", false);
	check_talk("when any nth 2 do restart, freeze nlm for 2s, grace end", "", true);
	check_talk("when any nth 2 do forget lock, change verifier", "1234", false);
}

TEST(port_is_shut_and_opens_again)
{
	struct talk t;

	talk_run(&t, "when connect do shut nfs");
	CHECK_EQ_U64(t.replies, CALLS); /* of the connection that there was */
	CHECK_EQ_U64(service_port(t.service, SERVER_NFS), 0);
	CHECK(service_port(t.service, SERVER_MOUNT) != 0);
	talk_deinit(&t);
	talk_run(&t, "when connect do shut for 5s");
	CHECK(service_port(t.service, SERVER_NFS) != 0);
	CHECK(service_port(t.service, SERVER_MOUNT) != 0);
	talk_deinit(&t);
}
