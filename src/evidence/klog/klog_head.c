// SPDX-License-Identifier: GPL-2.0-or-later
/* See klog_head.h. One function for each form of a head, all over the same small scanner. */
#include "evidence/klog/klog_scan.h"
#include "evidence/text_scan.h"

enum {
	BOOT_DECIMALS = 6,
	BOOT_PLAIN_BYTES_MAX = 32, /* two brackets, blanks, digits, a point and decimals */
	NS_PER_US = 1000,
	BOOT_DIGITS_MAX = 9, /* of seconds since boot: 31 years */
	TAG_BYTES_MAX = 64,
	HOST_WORDS_MAX = 3, /* host, facility, tag */
	DAY_BYTES_MAX = 12, /* a weekday, in any language */
	HEAD_FORMS_MAX = 3, /* that begin with the same byte */
};

void scan_elapsed(struct scan *s)
{
	scan_blanks(s);
	if (!scan_try(s, '<'))
		return;
	scan_blanks(s);
	scan_word(s, '>');
	scan_blanks(s);
	scan_want(s, '>');
}

static bool text_is_kernel(struct slice tag)
{
	return slice_equal(tag, slice_of_string("kernel"));
}

/* The usual form of it, "[   12.345678]", which most lines have: at once. */
static bool scan_boot_plain(struct scan *s, struct klog_head *h)
{
	const uint8_t *at = s->at, *point;
	int64_t seconds = 0, us = 0;

	if (!s->ok || s->end - at < BOOT_PLAIN_BYTES_MAX || *at++ != '[')
		return false;
	for (point = at + BOOT_DIGITS_MAX; at < point && *at == ' ';)
		at++;
	for (point = at; point < at + BOOT_DIGITS_MAX && scan_is_digit(*point); point++)
		seconds = seconds * 10 + (*point - '0');
	if (point == at || *point++ != '.')
		return false;
	for (at = point; at < point + BOOT_DECIMALS && scan_is_digit(*at); at++)
		us = us * 10 + (*at - '0');
	if (at != point + BOOT_DECIMALS || *at != ']')
		return false;
	s->at = at + 1;
	h->has_boot = true;
	h->boot_ns = seconds * STAMP_NS_PER_S + us * NS_PER_US;
	return true;
}

/* "[12345.678901]", "[   12.345678 <    0.000100>]"; strict: with six decimals exactly. */
static bool scan_boot(struct scan *s, bool strict, struct klog_head *h)
{
	unsigned decimals = 0;
	int64_t seconds;
	int64_t ns;

	if (scan_boot_plain(s, h))
		return true;
	scan_want(s, '[');
	scan_blanks(s);
	seconds = scan_number(s, 1, BOOT_DIGITS_MAX);
	scan_want(s, '.');
	if (!s->ok)
		return false;
	ns = scan_decimals(s, &decimals);
	scan_elapsed(s);
	scan_want(s, ']');
	s->ok = s->ok && (decimals == BOOT_DECIMALS || (!strict && decimals >= 3));
	if (!s->ok)
		return false;
	h->has_boot = true;
	h->boot_ns = seconds * STAMP_NS_PER_S + ns;
	return true;
}

/* "(0)[412:tar]", with "<3>." or blanks before it: processor and task, in kernels of phones. */
static void scan_caller_of_phone(struct scan *s)
{
	struct scan t = *s;

	scan_blanks(&t);
	if (scan_try(&t, '<')) {
		scan_number(&t, 1, 1);
		scan_want(&t, '>');
		scan_try(&t, '.');
		scan_try(&t, '-');
	}
	scan_want(&t, '(');
	scan_number(&t, 1, 4);
	scan_want(&t, ')');
	scan_want(&t, '[');
	scan_number(&t, 1, 9);
	scan_want(&t, ':');
	while (t.ok && t.at < t.end && *t.at != ']' && t.at - s->at < SCAN_WORD_BYTES)
		t.at++;
	scan_want(&t, ']');
	if (t.ok)
		*s = t;
}

/* "[T123]", "[ C0]": who called printk (CONFIG_PRINTK_CALLER). */
static void scan_caller(struct scan *s)
{
	struct scan t = *s;

	scan_blanks(&t);
	if (!scan_is(&t, '[') && !scan_is(&t, '(') && !scan_is(&t, '<'))
		return; /* at once: most kernels do not tell it */
	t = *s;
	scan_caller_of_phone(s);

	scan_blanks(&t);
	scan_want(&t, '[');
	scan_blanks(&t);
	if (!scan_try(&t, 'T'))
		scan_want(&t, 'C');
	scan_number(&t, 1, 9);
	scan_want(&t, ']');
	if (t.ok)
		*s = t;
}

