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
	*t = (struct served_thread){.host = h, .pid = pid, .call.begun.frame = FRAME_NONE};
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

static void take_begun(struct served_model *m, struct served_thread *t, const struct event *e)
{
	const struct served_fact *f = e->served;

	t->call = (struct served_call){
		.service = texts_keep(&m->names, &m->arena, f->service),
		.procedure = texts_keep(&m->names, &m->arena, f->procedure),
		.has_client = f->has_client,
		.client = f->client,
		.begun = e->at,
		.ended.frame = FRAME_NONE,
	};
}

static void take_ended(struct served_thread *t, const struct event *e)
{
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
}

static void served_take(void *context, const struct event *e)
{
	struct served_model *m = context;
	struct served_host *h = host_get(m, e);
	struct served_thread *t;

	if (!h)
		return;
	if (e->served->step != SERVED_LOST)
		h->last = e->at;
	switch (e->served->step) {
	case SERVED_BEGUN:
		t = thread_get(m, h, e->served->pid);
		if (t)
			take_begun(m, t, e);
		break;
	case SERVED_ENDED:
		t = thread_get(m, h, e->served->pid);
		if (t)
			take_ended(t, e);
		break;
	case SERVED_LOST:
		forget(h);
		break;
	case SERVED_OVER:
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
