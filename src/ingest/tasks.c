// SPDX-License-Identifier: GPL-2.0-or-later
/* See tasks.h. */
#include "ingest/tasks.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/texts.h"
#include "evidence/taskdump/taskdump.h"
#include "ingest/log/log_private.h"

enum {
	TASKS_NAMES_MAX = 65536, /* different functions and names */
	TASKS_SNAPSHOTS_MAX = 4096,
};

/* Tasks of one machine lie closer to each other than this, those of two hardly ever. */
#define DUMP_BYTES_MAX (UINT64_C(1) << 40)
/* Reports of one look of khungtaskd follow each other within this. */
#define HUNG_REPORTS_NS (2 * STAMP_NS_PER_S)
#define SNAPSHOT_NONE   UINT32_MAX

struct task_record {
	struct task_fact fact; /* its texts and arrays lie in the logs' arena */
	enum taskdump_form form;
	uint32_t file; /* index into logs.files */
	uint64_t line;
	bool has_head;
	struct klog_head head;
	struct stamp at; /* of the sample, where there is no head */
};

struct object_record {
	struct object_fact fact;
	uint32_t file;
	uint64_t line;
};

struct snapshot {
	uint32_t file;
	enum taskdump_form form;
	enum task_scope scope;
	struct stamp at;
	uint64_t address;   /* of the first task of a dump; 0: none known */
	uint32_t same_as;   /* the snapshot that this one is a part of; itself: none */
	int64_t hung_at_ns; /* of the last report of a hung task, by its own clock */
	size_t records;
};

/* By which a task is found again in its snapshot. */
struct task_place {
	uint32_t snapshot;
	int64_t pid;
	uint64_t address;
	bool has_frames;
};

struct tasks {
	struct logs *logs;
	struct taskdump *reader;
	struct vec records;   /* struct task_record */
	struct vec objects;   /* struct object_record */
	struct vec snapshots; /* struct snapshot */
	struct texts names;
	struct map places; /* struct task_place, in the logs' arena */
	uint64_t dropped;
	/* of the file at hand */
	bool has_head, open_has_head;
	struct klog_head head, open_head;
	uint32_t current[TASKDUMP_FORM_COUNT]; /* SNAPSHOT_NONE: none yet */
	uint32_t hung;
	uint32_t listed; /* of the kernel's last listing, of whatever kind */
	uint64_t line;
	uint64_t found;
};

static bool place_is(const void *item, const void *key)
{
	const struct task_place *a = item;
	const struct task_place *b = key;

	return a->snapshot == b->snapshot && a->pid == b->pid;
}

/* One copy of each text. */
static struct slice tasks_keep(struct tasks *t, struct slice text)
{
	const char *kept = texts_keep(&t->names, &t->logs->arena, text);

	return kept[0] ? slice_of_string(kept) : slice_make(NULL, 0);
}

static struct snapshot *snapshot_at(const struct tasks *t, uint32_t index)
{
	return vec_at(&t->snapshots, index);
}

static uint32_t snapshot_add(struct tasks *t, enum taskdump_form form, enum task_scope scope,
			     struct stamp at)
{
	uint32_t index = (uint32_t)t->snapshots.len;

	if (index == TASKS_SNAPSHOTS_MAX)
		return index - 1;
	*(struct snapshot *)vec_push(&t->snapshots) = (struct snapshot){
		.file = (uint32_t)t->logs->files.len - 1,
		.form = form,
		.scope = scope,
		.at = at,
		.same_as = index,
	};
	return index;
}

static struct task_place *place_find(const struct tasks *t, uint32_t snapshot, int64_t pid)
{
	struct task_place key = {.snapshot = snapshot, .pid = pid};
	uint64_t hash = hash_u64(hash_u64(hash_start(), snapshot), (uint64_t)pid);

	return map_find(&t->places, hash, &key);
}

static void place_add(struct tasks *t, uint32_t snapshot, const struct task_fact *f)
{
	struct task_place *place = place_find(t, snapshot, f->pid);

	if (!place) {
		place = arena_alloc(&t->logs->arena, sizeof(*place));
		place->snapshot = snapshot;
		place->pid = f->pid;
		map_add(&t->places, hash_u64(hash_u64(hash_start(), snapshot), (uint64_t)f->pid),
			place);
	}
	if (f->address)
		place->address = f->address;
	place->has_frames |= f->frames_len != 0;
}

