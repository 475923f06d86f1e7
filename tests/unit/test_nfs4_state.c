// SPDX-License-Identifier: GPL-2.0-or-later
/* The model of the state of single files, and its rules: where they speak, and their twins. */
#include "check.h"
#include "diagnose/catalogue.h"
#include "diagnose/engine.h"
#include "diagnose/rules/rules.h"
#include "model/nfs4/nfs4.h"
#include "model/nfs4/nfs4_state.h"
#include "names/nfs4.h"
#include "script.h"

#include <stdio.h>

static const struct rule *const rules[] = {
	&rule_nfs4_backchannel_down, &rule_nfs4_delay_loop,        &rule_nfs4_recall_unanswered,
	&rule_nfs4_stateid_loop,     &rule_nfs4_test_stateid_loop,
};

struct stage {
	struct script script;
	struct nfs4_model nfs4;
	struct nfs4_state_model state;
	struct conn a, b;
};

static void stage_init(struct stage *st)
{
	*st = (struct stage){
		.script = script_make(),
		.a = script_conn(1, "192.0.2.31", 801, "192.0.2.10", 2049),
		.b = script_conn(2, "192.0.2.32", 802, "192.0.2.10", 2049),
	};
	nfs4_model_init(&st->nfs4);
	nfs4_state_init(&st->state);
	nfs4_model_attach(&st->nfs4, &st->script.board);
	nfs4_state_attach(&st->state, &st->script.board);
}

static void stage_deinit(struct stage *st)
{
	nfs4_state_deinit(&st->state);
	nfs4_model_deinit(&st->nfs4);
}

/* One operation on a file: what it is given, and what it is answered. */
struct step {
	uint32_t op, status;
	char file; /* the handle is this letter; 0: none */
	char stateid;
	uint32_t seqid;
	uint32_t flags;         /* of SEQUENCE */
	char delegation;        /* OPEN: that is given */
	uint32_t verdict;       /* TEST_STATEID */
	bool callback, ignored; /* CB_RECALL; without a reply */
	double after;           /* how long until the reply */
};

static void play(struct stage *st, double at, const struct conn *conn, struct step step)
{
	struct file_handle file = {.len = 1, .bytes = {(uint8_t)step.file}};
	struct nfs4_stateid stateid = {.seqid = step.seqid, .other = {(uint8_t)step.stateid}};
	struct nfs4_op_fact op = {.op = step.op,
				  .status = NFS4_STATUS_NONE,
				  .file = step.file ? 0 : NFS4_INDEX_NONE,
				  .stateid = step.stateid ? 0 : NFS4_INDEX_NONE};
	struct nfs4_fact fact = {.kind = step.op == OP_OPEN ? NFS4_FACT_OPEN
							    : NFS4_FACT_TEST_STATEID,
				 .op = step.op,
				 .status = NFS4_STATUS_NONE};
	struct rpc_call call = {
		.conn = conn,
		.from = step.callback ? CONN_FROM_SERVER : CONN_FROM_CLIENT,
		.is_callback = step.callback,
		.program = step.callback ? 0x40000000 : NFS4_PROGRAM,
		.version = step.callback ? 1 : NFS_V4,
		.procedure = NFSPROC4_COMPOUND,
		.minor_version = 1,
		.has_call = true,
		.status = NFS4_STATUS_NONE,
		.ops = &op,
		.ops_len = 1,
		.files = &file,
		.files_len = 1,
		.stateids = &stateid,
		.stateids_len = 1,
		.facts = &fact,
		.facts_len = step.op == OP_OPEN || step.op == OP_TEST_STATEID,
		.sequence = {.present = !step.callback,
			     .sessionid = {(uint8_t)conn->serial},
			     .status = NFS4_STATUS_NONE},
	};

	script_rpc(&st->script, at, EVENT_RPC_CALL, &call);
	if (step.ignored) {
		script_rpc(&st->script, at, EVENT_RPC_UNANSWERED, &call);
		return;
	}
	call.outcome = RPC_SUCCESS;
	call.has_status = true;
	call.status = op.status = fact.status = step.status;
	call.sequence.status = NFS4_OK;
	call.sequence.status_flags = step.flags;
	fact.test_status = step.verdict;
	if (step.delegation) {
		fact.delegation = OPEN_DELEGATE_READ;
		fact.res_stateid = (struct nfs4_stateid){1, {(uint8_t)step.delegation}};
	}
	script_rpc(&st->script, at + 0.001 + step.after, EVENT_RPC_REPLY, &call);
}