/* Behind the tag: the kernel's own time, if syslog kept it. An OCR may have lost the blanks. */
static void scan_kernel_time(struct scan *s, struct klog_head *h)
{
	struct scan t = *s;

	scan_blanks(&t);
	if (!h->kernel || !scan_boot(&t, false, h))
		return;
	scan_caller(&t);
	*s = t;
}

bool scan_end(struct scan *s, struct slice text, struct klog_head *h)
{
	if (!s->ok)
		return false;
	scan_try(s, ' '); /* one: what follows is the message, and its indentation tells */
	h->len = (size_t)(s->at - text.ptr);
	return true;
}

/* "stderr F ": how a container's runtime marks the lines that it stamps (CRI). */
static void scan_stream(struct scan *s)
{
	struct scan t = *s;
	struct slice name = scan_word(&t, ' ');

	if (!slice_equal(name, slice_of_string("stderr")) &&
	    !slice_equal(name, slice_of_string("stdout")))
		return;
	scan_want_blanks(&t);
	t.ok = t.ok && (scan_try(&t, 'F') || scan_try(&t, 'P')); /* whole, or a part */
	scan_want_blanks(&t);
	if (t.ok)
		*s = t;
}

/* The kernel's own time right behind that of whoever took its lines down: `dmesg -w | ts`. */
static bool scan_taken_down(struct scan *s, struct klog_head *h)
{
	struct scan t = *s;

	if (!scan_is(&t, '[') || !scan_boot(&t, true, h))
		return false;
	scan_caller(&t);
	*s = t;
	return h->kernel = true;
}

/* "[ID 577331 kern.notice]": syslog of Solaris tells the facility, whatever module the tag names.
 */
static void scan_message_id(struct scan *s, struct klog_head *h)
{
	struct scan t = *s;
	struct slice facility;

	scan_blanks(&t);
	scan_want(&t, '[');
	scan_want(&t, 'I');
	scan_want(&t, 'D');
	scan_want_blanks(&t);
	scan_number(&t, 1, 10);
	scan_want_blanks(&t);
	facility = scan_word(&t, ']');
	scan_want(&t, ']');
	if (!t.ok)
		return;
	h->kernel = text_begins(facility, "kern.");
	*s = t;
}

void scan_host_and_tag(struct scan *s, struct klog_head *h)
{
	struct slice words[HOST_WORDS_MAX] = {0};
	size_t count = 0;

	scan_stream(s);
	if (scan_taken_down(s, h))
		return;
	for (; s->ok && count < HOST_WORDS_MAX; count++) {
		words[count] = scan_word(s, ':');
		s->ok = words[count].len > 0 && words[count].len <= SCAN_WORD_BYTES;
		if (scan_is(s, ':'))
			break;
		scan_want_blanks(s);
	}
	scan_want(s, ':');
	s->ok = s->ok && count < HOST_WORDS_MAX; /* else the colon stands behind blanks */
	if (!s->ok)
		return;
	h->tag = words[count];
	if (count > 0)
		h->host = words[0];
	for (size_t i = 0; i < h->tag.len; i++)
		if (h->tag.ptr[i] == '[')
			h->tag.len = i;
	s->ok = h->tag.len <= TAG_BYTES_MAX;
	h->kernel = text_is_kernel(h->tag);
	scan_message_id(s, h);
	scan_kernel_time(s, h);
}

/* "[   12.345678] text", "[   12.345678][ T123] text", "[   12.345678] host kernel: text". */
static bool form_boot(struct scan s, struct slice text, bool strict, struct klog_head *h)
{
	struct scan t;
	struct klog_head named = {0};

	if (!scan_boot(&s, strict, h))
		return false;
	h->kernel = true;
	scan_caller(&s);
	t = s;
	scan_want_blanks(&t);
	named.host = scan_word(&t, ':');
	scan_want_blanks(&t);
	named.tag = scan_word(&t, ':');
	if (scan_try(&t, ':') && text_is_kernel(named.tag)) {
		h->host = named.host;
		h->tag = named.tag;
		s = t;
	}
	return scan_end(&s, text, h);
}

