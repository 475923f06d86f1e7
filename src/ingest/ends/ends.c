// SPDX-License-Identifier: GPL-2.0-or-later
/* See ends.h: which connections are watched by which captures. ends_place.c matches. */
#include "ingest/ends/ends.h"

#include <stdlib.h>

#include "base/mem.h"
#include "ingest/ends/ends_private.h"

struct ends *ends_create(const struct survey *survey, const struct event_board *board)
{
	struct ends *e = mem_alloc(1, sizeof(*e));

	e->survey = survey;
	e->board = board;
	e->now_ns = INT64_MIN;
	e->pool = mem_alloc(ENDS_SEGMENTS_MAX, sizeof(*e->pool));
	return e;
}

static void ends_unlink(struct ends *e, struct ends_conn *c)
{
	*(c->older ? &c->older->newer : &e->oldest) = c->newer;
	*(c->newer ? &c->newer->older : &e->newest) = c->older;
	c->older = c->newer = NULL;
}

static void ends_link(struct ends *e, struct ends_conn *c)
{
	c->older = e->newest;
	*(e->newest ? &e->newest->newer : &e->oldest) = c;
	e->newest = c;
}

/* Ends a pair: what waits is decided, or told as not placed. */
static void ends_drop_pair(struct ends *e, struct ends_pair **place, bool decide)
{
	struct ends_pair *pair = *place;

	ends_place_all(e, pair, decide);
	*place = pair->next;
	free(pair->datagrams);
	free(pair);
}

static void ends_drop(struct ends *e, struct ends_conn *c, bool decide)
{
	while (c->pairs)
		ends_drop_pair(e, &c->pairs, decide);
	ends_unlink(e, c);
	e->conns[c->index] = NULL;
	e->conns_count--;
	free(c);
}

void ends_destroy(struct ends *e)
{
	if (!e)
		return;
	while (e->oldest)
		ends_drop(e, e->oldest, false);
	free(e->conns);
	free(e->pool);
	free(e);
}

void ends_finish(struct ends *e)
{
	ends_place_rest(e);
	while (e->oldest)
		ends_drop(e, e->oldest, true);
}

/* The connection with the survey's number, as the one that was used last. */
static struct ends_conn *ends_conn_get(struct ends *e, uint32_t index)
{
	struct ends_conn *c;

	if (index >= e->conns_cap) {
		size_t cap = e->conns_cap ? 2 * e->conns_cap : ENDS_SEEN;

		while (cap <= index)
			cap *= 2;
		e->conns = mem_resize(e->conns, cap, sizeof(*e->conns));
		for (size_t i = e->conns_cap; i < cap; i++)
			e->conns[i] = NULL;
		e->conns_cap = cap;
	}
	c = e->conns[index];
	if (c && c == e->newest)
		return c;
	if (c) {
		ends_unlink(e, c);
	} else {
		if (e->conns_count >= ENDS_CONNS_MAX)
			ends_drop(e, e->oldest, false);
		c = mem_alloc(1, sizeof(*c));
		c->index = index;
		c->recheck_ns = INT64_MIN;
		e->conns[index] = c;
		e->conns_count++;
	}
	ends_link(e, c);
	return c;
}

static struct ends_pair *ends_pair_find(const struct ends_conn *c, uint32_t other)
{
	struct ends_pair *pair = c->pairs;

	while (pair && pair->other != other)
		pair = pair->next;
	return pair;
}

static struct ends_pair *ends_pair_get(const struct ends *e, struct ends_conn *c, uint32_t speaker,
				       uint32_t other)
{
	struct ends_pair *pair = ends_pair_find(c, other);

	if (pair)
		return pair;
	pair = mem_alloc(1, sizeof(*pair));
	pair->conn = c;
	pair->other = other;
	if (!survey_span(e->survey, speaker, &pair->first_ns[WIRE_SPEAKER],
			 &pair->last_ns[WIRE_SPEAKER]) ||
	    !survey_span(e->survey, other, &pair->first_ns[WIRE_OTHER],
			 &pair->last_ns[WIRE_OTHER])) {
		free(pair);
		return NULL;
	}
	pair->next = c->pairs;
	c->pairs = pair;
	return pair;
}

