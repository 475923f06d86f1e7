// SPDX-License-Identifier: GPL-2.0-or-later
/* The model of NLM locks under scripted events. */
#include "check.h"
#include "model/nlm/nlm.h"
#include "names/nlm.h"
#include "names/nsm.h"
#include "nlm_script.h"

struct stage {
	struct script s;
	struct nlm_model m;
	struct conn a, b, back; /* from each client to the server; from the server to client b */
	size_t ended;
	struct nlm_lock last; /* that ended, without its links */
};

static void take_ended(void *context, const struct nlm_lock *lock)
{
	struct stage *st = context;

	st->ended++;
	st->last = *lock;
}

static void stage_init(struct stage *st)
{
	*st = (struct stage){.s = script_make()};
	st->a = script_conn(1, CLIENT_A, 701, SERVER, 4045);
	st->b = script_conn(2, CLIENT_B, 702, SERVER, 4045);
	st->back = script_conn(3, SERVER, 834, CLIENT_B, 45855);
	nlm_model_init(&st->m);
	st->m.ended = take_ended;
	st->m.ended_context = st;
	nlm_model_attach(&st->m, &st->s.board);
}

static const struct nlm_lock *only_wait(const struct stage *st)
{
	return CHECK_EQ_U64(longest_count(&st->m.waits), 1) ? longest_at(&st->m.waits, 0) : NULL;
}

TEST(nlm_blocked_lock_knows_its_holder_and_the_callback_brings_it)
{
	struct nlm_told a = script_lock(1, 0, 0), b = script_lock(2, 100, 10);
	const struct nlm_lock *w;
	struct stage st;

	stage_init(&st);
	script_nlm(&st.s, 0, &st.a, NLMPROC_LOCK, &a, NLM_GRANTED);
	script_nlm(&st.s, 1, &st.b, NLMPROC_LOCK, &b, NLM_BLOCKED);
	script_nlm(&st.s, 31, &st.b, NLMPROC_LOCK, &b, NLM_BLOCKED);
	script_nlm(&st.s, 40, &st.a, NLMPROC_UNLOCK, &a, NLM_GRANTED);
	script_nlm(&st.s, 40.1, &st.back, NLMPROC_GRANTED, &b, NLM_GRANTED);
	script_nlm(&st.s, 50, &st.b, NLMPROC_UNLOCK, &b, NLM_GRANTED);
	CHECK_EQ_U64(st.ended, 2);
	CHECK_EQ_U64(st.m.locks_len, 0);
	w = only_wait(&st);
	if (!w)
		return;
	CHECK(w->state == NLM_RELEASED && w->granted_by_callback && w->holder.seen);
	CHECK_EQ_U64(w->requests, 2);
	CHECK_EQ_U64(w->callbacks, 1);
	CHECK_EQ_U64(w->holders, 1);
	CHECK_EQ_I64(w->holder.owner.svid, 1);
	CHECK_TEXT(w->holder.owner.caller, "app");
	CHECK_EQ_I64(w->holder.granted.at.ns, script_at(0.001).ns);
	CHECK_EQ_I64(w->holder.released.at.ns, script_at(40).ns);
	CHECK_EQ_I64(nlm_lock_wait_ns(w), script_at(40.1).ns - script_at(1).ns);
	nlm_model_deinit(&st.m);
}

TEST(nlm_granted_msg_counts_with_its_result)
{
	struct nlm_told a = script_lock(1, 0, 0), b = script_lock(2, 0, 0);
	struct stage st;

	stage_init(&st);
	script_nlm(&st.s, 0, &st.a, NLMPROC_LOCK, &a, NLM_GRANTED);
	script_nlm(&st.s, 1, &st.b, NLMPROC_LOCK, &b, NLM_BLOCKED);
	script_nlm(&st.s, 9, &st.a, NLMPROC_UNLOCK, &a, NLM_GRANTED);
	script_nlm(&st.s, 9.1, &st.back, NLMPROC_GRANTED_MSG, &b, UINT32_MAX);
	CHECK(st.m.newest->state == NLM_WAITING);
	script_nlm_result(&st.s, 9.2, &st.b, NLMPROC_GRANTED_RES, NLM_GRANTED);
	CHECK(st.m.newest->state == NLM_HELD && st.m.newest->granted_by_callback);
	nlm_model_deinit(&st.m);
}

