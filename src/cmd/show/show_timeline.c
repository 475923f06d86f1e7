// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `show timeline`: what matters, in one order of time: connections, the first and the last call of
 * each kind and of each error, recoveries of NFSv4 clients, waits for locks, lines of logs, and
 * where findings begin and end.
 *
 * Calls are told by kind (who, whom, what, how it was answered), so that a hundred million of them
 * are a page. What no clock in UTC tells is left out: it has no place in the order.
 */
#include <stdlib.h>

#include "base/hash.h"
#include "base/map.h"
#include "base/mem.h"
#include "cmd/label.h"
#include "cmd/models.h"
#include "cmd/show/show.h"
#include "diagnose/engine.h"
#include "report/layout.h"

enum { KINDS_MAX = 8192 };

/* Calls that are alike. */
struct kind {
	struct endpoint client, server; /* who called whom; the client's port is 0 */
	bool callback;
	uint32_t program, version, procedure;
	uint32_t op; /* the operation that decided a COMPOUND; UINT32_MAX: none */
	enum rpc_outcome outcome;
	bool has_status;
	uint32_t status;
	uint64_t count;
	struct provenance first, last;
};

struct timeline_view {
	struct show *show;
	struct models models;
	struct map map;   /* struct kind */
	struct vec kinds; /* struct kind *, in order of first sight */
	uint64_t dropped; /* calls of further kinds */
	struct strbuf what, host;
	const struct finding *finding; /* that the line is about; NULL: about none */
	bool finding_ends;
	bool calls_only; /* --program, --op or --status was given */
};

/* --- lines --- */

/* Writes the line of v->what; `a` is the host that it is about, `b` the other one or NULL. */
static void timeline_line(struct timeline_view *v, const char *kind, const struct provenance *at,
			  const struct endpoint *a, const struct endpoint *b)
{
	struct strbuf *line = &v->show->line;
	char time[STAMP_TEXT_BYTES];
	size_t start;
	struct json j;

	if (at->at.clock != CLOCK_UTC || !filter_takes(&v->show->filter, at->at, a, b)) {
		strbuf_reset(&v->what);
		return;
	}
	strbuf_reset(&v->host);
	if (a)
		endpoint_add_host(&v->host, a);
	if (v->show->options->json) {
		json_init(&j, line, false);
		json_object_begin(&j);
		label_member_stamp(&j, "time", at->at);
		json_member_text(&j, "evidence", show_evidence(v->show, at->evidence));
		if (at->frame == FRAME_NONE)
			json_member_null(&j, "frame");
		else
			json_member_u64(&j, "frame", at->frame);
		label_member(&j, "host", &v->host);
		json_member_text(&j, "kind", kind);
		if (v->finding) {
			json_member_text(&j, "finding", v->finding->key);
			json_member_text(&j, "mark", v->finding_ends ? "end" : "begin");
		}
		label_member(&j, "what", &v->what);
		json_object_end(&j);
	} else {
		stamp_format_time(at->at, time);
		strbuf_add_format(line, "%-15s ", time);
		start = line->len;
		strbuf_add_text(line, show_evidence(v->show, at->evidence));
		if (at->frame != FRAME_NONE)
			strbuf_add_format(line, ":%llu", (unsigned long long)at->frame);
		show_pad(line, start, 10);
		start = line->len;
		strbuf_add_text(line, v->host.len ? strbuf_text(&v->host) : "-");
		show_pad(line, start, 15);
		strbuf_add(line, strbuf_text(&v->what), v->what.len);
	}
	show_line(v->show, at->at, at->evidence, at->frame);
	strbuf_reset(&v->what);
}

/* A line with the text and the other endpoint; nothing when the place was not seen. */
static void timeline_about(struct timeline_view *v, const char *kind, const struct provenance *at,
			   const struct endpoint *a, const struct endpoint *b, const char *text)
{
	if (at->frame == FRAME_NONE)
		return;
	strbuf_add_text(&v->what, text);
	endpoint_add_text(&v->what, b);
	timeline_line(v, kind, at, a, b);
}

/* --- calls --- */

static bool kind_is(const void *item, const void *key)
{
	const struct kind *a = item;
	const struct kind *b = key;

	return a->program == b->program && a->version == b->version &&
	       a->procedure == b->procedure && a->op == b->op && a->outcome == b->outcome &&
	       a->status == b->status && endpoint_equal(&a->server, &b->server) &&
	       endpoint_equal(&a->client, &b->client);
}

