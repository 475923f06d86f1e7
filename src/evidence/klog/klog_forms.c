// SPDX-License-Identifier: GPL-2.0-or-later
/* Forms of a log's head that are met rarely; see klog_scan.h. */
#include "evidence/klog/klog_scan.h"

enum {
	RECORD_FACILITY_SHIFT = 3, /* of its first number: the rest is the severity */
	RECORD_DIGITS_MAX = 15,
	UNIX_DIGITS_MIN = 9, /* of seconds: since 1973 */
	UNIX_DIGITS_MAX = 10,
	MICRO_DIGITS = 6,
	ELAPSED_DIGITS_MAX = 9,
	NS_PER_US = 1000,
};

bool klog_form_record(struct scan s, struct slice text, bool strict, struct klog_head *h)
{
	int64_t priority = scan_number(&s, 1, 4);

	(void)strict;
	scan_want(&s, ',');
	scan_number(&s, 1, RECORD_DIGITS_MAX);
	scan_want(&s, ',');
	h->boot_ns = scan_number(&s, 1, RECORD_DIGITS_MAX) * NS_PER_US;
	scan_want(&s, ',');
	s.ok = scan_is(&s, '-') || scan_is(&s, 'c');
	scan_word(&s, ';'); /* flags, and what newer kernels add: ",caller=T412" */
	scan_want(&s, ';');
	h->has_boot = true;
	h->kernel = priority >> RECORD_FACILITY_SHIFT == 0;
	return scan_end(&s, text, h);
}

bool klog_form_unix(struct scan s, struct slice text, bool strict, struct klog_head *h)
{
	int64_t seconds = scan_number(&s, UNIX_DIGITS_MIN, UNIX_DIGITS_MAX);
	unsigned decimals = 0;
	int64_t ns;

	scan_want(&s, '.');
	ns = scan_decimals(&s, &decimals);
	scan_want_blanks(&s);
	if (!s.ok || decimals != MICRO_DIGITS)
		return false;
	h->wall = KLOG_WALL_UTC;
	h->date = (struct klog_date){.year = 1970, .month = 1, .day = 1};
	h->date.ns_of_day = seconds * STAMP_NS_PER_S + ns;
	scan_host_and_tag(&s, h);
	return (h->kernel || !strict) && scan_end(&s, text, h);
}

/* "Nov22 01:32", "Nov 2 01:32" */
static void scan_minute(struct scan *s)
{
	scan_month(s);
	scan_blanks(s);
	scan_number(s, 1, 2);
	scan_want_blanks(s);
	if (!s->ok)
		return;
	scan_number(s, 2, 2);
	scan_want(s, ':');
	scan_number(s, 2, 2);
}

bool klog_form_elapsed(struct scan s, struct slice text, bool strict, struct klog_head *h)
{
	unsigned decimals = 0;
	bool angle;

	(void)strict;
	scan_want(&s, '[');
	angle = scan_try(&s, '<');
	scan_blanks(&s);
	if (angle || scan_try(&s, '+')) {
		scan_number(&s, 1, ELAPSED_DIGITS_MAX);
		scan_want(&s, '.');
		scan_decimals(&s, &decimals);
		s.ok = s.ok && decimals == MICRO_DIGITS;
		if (angle)
			scan_want(&s, '>');
	} else {
		scan_minute(&s);
	}
	scan_want(&s, ']');
	h->kernel = true;
	return scan_end(&s, text, h);
}
