/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a text about tasks to the model and the findings, the whole way. */
#ifndef TESTS_TASKS_SCRIPT_H
#define TESTS_TASKS_SCRIPT_H

#include "capfile/source.h"
#include "check.h"
#include "diagnose/engine.h"
#include "diagnose/rules/rules.h"
#include "findings.h"
#include "ingest/log/log.h"
#include "model/logs.h"
#include "model/task/task.h"

struct tasks_told {
	struct evidence_list evidence;
	struct logs_model logs;
	struct task_model tasks;
	struct diagnosis d;
	enum evidence_kind kind; /* of the last text */
	bool taken;              /* the last text was evidence */
};

/* Several texts, each a file of its own in one folder; NULL ends them. */
static inline void tasks_tell(const struct rule *const *rules, size_t count,
			      const char *const *texts, struct tasks_told *out)
{
	struct log_options options = {.year = 2026};
	struct event_board board = {0};
	struct logs *logs;
	struct rule_input in = {
		.evidence = &out->evidence, .logs = &out->logs, .tasks = &out->tasks};

	evidence_list_init(&out->evidence);
	logs = logs_create(&options, &out->evidence);
	logs_model_init(&out->logs);
	task_model_init(&out->tasks);
	logs_model_attach(&out->logs, &board);
	task_model_attach(&out->tasks, &board);
	for (; *texts; texts++) {
		struct source *source = source_create_memory(slice_of_string(*texts));

		out->taken = logs_read(logs, (uint32_t)out->evidence.items.len, "app/text",
				       stamp_none(), source);
		out->kind = out->taken ? logs_kind(logs) : EVIDENCE_UNREAD;
		if (out->taken)
			evidence_list_add(&out->evidence, "app/text", out->kind);
		source_destroy(source);
	}
	logs_settle(logs, stamp_none());
	logs_emit(logs, &board);
	logs_destroy(logs);
	task_model_finish(&out->tasks);
	diagnosis_init(&out->d);
	diagnose_run_rules(rules, count, &in, &out->d);
}

static inline void tasks_told_deinit(struct tasks_told *t)
{
	diagnosis_deinit(&t->d);
	task_model_deinit(&t->tasks);
	logs_model_deinit(&t->logs);
	evidence_list_deinit(&t->evidence);
}

static inline const struct finding *tasks_found(const struct tasks_told *t, const char *id)
{
	return findings_find(&t->d, id);
}

/* The task in the first snapshot that has it; NULL: nowhere. */
static inline const struct task_seen *tasks_seen(const struct tasks_told *t, int64_t pid)
{
	for (size_t i = 0; i < t->tasks.snapshots.len; i++) {
		const struct task_snapshot *s =
			*(struct task_snapshot **)vec_at(&t->tasks.snapshots, i);

		for (size_t k = 0; k < s->tasks.len; k++) {
			const struct task_seen *seen = *(struct task_seen **)vec_at(&s->tasks, k);

			if (seen->pid == pid)
				return seen;
		}
	}
	return NULL;
}

#endif
