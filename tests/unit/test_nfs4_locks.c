// SPDX-License-Identifier: GPL-2.0-or-later
/* nfs4-lock-reclaim-failed on the wire: where it speaks, and the twins. */
#include "check.h"
#include "diagnose/engine.h"
#include "diagnose/rules/rules.h"
#include "model/nfs4/nfs4_state.h"
#include "nfs4_script.h"

struct stage {
	struct v4_stage v4;
	struct nfs4_state_model state;
	struct v4_client client;
};

static void stage_init(struct stage *st)
{
	v4_init(&st->v4);
	nfs4_state_init(&st->state);
	nfs4_state_attach(&st->state, &st->v4.script.board);
	st->client = v4_client(&st->v4, "192.0.2.31", "Linux NFSv4.1 web-01", -50);
	v4_mount(&st->v4, 1, &st->client);
}

static void play(struct stage *st, double at, uint32_t op, uint32_t status, bool reclaim)
{
	struct file_handle file = {.len = 1, .bytes = {'f'}};
	struct nfs4_op_fact fact = {.op = op, .status = NFS4_STATUS_NONE};
	struct nfs4_fact lock = {.kind = NFS4_FACT_LOCK, .op = op, .claim = reclaim};
	struct rpc_call call = {
		.conn = &st->client.conn,
		.program = NFS4_PROGRAM,
		.version = NFS_V4,
		.procedure = NFSPROC4_COMPOUND,
		.minor_version = 1,
		.has_call = true,
		.status = NFS4_STATUS_NONE,
		.ops = &fact,
		.ops_len = 1,
		.files = &file,
		.files_len = 1,
		.facts = &lock,
		.facts_len = op == OP_LOCK,
		.sequence = {.present = true,
			     .seqid = ++st->client.sequence,
			     .status = NFS4_STATUS_NONE},
	};

	memcpy(call.sequence.sessionid, st->client.session, NFS4_SESSIONID_BYTES);
	lock.status = NFS4_STATUS_NONE;
	script_rpc(&st->v4.script, at, EVENT_RPC_CALL, &call);
	call.outcome = RPC_SUCCESS;
	call.has_status = true;
	call.status = fact.status = lock.status = status;
	call.sequence.status = NFS4_OK;
	script_rpc(&st->v4.script, at + 0.001, EVENT_RPC_REPLY, &call);
}

/* Loses the state at 200 s and works again until 220 s. */
static void lose(struct stage *st)
{
	v4_lose(&st->v4, 200, &st->client);
}

static void work(struct stage *st)
{
	for (int i = 0; i < 10; i++)
		v4_sequence(&st->v4, 202 + 2 * i, &st->client, NFS4_OK);
}

/* The confidence of the one finding, or -1 for none. */
static int said(struct stage *st)
{
	static const struct rule *const rules[] = {&rule_nfs4_lock_reclaim_failed};
	struct evidence_list evidence;
	struct rule_input in = {.evidence = &evidence, .nfs4 = &st->v4.model, .state = &st->state};
	struct diagnosis d;
	int confidence = -1;

	nfs4_model_finish(&st->v4.model);
	nfs4_state_finish(&st->state);
	evidence_list_init(&evidence);
	evidence_list_add(&evidence, "capture.pcap", EVIDENCE_PCAP);
	diagnosis_init(&d);
	diagnose_run_rules(rules, 1, &in, &d);
	if (d.findings.len)
		confidence = (int)finding_at(&d.findings, 0)->confidence;
	CHECK(d.findings.len <= 1);
	diagnosis_deinit(&d);
	evidence_list_deinit(&evidence);
	nfs4_state_deinit(&st->state);
	nfs4_model_deinit(&st->v4.model);
	return confidence;
}

TEST(reclaim_refused_speaks)
{
	struct stage st;

	stage_init(&st);
	play(&st, 5, OP_LOCK, NFS4_OK, false);
	lose(&st);
	play(&st, 201, OP_LOCK, NFS4ERR_NO_GRACE, true);
	CHECK_EQ_I64(said(&st), CONFIDENCE_CERTAIN);
}

TEST(lock_not_asked_for_again_speaks)
{
	struct stage st;

	stage_init(&st);
	play(&st, 5, OP_LOCK, NFS4_OK, false);
	lose(&st);
	work(&st);
	CHECK_EQ_I64(said(&st), CONFIDENCE_LIKELY);
}

TEST(twin_reclaimed_is_silent)
{
	struct stage st;

	stage_init(&st);
	play(&st, 5, OP_LOCK, NFS4_OK, false);
	lose(&st);
	play(&st, 201, OP_LOCK, NFS4_OK, true);
	work(&st);
	CHECK_EQ_U64(st.state.locks.len, 1);
	CHECK_EQ_I64(said(&st), -1);
}

TEST(twin_unlocked_before_is_silent)
{
	struct stage st;

	stage_init(&st);
	play(&st, 5, OP_LOCK, NFS4_OK, false);
	play(&st, 6, OP_LOCKU, NFS4_OK, false);
	lose(&st);
	work(&st);
	CHECK_EQ_U64(st.state.locks.len, 0);
	CHECK_EQ_I64(said(&st), -1);
}

TEST(twin_evidence_that_ends_too_soon_is_silent)
{
	struct stage st;

	stage_init(&st);
	play(&st, 5, OP_LOCK, NFS4_OK, false);
	lose(&st);
	CHECK_EQ_U64(st.state.locks.len, 1);
	CHECK_EQ_I64(said(&st), -1);
}

TEST(twin_denied_without_a_loss_is_silent)
{
	struct stage st;

	stage_init(&st);
	play(&st, 5, OP_LOCK, NFS4_OK, false);
	play(&st, 6, OP_LOCK, NFS4ERR_DENIED, false);
	work(&st);
	CHECK_EQ_U64(st.state.locks.len, 1);
	CHECK_EQ_I64(said(&st), -1);
}
