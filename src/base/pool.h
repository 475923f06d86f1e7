/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Items of one size that come and go in great number. They lie together in blocks, and a block
 * whose last item goes is freed: among other allocations each of them would keep a page that nobody
 * else can use, long after most are gone.
 *
 * With AddressSanitizer each item is an allocation of its own, so that a use after it was freed
 * shows.
 */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <stddef.h>

struct pool_block;

struct pool {
	size_t item_bytes;
	size_t stride;           /* with what we keep of each */
	struct pool_block *open; /* blocks with room; full ones are found by their items */
};

/* Items of this size: at most POOL_ITEM_BYTES_MAX. */
void pool_init(struct pool *p, size_t item_bytes);

enum { POOL_ITEM_BYTES_MAX = 8192 };

/* A zeroed item, aligned for any type; never NULL. */
void *pool_alloc(struct pool *p);

/* Gives back an item of this pool; pool_free(p, NULL) is fine. A pool all of whose items were given
 * back owns nothing. */
void pool_free(struct pool *p, void *item);

#endif
