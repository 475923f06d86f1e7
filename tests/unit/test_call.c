// SPDX-License-Identifier: GPL-2.0-or-later
/* RPC transactions in numbers, under scripted events. */
#include "check.h"
#include "model/call.h"
#include "script.h"

enum { OP_GETATTR = 9, OP_PUTFH = 22, OP_OPEN = 18, OP_SEQUENCE = 53, STATUS_DELAY = 10008 };

static const struct call_op_stats *op_stats(const struct call_model *m, bool callback, uint32_t op)
{
	for (size_t i = 0; i < m->ops.len; i++) {
		const struct call_op_stats *s = *(struct call_op_stats **)vec_at(&m->ops, i);

		if (s->op == op && s->callback == callback)
			return s;
	}
	return NULL;
}

static struct rpc_call compound(const struct conn *conn, struct nfs4_op_fact *ops, uint32_t ops_len)
{
	return (struct rpc_call){.conn = conn,
				 .program = 100003,
				 .version = 4,
				 .procedure = 1,
				 .has_call = true,
				 .minor_version = 2,
				 .ops = ops,
				 .ops_len = ops_len};
}

TEST(call_counts_calls_replies_and_errors)
{
	struct script s = script_make();
	struct conn c = script_conn(1, "192.0.2.21", 901, "192.0.2.10", 2049);
	struct nfs4_op_fact ops[] = {{.op = OP_SEQUENCE, .status = NFS4_STATUS_NONE},
				     {.op = OP_PUTFH, .status = NFS4_STATUS_NONE},
				     {.op = OP_OPEN, .status = NFS4_STATUS_NONE},
				     {.op = OP_GETATTR, .status = NFS4_STATUS_NONE}};
	struct rpc_call call = compound(&c, ops, 4);
	struct call_model m;
	const struct call_stats *st;
	const struct call_error *error;

	call_model_init(&m);
	call_model_attach(&m, &s.board);
	script_rpc(&s, 0, EVENT_RPC_CALL, &call);
	script_rpc(&s, 60, EVENT_RPC_REPEAT, &call);
	ops[0].status = ops[1].status = 0;
	ops[2].status = STATUS_DELAY;
	call.ops_in_reply = 3;
	call.outcome = RPC_SUCCESS;
	call.has_status = true;
	call.status = STATUS_DELAY;
	script_rpc(&s, 61, EVENT_RPC_REPLY, &call);
	call.reply_repeats = 1;
	script_rpc(&s, 62, EVENT_RPC_REPLY_REPEAT, &call);
	if (!CHECK_EQ_U64(m.stats.len, 1))
		return;
	st = *(struct call_stats **)vec_at(&m.stats, 0);
	CHECK_EQ_U64(st->calls, 1);
	CHECK_EQ_U64(st->replies, 1);
	CHECK_EQ_U64(st->retransmissions, 1);
	CHECK_EQ_U64(st->reply_repeats, 1);
	CHECK_EQ_U64(st->latency.count, 1);
	CHECK_EQ_I64(st->latency.max_ns, 61 * STAMP_NS_PER_S);
	CHECK_EQ_U64(st->errors.len, 1);
	error = vec_at(&st->errors, 0);
	CHECK_EQ_U64(error->status, STATUS_DELAY);
	CHECK_EQ_U64(error->count, 1);
	CHECK_EQ_U64(op_stats(&m, false, OP_SEQUENCE)->errors.len, 0);
	CHECK_EQ_U64(op_stats(&m, false, OP_OPEN)->errors.len, 1);
	CHECK_EQ_U64(op_stats(&m, false, OP_GETATTR)->calls, 1);
	CHECK_EQ_U64(op_stats(&m, false, OP_GETATTR)->replies, 0);
	CHECK_EQ_U64(op_stats(&m, false, OP_GETATTR)->not_executed, 1);
	call_model_deinit(&m);
}

