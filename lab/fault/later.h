/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages that come later than they should: each is kept with a timer of its own, and with what
 * its owner has to know to hand it on.
 */
#ifndef LAB_FAULT_LATER_H
#define LAB_FAULT_LATER_H

#include "base/slice.h"
#include "net/loop.h"

/* Hands a message on. `about` is the copy of what fault_later_add was given with it; both are freed
 * behind it. */
typedef void fault_later_fn(void *owner, const void *about, struct slice message);

struct fault_late;

struct fault_later {
	struct net_loop *loop; /* borrowed */
	fault_later_fn *hand_on;
	void *owner;
	size_t bytes_max;
	size_t bytes; /* of messages that are kept */
	struct fault_late *newest;
};

void fault_later_init(struct fault_later *l, struct net_loop *loop, size_t bytes_max,
		      fault_later_fn *hand_on, void *owner);

/* Forgets what is kept. */
void fault_later_deinit(struct fault_later *l);

/* Keeps the message for_ns, with about_bytes of `about`; false: there is no room for it. */
bool fault_later_add(struct fault_later *l, struct slice message, const void *about,
		     size_t about_bytes, int64_t for_ns);

#endif
