// SPDX-License-Identifier: GPL-2.0-or-later
/* xid [call|reply]: the message carries an XID that nobody waits for. */
#include "lab/fault/filter.h"

static struct err *parse(struct fault_words *w, struct fault_step *step)
{
	step->side = fault_take_side(w, FAULT_REPLY);
	return NULL;
}

static void judge(const struct fault_step *step, uint8_t op, struct fault_verdict *v)
{
	fault_verdict_edit(v, step, op);
}

static void edit(const struct fault_edit *e, const struct fault_message *m, struct strbuf *bytes)
{
	(void)e;
	/* Clients count up: the highest bit is the farthest from all that are under way. */
	fault_put_u32(bytes, 0, m->xid ^ 0x80000000u);
}

const struct fault_filter fault_filter_xid = {
	.name = "xid",
	.usage = "xid [call|reply]",
	.parse = parse,
	.judge = judge,
	.edit = edit,
};
