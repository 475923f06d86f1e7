// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A clock that jumps inside of a file. Local time falls back by an hour when summer time ends; a
 * clock that was wrong is set by ntp, or by hand; a file may be made of several. No time is
 * corrected by it: what was written before a jump cannot be known from what came after. It is said.
 */
#include <inttypes.h>

#include "ingest/log_private.h"

/* CPUs print side by side, and syslog stamps lines when it gets them. */
#define BACKWARDS_NS (2 * STAMP_NS_PER_S)

/* When syslog starts it writes the lines of the boot so far with one time. */
#define STEP_NS (120 * STAMP_NS_PER_S)

/* Summer time is an hour, and the line before it may be some minutes old. */
#define HOUR_NS (INT64_C(3600) * STAMP_NS_PER_S)

static void jump_add(struct log_file *f, uint64_t line, int64_t ns)
{
	if (f->jumps.count++ == 0) {
		f->jumps.line = line;
		f->jumps.ns = ns;
	}
}

/* How far the calendar went on more than the time since boot; false: they do not tell. */
static bool step_between(const struct log_file *f, const struct klog_head *before,
			 const struct klog_head *h, int64_t *ns)
{
	int64_t wall_ns = log_head_wall_ns(f, h) - log_head_wall_ns(f, before);

	if (!before->has_boot || !h->has_boot || h->boot_ns < before->boot_ns)
		return false; /* another boot */
	*ns = wall_ns - (h->boot_ns - before->boot_ns);
	return *ns > STEP_NS || *ns < -STEP_NS;
}

void log_jump_look(struct log_file *f, const struct klog_head *before, const struct klog_head *h,
		   uint64_t line)
{
	int64_t ns;

	if (before->wall != h->wall)
		return;
	if (h->wall == KLOG_WALL_NONE) {
		ns = h->boot_ns - before->boot_ns;
		if (before->has_boot && h->has_boot && ns < -BACKWARDS_NS)
			jump_add(f, line, ns);
		return;
	}
	if (step_between(f, before, h, &ns)) {
		jump_add(f, line, ns);
		return;
	}
	ns = log_head_wall_ns(f, h) - log_head_wall_ns(f, before) -
	     (h->zone_s - before->zone_s) * STAMP_NS_PER_S;
	if (ns < -BACKWARDS_NS)
		jump_add(f, line, ns);
}

static const char *jump_reason(const struct log_file *f)
{
	int64_t ns = f->jumps.ns < 0 ? -f->jumps.ns : f->jumps.ns;

	if (f->head_first.wall == KLOG_WALL_NONE)
		return "another boot begins, or the file was put together";
	if (f->head_first.wall != KLOG_WALL_UTC && ns <= HOUR_NS && ns > HOUR_NS - HOUR_NS / 4)
		return "summer time ends, or the clock was set";
	return "the clock was set, or the file was put together";
}

void log_jumps_note(const struct logs *l, const struct log_file *f)
{
	char apart[STAMP_TEXT_BYTES];
	struct strbuf text;

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
