// SPDX-License-Identifier: GPL-2.0-or-later
/* `show ops`: one line for each operation of NFSv4 COMPOUNDs, with its arguments and results. */
#include <stdlib.h>

#include "base/mem.h"
#include "cmd/label.h"
#include "cmd/show/show.h"

struct ops_view {
	struct show *show;
	struct strbuf text; /* one field under way */
};

static const char *op_text(const struct rpc_call *c, uint32_t index)
{
	return c->ops_text ? c->ops_text[index] : NULL;
}

static void ops_json(struct ops_view *v, const struct rpc_call *c, uint32_t index)
{
	const struct nfs4_op_fact *op = &c->ops[index];
	struct json j;

	json_init(&j, &v->show->line, false);
	json_object_begin(&j);
	json_member_text(&j, "evidence", show_evidence(v->show, c->origin.evidence));
	json_member_u64(&j, "frame", c->origin.frame);
	if (c->reply.frame != FRAME_NONE)
		json_member_u64(&j, "reply_frame", c->reply.frame);
	else
		json_member_null(&j, "reply_frame");
	label_member_stamp(&j, "time", c->origin.at);
	label_member_stamp(&j, "reply_time",
			   c->reply.frame != FRAME_NONE ? c->reply.at : stamp_none());
	label_add_caller(&v->text, c);
	label_member(&j, "client", &v->text);
	label_add_answerer(&v->text, c);
	label_member(&j, "server", &v->text);
	strbuf_add_format(&v->text, "0x%08x", c->xid);
	label_member(&j, "xid", &v->text);
	json_member_u64(&j, "minor_version", c->minor_version);
	json_member_u64(&j, "index", index);
	json_member_u64(&j, "op", op->op);
	label_add_op(&v->text, c->is_callback, op->op);
	label_member(&j, "name", &v->text);
	label_add_nfs4_status(&v->text, op->status);
	label_member(&j, "status", &v->text);
	json_member_text(&j, "text", op_text(c, index));
	json_object_end(&j);
}

static void ops_text(struct ops_view *v, const struct rpc_call *c, uint32_t index)
{
	struct strbuf *line = &v->show->line;
	char time[STAMP_TEXT_BYTES];
	size_t start;

	stamp_format_time(c->origin.at, time);
	strbuf_add_format(line, "%-15s ", time);
	if (v->show->run.evidence.items.len > 1)
		strbuf_add_format(line, "%-4s", show_evidence(v->show, c->origin.evidence));
	strbuf_add_format(line, "%7llu ", (unsigned long long)c->origin.frame);
	if (c->reply.frame == FRAME_NONE)
		strbuf_add_text(line, "      -");
	else
		strbuf_add_format(line, "%7llu", (unsigned long long)c->reply.frame);
	strbuf_add_format(line, "  4.%u [%u] ", c->minor_version, index);
	start = line->len;
	label_add_op(line, c->is_callback, c->ops[index].op);
	show_pad(line, start, 20);
	start = line->len;
	label_add_nfs4_status(line, c->ops[index].status);
	if (line->len == start)
		strbuf_add_char(line, '-');
	show_pad(line, start, 8);
	if (op_text(c, index))
		strbuf_add_text(line, op_text(c, index));
	while (line->data[line->len - 1] == ' ')
		line->data[--line->len] = '\0';
}

static void ops_take(void *context, const struct event *e)
{
	struct ops_view *v = context;
	const struct rpc_call *c = e->rpc;

	for (uint32_t i = 0; i < c->ops_len; i++) {
		if (!filter_takes_op(&v->show->filter, c, i))
			continue;
		if (v->show->options->json)
			ops_json(v, c, i);
		else
			ops_text(v, c, i);
		show_line(v->show, c->origin.at, c->origin.evidence, c->origin.frame);
	}
}

static void *ops_create(struct show *s)
{
	struct ops_view *v = mem_alloc(1, sizeof(*v));

	v->show = s;
	strbuf_init(&v->text);
	event_board_add(&s->run.board, EVENT_RPC_SETTLED, ops_take, v);
	return v;
}

static void ops_finish(struct show *s, void *state)
{
	(void)s;
	(void)state;
}

static void ops_destroy(void *state)
{
	struct ops_view *v = state;

	strbuf_deinit(&v->text);
	free(v);
}

const struct show_view show_view_ops = {
	.name = "ops",
	.detail = RUN_KEEP_TEXT,
	.sortable = true,
	.filtered = true,
	.heading = "time, [evidence,] frame of the call and of the reply, version [place], "
		   "operation, status, arguments -> results",
	.create = ops_create,
	.finish = ops_finish,
	.destroy = ops_destroy,
};
