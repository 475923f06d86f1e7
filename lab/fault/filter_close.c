// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * close [call|reply] and reset [call|reply]: the client's connection ends, with FIN or with RST,
 * when the call comes and before it is executed, or instead of the reply.
 */
#include "lab/fault/filter.h"

static struct err *parse(struct fault_words *w, struct fault_step *step)
{
	step->side = fault_take_side(w, FAULT_CALL);
	return NULL;
}

static void judge_close(const struct fault_step *step, uint8_t op, struct fault_verdict *v)
{
	(void)step, (void)op;
	v->drops = true;
	fault_verdict_conn(v, FAULT_CONN_CLOSE, 0);
}

static void judge_reset(const struct fault_step *step, uint8_t op, struct fault_verdict *v)
{
	(void)step, (void)op;
	v->drops = true;
	fault_verdict_conn(v, FAULT_CONN_RESET, 0);
}

const struct fault_filter fault_filter_close = {
	.name = "close",
	.usage = "close [call|reply]",
	.parse = parse,
	.judge = judge_close,
};

const struct fault_filter fault_filter_reset = {
	.name = "reset",
	.usage = "reset [call|reply]",
	.parse = parse,
	.judge = judge_reset,
};
