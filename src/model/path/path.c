// SPDX-License-Identifier: GPL-2.0-or-later
/* See path.h: here are the stalls. Calls are in path_calls.c, ICMP and ARP in path_net.c. */
#include "model/path/path.h"

#include "base/hash.h"
#include "base/mem.h"
#include "model/path/path_internal.h"

#include <stdlib.h>

int64_t path_span_ns(struct stamp a, struct stamp b)
{
	int64_t ns;

	if (a.clock != b.clock || __builtin_sub_overflow(b.ns, a.ns, &ns))
		return 0;
	return ns > 0 ? ns : 0;
}

static bool path_conn_is(const void *item, const void *key)
{
	return ((const struct path_conn *)item)->conn.serial == *(const uint64_t *)key;
}

static uint64_t path_serial_hash(uint64_t serial)
{
	return hash_u64(hash_start(), serial);
}

struct path_conn *path_conn_find(const struct path_model *m, uint64_t serial)
{
	return map_find(&m->conn_map, path_serial_hash(serial), &serial);
}

/* Made when it is new; NULL when there is no room. */
static struct path_conn *path_conn_get(struct path_model *m, const struct conn *conn)
{
	struct path_conn *c = path_conn_find(m, conn->serial);

	if (c)
		return c;
	if (m->conn_map.len == PATH_CONNS_MAX) {
		m->dropped++;
		return NULL;
	}
	c = mem_alloc(1, sizeof(*c));
	c->conn = *conn;
	c->progress[0] = c->progress[1] = stamp_none();
	map_add(&m->conn_map, path_serial_hash(conn->serial), c);
	return c;
}

static void quiet_fold(struct path_stall *s)
{
	if (path_span_ns(s->now.from.at, s->now.last.at) >=
	    path_span_ns(s->quiet.from.at, s->quiet.last.at))
		s->quiet = s->now;
}

/* Sent again at `e`: does the other side's silence go on, or was it heard meanwhile? */
static void quiet_take(struct path_stall *s, const struct event *e)
{
	const struct provenance *heard = &e->tcp->heard;
	const struct provenance *from = heard->frame > s->since.frame ? heard : &s->since;

	if (s->now.from.frame != from->frame) {
		if (s->now.repeats) {
			s->now.until = *heard;
			quiet_fold(s);
		}
		s->now = (struct path_quiet){.from = *from};
	}
	s->now.last = e->at;
	s->now.repeats++;
}

static void stall_take(struct path_model *m, const struct event *e)
{
	const struct event_tcp *tcp = e->tcp;
	struct path_conn *c = path_conn_get(m, e->conn);
	struct path_stall *s;

	if (!c)
		return;
	s = &c->open[tcp->from];
	if (!c->is_open[tcp->from]) {
		c->is_open[tcp->from] = true;
		*s = (struct path_stall){
			.conn = *e->conn,
			.from = tcp->from,
			.since = tcp->since.frame == FRAME_NONE ? e->at : tcp->since,
			.first = e->at,
			.bytes_min = tcp->bytes,
			.heard_before = tcp->heard.frame != FRAME_NONE,
		};
	}
	s->last = e->at;
	s->repeats++;
	s->full += tcp->full;
	s->bytes_min = tcp->bytes < s->bytes_min ? tcp->bytes : s->bytes_min;
	s->bytes_max = tcp->bytes > s->bytes_max ? tcp->bytes : s->bytes_max;
	if (tcp->heard.frame > s->since.frame)
		s->heard = tcp->heard;
	path_cite(s->cites, &s->cites_len, &e->at);
	quiet_take(s, e);
	c->repeats[tcp->from]++;
}

/* The stall is over, or nothing more will be seen of it. */
static void stall_end(struct path_model *m, struct path_conn *c, enum conn_side side,
		      struct stamp end)
{
	struct path_stall *s = &c->open[side];
	int64_t ns = path_span_ns(s->since.at, end);

	c->is_open[side] = false;
	if (s->progress.frame != FRAME_NONE)
		s->now.until = s->progress;
	quiet_fold(s);
	s->now = (struct path_quiet){0};
	c->stalls[side]++;
	if (__builtin_add_overflow(c->stalled_ns[side], ns, &c->stalled_ns[side]))
		c->stalled_ns[side] = INT64_MAX;
	if (ns < PATH_STALL_KEEP_NS)
		return;
	if (m->stalls.len == PATH_STALLS_MAX)
		m->dropped++;
	else
		*(struct path_stall *)vec_push(&m->stalls) = *s;
}

