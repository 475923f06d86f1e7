// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What captures have to do with each other, once it is known who speaks: how many connections one
 * leaves to the other, how far apart their clocks are, and which hosts both watch. See survey.h.
 */
#include <stdlib.h>

#include "ingest/survey/survey_private.h"

/* Below this many common segments the difference of two clocks is not trusted. */
enum { PAIR_SAMPLES_MIN = 4 };

/* How far apart one segment's stamps in two captures are. */
struct survey_delta {
	uint32_t silent;
	uint32_t speaker;
	int64_t ns;
};

/* Connections by group and evidence. */
struct pair_member {
	uint32_t group;
	uint32_t evidence;
	uint32_t conn;
};

static int survey_delta_compare(const void *a, const void *b)
{
	const struct survey_delta *x = a;
	const struct survey_delta *y = b;

	if (x->silent != y->silent)
		return survey_compare_u64(x->silent, y->silent);
	if (x->speaker != y->speaker)
		return survey_compare_u64(x->speaker, y->speaker);
	return x->ns < y->ns ? -1 : x->ns > y->ns;
}

static int pair_member_compare(const void *a, const void *b)
{
	const struct pair_member *x = a;
	const struct pair_member *y = b;

	if (x->group != y->group)
		return survey_compare_u64(x->group, y->group);
	if (x->evidence != y->evidence)
		return survey_compare_u64(x->evidence, y->evidence);
	return survey_compare_u64(x->conn, y->conn);
}

static int pair_shared_compare(const void *a, const void *b)
{
	const struct survey_shared *x = a;
	const struct survey_shared *y = b;
	int order = survey_compare_u64(x->evidence, y->evidence);

	if (order == 0)
		order = memcmp(x->low.addr, y->low.addr, IDENT_ADDR_BYTES);
	if (order == 0)
		order = memcmp(x->high.addr, y->high.addr, IDENT_ADDR_BYTES);
	if (order == 0)
		order = survey_compare_u64(x->other, y->other);
	if (order == 0)
		order = survey_compare_u64(x->low.port, y->low.port);
	return order ? order : survey_compare_u64(x->high.port, y->high.port);
}

/* Notes how far apart the stamps of a segment are, if one of the two speaks for the other. */
static void pair_add_delta(const struct survey *s, const struct survey_entry *a,
			   const struct survey_entry *b, struct vec *deltas)
{
	const struct survey_conn *x = survey_conn_at(s, a->conn);
	const struct survey_conn *y = survey_conn_at(s, b->conn);
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
		return survey_compare_u64(x->silent, y->silent);
	return survey_compare_u64(x->speaker, y->speaker);
}

