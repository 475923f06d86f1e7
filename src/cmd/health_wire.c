// SPDX-License-Identifier: GPL-2.0-or-later
/* What captures of one wire have to do with each other, entered as notes; see health.h. */
#include <inttypes.h>
#include <stdlib.h>

#include "cmd/health.h"
#include "ingest/survey/survey.h"
#include "model/wire/wire.h"
#include "report/layout.h"

enum {
	HEALTH_PATHS_MAX = 16,  /* pairs of hosts told of two captures */
	HEALTH_SAMPLES_MIN = 4, /* below it the difference of two clocks is not trusted */
	HEALTH_PPB_PER_PPM = 1000,
	HEALTH_DRIFT_TOLD_PPB = 20000, /* oscillators differ by so much: more says nothing */
};

static void add_ends(struct strbuf *note, const struct endpoint ends[2])
{
	endpoint_add_text(note, &ends[0]);
	strbuf_add_text(note, " - ");
	endpoint_add_text(note, &ends[1]);
}

static void add_translated(struct strbuf *note, const struct survey_pair *p, const char *speaker)
{
	strbuf_add_format(note,
			  "; %" PRIu64 " of them with other addresses or ports (NAT between the "
			  "captures): ",
			  p->translated_count);
	add_ends(note, p->silent_ends);
	strbuf_add_text(note, " here is ");
	add_ends(note, p->speaker_ends);
	strbuf_add_format(note, " in %s", speaker);
}

void health_enter_survey(struct evidence_list *list, const struct survey *survey)
{
	struct survey_health health;
	struct strbuf note;
	size_t count;
	const struct survey_pair *pairs = survey_pairs(survey, &count);

	strbuf_init(&note);
	for (size_t i = 0; i < count; i++) {
		const struct survey_pair *p = &pairs[i];
		const char *speaker = evidence_list_at(list, p->speaker)->id;

		strbuf_add_format(
			&note, "%" PRIu64 " of its connections %s also in %s, which speaks for %s",
			p->conn_count, p->conn_count == 1 ? "is" : "are", speaker,
			p->conn_count == 1 ? "it" : "them");
		if (p->gap_count)
			strbuf_add_format(&note,
					  ", and before it begins and after it ends this one "
					  "speaks for %" PRIu64 " of them",
					  p->gap_count);
		if (p->translated_count)
			add_translated(&note, p, speaker);
		evidence_add_note(list, p->silent, strbuf_text(&note));
		strbuf_reset(&note);
	}
	strbuf_deinit(&note);
	survey_get_health(survey, &health);
	if (health.left_out_count && list->items.len)
		evidence_add_damage(list, 0, "connections left out of the comparison of captures",
				    health.left_out_count, UINT64_MAX, 0);
}

/* What all connections of the two hosts show together, by who sends: the lower host, the higher. */
struct path_sums {
	uint64_t both[2], lost[2], missed_by_a, missed_by_b, unplaced;
};

static void sums_add(struct path_sums *s, const struct wire_record *r)
{
	bool client_high = endpoint_compare(&r->conn.client, &r->conn.server) > 0;

	for (enum conn_side from = CONN_FROM_CLIENT; from <= CONN_FROM_SERVER; from++) {
		bool high = client_high == (from == CONN_FROM_CLIENT);
		const struct wire_way *way = &r->way[high];
		bool sender_is_a;
		struct wire_tale t;

		s->both[high] += way->both + way->bare_both;
		s->unplaced += way->unplaced;
		if (!wire_record_tale(r, from, &t))
			continue;
		s->lost[high] += t.lost;
		sender_is_a = t.near_sender == r->path->a;
		*(sender_is_a ? &s->missed_by_b : &s->missed_by_a) += t.not_shown;
		*(sender_is_a ? &s->missed_by_a : &s->missed_by_b) += t.not_caught;
	}
}

static void add_clock(struct strbuf *note, const struct wire_path *p, const char *a)
{
	char text[STAMP_TEXT_BYTES], bound[STAMP_TEXT_BYTES];
	struct wire_clock c;

	if (!wire_path_clock(p, &c))
		return;
	stamp_format_duration(llabs(c.offset_ns), text);
	stamp_format_duration(c.bound_ns, bound);
	strbuf_add_format(note, "; its clock is %s %s that of %s, give or take %s", text,
			  c.offset_ns < 0 ? "behind" : "ahead of", a, bound);
	if (!c.has_drift)
		return;
	if (llabs(c.drift_ppb) > c.drift_bound_ppb)
		strbuf_add_format(note, ", and %s %.1f ms in 1000 s (give or take %.1f)",
				  c.drift_ppb < 0 ? "loses" : "gains",
				  (double)llabs(c.drift_ppb) / HEALTH_PPB_PER_PPM,
				  (double)c.drift_bound_ppb / HEALTH_PPB_PER_PPM);
	else if (llabs(c.drift_ppb) + c.drift_bound_ppb < HEALTH_DRIFT_TOLD_PPB)
		strbuf_add_format(note, ", without a drift of more than %.1f ms in 1000 s",
				  (double)(llabs(c.drift_ppb) + c.drift_bound_ppb) /
					  HEALTH_PPB_PER_PPM);
}

