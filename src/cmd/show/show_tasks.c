// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `show tasks`: each task that waits, or is at work for NFS, with what its stack tells.
 * `show waits`: the same by what they wait for: who holds it, and who waits behind that one.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"
#include "cmd/label.h"
#include "cmd/show/show.h"
#include "model/task/task.h"

struct tasks_view {
	struct show *show;
	struct task_model model;
	struct strbuf text; /* one field under way */
};

static struct task_snapshot *snapshot_of(const struct tasks_view *v, size_t index)
{
	return *(struct task_snapshot **)vec_at(&v->model.snapshots, index);
}

static const struct task_seen *seen_at(const struct task_snapshot *s, size_t index)
{
	return *(struct task_seen *const *)vec_at(&s->tasks, index);
}

static const char *mode_text(enum task_mode mode)
{
	return mode == TASK_MODE_WRITE ? "write" : mode == TASK_MODE_READ ? "read" : "";
}

static void add_safe(struct strbuf *line, const char *text)
{
	strbuf_add_safe(line, slice_of_string(text));
}

static void add_name(struct strbuf *line, const struct task_seen *t)
{
	add_safe(line, t->name[0] ? t->name : "?");
	if (t->pid != TASK_PID_NONE)
		strbuf_add_format(line, " (PID %" PRId64 ")", t->pid);
}

/* "the reply to READDIR, in rpc_wait_bit_killable < __rpc_execute" */
static void add_wait(struct strbuf *line, const struct task_seen *t)
{
	if (t->wait == TASK_WAIT_LOCK)
		strbuf_add_format(line, "the lock for %s, %s",
				  t->mode == TASK_MODE_READ ? "reading" : "writing",
				  task_purpose_text(t->purpose));
	else if (t->wait == TASK_WAIT_RPC && t->procedure[0])
		strbuf_add_format(line, "the reply to %s", t->procedure);
	else
		strbuf_add_text(line, task_wait_text(t->wait));
	if (t->proof == TASK_PROOF_OBJECT) {
		strbuf_add_text(line, " (no stack: a file of this inode is on it)");
		return;
	}
	if (t->sleeps_in[0]) {
		strbuf_add_text(line, ", in ");
		add_safe(line, t->sleeps_in);
	}
	if (t->where[0] && t->where != t->sleeps_in) {
		strbuf_add_text(line, t->sleeps_in[0] ? " < " : ", in ");
		add_safe(line, t->where);
	}
}

static void write_task(struct tasks_view *v, const struct task_seen *t)
{
	show_line(v->show, t->at.at, t->at.evidence, t->at.frame);
}

static void member_text(struct json *j, const char *name, const char *text)
{
	if (text[0] == '\0') {
		json_member_null(j, name);
		return;
	}
	json_key(j, name);
	json_bytes(j, slice_of_string(text));
}

static void json_stack(struct json *j, const struct task_seen *t)
{
	json_key(j, "stack");
	json_array_begin(j);
	for (size_t i = 0; i < t->frames_len; i++)
		json_bytes(j, slice_of_string(t->frames[i]));
	json_array_end(j);
}

static void json_task(struct tasks_view *v, const struct task_snapshot *s,
		      const struct task_seen *t)
{
	char state[2] = {t->state, '\0'};
	struct json j;

	json_init(&j, &v->show->line, false);
	json_object_begin(&j);
	json_member_text(&j, "evidence", show_evidence(v->show, t->at.evidence));
	json_member_u64(&j, "line", t->at.frame);
	label_member_stamp(&j, "time", t->at.at);
	json_member_u64(&j, "sample", s->id);
	member_text(&j, "host", s->host);
	if (t->pid == TASK_PID_NONE)
		json_member_null(&j, "pid");
	else
		json_member_i64(&j, "pid", t->pid);
	member_text(&j, "name", t->name);
	member_text(&j, "state", state);
	json_member_text(&j, "waits_for", task_wait_text(t->wait));
	member_text(&j, "lock_mode", mode_text(t->mode));
	member_text(&j, "purpose", task_purpose_text(t->purpose));
	member_text(&j, "procedure", t->procedure);
	member_text(&j, "holds", task_purpose_text(t->holds));
	strbuf_add_format(&v->text, "0x%016" PRIx64, t->inode);
	if (t->inode)
		label_member(&j, "inode", &v->text);
	else
		json_member_null(&j, "inode");
	strbuf_reset(&v->text);
	json_member_i64(&j, "hung_s", t->hung_s);
	json_stack(&j, t);
	json_object_end(&j);
	write_task(v, t);
}

