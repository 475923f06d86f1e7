// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Texts about tasks, and traces, from any bytes up to the findings: stacks, listings, tables,
 * sessions of crash, what belongs together, and the rules about it.
 */
#include "capfile/source.h"
#include "diagnose/engine.h"
#include "diagnose/rules/rules.h"
#include "fuzz.h"
#include "ingest/log/log.h"
#include "model/ladder.h"
#include "model/logs.h"
#include "model/nfs4/clid.h"
#include "model/nfs4/nfs4.h"
#include "model/rpc_task.h"
#include "model/task/task.h"

static void read_file(struct logs *l, struct evidence_list *list, struct slice bytes)
{
	struct source *source = source_create_memory(bytes);

	if (logs_read(l, (uint32_t)list->items.len, "a/text", stamp_none(), source))
		evidence_list_add(list, "a/text", logs_kind(l));
	source_destroy(source);
}

/* What texts about tasks and traces fill. */
struct text_models {
	struct logs_model logs;
	struct task_model tasks;
	struct clid_model clids;
	struct ladder_model ladders;
	struct rpc_task_model rpc_tasks;
	struct nfs4_model nfs4;
};

static void models_init(struct text_models *m, struct event_board *board)
{
	logs_model_init(&m->logs);
	task_model_init(&m->tasks);
	clid_model_init(&m->clids);
	ladder_model_init(&m->ladders);
	rpc_task_model_init(&m->rpc_tasks);
	nfs4_model_init(&m->nfs4);
	logs_model_attach(&m->logs, board);
	task_model_attach(&m->tasks, board);
	clid_model_attach(&m->clids, board);
	ladder_model_attach(&m->ladders, board);
	rpc_task_model_attach(&m->rpc_tasks, board);
}

static void models_deinit(struct text_models *m)
{
	nfs4_model_deinit(&m->nfs4);
	rpc_task_model_deinit(&m->rpc_tasks);
	ladder_model_deinit(&m->ladders);
	clid_model_deinit(&m->clids);
	task_model_deinit(&m->tasks);
	logs_model_deinit(&m->logs);
}

static void judge(const struct evidence_list *evidence, const struct text_models *m)
{
	static const struct rule *const rules[] = {
		&rule_client_memory_exhausted,
		&rule_dir_listing_exclusive,
		&rule_dir_listing_writer_queued,
		&rule_getattr_flush,
		&rule_gss_upcall_stuck,
		&rule_idmap_slow,
		&rule_mount_trunking_blocked,
		&rule_nfs4_state_manager_stuck,
		&rule_nfsd_threads_stuck,
		&rule_task_hung,
		&rule_task_waits_for_rpc,
		&rule_writeback_stalled,
		&rule_nfs4_client_owner_collision,
		&rule_nfs4_session_reset_loop,
		&rule_rpc_task_manager,
		&rule_rpc_task_port,
		&rule_rpc_task_refused,
		&rule_rpc_task_silent,
		&rule_rpc_task_slots,
		&rule_rpc_task_slow,
		&rule_rpc_task_unanswered,
		&rule_rpc_task_unreachable,
	};
	struct rule_input in = {.evidence = evidence,
				.logs = &m->logs,
				.tasks = &m->tasks,
				.clids = &m->clids,
				.ladders = &m->ladders,
				.rpc_tasks = &m->rpc_tasks,
				.nfs4 = &m->nfs4};
	struct diagnosis d;

	diagnosis_init(&d);
	diagnose_run_rules(rules, sizeof(rules) / sizeof(rules[0]), &in, &d);
	diagnosis_deinit(&d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct log_options options = {0};
	struct event_board board = {0};
	struct evidence_list evidence;
	struct text_models models;
	struct logs *logs;

	evidence_list_init(&evidence);
	logs = logs_create(&options, &evidence);
	models_init(&models, &board);
	read_file(logs, &evidence, slice_make(data, size));
	read_file(logs, &evidence, slice_make(data, size / 2));
	logs_settle(logs, stamp_none());
	logs_emit(logs, &board);
	logs_destroy(logs);
	task_model_finish(&models.tasks);
	rpc_task_model_finish(&models.rpc_tasks);
	judge(&evidence, &models);
	models_deinit(&models);
	evidence_list_deinit(&evidence);
	return 0;
}
