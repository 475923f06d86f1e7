// SPDX-License-Identifier: GPL-2.0-or-later
/* Rules about a lock manager that moves or restarts, and about callbacks, with their twins. */
#include "check.h"
#include "names/nsm.h"
#include "nlm_stage.h"

#include <netinet/in.h>

/* The questions of client A for the lock manager, told this port. */
static void ask(struct stage *st, double at, uint32_t port)
{
	script_getport(&st->s, at, &st->ask, NLM_PROG, IPPROTO_TCP, port);
}

/* Client A tries this port from `at` on, three times. */
static void refused(struct stage *st, double at, uint16_t port)
{
	for (unsigned i = 0; i < 3; i++) {
		struct conn c = script_conn(20 + i, CLIENT_A, 701, SERVER, port);

		script_refused(&st->s, at + 3 * i, &c);
	}
}

static void connects(struct stage *st, double at, uint16_t port)
{
	struct conn c = script_conn(30, CLIENT_A, 701, SERVER, port);

	script_handshake(&st->s, at, &c);
}

TEST(port_that_moved_is_a_cause)
{
	const struct finding *f;
	struct stage st;

	stage_init(&st);
	ask(&st, 0, 4045);
	refused(&st, 100, 4045);
	ask(&st, 108, 4046);
	connects(&st, 109, 4046);
	stage_run(&st, 200);
	f = stage_find(&st, "nlm-port-changed");
	if (CHECK(f)) {
		CHECK(f->confidence == CONFIDENCE_CERTAIN);
		CHECK_TEXT(f->title, "the lock manager of 192.0.2.10 moved from port 4045 to 4046");
		CHECK_EQ_I64(f->last.ns, script_at(109).ns);
	}
	stage_deinit(&st);
}

TEST(twin_port_that_moved_before_it_was_tried_is_silent)
{
	struct stage st;

	stage_init(&st);
	ask(&st, 0, 4045);
	ask(&st, 108, 4046);
	connects(&st, 109, 4046);
	stage_run(&st, 200);
	CHECK_EQ_U64(st.d.findings.len, 0);
	stage_deinit(&st);
}

TEST(twin_host_that_is_away_is_no_port_that_moved)
{
	struct stage st;

	stage_init(&st);
	ask(&st, 0, 4045);
	refused(&st, 100, 4045);
	script_refused(&st.s, 105.9, &st.nfs_a);
	ask(&st, 108, 4046);
	connects(&st, 109, 4046);
	stage_run(&st, 200);
	CHECK(!stage_find(&st, "nlm-port-changed"));
	stage_deinit(&st);
}

TEST(port_that_is_told_and_refuses_is_likely)
{
	const struct finding *f;
	struct stage st;

	stage_init(&st);
	ask(&st, 0, 4045);
	refused(&st, 100, 4045);
	ask(&st, 108, 4045);
	stage_run(&st, 200);
	f = stage_find(&st, "nlm-port-changed");
	if (CHECK(f))
		CHECK(f->confidence == CONFIDENCE_LIKELY);
	stage_deinit(&st);
}

TEST(twin_port_that_is_told_and_does_not_answer_is_undecided)
{
	struct stage st;

	stage_init(&st);
	ask(&st, 0, 4045);
	script_tcp(&st.s, 100, &st.a, TCP_FACT_SYN, CONN_FROM_CLIENT);
	script_tcp(&st.s, 103, &st.a, TCP_FACT_SYN_REPEAT, CONN_FROM_CLIENT);
	ask(&st, 160, 4045);
	stage_run(&st, 200);
	CHECK(!stage_find(&st, "nlm-port-changed"));
	CHECK_EQ_U64(st.d.undecided.len, 1);
	stage_deinit(&st);
}

/* --- restarts --- */

static void notify(struct stage *st, double at, const struct conn *conn, bool answered)
{
	struct nsm_told told = {.name = "files", .state = 7};
	struct rpc_call rpc = {.conn = conn,
			       .program = SM_PROG,
			       .version = SM_VERS,
			       .procedure = SMPROC_NOTIFY,
			       .has_call = true,
			       .told_kind = RPC_TOLD_STATE,
			       .told.state = &told};

	script_rpc(&st->s, at, EVENT_RPC_CALL, &rpc);
	if (!answered)
		return;
	rpc.outcome = RPC_SUCCESS;
	script_rpc(&st->s, at + 0.001, EVENT_RPC_REPLY, &rpc);
}

