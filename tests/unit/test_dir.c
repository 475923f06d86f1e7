// SPDX-License-Identifier: GPL-2.0-or-later
/* The model of listings, and dir-listing-rtt-bound, under scripted events. */
#include "check.h"
#include "diagnose/engine.h"
#include "diagnose/rules/rules.h"
#include "event/handle.h"
#include "model/call.h"
#include "model/conn.h"
#include "model/dir.h"
#include "model/visit.h"
#include "script.h"

#define CLIENT "192.0.2.31"
#define SERVER "192.0.2.10"

enum { PROGRAM_NFS = 100003, READDIRPLUS = 17, GETATTR = 1 };

struct stage {
	struct script s;
	struct dir_model m;
	struct call_model calls;
	struct conn c;
	size_t ended;
	struct dir_chain last; /* that ended */
};

static void take_ended(void *context, const struct dir_chain *chain)
{
	struct stage *st = context;

	st->ended++;
	st->last = *chain;
}

static void stage_init(struct stage *st)
{
	*st = (struct stage){.s = script_make()};
	st->c = script_conn(1, CLIENT, 700, SERVER, 2049);
	dir_model_init(&st->m);
	call_model_init(&st->calls);
	st->m.ended = take_ended;
	st->m.ended_context = st;
	dir_model_attach(&st->m, &st->s.board);
	call_model_attach(&st->calls, &st->s.board);
}

static void stage_deinit(struct stage *st)
{
	dir_model_deinit(&st->m);
	call_model_deinit(&st->calls);
}

/* One step: asks with `cookie`, gets the entries up to `next`; 0: it was the last step. */
static void step(struct stage *st, double at, double rtt, uint64_t cookie, uint64_t next)
{
	struct listing_told told = {.dir = {.len = 3, .bytes = "dir"}, .cookie = cookie};
	struct rpc_call rpc = {
		.conn = &st->c,
		.program = PROGRAM_NFS,
		.version = 3,
		.procedure = READDIRPLUS,
		.has_call = true,
		.told_kind = RPC_TOLD_LISTING,
		.told.listing = &told,
	};

	script_rpc(&st->s, at, EVENT_RPC_CALL, &rpc);
	told.answered = told.whole = true;
	told.entries = next > cookie ? (uint32_t)(next - cookie) : 1;
	told.first_cookie = cookie + 1;
	told.last_cookie = next;
	told.ascending = next > cookie;
	told.eof = next == 0;
	rpc.outcome = RPC_SUCCESS;
	rpc.has_status = true;
	script_rpc(&st->s, at + rtt, EVENT_RPC_REPLY, &rpc);
}

TEST(dir_chain_by_cookies)
{
	struct stage st;

	stage_init(&st);
	step(&st, 0, 0.1, 0, 100);
	step(&st, 1, 0.2, 100, 200);
	step(&st, 2, 0.3, 200, 0);
	CHECK_EQ_U64(st.ended, 1);
	CHECK(st.last.state == DIR_COMPLETE && !st.last.joined);
	CHECK_EQ_U64(st.last.calls, 3);
	CHECK_EQ_U64(st.last.entries, 201);
	CHECK_EQ_I64(st.last.rtt_sum_ns, 600 * STAMP_NS_PER_MS);
	CHECK_EQ_I64(st.last.rtt_max_ns, 300 * STAMP_NS_PER_MS);
	CHECK_EQ_I64(dir_chain_elapsed_ns(&st.last), 2300 * STAMP_NS_PER_MS);
	stage_deinit(&st);
}

TEST(dir_two_at_once_are_told_apart)
{
	struct stage st;

	stage_init(&st);
	step(&st, 0, 0.1, 0, 100);
	step(&st, 1, 0.1, 100, 200);
	step(&st, 2, 0.1, 0, 100);
	step(&st, 3, 0.1, 200, 300);
	step(&st, 4, 0.1, 100, 200);
	step(&st, 5, 0.1, 300, 0);
	CHECK_EQ_U64(st.last.calls, 4);
	CHECK_EQ_U64(st.last.others, 1);
	step(&st, 6, 0.1, 200, 0);
	CHECK_EQ_U64(st.ended, 2);
	CHECK(st.last.state == DIR_COMPLETE);
	stage_deinit(&st);
}

