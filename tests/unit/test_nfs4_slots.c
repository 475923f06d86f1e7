// SPDX-License-Identifier: GPL-2.0-or-later
/* The rules about slots of sessions, and their twins; what the model keeps of slots, and its cap.
 */
#include "check.h"
#include "diagnose/engine.h"
#include "diagnose/rules/rules.h"
#include "model/nfs4/nfs4_slots.h"
#include "model/nfs4/nfs4_state.h"
#include "nfs4_script.h"

#include <string.h>

#define HOST  "192.0.2.21"
#define OWNER "Linux NFSv4.1 web-01"

struct stage {
	struct v4_stage st;
	struct v4_client c;
	uint32_t granted; /* told with each answer */
	struct rpc_call calls[NFS4_SLOTS_MAX + 1];
	uint32_t xid;
	double busy; /* of each call, seconds in which answers were on their way */
};

static void stage_init(struct stage *s, uint32_t granted)
{
	memset(s, 0, sizeof(*s));
	v4_init(&s->st);
	s->c = v4_client(&s->st, HOST, OWNER, -500);
	s->granted = granted;
	v4_mount(&s->st, 1, &s->c);
	v4_party(&s->st, 0)->session->slots = granted;
	v4_party(&s->st, 0)->session->slots_asked = 64;
}

static void send_call(struct stage *s, double at, uint32_t slot, uint32_t seqid)
{
	struct rpc_call *call = &s->calls[slot];

	*call = (struct rpc_call){.conn = &s->c.conn,
				  .xid = ++s->xid,
				  .program = NFS4_PROGRAM,
				  .version = NFS_V4,
				  .procedure = NFSPROC4_COMPOUND,
				  .has_call = true,
				  .minor_version = 1};
	call->sequence = (struct nfs4_sequence){
		.present = true, .seqid = seqid, .slot = slot, .status = NFS4_STATUS_NONE};
	memcpy(call->sequence.sessionid, s->c.session, NFS4_SESSIONID_BYTES);
	script_rpc(&s->st.script, at, EVENT_RPC_CALL, call);
}

static void answer(struct stage *s, double at, uint32_t slot, uint32_t status)
{
	struct rpc_call *call = &s->calls[slot];

	call->outcome = RPC_SUCCESS;
	call->has_status = true;
	call->status = call->sequence.status = status;
	call->sequence.target_highest_slot = s->granted - 1;
	call->reply_busy_ns = (int64_t)(s->busy * 1e9);
	script_rpc(&s->st.script, at, EVENT_RPC_REPLY, call);
}

static void exchange(struct stage *s, double at, uint32_t slot, uint32_t seqid, uint32_t status)
{
	send_call(s, at, slot, seqid);
	answer(s, at + 0.001, slot, status);
}

/* The one finding is of this id and confidence, and its reason has these words; id NULL: there is
 * none. */
static void check_says_why(struct stage *s, const char *id, enum finding_confidence confidence,
			   const char *words)
{
	static const struct rule *const rules[] = {
		&rule_nfs4_slot_out_of_step, &rule_nfs4_false_retry, &rule_nfs4_slots_exhausted,
		&rule_nfs4_delay_loop};
	struct evidence_list evidence;
	struct nfs4_state_model state;
	struct rule_input in = {.evidence = &evidence, .nfs4 = &s->st.model, .state = &state};
	struct diagnosis d;
	const struct finding *f;

	nfs4_state_init(&state);
	nfs4_model_finish(&s->st.model);
	evidence_list_init(&evidence);
	evidence_list_add(&evidence, "capture.pcap", EVIDENCE_PCAP);
	diagnosis_init(&d);
	diagnose_run_rules(rules, sizeof(rules) / sizeof(*rules), &in, &d);
	if (CHECK_EQ_U64(d.findings.len, id ? 1 : 0) && id) {
		f = finding_at(&d.findings, 0);
		CHECK_TEXT(f->id, id);
		CHECK_EQ_U64(f->confidence, confidence);
		CHECK(strstr(f->why, words));
	}
	diagnosis_deinit(&d);
	evidence_list_deinit(&evidence);
	nfs4_state_deinit(&state);
	nfs4_model_deinit(&s->st.model);
}

static void check_says(struct stage *s, const char *id, enum finding_confidence confidence)
{
	check_says_why(s, id, confidence, "");
}

static const struct nfs4_slot_trouble *trouble(struct stage *s, enum nfs4_slot_answer kind)
{
	const struct nfs4_party *p = v4_party(&s->st, 0);

	nfs4_model_finish(&s->st.model);
	return p->slots ? &p->slots->of[kind] : NULL;
}

TEST(misordered_without_end_speaks)
{
	struct stage s;

	stage_init(&s, 64);
	exchange(&s, 10, 3, 7, NFS4_OK);
	for (int i = 0; i < 4; i++) {
		exchange(&s, 20 + 15 * i, 3, 8, NFS4ERR_SEQ_MISORDERED);
		exchange(&s, 21 + 15 * i, 4, (uint32_t)i + 1, NFS4_OK);
	}
	check_says(&s, "nfs4-slot-out-of-step", CONFIDENCE_CERTAIN);
}

