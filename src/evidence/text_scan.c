// SPDX-License-Identifier: GPL-2.0-or-later
/* See text_scan.h. */
#include "evidence/text_scan.h"

/* How common bytes are in what kernels and programs write; others are rarer. */
static const uint8_t commonness[UINT8_MAX + 1] = {
	[' '] = 30, ['e'] = 29, ['t'] = 28, ['0'] = 28, ['r'] = 27, ['s'] = 26, ['a'] = 26,
	['o'] = 25, ['i'] = 25, ['n'] = 25, ['1'] = 24, ['d'] = 23, ['c'] = 22, ['l'] = 21,
	[':'] = 20, ['2'] = 20, ['p'] = 19, ['u'] = 18, ['m'] = 17, ['3'] = 16, ['4'] = 16,
	['5'] = 16, ['6'] = 16, ['7'] = 16, ['8'] = 16, ['9'] = 16, ['f'] = 15, ['_'] = 15,
	['.'] = 14, ['='] = 14, ['['] = 13, [']'] = 13, ['g'] = 12, ['/'] = 12, ['h'] = 11,
	['-'] = 11, ['b'] = 10, ['x'] = 10, [','] = 9,  ['v'] = 8,  ['k'] = 8,  ['y'] = 7,
	['w'] = 7,  ['('] = 6,  [')'] = 6,  ['S'] = 5,  ['T'] = 5,  ['C'] = 5,  ['P'] = 5,
	['D'] = 4,  ['A'] = 4,  ['E'] = 4,  ['R'] = 4,  ['N'] = 4,  ['I'] = 4,
};

static size_t rarest_of(const char *words, size_t len)
{
	size_t best = 0;
	size_t step =
		len / 8 + 1; /* of long words some: the choice must not cost more than it saves */

	for (size_t i = 1; i < len; i += step)
		if (commonness[(uint8_t)words[i]] < commonness[(uint8_t)words[best]])
			best = i;
	return best;
}

/* By the rarest byte of the words: most texts do not have it, or nowhere near the others. */
struct slice text_find_bytes(struct slice text, const char *words, size_t len)
{
	size_t anchor;
	const uint8_t *at, *end;

	if (len == 0 || text.len < len)
		return slice_make(NULL, 0);
	anchor = rarest_of(words, len);
	at = text.ptr + anchor;
	end = at + (text.len - len) + 1;
	while (at < end && (at = memchr(at, (uint8_t)words[anchor], (size_t)(end - at)))) {
		const uint8_t *start = at - anchor;

		if (memcmp(start, words, len) == 0)
			return slice_make(start, text.len - (size_t)(start - text.ptr));
		at++;
	}
	return slice_make(NULL, 0);
}

struct slice text_word(struct slice *rest)
{
	struct slice word;
	size_t len = 0;

	*rest = text_trim(*rest);
	while (len < rest->len && !text_is_blank(rest->ptr[len]))
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
