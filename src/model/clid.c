// SPDX-License-Identifier: GPL-2.0-or-later
/* See clid.h. */
#include "model/clid.h"

#include <string.h>

static struct clid_instance *instance_at(const struct clid_model *m, size_t index)
{
	return *(struct clid_instance **)vec_at(&m->instances, index);
}

static struct clid_instance *instance_get(struct clid_model *m, const struct event *e,
					  uint64_t verifier)
{
	struct slice host = e->clid->host;
	struct clid_instance *i;

	if (verifier == 0)
		return NULL;
	for (size_t k = 0; k < m->instances.len; k++) {
		i = instance_at(m, k);
		if (i->verifier == verifier && slice_equal(slice_of_string(i->host), host))
			return i;
	}
	if (m->instances.len == CLID_INSTANCES_MAX) {
		m->dropped++;
		return NULL;
	}
	i = arena_alloc(&m->arena, sizeof(*i));
	i->host = host.len ? arena_copy(&m->arena, host.ptr, host.len) : "";
	i->host_told = e->clid->host_told;
	i->verifier = verifier;
	i->name = "";
	i->family = (uint32_t)m->instances.len;
	i->first = e->at;
	*(struct clid_instance **)vec_push(&m->instances) = i;
	return i;
}

/* The two are of one owner: one took the other's place. */
static void join(struct clid_model *m, struct clid_instance *a, struct clid_instance *b)
{
	uint32_t from = a->family > b->family ? a->family : b->family;
	uint32_t to = a->family > b->family ? b->family : a->family;

	for (size_t k = 0; from != to && k < m->instances.len; k++)
		if (instance_at(m, k)->family == from)
			instance_at(m, k)->family = to;
}

static void came(struct clid_model *m, struct clid_instance *i, const struct event *e)
{
	const struct clid_fact *f = e->clid;

	i->last = e->at;
	if (f->has_client) {
		i->several_hosts |= i->has_client && !endpoint_same_host(&i->client, &f->client);
		i->has_client = true;
		i->client = f->client;
	}
	if (i->name[0] == '\0' && f->name.len)
		i->name = arena_copy(&m->arena, f->name.ptr, f->name.len);
}

static void take_replaced(struct clid_model *m, const struct event *e)
{
	struct clid_instance *old = instance_get(m, e, e->clid->old_verifier);
	struct clid_instance *new = instance_get(m, e, e->clid->verifier);

	if (!old || !new || old == new)
		return;
	join(m, old, new);
	old->last = e->at;
	/* EXCHANGE_ID is often sent twice: the second says the same of the same client. */
	if (new->replaced > new->came_back) {
		new->came_back++;
		if (new->cites_len < CLID_CITES_MAX)
			new->cites[new->cites_len++] = e->at;
	}
	if (old->replaced == old->came_back)
		old->replaced++;
	came(m, new, e);
}

static struct clid_table *table_of(struct clid_model *m, const struct event *e)
{
	struct slice host = e->clid->host;
	struct clid_table *t;

	for (size_t k = 0; k < m->tables.len; k++) {
		t = *(struct clid_table **)vec_at(&m->tables, k);
		if (slice_equal(slice_of_string(t->host), host))
			return t;
	}
	if (m->tables.len == CLID_TABLES_MAX) {
		m->dropped++;
		return NULL;
	}
	t = arena_alloc(&m->arena, sizeof(*t));
	t->host = host.len ? arena_copy(&m->arena, host.ptr, host.len) : "";
	t->host_told = e->clid->host_told;
	*(struct clid_table **)vec_push(&m->tables) = t;
	return t;
}

static void table_cite(struct clid_table *t, const struct event *e)
{
	if (t->expelled + t->missed == 1)
		t->first = e->at;
	t->last = e->at;
	/* Two of a kind in a row tell no more than one. */
	if (t->cites_len == CLID_CITES_MAX ||
	    (t->cites_len && t->cited[t->cites_len - 1] == e->clid->kind))
		return;
	t->cited[t->cites_len] = e->clid->kind;
	t->cites[t->cites_len++] = e->at;
}

static void table_expelled(struct clid_table *t, const struct event *e)
{
	const struct clid_fact *f = e->clid;

	t->rounds += t->victim_known;
	t->rounds_ended += t->ended_since && t->expelled != 0;
	if (t->victim_known && t->has_comer && t->has_victim && f->has_client &&
	    endpoint_equal(&t->victim, &f->client)) {
		if (t->mutual++ == 0) {
			t->sides[0] = t->comer;
			t->sides[1] = t->victim;
			t->has_sides = true;
		}
	}
	t->expelled++;
	t->victim_known = t->ended_since = false;
	t->has_comer = f->has_client;
	t->comer = f->client;
	table_cite(t, e);
}

static void table_missed(struct clid_table *t, const struct event *e)
{
	const struct clid_fact *f = e->clid;

	/* Who has just come has a session: it is another one that misses its own. */
	if (t->expelled == 0 || t->victim_known ||
	    (t->has_comer && f->has_client && endpoint_equal(&t->comer, &f->client)))
		return;
	t->missed++;
	t->victim_known = true;
	t->has_victim = f->has_client;
	t->victim = f->client;
	table_cite(t, e);
}

static void table_take(struct clid_model *m, const struct event *e)
{
	struct clid_table *t = table_of(m, e);

	if (!t)
		return;
	if (e->clid->kind == CLID_EXPELLED)
		table_expelled(t, e);
	else if (e->clid->kind == CLID_SESSION_MISSED)
		table_missed(t, e);
	else if (t->expelled) {
		t->ended++;
		t->ended_since = true;
	}
}

static void clid_take(void *context, const struct event *e)
{
	struct clid_model *m = context;
	struct clid_instance *i;

	switch (e->clid->kind) {
	case CLID_FRESH:
		i = instance_get(m, e, e->clid->verifier);
		if (i)
			came(m, i, e);
		break;
	case CLID_REPLACED:
		take_replaced(m, e);
		break;
	case CLID_EXPELLED:
	case CLID_SESSION_MISSED:
	case CLID_SESSION_ENDED:
		table_take(m, e);
		break;
	case CLID_CONFIRMED:
	case CLID_GONE:
		break;
	}
}

void clid_model_init(struct clid_model *m)
{
	*m = (struct clid_model){0};
	arena_init(&m->arena);
	vec_init(&m->instances, sizeof(struct clid_instance *));
	vec_init(&m->tables, sizeof(struct clid_table *));
}

void clid_model_deinit(struct clid_model *m)
{
	vec_deinit(&m->instances);
	vec_deinit(&m->tables);
	arena_deinit(&m->arena);
}

void clid_model_attach(struct clid_model *m, struct event_board *board)
{
	event_board_add(board, EVENT_CLID, clid_take, m);
}
