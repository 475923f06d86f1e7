// SPDX-License-Identifier: GPL-2.0-or-later
/* See json.h. */
#include "base/json.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/utf8.h"

void json_init(struct json *j, struct strbuf *out, bool pretty)
{
	*j = (struct json){.out = out, .pretty = pretty};
}

static void json_break(struct json *j)
{
	if (!j->pretty)
		return;
	strbuf_add_char(j->out, '\n');
	for (uint32_t i = 0; i < j->depth; i++)
		strbuf_add_text(j->out, "  ");
}

/* What stands before a key, or before a value that has none. */
static void json_separate(struct json *j)
{
	if (j->after_key) {
		j->after_key = false;
		return;
	}
	if (j->depth == 0)
		return;
	if (j->filled[j->depth - 1])
		strbuf_add_text(j->out, j->pretty ? "," : ", ");
	j->filled[j->depth - 1] = true;
	json_break(j);
}

static void json_begin(struct json *j, char bracket)
{
	json_separate(j);
	if (j->depth == JSON_DEPTH_MAX)
		abort(); /* our own documents nest a few levels: a bug, and not the input's doing */
	strbuf_add_char(j->out, bracket);
	j->filled[j->depth++] = false;
}

static void json_end(struct json *j, char bracket)
{
	bool filled = j->filled[--j->depth];

	if (filled)
		json_break(j);
	strbuf_add_char(j->out, bracket);
}

void json_object_begin(struct json *j)
{
	json_begin(j, '{');
}

void json_object_end(struct json *j)
{
	json_end(j, '}');
}

void json_array_begin(struct json *j)
{
	json_begin(j, '[');
}

void json_array_end(struct json *j)
{
	json_end(j, ']');
}

/* How many of the bytes from `at` on need no escape and are ASCII: the common case, copied at once.
 */
static size_t json_plain_run(struct slice bytes, size_t at)
{
	size_t end = at;

	while (end < bytes.len && bytes.ptr[end] >= 0x20 && bytes.ptr[end] < 0x7f &&
	       bytes.ptr[end] != '"' && bytes.ptr[end] != '\\')
		end++;
	return end - at;
}

/* Adds the one character at p, of len bytes; 0: the byte is no UTF-8. */
static void json_add_char(struct strbuf *out, const uint8_t *p, size_t len)
{
	static const char plain[] = "\"\\\n\r\t";
	static const char escapes[] = "\"\\nrt";
	const char *found = len == 1 && *p ? strchr(plain, *p) : NULL;

	if (found) {
		strbuf_add_char(out, '\\');
		strbuf_add_char(out, escapes[found - plain]);
	} else if (len < 2) {
		strbuf_add_format(out, "\\u%04x", *p);
	} else if (utf8_is_unsafe(p, len)) {
		/* Two or three bytes; a program reads the same character, and a terminal none. */
		uint32_t code =
			len == 2 ? (p[0] & 0x1fu) << 6 | (p[1] & 0x3fu)
				 : (p[0] & 0xfu) << 12 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);

		strbuf_add_format(out, "\\u%04x", code);
	} else {
		strbuf_add(out, p, len);
	}
}

static void json_add_string(struct strbuf *out, struct slice bytes)
{
	size_t at = 0;

	strbuf_add_char(out, '"');
	while (at < bytes.len) {
		const uint8_t *p = bytes.ptr + at;
		size_t run = json_plain_run(bytes, at);
		size_t len;

		if (run) {
			strbuf_add(out, p, run);
			at += run;
			continue;
		}
		len = utf8_sequence_bytes(slice_make(p, bytes.len - at));
		json_add_char(out, p, len);
		at += len ? len : 1;
	}
	strbuf_add_char(out, '"');
}

void json_key(struct json *j, const char *key)
{
	json_separate(j);
	json_add_string(j->out, slice_of_string(key));
	strbuf_add_text(j->out, ": ");
	j->after_key = true;
}

void json_bytes(struct json *j, struct slice bytes)
{
	json_separate(j);
	json_add_string(j->out, bytes);
}

void json_text(struct json *j, const char *text)
{
	if (text)
		json_bytes(j, slice_of_string(text));
	else
		json_null(j);
}

void json_u64(struct json *j, uint64_t value)
{
	json_separate(j);
	strbuf_add_format(j->out, "%" PRIu64, value);
}

void json_i64(struct json *j, int64_t value)
{
	json_separate(j);
	strbuf_add_format(j->out, "%" PRId64, value);
}

void json_bool(struct json *j, bool value)
{
	json_separate(j);
	strbuf_add_text(j->out, value ? "true" : "false");
}

void json_null(struct json *j)
{
	json_separate(j);
	strbuf_add_text(j->out, "null");
}

void json_member_text(struct json *j, const char *key, const char *text)
{
	json_key(j, key);
	json_text(j, text);
}

void json_member_u64(struct json *j, const char *key, uint64_t value)
{
	json_key(j, key);
	json_u64(j, value);
}

void json_member_i64(struct json *j, const char *key, int64_t value)
{
	json_key(j, key);
	json_i64(j, value);
}

void json_member_bool(struct json *j, const char *key, bool value)
{
	json_key(j, key);
	json_bool(j, value);
}

void json_member_seconds(struct json *j, const char *key, int64_t ns)
{
	json_key(j, key);
	json_separate(j);
	strbuf_add_seconds(j->out, ns);
}

void json_member_null(struct json *j, const char *key)
{
	json_key(j, key);
	json_null(j);
}