/* The first finding's id, or "" for none; the confidence where there is one. */
static const char *said(struct stage *st, enum finding_confidence *confidence)
{
	struct evidence_list evidence;
	struct rule_input in = {.evidence = &evidence, .nfs4 = &st->nfs4, .state = &st->state};
	const char *id = "";
	struct diagnosis d;

	nfs4_model_finish(&st->nfs4);
	nfs4_state_finish(&st->state);
	evidence_list_init(&evidence);
	evidence_list_add(&evidence, "capture.pcap", EVIDENCE_PCAP);
	diagnosis_init(&d);
	diagnose_run_rules(rules, sizeof(rules) / sizeof(*rules), &in, &d);
	if (d.findings.len) {
		const struct finding *f = finding_at(&d.findings, 0);

		id = catalogue_id_find(f->id)->id;
		if (confidence)
			*confidence = f->confidence;
		CHECK_EQ_U64(d.findings.len, 1);
	}
	diagnosis_deinit(&d);
	evidence_list_deinit(&evidence);
	return id;
}

static struct step delayed(uint32_t op)
{
	return (struct step){.op = op, .status = NFS4ERR_DELAY, .file = 'f'};
}

static struct step fine(uint32_t op)
{
	return (struct step){.op = op, .file = 'f'};
}

/* --- one stateid --- */

static struct step refused(char stateid, uint32_t seqid)
{
	return (struct step){.op = OP_CLOSE,
			     .status = NFS4ERR_OLD_STATEID,
			     .file = 'f',
			     .stateid = stateid,
			     .seqid = seqid};
}

TEST(one_stateid_refused_for_long_speaks)
{
	enum finding_confidence confidence = CONFIDENCE_POSSIBLE;
	struct stage st;

	stage_init(&st);
	for (int i = 0; i < 20; i++)
		play(&st, 1 + i * 0.5, &st.a, refused('s', 3));
	CHECK_TEXT(said(&st, &confidence), "nfs4-stateid-loop");
	CHECK_EQ_U64(confidence, CONFIDENCE_CERTAIN);
	stage_deinit(&st);
}

TEST(twin_each_time_another_seqid_is_silent)
{
	struct stage st;

	stage_init(&st);
	for (uint32_t i = 0; i < 20; i++)
		play(&st, 1 + i * 0.5, &st.a, refused('s', i));
	CHECK_TEXT(said(&st, NULL), "");
	CHECK_EQ_U64(st.state.runs.len, 1);
	stage_deinit(&st);
}

TEST(twin_success_in_between_is_silent)
{
	struct stage st;
	struct step ok = refused('s', 3);

	ok.status = NFS4_OK;
	stage_init(&st);
	for (int i = 0; i < 20; i++)
		play(&st, 1 + i * 0.5, &st.a, i % 5 == 4 ? ok : refused('s', 3));
	CHECK_TEXT(said(&st, NULL), "");
	CHECK_EQ_U64(st.state.runs.len, 4);
	stage_deinit(&st);
}

TEST(anothers_success_does_not_end_it)
{
	struct stage st;
	struct step ok = refused('t', 1);

	ok.status = NFS4_OK;
	stage_init(&st);
	for (int i = 0; i < 20; i++)
		play(&st, 1 + i * 0.5, &st.a, i % 2 ? ok : refused('s', 3));
	CHECK_TEXT(said(&st, NULL), "nfs4-stateid-loop");
	stage_deinit(&st);
}

TEST(twin_a_burst_is_silent)
{
	struct stage st;

	stage_init(&st);
	for (int i = 0; i < 60; i++)
		play(&st, 1 + i * 0.002, &st.a, refused('s', 3));
	CHECK_TEXT(said(&st, NULL), "");
	CHECK_EQ_U64(st.state.runs.len, 1);
	stage_deinit(&st);
}

