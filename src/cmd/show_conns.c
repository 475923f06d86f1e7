// SPDX-License-Identifier: GPL-2.0-or-later
/* `show conns`: TCP connections, one a line. */
#include <stdlib.h>

#include "base/mem.h"
#include "cmd/label.h"
#include "cmd/show.h"
#include "model/conn.h"
#include "report/layout.h"

static void conns_text_member(struct json *j, const char *key, const struct endpoint *e)
{
	struct strbuf text;

	strbuf_init(&text);
	endpoint_add_text(&text, e);
	label_member(j, key, &text);
	strbuf_deinit(&text);
}

/* A pair of counts, by enum conn_side. */
static void json_sides(struct json *j, const char *key, const uint64_t counts[2])
{
	json_key(j, key);
	json_object_begin(j);
	json_member_u64(j, "client", counts[CONN_FROM_CLIENT]);
	json_member_u64(j, "server", counts[CONN_FROM_SERVER]);
	json_object_end(j);
}

static void conns_json(struct show *s, const struct conn_record *r)
{
	struct json j;

	json_init(&j, &s->line, false);
	json_object_begin(&j);
	json_member_text(&j, "evidence", show_evidence(s, r->conn.evidence));
	conns_text_member(&j, "client", &r->conn.client);
	conns_text_member(&j, "server", &r->conn.server);
	json_member_text(&j, "transport", label_transport(r->conn.transport));
	json_member_text(&j, "state", conn_state_name(r->state));
	label_member_stamp(&j, "first", r->first.at);
	label_member_stamp(&j, "last", r->last.at);
	json_member_u64(&j, "first_frame", r->first.frame);
	json_member_u64(&j, "last_frame", r->last.frame);
	json_member_bool(&j, "joined", r->conn.joined);
	json_member_bool(&j, "lossy", r->conn.lossy);
	json_member_u64(&j, "calls", r->calls);
	json_member_u64(&j, "replies", r->replies);
	json_member_u64(&j, "syns", r->syns);
	json_member_u64(&j, "challenges", r->challenges);
	json_sides(&j, "retransmissions", r->retransmissions);
	if (r->ended) {
		json_sides(&j, "segments", r->totals.segments);
		json_sides(&j, "bytes", r->totals.payload_bytes);
		json_sides(&j, "lost_bytes", r->totals.lost_bytes);
		json_sides(&j, "cut_bytes", r->totals.cut_bytes);
		json_member_u64(&j, "completeness", r->totals.completeness);
	}
	json_object_end(&j);
}

static void add_flags(struct strbuf *line, const struct conn_record *r)
{
	uint64_t again = r->retransmissions[0] + r->retransmissions[1];

	if (again) {
		strbuf_add_text(line, ", ");
		layout_add_counted(line, again, "retransmission");
	}
	if (r->syns > 1)
		strbuf_add_format(line, ", %u SYNs", r->syns);
	if (r->challenges)
		strbuf_add_format(line, ", SYN challenged %u times", r->challenges);
	if (r->conn.joined)
		strbuf_add_text(line, ", began before the capture");
	if (r->conn.lossy)
		strbuf_add_text(line, ", bytes missing in the capture");
}

static void conns_text(struct show *s, const struct conn_record *r)
{
	struct strbuf *line = &s->line;
	char text[STAMP_TEXT_BYTES];
	size_t start;

	stamp_format_time(r->first.at, text);
	strbuf_add_format(line, "%-15s ", text);
	stamp_format_time(r->last.at, text);
	strbuf_add_format(line, "%-15s ", text);
	if (s->run.evidence.items.len > 1)
		strbuf_add_format(line, "%-4s", show_evidence(s, r->conn.evidence));
	start = line->len;
	endpoint_add_text(line, &r->conn.client);
	strbuf_add_text(line, " > ");
	endpoint_add_text(line, &r->conn.server);
	show_pad(line, start, 40);
	strbuf_add_format(line, "%-12s ", conn_state_name(r->state));
	if (r->calls || r->replies) {
		layout_add_counted(line, r->calls, "call");
		strbuf_add_text(line, ", ");
		layout_add_count(line, r->replies);
		strbuf_add_text(line, r->replies == 1 ? " reply" : " replies");
	} else {
		strbuf_add_text(line, "no RPC");
	}
	add_flags(line, r);
}

static void *conns_create(struct show *s)
{
	struct conn_model *m = mem_alloc(1, sizeof(*m));

	conn_model_init(m);
	conn_model_attach(m, &s->run.board);
	return m;
}

static void conns_finish(struct show *s, void *state)
{
	const struct conn_model *m = state;

	for (size_t i = 0; i < m->records.len; i++) {
		const struct conn_record *r = *(struct conn_record **)vec_at(&m->records, i);

		if (s->options->json)
			conns_json(s, r);
		else
			conns_text(s, r);
		show_line(s, r->first.at, r->conn.evidence, r->first.frame);
	}
}

static void conns_destroy(void *state)
{
	conn_model_deinit(state);
	free(state);
}

const struct show_view show_view_conns = {
	.name = "conns",
	.sortable = true,
	.heading = "first and last segment, [evidence,] client > server, state, what it carried",
	.create = conns_create,
	.finish = conns_finish,
	.destroy = conns_destroy,
};
