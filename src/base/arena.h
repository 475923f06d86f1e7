/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory that is given back all at once: for reports and other things that die together. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/slice.h"

struct arena_chunk;

struct arena {
	struct arena_chunk *chunks;
};

void arena_init(struct arena *a);
void arena_deinit(struct arena *a);

/* Zeroed memory, aligned for any type, valid until arena_deinit; never NULL. */
void *arena_alloc(struct arena *a, size_t bytes);

/* A NUL-terminated copy of the bytes. */
char *arena_copy(struct arena *a, const void *bytes, size_t len);
char *arena_text(struct arena *a, const char *text);
char *arena_format(struct arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
