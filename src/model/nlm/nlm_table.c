// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The NLM model's locks: by file, and by age for the cap. A file is there as long as it has locks.
 * Ranges behave as POSIX record locks do: what is unlocked in the middle splits a lock in two.
 */
#include "model/nlm/nlm_internal.h"

#include "base/hash.h"
#include "base/mem.h"

#include <stdlib.h>

/* --- files --- */

static bool nlm_file_is(const void *item, const void *key)
{
	const struct nlm_file *f = item;
	const struct nlm_request *r = key;

	return f->handle.len == r->told->file.len &&
	       memcmp(f->handle.bytes, r->told->file.bytes, f->handle.len) == 0 &&
	       endpoint_same_host(&f->server, &r->server);
}

static uint64_t nlm_file_hash(const struct file_handle *handle, const struct endpoint *server)
{
	return hash_bytes(handle->bytes, handle->len) ^
	       hash_bytes(server->addr, sizeof(server->addr));
}

struct nlm_file *nlm_file_find(const struct nlm_model *m, const struct nlm_request *r)
{
	return map_find(&m->files, nlm_file_hash(&r->told->file, &r->server), r);
}

static struct nlm_file *nlm_file_get(struct nlm_model *m, const struct nlm_request *r)
{
	struct nlm_file *f = nlm_file_find(m, r);

	if (f)
		return f;
	f = mem_alloc(1, sizeof(*f));
	f->server = r->server;
	f->handle = r->told->file;
	map_add(&m->files, nlm_file_hash(&f->handle, &f->server), f);
	return f;
}

static void nlm_file_drop(struct nlm_model *m, struct nlm_file *f)
{
	struct nlm_told told = {.file = f->handle};
	struct nlm_request key = {.told = &told, .server = f->server};

	map_remove(&m->files, nlm_file_hash(&f->handle, &f->server), &key);
	free(f);
}

/* --- ranges: [first, last], last inclusive --- */

static uint64_t range_last(uint64_t offset, uint64_t length)
{
	return length == 0 || length - 1 > UINT64_MAX - offset ? UINT64_MAX : offset + length - 1;
}

static uint64_t range_length(uint64_t first, uint64_t last)
{
	return last == UINT64_MAX ? 0 : last - first + 1;
}

static bool ranges_overlap(uint64_t offset, uint64_t length, uint64_t offset2, uint64_t length2)
{
	return offset <= range_last(offset2, length2) && offset2 <= range_last(offset, length);
}

/* --- locks --- */

bool nlm_owner_same(const struct nlm_owner *a, const struct nlm_owner *b)
{
	return a->hash == b->hash && endpoint_same_host(&a->host, &b->host);
}

static bool nlm_lock_of(const struct nlm_lock *l, const struct nlm_request *r)
{
	return l->owner.hash == r->told->owner_hash &&
	       endpoint_same_host(&l->owner.host, &r->client);
}

static struct nlm_lock *nlm_lock_find(const struct nlm_file *file, const struct nlm_request *r,
				      bool held)
{
	struct nlm_lock *l = file ? file->locks : NULL;

	for (; l; l = l->file_next)
		if ((l->state == NLM_HELD) == held && l->offset == r->told->offset &&
		    l->length == r->told->length && nlm_lock_of(l, r))
			return l;
	return NULL;
}

struct nlm_lock *nlm_lock_waiting(const struct nlm_file *file, const struct nlm_request *r)
{
	return nlm_lock_find(file, r, false);
}

struct nlm_lock *nlm_lock_held(const struct nlm_file *file, const struct nlm_request *r)
{
	return nlm_lock_find(file, r, true);
}

static void nlm_lock_link(struct nlm_model *m, struct nlm_file *f, struct nlm_lock *l)
{
	l->in = f;
	l->file_next = f->locks;
	f->locks = l;
	f->locks_len++;
	l->older = m->newest;
	l->newer = NULL;
	*(m->newest ? &m->newest->newer : &m->oldest) = l;
	m->newest = l;
	m->locks_len++;
}

static void nlm_lock_unlink(struct nlm_model *m, struct nlm_lock *l)
{
	struct nlm_lock **at = &l->in->locks;

	while (*at != l)
		at = &(*at)->file_next;
	*at = l->file_next;
	if (--l->in->locks_len == 0)
		nlm_file_drop(m, l->in);
	*(l->older ? &l->older->newer : &m->oldest) = l->newer;
	*(l->newer ? &l->newer->older : &m->newest) = l->older;
	m->locks_len--;
	l->in = NULL;
}

/* It is no longer in the table: told, and kept if it had to wait. */
static void nlm_lock_tell(struct nlm_model *m, struct nlm_lock *l)
{
	/* One that is still waited for outlasts all. */
	bool open = l->state == NLM_WAITING && l->ended.frame == FRAME_NONE;
	int64_t ns = open ? INT64_MAX : nlm_lock_wait_ns(l);

	if (m->ended)
		m->ended(m->ended_context, l);
	free(l->refused.frame == FRAME_NONE ? l : longest_add(&m->waits, ns, l));
}

/* Who waited for this one sees it go. */
static void nlm_lock_note_release(struct nlm_file *f, const struct nlm_lock *gone,
				  const struct provenance *at)
{
	for (struct nlm_lock *l = f->locks; l; l = l->file_next)
		if (l->state != NLM_HELD && l->holder.seen &&
		    l->holder.granted.frame == gone->granted.frame &&
		    nlm_owner_same(&l->holder.owner, &gone->owner))
			l->holder.released = *at;
}

