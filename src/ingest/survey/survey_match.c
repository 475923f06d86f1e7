// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which connections of several captures are one: the matching part of survey.h.
 *
 * All samples are sorted by their key; connections of different captures that share one become one
 * group (union-find). Where the endpoints are not the same, several shared segments are asked for:
 * addresses or ports are translated on the way (NAT).
 */
#include <stdlib.h>

#include "ingest/survey/survey_private.h"

/* Sequence numbers, timestamps and first bytes that are the same twice are so by no accident. */
enum { MATCH_TRANSLATED_MIN = 2 };

/* Two connections with different endpoints that share a segment. */
struct match_candidate {
	uint32_t a;
	uint32_t b;
	bool flip;
};

static int match_entry_compare(const void *a, const void *b)
{
	const struct survey_entry *x = a;
	const struct survey_entry *y = b;

	if (x->group != y->group)
		return survey_compare_u64(x->group, y->group);
	return x->key != y->key ? survey_compare_u64(x->key, y->key)
				: survey_compare_u64(x->conn, y->conn);
}

static int match_candidate_compare(const void *a, const void *b)
{
	const struct match_candidate *x = a;
	const struct match_candidate *y = b;

	if (x->a != y->a)
		return survey_compare_u64(x->a, y->a);
	return x->b != y->b ? survey_compare_u64(x->b, y->b) : (int)x->flip - (int)y->flip;
}

uint32_t survey_root(const struct survey *s, uint32_t index, bool *flip)
{
	uint32_t root = index;
	bool odd = false;

	for (; survey_conn_at(s, root)->group != root; root = survey_conn_at(s, root)->group)
		odd ^= survey_conn_at(s, root)->flip;
	*flip = odd;
	while (index != root) {
		struct survey_conn *conn = survey_conn_at(s, index);
		bool own = conn->flip;

		index = conn->group;
		conn->group = root;
		conn->flip = odd;
		odd ^= own;
	}
	return root;
}

/* flip: the lower endpoint of a is the higher one of b. */
static void match_union(const struct survey *s, uint32_t a, uint32_t b, bool flip)
{
	bool a_flip, b_flip;
	struct survey_conn *conn;

	a = survey_root(s, a, &a_flip);
	b = survey_root(s, b, &b_flip);
	if (a == b)
		return;
	/* the lower index stands for both: no order of samples matters */
	conn = survey_conn_at(s, a < b ? b : a);
	conn->group = a < b ? a : b;
	conn->flip = a_flip ^ b_flip ^ flip;
}

static void match_sort(struct vec *entries)
{
	if (entries->len > 0)
		qsort(entries->items, entries->len, sizeof(struct survey_entry),
		      match_entry_compare);
}

/* Every sample, sorted; the connections' own are no longer needed. */
static void match_collect(struct survey *s, struct vec *entries)
{
	vec_init(entries, sizeof(struct survey_entry));
	for (uint32_t i = 0; i < s->conns.len; i++) {
		struct survey_conn *conn = survey_conn_at(s, i);

		for (uint32_t j = 0; j < conn->sample_count; j++) {
			*(struct survey_entry *)vec_push(entries) = (struct survey_entry){
				.key = conn->samples[j].key,
				.at_ns = conn->samples[j].at_ns,
				.prefix = conn->samples[j].prefix,
				.high = conn->samples[j].high,
				.conn = i,
			};
		}
		free(conn->samples);
		conn->samples = NULL;
		conn->sample_count = 0;
	}
	match_sort(entries);
}

/* True when two entries look like one segment in two captures. */
static bool match_is_same(const struct survey *s, const struct survey_entry *a,
			  const struct survey_entry *b)
{
	return a->key == b->key && (a->prefix == b->prefix || a->prefix == 0 || b->prefix == 0) &&
	       survey_conn_at(s, a->conn)->evidence != survey_conn_at(s, b->conn)->evidence;
}

bool survey_same_segment(const struct survey *s, const struct survey_entry *a,
			 const struct survey_entry *b)
{
	return a->group == b->group && match_is_same(s, a, b);
}

static bool match_same_tuple(const struct survey *s, const struct survey_entry *a,
			     const struct survey_entry *b)
{
	return survey_conn_at(s, a->conn)->tuple == survey_conn_at(s, b->conn)->tuple;
}

/* Joins what shares several segments though its endpoints differ. */
static void match_translated(const struct survey *s, struct vec *candidates)
{
	const struct match_candidate *c = candidates->items;

	if (candidates->len == 0)
		return;
	qsort(candidates->items, candidates->len, sizeof(*c), match_candidate_compare);
	for (size_t i = 0, end; i < candidates->len; i = end) {
		for (end = i; end < candidates->len && match_candidate_compare(&c[i], &c[end]) == 0;
		     end++)
			;
		if (end - i >= MATCH_TRANSLATED_MIN)
			match_union(s, c[i].a, c[i].b, c[i].flip);
	}
}

void survey_match(struct survey *s, struct vec *entries)
{
	struct survey_entry *e;
	struct vec candidates;

	match_collect(s, entries);
	vec_init(&candidates, sizeof(struct match_candidate));
	e = entries->items;
	for (size_t i = 1; i < entries->len; i++) {
		if (!match_is_same(s, &e[i - 1], &e[i]))
			continue;
		if (match_same_tuple(s, &e[i - 1], &e[i]))
			match_union(s, e[i - 1].conn, e[i].conn, false);
		else
			*(struct match_candidate *)vec_push(&candidates) = (struct match_candidate){
				e[i - 1].conn, e[i].conn, e[i - 1].high != e[i].high};
	}
	match_translated(s, &candidates);
	vec_deinit(&candidates);
	for (uint32_t i = 0; i < s->conns.len; i++) {
		bool flip;

		survey_root(s, i, &flip);
	}
	for (size_t i = 0; i < entries->len; i++)
		e[i].group = survey_conn_at(s, e[i].conn)->group;
	match_sort(entries);
}
