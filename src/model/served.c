// SPDX-License-Identifier: GPL-2.0-or-later
/* See served.h. */
#include "model/served.h"

#include <string.h>

#include "base/hash.h"

struct thread_key {
	const struct served_host *host;
	int64_t pid;
};

static bool thread_is(const void *item, const void *key)
{
	const struct served_thread *t = item;
	const struct thread_key *k = key;

	return t->host == k->host && t->pid == k->pid;
}

static struct served_host *host_get(struct served_model *m, const struct event *e)
{
	struct slice name = e->served->host;
	struct served_host *h;

	for (size_t i = 0; i < m->hosts.len; i++) {
		h = *(struct served_host **)vec_at(&m->hosts, i);
		if (slice_equal(slice_of_string(h->name), name))
			return h;
	}
	if (m->hosts.len == SERVED_HOSTS_MAX) {
		m->dropped++;
		return NULL;
	}
	h = arena_alloc(&m->arena, sizeof(*h));
	h->name = name.len ? arena_copy(&m->arena, name.ptr, name.len) : "";
	h->told = e->served->host_told;
	h->last.frame = FRAME_NONE;
	vec_init(&h->threads, sizeof(struct served_thread *));
	*(struct served_host **)vec_push(&m->hosts) = h;
	return h;
}

static struct served_thread *thread_get(struct served_model *m, struct served_host *h, int64_t pid)
{
	struct thread_key key = {h, pid};
	uint64_t hash = hash_u64(hash_u64(hash_bytes(h->name, strlen(h->name)), 1), (uint64_t)pid);
	struct served_thread *t = map_find(&m->threads, hash, &key);

	if (t)
		return t;
	if (m->threads_len == SERVED_THREADS_MAX) {
		m->dropped++;
		return NULL;
	}
	m->threads_len++;
	t = arena_alloc(&m->arena, sizeof(*t));
	*t = (struct served_thread){
		.host = h, .pid = pid, .service = "", .call.begun.frame = FRAME_NONE};
	map_add(&m->threads, hash, t);
	*(struct served_thread **)vec_push(&h->threads) = t;
	return t;
}

int64_t served_between(const struct provenance *from, const struct provenance *to)
{
	int64_t ns;

	if (!stamp_known(from->at) || from->at.clock != to->at.clock ||
	    __builtin_sub_overflow(to->at.ns, from->at.ns, &ns) || ns < 0)
		return -1;
	return ns;
}

static int64_t took(const struct served_call *c)
{
	return served_between(&c->begun, &c->ended);
}

/* Keeps the call if it is one of the longest. */
static void late_add(struct served_host *h, const struct served_call *c)
{
	size_t at = h->late_len;

	while (at > 0 && took(&h->late[at - 1]) < took(c))
		at--;
	if (at == SERVED_LATE_MAX)
		return;
	if (h->late_len < SERVED_LATE_MAX)
		h->late_len++;
	memmove(&h->late[at + 1], &h->late[at], (h->late_len - at - 1) * sizeof(h->late[0]));
	h->late[at] = *c;
}

/* --- calls that were put off or dropped --- */

static bool same_call(const struct served_call *c, const struct served_fact *f)
{
	/* A client that comes again from another port sends the same XID. */
	return c->has_xid && f->has_xid && c->xid == f->xid &&
	       (!c->has_client || !f->has_client || endpoint_same_host(&c->client, &f->client));
}

static struct served_left *left_find(struct served_host *h, const struct served_fact *f)
{
	for (size_t i = 0; i < h->left_len; i++)
		if (same_call(&h->left[i].call, f))
			return &h->left[i];
	return NULL;
}

static void left_remove(struct served_host *h, const struct served_fact *f)
{
	struct served_left *l = left_find(h, f);

	if (l)
		*l = h->left[--h->left_len];
}

static void left_at_work(struct served_host *h, const struct served_fact *f)
{
	struct served_left *l = left_find(h, f);

	if (l)
		l->at_work = true;
}

static void left_add(struct served_model *m, struct served_thread *t, const struct event *e)
{
	const struct served_fact *f = e->served;
	struct served_host *h = t->host;
	struct served_left *l = left_find(h, f);

	if (!f->has_xid || (!l && h->left_len == SERVED_LEFT_MAX)) {
		h->left_beyond++;
		return;
	}
	if (!h->left)
		h->left = arena_alloc(&m->arena, SERVED_LEFT_MAX * sizeof(*h->left));
	if (!l) {
		l = &h->left[h->left_len++];
		*l = (struct served_left){
			.call = {.service = t->service,
				 .procedure =
					 t->call.begun.frame == FRAME_NONE ? "" : t->call.procedure,
				 .has_client = f->has_client,
				 .client = f->client,
				 .has_xid = true,
				 .xid = f->xid},
			.first = e->at,
		};
	}
	l->how = f->step;
	l->last = e->at;
	l->times++;
	l->at_work = false;
}

/* Another thread has the same call under way: what is dropped is a copy of it. */
static bool is_copy(const struct served_thread *t, const struct served_fact *f)
{
	for (size_t i = 0; i < t->host->threads.len; i++) {
		const struct served_thread *o =
			*(struct served_thread *const *)vec_at(&t->host->threads, i);

		if (o != t && o->call.begun.frame != FRAME_NONE && same_call(&o->call, f))
			return true;
	}
	return false;
}

