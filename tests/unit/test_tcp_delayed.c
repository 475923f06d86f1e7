// SPDX-License-Identifier: GPL-2.0-or-later
/* tcp-delivery-delayed under scripted events, and what looks like it. */
#include "check.h"
#include "stage.h"

/* How a call at 10 s is answered at 40 s. Times are seconds, 0: nothing is known. */
struct delay {
	double made;   /* a segment made after the reply was captured then */
	double sent;   /* a segment that shows the reply's bytes as sent was captured then */
	double unsent; /* one that shows them as not sent */
	double age;    /* of the reply, by the rate of its clock */
	bool has_clock, has_older_id;
	bool is_call; /* not the reply but the call was held back, and answered at once */
};

static void past_at(struct stage *st, const struct delay *how, struct rpc_past *past)
{
	*past = (struct rpc_past){.has_clock = how->has_clock, .has_older_id = how->has_older_id};
	past->has_age = how->age > 0;
	past->age_ns = (int64_t)(how->age * 1e9);
	if (how->unsent > 0)
		past->unsent_last = script_place(&st->script, how->unsent);
	if (how->made > 0)
		past->made_before = script_place(&st->script, how->made);
	if (how->sent > 0)
		past->sent_before = script_place(&st->script, how->sent);
}

static void play(struct stage *st, const struct delay *how)
{
	struct conn c = stage_conn(st, 2049);
	struct rpc_call rpc = {.conn = &c,
			       .xid = 7,
			       .program = STAGE_NFS,
			       .version = 3,
			       .procedure = 1,
			       .has_call = true};

	script_handshake(&st->script, 1, &c);
	if (how->is_call)
		past_at(st, how, &rpc.call_past);
	script_rpc(&st->script, how->is_call ? 40 : 10, EVENT_RPC_CALL, &rpc);
	if (!how->is_call)
		past_at(st, how, &rpc.reply_past);
	rpc.outcome = RPC_SUCCESS;
	script_rpc(&st->script, 40.01, EVENT_RPC_REPLY, &rpc);
	stage_end(st, 50, &c, true);
}

/* How sure the rule is; -1: it is silent. */
static int delayed(const struct rule *rule, const struct delay *how)
{
	struct stage st;
	int sure = -1;

	stage_init(&st);
	stage_works(&st, 0, 2049);
	play(&st, how);
	if (stage_findings(&st, rule, 60))
		sure = (int)stage_finding(&st, 0)->confidence;
	stage_deinit(&st);
	return sure;
}

TEST(overtaken_by_its_clock_is_certain)
{
	const struct delay reply = {.made = 11, .sent = 11, .has_clock = true};
	const struct delay only_made = {.made = 11, .has_clock = true};
	const struct delay call = {.made = 20, .sent = 20, .has_clock = true, .is_call = true};

	CHECK_EQ_I64(delayed(&rule_tcp_delivery_delayed, &reply), CONFIDENCE_CERTAIN);
	CHECK_EQ_I64(delayed(&rule_tcp_delivery_delayed, &only_made), CONFIDENCE_CERTAIN);
	CHECK_EQ_I64(delayed(&rule_tcp_delivery_delayed, &call), CONFIDENCE_CERTAIN);
	CHECK_EQ_I64(delayed(&rule_rpc_server_slow, &reply), -1);
	CHECK_EQ_I64(delayed(&rule_rpc_server_slow, &only_made), -1);
}

TEST(without_timestamps_it_is_less_sure)
{
	const struct delay older_id = {.sent = 11, .has_older_id = true};
	const struct delay numbers = {.sent = 11};

	CHECK_EQ_I64(delayed(&rule_tcp_delivery_delayed, &older_id), CONFIDENCE_LIKELY);
	CHECK_EQ_I64(delayed(&rule_tcp_delivery_delayed, &numbers), CONFIDENCE_POSSIBLE);
	CHECK_EQ_I64(delayed(&rule_rpc_server_slow, &numbers), -1);
}

TEST(twins_are_silent)
{
	const struct delay slow = {.unsent = 39, .has_clock = true};
	const struct delay lost_once = {.sent = 11, .has_clock = true};
	const struct delay soon = {.made = 38, .sent = 38, .has_clock = true};
	const struct delay nothing = {0};
	/* Made long ago by the rate of its clock, which may have stood still: nobody knows. */
	const struct delay aged = {.age = 29, .has_clock = true};
	const struct delay fresh = {.age = 0.5, .has_clock = true};

	CHECK_EQ_I64(delayed(&rule_tcp_delivery_delayed, &slow), -1);
	CHECK_EQ_I64(delayed(&rule_rpc_server_slow, &slow), CONFIDENCE_LIKELY);
	/* The answer was lost and sent again: neither held back nor made late. */
	CHECK_EQ_I64(delayed(&rule_tcp_delivery_delayed, &lost_once), -1);
	CHECK_EQ_I64(delayed(&rule_rpc_server_slow, &lost_once), -1);
	/* 28 s in the server, and 2 s on the way. */
	CHECK_EQ_I64(delayed(&rule_tcp_delivery_delayed, &soon), -1);
	CHECK_EQ_I64(delayed(&rule_rpc_server_slow, &soon), CONFIDENCE_LIKELY);
	CHECK_EQ_I64(delayed(&rule_tcp_delivery_delayed, &nothing), -1);
	CHECK_EQ_I64(delayed(&rule_rpc_server_slow, &nothing), CONFIDENCE_LIKELY);
	CHECK_EQ_I64(delayed(&rule_tcp_delivery_delayed, &aged), -1);
	CHECK_EQ_I64(delayed(&rule_rpc_server_slow, &aged), -1);
	CHECK_EQ_I64(delayed(&rule_rpc_server_slow, &fresh), CONFIDENCE_LIKELY);
}
