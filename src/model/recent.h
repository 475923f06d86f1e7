/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Items by a key, up to a cap: beyond it the item that was not touched for longest goes. The item
 * begins with a struct recent_item; a key is an item of which only the key's members are filled in.
 */
#ifndef MODEL_RECENT_H
#define MODEL_RECENT_H

#include "base/map.h"

struct recent_item {
	struct recent_item *older, *newer;
	uint64_t hash;
};

struct recent {
	struct map map;
	struct recent_item *oldest, *newest;
	size_t len, max;
	uint64_t dropped; /* items that the cap let go */
};

void recent_init(struct recent *r, map_equal_fn *equal, size_t max);

/* Frees the items, with free(). */
void recent_deinit(struct recent *r);

/* The item with this key, or NULL. */
void *recent_find(const struct recent *r, uint64_t hash, const void *key);

/*
 * Adds an item with a key that is not there yet, as the newest. Returns the item that had to go, of
 * which the caller is the owner; NULL: none.
 */
void *recent_add(struct recent *r, uint64_t hash, struct recent_item *item);

/* Makes it the newest. */
void recent_touch(struct recent *r, struct recent_item *item);

/* Takes it out; the caller is its owner then. */
void recent_remove(struct recent *r, struct recent_item *item);

#endif