TEST(restart_that_is_told_and_reclaimed_is_certain)
{
	struct nlm_told a = script_lock(1, 0, 0);
	const struct finding *f;
	struct stage st;

	stage_init(&st);
	script_nlm(&st.s, 0, &st.a, NLMPROC_LOCK, &a, NLM_GRANTED);
	script_exchange(&st.s, 1, &st.nfs_a, 100003, 3);
	notify(&st, 100, &st.notify, true);
	a.reclaim = true;
	script_nlm(&st.s, 101, &st.a, NLMPROC_LOCK, &a, NLM_GRANTED);
	stage_run(&st, 200);
	f = stage_find(&st, "nlm-server-restart");
	if (CHECK(f))
		CHECK(f->confidence == CONFIDENCE_CERTAIN);
	CHECK(!stage_find(&st, "nsm-notify-lost"));
	stage_deinit(&st);
}

/* A's lock is reclaimed, with this answer; a second later once more, where `again` is told. */
static void reclaims(struct stage *st, uint32_t status, uint32_t again, bool flag)
{
	struct nlm_told a = script_lock(1, 0, 0);

	script_nlm(&st->s, 0, &st->a, NLMPROC_LOCK, &a, NLM_GRANTED);
	script_exchange(&st->s, 1, &st->nfs_a, 100003, 3);
	notify(st, 100, &st->notify, true);
	a.reclaim = true;
	script_nlm(&st->s, 101, &st->a, NLMPROC_LOCK, &a, status);
	a.reclaim = flag;
	if (again != UINT32_MAX)
		script_nlm(&st->s, 102, &st->a, NLMPROC_LOCK, &a, again);
}

TEST(reclaim_that_is_refused_is_told)
{
	const struct finding *f;
	struct stage st;

	stage_init(&st);
	reclaims(&st, NLM_DENIED, UINT32_MAX, true);
	stage_run(&st, 200);
	f = stage_find(&st, "nlm-locks-out-of-step");
	if (CHECK(f)) {
		CHECK(f->confidence == CONFIDENCE_CERTAIN);
		CHECK_TEXT(f->title, "192.0.2.31 could not take back 1 lock from the lock manager "
				     "of 192.0.2.10");
		CHECK(strstr(f->why, "DENIED"));
	}
	stage_deinit(&st);
}

TEST(reclaim_that_comes_too_late_is_no_grace_period)
{
	struct stage st;

	stage_init(&st);
	reclaims(&st, NLM_DENIED_GRACE_PERIOD, UINT32_MAX, true);
	stage_run(&st, 200);
	CHECK(stage_find(&st, "nlm-locks-out-of-step"));
	CHECK_EQ_U64(st.nlm.graces.len, 0);
	stage_deinit(&st);
}

TEST(reclaim_that_an_ordinary_lock_replaces_is_told)
{
	const struct finding *f;
	struct stage st;

	stage_init(&st);
	reclaims(&st, NLM_DENIED, NLM_GRANTED, false);
	stage_run(&st, 200);
	f = stage_find(&st, "nlm-locks-out-of-step");
	if (CHECK(f))
		CHECK(strstr(f->why, "ordinary LOCK"));
	stage_deinit(&st);
}

TEST(twin_reclaim_that_is_granted_at_the_second_try_is_silent)
{
	struct stage st;

	stage_init(&st);
	reclaims(&st, NLM_DENIED, NLM_GRANTED, true);
	stage_run(&st, 200);
	CHECK_EQ_U64((*(struct nlm_reclaim **)vec_at(&st.nlm.reclaims, 0))->refused, 1);
	CHECK(!stage_find(&st, "nlm-locks-out-of-step"));
	stage_deinit(&st);
}

TEST(grace_alone_is_a_restart_or_a_takeover)
{
	struct nlm_told a = script_lock(1, 0, 0);
	const struct finding *f;
	struct stage st;

	stage_init(&st);
	for (unsigned i = 0; i < 4; i++)
		script_nlm(&st.s, 5 * i, &st.a, NLMPROC_LOCK, &a, NLM_DENIED_GRACE_PERIOD);
	stage_run(&st, 200);
	f = stage_find(&st, "nlm-server-restart");
	if (CHECK(f))
		CHECK(f->confidence == CONFIDENCE_LIKELY);
	stage_deinit(&st);
}

