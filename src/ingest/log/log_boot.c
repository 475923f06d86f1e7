// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * When the boot was, for lines that tell the time since boot only. In this order: the user says so;
 * the log and the captures tell of the same waits; another text holds the host's clock and uptime;
 * a copy of the log has dates. What it rests on and how exact it is is said in the file's notes.
 * See docs/clocks.md.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "ingest/log/log_private.h"

enum { CANDIDATES_MAX = 8, PARTNERS_MAX = 256 };

/*
 * dmesg of util-linux computes dates with the boot's time cut to whole seconds (sys-utils/dmesg.c,
 * up to 2.39 at the least), and in a copy of syslog lines may be late.
 */
#define COPY_ERROR_NS (2 * STAMP_NS_PER_S)

/* Rough clocks are believed, and what the wire shows must lie near them. */
#define ROUGH_SLACK_NS (2 * STAMP_NS_PER_S)

/* No offset is too large when nothing rough is known. */
#define ANY_NS (INT64_MAX / 2)

static struct log_record *record_at(const struct logs *l, size_t index)
{
	return vec_at(&l->records, index);
}

static struct log_file *file_at(const struct logs *l, size_t index)
{
	return vec_at(&l->files, index);
}

static const char *id_of(const struct logs *l, uint32_t evidence)
{
	return evidence_list_at(l->evidence, evidence)->id;
}

static void note(const struct logs *l, const struct log_file *f, const char *text)
{
	evidence_add_clock_note(l->evidence, f->evidence, text);
}

/* --- a copy with dates --- */

static bool same_text(const struct log_record *a, const struct log_record *b)
{
	return a->text_hash == b->text_hash && slice_equal(a->fact.line, b->fact.line);
}

/* Takes the offset under which most records of the two are the same; false: none. */
static bool offset_from(const struct logs *l, struct log_file *f, const struct log_file *by,
			int64_t *out)
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
				*out = offset;
			}
		}
	}
	return best > 0;
}

/* Files of one host; of an unknown host, of one folder. */
static bool same_host(const struct log_file *a, const struct log_file *b)
{
	return a->host == b->host;
}

/* The copy with dates that tells most exactly; NULL: there is none. */
static const struct log_file *copy_find(const struct logs *l, struct log_file *f, int64_t *offset)
{
	for (int whole_seconds = 0; whole_seconds < 2; whole_seconds++)
		for (size_t i = 0; i < l->files.len; i++) {
			const struct log_file *by = file_at(l, i);

			if (by != f && by->head_first.wall != KLOG_WALL_NONE &&
			    by->head_first.whole_seconds == whole_seconds && same_host(f, by) &&
			    offset_from(l, f, by, offset))
				return by;
		}
	return NULL;
}

/* --- what is roughly known --- */

/* Where the boot is known from, without the wire. */
struct rough {
	bool known;
	uint32_t evidence;
	bool is_copy;
	int64_t boot_ns, error_ns;
};

static struct rough rough_find(const struct logs *l, struct log_file *f)
{
	struct rough r = {.known = false};
	const struct log_file *by;

	for (size_t i = 0; i < l->clocks.len && !r.known; i++) {
		const struct log_clock *c = vec_at(&l->clocks, i);

		if (log_same_folder(c->path, f->path))
			r = (struct rough){.known = true,
					   .evidence = c->evidence,
					   .boot_ns = c->boot_ns,
					   .error_ns = c->error_ns};
	}
	if (r.known)
		return r;
	by = copy_find(l, f, &r.boot_ns);
	if (by)
		r = (struct rough){.known = true,
				   .evidence = by->evidence,
				   .is_copy = true,
				   .boot_ns = r.boot_ns,
				   .error_ns = COPY_ERROR_NS};
	return r;
}

/* --- the wire --- */

/* The times since boot of the file's records; the caller frees them. */
static int64_t *boot_times(const struct logs *l, const struct log_file *f)
{
	int64_t *own_ns = mem_alloc(f->last - f->first + 1, sizeof(*own_ns));

	for (size_t i = f->first; i < f->last; i++) {
		const struct klog_head *h = &record_at(l, i)->head;

		own_ns[i - f->first] =
			h->wall == KLOG_WALL_NONE && h->has_boot ? h->boot_ns : INT64_MIN;
	}
	return own_ns;
}

