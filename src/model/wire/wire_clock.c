// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which of two captures is nearer to whom, and what their clocks differ by; see wire.h.
 *
 * With d = stamp in b minus stamp in a of one segment, t the difference of the clocks and w > 0 the
 * time on the way: d = t + w for what passes a first, d = t - w for what passes b first. So t is at
 * most the smallest d of the former and at least the largest d of the latter. Clocks drift: that is
 * asked of a second at a time, and of each stretch the second that tells most is kept.
 */
#include "model/wire/wire_internal.h"

/* Segments of two directions that are no further apart may be compared. */
#define CLOCK_NEIGHBOURS_NS STAMP_NS_PER_S
#define CLOCK_WINDOW_NS     STAMP_NS_PER_S

/* One way is so much more often the longer one: what is less may be chance. */
enum { CLOCK_VOTES_FACTOR = 4, CLOCK_VOTES_MIN = 2 };

/* A drift is asked of times that are so far apart. */
#define CLOCK_DRIFT_SPAN_NS (10 * STAMP_NS_PER_S)

#define NS_PER_PPB INT64_C(1000000000)

static int64_t clock_sub(int64_t a, int64_t b)
{
	int64_t d;

	if (__builtin_sub_overflow(a, b, &d))
		return a > b ? INT64_MAX : INT64_MIN;
	return d;
}

static int64_t clock_add(int64_t a, int64_t b)
{
	int64_t sum;

	if (__builtin_add_overflow(a, b, &sum))
		return b > 0 ? INT64_MAX : INT64_MIN;
	return sum;
}

static int64_t clock_middle(int64_t low, int64_t high)
{
	return low / 2 + high / 2 + (low % 2 + high % 2) / 2;
}

enum wire_order wire_path_order(const struct wire_path *p)
{
	uint64_t more = p->a_near_high > p->a_near_low ? p->a_near_high : p->a_near_low;
	uint64_t less = p->a_near_high > p->a_near_low ? p->a_near_low : p->a_near_high;

	if (more < CLOCK_VOTES_MIN || more / CLOCK_VOTES_FACTOR < less)
		return WIRE_ORDER_UNKNOWN;
	return p->a_near_high > p->a_near_low ? WIRE_ORDER_A_HIGH : WIRE_ORDER_A_LOW;
}

/* Bounds that are further apart than this are of a clock that was set. */
#define CLOCK_SET_NS STAMP_NS_PER_S

/* The bounds that a window gives; false: none. */
static bool window_bounds(struct wire_path *p, const struct wire_window *w, int64_t *low,
			  int64_t *high)
{
	enum wire_order order = wire_path_order(p);
	bool first; /* which way passes a first */

	if (order == WIRE_ORDER_UNKNOWN || !w->has[0] || !w->has[1])
		return false;
	first = order == WIRE_ORDER_A_HIGH;
	*high = w->min_ns[first];
	*low = w->max_ns[!first];
	p->clock_set |= clock_sub(*low, *high) > CLOCK_SET_NS; /* in this second */
	return *low <= *high;
}

/* The true difference lies within all bounds, unless it changed. */
static void clock_compare(struct wire_path *p, int64_t low_ns, int64_t high_ns)
{
	p->clock_set |= p->has_bounds && (clock_sub(low_ns, p->bounds_high_ns) > CLOCK_SET_NS ||
					  clock_sub(p->bounds_low_ns, high_ns) > CLOCK_SET_NS);
	p->has_bounds = true;
	p->bounds_low_ns = low_ns;
	p->bounds_high_ns = high_ns;
}

static int64_t slot_width(const struct wire_slot *s)
{
	return clock_sub(s->high_ns, s->low_ns);
}

/* Half as many slots, each for twice the time. */
static void slots_fold(struct wire_path *p)
{
	for (uint32_t i = 0; i < WIRE_SLOTS; i += 2) {
		struct wire_slot *x = &p->slots[i], *y = &p->slots[i + 1];
		struct wire_slot best =
			x->used && (!y->used || slot_width(x) <= slot_width(y)) ? *x : *y;

		x->used = y->used = false;
		p->slots[i / 2] = best;
	}
	for (uint32_t i = WIRE_SLOTS / 2; i < WIRE_SLOTS; i++)
		p->slots[i].used = false;
	p->slot_span_ns *= 2;
}

/* The window is over: what it tells goes into its slot. */
static void window_end(struct wire_path *p)
{
	struct wire_slot now = {.used = true, .at_ns = p->window.from_ns};
	struct wire_slot *slot;
	int64_t since;

	if (!p->window.used || !window_bounds(p, &p->window, &now.low_ns, &now.high_ns))
		return;
	clock_compare(p, now.low_ns, now.high_ns);
	if (p->slot_span_ns == 0) {
		p->slot_span_ns = CLOCK_WINDOW_NS;
		p->slots_from_ns = now.at_ns;
	}
	since = clock_sub(now.at_ns, p->slots_from_ns);
	if (since < 0 || since > INT64_MAX / 4)
		return; /* a clock that was set */
	while (since / p->slot_span_ns >= WIRE_SLOTS)
		slots_fold(p);
	slot = &p->slots[since / p->slot_span_ns];
	if (!slot->used || slot_width(&now) < slot_width(slot))
		*slot = now;
}

