// SPDX-License-Identifier: GPL-2.0-or-later
/* The table of filters, and what several of them share. */
#include "lab/fault/filter.h"

#include <stddef.h>

const struct fault_filter *const fault_filters[] = {
	&fault_filter_delay,
	&fault_filter_drop,
	&fault_filter_answer,
	&fault_filter_status,
	&fault_filter_cut,
	&fault_filter_xid,
	&fault_filter_duplicate,
	&fault_filter_reorder,
	&fault_filter_corrupt,
	&fault_filter_close,
	&fault_filter_reset,
	&fault_filter_stop,
	&fault_filter_refuse,
	&fault_filter_ignore,
	&fault_filter_listing,
	&fault_filter_server,
	NULL,
};

enum fault_side fault_take_side(struct fault_words *w, enum fault_side otherwise)
{
	if (fault_words_take_if(w, "call"))
		return FAULT_CALL;
	return fault_words_take_if(w, "reply") ? FAULT_REPLY : otherwise;
}

struct err *fault_take_for(struct fault_words *w, int64_t *duration_ns)
{
	return fault_words_take_if(w, "for") ? fault_words_duration(w, "for", duration_ns) : NULL;
}

void fault_verdict_edit(struct fault_verdict *v, const struct fault_step *step, uint8_t op)
{
	if (v->edits_len < FAULT_EDITS_MAX)
		v->edits[v->edits_len++] = (struct fault_edit){.step = step, .op = op};
}

void fault_verdict_conn(struct fault_verdict *v, enum fault_conn conn, int64_t duration_ns)
{
	if (conn < v->conn)
		return;
	v->conn = conn;
	v->conn_ns = duration_ns;
}

void fault_put_u32(struct strbuf *bytes, size_t offset, uint32_t value)
{
	uint32_t wire = __builtin_bswap32(value);

	if (offset <= bytes->len && bytes->len - offset >= sizeof(wire))
		memcpy(bytes->data + offset, &wire, sizeof(wire));
}
