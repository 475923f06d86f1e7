// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which inode a task is about: by the structures that a session printed (a file's f_inode, a
 * dentry's d_inode), because addresses on its stack lie in the same inode as those of others, or
 * because a printed lock names those that wait for it and its owner.
 */
#include "model/task/task.h"

#include <sys/stat.h>

/* i_rwsem and i_data lie within this behind the start of struct inode, in all configurations. */
#define INODE_BYTES_MAX UINT64_C(0x400)
/* Flags in rw_semaphore.owner: readers own it, nobody may spin for it (kernel/locking/rwsem.c). */
#define OWNER_FLAGS   UINT64_C(7)
#define OWNER_READERS UINT64_C(1)
/* Bits of rw_semaphore.count since 5.3. */
#define RWSEM_WRITER        UINT64_C(1)
#define RWSEM_WAITERS       UINT64_C(2)
#define RWSEM_WRITER_WAITED (RWSEM_WRITER | RWSEM_WAITERS)
#define RWSEM_FLAGS         UINT64_C(7)
#define RWSEM_RESERVED      UINT64_C(0xf8)
#define RWSEM_READER        UINT64_C(256)

static uint64_t known_value(const struct task_model *m, uint32_t snapshot,
			    enum object_relation relation, uint64_t address)
{
	for (size_t i = 0; i < m->known.len; i++) {
		const struct task_known *k = vec_at(&m->known, i);

		if (k->fact.snapshot == snapshot && k->fact.relation == relation &&
		    k->fact.address == address)
			return k->fact.value;
	}
	return 0;
}

/* The inode, known by some structure, in which the address lies; 0: none. */
static uint64_t known_around(const struct task_model *m, uint32_t snapshot, uint64_t address)
{
	for (size_t i = 0; i < m->known.len; i++) {
		const struct task_known *k = vec_at(&m->known, i);

		if (k->fact.snapshot == snapshot && k->fact.relation == OBJECT_INODE_OF &&
		    address >= k->fact.value && address - k->fact.value < INODE_BYTES_MAX)
			return k->fact.value;
	}
	return 0;
}

bool task_model_is_directory(const struct task_model *m, uint32_t snapshot, uint64_t inode)
{
	return inode && S_ISDIR(known_value(m, snapshot, OBJECT_MODE, inode));
}

/*
 * Since 5.3 (64489e78004c): a writer 1, waiters 2, hand-off 4, readers in units of 256. Before, in
 * 64 bits: active ones in the lower half, a writer takes one more from the upper half, and so do
 * waiters. Of 1 to 7 the two say different things, and of upper half -1 with one active it is
 * either a writer or one reader with others waiting: then the count alone is no word.
 */
static void lock_decode(struct task_lock *l)
{
	int32_t upper = (int32_t)(l->count >> 32);
	uint64_t active = l->count & UINT32_MAX;

	if (upper < 0) {
		l->decoded = upper < -1 || active != 1;
		l->writer = upper < -1;
		l->readers = l->writer ? 0 : active;
		l->waiters = true;
		return;
	}
	if (l->count & RWSEM_RESERVED)
		return;
	l->decoded = l->count == 0 || l->count > RWSEM_FLAGS ||
		     (l->count & RWSEM_WRITER_WAITED) == RWSEM_WRITER_WAITED;
	l->writer = l->count & RWSEM_WRITER;
	l->waiters = l->count & RWSEM_WAITERS;
	l->readers = l->count / RWSEM_READER;
}

bool task_model_lock(const struct task_model *m, uint32_t snapshot, uint64_t inode,
		     struct task_lock *out)
{
	struct task_lock l = {0};

