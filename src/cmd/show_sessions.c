// SPDX-License-Identifier: GPL-2.0-or-later
/* `show sessions`: NFSv4.1 sessions, one a line. */
#include <stdlib.h>

#include "base/mem.h"
#include "cmd/label.h"
#include "cmd/show.h"
#include "cmd/show_nfs4.h"
#include "report/layout.h"

/* Where a session is first heard of. */
static struct provenance session_place(const struct nfs4_session *n)
{
	if (n->created.frame != FRAME_NONE)
		return n->created;
	if (n->last_ok.frame != FRAME_NONE)
		return n->last_ok;
	return n->refused;
}

static void sessions_text(struct show *s, const struct nfs4_session *n)
{
	struct strbuf *line = &s->line;
	struct provenance place = session_place(n);
	char text[STAMP_TEXT_BYTES];

	stamp_format_time(place.at, text);
	strbuf_add_format(line, "%-15s ", text);
	strbuf_add_hex(line, slice_make(n->id, NFS4_SESSIONID_BYTES));
	strbuf_add_text(line, "  ");
	endpoint_add_host(line, &n->server->at);
	strbuf_add_text(line, "  client ID ");
	if (n->has_clientid)
		strbuf_add_format(line, "%016llx", (unsigned long long)n->clientid);
	else
		strbuf_add_text(line, "not known");
	strbuf_add_text(line, "  ");
	show_nfs4_session_story(s, n);
}

static void *sessions_create(struct show *s)
{
	struct nfs4_model *m = mem_alloc(1, sizeof(*m));

	nfs4_model_init(m);
	nfs4_model_attach(m, &s->run.board);
	return m;
}

static void sessions_finish(struct show *s, void *state)
{
	struct nfs4_model *m = state;

	nfs4_model_finish(m);
	for (const struct nfs4_session *n = m->sessions; n; n = n->next) {
		struct provenance place = session_place(n);
		struct json j;

		if (s->options->json) {
			json_init(&j, &s->line, false);
			show_nfs4_session_json(s, &j, n);
		} else {
			sessions_text(s, n);
		}
		show_line(s, place.at, place.evidence, place.frame);
	}
}

static void sessions_destroy(void *state)
{
	nfs4_model_deinit(state);
	free(state);
}

const struct show_view show_view_sessions = {
	.name = "sessions",
	.sortable = true,
	.heading = "made or first seen, session ID, server, client ID, its story",
	.create = sessions_create,
	.finish = sessions_finish,
	.destroy = sessions_destroy,
};
