/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The event loop of an endpoint, on libev, and the only clock that endpoints read.
 *
 * Time is in nanoseconds and runs `speed` times as fast as that of the machine: every wait of ours
 * is shortened by it, TCP's are not.
 */
#ifndef NET_LOOP_H
#define NET_LOOP_H

#include <ev.h>

#include "base/err.h"
#include "net/buffer.h"

enum { NET_LOOP_SIGNALS = 4 };

struct net_loop;
struct net_witness;
struct net_watch;

/* A signal came; runs in the loop, not in a handler. */
typedef void net_signal_fn(void *context, int number);

struct net_signal {
	struct ev_signal watcher;
	net_signal_fn *tell;
	void *context;
};

struct net_loop {
	struct ev_loop *ev;
	double speed;         /* 1: the machine's time */
	int64_t monotonic_ns; /* of the machine, when the loop was made */
	int64_t utc_ns;       /* since 1970, when the loop was made */
	struct net_buffer_pool buffers;
	struct net_signal signals[NET_LOOP_SIGNALS];
	size_t signal_count;
	uint8_t *scratch;            /* for datagrams */
	struct net_witness *witness; /* borrowed: is told what sockets exchange; NULL: nobody */
	struct net_watch *kept;      /* connections that it still sees the end of */
	size_t kept_len;
};

/* Room for any datagram, at loop->scratch. */
enum { NET_SCRATCH_BYTES = 64 << 10 };

/* Fails when speed is not above 0, or without an event mechanism of the system. */
struct err *net_loop_init(struct net_loop *loop, double speed);

/* Whatever uses the loop must be gone. */
void net_loop_deinit(struct net_loop *loop);

/* Runs until net_loop_stop. */
void net_loop_run(struct net_loop *loop);
void net_loop_stop(struct net_loop *loop);

/* Calls tell(context, number) for this signal; at most NET_LOOP_SIGNALS, which otherwise fails. */
struct err *net_loop_signal(struct net_loop *loop, int number, net_signal_fn *tell, void *context);

/* Nanoseconds since the loop was made, in scaled time. */
int64_t net_loop_now_ns(const struct net_loop *loop);

/* Nanoseconds since 1970-01-01T00:00:00Z, in scaled time from when the loop was made. */
int64_t net_loop_utc_ns(const struct net_loop *loop);

#endif
