/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls whose timers had time to run: sent again under the same XID, answered after OVERDUE_MIN_NS
 * or later, or never answered. When each was sent, again and again, and when it was over: what the
 * client's timers did is read from it. Who was slow is nothing to it (model/path/path.h).
 */
#ifndef MODEL_OVERDUE_H
#define MODEL_OVERDUE_H

#include "base/arena.h"
#include "base/map.h"
#include "base/vec.h"
#include "event/event.h"

enum {
	OVERDUE_CALLS_MAX = 4096, /* of NLM, and of all other programs */
	OVERDUE_REPEATS_MAX = 6,  /* kept of a call: the first ones */
};

#define OVERDUE_MIN_NS (5 * STAMP_NS_PER_S)

struct overdue_repeat {
	struct provenance at;
	bool other_conn; /* on another connection than before: no timer's doing */
};

struct overdue_call {
	struct conn conn; /* on which it was sent first, or where that is not known, last */
	uint32_t program, version, procedure, xid;
	struct provenance call;  /* sent for the first time */
	struct provenance reply; /* FRAME_NONE: none in the evidence */
	struct overdue_repeat repeats[OVERDUE_REPEATS_MAX];
	uint32_t repeats_len;
	uint64_t repeats_count;
};

struct overdue_model {
	struct arena arena;
	struct map open;  /* sent again, and not over */
	struct vec calls; /* struct overdue_call *, in order of the first thing that made them so */
	uint64_t nlm, others; /* of the list */
	uint64_t dropped;     /* for want of room: then absence proves nothing */
};

void overdue_model_init(struct overdue_model *m);
void overdue_model_deinit(struct overdue_model *m);

/* Registers the model's sinks. */
void overdue_model_attach(struct overdue_model *m, struct event_board *board);

#endif