/* Pairs of captures, with the number of connections that one leaves to the other. */
static void pair_count(struct survey *s)
{
	for (uint32_t i = 0; i < s->conns.len; i++) {
		const struct survey_conn *conn = survey_conn_at(s, i);
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
static void pair_clocks(struct survey *s, const struct vec *entries)
{
	const struct survey_entry *e = entries->items;
	const struct survey_delta *d;
	struct vec deltas;
	size_t at = 0;

	vec_init(&deltas, sizeof(struct survey_delta));
	for (size_t i = 1; i < entries->len; i++) {
		if (survey_same_segment(s, &e[i - 1], &e[i]))
			pair_add_delta(s, &e[i - 1], &e[i], &deltas);
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

/* The group's connection in the capture that speaks, or NULL. */
static const struct survey_conn *pair_speaker_conn(const struct survey *s,
						   const struct vec *members,
						   const struct survey_conn *conn)
{
	size_t low = 0;
	size_t high = members->len;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct pair_member *m = vec_at(members, middle);

		if (m->group < conn->group ||
		    (m->group == conn->group && m->evidence < conn->speaker))
			low = middle + 1;
		else
			high = middle;
	}
	if (low < members->len) {
		const struct pair_member *m = vec_at(members, low);

		if (m->group == conn->group && m->evidence == conn->speaker)
			return survey_conn_at(s, m->conn);
	}
	return NULL;
}

static struct survey_pair *pair_find(const struct survey *s, uint32_t silent, uint32_t speaker)
{
	for (size_t i = 0; i < s->pairs.len; i++) {
		struct survey_pair *pair = vec_at(&s->pairs, i);

		if (pair->silent == silent && pair->speaker == speaker)
			return pair;
	}
	return NULL;
}

static void pair_add_shared(struct survey *s, const struct survey_conn *conn, uint32_t other)
{
	const struct survey_tuple *tuple = survey_tuple_at(s, conn->tuple);

	*(struct survey_shared *)vec_push(&s->shared) = (struct survey_shared){
		.evidence = conn->evidence, .other = other, .low = tuple->low, .high = tuple->high};
}

/* The ends of a connection that one capture shows otherwise than the other, in the same order. */
static void pair_note_translated(const struct survey *s, const struct survey_conn *silent,
				 const struct survey_conn *speaker)
{
	struct survey_pair *pair = pair_find(s, silent->evidence, silent->speaker);
	const struct survey_tuple *a = survey_tuple_at(s, silent->tuple);
	const struct survey_tuple *b = survey_tuple_at(s, speaker->tuple);
	bool flip = silent->flip != speaker->flip;

	if (!pair || a == b || pair->translated_count++)
		return;
	pair->silent_ends[0] = a->low;
	pair->silent_ends[1] = a->high;
	pair->speaker_ends[0] = flip ? b->high : b->low;
	pair->speaker_ends[1] = flip ? b->low : b->high;
}

/* Which hosts two captures both watch: sorted, each once. */
static void pair_share(struct survey *s, const struct vec *members)
{
	size_t kept = 0;

	for (uint32_t i = 0; i < s->conns.len; i++) {
		const struct survey_conn *conn = survey_conn_at(s, i);
		const struct survey_conn *speaker;

		if (conn->speaker == conn->evidence)
			continue;
		speaker = pair_speaker_conn(s, members, conn);
		if (!speaker)
			continue;
		pair_note_translated(s, conn, speaker);
		pair_add_shared(s, conn, conn->speaker);
		pair_add_shared(s, speaker, conn->evidence);
	}
	if (s->shared.len == 0)
		return;
	qsort(s->shared.items, s->shared.len, s->shared.item_bytes, pair_shared_compare);
	for (size_t i = 1; i < s->shared.len; i++) {
		const struct survey_shared *shared = vec_at(&s->shared, i);

		if (pair_shared_compare(vec_at(&s->shared, kept), shared) != 0)
			*(struct survey_shared *)vec_at(&s->shared, ++kept) = *shared;
	}
	s->shared.len = kept + 1;
}

size_t survey_watchers(const struct survey *s, uint32_t evidence, const struct endpoint *a,
		       const struct endpoint *b, uint32_t *others, size_t max)
{
	bool swap = endpoint_compare(a, b) > 0;
	struct survey_shared key = {
		.evidence = evidence, .low = swap ? *b : *a, .high = swap ? *a : *b};
	uint16_t ports[2] = {key.low.port, key.high.port};
	size_t low = 0, high = s->shared.len, count = 0;

	key.low.port = key.high.port = 0;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (pair_shared_compare(vec_at(&s->shared, middle), &key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < s->shared.len && count < max; low++) {
		const struct survey_shared *shared = vec_at(&s->shared, low);

		if (shared->evidence != evidence || !endpoint_same_host(&shared->low, &key.low) ||
		    !endpoint_same_host(&shared->high, &key.high))
			break;
		if ((shared->low.port == ports[0] || shared->high.port == ports[1]) &&
		    !(count && others[count - 1] == shared->other))
			others[count++] = shared->other;
	}
	return count;
}

/* One more link; false when there is none. */
static bool pair_shift_next(struct survey *s)
{
	bool found = false;

	for (size_t i = 0; i < s->pairs.len; i++) {
		const struct survey_pair *p = vec_at(&s->pairs, i);
		struct survey_file *silent = survey_file_of(s, p->silent);
		struct survey_file *speaker = survey_file_of(s, p->speaker);

		if (p->sample_count < PAIR_SAMPLES_MIN || !silent || !speaker ||
		    silent->has_shift == speaker->has_shift)
			continue;
		if (speaker->has_shift)
			silent->shift_ns = survey_add_ns(speaker->shift_ns, p->clock_delta_ns);
		else
			speaker->shift_ns = survey_add_ns(silent->shift_ns, -p->clock_delta_ns);
		silent->has_shift = speaker->has_shift = found = true;
	}
	return found;
}

/*
 * From the lowest numbered capture of those that are linked by common segments, link by link: each
 * adds its own uncertainty, and an order is all that is wanted.
 */
static void pair_shift(struct survey *s)
{
	for (size_t i = 0; i < s->files.len; i++) {
		struct survey_file *file = vec_at(&s->files, i);

		if (!file->is_here || file->has_shift)
			continue;
		file->has_shift = true;
		while (pair_shift_next(s))
			;
	}
}

int64_t survey_shift_ns(const struct survey *s, uint32_t evidence)
{
	const struct survey_file *file = survey_file_of(s, evidence);

	return file ? file->shift_ns : 0;
}

bool survey_span(const struct survey *s, uint32_t evidence, int64_t *first_ns, int64_t *last_ns)
{
	const struct survey_file *file = survey_file_of(s, evidence);

	if (!file || !stamp_known(file->first))
		return false;
	*first_ns = survey_add_ns(file->first.ns, file->shift_ns);
	*last_ns = file->partial ? INT64_MAX : survey_add_ns(file->last.ns, file->shift_ns);
	return true;
}

/* Takes the time of another member away from what a silent one may tell alone. */
static void pair_cover(const struct survey *s, struct survey_conn *conn,
		       const struct survey_conn *other, bool *any)
{
	int64_t first_ns, last_ns, other_first_ns, other_last_ns;
	bool yields = other->speaker == other->evidence || other->evidence < conn->evidence;

	if (!yields || other->evidence == conn->evidence ||
	    !survey_span(s, conn->evidence, &first_ns, &last_ns) ||
	    !survey_span(s, other->evidence, &other_first_ns, &other_last_ns) ||
	    other_last_ns < first_ns || other_first_ns > last_ns)
		return;
	other_first_ns = survey_add_ns(other_first_ns, -SURVEY_GAP_NS);
	other_last_ns = survey_add_ns(other_last_ns, SURVEY_GAP_NS);
	if (!*any || other_first_ns < conn->alone_before_ns)
		conn->alone_before_ns = other_first_ns;
	if (!*any || other_last_ns > conn->alone_after_ns)
		conn->alone_after_ns = other_last_ns;
	*any = true;
}

/* Members of one group: where nobody else was running, one that is silent speaks. */
static void pair_fill_gaps(struct survey *s, const struct pair_member *m, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct survey_conn *conn = survey_conn_at(s, m[i].conn);
		struct survey_pair *pair = pair_find(s, conn->evidence, conn->speaker);
		int64_t first_ns, last_ns;
		bool any = false;

		if (conn->speaker == conn->evidence || !pair || pair->sample_count == 0 ||
		    !survey_span(s, conn->evidence, &first_ns, &last_ns))
			continue;
		for (size_t j = 0; j < count; j++)
			pair_cover(s, conn, survey_conn_at(s, m[j].conn), &any);
		if (!any || conn->alone_before_ns <= first_ns)
			conn->alone_before_ns = INT64_MIN;
		if (!any || conn->alone_after_ns >= last_ns)
			conn->alone_after_ns = INT64_MAX;
		pair->gap_count +=
			conn->alone_before_ns != INT64_MIN || conn->alone_after_ns != INT64_MAX;
	}
}

static void pair_gaps(struct survey *s, const struct vec *members)
{
	const struct pair_member *m = members->items;

	for (size_t i = 0, end; i < members->len; i = end) {
		for (end = i + 1; end < members->len && m[end].group == m[i].group; end++)
			;
		if (end - i > 1)
			pair_fill_gaps(s, m + i, end - i);
	}
}

void survey_pair_up(struct survey *s, const struct vec *entries)
{
	struct vec members;

	vec_init(&members, sizeof(struct pair_member));
	for (uint32_t i = 0; i < s->conns.len; i++)
		*(struct pair_member *)vec_push(&members) = (struct pair_member){
			survey_conn_at(s, i)->group, survey_conn_at(s, i)->evidence, i};
	if (members.len > 0)
		qsort(members.items, members.len, members.item_bytes, pair_member_compare);
	pair_count(s);
	pair_clocks(s, entries);
	pair_share(s, &members);
	pair_shift(s);
	pair_gaps(s, &members);
	vec_deinit(&members);
}
