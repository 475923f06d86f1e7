/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules of packet filters that drop or reject, as the evidence of their hosts lists them. */
#ifndef MODEL_FILTER_H
#define MODEL_FILTER_H

#include "base/arena.h"
#include "base/vec.h"
#include "event/event.h"

enum { FILTER_RECORDS_MAX = 4096 };

struct filter_record {
	struct provenance at;    /* the line; without a time */
	struct filter_fact fact; /* its text lives as long as the model */
};

struct filter_model {
	struct arena arena;
	struct vec records; /* struct filter_record *, in order of the evidence */
	uint64_t dropped;   /* for want of room */
};

/* A segment as a filter sees it: who sends it to whom, and its flags. */
struct filter_segment {
	struct endpoint src, dst;
	uint8_t flags;
};

void filter_model_init(struct filter_model *m);
void filter_model_deinit(struct filter_model *m);

/* Registers the model's sink. */
void filter_model_attach(struct filter_model *m, struct event_board *board);

/* True when the rule takes such a TCP segment, as far as its conditions are known. */
bool filter_matches(const struct filter_fact *rule, const struct filter_segment *segment);

#endif
