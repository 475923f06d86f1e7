// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nfs4-client-expired, and what must not be taken for it: silence, a pause that the stamps hide, a
 * restart, a client that is out of sight.
 */
#include "check.h"
#include "diagnose/engine.h"
#include "diagnose/rules/rules.h"
#include "nfs4_script.h"

#include <string.h>

#define HOST   "192.0.2.21"
#define HOST_2 "192.0.2.22"
#define OWNER  "Linux NFSv4.1 web-01"
#define OTHER  "Linux NFSv4.1 web-02"

struct said {
	struct evidence_list evidence;
	struct diagnosis d;
};

static void said_init(struct said *said, struct v4_stage *st)
{
	static const struct rule *const rules[] = {
		&rule_nfs4_client_expired,
		&rule_nfs4_client_owner_collision,
		&rule_nfs4_lease_expired,
		&rule_nfs4_server_restart,
	};
	struct rule_input in = {.evidence = &said->evidence, .nfs4 = &st->model};

	nfs4_model_finish(&st->model);
	evidence_list_init(&said->evidence);
	evidence_list_add(&said->evidence, "capture.pcap", EVIDENCE_PCAP);
	diagnosis_init(&said->d);
	diagnose_run_rules(rules, sizeof(rules) / sizeof(*rules), &in, &said->d);
}

static void said_deinit(struct said *said, struct v4_stage *st)
{
	diagnosis_deinit(&said->d);
	evidence_list_deinit(&said->evidence);
	nfs4_model_deinit(&st->model);
}

/* The one finding has this id and confidence; id "": there is none, but losses there were. */
static void check_says(struct v4_stage *st, const char *id, enum finding_confidence confidence)
{
	struct said said;
	const struct finding *f;

	said_init(&said, st);
	CHECK(v4_party(st, 0)->recoveries_count > 0);
	if (CHECK_EQ_U64(said.d.findings.len, *id ? 1 : 0) && *id) {
		f = finding_at(&said.d.findings, 0);
		CHECK_TEXT(f->id, id);
		CHECK_EQ_U64(f->confidence, confidence);
	}
	said_deinit(&said, st);
}

static void play_work(struct v4_stage *st, double from, double to, struct v4_client *c)
{
	for (double at = from; at < to; at += 20)
		v4_sequence(st, at, c, NFS4_OK);
}

TEST(dropped_in_time_with_all_in_sight_is_certain)
{
	struct v4_stage st;
	struct v4_client a, b;

	v4_init(&st);
	a = v4_client(&st, HOST, OWNER, -500);
	b = v4_client(&st, HOST_2, OTHER, -400);
	v4_mount(&st, 1, &a);
	v4_mount(&st, 2, &b);
	play_work(&st, 10, 200, &a);
	v4_lose(&st, 205, &a);
	play_work(&st, 210, 300, &b);
	check_says(&st, "nfs4-client-expired", CONFIDENCE_CERTAIN);
}

TEST(the_numbers_prove_it_to_one_client_alone)
{
	struct v4_stage st;
	struct v4_client a;

	v4_init(&st);
	a = v4_client(&st, HOST, OWNER, -500);
	v4_mount(&st, 1, &a);
	play_work(&st, 10, 100, &a);
	v4_lose(&st, 105, &a);
	check_says(&st, "nfs4-client-expired", CONFIDENCE_CERTAIN);
}

TEST(without_a_clock_to_compare_it_is_only_possible)
{
	struct v4_stage st;
	struct v4_client a;

	v4_init(&st);
	a = v4_client(&st, HOST, OWNER, -500);
	a.conn.clock_lost_ns = -1;
	v4_mount(&st, 1, &a);
	play_work(&st, 10, 100, &a);
	v4_lose(&st, 105, &a);
	check_says(&st, "nfs4-client-expired", CONFIDENCE_POSSIBLE);
}

TEST(twin_silence_is_an_expired_lease)
{
	struct v4_stage st;
	struct v4_client a, b;

	v4_init(&st);
	a = v4_client(&st, HOST, OWNER, -500);
	b = v4_client(&st, HOST_2, OTHER, -400);
	v4_mount(&st, 1, &a);
	v4_mount(&st, 2, &b);
	v4_lose(&st, 105, &a);
	check_says(&st, "nfs4-lease-expired", CONFIDENCE_CERTAIN);
}

TEST(twin_a_pause_that_the_stamps_hide_is_an_expired_lease)
{
	struct v4_stage st;
	struct v4_client a;

	v4_init(&st);
	a = v4_client(&st, HOST, OWNER, -500);
	v4_mount(&st, 1, &a);
	play_work(&st, 10, 100, &a);
	a.conn.clock_lost_ns = 200 * STAMP_NS_PER_S;
	v4_lose(&st, 105, &a);
	check_says(&st, "nfs4-lease-expired", CONFIDENCE_LIKELY);
}

