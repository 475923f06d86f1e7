// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Texts about tasks, and traces, from any bytes up to the findings: stacks, listings, tables,
 * sessions of crash, what belongs together, and the rules about it.
 */
#include "capfile/source.h"
#include "diagnose/engine.h"
#include "diagnose/rules/rules.h"
#include "fuzz.h"
#include "ingest/log.h"
#include "model/clid.h"
#include "model/logs.h"
#include "model/task.h"

static void read_file(struct logs *l, struct evidence_list *list, struct slice bytes)
{
	struct source *source = source_create_memory(bytes);

	if (logs_read(l, (uint32_t)list->items.len, "a/text", stamp_none(), source))
		evidence_list_add(list, "a/text", logs_kind(l));
	source_destroy(source);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct rule *const rules[] = {
		&rule_client_memory_exhausted,   &rule_dir_listing_exclusive,
		&rule_dir_listing_writer_queued, &rule_getattr_flush,
		&rule_gss_upcall_stuck,          &rule_idmap_slow,
		&rule_mount_trunking_blocked,    &rule_nfs4_state_manager_stuck,
		&rule_nfsd_threads_stuck,        &rule_task_hung,
		&rule_task_waits_for_rpc,        &rule_writeback_stalled,
	};
	struct log_options options = {0};
	struct event_board board = {0};
	struct evidence_list evidence;
	struct logs_model logs_seen;
	struct task_model tasks;
	struct clid_model clids;
	struct diagnosis d;
	struct rule_input in = {
		.evidence = &evidence, .logs = &logs_seen, .tasks = &tasks, .clids = &clids};
	struct logs *logs;

	evidence_list_init(&evidence);
	logs = logs_create(&options, &evidence);
	logs_model_init(&logs_seen);
	task_model_init(&tasks);
	clid_model_init(&clids);
	logs_model_attach(&logs_seen, &board);
	task_model_attach(&tasks, &board);
	clid_model_attach(&clids, &board);
	read_file(logs, &evidence, slice_make(data, size));
	read_file(logs, &evidence, slice_make(data, size / 2));
	logs_settle(logs, stamp_none());
	logs_emit(logs, &board);
	logs_destroy(logs);
	task_model_finish(&tasks);
	diagnosis_init(&d);
	diagnose_run_rules(rules, sizeof(rules) / sizeof(rules[0]), &in, &d);
	diagnosis_deinit(&d);
	clid_model_deinit(&clids);
	task_model_deinit(&tasks);
	logs_model_deinit(&logs_seen);
	evidence_list_deinit(&evidence);
	return 0;
}
