// SPDX-License-Identifier: GPL-2.0-or-later
/* The NFSv4 model under scripted events: the ladder, who is who, what the capture lacks. */
#include "check.h"
#include "nfs4_script.h"

#define HOST   "192.0.2.21"
#define HOST_2 "192.0.2.22"
#define OWNER  "Linux NFSv4.1 web-01"

TEST(a_full_ladder_is_one_recovery)
{
	struct v4_stage st;
	struct v4_client c;
	const struct nfs4_party *p;

	v4_init(&st);
	c = v4_client(&st, HOST, OWNER, -50);
	v4_mount(&st, 1, &c);
	v4_sequence(&st, 5, &c, NFS4_OK);
	v4_lose(&st, 10, &c);
	v4_sequence(&st, 11, &c, NFS4_OK);
	nfs4_model_finish(&st.model);
	p = v4_party(&st, 0);
	CHECK_EQ_U64(p->recoveries_count, 1);
	CHECK_EQ_U64(p->full_count, 1);
	CHECK_EQ_U64(p->recoveries[0].kind, RECOVERY_FULL);
	CHECK_EQ_I64(p->recoveries[0].silence_ns, 4999000000);
	CHECK_EQ_I64(p->recoveries[0].clientid_steps, 1);
	CHECK_EQ_I64(p->recoveries[0].old_boot_s, V4_BOOT_S);
	CHECK(p->recoveries[0].reclaim_complete.frame != FRAME_NONE);
	CHECK(!p->recoveries[0].other);
	nfs4_model_deinit(&st.model);
}

TEST(calls_under_way_are_refused_once)
{
	struct v4_stage st;
	struct v4_client c;

	v4_init(&st);
	c = v4_client(&st, HOST, OWNER, -50);
	v4_mount(&st, 1, &c);
	v4_sequence(&st, 10, &c, NFS4ERR_BADSESSION);
	v4_sequence(&st, 10.001, &c, NFS4ERR_BADSESSION);
	v4_lose(&st, 10.002, &c);
	nfs4_model_finish(&st.model);
	CHECK_EQ_U64(v4_party(&st, 0)->recoveries_count, 1);
	nfs4_model_deinit(&st.model);
}

TEST(the_old_client_id_given_back_is_a_session_loss)
{
	struct v4_stage st;
	struct v4_client c;

	v4_init(&st);
	c = v4_client(&st, HOST, OWNER, -50);
	v4_mount(&st, 1, &c);
	v4_sequence(&st, 10, &c, NFS4ERR_BADSESSION);
	v4_exchange_id(&st, 10.1, &c, NFS4_OK, c.id);
	v4_create_session(&st, 10.2, &c, NFS4_OK);
	nfs4_model_finish(&st.model);
	CHECK_EQ_U64(v4_party(&st, 0)->session_only_count, 1);
	CHECK_EQ_U64(v4_party(&st, 0)->full_count, 0);
	nfs4_model_deinit(&st.model);
}

TEST(another_client_id_is_a_full_loss_without_its_exchange_id)
{
	struct v4_stage st;
	struct v4_client c;

	v4_init(&st);
	c = v4_client(&st, HOST, OWNER, -50);
	v4_mount(&st, 1, &c);
	v4_sequence(&st, 10, &c, NFS4ERR_BADSESSION);
	st.unseen = true;
	v4_exchange_id(&st, 10.1, &c, NFS4_OK, v4_new_id(&st));
	st.unseen = false;
	v4_create_session(&st, 10.2, &c, NFS4_OK);
	nfs4_model_finish(&st.model);
	CHECK_EQ_U64(v4_party(&st, 0)->session_only_count, 0);
	CHECK_EQ_U64(v4_party(&st, 0)->full_count, 1);
	nfs4_model_deinit(&st.model);
}

TEST(own_destroy_session_loses_nothing)
{
	struct v4_stage st;
	struct v4_client c;

	v4_init(&st);
	c = v4_client(&st, HOST, OWNER, -50);
	v4_mount(&st, 1, &c);
	v4_destroy(&st, 10, &c, OP_DESTROY_SESSION, NFS4_OK);
	v4_sequence(&st, 10.01, &c, NFS4ERR_BADSESSION);
	nfs4_model_finish(&st.model);
	CHECK_EQ_U64(v4_party(&st, 0)->recoveries_count, 0);
	nfs4_model_deinit(&st.model);
}

