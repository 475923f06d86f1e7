// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Multiply-and-fold hashing (128-bit products, as in wyhash) over a secret seed. It is no
 * cryptographic hash: the seed only has to be unknown to whoever made the capture.
 */
#include "base/hash.h"

#include <pthread.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

static uint64_t hash_seed[2];
static pthread_once_t hash_once = PTHREAD_ONCE_INIT;

static void hash_seed_make(void)
{
	if (getrandom(hash_seed, sizeof(hash_seed), GRND_NONBLOCK) != (ssize_t)sizeof(hash_seed)) {
		/* No random source, in early boot: where we were loaded is not known either. */
		hash_seed[0] = (uint64_t)getpid() * UINT64_C(0x9e3779b97f4a7c15);
		hash_seed[1] = (uint64_t)(uintptr_t)&hash_seed;
	}
	hash_seed[1] |= 1;
}

static uint64_t hash_fold(uint64_t a, uint64_t b)
{
	__uint128_t product = (__uint128_t)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

uint64_t hash_start(void)
{
	if (__builtin_expect(hash_seed[1] == 0, 0))
		pthread_once(&hash_once, hash_seed_make);
	return hash_seed[0];
}

uint64_t hash_u64(uint64_t hash, uint64_t value)
{
	return hash_fold(hash ^ value ^ UINT64_C(0xa0761d6478bd642f),
			 hash_seed[1] ^ (value << 32 | value >> 32));
}

uint64_t hash_bytes(const void *bytes, size_t len)
{
	const uint8_t *p = bytes;
	uint64_t hash = hash_u64(hash_start(), len);
	uint64_t word;

	for (; len >= 8; p += 8, len -= 8) {
		memcpy(&word, p, 8);
		hash = hash_u64(hash, word);
	}
	if (len) {
		word = 0;
		memcpy(&word, p, len);
		hash = hash_u64(hash, word);
	}
	return hash;
}
