/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Buffers of bytes for connections: filled at the end, emptied at the front.
 *
 * A connection has one only while bytes are in it. Memory that is given back is kept by the pool
 * for the next who needs some, so that a busy connection does not allocate and an idle one owns
 * nothing.
 */
#ifndef NET_BUFFER_H
#define NET_BUFFER_H

#include "base/slice.h"

enum {
	NET_BUFFER_SPARE = 32,          /* pieces of memory that the pool keeps */
	NET_BUFFER_KEEP_BYTES = 8 << 20 /* larger ones are not kept */
};

struct net_buffer_pool {
	size_t count;
	struct {
		uint8_t *memory;
		size_t cap;
	} spare[NET_BUFFER_SPARE];
};

struct net_buffer {
	uint8_t *memory; /* NULL: none */
	size_t cap;      /* bytes of memory */
	size_t start;    /* offset of the first byte that is in it */
	size_t len;      /* bytes that are in it */
};

/* A zeroed pool and a zeroed buffer are empty ones. */
void net_buffer_pool_deinit(struct net_buffer_pool *pool);

/* Gives the memory back to the pool; the buffer is empty afterwards. */
void net_buffer_release(struct net_buffer *b, struct net_buffer_pool *pool);

/*
 * Room for `bytes` more behind those that are in it. Never NULL; valid until the next call for this
 * buffer. What was written there counts once net_buffer_commit is called.
 */
uint8_t *net_buffer_reserve(struct net_buffer *b, struct net_buffer_pool *pool, size_t bytes);

/* At most so many as were reserved. */
static inline void net_buffer_commit(struct net_buffer *b, size_t bytes)
{
	b->len += bytes;
}

/* The bytes that are in it. */
static inline struct slice net_buffer_bytes(const struct net_buffer *b)
{
	return slice_make(b->memory ? b->memory + b->start : NULL, b->len);
}

/* Room that is there without moving anything. */
static inline size_t net_buffer_room(const struct net_buffer *b)
{
	return b->cap - b->start - b->len;
}

/* Takes bytes (at most len) off the front; the memory goes back when nothing is left. */
void net_buffer_consume(struct net_buffer *b, struct net_buffer_pool *pool, size_t bytes);

#endif
