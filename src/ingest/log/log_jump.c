// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A clock that jumps inside of a file. Local time falls back by an hour when summer time ends, and
 * goes ahead when it begins: that is followed, where it can be told from a clock that was set. Such
 * a clock, and files that were made of several, are not corrected: what was written before a jump
 * cannot be known from what came after. It is said.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "ingest/log/log_private.h"

/* CPUs print side by side, and syslog stamps lines when it gets them. */
#define BACKWARDS_NS (2 * STAMP_NS_PER_S)

/* When syslog starts it writes the lines of the boot so far with one time. */
#define STEP_NS (120 * STAMP_NS_PER_S)

/* Summer time is an hour, and the line before it may be some minutes old. */
#define HOUR_NS (INT64_C(3600) * STAMP_NS_PER_S)

/* The line before may be so old when an hour is told by the calendar alone. */
#define QUARTER_NS (HOUR_NS / 4)

/* Where the time since boot tells it too. */
#define SEASON_EXACT_NS (5 * STAMP_NS_PER_S)

bool log_same_day(const struct klog_head *a, const struct klog_head *b)
{
	return a->wall == b->wall && a->wall != KLOG_WALL_NONE && a->zone_s == b->zone_s &&
	       a->date.day == b->date.day && a->date.month == b->date.month &&
	       a->date.year == b->date.year;
}

static void jump_add(struct log_file *f, uint64_t line, int64_t ns)
{
	if (f->jumps.count++ == 0) {
		f->jumps.line = line;
		f->jumps.ns = ns;
	}
}

/* How far the calendar went on, by wall_ns, more than the time since boot; false: they do not tell.
 */
static bool step_between(int64_t wall_ns, const struct klog_head *before, const struct klog_head *h,
			 int64_t *ns)
{
	if (!before->has_boot || !h->has_boot || h->boot_ns < before->boot_ns)
		return false; /* another boot */
	*ns = wall_ns - (h->boot_ns - before->boot_ns);
	return *ns > STEP_NS || *ns < -STEP_NS;
}

void log_jump_look(struct log_file *f, const struct klog_head *before, const struct klog_head *h,
		   uint64_t line)
{
	int64_t ns, wall_ns;

	if (before->wall != h->wall)
		return;
	if (h->wall == KLOG_WALL_NONE) {
		ns = h->boot_ns - before->boot_ns;
		if (before->has_boot && h->has_boot && ns < -BACKWARDS_NS)
			jump_add(f, line, ns);
		return;
	}
	wall_ns = log_same_day(h, before) ? h->date.ns_of_day - before->date.ns_of_day
					  : log_head_wall_ns(f, h) - log_head_wall_ns(f, before);
	if (step_between(wall_ns, before, h, &ns)) {
		jump_add(f, line, ns);
		return;
	}
	if (h->wall == KLOG_WALL_UTC)
		wall_ns -= (h->zone_s - before->zone_s) * STAMP_NS_PER_S;
	if (wall_ns < -BACKWARDS_NS)
		jump_add(f, line, wall_ns);
}

static const char *jump_reason(const struct log_file *f)
{
	int64_t ns = f->jumps.ns < 0 ? -f->jumps.ns : f->jumps.ns;

	if (f->head_first.wall == KLOG_WALL_NONE)
		return "another boot begins, or the file was put together";
	if (f->head_first.wall != KLOG_WALL_UTC && ns <= HOUR_NS && ns > HOUR_NS - QUARTER_NS)
		return "summer time ends, or the clock was set";
	return "the clock was set, or the file was put together";
}

/*
 * Summer time ends in the small hours of a day in autumn, which is March or April in the south. At
 * other times a clock that goes back by an hour was set.
 */
static bool season_may_end(const struct klog_head *h)
{
	int32_t month = h->date.month;

	return h->date.ns_of_day < 4 * HOUR_NS &&
	       (month == 3 || month == 4 || (month >= 9 && month <= 11));
}

/* By how many seconds local time moved between the two lines: an hour, or not at all. */
static int64_t season_moved_s(const struct log_file *f, const struct klog_head *before,
			      const struct klog_head *h)
{
	const int64_t hour_s = HOUR_NS / STAMP_NS_PER_S;
	int64_t ns, boot_ns;

	if (log_same_day(h, before))
		ns = h->date.ns_of_day - before->date.ns_of_day;
	else if (__builtin_sub_overflow(log_head_wall_ns(f, h), log_head_wall_ns(f, before), &ns))
		return 0;
	if (!before->has_boot || !h->has_boot)
		return ns >= -HOUR_NS && ns <= -HOUR_NS + QUARTER_NS && season_may_end(h) ? -hour_s
											  : 0;
	/* Another boot: perhaps a clock that is not set yet. */
	if (h->boot_ns < before->boot_ns ||
	    __builtin_sub_overflow(h->boot_ns, before->boot_ns, &boot_ns) ||
	    __builtin_sub_overflow(ns, boot_ns, &ns))
		return 0;
	if (ns >= HOUR_NS - SEASON_EXACT_NS && ns <= HOUR_NS + SEASON_EXACT_NS)
		return hour_s;
	return ns >= -HOUR_NS - SEASON_EXACT_NS && ns <= -HOUR_NS + SEASON_EXACT_NS ? -hour_s : 0;
}

void log_season_follow(struct log_season *s, struct log_file *f, struct klog_head *head,
		       uint32_t host, uint64_t line)
{
	int64_t moved_s = 0;

	if (head->wall != KLOG_WALL_LOCAL && head->wall != KLOG_WALL_NO_YEAR)
		return;
	head->zone_s = s->moved_s;
	s->stopped |= s->seen && s->host != host;
	if (s->seen && !s->stopped && s->last.wall == head->wall)
		moved_s = season_moved_s(f, &s->last, head);
	if (moved_s && llabs(s->moved_s + moved_s) * STAMP_NS_PER_S <= HOUR_NS) {
		head->zone_s = s->moved_s += moved_s;
		if (f->seasons.count++ == 0) {
			f->seasons.line = line;
			f->seasons.begins = moved_s > 0;
		}
	}
	s->seen = true;
	s->host = host;
	s->last = *head;
}

static void season_note(const struct logs *l, const struct log_file *f)
{
	char text[160];

	if (f->seasons.count == 0)
		return;
	snprintf(text, sizeof(text),
		 "summer time %s at line %" PRIu64 ": its zone is that of the lines before%s",
		 f->seasons.begins ? "begins" : "ends", f->seasons.line,
		 f->seasons.count > 1 ? ", and it changes again" : "");
	evidence_add_clock_note(l->evidence, f->evidence, text);
}

void log_jumps_note(const struct logs *l, const struct log_file *f)
{
	char apart[STAMP_TEXT_BYTES];
	struct strbuf text;

	season_note(l, f);
	if (f->jumps.count == 0 || f->hosts_told > 1)
		return;
	stamp_format_duration(f->jumps.ns < 0 ? -f->jumps.ns : f->jumps.ns, apart);
	strbuf_init(&text);
	strbuf_add_format(&text, "its times jump %s by %s at line %" PRIu64 ": %s",
			  f->jumps.ns < 0 ? "back" : "ahead", apart, f->jumps.line, jump_reason(f));
	if (f->jumps.count > 1)
		strbuf_add_format(&text, "; and %" PRIu64 " more such jumps", f->jumps.count - 1);
	strbuf_add_text(&text, "; what lies on the two sides is not compared to the second");
	evidence_add_clock_note(l->evidence, f->evidence, strbuf_text(&text));
	strbuf_deinit(&text);
}
