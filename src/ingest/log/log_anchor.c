// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Logs and captures have more in common than waits: a kernel writes a line when NFSv4 is loaded for
 * a mount, when nfsd starts, when it finds locks lost, when a link goes; and the wire shows, or its
 * messages date, the same moments (log_marks.h). Each such pair, an anchor, bounds the offset of
 * the log's clock. The offset that most lines agree on is taken, if they are enough (see
 * points_enough) and no other comes near. docs/clocks.md tells the anchors and how exact each is.
 */
#include "ingest/log/log_anchor.h"

#include <stdlib.h>
#include <strings.h>

/* Looks at anchors: a log made for it shall not take minutes. */
#define WORK_MAX UINT64_C(200000000)

/* What is left of all bounds: more is no clock that others are compared with. */
#define RESULT_MAX_NS (12 * STAMP_NS_PER_S)

/* Lines written together are one agreement. */
#define APART_NS (3 * STAMP_NS_PER_S)

/* Offsets further apart than this are two. */
#define OTHER_NS (10 * STAMP_NS_PER_S)

/*
 * A client that has its state anew again and again, and finds locks lost each time, does so in a
 * rhythm that fits under many offsets: its lines count once then, if nearly all of them agree.
 */
enum { RECOVERIES_FEW = 8, LOOP_LINES_MIN = 3 };

/* A complaint this soon after the captures' begin may be about a call from before. */
#define COMPLAINT_SEEN_NS (30 * STAMP_NS_PER_S)

/* What speaks for one offset of one host. */
struct verdict {
	const struct log_mark_host *host;
	size_t lines; /* that agree, written apart */
	size_t points;
	bool base; /* one of them is no outage */
	bool strong, named, uptime, outage, loop;
	int64_t low_ns, high_ns;
	size_t first; /* of the anchors: the narrowest that is no outage */
};

static const struct log_mark_host *host_at(const struct logs *l, size_t index)
{
	return *(struct log_mark_host **)vec_at(&l->marks.host_list, index);
}

/* --- whose name it is --- */

static size_t label_bytes(const char *name)
{
	return strcspn(name, ".");
}

static bool same_label(const char *a, const char *b)
{
	size_t len = label_bytes(a);

	return len && len == label_bytes(b) && strncasecmp(a, b, len) == 0;
}

/* The name of the host that wrote the log, if something tells it; else NULL. */
static const char *log_told_name(const struct logs *l, const struct log_file *f)
{
	const struct log_host *h =
		f->host == LOG_HOST_NONE ? NULL : (struct log_host *)vec_at(&l->hosts, f->host);

	return h && h->told ? h->name : NULL;
}

enum naming { NAMING_NONE, NAMING_OTHER, NAMING_SAME };

/* A name that two hosts of the captures have tells nothing. */
static enum naming naming_of(const struct log_anchoring *a, const struct log_mark_host *h)
{
	const char *name = log_told_name(a->logs, a->file);

	if (!name || h->name[0] == '\0' || h->name_torn)
		return NAMING_NONE;
	if (!same_label(name, h->name))
		return NAMING_OTHER;
	for (size_t i = 0; i < a->logs->marks.host_list.len; i++) {
		const struct log_mark_host *o = host_at(a->logs, i);

		if (o != h && same_label(o->name, h->name))
			return NAMING_NONE;
	}
	return NAMING_SAME;
}

/* --- which offset --- */

/* True where the anchor is of a loop: it bounds nothing. */
static bool is_of_loop(const struct log_anchoring *a, const struct log_anchor *x)
{
	return x->kind == LOG_JOIN_RECOVERED && a->recoveries > RECOVERIES_FEW;
}

/* Whether nearly all lines about lost locks, written apart, are at a recovery by this offset. */
static bool loop_agrees(const struct log_anchoring *a, int64_t offset_ns)
{
	size_t lines = 0, agree = 0;
	int64_t last_ns = 0;

	for (size_t i = 0; i < a->len; i++) {
		const struct log_anchor *x = &a->anchors[i];
		bool fits = false;

		if (!is_of_loop(a, x) || (lines && x->own_ns - last_ns < APART_NS))
			continue;
		lines++;
		last_ns = x->own_ns;
		for (size_t k = i; k < a->len && a->anchors[k].own_ns == x->own_ns && !fits; k++)
			fits = is_of_loop(a, &a->anchors[k]) && offset_ns >= a->anchors[k].low_ns &&
			       offset_ns <= a->anchors[k].high_ns;
		agree += fits;
	}
	return lines >= LOOP_LINES_MIN && agree * 5 >= lines * 4;
}

