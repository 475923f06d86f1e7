// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * For "when connect": refuse resets a connection as soon as it is made; ignore accepts it, reads
 * what comes and never answers. ignore behind a call does the same from then on.
 */
#include "lab/fault/filter.h"

static struct err *parse_refuse(struct fault_words *w, struct fault_step *step)
{
	(void)w;
	step->side = FAULT_CONNECT;
	return NULL;
}

static bool fits_connect(const struct fault_step *step, const struct fault_message *m)
{
	(void)step;
	return m->side == FAULT_CONNECT;
}

static void judge_refuse(const struct fault_step *step, uint8_t op, struct fault_verdict *v)
{
	(void)step, (void)op;
	v->refuses = true;
}

static struct err *parse_ignore(struct fault_words *w, struct fault_step *step)
{
	step->side = FAULT_CALL;
	return fault_take_for(w, &step->duration_ns);
}

static void judge_ignore(const struct fault_step *step, uint8_t op, struct fault_verdict *v)
{
	(void)op;
	v->drops = true;
	fault_verdict_conn(v, FAULT_CONN_IGNORE, step->duration_ns);
}

const struct fault_filter fault_filter_refuse = {
	.name = "refuse",
	.usage = "refuse",
	.parse = parse_refuse,
	.fits = fits_connect,
	.judge = judge_refuse,
};

const struct fault_filter fault_filter_ignore = {
	.name = "ignore",
	.usage = "ignore [for TIME]",
	.parse = parse_ignore,
	.judge = judge_ignore,
};
