// SPDX-License-Identifier: GPL-2.0-or-later
/* See text_scan.h. */
#include "evidence/text_scan.h"

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

bool text_begins(struct slice text, const char *words)
{
	size_t len = strlen(words);

	return text.len >= len && memcmp(text.ptr, words, len) == 0;
}

struct slice text_find(struct slice text, const char *words)
{
	size_t len = strlen(words);
	const uint8_t *at = text.len >= len && len ? memmem(text.ptr, text.len, words, len) : NULL;

	return at ? slice_make(at, text.len - (size_t)(at - text.ptr)) : slice_make(NULL, 0);
}

bool text_holds(struct slice text, const char *words)
{
	return text_find(text, words).len != 0;
}

struct slice text_after(struct slice text, size_t bytes)
{
	if (bytes >= text.len)
		return slice_make(NULL, 0);
	return slice_make(text.ptr + bytes, text.len - bytes);
}

struct slice text_trim(struct slice text)
{
	while (text.len && is_blank(text.ptr[0]))
		text = slice_make(text.ptr + 1, text.len - 1);
	while (text.len && is_blank(text.ptr[text.len - 1]))
		text.len--;
	return text;
}

struct slice text_word(struct slice *rest)
{
	struct slice word;
	size_t len = 0;

	*rest = text_trim(*rest);
	while (len < rest->len && !is_blank(rest->ptr[len]))
		len++;
	word = slice_make(rest->ptr, len);
	*rest = text_after(*rest, len);
	return word;
}

struct slice text_last_word(struct slice *text)
{
	size_t at = text->len;
	struct slice word;

	while (at > 0 && text->ptr[at - 1] != ' ')
		at--;
	word = slice_make(text->ptr + at, text->len - at);
	text->len = at;
	*text = text_trim(*text);
	return word;
}

bool text_number(struct slice text, int64_t *out)
{
	int64_t number = 0;

	if (text.len == 0 || text.len > 18)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (!text_is_digit(text.ptr[i]))
			return false;
		number = number * 10 + (text.ptr[i] - '0');
	}
	*out = number;
	return true;
}

static int digit_of(uint8_t c)
{
	if (text_is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 16;
}

bool text_c_number(struct slice text, uint64_t *out)
{
	bool minus = text.len && text.ptr[0] == '-';
	uint64_t number = 0;
	int base = 10;
	size_t digits = 0;

	text = text_after(text, minus);
	if (text_begins(text, "0x")) {
		base = 16;
		text = text_after(text, 2);
	} else if (text.len > 1 && text.ptr[0] == '0') {
		base = 8;
	}
	while (digits < text.len && digits < 24 && digit_of(text.ptr[digits]) < base)
		number = number * (uint64_t)base + (uint64_t)digit_of(text.ptr[digits++]);
	if (digits == 0)
		return false;
	*out = minus ? 0 - number : number;
	return true;
}

bool text_is_name_byte(uint8_t c)
{
	return text_is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
	       c == '.' || c == '$';
}