TEST(after_an_unmount_nobody_is_silent)
{
	struct v4_stage st;
	struct v4_client c;

	v4_init(&st);
	c = v4_client(&st, HOST, OWNER, -50);
	v4_mount(&st, 1, &c);
	v4_destroy(&st, 10, &c, OP_DESTROY_SESSION, NFS4_OK);
	v4_destroy(&st, 10.1, &c, OP_DESTROY_CLIENTID, NFS4_OK);
	v4_exchange_id(&st, 3600, &c, NFS4_OK, v4_new_id(&st));
	v4_create_session(&st, 3600.1, &c, NFS4ERR_STALE_CLIENTID);
	v4_exchange_id(&st, 3600.2, &c, NFS4_OK, v4_new_id(&st));
	v4_create_session(&st, 3600.3, &c, NFS4_OK);
	nfs4_model_finish(&st.model);
	CHECK_EQ_U64(v4_party(&st, 0)->recoveries_count, 1);
	CHECK_EQ_I64(v4_party(&st, 0)->recoveries[0].silence_ns, -1);
	nfs4_model_deinit(&st.model);
}

TEST(a_slot_that_jumps_shows_missing_calls)
{
	struct v4_stage st;
	struct v4_client c;

	v4_init(&st);
	c = v4_client(&st, HOST, OWNER, -50);
	v4_mount(&st, 1, &c);
	st.unseen = true;
	v4_sequence(&st, 60, &c, NFS4_OK);
	st.unseen = false;
	v4_lose(&st, 120, &c);
	v4_lose(&st, 300, &c);
	nfs4_model_finish(&st.model);
	if (CHECK_EQ_U64(v4_party(&st, 0)->recoveries_len, 2)) {
		CHECK(v4_party(&st, 0)->recoveries[0].renewals_missed);
		CHECK(!v4_party(&st, 0)->recoveries[1].renewals_missed);
	}
	nfs4_model_deinit(&st.model);
}

TEST(lost_bytes_show_missing_calls)
{
	struct v4_stage st;
	struct v4_client c;
	struct event_tcp lost = {.fact = TCP_FACT_LOST, .bytes = 200, .acked = true};
	struct event e = {.kind = EVENT_TCP, .tcp = &lost};

	v4_init(&st);
	c = v4_client(&st, HOST, OWNER, -50);
	v4_mount(&st, 1, &c);
	e.conn = &c.conn;
	e.at = script_place(&st.script, 100);
	event_emit(&st.script.board, &e);
	v4_lose(&st, 120, &c);
	nfs4_model_finish(&st.model);
	CHECK(v4_party(&st, 0)->recoveries[0].renewals_missed);
	nfs4_model_deinit(&st.model);
}

TEST(silence_is_not_measured_over_two_captures)
{
	struct v4_stage st;
	struct v4_client c;

	v4_init(&st);
	c = v4_client(&st, HOST, OWNER, -50);
	v4_mount(&st, 1, &c);
	st.evidence = 1;
	v4_connect(&st, &c, HOST);
	v4_lose(&st, 5000, &c);
	nfs4_model_finish(&st.model);
	CHECK_EQ_I64(v4_party(&st, 0)->recoveries[0].silence_ns, -1);
	nfs4_model_deinit(&st.model);
}

TEST(an_intruder_is_found)
{
	struct v4_stage st;
	struct v4_client a, b;
	const struct nfs4_owner *o;

	v4_init(&st);
	a = v4_client(&st, HOST, OWNER, -50);
	b = v4_client(&st, HOST_2, OWNER, -40);
	v4_mount(&st, 1, &a);
	v4_mount(&st, 5, &b);
	v4_lose(&st, 10, &a);
	v4_lose(&st, 11, &b);
	nfs4_model_finish(&st.model);
	CHECK(v4_party(&st, 0)->recoveries[0].other == v4_party(&st, 1)->instance);
	CHECK(v4_party(&st, 1)->recoveries[0].other == v4_party(&st, 0)->instance);
	o = v4_party(&st, 0)->instance->owner;
	CHECK_EQ_U64(o->returns, 2);
	CHECK_EQ_U64(o->returns_in_one_capture, 2);
	nfs4_model_deinit(&st.model);
}

