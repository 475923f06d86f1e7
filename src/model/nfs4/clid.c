// SPDX-License-Identifier: GPL-2.0-or-later
/* See clid.h. */
#include "model/nfs4/clid.h"

#include <string.h>

/*
 * A Linux client that gives up all its state presents this verifier, and then its own again
 * (fs/nfs/nfs4proc.c: nfs4_init_boot_verifier, NFS4CLNT_PURGE_STATE): that is nobody else.
 */
#define VERIFIER_PURGES UINT64_MAX

static struct clid_instance *instance_at(const struct clid_model *m, size_t index)
{
	return *(struct clid_instance **)vec_at(&m->instances, index);
}

static struct clid_instance *instance_get(struct clid_model *m, const struct event *e,
					  uint64_t verifier)
{
	struct slice host = e->clid->host;
	struct clid_instance *i;

	if (verifier == 0 || verifier == VERIFIER_PURGES)
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
	/*
	 * EXCHANGE_ID is often sent twice: the second says the same of the same client. Files are
	 * not always given in their order: who is told later to have come earlier did not return.
	 */
	if (new->replaced > new->came_back && e->at.at.clock == new->replaced_at.clock &&
	    e->at.at.ns >= new->replaced_at.ns) {
		new->came_back++;
		if (new->cites_len < CLID_CITES_MAX)
			new->cites[new->cites_len++] = e->at;
	}
	if (old->replaced == old->came_back)
		old->replaced++;
	old->replaced_at = e->at.at;
	came(m, new, e);
}

/*
 * Two recordings of one time tell the same twice, each as well as it can: each has a table. One
 * that begins where another ended goes on with it.
 */
static bool goes_on(struct clid_table *t, const struct provenance *at)
{
	if (t->evidence != at->evidence &&
	    (t->taken.clock != at->at.clock || at->at.ns <= t->taken.ns))
		return false;
	t->evidence = at->evidence;
	t->taken = at->at;
	return true;
}

static struct clid_table *table_of(struct clid_model *m, const struct event *e)
{
	struct slice host = e->clid->host;
	struct clid_table *t;

	for (size_t k = 0; k < m->tables.len; k++) {
		t = *(struct clid_table **)vec_at(&m->tables, k);
		if (slice_equal(slice_of_string(t->host), host) && goes_on(t, &e->at))
			return t;
	}
	if (m->tables.len == CLID_TABLES_MAX) {
		m->dropped++;
		return NULL;
	}
	t = arena_alloc(&m->arena, sizeof(*t));
	t->host = host.len ? arena_copy(&m->arena, host.ptr, host.len) : "";
	t->host_told = e->clid->host_told;
	t->evidence = e->at.evidence;
	t->taken = e->at.at;
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

static struct clid_start *start_of(struct clid_model *m, const struct event *e)
{
	struct slice host = e->clid->host;
	struct clid_start *s;

	for (size_t k = 0; k < m->starts.len; k++) {
		s = *(struct clid_start **)vec_at(&m->starts, k);
		if (slice_equal(slice_of_string(s->host), host))
			return s;
	}
	if (m->starts.len == CLID_TABLES_MAX) {
		m->dropped++;
		return NULL;
	}
	s = arena_alloc(&m->arena, sizeof(*s));
	*s = (struct clid_start){
		.host = host.len ? arena_copy(&m->arena, host.ptr, host.len) : "",
		.host_told = e->clid->host_told,
		.began.frame = FRAME_NONE,
		.grace_over.frame = FRAME_NONE,
		.before.frame = FRAME_NONE,
		.stale_first.frame = FRAME_NONE,
		.stale_last.frame = FRAME_NONE,
		.came_first.frame = FRAME_NONE,
	};
	*(struct clid_start **)vec_push(&m->starts) = s;
	return s;
}

/* The server has this start, says a client ID that it gives. */
static void start_given(struct clid_start *s, const struct event *e, uint32_t boot)
{
	if (s->began.frame == FRAME_NONE) {
		/* Of what is refused later the server's own is the other one. */
		if (s->stale == 0 || boot != s->stale_boot)
			s->boot = boot;
		s->before = e->at;
		s->boot_before = boot;
	} else if (boot != s->boot) {
		s->before_goes_on = true;
	}
}

static void start_began(struct clid_start *s, const struct event *e, uint32_t boot)
{
	/* The last one is what the end of the trace is about. */
	if (s->began.frame != FRAME_NONE) {
		s->before = s->began;
		s->boot_before = s->boot;
	}
	s->began = e->at;
	s->boot = boot;
	s->before_goes_on = false;
	s->stale = s->came = 0;
	s->stale_first.frame = s->came_first.frame = s->grace_over.frame = FRAME_NONE;
}

static void start_stale(struct clid_start *s, const struct event *e, uint32_t boot)
{
	if (s->stale++ == 0) {
		s->stale_first = e->at;
		s->stale_boot = boot;
		if (s->began.frame == FRAME_NONE && s->boot == boot)
			s->boot = 0;
	}
	s->stale_last = e->at;
}

static void start_take(struct clid_model *m, const struct event *e)
{
	uint32_t boot = (uint32_t)(e->clid->clientid >> 32);
	struct clid_start *s = boot ? start_of(m, e) : NULL;

	if (!s)
		return;
	if (e->clid->kind == CLID_STARTED) {
		start_began(s, e, boot);
	} else if (e->clid->kind == CLID_GRACE_OVER) {
		if (boot == s->boot)
			s->grace_over = e->at;
	} else if (e->clid->kind == CLID_STALE) {
		start_stale(s, e, boot);
	} else if (e->clid->kind == CLID_USED) {
		if (s->began.frame == FRAME_NONE) {
			s->before = e->at;
			s->boot_before = boot;
		}
	} else {
		start_given(s, e, boot);
		if (e->clid->kind == CLID_FRESH && boot == s->boot && s->came++ == 0)
			s->came_first = e->at;
	}
}

static void clid_take(void *context, const struct event *e)
{
	struct clid_model *m = context;
	struct clid_instance *i;

	start_take(m, e);
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
	case CLID_STARTED:
	case CLID_GRACE_OVER:
	case CLID_STALE:
	case CLID_USED:
	case CLID_GIVEN:
		break;
	}
}

void clid_model_init(struct clid_model *m)
{
	*m = (struct clid_model){0};
	arena_init(&m->arena);
	vec_init(&m->instances, sizeof(struct clid_instance *));
	vec_init(&m->tables, sizeof(struct clid_table *));
	vec_init(&m->starts, sizeof(struct clid_start *));
}

void clid_model_deinit(struct clid_model *m)
{
	vec_deinit(&m->instances);
	vec_deinit(&m->tables);
	vec_deinit(&m->starts);
	arena_deinit(&m->arena);
}

void clid_model_attach(struct clid_model *m, struct event_board *board)
{
	event_board_add(board, EVENT_CLID, clid_take, m);
}
