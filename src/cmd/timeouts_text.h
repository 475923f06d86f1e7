/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `nfsleuth timeouts` shows to people: tables of deadlines, each with a line in time. */
#ifndef CMD_TIMEOUTS_TEXT_H
#define CMD_TIMEOUTS_TEXT_H

#include "report/layout.h"
#include "timing/schedule.h"

/* What was asked for, and what comes of it. */
struct timeouts {
	struct timing_options options;
	struct timing_call call;
	int64_t until_ns;
	/* By index of timing_alternatives. */
	struct timing_event events[TIMING_ALTERNATIVES][TIMING_EVENTS_MAX];
	size_t counts[TIMING_ALTERNATIVES];
	struct timing_event unsent; /* what becomes of a call that is never sent */
};

/* "NFSv3 over tcp, hard, timeo=600 (60 s), retrans=2". */
void timeouts_add_title(struct strbuf *out, const struct timeouts *t);

/* Calls `take` with each thing to know about this schedule, a sentence or two. */
void timeouts_each_note(const struct timeouts *t, void (*take)(void *context, const char *note),
			void *context);

void timeouts_add_text(struct layout *l, const struct timeouts *t);

#endif
