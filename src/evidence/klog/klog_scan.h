/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The small scanner with which the files klog_head.c and klog_forms.c read heads; nobody else's. */
#ifndef EVIDENCE_KLOG_SCAN_H
#define EVIDENCE_KLOG_SCAN_H

#include "evidence/klog/klog_head.h"

enum {
	SCAN_NS_DIGITS = 9,    /* decimals of a second that are told apart */
	SCAN_WORD_BYTES = 255, /* of a host */
};

/* Where we are in the text; a step that fails leaves `ok` false, and all later ones fail too. */
struct scan {
	const uint8_t *at, *end;
	bool ok;
};

static inline bool scan_is(const struct scan *s, uint8_t c)
{
	return s->ok && s->at < s->end && *s->at == c;
}

static inline bool scan_try(struct scan *s, uint8_t c)
{
	bool is = scan_is(s, c);

	s->at += is;
	return is;
}

static inline void scan_want(struct scan *s, uint8_t c)
{
	s->ok = scan_try(s, c);
}

static inline void scan_blanks(struct scan *s)
{
	while (scan_is(s, ' ') || scan_is(s, '\t'))
		s->at++;
}

static inline void scan_want_blanks(struct scan *s)
{
	s->ok = scan_is(s, ' ') || scan_is(s, '\t');
	scan_blanks(s);
}

static inline bool scan_is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static inline bool scan_digit(const struct scan *s)
{
	return s->ok && s->at < s->end && scan_is_digit(*s->at);
}

/* A number of min to max digits. */
static inline int64_t scan_number(struct scan *s, unsigned min, unsigned max)
{
	unsigned digits = 0;
	int64_t value = 0;

	for (; digits < max && scan_digit(s); digits++)
		value = value * 10 + (*s->at++ - '0');
	s->ok = s->ok && digits >= min && !scan_digit(s);
	return value;
}

/* Digits behind a point or comma as nanoseconds; *count says how many there were. */
static inline int64_t scan_decimals(struct scan *s, unsigned *count)
{
	int64_t ns = 0;
	unsigned digits = 0;

	for (; scan_digit(s); s->at++, digits++)
		if (digits < SCAN_NS_DIGITS)
			ns = ns * 10 + (*s->at - '0');
	s->ok = s->ok && digits > 0 && digits <= SCAN_NS_DIGITS;
	for (unsigned i = digits; i < SCAN_NS_DIGITS; i++)
		ns *= 10;
	*count = digits;
	return s->ok ? ns : 0;
}

/* What stands up to the next blank, or up to `stop`, which is not taken. */
static inline struct slice scan_short_word(struct scan *s, uint8_t stop, ptrdiff_t max)
{
	const uint8_t *start = s->at;

	while (s->ok && s->at<s->end && * s->at> ' ' && *s->at != stop && s->at - start <= max)
		s->at++;
	return slice_make(start, (size_t)(s->at - start));
}

static inline struct slice scan_word(struct scan *s, uint8_t stop)
{
	return scan_short_word(s, stop, SCAN_WORD_BYTES);
}

/* --- klog_date.c --- */

/*
 * "Nov", or what other locales make of it: a number and a word of bytes that are no ASCII ("11月",
 * in UTF-8 or GBK).
 */
int32_t scan_month(struct scan *s);

/* "01:26:00", with decimals behind "." or ",". Returns how many decimals. */
unsigned scan_time(struct scan *s, struct klog_head *h);

/* Fails where month and day cannot be. */
void scan_check_date(struct scan *s, const struct klog_date *d);

/* "2026-11-22" */
void scan_iso_date(struct scan *s, struct klog_head *h);

/* The zone, if one is told; true: it was. */
bool scan_zone(struct scan *s, struct klog_head *h);

/* --- klog_head.c --- */

/* "HOST TAG:", "HOST kern.warn TAG[PID]:", or the tag alone. */
void scan_host_and_tag(struct scan *s, struct klog_head *h);

/* What passed since the line before, which some tools add: "<    0.000100>"; perhaps it is there.
 */
void scan_elapsed(struct scan *s);

/* Ends a head: false where a step failed. One blank is the head's: what follows is indented. */
bool scan_end(struct scan *s, struct slice text, struct klog_head *h);

/* --- klog_forms.c: forms that are rarer; each as the forms of klog_head.c --- */

typedef bool klog_form_fn(struct scan s, struct slice text, bool strict, struct klog_head *h);

/* "3,1042,363100000,-;text": a record of /dev/kmsg (Documentation/ABI/testing/dev-kmsg). */
bool klog_form_record(struct scan s, struct slice text, bool strict, struct klog_head *h);

/* "1795310763.348659 host kernel: text": journalctl -o short-unix. */
bool klog_form_unix(struct scan s, struct slice text, bool strict, struct klog_head *h);

/*
 * "[Nov22 01:32] text", "[  +0.000010] text", "[<    0.000010>] text": dmesg -H and -d, which tell
 * a minute, or what passed since the line before: no time that could be compared with another.
 */
bool klog_form_elapsed(struct scan s, struct slice text, bool strict, struct klog_head *h);

#endif
