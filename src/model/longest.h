/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keeps what lasted longest: items with a key, up to a cap, beyond which the one with the smallest
 * key goes. So a long wait is not pushed out by ten thousand short ones after it.
 */
#ifndef MODEL_LONGEST_H
#define MODEL_LONGEST_H

#include "base/vec.h"

#include <stdint.h>

struct longest_entry {
	int64_t key;
	void *item;
};

struct longest {
	struct vec entries; /* struct longest_entry: a heap, the smallest key first */
	size_t max;
	uint64_t dropped; /* items that went */
};

void longest_init(struct longest *l, size_t max);

/* Frees the table; the items are the caller's. */
void longest_deinit(struct longest *l);

/* The item that has to go, which may be this one; NULL: there was room. Of equals the newer goes.
 */
void *longest_add(struct longest *l, int64_t key, void *item);

/* Number of items, and each of them; in no useful order. */
size_t longest_count(const struct longest *l);
void *longest_at(const struct longest *l, size_t index);

#endif
