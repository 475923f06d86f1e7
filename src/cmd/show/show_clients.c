// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `show clients`: what each server knows of its NFSv4 clients: owner, instances (an instance is an
 * owner with one boot verifier), their client IDs, and the sessions of these.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "cmd/label.h"
#include "cmd/show/show.h"
#include "cmd/show/show_nfs4.h"
#include "report/layout.h"

/* Of the client IDs of an instance, and of the sessions of a client ID, this many are shown. */
enum { CLIENTS_SHOWN_MAX = 3 };

struct clients_view {
	struct nfs4_model model;
	struct show_nfs4_index clientids; /* made when the run is over */
	struct show_nfs4_index sessions;
};

static struct slice name_slice(const struct nfs4_name *name)
{
	return slice_make(name->bytes, name->len);
}

/* A session ID of a Linux server begins with the client ID, so its boot time is the client ID's. */
static struct stamp boot_of(const struct nfs4_clientid *id)
{
	int64_t boot_s = nfs4_clientid_boot_s(id->server->layout, id->id);

	return boot_s < 0 ? stamp_none() : stamp_utc(boot_s * STAMP_NS_PER_S);
}

/* --- JSON: an object a line for each owner --- */

static void json_clientid(struct show *s, struct json *j, const struct clients_view *v,
			  const struct nfs4_clientid *id)
{
	const struct show_nfs4_entry *entry;
	size_t count;

	json_object_begin(j);
	show_nfs4_clientid(j, "clientid", id->id);
	label_member_stamp(j, "server_boot", boot_of(id));
	show_nfs4_place(s, j, "given", &id->given);
	show_nfs4_place(s, j, "confirmed", &id->confirmed);
	show_nfs4_place(s, j, "refused", &id->refused);
	json_member_bool(j, "destroyed", id->destroyed);
	json_key(j, "sessions");
	json_array_begin(j);
	entry = show_nfs4_index_find(&v->sessions, id->server, id->id, &count);
	for (size_t i = 0; i < count; i++) {
		json_object_begin(j);
		show_nfs4_session_members(s, j, entry[i].item);
		json_object_end(j);
	}
	json_array_end(j);
	json_object_end(j);
}

static void json_instance(struct show *s, struct json *j, const struct clients_view *v,
			  const struct nfs4_instance *in)
{
	const struct show_nfs4_entry *entry;
	struct strbuf text;
	size_t count;

	strbuf_init(&text);
	json_object_begin(j);
	show_nfs4_hex(j, "verifier", slice_make(in->verifier, NFS4_VERIFIER_BYTES));
	label_member_stamp(j, "boot", in->boot);
	json_key(j, "hosts");
	json_array_begin(j);
	for (uint32_t i = 0; i < in->hosts_len; i++) {
		endpoint_add_host(&text, &in->hosts[i]);
		json_text(j, strbuf_text(&text));
		strbuf_reset(&text);
	}
	json_array_end(j);
	json_member_u64(j, "identifications", in->identifications);
	json_member_u64(j, "accepted", in->accepted);
	json_member_u64(j, "in_use", in->in_use);
	show_nfs4_place(s, j, "first", &in->first);
	show_nfs4_place(s, j, "last", &in->last);
	json_key(j, "clientids");
	json_array_begin(j);
	entry = show_nfs4_index_find(&v->clientids, in, 0, &count);
	for (size_t i = 0; i < count; i++)
		json_clientid(s, j, v, entry[i].item);
	json_array_end(j);
	json_object_end(j);
	strbuf_deinit(&text);
}

static void json_owner(struct show *s, struct json *j, const struct clients_view *v,
		       const struct nfs4_owner *o)
{
	struct strbuf text;

	strbuf_init(&text);
	endpoint_add_text(&text, &o->server->at);
	json_object_begin(j);
	json_key(j, "owner");
	json_bytes(j, name_slice(&o->name));
	label_member(j, "server", &text);
	json_member_u64(j, "minor_version", o->minor_version);
	json_member_u64(j, "returns", o->returns);
	json_key(j, "instances");
	json_array_begin(j);
	for (size_t i = 0; i < o->instances.len; i++)
		json_instance(s, j, v, *(struct nfs4_instance **)vec_at(&o->instances, i));
	json_array_end(j);
	json_object_end(j);
	strbuf_deinit(&text);
}

/* --- text: the same in short --- */

static void add_indent(struct show *s, size_t indent)
{
	while (indent--)
		strbuf_add_char(&s->line, ' ');
}

static void text_server(struct show *s, const struct nfs4_server *server)
{
	struct strbuf *out = &s->line;

	strbuf_add_text(out, "server ");
	endpoint_add_text(out, &server->at);
	if (server->layout != NFS4_LAYOUT_UNKNOWN)
		strbuf_add_text(out, ", client IDs as Linux nfsd makes them");
	for (uint32_t i = 0; i < server->boots_len; i++) {
		strbuf_add_text(out, i ? ", then " : ", started ");
		layout_add_period(out, stamp_utc(server->boots[i].boot_s * STAMP_NS_PER_S),
				  stamp_none());
	}
	if (server->lease_time_s)
		strbuf_add_format(out, ", lease %u s", server->lease_time_s);
	strbuf_add_char(out, '\n');
}

static void text_more(struct show *s, size_t indent, size_t count, const char *what)
{
	if (count <= CLIENTS_SHOWN_MAX)
		return;
	add_indent(s, indent);
	strbuf_add_text(&s->line, "and ");
	layout_add_counted(&s->line, count - CLIENTS_SHOWN_MAX, what);
	strbuf_add_text(&s->line, " more (--json has all)\n");
}

