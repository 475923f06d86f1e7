// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See log_anchor.h. What the kernel writes and when: net/sunrpc and fs/nfs for clients, fs/nfsd for
 * servers; each anchor names its source.
 */
#include "ingest/log/log_anchor.h"

#include <stdlib.h>

#include "base/mem.h"

enum { ANCHORS_MAX = 4096, LINES_MAX = 1024, OUTAGES_MAX = 256, HZ_COUNT = 4 };

/* From a frame to its line, and from a line to its frame: messages are written at once. */
#define WRITE_NS (STAMP_NS_PER_S / 10)

/* From loading NFS to the mount's first call. Where it was loaded long before, another mount may
 * have loaded NFSv4. */
#define MOUNT_NS (5 * STAMP_NS_PER_S)

/* nfsd waits for nfsdcld for so long before it writes (fs/nfsd/nfs4recover.c, cld_running). */
#define TRACKING_NS (5 * STAMP_NS_PER_S)

/* A zone's offset and that of the clocks are so near. */
#define ZONE_SLACK_NS (3 * STAMP_NS_PER_S)

/* From a client's new state to the lock that could not be had again. */
#define RECLAIM_NS (2 * STAMP_NS_PER_S)

/* --- the anchors of a host --- */

static void anchor_put(struct log_anchoring *a, const struct log_anchor *anchor)
{
	if (anchor->low_ns > anchor->high_ns)
		return;
	if (!a->anchors)
		a->anchors = mem_alloc(ANCHORS_MAX, sizeof(*a->anchors));
	if (a->len == ANCHORS_MAX)
		a->full = true;
	else
		a->anchors[a->len++] = *anchor;
}

/* Adds the part of it that the range allows. */
static void anchor_add(struct log_anchoring *a, struct log_anchor anchor)
{
	const struct log_join_range *r = a->range;
	int64_t low_ns = anchor.low_ns, high_ns = anchor.high_ns;
	int64_t at_ns;

	if (low_ns < r->centre_ns - r->max_ns)
		low_ns = r->centre_ns - r->max_ns;
	if (high_ns > r->centre_ns + r->max_ns)
		high_ns = r->centre_ns + r->max_ns;
	anchor.low_ns = low_ns;
	anchor.high_ns = high_ns;
	if (r->step_ns == 0 || low_ns > high_ns) {
		anchor_put(a, &anchor);
		return;
	}
	/* A zone: what is near a multiple of the step. A bound is far narrower than a step. */
	at_ns = low_ns + (high_ns - low_ns) / 2 - r->centre_ns;
	at_ns = (at_ns + (at_ns < 0 ? -r->step_ns / 2 : r->step_ns / 2)) / r->step_ns * r->step_ns +
		r->centre_ns;
	if (anchor.low_ns < at_ns - ZONE_SLACK_NS)
		anchor.low_ns = at_ns - ZONE_SLACK_NS;
	if (anchor.high_ns > at_ns + ZONE_SLACK_NS)
		anchor.high_ns = at_ns + ZONE_SLACK_NS;
	anchor_put(a, &anchor);
}

/* The line at T, which the captures have between `from` and `to`. */
static void anchor_between(struct log_anchoring *a, enum log_join_kind kind, size_t record,
			   const struct provenance *frame, int64_t from_ns, int64_t to_ns,
			   bool strong)
{
	int64_t own_ns = log_own_at(a, record);

	anchor_add(a, (struct log_anchor){.kind = kind,
					  .record = record,
					  .own_ns = own_ns,
					  .low_ns = from_ns - own_ns,
					  .high_ns = to_ns - own_ns,
					  .frame = *frame,
					  .strong = strong});
}

/*
 * nfsd takes the time for its client IDs, then sees to it that it can keep track of clients, then
 * writes the line. Where the wire shows what came before and after, that bounds it too; where the
 * two have nothing in common, the server's clock is not that of the captures.
 */
static void anchor_started(struct log_anchoring *a, size_t record, const struct log_mark *m)
{
	int64_t from_ns = m->date.ns - LOG_ANCHOR_HOST_CLOCK_NS;
	int64_t to_ns = m->date.ns + STAMP_NS_PER_S + TRACKING_NS;
	int64_t until_ns = m->at.at.ns + WRITE_NS;
	bool bounded = stamp_known(m->before);

	if (bounded && m->before.ns > from_ns)
		from_ns = m->before.ns;
	if (until_ns < to_ns)
		to_ns = until_ns;
	if (from_ns > to_ns && bounded) {
		from_ns = m->before.ns;
		to_ns = until_ns;
	}
	anchor_between(a, LOG_JOIN_STARTED, record, &m->at, from_ns, to_ns, true);
}

