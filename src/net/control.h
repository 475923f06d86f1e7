/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A control socket: a UNIX stream socket with mode 0600 on which lines come and answers go. What
 * the lines mean is the owner's business.
 */
#ifndef NET_CONTROL_H
#define NET_CONTROL_H

#include "base/strbuf.h"
#include "net/loop.h"

enum {
	NET_CONTROL_CLIENTS_MAX = 16, /* more are closed at once */
	NET_CONTROL_LINE_BYTES_MAX = 64 << 10
};

struct net_control;

/* One line, without its end: the answer is added to *answer and sent. */
typedef void net_control_fn(void *context, struct slice line, struct strbuf *answer);

/*
 * Listens at the path, which must not exist, or be a socket that nobody listens at any more. *out
 * belongs to the caller. Fails with the path and what the system says.
 */
struct err *net_control_create(struct net_loop *loop, const char *path, net_control_fn *line,
			       void *context, struct net_control **out);

/* Closes it and removes the path. NULL is fine. */
void net_control_destroy(struct net_control *c);

#endif