TEST(the_model_keeps_what_led_to_it)
{
	struct stage s;
	const struct nfs4_slot_trouble *t;

	stage_init(&s, 64);
	exchange(&s, 10, 3, 7, NFS4_OK);
	send_call(&s, 11, 3, 8);
	exchange(&s, 20, 3, 9, NFS4ERR_SEQ_MISORDERED);
	exchange(&s, 21, 4, 1, NFS4_OK);
	exchange(&s, 35, 3, 8, NFS4ERR_SEQ_MISORDERED);
	exchange(&s, 50, 3, 8, NFS4_OK);
	t = trouble(&s, SLOT_MISORDERED);
	if (CHECK(t != NULL)) {
		CHECK_EQ_U64(t->all.count, 2);
		CHECK_EQ_U64(t->longest.count, 2);
		CHECK_EQ_U64(t->longest.descents, 1);
		CHECK_EQ_U64(t->longest.others_accepted, 1);
		CHECK_EQ_U64(t->longest.accepted.seqid, 7);
		CHECK_EQ_U64(t->longest.unanswered.seqid, 8);
		CHECK_EQ_U64(t->longest.refused.seqid, 9);
		CHECK(t->longest.over.frame != FRAME_NONE);
	}
	nfs4_model_deinit(&s.st.model);
}

TEST(twin_numbers_that_count_down_are_silent)
{
	struct stage s;

	stage_init(&s, 64);
	exchange(&s, 10, 3, 7, NFS4_OK);
	for (int i = 0; i < 30; i++)
		exchange(&s, 20 + 2 * i, 3, (uint32_t)(38 - i), NFS4ERR_SEQ_MISORDERED);
	exchange(&s, 90, 3, 8, NFS4_OK);
	check_says(&s, NULL, CONFIDENCE_POSSIBLE);
}

TEST(twin_taken_at_the_second_try_is_silent)
{
	struct stage s;

	stage_init(&s, 64);
	for (uint32_t i = 0; i < 5; i++) {
		exchange(&s, 10 + 30 * i, 3, 7 + i, NFS4ERR_SEQ_MISORDERED);
		exchange(&s, 25 + 30 * i, 3, 7 + i, NFS4_OK);
	}
	CHECK_EQ_U64(trouble(&s, SLOT_MISORDERED)->all.count, 5);
	check_says(&s, NULL, CONFIDENCE_POSSIBLE);
}

/* A call on slot 3 gets no answer; its number is put off every 5 s from 60 s on. */
static void put_off(struct stage *s, unsigned times)
{
	stage_init(s, 64);
	exchange(s, 9, 3, 7, NFS4_OK);
	send_call(s, 10, 3, 8);
	for (unsigned i = 0; i < times; i++) {
		exchange(s, 60 + 5 * i, 3, 8, NFS4ERR_DELAY);
		exchange(s, 61 + 5 * i, 4, i + 1, NFS4_OK);
	}
}

TEST(a_slot_that_is_put_off_for_ever_speaks)
{
	const struct nfs4_slot_trouble *t;
	struct stage s;

	put_off(&s, 12);
	t = trouble(&s, SLOT_DELAYED);
	if (CHECK(t)) {
		CHECK_EQ_I64(t->longest.unanswered.at.at.ns, script_at(10).ns);
		CHECK_EQ_U64(t->longest.unanswered.seqid, 8);
		CHECK_EQ_U64(t->longest.others_accepted, 12);
	}
	check_says_why(&s, "nfs4-delay-loop", CONFIDENCE_CERTAIN, "number 8) had been sent before");
}

/* No call with the number was sent before: nothing is said of one. */
TEST(a_slot_that_is_put_off_from_its_first_call_on_waits_for_none)
{
	struct stage s;

	stage_init(&s, 64);
	exchange(&s, 9, 3, 7, NFS4_OK);
	for (unsigned i = 0; i < 12; i++) {
		exchange(&s, 60 + 5 * i, 3, 8, NFS4ERR_DELAY);
		exchange(&s, 61 + 5 * i, 4, i + 1, NFS4_OK);
	}
	check_says_why(&s, "nfs4-delay-loop", CONFIDENCE_CERTAIN,
		       "the first call with its number (8)");
}

TEST(twin_a_slot_that_is_put_off_until_its_call_is_done_is_silent)
{
	struct stage s;

	put_off(&s, 12);
	exchange(&s, 130, 3, 8, NFS4_OK);
	check_says(&s, NULL, CONFIDENCE_CERTAIN);
}

TEST(twin_a_slot_that_is_put_off_for_moments_is_silent)
{
	struct stage s;

	put_off(&s, 5);
	check_says(&s, NULL, CONFIDENCE_CERTAIN);
}

