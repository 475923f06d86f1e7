// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Who speaks: the deciding half of survey.h.
 *
 * All samples are sorted by their key; connections of different captures that share one become one
 * group (union-find). In each group the capture that holds most of it speaks.
 */
#include <stdlib.h>

#include "ingest/survey_private.h"

/* A sample with the connection that has it. */
struct survey_entry {
	uint32_t group; /* of the connection, once known */
	uint64_t key;
	int64_t at_ns;
	uint32_t prefix;
	uint32_t conn;
};

/* How far apart one segment's stamps in two captures are. */
struct survey_delta {
	uint32_t silent;
	uint32_t speaker;
	int64_t ns;
};

#define SETTLE_UNDECIDED UINT32_MAX

/* What one capture holds of a group. */
struct survey_share {
	uint32_t evidence;
	uint32_t speaker; /* evidence; SETTLE_UNDECIDED at first */
	uint64_t payload_bytes;
	uint64_t packets;
	uint64_t conn_count; /* connections that the capture shows in all */
	bool has_common;     /* first_ns and last_ns are valid */
	int64_t first_ns;    /* of the segments that another capture of the group holds too */
	int64_t last_ns;
};

/*
 * Captures whose payloads differ by less than one part in so many are as full as each other; nearly
 * so by the other number.
 */
enum { SHARE_AS_FULL = 64, SHARE_NEARLY_AS_FULL = 8 };

/* Between the same segments no two sound clocks differ by more than this and one part in so many.
 */
#define CLOCK_STOOD_STILL_NS STAMP_NS_PER_S
enum { CLOCK_DRIFT_PARTS = 1000 };

