// SPDX-License-Identifier: GPL-2.0-or-later
/* See wire.h: what two captures show of each connection. wire_clock.c has order and clocks,
 * wire_late.c what took long. */
#include "model/wire/wire.h"

#include "base/hash.h"
#include "base/mem.h"
#include "model/wire/wire_internal.h"

#include <stdlib.h>

struct record_key {
	uint64_t serial;
	uint32_t other;
};

static bool record_is(const void *item, const void *key)
{
	const struct wire_record *r = item;
	const struct record_key *k = key;

	return r->conn.serial == k->serial && r->other == k->other;
}

static bool path_is(const void *item, const void *key)
{
	const struct wire_path *p = item;
	const struct wire_path *k = key;

	return p->a == k->a && p->b == k->b && endpoint_same_host(&p->low, &k->low) &&
	       endpoint_same_host(&p->high, &k->high);
}

static bool conn_client_is_high(const struct conn *conn)
{
	return endpoint_compare(&conn->client, &conn->server) > 0;
}

static struct wire_path *path_get(struct wire_model *m, const struct conn *conn, uint32_t other)
{
	bool client_high = conn_client_is_high(conn);
	struct wire_path key = {
		.a = conn->evidence < other ? conn->evidence : other,
		.b = conn->evidence < other ? other : conn->evidence,
		.low = client_high ? conn->server : conn->client,
		.high = client_high ? conn->client : conn->server,
	};
	uint64_t hash = hash_u64(hash_bytes(key.low.addr, sizeof(key.low.addr)),
				 hash_bytes(key.high.addr, sizeof(key.high.addr)));
	struct wire_path *p;

	hash = hash_u64(hash, (uint64_t)key.a << 32 | key.b);
	key.low.port = key.high.port = 0;
	p = map_find(&m->path_map, hash, &key);
	if (p || m->paths.len >= WIRE_PATHS_MAX)
		return p;
	p = mem_copy(&key, sizeof(key));
	map_add(&m->path_map, hash, p);
	*(struct wire_path **)vec_push(&m->paths) = p;
	return p;
}

/* The record of the event's connection; NULL: no room. */
static struct wire_record *record_get(struct wire_model *m, const struct event *e)
{
	struct record_key key = {e->conn->serial, e->wire->other};
	struct wire_record *r = m->recent;
	struct wire_path *path;
	uint64_t hash;

	if (r && record_is(r, &key))
		return r;
	hash = hash_u64(hash_u64(hash_start(), key.serial), key.other);
	r = map_find(&m->record_map, hash, &key);
	if (!r) {
		if (m->records.len >= WIRE_CONNS_MAX)
			return NULL;
		path = path_get(m, e->conn, key.other);
		if (!path)
			return NULL;
		r = mem_alloc(1, sizeof(*r));
		r->conn = *e->conn;
		r->other = key.other;
		r->path = path;
		for (int i = 0; i < 2; i++) {
			vec_init(&r->way[i].places, sizeof(struct wire_place));
			vec_init(&r->way[i].late, sizeof(struct wire_late));
		}
		map_add(&m->record_map, hash, r);
		*(struct wire_record **)vec_push(&m->records) = r;
	}
	m->recent = r;
	return r;
}

/* Keeps the first ones and the last ones. */
static void way_keep(struct wire_model *m, struct wire_way *way, const struct event_wire *w)
{
	struct wire_place place = {
		.at = {w->at[0], w->at[1]},
		.kind = w->kind,
		.fate = w->fate,
		.again = w->again,
		.bytes = w->bytes,
	};
	uint32_t half = WIRE_PLACES_MAX / 2;

	if (way->places.len < WIRE_PLACES_MAX && m->places_total < WIRE_PLACES_TOTAL) {
		*(struct wire_place *)vec_push(&way->places) = place;
		m->places_total++;
		return;
	}
	way->places_dropped++;
	if (way->places.len == WIRE_PLACES_MAX)
		*(struct wire_place *)vec_at(&way->places, half + way->places_next++ % half) =
			place;
}

static bool kind_is_bare(enum wire_kind kind)
{
	return kind == WIRE_BARE || kind == WIRE_RST;
}

