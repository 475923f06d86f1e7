// SPDX-License-Identifier: GPL-2.0-or-later
/* See strbuf.h. */
#include "base/strbuf.h"

#include "base/mem.h"
#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void strbuf_init(struct strbuf *sb)
{
	*sb = (struct strbuf){0};
}

void strbuf_deinit(struct strbuf *sb)
{
	free(sb->data);
	*sb = (struct strbuf){0};
}

void strbuf_reset(struct strbuf *sb)
{
	sb->len = 0;
	if (sb->data)
		sb->data[0] = '\0';
}

static void strbuf_reserve(struct strbuf *sb, size_t more)
{
	size_t want = sb->len + more + 1;

	if (want <= sb->cap)
		return;
	sb->cap = want < 64 ? 64 : want + want / 2;
	sb->data = mem_resize(sb->data, sb->cap, 1);
}

void strbuf_add(struct strbuf *sb, const void *bytes, size_t len)
{
	strbuf_reserve(sb, len);
	if (len)
		memcpy(sb->data + sb->len, bytes, len);
	sb->len += len;
	sb->data[sb->len] = '\0';
}

void strbuf_add_text(struct strbuf *sb, const char *text)
{
	strbuf_add(sb, text, strlen(text));
}

void strbuf_add_char(struct strbuf *sb, char c)
{
	strbuf_add(sb, &c, 1);
}

void strbuf_add_format(struct strbuf *sb, const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len < 0)
		return;
	strbuf_reserve(sb, (size_t)len);
	va_start(args, format);
	vsnprintf(sb->data + sb->len, (size_t)len + 1, format, args);
	va_end(args);
	sb->len += (size_t)len;
}

void strbuf_add_seconds(struct strbuf *sb, int64_t ns)
{
	enum { NS_PER_MS = 1000000, MS_PER_S = 1000 };
	/* Rounded to the nearest millisecond; not beyond what the type holds. */
	uint64_t size = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;
	uint64_t ms = size / NS_PER_MS + (size % NS_PER_MS >= NS_PER_MS / 2);
	int decimals = ms % 10 ? 3 : ms % 100 ? 2 : 1;
	uint64_t fraction = ms % MS_PER_S;

	strbuf_add_format(sb, "%s%llu", ns < 0 && ms ? "-" : "",
			  (unsigned long long)(ms / MS_PER_S));
	for (int i = decimals; i < 3; i++)
		fraction /= 10;
	if (fraction)
		strbuf_add_format(sb, ".%0*llu", decimals, (unsigned long long)fraction);
}

void strbuf_add_hex(struct strbuf *sb, struct slice bytes)
{
	static const char digits[] = "0123456789abcdef";

	strbuf_reserve(sb, bytes.len * 2);
	for (size_t i = 0; i < bytes.len; i++) {
		sb->data[sb->len++] = digits[bytes.ptr[i] >> 4];
		sb->data[sb->len++] = digits[bytes.ptr[i] & 15];
	}
	sb->data[sb->len] = '\0';
}

size_t utf8_sequence_bytes(struct slice bytes)
{
	uint8_t first;
	size_t len;
	uint32_t code;

	if (bytes.len == 0)
		return 0;
	first = bytes.ptr[0];
	if (first < 0x80)
		return 1;
	len = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
	if (first < 0xc2 || first > 0xf4 || len > bytes.len)
		return 0;
	code = first & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		if ((bytes.ptr[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (bytes.ptr[i] & 0x3fu);
	}
	if ((len == 3 && code < 0x800) || (len == 4 && (code < 0x10000 || code > 0x10ffff)) ||
	    (code >= 0xd800 && code <= 0xdfff))
		return 0;
	return len;
}

/* Beside ASCII: U+0080..U+009F, U+061C, U+200B..U+200F, U+2028..U+202E, U+2066..U+2069. */
bool utf8_is_unsafe(const uint8_t *p, size_t len)
{
	if (len == 1)
		return p[0] < 0x20 || p[0] == 0x7f || p[0] == '\\';
	if (len == 2)
		return (p[0] == 0xc2 && p[1] < 0xa0) || (p[0] == 0xd8 && p[1] == 0x9c);
	if (len == 3 && p[0] == 0xe2 && p[1] == 0x80)
		return (p[2] >= 0xaa && p[2] <= 0xae) || (p[2] >= 0x8b && p[2] <= 0x8f) ||
		       p[2] == 0xa8 || p[2] == 0xa9;
	if (len == 3 && p[0] == 0xe2 && p[1] == 0x81)
		return p[2] >= 0xa6 && p[2] <= 0xa9;
	return false;
}

static void add_safe(struct strbuf *sb, struct slice bytes, const char *backslash)
{
	size_t at = 0;

	while (at < bytes.len) {
		const uint8_t *p = bytes.ptr + at;
		size_t len = utf8_sequence_bytes(slice_make(p, bytes.len - at));

		if (len == 1 && *p == '\\')
			strbuf_add_text(sb, backslash);
		else if (len != 0 && !utf8_is_unsafe(p, len))
			strbuf_add(sb, p, len);
		else
			for (size_t i = 0; i < (len ? len : 1); i++)
				strbuf_add_format(sb, "\\x%02x", p[i]);
		at += len ? len : 1;
	}
}

void strbuf_add_safe(struct strbuf *sb, struct slice bytes)
{
	add_safe(sb, bytes, "\\\\");
}

void strbuf_add_inert(struct strbuf *sb, struct slice bytes)
{
	add_safe(sb, bytes, "\\");
}

const char *strbuf_text(const struct strbuf *sb)
{
	return sb->data ? sb->data : "";
}

char *strbuf_take(struct strbuf *sb)
{
	char *text = sb->data ? sb->data : mem_copy("", 0);

	*sb = (struct strbuf){0};
	return text;
}
