// SPDX-License-Identifier: GPL-2.0-or-later
/* See mem.h. */
#include "base/mem.h"

#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_NO_MEMORY = 3 };

static void *mem_check(void *p)
{
	if (!p) {
		fputs("nfsleuth: out of memory\n", stderr);
		exit(EXIT_NO_MEMORY);
	}
	return p;
}

void *mem_alloc(size_t count, size_t size)
{
	return mem_check(calloc(count ? count : 1, size ? size : 1));
}

void *mem_alloc_lines(size_t size)
{
	size_t rest = size % MEM_LINE_BYTES;

	if (rest && size <= SIZE_MAX - MEM_LINE_BYTES)
		size += MEM_LINE_BYTES - rest;
	return mem_check(aligned_alloc(MEM_LINE_BYTES, size ? size : MEM_LINE_BYTES));
}

void *mem_resize(void *old, size_t count, size_t size)
{
	if (count == 0)
		count = 1;
	return mem_check(reallocarray(old, count, size));
}

void *mem_copy(const void *bytes, size_t len)
{
	char *copy = mem_check(malloc(len + 1));

	if (len)
		memcpy(copy, bytes, len);
	copy[len] = '\0';
	return copy;
}

void mem_trim(void)
{
#ifdef __GLIBC__
	(void)malloc_trim(0);
#endif
}

void mem_free_guard(void *pointer_to_pointer)
{
	free(*(void **)pointer_to_pointer);
}
