// SPDX-License-Identifier: GPL-2.0-or-later
/* See book.h. */
#include "lab/scene/book.h"

const struct embedded *scene_book_find(const char *name)
{
	for (size_t i = 0; i < scene_book_count; i++)
		if (strcmp(scene_book[i].name, name) == 0)
			return &scene_book[i];
	return NULL;
}

const char *scene_book_name(size_t index)
{
	return scene_book[index].name;
}
