/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small help for readers of text: what begins, what holds, words and numbers. Nothing is copied. */
#ifndef EVIDENCE_TEXT_SCAN_H
#define EVIDENCE_TEXT_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

/*
 * What each line of a text is asked many times stands here, so that the compiler sees the words
 * that are asked for.
 */

static inline bool text_begins(struct slice text, const char *words)
{
	size_t len = strlen(words);

	return text.len >= len && memcmp(text.ptr, words, len) == 0;
}

/* The rest of text from the `len` bytes of words on; len 0 when they are not in it, or are none. */
struct slice text_find_bytes(struct slice text, const char *words, size_t len);

/* The rest of text from the words on; len 0 when they are not in it. */
static inline struct slice text_find(struct slice text, const char *words)
{
	return text_find_bytes(text, words, strlen(words));
}

static inline bool text_holds(struct slice text, const char *words)
{
	return text_find(text, words).len != 0;
}

/* Without the first `bytes`; empty when there are fewer. */
static inline struct slice text_after(struct slice text, size_t bytes)
{
	if (bytes >= text.len)
		return slice_make(NULL, 0);
	return slice_make(text.ptr + bytes, text.len - bytes);
}

static inline bool text_is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

/* Without blanks before and behind. */
static inline struct slice text_trim(struct slice text)
{
	while (text.len && text_is_blank(text.ptr[0]))
		text = slice_make(text.ptr + 1, text.len - 1);
	while (text.len && text_is_blank(text.ptr[text.len - 1]))
		text.len--;
	return text;
}

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
