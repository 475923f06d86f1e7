// SPDX-License-Identifier: GPL-2.0-or-later
/* See klog.h. */
#include "evidence/klog.h"

#include <stdlib.h>

#include "base/mem.h"
#include "evidence/klog_private.h"

enum {
	KLOG_ESCAPE = 0x1b,
	KLOG_PEEK_BYTES = 256,
	NEW_YEAR_MONTHS = 6, /* the month falls by more than that: a year has passed */
};

bool klog_may_hold(struct source *source)
{
	struct slice head = source_peek(source, KLOG_PEEK_BYTES);

	for (size_t i = 0; i < head.len; i++)
		if (head.ptr[i] != ' ' && (head.ptr[i] < '\t' || head.ptr[i] > '\r'))
			return head.ptr[i] != '{';
	return true;
}

struct klog *klog_create(struct source *source)
{
	struct klog *k = mem_alloc(1, sizeof(*k));

	k->source = source;
	return k;
}

void klog_destroy(struct klog *k)
{
	free(k);
}

void klog_get_stats(const struct klog *k, struct klog_stats *out)
{
	*out = k->stats;
	out->fault = source_fault(k->source);
}

/* Leaves what remains of a line behind that is longer than anybody reads. */
static void klog_skip_line(struct klog *k)
{
	for (;;) {
		struct slice more = source_peek(k->source, 1);
		const uint8_t *end = more.len ? memchr(more.ptr, '\n', more.len) : NULL;

		source_skip(k->source, end ? (uint64_t)(end - more.ptr) + 1 : more.len);
		if (end || more.len == 0)
			return;
	}
}

/* The bytes of the next line without its end; false at the end of the file. */
static bool klog_take_line(struct klog *k, struct slice *out)
{
	size_t want = KLOG_PEEK_BYTES;
	struct slice window;
	const uint8_t *end;

	for (;;) {
		window = source_peek(k->source, want);
		if (window.len > KLOG_LINE_BYTES_MAX)
			window.len = KLOG_LINE_BYTES_MAX;
		end = window.len ? memchr(window.ptr, '\n', window.len) : NULL;
		if (end || window.len < want || want == KLOG_LINE_BYTES_MAX)
			break;
		want = want * 4 < KLOG_LINE_BYTES_MAX ? want * 4 : KLOG_LINE_BYTES_MAX;
	}
	if (window.len == 0)
		return false;
	k->stats.lines++;
	k->line = k->stats.lines;
	*out = slice_make(window.ptr, end ? (size_t)(end - window.ptr) : window.len);
	memcpy(k->bytes, out->ptr, out->len);
	out->ptr = k->bytes;
	source_skip(k->source, out->len + (end != NULL));
	if (!end && out->len == KLOG_LINE_BYTES_MAX) {
		if (k->stats.cut_lines++ == 0)
			k->stats.cut_first = k->line;
		klog_skip_line(k);
	}
	return true;
}

/* Bytes of a control sequence (ECMA-48) at the beginning of text: ESC [ parameters, final byte. */
static size_t klog_escape_bytes(const uint8_t *at, const uint8_t *end)
{
	const uint8_t *p = at + 1;

	if (p < end && *p == '[')
		for (p++; p < end && (*p < 0x40 || *p > 0x7e);)
			p++;
	return (size_t)((p < end ? p + 1 : end) - at);
}

/* Takes out colours and carriage returns, in place, and blanks at the end. */
static struct slice klog_clean(uint8_t *bytes, size_t len)
{
	const uint8_t *end = bytes + len;
	uint8_t *to = bytes;

	if (memchr(bytes, KLOG_ESCAPE, len) || memchr(bytes, '\r', len) || memchr(bytes, 0, len)) {
		for (const uint8_t *at = bytes; at < end;) {
			if (*at == KLOG_ESCAPE)
				at += klog_escape_bytes(at, end);
			else if (*at == '\r' || *at == 0)
				at++;
			else
				*to++ = *at++;
		}
		end = to;
	}
	while (end > bytes && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	if (end - bytes >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0) /* byte order mark */
		return slice_make(bytes + 3, (size_t)(end - bytes) - 3);
	return slice_make(bytes, (size_t)(end - bytes));
}

/* What may stand before a head inside of a line; before a bracket anything may. */
static bool klog_may_precede(uint8_t before)
{
	switch (before) {
	case ' ':
	case '\t':
	case ':':
	case '>':
	case '-':
	case '`':
	case '\'':
	case '"':
	case '|':
		return true;
	default:
		return false;
	}
}

/* The first head at `from` or behind it; false: none. */
static bool klog_find_head(struct slice text, size_t from, size_t *at, struct klog_head *head)
{
	for (size_t i = from; i < text.len; i++) {
		if (!klog_head_may_begin(text.ptr[i]) ||
		    (i > 0 && text.ptr[i] != '[' && !klog_may_precede(text.ptr[i - 1])))
			continue;
		if (klog_head_parse(slice_make(text.ptr + i, text.len - i), i > 0, head)) {
			*at = i;
			return true;
		}
	}
	return false;
}

/* A month that falls from December to January: the next year has begun. */
static void klog_count_years(struct klog *k, struct klog_head *h)
{
	if (h->wall != KLOG_WALL_NO_YEAR)
		return;
	if (k->month - h->date.month > NEW_YEAR_MONTHS && k->year < KLOG_YEARS_MAX)
		k->year++;
	k->month = h->date.month;
	h->date.year = k->year;
}

/* A bracket that the next head lost to this line ("... still trying ["). */
static struct slice klog_trim(struct slice text)
{
	if (text.len >= 2 && text.ptr[text.len - 1] == '[' && text.ptr[text.len - 2] == ' ')
		text.len -= 2;
	while (text.len > 0 && text.ptr[text.len - 1] == ' ')
		text.len--;
	return text;
}

/* The next message of the line at hand: heads may follow each other in it. */
static bool klog_next_in_line(struct klog *k, struct klog_line *out)
{
	struct klog_head next;
	size_t at;

	if (!k->has_head)
		return false;
	*out = (struct klog_line){.line = k->line, .head = k->head};
	out->text = slice_make(k->rest.ptr + k->head.len, k->rest.len - k->head.len);
	k->has_head = klog_find_head(k->rest, k->head.len, &at, &next);
	if (k->has_head) {
		out->text.len = at - k->head.len;
		k->rest = slice_make(k->rest.ptr + at, k->rest.len - at);
		k->head = next;
	}
	out->text = klog_trim(out->text);
	klog_count_years(k, &out->head);
	if (out->head.kernel)
		k->stats.kernel_lines++;
	else
		k->stats.other_lines++;
	return true;
}

bool klog_next(struct klog *k, struct klog_line *out)
{
	struct slice text;
	size_t at = 0;

	if (klog_next_in_line(k, out))
		return true;
	while (klog_take_line(k, &text)) {
		text = klog_clean(k->bytes, text.len);
		if (klog_export_take(k, text, out))
			return true;
		if (text.len == 0 || k->in_entry)
			continue;
		k->has_head = klog_find_head(text, 0, &at, &k->head);
		if (!k->has_head) {
			k->stats.plain_lines++;
			*out = (struct klog_line){.line = k->line, .plain = true, .text = text};
			return true;
		}
		k->rest = slice_make(text.ptr + at, text.len - at);
		return klog_next_in_line(k, out);
	}
	return klog_export_end(k, out);
}
