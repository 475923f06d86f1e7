// SPDX-License-Identifier: GPL-2.0-or-later
/* The rules about grace, server scope and steps that are put off, and their twins. */
#include "check.h"
#include "diagnose/engine.h"
#include "diagnose/rules/rules.h"
#include "model/nfs4/nfs4_waits.h"
#include "nfs4_script.h"

#include <string.h>

#define HOST   "192.0.2.21"
#define HOST_2 "192.0.2.22"
#define OWNER  "Linux NFSv4.1 web-01"
#define OTHER  "Linux NFSv4.1 web-02"

struct stage {
	struct v4_stage st;
	struct v4_client a, b;
};

static void stage_init(struct stage *s)
{
	v4_init(&s->st);
	s->a = v4_client(&s->st, HOST, OWNER, -500);
	s->b = v4_client(&s->st, HOST_2, OTHER, -400);
}

/* The one finding is of this id and confidence; id NULL: there is none. */
static void check_says(struct stage *s, const char *id, enum finding_confidence confidence)
{
	static const struct rule *const rules[] = {&rule_nfs4_grace_too_long,
						   &rule_nfs4_server_scope_changed,
						   &rule_nfs4_state_manager_stuck};
	struct evidence_list evidence;
	struct rule_input in = {.evidence = &evidence, .nfs4 = &s->st.model};
	struct diagnosis d;
	const struct finding *f;

	nfs4_model_finish(&s->st.model);
	evidence_list_init(&evidence);
	evidence_list_add(&evidence, "capture.pcap", EVIDENCE_PCAP);
	diagnosis_init(&d);
	diagnose_run_rules(rules, 3, &in, &d);
	if (CHECK_EQ_U64(d.findings.len, id ? 1 : 0) && id) {
		f = finding_at(&d.findings, 0);
		CHECK_TEXT(f->id, id);
		CHECK_EQ_U64(f->confidence, confidence);
	}
	diagnosis_deinit(&d);
	evidence_list_deinit(&evidence);
	nfs4_model_deinit(&s->st.model);
}

static void mount_without_reclaim_complete(struct stage *s, struct v4_client *c)
{
	v4_exchange_id(&s->st, 1, c, NFS4_OK, v4_new_id(&s->st));
	v4_create_session(&s->st, 1.1, c, NFS4_OK);
	v4_lease(&s->st, 1.2, c, 90);
}

TEST(grace_without_reclaim_complete_while_others_open)
{
	struct stage s;

	stage_init(&s);
	mount_without_reclaim_complete(&s, &s.a);
	v4_mount(&s.st, 2, &s.b);
	for (int i = 0; i < 5; i++) {
		v4_open(&s.st, 10 + 10 * i, &s.a, CLAIM_NULL, NFS4ERR_GRACE);
		v4_open(&s.st, 11 + 10 * i, &s.b, CLAIM_NULL, NFS4_OK);
	}
	check_says(&s, "nfs4-grace-too-long", CONFIDENCE_CERTAIN);
}

TEST(twin_reclaim_complete_was_sent)
{
	struct stage s;

	stage_init(&s);
	v4_mount(&s.st, 1, &s.a);
	v4_mount(&s.st, 2, &s.b);
	for (int i = 0; i < 5; i++) {
		v4_open(&s.st, 10 + 10 * i, &s.a, CLAIM_NULL, NFS4ERR_GRACE);
		v4_open(&s.st, 11 + 10 * i, &s.b, CLAIM_NULL, NFS4_OK);
	}
	check_says(&s, NULL, CONFIDENCE_POSSIBLE);
}

/* GRACE to each new open for so many seconds; reclaims are accepted all the time. */
static void play_grace(struct stage *s, int seconds)
{
	stage_init(s);
	v4_mount(&s->st, 1, &s->a);
	for (int at = 10; at <= 10 + seconds; at += 10) {
		v4_open(&s->st, at, &s->a, CLAIM_NULL, NFS4ERR_GRACE);
		v4_open(&s->st, at + 1, &s->a, CLAIM_PREVIOUS, NFS4_OK);
	}
}

TEST(grace_for_three_leases_is_too_long)
{
	struct stage s;

	play_grace(&s, 270);
	check_says(&s, "nfs4-grace-too-long", CONFIDENCE_LIKELY);
}

TEST(twin_grace_for_one_lease_is_none)
{
	struct stage s;

	play_grace(&s, 90);
	check_says(&s, NULL, CONFIDENCE_POSSIBLE);
}

TEST(twin_an_open_in_between_ends_the_wait)
{
	struct stage s;

	stage_init(&s);
	v4_mount(&s.st, 1, &s.a);
	for (int i = 0; i < 30; i++) {
		v4_open(&s.st, 10 + 10 * i, &s.a, CLAIM_NULL, NFS4ERR_GRACE);
		v4_open(&s.st, 15 + 10 * i, &s.a, CLAIM_NULL, i % 5 ? NFS4ERR_GRACE : NFS4_OK);
	}
	check_says(&s, NULL, CONFIDENCE_POSSIBLE);
}

