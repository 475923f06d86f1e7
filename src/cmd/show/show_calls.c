// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `show calls`: one line for each RPC call, when it is settled: answered, or given up. The JSON is
 * fixed, see nfsleuth(1).
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "cmd/label.h"
#include "cmd/show/show.h"

/* Columns of text grow with what was seen: later lines stand under earlier ones. */
struct calls_view {
	struct show *show;
	struct strbuf text; /* one field under way */
	size_t who_columns;
	size_t status_columns;
};

static bool call_has_latency(const struct rpc_call *c)
{
	return c->has_call && c->reply.frame != FRAME_NONE && stamp_known(c->origin.at) &&
	       stamp_known(c->reply.at);
}

/* Where and when the line belongs: the call's frame, or the reply's when there is no call. */
static const struct provenance *call_place(const struct rpc_call *c)
{
	return c->has_call ? &c->origin : &c->reply;
}

static void json_frame(struct json *j, const char *key, uint64_t frame)
{
	if (frame == FRAME_NONE)
		json_member_null(j, key);
	else
		json_member_u64(j, key, frame);
}

static void json_places(struct calls_view *v, struct json *j, const struct rpc_call *c)
{
	bool answered = c->reply.frame != FRAME_NONE;

	json_member_text(j, "evidence", show_evidence(v->show, call_place(c)->evidence));
	json_frame(j, "frame", c->has_call ? c->origin.frame : FRAME_NONE);
	json_frame(j, "first_frame", c->has_call ? c->origin_first_frame : FRAME_NONE);
	json_member_text(j, "reply_evidence",
			 answered ? show_evidence(v->show, c->reply.evidence) : NULL);
	json_frame(j, "reply_frame", c->reply.frame);
	label_member_stamp(j, "time", c->has_call ? c->origin.at : stamp_none());
	label_member_stamp(j, "reply_time", answered ? c->reply.at : stamp_none());
	label_add_caller(&v->text, c);
	label_member(j, "client", &v->text);
	label_add_answerer(&v->text, c);
	label_member(j, "server", &v->text);
	json_member_text(j, "transport", label_transport(c->conn->transport));
}

static void json_procedure(struct calls_view *v, struct json *j, const struct rpc_call *c)
{
	static const char *const numbers[] = {"program", "version", "procedure"};
	uint32_t values[] = {c->program, c->version, c->procedure};

	strbuf_add_format(&v->text, "0x%08x", c->xid);
	label_member(j, "xid", &v->text);
	for (size_t i = 0; i < 3; i++) {
		if (c->has_call)
			json_member_u64(j, numbers[i], values[i]);
		else
			json_member_null(j, numbers[i]);
	}
	if (c->has_call)
		label_add_program(&v->text, c->is_callback, c->program);
	label_member(j, "program_name", &v->text);
	if (c->has_call)
		label_add_procedure(&v->text, c->is_callback, c->program, c->version, c->procedure);
	label_member(j, "procedure_name", &v->text);
	label_add_call_status(&v->text, c);
	label_member(j, "status", &v->text);
}

static void json_ops(struct calls_view *v, struct json *j, const struct rpc_call *c)
{
	json_key(j, "ops");
	json_array_begin(j);
	for (uint32_t i = 0; i < c->ops_len; i++) {
		json_object_begin(j);
		json_member_u64(j, "op", c->ops[i].op);
		label_add_op(&v->text, c->is_callback, c->ops[i].op);
		label_member(j, "name", &v->text);
		label_add_nfs4_status(&v->text, c->ops[i].status);
		label_member(j, "status", &v->text);
		json_object_end(j);
	}
	json_array_end(j);
}

static void calls_json(struct calls_view *v, const struct rpc_call *c)
{
	struct json j;

	json_init(&j, &v->show->line, false);
	json_object_begin(&j);
	json_places(v, &j, c);
	json_procedure(v, &j, c);
	if (call_has_latency(c))
		json_member_i64(&j, "latency_ns", c->reply.at.ns - c->origin.at.ns);
	else
		json_member_null(&j, "latency_ns");
	json_key(&j, "retransmissions");
	json_array_begin(&j);
	for (uint32_t i = 0; i < c->retransmissions.len; i++)
		json_u64(&j, c->retransmissions.items[i]);
	json_array_end(&j);
	json_ops(v, &j, c);
	json_key(&j, "damage");
	json_array_begin(&j);
	if (c->call_damage)
		json_text(&j, c->call_damage);
	if (c->reply_damage)
		json_text(&j, c->reply_damage);
	json_array_end(&j);
	json_object_end(&j);
}

static void text_frame(struct strbuf *line, uint64_t frame)
{
	if (frame == FRAME_NONE)
		strbuf_add_text(line, "      -");
	else
		strbuf_add_format(line, "%7llu", (unsigned long long)frame);
}