/* "[Sun Nov 22 01:26:00 2026] text"; the first bracket may be lost. */
static bool form_ctime(struct scan s, struct slice text, bool strict, struct klog_head *h)
{
	bool bracket = scan_try(&s, '[');
	struct slice day = scan_short_word(&s, ']', DAY_BYTES_MAX);

	s.ok = s.ok && day.len > 0 && day.len <= DAY_BYTES_MAX && (bracket || !strict);
	scan_want_blanks(&s);
	if (!s.ok)
		return false;
	h->date.month = scan_month(&s);
	scan_want_blanks(&s);
	if (!s.ok)
		return false; /* brackets stand in front of much else */
	h->date.day = (int32_t)scan_number(&s, 1, 2);
	scan_want_blanks(&s);
	scan_time(&s, h);
	scan_want_blanks(&s);
	h->date.year = (int32_t)scan_number(&s, 4, 4);
	scan_elapsed(&s);
	scan_want(&s, ']');
	scan_check_date(&s, &h->date);
	h->wall = KLOG_WALL_LOCAL;
	h->kernel = true;
	scan_caller(&s);
	return scan_end(&s, text, h);
}

/* RFC 5424 behind its date: "host kernel - - [structured data] text". */
static bool form_5424(struct scan s, struct slice text, struct klog_head *h)
{
	scan_iso_date(&s, h);
	scan_want(&s, 'T');
	scan_time(&s, h);
	s.ok = scan_zone(&s, h) && s.ok;
	scan_want_blanks(&s);
	h->host = scan_word(&s, ' ');
	scan_want_blanks(&s);
	h->tag = scan_word(&s, ' ');
	h->kernel = text_is_kernel(h->tag);
	for (int i = 0; i < 2; i++) {
		scan_want_blanks(&s);
		s.ok = s.ok && scan_word(&s, ' ').len > 0;
	}
	scan_want_blanks(&s);
	scan_try(&s, '-');
	while (s.ok && scan_is(&s, '[') && s.at + 1 < s.end && s.at[1] > '9') {
		scan_word(&s, ']');
		while (s.ok && s.at < s.end && *s.at != ']')
			s.at++;
		scan_want(&s, ']');
	}
	scan_blanks(&s);
	if (s.ok && s.end - s.at >= 3 && memcmp(s.at, "\xef\xbb\xbf", 3) == 0)
		s.at += 3; /* RFC 5424: the message is UTF-8 */
	scan_kernel_time(&s, h);
	return scan_end(&s, text, h);
}

/*
 * ISO dates: dmesg's ("2026-11-22T01:26:00,000000+00:00 text") is told by its comma, six decimals
 * and zone; in syslog and the journal a host and a tag follow.
 */
static bool form_iso(struct scan s, struct slice text, bool strict, struct klog_head *h)
{
	unsigned decimals;
	bool comma;
	bool zone;

	scan_iso_date(&s, h);
	if (!scan_try(&s, 'T'))
		scan_want(&s, ' ');
	if (!s.ok)
		return false;
	comma = s.end - s.at > 8 && s.at[8] == ',';
	decimals = scan_time(&s, h);
	if (scan_is(&s, ' ') && s.end - s.at > 4 && memcmp(s.at, " UTC ", 5) == 0)
		s.at++;
	zone = scan_zone(&s, h);
	scan_want_blanks(&s);
	if (s.ok && comma && zone && decimals == BOOT_DECIMALS) {
		s.at--;
		h->kernel = true;
		return scan_end(&s, text, h);
	}
	scan_host_and_tag(&s, h);
	return (h->kernel || !strict) && scan_end(&s, text, h);
}

/* "Jun 19 02:22:38 host kernel: text", with a year somewhere or none. */
static bool form_3164(struct scan s, struct slice text, bool strict, struct klog_head *h)
{
	struct scan t;
	int64_t year;

	h->wall = KLOG_WALL_NO_YEAR;
	h->date.month = scan_month(&s);
	scan_want_blanks(&s);
	if (!s.ok)
		return false;
	h->date.day = (int32_t)scan_number(&s, 1, 2);
	scan_want_blanks(&s);
	t = s;
	year = scan_number(&t, 4, 4);
	scan_want_blanks(&t);
	if (t.ok && year >= 1970 && year < 2200) {
		h->wall = KLOG_WALL_LOCAL;
		h->date.year = (int32_t)year;
		s = t;
	}
	scan_time(&s, h);
	scan_want_blanks(&s);
	scan_check_date(&s, &h->date);
	scan_host_and_tag(&s, h);
	return (h->kernel || !strict) && scan_end(&s, text, h);
}

