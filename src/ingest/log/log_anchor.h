/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Anchors of a log: pairs of a line and a moment of the captures that may be the same, each with
 * the bounds that it sets to the offset of the log's clock. log_anchor_find.c finds them, for one
 * host of the captures at a time; log_anchor.c chooses the offset. Nobody else includes this.
 */
#ifndef INGEST_LOG_ANCHOR_H
#define INGEST_LOG_ANCHOR_H

#include "ingest/log/log_private.h"

/* Times are believed up to 2084: the difference of any two offsets fits into 64 bits then. */
#define LOG_ANCHOR_TIME_MAX_NS INT64_C(3600000000000000000)

/* Bounds further apart than this say too little to count as a line that agrees. */
#define LOG_ANCHOR_NARROW_NS (8 * STAMP_NS_PER_S)

/* How far the clocks of hosts that keep time may be apart: dates are told by the host's own. */
#define LOG_ANCHOR_HOST_CLOCK_NS STAMP_NS_PER_S

/* Shorter outages are lost among other pauses. */
#define LOG_ANCHOR_OUTAGE_MIN_NS (2 * STAMP_NS_PER_S)

struct log_anchor {
	enum log_join_kind kind;
	size_t record; /* SIZE_MAX: no line tells it */
	int64_t own_ns;
	int64_t low_ns, high_ns; /* bounds of the offset */
	struct provenance frame;
	int64_t timeout_ns; /* as in struct log_join */
	bool strong;
};

/* A link that was down, by the file's own clock. */
struct log_outage {
	size_t record; /* of the line that tells its end */
	int64_t down_ns, up_ns;
};

/* A wait that a line may be, and whose it is. */
struct log_anchor_fit {
	struct log_anchor anchor;
	struct endpoint client;
};

struct log_anchoring {
	const struct logs *logs;
	const struct log_file *file;
	const int64_t *own_ns;
	const struct log_join_range *range;
	bool by_boot;
	const struct log_mark_host *host;
	struct log_anchor *anchors; /* of this host, in order of own_ns */
	size_t len;
	bool full;
	size_t recoveries; /* of this host */
	uint64_t work;
	size_t *lines; /* records that marks may be about */
	size_t lines_len;
	struct log_anchor_fit *fits;
	size_t fits_len;
	struct log_outage *outages;
	size_t outages_len;
	bool outages_full;
};

/* Takes what the log has. The first members, up to by_boot, are the caller's, and valid. */
void log_anchoring_begin(struct log_anchoring *a);
void log_anchoring_end(struct log_anchoring *a);

/* Collects the anchors of this host, instead of those of another. */
void log_anchors_collect(struct log_anchoring *a, const struct log_mark_host *host);

/* The record's time by the file's own clock; INT64_MIN: not told. */
static inline int64_t log_own_at(const struct log_anchoring *a, size_t record)
{
	int64_t ns = a->own_ns[record - a->file->first];

	return ns > LOG_ANCHOR_TIME_MAX_NS || ns < 0 ? INT64_MIN : ns;
}

static inline bool log_anchor_is_narrow(const struct log_anchor *a)
{
	return a->high_ns - a->low_ns <= LOG_ANCHOR_NARROW_NS;
}

static inline const struct log_record *log_anchor_record(const struct log_anchoring *a,
							 size_t index)
{
	return vec_at(&a->logs->records, index);
}

#endif
