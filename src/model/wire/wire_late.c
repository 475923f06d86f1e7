// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Segments that took long from one capture to the other, or came long after what they may answer;
 * see wire.h.
 *
 * With d as in wire_clock.c, the difference of two d of opposite directions is the time on the way
 * there and back, whatever the clocks show. A clock that is set shows in the same way, but then
 * either what was sent back before or what was sent back after has the new difference too: the
 * smaller one of the two is the time on the way. Segments are matched in another order than they
 * were sent where the clocks are far apart, so where any second shows that a clock was set, nothing
 * is told at all.
 */
#include "model/wire/wire_internal.h"

#include <stdlib.h>

/* Where no drift is known: oscillators differ by less. */
enum { LATE_DRIFT_PPB = 200000 };

#define NS_PER_PPB INT64_C(1000000000)

/* What the other side sent before and after was on its way for less, or a clock was set. */
#define LATE_BACK_MAX_NS  STAMP_NS_PER_S
#define LATE_BACK_SLOP_NS (50 * STAMP_NS_PER_MS)

static int64_t late_sub(int64_t a, int64_t b)
{
	int64_t d;

	if (__builtin_sub_overflow(a, b, &d))
		return a > b ? INT64_MAX : INT64_MIN;
	return d;
}

static int64_t late_size(int64_t ns)
{
	return ns == INT64_MIN ? INT64_MAX : llabs(ns);
}

static struct wire_late *late_at(const struct wire_way *way, size_t i)
{
	return vec_at(&way->late, i);
}

/* What the other side sent next, for those that wait for it. */
static void late_follow(struct wire_way *way, const struct wire_pair *pair)
{
	for (size_t i = 0; i < way->late.len; i++) {
		struct wire_late *late = late_at(way, i);

		if (late->has_after || pair->frame[0] < late->at[0].frame ||
		    pair->frame[1] < late->at[1].frame)
			continue;
		late->after_ns = pair->delta_ns;
		late->has_after = true;
	}
}

/*
 * What the other side had sent last before this segment, as both captures show it: what one of them
 * shows behind it may have waited just as long, for a host that was paused, with its clock.
 */
static const struct wire_pair *late_before(const struct wire_record *r, bool high,
					   const struct wire_pair *pair)
{
	for (uint32_t i = 1; i <= WIRE_PAIRS && i <= r->pairs_next[!high]; i++) {
		const struct wire_pair *p =
			&r->pairs[!high][(r->pairs_next[!high] - i) % WIRE_PAIRS];

		if (p->frame[0] < pair->frame[0] && p->frame[1] < pair->frame[1])
			return p;
	}
	return NULL;
}

static void late_keep(struct wire_model *m, struct wire_way *way, const struct wire_late *late)
{
	size_t i;

	for (i = 0; i < way->late.len; i++)
		if (late_at(way, i)->at[WIRE_SPEAKER].frame == late->at[WIRE_SPEAKER].frame)
			return; /* another piece of it */
	if (way->late.len < WIRE_LATE_MAX && m->late_total < WIRE_LATE_TOTAL) {
		vec_push(&way->late);
		m->late_total++;
	} else {
		way->late_dropped = true;
		if (!way->late.len || late_at(way, way->late.len - 1)->rank_ns >= late->rank_ns)
			return;
	}
	for (i = way->late.len - 1; i > 0 && late_at(way, i - 1)->rank_ns < late->rank_ns; i--)
		*late_at(way, i) = *late_at(way, i - 1);
	*late_at(way, i) = *late;
}

static bool late_is_client(const struct wire_record *r, bool high)
{
	return (endpoint_compare(&r->conn.client, &r->conn.server) > 0) == high;
}

