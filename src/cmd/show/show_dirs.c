// SPDX-License-Identifier: GPL-2.0-or-later
/* `show dirs`: listings of directories, one chain of cookies a line. */
#include <stdlib.h>

#include "base/mem.h"
#include "cmd/label.h"
#include "cmd/show/show.h"
#include "event/handle.h"
#include "model/dir.h"
#include "report/layout.h"

/* The model tells each chain as it ends. */
struct dirs_view {
	struct show *show;
	struct dir_model model;
	struct strbuf text; /* one field under way */
};

static int64_t mean_ns(const struct dir_chain *c)
{
	return c->replies ? c->rtt_sum_ns / (int64_t)c->replies : 0;
}

static void json_counts(struct json *j, const struct dir_chain *c)
{
	json_member_u64(j, "calls", c->calls);
	json_member_u64(j, "replies", c->replies);
	json_member_u64(j, "entries", c->entries);
	if (c->last.frame == FRAME_NONE)
		json_member_null(j, "elapsed_ns");
	else
		json_member_i64(j, "elapsed_ns", dir_chain_elapsed_ns(c));
	json_member_i64(j, "round_trips_ns", c->rtt_sum_ns);
	json_member_i64(j, "round_trip_min_ns", c->rtt_min_ns);
	json_member_i64(j, "round_trip_max_ns", c->rtt_max_ns);
	json_member_u64(j, "cookie_repeats", c->repeats);
	json_member_u64(j, "others_at_once", c->others);
}

static void dirs_json(struct dirs_view *v, const struct dir_chain *c)
{
	struct json j;

	json_init(&j, &v->show->line, false);
	json_object_begin(&j);
	json_member_text(&j, "evidence", show_evidence(v->show, c->first.evidence));
	label_member_stamp(&j, "time", c->first.at);
	json_member_u64(&j, "frame", c->first.frame);
	label_member_stamp(&j, "last", c->last.frame == FRAME_NONE ? stamp_none() : c->last.at);
	if (c->last.frame == FRAME_NONE)
		json_member_null(&j, "last_frame");
	else
		json_member_u64(&j, "last_frame", c->last.frame);
	endpoint_add_host(&v->text, &c->client);
	label_member(&j, "client", &v->text);
	endpoint_add_text(&v->text, &c->server);
	label_member(&j, "server", &v->text);
	strbuf_add_format(&v->text, "0x%08x", file_handle_hash(&c->dir));
	label_member(&j, "directory", &v->text);
	strbuf_add_hex(&v->text, slice_make(c->dir.bytes, c->dir.len));
	label_member(&j, "directory_handle", &v->text);
	json_member_u64(&j, "version", c->version);
	json_member_bool(&j, "attributes", c->plus);
	json_member_text(&j, "state", dir_state_name(c->state));
	json_member_bool(&j, "joined", c->joined);
	json_member_bool(&j, "cut", c->cut);
	json_counts(&j, c);
	json_object_end(&j);
}

static void text_counts(struct strbuf *line, const struct dir_chain *c)
{
	char text[STAMP_TEXT_BYTES];

	strbuf_add_format(line, "%s%s, ", dir_state_name(c->state), c->cut ? " (cut)" : "");
	layout_add_counted(line, c->calls, "call");
	strbuf_add_text(line, ", ");
	layout_add_count(line, c->entries);
	strbuf_add_text(line, c->entries == 1 ? " entry" : " entries");
	if (c->replies == 0)
		return;
	stamp_format_duration(dir_chain_elapsed_ns(c), text);
	strbuf_add_format(line, " in %s", text);
	stamp_format_duration(c->rtt_sum_ns, text);
	strbuf_add_format(line, ", %s of it in round trips", text);
	stamp_format_duration(mean_ns(c), text);
	strbuf_add_format(line, " of %s", text);
	stamp_format_duration(c->rtt_max_ns, text);
	strbuf_add_format(line, ", %s at most", text);
}

static void dirs_text(struct dirs_view *v, const struct dir_chain *c)
{
	struct strbuf *line = &v->show->line;
	char text[STAMP_TEXT_BYTES];
	size_t start;

	stamp_format_time(c->first.at, text);
	strbuf_add_format(line, "%-15s ", text);
	if (v->show->run.evidence.items.len > 1)
		strbuf_add_format(line, "%-4s", show_evidence(v->show, c->first.evidence));
	strbuf_add_format(line, "%7llu  ", (unsigned long long)c->first.frame);
	start = line->len;
	endpoint_add_host(line, &c->client);
	strbuf_add_text(line, " > ");
	endpoint_add_text(line, &c->server);
	show_pad(line, start, 32);
	strbuf_add_format(line, "0x%08x v%u%s ", file_handle_hash(&c->dir), c->version,
			  c->plus ? "+" : " ");
	text_counts(line, c);
	if (c->others)
		strbuf_add_format(line, ", up to %u more at once", c->others);
	if (c->repeats) {
		strbuf_add_text(line, ", a cookie asked again ");
		layout_add_counted(line, c->repeats, "time");
	}
	if (c->joined)
		strbuf_add_text(line, ", began before the capture");
}

static void dirs_take(void *context, const struct dir_chain *c)
{
	struct dirs_view *v = context;

	if (v->show->options->json)
		dirs_json(v, c);
	else
		dirs_text(v, c);
	show_line(v->show, c->first.at, c->first.evidence, c->first.frame);
}

static void *dirs_create(struct show *s)
{
	struct dirs_view *v = mem_alloc(1, sizeof(*v));

	v->show = s;
	strbuf_init(&v->text);
	dir_model_init(&v->model);
	v->model.ended = dirs_take;
	v->model.ended_context = v;
	dir_model_attach(&v->model, &s->run.board);
	return v;
}

static void dirs_finish(struct show *s, void *state)
{
	struct dirs_view *v = state;

	(void)s;
	dir_model_finish(&v->model);
}

static void dirs_destroy(void *state)
{
	struct dirs_view *v = state;

	dir_model_deinit(&v->model);
	strbuf_deinit(&v->text);
	free(v);
}

const struct show_view show_view_dirs = {
	.name = "dirs",
	.sortable = true,
	.heading = "first call, [evidence,] frame, client > server, hash of the directory's "
		   "handle, version (+: with attributes), what became of it",
	.create = dirs_create,
	.finish = dirs_finish,
	.destroy = dirs_destroy,
};