/* The reboot's CREATE_SESSION is not in the capture: what it was before is no intruder. */
TEST(who_rebooted_is_not_his_own_intruder)
{
	struct v4_stage st;
	struct v4_client before, after;

	v4_init(&st);
	before = v4_client(&st, HOST, OWNER, -50);
	v4_mount(&st, 1, &before);
	after = v4_client(&st, HOST, OWNER, 60);
	v4_exchange_id(&st, 70, &after, NFS4_OK, v4_new_id(&st));
	st.unseen = true;
	v4_create_session(&st, 70.1, &after, NFS4_OK);
	st.unseen = false;
	v4_sequence(&st, 71, &after, NFS4_OK);
	v4_lose(&st, 80, &after);
	nfs4_model_finish(&st.model);
	if (CHECK_EQ_U64(v4_party(&st, 1)->recoveries_len, 1))
		CHECK(!v4_party(&st, 1)->recoveries[0].other);
	nfs4_model_deinit(&st.model);
}

/* The clock goes back an hour between the two lives of a machine. */
TEST(the_order_of_frames_holds_against_the_clock)
{
	struct v4_stage st;
	struct v4_client before, after;

	v4_init(&st);
	before = v4_client(&st, HOST, OWNER, -50);
	v4_mount(&st, 3600, &before);
	after = v4_client(&st, HOST, OWNER, 60);
	v4_mount(&st, 100, &after);
	v4_sequence(&st, 4000, &after, NFS4_OK);
	v4_lose(&st, 4010, &after);
	nfs4_model_finish(&st.model);
	CHECK(!v4_party(&st, 1)->recoveries[0].other);
	nfs4_model_deinit(&st.model);
}

/* The clock goes back between a renewal and the loss: how long it was silent is not known. */
TEST(silence_over_a_clock_that_was_set_back_is_not_known)
{
	struct v4_stage st;
	struct v4_client c;

	v4_init(&st);
	c = v4_client(&st, HOST, OWNER, -50);
	v4_mount(&st, 3600, &c);
	v4_sequence(&st, 3610, &c, NFS4_OK);
	v4_lose(&st, 100, &c);
	nfs4_model_finish(&st.model);
	if (CHECK_EQ_U64(v4_party(&st, 0)->recoveries_len, 1))
		CHECK_EQ_I64(v4_party(&st, 0)->recoveries[0].silence_ns, -1);
	nfs4_model_deinit(&st.model);
}

TEST(an_unknown_party_gets_its_name_by_introducing_itself)
{
	struct v4_stage st;
	struct v4_client c;

	v4_init(&st);
	c = v4_client(&st, HOST, OWNER, -50);
	st.unseen = true;
	v4_mount(&st, 1, &c);
	st.unseen = false;
	v4_sequence(&st, 5, &c, NFS4_OK);
	v4_lose(&st, 10, &c);
	nfs4_model_finish(&st.model);
	CHECK_EQ_U64(st.model.parties.len, 1);
	CHECK_EQ_U64(v4_party(&st, 0)->full_count, 1);
	CHECK_EQ_I64(v4_party(&st, 0)->recoveries[0].clientid_steps, 1);
	nfs4_model_deinit(&st.model);
}

/* Two connections whose owner is not known yet, one session over both, then the name. */
TEST(parties_merge_by_session_and_keep_their_recoveries)
{
	struct v4_stage st;
	struct v4_client c, second;
	const struct nfs4_party *p;

	v4_init(&st);
	c = v4_client(&st, HOST, OWNER, -50);
	st.unseen = true;
	v4_mount(&st, 1, &c);
	st.unseen = false;
	v4_sequence(&st, 5, &c, NFS4_OK);
	second = c;
	v4_connect(&st, &second, HOST);
	v4_sequence(&st, 6, &second, NFS4_OK);
	v4_lose(&st, 10, &second);
	v4_lose(&st, 20, &second);
	nfs4_model_finish(&st.model);
	p = v4_party(&st, 0);
	CHECK_EQ_U64(p->recoveries_count, 2);
	for (size_t i = 0; i < st.model.parties.len; i++)
		CHECK(nfs4_party_find(*(struct nfs4_party **)vec_at(&st.model.parties, i)) == p);
	nfs4_model_deinit(&st.model);
}