	for (size_t i = 0; inode && i < m->known.len; i++) {
		const struct task_known *k = vec_at(&m->known, i);
		bool owner = k->fact.relation == OBJECT_LOCK_OWNER;

		if (k->fact.snapshot != snapshot || k->fact.address < inode ||
		    k->fact.address - inode >= INODE_BYTES_MAX ||
		    (!owner && k->fact.relation != OBJECT_LOCK_COUNT) ||
		    (owner ? l.has_owner : l.has_count))
			continue;
		l.at = k->at;
		if (owner) {
			l.has_owner = true;
			l.owned_to_read = k->fact.value & OWNER_READERS;
			l.owner = k->fact.value & ~OWNER_FLAGS;
		} else {
			l.has_count = true;
			l.count = k->fact.value;
			lock_decode(&l);
		}
	}
	*out = l;
	return l.has_owner || l.has_count;
}

const struct task_seen *task_snapshot_by_address(const struct task_snapshot *s, uint64_t address)
{
	for (size_t i = 0; address && i < s->tasks.len; i++) {
		const struct task_seen *t = *(struct task_seen **)vec_at(&s->tasks, i);

		if (t->address == address)
			return t;
	}
	return NULL;
}

static void find_inode(const struct task_model *m, const struct task_snapshot *s,
		       struct task_seen *t)
{
	for (size_t i = 0; i < t->objects_len && t->inode == 0; i++) {
		const struct task_object *o = &t->objects[i];

		if (o->kind == TASK_OBJECT_FILE || o->kind == TASK_OBJECT_DENTRY)
			t->inode = known_value(m, s->id, OBJECT_INODE_OF, o->address);
		else if (o->kind == TASK_OBJECT_NFS_INODE)
			t->inode = known_around(m, s->id, o->address);
	}
	t->inode_by_link = t->inode != 0;
}

/* Counts how many others have this very address in an inode of NFS on their stacks. */
static size_t shared_by(const struct task_snapshot *s, const struct task_seen *of, uint64_t address)
{
	size_t count = 0;

	for (size_t i = 0; i < s->tasks.len; i++) {
		const struct task_seen *t = *(struct task_seen **)vec_at(&s->tasks, i);

		for (size_t k = 0; t != of && k < t->objects_len; k++)
			count += t->objects[k].kind == TASK_OBJECT_NFS_INODE &&
				 t->objects[k].address == address;
	}
	return count;
}

/* Without printed structures: the address that most tasks share names the inode. */
static void share_inodes(const struct task_snapshot *s)
{
	for (size_t i = 0; i < s->tasks.len; i++) {
		struct task_seen *t = *(struct task_seen **)vec_at(&s->tasks, i);
		size_t best = 0;

		if (t->inode || (t->wait != TASK_WAIT_LOCK && t->holds == TASK_PURPOSE_NONE))
			continue;
		for (size_t k = 0; k < t->objects_len; k++) {
			size_t count;

			if (t->objects[k].kind != TASK_OBJECT_NFS_INODE)
				continue;
			count = shared_by(s, t, t->objects[k].address);
			if (count > best ||
			    (count == best && best && t->objects[k].address < t->inode)) {
				best = count;
				t->inode = t->objects[k].address;
			}
		}
	}
}

/* The inode of which the printed lock is, or the lock itself where that is not known. */
static uint64_t lock_identity(const struct task_model *m, uint32_t snapshot, uint64_t lock,
			      bool *is_lock)
{
	uint64_t inode = known_around(m, snapshot, lock);

	*is_lock = inode == 0;
	return inode ? inode : lock;
}

/* Who waits in that lock's own list: its node lies on the stack, below who called the lock. */
static void join_waiters(const struct task_model *m, const struct task_snapshot *s)
{
	for (size_t i = 0; i < m->known.len; i++) {
		const struct task_known *k = vec_at(&m->known, i);

		for (size_t n = 0; k->fact.snapshot == s->id &&
				   k->fact.relation == OBJECT_LOCK_WAITER && n < s->tasks.len;
		     n++) {
			struct task_seen *t = *(struct task_seen **)vec_at(&s->tasks, n);

			if (t->inode || t->wait != TASK_WAIT_LOCK || t->stack_low == 0 ||
			    k->fact.value < t->stack_low || k->fact.value > t->stack_high)
				continue;
			t->inode = lock_identity(m, s->id, k->fact.address, &t->inode_is_lock);
			t->inode_by_link = true;
		}
	}
}

