/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The evidence reader for lists of TCP connections, line by line: `ss -tan` with any of -o, -i, -p
 * and -e, `netstat -tan` with any of -o and -p. With -i ss prints a second line for each
 * connection, which begins with a blank. Names of ports are known for nfs and sunrpc only.
 */
#ifndef EVIDENCE_SOCKET_LINE_H
#define EVIDENCE_SOCKET_LINE_H

#include "event/host.h"

enum socket_line_kind {
	SOCKET_LINE_OTHER,
	SOCKET_LINE_HEAD, /* the heading of a list */
	SOCKET_LINE_ROW,
	SOCKET_LINE_LISTENER, /* only `listener` is set */
	SOCKET_LINE_MORE,     /* figures of the row before it */
};

struct socket_line {
	enum socket_line_kind kind;
	struct slice local, peer; /* addresses, without ports */
	struct listener_fact listener;
	struct socket_fact fact; /* ports are set in local and peer, addresses are not */
};

/* MORE: only the times and the round trip of the fact are set. */
void socket_line_parse(struct slice line, struct socket_line *out);

#endif