static void text_task(struct tasks_view *v, const struct task_snapshot *s,
		      const struct task_seen *t)
{
	struct strbuf *line = &v->show->line;
	size_t start = line->len;

	if (v->show->run.evidence.items.len > 1)
		strbuf_add_format(line, "%-4s", show_evidence(v->show, t->at.evidence));
	strbuf_add_format(line, "%6" PRIu64 "  %3u  ", t->at.frame, s->id);
	if (t->pid == TASK_PID_NONE)
		strbuf_add_text(line, "      ?");
	else
		strbuf_add_format(line, "%7" PRId64, t->pid);
	strbuf_add_format(line, " %c ", t->state ? t->state : '?');
	add_safe(line, t->name[0] ? t->name : "?");
	show_pad(line, start, v->show->run.evidence.items.len > 1 ? 44 : 40);
	if (t->holds != TASK_PURPOSE_NONE) {
		strbuf_add_text(line, "holds a lock in ");
		add_safe(line, t->holds_in);
		strbuf_add_text(line, "; ");
	}
	add_wait(line, t);
	if (t->inode)
		strbuf_add_format(line, ", inode %016" PRIx64, t->inode);
	if (t->hung_s)
		strbuf_add_format(line, ", reported as hung for %" PRId64 " s", t->hung_s);
	write_task(v, t);
}

static void *tasks_create(struct show *s)
{
	struct tasks_view *v = mem_alloc(1, sizeof(*v));

	v->show = s;
	strbuf_init(&v->text);
	task_model_init(&v->model);
	task_model_attach(&v->model, &s->run.board);
	return v;
}

static void tasks_finish(struct show *s, void *state)
{
	struct tasks_view *v = state;

	task_model_finish(&v->model);
	for (size_t i = 0; i < v->model.snapshots.len; i++) {
		const struct task_snapshot *snapshot = snapshot_of(v, i);

		for (size_t k = 0; k < snapshot->tasks.len; k++) {
			if (s->options->json)
				json_task(v, snapshot, seen_at(snapshot, k));
			else
				text_task(v, snapshot, seen_at(snapshot, k));
		}
	}
}

static void tasks_destroy(void *state)
{
	struct tasks_view *v = state;

	task_model_deinit(&v->model);
	strbuf_deinit(&v->text);
	free(v);
}

/* --- waits --- */

static bool is_same_wait(const struct task_seen *a, const struct task_seen *b)
{
	return a->wait == b->wait && a->inode == b->inode && a->owner_pid == b->owner_pid &&
	       (a->wait != TASK_WAIT_RPC || a->procedure == b->procedure);
}

/* Tasks before this one in the snapshot already showed its group. */
static bool was_shown(const struct task_snapshot *s, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (is_same_wait(seen_at(s, i), seen_at(s, index)))
			return true;
	return false;
}

/* How it is known who holds what is waited for. */
static const char *link_text(enum task_link how)
{
	static const char *const texts[] = {
		[TASK_LINK_NONE] = "",
		[TASK_LINK_TOLD] = " by the kernel's own word",
		[TASK_LINK_OWNER] = " by the lock's own word",
		[TASK_LINK_LISTED] = " by lockdep's list",
		[TASK_LINK_INODE] = "",
		[TASK_LINK_LISTED_ONLY] = " by lockdep's list, where nobody else has it",
		[TASK_LINK_ONLY] = "",
	};

	return texts[how];
}

/* The holder, who holds what that one waits for, and so on: deeper by a step each. */
static void text_chain(struct tasks_view *v, const struct task_snapshot *s,
		       const struct task_seen *first)
{
	struct strbuf *line = &v->show->line;
	struct task_chain chain;

	task_chain_follow(&v->model, s, first, &chain);
	for (size_t i = 1; i < chain.len; i++) {
		const struct task_seen *t = chain.tasks[i];

		strbuf_add_text(line, "|  ");
		for (size_t k = 1; k < i; k++)
			strbuf_add_text(line, "  ");
		strbuf_add_format(line, "held%s by ", link_text(chain.links[i - 1]));
		add_name(line, t);
		if (t->holds_in[0]) {
			strbuf_add_text(line, ", in ");
			add_safe(line, t->holds_in);
		}
		strbuf_add_text(line, ", which waits for ");
		add_wait(line, t);
		write_task(v, t);
	}
	if (chain.cycle) {
		strbuf_add_text(line, "|  a circle: that is held by ");
		add_name(line, chain.tasks[chain.cycle_from]);
		write_task(v, chain.tasks[chain.cycle_from]);
	}
	if (chain.cut) {
		strbuf_add_text(line, "|  and so on");
		write_task(v, chain.tasks[chain.len - 1]);
	}
	if (chain.len == 1 && first->owner_pid != TASK_PID_NONE) {
		strbuf_add_text(line, "|  held by the kernel's own word by ");
		add_safe(line, first->owner_name);
		strbuf_add_format(line, " (PID %" PRId64 "), whose stack is not here",
				  first->owner_pid);
		write_task(v, first);
	} else if (chain.len == 1 && first->wait == TASK_WAIT_LOCK) {
		strbuf_add_text(line, "|  held by nobody whose stack is here");
		write_task(v, first);
	}
}

