/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small help for readers of text: what begins, what holds, words and numbers. Nothing is copied. */
#ifndef EVIDENCE_TEXT_SCAN_H
#define EVIDENCE_TEXT_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

bool text_begins(struct slice text, const char *words);

/* The rest of text from the words on; len 0 when they are not in it. */
struct slice text_find(struct slice text, const char *words);
bool text_holds(struct slice text, const char *words);

/* Without the first `bytes`; empty when there are fewer. */
struct slice text_after(struct slice text, size_t bytes);

/* Without blanks before and behind. */
struct slice text_trim(struct slice text);

/* Takes the next word, up to a blank, from *rest; empty at the end. */
struct slice text_word(struct slice *rest);

/* Takes the last word, behind a blank, off *text, and the blanks before it. */
struct slice text_last_word(struct slice *text);

/*
 * A decimal number that is the whole text; false: it is none, or too large. The value is never
 * negative.
 */
bool text_number(struct slice text, int64_t *out);

/* A number in the notation of C (0x1f, 017, 31, -1) at the beginning; false: there is none. */
bool text_c_number(struct slice text, uint64_t *out);

static inline bool text_is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* True for what names of functions consist of. */
bool text_is_name_byte(uint8_t c);

#endif
