/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A UDP socket of an endpoint. */
#ifndef NET_DATAGRAM_H
#define NET_DATAGRAM_H

#include "net/address.h"
#include "net/loop.h"

struct net_datagram;

/* A datagram came. The bytes are valid until it returns. */
typedef void net_datagram_fn(void *context, struct slice bytes, const struct net_address *from);

/*
 * Binds a socket to the address; port 0 is one that is free. *out belongs to the caller. Fails with
 * what the system says, and the address.
 */
struct err *net_datagram_create(struct net_loop *loop, const struct net_address *at,
				net_datagram_fn *came, void *context, struct net_datagram **out);

/* NULL is fine; so is it inside of its own callback. */
void net_datagram_destroy(struct net_datagram *d);

/* Where it is bound, with the port that it got. */
const struct net_address *net_datagram_address(const struct net_datagram *d);

/* Sends one datagram; like the network it may lose it without a word. */
void net_datagram_send(struct net_datagram *d, struct slice bytes, const struct net_address *to);

#endif
