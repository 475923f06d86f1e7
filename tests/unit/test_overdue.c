// SPDX-License-Identifier: GPL-2.0-or-later
/* Calls whose timers ran, under scripted events. */
#include "check.h"
#include "model/overdue.h"
#include "script.h"

enum { NFS = 100003, NLM = 100021 };

struct play {
	struct script script;
	struct overdue_model model;
	struct conn conn;
};

static void play_init(struct play *p)
{
	*p = (struct play){.script = script_make(),
			   .conn = script_conn(1, "192.0.2.21", 901, "192.0.2.10", 2049)};
	overdue_model_init(&p->model);
	overdue_model_attach(&p->model, &p->script.board);
}

static struct rpc_call call_of(const struct play *p, uint32_t program, uint32_t xid)
{
	return (struct rpc_call){
		.conn = &p->conn, .xid = xid, .program = program, .has_call = true};
}

static const struct overdue_call *at(const struct play *p, size_t i)
{
	return *(struct overdue_call **)vec_at(&p->model.calls, i);
}

TEST(overdue_keeps_what_was_sent_again)
{
	static uint64_t frames[2];
	struct play p;
	struct rpc_call rpc;

	play_init(&p);
	rpc = call_of(&p, NLM, 7);
	script_rpc(&p.script, 1, EVENT_RPC_CALL, &rpc);
	rpc.retransmissions = (struct rpc_frames){.items = frames, .len = 1};
	script_rpc(&p.script, 2, EVENT_RPC_REPEAT, &rpc);
	rpc.retransmissions.len = 2;
	script_rpc(&p.script, 4, EVENT_RPC_REPEAT, &rpc);
	script_rpc(&p.script, 4.5, EVENT_RPC_REPLY, &rpc);
	CHECK_EQ_U64(p.model.calls.len, 1);
	CHECK_EQ_U64(at(&p, 0)->repeats_len, 2);
	CHECK_EQ_I64(at(&p, 0)->repeats[1].at.at.ns, script_at(4).ns);
	CHECK_EQ_I64(at(&p, 0)->reply.at.ns, script_at(4.5).ns);
	CHECK(!at(&p, 0)->repeats[0].other_conn);
	CHECK_EQ_U64(p.model.open.len, 0);
	overdue_model_deinit(&p.model);
}

TEST(overdue_keeps_late_and_unanswered_calls)
{
	struct play p;
	struct rpc_call late, lost, moved;

	play_init(&p);
	late = call_of(&p, NFS, 1);
	lost = call_of(&p, NFS, 2);
	moved = call_of(&p, NFS, 3);
	script_rpc(&p.script, 1, EVENT_RPC_CALL, &late);
	script_rpc(&p.script, 1, EVENT_RPC_CALL, &lost);
	script_rpc(&p.script, 1, EVENT_RPC_CALL, &moved);
	script_rpc(&p.script, 6.1, EVENT_RPC_REPLY, &late);
	script_rpc(&p.script, 9, EVENT_RPC_UNANSWERED, &lost);
	/* Sent again on another connection, and answered there. */
	moved.left = true;
	script_rpc(&p.script, 9, EVENT_RPC_UNANSWERED, &moved);
	moved.left = false;
	moved.again = true;
	script_rpc(&p.script, 10, EVENT_RPC_CALL, &moved);
	CHECK_EQ_U64(p.model.calls.len, 3);
	CHECK_EQ_U64(at(&p, 1)->reply.frame, FRAME_NONE);
	CHECK(at(&p, 2)->repeats_len == 1 && at(&p, 2)->repeats[0].other_conn);
	CHECK_EQ_I64(at(&p, 2)->call.at.ns, script_at(1).ns);
	overdue_model_deinit(&p.model);
}

TEST(twin_calls_answered_in_time_leave_nothing)
{
	struct play p;

	play_init(&p);
	for (int i = 0; i < 100; i++)
		script_exchange(&p.script, i, &p.conn, NFS, 3);
	CHECK_EQ_U64(p.model.calls.len + p.model.dropped, 0);
	overdue_model_deinit(&p.model);
}

TEST(overdue_cap_holds_and_leaves_room_for_locks)
{
	struct play p;
	struct rpc_call rpc;

	play_init(&p);
	for (uint32_t i = 0; i < OVERDUE_CALLS_MAX + 5; i++) {
		rpc = call_of(&p, NFS, i);
		script_rpc(&p.script, 1, EVENT_RPC_CALL, &rpc);
		script_rpc(&p.script, 99, EVENT_RPC_UNANSWERED, &rpc);
	}
	CHECK_EQ_U64(p.model.dropped, 5);
	rpc = call_of(&p, NLM, 1);
	script_rpc(&p.script, 1, EVENT_RPC_CALL, &rpc);
	script_rpc(&p.script, 99, EVENT_RPC_UNANSWERED, &rpc);
	CHECK_EQ_U64(p.model.dropped, 5);
	CHECK_EQ_U64(p.model.calls.len, OVERDUE_CALLS_MAX + 1);
	overdue_model_deinit(&p.model);
}