static bool join_holds(const struct log_join *join)
{
	return join->fits && !join->ambiguous && !join->weak;
}

static void add_boot(struct strbuf *out, int64_t boot_ns, int64_t error_ns)
{
	char text[STAMP_TEXT_BYTES];

	stamp_format(stamp_utc(boot_ns), text);
	strbuf_add_format(out, "counts from boot, which was at %s", text);
	stamp_format_duration(error_ns, text);
	strbuf_add_format(out, " (within %s): ", text);
}

static void take(struct log_file *f, int64_t boot_ns, int64_t error_ns)
{
	f->has_boot_offset = true;
	f->boot_offset_ns = boot_ns;
	f->error_ns = error_ns;
}

static void take_join(const struct logs *l, struct log_file *f, const struct log_join *join,
		      const struct rough *rough)
{
	char apart[STAMP_TEXT_BYTES];
	int64_t *own_ns = boot_times(l, f);
	struct log_dissent dissent = log_anchor_dissent(l, f, own_ns, join);
	struct strbuf text;

	free(own_ns);
	take(f, join->offset_ns, join->error_ns);
	f->by_complaint = join->kind == LOG_JOIN_COMPLAINT && join->fits == 1 && !join->named;
	strbuf_init(&text);
	add_boot(&text, join->offset_ns, join->error_ns);
	log_join_add_reason(l, &text, join);
	log_dissent_add(l, &text, &dissent);
	if (rough->known &&
	    llabs(rough->boot_ns - join->offset_ns) > rough->error_ns + join->error_ns) {
		stamp_format_duration(llabs(rough->boot_ns - join->offset_ns), apart);
		strbuf_add_format(&text,
				  "; by %s it would be %s %s: that was written by a clock "
				  "that was set meanwhile, in another zone, or after a suspend",
				  id_of(l, rough->evidence), apart,
				  rough->boot_ns > join->offset_ns ? "later" : "earlier");
	}
	note(l, f, strbuf_text(&text));
	strbuf_deinit(&text);
}

/* Says what anchors that hold would have told instead of the boot that is taken. */
static void add_dissent(const struct logs *l, struct strbuf *out, const struct log_file *f,
			const struct log_join *anchors)
{
	struct log_dissent d = {
		.known = true,
		.kind = anchors->kind,
		.line = anchors->line,
		.text = anchors->text,
		.frame = anchors->frame,
	};

	if (join_holds(anchors) &&
	    !__builtin_sub_overflow(anchors->offset_ns, f->boot_offset_ns, &d.apart_ns) &&
	    (d.apart_ns > f->error_ns + anchors->error_ns + ROUGH_SLACK_NS ||
	     d.apart_ns < -f->error_ns - anchors->error_ns - ROUGH_SLACK_NS))
		log_dissent_add(l, out, &d);
}

/* `anchors` are those that hold, if they do, whatever the clock and uptime say. */
static void take_rough(const struct logs *l, struct log_file *f, const struct rough *rough,
		       const struct log_join *anchors)
{
	struct strbuf text;

	take(f, rough->boot_ns, rough->error_ns);
	strbuf_init(&text);
	add_boot(&text, rough->boot_ns, rough->error_ns);
	strbuf_add_format(&text,
			  rough->is_copy ? "that is taken from %s, a copy of it with dates"
					 : "that is taken from %s, which tells the host's clock "
					   "and uptime",
			  id_of(l, rough->evidence));
	add_dissent(l, &text, f, anchors);
	note(l, f, strbuf_text(&text));
	strbuf_deinit(&text);
}

static void note_unknown(const struct logs *l, const struct log_file *f,
			 const struct log_join *join)
{
	char boot[STAMP_TEXT_BYTES];
	struct strbuf text;

	strbuf_init(&text);
	if (join->fits && join->ambiguous) {
		strbuf_add_text(&text,
				"counts from boot, and several moments in the captures may be "
				"those that it tells of: its times are not compared with others; "
				"--boot-time tells when the boot was");
	} else if (join->fits) {
		stamp_format(stamp_utc(join->offset_ns), boot);
		strbuf_add_text(&text, "counts from boot, and nothing tells for certain when that "
				       "was: its times are not compared with others; if ");
		log_join_add_reason(l, &text, join);
		strbuf_add_format(&text, ", it is --boot-time=%s", boot);
	} else {
		strbuf_add_text(&text, "counts from boot, and nothing tells when that was: its "
				       "times are not compared with others; --boot-time tells it");
		if (join->other_name)
			strbuf_add_text(&text, " (a host in the captures has such moments, and "
					       "another name than the log's)");
	}
	note(l, f, strbuf_text(&text));
	strbuf_deinit(&text);
}

