/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A view of bytes that somebody else owns.
 *
 * A slice is valid only as long as its owner says. For slices that come out of a reader or a
 * decoder that is until the sink returns: whoever keeps something copies it.
 */
#ifndef BASE_SLICE_H
#define BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
	const uint8_t *ptr; /* may be NULL only where len is 0 */
	size_t len;         /* bytes */
};

static inline struct slice slice_make(const void *ptr, size_t len)
{
	return (struct slice){.ptr = ptr, .len = len};
}

static inline struct slice slice_of_string(const char *text)
{
	return slice_make(text, strlen(text));
}

static inline bool slice_equal(struct slice a, struct slice b)
{
	return a.len == b.len && (b.len == 0 || memcmp(a.ptr, b.ptr, b.len) == 0);
}

/* Order by bytes, then by length: for deterministic output. */
int slice_compare(struct slice a, struct slice b);

#endif
