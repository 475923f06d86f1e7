// SPDX-License-Identifier: GPL-2.0-or-later
/* See layout.h. */
#include "report/layout.h"

#include <inttypes.h>
#include <stdio.h>

/* Characters that take another number of columns than one, from Unicode's East Asian Width. */
struct layout_range {
	uint32_t first, last;
	uint8_t columns;
};

static const struct layout_range layout_ranges[] = {
	{0x0300, 0x036f, 0}, /* combining marks */
	{0x1100, 0x115f, 2}, {0x200b, 0x200f, 0},   {0x2e80, 0xa4cf, 2},   {0xac00, 0xd7a3, 2},
	{0xf900, 0xfaff, 2}, {0xfe00, 0xfe0f, 0},   {0xfe30, 0xfe6f, 2},   {0xff00, 0xff60, 2},
	{0xffe0, 0xffe6, 2}, {0x1f300, 0x1faff, 2}, {0x20000, 0x3fffd, 2},
};

/* The character of a valid UTF-8 sequence of len bytes. */
static uint32_t layout_character(const uint8_t *p, size_t len)
{
	uint32_t code = len == 1 ? p[0] : p[0] & (0x7fu >> len);

	for (size_t i = 1; i < len; i++)
		code = code << 6 | (p[i] & 0x3fu);
	return code;
}

static size_t layout_character_columns(uint32_t code)
{
	for (size_t i = 0; i < sizeof(layout_ranges) / sizeof(layout_ranges[0]); i++)
		if (code >= layout_ranges[i].first && code <= layout_ranges[i].last)
			return layout_ranges[i].columns;
	return 1;
}

size_t layout_columns(struct slice text)
{
	size_t columns = 0;
	size_t at = 0;

	while (at < text.len) {
		const uint8_t *p = text.ptr + at;
		size_t len = utf8_sequence_bytes(slice_make(p, text.len - at));

		columns += len ? layout_character_columns(layout_character(p, len)) : 1;
		at += len ? len : 1;
	}
	return columns;
}

static void layout_style_begin(const struct layout *l, enum layout_style style)
{
	static const char *const codes[LAYOUT_STYLE_COUNT] = {
		[LAYOUT_PLAIN] = "",
		[LAYOUT_STRONG] = "\033[1m",
		[LAYOUT_FAINT] = "\033[2m",
		[LAYOUT_ALARM] = "\033[1;31m",
		[LAYOUT_WARNING] = "\033[1;33m",
		[LAYOUT_GOOD] = "\033[32m",
	};

	if (l->colour)
		strbuf_add_text(l->out, codes[style]);
}

static void layout_style_end(const struct layout *l, enum layout_style style)
{
	if (l->colour && style != LAYOUT_PLAIN)
		strbuf_add_text(l->out, "\033[0m");
}

void layout_add(struct layout *l, enum layout_style style, const char *text)
{
	layout_style_begin(l, style);
	strbuf_add_text(l->out, text);
	layout_style_end(l, style);
}

static void layout_blanks(struct layout *l, size_t count)
{
	for (size_t i = 0; i < count; i++)
		strbuf_add_char(l->out, ' ');
}

void layout_line(struct layout *l, size_t indent, enum layout_style style, const char *text)
{
	layout_blanks(l, indent);
	layout_add(l, style, text);
	strbuf_add_char(l->out, '\n');
}

/* The next word of *rest, without blanks; empty at a line break or at the end. */
static struct slice layout_word(const char **rest)
{
	const char *start;

	while (**rest == ' ')
		(*rest)++;
	start = *rest;
	*rest += strcspn(start, " \n");
	return slice_make(start, (size_t)(*rest - start));
}

