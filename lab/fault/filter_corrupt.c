// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * corrupt call|reply FIELD [with HEX]: other bytes stand in that place; without HEX all bits of the
 * first byte are turned. FIELD: "at N" (from the XID on), "handle", "status", or "mark", the record
 * mark, behind which nothing of the connection can be understood.
 */
#include "lab/fault/filter.h"

static const struct {
	const char *word;
	enum fault_place place;
} places[] = {
	{"at", FAULT_AT_OFFSET},
	{"mark", FAULT_AT_MARK},
	{"handle", FAULT_AT_HANDLE},
	{"status", FAULT_AT_STATUS},
};

static struct err *take_place(struct fault_words *w, struct fault_step *step)
{
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (!fault_words_take_if(w, places[i].word))
			continue;
		step->place = places[i].place;
		if (step->place == FAULT_AT_HANDLE && step->side != FAULT_CALL)
			return err_new("corrupt: a reply has no handle; corrupt call handle");
		if (step->place == FAULT_AT_STATUS && step->side != FAULT_REPLY)
			return err_new("corrupt: a call has no status; corrupt reply status");
		return step->place == FAULT_AT_OFFSET
			       ? fault_words_number(w, "at", 0, UINT32_MAX, &step->number)
			       : NULL;
	}
	return err_new("corrupt: what? write at N, mark, handle or status");
}

static struct err *parse(struct fault_words *w, struct fault_step *step)
{
	struct err *err;

	step->side = fault_take_side(w, FAULT_CONNECT);
	if (step->side == FAULT_CONNECT)
		return err_new("corrupt: write corrupt call or corrupt reply");
	err = take_place(w, step);
	if (err || !fault_words_take_if(w, "with"))
		return err;
	return fault_words_hex(w, "with", sizeof(step->bytes), step->bytes, &step->bytes_len);
}

static void judge(const struct fault_step *step, uint8_t op, struct fault_verdict *v)
{
	if (step->place == FAULT_AT_MARK)
		v->breaks_mark = true;
	else
		fault_verdict_edit(v, step, op);
}

static size_t offset_of(const struct fault_step *step, uint8_t op, const struct fault_message *m)
{
	const struct fault_op *o = op < m->ops_len ? &m->ops[op] : NULL;

	switch (step->place) {
	case FAULT_AT_OFFSET:
		return (size_t)step->number;
	case FAULT_AT_HANDLE:
		return o && o->handle.len ? (size_t)(o->handle.ptr - m->bytes.ptr) : SIZE_MAX;
	case FAULT_AT_STATUS:
		/* Behind the operation's number, where there is one. */
		return o && o->has_status ? o->offset + (m->is_compound ? 4 : 0) : SIZE_MAX;
	case FAULT_AT_MARK:
		break;
	}
	return SIZE_MAX;
}

static void edit(const struct fault_edit *e, const struct fault_message *m, struct strbuf *bytes)
{
	size_t offset = offset_of(e->step, e->op, m);
	size_t len = e->step->bytes_len;

	if (offset >= bytes->len)
		return;
	if (len > bytes->len - offset)
		len = bytes->len - offset;
	if (len)
		memcpy(bytes->data + offset, e->step->bytes, len);
	else
		bytes->data[offset] = (char)~bytes->data[offset];
}

const struct fault_filter fault_filter_corrupt = {
	.name = "corrupt",
	.usage = "corrupt call|reply at N|mark|handle|status [with HEX]",
	.parse = parse,
	.judge = judge,
	.edit = edit,
};
