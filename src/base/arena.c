// SPDX-License-Identifier: GPL-2.0-or-later
/* See arena.h. Chunks double up to 64 KiB; larger requests get a chunk of their own. */
#include "base/arena.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { CHUNK_MIN_BYTES = 4096, CHUNK_MAX_BYTES = 65536, ARENA_ALIGN = 16 };

struct arena_chunk {
	struct arena_chunk *next;
	size_t used; /* bytes of data */
	size_t cap;
	_Alignas(ARENA_ALIGN) uint8_t data[];
};

void arena_init(struct arena *a)
{
	a->chunks = NULL;
}

void arena_deinit(struct arena *a)
{
	while (a->chunks) {
		struct arena_chunk *next = a->chunks->next;

		free(a->chunks);
		a->chunks = next;
	}
}

static struct arena_chunk *arena_grow(struct arena *a, size_t bytes)
{
	size_t cap = a->chunks ? a->chunks->cap * 2 : CHUNK_MIN_BYTES;
	struct arena_chunk *chunk;

	if (cap > CHUNK_MAX_BYTES)
		cap = CHUNK_MAX_BYTES;
	if (cap < bytes)
		cap = bytes;
	chunk = mem_alloc(1, sizeof(*chunk) + cap);
	chunk->cap = cap;
	chunk->next = a->chunks;
	a->chunks = chunk;
	return chunk;
}

void *arena_alloc(struct arena *a, size_t bytes)
{
	size_t rounded = (bytes + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
	struct arena_chunk *chunk = a->chunks;
	void *p;

	if (!chunk || rounded > chunk->cap - chunk->used)
		chunk = arena_grow(a, rounded);
	p = chunk->data + chunk->used;
	chunk->used += rounded;
	return p;
}

char *arena_copy(struct arena *a, const void *bytes, size_t len)
{
	char *copy = arena_alloc(a, len + 1);

	if (len)
		memcpy(copy, bytes, len);
	return copy;
}

char *arena_text(struct arena *a, const char *text)
{
	return arena_copy(a, text, strlen(text));
}

char *arena_format(struct arena *a, const char *format, ...)
{
	va_list args;
	char *text;
	int len;

	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len < 0)
		return arena_text(a, format);
	text = arena_alloc(a, (size_t)len + 1);
	va_start(args, format);
	vsnprintf(text, (size_t)len + 1, format, args);
	va_end(args);
	return text;
}