/* Captures that ended long ago are done with; those that have begun, or soon will, are added. */
static void ends_check_pairs(struct ends *e, struct ends_conn *c, uint32_t speaker,
			     const struct endpoint *src, const struct endpoint *dst)
{
	uint32_t others[ENDS_PAIRS_MAX];
	size_t count = survey_watchers(e->survey, speaker, src, dst, others, ENDS_PAIRS_MAX);

	c->recheck_ns = survey_add_ns(e->now_ns, ENDS_WAIT_NS);
	for (struct ends_pair **p = &c->pairs; *p;) {
		if (survey_add_ns((*p)->last_ns[WIRE_OTHER], ENDS_WAIT_NS) < e->now_ns)
			ends_drop_pair(e, p, true);
		else
			p = &(*p)->next;
	}
	for (size_t i = 0; i < count; i++) {
		int64_t first_ns, last_ns;

		if (survey_span(e->survey, others[i], &first_ns, &last_ns) &&
		    survey_add_ns(first_ns, -2 * ENDS_WAIT_NS) <= e->now_ns &&
		    e->now_ns <= survey_add_ns(last_ns, ENDS_WAIT_NS))
			ends_pair_get(e, c, speaker, others[i]);
	}
}

/* What a frame of the speaker's tells of the connection. */
static void ends_take_conn(struct ends *e, struct ends_conn *c, const struct survey_answer *answer,
			   const struct conn *conn, const struct endpoint *src,
			   const struct endpoint *dst)
{
	bool high = endpoint_compare(src, dst) > 0;

	c->conn = *conn;
	c->has_conn = true;
	c->flip = high != answer->high;
	if (e->now_ns >= c->recheck_ns)
		ends_check_pairs(e, c, answer->speaker, src, dst);
}

static void ends_place_any(struct ends *e, struct ends_pair *pair, uint8_t side, bool high,
			   const struct provenance *at, const struct packet *packet)
{
	if (packet->kind == PACKET_TCP)
		ends_place(e, pair, side, high, at, packet);
	else
		ends_place_datagram(e, pair, side, high, at, packet);
}

void ends_take(struct ends *e, const struct survey_answer *answer, const struct provenance *at,
	       const struct packet *packet, const struct conn *conn, bool is_rpc)
{
	struct ends_conn *c = ends_conn_get(e, answer->conn);
	struct endpoint src = {.port = packet->src_port}, dst = {.port = packet->dst_port};
	int64_t now_ns = survey_add_ns(at->at.ns, survey_shift_ns(e->survey, at->evidence));
	struct ends_pair *pair;

	if (stamp_known(at->at) && now_ns > e->now_ns)
		e->now_ns = now_ns;
	ends_place_late(e);
	if (conn && !is_rpc)
		c->off = true;
	if (c->off) {
		while (c->pairs)
			ends_drop_pair(e, &c->pairs, false);
		return;
	}
	memcpy(src.addr, packet->src, sizeof(src.addr));
	memcpy(dst.addr, packet->dst, sizeof(dst.addr));
	if (conn) {
		ends_take_conn(e, c, answer, conn, &src, &dst);
		for (pair = c->pairs; pair; pair = pair->next)
			ends_place_any(e, pair, WIRE_SPEAKER, answer->high, at, packet);
		return;
	}
	pair = ends_pair_get(e, c, answer->speaker, at->evidence);
	if (!pair)
		return;
	pair->ends[answer->high] = src;
	pair->ends[!answer->high] = dst;
	ends_place_any(e, pair, WIRE_OTHER, answer->high, at, packet);
}