static uint64_t kind_hash(const struct kind *k)
{
	uint64_t hash = hash_bytes(k->client.addr, sizeof(k->client.addr)) ^
			endpoint_hash(hash_start(), &k->server);

	hash = hash_u64(hash_u64(hash, k->program), k->procedure);
	return hash_u64(hash_u64(hash, k->op), (uint64_t)k->outcome << 32 | k->status);
}

/* What a COMPOUND is called by: the operation that failed, or the last one. */
static uint32_t deciding_op(const struct rpc_call *c)
{
	uint32_t op = UINT32_MAX;

	for (uint32_t i = 0; i < c->ops_len; i++) {
		op = c->ops[i].op;
		if (c->ops[i].status != NFS4_STATUS_NONE && c->ops[i].status != 0)
			break;
	}
	return op;
}

static struct kind kind_of(const struct rpc_call *c)
{
	bool fore = c->from == CONN_FROM_CLIENT;
	struct kind k = {
		.client = fore ? c->conn->client : c->conn->server,
		.server = fore ? c->conn->server : c->conn->client,
		.callback = c->is_callback,
		.program = c->program,
		.version = c->version,
		.procedure = c->procedure,
		.op = deciding_op(c),
		.outcome = c->outcome,
		.has_status = c->has_status,
		.status = c->outcome == RPC_AUTH_ERROR ? c->auth_stat
			  : c->has_status              ? c->status
						       : 0,
	};

	k.client.port = 0;
	return k;
}

static void timeline_take_call(void *context, const struct event *e)
{
	struct timeline_view *v = context;
	const struct rpc_call *c = e->rpc;
	struct kind key, *k;
	uint64_t hash;

	if (!c->has_call || !filter_takes_call(&v->show->filter, c))
		return;
	key = kind_of(c);
	hash = kind_hash(&key);
	k = map_find(&v->map, hash, &key);
	if (!k && v->kinds.len == KINDS_MAX) {
		v->dropped++;
		return;
	}
	if (!k) {
		k = mem_alloc(1, sizeof(*k));
		*k = key;
		k->first = c->origin;
		map_add(&v->map, hash, k);
		*(struct kind **)vec_push(&v->kinds) = k;
	}
	k->last = c->origin;
	k->count++;
}

static void kind_line(struct timeline_view *v, const struct kind *k, const struct provenance *at,
		      const char *which)
{
	struct strbuf *what = &v->what;
	bool failed = k->outcome != RPC_SUCCESS || k->status != 0;

	if (which[0])
		strbuf_add_format(what, "%s of %llu: ", which, (unsigned long long)k->count);
	label_add_program(what, k->callback, k->program);
	strbuf_add_format(what, "v%u ", k->callback ? 4 : k->version);
	if (k->op == UINT32_MAX)
		label_add_procedure(what, k->callback, k->program, k->version, k->procedure);
	else
		label_add_op(what, k->callback, k->op);
	strbuf_add_text(what, " to ");
	endpoint_add_text(what, &k->server);
	if (k->outcome == RPC_NO_REPLY)
		strbuf_add_text(what, ", no reply");
	else if (failed)
		strbuf_add_text(what, ", ");
	if (failed)
		label_add_status(what, k->callback ? LABEL_PROGRAM_NFS : k->program,
				 k->callback ? 4 : k->version, k->outcome, k->has_status,
				 k->status);
	timeline_line(v, failed ? "error" : "call", at, &k->client, &k->server);
}

static void timeline_kinds(struct timeline_view *v)
{
	for (size_t i = 0; i < v->kinds.len; i++) {
		const struct kind *k = *(struct kind **)vec_at(&v->kinds, i);

		kind_line(v, k, &k->first, k->count > 1 ? "first" : "");
		if (k->count > 1)
			kind_line(v, k, &k->last, "last");
	}
}

/* --- connections, clients, locks --- */

