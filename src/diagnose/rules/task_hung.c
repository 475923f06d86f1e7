// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * task-hung: khungtaskd reported a task (kernel/hung_task.c). It looks at uninterruptible tasks
 * only, so whoever waits in a killable way is never reported: readdir's lock and RPC themselves
 * (TASK_KILLABLE). What is reported is a victim, and hardly ever the holder.
 *
 * Tasks whose stack shows nothing of NFS, nor of a wait in a directory, are no business of ours.
 */
#include "diagnose/rules/log_common.h"
#include "diagnose/rules/rules.h"
#include "diagnose/rules/task_common.h"

#include <inttypes.h>
#include <string.h>

/* Waits for the lock of a directory or of a name in it, whatever file system it is on. */
static bool is_directory_wait(const char *where)
{
	static const char *const functions[] = {
		"iterate_dir",    "lookup_slow",  "path_openat",     "open_last_lookups",
		"do_last",        "do_unlinkat",  "filename_create", "do_rmdir",
		"lock_rename",    "do_renameat2", "vfs_unlink",      "walk_component",
		"lookup_one_len",
	};

	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
		if (strcmp(where, functions[i]) == 0)
			return true;
	return false;
}

static bool is_ours(const struct logs_task *t)
{
	return t->has_stack && (t->nfs_function[0] || is_directory_wait(t->where));
}

static const char *what_for(struct diagnosis *d, const struct logs_task *t)
{
	const char *in =
		t->waits_in[0] ? arena_format(&d->arena, " (in %s)", log_text(d, t->waits_in)) : "";

	if (t->nfs_function[0] && strcmp(t->nfs_function, t->where) != 0)
		return arena_format(&d->arena, "It waits in %s%s, called from %s.",
				    log_text(d, t->where), in, log_text(d, t->nfs_function));
	return arena_format(&d->arena, "It waits in %s%s.", log_text(d, t->where), in);
}

/* Who holds what this task waits for, where the evidence has the stacks of all; or "". */
static const char *holder_words(struct diagnosis *d, const struct task_model *m,
				const struct logs_task *t)
{
	for (size_t i = 0; m && i < m->snapshots.len; i++) {
		const struct task_snapshot *s =
			*(struct task_snapshot *const *)vec_at(&m->snapshots, i);
		struct task_crowd c;

		if (strcmp(s->host, t->host->name) != 0)
			continue;
		for (size_t k = 0; k < s->tasks.len; k++) {
			const struct task_seen *seen =
				*(struct task_seen *const *)vec_at(&s->tasks, k);

			if (seen->pid != t->pid || seen->wait != TASK_WAIT_LOCK)
				continue;
			task_crowd_collect(s, seen->inode, &c);
			if (c.holder && c.holders == 1)
				return arena_format(&d->arena, "%s, which waits for %s",
						    task_text(d, c.holder),
						    task_wait_words(d, c.holder));
		}
	}
	return "";
}

static const char *victim_words(struct diagnosis *d, const struct task_model *m,
				const struct logs_task *t)
{
	const char *holder = holder_words(d, m, t);

	if (holder[0])
		return arena_format(
			&d->arena,
			"It is a victim: the lock is held by %s. The kernel reports only "
			"tasks that wait uninterruptibly, and that one does not.",
			holder);
	return "It is a victim and hardly the holder of what it waits for: the kernel reports only "
	       "tasks that wait uninterruptibly, and those that read directories or wait for a "
	       "server's answer wait in a killable way and are never reported. Who holds it shows "
	       "in the stacks of all tasks.";
}

static void tell(struct diagnosis *d, const struct task_model *m, const struct logs_task *t)
{
	struct finding *f = diagnosis_add(d, "task-hung", CONFIDENCE_CERTAIN);
	const char *name = log_text(d, t->name);

	finding_subject(d, f, "log of", "%s", log_host_text(d, t->host));
	f->host = log_text(d, t->host->name);
	finding_subject(d, f, "task", "%s, PID %" PRId64, name, t->pid);
	finding_subject(d, f, "waits in", "%s", log_text(d, t->where));
	f->first = t->first.at;
	f->last = t->last.at;
	f->count = t->reports;
	f->title = arena_format(
		&d->arena,
		"task %s (PID %" PRId64 ") on %s hung for more than %" PRId64 " s, in %s", name,
		t->pid, log_text(d, t->host->name), t->seconds, log_text(d, t->where));
	f->why = arena_format(&d->arena, "%s %s", what_for(d, t), victim_words(d, m, t));
	finding_cite(d, f, &t->first, NULL, "%s is reported as hung; its stack follows", name);
	finding_cite(d, f, &t->last, NULL, "and for the last time");
}

static void run(const struct rule_input *in, struct diagnosis *out)
{
	for (size_t i = 0; in->logs && i < in->logs->tasks.len; i++) {
		const struct logs_task *t = *(struct logs_task **)vec_at(&in->logs->tasks, i);

		if (is_ours(t))
			tell(out, in->tasks, t);
	}
}

const struct rule rule_task_hung = {
	.id = "task-hung",
	.needs = "the kernel log of the client, with the stacks of hung tasks",
	.run = run,
};
