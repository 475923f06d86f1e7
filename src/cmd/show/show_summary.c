// SPDX-License-Identifier: GPL-2.0-or-later
/* `show summary`: counts, errors and latencies. The JSON is fixed, see nfsleuth(1). */
#include <stdlib.h>

#include "base/mem.h"
#include "cmd/label.h"
#include "cmd/show/show.h"
#include "model/call.h"
#include "report/layout.h"

struct summary_view {
	struct call_model calls;
	struct strbuf text; /* one field under way */
};

/* What a row of either table has. */
struct summary_row {
	uint64_t calls, replies, retransmissions, unanswered, errors_other;
	const struct vec *errors;
	const struct hist *latency;
	uint32_t program, version; /* whose statuses the errors are */
};

static struct summary_row row_of_stats(const struct call_stats *s)
{
	return (struct summary_row){s->calls,      s->replies,      s->retransmissions,
				    s->unanswered, s->errors_other, &s->errors,
				    &s->latency,   s->program,      s->version};
}

static struct summary_row row_of_op(const struct call_op_stats *s)
{
	return (struct summary_row){s->calls,      s->replies,        0,
				    s->unanswered, s->errors_other,   &s->errors,
				    &s->latency,   LABEL_PROGRAM_NFS, 4};
}

/* The status of an error of this row. */
static void add_error_name(struct strbuf *out, const struct summary_row *row,
			   const struct call_error *e)
{
	bool callback = label_is_callback(row->program);

	label_add_status(out, callback ? LABEL_PROGRAM_NFS : row->program,
			 callback ? 4 : row->version, e->outcome, e->outcome == RPC_SUCCESS,
			 e->status);
}

static void json_errors(struct summary_view *v, struct json *j, const struct summary_row *row)
{
	json_key(j, "errors");
	json_object_begin(j);
	for (size_t i = 0; i < row->errors->len; i++) {
		const struct call_error *e = vec_at(row->errors, i);

		add_error_name(&v->text, row, e);
		json_member_u64(j, strbuf_text(&v->text), e->count);
		strbuf_reset(&v->text);
	}
	if (row->errors_other)
		json_member_u64(j, "other", row->errors_other);
	json_object_end(j);
}

static void json_latency(struct json *j, const struct hist *h)
{
	json_key(j, "latency_ns");
	if (h->count == 0) {
		json_null(j);
		return;
	}
	json_object_begin(j);
	json_member_i64(j, "p50", hist_percentile(h, 50));
	json_member_i64(j, "p90", hist_percentile(h, 90));
	json_member_i64(j, "p99", hist_percentile(h, 99));
	json_member_i64(j, "max", h->max_ns);
	json_object_end(j);
}

static void json_rpc(struct summary_view *v, struct json *j)
{
	json_key(j, "rpc");
	json_array_begin(j);
	for (size_t i = 0; i < v->calls.stats.len; i++) {
		const struct call_stats *s = *(struct call_stats **)vec_at(&v->calls.stats, i);
		struct summary_row row = row_of_stats(s);
		bool callback = label_is_callback(s->program);

		if (s->calls == 0 && s->program == 0)
			continue; /* replies without their calls: counted under undecoded */
		json_object_begin(j);
		json_member_u64(j, "program", s->program);
		json_member_u64(j, "version", s->version);
		json_member_u64(j, "procedure", s->procedure);
		label_add_program(&v->text, callback, s->program);
		label_member(j, "program_name", &v->text);
		label_add_procedure(&v->text, callback, s->program, s->version, s->procedure);
		label_member(j, "name", &v->text);
		json_member_u64(j, "calls", s->calls);
		json_member_u64(j, "replies", s->replies);
		json_member_u64(j, "retransmissions", s->retransmissions);
		json_member_u64(j, "unanswered", s->unanswered);
		json_errors(v, j, &row);
		json_latency(j, &s->latency);
		json_object_end(j);
	}
	json_array_end(j);
}

static void json_ops(struct summary_view *v, struct json *j)
{
	json_key(j, "nfs4_ops");
	json_array_begin(j);
	for (size_t i = 0; i < v->calls.ops.len; i++) {
		const struct call_op_stats *s = *(struct call_op_stats **)vec_at(&v->calls.ops, i);
		struct summary_row row = row_of_op(s);

		json_object_begin(j);
		if (s->minor_version == UINT32_MAX)
			json_member_null(j, "minor_version");
		else
			json_member_u64(j, "minor_version", s->minor_version);
		json_member_bool(j, "callback", s->callback);
		json_member_u64(j, "op", s->op);
		label_add_op(&v->text, s->callback, s->op);
		label_member(j, "name", &v->text);
		json_member_u64(j, "calls", s->calls);
		json_member_u64(j, "replies", s->replies);
		json_member_u64(j, "unanswered", s->unanswered);
		json_member_u64(j, "not_executed", s->not_executed);
		json_errors(v, j, &row);
		json_latency(j, &s->latency);
		json_object_end(j);
	}
	json_array_end(j);
}