/* False when the task cannot be of this dump. */
static bool dump_fits(const struct tasks *t, uint32_t index, const struct task_fact *f)
{
	const struct snapshot *s = snapshot_at(t, index);
	const struct task_place *place = place_find(t, index, f->pid);

	if (place && place->address && f->address && place->address != f->address)
		return false;
	if (f->address == 0 || s->address == 0)
		return true;
	return f->address > s->address ? f->address - s->address < DUMP_BYTES_MAX
				       : s->address - f->address < DUMP_BYTES_MAX;
}

/* The dump of this file in which the task is: the last one that fits. */
static uint32_t dump_of(struct tasks *t, const struct task_fact *f)
{
	uint32_t file = (uint32_t)t->logs->files.len - 1;
	uint32_t fits = SNAPSHOT_NONE;

	for (uint32_t i = (uint32_t)t->snapshots.len; i-- > 0 && snapshot_at(t, i)->file == file;) {
		if (snapshot_at(t, i)->form != TASKDUMP_CRASH || !dump_fits(t, i, f))
			continue;
		if (f->address == 0 && !place_find(t, i, f->pid)) {
			/* A dump that knows the task goes before one that does not. */
			if (fits == SNAPSHOT_NONE)
				fits = i;
			continue;
		}
		return i;
	}
	return fits != SNAPSHOT_NONE
		       ? fits
		       : snapshot_add(t, TASKDUMP_CRASH, TASK_SCOPE_SOME, stamp_none());
}

static uint32_t hung_snapshot(struct tasks *t)
{
	bool known = t->open_has_head && t->open_head.has_boot;
	struct snapshot *s;

	if (t->hung == SNAPSHOT_NONE ||
	    (known && t->open_head.boot_ns - snapshot_at(t, t->hung)->hung_at_ns > HUNG_REPORTS_NS))
		t->hung = snapshot_add(t, TASKDUMP_LOG, TASK_SCOPE_HUNG, stamp_none());
	s = snapshot_at(t, t->hung);
	if (known)
		s->hung_at_ns = t->open_head.boot_ns;
	return t->hung;
}

static uint32_t snapshot_of(struct tasks *t, enum taskdump_form form, const struct task_fact *f)
{
	const struct task_place *place;
	uint32_t *current = &t->current[form];

	if (form == TASKDUMP_CRASH)
		return dump_of(t, f);
	if (form == TASKDUMP_LOG &&
	    (f->hung_s || f->shown_as_owner || f->owner_pid != TASK_PID_NONE))
		return t->listed = hung_snapshot(t);
	if (form == TASKDUMP_LOG && f->lists_locks && t->listed != SNAPSHOT_NONE)
		return t->listed;
	if (form == TASKDUMP_PS)
		current = &t->current[TASKDUMP_PROC];
	if (*current == SNAPSHOT_NONE)
		*current = snapshot_add(t, form, TASK_SCOPE_SOME, stamp_none());
	place = f->pid == TASK_PID_NONE ? NULL : place_find(t, *current, f->pid);
	if (place && place->has_frames && f->frames_len) /* the next round of a loop */
		*current = snapshot_add(t, form, snapshot_at(t, *current)->scope, stamp_none());
	if (form == TASKDUMP_LOG)
		t->listed = *current;
	return *current;
}

static const struct task_lock_listed *locks_keep(struct tasks *t, const struct task_fact *f)
{
	struct task_lock_listed *locks;

	if (f->locks_len == 0)
		return NULL;
	locks = arena_alloc(&t->logs->arena, f->locks_len * sizeof(*locks));
	for (size_t i = 0; i < f->locks_len; i++) {
		locks[i].address = f->locks[i].address;
		locks[i].class_name = tasks_keep(t, f->locks[i].class_name);
		locks[i].function = tasks_keep(t, f->locks[i].function);
	}
	return locks;
}

static const struct task_frame *frames_keep(struct tasks *t, const struct task_fact *f)
{
	struct task_frame *frames;

	if (f->frames_len == 0)
		return NULL;
	frames = arena_alloc(&t->logs->arena, f->frames_len * sizeof(*frames));
	for (size_t i = 0; i < f->frames_len; i++) {
		frames[i].function = tasks_keep(t, f->frames[i].function);
		frames[i].module = tasks_keep(t, f->frames[i].module);
	}
	return frames;
}