/* Who owns a printed lock for writing, and works on a directory under one: it is that one. */
static void join_owners(const struct task_model *m, const struct task_snapshot *s)
{
	for (size_t i = 0; i < m->known.len; i++) {
		const struct task_known *k = vec_at(&m->known, i);
		struct task_seen *t;

		if (k->fact.snapshot != s->id || k->fact.relation != OBJECT_LOCK_OWNER ||
		    (k->fact.value & OWNER_READERS))
			continue;
		t = (struct task_seen *)task_snapshot_by_address(s, k->fact.value & ~OWNER_FLAGS);
		if (!t || t->inode || t->holds == TASK_PURPOSE_NONE || t->wait == TASK_WAIT_LOCK)
			continue;
		t->inode = lock_identity(m, s->id, k->fact.address, &t->inode_is_lock);
		t->inode_by_link = true;
	}
}

/* The class of the lock of an inode: "&type->i_mutex_dir_key#5", "&sb->s_type->i_mutex_key#12/1".
 */
static bool is_inode_lock(const struct task_listed *l)
{
	return strstr(l->class_name, "i_mutex") != NULL;
}

/*
 * By lockdep's list: who waits for a lock has it at the list's end, by the function that its stack
 * names too or by its class; who works on a directory has that directory's.
 */
static void join_listed(const struct task_model *m, const struct task_snapshot *s)
{
	for (size_t i = 0; i < s->tasks.len; i++) {
		struct task_seen *t = *(struct task_seen **)vec_at(&s->tasks, i);
		const struct task_listed *l = NULL;

		if (t->locks_len == 0 || t->inode)
			continue;
		if (t->wait == TASK_WAIT_LOCK) {
			l = &t->locks[t->locks_len - 1];
		} else if (t->holds != TASK_PURPOSE_NONE) {
			for (size_t k = 0; k < t->locks_len; k++)
				if (strstr(t->locks[k].class_name, "i_mutex_dir"))
					l = &t->locks[k];
		}
		if (!l || l->address == 0 ||
		    (!is_inode_lock(l) && strcmp(l->function, t->where) != 0))
			continue;
		t->inode = lock_identity(m, s->id, l->address, &t->inode_is_lock);
		t->inode_by_link = true;
	}
}

/*
 * Tasks of a dump of which no stack was printed, or only its outer part: they sleep uninterruptibly
 * and have a file of the inode on their stacks, as those have whose stacks are known.
 */
static void infer_waits(const struct task_snapshot *s)
{
	const struct task_seen *like = NULL;

	for (size_t i = 0; i < s->tasks.len; i++) {
		const struct task_seen *t = *(struct task_seen **)vec_at(&s->tasks, i);

		if (t->wait == TASK_WAIT_LOCK && t->proof == TASK_PROOF_STACK && t->inode &&
		    t->purpose == TASK_PURPOSE_LIST)
			like = t;
	}
	for (size_t i = 0; like && i < s->tasks.len; i++) {
		struct task_seen *t = *(struct task_seen **)vec_at(&s->tasks, i);

		if (t->state != 'D' || t->inode != like->inode || t->wait != TASK_WAIT_NONE ||
		    t->holds != TASK_PURPOSE_NONE)
			continue;
		if (t->frames_len && t->purpose != like->purpose)
			continue;
		t->wait = TASK_WAIT_LOCK;
		t->mode = like->mode;
		t->purpose = like->purpose;
		t->sleeps_in = like->sleeps_in;
		t->where = like->where;
		if (t->frames_len == 0)
			t->proof = TASK_PROOF_OBJECT;
	}
}

void task_join(struct task_model *m)
{
	for (size_t i = 0; i < m->snapshots.len; i++) {
		struct task_snapshot *s = *(struct task_snapshot **)vec_at(&m->snapshots, i);

		for (size_t k = 0; k < s->tasks.len; k++)
			find_inode(m, s, *(struct task_seen **)vec_at(&s->tasks, k));
		join_waiters(m, s);
		join_owners(m, s);
		join_listed(m, s);
		share_inodes(s);
		infer_waits(s);
	}
}
