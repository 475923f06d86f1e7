// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The zone of lines that tell a local time without one. Zones differ from UTC by whole quarters of
 * an hour: if the log's waits are those of the wire under one such difference and no other, that is
 * the zone. Files of one host have one zone. See docs/clocks.md.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "ingest/log/log_private.h"

enum { QUARTER_S = 900 };

/* Zones reach from 12 h west of UTC to 14 h east of it. */
#define ZONE_MAX_NS (INT64_C(14) * 3600 * STAMP_NS_PER_S + 10 * STAMP_NS_PER_S)

static struct log_file *file_at(const struct logs *l, size_t index)
{
	return vec_at(&l->files, index);
}

static bool tells_no_zone(const struct log_file *f)
{
	return f->head_first.wall == KLOG_WALL_LOCAL || f->head_last.wall == KLOG_WALL_LOCAL ||
	       (f->year && f->head_first.wall == KLOG_WALL_NO_YEAR);
}

/* Times of the file's records as if its zone were UTC. */
static struct log_join zone_join(const struct logs *l, const struct log_file *f)
{
	const struct log_join_range range = {.max_ns = ZONE_MAX_NS,
					     .step_ns = QUARTER_S * STAMP_NS_PER_S};
	int64_t *own_ns = mem_alloc(f->last - f->first + 1, sizeof(*own_ns));
	struct log_join join;

	for (size_t i = f->first; i < f->last; i++) {
		const struct log_record *r = vec_at(&l->records, i);

		own_ns[i - f->first] =
			r->head.wall == KLOG_WALL_LOCAL || r->head.wall == KLOG_WALL_NO_YEAR
				? log_head_wall_ns(f, &r->head)
				: INT64_MIN;
	}
	join = log_wire_join(l, f, own_ns, &range);
	if (join.fits == 0 || join.ambiguous) {
		bool ambiguous = join.fits && join.ambiguous;

		join = log_anchor_join(l, f, own_ns, &range, false, false);
		join.ambiguous |= join.weak | ambiguous;
	}
	free(own_ns);
	return join;
}

/* To the nearest quarter of an hour. */
static int64_t zone_of_offset(int64_t offset_ns)
{
	const int64_t quarter = QUARTER_S * STAMP_NS_PER_S;
	int64_t half = offset_ns < 0 ? -quarter / 2 : quarter / 2;

	return -(offset_ns + half) / quarter * QUARTER_S;
}

static void add_zone(struct strbuf *out, int64_t zone_s)
{
	int64_t minutes = llabs(zone_s) / 60;

	if (zone_s == 0)
		strbuf_add_text(out, "UTC");
	else
		strbuf_add_format(out, "%c%02" PRId64 ":%02" PRId64, zone_s < 0 ? '-' : '+',
				  minutes / 60, minutes % 60);
}

static void note_found(const struct logs *l, const struct log_file *f, const struct log_join *join)
{
	struct strbuf text;

	strbuf_init(&text);
	strbuf_add_text(&text, "its lines tell no time zone: ");
	add_zone(&text, f->zone_s);
	strbuf_add_text(&text, " is taken, because ");
	log_join_add_reason(l, &text, join);
	evidence_add_clock_note(l->evidence, f->evidence, strbuf_text(&text));
	strbuf_deinit(&text);
}

/* The file of the same host whose zone the wire told; NULL: none. */
static const struct log_file *zone_source(const struct logs *l, const struct log_file *f)
{
	for (size_t i = 0; i < l->files.len; i++) {
		const struct log_file *by = file_at(l, i);

		if (by != f && by->host == f->host && by->host != LOG_HOST_NONE && by->has_zone)
			return by;
	}
	return NULL;
}

static void note_other(const struct logs *l, const struct log_file *f, const struct log_file *by,
		       bool ambiguous)
{
	struct strbuf text;

	strbuf_init(&text);
	strbuf_add_text(&text, "its lines tell no time zone: ");
	if (by) {
		add_zone(&text, f->zone_s);
		strbuf_add_format(&text, " is taken, as in %s, which is of the same host",
				  evidence_list_at(l->evidence, by->evidence)->id);
	} else {
		strbuf_add_text(&text, "UTC is assumed");
		if (ambiguous)
			strbuf_add_text(&text,
					" (its messages fit the captures under several zones)");
		strbuf_add_text(&text, "; --tz tells another");
	}
	evidence_add_clock_note(l->evidence, f->evidence, strbuf_text(&text));
	strbuf_deinit(&text);
}

void log_zones_settle(struct logs *l)
{
	bool *ambiguous = mem_alloc(l->files.len + 1, sizeof(*ambiguous));

	for (size_t i = 0; i < l->files.len; i++) {
		struct log_file *f = file_at(l, i);
		struct log_join join;

		f->zone_s = l->options.zone_s;
		if (!tells_no_zone(f) || l->options.has_zone)
			continue;
		join = zone_join(l, f);
		ambiguous[i] = join.ambiguous;
		if (join.fits == 0 || join.ambiguous)
			continue;
		f->has_zone = true;
		f->zone_s = zone_of_offset(join.offset_ns);
		note_found(l, f, &join);
	}
	for (size_t i = 0; i < l->files.len && !l->options.has_zone; i++) {
		struct log_file *f = file_at(l, i);
		const struct log_file *by = f->has_zone ? NULL : zone_source(l, f);

		if (!tells_no_zone(f) || f->has_zone)
			continue;
		if (by)
			f->zone_s = by->zone_s;
		note_other(l, f, by, ambiguous[i]);
	}
	free(ambiguous);
}
