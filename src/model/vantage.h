/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a capture was taken, seen from two hosts that talk in it: on one of them, near it, or in
 * between. The same segment in vain means another thing at its sender, at its receiver and between.
 *
 * Told by, the surest first: the link layer says of one side's segments that this host sent them;
 * one side's checksums are not filled in yet (its network card would do that); the answer to a SYN
 * comes much sooner than the answer to that; the hop count of one side only is that of its start.
 */
#ifndef MODEL_VANTAGE_H
#define MODEL_VANTAGE_H

#include "model/conn.h"

enum vantage_place {
	VANTAGE_UNKNOWN,
	VANTAGE_AT_CLIENT,
	VANTAGE_AT_SERVER,
	VANTAGE_BETWEEN, /* on neither: on a host that passes on what both send, or beside it */
};

enum vantage_reason {
	VANTAGE_BY_NOTHING,
	VANTAGE_BY_LINK,      /* packets marked as sent by this host */
	VANTAGE_BY_CHECKSUMS, /* not filled in yet */
	VANTAGE_BY_TIMES,     /* of handshakes */
	VANTAGE_BY_HOPS,
	VANTAGE_REASON_COUNT,
};

struct vantage {
	enum vantage_place place;
	enum vantage_reason reason;
	bool on_host; /* on it (or on the machine that it is a guest of), not only near it */
};

/* Of this evidence, for the hosts of this connection, by all connections between them. */
struct vantage vantage_of(const struct conn_model *conns, const struct conn *conn);

/* How it is known, for people: "by the hop counts". */
const char *vantage_reason_text(enum vantage_reason reason);

#endif
