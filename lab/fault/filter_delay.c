// SPDX-License-Identifier: GPL-2.0-or-later
/* delay [call|reply] TIME: the message comes later; others overtake it. */
#include "lab/fault/filter.h"

static struct err *parse(struct fault_words *w, struct fault_step *step)
{
	step->side = fault_take_side(w, FAULT_REPLY);
	return fault_words_duration(w, "delay", &step->duration_ns);
}

static void judge(const struct fault_step *step, uint8_t op, struct fault_verdict *v)
{
	(void)op;
	v->delay_ns += step->duration_ns;
}

const struct fault_filter fault_filter_delay = {
	.name = "delay",
	.usage = "delay [call|reply] TIME",
	.parse = parse,
	.judge = judge,
};
