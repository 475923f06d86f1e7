/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A hash table of pointers, with open addressing. The caller hashes and compares: the table stores
 * the 64-bit hash and the pointer, so that a look-up touches an item only on a likely match.
 *
 * Hashes of bytes that come from evidence must come from hash_bytes or hash_u64 (base/hash.h),
 * which are seeded per run: nobody can choose colliding keys. Iteration order is therefore not
 * deterministic: sort before printing.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map_slot {
	uint64_t hash; /* 0: empty, 1: deleted; real hashes are made >= 2 */
	void *item;
};

/* True when the item has this key. */
typedef bool map_equal_fn(const void *item, const void *key);

struct map {
	struct map_slot *slots;
	size_t cap;  /* slots; a power of two, or 0 */
	size_t len;  /* items */
	size_t used; /* items and deleted slots */
	map_equal_fn *equal;
};

void map_init(struct map *m, map_equal_fn *equal);

/* Frees the table; the items are the caller's. */
void map_deinit(struct map *m);

/* The item with this key, or NULL. */
void *map_find(const struct map *m, uint64_t hash, const void *key);

/* Adds an item whose key is not in the table yet. */
void map_add(struct map *m, uint64_t hash, void *item);

/* Removes and returns the item with this key, or NULL. */
void *map_remove(struct map *m, uint64_t hash, const void *key);

/* Items one by one, in no order: start with *index = 0; NULL at the end. Do not change the map. */
void *map_next(const struct map *m, size_t *index);

#endif