TEST(nlm_asynchronous_lock_is_a_lock)
{
	struct nlm_told a = script_lock(1, 0, 0);
	struct conn back = script_conn(4, SERVER, 835, CLIENT_A, 45000);
	struct stage st;

	stage_init(&st);
	script_nlm(&st.s, 0, &st.a, NLMPROC_LOCK_MSG, &a, UINT32_MAX);
	CHECK_EQ_U64(st.m.locks_len, 0);
	script_nlm_result(&st.s, 0.1, &back, NLMPROC_LOCK_RES, NLM_GRANTED);
	CHECK_EQ_U64(st.m.locks_len, 1);
	script_nlm_result(&st.s, 0.2, &back, NLMPROC_LOCK_RES, NLM_GRANTED);
	CHECK_EQ_U64(st.m.locks_len, 1);
	nlm_model_deinit(&st.m);
}

TEST(nlm_ranges_that_do_not_overlap_do_not_conflict)
{
	struct nlm_told a = script_lock(1, 0, 100), b = script_lock(2, 100, 10);
	struct stage st;

	stage_init(&st);
	script_nlm(&st.s, 0, &st.a, NLMPROC_LOCK, &a, NLM_GRANTED);
	script_nlm(&st.s, 1, &st.b, NLMPROC_LOCK, &b, NLM_BLOCKED);
	CHECK(!st.m.newest->holder.seen);
	b.offset = 99;
	script_nlm(&st.s, 2, &st.b, NLMPROC_LOCK, &b, NLM_BLOCKED);
	CHECK(st.m.newest->holder.seen);
	nlm_model_deinit(&st.m);
}

TEST(nlm_unlock_in_the_middle_leaves_both_ends)
{
	struct nlm_told whole = script_lock(1, 0, 0), middle = script_lock(1, 10, 10);
	struct nlm_told head = script_lock(2, 5, 1), tail = script_lock(2, 20, 0);
	struct nlm_told free_one = script_lock(2, 10, 10);
	struct stage st;

	stage_init(&st);
	script_nlm(&st.s, 0, &st.a, NLMPROC_LOCK, &whole, NLM_GRANTED);
	script_nlm(&st.s, 1, &st.a, NLMPROC_UNLOCK, &middle, NLM_GRANTED);
	CHECK_EQ_U64(st.m.locks_len, 2);
	script_nlm(&st.s, 2, &st.b, NLMPROC_LOCK, &head, NLM_BLOCKED);
	CHECK(st.m.newest->holder.seen);
	script_nlm(&st.s, 3, &st.b, NLMPROC_LOCK, &tail, NLM_BLOCKED);
	CHECK(st.m.newest->holder.seen);
	script_nlm(&st.s, 4, &st.b, NLMPROC_LOCK, &free_one, NLM_GRANTED);
	CHECK_EQ_U64(st.ended, 0);
	script_nlm(&st.s, 5, &st.a, NLMPROC_UNLOCK, &whole, NLM_GRANTED);
	CHECK_EQ_U64(st.ended, 2);
	nlm_model_deinit(&st.m);
}

TEST(nlm_what_was_released_unseen_is_gone_when_somebody_else_gets_it)
{
	struct nlm_told a = script_lock(1, 0, 0), b = script_lock(2, 0, 0);
	struct stage st;

	stage_init(&st);
	script_nlm(&st.s, 0, &st.a, NLMPROC_LOCK, &a, NLM_GRANTED);
	script_nlm(&st.s, 9, &st.b, NLMPROC_LOCK, &b, NLM_GRANTED);
	CHECK_EQ_U64(st.ended, 1);
	CHECK(st.last.state == NLM_GONE);
	nlm_model_deinit(&st.m);
}

TEST(nlm_shared_locks_are_held_together)
{
	struct nlm_told a = script_lock(1, 0, 0), b = script_lock(2, 0, 0);
	struct stage st;

	stage_init(&st);
	a.exclusive = b.exclusive = false;
	script_nlm(&st.s, 0, &st.a, NLMPROC_LOCK, &a, NLM_GRANTED);
	script_nlm(&st.s, 9, &st.b, NLMPROC_LOCK, &b, NLM_GRANTED);
	CHECK_EQ_U64(st.m.locks_len, 2);
	nlm_model_deinit(&st.m);
}

TEST(nlm_cancel_ends_a_wait_and_a_reclaim_does_not_double_a_lock)
{
	struct nlm_told a = script_lock(1, 0, 0), b = script_lock(2, 0, 0);
	struct stage st;

	stage_init(&st);
	script_nlm(&st.s, 0, &st.a, NLMPROC_LOCK, &a, NLM_GRANTED);
	script_nlm(&st.s, 1, &st.b, NLMPROC_LOCK, &b, NLM_BLOCKED);
	script_nlm(&st.s, 6, &st.b, NLMPROC_CANCEL, &b, NLM_GRANTED);
	CHECK(st.last.state == NLM_CANCELLED);
	CHECK_EQ_I64(nlm_lock_wait_ns(&st.last), 5 * STAMP_NS_PER_S);
	a.reclaim = true;
	script_nlm(&st.s, 9, &st.a, NLMPROC_LOCK, &a, NLM_GRANTED);
	CHECK_EQ_U64(st.m.locks_len, 1);
	nlm_model_deinit(&st.m);
}

