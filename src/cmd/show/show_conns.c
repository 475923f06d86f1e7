// SPDX-License-Identifier: GPL-2.0-or-later
/* `show conns`: TCP connections, one a line, and what other captures show of each. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"
#include "cmd/label.h"
#include "cmd/show/show.h"
#include "model/conn.h"
#include "model/wire/wire.h"
#include "report/layout.h"

struct conns {
	struct conn_model conns;
	struct wire_model wire;
};

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

/* What another capture shows of it. */
struct conns_end {
	const struct wire_record *record;
	struct wire_tale tale[2]; /* by enum conn_side, with is_placed */
	bool is_placed;           /* it is known which capture is nearer to whom */
	bool translated;          /* it shows other addresses or ports */
};

static bool conns_end_of(const struct conns *c, size_t i, const struct conn_record *r,
			 struct conns_end *out)
{
	const struct wire_record *w = *(struct wire_record **)vec_at(&c->wire.records, i);
	bool high = endpoint_compare(&r->conn.client, &r->conn.server) > 0;

	if (w->conn.serial != r->conn.serial)
		return false;
	*out = (struct conns_end){.record = w};
	out->is_placed = wire_record_tale(w, CONN_FROM_CLIENT, &out->tale[CONN_FROM_CLIENT]) &&
			 wire_record_tale(w, CONN_FROM_SERVER, &out->tale[CONN_FROM_SERVER]);
	out->translated = w->ends[0].port && (!endpoint_equal(&w->ends[high], &r->conn.client) ||
					      !endpoint_equal(&w->ends[!high], &r->conn.server));
	return true;
}

static uint64_t way_both(const struct wire_record *w, const struct conn_record *r,
			 enum conn_side from)
{
	bool client_high = endpoint_compare(&r->conn.client, &r->conn.server) > 0;

	return w->way[client_high == (from == CONN_FROM_CLIENT)].both;
}

static void conns_json_end(struct show *s, struct json *j, const struct conn_record *r,
			   const struct conns_end *e)
{
	const struct wire_record *w = e->record;
	const struct wire_tale *t = e->tale;
	uint64_t both[2] = {way_both(w, r, CONN_FROM_CLIENT), way_both(w, r, CONN_FROM_SERVER)};
	bool high = endpoint_compare(&r->conn.client, &r->conn.server) > 0;

	json_object_begin(j);
	json_member_text(j, "evidence", show_evidence(s, w->other));
	if (e->translated) {
		conns_text_member(j, "client", &w->ends[high]);
		conns_text_member(j, "server", &w->ends[!high]);
	}
	json_sides(j, "both", both);
	json_member_text(j, "nearer_to",
			 !e->is_placed                  ? NULL
			 : t[0].near_sender == w->other ? "client"
							: "server");
	if (e->is_placed) {
		json_sides(j, "lost", (const uint64_t[2]){t[0].lost, t[1].lost});
		json_sides(j, "not_shown", (const uint64_t[2]){t[0].not_shown, t[1].not_shown});
		json_sides(j, "not_caught", (const uint64_t[2]){t[0].not_caught, t[1].not_caught});
	}
	json_member_u64(j, "unplaced", w->way[0].unplaced + w->way[1].unplaced);
	json_object_end(j);
}

static void conns_json_ends(struct show *s, struct json *j, const struct conns *c,
			    const struct conn_record *r)
{
	size_t at = wire_model_find(&c->wire, r->conn.serial);
	struct conns_end e;

	if (at == c->wire.records.len || !conns_end_of(c, at, r, &e))
		return;
	json_key(j, "ends");
	json_array_begin(j);
	for (; at < c->wire.records.len && conns_end_of(c, at, r, &e); at++)
		conns_json_end(s, j, r, &e);
	json_array_end(j);
}

static void conns_json(struct show *s, const struct conns *c, const struct conn_record *r)
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
	conns_json_ends(s, &j, c, r);
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

/* What its captures show together. */
static void add_ends(struct show *s, const struct conns *c, const struct conn_record *r)
{
	struct strbuf *line = &s->line;
	struct conns_end e;

	for (size_t at = wire_model_find(&c->wire, r->conn.serial);
	     at < c->wire.records.len && conns_end_of(c, at, r, &e); at++) {
		const struct wire_record *w = e.record;
		bool high = endpoint_compare(&r->conn.client, &r->conn.server) > 0;
		uint64_t lost = e.is_placed ? e.tale[0].lost + e.tale[1].lost : 0;

		strbuf_add_format(line, "; with %s", show_evidence(s, w->other));
		if (e.translated) {
			strbuf_add_text(line, " (there ");
			endpoint_add_text(line, &w->ends[high]);
			strbuf_add_text(line, " > ");
			endpoint_add_text(line, &w->ends[!high]);
			strbuf_add_char(line, ')');
		}
		strbuf_add_text(line, ": ");
		layout_add_counted(line, w->way[0].both + w->way[1].both, "segment");
		strbuf_add_text(line, " in both");
		if (lost)
			strbuf_add_format(line, ", lost between %" PRIu64 " > and %" PRIu64 " <",
					  e.tale[CONN_FROM_CLIENT].lost,
					  e.tale[CONN_FROM_SERVER].lost);
	}
}

static void conns_text(struct show *s, const struct conns *c, const struct conn_record *r)
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
	add_ends(s, c, r);
}

static void *conns_create(struct show *s)
{
	struct conns *c = mem_alloc(1, sizeof(*c));

	conn_model_init(&c->conns);
	conn_model_attach(&c->conns, &s->run.board);
	wire_model_init(&c->wire);
	wire_model_attach(&c->wire, &s->run.board);
	return c;
}

static void conns_finish(struct show *s, void *state)
{
	struct conns *c = state;

	wire_model_finish(&c->wire);
	for (size_t i = 0; i < c->conns.records.len; i++) {
		const struct conn_record *r = *(struct conn_record **)vec_at(&c->conns.records, i);

		if (s->options->json)
			conns_json(s, c, r);
		else
			conns_text(s, c, r);
		show_line(s, r->first.at, r->conn.evidence, r->first.frame);
	}
}

static void conns_destroy(void *state)
{
	struct conns *c = state;

	conn_model_deinit(&c->conns);
	wire_model_deinit(&c->wire);
	free(c);
}

const struct show_view show_view_conns = {
	.name = "conns",
	.sortable = true,
	.heading = "first and last segment, [evidence,] client > server, state, what it carried",
	.create = conns_create,
	.finish = conns_finish,
	.destroy = conns_destroy,
};