TEST(twin_another_start_time_is_a_restart)
{
	struct v4_stage st;
	struct v4_client a;

	v4_init(&st);
	a = v4_client(&st, HOST, OWNER, -500);
	v4_mount(&st, 1, &a);
	play_work(&st, 10, 100, &a);
	st.boot_s = SCRIPT_EPOCH_S + 103;
	v4_lose(&st, 105, &a);
	check_says(&st, "nfs4-server-restart", CONFIDENCE_CERTAIN);
}

static void mount_twice_asked(struct v4_stage *st, double at, struct v4_client *c)
{
	v4_exchange_id(st, at, c, NFS4_OK, v4_new_id(st));
	v4_mount(st, at + 0.1, c);
}

TEST(twin_somebody_out_of_sight_leaves_it_undecided)
{
	struct v4_stage st;
	struct v4_client a, b;
	struct said said;

	v4_init(&st);
	a = v4_client(&st, HOST, OWNER, -500);
	b = v4_client(&st, HOST_2, OWNER, -400);
	v4_mount(&st, 1, &a);
	play_work(&st, 10, 100, &a);
	st.unseen = true;
	mount_twice_asked(&st, 102, &b);
	st.unseen = false;
	v4_lose(&st, 105, &a);
	said_init(&said, &st);
	CHECK_EQ_U64(said.d.findings.len, 0);
	CHECK_EQ_U64(said.d.undecided.len, 2);
	said_deinit(&said, &st);
}

/* Four losses in a row; in between others do this, out of sight. */
static void play_rounds(struct v4_stage *st,
			void (*others)(struct v4_stage *, double, struct v4_client *))
{
	struct v4_client a, b;

	v4_init(st);
	a = v4_client(st, HOST, OWNER, -500);
	b = v4_client(st, HOST_2, OTHER, -400);
	v4_mount(st, 1, &a);
	for (int i = 0; i < 4; i++) {
		v4_sequence(st, 9 + 10 * i, &a, NFS4_OK);
		st->unseen = true;
		others(st, 9.5 + 10 * i, &b);
		st->unseen = false;
		v4_lose(st, 10 + 10 * i, &a);
	}
}

TEST(rivals_out_of_sight_who_recover_are_a_likely_collision)
{
	struct v4_stage st;

	play_rounds(&st, v4_lose);
	check_says(&st, "nfs4-client-owner-collision", CONFIDENCE_LIKELY);
}

TEST(twin_others_out_of_sight_who_mount_are_no_collision)
{
	struct v4_stage st;

	play_rounds(&st, mount_twice_asked);
	check_says(&st, "", CONFIDENCE_POSSIBLE);
}

/* Two clients of a server whose IDs tell nothing; the first one is dropped. */
static void play_opaque(struct v4_stage *st, struct v4_client *a, struct v4_client *b)
{
	v4_init(st);
	st->opaque = true;
	*a = v4_client(st, HOST, OWNER, -500);
	*b = v4_client(st, HOST_2, OTHER, -400);
	v4_mount(st, 1, a);
	v4_mount(st, 2, b);
	play_work(st, 10, 90, a);
	play_work(st, 95, 100, b);
}

TEST(where_the_numbers_tell_nothing_a_survivor_makes_it_likely)
{
	struct v4_stage st;
	struct v4_client a, b;

	play_opaque(&st, &a, &b);
	v4_lose(&st, 105, &a);
	play_work(&st, 110, 150, &b);
	check_says(&st, "nfs4-client-expired", CONFIDENCE_LIKELY);
}

TEST(twin_nobody_survives)
{
	struct v4_stage st;
	struct v4_client a, b;

	play_opaque(&st, &a, &b);
	v4_lose(&st, 105, &a);
	v4_lose(&st, 110, &b);
	check_says(&st, "", 0);
}

TEST(twin_the_survivor_is_not_seen_again)
{
	struct v4_stage st;
	struct v4_client a, b;

	play_opaque(&st, &a, &b);
	v4_lose(&st, 105, &a);
	check_says(&st, "", 0);
}

TEST(twin_a_new_connection_may_lead_elsewhere)
{
	struct v4_stage st;
	struct v4_client a, b;

	play_opaque(&st, &a, &b);
	v4_connect(&st, &a, HOST);
	v4_lose(&st, 105, &a);
	play_work(&st, 110, 150, &b);
	check_says(&st, "", 0);
}