static void tasks_take(void *context, enum taskdump_form form, uint64_t line,
		       const struct task_fact *fact)
{
	struct tasks *t = context;
	struct task_record *r;
	uint32_t snapshot;
	size_t objects_bytes = fact->objects_len * sizeof(*fact->objects);

	t->found++;
	if (t->records.len == TASKS_RECORDS_MAX) {
		t->dropped++;
		return;
	}
	snapshot = snapshot_of(t, form, fact);
	place_add(t, snapshot, fact);
	if (snapshot_at(t, snapshot)->address == 0)
		snapshot_at(t, snapshot)->address = fact->address;
	snapshot_at(t, snapshot)->records++;
	r = vec_push(&t->records);
	*r = (struct task_record){
		.fact = *fact,
		.form = form,
		.file = (uint32_t)t->logs->files.len - 1,
		.line = line,
		.has_head = t->open_has_head,
		.head = t->open_head,
		.at = snapshot_at(t, snapshot)->at,
	};
	r->fact.snapshot = snapshot;
	r->fact.scope = snapshot_at(t, snapshot)->scope;
	r->fact.name = tasks_keep(t, fact->name);
	r->fact.waits = tasks_keep(t, fact->waits);
	r->fact.owner_name = tasks_keep(t, fact->owner_name);
	r->fact.frames = frames_keep(t, fact);
	r->fact.locks = locks_keep(t, fact);
	r->fact.objects = NULL;
	if (objects_bytes) {
		void *objects = arena_alloc(&t->logs->arena, objects_bytes);

		memcpy(objects, fact->objects, objects_bytes);
		r->fact.objects = objects;
	}
}

static void tasks_take_object(void *context, const struct object_fact *fact)
{
	struct tasks *t = context;
	struct object_record *r;
	uint32_t snapshot = t->current[TASKDUMP_CRASH];
	uint32_t file = (uint32_t)t->logs->files.len - 1;

	if (t->objects.len == TASKS_OBJECTS_MAX) {
		t->dropped++;
		return;
	}
	/* Addresses of two dumps hardly meet: the last one of the file will do. */
	for (uint32_t i = (uint32_t)t->snapshots.len; i-- > 0 && snapshot_at(t, i)->file == file;)
		if (snapshot_at(t, i)->form == TASKDUMP_CRASH) {
			snapshot = i;
			break;
		}
	if (snapshot == SNAPSHOT_NONE)
		snapshot = snapshot_add(t, TASKDUMP_CRASH, TASK_SCOPE_SOME, stamp_none());
	r = vec_push(&t->objects);
	r->fact = *fact;
	r->fact.snapshot = snapshot;
	r->file = file;
	r->line = t->line;
}

static void tasks_sample(void *context, enum taskdump_form form, enum task_scope scope,
			 struct stamp at)
{
	struct tasks *t = context;
	const struct snapshot *s =
		t->current[form] == SNAPSHOT_NONE ? NULL : snapshot_at(t, t->current[form]);

	if (s && s->records == 0 && !stamp_known(at) && form == TASKDUMP_PROC)
		return; /* several lines with times before the first task */
	t->current[form] = snapshot_add(t, form, scope, at);
}

static void tasks_begun(void *context)
{
	struct tasks *t = context;

	t->open_has_head = t->has_head;
	t->open_head = t->head;
}

static void tasks_host(void *context, struct slice name)
{
	struct tasks *t = context;
	struct log_file *f = vec_last(&t->logs->files);

	if (f->hosts_told)
		return;
	f->host = log_host_of(t->logs, name, true);
	f->hosts_told = f->host != LOG_HOST_NONE;
}

static const struct taskdump_ops tasks_ops = {
	.begun = tasks_begun,
	.task = tasks_take,
	.object = tasks_take_object,
	.sample = tasks_sample,
	.host = tasks_host,
};

struct tasks *tasks_create(struct logs *l)
{
	struct tasks *t = mem_alloc(1, sizeof(*t));

	t->logs = l;
	t->reader = taskdump_create(&tasks_ops, t);
	vec_init(&t->records, sizeof(struct task_record));
	vec_init(&t->objects, sizeof(struct object_record));
	vec_init(&t->snapshots, sizeof(struct snapshot));
	texts_init(&t->names, TASKS_NAMES_MAX);
	map_init(&t->places, place_is);
	for (size_t i = 0; i < TASKDUMP_FORM_COUNT; i++)
		t->current[i] = SNAPSHOT_NONE;
	t->hung = t->listed = SNAPSHOT_NONE;
	return t;
}

void tasks_destroy(struct tasks *t)
{
	if (!t)
		return;
	taskdump_destroy(t->reader);
	vec_deinit(&t->records);
	vec_deinit(&t->objects);
	vec_deinit(&t->snapshots);
	texts_deinit(&t->names);
	map_deinit(&t->places);
	free(t);
}

