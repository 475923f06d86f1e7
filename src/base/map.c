// SPDX-License-Identifier: GPL-2.0-or-later
/* See map.h. Linear probing, at most 3/4 full, deleted slots reused and cleaned when it grows. */
#include "base/map.h"

#include "base/mem.h"

#include <stdlib.h>

enum { SLOT_EMPTY = 0, SLOT_DELETED = 1, FIRST_HASH = 2 };

void map_init(struct map *m, map_equal_fn *equal)
{
	*m = (struct map){.equal = equal};
}

void map_deinit(struct map *m)
{
	free(m->slots);
	map_init(m, m->equal);
}

static uint64_t map_real_hash(uint64_t hash)
{
	return hash < FIRST_HASH ? hash + FIRST_HASH : hash;
}

static struct map_slot *map_slot_find(const struct map *m, uint64_t hash, const void *key)
{
	size_t mask = m->cap - 1;

	if (m->cap == 0)
		return NULL;
	for (size_t i = hash & mask;; i = (i + 1) & mask) {
		struct map_slot *slot = &m->slots[i];

		if (slot->hash == SLOT_EMPTY)
			return NULL;
		if (slot->hash == hash && m->equal(slot->item, key))
			return slot;
	}
}

void *map_find(const struct map *m, uint64_t hash, const void *key)
{
	struct map_slot *slot = map_slot_find(m, map_real_hash(hash), key);

	return slot ? slot->item : NULL;
}

static void map_place(struct map_slot *slots, size_t cap, uint64_t hash, void *item)
{
	size_t i = hash & (cap - 1);

	while (slots[i].hash >= FIRST_HASH)
		i = (i + 1) & (cap - 1);
	slots[i] = (struct map_slot){hash, item};
}

static void map_grow(struct map *m)
{
	size_t cap = m->cap == 0 ? 16 : m->len * 2 > m->cap ? m->cap * 2 : m->cap;
	struct map_slot *slots = mem_alloc(cap, sizeof(*slots));

	for (size_t i = 0; i < m->cap; i++)
		if (m->slots[i].hash >= FIRST_HASH)
			map_place(slots, cap, m->slots[i].hash, m->slots[i].item);
	free(m->slots);
	m->slots = slots;
	m->cap = cap;
	m->used = m->len;
}

void map_add(struct map *m, uint64_t hash, void *item)
{
	if ((m->used + 1) * 4 > m->cap * 3)
		map_grow(m);
	/* A deleted slot may be reused, so `used` is an upper bound: that only grows it early. */
	map_place(m->slots, m->cap, map_real_hash(hash), item);
	m->len++;
	m->used++;
}

void *map_remove(struct map *m, uint64_t hash, const void *key)
{
	struct map_slot *slot = map_slot_find(m, map_real_hash(hash), key);
	void *item;
	size_t next;

	if (!slot)
		return NULL;
	item = slot->item;
	next = ((size_t)(slot - m->slots) + 1) & (m->cap - 1);
	if (m->slots[next].hash == SLOT_EMPTY) {
		slot->hash = SLOT_EMPTY;
		m->used--;
	} else {
		slot->hash = SLOT_DELETED;
	}
	slot->item = NULL;
	m->len--;
	return item;
}

void *map_next(const struct map *m, size_t *index)
{
	while (*index < m->cap) {
		const struct map_slot *slot = &m->slots[(*index)++];

		if (slot->hash >= FIRST_HASH)
			return slot->item;
	}
	return NULL;
}
