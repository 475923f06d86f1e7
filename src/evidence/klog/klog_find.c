// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Heads that stand inside of a line: where lines were glued together, quoted or read by a scanner.
 * All lines are searched for them and nearly none has one.
 */
#include "evidence/klog/klog_scan.h"

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

/* "[ 12.", "[<   12.", "[  +0.": a time since boot, or since the line before. */
static bool is_elapsed(const uint8_t *at, const uint8_t *end)
{
	for (at++; at < end && (*at == ' ' || *at == '\t' || *at == '<' || *at == '+');)
		at++;
	if (at == end || !scan_is_digit(*at))
		return false;
	while (at < end && scan_is_digit(*at))
		at++;
	return at < end && *at == '.';
}

/* " 1:26:0", "T01:26:0", " 01:26]": the time of a date, around its first colon. */
static bool is_clock(struct slice text, size_t colon)
{
	const uint8_t *at = text.ptr + colon;
	size_t digits = 0;

	if (text.len - colon < 4 || !scan_is_digit(at[1]) || !scan_is_digit(at[2]) ||
	    (at[3] != ':' && at[3] != ']'))
		return false;
	while (digits < 2 && digits < colon && scan_is_digit(at[-1 - (ptrdiff_t)digits]))
		digits++;
	if (digits == 0 || digits == colon)
		return false;
	at -= digits + 1;
	return *at == ' ' || *at == '\t' || *at == 'T';
}

/*
 * False when no head is inside of a line, which is so in nearly all: each form that is taken there
 * has the time of a date, or a time since boot in brackets.
 */
static bool may_hold_head(struct slice text, size_t from)
{
	const uint8_t *end = text.ptr + text.len;
	const uint8_t *at = text.ptr + from;

	while (at < end && (at = memchr(at, '[', (size_t)(end - at)))) {
		if (is_elapsed(at, end))
			return true;
		at++;
	}
	at = text.ptr + from;
	while (at < end && (at = memchr(at, ':', (size_t)(end - at)))) {
		if (is_clock(text, (size_t)(at - text.ptr)))
			return true;
		at++;
	}
	return false;
}

bool klog_head_find(struct slice text, size_t from, size_t *at, struct klog_head *head)
{
	if (from == 0) {
		if (text.len && klog_head_may_begin(text.ptr[0]) &&
		    klog_head_parse(text, false, head)) {
			*at = 0;
			return true;
		}
		from = 1;
	}
	if (from >= text.len || !may_hold_head(text, from))
		return false;
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
