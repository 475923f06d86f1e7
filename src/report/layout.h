/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text for people: paragraphs wrapped at the width of the terminal, and a few styles. Knows nothing
 * of what the text says.
 */
#ifndef REPORT_LAYOUT_H
#define REPORT_LAYOUT_H

#include "base/stamp.h"
#include "base/strbuf.h"

enum layout_style {
	LAYOUT_PLAIN,
	LAYOUT_STRONG, /* bold */
	LAYOUT_FAINT,
	LAYOUT_ALARM,   /* bold red */
	LAYOUT_WARNING, /* bold yellow */
	LAYOUT_GOOD,    /* green */
	LAYOUT_STYLE_COUNT,
};

struct layout {
	struct strbuf *out; /* borrowed */
	bool colour;
	size_t width; /* columns */
};

/* A text with its style; text NULL: none. */
struct layout_span {
	const char *text;
	enum layout_style style;
};

/* Columns that the UTF-8 text takes on a terminal; bytes that are none count one each. */
size_t layout_columns(struct slice text);

/* Adds the text as it is, in this style. */
void layout_add(struct layout *l, enum layout_style style, const char *text);

/* A line of its own, never wrapped: a command that somebody will copy. */
void layout_line(struct layout *l, size_t indent, enum layout_style style, const char *text);

/*
 * A paragraph: the lead (indented by lead_indent), then the text, wrapped at blanks; further lines
 * begin at column `indent`. A line break in the text breaks the line. A word that is longer than
 * a line stays whole. The text of the paragraph begins at `indent` too, unless the lead reaches
 * beyond it: then one blank follows.
 */
void layout_paragraph(struct layout *l, size_t lead_indent, struct layout_span lead, size_t indent,
		      struct layout_span text);

/* "Why" and the like: an empty line, then the heading. */
void layout_heading(struct layout *l, const char *text);

/*
 * A stretch of time: "2026-11-22 01:09:35.713597 to 01:09:50.837559 UTC (15.1 s)"; one stamp when
 * both are the same; nothing when `first` is not known.
 */
void layout_add_period(struct strbuf *out, struct stamp first, struct stamp last);

/* "2026-11-22 01:09:35.713597", without a clock's name; whole seconds without a fraction. */
void layout_add_stamp(struct strbuf *out, struct stamp at);

/* True when both are on one day of one clock. */
bool layout_same_day(struct stamp a, struct stamp b);

/* 1234567 as "1,234,567". */
void layout_add_count(struct strbuf *out, uint64_t count);

/* "1 packet", "1,234 packets". */
void layout_add_counted(struct strbuf *out, uint64_t count, const char *singular);

#endif
