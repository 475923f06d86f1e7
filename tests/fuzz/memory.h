/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How much memory is allocated at once. Counted where a sanitizer lets us watch malloc and free;
 * other builds count nothing, and memory_peak_bytes is 0.
 */
#ifndef FUZZ_MEMORY_H
#define FUZZ_MEMORY_H

#include <stddef.h>

/* From now on the peak is counted, above what is allocated already. */
void memory_watch(void);

/* The most that was allocated at once since memory_watch, by all threads. */
size_t memory_peak_bytes(void);

#endif