bool tasks_line(struct tasks *t, uint64_t line, const struct klog_head *head, struct slice text)
{
	uint64_t before = taskdump_lines(t->reader);

	t->line = line;
	t->has_head = head != NULL;
	if (head) {
		t->head = *head;
		t->head.host = t->head.tag = slice_make(NULL, 0);
	}
	taskdump_line(t->reader, line, text, head != NULL);
	return taskdump_lines(t->reader) != before;
}

uint64_t tasks_end_file(struct tasks *t)
{
	uint64_t found;

	taskdump_end(t->reader);
	found = t->found;
	t->found = 0;
	for (size_t i = 0; i < TASKDUMP_FORM_COUNT; i++)
		t->current[i] = SNAPSHOT_NONE;
	t->hung = t->listed = SNAPSHOT_NONE;
	return found;
}

static uint32_t host_of(const struct tasks *t, uint32_t file)
{
	return ((const struct log_file *)vec_at(&t->logs->files, file))->host;
}

static bool record_is(const void *item, const void *key)
{
	const struct task_record *a = item;
	const struct task_record *b = key;

	return a->fact.pid == b->fact.pid && a->fact.address == b->fact.address;
}

/* The snapshot that this one was found to be a part of, or itself. */
static uint32_t snapshot_root(const struct tasks *t, uint32_t index)
{
	while (snapshot_at(t, index)->same_as != index)
		index = snapshot_at(t, index)->same_as;
	return index;
}

static void snapshots_join(struct tasks *t, uint32_t a, uint32_t b)
{
	uint32_t x = snapshot_root(t, a);
	uint32_t y = snapshot_root(t, b);

	snapshot_at(t, x > y ? x : y)->same_as = x > y ? y : x;
}

/* Texts about one dump of memory: the same task at the same address on the same host. */
void tasks_settle(struct tasks *t)
{
	struct map seen; /* struct task_record, by PID and address */

	map_init(&seen, record_is);
	for (size_t i = 0; i < t->records.len; i++) {
		struct task_record *r = vec_at(&t->records, i);
		const struct task_record *first;
		uint64_t hash;

		if (r->form != TASKDUMP_CRASH || r->fact.address == 0)
			continue;
		hash = hash_u64(hash_u64(hash_start(), (uint64_t)r->fact.pid), r->fact.address);
		first = map_find(&seen, hash, r);
		if (!first)
			map_add(&seen, hash, r);
		else if (host_of(t, first->file) == host_of(t, r->file))
			snapshots_join(t, first->fact.snapshot, r->fact.snapshot);
	}
	map_deinit(&seen);
	for (uint32_t i = 0; i < t->snapshots.len; i++)
		snapshot_at(t, i)->same_as = snapshot_root(t, i);
}

static struct provenance tasks_at(const struct tasks *t, const struct task_record *r)
{
	const struct log_file *f = vec_at(&t->logs->files, r->file);

	return (struct provenance){
		.evidence = f->evidence,
		.frame = r->line,
		.at = r->has_head ? log_head_stamp(f, &r->head) : r->at,
	};
}

void tasks_emit(const struct tasks *t, const struct event_board *board)
{
	for (size_t i = 0; i < t->records.len; i++) {
		const struct task_record *r = vec_at(&t->records, i);
		const struct log_file *f = vec_at(&t->logs->files, r->file);
		const struct log_host *h =
			f->host == LOG_HOST_NONE
				? NULL
				: (struct log_host *)vec_at(&t->logs->hosts, f->host);
		struct task_fact fact = r->fact;
		struct event e = {.kind = EVENT_TASK, .at = tasks_at(t, r), .task = &fact};

		fact.snapshot = snapshot_at(t, fact.snapshot)->same_as;
		fact.host = h ? slice_of_string(h->name) : slice_make(NULL, 0);
		fact.host_told = h && h->told;
		event_emit(board, &e);
	}
	for (size_t i = 0; i < t->objects.len; i++) {
		const struct object_record *r = vec_at(&t->objects, i);
		const struct log_file *f = vec_at(&t->logs->files, r->file);
		struct object_fact fact = r->fact;
		struct event e = {
			.kind = EVENT_OBJECT,
			.at = {.evidence = f->evidence, .frame = r->line, .at = stamp_none()},
			.object = &fact,
		};

		fact.snapshot = snapshot_at(t, fact.snapshot)->same_as;
		event_emit(board, &e);
	}
}