TEST(false_retries_again_and_again_speak)
{
	struct stage s;

	stage_init(&s, 64);
	for (uint32_t i = 0; i < 8; i++) {
		exchange(&s, 10 + 5 * i, 0, 50 + i, NFS4_OK);
		exchange(&s, 11 + 5 * i, 0, 50 + i, NFS4ERR_SEQ_FALSE_RETRY);
	}
	check_says(&s, "nfs4-false-retry", CONFIDENCE_CERTAIN);
}

TEST(twin_false_retries_now_and_then_are_silent)
{
	struct stage s;

	stage_init(&s, 64);
	for (uint32_t i = 0; i < 8; i++) {
		exchange(&s, 10 + 300 * i, 0, 50 + i, NFS4_OK);
		exchange(&s, 11 + 300 * i, 0, 50 + i, NFS4ERR_SEQ_FALSE_RETRY);
	}
	CHECK_EQ_U64(trouble(&s, SLOT_FALSE_RETRY)->all.count, 8);
	check_says(&s, NULL, CONFIDENCE_POSSIBLE);
}

/* So many calls in work all the time for 30 s, each begun `gap` after the answer before it. */
static void play_crowd(struct stage *s, uint32_t slots, double gap)
{
	double at = 10;

	for (uint32_t i = 0; i < slots; i++)
		send_call(s, 9 + i * 0.01, i, 1);
	for (uint32_t i = 0; i < 300; i++) {
		answer(s, at, i % slots, NFS4_OK);
		send_call(s, at + gap, i % slots, 2 + i / slots);
		at += 0.1;
	}
}

TEST(three_slots_always_in_use_speak)
{
	struct stage s;

	stage_init(&s, 3);
	play_crowd(&s, 3, 0.0001);
	check_says(&s, "nfs4-slots-exhausted", CONFIDENCE_LIKELY);
}

TEST(slots_handed_on_by_a_client_under_load_speak)
{
	struct stage s;

	/* Round trips of 290 ms, and 4 ms until the next call is on its way. */
	stage_init(&s, 3);
	play_crowd(&s, 3, 0.004);
	check_says(&s, "nfs4-slots-exhausted", CONFIDENCE_LIKELY);
}

TEST(one_slot_always_in_use_is_only_possible)
{
	struct stage s;

	stage_init(&s, 1);
	play_crowd(&s, 1, 0.0001);
	check_says(&s, "nfs4-slots-exhausted", CONFIDENCE_POSSIBLE);
}

/* Answers come one behind the other: each call waits 0.3 s, and so long some are on their way. */
TEST(twin_a_way_that_is_full_is_silent)
{
	struct stage s;

	stage_init(&s, 3);
	s.busy = 0.28;
	play_crowd(&s, 3, 0.0001);
	check_says(&s, NULL, CONFIDENCE_POSSIBLE);
	stage_init(&s, 3);
	s.busy = 0.1;
	play_crowd(&s, 3, 0.0001);
	check_says(&s, "nfs4-slots-exhausted", CONFIDENCE_LIKELY);
}

TEST(twin_programs_that_think_are_silent)
{
	struct stage s;

	stage_init(&s, 3);
	play_crowd(&s, 3, 0.01);
	CHECK(trouble(&s, SLOT_MISORDERED) != NULL);
	CHECK(v4_party(&s.st, 0)->slots->busiest.fills > 100);
	check_says(&s, NULL, CONFIDENCE_POSSIBLE);
}

TEST(twin_all_that_was_asked_for_is_silent)
{
	struct stage s;

	stage_init(&s, 64);
	play_crowd(&s, 64, 0.0001);
	check_says(&s, NULL, CONFIDENCE_POSSIBLE);
}

TEST(twin_thirty_of_sixty_four_are_not_few)
{
	struct stage s;

	stage_init(&s, 30);
	play_crowd(&s, 30, 0.0001);
	check_says(&s, NULL, CONFIDENCE_POSSIBLE);
}

TEST(slots_of_the_oldest_session_make_room)
{
	struct stage s;

	stage_init(&s, 64);
	exchange(&s, 2, 0, 7, NFS4ERR_SEQ_MISORDERED);
	for (uint32_t i = 0; i < NFS4_SLOTTED_MAX; i++) {
		v4_create_session(&s.st, 3 + i, &s.c, NFS4_OK);
		exchange(&s, 3.5 + i, 0, 1, NFS4_OK);
	}
	CHECK(s.st.model.forgotten > 0);
	CHECK_EQ_U64(trouble(&s, SLOT_MISORDERED)->longest.count, 1);
	nfs4_model_deinit(&s.st.model);
}

TEST(a_slot_beyond_the_cap_is_left_alone)
{
	struct stage s;

	stage_init(&s, 64);
	s.calls[0].sequence.slot = UINT32_MAX;
	for (int i = 0; i < 5; i++) {
		send_call(&s, 10 + 15 * i, 0, 1);
		s.calls[0].sequence.slot = UINT32_MAX;
		answer(&s, 11 + 15 * i, 0, NFS4ERR_SEQ_MISORDERED);
	}
	check_says(&s, NULL, CONFIDENCE_POSSIBLE);
}
