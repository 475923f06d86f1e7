/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tells a host's rpcbind of programs that are served on that host, and takes them back: SET and
 * UNSET of version 4 (RFC 1833 section 2.2.1), which name the transport, so that nothing of
 * another server goes with what is taken back (version 2 takes back TCP and UDP alike).
 *
 * rpcbinds differ in whom they believe: some want a port below 1024 of their own host (is_loopback
 * in src/security.c), others take any port of it, and write down who is not root as "unknown". Root
 * has such a port here; others are registered where rpcbind lets them.
 */
#ifndef LAB_PROBE_REGISTRAR_H
#define LAB_PROBE_REGISTRAR_H

#include "lab/probe/ask.h"

enum { REGISTRAR_ENTRIES_MAX = 64 };

/* A program, and where it is. */
struct registrar_entry {
	const char *name; /* for complaints; borrowed */
	uint32_t program, version;
	bool is_udp;
	struct net_address at;
};

/* Zeroed: has registered nothing. */
struct registrar {
	struct ask ask;
	struct net_address rpcbind;
	struct registrar_entry entries[REGISTRAR_ENTRIES_MAX]; /* that it registered */
	size_t len;
};

/* The loop is borrowed; calls run it while they wait, 5 s at most for each. */
void registrar_init(struct registrar *r, struct net_loop *loop, const struct net_address *rpcbind);

/* Takes nothing back. */
void registrar_deinit(struct registrar *r);

/*
 * Registers all of them or none; once. The caller has them open: what rpcbind has at the very same
 * address is left by somebody who is gone, and is replaced. Anything else that it has of one of
 * these programs is another server's: it fails, and changes nothing. The errors tell what to do.
 */
struct err *registrar_add(struct registrar *r, const struct registrar_entry *entries, size_t count);

/* Takes back what was registered, as far as that goes. */
struct err *registrar_remove(struct registrar *r);

#endif