static void text_sessions(struct show *s, const struct clients_view *v,
			  const struct nfs4_clientid *id)
{
	size_t count;
	const struct show_nfs4_entry *entry =
		show_nfs4_index_find(&v->sessions, id->server, id->id, &count);

	for (size_t i = 0; i < count && i < CLIENTS_SHOWN_MAX; i++) {
		const struct nfs4_session *n = entry[i].item;

		add_indent(s, 8);
		strbuf_add_text(&s->line, "session ");
		strbuf_add_hex(&s->line, slice_make(n->id, NFS4_SESSIONID_BYTES));
		strbuf_add_text(&s->line, ": ");
		show_nfs4_session_story(s, n);
		strbuf_add_char(&s->line, '\n');
	}
	text_more(s, 8, count, "session");
}

static void text_clientid(struct show *s, const struct nfs4_clientid *id)
{
	add_indent(s, 6);
	strbuf_add_format(&s->line, "client ID %016llx", (unsigned long long)id->id);
	if (stamp_known(boot_of(id))) {
		strbuf_add_text(&s->line, ", server started ");
		layout_add_period(&s->line, boot_of(id), stamp_none());
	}
	if (id->refused.frame != FRAME_NONE)
		strbuf_add_format(&s->line, ", refused in frame %llu",
				  (unsigned long long)id->refused.frame);
	strbuf_add_text(&s->line, id->destroyed ? ", destroyed\n" : "\n");
}

static void text_instance(struct show *s, const struct clients_view *v,
			  const struct nfs4_instance *in)
{
	struct strbuf *out = &s->line;
	const struct show_nfs4_entry *entry;
	size_t count;

	add_indent(s, 4);
	strbuf_add_text(out, "instance ");
	strbuf_add_hex(out, slice_make(in->verifier, NFS4_VERIFIER_BYTES));
	if (stamp_known(in->boot)) {
		strbuf_add_text(out, " (started ");
		layout_add_period(out, in->boot, stamp_none());
		strbuf_add_char(out, ')');
	}
	for (uint32_t i = 0; i < in->hosts_len; i++) {
		strbuf_add_text(out, i ? ", " : " at ");
		endpoint_add_host(out, &in->hosts[i]);
	}
	strbuf_add_text(out, ": presented ");
	layout_add_counted(out, in->identifications, "time");
	strbuf_add_text(out, ", ");
	layout_add_period(out, in->first.at, in->last.at);
	strbuf_add_char(out, '\n');
	entry = show_nfs4_index_find(&v->clientids, in, 0, &count);
	for (size_t i = 0; i < count && i < CLIENTS_SHOWN_MAX; i++) {
		text_clientid(s, entry[i].item);
		text_sessions(s, v, entry[i].item);
	}
	text_more(s, 6, count, "client ID");
}

static void text_owner(struct show *s, const struct clients_view *v, const struct nfs4_owner *o)
{
	struct strbuf *out = &s->line;

	strbuf_add_text(out, "  owner \"");
	strbuf_add_safe(out, name_slice(&o->name));
	strbuf_add_format(out, "\", NFSv4.%u, ", o->minor_version);
	layout_add_counted(out, o->instances.len, "instance");
	if (o->returns) {
		strbuf_add_text(out, " that came in turn, ");
		layout_add_counted(out, o->returns, "return");
	}
	strbuf_add_char(out, '\n');
	for (size_t i = 0; i < o->instances.len; i++)
		text_instance(s, v, *(struct nfs4_instance **)vec_at(&o->instances, i));
}

static void clients_text(struct show *s, const struct clients_view *v)
{
	const struct nfs4_model *m = &v->model;

	for (size_t i = 0; i < m->servers.len; i++) {
		const struct nfs4_server *server = *(struct nfs4_server **)vec_at(&m->servers, i);

		text_server(s, server);
		for (size_t k = 0; k < m->owners.len; k++) {
			const struct nfs4_owner *o = *(struct nfs4_owner **)vec_at(&m->owners, k);

			if (o->server == server)
				text_owner(s, v, o);
		}
	}
	if (m->dropped)
		strbuf_add_format(&s->line, "%llu facts left out: too many clients\n",
				  (unsigned long long)m->dropped);
}

/* --- the view --- */

static void *clients_create(struct show *s)
{
	struct clients_view *v = mem_alloc(1, sizeof(*v));

	nfs4_model_init(&v->model);
	nfs4_model_attach(&v->model, &s->run.board);
	return v;
}

static void clients_finish(struct show *s, void *state)
{
	struct clients_view *v = state;
	struct json j;

	nfs4_model_finish(&v->model);
	show_nfs4_index_clientids(&v->clientids, &v->model);
	show_nfs4_index_sessions(&v->sessions, &v->model);
	if (!s->options->json) {
		clients_text(s, v);
		show_flush(s);
		return;
	}
	for (size_t i = 0; i < v->model.owners.len; i++) {
		json_init(&j, &s->line, false);
		json_owner(s, &j, v, *(struct nfs4_owner **)vec_at(&v->model.owners, i));
		strbuf_add_char(&s->line, '\n');
		show_flush(s);
	}
}

static void clients_destroy(void *state)
{
	struct clients_view *v = state;

	show_nfs4_index_deinit(&v->clientids);
	show_nfs4_index_deinit(&v->sessions);
	nfs4_model_deinit(&v->model);
	free(v);
}

const struct show_view show_view_clients = {
	.name = "clients",
	.create = clients_create,
	.finish = clients_finish,
	.destroy = clients_destroy,
};
