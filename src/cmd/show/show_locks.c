// SPDX-License-Identifier: GPL-2.0-or-later
/* `show locks`: locks of NLM, one a line, from the first request until they are given back. */
#include <stdlib.h>

#include "base/mem.h"
#include "cmd/label.h"
#include "cmd/show/show.h"
#include "event/handle.h"
#include "model/nlm/nlm.h"

/* The model tells each lock as it ends. */
struct locks_view {
	struct show *show;
	struct nlm_model model;
	struct strbuf text; /* one field under way */
};

static void json_place(struct json *j, const char *time_key, const char *frame_key,
		       const struct provenance *at)
{
	bool seen = at->frame != FRAME_NONE;

	label_member_stamp(j, time_key, seen ? at->at : stamp_none());
	if (seen)
		json_member_u64(j, frame_key, at->frame);
	else
		json_member_null(j, frame_key);
}

static void json_owner(struct locks_view *v, struct json *j, const struct nlm_owner *o)
{
	endpoint_add_host(&v->text, &o->host);
	label_member(j, "client", &v->text);
	json_member_text(j, "caller", o->caller[0] ? o->caller : NULL);
	json_member_i64(j, "svid", o->svid);
}

static void json_range(struct json *j, uint64_t offset, uint64_t length, bool exclusive)
{
	json_member_u64(j, "offset", offset);
	json_member_u64(j, "length", length);
	json_member_bool(j, "exclusive", exclusive);
}

static void json_holder(struct locks_view *v, struct json *j, const struct nlm_holder *h)
{
	json_key(j, "holder");
	if (!h->seen && !h->told) {
		json_null(j);
		return;
	}
	json_object_begin(j);
	if (h->seen)
		json_owner(v, j, &h->owner);
	else
		json_member_i64(j, "svid", h->owner.svid);
	json_range(j, h->offset, h->length, h->exclusive);
	if (h->seen) {
		json_place(j, "granted_time", "granted_frame", &h->granted);
		json_place(j, "released_time", "released_frame", &h->released);
	}
	json_object_end(j);
}

static void locks_json(struct locks_view *v, const struct nlm_lock *l)
{
	struct json j;

	json_init(&j, &v->show->line, false);
	json_object_begin(&j);
	json_member_text(&j, "evidence", show_evidence(v->show, l->asked.evidence));
	json_place(&j, "time", "frame", &l->asked);
	json_owner(v, &j, &l->owner);
	endpoint_add_text(&v->text, &l->conn.server);
	label_member(&j, "server", &v->text);
	strbuf_add_format(&v->text, "0x%08x", file_handle_hash(&l->file));
	label_member(&j, "file", &v->text);
	strbuf_add_hex(&v->text, slice_make(l->file.bytes, l->file.len));
	label_member(&j, "file_handle", &v->text);
	json_range(&j, l->offset, l->length, l->exclusive);
	json_member_bool(&j, "reclaim", l->reclaim);
	json_member_text(&j, "state", nlm_state_name(l->state));
	label_add_status(&v->text, LABEL_PROGRAM_NLM, 4, RPC_SUCCESS, true, l->status);
	label_member(&j, "status", &v->text);
	json_member_u64(&j, "requests", l->requests);
	json_member_u64(&j, "callbacks", l->callbacks);
	if (l->refused.frame == FRAME_NONE)
		json_member_null(&j, "waited_ns");
	else
		json_member_i64(&j, "waited_ns", nlm_lock_wait_ns(l));
	json_member_bool(&j, "granted_by_callback", l->granted_by_callback);
	json_place(&j, "granted_time", "granted_frame", &l->granted);
	json_place(&j, "ended_time", "ended_frame", &l->ended);
	json_holder(v, &j, &l->holder);
	json_object_end(&j);
}

static void text_owner(struct strbuf *line, const struct nlm_owner *o)
{
	endpoint_add_host(line, &o->host);
	strbuf_add_format(line, "#%d", o->svid);
}

