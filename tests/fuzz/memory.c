// SPDX-License-Identifier: GPL-2.0-or-later
/* See memory.h; the functions are those of <sanitizer/allocator_interface.h>. */
#include "memory.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

size_t __sanitizer_get_allocated_size(const volatile void *p) __attribute__((weak));
int __sanitizer_install_malloc_and_free_hooks(void (*allocated)(const volatile void *, size_t),
					      void (*freed)(const volatile void *))
	__attribute__((weak));

static atomic_intptr_t now, peak; /* what was there before and is freed counts below zero */

static void take(const volatile void *p, size_t bytes)
{
	intptr_t sum = atomic_fetch_add(&now, (intptr_t)bytes) + (intptr_t)bytes;
	intptr_t most = atomic_load(&peak);

	(void)p;
	while (sum > most && !atomic_compare_exchange_weak(&peak, &most, sum))
		;
}

static void give(const volatile void *p)
{
	if (p)
		atomic_fetch_sub(&now, (intptr_t)__sanitizer_get_allocated_size(p));
}

void memory_watch(void)
{
	static bool installed;

	if (!installed && __sanitizer_install_malloc_and_free_hooks &&
	    __sanitizer_get_allocated_size)
		__sanitizer_install_malloc_and_free_hooks(take, give);
	installed = true;
	atomic_store(&now, 0);
	atomic_store(&peak, 0);
}

size_t memory_peak_bytes(void)
{
	return (size_t)atomic_load(&peak);
}
