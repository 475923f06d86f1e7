// SPDX-License-Identifier: GPL-2.0-or-later
/* status STATUS: the call is executed, but its reply tells this status. */
#include "lab/fault/filter.h"

static struct err *parse(struct fault_words *w, struct fault_step *step)
{
	step->side = FAULT_REPLY;
	return fault_status_parse(w, &step->status);
}

static bool fits(const struct fault_step *step, const struct fault_message *m)
{
	return m->is_plain && fault_status_fits(&step->status, m);
}

static void judge(const struct fault_step *step, uint8_t op, struct fault_verdict *v)
{
	fault_verdict_edit(v, step, op);
}

static void edit(const struct fault_edit *e, const struct fault_message *m, struct strbuf *bytes)
{
	fault_reply_set_status(&e->step->status, e, m, bytes);
}

const struct fault_filter fault_filter_status = {
	.name = "status",
	.usage = "status STATUS",
	.parse = parse,
	.fits = fits,
	.judge = judge,
	.edit = edit,
};