static void text_range(struct strbuf *line, const struct nlm_lock *l)
{
	strbuf_add_text(line, l->exclusive ? "exclusive " : "shared ");
	if (l->offset == 0 && l->length == 0)
		strbuf_add_text(line, "whole file");
	else if (l->length == 0)
		strbuf_add_format(line, "%llu on", (unsigned long long)l->offset);
	else
		strbuf_add_format(line, "%llu+%llu", (unsigned long long)l->offset,
				  (unsigned long long)l->length);
}

static void text_wait(struct strbuf *line, const struct nlm_lock *l)
{
	char text[STAMP_TEXT_BYTES];

	if (l->refused.frame != FRAME_NONE) {
		stamp_format_duration(nlm_lock_wait_ns(l), text);
		strbuf_add_format(line, ", waited %s", text);
		if (l->requests > 1)
			strbuf_add_format(line, " (asked %u times)", l->requests);
	}
	if (l->holder.seen) {
		strbuf_add_text(line, " for ");
		text_owner(line, &l->holder.owner);
	} else if (l->holder.told) {
		strbuf_add_format(line, " for #%d of some host", l->holder.owner.svid);
	}
	if (l->graces)
		strbuf_add_format(line, ", %u times told of the grace period", l->graces);
	if (l->granted_by_callback)
		strbuf_add_text(line, ", granted by callback");
	if (l->granted.frame != FRAME_NONE && l->ended.frame != FRAME_NONE) {
		stamp_format_duration(l->ended.at.ns - l->granted.at.ns, text);
		strbuf_add_format(line, ", held for %s", text);
	}
}

static void locks_text(struct locks_view *v, const struct nlm_lock *l)
{
	struct strbuf *line = &v->show->line;
	char text[STAMP_TEXT_BYTES];
	size_t start;

	stamp_format_time(l->asked.at, text);
	strbuf_add_format(line, "%-15s ", text);
	if (v->show->run.evidence.items.len > 1)
		strbuf_add_format(line, "%-4s", show_evidence(v->show, l->asked.evidence));
	strbuf_add_format(line, "%7llu  ", (unsigned long long)l->asked.frame);
	start = line->len;
	text_owner(line, &l->owner);
	strbuf_add_text(line, " > ");
	endpoint_add_text(line, &l->conn.server);
	show_pad(line, start, 36);
	strbuf_add_format(line, "0x%08x ", file_handle_hash(&l->file));
	start = line->len;
	text_range(line, l);
	show_pad(line, start, 21);
	strbuf_add_text(line, nlm_state_name(l->state));
	text_wait(line, l);
}

static void locks_take(void *context, const struct nlm_lock *l)
{
	struct locks_view *v = context;

	if (v->show->options->json)
		locks_json(v, l);
	else
		locks_text(v, l);
	show_line(v->show, l->asked.at, l->asked.evidence, l->asked.frame);
}

static void *locks_create(struct show *s)
{
	struct locks_view *v = mem_alloc(1, sizeof(*v));

	v->show = s;
	strbuf_init(&v->text);
	nlm_model_init(&v->model);
	v->model.ended = locks_take;
	v->model.ended_context = v;
	nlm_model_attach(&v->model, &s->run.board);
	return v;
}

static void locks_finish(struct show *s, void *state)
{
	struct locks_view *v = state;

	(void)s;
	nlm_model_finish(&v->model);
}

static void locks_destroy(void *state)
{
	struct locks_view *v = state;

	nlm_model_deinit(&v->model);
	strbuf_deinit(&v->text);
	free(v);
}

const struct show_view show_view_locks = {
	.name = "locks",
	.sortable = true,
	.heading = "first request, [evidence,] frame, client#process > server, hash of the file "
		   "handle, lock, what became of it",
	.create = locks_create,
	.finish = locks_finish,
	.destroy = locks_destroy,
};
