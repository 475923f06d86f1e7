// SPDX-License-Identifier: GPL-2.0-or-later
/* See logs.h. */
#include "model/logs.h"

#include <string.h>

#include "base/hash.h"

/* A silence of this length ends an interval that no "OK" ended: each task complains once only. */
#define INTERVAL_GAP_NS (3600 * STAMP_NS_PER_S)

/* Packets that are logged, and tables that are full, so far apart are told apart. */
#define TALLY_GAP_NS (30 * STAMP_NS_PER_S)

enum { LOGS_TEXT_BYTES_MAX = 1024 };

/* What a list has one item of. Logs may name another host, server or task in every line. */
struct key {
	const struct vec *list; /* of the model */
	const struct logs_host *host;
	struct slice program, name;
	int64_t number;
};

struct known {
	struct key key; /* its texts are in the arena */
	void *item;
};

static bool known_equal(const void *item, const void *key)
{
	const struct key *a = &((const struct known *)item)->key, *b = key;

	return a->list == b->list && a->host == b->host && a->number == b->number &&
	       slice_equal(a->name, b->name) && slice_equal(a->program, b->program);
}

void logs_model_init(struct logs_model *m)
{
	*m = (struct logs_model){0};
	arena_init(&m->arena);
	map_init(&m->known, known_equal);
	vec_init(&m->hosts, sizeof(struct logs_host *));
	vec_init(&m->intervals, sizeof(struct logs_interval *));
	vec_init(&m->losses, sizeof(struct logs_tally *));
	vec_init(&m->mismatches, sizeof(struct logs_tally *));
	vec_init(&m->monitors, sizeof(struct logs_tally *));
	vec_init(&m->in_use, sizeof(struct logs_tally *));
	vec_init(&m->recoveries, sizeof(struct logs_tally *));
	vec_init(&m->opens, sizeof(struct logs_tally *));
	vec_init(&m->lock_steps, sizeof(struct logs_tally *));
	vec_init(&m->loops, sizeof(struct logs_tally *));
	vec_init(&m->upcalls, sizeof(struct logs_tally *));
	vec_init(&m->fileids, sizeof(struct logs_tally *));
	vec_init(&m->trackings, sizeof(struct logs_tally *));
	vec_init(&m->fragments, sizeof(struct logs_tally *));
	vec_init(&m->interfaces, sizeof(struct logs_interface *));
	vec_init(&m->tasks, sizeof(struct logs_task *));
	vec_init(&m->packets, sizeof(struct logs_packet *));
	vec_init(&m->conntracks, sizeof(struct logs_tally *));
}

void logs_model_deinit(struct logs_model *m)
{
	for (size_t i = 0; i < m->interfaces.len; i++)
		vec_deinit(&(*(struct logs_interface **)vec_at(&m->interfaces, i))->outages);
	vec_deinit(&m->hosts);
	vec_deinit(&m->intervals);
	vec_deinit(&m->losses);
	vec_deinit(&m->mismatches);
	vec_deinit(&m->monitors);
	vec_deinit(&m->in_use);
	vec_deinit(&m->recoveries);
	vec_deinit(&m->opens);
	vec_deinit(&m->lock_steps);
	vec_deinit(&m->loops);
	vec_deinit(&m->upcalls);
	vec_deinit(&m->fileids);
	vec_deinit(&m->trackings);
	vec_deinit(&m->fragments);
	vec_deinit(&m->interfaces);
	vec_deinit(&m->tasks);
	vec_deinit(&m->packets);
	vec_deinit(&m->conntracks);
	map_deinit(&m->known);
	arena_deinit(&m->arena);
}

static bool is_text(const char *text, struct slice s)
{
	return slice_equal(slice_of_string(text), s);
}

static struct slice kept_part(struct slice s)
{
	return slice_make(s.ptr, s.len < LOGS_TEXT_BYTES_MAX ? s.len : LOGS_TEXT_BYTES_MAX);
}

static const char *keep(struct logs_model *m, struct slice s)
{
	s = kept_part(s);
	return arena_copy(&m->arena, s.ptr, s.len);
}

static uint64_t key_hash(const struct key *key)
{
	uint64_t hash = hash_u64_pair(hash_start(), (uintptr_t)key->list, (uintptr_t)key->host);

	hash = hash_u64_pair(hash, (uint64_t)key->number, hash_bytes(key->name.ptr, key->name.len));
	return hash_u64(hash, hash_bytes(key->program.ptr, key->program.len));
}

