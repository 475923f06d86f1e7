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

/* For keys of a few integers: mixes one more into a hash that was started with hash_start. */
uint64_t hash_start(void);
uint64_t hash_u64(uint64_t hash, uint64_t value);

#endif
