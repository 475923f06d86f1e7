// SPDX-License-Identifier: GPL-2.0-or-later
/* See pool.h. Before each item stands which block it lies in. */
#include "base/pool.h"

#include "base/mem.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define POOL_IS_PLAIN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POOL_IS_PLAIN 1
#endif
#endif
#ifndef POOL_IS_PLAIN
#define POOL_IS_PLAIN 0
#endif

enum { BLOCK_BYTES = 32768, ITEM_ALIGN = 16 };

struct pool_item {
	struct pool_block *block;
	struct pool_item *next; /* while it is free */
	_Alignas(ITEM_ALIGN) uint8_t bytes[];
};

struct pool_block {
	struct pool_block *newer, *older; /* among those with room */
	struct pool_item *spare;          /* given back */
	size_t used;                      /* items that are somebody's */
	size_t fresh;                     /* offset of what was never handed out */
	_Alignas(ITEM_ALIGN) uint8_t items[];
};

void pool_init(struct pool *p, size_t item_bytes)
{
	if (item_bytes > POOL_ITEM_BYTES_MAX)
		abort(); /* a mistake of ours: sizes come from no input */
	*p = (struct pool){
		.item_bytes = item_bytes,
		.stride = (sizeof(struct pool_item) + item_bytes + ITEM_ALIGN - 1) &
			  ~(size_t)(ITEM_ALIGN - 1),
	};
}

static bool block_has_room(const struct pool *p, const struct pool_block *b)
{
	return b->spare || b->fresh + p->stride <= BLOCK_BYTES;
}

static void block_link(struct pool *p, struct pool_block *b)
{
	b->newer = NULL;
	b->older = p->open;
	if (b->older)
		b->older->newer = b;
	p->open = b;
}

static void block_unlink(struct pool *p, struct pool_block *b)
{
	*(b->newer ? &b->newer->older : &p->open) = b->older;
	if (b->older)
		b->older->newer = b->newer;
}

static struct pool_block *block_add(struct pool *p)
{
	struct pool_block *b = mem_resize(NULL, 1, BLOCK_BYTES);

	*b = (struct pool_block){.fresh = offsetof(struct pool_block, items)};
	block_link(p, b);
	return b;
}

void *pool_alloc(struct pool *p)
{
	struct pool_block *b = p->open;
	struct pool_item *item;

	if (POOL_IS_PLAIN)
		return mem_alloc(1, p->item_bytes);
	if (!b)
		b = block_add(p);
	item = b->spare;
	if (item) {
		b->spare = item->next;
	} else {
		item = (struct pool_item *)((uint8_t *)b + b->fresh);
		item->block = b;
		b->fresh += p->stride;
	}
	b->used++;
	if (!block_has_room(p, b))
		block_unlink(p, b);
	return memset(item->bytes, 0, p->item_bytes);
}

void pool_free(struct pool *p, void *item)
{
	struct pool_item *spare;
	struct pool_block *b;

	if (POOL_IS_PLAIN || !item) {
		free(item);
		return;
	}
	spare = (struct pool_item *)((uint8_t *)item - offsetof(struct pool_item, bytes));
	b = spare->block;
	if (!block_has_room(p, b))
		block_link(p, b);
	spare->next = b->spare;
	b->spare = spare;
	if (--b->used == 0) {
		block_unlink(p, b);
		free(b);
	}
}
