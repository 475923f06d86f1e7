// SPDX-License-Identifier: GPL-2.0-or-later
/* See buffer.h. */
#include "net/buffer.h"

#include <stdlib.h>

#include "base/mem.h"

enum { CAP_MIN_BYTES = 64 << 10 };

void net_buffer_pool_deinit(struct net_buffer_pool *pool)
{
	for (size_t i = 0; i < pool->count; i++)
		free(pool->spare[i].memory);
	pool->count = 0;
}

void net_buffer_release(struct net_buffer *b, struct net_buffer_pool *pool)
{
	if (b->memory && b->cap <= NET_BUFFER_KEEP_BYTES && pool->count < NET_BUFFER_SPARE) {
		pool->spare[pool->count].memory = b->memory;
		pool->spare[pool->count].cap = b->cap;
		pool->count++;
	} else {
		free(b->memory);
	}
	*b = (struct net_buffer){0};
}

/* Memory from the pool; the one that was given back last is the warmest. */
static void take_spare(struct net_buffer *b, struct net_buffer_pool *pool)
{
	if (!pool->count)
		return;
	pool->count--;
	b->memory = pool->spare[pool->count].memory;
	b->cap = pool->spare[pool->count].cap;
}

uint8_t *net_buffer_reserve(struct net_buffer *b, struct net_buffer_pool *pool, size_t bytes)
{
	size_t cap;

	if (!b->memory)
		take_spare(b, pool);
	if (bytes > net_buffer_room(b) && b->start) {
		memmove(b->memory, b->memory + b->start, b->len);
		b->start = 0;
	}
	if (bytes > net_buffer_room(b)) {
		cap = b->cap ? b->cap : CAP_MIN_BYTES;
		while (cap - b->len < bytes)
			cap *= 2;
		b->memory = mem_resize(b->memory, cap, 1);
		b->cap = cap;
	}
	return b->memory + b->start + b->len;
}

void net_buffer_consume(struct net_buffer *b, struct net_buffer_pool *pool, size_t bytes)
{
	b->start += bytes;
	b->len -= bytes;
	if (!b->len)
		net_buffer_release(b, pool);
}
