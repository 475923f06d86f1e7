/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A growing text. Always NUL-terminated once something was added; strbuf_text is never NULL. */
#ifndef BASE_STRBUF_H
#define BASE_STRBUF_H

#include "base/slice.h"

struct strbuf {
	char *data; /* NULL while empty */
	size_t len; /* bytes without the NUL */
	size_t cap; /* bytes allocated */
};

void strbuf_init(struct strbuf *sb);
void strbuf_deinit(struct strbuf *sb);

/* Empties it and keeps the memory. */
void strbuf_reset(struct strbuf *sb);

void strbuf_add(struct strbuf *sb, const void *bytes, size_t len);
void strbuf_add_text(struct strbuf *sb, const char *text);
void strbuf_add_char(struct strbuf *sb, char c);
void strbuf_add_format(struct strbuf *sb, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Nanoseconds as seconds, with at most three decimals and no needless ones: "60", "1.1", "-0.25".
 */
void strbuf_add_seconds(struct strbuf *sb, int64_t ns);

/* Lower-case hexadecimal digits of the bytes. */
void strbuf_add_hex(struct strbuf *sb, struct slice bytes);

/*
 * Bytes from evidence, made safe for a terminal: valid UTF-8 without control characters stays,
 * everything else becomes \xNN (and a backslash \\).
 */
void strbuf_add_safe(struct strbuf *sb, struct slice bytes);

/* The same, but a backslash stays one: for text of which some parts were made safe before. */
void strbuf_add_inert(struct strbuf *sb, struct slice bytes);

/* The text, valid until the next change. */
const char *strbuf_text(const struct strbuf *sb);

/* Hands the text to the caller, who frees it; the buffer is empty afterwards. Never NULL. */
char *strbuf_take(struct strbuf *sb);

/* Length of the valid UTF-8 sequence at bytes.ptr (1..4), or 0 when there is none. */
size_t utf8_sequence_bytes(struct slice bytes);

#endif
