// SPDX-License-Identifier: GPL-2.0-or-later
/* See vec.h. */
#include "base/vec.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

void vec_init(struct vec *v, size_t item_bytes)
{
	*v = (struct vec){.item_bytes = item_bytes};
}

void vec_deinit(struct vec *v)
{
	free(v->items);
	vec_init(v, v->item_bytes);
}

void *vec_push(struct vec *v)
{
	if (v->len == v->cap) {
		v->cap = v->cap ? v->cap * 2 : 8;
		v->items = mem_resize(v->items, v->cap, v->item_bytes);
	}
	v->len++;
	return memset(vec_at(v, v->len - 1), 0, v->item_bytes);
}

void *vec_last(const struct vec *v)
{
	return v->len ? vec_at(v, v->len - 1) : NULL;
}