/* journalctl -o short-full: "Sun 2026-11-22 01:26:00 UTC host kernel: text". */
static bool form_weekday(struct scan s, struct slice text, bool strict, struct klog_head *h)
{
	struct slice day = scan_short_word(&s, ' ', DAY_BYTES_MAX);

	s.ok = s.ok && day.len > 0 && day.len <= DAY_BYTES_MAX;
	scan_want_blanks(&s);
	if (!s.ok || !scan_digit(&s))
		return false;
	return form_iso(s, text, strict, h);
}

/* "<6>" before dmesg's and syslog's heads; with "1 " behind it it is RFC 5424. */
static bool skip_priority(struct scan *s, bool *is_5424)
{
	struct scan t = *s;

	scan_want(&t, '<');
	scan_number(&t, 1, 3);
	scan_want(&t, '>');
	if (t.ok)
		*s = t;
	t = *s;
	scan_want(&t, '1');
	scan_want(&t, ' ');
	*is_5424 = t.ok && scan_digit(&t);
	if (*is_5424)
		*s = t;
	return s->ok;
}

/* "2026-": most words that begin with a digit are no date. */
static bool may_be_iso(const struct scan *s)
{
	return s->end - s->at > 4 && s->at[4] == '-';
}

/* "Nov ", or a digit that begins a month of another language. */
static bool may_be_month(const struct scan *s)
{
	if (scan_is_digit(*s->at))
		return s->end - s->at > 2 && (s->at[1] >= 0x80 || s->at[2] >= 0x80);
	return s->end - s->at > 3 && (s->at[3] == ' ' || s->at[3] == '\t');
}

/* A weekday with a date behind it. */
static bool may_be_weekday(struct scan s)
{
	scan_short_word(&s, ' ', DAY_BYTES_MAX);
	scan_blanks(&s);
	return s.at < s.end && scan_is_digit(*s.at) && may_be_iso(&s);
}

/* "Sun Nov 22": behind the weekday a month, which begins with a letter but in some languages. */
static bool may_be_ctime(struct scan s)
{
	scan_short_word(&s, ']', DAY_BYTES_MAX);
	scan_blanks(&s);
	return s.at < s.end && (!scan_is_digit(*s.at) || may_be_month(&s));
}

/* The forms that can begin with this byte, by how often they are met; NULL ends the list. */
static void forms_of(const struct scan *s, bool strict, klog_form_fn *out[])
{
	size_t count = 0;

	if (s->at == s->end) {
	} else if (*s->at == '[' && s->end - s->at > 1 && s->at[1] == '<') {
		out[count++] = klog_form_elapsed; /* or a frame of a stack */
	} else if (*s->at == '[') {
		out[count++] = form_boot;
		out[count++] = form_ctime;
		out[count++] = klog_form_elapsed;
	} else if (scan_is_digit(*s->at)) {
		if (may_be_iso(s))
			out[count++] = form_iso;
		if (may_be_month(s))
			out[count++] = form_3164;
		if (count == 0 && !strict) {
			out[count++] = klog_form_record;
			out[count++] = klog_form_unix;
		}
	} else {
		if (!strict && may_be_ctime(*s))
			out[count++] = form_ctime;
		if (may_be_month(s))
			out[count++] = form_3164;
		if (may_be_weekday(*s))
			out[count++] = form_weekday;
	}
	out[count] = NULL;
}

bool klog_head_parse(struct slice text, bool strict, struct klog_head *out)
{
	klog_form_fn *forms[HEAD_FORMS_MAX + 1];
	struct scan s = {text.ptr, text.ptr + text.len, true};
	bool is_5424 = false;

	if (scan_is(&s, '<') || scan_is(&s, '1'))
		skip_priority(&s, &is_5424);
	*out = (struct klog_head){0};
	if (is_5424 && form_5424(s, text, out) && (out->kernel || !strict))
		return true;
	forms_of(&s, strict, forms);
	for (size_t i = 0; forms[i]; i++) {
		*out = (struct klog_head){0};
		if (forms[i](s, text, strict, out))
			return true;
	}
	return false;
}