TEST(dir_restart_and_repeat_are_seen)
{
	struct stage st;

	stage_init(&st);
	step(&st, 0, 0.1, 0, 100);
	step(&st, 1, 0.1, 100, 200);
	step(&st, 2, 0.1, 100, 200);
	step(&st, 3, 0.1, 0, 100);
	dir_model_finish(&st.m);
	CHECK_EQ_U64(st.ended, 2);
	CHECK(st.last.state == DIR_LEFT);
	CHECK_EQ_U64(longest_count(&st.m.chains), 2);
	for (size_t i = 0; i < 2; i++) {
		const struct dir_chain *c = longest_at(&st.m.chains, i);

		if (c->calls == 3)
			CHECK(c->state == DIR_RESTARTED && c->repeats == 1);
	}
	stage_deinit(&st);
}

TEST(dir_joined_in_the_middle)
{
	struct stage st;

	stage_init(&st);
	step(&st, 0, 0.1, 500, 600);
	step(&st, 1, 0.1, 600, 0);
	CHECK(st.last.joined && st.last.state == DIR_COMPLETE);
	CHECK_EQ_U64(st.last.calls, 2);
	stage_deinit(&st);
}

TEST(dir_caps_hold)
{
	struct stage st;

	stage_init(&st);
	for (uint32_t i = 0; i < DIR_ACTIVE_MAX + 4; i++)
		step(&st, i, 0.1, 1000 * (i + 1), 1000 * (i + 1) + 10);
	CHECK_EQ_U64(st.m.listed_len, 1);
	CHECK_EQ_U64(st.ended, 4);
	CHECK_EQ_U64(st.m.forgotten, 4);
	stage_deinit(&st);
}

/* Lists `calls` times 100 entries, each call `rtt` long and `gap` after the reply before. */
static size_t findings_of(unsigned calls, double rtt, double gap, unsigned other_calls)
{
	static const struct rule *const rules[] = {&rule_dir_listing_rtt_bound};
	struct stage st;
	struct rule_input in = {.calls = &st.calls, .dirs = &st.m};
	struct diagnosis d;
	size_t count;

	stage_init(&st);
	for (unsigned i = 0; i < calls; i++)
		step(&st, i * (rtt + gap), rtt, i * 100, i + 1 < calls ? (i + 1) * 100 : 0);
	for (unsigned i = 0; i < other_calls; i++) {
		struct rpc_call rpc = {.conn = &st.c,
				       .program = PROGRAM_NFS,
				       .version = 3,
				       .procedure = GETATTR,
				       .has_call = true};

		script_rpc(&st.s, i * 0.001, EVENT_RPC_CALL, &rpc);
	}
	dir_model_finish(&st.m);
	diagnosis_init(&d);
	diagnose_run_rules(rules, 1, &in, &d);
	count = d.findings.len;
	if (count) {
		const struct finding *f = finding_at(&d.findings, 0);

		CHECK_TEXT(f->id, "dir-listing-rtt-bound");
		CHECK_TEXT(f->title, "listing a directory of 59901 entries took 60.6 s: 600 calls, "
				     "one after the other");
		CHECK_EQ_U64(f->count, 600);
	}
	diagnosis_deinit(&d);
	stage_deinit(&st);
	return count;
}

TEST(rtt_bound_listing_speaks)
{
	CHECK_EQ_U64(findings_of(600, 0.1, 0.001, 500), 1);
}

TEST(twin_short_listing_is_silent)
{
	CHECK_EQ_U64(findings_of(100, 0.1, 0.001, 0), 0);
}

TEST(twin_client_that_pauses_is_silent)
{
	CHECK_EQ_U64(findings_of(600, 0.02, 0.08, 0), 0);
}

TEST(twin_server_that_is_slow_is_silent)
{
	CHECK_EQ_U64(findings_of(600, 1.0, 0.001, 0), 0);
}

TEST(twin_storm_of_attributes_is_silent)
{
	CHECK_EQ_U64(findings_of(600, 0.1, 0.001, 60000), 0);
}

/* --- the other rules about listings --- */

/* A step that brings `entries` entries up to `last`; without a reply when `rtt` is NO_REPLY. */
#define NO_REPLY (-1.0)

static void answer(struct stage *st, double at, double rtt, uint64_t cookie, uint32_t entries,
		   uint64_t last)
{
	struct listing_told told = {.dir = {.len = 3, .bytes = "dir"}, .cookie = cookie};
	struct rpc_call rpc = {
		.conn = &st->c,
		.program = PROGRAM_NFS,
		.version = 3,
		.procedure = READDIRPLUS,
		.has_call = true,
		.object = 0xd1,
		.told_kind = RPC_TOLD_LISTING,
		.told.listing = &told,
	};

	script_rpc(&st->s, at, EVENT_RPC_CALL, &rpc);
	if (rtt == NO_REPLY)
		return;
	told.answered = told.whole = true;
	told.entries = entries;
	told.first_cookie = last >= entries ? last - entries + 1 : last;
	told.last_cookie = last;
	told.ascending = true;
	rpc.outcome = RPC_SUCCESS;
	rpc.has_status = true;
	script_rpc(&st->s, at + rtt, EVENT_RPC_REPLY, &rpc);
}

