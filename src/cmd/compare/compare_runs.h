/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two runs of the same thing, from captures, logs and mountstats: what differs between them. */
#ifndef CMD_COMPARE_RUNS_H
#define CMD_COMPARE_RUNS_H

#include "base/json.h"
#include "cmd/models.h"
#include "cmd/run.h"

/* One side. run.board is filled; models and diagnosis are complete after side_go. */
struct compare_side {
	struct run run;
	struct models models;
	struct diagnosis diagnosis;
	struct vec rows;  /* struct compare_row, sorted by name */
	struct vec spans; /* struct compare_span: what the counters of mounts are of */
};

void compare_side_init(struct compare_side *s);
void compare_side_deinit(struct compare_side *s);

/*
 * Reads the evidence that run_find found, and works it out. Counters of a mount that `before` has
 * an earlier reading of are told from there on; NULL: nothing was read before.
 */
void compare_side_go(struct compare_side *s, const struct compare_side *before);

void compare_sides_text(struct strbuf *out, const struct compare_side *good,
			const struct compare_side *bad);
void compare_sides_json(struct json *j, const struct compare_side *good,
			const struct compare_side *bad);

#endif