TEST(twin_client_that_says_that_it_restarted_is_no_server)
{
	struct conn from_client = script_conn(9, CLIENT_A, 40662, SERVER, 662);
	struct stage st;

	stage_init(&st);
	script_exchange(&st.s, 1, &st.nfs_a, 100003, 3);
	notify(&st, 100, &from_client, true);
	stage_run(&st, 200);
	CHECK_EQ_U64(st.nlm.notifies.len, 1);
	CHECK_EQ_U64(st.d.findings.len, 0);
	stage_deinit(&st);
}

/* A holds the lock, the lock manager restarts, and B gets it. */
static void taken(struct stage *st, bool alive, bool reclaims)
{
	struct nlm_told a = script_lock(1, 0, 0), b = script_lock(2, 0, 0);

	script_handshake(&st->s, -1, &st->nfs_a);
	script_nlm(&st->s, 0, &st->a, NLMPROC_LOCK, &a, NLM_GRANTED);
	script_nlm(&st->s, 100, &st->b, NLMPROC_LOCK, &b, NLM_DENIED_GRACE_PERIOD);
	if (alive)
		script_exchange(&st->s, 160, &st->nfs_a, 100003, 3);
	a.reclaim = true;
	if (reclaims)
		script_nlm(&st->s, 111, &st->a, NLMPROC_LOCK, &a, NLM_GRANTED);
	script_nlm(&st->s, 150, &st->b, NLMPROC_LOCK, &b, reclaims ? NLM_BLOCKED : NLM_GRANTED);
}

TEST(lock_that_two_hosts_hold_is_a_lost_notification)
{
	struct nlm_told a = script_lock(1, 0, 0);
	const struct finding *f;
	struct stage st;

	stage_init(&st);
	taken(&st, true, false);
	script_nlm(&st.s, 160, &st.a, NLMPROC_UNLOCK, &a, NLM_GRANTED);
	stage_run(&st, 200);
	f = stage_find(&st, "nsm-notify-lost");
	if (CHECK(f)) {
		CHECK(f->confidence == CONFIDENCE_CERTAIN);
		CHECK_TEXT(f->title, "192.0.2.32 got a lock that 192.0.2.31 still holds, after a "
				     "restart of 192.0.2.10");
	}
	stage_deinit(&st);
}

TEST(twin_lock_that_was_reclaimed_is_not_lost)
{
	struct stage st;

	stage_init(&st);
	taken(&st, true, true);
	stage_run(&st, 200);
	CHECK(!stage_find(&st, "nsm-notify-lost"));
	stage_deinit(&st);
}

/* The same name and the same process at another address. */
TEST(twin_lock_of_one_client_at_two_addresses_is_undecided)
{
	struct nlm_told a = script_lock(1, 0, 0);
	struct stage st;

	stage_init(&st);
	script_handshake(&st.s, -1, &st.nfs_a);
	script_nlm(&st.s, 0, &st.a, NLMPROC_LOCK, &a, NLM_GRANTED);
	script_nlm(&st.s, 100, &st.b, NLMPROC_LOCK, &a, NLM_DENIED_GRACE_PERIOD);
	script_nlm(&st.s, 150, &st.b, NLMPROC_LOCK, &a, NLM_GRANTED);
	script_exchange(&st.s, 160, &st.nfs_a, 100003, 3);
	stage_run(&st, 200);
	CHECK_EQ_U64(st.nlm.taken.len, 1);
	CHECK(!stage_find(&st, "nsm-notify-lost"));
	CHECK_EQ_U64(st.d.undecided.len, 1);
	stage_deinit(&st);
}

TEST(twin_holder_that_is_gone_cannot_be_told)
{
	struct stage st;

	stage_init(&st);
	taken(&st, false, false);
	stage_run(&st, 200);
	CHECK_EQ_U64(st.nlm.taken.len, 1);
	CHECK(!stage_find(&st, "nsm-notify-lost"));
	stage_deinit(&st);
}

