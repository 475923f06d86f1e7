// SPDX-License-Identifier: GPL-2.0-or-later
/* See timer.h. */
#include "net/timer.h"

static void on_timer(struct ev_loop *ev, struct ev_timer *watcher, int events)
{
	struct net_timer *t = watcher->data;

	(void)ev;
	(void)events;
	t->fire(t->context);
}

void net_timer_init(struct net_timer *t, struct net_loop *loop, net_timer_fn *fire, void *context)
{
	*t = (struct net_timer){.loop = loop, .fire = fire, .context = context};
	ev_timer_init(&t->watcher, on_timer, 0, 0);
	t->watcher.data = t;
}

void net_timer_deinit(struct net_timer *t)
{
	if (t->loop)
		net_timer_stop(t);
}

void net_timer_start(struct net_timer *t, int64_t after_ns)
{
	double seconds = after_ns > 0 ? (double)after_ns / 1e9 / t->loop->speed : 0;

	ev_timer_stop(t->loop->ev, &t->watcher);
	/* libev counts from the time that it read before its callbacks ran. */
	ev_now_update(t->loop->ev);
	ev_timer_set(&t->watcher, seconds, 0);
	ev_timer_start(t->loop->ev, &t->watcher);
}

void net_timer_stop(struct net_timer *t)
{
	ev_timer_stop(t->loop->ev, &t->watcher);
}

bool net_timer_runs(const struct net_timer *t)
{
	return ev_is_active(&t->watcher);
}