/* Takes what an anchor says that holds under the offset; true: it is a line that counts. */
static bool verdict_take(struct verdict *v, const struct log_anchoring *a, size_t index)
{
	const struct log_anchor *x = &a->anchors[index];
	const struct log_anchor *best = v->first == SIZE_MAX ? NULL : &a->anchors[v->first];

	v->low_ns = x->low_ns > v->low_ns ? x->low_ns : v->low_ns;
	v->high_ns = x->high_ns < v->high_ns ? x->high_ns : v->high_ns;
	v->uptime |= x->kind == LOG_JOIN_UPTIME;
	v->outage |= x->kind == LOG_JOIN_OUTAGE;
	if (x->record == SIZE_MAX || !log_anchor_is_narrow(x))
		return false;
	if (x->kind == LOG_JOIN_OUTAGE)
		return true;
	if (!best || x->strong > best->strong ||
	    (x->strong == best->strong && x->high_ns - x->low_ns < best->high_ns - best->low_ns))
		v->first = index;
	v->base = true;
	v->strong |= x->strong;
	return true;
}

static struct verdict verdict_at(struct log_anchoring *a, int64_t offset_ns, bool named)
{
	struct verdict v = {.host = a->host,
			    .named = named,
			    .low_ns = INT64_MIN,
			    .high_ns = INT64_MAX,
			    .first = SIZE_MAX};
	bool outage_counts = false;
	int64_t last_ns = 0;

	a->work += a->len;
	for (size_t i = 0; i < a->len; i++) {
		const struct log_anchor *x = &a->anchors[i];

		if (offset_ns < x->low_ns || offset_ns > x->high_ns || is_of_loop(a, x) ||
		    !verdict_take(&v, a, i) || (v.lines && x->own_ns - last_ns < APART_NS))
			continue;
		outage_counts |= x->kind == LOG_JOIN_OUTAGE;
		v.lines++;
		last_ns = x->own_ns;
	}
	if (!v.base)
		return v;
	if (a->recoveries > RECOVERIES_FEW) {
		a->work += a->len;
		v.loop = loop_agrees(a, offset_ns);
	}
	v.points = v.lines + (v.outage && !outage_counts) + v.uptime + v.loop + named;
	return v;
}

/* How many hosts of the captures could have written such a line. */
static bool is_only_host(const struct log_anchoring *a, const struct verdict *v)
{
	bool server = a->anchors[v->first].kind == LOG_JOIN_STARTED;
	size_t count = 0;

	for (size_t i = 0; i < a->logs->marks.host_list.len; i++) {
		const struct log_mark_host *h = host_at(a->logs, i);

		count += server ? h->answers : h->calls;
	}
	return count == 1 && !a->logs->marks.hosts_full;
}

/* The log has the link down at a time of the captures in which the host is not seen to be silent.
 */
static bool outage_is_refuted(const struct log_anchoring *a, const struct log_mark_host *h,
			      const struct log_outage *o, int64_t offset_ns)
{
	int64_t down_ns = o->down_ns + offset_ns, up_ns = o->up_ns + offset_ns;

	if (o->up_ns - o->down_ns < LOG_ANCHOR_OUTAGE_MIN_NS || up_ns < a->logs->wire.first.ns ||
	    down_ns > a->logs->wire.last.ns)
		return false;
	for (size_t k = 0; k < a->logs->marks.marks.len; k++) {
		const struct log_mark *m = vec_at(&a->logs->marks.marks, k);

		if (m->kind == LOG_MARK_SILENCE && endpoint_same_host(&m->host, &h->at) &&
		    m->before.ns <= down_ns + LOG_ANCHOR_NARROW_NS &&
		    m->at.at.ns >= up_ns - LOG_ANCHOR_NARROW_NS)
			return false;
	}
	return true;
}

/*
 * True when under the offset the log tells of a wait that the captures should show and do not, or
 * of a link that was down while its host was talking: it is the log of another host.
 */
