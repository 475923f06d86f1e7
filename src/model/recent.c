// SPDX-License-Identifier: GPL-2.0-or-later
/* See recent.h. */
#include "model/recent.h"

#include <stdlib.h>

void recent_init(struct recent *r, map_equal_fn *equal, size_t max)
{
	*r = (struct recent){.max = max};
	map_init(&r->map, equal);
}

void recent_deinit(struct recent *r)
{
	struct recent_item *next;

	for (struct recent_item *i = r->oldest; i; i = next) {
		next = i->newer;
		free(i);
	}
	map_deinit(&r->map);
}

static void recent_unlink(struct recent *r, struct recent_item *item)
{
	*(item->older ? &item->older->newer : &r->oldest) = item->newer;
	*(item->newer ? &item->newer->older : &r->newest) = item->older;
}

static void recent_link(struct recent *r, struct recent_item *item)
{
	item->newer = NULL;
	item->older = r->newest;
	*(r->newest ? &r->newest->newer : &r->oldest) = item;
	r->newest = item;
}

void *recent_find(const struct recent *r, uint64_t hash, const void *key)
{
	return map_find(&r->map, hash, key);
}

void *recent_add(struct recent *r, uint64_t hash, struct recent_item *item)
{
	struct recent_item *gone = NULL;

	if (r->len == r->max) {
		gone = r->oldest;
		recent_remove(r, gone);
		r->dropped++;
	}
	item->hash = hash;
	map_add(&r->map, hash, item);
	recent_link(r, item);
	r->len++;
	return gone;
}

void recent_touch(struct recent *r, struct recent_item *item)
{
	if (item == r->newest)
		return;
	recent_unlink(r, item);
	recent_link(r, item);
}

void recent_remove(struct recent *r, struct recent_item *item)
{
	map_remove(&r->map, item->hash, item);
	recent_unlink(r, item);
	r->len--;
}
