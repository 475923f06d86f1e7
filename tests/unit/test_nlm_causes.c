// SPDX-License-Identifier: GPL-2.0-or-later
/* Rules about locks that are denied, under scripted events, each with its twins. */
#include "check.h"
#include "nlm_stage.h"

TEST(no_resources_is_a_cause)
{
	struct nlm_told a = script_lock(1, 0, 0);
	const struct finding *f;
	struct stage st;

	stage_init(&st);
	script_nlm(&st.s, 0, &st.a, NLMPROC_LOCK, &a, NLM_DENIED_NOLOCKS);
	script_nlm(&st.s, 5, &st.a, NLMPROC_LOCK, &a, NLM_DENIED_NOLOCKS);
	stage_run(&st, 60);
	CHECK_EQ_U64(st.d.findings.len, 1);
	f = stage_find(&st, "nlm-denied-nolocks");
	if (!CHECK(f))
		return;
	CHECK(f->confidence == CONFIDENCE_CERTAIN);
	CHECK_EQ_U64(f->count, 2);
	CHECK_TEXT(
		f->title,
		"the lock manager of 192.0.2.10 denied 2 lock requests of 192.0.2.31 for want of "
		"resources");
	stage_deinit(&st);
}

TEST(twin_denied_by_a_holder_lacks_no_resources)
{
	struct nlm_told a = script_lock(1, 0, 0), b = script_lock(2, 0, 0);
	struct stage st;

	stage_init(&st);
	script_nlm(&st.s, 0, &st.a, NLMPROC_LOCK, &a, NLM_GRANTED);
	script_nlm(&st.s, 1, &st.b, NLMPROC_LOCK, &b, NLM_DENIED);
	stage_run(&st, 60);
	CHECK_EQ_U64(st.d.findings.len, 0);
	CHECK_EQ_U64(st.nlm.denials.len, 0);
	stage_deinit(&st);
}

/* A call of LOCK alone, or its reply alone: the same XID. */
static void lock_part(struct stage *st, double at, enum event_kind kind,
		      const struct nlm_told *told, uint32_t xid, double call_at, uint32_t status)
{
	struct rpc_call rpc = {
		.conn = &st->a,
		.xid = xid,
		.program = NLM_PROG,
		.version = NLM4_VERS,
		.procedure = NLMPROC_LOCK,
		.has_call = true,
		.told_kind = told ? RPC_TOLD_LOCK : RPC_TOLD_NOTHING,
		.told.lock = told,
		.call = {.frame = 1, .at = script_at(call_at)},
		.has_status = kind != EVENT_RPC_CALL,
		.status = status,
		.outcome = RPC_SUCCESS,
	};
	struct event e = {
		.kind = kind, .at = script_place(&st->s, at), .conn = &st->a, .rpc = &rpc};

	event_emit(&st->s.board, &e);
}

TEST(one_xid_denied_and_granted_is_a_cause)
{
	struct nlm_told a = script_lock(1, 0, 0);
	const struct finding *f;
	struct stage st;

	stage_init(&st);
	lock_part(&st, 0, EVENT_RPC_CALL, &a, 7, 0, 0);
	lock_part(&st, 12, EVENT_RPC_REPLY, &a, 7, 0, NLM_DENIED);
	lock_part(&st, 14, EVENT_RPC_REPLY_REPEAT, NULL, 7, 0, NLM_GRANTED);
	stage_run(&st, 60);
	f = stage_find(&st, "nlm-retransmission-denied");
	if (CHECK(f))
		CHECK(f->confidence == CONFIDENCE_CERTAIN);
	stage_deinit(&st);
}

TEST(two_requests_at_once_one_denied_one_granted_is_likely)
{
	struct nlm_told a = script_lock(1, 0, 0);
	const struct finding *f;
	struct stage st;

	stage_init(&st);
	lock_part(&st, 0, EVENT_RPC_CALL, &a, 7, 0, 0);
	lock_part(&st, 10, EVENT_RPC_CALL, &a, 8, 10, 0);
	lock_part(&st, 12, EVENT_RPC_REPLY, &a, 8, 10, NLM_DENIED);
	lock_part(&st, 14, EVENT_RPC_REPLY, &a, 7, 0, NLM_GRANTED);
	stage_run(&st, 60);
	f = stage_find(&st, "nlm-retransmission-denied");
	if (CHECK(f))
		CHECK(f->confidence == CONFIDENCE_LIKELY);
	stage_deinit(&st);
}

TEST(twin_asked_again_after_the_denial_is_silent)
{
	struct nlm_told a = script_lock(1, 0, 0);
	struct stage st;

	stage_init(&st);
	lock_part(&st, 0, EVENT_RPC_CALL, &a, 7, 0, 0);
	lock_part(&st, 1, EVENT_RPC_REPLY, &a, 7, 0, NLM_DENIED);
	lock_part(&st, 2, EVENT_RPC_CALL, &a, 8, 2, 0);
	lock_part(&st, 3, EVENT_RPC_REPLY, &a, 8, 2, NLM_GRANTED);
	stage_run(&st, 60);
	CHECK(!stage_find(&st, "nlm-retransmission-denied"));
	stage_deinit(&st);
}

TEST(twin_one_xid_denied_twice_is_silent)
{
	struct nlm_told a = script_lock(1, 0, 0);
	struct stage st;

	stage_init(&st);
	lock_part(&st, 0, EVENT_RPC_CALL, &a, 7, 0, 0);
	lock_part(&st, 12, EVENT_RPC_REPLY, &a, 7, 0, NLM_DENIED);
	lock_part(&st, 14, EVENT_RPC_REPLY_REPEAT, NULL, 7, 0, NLM_DENIED);
	stage_run(&st, 60);
	CHECK(!stage_find(&st, "nlm-retransmission-denied"));
	stage_deinit(&st);
}

static const char cannot_monitor[] = "[  100.000000] lockd: cannot monitor app\n";

TEST(statd_that_fails_is_a_cause_and_explains_the_denials_of_its_host)
{
	struct nlm_told a = script_lock(1, 0, 0);
	const struct finding *f;
	struct stage st;

	stage_init(&st);
	script_nlm(&st.s, 0, &st.a, NLMPROC_LOCK, &a, NLM_DENIED_NOLOCKS);
	stage_log(&st, cannot_monitor);
	stage_run(&st, 60);
	f = stage_find(&st, "nsm-monitor-failed");
	if (CHECK(f)) {
		CHECK(f->confidence == CONFIDENCE_CERTAIN);
		CHECK_TEXT(f->server, "192.0.2.10");
	}
	stage_deinit(&st);
}

TEST(statd_that_fails_somewhere_names_no_role)
{
	const struct finding *f;
	struct stage st;

	stage_init(&st);
	stage_log(&st, cannot_monitor);
	stage_run(&st, 60);
	f = stage_find(&st, "nsm-monitor-failed");
	if (CHECK(f)) {
		CHECK(!f->server);
		CHECK(strstr(f->why, "If it is the client of the two") != NULL);
	}
	stage_deinit(&st);
}

TEST(twin_other_lines_of_lockd_are_silent)
{
	struct stage st;

	stage_init(&st);
	stage_log(&st, "[  100.000000] lockd: server app OK\n");
	stage_run(&st, 60);
	CHECK(!stage_find(&st, "nsm-monitor-failed"));
	CHECK_EQ_U64(st.logs.hosts.len, 1);
	stage_deinit(&st);
}