static bool verdict_is_refuted(const struct log_anchoring *a, const struct verdict *v)
{
	int64_t offset_ns = v->low_ns + (v->high_ns - v->low_ns) / 2;

	for (size_t i = a->file->first; i < a->file->last; i++) {
		const struct log_fact *f = &log_anchor_record(a, i)->fact;
		int64_t at_ns = log_own_at(a, i);

		if (f->kind != LOG_NOT_RESPONDING || at_ns == INT64_MIN)
			continue;
		at_ns += offset_ns;
		if (at_ns - COMPLAINT_SEEN_NS > a->logs->wire.first.ns &&
		    at_ns < a->logs->wire.last.ns &&
		    !log_wire_has_wait(a->logs, f, at_ns, LOG_ANCHOR_NARROW_NS))
			return true;
	}
	for (size_t i = 0; i < a->outages_len; i++)
		if (outage_is_refuted(a, v->host, &a->outages[i], offset_ns))
			return true;
	return a->outages_full;
}

/* Two offsets, or two hosts. */
static bool is_other(const struct verdict *a, const struct verdict *b)
{
	return a->host != b->host || a->low_ns - b->high_ns > OTHER_NS ||
	       b->low_ns - a->high_ns > OTHER_NS;
}

struct choice {
	struct verdict best;
	size_t other;    /* points of the best of all others */
	bool other_name; /* a host was left out that has another name than the log's */
};

static void choice_take(struct choice *c, const struct verdict *v)
{
	if (v->points == 0)
		return;
	if (c->best.points == 0) {
		c->best = *v;
		return;
	}
	if (is_other(v, &c->best)) {
		size_t less = v->points < c->best.points ? v->points : c->best.points;

		c->other = less > c->other ? less : c->other;
	}
	if (v->points > c->best.points ||
	    (v->points == c->best.points && !is_other(v, &c->best) &&
	     v->high_ns - v->low_ns < c->best.high_ns - c->best.low_ns))
		c->best = *v;
}

static void choose_of_host(struct log_anchoring *a, const struct log_mark_host *h, struct choice *c)
{
	enum naming naming = naming_of(a, h);

	log_anchors_collect(a, h);
	if (naming == NAMING_OTHER) {
		c->other_name |= a->len > 0;
		return;
	}
	for (size_t i = 0; i < a->len && a->work < WORK_MAX; i++) {
		struct verdict v = verdict_at(a, a->anchors[i].low_ns, naming == NAMING_SAME);

		choice_take(c, &v);
	}
}

/* One line speaks for itself: no other host of the captures could have written it. */
static bool is_sole(const struct log_anchoring *a, const struct verdict *v)
{
	return v->points == 1 && v->strong && is_only_host(a, v);
}

/* The capture lies in the log's folder, whose files are taken to be of one host. */
static bool is_beside(const struct log_anchoring *a, const struct verdict *v)
{
	const struct logs *l = a->logs;
	uint32_t evidence = a->anchors[v->first].frame.evidence;

	return log_same_folder(evidence_list_at(l->evidence, evidence)->path, a->file->path);
}

/*
 * Whether one line alone may be believed. It must be of a strong kind, and of the only host that
 * could have written it, with the capture beside the log: else it may be any host's mount, at any
 * time. Where the time is roughly known, or must be a zone's, one of the two is enough.
 */
static bool one_line_enough(const struct log_anchoring *a, const struct verdict *v, bool certain)
{
	bool only = is_only_host(a, v);

	if (!v->strong)
		return false;
	if (certain)
		return only || is_beside(a, v);
	return only && (a->range->step_ns || is_beside(a, v));
}

/*
 * Two agreements: of lines, or of a line with the host's name, its uptime, or a link that was down
 * in the same silence. Near a time that is known to some seconds any one line is enough.
 */
static bool points_enough(const struct log_anchoring *a, const struct verdict *v, bool certain)
{
	bool near = certain && a->range->max_ns <= OTHER_NS;

	if (a->full || a->work >= WORK_MAX || v->high_ns - v->low_ns > RESULT_MAX_NS)
		return false;
	if (near || v->points > 2)
		return true;
	return (v->points == 2 || one_line_enough(a, v, certain)) && !verdict_is_refuted(a, v);
}

/* --- what comes of it --- */

/*
 * How much later the anchor would put the log; 0: it agrees, or its line or frame is part of
 * another that does.
 */
static int64_t dissent_ns(const struct log_anchoring *a, const struct verdict *v, size_t index)
{
	const struct log_anchor *x = &a->anchors[index];

	for (size_t i = 0; i < a->len; i++) {
		const struct log_anchor *o = &a->anchors[i];

		if ((o->record == x->record || o->frame.frame == x->frame.frame) &&
		    o->low_ns <= v->high_ns && o->high_ns >= v->low_ns)
			return 0;
	}
	return x->low_ns > v->high_ns ? x->low_ns - v->high_ns : x->high_ns - v->low_ns;
}

