/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes JSON (RFC 8259) piece by piece into a strbuf; whoever owns the strbuf writes it out.
 *
 * Strings are made from bytes of any origin. Valid UTF-8 stays as it is; control characters, the
 * quotation mark and the backslash are escaped; each byte that is no valid UTF-8 becomes \u00NN of
 * that byte. So the text of the JSON tells such bytes from the character U+00NN, which is only ever
 * written as UTF-8 (a reader that decodes both alike sees the byte as Latin-1); nothing is dropped,
 * and the same bytes always give the same text.
 *
 * The writer places commas and, when pretty, line breaks and indentation. It does not check that a
 * document makes sense, only that containers nest no deeper than JSON_DEPTH_MAX.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/slice.h"
#include "base/strbuf.h"

enum { JSON_DEPTH_MAX = 32 };

struct json {
	struct strbuf *out; /* borrowed */
	bool pretty;        /* a line for each member, two blanks a level */
	bool after_key;     /* a value is due: no comma, no line break before it */
	uint32_t depth;
	bool filled[JSON_DEPTH_MAX]; /* per level: something stands in it already */
};

/* `out` must outlive the writer; what is in it already stays. */
void json_init(struct json *j, struct strbuf *out, bool pretty);

void json_object_begin(struct json *j);
void json_object_end(struct json *j);
void json_array_begin(struct json *j);
void json_array_end(struct json *j);

/* The key of the next value. */
void json_key(struct json *j, const char *key);

void json_bytes(struct json *j, struct slice bytes);
void json_text(struct json *j, const char *text); /* NULL is written as null */
void json_u64(struct json *j, uint64_t value);
void json_i64(struct json *j, int64_t value);
void json_bool(struct json *j, bool value);
void json_null(struct json *j);

/* A member at once. */
void json_member_text(struct json *j, const char *key, const char *text);
void json_member_u64(struct json *j, const char *key, uint64_t value);
void json_member_i64(struct json *j, const char *key, int64_t value);
void json_member_bool(struct json *j, const char *key, bool value);
void json_member_seconds(struct json *j, const char *key, int64_t ns); /* a number: 1.1 */
void json_member_null(struct json *j, const char *key);

#endif
