// SPDX-License-Identifier: GPL-2.0-or-later
/* duplicate call|reply [N]: the message comes N times more (once). */
#include "lab/fault/filter.h"

enum { COPIES_MAX = 1000 };

static struct err *parse(struct fault_words *w, struct fault_step *step)
{
	step->side = fault_take_side(w, FAULT_CONNECT);
	step->number = 1;
	if (step->side == FAULT_CONNECT)
		return err_new("duplicate: write duplicate call or duplicate reply");
	if (fault_words_at_end(w))
		return NULL;
	return fault_words_number(w, "duplicate", 1, COPIES_MAX, &step->number);
}

static void judge(const struct fault_step *step, uint8_t op, struct fault_verdict *v)
{
	(void)op;
	if (v->copies < COPIES_MAX)
		v->copies += (uint32_t)step->number;
}

const struct fault_filter fault_filter_duplicate = {
	.name = "duplicate",
	.usage = "duplicate call|reply [N]",
	.parse = parse,
	.judge = judge,
};
