// SPDX-License-Identifier: GPL-2.0-or-later
/* See task.h. This file keeps what was seen; task_wait.c and task_join.c say what it means. */
#include "model/task/task.h"

#include "base/hash.h"
/* One copy of each text; "" when there is no room for one more. */
static const char *task_keep(struct task_model *m, struct slice text)
{
	return texts_keep(&m->names, &m->arena, text);
}

static struct task_snapshot *snapshot_get(struct task_model *m, const struct event *e)
{
	const struct task_fact *f = e->task;
	struct task_snapshot *s;

	for (size_t i = m->snapshots.len; i-- > 0;) {
		s = *(struct task_snapshot **)vec_at(&m->snapshots, i);
		if (s->id == f->snapshot)
			return s;
	}
	if (m->snapshots.len == TASK_SNAPSHOTS_MAX)
		return NULL;
	s = arena_alloc(&m->arena, sizeof(*s));
	s->id = f->snapshot;
	s->scope = f->scope;
	s->host = task_keep(m, f->host);
	s->host_told = f->host_told;
	s->first = e->at;
	vec_init(&s->tasks, sizeof(struct task_seen *));
	*(struct task_snapshot **)vec_push(&m->snapshots) = s;
	return s;
}

/* Who neither sleeps uninterruptibly nor shows NFS or a lock is nobody of ours. */
static bool is_of_interest(const struct task_fact *f)
{
	char name[64];

	if (f->state == 'D' || f->hung_s || f->objects_len || f->locks_len || f->waits.len ||
	    f->shown_as_owner || f->owner_pid != TASK_PID_NONE)
		return true;
	for (size_t i = 0; i < f->frames_len; i++) {
		size_t len = f->frames[i].function.len;

		if (len >= sizeof(name))
			continue;
		memcpy(name, f->frames[i].function.ptr, len);
		name[len] = '\0';
		if (task_function_is_nfs(name) || strstr(name, "iterate_dir"))
			return true;
	}
	return f->state == TASK_STATE_NONE && f->frames_len != 0;
}

/* A task of a snapshot by its number. */
struct task_key {
	const struct task_snapshot *snapshot;
	int64_t pid;
	struct task_seen *task;
};

static bool key_equal(const void *item, const void *key)
{
	const struct task_key *a = item, *b = key;

	return a->snapshot == b->snapshot && a->pid == b->pid;
}

static uint64_t key_hash(const struct task_key *k)
{
	return hash_u64_pair(hash_start(), (uintptr_t)k->snapshot, (uint64_t)k->pid);
}

static struct task_seen *seen_get(struct task_model *m, struct task_snapshot *s,
				  const struct task_fact *f)
{
	struct task_key key = {s, f->pid, NULL}, *known = NULL;
	struct task_seen *t;

	if (f->pid != TASK_PID_NONE)
		known = map_find(&m->by_pid, key_hash(&key), &key);
	if (known)
		return known->task;
	if (m->seen == TASK_SEEN_MAX) {
		m->dropped++;
		return NULL;
	}
	m->seen++;
	t = arena_alloc(&m->arena, sizeof(*t));
	t->pid = f->pid;
	t->name = t->sleeps_in = t->where = t->procedure = t->holds_in = t->lists_other =
		t->owner_name = "";
	t->switches = TASK_COUNT_NONE;
	t->owner_pid = TASK_PID_NONE;
	*(struct task_seen **)vec_push(&s->tasks) = t;
	if (f->pid == TASK_PID_NONE)
		return t;
	known = arena_alloc(&m->arena, sizeof(*known));
	*known = key;
	known->task = t;
	map_add(&m->by_pid, key_hash(&key), known);
	return t;
}

static void seen_add_frames(struct task_model *m, struct task_seen *t, const struct event *e)
{
	const struct task_fact *f = e->task;
	const char **frames;

	/* A whole stack goes before a part, a longer one before a shorter. */
	if (f->frames_len == 0 || (t->frames_len && (f->first_frame > t->first_frame ||
						     (f->first_frame == t->first_frame &&
						      f->frames_len <= t->frames_len))))
		return;
	frames = arena_alloc(&m->arena, f->frames_len * sizeof(*frames));
	for (size_t i = 0; i < f->frames_len; i++)
		frames[i] = task_keep(m, f->frames[i].function);
	t->frames = frames;
	t->frames_len = f->frames_len;
	t->first_frame = f->first_frame;
	t->stack_low = f->stack_low;
	t->stack_high = f->stack_high;
	t->at = e->at;
}

static void seen_add_objects(struct task_seen *t, const struct task_fact *f)
{
	for (size_t i = 0; i < f->objects_len; i++) {
		bool there = false;

		for (size_t k = 0; k < t->objects_len && !there; k++)
			there = t->objects[k].address == f->objects[i].address;
		if (!there && t->objects_len < TASK_OBJECTS_MAX)
			t->objects[t->objects_len++] = f->objects[i];
	}
}

