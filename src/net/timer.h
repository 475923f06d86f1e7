/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A timer of an endpoint. It fires once; whoever wants it again starts it again. */
#ifndef NET_TIMER_H
#define NET_TIMER_H

#include "net/loop.h"

typedef void net_timer_fn(void *context);

/* In the caller's memory, which must stay where it is while the timer runs. */
struct net_timer {
	struct ev_timer watcher;
	struct net_loop *loop; /* borrowed */
	net_timer_fn *fire;
	void *context;
};

/* Does not start it. */
void net_timer_init(struct net_timer *t, struct net_loop *loop, net_timer_fn *fire, void *context);

/* Stops it. A zeroed timer that was never initialised is fine. */
void net_timer_deinit(struct net_timer *t);

/* Fires in after_ns (below 0 is 0) of the loop's scaled time; a running timer starts anew. */
void net_timer_start(struct net_timer *t, int64_t after_ns);

void net_timer_stop(struct net_timer *t);

bool net_timer_runs(const struct net_timer *t);

#endif
