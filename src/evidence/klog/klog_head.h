/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The head of a line of a kernel log: what dmesg, syslog and the journal write before the message.
 *
 * Follows util-linux dmesg(1), RFC 3164, RFC 5424, rsyslog's templates and systemd's
 * src/shared/logs-show.c. Part of the reader of kernel logs (klog.h); it knows no message.
 */
#ifndef EVIDENCE_KLOG_HEAD_H
#define EVIDENCE_KLOG_HEAD_H

#include "base/slice.h"
#include "base/stamp.h"

/* What a head tells of the calendar. */
enum klog_wall {
	KLOG_WALL_NONE,    /* nothing */
	KLOG_WALL_NO_YEAR, /* month, day and time of day, of an unknown time zone */
	KLOG_WALL_LOCAL,   /* a full date, of an unknown time zone */
	KLOG_WALL_UTC,     /* a full date; zone_s is to be subtracted */
};

struct klog_date {
	int32_t year;       /* NO_YEAR: how often New Year was passed since the log's first line */
	int32_t month, day; /* from 1 */
	int64_t ns_of_day;
};

struct klog_head {
	enum klog_wall wall;
	struct klog_date date;
	int64_t zone_s; /* KLOG_WALL_UTC: seconds east of UTC; else as read 0, and whoever follows
			 * summer time puts in by how much it moved since the log's first line */
	bool whole_seconds;
	bool has_boot;
	int64_t boot_ns;   /* since boot, valid with has_boot */
	struct slice host; /* empty: not told */
	struct slice tag;  /* the program that syslog names; empty: none, it is dmesg's output */
	bool kernel;       /* the tag is the kernel's, or there is none */
	size_t len;        /* bytes of the head, with the blank behind it */
};

/* Bytes at which klog_head_parse is worth a try: all heads begin with one of them. */
static inline bool klog_head_may_begin(uint8_t c)
{
	return (c >= 'A' && c <= 'W') || (c >= '0' && c <= '9') || c >= 0x80 || c == '[' ||
	       c == '<';
}

/*
 * Reads a head at the beginning of `text`. Inside of a line (`strict`) only heads are taken that
 * nobody writes by chance. False when there is none; *out holds nothing then.
 */
bool klog_head_parse(struct slice text, bool strict, struct klog_head *out);

/* The first head at `from` or behind it in a line; false: none. */
bool klog_head_find(struct slice line, size_t from, size_t *at, struct klog_head *head);

/* Nanoseconds since 1970 of a date in this year; the calendar alone, whatever the zone. */
int64_t klog_date_ns(const struct klog_date *date, int32_t year);

/*
 * "+08:00", "+0800", "-5", "Z", "UTC": seconds east of UTC, and how many bytes of text that were; 0
 * when there is no zone.
 */
size_t klog_zone_parse(struct slice text, int64_t *zone_s);

/* "2026-11-22T01:26:00.123+00:00", with a blank for the T, or without time: for options. */
bool klog_stamp_parse(struct slice text, struct klog_head *out);

#endif
