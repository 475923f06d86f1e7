// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * stop reading|writing [for TIME]: behind this call nothing more is read from the client's
 * connection (its window closes), or nothing more is sent on it.
 */
#include "lab/fault/filter.h"

static struct err *parse(struct fault_words *w, struct fault_step *step)
{
	step->side = FAULT_CALL;
	if (fault_words_take_if(w, "reading"))
		step->number = FAULT_CONN_STOP_READING;
	else if (fault_words_take_if(w, "writing"))
		step->number = FAULT_CONN_STOP_WRITING;
	else
		return err_new("stop: write stop reading or stop writing");
	return fault_take_for(w, &step->duration_ns);
}

static void judge(const struct fault_step *step, uint8_t op, struct fault_verdict *v)
{
	(void)op;
	fault_verdict_conn(v, (enum fault_conn)step->number, step->duration_ns);
}

const struct fault_filter fault_filter_stop = {
	.name = "stop",
	.usage = "stop reading|writing [for TIME]",
	.parse = parse,
	.judge = judge,
};