static void window_take(struct wire_path *p, bool high, int64_t a_ns, int64_t delta_ns)
{
	struct wire_window *w = &p->window;
	int64_t since = clock_sub(a_ns, w->from_ns);

	if (!w->used || since < 0 || since >= CLOCK_WINDOW_NS) {
		window_end(p);
		*w = (struct wire_window){.used = true, .from_ns = a_ns};
	}
	if (!w->has[high] || delta_ns < w->min_ns[high])
		w->min_ns[high] = delta_ns;
	if (!w->has[high] || delta_ns > w->max_ns[high])
		w->max_ns[high] = delta_ns;
	w->has[high] = true;
}

bool wire_delta(const struct wire_record *r, const struct event_wire *w, int64_t *delta_ns)
{
	int a = r->conn.evidence == r->path->a ? WIRE_SPEAKER : WIRE_OTHER;

	return w->at[0].at.clock == w->at[1].at.clock && stamp_known(w->at[0].at) &&
	       !__builtin_sub_overflow(w->at[!a].at.ns, w->at[a].at.ns, delta_ns);
}

void wire_clock_take(struct wire_record *r, const struct event_wire *w)
{
	struct wire_path *p = r->path;
	int a = r->conn.evidence == p->a ? WIRE_SPEAKER : WIRE_OTHER;
	bool high = w->from_high;
	int64_t a_ns = w->at[a].at.ns;
	int64_t delta_ns;

	if (!wire_delta(r, w, &delta_ns))
		return;
	if (r->has_last[!high] && clock_sub(a_ns, r->last_ns[!high]) < CLOCK_NEIGHBOURS_NS &&
	    delta_ns != r->last_delta_ns[!high]) {
		bool longer = delta_ns > r->last_delta_ns[!high];

		/* what takes longer from a to b is sent by the end that is near a */
		if (longer == high)
			p->a_near_high++;
		else
			p->a_near_low++;
	}
	r->has_last[high] = true;
	r->last_ns[high] = a_ns;
	r->last_delta_ns[high] = delta_ns;
	window_take(p, high, a_ns, delta_ns);
}

void wire_clock_finish(struct wire_path *p)
{
	window_end(p);
	p->window.used = false;
}

/* The slot that tells most, of those in a third of the whole; NULL: none. */
static const struct wire_slot *slot_best(const struct wire_path *p, uint32_t from, uint32_t to)
{
	const struct wire_slot *best = NULL;

	for (uint32_t i = from; i < to; i++)
		if (p->slots[i].used && (!best || slot_width(&p->slots[i]) < slot_width(best)))
			best = &p->slots[i];
	return best;
}

static void clock_drift(const struct wire_path *p, uint32_t len, struct wire_clock *out)
{
	const struct wire_slot *x = slot_best(p, 0, (len + 2) / 3);
	const struct wire_slot *y = slot_best(p, len - (len + 2) / 3, len);
	int64_t span_ns, moved_ns, width_ns;

	if (!x || !y || x == y)
		return;
	span_ns = clock_sub(y->at_ns, x->at_ns);
	moved_ns =
		clock_sub(clock_middle(y->low_ns, y->high_ns), clock_middle(x->low_ns, x->high_ns));
	width_ns = slot_width(x) / 2 + slot_width(y) / 2;
	if (span_ns < CLOCK_DRIFT_SPAN_NS || width_ns > STAMP_NS_PER_S ||
	    moved_ns > STAMP_NS_PER_S * 9 || moved_ns < -STAMP_NS_PER_S * 9)
		return; /* no drift is so large: a clock was set */
	out->has_drift = true;
	out->drift_ppb = moved_ns * NS_PER_PPB / span_ns;
	out->drift_bound_ppb = width_ns * NS_PER_PPB / span_ns + 1;
}

bool wire_path_clock(const struct wire_path *p, struct wire_clock *out)
{
	const struct wire_slot *best = slot_best(p, 0, WIRE_SLOTS);
	uint32_t len = WIRE_SLOTS;

	if (!best)
		return false;
	while (len > 1 && !p->slots[len - 1].used)
		len--;
	*out = (struct wire_clock){
		.at_ns = best->at_ns,
		.offset_ns = clock_middle(best->low_ns, best->high_ns),
		.bound_ns = slot_width(best) / 2 + 1,
	};
	clock_drift(p, len, out);
	return true;
}

int64_t wire_clock_speaker_ns(const struct wire_record *r, int64_t other_ns)
{
	bool high = r->has_last[1];
	int64_t delta_ns = r->has_last[high] ? r->last_delta_ns[high] : 0;

	/* the delta is that of b minus a */
	return r->conn.evidence == r->path->a ? clock_sub(other_ns, delta_ns)
					      : clock_add(other_ns, delta_ns);
}
