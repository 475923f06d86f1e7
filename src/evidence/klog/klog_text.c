// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What terminals, mails, web pages and tickets do to the lines of a log, undone: colours, quotes,
 * entities, blanks of another width, and lines that were wrapped.
 */
#include "evidence/klog/klog_private.h"
#include "evidence/line/stack_line.h"
#include "evidence/taskdump/taskdump.h"
#include "evidence/text_scan.h"

enum {
	KLOG_ESCAPE = 0x1b,
	ENTITY_BYTES_MAX = 6,
	WRAP_SAMPLE_BYTES = 64 << 10,
	WRAP_COLUMNS_MIN = 40,
	WRAP_COLUMNS_MAX = 200,
	WRAP_PAIRS_MIN = 2,
	WRAP_FAILURES_SHARE = 8, /* one line in so many that is followed by something else */
};

/* Bytes of a control sequence (ECMA-48) at the beginning of text: ESC [ parameters, final byte. */
static size_t klog_escape_bytes(const uint8_t *at, const uint8_t *end)
{
	const uint8_t *p = at + 1;

	if (p < end && *p == '[')
		for (p++; p < end && (*p < 0x40 || *p > 0x7e);)
			p++;
	return (size_t)((p < end ? p + 1 : end) - at);
}

/* "&lt;" at the beginning: the byte that it stands for, and its length; 0: none. */
static size_t entity_take(struct slice text, uint8_t *out)
{
	static const struct {
		const char *name;
		uint8_t meant;
	} entities[] = {{"&lt;", '<'},   {"&gt;", '>'},   {"&amp;", '&'},
			{"&quot;", '"'}, {"&#39;", '\''}, {"&nbsp;", ' '}};

	for (size_t i = 0; i < sizeof(entities) / sizeof(entities[0]); i++) {
		if (!text_begins(text, entities[i].name))
			continue;
		*out = entities[i].meant;
		return strlen(entities[i].name);
	}
	return 0;
}

/* Bytes that are left out or stand for one other byte, *out (0: for none); 0: a byte like others.
 */
static size_t oddity_take(const uint8_t *at, const uint8_t *end, uint8_t *out)
{
	*out = 0;
	switch (*at) {
	case KLOG_ESCAPE:
		return klog_escape_bytes(at, end);
	case '\r':
	case 0:
		return 1;
	case '&':
		return entity_take(slice_make(at, (size_t)(end - at)), out);
	case 0xc2: /* a blank at which no line is broken */
		*out = ' ';
		return end - at > 1 && at[1] == 0xa0 ? 2 : 0;
	default:
		return 0;
	}
}

static bool has_oddity(const uint8_t *bytes, size_t len)
{
	return memchr(bytes, KLOG_ESCAPE, len) || memchr(bytes, '\r', len) ||
	       memchr(bytes, 0, len) || memchr(bytes, '&', len) || memchr(bytes, 0xc2, len);
}

/* The line's end as other systems write it: nothing else of it has to be looked at again. */
static size_t without_return(const uint8_t *bytes, size_t len)
{
	return len && bytes[len - 1] == '\r' ? len - 1 : len;
}

struct slice klog_text_clean(uint8_t *bytes, size_t len)
{
	const uint8_t *end = bytes + (len = without_return(bytes, len));
	uint8_t *to = bytes;

