/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a survey holds: shared by its two parts (gathering, deciding) and by nobody else. */
#ifndef INGEST_SURVEY_PRIVATE_H
#define INGEST_SURVEY_PRIVATE_H

#include "base/map.h"
#include "base/vec.h"
#include "ingest/survey/survey.h"

/* A segment by which two captures recognise that they saw the same connection. */
struct survey_sample {
	uint64_t key;    /* of its numbers, and what makes it this transmission */
	uint32_t prefix; /* of the payload's first bytes; 0: not captured */
	bool high;       /* sent by the tuple's higher endpoint */
	int64_t at_ns;
};

/* A sample with the connection that has it. */
struct survey_entry {
	uint32_t group; /* of the connection, once known */
	uint64_t key;
	int64_t at_ns;
	uint32_t prefix;
	uint32_t conn;
	bool high;
};

/* A connection as one capture saw it, from its SYN (or its first segment) to the next one's. */
struct survey_conn {
	uint32_t tuple; /* index */
	uint32_t evidence;
	uint64_t first_frame;
	uint64_t packets;
	uint64_t payload_bytes; /* captured */
	bool has_isn[2];        /* by direction: 0 from the tuple's lower endpoint */
	uint32_t isn[2];
	struct survey_sample *samples; /* those with the smallest keys; a heap, the largest first */
	uint32_t sample_count;
	uint32_t sample_cap;
	uint32_t group;   /* the connection that stands for all that are the same */
	bool flip;        /* its lower endpoint is the other's higher one: addresses translated */
	uint32_t speaker; /* evidence that speaks for it */
	/* Of one that is silent: before and after these aligned times nobody else shows it, and it
	 * speaks all the same. INT64_MIN, INT64_MAX: never. */
	int64_t alone_before_ns, alone_after_ns;
};

/* Two captures show the same connections of these two endpoints. */
struct survey_shared {
	uint32_t evidence;
	uint32_t other;
	struct endpoint low; /* as `evidence` shows them */
	struct endpoint high;
};

/* A capture, by the index of its evidence. */
struct survey_file {
	bool is_here;       /* it was surveyed */
	bool partial;       /* longer than what was skimmed */
	struct stamp first; /* by its own clock */
	struct stamp last;
	bool has_shift; /* the next is valid */
	int64_t shift_ns;
};

/* Two endpoints, the lower one first. */
struct survey_tuple {
	uint32_t index;
	enum transport transport;
	struct endpoint low;
	struct endpoint high;
	uint64_t print;   /* hash that is the same in every run */
	uint32_t latest;  /* its newest connection */
	uint32_t conn_at; /* settled: its connections in survey.order */
	uint32_t conn_count;
};

struct survey {
	struct map tuples;
	struct vec tuple_list;  /* struct survey_tuple *, by index */
	struct vec conns;       /* struct survey_conn */
	struct vec files;       /* struct survey_file, by evidence */
	struct vec conn_counts; /* uint64_t by evidence: how many connections it shows */
	struct vec order;       /* uint32_t: connections by tuple, evidence and frame */
	struct vec pairs;       /* struct survey_pair */
	struct vec shared;      /* struct survey_shared, sorted, each once */
	uint64_t sample_total;
	struct survey_health health;
};

/* Mixes one more value into a hash that is the same in every run: which segments are sampled must
 * not change from run to run, nor may what is found by them. */
static inline uint64_t survey_mix(uint64_t hash, uint64_t value)
{
	hash = (hash ^ value) + UINT64_C(0x9e3779b97f4a7c15);
	hash = (hash ^ (hash >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	hash = (hash ^ (hash >> 27)) * UINT64_C(0x94d049bb133111eb);
	return hash ^ (hash >> 31);
}

static inline struct survey_conn *survey_conn_at(const struct survey *s, uint32_t index)
{
	return vec_at(&s->conns, index);
}

static inline const struct survey_tuple *survey_tuple_at(const struct survey *s, uint32_t index)
{
	return *(struct survey_tuple **)vec_at(&s->tuple_list, index);
}

static inline int survey_compare_u64(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

/* The capture's entry, or NULL when it was not surveyed. */
static inline struct survey_file *survey_file_of(const struct survey *s, uint32_t evidence)
{
	struct survey_file *file = evidence < s->files.len ? vec_at(&s->files, evidence) : NULL;

	return file && file->is_here ? file : NULL;
}

/* --- survey_match.c --- */

/*
 * The connection that stands for a group; *flip is set when its lower endpoint is the higher one
 * there. Shortens the way to it.
 */
uint32_t survey_root(const struct survey *s, uint32_t index, bool *flip);

/* Makes groups. `entries` (struct survey_entry) is initialised: every sample, by group and key. */
void survey_match(struct survey *s, struct vec *entries);

/* True when two entries are one segment of one connection in two captures. */
bool survey_same_segment(const struct survey *s, const struct survey_entry *a,
			 const struct survey_entry *b);

/* --- survey_pairs.c --- */

/* Pairs of captures, their clocks, and what each shows of the other; speakers are known. */
void survey_pair_up(struct survey *s, const struct vec *entries);

enum { SURVEY_KIND_BARE, SURVEY_KIND_DATA, SURVEY_KIND_SYN };

#endif