/* A period ends when a new open is accepted; the first ones are kept, all are counted. */
TEST(grace_periods_are_kept_apart)
{
	struct stage s;
	const struct nfs4_grace *grace;

	stage_init(&s);
	v4_mount(&s.st, 1, &s.a);
	for (int i = 0; i < 2 + NFS4_GRACE_PERIODS_MAX; i++) {
		v4_open(&s.st, 10 + 10 * i, &s.a, CLAIM_NULL, NFS4ERR_GRACE);
		v4_open(&s.st, 11 + 10 * i, &s.a, CLAIM_PREVIOUS, NFS4_OK);
		v4_open(&s.st, 12 + 10 * i, &s.a, CLAIM_NULL, NFS4ERR_GRACE);
		v4_open(&s.st, 13 + 10 * i, &s.a, CLAIM_NULL, NFS4_OK);
	}
	grace = &(*(struct nfs4_server **)vec_at(&s.st.model.servers, 0))->grace;
	CHECK_EQ_U64(grace->periods_count, 2 + NFS4_GRACE_PERIODS_MAX);
	if (CHECK_EQ_U64(grace->periods_len, NFS4_GRACE_PERIODS_MAX)) {
		CHECK_EQ_U64(grace->periods[0].opened_before.frame, FRAME_NONE);
		CHECK_EQ_U64(grace->periods[0].count, 2);
		CHECK_EQ_I64(grace->periods[1].first.at.ns - grace->periods[0].first.at.ns,
			     10 * STAMP_NS_PER_S);
		CHECK_EQ_I64(grace->periods[1].first.at.ns - grace->periods[1].opened_before.at.ns,
			     7 * STAMP_NS_PER_S);
		CHECK_EQ_U64(grace->periods[NFS4_GRACE_PERIODS_MAX - 1].count, 2);
	}
	nfs4_model_finish(&s.st.model);
	nfs4_model_deinit(&s.st.model);
}

static void play_put_off(struct stage *s, int tries)
{
	stage_init(s);
	for (int i = 0; i < tries; i++)
		v4_exchange_id(&s->st, 10 + 2 * i, &s->a, NFS4ERR_DELAY, 0);
	v4_mount(&s->st, 10 + 2 * tries, &s->a);
}

TEST(a_step_put_off_for_long_is_stuck)
{
	struct stage s;

	play_put_off(&s, 40);
	CHECK_EQ_U64(v4_party(&s.st, 0)->waits->step_longest.delays.count, 40);
	CHECK_EQ_U64(v4_party(&s.st, 0)->server->put_off.count, 40);
	check_says(&s, "nfs4-state-manager-stuck", CONFIDENCE_CERTAIN);
}

TEST(twin_a_step_put_off_for_a_while_is_none)
{
	struct stage s;

	play_put_off(&s, 10);
	check_says(&s, NULL, CONFIDENCE_POSSIBLE);
}

TEST(twin_a_client_that_works_meanwhile_is_not_stuck)
{
	struct stage s;

	stage_init(&s);
	v4_mount(&s.st, 1, &s.a);
	for (int i = 0; i < 40; i++) {
		v4_exchange_id(&s.st, 10 + 2 * i, &s.a, NFS4ERR_DELAY, 0);
		v4_sequence(&s.st, 11 + 2 * i, &s.a, NFS4_OK);
	}
	check_says(&s, NULL, CONFIDENCE_POSSIBLE);
}

/* A client loses its state and finds the server under these scopes, one after the other. */
static void play_scopes(struct stage *s, const char *const *scopes)
{
	stage_init(s);
	s->st.scope = scopes[0];
	v4_mount(&s->st, 1, &s->a);
	for (int i = 1; scopes[i]; i++) {
		v4_sequence(&s->st, 30 * i, &s->a, NFS4_OK);
		s->st.scope = scopes[i];
		s->st.boot_s = SCRIPT_EPOCH_S + 30 * i + 1;
		v4_lose(&s->st, 30 * i + 5, &s->a);
	}
}

TEST(another_scope_after_a_failover)
{
	static const char *const scopes[] = {"node-a", "node-b", NULL};
	struct stage s;

	play_scopes(&s, scopes);
	check_says(&s, "nfs4-server-scope-changed", CONFIDENCE_CERTAIN);
}

TEST(twin_the_same_scope_after_a_failover)
{
	static const char *const scopes[] = {"node-a", "node-a", NULL};
	struct stage s;

	play_scopes(&s, scopes);
	CHECK_EQ_U64(v4_party(&s.st, 0)->full_count, 1);
	check_says(&s, NULL, CONFIDENCE_POSSIBLE);
}

TEST(twin_scopes_in_turn_are_several_servers)
{
	static const char *const scopes[] = {"node-a", "node-b", "node-a", NULL};
	struct stage s;

	play_scopes(&s, scopes);
	CHECK_EQ_U64(v4_party(&s.st, 0)->full_count, 2);
	check_says(&s, NULL, CONFIDENCE_POSSIBLE);
}

/* How long it surely was, of answers so far apart; -1 ends them. */
static int64_t sure_s(const int64_t *gaps_s, int64_t clock_lost_ns, int64_t ahead_s)
{
	struct conn c = {.clock_lost_ns = clock_lost_ns};
	struct nfs4_gaps g = {0};

	for (; *gaps_s >= 0; gaps_s++) {
		if (*gaps_s > 1000)
			c.clock_ahead_ns = ahead_s * STAMP_NS_PER_S;
		nfs4_gaps_add(&g, *gaps_s * STAMP_NS_PER_S, &c);
	}
	return nfs4_gaps_ns(&g) / STAMP_NS_PER_S;
}

TEST(a_clock_that_is_set_ahead_is_no_time_that_passed)
{
	static const int64_t rhythm[] = {1, 2, 4, 8, 15, 15, -1};
	static const int64_t set[] = {15, 15, 3615, 15, -1};
	static const int64_t single[] = {3615, -1};

	CHECK_EQ_I64(sure_s(rhythm, -1, 0), 45);
	CHECK_EQ_I64(sure_s(set, -1, 0), 60);
	CHECK_EQ_I64(sure_s(set, 0, 3600), 45); /* by the server's own clock */
	CHECK_EQ_I64(sure_s(set, 0, 0), 3660);  /* it says that the time did pass */
	CHECK_EQ_I64(sure_s(single, -1, 0), 3615);
}