static void summary_json(struct show *s, struct summary_view *v)
{
	const struct ingest_totals *totals = ingest_totals(s->run.ingest);
	const struct ingest_undecoded *undecoded;
	struct json j;
	size_t count;

	json_init(&j, &s->line, true);
	json_object_begin(&j);
	json_rpc(v, &j);
	json_ops(v, &j);
	json_member_u64(&j, "conns", totals->tcp_connections + totals->udp_pairs);
	json_member_u64(&j, "rpc_conns", totals->rpc_connections + totals->udp_pairs);
	json_member_u64(&j, "frames", totals->frames);
	json_key(&j, "undecoded");
	json_object_begin(&j);
	undecoded = ingest_undecoded(s->run.ingest, &count);
	for (size_t i = 0; i < count; i++)
		if (undecoded[i].count)
			json_member_u64(&j, undecoded[i].reason, undecoded[i].count);
	json_object_end(&j);
	json_object_end(&j);
	strbuf_add_char(&s->line, '\n');
}

static void text_latency(struct strbuf *out, int64_t ns, bool known)
{
	char text[STAMP_TEXT_BYTES] = "-";

	if (known)
		stamp_format_duration(ns, text);
	strbuf_add_format(out, " %10s", text);
}

static void text_row(struct summary_view *v, struct strbuf *out, const struct summary_row *row)
{
	const struct hist *h = row->latency;

	strbuf_add_format(out, "%-26s", strbuf_text(&v->text));
	strbuf_reset(&v->text);
	strbuf_add_format(out, " %9llu %9llu %7llu %7llu", (unsigned long long)row->calls,
			  (unsigned long long)row->replies,
			  (unsigned long long)row->retransmissions,
			  (unsigned long long)row->unanswered);
	text_latency(out, hist_percentile(h, 50), h->count != 0);
	text_latency(out, hist_percentile(h, 99), h->count != 0);
	text_latency(out, h->max_ns, h->count != 0);
	for (size_t i = 0; i < row->errors->len; i++) {
		const struct call_error *e = vec_at(row->errors, i);

		strbuf_add_text(out, i ? ", " : "  ");
		add_error_name(out, row, e);
		strbuf_add_format(out, " %llu", (unsigned long long)e->count);
	}
	strbuf_add_char(out, '\n');
}

static void text_head(struct strbuf *out, const char *title)
{
	strbuf_add_format(out, "\n%-26s %9s %9s %7s %7s %10s %10s %10s  %s\n", title, "calls",
			  "replies", "again", "no rep.", "p50", "p99", "max", "errors");
}

static void text_tables(struct strbuf *out, struct summary_view *v)
{
	if (v->calls.stats.len)
		text_head(out, "RPC");
	for (size_t i = 0; i < v->calls.stats.len; i++) {
		const struct call_stats *s = *(struct call_stats **)vec_at(&v->calls.stats, i);
		struct summary_row row = row_of_stats(s);
		bool callback = label_is_callback(s->program);

		if (s->calls == 0 && s->program == 0)
			continue;
		label_add_program(&v->text, callback, s->program);
		strbuf_add_format(&v->text, "v%u ", s->version);
		label_add_procedure(&v->text, callback, s->program, s->version, s->procedure);
		text_row(v, out, &row);
	}
	if (v->calls.ops.len)
		text_head(out, "NFSv4 operation");
	for (size_t i = 0; i < v->calls.ops.len; i++) {
		const struct call_op_stats *s = *(struct call_op_stats **)vec_at(&v->calls.ops, i);
		struct summary_row row = row_of_op(s);

		if (s->minor_version == UINT32_MAX)
			strbuf_add_text(&v->text, "4.? ");
		else
			strbuf_add_format(&v->text, "4.%u ", s->minor_version);
		label_add_op(&v->text, s->callback, s->op);
		text_row(v, out, &row);
	}
}

static void summary_text(struct show *s, struct summary_view *v)
{
	const struct ingest_totals *totals = ingest_totals(s->run.ingest);
	const struct ingest_undecoded *undecoded;
	struct strbuf *out = &s->line;
	bool heading = false;
	size_t count;

	layout_add_counted(out, totals->frames, "frame");
	strbuf_add_text(out, ", ");
	layout_add_counted(out, totals->tcp_connections, "TCP connection");
	strbuf_add_format(out, ", %llu of them with RPC",
			  (unsigned long long)totals->rpc_connections);
	if (totals->udp_pairs) {
		strbuf_add_text(out, ", ");
		layout_add_counted(out, totals->udp_pairs, "pair");
		strbuf_add_text(out, " of UDP ports");
	}
	strbuf_add_char(out, '\n');
	text_tables(out, v);
	undecoded = ingest_undecoded(s->run.ingest, &count);
	for (size_t i = 0; i < count; i++) {
		if (!undecoded[i].count)
			continue;
		if (!heading)
			strbuf_add_text(out, "\nnot decoded\n");
		heading = true;
		strbuf_add_format(out, "%9llu %s\n", (unsigned long long)undecoded[i].count,
				  undecoded[i].reason);
	}
}

static void *summary_create(struct show *s)
{
	struct summary_view *v = mem_alloc(1, sizeof(*v));

	strbuf_init(&v->text);
	call_model_init(&v->calls);
	call_model_attach(&v->calls, &s->run.board);
	return v;
}

static void summary_finish(struct show *s, void *state)
{
	struct summary_view *v = state;

	call_model_sort(&v->calls);
	if (s->options->json)
		summary_json(s, v);
	else
		summary_text(s, v);
	show_flush(s);
}

static void summary_destroy(void *state)
{
	struct summary_view *v = state;

	call_model_deinit(&v->calls);
	strbuf_deinit(&v->text);
	free(v);
}

const struct show_view show_view_summary = {
	.name = "summary",
	.detail = RUN_COUNTS_ONLY,
	.create = summary_create,
	.finish = summary_finish,
	.destroy = summary_destroy,
};
