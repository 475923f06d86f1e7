// SPDX-License-Identifier: GPL-2.0-or-later
/* drop call|reply: the message never comes; the connection stays. */
#include "lab/fault/filter.h"

static struct err *parse(struct fault_words *w, struct fault_step *step)
{
	step->side = fault_take_side(w, FAULT_CONNECT);
	return step->side == FAULT_CONNECT ? err_new("drop: write drop call or drop reply") : NULL;
}

static void judge(const struct fault_step *step, uint8_t op, struct fault_verdict *v)
{
	(void)step, (void)op;
	v->drops = true;
}

const struct fault_filter fault_filter_drop = {
	.name = "drop",
	.usage = "drop call|reply",
	.parse = parse,
	.judge = judge,
};
