// SPDX-License-Identifier: GPL-2.0-or-later
/* reorder [call|reply]: the message waits until the next one of its direction has passed it. */
#include "lab/fault/filter.h"

static struct err *parse(struct fault_words *w, struct fault_step *step)
{
	step->side = fault_take_side(w, FAULT_REPLY);
	return NULL;
}

static void judge(const struct fault_step *step, uint8_t op, struct fault_verdict *v)
{
	(void)step, (void)op;
	v->reorders = true;
}

const struct fault_filter fault_filter_reorder = {
	.name = "reorder",
	.usage = "reorder [call|reply]",
	.parse = parse,
	.judge = judge,
};
