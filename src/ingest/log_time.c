// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the times of logs mean: the year, the zone and the boot that lines do not tell. Whatever is
 * assumed is said in the notes of the evidence. See docs/clocks.md.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "ingest/log_private.h"

enum { DAY_S = 86400, CANDIDATES_MAX = 8, PARTNERS_MAX = 256 };

static struct log_record *record_at(const struct logs *l, size_t index)
{
	return vec_at(&l->records, index);
}

static struct log_file *file_at(const struct logs *l, size_t index)
{
	return vec_at(&l->files, index);
}

/* Local time of a head with a date, as if its zone were UTC. Its year must be known. */
static int64_t head_wall_ns(const struct log_file *f, const struct klog_head *h)
{
	int32_t year = h->date.year;

	if (h->wall == KLOG_WALL_NO_YEAR)
		year += f->year ? f->year : LOG_YEAR_NONE;
	return klog_date_ns(&h->date, year);
}

struct stamp log_head_stamp(const struct logs *l, const struct log_file *f,
			    const struct klog_head *h)
{
	if (h->wall == KLOG_WALL_NONE) {
		struct stamp at = {h->boot_ns, CLOCK_BOOT};

		if (!h->has_boot)
			return stamp_none();
		if (f->has_boot_offset &&
		    !__builtin_add_overflow(h->boot_ns, f->boot_offset_ns, &at.ns))
			at.clock = CLOCK_UTC;
		return at;
	}
	if (h->wall == KLOG_WALL_UTC)
		return stamp_utc(head_wall_ns(f, h) - h->zone_s * STAMP_NS_PER_S);
	if (h->wall == KLOG_WALL_NO_YEAR && !f->year)
		return (struct stamp){head_wall_ns(f, h), CLOCK_LOCAL};
	return stamp_utc(head_wall_ns(f, h) - l->options.zone_s * STAMP_NS_PER_S);
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
	evidence_add_note(l->evidence, f->evidence, text);
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
		if (!stamp_known(latest) || head_wall_ns(f, h) > latest.ns)
			latest = stamp_utc(head_wall_ns(f, h));
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

/* Local times without a zone, by the file's own lines. */
static void note_zone(const struct logs *l, const struct log_file *f)
{
	if (f->head_first.wall != KLOG_WALL_LOCAL && f->head_last.wall != KLOG_WALL_LOCAL &&
	    !f->year)
		return;
	if (!l->options.has_zone)
		note(l, f, "its lines tell no time zone: UTC is assumed; --tz tells another");
}

/* --- the boot's time, for lines that tell only the time since boot --- */

static bool same_text(const struct log_record *a, const struct log_record *b)
{
	return a->text_hash == b->text_hash && slice_equal(a->fact.line, b->fact.line);
}

/* Takes the offset under which most records of the two are the same; false: none. */
static bool offset_from(const struct logs *l, struct log_file *f, const struct log_file *by)
{
	size_t best = 0;
	size_t candidates = by->last - by->first;

	if (candidates > PARTNERS_MAX)
		candidates = PARTNERS_MAX;
	for (size_t i = f->first; i < f->last && i < f->first + CANDIDATES_MAX; i++) {
		const struct log_record *r = record_at(l, i);

		for (size_t k = by->first; k < by->first + candidates; k++) {
			const struct log_record *partner = record_at(l, k);
			int64_t offset;
			size_t count;

			if (!same_text(r, partner) || partner->at.clock != CLOCK_UTC ||
			    __builtin_sub_overflow(partner->at.ns, r->head.boot_ns, &offset))
				continue;
			count = log_pairs_count(l, f, by, offset);
			if (count > best) {
				best = count;
				f->boot_offset_ns = offset;
			}
		}
	}
	f->has_boot_offset = best > 0;
	return best > 0;
}

/* Files of one host; of an unknown host, of one folder. */
static bool same_host(const struct log_file *a, const struct log_file *b)
{
	return a->host == b->host;
}

/* The copy with dates that tells most exactly; NULL: there is none. */
static const struct log_file *boot_source(const struct logs *l, struct log_file *f)
{
	for (int whole_seconds = 0; whole_seconds < 2; whole_seconds++)
		for (size_t i = 0; i < l->files.len; i++) {
			const struct log_file *by = file_at(l, i);

			if (by != f && by->head_first.wall != KLOG_WALL_NONE &&
			    by->head_first.whole_seconds == whole_seconds && same_host(f, by) &&
			    offset_from(l, f, by))
				return by;
		}
	return NULL;
}

static void settle_boot(const struct logs *l, struct log_file *f)
{
	const struct log_file *by;
	char text[128];

	if (f->head_first.wall != KLOG_WALL_NONE || !f->head_first.has_boot)
		return;
	if (l->options.boot_time.clock == CLOCK_UTC) {
		f->has_boot_offset = true;
		f->boot_offset_ns = l->options.boot_time.ns;
		return;
	}
	by = boot_source(l, f);
	if (!by) {
		note(l, f,
		     "counts from boot, and nothing tells when that was: its times are not "
		     "compared with others; --boot-time tells it");
		return;
	}
	snprintf(text, sizeof(text),
		 "counts from boot: the time of the boot is taken from %s, a copy of it with dates",
		 evidence_list_at(l->evidence, by->evidence)->id);
	note(l, f, text);
}

static void stamp_records(const struct logs *l, const struct log_file *f)
{
	for (size_t i = f->first; i < f->last; i++) {
		struct log_record *r = record_at(l, i);

		r->at = log_head_stamp(l, f, &r->head);
	}
}

void log_times_settle(struct logs *l, struct stamp capture)
{
	for (size_t i = 0; i < l->files.len; i++) {
		struct log_file *f = file_at(l, i);

		settle_year(l, f, capture);
		note_zone(l, f);
		stamp_records(l, f);
	}
	for (size_t i = 0; i < l->files.len; i++) {
		struct log_file *f = file_at(l, i);

		settle_boot(l, f);
		stamp_records(l, f);
	}
}
