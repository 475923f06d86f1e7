// SPDX-License-Identifier: GPL-2.0-or-later
/* The rules about NFSv4 state: where they must speak, and the twins where they must not. */
#include "check.h"
#include "diagnose/engine.h"
#include "diagnose/rules/rules.h"
#include "nfs4_script.h"

#include <stdio.h>

#define HOST   "192.0.2.21"
#define HOST_2 "192.0.2.22"
#define OWNER  "Linux NFSv4.1 web-01"
#define OTHER  "Linux NFSv4.1 web-02"

static const struct rule *const rules[] = {
	&rule_nfs4_client_owner_collision, &rule_nfs4_server_restart,  &rule_nfs4_lease_expired,
	&rule_nfs4_session_only_lost,      &rule_nfs4_clientid_in_use,
};

struct said {
	struct evidence_list evidence;
	struct diagnosis d;
};

/* Ends the stage; the first finding or NULL. */
static const struct finding *said_by(struct v4_stage *st, struct said *said)
{
	struct rule_input in = {.evidence = &said->evidence, .nfs4 = &st->model};

	nfs4_model_finish(&st->model);
	evidence_list_init(&said->evidence);
	evidence_list_add(&said->evidence, "capture.pcap", EVIDENCE_PCAP);
	evidence_list_add(&said->evidence, "capture2.pcap", EVIDENCE_PCAP);
	diagnosis_init(&said->d);
	diagnose_run_rules(rules, sizeof(rules) / sizeof(*rules), &in, &said->d);
	return said->d.findings.len ? finding_at(&said->d.findings, 0) : NULL;
}

static void said_deinit(struct v4_stage *st, struct said *said)
{
	diagnosis_deinit(&said->d);
	evidence_list_deinit(&said->evidence);
	nfs4_model_deinit(&st->model);
}

/* One finding, of this id and confidence. */
static bool check_said(const struct said *said, const struct finding *f, const char *id,
		       enum finding_confidence confidence)
{
	if (!CHECK_EQ_U64(said->d.findings.len, 1))
		return false;
	return CHECK_TEXT(f->id, id) && CHECK_EQ_U64(f->confidence, confidence);
}

static void check_silent(struct v4_stage *st)
{
	struct said said;
	const struct finding *f = said_by(st, &said);

	CHECK_EQ_U64(said.d.findings.len, 0);
	if (f)
		printf("# says %s: %s\n", f->id, f->title);
	said_deinit(st, &said);
}

/* --- collision --- */

static void play_fight(struct v4_stage *st, struct v4_client *a, struct v4_client *b, int rounds)
{
	v4_mount(st, 1, a);
	v4_mount(st, 2, b);
	for (int i = 0; i < rounds; i++) {
		v4_lose(st, 10 + 2 * i, a);
		v4_lose(st, 11 + 2 * i, b);
	}
}

TEST(two_who_come_back_in_turn_collide)
{
	struct v4_stage st;
	struct said said;
	struct v4_client a, b;
	const struct finding *f;

	v4_init(&st);
	a = v4_client(&st, HOST, OWNER, -50);
	b = v4_client(&st, HOST_2, OWNER, -40);
	play_fight(&st, &a, &b, 10);
	f = said_by(&st, &said);
	if (check_said(&said, f, "nfs4-client-owner-collision", CONFIDENCE_CERTAIN)) {
		CHECK_EQ_U64(f->count, 20);
		CHECK_EQ_U64(f->clients.len, 2);
	}
	said_deinit(&st, &said);
}

TEST(two_behind_one_address_collide)
{
	struct v4_stage st;
	struct said said;
	struct v4_client a, b;

	v4_init(&st);
	a = v4_client(&st, HOST, OWNER, -50);
	b = v4_client(&st, HOST, OWNER, -40);
	play_fight(&st, &a, &b, 3);
	check_said(&said, said_by(&st, &said), "nfs4-client-owner-collision", CONFIDENCE_CERTAIN);
	said_deinit(&st, &said);
}

