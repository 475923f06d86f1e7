/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bytes of an input as a tape of choices: what a grammar makes is decided by them, one after
 * the other, so that a small change of the input is a small change of what is made. At its end the
 * tape gives zeroes.
 */
#ifndef FUZZ_TAPE_H
#define FUZZ_TAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tape {
	const uint8_t *bytes;
	size_t len;
};

static inline uint8_t tape_u8(struct tape *t)
{
	if (t->len == 0)
		return 0;
	t->len--;
	return *t->bytes++;
}

static inline uint16_t tape_u16(struct tape *t)
{
	uint8_t high = tape_u8(t);

	return (uint16_t)(high << 8 | tape_u8(t));
}

/* A number below count, which is at most 65535 and not 0. */
static inline size_t tape_below(struct tape *t, size_t count)
{
	return (count <= 256 ? tape_u8(t) : tape_u16(t)) % count;
}

/* True once in `count` times. */
static inline bool tape_once_in(struct tape *t, size_t count)
{
	return tape_below(t, count) == count - 1;
}

static inline bool tape_ended(const struct tape *t)
{
	return t->len == 0;
}

#endif