static size_t rule_findings(struct stage *st, const struct rule *rule)
{
	struct rule_input in = {.calls = &st->calls, .dirs = &st->m};
	struct diagnosis d;
	size_t count;

	dir_model_finish(&st->m);
	diagnosis_init(&d);
	diagnose_run_rules(&rule, 1, &in, &d);
	count = d.findings.len;
	diagnosis_deinit(&d);
	return count;
}

TEST(dir_client_that_drops_the_rest_of_a_reply_goes_on)
{
	struct stage st;

	stage_init(&st);
	answer(&st, 0, 0.1, 0, 101, 101);
	answer(&st, 1, 0.1, 51, 101, 151); /* as Linux before 5.18 */
	answer(&st, 2, 0.1, 101, 101, 201);
	dir_model_finish(&st.m);
	CHECK_EQ_U64(st.ended, 1);
	CHECK_EQ_U64(st.last.calls, 3);
	CHECK_EQ_U64(st.last.entries, 203);
	CHECK(st.last.skipped);
	stage_deinit(&st);
}

TEST(dir_circle_speaks)
{
	struct stage st;

	stage_init(&st);
	answer(&st, 0, 0.1, 0, 10, 10);
	for (int i = 0; i < 5; i++) {
		answer(&st, 1 + i, 0.1, 10, 10, 20);
		answer(&st, 1.3 + i, 0.1, 20, 10, 30);
		answer(&st, 1.6 + i, 0.1, 30, 10, 10);
	}
	CHECK_EQ_U64(rule_findings(&st, &rule_dir_cookie_loop), 1);
	stage_deinit(&st);
}

TEST(dir_endless_speaks)
{
	struct stage st;

	stage_init(&st);
	answer(&st, 0, 0.1, 0, 10, 10);
	for (int i = 0; i < 5; i++)
		answer(&st, 1 + i, 0.1, 10, 0, 0);
	CHECK_EQ_U64(rule_findings(&st, &rule_dir_cookie_loop), 1);
	stage_deinit(&st);
}

TEST(twin_two_at_once_are_no_circle)
{
	struct stage st;

	stage_init(&st);
	for (unsigned i = 0; i < 20; i++) {
		answer(&st, i, 0.1, i * 10, 10, i * 10 + 10);
		answer(&st, i + 0.5, 0.1, i * 10, 10, i * 10 + 10);
	}
	CHECK_EQ_U64(st.m.listed_len, 1);
	CHECK_EQ_U64(rule_findings(&st, &rule_dir_cookie_loop), 0);
	stage_deinit(&st);
}

/* READDIR takes `rtt`; forty GETATTR beside it take `other`. */
static size_t slow(double rtt, double other)
{
	struct stage st;
	size_t count;

	stage_init(&st);
	for (unsigned i = 0; i < 40; i++) {
		struct rpc_call rpc = {.conn = &st.c,
				       .program = PROGRAM_NFS,
				       .version = 3,
				       .procedure = GETATTR,
				       .has_call = true,
				       .outcome = RPC_SUCCESS,
				       .has_status = true};

		if (i == 0)
			answer(&st, 0, rtt, 0, 10, 10);
		rpc.call = script_place(&st.s, 10 + i);
		script_rpc(&st.s, 10 + i + other, EVENT_RPC_REPLY, &rpc);
	}
	answer(&st, 60, rtt, 10, 10, 20);
	count = rule_findings(&st, &rule_dir_server_slow);
	stage_deinit(&st);
	return count;
}

TEST(dir_server_slow_speaks)
{
	CHECK_EQ_U64(slow(8, 0.01), 1);
}

TEST(twin_all_is_slow_is_silent)
{
	CHECK_EQ_U64(slow(8, 7), 0);
	CHECK_EQ_U64(slow(0.5, 0.01), 0);
}

/*
 * Listings that are left after two steps each; the directory's mtime is `mtime_step` later each.
 * Of `unanswered` of them the last reply is not in the evidence.
 */