static int compare_u64(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int survey_entry_compare(const void *a, const void *b)
{
	const struct survey_entry *x = a;
	const struct survey_entry *y = b;

	if (x->group != y->group)
		return compare_u64(x->group, y->group);
	return x->key != y->key ? compare_u64(x->key, y->key) : compare_u64(x->conn, y->conn);
}

static int survey_delta_compare(const void *a, const void *b)
{
	const struct survey_delta *x = a;
	const struct survey_delta *y = b;

	if (x->silent != y->silent)
		return compare_u64(x->silent, y->silent);
	if (x->speaker != y->speaker)
		return compare_u64(x->speaker, y->speaker);
	return x->ns < y->ns ? -1 : x->ns > y->ns;
}

static struct survey_conn *settle_conn(const struct survey *s, uint32_t index)
{
	return vec_at(&s->conns, index);
}

/* The connection that stands for a group; shortens the way to it. */
static uint32_t settle_root(const struct survey *s, uint32_t index)
{
	struct survey_conn *conn = settle_conn(s, index);

	while (conn->group != index) {
		conn->group = settle_conn(s, conn->group)->group;
		index = conn->group;
		conn = settle_conn(s, index);
	}
	return index;
}

static void settle_union(const struct survey *s, uint32_t a, uint32_t b)
{
	a = settle_root(s, a);
	b = settle_root(s, b);
	/* the lower index stands for both: no order of samples matters */
	if (a < b)
		settle_conn(s, b)->group = a;
	else
		settle_conn(s, a)->group = b;
}

static void settle_sort(struct vec *entries)
{
	if (entries->len > 0)
		qsort(entries->items, entries->len, sizeof(struct survey_entry),
		      survey_entry_compare);
}

/* Every sample, sorted; the connections' own are no longer needed. */
static void settle_collect(struct survey *s, struct vec *entries)
{
	vec_init(entries, sizeof(struct survey_entry));
	for (uint32_t i = 0; i < s->conns.len; i++) {
		struct survey_conn *conn = settle_conn(s, i);

		for (uint32_t j = 0; j < conn->sample_count; j++) {
			*(struct survey_entry *)vec_push(entries) = (struct survey_entry){
				.key = conn->samples[j].key,
				.at_ns = conn->samples[j].at_ns,
				.prefix = conn->samples[j].prefix,
				.conn = i,
			};
		}
		free(conn->samples);
		conn->samples = NULL;
		conn->sample_count = 0;
	}
	settle_sort(entries);
}

/* True when two entries are one segment in two captures. */
static bool settle_same_segment(const struct survey *s, const struct survey_entry *a,
				const struct survey_entry *b)
{
	return a->key == b->key && (a->prefix == b->prefix || a->prefix == 0 || b->prefix == 0) &&
	       settle_conn(s, a->conn)->evidence != settle_conn(s, b->conn)->evidence;
}

/* Makes groups; afterwards the entries are in the order of the groups. */
static void settle_match(const struct survey *s, struct vec *entries)
{
	struct survey_entry *e = entries->items;

	for (size_t i = 1; i < entries->len; i++) {
		if (settle_same_segment(s, &e[i - 1], &e[i]))
			settle_union(s, e[i - 1].conn, e[i].conn);
	}
	for (size_t i = 0; i < entries->len; i++)
		e[i].group = settle_root(s, e[i].conn);
	settle_sort(entries);
}

static bool survey_share_as_full(const struct survey_share *a, const struct survey_share *b,
				 uint64_t parts)
{
	uint64_t more = a->payload_bytes > b->payload_bytes ? a->payload_bytes : b->payload_bytes;
	uint64_t less = a->payload_bytes > b->payload_bytes ? b->payload_bytes : a->payload_bytes;

	return more - less <= more / parts;
}

/*
 * True when b's clock stood still for a while, as that of a paused virtual machine does: between
 * the same segments more time went by for a.
 */
static bool survey_share_stood_still(const struct survey_share *a, const struct survey_share *b)
{
	int64_t a_ns = a->last_ns - a->first_ns;
	int64_t b_ns = b->last_ns - b->first_ns;

	return a->has_common && b->has_common &&
	       a_ns - b_ns > CLOCK_STOOD_STILL_NS + a_ns / CLOCK_DRIFT_PARTS;
}

/*
 * Fuller first, but no clock that stood still where another capture is nearly as full. Of those
 * that are as full, the one that shows more connections: it puts more hosts under one clock, as a
 * server's capture does. Then the lower index.
 */
static bool survey_share_fuller(const struct survey_share *a, const struct survey_share *b)
{
	if (survey_share_as_full(a, b, SHARE_NEARLY_AS_FULL)) {
		if (survey_share_stood_still(a, b))
			return true;
		if (survey_share_stood_still(b, a))
			return false;
	}
	if (survey_share_as_full(a, b, SHARE_AS_FULL) && a->conn_count != b->conn_count)
		return a->conn_count > b->conn_count;
	if (a->payload_bytes != b->payload_bytes)
		return a->payload_bytes > b->payload_bytes;
	if (a->packets != b->packets)
		return a->packets > b->packets;
	return a->evidence < b->evidence;
}

/* Connections by group, then by evidence. */
struct settle_member {
	uint32_t group;
	uint32_t evidence;
	uint32_t conn;
};

static int settle_member_compare(const void *a, const void *b)
{
	const struct settle_member *x = a;
	const struct settle_member *y = b;

	if (x->group != y->group)
		return compare_u64(x->group, y->group);
	if (x->evidence != y->evidence)
		return compare_u64(x->evidence, y->evidence);
	return compare_u64(x->conn, y->conn);
}

/* The fullest capture of which nothing is decided yet, or NULL. */
static struct survey_share *settle_fullest(const struct vec *shares)
{
	struct survey_share *best = NULL;

	for (size_t i = 0; i < shares->len; i++) {
		struct survey_share *share = vec_at(shares, i);

		if (share->speaker == SETTLE_UNDECIDED &&
		    (!best || survey_share_fuller(share, best)))
			best = share;
	}
	return best;
}

static struct survey_share *settle_share(const struct vec *shares, uint32_t evidence)
{
	for (size_t i = 0; i < shares->len; i++) {
		struct survey_share *share = vec_at(shares, i);

		if (share->evidence == evidence)
			return share;
	}
	return NULL;
}

/* From when to when, by each capture's clock, the segments were that several captures hold. */
static void settle_spans(const struct survey *s, const struct vec *shares,
			 const struct survey_entry *entries, size_t count)
{
	for (size_t i = 0, end; i < count; i = end) {
		for (end = i; end < count && entries[end].key == entries[i].key; end++)
			;
		for (size_t j = i; j < end && end - i > 1; j++) {
			struct survey_share *share =
				settle_share(shares, settle_conn(s, entries[j].conn)->evidence);
			int64_t at_ns = entries[j].at_ns;

			if (!share)
				continue;
			if (!share->has_common || at_ns < share->first_ns)
				share->first_ns = at_ns;
			if (!share->has_common || at_ns > share->last_ns)
				share->last_ns = at_ns;
			share->has_common = true;
		}
	}
}

/* The speaker silences every other capture that has one of its segments. */
static void settle_silence(const struct survey *s, const struct vec *shares, uint32_t speaker,
			   const struct survey_entry *entries, size_t count)
{
	for (size_t i = 0, end; i < count; i = end) {
		bool spoken = false;

		for (end = i; end < count && entries[end].key == entries[i].key; end++)
			spoken |= settle_conn(s, entries[end].conn)->evidence == speaker;
		for (size_t j = i; j < end && spoken && end - i > 1; j++) {
			struct survey_share *share =
				settle_share(shares, settle_conn(s, entries[j].conn)->evidence);

			if (share && share->speaker == SETTLE_UNDECIDED)
				share->speaker = speaker;
		}
	}
}

/*
 * Decides about one group. The fullest capture speaks; of those that share nothing with it (they
 * are here because a third one overlaps both, as rotated files of two hosts do) the fullest speaks
 * too.
 */
static void settle_group(const struct survey *s, const struct settle_member *members,
			 size_t member_count, const struct survey_entry *entries,
			 size_t entry_count)
{
	struct survey_share *share = NULL;
	struct vec shares;

	vec_init(&shares, sizeof(*share));
	for (size_t i = 0; i < member_count; i++) {
		const struct survey_conn *conn = settle_conn(s, members[i].conn);

		if (!share || share->evidence != members[i].evidence) {
			share = vec_push(&shares);
			share->evidence = members[i].evidence;
			share->speaker = SETTLE_UNDECIDED;
			share->conn_count = *(uint64_t *)vec_at(&s->conn_counts, share->evidence);
		}
		share->payload_bytes += conn->payload_bytes;
		share->packets += conn->packets;
	}
	settle_spans(s, &shares, entries, entry_count);
	while ((share = settle_fullest(&shares))) {
		share->speaker = share->evidence;
		if (shares.len > 1)
			settle_silence(s, &shares, share->evidence, entries, entry_count);
	}
	for (size_t i = 0; i < member_count; i++) {
		share = settle_share(&shares, members[i].evidence);
		settle_conn(s, members[i].conn)->speaker =
			share ? share->speaker : members[i].evidence;
	}
	vec_deinit(&shares);
}

/* How many connections each capture shows. */
static void settle_count_conns(struct survey *s)
{
	for (uint32_t i = 0; i < s->conns.len; i++) {
		uint32_t evidence = settle_conn(s, i)->evidence;

		while (s->conn_counts.len <= evidence)
			vec_push(&s->conn_counts);
		++*(uint64_t *)vec_at(&s->conn_counts, evidence);
	}
}

/* Goes through members and entries, which are both in the order of the groups. */
static void settle_groups(const struct survey *s, const struct vec *entries)
{
	const struct survey_entry *e = entries->items;
	const struct settle_member *m;
	struct vec members;
	size_t at = 0;

	vec_init(&members, sizeof(*m));
	for (uint32_t i = 0; i < s->conns.len; i++) {
		*(struct settle_member *)vec_push(&members) = (struct settle_member){
			.group = settle_root(s, i),
			.evidence = settle_conn(s, i)->evidence,
			.conn = i,
		};
	}
	if (members.len > 0)
		qsort(members.items, members.len, sizeof(*m), settle_member_compare);
	m = members.items;
	for (size_t i = 0, end; i < members.len; i = end) {
		size_t entry_start;

		for (end = i + 1; end < members.len && m[end].group == m[i].group; end++)
			;
		while (at < entries->len && e[at].group < m[i].group)
			at++;
		entry_start = at;
		while (at < entries->len && e[at].group == m[i].group)
			at++;
		settle_group(s, m + i, end - i, entries->items ? e + entry_start : NULL,
			     at - entry_start);
	}
	vec_deinit(&members);
}

/* Notes how far apart the stamps of a segment are, if one of the two speaks for the other. */
static void settle_add_delta(const struct survey *s, const struct survey_entry *a,
			     const struct survey_entry *b, struct vec *deltas)
{
	const struct survey_conn *x = settle_conn(s, a->conn);
	const struct survey_conn *y = settle_conn(s, b->conn);
	struct survey_delta delta = {.silent = x->evidence, .speaker = y->evidence};

	if (x->speaker != y->evidence) {
		if (y->speaker != x->evidence)
			return;
		delta = (struct survey_delta){.silent = y->evidence, .speaker = x->evidence};
		if (!__builtin_sub_overflow(a->at_ns, b->at_ns, &delta.ns))
			*(struct survey_delta *)vec_push(deltas) = delta;
		return;
	}
	if (!__builtin_sub_overflow(b->at_ns, a->at_ns, &delta.ns))
		*(struct survey_delta *)vec_push(deltas) = delta;
}

static int survey_pair_compare(const void *a, const void *b)
{
	const struct survey_pair *x = a;
	const struct survey_pair *y = b;

	if (x->silent != y->silent)
		return compare_u64(x->silent, y->silent);
	return compare_u64(x->speaker, y->speaker);
}

/* Pairs of captures, with the number of connections that one leaves to the other. */
static void settle_count_pairs(struct survey *s)
{
	for (uint32_t i = 0; i < s->conns.len; i++) {
		const struct survey_conn *conn = settle_conn(s, i);
		struct survey_pair *pair = NULL;

		if (conn->speaker == conn->evidence)
			continue;
		for (size_t j = 0; j < s->pairs.len && !pair; j++) {
			struct survey_pair *other = vec_at(&s->pairs, j);

			if (other->silent == conn->evidence && other->speaker == conn->speaker)
				pair = other;
		}
		if (!pair) {
			pair = vec_push(&s->pairs);
			pair->silent = conn->evidence;
			pair->speaker = conn->speaker;
		}
		pair->conn_count++;
	}
	if (s->pairs.len > 0)
		qsort(s->pairs.items, s->pairs.len, sizeof(struct survey_pair),
		      survey_pair_compare);
}

/* Both lists are sorted by silent and speaker: each pair's median. */
static void settle_clocks(struct survey *s, const struct vec *entries)
{
	const struct survey_entry *e = entries->items;
	const struct survey_delta *d;
	struct vec deltas;
	size_t at = 0;

	vec_init(&deltas, sizeof(struct survey_delta));
	for (size_t i = 1; i < entries->len; i++) {
		if (settle_same_segment(s, &e[i - 1], &e[i]))
			settle_add_delta(s, &e[i - 1], &e[i], &deltas);
	}
	if (deltas.len > 0)
		qsort(deltas.items, deltas.len, sizeof(*d), survey_delta_compare);
	d = deltas.items;
	for (size_t i = 0; i < s->pairs.len; i++) {
		struct survey_pair *pair = vec_at(&s->pairs, i);
		size_t start;

		while (at < deltas.len &&
		       (d[at].silent < pair->silent ||
			(d[at].silent == pair->silent && d[at].speaker < pair->speaker)))
			at++;
		start = at;
		while (at < deltas.len && d[at].silent == pair->silent &&
		       d[at].speaker == pair->speaker)
			at++;
		pair->sample_count = at - start;
		if (at > start)
			pair->clock_delta_ns = d[start + (at - start) / 2].ns;
	}
	vec_deinit(&deltas);
}

/* Connections of one tuple next to each other, by evidence; a capture's own are in frame order. */
static void settle_order(struct survey *s)
{
	struct vec members;
	const struct settle_member *m;

	vec_init(&members, sizeof(struct settle_member));
	for (uint32_t i = 0; i < s->conns.len; i++) {
		const struct survey_conn *conn = settle_conn(s, i);

		*(struct settle_member *)vec_push(&members) = (struct settle_member){
			.group = conn->tuple,
			.evidence = conn->evidence,
			.conn = i,
		};
	}
	if (members.len > 0)
		qsort(members.items, members.len, sizeof(*m), settle_member_compare);
	m = members.items;
	for (size_t i = 0; i < members.len; i++) {
		struct survey_tuple *tuple =
			*(struct survey_tuple **)vec_at(&s->tuple_list, m[i].group);

		if (tuple->conn_count++ == 0)
			tuple->conn_at = (uint32_t)i;
		*(uint32_t *)vec_push(&s->order) = m[i].conn;
	}
	vec_deinit(&members);
}

void survey_settle(struct survey *s)
{
	struct vec entries;

	settle_collect(s, &entries);
	settle_match(s, &entries);
	settle_count_conns(s);
	settle_groups(s, &entries);
	settle_count_pairs(s);
	settle_clocks(s, &entries);
	settle_order(s);
	vec_deinit(&entries);
}
