// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The journal in JSON (systemd, journalctl(1), docs/JOURNAL_EXPORT_FORMATS.md): an object for each
 * entry, in one line or in many, of fields whose values are texts, or bytes as a list of numbers
 * where they are no text, or lists of texts where a field stands twice.
 */
#include "evidence/klog/klog_private.h"
#include "evidence/text_scan.h"

enum {
	JSON_PEEK_BYTES = 16 << 10, /* the fields of one entry come in any order */
	JSON_ESCAPE_DIGITS = 4,
	UTF8_ONE_BYTE = 0x80,
	UTF8_TWO_BYTES = 0x800,
};

bool klog_json_may_hold(struct source *source)
{
	struct slice head = source_peek(source, JSON_PEEK_BYTES);
	struct slice start;

	if (head.len > JSON_PEEK_BYTES)
		head.len = JSON_PEEK_BYTES;
	start = head;
	while (start.len && (start.ptr[0] <= ' ' || start.ptr[0] == 0x1e))
		start = slice_make(start.ptr + 1, start.len - 1);
	if (text_begins(start, "data: ")) /* json-sse */
		start = text_after(start, 6);
	return text_begins(start, "{") && text_holds(head, "\"__REALTIME_TIMESTAMP\"");
}

static void value_add(struct klog_value *v, uint32_t c)
{
	if (v->len < sizeof(v->bytes))
		v->bytes[v->len++] = (uint8_t)c;
}

static void value_add_bytes(struct klog_value *v, struct slice bytes)
{
	size_t room = sizeof(v->bytes) - v->len;

	if (bytes.len > room)
		bytes.len = room;
	if (bytes.len)
		memcpy(v->bytes + v->len, bytes.ptr, bytes.len);
	v->len += bytes.len;
}

/* How many bytes stand before the next quotation mark or backslash. */
static size_t plain_bytes(struct slice text)
{
	size_t len = 0;

	while (len < text.len && text.ptr[len] != '"' && text.ptr[len] != '\\')
		len++;
	return len;
}

static void value_add_character(struct klog_value *v, uint32_t c)
{
	if (c < UTF8_ONE_BYTE) {
		value_add(v, c);
	} else if (c < UTF8_TWO_BYTES) {
		value_add(v, 0xc0 | c >> 6);
		value_add(v, 0x80 | (c & 0x3f));
	} else {
		value_add(v, 0xe0 | c >> 12);
		value_add(v, 0x80 | (c >> 6 & 0x3f));
		value_add(v, 0x80 | (c & 0x3f));
	}
}

/* Behind a backslash; takes what it was. */
static void take_escape(struct slice *rest, struct klog_value *v)
{
	static const char letters[] = "nrtbf";
	static const char meant[] = "\n\r\t\b\f";
	uint8_t c = rest->ptr[0];
	const char *letter = memchr(letters, c, sizeof(letters) - 1);
	uint64_t code = 0;
	char digits[JSON_ESCAPE_DIGITS + 3] = "0x";

	*rest = text_after(*rest, 1);
	if (c == 'u' && rest->len >= JSON_ESCAPE_DIGITS) {
		memcpy(digits + 2, rest->ptr, JSON_ESCAPE_DIGITS);
		if (text_c_number(slice_of_string(digits), &code))
			value_add_character(v, (uint32_t)code);
		*rest = text_after(*rest, JSON_ESCAPE_DIGITS);
		return;
	}
	value_add(v, letter ? (uint8_t)meant[letter - letters] : c);
}

void klog_json_text(struct slice *rest, struct klog_value *v)
{
	v->len = 0;
	while (rest->len) {
		size_t plain = plain_bytes(*rest);
		uint8_t c;

		value_add_bytes(v, slice_make(rest->ptr, plain));
		*rest = text_after(*rest, plain);
		if (rest->len == 0)
			return;
		c = rest->ptr[0];
		*rest = text_after(*rest, 1);
		if (c == '"')
			return;
		if (rest->len)
			take_escape(rest, v);
		else
			value_add(v, c);
	}
}

/* Behind the bracket: bytes as numbers, or several texts, of which the last counts. */
static void take_list(struct slice *rest, struct klog_value *v)
{
	v->len = 0;
	while (rest->len) {
		uint8_t c = rest->ptr[0];
		uint32_t number = 0;

		*rest = text_after(*rest, 1);
		if (c == ']')
			return;
		if (c == '"')
			klog_json_text(rest, v);
		if (!text_is_digit(c))
			continue;
		for (number = c - (uint32_t)'0'; rest->len && text_is_digit(rest->ptr[0]);) {
			number = (number * 10 + rest->ptr[0] - '0') & UINT8_MAX;
			*rest = text_after(*rest, 1);
		}
		value_add(v, number);
	}
}

/* The value behind a name and its colon; other values than texts and lists are not asked for. */
static void take_member(struct klog *k, struct slice name, struct slice *rest)
{
	struct klog_value value; /* of 8 KB, of which only what is there is touched */

	value.len = 0;
	*rest = text_trim(text_after(*rest, 1));
	if (text_begins(*rest, "\"")) {
		*rest = text_after(*rest, 1);
		klog_json_text(rest, &value);
	} else if (text_begins(*rest, "[")) {
		*rest = text_after(*rest, 1);
		take_list(rest, &value);
	}
	klog_entry_field(k, name, slice_make(value.bytes, value.len));
}

bool klog_json_take(struct klog *k, struct slice line, struct klog_line *out)
{
	struct klog_value name;

	while (line.len) {
		uint8_t c = line.ptr[0];

		line = text_after(line, 1);
		if (c == '{') {
			klog_entry_begin(k, KLOG_ENTRY_JSON);
		} else if (c == '}' && k->entry_form == KLOG_ENTRY_JSON) {
			k->json_rest = line;
			if (klog_entry_finish(k, out))
				return true;
		} else if (c == '"' && k->entry_form == KLOG_ENTRY_JSON) {
			klog_json_text(&line, &name);
			line = text_trim(line);
			if (text_begins(line, ":"))
				take_member(k, slice_make(name.bytes, name.len), &line);
		}
	}
	k->json_rest = slice_make(NULL, 0);
	return false;
}
