// SPDX-License-Identifier: GPL-2.0-or-later
/* See counters.h. */
#include "model/counters.h"

#include "base/mem.h"

static struct slice keep(struct counters_model *m, struct slice s)
{
	return slice_make(arena_copy(&m->arena, s.ptr, s.len), s.len);
}

const struct mount_op_stats *counters_op(const struct counters_span *s, const char *name)
{
	for (uint32_t i = 0; i < s->stats.ops_len; i++)
		if (strcmp(s->stats.ops[i].name, name) == 0)
			return &s->stats.ops[i];
	return NULL;
}

bool counters_same_mount(const struct counters_span *a, const struct counters_span *b)
{
	const struct mount_fact *x = &a->stats.mount;
	const struct mount_fact *y = &b->stats.mount;

	return slice_equal(x->server, y->server) && slice_equal(x->export, y->export) &&
	       slice_equal(x->mount_point, y->mount_point) && slice_equal(x->options, y->options);
}

/* True when none of the later counters is below its earlier value. */
static bool op_goes_on(const struct mount_op_stats *a, const struct mount_op_stats *b)
{
	return b->calls >= a->calls && b->transmissions >= a->transmissions &&
	       b->timeouts >= a->timeouts && b->sent_bytes >= a->sent_bytes &&
	       b->received_bytes >= a->received_bytes && b->queue_ms >= a->queue_ms &&
	       b->rtt_ms >= a->rtt_ms && b->execute_ms >= a->execute_ms && b->errors >= a->errors;
}

bool counters_goes_on(const struct counters_span *a, const struct counters_span *b)
{
	const struct mount_xprt_stats *x = &a->stats.xprt;
	const struct mount_xprt_stats *y = &b->stats.xprt;

	if (!counters_same_mount(a, b) || !a->stats.has_age || !b->stats.has_age ||
	    b->stats.age_s <= a->stats.age_s || y->sends < x->sends || y->connects < x->connects ||
	    (x->port != y->port && y->connects == x->connects))
		return false;
	for (uint32_t i = 0; i < a->stats.ops_len; i++) {
		const struct mount_op_stats *op = counters_op(b, a->stats.ops[i].name);

		if (!op || !op_goes_on(&a->stats.ops[i], op))
			return false;
	}
	return true;
}

static struct mount_op_stats op_difference(const struct mount_op_stats *a,
					   const struct mount_op_stats *b)
{
	struct mount_op_stats d = *b;

	d.calls -= a->calls;
	d.transmissions -= a->transmissions;
	d.timeouts -= a->timeouts;
	d.sent_bytes -= a->sent_bytes;
	d.received_bytes -= a->received_bytes;
	d.queue_ms -= a->queue_ms;
	d.rtt_ms -= a->rtt_ms;
	d.execute_ms -= a->execute_ms;
	d.errors -= a->errors;
	return d;
}

static uint64_t less(uint64_t later, uint64_t earlier)
{
	return later > earlier ? later - earlier : 0;
}

static struct mount_xprt_stats xprt_difference(const struct mount_xprt_stats *a,
					       const struct mount_xprt_stats *b)
{
	struct mount_xprt_stats d = *b;

	d.connects = less(b->connects, a->connects);
	d.sends = less(b->sends, a->sends);
	d.receives = less(b->receives, a->receives);
	d.bad_xids = less(b->bad_xids, a->bad_xids);
	d.backlog = less(b->backlog, a->backlog);
	d.sending_queue = less(b->sending_queue, a->sending_queue);
	return d;
}

static struct counters_span *span_add(struct counters_model *m)
{
	struct counters_span *s;

	if (m->spans.len == COUNTERS_SPANS_MAX) {
		m->dropped++;
		return NULL;
	}
	s = arena_alloc(&m->arena, sizeof(*s));
	*(struct counters_span **)vec_push(&m->spans) = s;
	return s;
}

/* What happened from reading a to reading b. */
static void span_add_difference(struct counters_model *m, const struct counters_span *a,
				const struct counters_span *b)
{
	struct counters_span *s = span_add(m);
	struct mount_op_stats *ops;
	uint32_t len = 0;

	if (!s)
		return;
	*s = *b;
	s->before = a->at;
	s->seconds = b->stats.age_s - a->stats.age_s;
	s->stats.xprt = xprt_difference(&a->stats.xprt, &b->stats.xprt);
	for (uint32_t i = 0; i < s->stats.events_len && i < a->stats.events_len; i++)
		s->stats.events[i] = less(s->stats.events[i], a->stats.events[i]);
	ops = arena_alloc(&m->arena, (b->stats.ops_len + 1) * sizeof(*ops));
	for (uint32_t i = 0; i < b->stats.ops_len; i++) {
		const struct mount_op_stats *old = counters_op(a, b->stats.ops[i].name);

		ops[len] = old ? op_difference(old, &b->stats.ops[i]) : b->stats.ops[i];
		len += ops[len].calls != 0;
	}
	s->stats.ops = ops;
	s->stats.ops_len = len;
}

/* The latest earlier reading of the same mount; NULL: none. */
static const struct counters_span *span_before(const struct counters_model *m,
					       const struct counters_span *b)
{
	const struct counters_span *best = NULL;

	for (size_t i = 0; i < m->spans.len; i++) {
		const struct counters_span *a = *(struct counters_span **)vec_at(&m->spans, i);

		if (a != b && a->before.frame == FRAME_NONE && counters_goes_on(a, b) &&
		    (!best || a->stats.age_s > best->stats.age_s))
			best = a;
	}
	return best;
}

static void take_stats(void *context, const struct event *e)
{
	struct counters_model *m = context;
	const struct mount_stats *told = e->mount_stats;
	struct counters_span *s = span_add(m);
	const struct counters_span *before;
	struct mount_op_stats *ops;

	if (!s)
		return;
	s->at = e->at;
	s->seconds = told->has_age ? told->age_s : 0;
	s->stats = *told;
	s->stats.mount.server = keep(m, told->mount.server);
	s->stats.mount.export = keep(m, told->mount.export);
	s->stats.mount.mount_point = keep(m, told->mount.mount_point);
	s->stats.mount.fstype = keep(m, told->mount.fstype);
	s->stats.mount.options = keep(m, told->mount.options);
	ops = arena_alloc(&m->arena, (told->ops_len + 1) * sizeof(*ops));
	if (told->ops_len)
		memcpy(ops, told->ops, told->ops_len * sizeof(*ops));
	s->stats.ops = ops;
	before = span_before(m, s);
	if (before)
		span_add_difference(m, before, s);
}

void counters_model_init(struct counters_model *m)
{
	*m = (struct counters_model){0};
	arena_init(&m->arena);
	vec_init(&m->spans, sizeof(struct counters_span *));
}

void counters_model_deinit(struct counters_model *m)
{
	vec_deinit(&m->spans);
	arena_deinit(&m->arena);
}

void counters_model_attach(struct counters_model *m, struct event_board *board)
{
	event_board_add(board, EVENT_MOUNT_STATS, take_stats, m);
}
