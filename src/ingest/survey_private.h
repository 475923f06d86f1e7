/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a survey holds: shared by its two parts (gathering, deciding) and by nobody else. */
#ifndef INGEST_SURVEY_PRIVATE_H
#define INGEST_SURVEY_PRIVATE_H

#include "base/map.h"
#include "base/vec.h"
#include "ingest/survey.h"

/* A segment by which two captures recognise that they saw the same connection. */
struct survey_sample {
	uint64_t key;    /* of ports, direction, numbers, and what makes it this transmission */
	uint32_t prefix; /* of the payload's first bytes; 0: not captured */
	int64_t at_ns;
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
	uint32_t speaker; /* evidence that speaks for it */
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
	struct vec evidences;   /* uint32_t: the captures that were surveyed */
	struct vec conn_counts; /* uint64_t by evidence: how many connections it shows */
	struct vec order;       /* uint32_t: connections by tuple, evidence and frame */
	struct vec pairs;       /* struct survey_pair */
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

enum { SURVEY_KIND_BARE, SURVEY_KIND_DATA, SURVEY_KIND_SYN };

#endif
