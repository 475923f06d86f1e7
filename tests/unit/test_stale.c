// SPDX-License-Identifier: GPL-2.0-or-later
/* The model of stale handles, its rule, and the twins. */
#include "check.h"
#include "diagnose/engine.h"
#include "diagnose/rules/rules.h"
#include "model/stale.h"
#include "names/nfs3.h"
#include "names/nfs4.h"
#include "script.h"

#include <stdio.h>

struct stage {
	struct script script;
	struct stale_model model;
	struct conn conn;
};

static void stage_init(struct stage *st)
{
	*st = (struct stage){
		.script = script_make(),
		.conn = script_conn(1, "192.0.2.31", 801, "192.0.2.10", 2049),
	};
	stale_model_init(&st->model);
	stale_model_attach(&st->model, &st->script.board);
}

/* A handle of a Linux nfsd: file system 5; file 0 is the root. */
static struct file_handle nfsd_handle(uint8_t fsid, uint8_t file)
{
	return (struct file_handle){.len = file ? 16 : 8,
				    .bytes = {1, 0, 1, file ? 1 : 0, fsid, 0, 0, 0, file}};
}

static struct file_handle foreign_handle(uint8_t file)
{
	return (struct file_handle){.len = 8, .bytes = {0x43, file}};
}

static void getattr(struct stage *st, double at, struct file_handle file, uint32_t status)
{
	struct rpc_call call = {.conn = &st->conn,
				.program = NFS_PROGRAM,
				.version = NFS_V3,
				.procedure = NFSPROC3_GETATTR,
				.has_call = true,
				.files = &file,
				.files_len = 1};

	script_rpc(&st->script, at, EVENT_RPC_CALL, &call);
	call.outcome = RPC_SUCCESS;
	call.has_status = true;
	call.status = status;
	script_rpc(&st->script, at + 0.001, EVENT_RPC_REPLY, &call);
}

/* The confidence of the one finding, or -1 for none. */
static int said(struct stage *st)
{
	static const struct rule *const rules[] = {&rule_file_handle_stale};
	struct evidence_list evidence;
	struct rule_input in = {.evidence = &evidence, .stale = &st->model};
	struct diagnosis d;
	int confidence = -1;

	evidence_list_init(&evidence);
	evidence_list_add(&evidence, "capture.pcap", EVIDENCE_PCAP);
	diagnosis_init(&d);
	diagnose_run_rules(rules, 1, &in, &d);
	if (d.findings.len)
		confidence = (int)finding_at(&d.findings, 0)->confidence;
	CHECK(d.findings.len <= 1);
	diagnosis_deinit(&d);
	evidence_list_deinit(&evidence);
	stale_model_deinit(&st->model);
	return confidence;
}

TEST(stale_root_speaks)
{
	struct stage st;

	stage_init(&st);
	for (uint8_t i = 0; i < 10; i++)
		getattr(&st, 1 + i, nfsd_handle(5, i % 3), NFS3_OK);
	for (uint8_t i = 0; i < 10; i++)
		getattr(&st, 20 + i, nfsd_handle(5, i % 3), NFS3ERR_STALE);
	CHECK_EQ_I64(said(&st), CONFIDENCE_CERTAIN);
}

TEST(many_stale_handles_speak)
{
	struct stage st;

	stage_init(&st);
	for (uint8_t i = 0; i < 10; i++)
		getattr(&st, 1 + i, foreign_handle(i), NFS3_OK);
	for (uint8_t i = 0; i < 10; i++)
		getattr(&st, 20 + i, foreign_handle(i), NFS3ERR_STALE);
	CHECK_EQ_I64(said(&st), CONFIDENCE_LIKELY);
}

TEST(twin_removed_files_are_silent)
{
	struct stage st;

	stage_init(&st);
	for (uint8_t i = 0; i < 100; i++)
		getattr(&st, 1 + i, nfsd_handle(5, (uint8_t)(1 + i % 7)),
			i % 5 == 4 ? NFS3_OK : NFS3ERR_STALE);
	CHECK_EQ_U64(st.model.exports.len, 1);
	CHECK_EQ_I64(said(&st), -1);
}

TEST(another_export_does_not_speak_for_it)
{
	struct stage st;

	stage_init(&st);
	for (uint8_t i = 0; i < 20; i++) {
		getattr(&st, 1 + i, nfsd_handle(5, i % 3), NFS3ERR_STALE);
		getattr(&st, 1.5 + i, nfsd_handle(6, i % 3), NFS3_OK);
	}
	CHECK_EQ_U64(st.model.exports.len, 2);
	CHECK_EQ_I64(said(&st), CONFIDENCE_CERTAIN);
}

TEST(twin_handles_of_unknown_make_speak_for_each_other)
{
	struct stage st;

	stage_init(&st);
	for (uint8_t i = 0; i < 40; i++) {
		getattr(&st, 1 + i, foreign_handle(i), NFS3ERR_STALE);
		getattr(&st, 1.5 + i, foreign_handle(200), NFS3_OK);
	}
	CHECK_EQ_U64(st.model.exports.len, 1);
	CHECK_EQ_I64(said(&st), -1);
}

TEST(exports_have_a_cap)
{
	struct stage st;

	stage_init(&st);
	for (uint32_t i = 0; i < STALE_EXPORTS_MAX + 5; i++) {
		char address[32];

		snprintf(address, sizeof(address), "10.0.%u.%u", i / 250, i % 250 + 1);
		st.conn = script_conn(i + 1, address, 800, "192.0.2.10", 2049);
		getattr(&st, 1, nfsd_handle(5, 1), NFS3_OK);
	}
	CHECK_EQ_U64(st.model.exports.len, STALE_EXPORTS_MAX);
	CHECK_EQ_U64(st.model.exports.dropped, 5);
	CHECK_EQ_I64(said(&st), -1);
}
