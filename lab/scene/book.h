/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The scenes that are built into the program: the files of scenes/, by their names. */
#ifndef LAB_SCENE_BOOK_H
#define LAB_SCENE_BOOK_H

#include <stddef.h>

#include "base/slice.h"

struct embedded {
	const char *name;
	const unsigned char *bytes;
	size_t len;
};

/* In the order of their names. */
extern const struct embedded scene_book[];
extern const size_t scene_book_count;

/* The scene of this name, or NULL. */
const struct embedded *scene_book_find(const char *name);

/* "name" of the scene at index, which is below scene_book_count. */
const char *scene_book_name(size_t index);

static inline struct slice scene_book_text(const struct embedded *e)
{
	return slice_make(e->bytes, e->len);
}

#endif
