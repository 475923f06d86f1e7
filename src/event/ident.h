/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who and where: endpoints, connections, and the place in the evidence that shows a fact.
 */
#ifndef EVENT_IDENT_H
#define EVENT_IDENT_H

#include "base/hash.h"
#include "base/stamp.h"
#include "base/strbuf.h"

#include <string.h>

enum { IDENT_ADDR_BYTES = 16 };

/* An address as in proto/packet.h (IPv4 mapped into IPv6) with a port. */
struct endpoint {
	uint8_t addr[IDENT_ADDR_BYTES];
	uint16_t port;
};

/* Frames are numbered as Wireshark does, from 1; 0 stands for "no frame". */
#define FRAME_NONE UINT64_C(0)

/* Which file and which frame (or line, for a log) shows a fact, and when that was. */
struct provenance {
	uint64_t frame;    /* frame or line number, from 1; FRAME_NONE: not shown by a single one */
	uint32_t evidence; /* index of the evidence entry, see diagnose's evidence list */
	struct stamp at;
};

enum transport { TRANSPORT_TCP, TRANSPORT_UDP };

/* What a connection's client is: the side that sends the calls of the fore channel. */
enum conn_side { CONN_FROM_CLIENT = 0, CONN_FROM_SERVER = 1 };

static inline enum conn_side conn_other_side(enum conn_side side)
{
	return side == CONN_FROM_CLIENT ? CONN_FROM_SERVER : CONN_FROM_CLIENT;
}

/*
 * One connection as one capture saw it: captures of the same wire give connections of their own,
 * of which only one speaks (see docs/architecture.md). Lives from its first event to its last;
 * a model that needs it longer copies what it needs.
 */
struct conn {
	uint64_t serial;   /* unique in a run, ascending; the key by which models keep state */
	uint32_t evidence; /* the capture that saw it */
	enum transport transport;
	struct endpoint
		client; /* who sent the SYN, or else the first call, or else has the higher port */
	struct endpoint server;
	bool joined; /* the capture does not hold its beginning */
	bool lossy;  /* the capture lost bytes of it (or cut them): absence proves nothing */
	/*
	 * By how much the clock of the capture has fallen behind the server's TCP timestamps since
	 * the connection began (RFC 7323): it stood still with a machine that was paused, or was
	 * set back. -1: not known.
	 */
	int64_t clock_lost_ns;
	/*
	 * The other way round, at the server's last segment: by how much the server's timestamps
	 * have fallen behind in the last minute or two. The clock of the capture was set ahead, the
	 * server stood still, or that segment was held back. 0: not by much, or not known.
	 */
	int64_t clock_ahead_ns;
};

static inline bool endpoint_same_host(const struct endpoint *a, const struct endpoint *b)
{
	return memcmp(a->addr, b->addr, IDENT_ADDR_BYTES) == 0;
}

static inline bool endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && endpoint_same_host(a, b);
}

int endpoint_compare(const struct endpoint *a, const struct endpoint *b);

/* Adds address and port to the hash of a key (base/hash.h). */
static inline uint64_t endpoint_hash(uint64_t hash, const struct endpoint *e)
{
	uint64_t word[2];

	memcpy(word, e->addr, sizeof(word));
	return hash_u64(hash_u64_pair(hash, word[0], word[1]), e->port);
}

/* "192.0.2.1:2049", "[2001:db8::1]:2049". */
void endpoint_add_text(struct strbuf *out, const struct endpoint *e);

/* "192.0.2.1", "2001:db8::1". */
void endpoint_add_host(struct strbuf *out, const struct endpoint *e);

/* True when the address is IPv4 (mapped). */
bool endpoint_is_ipv4(const struct endpoint *e);

#endif
