// SPDX-License-Identifier: GPL-2.0-or-later
/* See loop.h. */
#include "net/loop.h"

#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "net/witness.h"

static int64_t machine_ns(clockid_t id)
{
	struct timespec at;

	clock_gettime(id, &at);
	return (int64_t)at.tv_sec * INT64_C(1000000000) + at.tv_nsec;
}

struct err *net_loop_init(struct net_loop *loop, double speed)
{
	if (!(speed > 0))
		return err_new("the speed must be above 0");
	*loop = (struct net_loop){.speed = speed, .ev = ev_loop_new(EVFLAG_AUTO)};
	if (!loop->ev)
		return err_new("the system has no event mechanism that libev can use");
	loop->monotonic_ns = machine_ns(CLOCK_MONOTONIC);
	loop->utc_ns = machine_ns(CLOCK_REALTIME);
	loop->scratch = mem_alloc(NET_SCRATCH_BYTES, 1);
	return NULL;
}

void net_loop_deinit(struct net_loop *loop)
{
	net_witness_deinit(loop);
	for (size_t i = 0; i < loop->signal_count; i++) {
		ev_ref(loop->ev);
		ev_signal_stop(loop->ev, &loop->signals[i].watcher);
	}
	if (loop->ev)
		ev_loop_destroy(loop->ev);
	net_buffer_pool_deinit(&loop->buffers);
	free(loop->scratch);
	*loop = (struct net_loop){0};
}

void net_loop_run(struct net_loop *loop)
{
	ev_run(loop->ev, 0);
}

void net_loop_stop(struct net_loop *loop)
{
	ev_break(loop->ev, EVBREAK_ALL);
}

static void on_signal(struct ev_loop *ev, struct ev_signal *watcher, int events)
{
	struct net_signal *s = watcher->data;

	(void)ev;
	(void)events;
	s->tell(s->context, watcher->signum);
}

struct err *net_loop_signal(struct net_loop *loop, int number, net_signal_fn *tell, void *context)
{
	struct net_signal *s;

	if (loop->signal_count == NET_LOOP_SIGNALS)
		return err_new("no more than %d signals can be waited for", NET_LOOP_SIGNALS);
	s = &loop->signals[loop->signal_count++];
	s->tell = tell;
	s->context = context;
	ev_signal_init(&s->watcher, on_signal, number);
	s->watcher.data = s;
	ev_signal_start(loop->ev, &s->watcher);
	/* It waits for signals as long as there is something else to wait for. */
	ev_unref(loop->ev);
	return NULL;
}

int64_t net_loop_now_ns(const struct net_loop *loop)
{
	int64_t passed_ns = machine_ns(CLOCK_MONOTONIC) - loop->monotonic_ns;

	return loop->speed == 1 ? passed_ns : (int64_t)((double)passed_ns * loop->speed);
}

int64_t net_loop_utc_ns(const struct net_loop *loop)
{
	return loop->utc_ns + net_loop_now_ns(loop);
}