	if (len && has_oddity(bytes, len)) {
		for (const uint8_t *at = bytes; at < end;) {
			uint8_t meant = 0;
			size_t odd = oddity_take(at, end, &meant);

			if (odd == 0)
				*to++ = *at++;
			else if (meant)
				*to++ = meant;
			at += odd;
		}
		end = to;
	}
	while (end > bytes && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	if (end - bytes >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0) /* byte order mark */
		return slice_make(bytes + 3, (size_t)(end - bytes) - 3);
	return slice_make(bytes, (size_t)(end - bytes));
}

struct slice klog_text_unquote(struct slice text)
{
	while (text.len > 1 && text.ptr[0] == '>' && (text.ptr[1] == ' ' || text.ptr[1] == '>')) {
		if (text.len > 2 && memcmp(text.ptr, ">>>", 3) == 0)
			break;
		text = slice_make(text.ptr + 1, text.len - 1);
		if (text.ptr[0] == ' ')
			text = slice_make(text.ptr + 1, text.len - 1);
	}
	return text;
}

size_t klog_text_columns(struct slice raw)
{
	size_t columns = 0;

	for (size_t i = 0; i < raw.len; i++)
		columns += (raw.ptr[i] & 0xc0) != 0x80 && raw.ptr[i] != '\r';
	return columns;
}

void klog_piece_make(struct klog_piece *p, struct slice raw)
{
	struct klog_head head;
	size_t at;

	*p = (struct klog_piece){.columns = klog_text_columns(raw)};
	if (raw.len == 0 || raw.len > sizeof(p->bytes))
		return;
	memcpy(p->bytes, raw.ptr, raw.len);
	p->text = klog_text_clean(p->bytes, raw.len);
	p->has_head = klog_head_find(p->text, 0, &at, &head);
	if (!p->has_head)
		p->text = klog_text_unquote(p->text);
}

/* A line that tells something of its own is no rest of another, unless that had no message. */
static bool piece_stands_alone(struct slice before, const struct klog_piece *p)
{
	struct stack_line line;

	return before.len && before.ptr[before.len - 1] != ']' &&
	       before.ptr[before.len - 1] != ':' &&
	       (stack_line_parse(p->text, &line) || taskdump_is_of_report(p->text));
}

/* The line is as wide as it can be: the next word would not have fitted. */
static bool is_full(size_t width, bool hard, size_t columns, struct slice next)
{
	if (hard)
		return columns + 1 >= width;
	return columns + 1 + klog_text_columns(text_word(&next)) > width;
}

bool klog_wrap_joins(const struct klog_wrap *w, struct slice before, size_t columns,
		     const struct klog_piece *next)
{
	return next->text.len && !next->has_head && columns <= w->columns &&
	       is_full(w->columns, w->hard, columns, next->text) &&
	       !piece_stands_alone(before, next);
}

/* Line by line through the sample: *rest is what is left of it. */
static bool sample_next(struct slice *rest, struct klog_piece *out)
{
	const uint8_t *end = rest->len ? memchr(rest->ptr, '\n', rest->len) : NULL;

	if (!end)
		return false;
	klog_piece_make(out, slice_make(rest->ptr, (size_t)(end - rest->ptr)));
	*rest = text_after(*rest, (size_t)(end - rest->ptr) + 1);
	return true;
}

/* How often a line of the log is followed by one without a head, and is full (or is not). */
static void survey_pairs(struct slice rest, struct klog_wrap *w, size_t *full, size_t *other)
{
	struct klog_piece before, next;
	bool open = false;

	*full = *other = 0;
	while (sample_next(&rest, &next)) {
		if (open && !next.has_head && next.text.len) {
			if (klog_wrap_joins(w, before.text, before.columns, &next))
				(*full)++;
			else
				(*other)++;
		}
		open = next.has_head;
		before = next;
		before.text = slice_make(before.bytes, next.text.len);
		if (next.text.len)
			memmove(before.bytes, next.text.ptr, next.text.len);
	}
}

void klog_wrap_survey(struct source *source, struct klog_wrap *out)
{
	struct slice sample = source_peek(source, WRAP_SAMPLE_BYTES);
	struct slice rest;
	struct klog_piece piece;
	size_t full, other;

	*out = (struct klog_wrap){0};
	if (sample.len > WRAP_SAMPLE_BYTES)
		sample.len = WRAP_SAMPLE_BYTES;
	rest = sample;
	while (sample_next(&rest, &piece))
		if ((piece.has_head || piece.text.len == 0) && piece.columns > out->columns)
			out->columns = piece.columns;
	if (out->columns < WRAP_COLUMNS_MIN || out->columns > WRAP_COLUMNS_MAX) {
		out->columns = 0;
		return;
	}
	for (int i = 0; i < 2; i++) {
		out->hard = i == 0;
		survey_pairs(sample, out, &full, &other);
		if (full >= WRAP_PAIRS_MIN && other * WRAP_FAILURES_SHARE <= full)
			return;
	}
	out->columns = 0;
}
