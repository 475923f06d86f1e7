// SPDX-License-Identifier: GPL-2.0-or-later
/* See vec.h. */
#include "base/vec.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/*
 * What a first push allocates. A diagnosis of thousands of findings has ten vectors for each, most
 * of them with an item or two.
 */
enum { VEC_FIRST_BYTES = 24, VEC_FIRST_MIN = 2 };

void vec_init(struct vec *v, size_t item_bytes)
{
	*v = (struct vec){.item_bytes = item_bytes};
}

void vec_deinit(struct vec *v)
{
	free(v->items);
	vec_init(v, v->item_bytes);
}

static size_t vec_first_cap(const struct vec *v)
{
	size_t cap = VEC_FIRST_BYTES / v->item_bytes;

	return cap > VEC_FIRST_MIN ? cap : VEC_FIRST_MIN;
}

void *vec_push(struct vec *v)
{
	if (v->len == v->cap) {
		v->cap = v->cap ? v->cap * 2 : vec_first_cap(v);
		v->items = mem_resize(v->items, v->cap, v->item_bytes);
	}
	v->len++;
	return memset(vec_at(v, v->len - 1), 0, v->item_bytes);
}

void *vec_last(const struct vec *v)
{
	return v->len ? vec_at(v, v->len - 1) : NULL;
}