TEST(notification_that_nobody_answers_is_likely)
{
	const struct finding *f;
	struct stage st;

	stage_init(&st);
	script_exchange(&st.s, 1, &st.nfs_a, 100003, 3);
	for (unsigned i = 0; i < 5; i++)
		notify(&st, 100 + 5 * i, &st.notify, false);
	stage_both_ways(&st, 150);
	stage_run(&st, 200);
	f = stage_find(&st, "nsm-notify-lost");
	if (CHECK(f))
		CHECK(f->confidence == CONFIDENCE_LIKELY);
	stage_deinit(&st);
}

/* --- callbacks --- */

/* B waits for A's lock from 0 on; A gives it back at 10; B asks again at 30 and gets it. */
static void waits(struct stage *st, const char *callback)
{
	struct nlm_told a = script_lock(1, 0, 0), b = script_lock(2, 0, 0);

	script_handshake(&st->s, -3, &st->a);
	script_handshake(&st->s, -3, &st->b);
	script_nlm(&st->s, -2, &st->a, NLMPROC_LOCK, &a, NLM_GRANTED);
	script_nlm(&st->s, 0, &st->b, NLMPROC_LOCK, &b, NLM_BLOCKED);
	script_nlm(&st->s, 10, &st->a, NLMPROC_UNLOCK, &a, NLM_GRANTED);
	if (strcmp(callback, "call") == 0) {
		script_handshake(&st->s, 10.1, &st->back);
		script_nlm(&st->s, 10.2, &st->back, NLMPROC_GRANTED, &b, UINT32_MAX);
	} else if (strcmp(callback, "taken") == 0) {
		script_nlm(&st->s, 10.2, &st->back, NLMPROC_GRANTED, &b, NLM_GRANTED);
		return;
	} else if (strcmp(callback, "portmapper") == 0) {
		struct conn c = script_conn(40, SERVER, 835, CLIENT_B, PORTMAP_PORT);

		script_tcp(&st->s, 10.2, &c, TCP_FACT_SYN, CONN_FROM_CLIENT);
	}
	script_nlm(&st->s, 30, &st->b, NLMPROC_LOCK, &b, NLM_GRANTED);
}

static void waits_says(const char *callback, enum finding_confidence confidence)
{
	const struct finding *f;
	struct stage st;

	stage_init(&st);
	script_exchange(&st.s, -5, &st.nfs_a, 100003, 3);
	waits(&st, callback);
	stage_both_ways(&st, 90);
	stage_run(&st, 100);
	f = stage_find(&st, "nlm-granted-lost");
	if (CHECK(f))
		CHECK(f->confidence == confidence);
	stage_deinit(&st);
}

TEST(callback_that_is_not_answered_is_certain)
{
	waits_says("call", CONFIDENCE_CERTAIN);
}

TEST(callback_whose_port_cannot_be_asked_for_is_likely)
{
	waits_says("portmapper", CONFIDENCE_LIKELY);
}

TEST(twin_callback_that_was_not_seen_is_undecided)
{
	struct stage st;

	stage_init(&st);
	waits(&st, "");
	stage_run(&st, 100);
	CHECK_EQ_U64(st.d.findings.len, 0);
	CHECK_EQ_U64(st.d.undecided.len, 1);
	stage_deinit(&st);
}

TEST(twin_callback_that_is_taken_is_silent)
{
	struct stage st;

	stage_init(&st);
	waits(&st, "taken");
	stage_run(&st, 100);
	CHECK(!stage_find(&st, "nlm-granted-lost"));
	CHECK_EQ_U64(longest_count(&st.nlm.waits), 1);
	stage_deinit(&st);
}

TEST(lockd_that_gives_up_is_a_server)
{
	const struct finding *f;
	struct stage st;

	stage_init(&st);
	stage_log(&st, "[  100.000000] lockd: server app-02 not responding, timed out\n");
	stage_run(&st, 100);
	f = stage_find(&st, "nlm-granted-lost");
	if (CHECK(f))
		CHECK(f->confidence == CONFIDENCE_LIKELY);
	stage_deinit(&st);
}

TEST(twin_lockd_that_goes_on_is_a_client)
{
	struct stage st;

	stage_init(&st);
	stage_log(&st, "[  100.000000] lockd: server app-02 not responding, still trying\n"
		       "[  900.000000] lockd: server app-02 not responding, timed out\n");
	stage_run(&st, 100);
	CHECK(!stage_find(&st, "nlm-granted-lost"));
	stage_deinit(&st);
}