/* Puts the words of the text, from this column on; returns with the last line open. */
static void layout_words(struct layout *l, size_t column, size_t indent, const char *text)
{
	bool fresh = true; /* nothing stands on this line yet, but its indentation */

	while (*text) {
		struct slice word = layout_word(&text);
		size_t columns = layout_columns(word);

		if (word.len && !fresh && column + 1 + columns > l->width) {
			strbuf_add_char(l->out, '\n');
			layout_blanks(l, indent);
			column = indent;
			fresh = true;
		}
		if (word.len) {
			if (!fresh)
				strbuf_add_char(l->out, ' ');
			strbuf_add(l->out, word.ptr, word.len);
			column += columns + !fresh;
			fresh = false;
		}
		if (*text == '\n') {
			strbuf_add_char(l->out, '\n');
			text++;
			if (*text)
				layout_blanks(l, indent);
			column = indent;
			fresh = true;
		}
	}
}

void layout_paragraph(struct layout *l, size_t lead_indent, struct layout_span lead, size_t indent,
		      struct layout_span text)
{
	size_t column = lead_indent;

	layout_blanks(l, lead_indent);
	if (lead.text) {
		layout_add(l, lead.style, lead.text);
		column += layout_columns(slice_of_string(lead.text));
	}
	if (column < indent) {
		layout_blanks(l, indent - column);
		column = indent;
	} else if (lead.text) {
		layout_blanks(l, 1);
		column++;
	}
	layout_style_begin(l, text.style);
	if (text.text)
		layout_words(l, column, indent, text.text);
	layout_style_end(l, text.style);
	strbuf_add_char(l->out, '\n');
}

void layout_heading(struct layout *l, const char *text)
{
	strbuf_add_char(l->out, '\n');
	layout_line(l, 0, LAYOUT_STRONG, text);
}

bool layout_same_day(struct stamp a, struct stamp b)
{
	int64_t day_ns = 86400 * STAMP_NS_PER_S;

	return a.clock == b.clock && a.ns >= 0 && b.ns >= 0 && a.ns / day_ns == b.ns / day_ns;
}

/* RFC 3339 has a T between date and time and ends with nanoseconds: less is easier to read. */
void layout_add_stamp(struct strbuf *out, struct stamp at)
{
	char text[STAMP_TEXT_BYTES];
	char time[STAMP_TEXT_BYTES];
	char *separator;

	stamp_format(at, text);
	separator = strchr(text, 'T');
	if (!separator) {
		stamp_format_time(at, time);
		strbuf_add_text(out, time);
		return;
	}
	*separator = '\0';
	stamp_format_time(at, time);
	if (at.ns % STAMP_NS_PER_S == 0)
		time[strlen("00:00:00")] = '\0';
	strbuf_add_format(out, "%s %s", text, time);
}

void layout_add_period(struct strbuf *out, struct stamp first, struct stamp last)
{
	char text[STAMP_TEXT_BYTES];
	const char *clock_name = first.clock == CLOCK_UTC ? " UTC" : "";
	bool one = !stamp_known(last) || first.clock != last.clock || first.ns == last.ns;

	if (!stamp_known(first))
		return;
	layout_add_stamp(out, first);
	if (one) {
		strbuf_add_text(out, clock_name);
		return;
	}
	strbuf_add_text(out, " to ");
	if (layout_same_day(first, last)) {
		stamp_format_time(last, text);
		if (last.clock != CLOCK_BOOT && last.ns % STAMP_NS_PER_S == 0)
			text[strlen("00:00:00")] = '\0';
		strbuf_add_text(out, text);
	} else {
		layout_add_stamp(out, last);
	}
	stamp_format_duration(last.ns - first.ns, text);
	strbuf_add_format(out, "%s (%s)", clock_name, text);
}

void layout_add_count(struct strbuf *out, uint64_t count)
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%" PRIu64, count);

	for (int i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			strbuf_add_char(out, ',');
		strbuf_add_char(out, digits[i]);
	}
}

void layout_add_counted(struct strbuf *out, uint64_t count, const char *singular)
{
	layout_add_count(out, count);
	strbuf_add_format(out, " %s%s", singular, count == 1 ? "" : "s");
}