static struct known *known_find(const struct logs_model *m, const struct key *key)
{
	return map_find(&m->known, key_hash(key), key);
}

static struct known *known_add(struct logs_model *m, const struct key *key, void *item)
{
	struct known *known = arena_alloc(&m->arena, sizeof(*known));

	known->key = *key;
	known->key.program.ptr = (const uint8_t *)keep(m, key->program);
	known->key.name.ptr = (const uint8_t *)keep(m, key->name);
	known->item = item;
	map_add(&m->known, key_hash(key), known);
	return known;
}

/* Room for one more of `bytes` in the list; NULL: it is full. */
static void *list_add(struct logs_model *m, struct vec *list, size_t max, size_t bytes)
{
	if (list->len == max) {
		m->dropped++;
		return NULL;
	}
	return *(void **)vec_push(list) = arena_alloc(&m->arena, bytes);
}

static struct logs_host *host_of(struct logs_model *m, const struct log_fact *f)
{
	const struct key key = {
		.list = &m->hosts, .name = kept_part(f->host), .number = f->host_told};
	struct known *known = known_find(m, &key);
	struct logs_host *h;

	if (known)
		return known->item;
	h = list_add(m, &m->hosts, LOGS_HOSTS_MAX, sizeof(*h));
	if (!h)
		return NULL;
	known_add(m, &key, h);
	h->name = keep(m, f->host);
	h->told = f->host_told;
	h->has_at = f->has_host_at;
	h->at = f->host_at;
	return h;
}

static struct key subject_key(const struct vec *list, const struct logs_host *host,
			      const struct log_fact *f)
{
	return (struct key){.list = list,
			    .host = host,
			    .program = kept_part(f->program),
			    .name = kept_part(f->server)};
}

static struct logs_subject subject_make(struct logs_model *m, const struct logs_host *host,
					const struct log_fact *f)
{
	return (struct logs_subject){
		.host = host,
		.program = keep(m, f->program),
		.server = keep(m, f->server),
		.server_is_address = f->server_is_address,
		.server_at = f->server_at,
	};
}

static void cite_add(struct provenance *cites, uint32_t *len, const struct provenance *at)
{
	if (*len < LOGS_CITES_MAX)
		cites[(*len)++] = *at;
}

/* True when `late` is more than gap_ns behind `early`; of one clock. */
static bool is_far(struct stamp late, struct stamp early, int64_t gap_ns)
{
	int64_t apart;

	return stamp_known(late) && late.clock == early.clock &&
	       !__builtin_sub_overflow(late.ns, early.ns, &apart) && apart > gap_ns;
}

/* One more of the subject, whose last one is known; NULL: no room. */
static struct logs_interval *interval_add(struct logs_model *m, const struct key *key,
					  struct known *known)
{
	struct logs_interval *v = list_add(m, &m->intervals, LOGS_INTERVALS_MAX, sizeof(*v));
	struct logs_interval *last = known ? known->item : NULL;

	if (!v)
		return NULL;
	v->head = last ? last->head : v;
	if (last)
		last->next = v;
	else
		known = known_add(m, key, v);
	known->item = v;
	return v;
}

static void take_not_responding(struct logs_model *m, const struct logs_host *host,
				const struct event *e)
{
	const struct key key = subject_key(&m->intervals, host, e->log);
	struct known *known = known_find(m, &key);
	struct logs_interval *v = known ? known->item : NULL;

	if (!v || v->ok.frame != FRAME_NONE || v->last.at.clock != e->at.at.clock ||
	    is_far(e->at.at, v->last.at, INTERVAL_GAP_NS)) {
		v = interval_add(m, &key, known);
		if (!v)
			return;
		v->of = subject_make(m, host, e->log);
		v->first = e->at;
	}
	v->last = e->at;
	if (e->log->gave_up && v->gave_up++ == 0)
		v->gave_up_first = e->at;
	v->trying += !e->log->gave_up;
	cite_add(v->cites, &v->cites_len, &e->at);
}

