/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory that is always there: the tool ends with a message and exit status 3 when the system has
 * none left. Every table of ours has a cap, so this is the machine's failure and not the input's.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

/* Zeroed memory for count items of size bytes; never NULL. Freed with free(). */
void *mem_alloc(size_t count, size_t size);

/*
 * size bytes that begin with a line of the processor's cache, as two threads want them who write
 * side by side; not zeroed; never NULL. Freed with free().
 */
enum { MEM_LINE_BYTES = 64 };
void *mem_alloc_lines(size_t size);

/* Resizes to count items of size bytes; new bytes are not zeroed; never NULL. */
void *mem_resize(void *old, size_t count, size_t size);

/* A copy of len bytes with a NUL behind it; never NULL. Freed with free(). */
void *mem_copy(const void *bytes, size_t len);

/*
 * Gives the system what is free. Freed pieces between others stay ours until then: worth it once,
 * when much was let go and much is to come.
 */
void mem_trim(void);

/* For `__attribute__((cleanup(mem_free_guard)))` on a pointer variable. */
void mem_free_guard(void *pointer_to_pointer);

#endif