static void timeline_conns(struct timeline_view *v)
{
	const struct conn_model *m = &v->models.conns;

	for (size_t i = 0; i < m->records.len; i++) {
		const struct conn_record *r = *(struct conn_record **)vec_at(&m->records, i);
		const struct endpoint *c = &r->conn.client, *s = &r->conn.server;

		if (r->established.frame == FRAME_NONE)
			timeline_about(v, "connection", &r->syn, c, s, "tries to connect to ");
		timeline_about(v, "connection", &r->established, c, s, "is connected to ");
		timeline_about(v, "connection", &r->refused, c, s, "is refused by ");
		timeline_about(v, "connection", &conn_record_odds(r)->challenge, c, s,
			       "has its SYN answered by a bare ACK of ");
		timeline_about(v, "connection", &r->rst, c, s, "connection is reset, to ");
		for (int side = 0; side < 2; side++)
			timeline_about(v, "connection", &r->fin[side], side ? s : c, side ? c : s,
				       "closes the connection to ");
	}
}

static void timeline_recovery(struct timeline_view *v, const struct nfs4_party *p,
			      const struct nfs4_recovery *r)
{
	const struct endpoint *c = &p->host, *s = &p->server->at;
	bool only_session = r->kind == RECOVERY_SESSION_ONLY;

	if (r->lost.frame != FRAME_NONE) {
		label_add_op(&v->what, false, r->lost_op);
		strbuf_add_text(&v->what, " answered ");
		label_add_nfs4_status(&v->what, r->lost_status);
		timeline_about(v, "recovery", &r->lost, c, s,
			       only_session ? ": the session is lost at " : ": state is lost at ");
	}
	timeline_about(v, "recovery", &r->identified, c, s,
		       only_session ? "keeps its client ID at " : "has a new client ID at ");
	timeline_about(v, "recovery", &r->created, c, s, "works again at ");
}

static void timeline_clients(struct timeline_view *v)
{
	const struct nfs4_model *m = &v->models.nfs4;

	for (size_t i = 0; i < m->parties.len; i++) {
		const struct nfs4_party *p = *(struct nfs4_party **)vec_at(&m->parties, i);

		for (uint32_t j = 0; !p->merged_into && j < p->recoveries_len; j++)
			timeline_recovery(v, p, &p->recoveries[j]);
	}
}

static void timeline_locks(struct timeline_view *v)
{
	const struct longest *waits = &v->models.nlm.waits;
	char text[STAMP_TEXT_BYTES];

	for (size_t i = 0; i < longest_count(waits); i++) {
		const struct nlm_lock *l = longest_at(waits, i);
		const struct endpoint *server = &l->conn.server;

		strbuf_add_format(&v->what, "process %d waits for a lock", l->owner.svid);
		if (l->holder.seen) {
			strbuf_add_format(&v->what, " of process %d of ", l->holder.owner.svid);
			endpoint_add_host(&v->what, &l->holder.owner.host);
		}
		timeline_about(v, "lock", &l->refused, &l->owner.host, server, " at ");
		if (l->granted.frame == FRAME_NONE)
			continue;
		stamp_format_duration(nlm_lock_wait_ns(l), text);
		strbuf_add_format(&v->what, "process %d has its lock after %s", l->owner.svid,
				  text);
		timeline_about(v, "lock", &l->granted, &l->owner.host, server, " from ");
	}
}

/* --- logs and findings --- */

static void timeline_take_log(void *context, const struct event *e)
{
	struct timeline_view *v = context;

	if (v->calls_only || v->show->filter.has_host)
		return;
	strbuf_add_safe(&v->what, e->log->line);
	timeline_line(v, "log", &e->at, NULL, NULL);
}

/* What the times of a log rest on: before all lines, because some logs have no place among them. */
static void timeline_clock(struct timeline_view *v, const struct evidence *e, const char *note)
{
	struct strbuf *line = &v->show->line;
	struct json j;

	if (v->show->options->json) {
		json_init(&j, line, false);
		json_object_begin(&j);
		json_member_null(&j, "time");
		json_member_text(&j, "evidence", e->id);
		json_member_null(&j, "frame");
		json_member_null(&j, "host");
		json_member_text(&j, "kind", "clock");
		json_member_text(&j, "what", note);
		json_object_end(&j);
	} else {
		strbuf_add_format(line, "# %s: %s", e->id, note);
	}
	strbuf_add_char(line, '\n');
	show_flush(v->show);
}

