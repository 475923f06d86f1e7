/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who speaks for a connection that several captures saw?
 *
 * Captures that are given together are skimmed first. A connection that two of them saw (the same
 * endpoints, and at least one segment that both have) is one connection: the capture that holds
 * more of it speaks, the others keep silent about it. The same endpoints without a common segment
 * are two connections, and both speak. So two captures of one wire are never summed, nor is a file
 * that is given twice, a cut copy, or one with a small snap length.
 *
 * The capture that speaks may begin later than another, or end sooner: one of several files that a
 * ring buffer left, say. Where it was not running for more than SURVEY_GAP_NS another that shows
 * the connection speaks.
 *
 * Addresses and ports may be translated between the captures (NAT): then sequence numbers,
 * timestamps and what the segments begin with are the same, of several segments.
 *
 * A connection is told from the next one with the same ports by its SYN. Memory is bounded: see the
 * caps below; what is above them counts as not surveyed.
 */
#ifndef INGEST_SURVEY_H
#define INGEST_SURVEY_H

#include "base/err.h"
#include "event/ident.h"

enum {
	SURVEY_CONNS_MAX = 1 << 17,     /* connections, over all captures */
	SURVEY_SAMPLES_MAX = 128,       /* sampled segments of one connection */
	SURVEY_SAMPLES_TOTAL = 1 << 20, /* of all; above it each connection keeps only a few */
};

/* Captures at two hosts are started and stopped one after the other: each seam costs a call or two,
 * and less than this is not worth it. */
#define SURVEY_GAP_NS (5 * STAMP_NS_PER_S)

#define SURVEY_SKIM_BYTES (UINT64_C(256) << 20) /* of each capture, unpacked */

struct survey;

/* Times are what files say: no more than there is room for. */
static inline int64_t survey_add_ns(int64_t at_ns, int64_t add_ns)
{
	int64_t sum;

	if (__builtin_add_overflow(at_ns, add_ns, &sum))
		return add_ns > 0 ? INT64_MAX : INT64_MIN;
	return sum;
}

struct survey *survey_create(void);

/* survey_destroy(NULL) is fine. */
void survey_destroy(struct survey *s);

/*
 * Skims the capture at path, whose evidence index is `evidence`, up to skim_bytes
 * (SURVEY_SKIM_BYTES). Fails when it cannot be opened or is no capture; nothing is added then.
 */
struct err *survey_add(struct survey *s, uint32_t evidence, const char *path, uint64_t skim_bytes);

/* Decides. Call once, after the last survey_add and before any survey_ask. */
void survey_settle(struct survey *s);

/* About one packet. */
struct survey_answer {
	bool speaks;      /* this capture speaks for the connection */
	bool is_known;    /* the rest is valid: the connection was surveyed */
	bool high;        /* which end sent it: the same answer in all captures */
	uint32_t conn;    /* the connection: the same number in all captures that show it */
	uint32_t speaker; /* the capture that speaks for it */
	/* This capture does not speak, and did before the other began: what it told ends here. */
	bool handed_over;
};

/*
 * Does this capture speak for the connection (TCP) or pair of ports (UDP) of the packet in this
 * frame, in either direction? A capture that was not surveyed (standard input) speaks for
 * the ports that no surveyed capture has. What a survey left out (caps, bytes that were not
 * skimmed) is let through: it speaks.
 */
struct survey_answer survey_ask(const struct survey *s, const struct provenance *at,
				enum transport transport, const struct endpoint *src,
				const struct endpoint *dst);

/*
 * The captures, apart from this one, that must show what it shows between these endpoints: they
 * show other connections of the same hosts at one of the two ports, or this one. At most `max` are
 * written to `others`; how many.
 */
size_t survey_watchers(const struct survey *s, uint32_t evidence, const struct endpoint *a,
		       const struct endpoint *b, uint32_t *others, size_t max);

/*
 * What has to be added to the stamps of a capture so that the captures of one wire are in one
 * order; 0 where that is not known. Includes the time on the way: to sort by, and no more.
 */
int64_t survey_shift_ns(const struct survey *s, uint32_t evidence);

/*
 * From when to when a capture goes, shifted like that. False when it is not known.
 * INT64_MAX for the end of one that was not skimmed to its end.
 */
bool survey_span(const struct survey *s, uint32_t evidence, int64_t *first_ns, int64_t *last_ns);

/* For the report: this many connections of `silent` are spoken for by `speaker`. */
struct survey_pair {
	uint32_t silent;
	uint32_t speaker;
	uint64_t conn_count;
	uint64_t gap_count;        /* of them: spoken for by `silent` outside of its time */
	uint64_t translated_count; /* of them: with other addresses or ports */
	/* The first of those, as both show it: client and server are not known here. */
	struct endpoint silent_ends[2], speaker_ends[2];
	/*
	 * Clock of `speaker` minus that of `silent`, by segments that both hold: the median;
	 * includes the time on the way. Meaningful with sample_count > 0.
	 */
	int64_t clock_delta_ns;
	uint64_t sample_count;
};

/* Sorted by silent, then speaker. Valid as long as the survey. */
const struct survey_pair *survey_pairs(const struct survey *s, size_t *count);

struct survey_health {
	uint64_t conn_count;     /* connections found in all captures */
	uint64_t left_out_count; /* above the caps */
	uint64_t partial_count;  /* captures that are longer than what was skimmed */
	struct stamp first;      /* over all captures, as far as skimmed */
	struct stamp last;
};

void survey_get_health(const struct survey *s, struct survey_health *out);

#endif
