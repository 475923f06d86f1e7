// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * answer STATUS: the call is turned away and not executed. Of a COMPOUND only what stands before
 * the operation is executed, so that the slot of its SEQUENCE goes on as it should.
 */
#include "lab/fault/filter.h"

static struct err *parse(struct fault_words *w, struct fault_step *step)
{
	step->side = FAULT_CALL;
	return fault_status_parse(w, &step->status);
}

static bool fits(const struct fault_step *step, const struct fault_message *m)
{
	return m->is_plain && fault_status_fits(&step->status, m);
}

static void judge(const struct fault_step *step, uint8_t op, struct fault_verdict *v)
{
	if (v->answer)
		return;
	v->answer = step;
	v->answer_op = op;
}

/* Asked for over the reply to the shortened call. */
static void edit(const struct fault_edit *e, const struct fault_message *m, struct strbuf *bytes)
{
	fault_reply_set_status(&e->step->status, e, m, bytes);
}

const struct fault_filter fault_filter_answer = {
	.name = "answer",
	.usage = "answer STATUS",
	.parse = parse,
	.fits = fits,
	.judge = judge,
	.edit = edit,
};
