// SPDX-License-Identifier: GPL-2.0-or-later
/* See task_common.h. */
#include "diagnose/rules/task/task_common.h"

#include <inttypes.h>
#include <string.h>

#include "diagnose/rules/log_common.h"

static const struct task_seen *seen_at(const struct task_snapshot *s, size_t index)
{
	return *(struct task_seen *const *)vec_at(&s->tasks, index);
}

static bool is_directory_purpose(enum task_purpose p)
{
	return p == TASK_PURPOSE_LIST || p == TASK_PURPOSE_LOOKUP || p == TASK_PURPOSE_OPEN ||
	       p == TASK_PURPOSE_CHANGE;
}

static bool has_nfs_inode(const struct task_seen *t)
{
	for (size_t i = 0; i < t->objects_len; i++)
		if (t->objects[i].kind == TASK_OBJECT_NFS_INODE)
			return true;
	return false;
}

static void crowd_add_waiter(struct task_crowd *c, const struct task_seen *t)
{
	c->waiters++;
	c->by_object += t->proof == TASK_PROOF_OBJECT;
	c->by_part += t->proof == TASK_PROOF_PART;
	c->same_inode &= t->inode != 0;
	c->nfs |= has_nfs_inode(t);
	c->rwsem |= !t->mutex;
	c->is_lock |= t->inode_is_lock;
	if (t->purpose == TASK_PURPOSE_LIST) {
		c->list_write += t->mode == TASK_MODE_WRITE;
		c->list_read += t->mode == TASK_MODE_READ;
		if (!c->waiter || c->waiter->purpose != TASK_PURPOSE_LIST ||
		    (c->waiter->proof != TASK_PROOF_STACK && t->proof == TASK_PROOF_STACK))
			c->waiter = t;
	} else if (t->mode == TASK_MODE_READ) {
		c->lookups++;
		if (!c->reader || (t->hung_s && !c->reader->hung_s))
			c->reader = t;
	} else {
		c->lookups += t->purpose == TASK_PURPOSE_LOOKUP;
		c->changers += t->purpose != TASK_PURPOSE_LOOKUP;
		if (t->purpose == TASK_PURPOSE_LOOKUP && !c->reader)
			c->reader = t;
		if (t->purpose != TASK_PURPOSE_LOOKUP && !c->changer)
			c->changer = t;
	}
	if (!c->waiter)
		c->waiter = t;
}

void task_crowd_collect(const struct task_snapshot *s, uint64_t inode, struct task_crowd *out)
{
	*out = (struct task_crowd){.snapshot = s, .inode = inode, .same_inode = inode != 0};
	for (size_t i = 0; i < s->tasks.len; i++) {
		const struct task_seen *t = seen_at(s, i);

		if (!out->other && t->lists_other[0] && inode == 0)
			out->other = t;
		/* One that does not tell its inode may be of the crowd: that makes it no proof. */
		if (t->inode && inode && t->inode != inode)
			continue;
		if (t->wait == TASK_WAIT_LOCK && is_directory_purpose(t->purpose))
			crowd_add_waiter(out, t);
		if (t->holds == TASK_PURPOSE_NONE || (inode && t->inode == 0))
			continue;
		out->holders++;
		out->list_holders += t->holds == TASK_PURPOSE_LIST;
		if (!out->holder ||
		    (out->holder->holds != TASK_PURPOSE_LIST && t->holds == TASK_PURPOSE_LIST))
			out->holder = t;
	}
	if (out->other) {
		out->beside_other = out->holders != 0;
		out->holder = NULL;
		out->holders = out->list_holders = 0;
	}
}

void task_crowd_largest(const struct task_snapshot *s, struct task_crowd *out)
{
	struct task_crowd c;
	bool some = false;

	*out = (struct task_crowd){.snapshot = s};
	for (size_t i = 0; i < s->tasks.len; i++) {
		const struct task_seen *t = seen_at(s, i);
		bool again = false;

		if (t->wait != TASK_WAIT_LOCK || !is_directory_purpose(t->purpose) || t->inode == 0)
			continue;
		for (size_t k = 0; k < i && !again; k++)
			again = seen_at(s, k)->inode == t->inode &&
				seen_at(s, k)->wait == TASK_WAIT_LOCK;
		if (again)
			continue;
		task_crowd_collect(s, t->inode, &c);
		if (c.waiters > out->waiters)
			*out = c;
		some = true;
	}
	if (!some)
		task_crowd_collect(s, 0, out);
}

const char *task_text(struct diagnosis *d, const struct task_seen *t)
{
	const char *name = t->name[0] ? log_text(d, t->name) : "a task";

	if (t->pid == TASK_PID_NONE)
		return name;
	return arena_format(&d->arena, "%s (PID %" PRId64 ")", name, t->pid);
}

const char *task_crowd_names(struct diagnosis *d, const struct task_crowd *c)
{
	const char *name = "";
	bool others = false;

	for (size_t i = 0; i < c->snapshot->tasks.len; i++) {
		const struct task_seen *t = seen_at(c->snapshot, i);

		if (t->wait != TASK_WAIT_LOCK || t->name[0] == '\0' ||
		    (c->inode && t->inode && t->inode != c->inode))
			continue;
		if (name[0] == '\0')
			name = t->name;
		others |= strcmp(name, t->name) != 0;
	}
	if (name[0] == '\0')
		return arena_format(&d->arena, "%zu tasks", c->waiters);
	return arena_format(&d->arena, "%zu tasks (%s%s)", c->waiters, log_text(d, name),
			    others ? " and others" : "");
}

const char *task_wait_words(struct diagnosis *d, const struct task_seen *t)
{
	const char *in = t->sleeps_in[0] ? t->sleeps_in : t->where;
	const char *tail = in[0] ? arena_format(&d->arena, " (in %s)", log_text(d, in)) : "";

	if (t->wait == TASK_WAIT_RPC && t->procedure[0])
		return arena_format(&d->arena, "the server's reply to %s%s", t->procedure, tail);
	return arena_format(&d->arena, "%s%s", task_wait_text(t->wait), tail);
}

const char *task_host_text(struct diagnosis *d, const struct task_snapshot *s)
{
	const char *name = log_text(d, s->host);

	return s->host_told ? name : arena_format(&d->arena, "the host of %s", name);
}

bool task_host_complains(const struct rule_input *in, const char *host)
{
	for (size_t i = 0; in->logs && i < in->logs->intervals.len; i++) {
		const struct logs_interval *v =
			*(struct logs_interval *const *)vec_at(&in->logs->intervals, i);

		if (v->ok.frame == FRAME_NONE && strcmp(v->of.host->name, host) == 0)
			return true;
	}
	return false;
}

void task_finding_about(struct diagnosis *d, struct finding *f, const struct task_snapshot *s)
{
	finding_subject(d, f, "stacks of", "%s", task_host_text(d, s));
	f->host = log_text(d, s->host);
	f->first = s->first.at;
	f->last = s->first.at;
}
