// SPDX-License-Identifier: GPL-2.0-or-later
/* Buffers of a few sizes for RPC records: see rpc_pool.h. */
#include "proto/rpc_pool.h"

#include "base/mem.h"

#include <stdlib.h>

static const size_t rpc_pool_class_bytes[RPC_POOL_CLASSES] = {
	4 << 10, 32 << 10, 256 << 10, 1 << 20, RPC_RECORD_STORE_MAX,
};

void rpc_pool_init(struct rpc_pool *pool, size_t max_bytes)
{
	*pool = (struct rpc_pool){.max_bytes = max_bytes};
}

void rpc_pool_deinit(struct rpc_pool *pool)
{
	for (size_t i = 0; i < RPC_POOL_CLASSES; i++)
		while (pool->spare_count[i])
			free(pool->spare[i][--pool->spare_count[i]]);
}

/* The smallest class for so many bytes; RPC_POOL_CLASSES when there is none. */
static size_t rpc_pool_class(size_t bytes)
{
	size_t i = 0;

	while (i < RPC_POOL_CLASSES && rpc_pool_class_bytes[i] < bytes)
		i++;
	return i;
}

uint8_t *rpc_pool_take(struct rpc_pool *pool, size_t bytes, size_t *cap)
{
	size_t class = rpc_pool_class(bytes);
	size_t size;

	if (class == RPC_POOL_CLASSES)
		return NULL;
	size = rpc_pool_class_bytes[class];
	if (pool->used_bytes > pool->max_bytes || size > pool->max_bytes - pool->used_bytes)
		return NULL;
	pool->used_bytes += size;
	*cap = size;
	if (pool->spare_count[class])
		return pool->spare[class][--pool->spare_count[class]];
	return mem_resize(NULL, size, 1);
}

void rpc_pool_give(struct rpc_pool *pool, uint8_t *buf, size_t cap)
{
	size_t class = rpc_pool_class(cap);

	if (!buf)
		return;
	pool->used_bytes -= cap;
	/* A large buffer is seldom wanted: few of them are kept. */
	if (pool->spare_count[class] < RPC_POOL_SPARE >> class)
		pool->spare[class][pool->spare_count[class]++] = buf;
	else
		free(buf);
}