/* "NFSv4.2 SEQUENCE PUTFH (GETATTR)": operations without a result stand in parentheses. */
static void text_procedure(struct strbuf *line, const struct rpc_call *c)
{
	bool answered = c->outcome == RPC_SUCCESS && !c->reply_damage;

	if (!c->has_call) {
		strbuf_add_text(line, "(reply without its call)");
		return;
	}
	label_add_program(line, c->is_callback, c->program);
	strbuf_add_format(line, "v%u", c->is_callback ? 4 : c->version);
	if (c->ops_len == 0) {
		strbuf_add_char(line, ' ');
		label_add_procedure(line, c->is_callback, c->program, c->version, c->procedure);
		return;
	}
	strbuf_add_format(line, ".%u", c->minor_version);
	for (uint32_t i = 0; i < c->ops_len; i++) {
		bool skipped = answered && i >= c->ops_in_reply;

		strbuf_add_text(line, skipped ? " (" : " ");
		label_add_op(line, c->is_callback, c->ops[i].op);
		if (skipped)
			strbuf_add_char(line, ')');
	}
}

static void text_notes(struct strbuf *line, const struct rpc_call *c)
{
	if (c->retransmissions.len)
		strbuf_add_text(line, "  sent again:");
	for (uint32_t i = 0; i < c->retransmissions.len; i++)
		strbuf_add_format(line, " %llu", (unsigned long long)c->retransmissions.items[i]);
	if (c->call_damage)
		strbuf_add_format(line, "  [call: %s]", c->call_damage);
	if (c->reply_damage)
		strbuf_add_format(line, "  [reply: %s]", c->reply_damage);
}

/* Adds the field padded to the widest of its kind so far. */
static void text_field(struct strbuf *line, struct strbuf *field, size_t *columns)
{
	size_t start = line->len;

	if (field->len > *columns)
		*columns = field->len;
	strbuf_add(line, strbuf_text(field), field->len);
	strbuf_reset(field);
	show_pad(line, start, *columns + 1);
}

static void calls_text(struct calls_view *v, const struct rpc_call *c)
{
	struct strbuf *line = &v->show->line;
	char text[STAMP_TEXT_BYTES];

	stamp_format_time(call_place(c)->at, text);
	strbuf_add_format(line, "%-15s ", text);
	if (v->show->run.evidence.items.len > 1)
		strbuf_add_format(line, "%-4s", show_evidence(v->show, call_place(c)->evidence));
	text_frame(line, c->has_call ? c->origin.frame : FRAME_NONE);
	strbuf_add_char(line, ' ');
	text_frame(line, c->reply.frame);
	strbuf_add_text(line, "  ");
	label_add_caller(&v->text, c);
	strbuf_add_text(&v->text, " > ");
	label_add_answerer(&v->text, c);
	text_field(line, &v->text, &v->who_columns);
	if (call_has_latency(c))
		stamp_format_duration(c->reply.at.ns - c->origin.at.ns, text);
	else
		snprintf(text, sizeof(text), "-");
	strbuf_add_format(line, "%10s  ", text);
	label_add_call_status(&v->text, c);
	if (v->text.len == 0)
		strbuf_add_text(&v->text, c->outcome == RPC_REPLY_CUT ? "(cut)" : "(no reply)");
	text_field(line, &v->text, &v->status_columns);
	text_procedure(line, c);
	text_notes(line, c);
}

static void calls_take(void *context, const struct event *e)
{
	struct calls_view *v = context;
	const struct provenance *place = call_place(e->rpc);

	if (!filter_takes_call(&v->show->filter, e->rpc))
		return;
	if (v->show->options->json)
		calls_json(v, e->rpc);
	else
		calls_text(v, e->rpc);
	show_line(v->show, place->at, place->evidence, place->frame);
}

static void *calls_create(struct show *s)
{
	struct calls_view *v = mem_alloc(1, sizeof(*v));

	v->show = s;
	v->status_columns = strlen("NFS4_OK");
	strbuf_init(&v->text);
	event_board_add(&s->run.board, EVENT_RPC_SETTLED, calls_take, v);
	return v;
}

static void calls_finish(struct show *s, void *state)
{
	(void)s;
	(void)state;
}

static void calls_destroy(void *state)
{
	struct calls_view *v = state;

	strbuf_deinit(&v->text);
	free(v);
}

const struct show_view show_view_calls = {
	.name = "calls",
	.sortable = true,
	.filtered = true,
	.heading = "time, [evidence,] frame of the call and of the reply, caller > server, "
		   "latency, status, call",
	.create = calls_create,
	.finish = calls_finish,
	.destroy = calls_destroy,
};
