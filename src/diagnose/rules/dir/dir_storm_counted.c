// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dir-attribute-storm as a client's own counters tell it (mountstats): GETATTR, LOOKUP, ACCESS and
 * GETACL far above the calls that list, most of the time spent in them, large replies to the calls
 * that list (so a large directory), and little work with files.
 *
 * Silent for what a mount did over weeks: the calls must fill a good part of the time that is
 * looked at. Two readings a minute apart tell what one cannot.
 */
#include "diagnose/rules/dir/dir_storm.h"

#include "diagnose/rules/counters/counters_common.h"
#include "diagnose/rules/nfs4/nfs4_common.h"

#include <inttypes.h>

/* A reply to READDIR that is larger than this holds dozens of entries: the directory is no small
 * one. */
enum { LISTING_CALLS_MIN = 20, LISTING_REPLY_MIN_BYTES = 4096 };

/*
 * The calls waited at least so long together: of the time that is looked at, and of what all calls
 * waited, in percent. With one process the first can be 100, with ten 1000.
 */
enum { TIME_MIN_PERCENT = 20, ALL_MIN_PERCENT = 50 };

static const char *const entry_ops[] = {"GETATTR", "LOOKUP", "ACCESS", "GETACL", NULL};
static const char *const listing_ops[] = {"READDIR", "READDIRPLUS", NULL};
static const char *const work_ops[] = {"READ",   "WRITE",     "OPEN",   "OPEN_NOATTR",
				       "CREATE", "REMOVE",    "RENAME", "SETATTR",
				       "COMMIT", "READ_PLUS", NULL};

static bool span_speaks(const struct counters_span *s)
{
	struct counters_sum entry = counters_sum_of(s, entry_ops);
	struct counters_sum listing = counters_sum_of(s, listing_ops);
	struct counters_sum all = counters_sum_of(s, NULL);

	return s->seconds && entry.calls >= DIR_STORM_CALLS_MIN &&
	       listing.calls >= LISTING_CALLS_MIN &&
	       listing.received_bytes / listing.calls >= LISTING_REPLY_MIN_BYTES &&
	       entry.calls / DIR_STORM_CALLS_PER_LISTING_MIN >= listing.calls &&
	       counters_sum_of(s, work_ops).calls <=
		       entry.calls / 100 * DIR_STORM_WORK_MAX_PERCENT &&
	       entry.execute_ms * STAMP_NS_PER_MS >= DIR_STORM_WAITED_MIN_NS &&
	       entry.execute_ms / TIME_MIN_PERCENT >= s->seconds * 1000 / 100 &&
	       entry.execute_ms / ALL_MIN_PERCENT >= all.execute_ms / 100;
}

/* True when the calls for entries fill more of a's time than of b's. */
static bool is_clearer(const struct counters_span *a, const struct counters_span *b)
{
	return counters_sum_of(a, entry_ops).execute_ms / a->seconds >
	       counters_sum_of(b, entry_ops).execute_ms / b->seconds;
}

void dir_storm_counted(const struct counters_model *m, struct vec *spans)
{
	vec_init(spans, sizeof(const struct counters_span *));
	for (size_t i = 0; i < m->spans.len; i++) {
		const struct counters_span *s = *(struct counters_span **)vec_at(&m->spans, i);
		const struct counters_span **same = NULL;

		if (!span_speaks(s))
			continue;
		for (size_t k = 0; k < spans->len; k++) {
			const struct counters_span **other = vec_at(spans, k);

			if (counters_same_mount(*other, s))
				same = other;
		}
		if (!same)
			*(const struct counters_span **)vec_push(spans) = s;
		else if (is_clearer(s, *same))
			*same = s;
	}
}

static void cite_ops(struct diagnosis *d, struct finding *f, const struct counters_span *s,
		     const char *const *names)
{
	for (; *names; names++) {
		const struct mount_op_stats *op = counters_op(s, *names);

		if (op)
			counters_cite(d, f, s, op);
	}
}

struct finding *dir_storm_counted_tell(struct diagnosis *d, const struct counters_span *s)
{
	struct counters_sum entry = counters_sum_of(s, entry_ops);
	struct counters_sum listing = counters_sum_of(s, listing_ops);
	struct finding *f = diagnosis_add(d, "dir-attribute-storm", CONFIDENCE_LIKELY);
	int64_t waited_ns = (int64_t)entry.execute_ms * STAMP_NS_PER_MS;

	counters_about(d, f, s);
	f->count = entry.calls;
	f->title = arena_format(&d->arena,
				"files are asked for one by one while directories are listed: %s "
				"beside %" PRIu64 " READDIR",
				counters_calls_text(d, s, entry_ops), listing.calls);
	f->why = arena_format(
		&d->arena,
		"%s the client made %" PRIu64 " calls for single files and directories on this "
		"mount and waited %s for them in all, %s each on average; its %" PRIu64
		" calls that list waited %s and brought %" PRIu64
		" bytes each, as for directories with many entries. What a listing brings is "
		"asked for again, entry by entry: the directory changed meanwhile, or the "
		"listing outlived the attributes that the client had cached, or something is "
		"wanted that no listing brings.",
		counters_span_text(d, s), entry.calls, nfs4_duration_text(d, waited_ns),
		nfs4_duration_text(d, waited_ns / (int64_t)entry.calls), listing.calls,
		nfs4_duration_text(d, (int64_t)listing.execute_ms * STAMP_NS_PER_MS),
		listing.received_bytes / listing.calls);
	cite_ops(d, f, s, entry_ops);
	cite_ops(d, f, s, listing_ops);
	finding_rule_out(d, f, "dir-listing-rtt-bound",
			 "%" PRIu64 " calls list, %" PRIu64 " ask for single files", listing.calls,
			 entry.calls);
	return f;
}