static void take_both(struct wire_model *m, struct wire_record *r, struct wire_way *way,
		      const struct event_wire *w)
{
	/* the other capture may show it in pieces: one segment all the same */
	bool counted = w->at[WIRE_SPEAKER].frame == way->both_frame;

	way->both_frame = w->at[WIRE_SPEAKER].frame;
	r->path->both[w->from_high] += !counted;
	if (kind_is_bare(w->kind))
		way->bare_both += !counted;
	else
		way->both += !counted;
	if (w->kind != WIRE_RST) { /* a reset may be made on the way */
		wire_late_take(m, r, w);
		wire_clock_take(r, w);
	}
	if (w->again || !(w->kind == WIRE_DATA || w->kind == WIRE_BARE))
		way_keep(m, way, w);
}

static int64_t run_span_ns(const struct wire_run *run)
{
	int64_t span;

	return __builtin_sub_overflow(run->last.at.ns, run->first.at.ns, &span) ? 0 : span;
}

static void way_note_run(struct wire_way *way, const struct event_wire *w)
{
	struct wire_run *now = &way->now[w->seen], *longest = &way->longest[w->seen];
	const struct provenance *at = &w->at[w->seen];

	if (!w->in_row || now->count == 0)
		*now = (struct wire_run){.first = *at};
	now->count++;
	now->last = *at;
	if (longest->count == 0 || run_span_ns(now) > run_span_ns(longest))
		*longest = *now;
}

static void take_one(struct wire_model *m, struct wire_way *way, const struct event_wire *w)
{
	way_note_run(way, w);
	if (kind_is_bare(w->kind)) {
		if (way->bare_alone[w->seen]++ == 0)
			way->bare_first[w->seen] = w->at[w->seen];
		way->bare_last[w->seen] = w->at[w->seen];
		return;
	}
	if (w->fate == WIRE_FATE_RECEIVED)
		way->missed[w->seen]++;
	else
		way->alone[w->seen]++;
	way_keep(m, way, w);
}

static void wire_take(void *context, const struct event *e)
{
	struct wire_model *m = context;
	const struct event_wire *w = e->wire;
	struct wire_record *r = record_get(m, e);
	struct wire_way *way;

	if (!r) {
		m->dropped++;
		return;
	}
	r->conn = *e->conn;
	way = &r->way[w->from_high];
	if (w->ends[0].port)
		memcpy(r->ends, w->ends, sizeof(r->ends));
	switch (w->fact) {
	case WIRE_BOTH:
		take_both(m, r, way, w);
		break;
	case WIRE_ONE:
		take_one(m, way, w);
		break;
	case WIRE_UNPLACED:
		way->unplaced++;
		break;
	}
}

void wire_model_init(struct wire_model *m)
{
	*m = (struct wire_model){0};
	map_init(&m->record_map, record_is);
	map_init(&m->path_map, path_is);
	vec_init(&m->records, sizeof(struct wire_record *));
	vec_init(&m->paths, sizeof(struct wire_path *));
}

void wire_model_deinit(struct wire_model *m)
{
	for (size_t i = 0; i < m->records.len; i++) {
		struct wire_record *r = *(struct wire_record **)vec_at(&m->records, i);

		for (int k = 0; k < 2; k++) {
			vec_deinit(&r->way[k].places);
			vec_deinit(&r->way[k].late);
		}
		free(r);
	}
	for (size_t i = 0; i < m->paths.len; i++)
		free(*(struct wire_path **)vec_at(&m->paths, i));
	vec_deinit(&m->records);
	vec_deinit(&m->paths);
	map_deinit(&m->record_map);
	map_deinit(&m->path_map);
}

void wire_model_attach(struct wire_model *m, struct event_board *board)
{
	event_board_add(board, EVENT_WIRE, wire_take, m);
}

static int place_order(const void *a, const void *b)
{
	const struct wire_place *x = a;
	const struct wire_place *y = b;

	if (x->speaker_ns != y->speaker_ns)
		return x->speaker_ns < y->speaker_ns ? -1 : 1;
	if (x->at[0].frame != y->at[0].frame)
		return x->at[0].frame < y->at[0].frame ? -1 : 1;
	return (x->at[1].frame > y->at[1].frame) - (x->at[1].frame < y->at[1].frame);
}

static int record_order(const void *a, const void *b)
{
	const struct wire_record *x = *(struct wire_record *const *)a;
	const struct wire_record *y = *(struct wire_record *const *)b;

	if (x->conn.serial != y->conn.serial)
		return x->conn.serial < y->conn.serial ? -1 : 1;
	return (x->other > y->other) - (x->other < y->other);
}