/* The strong anchor that is nearest among those that speak against it. */
static struct log_dissent dissent_find(const struct log_anchoring *a, const struct verdict *v)
{
	struct log_dissent d = {.known = false};

	for (size_t i = 0; i < a->len; i++) {
		const struct log_anchor *x = &a->anchors[i];
		int64_t apart_ns = x->strong ? dissent_ns(a, v, i) : 0;

		if (apart_ns == 0 || (d.known && llabs(apart_ns) >= llabs(d.apart_ns)))
			continue;
		d = (struct log_dissent){.known = true,
					 .kind = x->kind,
					 .line = log_anchor_record(a, x->record)->line,
					 .text = log_anchor_record(a, x->record)->fact.line,
					 .frame = x->frame,
					 .apart_ns = apart_ns};
	}
	return d;
}

static struct log_join join_of(struct log_anchoring *a, const struct choice *c, bool certain)
{
	const struct verdict *v = &c->best;
	struct log_join join = {.fits = 0};
	const struct log_anchor *x;

	join.other_name = c->other_name;
	if (v->points == 0)
		return join;
	log_anchors_collect(a, v->host);
	x = &a->anchors[v->first];
	join = (struct log_join){
		.kind = x->kind,
		.fits = v->lines,
		.ambiguous = 2 * c->other > v->points,
		.weak = !points_enough(a, v, certain),
		.offset_ns = v->low_ns + (v->high_ns - v->low_ns) / 2,
		.error_ns = (v->high_ns - v->low_ns) / 2,
		.line = log_anchor_record(a, x->record)->line,
		.text = log_anchor_record(a, x->record)->fact.line,
		.frame = x->frame,
		.client = v->host->at,
		.one_client = true,
		.named = v->named,
		.outage = v->outage,
		.uptime = v->uptime,
		.loop = v->loop,
		.timeout_ns = x->timeout_ns,
		.sole = is_sole(a, v),
		.other_name = c->other_name,
	};
	return join;
}

struct log_join log_anchor_join(const struct logs *l, const struct log_file *f,
				const int64_t *own_ns, const struct log_join_range *range,
				bool by_boot, bool certain)
{
	struct log_anchoring a = {
		.logs = l, .file = f, .own_ns = own_ns, .range = range, .by_boot = by_boot};
	struct choice c = {.other = 0};
	struct log_join join = {.fits = 0};

	if (range->centre_ns > LOG_ANCHOR_TIME_MAX_NS || range->centre_ns < -LOG_ANCHOR_TIME_MAX_NS)
		return join;
	log_anchoring_begin(&a);
	/* A link or an uptime alone tells nothing: most logs need no look at the hosts. */
	for (size_t i = 0; a.lines_len + a.fits_len && i < l->marks.host_list.len; i++)
		choose_of_host(&a, host_at(l, i), &c);
	join = join_of(&a, &c, certain);
	log_anchoring_end(&a);
	return join;
}

struct log_dissent log_anchor_dissent(const struct logs *l, const struct log_file *f,
				      const int64_t *own_ns, const struct log_join *taken)
{
	const struct log_join_range any = {.max_ns = INT64_MAX / 2};
	struct log_anchoring a = {.logs = l, .file = f, .own_ns = own_ns, .range = &any};
	struct verdict v = {.low_ns = taken->offset_ns - taken->error_ns - LOG_ANCHOR_HOST_CLOCK_NS,
			    .high_ns =
				    taken->offset_ns + taken->error_ns + LOG_ANCHOR_HOST_CLOCK_NS};
	struct log_dissent d = {.known = false};

	if (taken->offset_ns > LOG_ANCHOR_TIME_MAX_NS || taken->offset_ns < -LOG_ANCHOR_TIME_MAX_NS)
		return d;
	log_anchoring_begin(&a);
	for (size_t i = 0; a.lines_len && i < l->marks.host_list.len && !d.known; i++) {
		if (!endpoint_same_host(&host_at(l, i)->at, &taken->client))
			continue;
		log_anchors_collect(&a, host_at(l, i));
		d = dissent_find(&a, &v);
	}
	log_anchoring_end(&a);
	return d;
}