static void take_responding(struct logs_model *m, const struct logs_host *host,
			    const struct event *e)
{
	const struct key key = subject_key(&m->intervals, host, e->log);
	struct known *known = known_find(m, &key);
	struct logs_interval *v = known ? known->item : NULL;

	if (v && v->ok.frame == FRAME_NONE && v->last.at.clock == e->at.at.clock)
		v->ok = e->at;
}

/* Counts the message in this list, by host and peer. */
static void tally_take(struct logs_model *m, struct vec *list, const struct logs_host *host,
		       const struct event *e)
{
	struct key key = subject_key(list, host, e->log);
	struct logs_tally *tally;
	struct known *known;

	key.number = e->log->kind;
	known = known_find(m, &key);
	tally = known ? known->item : NULL;
	if (!tally) {
		tally = list_add(m, list, LOGS_TALLIES_MAX, sizeof(*tally));
		if (!tally)
			return;
		known_add(m, &key, tally);
		tally->kind = e->log->kind;
		tally->of = subject_make(m, host, e->log);
		tally->first = e->at;
		tally->subject = keep(m, e->log->subject);
		tally->number = e->log->number;
	}
	tally->mixed |=
		!is_text(tally->subject, e->log->subject) || tally->number != e->log->number;
	tally->count++;
	if (e->log->number > 0)
		tally->sum += (uint64_t)e->log->number;
	tally->last = e->at;
	cite_add(tally->cites, &tally->cites_len, &e->at);
}

/* The list in which lines of this kind are counted by host and server; NULL: in none. */
static struct vec *tallies_of(struct logs_model *m, enum log_fact_kind kind)
{
	switch (kind) {
	case LOG_LOCKS_LOST:
		return &m->losses;
	case LOG_CLIENTID_MISMATCH:
		return &m->mismatches;
	case LOG_MONITOR_FAILED:
		return &m->monitors;
	case LOG_CLIENTID_IN_USE:
		return &m->in_use;
	case LOG_RECOVERY_FAILED:
		return &m->recoveries;
	case LOG_OPEN_UNRECOVERED:
		return &m->opens;
	case LOG_LOCK_UNRECLAIMED:
	case LOG_UNLOCK_REFUSED:
	case LOG_LOCK_OUT_OF_STEP:
		return &m->lock_steps;
	case LOG_READDIR_LOOP:
		return &m->loops;
	case LOG_GSS_UPCALL:
		return &m->upcalls;
	case LOG_FILEID_CHANGED:
		return &m->fileids;
	case LOG_TRACKING_FAILED:
		return &m->trackings;
	case LOG_FRAGMENT_REFUSED:
		return &m->fragments;
	default:
		return NULL;
	}
}

static struct logs_interface *interface_of(struct logs_model *m, const struct logs_host *host,
					   const struct log_fact *f)
{
	const struct key key = {
		.list = &m->interfaces, .host = host, .name = kept_part(f->subject)};
	struct known *known = known_find(m, &key);
	struct logs_interface *n;

	if (known)
		return known->item;
	n = list_add(m, &m->interfaces, LOGS_INTERFACES_MAX, sizeof(*n));
	if (!n)
		return NULL;
	known_add(m, &key, n);
	n->host = host;
	n->name = keep(m, f->subject);
	vec_init(&n->outages, sizeof(struct logs_outage));
	return n;
}

static void take_link(struct logs_model *m, const struct logs_host *host, const struct event *e)
{
	struct logs_interface *n = interface_of(m, host, e->log);
	struct logs_outage *last = n ? vec_last(&n->outages) : NULL;

	if (!n)
		return;
	n->member |= e->log->member;
	if (e->log->kind == LOG_LINK_UP) {
		if (n->down)
			last->up = e->at;
		else if (n->first_up.frame == FRAME_NONE)
			n->first_up = e->at;
		n->down = false;
		return;
	}
	if (n->down) {
		last->messages++;
		return;
	}
	if (n->first_up.frame == FRAME_NONE && n->outages_count == 0)
		n->downs_before_up++;
	n->down = true;
	n->outages_count++;
	if (n->outages.len < LOGS_OUTAGES_MAX)
		last = vec_push(&n->outages);
	*last = (struct logs_outage){.down = e->at, .messages = 1};
}

