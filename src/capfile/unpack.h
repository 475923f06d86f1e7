/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Streaming decompression behind source.h: one packer's stream state, whichever packer it is. */
#ifndef CAPFILE_UNPACK_H
#define CAPFILE_UNPACK_H

#include "base/slice.h"
#include "capfile/source.h"

enum { UNPACK_MAGIC_BYTES = 6 };

struct unpack;

/* What the first bytes of a file (UNPACK_MAGIC_BYTES, if it has them) tell. */
enum source_packing unpack_sniff(struct slice head);

/* Never NULL; packing must not be SOURCE_PLAIN. */
struct unpack *unpack_create(enum source_packing packing);

/* unpack_destroy(NULL) is fine. */
void unpack_destroy(struct unpack *u);

/*
 * Unpacks some of *in (which is advanced) into out, at most cap bytes, and returns how many. 0:
 * more input is needed, or unpack_ended.
 */
size_t unpack_run(struct unpack *u, struct slice *in, uint8_t *out, size_t cap);

/* Nothing more will come: the last stream is complete and no other follows, or damage. */
bool unpack_ended(const struct unpack *u);

/* True when the input may end here: between two streams. */
bool unpack_complete(const struct unpack *u);

/* The damage, static text; NULL: none. */
const char *unpack_fault(const struct unpack *u);

#endif
