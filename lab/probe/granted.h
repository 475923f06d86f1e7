/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a client that waits for a lock has for the server to call back: a portmapper at port 111
 * that tells of a lock manager and nothing else, and that lock manager (fs/lockd/svc4proc.c), which
 * takes GRANTED and GRANTED_MSG.
 */
#ifndef LAB_PROBE_GRANTED_H
#define LAB_PROBE_GRANTED_H

#include "lab/probe/v3.h"
#include "net/listener.h"

enum { GRANTED_CONNECTIONS_MAX = 4 }; /* of the server's at once; further ones are closed */

/* In the caller's memory, which stays where it is until granted_deinit. */
struct granted {
	struct v3 *v; /* whose lock it is about; borrowed */
	uint16_t port;
	bool waits;   /* a LOCK was answered BLOCKED */
	bool granted; /* the server called back while it waited */
	struct net_listener *portmap, *nlm;
	struct client_peer callers[GRANTED_CONNECTIONS_MAX];
};

/*
 * Listens, at the address from which the mount was made; `port` is the lock manager's. Fails where
 * a port is taken, or takes a right of its own (111).
 */
struct err *granted_init(struct granted *g, struct v3 *v, uint16_t port);

/* A zeroed one is fine. */
void granted_deinit(struct granted *g);

/* Waits for the server's call, or so long. False when the task is over. */
bool granted_wait(struct granted *g, int64_t ns);

#endif
