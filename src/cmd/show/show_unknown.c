// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `show unknown`: lines of logs, stacks and traces that no reader of these understands, and events
 * of a trace that tell nothing here. Lists and tables in the same text may be known to others.
 */
#include <inttypes.h>

#include "base/json.h"
#include "cmd/show/show.h"

static void *unknown_create(struct show *s)
{
	return s;
}

static void add_line(struct show *s, const struct run_unknown *u)
{
	struct json j;

	if (s->options->json) {
		json_init(&j, &s->line, false);
		json_object_begin(&j);
		json_member_text(&j, "evidence", show_evidence(s, u->evidence));
		json_member_u64(&j, "line", u->line);
		json_key(&j, "text");
		json_bytes(&j, slice_of_string(u->text));
		json_object_end(&j);
	} else {
		strbuf_add_format(&s->line, "%s line %" PRIu64 ": ", show_evidence(s, u->evidence),
				  u->line);
		strbuf_add_safe(&s->line, slice_of_string(u->text));
	}
	strbuf_add_char(&s->line, '\n');
	show_flush(s);
}

static void unknown_finish(struct show *s, void *state)
{
	(void)state;
	for (size_t i = 0; i < s->run.unknown.len; i++)
		add_line(s, vec_at(&s->run.unknown, i));
	if (s->run.unknown_dropped && !s->options->json) {
		strbuf_add_format(&s->line, "# and %" PRIu64 " more, for which there was no room\n",
				  s->run.unknown_dropped);
		show_flush(s);
	}
}

static void unknown_destroy(void *state)
{
	(void)state;
}

const struct show_view show_view_unknown = {
	.name = "unknown",
	.wants_unknown = true,
	.create = unknown_create,
	.finish = unknown_finish,
	.destroy = unknown_destroy,
};
