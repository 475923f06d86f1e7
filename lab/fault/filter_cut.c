// SPDX-License-Identifier: GPL-2.0-or-later
/* cut call|reply at N: the record ends after N bytes of its message, and its mark says so. */
#include "lab/fault/filter.h"

static struct err *parse(struct fault_words *w, struct fault_step *step)
{
	step->side = fault_take_side(w, FAULT_CONNECT);
	if (step->side == FAULT_CONNECT || !fault_words_take_if(w, "at"))
		return err_new("cut: write cut call at N or cut reply at N");
	return fault_words_number(w, "cut at", 0, UINT32_MAX, &step->number);
}

static void judge(const struct fault_step *step, uint8_t op, struct fault_verdict *v)
{
	fault_verdict_edit(v, step, op);
}

static void edit(const struct fault_edit *e, const struct fault_message *m, struct strbuf *bytes)
{
	(void)m;
	if (e->step->number < bytes->len)
		bytes->len = (size_t)e->step->number;
}

const struct fault_filter fault_filter_cut = {
	.name = "cut",
	.usage = "cut call|reply at N",
	.parse = parse,
	.judge = judge,
	.edit = edit,
};