static void path_take_tcp(void *context, const struct event *e)
{
	struct path_model *m = context;
	enum conn_side other = conn_other_side(e->tcp->from);
	struct path_conn *c;

	if (e->tcp->fact == TCP_FACT_RETRANSMISSION && !e->tcp->acked) {
		stall_take(m, e);
		return;
	}
	if (e->tcp->fact == TCP_FACT_SHOWN_LATE) {
		c = path_conn_get(m, e->conn);
		if (c)
			c->progress[e->tcp->from] = e->at.at;
		return;
	}
	if (e->tcp->fact != TCP_FACT_PROGRESS && e->tcp->fact != TCP_FACT_RST)
		return;
	c = e->tcp->fact == TCP_FACT_PROGRESS ? path_conn_get(m, e->conn)
					      : path_conn_find(m, e->conn->serial);
	if (!c)
		return;
	if (e->tcp->fact == TCP_FACT_PROGRESS) {
		c->progress[other] = e->at.at;
		if (!c->is_open[other])
			return;
		c->open[other].progress = e->at;
		stall_end(m, c, other, e->at.at);
		return;
	}
	for (enum conn_side side = CONN_FROM_CLIENT; side <= CONN_FROM_SERVER; side++) {
		if (!c->is_open[side])
			continue;
		c->open[side].reset = e->at;
		c->open[side].reset_from = e->tcp->from;
		stall_end(m, c, side, e->at.at);
	}
}

static void path_take_end(void *context, const struct event *e)
{
	struct path_model *m = context;
	struct path_conn *c = path_conn_find(m, e->conn->serial);

	path_calls_conn_end(m, e);
	if (!c || c->kept)
		return;
	for (enum conn_side side = CONN_FROM_CLIENT; side <= CONN_FROM_SERVER; side++)
		if (c->is_open[side])
			stall_end(m, c, side, c->open[side].last.at);
	if (c->stalled_ns[0] >= PATH_STALL_KEEP_NS || c->stalled_ns[1] >= PATH_STALL_KEEP_NS) {
		c->kept = true;
		*(struct path_conn **)vec_push(&m->conns) = c;
		return;
	}
	map_remove(&m->conn_map, path_serial_hash(c->conn.serial), &c->conn.serial);
	free(c);
}

void path_model_init(struct path_model *m)
{
	*m = (struct path_model){0};
	map_init(&m->conn_map, path_conn_is);
	vec_init(&m->conns, sizeof(struct path_conn *));
	vec_init(&m->stalls, sizeof(struct path_stall));
	path_calls_init(m);
	path_net_init(m);
}

void path_model_deinit(struct path_model *m)
{
	struct path_conn *c;
	size_t index = 0;

	while ((c = map_next(&m->conn_map, &index)))
		free(c);
	map_deinit(&m->conn_map);
	vec_deinit(&m->conns);
	vec_deinit(&m->stalls);
	path_calls_deinit(m);
	path_net_deinit(m);
}

void path_model_attach(struct path_model *m, struct event_board *board)
{
	event_board_add(board, EVENT_TCP, path_take_tcp, m);
	event_board_add(board, EVENT_CONN_END, path_take_end, m);
	path_calls_attach(m, board);
	path_net_attach(m, board);
}

static int stall_order(const void *a, const void *b)
{
	const struct path_stall *x = a;
	const struct path_stall *y = b;

	if (x->conn.serial != y->conn.serial)
		return x->conn.serial < y->conn.serial ? -1 : 1;
	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	return (x->first.frame > y->first.frame) - (x->first.frame < y->first.frame);
}

static int path_conn_order(const void *a, const void *b)
{
	uint64_t x = (*(struct path_conn *const *)a)->conn.serial;
	uint64_t y = (*(struct path_conn *const *)b)->conn.serial;

	return (x > y) - (x < y);
}

void path_model_finish(struct path_model *m)
{
	if (m->stalls.len)
		qsort(m->stalls.items, m->stalls.len, m->stalls.item_bytes, stall_order);
	if (m->conns.len)
		qsort(m->conns.items, m->conns.len, m->conns.item_bytes, path_conn_order);
	path_net_finish(m);
}