void wire_late_take(struct wire_model *m, struct wire_record *r, const struct event_wire *w)
{
	bool high = w->from_high;
	struct wire_late late = {.at = {w->at[0], w->at[1]}};
	int64_t now_ns = w->at[WIRE_SPEAKER].at.ns;
	struct wire_pair pair = {.frame = {w->at[0].frame, w->at[1].frame}};
	const struct wire_pair *before;
	int64_t waited_ns = 0;

	if (!wire_delta(r, w, &late.delta_ns))
		return;
	pair.delta_ns = late.delta_ns;
	late_follow(&r->way[!high], &pair);
	r->pairs[high][r->pairs_next[high]++ % WIRE_PAIRS] = pair;
	if (w->bytes == 0)
		return;
	if (late_is_client(r, high)) {
		r->asked_ns = now_ns;
		r->has_asked = true;
	} else if (r->has_asked) {
		waited_ns = late_sub(now_ns, r->asked_ns);
	}
	before = late_before(r, high, &pair);
	if (!w->sure || !before)
		return;
	late.before_ns = before->delta_ns;
	late.rank_ns = late_size(late_sub(late.delta_ns, late.before_ns));
	if (waited_ns > late.rank_ns)
		late.rank_ns = waited_ns;
	if (late.rank_ns >= WIRE_LATE_NS)
		late_keep(m, &r->way[high], &late);
}

/* b's clock minus a's when the segment passed a; and how far off that may be. */
static bool late_clock(const struct wire_path *p, int64_t a_ns, int64_t *offset_ns,
		       int64_t *bound_ns)
{
	struct wire_clock c;
	int64_t apart_ns;

	if (!wire_path_clock(p, &c))
		return false;
	apart_ns = late_sub(a_ns, c.at_ns);
	if (late_size(apart_ns) > INT64_MAX / NS_PER_PPB * STAMP_NS_PER_MS)
		return false;
	/* in milliseconds and parts in 10^9: no product overflows */
	*offset_ns = c.offset_ns;
	if (c.has_drift)
		*offset_ns +=
			apart_ns / STAMP_NS_PER_MS * c.drift_ppb / (NS_PER_PPB / STAMP_NS_PER_MS);
	*bound_ns = c.bound_ns + late_size(apart_ns) / STAMP_NS_PER_MS *
					 (c.has_drift ? c.drift_bound_ppb : LATE_DRIFT_PPB) /
					 (NS_PER_PPB / STAMP_NS_PER_MS);
	return true;
}

bool wire_tale_transit(const struct wire_tale *t, const struct wire_late *late,
		       struct wire_transit *out)
{
	const struct wire_record *r = t->record;
	bool a_sends = t->near_sender == r->path->a;
	int a = r->conn.evidence == r->path->a ? WIRE_SPEAKER : WIRE_OTHER;
	int64_t before_ns, after_ns, offset_ns, back_ns[2];

	*out = (struct wire_transit){0};
	if (!late->has_after || r->path->clock_set)
		return false;
	before_ns = a_sends ? late_sub(late->delta_ns, late->before_ns)
			    : late_sub(late->before_ns, late->delta_ns);
	after_ns = a_sends ? late_sub(late->delta_ns, late->after_ns)
			   : late_sub(late->after_ns, late->delta_ns);
	out->there_and_back_ns = before_ns < after_ns ? before_ns : after_ns;
	if (!late_clock(r->path, late->at[a].at.ns, &offset_ns, &out->bound_ns))
		return true;
	out->ns =
		a_sends ? late_sub(late->delta_ns, offset_ns) : late_sub(offset_ns, late->delta_ns);
	back_ns[0] = late_sub(before_ns, out->ns);
	back_ns[1] = late_sub(after_ns, out->ns);
	out->has_one_way = true;
	for (int i = 0; i < 2; i++)
		out->has_one_way &= back_ns[i] >= -out->bound_ns - LATE_BACK_SLOP_NS &&
				    back_ns[i] <= out->bound_ns + LATE_BACK_MAX_NS;
	return true;
}

const struct wire_late *wire_tale_late(const struct wire_tale *t, const struct provenance *at)
{
	for (size_t i = 0; i < t->way->late.len; i++) {
		const struct wire_late *late = late_at(t->way, i);

		if (late->at[WIRE_SPEAKER].frame == at->frame &&
		    late->at[WIRE_SPEAKER].evidence == at->evidence)
			return late;
	}
	return NULL;
}

bool wire_tale_is_late(const struct wire_tale *t)
{
	struct wire_transit transit;

	for (size_t i = 0; i < t->way->late.len; i++)
		if (wire_tale_transit(t, late_at(t->way, i), &transit) &&
		    transit.there_and_back_ns >= WIRE_LATE_NS)
			return true;
	return false;
}
