/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What hosts list of themselves (EVENT_HOST), row by row, in order of the evidence. */
#ifndef MODEL_HOST_H
#define MODEL_HOST_H

#include "base/arena.h"
#include "base/vec.h"
#include "event/event.h"

enum { HOST_RECORDS_MAX = 16384 };

struct host_record {
	struct provenance at;  /* the line; without a time */
	struct host_fact fact; /* its texts live as long as the model */
};

struct host_model {
	struct arena arena;
	struct vec records; /* struct host_record * */
	uint64_t dropped;   /* for want of room */
};

void host_model_init(struct host_model *m);
void host_model_deinit(struct host_model *m);

/* Registers the model's sink. */
void host_model_attach(struct host_model *m, struct event_board *board);

/*
 * The next record of the kind from *index on, which is set behind it; NULL: there is none. A model
 * of NULL has none.
 */
const struct host_record *host_model_next(const struct host_model *m, enum host_fact_kind kind,
					  size_t *index);

#endif