/* What the machines were before they rebooted has no part in the fight, nor has that time. */
TEST(only_those_who_fight_are_counted)
{
	struct v4_stage st;
	struct said said;
	struct v4_client before, a, b;
	const struct finding *f;

	v4_init(&st);
	before = v4_client(&st, HOST, OWNER, -90);
	v4_mount(&st, -80, &before);
	a = v4_client(&st, HOST, OWNER, -50);
	b = v4_client(&st, HOST_2, OWNER, -40);
	play_fight(&st, &a, &b, 10);
	f = said_by(&st, &said);
	if (check_said(&said, f, "nfs4-client-owner-collision", CONFIDENCE_CERTAIN)) {
		CHECK(strncmp(f->title, "2 client instances", 18) == 0);
		CHECK_EQ_I64(f->first.ns, stamp_utc((SCRIPT_EPOCH_S + 2) * STAMP_NS_PER_S).ns);
	}
	said_deinit(&st, &said);
}

static bool cites(const struct finding *f, const char *text)
{
	for (size_t i = 0; i < f->cites.len; i++)
		if (strstr(((const struct cite *)vec_at(&f->cites, i))->text, text))
			return true;
	return false;
}

/* A client may take for its verifier what it likes. */
TEST(a_verifier_that_is_no_date_is_shown_as_it_is)
{
	struct v4_stage st;
	struct said said;
	struct v4_client a, b;

	v4_init(&st);
	a = v4_client(&st, HOST, OWNER, -50);
	b = v4_client(&st, HOST_2, OWNER, -40);
	memset(a.verifier, 0xab, sizeof(a.verifier));
	memset(b.verifier, 0xac, sizeof(b.verifier));
	play_fight(&st, &a, &b, 3);
	CHECK(cites(said_by(&st, &said), "the boot verifier 0xabababababababab"));
	said_deinit(&st, &said);
}

TEST(different_owners_behind_one_address_do_not)
{
	struct v4_stage st;
	struct v4_client a, b;

	v4_init(&st);
	a = v4_client(&st, HOST, OWNER, -50);
	b = v4_client(&st, HOST, OTHER, -40);
	v4_mount(&st, 1, &a);
	v4_mount(&st, 2, &b);
	v4_lose(&st, 10, &a);
	check_silent(&st);
}

TEST(a_client_that_reboots_does_not_collide)
{
	struct v4_stage st;
	struct v4_client c;

	v4_init(&st);
	for (int i = 0; i < 4; i++) {
		c = v4_client(&st, HOST, OWNER, 100 * i - 50);
		v4_mount(&st, 100 * i, &c);
		v4_sequence(&st, 100 * i + 20, &c, NFS4_OK);
	}
	v4_lose(&st, 340, &c);
	check_silent(&st);
}

TEST(who_is_only_refused_pushes_nobody_out)
{
	struct v4_stage st;
	struct said said;
	struct v4_client a, b;

	v4_init(&st);
	a = v4_client(&st, HOST, OWNER, -50);
	b = v4_client(&st, HOST_2, OWNER, -40);
	v4_mount(&st, 1, &a);
	v4_exchange_id(&st, 5, &b, NFS4ERR_CLID_INUSE, 0);
	v4_lose(&st, 10, &a);
	check_said(&said, said_by(&st, &said), "nfs4-clientid-in-use", CONFIDENCE_CERTAIN);
	said_deinit(&st, &said);
}

static void play_one_side(struct v4_stage *st, double pace, uint32_t others)
{
	struct v4_client c = v4_client(st, HOST, OWNER, -50);

	v4_mount(st, 1, &c);
	for (int i = 0; i < 5; i++) {
		v4_sequence(st, 1 + pace * (i + 1) - 1, &c, NFS4_OK);
		st->counter += others;
		st->sessions += others; /* they recover */
		v4_lose(st, 1 + pace * (i + 1), &c);
	}
}

TEST(one_side_of_a_fight_is_likely)
{
	struct v4_stage st;
	struct said said;

	v4_init(&st);
	play_one_side(&st, 3, 1);
	check_said(&said, said_by(&st, &said), "nfs4-client-owner-collision", CONFIDENCE_LIKELY);
	said_deinit(&st, &said);
}

TEST(nobody_in_between_is_no_fight)
{
	struct v4_stage st;

	v4_init(&st);
	play_one_side(&st, 3, 0);
	check_silent(&st);
}