void nlm_lock_end(struct nlm_model *m, struct nlm_lock *l, enum nlm_state state,
		  const struct provenance *at)
{
	if (l->state == NLM_HELD && state == NLM_RELEASED)
		nlm_lock_note_release(l->in, l, at);
	l->state = state;
	l->ended = *at;
	nlm_lock_unlink(m, l);
	nlm_lock_tell(m, l);
}

static void nlm_lock_forget(struct nlm_model *m, struct nlm_lock *l)
{
	m->forgotten++;
	nlm_lock_unlink(m, l);
	nlm_lock_tell(m, l);
}

static struct nlm_lock *nlm_file_oldest(const struct nlm_file *f)
{
	struct nlm_lock *l = f->locks;

	while (l->file_next)
		l = l->file_next;
	return l;
}

static void nlm_lock_make_room(struct nlm_model *m, const struct nlm_request *r)
{
	const struct nlm_file *f = nlm_file_find(m, r);

	if (f && f->locks_len == NLM_FILE_LOCKS_MAX)
		nlm_lock_forget(m, nlm_file_oldest(f));
	if (m->locks_len == NLM_LOCKS_MAX)
		nlm_lock_forget(m, m->oldest);
}

struct nlm_owner nlm_request_owner(const struct nlm_request *r)
{
	struct nlm_owner o = {
		.host = r->client, .svid = r->told->svid, .hash = r->told->owner_hash};

	memcpy(o.caller, r->told->caller, NLM_CALLER_KEEP_BYTES - 1);
	return o;
}

struct nlm_lock *nlm_lock_add(struct nlm_model *m, const struct nlm_request *r)
{
	struct nlm_lock *l = mem_alloc(1, sizeof(*l));

	nlm_lock_make_room(m, r);
	l->owner = nlm_request_owner(r);
	l->callback_status = UINT32_MAX;
	l->conn = *r->conn;
	l->file = r->told->file;
	l->offset = r->told->offset;
	l->length = r->told->length;
	l->exclusive = r->told->exclusive;
	l->state = NLM_TRYING;
	nlm_lock_link(m, nlm_file_get(m, r), l);
	return l;
}

bool nlm_lock_conflicts(const struct nlm_lock *held, const struct nlm_lock *wanted)
{
	return held != wanted && held->state == NLM_HELD &&
	       (held->exclusive || wanted->exclusive) &&
	       ranges_overlap(held->offset, held->length, wanted->offset, wanted->length) &&
	       !nlm_owner_same(&held->owner, &wanted->owner);
}

/* What is left of a lock behind the range that was cut out. */
static void nlm_lock_split(struct nlm_model *m, struct nlm_lock *l, uint64_t first, uint64_t last)
{
	struct nlm_lock *rest;

	if (m->locks_len == NLM_LOCKS_MAX || l->in->locks_len == NLM_FILE_LOCKS_MAX) {
		m->forgotten++;
		return;
	}
	rest = mem_alloc(1, sizeof(*rest));
	*rest = *l;
	rest->refused = (struct provenance){0}; /* one wait is told once */
	rest->offset = first;
	rest->length = range_length(first, last);
	nlm_lock_link(m, l->in, rest);
}

static void nlm_lock_cut(struct nlm_model *m, struct nlm_lock *l, const struct nlm_request *r)
{
	uint64_t first = r->told->offset, last = range_last(first, r->told->length);
	uint64_t held_last = range_last(l->offset, l->length);

	if (first <= l->offset && last >= held_last) {
		nlm_lock_end(m, l, NLM_RELEASED, &r->call);
	} else if (first <= l->offset) {
		l->offset = last + 1;
		l->length = range_length(l->offset, held_last);
	} else {
		if (last < held_last)
			nlm_lock_split(m, l, last + 1, held_last);
		l->length = range_length(l->offset, first - 1);
	}
}

void nlm_lock_carve(struct nlm_model *m, struct nlm_file *file, const struct nlm_request *r,
		    const struct nlm_lock *keep)
{
	struct nlm_lock *next;

	/* The file itself goes with its last lock, so nothing of it is touched after that. */
	for (struct nlm_lock *l = file->locks; l; l = next) {
		next = l->file_next;
		if (l != keep && l->state == NLM_HELD && nlm_lock_of(l, r) &&
		    ranges_overlap(l->offset, l->length, r->told->offset, r->told->length))
			nlm_lock_cut(m, l, r);
	}
}

void nlm_table_init(struct nlm_model *m)
{
	map_init(&m->files, nlm_file_is);
}

void nlm_table_finish(struct nlm_model *m)
{
	while (m->oldest) {
		struct nlm_lock *l = m->oldest;

		if (l->state == NLM_HELD && l->void_since.frame != FRAME_NONE) {
			nlm_lock_end(m, l, NLM_CLEARED, &l->void_since);
			continue;
		}
		nlm_lock_unlink(m, l);
		nlm_lock_tell(m, l);
	}
}

void nlm_table_deinit(struct nlm_model *m)
{
	m->ended = NULL;
	nlm_table_finish(m);
	map_deinit(&m->files);
}