static size_t restarted(unsigned times, uint64_t mtime_step, unsigned unanswered)
{
	struct visit_model visits;
	struct stage st;
	struct rule_input in = {.calls = &st.calls, .dirs = &st.m, .visits = &visits};
	static const struct rule *const rules[] = {&rule_dir_listing_restarted};
	struct diagnosis d;
	size_t count;

	stage_init(&st);
	visit_model_init(&visits);
	visit_model_attach(&visits, &st.s.board);
	for (unsigned i = 0; i < times; i++) {
		struct listing_told told = {.dir = {.len = 3, .bytes = "dir"}};
		struct rpc_call rpc = {.conn = &st.c,
				       .program = PROGRAM_NFS,
				       .version = 3,
				       .procedure = READDIRPLUS,
				       .has_call = true,
				       .object = file_handle_hash(&told.dir),
				       .has_change = true,
				       .change = 7 + i * mtime_step,
				       .outcome = RPC_SUCCESS,
				       .told_kind = RPC_TOLD_LISTING,
				       .told.listing = &told};

		answer(&st, i * 3, 0.1, 0, 10, 10);
		answer(&st, i * 3 + 1, i < unanswered ? NO_REPLY : 0.1, 10, 10, 20);
		script_rpc(&st.s, i * 3 + 2, EVENT_RPC_REPLY, &rpc);
	}
	dir_model_finish(&st.m);
	visit_model_finish(&visits);
	diagnosis_init(&d);
	diagnose_run_rules(rules, 1, &in, &d);
	count = d.findings.len;
	diagnosis_deinit(&d);
	visit_model_deinit(&visits);
	stage_deinit(&st);
	return count;
}

TEST(dir_restarted_speaks)
{
	CHECK_EQ_U64(restarted(8, 1, 0), 1);
}

TEST(twin_restarted_without_a_change_is_silent)
{
	CHECK_EQ_U64(restarted(8, 0, 0), 0);
	CHECK_EQ_U64(restarted(3, 1, 0), 0);
}

TEST(twin_restarted_without_the_last_reply_is_silent)
{
	CHECK_EQ_U64(restarted(8, 1, 3), 1);
	CHECK_EQ_U64(restarted(8, 1, 8), 0);
}

/* 59 steps of so long each, beside 40 other calls, or none. */
static size_t slow_pages(double rtt, double handshake, double other, bool lost)
{
	static const struct rule *const rules[] = {&rule_dir_server_slow};
	struct conn_model conns;
	struct stage st;
	struct rule_input in = {.calls = &st.calls, .dirs = &st.m, .conns = &conns};
	struct diagnosis d;
	size_t count;

	stage_init(&st);
	conn_model_init(&conns);
	conn_model_attach(&conns, &st.s.board);
	script_tcp(&st.s, 0, &st.c, TCP_FACT_SYN, CONN_FROM_CLIENT);
	script_tcp(&st.s, 0, &st.c, TCP_FACT_SYN_ACK, CONN_FROM_SERVER);
	script_tcp(&st.s, handshake, &st.c, TCP_FACT_ESTABLISHED, CONN_FROM_CLIENT);
	for (unsigned i = 0; lost && i < 20; i++)
		script_tcp(&st.s, 1, &st.c, TCP_FACT_RETRANSMISSION, CONN_FROM_SERVER);
	for (unsigned i = 0; i < 59; i++) {
		struct rpc_call rpc = {.conn = &st.c,
				       .program = PROGRAM_NFS,
				       .version = 3,
				       .procedure = GETATTR,
				       .has_call = true,
				       .outcome = RPC_SUCCESS,
				       .has_status = true};

		answer(&st, 2 + i, rtt, i * 10, 10, i * 10 + 10);
		rpc.call = script_place(&st.s, 2.5 + i);
		if (other > 0)
			script_rpc(&st.s, 2.5 + i + other, EVENT_RPC_REPLY, &rpc);
	}
	dir_model_finish(&st.m);
	diagnosis_init(&d);
	diagnose_run_rules(rules, 1, &in, &d);
	count = d.findings.len;
	if (count)
		CHECK_EQ_U64(finding_at(&d.findings, 0)->confidence,
			     other > 0 ? CONFIDENCE_LIKELY : CONFIDENCE_POSSIBLE);
	diagnosis_deinit(&d);
	conn_model_deinit(&conns);
	stage_deinit(&st);
	return count;
}

TEST(dir_pages_speak)
{
	CHECK_EQ_U64(slow_pages(0.4, 0.001, 0, false), 1);
	CHECK_EQ_U64(slow_pages(0.4, 0.001, 0.002, false), 1);
}

TEST(twin_dir_pages_are_silent)
{
	/* The way takes as long, or other calls do. */
	CHECK_EQ_U64(slow_pages(0.4, 0.3, 0, false), 0);
	CHECK_EQ_U64(slow_pages(0.4, 0.001, 0.2, false), 0);
	/* Not long together; or what was lost takes the time. */
	CHECK_EQ_U64(slow_pages(0.08, 0.001, 0.002, false), 0);
	CHECK_EQ_U64(slow_pages(0.4, 0.001, 0, true), 0);
}
