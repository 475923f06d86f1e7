/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the text of a kernel's trace to the models and the findings, the whole way. */
#ifndef TESTS_TRACE_SCRIPT_H
#define TESTS_TRACE_SCRIPT_H

#include "capfile/source.h"
#include "check.h"
#include "diagnose/engine.h"
#include "diagnose/rules/rules.h"
#include "findings.h"
#include "ingest/log/log.h"
#include "model/ladder.h"
#include "model/nfs4/clid.h"
#include "model/nfs4/nfs4.h"
#include "model/rpc_task.h"
#include "model/served.h"

struct trace_told {
	struct evidence_list evidence;
	struct clid_model clids;
	struct ladder_model ladders;
	struct rpc_task_model rpc_tasks;
	struct served_model served;
	struct nfs4_model nfs4;
	enum evidence_kind kind;
	struct diagnosis d;
};

/* Several files of one host, in the order in which they are given. */
static inline void trace_tell_files(const char *const texts[], uint32_t count,
				    struct trace_told *out)
{
	static const struct rule *const rules[] = {
		&rule_nfs4_client_owner_collision,
		&rule_nfs4_server_restart,
		&rule_nfs4_session_reset_loop,
		&rule_rpc_task_manager,
		&rule_rpc_task_port,
		&rule_rpc_task_refused,
		&rule_rpc_task_silent,
		&rule_rpc_task_slots,
		&rule_rpc_task_slow,
		&rule_rpc_task_unanswered,
		&rule_rpc_task_unreachable,
		&rule_served_left,
		&rule_served_slow,
		&rule_served_stuck,
	};
	struct log_options options = {0};
	struct event_board board = {0};
	struct rule_input in = {.evidence = &out->evidence,
				.clids = &out->clids,
				.ladders = &out->ladders,
				.rpc_tasks = &out->rpc_tasks,
				.served = &out->served,
				.nfs4 = &out->nfs4};
	struct logs *logs;

	evidence_list_init(&out->evidence);
	logs = logs_create(&options, &out->evidence);
	clid_model_init(&out->clids);
	clid_model_attach(&out->clids, &board);
	ladder_model_init(&out->ladders);
	ladder_model_attach(&out->ladders, &board);
	rpc_task_model_init(&out->rpc_tasks);
	rpc_task_model_attach(&out->rpc_tasks, &board);
	served_model_init(&out->served);
	served_model_attach(&out->served, &board);
	nfs4_model_init(&out->nfs4);
	for (uint32_t i = 0; i < count; i++) {
		struct source *source = source_create_memory(slice_of_string(texts[i]));

		CHECK(logs_read(logs, i, "srv/trace", stamp_none(), source));
		out->kind = logs_kind(logs);
		evidence_list_add(&out->evidence, "srv/trace", logs_kind(logs));
		source_destroy(source);
	}
	logs_settle(logs, stamp_none());
	logs_emit(logs, &board);
	logs_destroy(logs);
	rpc_task_model_finish(&out->rpc_tasks);
	diagnosis_init(&out->d);
	diagnose_run_rules(rules, sizeof(rules) / sizeof(rules[0]), &in, &out->d);
}

static inline void trace_tell(const char *text, struct trace_told *out)
{
	trace_tell_files(&text, 1, out);
}

static inline void trace_told_deinit(struct trace_told *t)
{
	diagnosis_deinit(&t->d);
	nfs4_model_deinit(&t->nfs4);
	rpc_task_model_deinit(&t->rpc_tasks);
	served_model_deinit(&t->served);
	ladder_model_deinit(&t->ladders);
	clid_model_deinit(&t->clids);
	evidence_list_deinit(&t->evidence);
}

static inline const struct finding *trace_found(const struct trace_told *t, const char *id)
{
	return findings_find(&t->d, id);
}

#endif
