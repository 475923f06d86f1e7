// SPDX-License-Identifier: GPL-2.0-or-later
/* See klog.h. */
#include "evidence/klog/klog.h"

#include <stdlib.h>

#include "base/mem.h"
#include "evidence/klog/klog_private.h"
#include "evidence/text_scan.h"

enum {
	KLOG_PEEK_BYTES = 256,
	NEW_YEAR_MONTHS = 6, /* the month falls by more than that: a year has passed */
};

bool klog_may_hold(struct source *source)
{
	struct slice head = source_peek(source, KLOG_PEEK_BYTES);

	for (size_t i = 0; i < head.len; i++)
		if (head.ptr[i] != ' ' && (head.ptr[i] < '\t' || head.ptr[i] > '\r'))
			return head.ptr[i] != '{' || klog_json_may_hold(source) ||
			       klog_wrapped_may_hold(source);
	return true;
}

struct klog *klog_create(struct source *source)
{
	struct klog *k = mem_resize(NULL, 1, sizeof(*k));

	/* Room for a line and for entries is written before it is read; there may be many files. */
	memset(k, 0, offsetof(struct klog, entry));
	k->source = source;
	k->json = klog_json_may_hold(source);
	k->wrapped = !k->json && klog_wrapped_may_hold(source);
	if (!k->json && !k->wrapped)
		klog_wrap_survey(source, &k->wrap);
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
	k->has_head = klog_head_find(k->rest, k->head.len, &at, &next);
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
	if (out->head.kernel && out->head.wall == KLOG_WALL_NONE && !out->head.has_boot)
		k->stats.untimed_lines++;
	return true;
}

/* A record of /dev/kmsg: no other form tells the time since boot behind a digit. */
static bool klog_is_record(const struct klog_head *head, uint8_t first)
{
	return head->has_boot && head->wall == KLOG_WALL_NONE && first >= '0' && first <= '9';
}

/* " SUBSYSTEM=net": what a record of /dev/kmsg is about stands behind it. */
static bool klog_is_of_record(const struct klog *k, struct slice text)
{
	size_t at = 1;

	if (!k->in_record || text.len < 3 || text.ptr[0] != ' ')
		return false;
	while (at < text.len &&
	       (text.ptr[at] == '_' || (text.ptr[at] >= 'A' && text.ptr[at] <= 'Z')))
		at++;
	return at > 1 && at < text.len && text.ptr[at] == '=';
}

/* The next line of the file, which stays there; empty: none, or a long one. */
static struct slice klog_peek_line(struct klog *k)
{
	struct slice window = source_peek(k->source, KLOG_WRAP_BYTES_MAX);
	const uint8_t *end;

	if (window.len > KLOG_WRAP_BYTES_MAX)
		window.len = KLOG_WRAP_BYTES_MAX;
	end = window.len ? memchr(window.ptr, '\n', window.len) : NULL;
	if (end)
		window.len = (size_t)(end - window.ptr);
	return end || window.len < KLOG_WRAP_BYTES_MAX ? window : slice_make(NULL, 0);
}

/* Puts behind a line what a mail or terminal wrapped to the next ones. */
static struct slice klog_unwrap(struct klog *k, struct slice text, size_t columns)
{
	uint8_t *bytes = k->bytes + (text.ptr - k->bytes);
	struct klog_piece piece;

	for (int i = 0; i < KLOG_PIECES_MAX; i++) {
		struct slice raw = klog_peek_line(k);

		klog_piece_make(&piece, raw);
		if (!klog_wrap_joins(&k->wrap, text, columns, &piece) ||
		    (size_t)(text.ptr - k->bytes) + text.len + 1 + piece.text.len >
			    sizeof(k->bytes))
			break;
		if (!k->wrap.hard || columns < k->wrap.columns)
			bytes[text.len++] = ' ';
		memcpy(bytes + text.len, piece.text.ptr, piece.text.len);
		text.len += piece.text.len;
		/* Blanks at which it was broken are lost. */
		columns = piece.columns + (k->wrap.hard ? 0 : KLOG_WRAP_SLACK);
		if (columns > k->wrap.columns)
			columns = k->wrap.columns;
		source_skip(k->source, raw.len);
		source_skip(k->source, 1);
		k->stats.lines++;
	}
	return text;
}

/* A time and "host tag:" to look at, but it is one of tcpdump's. */
static bool klog_is_packet(struct slice text)
{
	return text.len && text_is_digit(text.ptr[0]) && text_holds(text, " > ") &&
	       (text_holds(text, ": Flags [") || text_holds(text, ", ethertype "));
}

bool klog_next(struct klog *k, struct klog_line *out)
{
	struct slice text;
	size_t columns, at = 0;
	struct klog_head outer;
	bool timed;

	if (klog_next_in_line(k, out))
		return true;
	if (k->json_rest.len && klog_json_take(k, k->json_rest, out))
		return true;
	while (klog_take_line(k, &text)) {
		columns = k->wrap.columns ? klog_text_columns(text) : 0;
		text = klog_text_clean(k->bytes, text.len);
		timed = false;
		if (k->wrapped && text_begins(text, "{"))
			text = klog_wrapped_take(k, text, &outer, &timed);
		if (k->wrap.columns)
			text = klog_unwrap(k, text, columns);
		if (k->json ? klog_json_take(k, text, out)
			    : klog_export_take(k, text, out) || klog_verbose_take(k, text, out))
			return true;
		if (text.len == 0 || k->json || k->entry_form != KLOG_ENTRY_NONE ||
		    klog_is_of_record(k, text))
			continue;
		k->has_head = klog_head_find(text, 0, &at, &k->head) && !klog_is_packet(text);
		k->in_record = k->has_head && klog_is_record(&k->head, text.ptr[at]);
		if (!k->has_head && timed && text.len) {
			k->head = outer;
			k->has_head = true;
			at = 0;
		}
		if (!k->has_head) {
			text = klog_text_unquote(text);
			k->stats.plain_lines++;
			*out = (struct klog_line){.line = k->line, .plain = true, .text = text};
			return true;
		}
		k->rest = slice_make(text.ptr + at, text.len - at);
		return klog_next_in_line(k, out);
	}
	return klog_entry_end(k, out);
}