TEST(a_restart_within_a_long_loop_is_kept)
{
	struct v4_stage st;
	struct v4_client c;
	const struct nfs4_party *p;
	uint64_t changed = 0;

	v4_init(&st);
	c = v4_client(&st, HOST, OWNER, -50);
	v4_mount(&st, 1, &c);
	for (int i = 0; i < 40; i++) {
		if (i == 20)
			st.boot_s = SCRIPT_EPOCH_S + 105;
		v4_lose(&st, 10 + 5 * i, &c);
	}
	nfs4_model_finish(&st.model);
	p = v4_party(&st, 0);
	CHECK_EQ_U64(p->recoveries_count, 40);
	CHECK_EQ_U64(p->recoveries_len, NFS4_RECOVERIES_MAX);
	for (uint32_t i = 0; i < p->recoveries_len; i++)
		changed += p->recoveries[i].old_boot_s != p->recoveries[i].new_boot_s;
	CHECK_EQ_U64(changed, 1);
	CHECK_EQ_U64(p->server->boots_len, 2);
	CHECK_EQ_U64(p->server->boot_returns, 0);
	nfs4_model_deinit(&st.model);
}

TEST(start_times_that_alternate_are_counted)
{
	struct v4_stage st;
	struct v4_client c;

	v4_init(&st);
	c = v4_client(&st, HOST, OWNER, -50);
	v4_mount(&st, 1, &c);
	for (int i = 0; i < 4; i++) {
		st.boot_s = V4_BOOT_S - (i % 2 ? 0 : 86400);
		v4_lose(&st, 10 + 5 * i, &c);
	}
	nfs4_model_finish(&st.model);
	CHECK_EQ_U64(v4_party(&st, 0)->server->boots_len, 2);
	CHECK_EQ_U64(v4_party(&st, 0)->server->boot_returns, 3);
	nfs4_model_deinit(&st.model);
}

/* nfs-ganesha: one number, reversed in the session ID. */
TEST(ganesha_tells_its_start_time)
{
	struct v4_stage st;
	struct v4_client c;
	struct nfs4_fact f = {.kind = NFS4_FACT_CREATE_SESSION, .op = OP_CREATE_SESSION};
	const struct nfs4_server *s;

	v4_init(&st);
	c = v4_client(&st, HOST, OWNER, -50);
	v4_exchange_id(&st, 1, &c, NFS4_OK, (uint64_t)V4_BOOT_S << 32 | 7);
	f.clientid = c.id;
	memcpy(f.res_sessionid, &c.id, sizeof(c.id));
	f.res_sessionid[8] = 1;
	v4_compound(&st, 1.1, &c, &f, false, NFS4_OK);
	s = v4_party(&st, 0)->server;
	CHECK_EQ_U64(s->layout, NFS4_LAYOUT_GANESHA);
	CHECK(s->layout_proven);
	CHECK_EQ_I64(nfs4_clientid_boot_s(s->layout, c.id), V4_BOOT_S);
	CHECK_EQ_I64(nfs4_clientid_counter(s->layout, c.id), 7);
	nfs4_model_deinit(&st.model);
}

TEST(the_oldest_client_ids_and_sessions_are_forgotten)
{
	struct v4_stage st;
	struct v4_client c;
	uint64_t first;

	v4_init(&st);
	c = v4_client(&st, HOST, OWNER, -50);
	v4_mount(&st, 1, &c);
	first = c.id;
	for (int i = 0; i < NFS4_SESSIONS_MAX + 10; i++) {
		v4_exchange_id(&st, 2 + i, &c, NFS4_OK, v4_new_id(&st));
		v4_create_session(&st, 2.1 + i, &c, NFS4_OK);
	}
	v4_sequence(&st, 20000, &c, NFS4_OK);
	nfs4_model_finish(&st.model);
	CHECK_EQ_U64(st.model.clientids_len, NFS4_CLIENTIDS_MAX);
	CHECK_EQ_U64(st.model.sessions_len, NFS4_SESSIONS_MAX);
	CHECK_EQ_U64(st.model.forgotten, 22);
	CHECK(st.model.clientids->id != first);
	CHECK(v4_party(&st, 0)->session != NULL);
	nfs4_model_deinit(&st.model);
}
