// SPDX-License-Identifier: GPL-2.0-or-later
/* See mountstats.h. Linux net/sunrpc/stats.c, net/sunrpc/xprtsock.c, fs/nfs/super.c. */
#include "evidence/mountstats.h"

#include <string.h>

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* The next word, which is taken from *rest; len 0: none is left. */
static struct slice take_word(struct slice *rest)
{
	struct slice word;
	size_t at = 0, len = 0;

	while (at < rest->len && is_blank(rest->ptr[at]))
		at++;
	while (at + len < rest->len && !is_blank(rest->ptr[at + len]))
		len++;
	word = slice_make(rest->ptr + at, len);
	*rest = slice_make(rest->ptr + at + len, rest->len - at - len);
	return word;
}

static bool parse_number(struct slice word, uint64_t *out)
{
	uint64_t value = 0;

	if (word.len == 0)
		return false;
	for (size_t i = 0; i < word.len; i++) {
		if (!is_digit(word.ptr[i]))
			return false;
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(word.ptr[i] - '0'), &value))
			value = UINT64_MAX;
	}
	*out = value;
	return true;
}

/* The rest of the line as numbers; false: something else is in it. */
static bool take_numbers(struct slice rest, struct mountstats_line *out)
{
	struct slice word = take_word(&rest);

	for (; word.len; word = take_word(&rest)) {
		if (out->len == MOUNTSTATS_VALUES_MAX)
			return true;
		if (!parse_number(word, &out->values[out->len]))
			return false;
		out->len++;
	}
	return true;
}

/* "READDIR", "READDIRPLUS", "LAYOUTGET": names of operations are in capitals. */
static bool is_op_name(struct slice name)
{
	if (name.len == 0 || name.len >= MOUNT_OP_NAME_BYTES)
		return false;
	for (size_t i = 0; i < name.len; i++) {
		uint8_t c = name.ptr[i];

		if (!(c >= 'A' && c <= 'Z') && !is_digit(c) && c != '_')
			return false;
	}
	return true;
}

static enum mountstats_kind kind_of(struct slice key)
{
	if (slice_equal(key, slice_of_string("age")))
		return MOUNTSTATS_AGE;
	if (slice_equal(key, slice_of_string("events")))
		return MOUNTSTATS_EVENTS;
	if (slice_equal(key, slice_of_string("xprt")))
		return MOUNTSTATS_XPRT;
	return is_op_name(key) ? MOUNTSTATS_OP : MOUNTSTATS_OTHER;
}

void mountstats_parse(struct slice line, struct mountstats_line *out)
{
	struct slice word = take_word(&line);
	enum mountstats_kind kind;

	*out = (struct mountstats_line){.kind = MOUNTSTATS_OTHER};
	if (word.len < 2 || word.ptr[word.len - 1] != ':')
		return;
	word.len--;
	kind = kind_of(word);
	if (kind == MOUNTSTATS_OTHER)
		return;
	out->name = kind == MOUNTSTATS_XPRT ? take_word(&line) : word;
	if (!take_numbers(line, out) || out->len == 0)
		return;
	if (kind == MOUNTSTATS_OP && out->len < MOUNTSTATS_OP_VALUES_MIN)
		return;
	out->kind = kind;
}