/* The line of what is waited for: its holder, or what the call is. */
static void text_root(struct tasks_view *v, const struct task_snapshot *s,
		      const struct task_seen *first)
{
	struct strbuf *line = &v->show->line;

	strbuf_add_format(line, "sample %u, ", s->id);
	add_safe(line, s->host);
	strbuf_add_text(line, ": ");
	if (first->wait == TASK_WAIT_RPC && first->procedure[0])
		strbuf_add_format(line, "the reply to %s", first->procedure);
	else
		strbuf_add_text(line, task_wait_text(first->wait));
	if (first->inode)
		strbuf_add_format(line, "%s at %016" PRIx64,
				  first->inode_is_lock ? ", which lies" : "", first->inode);
	write_task(v, first);
	text_chain(v, s, first);
}

static void text_waits(struct tasks_view *v, const struct task_snapshot *s)
{
	struct strbuf *line = &v->show->line;

	for (size_t i = 0; i < s->tasks.len; i++) {
		const struct task_seen *first = seen_at(s, i);

		if ((first->wait == TASK_WAIT_NONE && first->owner_pid == TASK_PID_NONE) ||
		    was_shown(s, i))
			continue;
		text_root(v, s, first);
		for (size_t k = i; k < s->tasks.len; k++) {
			const struct task_seen *t = seen_at(s, k);

			if (!is_same_wait(t, first))
				continue;
			strbuf_add_text(line, "+- ");
			add_name(line, t);
			strbuf_add_text(line, " waits for ");
			add_wait(line, t);
			write_task(v, t);
		}
	}
}

static void json_pid(struct json *j, const char *name, const struct task_seen *t)
{
	if (t->pid == TASK_PID_NONE)
		json_member_null(j, name);
	else
		json_member_i64(j, name, t->pid);
}

/* One edge a line: who waits, and for whom; null: for something, or for somebody unknown. */
static void json_edge(struct tasks_view *v, const struct task_snapshot *s,
		      const struct task_seen *t, const struct task_seen *holder)
{
	struct json j;

	json_init(&j, &v->show->line, false);
	json_object_begin(&j);
	json_member_text(&j, "evidence", show_evidence(v->show, t->at.evidence));
	json_member_u64(&j, "line", t->at.frame);
	json_member_u64(&j, "sample", s->id);
	json_pid(&j, "waiter", t);
	if (holder)
		json_pid(&j, "holder", holder);
	else
		json_member_null(&j, "holder");
	json_member_text(&j, "waits_for", task_wait_text(t->wait));
	member_text(&j, "lock_mode", mode_text(t->mode));
	member_text(&j, "procedure", t->procedure);
	json_object_end(&j);
	write_task(v, t);
}

static void json_waits(struct tasks_view *v, const struct task_snapshot *s)
{
	for (size_t i = 0; i < s->tasks.len; i++) {
		const struct task_seen *t = seen_at(s, i);
		enum task_link how;

		if (t->wait != TASK_WAIT_NONE || t->owner_pid != TASK_PID_NONE)
			json_edge(v, s, t, task_holder(&v->model, s, t, &how));
	}
}

static void waits_finish(struct show *s, void *state)
{
	struct tasks_view *v = state;

	task_model_finish(&v->model);
	for (size_t i = 0; i < v->model.snapshots.len; i++) {
		if (s->options->json)
			json_waits(v, snapshot_of(v, i));
		else
			text_waits(v, snapshot_of(v, i));
	}
}

const struct show_view show_view_tasks = {
	.name = "tasks",
	.heading = "[evidence,] line, sample, PID, state, name, what it holds and waits for",
	.create = tasks_create,
	.finish = tasks_finish,
	.destroy = tasks_destroy,
};

const struct show_view show_view_waits = {
	.name = "waits",
	.create = tasks_create,
	.finish = waits_finish,
	.destroy = tasks_destroy,
};