TEST(losses_an_hour_apart_are_no_fight)
{
	struct v4_stage st;

	v4_init(&st);
	play_one_side(&st, 3600, 2);
	check_silent(&st);
}

/* --- lease --- */

TEST(silence_beyond_the_lease_is_a_lapse)
{
	struct v4_stage st;
	struct said said;
	struct v4_client c;

	v4_init(&st);
	c = v4_client(&st, HOST, OWNER, -50);
	v4_mount(&st, 1, &c);
	v4_lose(&st, 200, &c);
	check_said(&said, said_by(&st, &said), "nfs4-lease-expired", CONFIDENCE_CERTAIN);
	said_deinit(&st, &said);
}

/* The client waits for an answer for longer than the lease, and comes back elsewhere. */
static void play_outage(struct v4_stage *st, bool opaque, bool same_connection)
{
	struct v4_client c;

	v4_init(st);
	st->opaque = opaque;
	c = v4_client(st, HOST, OWNER, -50);
	v4_mount(st, 1, &c);
	v4_sequence(st, 30, &c, NFS4_STATUS_NONE);
	if (!same_connection)
		v4_connect(st, &c, HOST);
	v4_lose(st, 200, &c);
}

TEST(a_silent_server_that_tells_no_start_may_have_restarted)
{
	static const struct {
		bool opaque, same_connection;
		enum finding_confidence confidence;
	} rows[] = {
		{true, false, CONFIDENCE_POSSIBLE},
		{true, true, CONFIDENCE_LIKELY},
		{false, false, CONFIDENCE_CERTAIN},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct v4_stage st;
		struct said said;
		const struct finding *f;

		play_outage(&st, rows[i].opaque, rows[i].same_connection);
		f = said_by(&st, &said);
		check_said(&said, f, "nfs4-lease-expired", rows[i].confidence);
		CHECK_EQ_U64(said.d.undecided.len, rows[i].confidence == CONFIDENCE_POSSIBLE);
		said_deinit(&st, &said);
	}
}

TEST(silence_within_the_lease_is_none)
{
	struct v4_stage st;
	struct v4_client c;

	v4_init(&st);
	c = v4_client(&st, HOST, OWNER, -50);
	v4_mount(&st, 1, &c);
	v4_lose(&st, 80, &c);
	check_silent(&st);
}

TEST(silence_of_the_capture_is_none)
{
	struct v4_stage st;
	struct v4_client c;

	v4_init(&st);
	c = v4_client(&st, HOST, OWNER, -50);
	v4_mount(&st, 1, &c);
	st.unseen = true;
	v4_sequence(&st, 60, &c, NFS4_OK);
	v4_sequence(&st, 120, &c, NFS4_OK);
	st.unseen = false;
	v4_lose(&st, 180, &c);
	check_silent(&st);
}

TEST(a_refusal_alone_is_no_lapse)
{
	struct v4_stage st;
	struct v4_client c;

	v4_init(&st);
	c = v4_client(&st, HOST, OWNER, -50);
	v4_mount(&st, 1, &c);
	v4_sequence(&st, 200, &c, NFS4ERR_BADSESSION);
	check_silent(&st);
}

TEST(many_lapses_at_once_are_one)
{
	struct v4_stage st;
	struct said said;
	struct v4_client c[50];
	char names[50][2][32];
	const struct finding *f;

	v4_init(&st);
	for (int i = 0; i < 50; i++) {
		snprintf(names[i][0], sizeof(names[i][0]), "198.51.100.%d", i + 1);
		snprintf(names[i][1], sizeof(names[i][1]), "Linux NFSv4.1 node-%d", i);
		c[i] = v4_client(&st, names[i][0], names[i][1], -50 - i);
		v4_mount(&st, 1 + i, &c[i]);
	}
	for (int i = 0; i < 50; i++)
		v4_lose(&st, 300 + i, &c[i]);
	f = said_by(&st, &said);
	if (check_said(&said, f, "nfs4-lease-expired", CONFIDENCE_CERTAIN)) {
		CHECK_EQ_U64(f->count, 50);
		CHECK_EQ_U64(f->clients.len, 50);
	}
	said_deinit(&st, &said);
}

