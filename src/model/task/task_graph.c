// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Who waits for whom: from a task that waits for a lock to the one that holds it, and on to what
 * that one waits for. A lock is known by what the kernel, lockdep or a dump says of it, or by the
 * inode whose directory somebody works on under its lock; a stack alone does not name the lock.
 */
#include "model/task/task.h"

static const struct task_seen *seen_at(const struct task_snapshot *s, size_t index)
{
	return *(struct task_seen *const *)vec_at(&s->tasks, index);
}

static const struct task_seen *by_pid(const struct task_snapshot *s, int64_t pid)
{
	for (size_t i = 0; i < s->tasks.len; i++)
		if (seen_at(s, i)->pid == pid)
			return seen_at(s, i);
	return NULL;
}

/* By the lock's own word in a dump. That of a lock which the task owns itself tells nothing. */
static const struct task_seen *by_owner(const struct task_model *m, const struct task_snapshot *s,
					const struct task_seen *t)
{
	struct task_lock lock;

	if (t->inode == 0 || !task_model_lock(m, s->id, t->inode, &lock) || !lock.has_owner ||
	    lock.owned_to_read || lock.readers || lock.owner == t->address)
		return NULL;
	return task_snapshot_by_address(s, lock.owner);
}

static bool lists(const struct task_seen *t, uint64_t address, bool *last)
{
	for (size_t i = t->locks_len; i-- > 0;)
		if (t->locks[i].address == address) {
			*last = i + 1 == t->locks_len;
			return true;
		}
	return false;
}

/*
 * By lockdep's lists. The last lock of a task's list is one that it may only wait for: its stack
 * tells. Where that is not shown it is the holder only if nobody else can be, as somebody must be.
 */
static const struct task_seen *by_list(const struct task_snapshot *s, const struct task_seen *t,
				       enum task_link *how)
{
	const struct task_seen *maybe = NULL;
	size_t others = 0;
	bool last;

	if (t->locks_len == 0 || t->wait != TASK_WAIT_LOCK ||
	    t->locks[t->locks_len - 1].address == 0)
		return NULL;
	for (size_t i = 0; i < s->tasks.len; i++) {
		const struct task_seen *h = seen_at(s, i);

		if (h == t || !lists(h, t->locks[t->locks_len - 1].address, &last))
			continue;
		if (!last || (h->frames_len && h->wait != TASK_WAIT_LOCK)) {
			*how = TASK_LINK_LISTED;
			return h;
		}
		if (h->wait == TASK_WAIT_LOCK)
			continue;
		others++;
		maybe = h;
	}
	*how = TASK_LINK_LISTED_ONLY;
	return others == 1 ? maybe : NULL;
}

/*
 * By stacks: one works on the directory under its lock, for which the other waits. One that waits
 * for a lock itself may be on its way to it: of two locks a stack does not tell which it has.
 */
static const struct task_seen *by_stack(const struct task_snapshot *s, const struct task_seen *t,
					enum task_link *how)
{
	const struct task_seen *same = NULL;
	const struct task_seen *only = NULL;
	size_t holders = 0, others = 0;

	if (t->purpose == TASK_PURPOSE_IO || t->purpose == TASK_PURPOSE_NONE)
		return NULL;
	for (size_t i = 0; i < s->tasks.len; i++) {
		const struct task_seen *h = seen_at(s, i);

		others += h->lists_other[0] != '\0';
		if (h == t || h->holds == TASK_PURPOSE_NONE || h->wait == TASK_WAIT_LOCK ||
		    (h->inode && t->inode && h->inode != t->inode))
			continue;
		holders++;
		only = h;
		if (!same && h->inode && h->inode == t->inode)
			same = h;
	}
	*how = same ? TASK_LINK_INODE : TASK_LINK_ONLY;
	return same ? same : holders == 1 && !others ? only : NULL;
}

const struct task_seen *task_holder(const struct task_model *m, const struct task_snapshot *s,
				    const struct task_seen *t, enum task_link *how)
{
	const struct task_seen *holder = NULL;

	*how = TASK_LINK_NONE;
	if (t->owner_pid != TASK_PID_NONE) {
		holder = by_pid(s, t->owner_pid);
		*how = TASK_LINK_TOLD;
	} else if (t->wait == TASK_WAIT_LOCK) {
		holder = by_owner(m, s, t);
		*how = TASK_LINK_OWNER;
		if (!holder)
			holder = by_list(s, t, how);
		if (!holder)
			holder = by_stack(s, t, how);
	}
	if (!holder || holder == t)
		*how = TASK_LINK_NONE;
	return holder == t ? NULL : holder;
}

/* Of several that own a lock to read the kernel names one: that it stops the others is not shown.
 */
static bool is_circle(const struct task_chain *c, size_t from)
{
	for (size_t i = from; i < c->len; i++)
		if (c->links[i] == TASK_LINK_TOLD && c->tasks[i]->owner_reads)
			return false;
	return true;
}

void task_chain_follow(const struct task_model *m, const struct task_snapshot *s,
		       const struct task_seen *from, struct task_chain *out)
{
	*out = (struct task_chain){.len = 1, .tasks = {from}};
	for (;;) {
		enum task_link how;
		const struct task_seen *next = task_holder(m, s, out->tasks[out->len - 1], &how);
		size_t again = 0;

		if (!next)
			return;
		out->links[out->len - 1] = how;
		while (again < out->len && out->tasks[again] != next)
			again++;
		if (again < out->len) {
			out->cycle = is_circle(out, again);
			out->cycle_from = again;
			return;
		}
		if (out->len == TASK_CHAIN_MAX) {
			out->cut = true;
			return;
		}
		out->tasks[out->len++] = next;
	}
}
