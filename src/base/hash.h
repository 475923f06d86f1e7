/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hashes for tables whose keys come from evidence. Seeded once per run from the system's random
 * source, so that a crafted capture cannot make a table slow. Results must not reach the output.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t hash_bytes(const void *bytes, size_t len);

/* Private to hash.c and to what is inline here; the second word is 0 until the seed is made. */
extern uint64_t hash_seed[2];
void hash_seed_make_once(void);

static inline uint64_t hash_fold(uint64_t a, uint64_t b)
{
	__uint128_t product = (__uint128_t)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* For keys of a few integers: mixes one more into a hash that was started with hash_start. */
static inline uint64_t hash_start(void)
{
	if (__builtin_expect(hash_seed[1] == 0, 0))
		hash_seed_make_once();
	return hash_seed[0];
}

static inline uint64_t hash_u64(uint64_t hash, uint64_t value)
{
	return hash_fold(hash ^ value ^ UINT64_C(0xa0761d6478bd642f),
			 hash_seed[1] ^ (value << 32 | value >> 32));
}

/* The same for two at a time. */
static inline uint64_t hash_u64_pair(uint64_t hash, uint64_t a, uint64_t b)
{
	return hash_fold(a ^ hash_seed[1], b ^ hash ^ UINT64_C(0xa0761d6478bd642f));
}

#endif
