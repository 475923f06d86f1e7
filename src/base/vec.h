/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A growing array of items of one size. Pointers into it are valid until the next push. */
#ifndef BASE_VEC_H
#define BASE_VEC_H

#include <stddef.h>

struct vec {
	void *items;
	size_t len;        /* items */
	size_t cap;        /* items */
	size_t item_bytes; /* size of one item */
};

void vec_init(struct vec *v, size_t item_bytes);
void vec_deinit(struct vec *v);

/* Appends a zeroed item and returns it. */
void *vec_push(struct vec *v);

/* Item at index, which must be below len. */
static inline void *vec_at(const struct vec *v, size_t index)
{
	return (char *)v->items + index * v->item_bytes;
}

/* The last item, or NULL when empty. */
void *vec_last(const struct vec *v);

#endif
