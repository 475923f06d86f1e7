// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the times of logs mean: the year that lines do not tell; log_zone.c and log_boot.c do the
 * same for the zone and the boot. Whatever is assumed is said in the notes of the evidence. See
 * docs/clocks.md.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "ingest/log/log_private.h"

/* A log of nonsense passes New Year with each line; 64 bits of nanoseconds hold 1677 to 2262. */
enum { DAY_S = 86400, LOG_YEAR_MIN = 1700, LOG_YEAR_MAX = 2199 };

static struct log_record *record_at(const struct logs *l, size_t index)
{
	return vec_at(&l->records, index);
}

static struct log_file *file_at(const struct logs *l, size_t index)
{
	return vec_at(&l->files, index);
}

int64_t log_head_wall_ns(const struct log_file *f, const struct klog_head *h)
{
	int32_t year = h->date.year;

	if (h->wall == KLOG_WALL_NO_YEAR)
		year += f->year ? f->year : LOG_YEAR_NONE;
	if (year < LOG_YEAR_MIN || year > LOG_YEAR_MAX)
		year = year < LOG_YEAR_MIN ? LOG_YEAR_MIN : LOG_YEAR_MAX;
	return klog_date_ns(&h->date, year) -
	       (h->wall == KLOG_WALL_UTC ? 0 : h->zone_s * STAMP_NS_PER_S);
}

struct stamp log_head_stamp(const struct log_file *f, const struct klog_head *h)
{
	if (h->wall == KLOG_WALL_NONE) {
		struct stamp at = {h->boot_ns, CLOCK_BOOT};
		int64_t utc_ns;

		if (!h->has_boot)
			return stamp_none();
		if (f->has_boot_offset &&
		    !__builtin_add_overflow(h->boot_ns, f->boot_offset_ns, &utc_ns))
			at = stamp_utc(utc_ns);
		return at;
	}
	if (h->wall == KLOG_WALL_UTC)
		return stamp_utc(log_head_wall_ns(f, h) - h->zone_s * STAMP_NS_PER_S);
	if (h->wall == KLOG_WALL_NO_YEAR && !f->year)
		return (struct stamp){log_head_wall_ns(f, h), CLOCK_LOCAL};
	return stamp_utc(log_head_wall_ns(f, h) - f->zone_s * STAMP_NS_PER_S);
}

struct stamp log_boot_stamp(const struct log_file *f, int64_t boot_ns)
{
	struct klog_head head = {.kernel = true, .has_boot = true, .boot_ns = boot_ns};

	return log_head_stamp(f, &head);
}

/* The year in which the last line lies closest to `near` (or, if that is a limit, before it). */
static int32_t year_near(const struct log_file *f, struct stamp near, bool before)
{
	int64_t best_apart = INT64_MAX;
	int32_t best = 0;
	struct klog_date date = f->head_last.date;
	int32_t guess = (int32_t)(1970 + near.ns / STAMP_NS_PER_S / (365 * DAY_S + DAY_S / 4));

	for (int32_t year = guess - 1; year <= guess + 1; year++) {
		int64_t apart = near.ns - klog_date_ns(&date, year);

		if (before && apart < -DAY_S * STAMP_NS_PER_S)
			continue;
		apart = llabs(apart);
		if (apart < best_apart) {
			best_apart = apart;
			best = year;
		}
	}
	if (best && f->head_last.wall == KLOG_WALL_NO_YEAR)
		best -= f->head_last.date.year; /* the first line's: so often was New Year passed */
	return best;
}

static void note(const struct logs *l, const struct log_file *f, const char *text)
{
	evidence_add_clock_note(l->evidence, f->evidence, text);
}

static void note_year(const struct logs *l, const struct log_file *f, const char *why)
{
	struct strbuf text;

	strbuf_init(&text);
	if (f->year)
		strbuf_add_format(&text, "its lines tell no year: %" PRId32 " is taken, %s",
				  f->year, why);
	else
		strbuf_add_format(&text,
				  "its lines tell no year, and nothing else does: written "
				  "as %d; --year tells it",
				  LOG_YEAR_NONE);
	note(l, f, strbuf_text(&text));
	strbuf_deinit(&text);
}

/* The latest time that another log tells with its year. */
static struct stamp other_log_time(const struct logs *l)
{
	struct stamp latest = stamp_none();

	for (size_t i = 0; i < l->files.len; i++) {
		const struct log_file *f = file_at(l, i);
		const struct klog_head *h = &f->head_last;

		if (h->wall != KLOG_WALL_LOCAL && h->wall != KLOG_WALL_UTC)
			continue;
		if (!stamp_known(latest) || log_head_wall_ns(f, h) > latest.ns)
			latest = stamp_utc(log_head_wall_ns(f, h));
	}
	return latest;
}

static void settle_year(const struct logs *l, struct log_file *f, struct stamp capture)
{
	struct stamp other = other_log_time(l);

	if (f->head_first.wall != KLOG_WALL_NO_YEAR && f->head_last.wall != KLOG_WALL_NO_YEAR)
		return;
	if (l->options.year) {
		f->year = l->options.year;
		return;
	}
	if (capture.clock == CLOCK_UTC) {
		f->year = year_near(f, capture, false);
		note_year(l, f, "as the captures are of that time");
	} else if (f->year_seen) {
		f->year = f->year_seen;
		note_year(l, f, "which other lines of it tell");
	} else if (stamp_known(other)) {
		f->year = year_near(f, other, false);
		note_year(l, f, "as another log is of that time");
	} else if (stamp_known(f->written)) {
		f->year = year_near(f, f->written, true);
		note_year(l, f, "as the file was last written then; --year tells another");
	} else {
		note_year(l, f, NULL);
	}
}

static void stamp_records(const struct logs *l, const struct log_file *f)
{
	for (size_t i = f->first; i < f->last; i++) {
		struct log_record *r = record_at(l, i);

		r->at = log_head_stamp(f, &r->head);
	}
}

static void stamp_all(struct logs *l)
{
	for (size_t i = 0; i < l->files.len; i++)
		stamp_records(l, file_at(l, i));
}

void log_times_settle(struct logs *l, struct stamp capture)
{
	for (size_t i = 0; i < l->files.len; i++)
		settle_year(l, file_at(l, i), capture);
	log_zones_settle(l);
	stamp_all(l);
	log_boots_settle(l);
	stamp_all(l);
}