/* --- DELAY --- */

TEST(commit_put_off_for_long_speaks)
{
	struct stage st;

	stage_init(&st);
	for (int i = 0; i < 10; i++)
		play(&st, 1 + i * 4, &st.a, delayed(OP_COMMIT));
	CHECK_TEXT(said(&st, NULL), "nfs4-delay-loop");
	stage_deinit(&st);
}

TEST(twin_commit_put_off_and_taken_is_silent)
{
	struct stage st;

	stage_init(&st);
	for (int i = 0; i < 30; i++)
		play(&st, 1 + i * 4, &st.a, i % 6 == 5 ? fine(OP_COMMIT) : delayed(OP_COMMIT));
	CHECK_TEXT(said(&st, NULL), "");
	CHECK_EQ_U64(st.state.runs.len, 5);
	stage_deinit(&st);
}

TEST(twin_once_an_hour_is_silent)
{
	struct stage st;

	stage_init(&st);
	for (int i = 0; i < 20; i++)
		play(&st, 1 + i * 3600, &st.a, delayed(OP_COMMIT));
	CHECK_TEXT(said(&st, NULL), "");
	stage_deinit(&st);
}

TEST(open_put_off_is_undecided_at_one_client)
{
	struct stage st;

	stage_init(&st);
	for (int i = 0; i < 10; i++)
		play(&st, 1 + i * 4, &st.a, delayed(OP_OPEN));
	CHECK_TEXT(said(&st, NULL), "");
	CHECK_EQ_U64(st.state.runs.len, 1);
	stage_deinit(&st);
}

/* --- recalls --- */

static struct step recall(bool ignored)
{
	return (struct step){.op = OP_CB_RECALL,
			     .file = 'f',
			     .stateid = 'd',
			     .callback = true,
			     .ignored = ignored};
}

static void play_recall(struct stage *st, struct step how, double returned)
{
	struct step open = fine(OP_OPEN);

	open.delegation = 'd';
	play(st, 1, &st->a, open);
	play(st, 2, &st->b, delayed(OP_OPEN));
	play(st, 2.01, &st->a, how);
	for (double at = 2.5; at < returned && at < 40; at += 2)
		play(st, at, &st->b, delayed(OP_OPEN));
	if (returned < 100)
		play(st, returned, &st->a, (struct step){.op = OP_DELEGRETURN, .stateid = 'd'});
	play(st, returned + 1, &st->b, fine(OP_OPEN));
}

TEST(recall_without_an_answer_speaks)
{
	enum finding_confidence confidence = CONFIDENCE_POSSIBLE;
	struct stage st;

	stage_init(&st);
	play_recall(&st, recall(true), 100);
	CHECK_TEXT(said(&st, &confidence), "nfs4-recall-unanswered");
	CHECK_EQ_U64(confidence, CONFIDENCE_CERTAIN);
	stage_deinit(&st);
}

/* Whoever acknowledges only after so long was what others waited for until then. */
TEST(recall_answered_late_speaks)
{
	struct step late = recall(false);
	struct stage st;

	late.after = 11;
	stage_init(&st);
	play_recall(&st, late, 13.1);
	CHECK_TEXT(said(&st, NULL), "nfs4-recall-unanswered");
	stage_deinit(&st);
}

TEST(twin_recall_answered_after_a_moment_is_silent)
{
	struct step late = recall(false);
	struct stage st;

	late.after = 2;
	stage_init(&st);
	play_recall(&st, late, 13.1);
	CHECK_TEXT(said(&st, NULL), "");
	stage_deinit(&st);
}

TEST(recall_returned_late_speaks)
{
	struct stage st;

	stage_init(&st);
	play_recall(&st, recall(false), 30);
	CHECK_TEXT(said(&st, NULL), "nfs4-recall-unanswered");
	stage_deinit(&st);
}

