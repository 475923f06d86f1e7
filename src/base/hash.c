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

uint64_t hash_seed[2];
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

void hash_seed_make_once(void)
{
	pthread_once(&hash_once, hash_seed_make);
}

/* Of 1 to 16 bytes, in two words that may overlap. */
static uint64_t hash_tail(uint64_t hash, const uint8_t *p, size_t n)
{
	uint64_t a = 0, b = 0;

	if (n > 8) {
		memcpy(&a, p, 8);
		memcpy(&b, p + n - 8, 8);
	} else if (n >= 4) {
		memcpy(&a, p, 4);
		memcpy(&b, p + n - 4, 4);
	} else {
		memcpy(&a, p, 1);
		b = (uint64_t)p[n / 2] << 8 | p[n - 1];
	}
	return hash_u64_pair(hash, a, b);
}

static inline uint64_t hash_sixteen(uint64_t hash, const uint8_t *p)
{
	uint64_t a, b;

	memcpy(&a, p, 8);
	memcpy(&b, p + 8, 8);
	return hash_u64_pair(hash, a, b);
}

uint64_t hash_bytes(const void *bytes, size_t len)
{
	const uint8_t *p = bytes;
	uint64_t hash = hash_u64(hash_start(), len);

	for (; len > 32; p += 32, len -= 32) /* two steps of what follows */
		hash = hash_sixteen(hash_sixteen(hash, p), p + 16);
	if (len > 16) {
		hash = hash_sixteen(hash, p);
		p += 16;
		len -= 16;
	}
	return len ? hash_tail(hash, p, len) : hash;
}
