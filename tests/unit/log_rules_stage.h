/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules about kernel logs: from the text of a log to findings. */
#ifndef LOG_RULES_STAGE_H
#define LOG_RULES_STAGE_H

#include "capfile/source.h"
#include "check.h"
#include "diagnose/engine.h"
#include "diagnose/rules/rules.h"
#include "findings.h"
#include "ingest/log/log.h"
#include "model/logs.h"
#include "model/path/path.h"
#include "model/rpc_task.h"
#include "script.h"

struct told {
	struct logs_model model;
	struct rpc_task_model rpc_tasks;
	struct evidence_list evidence;
	struct diagnosis d;
};

/* What the rules say of one log, and of stalls on the wire (may be NULL). */
static inline void tell(const char *text, const struct path_model *path, struct told *out)
{
	static const struct rule *const rules[] = {
		&rule_host_link_down,           &rule_nfs4_clientid_mismatch,
		&rule_nfs4_lock_reclaim_failed, &rule_rpc_not_responding,
		&rule_soft_mount_io_error,      &rule_task_hung,
		&rule_log_clientid_in_use,      &rule_log_gss_upcall,
		&rule_log_readdir_loop,         &rule_log_recovery_failing,
		&rule_nlm_locks_out_of_step,    &rule_log_fileid_changed,
		&rule_log_tracking_failed,      &rule_log_fragment_refused,
	};
	struct log_options options = {.year = 2026};
	struct rule_input in = {.evidence = &out->evidence,
				.logs = &out->model,
				.path = path,
				.rpc_tasks = &out->rpc_tasks};
	struct source *source = source_create_memory(slice_of_string(text));
	struct event_board board = {0};
	struct logs *logs;

	evidence_list_init(&out->evidence);
	logs = logs_create(&options, &out->evidence);
	logs_model_init(&out->model);
	logs_model_attach(&out->model, &board);
	rpc_task_model_init(&out->rpc_tasks);
	rpc_task_model_attach(&out->rpc_tasks, &board);
	CHECK(logs_read(logs, 0, "app/messages", stamp_none(), source));
	evidence_list_add(&out->evidence, "app/messages", EVIDENCE_KERNEL_LOG);
	logs_settle(logs, stamp_none());
	logs_emit(logs, &board);
	rpc_task_model_finish(&out->rpc_tasks);
	logs_destroy(logs);
	source_destroy(source);
	diagnosis_init(&out->d);
	diagnose_run_rules(rules, sizeof(rules) / sizeof(rules[0]), &in, &out->d);
}

static inline void told_deinit(struct told *t)
{
	diagnosis_deinit(&t->d);
	logs_model_deinit(&t->model);
	rpc_task_model_deinit(&t->rpc_tasks);
	evidence_list_deinit(&t->evidence);
}

static inline const struct finding *find(const struct told *t, const char *id)
{
	return findings_find(&t->d, id);
}

#endif