TEST(lapses_at_other_times_are_two)
{
	struct v4_stage st;
	struct said said;
	struct v4_client a, b;

	v4_init(&st);
	a = v4_client(&st, HOST, OWNER, -50);
	b = v4_client(&st, HOST_2, OTHER, -40);
	v4_mount(&st, 1, &a);
	v4_lose(&st, 200, &a);
	v4_mount(&st, 3000, &b);
	v4_lose(&st, 3200, &b);
	said_by(&st, &said);
	CHECK_EQ_U64(said.d.findings.len, 2);
	CHECK_EQ_U64(said.d.incidents.len, 2);
	said_deinit(&st, &said);
}

/* --- restart --- */

TEST(a_new_start_time_is_a_restart)
{
	struct v4_stage st;
	struct said said;
	struct v4_client a, b;
	const struct finding *f;

	v4_init(&st);
	a = v4_client(&st, HOST, OWNER, -50);
	b = v4_client(&st, HOST, OTHER, -40); /* behind the same address */
	v4_mount(&st, 1, &a);
	v4_mount(&st, 2, &b);
	st.boot_s = SCRIPT_EPOCH_S + 20;
	v4_lose(&st, 30, &a);
	v4_lose(&st, 31, &b);
	f = said_by(&st, &said);
	if (check_said(&said, f, "nfs4-server-restart", CONFIDENCE_CERTAIN)) {
		CHECK(strstr(f->title, "restarted at 2023-11-14T22:13:40Z; 2 clients") != NULL);
		CHECK_EQ_U64(f->count, 1); /* one restart */
	}
	said_deinit(&st, &said);
}

/* A client goes, the start time becomes another, and another client comes. */
static void play_newcomer(struct v4_stage *st, int64_t boot_s)
{
	struct v4_client a, b;

	v4_init(st);
	a = v4_client(st, HOST, OWNER, -50);
	v4_mount(st, 1, &a);
	st->boot_s = boot_s;
	b = v4_client(st, HOST_2, OTHER, -40);
	v4_mount(st, 30, &b);
	CHECK_EQ_U64((*(struct nfs4_server **)vec_at(&st->model.servers, 0))->boot_changes, 1);
}

TEST(newcomers_show_a_restart)
{
	struct v4_stage st;
	struct said said;
	const struct finding *f;

	play_newcomer(&st, SCRIPT_EPOCH_S + 20);
	f = said_by(&st, &said);
	if (check_said(&said, f, "nfs4-server-restart", CONFIDENCE_CERTAIN))
		CHECK(strstr(f->title, "no client is seen to lose state") != NULL);
	said_deinit(&st, &said);
}

TEST(twin_newcomers_at_a_node_that_ran_before)
{
	struct v4_stage st;

	play_newcomer(&st, V4_BOOT_S + 100);
	check_silent(&st);
}

TEST(a_node_that_ran_before_did_not_restart_then)
{
	struct v4_stage st;
	struct said said;
	struct v4_client c;
	const struct finding *f;

	v4_init(&st);
	c = v4_client(&st, HOST, OWNER, -50);
	v4_mount(&st, 1, &c);
	st.boot_s = V4_BOOT_S - 100000;
	v4_lose(&st, 30, &c);
	f = said_by(&st, &said);
	if (check_said(&said, f, "nfs4-server-restart", CONFIDENCE_CERTAIN))
		CHECK(strstr(f->title, "is another instance than before") != NULL);
	said_deinit(&st, &said);
}

TEST(start_times_in_turn_are_no_restarts)
{
	struct v4_stage st;
	struct v4_client c;

	v4_init(&st);
	c = v4_client(&st, HOST, OWNER, -50);
	v4_mount(&st, 1, &c);
	for (int i = 0; i < 5; i++) {
		st.boot_s = V4_BOOT_S - (i % 2 ? 0 : 86400);
		v4_lose(&st, 10 + 5 * i, &c);
	}
	check_silent(&st);
}

/* --- the session alone --- */

static void play_session_losses(struct v4_stage *st, int rounds)
{
	struct v4_client c = v4_client(st, HOST, OWNER, -50);

	v4_mount(st, 1, &c);
	for (int i = 0; i < rounds; i++) {
		v4_sequence(st, 10 + i, &c, NFS4ERR_BADSESSION);
		v4_create_session(st, 10.1 + i, &c, NFS4_OK);
	}
}