TEST(nlm_grace_answers_make_an_episode)
{
	struct nlm_told a = script_lock(1, 0, 0);
	const struct nlm_grace *g;
	struct stage st;

	stage_init(&st);
	for (int i = 0; i < 10; i++)
		script_nlm(&st.s, i * 5, &st.a, NLMPROC_LOCK, &a, NLM_DENIED_GRACE_PERIOD);
	script_nlm(&st.s, 50, &st.a, NLMPROC_LOCK, &a, NLM_GRANTED);
	script_nlm(&st.s, 60, &st.a, NLMPROC_UNLOCK, &a, NLM_GRANTED);
	script_nlm(&st.s, 300, &st.a, NLMPROC_LOCK, &a, NLM_DENIED_GRACE_PERIOD);
	if (!CHECK_EQ_U64(st.m.graces.len, 2))
		return;
	g = *(struct nlm_grace **)vec_at(&st.m.graces, 0);
	CHECK_EQ_U64(g->count, 10);
	CHECK_EQ_U64(g->cites_len, NLM_CITES_MAX);
	CHECK_EQ_U64(g->clients_len, 1);
	CHECK_EQ_I64(g->over.at.ns, script_at(50.001).ns);
	CHECK_EQ_U64(only_wait(&st)->graces, 10);
	nlm_model_deinit(&st.m);
}

TEST(nlm_notification_clears_the_locks_between_the_two)
{
	struct conn c = script_conn(9, CLIENT_A, 800, SERVER, 4000);
	struct nlm_told a = script_lock(1, 0, 0), b = script_lock(2, 0, 0);
	struct rpc_call rpc = {.conn = &c,
			       .program = SM_PROG,
			       .version = SM_VERS,
			       .procedure = SMPROC_NOTIFY,
			       .has_call = true};
	struct stage st;

	stage_init(&st);
	a.exclusive = b.exclusive = false;
	script_nlm(&st.s, 0, &st.a, NLMPROC_LOCK, &a, NLM_GRANTED);
	script_nlm(&st.s, 0, &st.b, NLMPROC_LOCK, &b, NLM_GRANTED);
	script_rpc(&st.s, 9, EVENT_RPC_CALL, &rpc);
	CHECK_EQ_U64(st.ended, 1);
	CHECK(st.last.state == NLM_CLEARED);
	CHECK_EQ_I64(st.last.owner.svid, 1);
	CHECK_EQ_U64(st.m.notifies.len, 1);
	nlm_model_deinit(&st.m);
}

TEST(nlm_caps_hold_and_are_counted)
{
	struct stage st;

	stage_init(&st);
	for (uint64_t i = 0; i < NLM_FILE_LOCKS_MAX + 5; i++) {
		struct nlm_told t = script_lock(1, i * 10, 1);

		script_nlm(&st.s, (double)i, &st.a, NLMPROC_LOCK, &t, NLM_GRANTED);
	}
	CHECK_EQ_U64(st.m.locks_len, NLM_FILE_LOCKS_MAX);
	CHECK_EQ_U64(st.m.forgotten, 5);
	for (uint32_t i = 0; i < NLM_LOCKS_MAX + 7; i++) {
		struct nlm_told t = script_lock(1, 0, 0);

		memcpy(t.file.bytes, &i, 4);
		script_nlm(&st.s, 1000, &st.a, NLMPROC_LOCK, &t, NLM_GRANTED);
	}
	CHECK_EQ_U64(st.m.locks_len, NLM_LOCKS_MAX);
	CHECK_EQ_U64(st.m.forgotten, 5 + 7 + NLM_FILE_LOCKS_MAX);
	nlm_model_deinit(&st.m);
}

TEST(longest_keeps_what_lasted)
{
	int items[10];
	struct longest l;
	int64_t sum = 0;

	longest_init(&l, 3);
	for (int i = 0; i < 10; i++) {
		items[i] = (i * 7) % 10; /* 0 7 4 1 8 5 2 9 6 3 */
		longest_add(&l, items[i], &items[i]);
	}
	CHECK_EQ_U64(longest_count(&l), 3);
	CHECK_EQ_U64(l.dropped, 7);
	for (size_t i = 0; i < 3; i++)
		sum += *(int *)longest_at(&l, i);
	CHECK_EQ_I64(sum, 9 + 8 + 7);
	longest_deinit(&l);
}
