/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Waits for TCP connections. */
#ifndef NET_LISTENER_H
#define NET_LISTENER_H

#include "net/address.h"
#include "net/loop.h"

struct net_listener;

/* A connection came; the socket belongs to the one who is told (net_stream_create, or close). */
typedef void net_accept_fn(void *context, int fd, const struct net_address *peer);

/*
 * Listens at the address; port 0 is one that is free. *out belongs to the caller. Fails with what
 * the system says, and the address.
 */
struct err *net_listener_create(struct net_loop *loop, const struct net_address *at,
				net_accept_fn *accepted, void *context, struct net_listener **out);

/* Closes it. NULL is fine. */
void net_listener_destroy(struct net_listener *l);

/* Where it listens, with the port that it got. */
const struct net_address *net_listener_address(const struct net_listener *l);

/* Accepts nothing until resumed: connections wait in the kernel's queue, then stay unanswered. */
void net_listener_pause(struct net_listener *l);
void net_listener_resume(struct net_listener *l);

#endif