static void take_hung_task(struct logs_model *m, const struct logs_host *host,
			   const struct event *e)
{
	const struct log_fact *f = e->log;
	const struct key key = {.list = &m->tasks,
				.host = host,
				.name = kept_part(f->subject),
				.number = f->number};
	struct known *known = known_find(m, &key);
	struct logs_task *t = known ? known->item : NULL;

	if (!t) {
		t = list_add(m, &m->tasks, LOGS_TASKS_MAX, sizeof(*t));
		if (!t)
			return;
		known_add(m, &key, t);
		t->host = host;
		t->name = keep(m, f->subject);
		t->pid = f->number;
		t->where = t->nfs_function = t->waits_in = "";
		t->first = e->at;
	}
	if (!t->has_stack && f->where.len) {
		t->has_stack = true;
		t->where = keep(m, f->where);
		t->nfs_function = keep(m, f->nfs_function);
		t->waits_in = keep(m, f->waits_in);
	}
	if (f->seconds > t->seconds)
		t->seconds = f->seconds;
	t->reports++;
	t->last = e->at;
}

static bool packet_is(const struct logs_packet *p, const struct logs_host *host,
		      const struct event *e)
{
	const struct log_packet *a = &p->packet, *b = &e->log->packet;

	return p->host == host && a->protocol == b->protocol && a->hook == b->hook &&
	       a->fate == b->fate && a->flags == b->flags && endpoint_equal(&a->src, &b->src) &&
	       endpoint_equal(&a->dst, &b->dst) && p->last.at.clock == e->at.at.clock &&
	       !is_far(e->at.at, p->last.at, TALLY_GAP_NS) && is_text(p->prefix, e->log->subject);
}

static void take_packet(struct logs_model *m, const struct logs_host *host, const struct event *e)
{
	struct logs_packet *p = NULL;

	for (size_t i = 0; i < m->packets.len && i < LOGS_PACKETS_BACK && !p; i++) {
		struct logs_packet *one =
			*(struct logs_packet **)vec_at(&m->packets, m->packets.len - 1 - i);

		if (packet_is(one, host, e))
			p = one;
	}
	if (!p) {
		p = list_add(m, &m->packets, LOGS_PACKETS_MAX, sizeof(*p));
		if (!p)
			return;
		*p = (struct logs_packet){.host = host,
					  .prefix = keep(m, e->log->subject),
					  .packet = e->log->packet,
					  .first = e->at};
	}
	p->count++;
	p->last = e->at;
}

static void take_conntrack(struct logs_model *m, const struct logs_host *host,
			   const struct event *e)
{
	struct logs_tally *tally = NULL;

	for (size_t i = 0; i < m->conntracks.len; i++) {
		struct logs_tally *one = *(struct logs_tally **)vec_at(&m->conntracks, i);

		if (one->of.host == host && one->last.at.clock == e->at.at.clock &&
		    !is_far(e->at.at, one->last.at, TALLY_GAP_NS))
			tally = one;
	}
	if (!tally) {
		tally = list_add(m, &m->conntracks, LOGS_TALLIES_MAX, sizeof(*tally));
		if (!tally)
			return;
		tally->kind = e->log->kind;
		tally->of = subject_make(m, host, e->log);
		tally->first = e->at;
	}
	tally->count++;
	tally->last = e->at;
	cite_add(tally->cites, &tally->cites_len, &e->at);
}

static void logs_take(void *context, const struct event *e)
{
	static void (*const takers[LOG_FACT_COUNT])(struct logs_model *, const struct logs_host *,
						    const struct event *) = {
		[LOG_NOT_RESPONDING] = take_not_responding,
		[LOG_RESPONDING] = take_responding,
		[LOG_LINK_DOWN] = take_link,
		[LOG_LINK_UP] = take_link,
		[LOG_HUNG_TASK] = take_hung_task,
		[LOG_PACKET] = take_packet,
		[LOG_CONNTRACK_FULL] = take_conntrack,
	};
	struct logs_model *m = context;
	struct logs_host *host = host_of(m, e->log);
	enum log_fact_kind kind = e->log->kind;
	struct vec *tallies = tallies_of(m, kind);

	if (!host)
		return;
	if (host->counts[kind]++ == 0)
		host->first[kind] = e->at;
	host->last[kind] = e->at;
	if (tallies)
		tally_take(m, tallies, host, e);
	if (takers[kind])
		takers[kind](m, host, e);
}

void logs_model_attach(struct logs_model *m, struct event_board *board)
{
	event_board_add(board, EVENT_LOG, logs_take, m);
}
