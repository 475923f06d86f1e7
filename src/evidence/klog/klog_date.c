// SPDX-License-Identifier: GPL-2.0-or-later
/* Dates, times and zones in the heads of lines. See klog_head.h and klog_scan.h. */
#include "evidence/klog/klog_scan.h"

enum { SECONDS_PER_DAY = 86400 };

int32_t scan_month(struct scan *s)
{
	static const char names[] = "janfebmaraprmayjunjulaugsepoctnovdec";
	int32_t month;

	if (scan_digit(s)) {
		month = (int32_t)scan_number(s, 1, 2);
		s->ok = s->ok && s->at < s->end && *s->at >= 0x80;
		scan_word(s, ' ');
		return month;
	}
	s->ok = s->ok && s->end - s->at >= 3;
	for (month = 0; s->ok && month < 12; month++) {
		const char *name = names + 3 * (size_t)month;

		if ((s->at[0] | 0x20) == name[0] && (s->at[1] | 0x20) == name[1] &&
		    (s->at[2] | 0x20) == name[2])
			break;
	}
	s->ok = s->ok && month < 12;
	s->at += s->ok ? 3 : 0;
	return month + 1;
}

unsigned scan_time(struct scan *s, struct klog_head *h)
{
	unsigned decimals = 0;
	int64_t hour = scan_number(s, 1, 2);
	int64_t minute, second, ns = 0;

	scan_want(s, ':');
	minute = scan_number(s, 2, 2);
	scan_want(s, ':');
	second = scan_number(s, 2, 2);
	if (scan_is(s, '.') || scan_is(s, ',')) {
		s->at++;
		ns = scan_decimals(s, &decimals);
	}
	s->ok = s->ok && hour < 24 && minute < 60 && second <= 60;
	h->date.ns_of_day = ((hour * 60 + minute) * 60 + second) * STAMP_NS_PER_S + ns;
	h->whole_seconds = decimals == 0;
	return decimals;
}

void scan_check_date(struct scan *s, const struct klog_date *d)
{
	s->ok = s->ok && d->month >= 1 && d->month <= 12 && d->day >= 1 && d->day <= 31;
}

void scan_iso_date(struct scan *s, struct klog_head *h)
{
	h->date.year = (int32_t)scan_number(s, 4, 4);
	scan_want(s, '-');
	h->date.month = (int32_t)scan_number(s, 2, 2);
	scan_want(s, '-');
	h->date.day = (int32_t)scan_number(s, 2, 2);
	scan_check_date(s, &h->date);
	s->ok = s->ok && h->date.year >= 1970 && h->date.year < 2200;
}

size_t klog_zone_parse(struct slice text, int64_t *zone_s)
{
	struct scan s = {text.ptr, text.ptr + text.len, true};
	bool west = scan_is(&s, '-');
	int64_t hours, minutes = 0;

	*zone_s = 0;
	if (scan_try(&s, 'Z') || scan_try(&s, 'z'))
		return 1;
	if (text.len >= 3 && (memcmp(text.ptr, "UTC", 3) == 0 || memcmp(text.ptr, "GMT", 3) == 0))
		return 3;
	if (!scan_try(&s, '+') && !scan_try(&s, '-'))
		return 0;
	hours = scan_number(&s, 1, 4);
	if (s.ok && s.at - text.ptr > 3) {
		minutes = hours % 100;
		hours /= 100;
	} else if (scan_try(&s, ':')) {
		minutes = scan_number(&s, 2, 2);
	}
	if (!s.ok || hours > 14 || minutes > 59)
		return 0;
	*zone_s = (hours * 60 + minutes) * 60 * (west ? -1 : 1);
	return (size_t)(s.at - text.ptr);
}

bool scan_zone(struct scan *s, struct klog_head *h)
{
	size_t len =
		s->ok ? klog_zone_parse(slice_make(s->at, (size_t)(s->end - s->at)), &h->zone_s)
		      : 0;

	s->at += len;
	h->wall = len ? KLOG_WALL_UTC : KLOG_WALL_LOCAL;
	return len != 0;
}

/* Days since 1970 of a civil date (Howard Hinnant's days_from_civil). */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
	int64_t era, of_era, of_year;

	year -= month <= 2;
	era = (year >= 0 ? year : year - 399) / 400;
	of_era = year - era * 400;
	of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

int64_t klog_date_ns(const struct klog_date *date, int32_t year)
{
	return days_of(year, date->month, date->day) * SECONDS_PER_DAY * STAMP_NS_PER_S +
	       date->ns_of_day;
}

bool klog_stamp_parse(struct slice text, struct klog_head *out)
{
	struct scan s = {text.ptr, text.ptr + text.len, true};
	struct klog_head h = {.wall = KLOG_WALL_LOCAL};

	scan_iso_date(&s, &h);
	if (s.ok && s.at < s.end) {
		if (!scan_try(&s, 'T'))
			scan_want(&s, ' ');
		scan_time(&s, &h);
		scan_zone(&s, &h);
	}
	if (!s.ok || s.at != s.end)
		return false;
	*out = h;
	return true;
}
