/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What clients counted for their mounts (EVENT_MOUNT_STATS). Two readings of one mount, one later
 * than the other, are also kept as their difference: what happened between them.
 *
 * That two readings are of one mount is told by what cannot go back: its age and all its counters;
 * and by the port of its connection, which is another one only after it has connected again.
 */
#ifndef MODEL_COUNTERS_H
#define MODEL_COUNTERS_H

#include "base/arena.h"
#include "base/vec.h"
#include "event/event.h"

enum { COUNTERS_SPANS_MAX = 1024 };

/* Counters over a span of time: since the mount, or between two readings. */
struct counters_span {
	struct provenance at;     /* the head of the mount in the later reading; without a time */
	struct provenance before; /* the same in the earlier one; FRAME_NONE: since the mount */
	uint64_t seconds;         /* 0: not known */
	struct mount_stats stats; /* texts and tables lie in the model's arena */
};

struct counters_model {
	struct arena arena;
	struct vec spans; /* struct counters_span *, in order of the evidence */
	uint64_t dropped; /* for want of room */
};

void counters_model_init(struct counters_model *m);
void counters_model_deinit(struct counters_model *m);
void counters_model_attach(struct counters_model *m, struct event_board *board);

/* The operation's counters; NULL: it was not called. */
const struct mount_op_stats *counters_op(const struct counters_span *s, const char *name);

/* True when the two are of one mount point of one server. */
bool counters_same_mount(const struct counters_span *a, const struct counters_span *b);

/* True when b is a later reading of what a read: its difference from a is what happened since. */
bool counters_goes_on(const struct counters_span *a, const struct counters_span *b);

#endif