static void timeline_clocks(struct timeline_view *v)
{
	struct evidence_list *list = &v->show->run.evidence;

	for (uint32_t i = 0; i < list->items.len; i++) {
		const struct evidence *e = evidence_list_at(list, i);

		for (size_t k = 0; k < e->clock_notes.len; k++)
			timeline_clock(v, e, *(const char **)vec_at(&e->clock_notes, k));
	}
}

/* The client that the filter asks for, if the finding is about it; else the first; NULL: none. */
static const struct endpoint *timeline_client(const struct timeline_view *v,
					      const struct finding *f)
{
	for (size_t i = 0; i < f->clients_at.len; i++) {
		const struct endpoint *client = vec_at(&f->clients_at, i);

		if (filter_takes(&v->show->filter, f->first, client, NULL))
			return client;
	}
	return f->clients_at.len ? vec_at(&f->clients_at, 0) : NULL;
}

static void timeline_finding(struct timeline_view *v, const struct finding *f)
{
	const struct endpoint *server = f->server ? &f->server_at : NULL;
	const struct endpoint *client = timeline_client(v, f);
	struct provenance first = {.at = f->first}, last = {.at = f->last};

	/* The place is that of a cite of just that time, if there is one. */
	for (size_t i = 0; i < f->cites.len; i++) {
		const struct cite *c = vec_at(&f->cites, i);

		first.evidence = i == 0 ? c->at.evidence : first.evidence;
		last.evidence = c->at.evidence;
		if (c->at.at.ns == f->first.ns && first.frame == FRAME_NONE)
			first = c->at;
		if (c->at.at.ns == f->last.ns)
			last = c->at;
	}
	v->finding = f;
	v->finding_ends = false;
	strbuf_add_format(&v->what, "%s %s begins: %s", finding_role_name(f->role), f->key,
			  f->title);
	timeline_line(v, "finding", &first, server ? server : client, server ? client : NULL);
	v->finding_ends = true;
	strbuf_add_format(&v->what, "%s %s ends", finding_role_name(f->role), f->key);
	if (f->last.ns != f->first.ns)
		timeline_line(v, "finding", &last, server ? server : client,
			      server ? client : NULL);
	strbuf_reset(&v->what);
	v->finding = NULL;
}

static void timeline_findings(struct timeline_view *v)
{
	struct rule_input in = models_input(&v->models, &v->show->run.evidence);
	struct diagnosis d;

	diagnosis_init(&d);
	diagnose_run(&in, &d);
	for (size_t i = 0; i < d.findings.len; i++)
		timeline_finding(v, finding_at(&d.findings, i));
	diagnosis_deinit(&d);
}

/* --- the view --- */

static void *timeline_create(struct show *s)
{
	struct timeline_view *v = mem_alloc(1, sizeof(*v));

	v->show = s;
	v->calls_only = s->filter.has_program || s->filter.op || s->filter.status;
	map_init(&v->map, kind_is);
	vec_init(&v->kinds, sizeof(struct kind *));
	strbuf_init(&v->what);
	strbuf_init(&v->host);
	models_init(&v->models, &s->run.board);
	event_board_add(&s->run.board, EVENT_RPC_SETTLED, timeline_take_call, v);
	event_board_add(&s->run.board, EVENT_LOG, timeline_take_log, v);
	return v;
}

static void timeline_finish(struct show *s, void *state)
{
	struct timeline_view *v = state;

	(void)s;
	models_finish(&v->models);
	timeline_kinds(v);
	if (v->calls_only)
		return;
	timeline_clocks(v);
	timeline_conns(v);
	timeline_clients(v);
	timeline_locks(v);
	timeline_findings(v);
}

static void timeline_destroy(void *state)
{
	struct timeline_view *v = state;

	models_deinit(&v->models);
	for (size_t i = 0; i < v->kinds.len; i++)
		free(*(struct kind **)vec_at(&v->kinds, i));
	vec_deinit(&v->kinds);
	map_deinit(&v->map);
	strbuf_deinit(&v->what);
	strbuf_deinit(&v->host);
	free(v);
}

const struct show_view show_view_timeline = {
	.name = "timeline",
	.sortable = true,
	.ordered = true,
	.filtered = true,
	.heading = "time, evidence:frame, host, what",
	.create = timeline_create,
	.finish = timeline_finish,
	.destroy = timeline_destroy,
};
