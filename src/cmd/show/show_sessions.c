// SPDX-License-Identifier: GPL-2.0-or-later
/* `show sessions`: NFSv4.1 sessions, one a line. */
#include <stdlib.h>

#include "base/mem.h"
#include "cmd/label.h"
#include "cmd/show/show.h"
#include "cmd/show/show_nfs4.h"
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

/* The client's owner; NULL: it did not introduce itself in the evidence. */
static const struct nfs4_name *session_owner(const struct nfs4_session *n)
{
	const struct nfs4_party *p = n->party ? nfs4_party_find(n->party) : NULL;

	return p && p->instance ? &p->instance->owner->name : NULL;
}

/* The client's host; of several, the last. */
static void add_client(struct strbuf *out, const struct nfs4_session *n)
{
	if (n->party)
		endpoint_add_host(out, &nfs4_party_find(n->party)->host);
}

static void sessions_json(struct show *s, const struct nfs4_session *n)
{
	const struct nfs4_name *owner = session_owner(n);
	struct strbuf text;
	struct json j;

	strbuf_init(&text);
	add_client(&text, n);
	json_init(&j, &s->line, false);
	json_object_begin(&j);
	label_member(&j, "client", &text);
	json_key(&j, "owner");
	if (owner)
		json_bytes(&j, slice_make(owner->bytes, owner->len));
	else
		json_null(&j);
	show_nfs4_session_members(s, &j, n);
	json_object_end(&j);
	strbuf_deinit(&text);
}

static void sessions_text(struct show *s, const struct nfs4_session *n)
{
	const struct nfs4_name *owner = session_owner(n);
	struct strbuf *line = &s->line;
	struct provenance place = session_place(n);
	char text[STAMP_TEXT_BYTES];

	stamp_format_time(place.at, text);
	strbuf_add_format(line, "%-15s ", text);
	strbuf_add_hex(line, slice_make(n->id, NFS4_SESSIONID_BYTES));
	strbuf_add_text(line, "  ");
	add_client(line, n);
	if (!n->party)
		strbuf_add_text(line, "not known");
	if (owner) {
		strbuf_add_text(line, " \"");
		strbuf_add_safe(line, slice_make(owner->bytes, owner->len));
		strbuf_add_char(line, '"');
	}
	strbuf_add_text(line, "  server ");
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

		if (s->options->json)
			sessions_json(s, n);
		else
			sessions_text(s, n);
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
	.heading = "made or first seen, session ID, client and its owner, server, client ID, its "
		   "story",
	.create = sessions_create,
	.finish = sessions_finish,
	.destroy = sessions_destroy,
};
