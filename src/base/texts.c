// SPDX-License-Identifier: GPL-2.0-or-later
/* See texts.h. */
#include "base/texts.h"

#include <string.h>

#include "base/hash.h"

static bool text_is(const void *item, const void *key)
{
	return slice_equal(slice_of_string(item), *(const struct slice *)key);
}

void texts_init(struct texts *t, size_t max)
{
	map_init(&t->map, text_is);
	t->max = max;
}

void texts_deinit(struct texts *t)
{
	map_deinit(&t->map);
}

const char *texts_keep(struct texts *t, struct arena *arena, struct slice text)
{
	uint64_t hash;
	char *kept;

	if (text.len == 0)
		return "";
	hash = hash_bytes(text.ptr, text.len);
	kept = map_find(&t->map, hash, &text);
	if (!kept) {
		if (t->map.len == t->max || memchr(text.ptr, 0, text.len))
			return "";
		kept = arena_copy(arena, text.ptr, text.len);
		map_add(&t->map, hash, kept);
	}
	return kept;
}