TEST(sessions_lost_again_and_again)
{
	struct v4_stage st;
	struct said said;

	v4_init(&st);
	play_session_losses(&st, 3);
	check_said(&said, said_by(&st, &said), "nfs4-session-only-lost", CONFIDENCE_CERTAIN);
	said_deinit(&st, &said);
}

/* A client may introduce itself without need: it gets the client ID that it had. */
TEST(the_same_client_id_is_not_called_another)
{
	struct v4_stage st;
	struct said said;
	struct v4_client c;
	const struct finding *f;

	v4_init(&st);
	c = v4_client(&st, HOST, OWNER, -50);
	v4_mount(&st, 1, &c);
	for (int i = 0; i < 3; i++) {
		v4_sequence(&st, 10 + i, &c, NFS4ERR_BADSESSION);
		v4_exchange_id(&st, 10.1 + i, &c, NFS4_OK, c.id);
		v4_create_session(&st, 10.2 + i, &c, NFS4_OK);
	}
	f = said_by(&st, &said);
	if (check_said(&said, f, "nfs4-session-only-lost", CONFIDENCE_CERTAIN)) {
		CHECK(cites(f, "gets the client ID that it had"));
		CHECK(!cites(f, "another client ID"));
	}
	said_deinit(&st, &said);
}

TEST(a_session_lost_twice_is_nothing)
{
	struct v4_stage st;

	v4_init(&st);
	play_session_losses(&st, 2);
	check_silent(&st);
}

/* --- in use --- */

TEST(in_use_once_and_then_accepted_is_nothing)
{
	struct v4_stage st;
	struct v4_client c;

	v4_init(&st);
	c = v4_client(&st, HOST, OWNER, -50);
	v4_exchange_id(&st, 1, &c, NFS4ERR_CLID_INUSE, 0);
	v4_mount(&st, 10, &c);
	check_silent(&st);
}

TEST(in_use_and_then_under_another_name_is_nothing)
{
	struct v4_stage st;
	struct v4_client c;

	v4_init(&st);
	c = v4_client(&st, HOST, "tcp UNIX 0", -50);
	v4_exchange_id(&st, 1, &c, NFS4ERR_CLID_INUSE, 0);
	v4_exchange_id(&st, 92, &c, NFS4ERR_CLID_INUSE, 0);
	c.owner = "tcp UNIX 1";
	v4_mount(&st, 183, &c);
	check_silent(&st);
}

/* The confidence with which it speaks of a refusal, so many seconds before the evidence ends. */
static enum finding_confidence in_use_before_the_end(uint32_t minor_version, double seconds)
{
	static const struct rule *const alone[] = {&rule_nfs4_clientid_in_use};
	enum finding_confidence said = CONFIDENCE_POSSIBLE;
	struct v4_stage st;
	struct v4_client c;
	struct diagnosis d;
	struct evidence_list evidence;
	struct rule_input in = {.evidence = &evidence, .nfs4 = &st.model};

	v4_init(&st);
	c = v4_client(&st, HOST, "tcp UNIX 0", -50);
	c.minor_version = minor_version;
	v4_exchange_id(&st, 1, &c, NFS4ERR_CLID_INUSE, 0);
	nfs4_model_finish(&st.model);
	evidence_list_init(&evidence);
	evidence_list_add(&evidence, "capture.pcap", EVIDENCE_PCAP)->last = script_at(1 + seconds);
	diagnosis_init(&d);
	diagnose_run_rules(alone, 1, &in, &d);
	if (CHECK_EQ_U64(d.findings.len, 1))
		said = finding_at(&d.findings, 0)->confidence;
	diagnosis_deinit(&d);
	evidence_list_deinit(&evidence);
	nfs4_model_deinit(&st.model);
	return said;
}

/* Linux up to 3.7 takes another name a lease later: until then it is not known. */
TEST(in_use_at_the_end_of_the_evidence_is_likely)
{
	CHECK(in_use_before_the_end(0, 5) == CONFIDENCE_LIKELY);
	CHECK(in_use_before_the_end(0, 200) == CONFIDENCE_CERTAIN);
	CHECK(in_use_before_the_end(1, 5) == CONFIDENCE_CERTAIN);
}
