// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Who speaks: the deciding half of survey.h. In each group of connections that are the same
 * (survey_match.c) the capture that holds most of it speaks.
 */
#include <stdlib.h>

#include "ingest/survey/survey_private.h"

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
		return survey_compare_u64(x->group, y->group);
	if (x->evidence != y->evidence)
		return survey_compare_u64(x->evidence, y->evidence);
	return survey_compare_u64(x->conn, y->conn);
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
				settle_share(shares, survey_conn_at(s, entries[j].conn)->evidence);
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
			spoken |= survey_conn_at(s, entries[end].conn)->evidence == speaker;
		for (size_t j = i; j < end && spoken && end - i > 1; j++) {
			struct survey_share *share =
				settle_share(shares, survey_conn_at(s, entries[j].conn)->evidence);

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
		const struct survey_conn *conn = survey_conn_at(s, members[i].conn);

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
		survey_conn_at(s, members[i].conn)->speaker =
			share ? share->speaker : members[i].evidence;
	}
	vec_deinit(&shares);
}

/* How many connections each capture shows. */
static void settle_count_conns(struct survey *s)
{
	for (uint32_t i = 0; i < s->conns.len; i++) {
		uint32_t evidence = survey_conn_at(s, i)->evidence;

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
			.group = survey_conn_at(s, i)->group,
			.evidence = survey_conn_at(s, i)->evidence,
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

/* Connections of one tuple next to each other, by evidence; a capture's own are in frame order. */
static void settle_order(struct survey *s)
{
	struct vec members;
	const struct settle_member *m;

	vec_init(&members, sizeof(struct settle_member));
	for (uint32_t i = 0; i < s->conns.len; i++) {
		const struct survey_conn *conn = survey_conn_at(s, i);

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

	survey_match(s, &entries);
	settle_count_conns(s);
	settle_groups(s, &entries);
	survey_pair_up(s, &entries);
	settle_order(s);
	vec_deinit(&entries);
}