TEST(twin_recall_answered_and_returned_is_silent)
{
	struct stage st;

	stage_init(&st);
	play_recall(&st, recall(false), 8);
	CHECK_TEXT(said(&st, NULL), "");
	CHECK_EQ_U64(st.state.recalls.len, 1);
	CHECK_EQ_U64(st.state.runs.len, 1);
	stage_deinit(&st);
}

TEST(delegation_that_is_not_recalled_speaks)
{
	struct stage st;
	struct step open = fine(OP_OPEN);

	open.delegation = 'd';
	stage_init(&st);
	play(&st, 1, &st.a, open);
	for (int i = 0; i < 10; i++)
		play(&st, 2 + i * 3, &st.b, delayed(OP_OPEN));
	CHECK_TEXT(said(&st, NULL), "nfs4-recall-unanswered");
	stage_deinit(&st);
}

TEST(twin_delegation_of_ones_own_is_not_waited_for)
{
	struct stage st;
	struct step open = fine(OP_OPEN);

	open.delegation = 'd';
	stage_init(&st);
	play(&st, 1, &st.a, open);
	for (int i = 0; i < 10; i++)
		play(&st, 2 + i * 3, &st.a, delayed(OP_OPEN));
	CHECK_TEXT(said(&st, NULL), "");
	stage_deinit(&st);
}

/* --- flags --- */

static struct step flagged(uint32_t flags)
{
	return (struct step){.op = OP_GETATTR, .file = 'f', .flags = flags};
}

TEST(callback_path_down_for_long_speaks)
{
	struct stage st;

	stage_init(&st);
	for (int i = 0; i < 10; i++)
		play(&st, 1 + i * 10, &st.a, flagged(SEQ4_STATUS_CB_PATH_DOWN));
	CHECK_TEXT(said(&st, NULL), "nfs4-backchannel-down");
	stage_deinit(&st);
}

TEST(twin_callback_path_down_at_times_is_silent)
{
	struct stage st;

	stage_init(&st);
	for (int i = 0; i < 30; i++)
		play(&st, 1 + i * 10, &st.a,
		     flagged(i % 3 == 2 ? 0 : SEQ4_STATUS_CB_PATH_DOWN_SESSION));
	CHECK_TEXT(said(&st, NULL), "");
	CHECK_EQ_U64(st.state.flagged.len, 1);
	stage_deinit(&st);
}

/* --- TEST_STATEID --- */

static void play_tests(struct stage *st, int rounds, double pause, uint32_t flags)
{
	for (int i = 0; i < rounds; i++)
		for (int k = 0; k < 5; k++)
			play(st, 1 + i * pause + k * 0.01, &st->a,
			     (struct step){.op = OP_TEST_STATEID,
					   .stateid = (char)('1' + k),
					   .flags = flags});
}

TEST(tests_without_end_speak)
{
	struct stage st;

	stage_init(&st);
	play_tests(&st, 20, 1, SEQ4_STATUS_RECALLABLE_STATE_REVOKED);
	CHECK_TEXT(said(&st, NULL), "nfs4-test-stateid-loop");
	stage_deinit(&st);
}

TEST(twin_two_rounds_of_tests_are_silent)
{
	struct stage st;

	stage_init(&st);
	play_tests(&st, 2, 20, SEQ4_STATUS_RECALLABLE_STATE_REVOKED);
	CHECK_TEXT(said(&st, NULL), "");
	CHECK_EQ_U64(st.state.testers.len, 1);
	stage_deinit(&st);
}

/* --- caps --- */

TEST(runs_have_a_cap)
{
	struct stage st;

	stage_init(&st);
	for (uint32_t i = 0; i < NFS4_RUNS_MAX + 10; i++) {
		char address[32];
		struct conn c;

		snprintf(address, sizeof(address), "10.0.%u.%u", i / 250, i % 250 + 1);
		c = script_conn(i + 10, address, 800, "192.0.2.10", 2049);
		play(&st, 1, &c, delayed(OP_COMMIT));
	}
	CHECK_EQ_U64(st.state.runs_open.len, NFS4_RUNS_MAX);
	CHECK_EQ_U64(st.state.runs_open.dropped, 10);
	stage_deinit(&st);
}