TEST(call_tells_callbacks_and_unanswered)
{
	struct script s = script_make();
	struct conn c = script_conn(1, "192.0.2.21", 901, "192.0.2.10", 2049);
	struct nfs4_op_fact ops[] = {{.op = 11, .status = NFS4_STATUS_NONE}};
	struct rpc_call cb = compound(&c, ops, 1);
	struct call_model m;

	call_model_init(&m);
	call_model_attach(&m, &s.board);
	cb.program = 0x40000000;
	cb.version = 1;
	cb.is_callback = true;
	cb.call_damage = "cut";
	script_rpc(&s, 0, EVENT_RPC_CALL, &cb);
	script_rpc(&s, 100, EVENT_RPC_UNANSWERED, &cb);
	CHECK(op_stats(&m, false, 11) == NULL);
	CHECK_EQ_U64(op_stats(&m, true, 11)->unanswered, 1);
	CHECK_EQ_U64((*(struct call_stats **)vec_at(&m.stats, 0))->unanswered, 1);
	CHECK_EQ_U64(m.calls_damaged, 1);
	call_model_deinit(&m);
}

TEST(call_reply_alone_has_no_minor_version_and_no_latency)
{
	struct script s = script_make();
	struct conn c = script_conn(1, "192.0.2.21", 901, "192.0.2.10", 2049);
	struct nfs4_op_fact ops[] = {{.op = OP_SEQUENCE}};
	struct rpc_call reply = compound(&c, ops, 1);
	struct call_model m;
	const struct call_stats *st;

	call_model_init(&m);
	call_model_attach(&m, &s.board);
	reply.has_call = false;
	reply.outcome = RPC_SUCCESS;
	reply.ops_in_reply = 1;
	script_rpc(&s, 0, EVENT_RPC_REPLY, &reply);
	st = *(struct call_stats **)vec_at(&m.stats, 0);
	CHECK_EQ_U64(st->calls, 0);
	CHECK_EQ_U64(st->replies_without_call, 1);
	CHECK_EQ_U64(st->latency.count, 0);
	CHECK_EQ_U64(op_stats(&m, false, OP_SEQUENCE)->minor_version, UINT32_MAX);
	call_model_deinit(&m);
}

TEST(call_caps_hold_and_are_counted)
{
	struct script s = script_make();
	struct conn c = script_conn(1, "192.0.2.21", 901, "192.0.2.10", 2049);
	struct call_model m;

	call_model_init(&m);
	call_model_attach(&m, &s.board);
	for (uint32_t i = 0; i < CALL_STATS_MAX + 5; i++) {
		struct rpc_call call = {.conn = &c,
					.program = 100003,
					.version = 3,
					.procedure = CALL_STATS_MAX + 5 - i,
					.has_call = true};

		script_rpc(&s, 0, EVENT_RPC_CALL, &call);
	}
	for (uint32_t i = 1; i <= CALL_ERRORS_MAX + 3; i++) {
		struct rpc_call call = {.conn = &c,
					.program = 100003,
					.version = 3,
					.procedure = CALL_STATS_MAX,
					.outcome = RPC_SUCCESS,
					.has_status = true,
					.status = 1000 - i};

		script_rpc(&s, 0, EVENT_RPC_REPLY, &call);
	}
	CHECK_EQ_U64(m.stats.len, CALL_STATS_MAX);
	CHECK_EQ_U64(m.dropped, 5);
	call_model_sort(&m);
	CHECK_EQ_U64((*(struct call_stats **)vec_at(&m.stats, 0))->procedure, 6);
	CHECK_EQ_U64((*(struct call_stats **)vec_at(&m.stats, CALL_STATS_MAX - 6))->errors_other,
		     3);
	CHECK_EQ_U64(
		((struct call_error *)vec_at(
			 &(*(struct call_stats **)vec_at(&m.stats, CALL_STATS_MAX - 6))->errors, 0))
			->status,
		1000 - CALL_ERRORS_MAX);
	call_model_deinit(&m);
}
