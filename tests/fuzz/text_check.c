// SPDX-License-Identifier: GPL-2.0-or-later
/* See text_check.h. The reader of JSON shares nothing with the writer of base/json.h. */
#include "text_check.h"

#include "base/json.h"
#include "base/strbuf.h"
#include "base/utf8.h"

#include <string.h>

/* The length of a colour of ours at the beginning of the text; 0: there is none. */
static size_t colour_bytes(struct slice text)
{
	static const char *const ours[] = {"\033[0m",    "\033[1m",    "\033[2m",
					   "\033[1;31m", "\033[1;33m", "\033[32m"};

	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
		size_t len = strlen(ours[i]);

		if (text.len >= len && memcmp(text.ptr, ours[i], len) == 0)
			return len;
	}
	return 0;
}

/* The length of what may stand there; 0: it may not. */
static size_t safe_bytes(struct slice text)
{
	size_t len = utf8_sequence_bytes(text);

	if (text.ptr[0] == '\n' || text.ptr[0] == '\\')
		return 1;
	return len && !utf8_is_unsafe(text.ptr, len) ? len : colour_bytes(text);
}

bool text_is_safe(struct slice text)
{
	for (size_t at = 0, len; at < text.len; at += len) {
		len = safe_bytes(slice_make(text.ptr + at, text.len - at));
		if (len == 0)
			return false;
	}
	return true;
}

struct reader {
	const uint8_t *at, *end;
	unsigned depth;
};

static int peek(const struct reader *r)
{
	return r->at < r->end ? *r->at : -1;
}

static bool take(struct reader *r, char c)
{
	if (peek(r) != (uint8_t)c)
		return false;
	r->at++;
	return true;
}

static void skip_blanks(struct reader *r)
{
	while (r->at < r->end && strchr(" \n\r\t", *r->at) && *r->at)
		r->at++;
}

static bool read_word(struct reader *r, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(r->end - r->at) < len || memcmp(r->at, word, len) != 0)
		return false;
	r->at += len;
	return true;
}

static bool read_digits(struct reader *r)
{
	const uint8_t *start = r->at;

	while (peek(r) >= '0' && peek(r) <= '9')
		r->at++;
	return r->at > start;
}

static bool read_number(struct reader *r)
{
	(void)take(r, '-');
	if (!take(r, '0') && !read_digits(r))
		return false;
	if (take(r, '.') && !read_digits(r))
		return false;
	if (take(r, 'e') || take(r, 'E')) {
		if (!take(r, '+'))
			(void)take(r, '-');
		return read_digits(r);
	}
	return true;
}

/* Behind the backslash. */
static bool read_escape(struct reader *r)
{
	if (!take(r, 'u')) {
		bool known = peek(r) > 0 && strchr("\"\\/bfnrt", peek(r));

		r->at += known;
		return known;
	}
	for (int i = 0; i < 4; i++, r->at++)
		if (peek(r) <= 0 || !strchr("0123456789abcdefABCDEF", peek(r)))
			return false;
	return true;
}

static bool read_string(struct reader *r)
{
	if (!take(r, '"'))
		return false;
	while (!take(r, '"')) {
		struct slice rest = slice_make(r->at, (size_t)(r->end - r->at));
		size_t len;

		if (take(r, '\\')) {
			if (!read_escape(r))
				return false;
			continue;
		}
		len = utf8_sequence_bytes(rest);
		if (len == 0 || utf8_is_unsafe(rest.ptr, len))
			return false;
		r->at += len;
	}
	return true;
}

static bool read_value(struct reader *r);

/* An object or an array; the bracket is taken. */
static bool read_container(struct reader *r, char closing, bool keyed)
{
	if (++r->depth > JSON_DEPTH_MAX)
		return false;
	skip_blanks(r);
	if (!take(r, closing)) {
		do {
			skip_blanks(r);
			if (keyed) {
				if (!read_string(r))
					return false;
				skip_blanks(r);
				if (!take(r, ':'))
					return false;
			}
			if (!read_value(r))
				return false;
		} while (take(r, ','));
		if (!take(r, closing))
			return false;
	}
	r->depth--;
	return true;
}

/* With the white space around it. Depth is bounded by read_container. */
static bool read_value(struct reader *r)
{
	bool good;

	skip_blanks(r);
	if (take(r, '{'))
		good = read_container(r, '}', true);
	else if (take(r, '['))
		good = read_container(r, ']', false);
	else if (peek(r) == '"')
		good = read_string(r);
	else
		good = read_word(r, "true") || read_word(r, "false") || read_word(r, "null") ||
		       read_number(r);
	skip_blanks(r);
	return good;
}

bool text_is_json(struct slice text)
{
	struct reader r = {.at = text.ptr, .end = text.ptr + text.len};

	do {
		if (!read_value(&r))
			return false;
	} while (r.at < r.end);
	return true;
}