static void anchor_introduced(struct log_anchoring *a, size_t record, const struct log_mark *m)
{
	int64_t at_ns = m->at.at.ns;

	if (stamp_known(m->date) && at_ns - m->date.ns <= MOUNT_NS &&
	    at_ns - m->date.ns >= -LOG_ANCHOR_HOST_CLOCK_NS)
		anchor_between(a, LOG_JOIN_INTRODUCED, record, &m->at,
			       m->date.ns - LOG_ANCHOR_HOST_CLOCK_NS, at_ns + WRITE_NS, true);
}

static void anchor_mark(struct log_anchoring *a, size_t record, const struct log_mark *m)
{
	const struct log_fact *f = &log_anchor_record(a, record)->fact;
	int64_t at_ns = m->at.at.ns;

	if ((f->kind == LOG_GRACE_STARTED || f->kind == LOG_GRACE_SKIPPED) &&
	    m->kind == LOG_MARK_SERVER_START)
		anchor_started(a, record, m);
	if (f->kind == LOG_NFS4_LOADED && m->kind == LOG_MARK_INTRODUCED)
		anchor_introduced(a, record, m);
	if (f->kind == LOG_NFS_LOADED && m->kind == LOG_MARK_INTRODUCED && stamp_known(m->date))
		anchor_between(a, LOG_JOIN_LOADED, record, &m->at,
			       m->date.ns - LOG_ANCHOR_HOST_CLOCK_NS,
			       m->date.ns + LOG_ANCHOR_HOST_CLOCK_NS, true);
	if (f->kind == LOG_LOCKS_LOST && m->kind == LOG_MARK_RECOVERED &&
	    (!f->server_is_address || endpoint_same_host(&f->server_at, &m->server)))
		anchor_between(a, LOG_JOIN_RECOVERED, record, &m->at, at_ns - WRITE_NS,
			       at_ns + RECLAIM_NS, false);
}

static void anchor_outages(struct log_anchoring *a, const struct log_mark *m)
{
	for (size_t i = 0; i < a->outages_len; i++) {
		const struct log_outage *o = &a->outages[i];
		struct log_anchor anchor = {.kind = LOG_JOIN_OUTAGE,
					    .record = o->record,
					    .own_ns = o->up_ns,
					    .frame = m->at,
					    .low_ns = m->before.ns - o->down_ns - WRITE_NS,
					    .high_ns = m->at.at.ns - o->up_ns + WRITE_NS};

		if (o->up_ns - o->down_ns >= LOG_ANCHOR_OUTAGE_MIN_NS)
			anchor_add(a, anchor);
	}
}

static void fit_take(void *context, size_t record, const struct log_join *join)
{
	struct log_anchoring *a = context;

	if (log_own_at(a, record) == INT64_MIN || join->offset_ns > LOG_ANCHOR_TIME_MAX_NS ||
	    join->offset_ns < -LOG_ANCHOR_TIME_MAX_NS || join->error_ns > LOG_ANCHOR_NARROW_NS)
		return;
	if (!a->fits)
		a->fits = mem_alloc(ANCHORS_MAX, sizeof(*a->fits));
	if (a->fits_len == ANCHORS_MAX) {
		a->full = true;
		return;
	}
	a->fits[a->fits_len++] =
		(struct log_anchor_fit){.client = join->client,
					.anchor = {.kind = join->kind,
						   .record = record,
						   .own_ns = log_own_at(a, record),
						   .frame = join->frame,
						   .timeout_ns = join->timeout_ns,
						   .low_ns = join->offset_ns - join->error_ns,
						   .high_ns = join->offset_ns + join->error_ns}};
}

/*
 * Jiffies begin five minutes before zero (INITIAL_JIFFIES), as a number of 32 bits, and are told in
 * seconds: how many that is depends on their rate. The log's clock is not kept right by NTP, but
 * jiffies are: the two drift apart.
 */