static void add_order(struct strbuf *note, const struct wire_path *p, const char *a)
{
	enum wire_order order = wire_path_order(p);

	if (order == WIRE_ORDER_UNKNOWN) {
		strbuf_add_format(note, "; which of the two is nearer to whom cannot be told, "
					"so what only one of them shows is not told as lost");
		return;
	}
	strbuf_add_format(note, "; %s was taken nearer to ", a);
	endpoint_add_host(note, order == WIRE_ORDER_A_LOW ? &p->low : &p->high);
	strbuf_add_text(note, ", this one nearer to ");
	endpoint_add_host(note, order == WIRE_ORDER_A_LOW ? &p->high : &p->low);
}

static void add_lost(struct strbuf *note, const struct wire_path *p, const struct path_sums *s)
{
	if (wire_path_order(p) == WIRE_ORDER_UNKNOWN)
		return;
	if (s->lost[0] == 0 && s->lost[1] == 0) {
		strbuf_add_text(note, "; none lost between the two");
		return;
	}
	strbuf_add_text(note, "; lost between the two: ");
	for (int high = 0; high < 2; high++) {
		strbuf_add_text(note, high ? " and " : "");
		layout_add_count(note, s->lost[high]);
		strbuf_add_text(note, " from ");
		endpoint_add_host(note, high ? &p->high : &p->low);
	}
}

static void wire_note(struct evidence_list *list, const struct wire_path *p,
		      const struct path_sums *s)
{
	const char *a = evidence_list_at(list, p->a)->id;
	struct strbuf note;

	strbuf_init(&note);
	strbuf_add_format(&note, "matched with %s segment by segment, of ", a);
	endpoint_add_host(&note, &p->low);
	strbuf_add_text(&note, " and ");
	endpoint_add_host(&note, &p->high);
	strbuf_add_text(&note, ": ");
	layout_add_count(&note, s->both[0] + s->both[1]);
	strbuf_add_text(&note, " in both");
	add_order(&note, p, a);
	add_lost(&note, p, s);
	if (s->missed_by_a + s->missed_by_b)
		strbuf_add_format(&note,
				  "; passed and not captured: %" PRIu64 " by %s, %" PRIu64
				  " by this one",
				  s->missed_by_a, a, s->missed_by_b);
	if (s->unplaced)
		strbuf_add_format(&note, "; %" PRIu64 " could not be placed", s->unplaced);
	add_clock(&note, p, a);
	evidence_add_note(list, p->b, strbuf_text(&note));
	strbuf_deinit(&note);
}

/* Where the segments give no bounds: the median of what both show, with the time on the way. */
static void clock_note(struct evidence_list *list, const struct survey_pair *p,
		       const struct wire_model *wire)
{
	char delta[STAMP_TEXT_BYTES];
	struct wire_clock c;
	struct strbuf note;

	if (p->sample_count < HEALTH_SAMPLES_MIN || llabs(p->clock_delta_ns) < STAMP_NS_PER_MS)
		return;
	for (size_t i = 0; i < wire->paths.len; i++) {
		const struct wire_path *w = *(struct wire_path **)vec_at(&wire->paths, i);

		if (((w->a == p->silent && w->b == p->speaker) ||
		     (w->b == p->silent && w->a == p->speaker)) &&
		    wire_path_clock(w, &c))
			return;
	}
	stamp_format_duration(llabs(p->clock_delta_ns), delta);
	strbuf_init(&note);
	strbuf_add_format(&note, "its clock is about %s %s that of %s", delta,
			  p->clock_delta_ns > 0 ? "behind" : "ahead of",
			  evidence_list_at(list, p->speaker)->id);
	evidence_add_note(list, p->silent, strbuf_text(&note));
	strbuf_deinit(&note);
}

void health_enter_wire(struct evidence_list *list, const struct survey *survey,
		       const struct wire_model *wire)
{
	uint32_t told_a = 0, told_b = 0, told = 0;
	size_t count;
	const struct survey_pair *pairs;

	for (size_t i = 0; i < wire->paths.len; i++) {
		const struct wire_path *p = *(struct wire_path **)vec_at(&wire->paths, i);
		struct path_sums sums = {0};

		told = p->a == told_a && p->b == told_b ? told + 1 : 0;
		told_a = p->a;
		told_b = p->b;
		for (size_t j = 0; j < wire->records.len; j++) {
			const struct wire_record *r =
				*(struct wire_record **)vec_at(&wire->records, j);

			if (r->path == p)
				sums_add(&sums, r);
		}
		if (told < HEALTH_PATHS_MAX && sums.both[0] + sums.both[1])
			wire_note(list, p, &sums);
	}
	if (!survey)
		return;
	pairs = survey_pairs(survey, &count);
	for (size_t i = 0; i < count; i++)
		clock_note(list, &pairs[i], wire);
}