static void take_put_off(struct served_model *m, struct served_thread *t, const struct event *e)
{
	left_add(m, t, e);
	t->puts_off = true;
	t->call.begun.frame = FRAME_NONE;
}

static void take_dropped(struct served_model *m, struct served_thread *t, const struct event *e)
{
	/* Of what was not begun nobody knows that it was a call of this service. */
	if (!t->puts_off && t->call.begun.frame != FRAME_NONE && !is_copy(t, e->served))
		left_add(m, t, e);
	t->puts_off = false;
	t->call.begun.frame = FRAME_NONE;
}

static void take_given_up(struct served_host *h, const struct event *e)
{
	struct served_left *l = left_find(h, e->served);

	if (!l)
		return;
	l->how = SERVED_GIVEN_UP;
	l->last = e->at;
	l->at_work = false;
}

static void take_cache(struct served_model *m, struct served_host *h, const struct event *e)
{
	const struct served_fact *f = e->served;
	struct served_cache *c = NULL;

	for (size_t i = 0; i < h->caches_len && !c; i++)
		if (slice_equal(slice_of_string(h->caches[i].name), f->cache))
			c = &h->caches[i];
	if (!c) {
		if (h->caches_len == SERVED_CACHES_MAX)
			return;
		c = &h->caches[h->caches_len++];
		c->name = texts_keep(&m->names, &m->arena, f->cache);
		c->asked.frame = FRAME_NONE;
	}
	if (f->step == SERVED_TOLD) {
		c->asked.frame = FRAME_NONE;
		c->count = 0;
		return;
	}
	if (c->count++ == 0)
		c->asked = e->at;
}

/* --- what threads are at --- */

static void take_begun(struct served_model *m, struct served_thread *t, const struct event *e)
{
	const struct served_fact *f = e->served;

	left_at_work(t->host, f);
	t->service = texts_keep(&m->names, &m->arena, f->service);
	t->puts_off = false;
	t->call = (struct served_call){
		.service = t->service,
		.procedure = texts_keep(&m->names, &m->arena, f->procedure),
		.has_client = f->has_client,
		.client = f->client,
		.has_xid = f->has_xid,
		.xid = f->xid,
		.begun = e->at,
		.ended.frame = FRAME_NONE,
	};
}

static void take_ended(struct served_thread *t, const struct event *e)
{
	left_remove(t->host, e->served);
	t->puts_off = false;
	if (t->call.begun.frame == FRAME_NONE)
		return;
	t->call.ended = e->at;
	if (took(&t->call) >= 0) {
		t->host->calls++;
		late_add(t->host, &t->call);
	}
	t->call.begun.frame = FRAME_NONE;
}

/* Of what was under way when lines were lost, nobody knows how it went. */
static void forget(struct served_host *h)
{
	for (size_t i = 0; i < h->threads.len; i++)
		(*(struct served_thread **)vec_at(&h->threads, i))->call.begun.frame = FRAME_NONE;
	h->left_len = h->caches_len = 0;
	h->left_beyond = 0;
}

static void take_call(struct served_model *m, struct served_host *h, const struct event *e)
{
	struct served_thread *t = thread_get(m, h, e->served->pid);

	if (!t)
		return;
	switch (e->served->step) {
	case SERVED_BEGUN:
		take_begun(m, t, e);
		break;
	case SERVED_ENDED:
		take_ended(t, e);
		break;
	case SERVED_PUT_OFF:
		take_put_off(m, t, e);
		break;
	default:
		take_dropped(m, t, e);
		break;
	}
}

static void served_take(void *context, const struct event *e)
{
	struct served_model *m = context;
	struct served_host *h = host_get(m, e);

	if (!h)
		return;
	if (e->served->step != SERVED_LOST)
		h->last = e->at;
	switch (e->served->step) {
	case SERVED_BEGUN:
	case SERVED_ENDED:
	case SERVED_DROPPED:
	case SERVED_PUT_OFF:
		take_call(m, h, e);
		break;
	case SERVED_TAKEN_UP:
		left_at_work(h, e->served);
		break;
	case SERVED_GIVEN_UP:
		take_given_up(h, e);
		break;
	case SERVED_ASKED:
	case SERVED_TOLD:
		take_cache(m, h, e);
		break;
	case SERVED_LOST:
		forget(h);
		break;
	case SERVED_OVER:
		h->files++;
		break;
	}
}

void served_model_init(struct served_model *m)
{
	*m = (struct served_model){0};
	arena_init(&m->arena);
	texts_init(&m->names, SERVED_NAMES_MAX);
	vec_init(&m->hosts, sizeof(struct served_host *));
	map_init(&m->threads, thread_is);
}

void served_model_deinit(struct served_model *m)
{
	for (size_t i = 0; i < m->hosts.len; i++)
		vec_deinit(&(*(struct served_host **)vec_at(&m->hosts, i))->threads);
	map_deinit(&m->threads);
	vec_deinit(&m->hosts);
	texts_deinit(&m->names);
	arena_deinit(&m->arena);
}

void served_model_attach(struct served_model *m, struct event_board *board)
{
	event_board_add(board, EVENT_SERVED, served_take, m);
}