static void anchor_uptime(struct log_anchoring *a)
{
	static const int64_t rates[HZ_COUNT] = {100, 250, 300, 1000};
	const struct log_mark_host *h = a->host;

	if (!a->by_boot || h->stamp == 0 || h->stamp_torn)
		return;
	for (unsigned i = 0; i < HZ_COUNT; i++) {
		int64_t up_s = h->stamp - ((INT64_C(1) << 32) / rates[i] - 300);
		int64_t error_ns = 2 * STAMP_NS_PER_S + up_s * (STAMP_NS_PER_S / 10000);
		int64_t boot_ns = h->stamp_at.at.ns - up_s * STAMP_NS_PER_S;

		if (up_s >= 0)
			anchor_add(a, (struct log_anchor){.kind = LOG_JOIN_UPTIME,
							  .record = SIZE_MAX,
							  .own_ns = INT64_MIN,
							  .low_ns = boot_ns - error_ns,
							  .high_ns = boot_ns + error_ns,
							  .frame = h->stamp_at});
	}
}

static int own_order(const void *x, const void *y)
{
	const struct log_anchor *a = x;
	const struct log_anchor *b = y;

	if (a->own_ns != b->own_ns)
		return a->own_ns < b->own_ns ? -1 : 1;
	if (a->frame.frame != b->frame.frame)
		return a->frame.frame < b->frame.frame ? -1 : 1;
	return (a->low_ns > b->low_ns) - (a->low_ns < b->low_ns);
}

void log_anchors_collect(struct log_anchoring *a, const struct log_mark_host *h)
{
	const struct log_marks *marks = &a->logs->marks;

	a->host = h;
	a->len = a->recoveries = 0;
	for (size_t k = 0; k < marks->marks.len; k++) {
		const struct log_mark *m = vec_at(&marks->marks, k);

		if (!endpoint_same_host(&m->host, &h->at) || marks->full[m->kind])
			continue;
		a->recoveries += m->kind == LOG_MARK_RECOVERED;
		if (m->kind == LOG_MARK_SILENCE && m->troubled)
			anchor_outages(a, m);
		for (size_t i = 0; i < a->lines_len; i++)
			anchor_mark(a, a->lines[i], m);
	}
	for (size_t i = 0; i < a->fits_len; i++)
		if (endpoint_same_host(&a->fits[i].client, &h->at))
			anchor_add(a, a->fits[i].anchor);
	anchor_uptime(a);
	if (a->len)
		qsort(a->anchors, a->len, sizeof(*a->anchors), own_order);
}

/* --- what the log has, whoever wrote it --- */

/* The end of the outage that begins with this record. */
static void outage_take(struct log_anchoring *a, size_t down)
{
	const struct log_fact *f = &log_anchor_record(a, down)->fact;

	for (size_t k = down + 1; k < a->file->last; k++) {
		const struct log_fact *up = &log_anchor_record(a, k)->fact;

		if ((up->kind != LOG_LINK_UP && up->kind != LOG_LINK_DOWN) ||
		    !slice_equal(up->subject, f->subject))
			continue;
		if (up->kind == LOG_LINK_DOWN || log_own_at(a, k) == INT64_MIN)
			return;
		a->outages_full |= a->outages_len == OUTAGES_MAX;
		if (!a->outages_full)
			a->outages[a->outages_len++] =
				(struct log_outage){.record = k,
						    .down_ns = log_own_at(a, down),
						    .up_ns = log_own_at(a, k)};
		return;
	}
}

static void lines_collect(struct log_anchoring *a)
{
	for (size_t i = a->file->first; i < a->file->last; i++) {
		enum log_fact_kind kind = log_anchor_record(a, i)->fact.kind;

		if (log_own_at(a, i) == INT64_MIN)
			continue;
		if (kind == LOG_LINK_DOWN && !a->outages_full)
			outage_take(a, i);
		if (kind != LOG_GRACE_STARTED && kind != LOG_GRACE_SKIPPED &&
		    kind != LOG_NFS_LOADED && kind != LOG_NFS4_LOADED && kind != LOG_LOCKS_LOST)
			continue;
		if (a->lines_len == LINES_MAX)
			a->full = true;
		else
			a->lines[a->lines_len++] = i;
	}
	log_wire_fits(a->logs, a->file, a->own_ns, fit_take, a);
}

void log_anchoring_begin(struct log_anchoring *a)
{
	a->lines = mem_alloc(LINES_MAX, sizeof(*a->lines));
	a->outages = mem_alloc(OUTAGES_MAX, sizeof(*a->outages));
	lines_collect(a);
}

void log_anchoring_end(struct log_anchoring *a)
{
	free(a->anchors);
	free(a->fits);
	free(a->lines);
	free(a->outages);
}