/* One boot's time cannot stand for two boots. */
static bool holds_two_boots(const struct logs *l, const struct log_file *f)
{
	for (size_t i = f->first + 1; i < f->last; i++)
		if (record_at(l, i)->fact.kind == LOG_BOOT &&
		    record_at(l, i)->head.boot_ns < record_at(l, i - 1)->head.boot_ns)
			return true;
	return false;
}

/* All ways in which the captures may tell the boot. */
struct ways {
	struct log_join waits;        /* what the waits alone tell */
	struct log_join near_waits;   /* likewise, near a host's clock and uptime */
	struct log_join anchors;      /* what lines of all kinds tell together */
	struct log_join near_anchors; /* likewise */
};

static struct ways ways_find(const struct logs *l, const struct log_file *f,
			     const struct rough *rough)
{
	const struct log_join_range any = {.max_ns = ANY_NS};
	const struct log_join_range near = {.centre_ns = rough->boot_ns,
					    .max_ns = rough->error_ns + ROUGH_SLACK_NS};
	int64_t *own_ns = boot_times(l, f);
	struct ways w = {.waits = log_wire_join(l, f, own_ns, &any),
			 .anchors = log_anchor_join(l, f, own_ns, &any, true, false)};

	if (rough->known) {
		w.near_waits = log_wire_join(l, f, own_ns, &near);
		w.near_waits.weak = false;
		w.near_anchors = log_anchor_join(l, f, own_ns, &near, true, true);
	}
	free(own_ns);
	return w;
}

/* The captures' own word: a reply, or two lines that agree, but not against such. */
static const struct log_join *ways_surest(const struct ways *w)
{
	if (join_holds(&w->waits) && w->waits.kind == LOG_JOIN_REPLY)
		return &w->waits;
	return join_holds(&w->anchors) ? &w->anchors : NULL;
}

/*
 * Replies first. A complaint alone is any call a minute before it, and one line alone any mount: a
 * clock and an uptime tell better, and a line is believed near them.
 */
static const struct log_join *ways_choose(const struct ways *w, const struct rough *rough)
{
	const struct log_join *surest = ways_surest(w);

	if (!rough->known)
		return surest ? surest : join_holds(&w->waits) ? &w->waits : NULL;
	if (surest == &w->waits || (surest && surest->fits > 2))
		return surest;
	if (join_holds(&w->near_waits))
		return &w->near_waits;
	if (join_holds(&w->near_anchors) && w->near_anchors.error_ns < rough->error_ns)
		return &w->near_anchors;
	return NULL;
}

static void settle_boot(const struct logs *l, struct log_file *f)
{
	const struct log_join *join;
	struct rough rough;
	struct ways ways;

	if (f->head_first.wall != KLOG_WALL_NONE || !f->head_first.has_boot)
		return;
	if (l->options.boot_time.clock == CLOCK_UTC) {
		take(f, l->options.boot_time.ns, -1);
		return;
	}
	if (holds_two_boots(l, f)) {
		note(l, f,
		     "counts from boot, and holds more than one: its times are not compared "
		     "with others; a file for each boot could be");
		return;
	}
	rough = rough_find(l, f);
	ways = ways_find(l, f, &rough);
	join = ways_choose(&ways, &rough);
	if (join)
		take_join(l, f, join, &rough);
	else if (rough.known)
		take_rough(l, f, &rough, &ways.anchors);
	else
		note_unknown(l, f, ways.waits.fits ? &ways.waits : &ways.anchors);
}

void log_boots_settle(struct logs *l)
{
	for (size_t i = 0; i < l->files.len; i++) {
		struct log_file *f = file_at(l, i);

		settle_boot(l, f);
	}
}