static void way_finish(const struct wire_record *r, struct wire_way *way)
{
	for (size_t i = 0; i < way->places.len; i++) {
		struct wire_place *p = vec_at(&way->places, i);

		p->speaker_ns = p->at[WIRE_SPEAKER].frame != FRAME_NONE
					? p->at[WIRE_SPEAKER].at.ns
					: wire_clock_speaker_ns(r, p->at[WIRE_OTHER].at.ns);
	}
	if (way->places.len)
		qsort(way->places.items, way->places.len, sizeof(struct wire_place), place_order);
}

void wire_model_finish(struct wire_model *m)
{
	for (size_t i = 0; i < m->paths.len; i++)
		wire_clock_finish(*(struct wire_path **)vec_at(&m->paths, i));
	for (size_t i = 0; i < m->records.len; i++) {
		struct wire_record *r = *(struct wire_record **)vec_at(&m->records, i);

		way_finish(r, &r->way[0]);
		way_finish(r, &r->way[1]);
	}
	if (m->records.len)
		qsort(m->records.items, m->records.len, m->records.item_bytes, record_order);
}

size_t wire_model_find(const struct wire_model *m, uint64_t serial)
{
	size_t low = 0;
	size_t high = m->records.len;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if ((*(struct wire_record **)vec_at(&m->records, middle))->conn.serial < serial)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < m->records.len &&
	    (*(struct wire_record **)vec_at(&m->records, low))->conn.serial != serial)
		return m->records.len;
	return low;
}

bool wire_record_tale(const struct wire_record *r, enum conn_side from, struct wire_tale *out)
{
	bool high = conn_client_is_high(&r->conn) == (from == CONN_FROM_CLIENT);
	enum wire_order order = wire_path_order(r->path);
	bool a_near_sender = (order == WIRE_ORDER_A_HIGH) == high;
	bool speaker_is_a = r->conn.evidence == r->path->a;
	const struct wire_way *way = &r->way[high];
	struct wire_tale t = {.record = r, .way = way};

	if (order == WIRE_ORDER_UNKNOWN)
		return false;
	t.near_sender = a_near_sender ? r->path->a : r->path->b;
	t.near_receiver = a_near_sender ? r->path->b : r->path->a;
	t.sender = a_near_sender == speaker_is_a ? WIRE_SPEAKER : WIRE_OTHER;
	t.arrived = way->both;
	t.lost = way->alone[t.sender];
	t.not_shown = way->missed[t.sender];
	t.not_caught = way->alone[!t.sender] + way->missed[!t.sender];
	t.is_shown = r->path->both[high] > 0;
	*out = t;
	return true;
}

bool wire_ask(const struct wire_model *m, uint64_t serial, enum conn_side from,
	      struct wire_tale *out)
{
	bool found = false;

	for (size_t i = wire_model_find(m, serial); i < m->records.len; i++) {
		const struct wire_record *r = *(struct wire_record **)vec_at(&m->records, i);
		struct wire_tale t;

		if (r->conn.serial != serial)
			break;
		if (!wire_record_tale(r, from, &t))
			continue;
		if (!found || t.arrived + t.lost > out->arrived + out->lost)
			*out = t;
		found = true;
	}
	return found;
}

struct wire_span wire_tale_span(const struct wire_tale *t, struct stamp first, struct stamp last)
{
	struct wire_span span = {0};

	for (size_t i = 0; i < t->way->places.len; i++) {
		const struct wire_place *p = vec_at(&t->way->places, i);
		bool both = p->at[0].frame != FRAME_NONE && p->at[1].frame != FRAME_NONE;

		if (p->speaker_ns < first.ns || p->speaker_ns > last.ns || kind_is_bare(p->kind))
			continue;
		if (both) {
			span.arrived++;
			span.arrived_last = p;
			if (!span.arrived_first)
				span.arrived_first = p;
		} else if (p->at[t->sender].frame != FRAME_NONE && p->fate != WIRE_FATE_RECEIVED) {
			span.lost++;
			span.lost_last = p;
			if (!span.lost_first)
				span.lost_first = p;
		}
	}
	return span;
}

bool wire_tale_bare_within(const struct wire_tale *t, struct stamp first, struct stamp last)
{
	const struct wire_way *way = t->way;
	int64_t from_ns = way->bare_first[t->sender].at.ns;
	int64_t to_ns = way->bare_last[t->sender].at.ns;

	if (way->bare_alone[t->sender] == 0)
		return false;
	if (t->sender == WIRE_OTHER) {
		from_ns = wire_clock_speaker_ns(t->record, from_ns);
		to_ns = wire_clock_speaker_ns(t->record, to_ns);
	}
	return from_ns >= first.ns && to_ns <= last.ns;
}