static void seen_add_locks(struct task_model *m, struct task_seen *t, const struct event *e)
{
	const struct task_fact *f = e->task;
	struct task_listed *locks;

	if (f->locks_len == 0)
		return;
	locks = arena_alloc(&m->arena, f->locks_len * sizeof(*locks));
	for (size_t i = 0; i < f->locks_len; i++)
		locks[i] = (struct task_listed){
			.address = f->locks[i].address,
			.class_name = task_keep(m, f->locks[i].class_name),
			.function = task_keep(m, f->locks[i].function),
		};
	t->locks = locks;
	t->locks_len = f->locks_len;
	t->locks_at = e->at;
}

static void task_take(void *context, const struct event *e)
{
	struct task_model *m = context;
	const struct task_fact *f = e->task;
	struct task_snapshot *s = snapshot_get(m, e);
	struct task_seen *t;

	if (!s) {
		m->dropped++;
		return;
	}
	if (!is_of_interest(f)) {
		s->passed++;
		return;
	}
	t = seen_get(m, s, f);
	if (!t)
		return;
	if (t->at.frame == FRAME_NONE)
		t->at = e->at;
	if (t->name[0] == '\0')
		t->name = task_keep(m, f->name);
	if (f->state)
		t->state = f->state;
	if (f->address)
		t->address = f->address;
	if (f->hung_s > t->hung_s)
		t->hung_s = f->hung_s;
	if (f->switches != TASK_COUNT_NONE)
		t->switches = f->switches;
	if (f->owner_pid != TASK_PID_NONE) {
		t->owner_pid = f->owner_pid;
		t->owner_name = task_keep(m, f->owner_name);
		t->owner_reads = f->owner_reads;
		t->owner_at = e->at;
	}
	seen_add_frames(m, t, e);
	if (f->frames_len == 0 && t->frames_len == 0 && f->waits.len)
		t->sleeps_in = task_keep(m, f->waits);
	seen_add_objects(t, f);
	seen_add_locks(m, t, e);
}

static void object_take(void *context, const struct event *e)
{
	struct task_model *m = context;
	struct task_known *k;

	if (m->known.len == TASK_OBJECTS_KNOWN_MAX) {
		m->dropped++;
		return;
	}
	k = vec_push(&m->known);
	k->fact = *e->object;
	k->at = e->at;
}

void task_model_init(struct task_model *m)
{
	*m = (struct task_model){0};
	arena_init(&m->arena);
	texts_init(&m->names, TASK_NAMES_MAX);
	map_init(&m->by_pid, key_equal);
	vec_init(&m->snapshots, sizeof(struct task_snapshot *));
	vec_init(&m->known, sizeof(struct task_known));
}

void task_model_deinit(struct task_model *m)
{
	for (size_t i = 0; i < m->snapshots.len; i++)
		vec_deinit(&(*(struct task_snapshot **)vec_at(&m->snapshots, i))->tasks);
	vec_deinit(&m->snapshots);
	vec_deinit(&m->known);
	texts_deinit(&m->names);
	map_deinit(&m->by_pid);
	arena_deinit(&m->arena);
}

void task_model_attach(struct task_model *m, struct event_board *board)
{
	event_board_add(board, EVENT_TASK, task_take, m);
	event_board_add(board, EVENT_OBJECT, object_take, m);
}

static bool stack_equal(const void *item, const void *key)
{
	const struct task_seen *a = item, *b = key;

	return a->frames_len == b->frames_len && a->first_frame == b->first_frame &&
	       memcmp(a->frames, b->frames, a->frames_len * sizeof(*a->frames)) == 0;
}

/* Of many tasks that wait for one thing the stacks are the same, and tell the same. */
static void classify(struct map *stacks, struct task_seen *t)
{
	/* Each name is there once: places tell names. */
	uint64_t hash = hash_bytes(t->frames, t->frames_len * sizeof(*t->frames));
	const struct task_seen *like = map_find(stacks, hash, t);

	if (like) {
		task_classify_like(t, like);
		return;
	}
	task_classify(t);
	map_add(stacks, hash, t);
}

void task_model_finish(struct task_model *m)
{
	struct map stacks;

	map_init(&stacks, stack_equal);
	for (size_t i = 0; i < m->snapshots.len; i++) {
		struct task_snapshot *s = *(struct task_snapshot **)vec_at(&m->snapshots, i);

		for (size_t k = 0; k < s->tasks.len; k++) {
			struct task_seen *t = *(struct task_seen **)vec_at(&s->tasks, k);

			if (t->frames_len)
				classify(&stacks, t);
		}
	}
	map_deinit(&stacks);
	task_join(m);
}
