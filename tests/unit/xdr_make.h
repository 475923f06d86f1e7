/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random but valid XDR messages, from a seed: what the makers of tools/xdrgen are built on.
 * The same seed gives the same bytes everywhere. A fuzzer chooses instead: its bytes are taken for
 * the numbers, until they end.
 */
#ifndef XDR_MAKE_H
#define XDR_MAKE_H

#include "base/slice.h"
#include "proto/xdr_writer.h"

struct make_random {
	uint64_t state;
	struct slice choices; /* what comes before random numbers; borrowed, may be empty */
};

/* Writes the wire form of a random value of one type. */
struct make_type {
	const char *name;
	void (*make)(struct make_random *r, struct xdr_writer *w);
};

/* In the order of the types of the specification (xdr_spec). */
extern const struct make_type make_mount_types[];
extern const struct make_type make_nfs2_types[];
extern const struct make_type make_nfs3_types[];
extern const struct make_type make_nfs4_types[];
extern const struct make_type make_nfsacl_types[];
extern const struct make_type make_nlm_types[];
extern const struct make_type make_nsm_types[];
extern const struct make_type make_portmap_types[];
extern const struct make_type make_rquota_types[];

/* The same by the name of the specification; NULL: there is none. */
const struct make_type *make_types_find(const char *spec);

/* How many specifications make_types_find knows. */
size_t make_types_count(void);

/* Numbers are small, large or anything, in turns. */
uint32_t make_u32(struct make_random *r);
uint64_t make_u64(struct make_random *r);

/* A number below limit, which is not 0. */
uint32_t make_below(struct make_random *r, uint32_t limit);

/* How many elements an array gets: at most limit, and few. */
uint32_t make_count(struct make_random *r, uint32_t limit);

void make_bytes(struct make_random *r, struct xdr_writer *w, uint32_t len);
void make_opaque(struct make_random *r, struct xdr_writer *w, uint32_t limit);
void make_bitmap(struct make_random *r, struct xdr_writer *w);

/* Writes a random bool and returns it. */
bool make_flag(struct make_random *r, struct xdr_writer *w);

#endif
