/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Breaks what is alive: the commands of nft, tc and ss that do to a mount what incidents do to it,
 * with those that undo it. They are run as root on the client (or on the server, with the client's
 * address); nothing here runs by itself.
 */
#ifndef LAB_SCENE_HERE_H
#define LAB_SCENE_HERE_H

#include <stdbool.h>

#include "base/err.h"
#include "base/strbuf.h"

struct here_kind {
	const char *name;
	const char *summary;
};

/* A name NULL ends them. */
extern const struct here_kind here_kinds[];

struct here {
	const char *peer; /* an address */
	bool ipv6;
	unsigned port;
	size_t kind;     /* index of here_kinds */
	char device[16]; /* where a kind needs it: by which packets go to the peer */
};

/*
 * Fails when the peer is no address, the port none, there is no such kind, or no
 * interface leads to the peer where that must be known.
 */
struct err *here_parse(const char *peer, const char *port, const char *kind, struct here *out);

/* Appends the commands, one a line, for /bin/sh. */
void here_break(const struct here *h, struct strbuf *out);
void here_undo(const struct here *h, struct strbuf *out);

/* Runs commands as here_break writes them, one after the other; fails with the first that fails. */
struct err *here_run(const struct strbuf *commands);

#endif
