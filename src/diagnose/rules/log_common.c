// SPDX-License-Identifier: GPL-2.0-or-later
/* See log_common.h. */
#include "diagnose/rules/log_common.h"

#include "base/strbuf.h"
#include "diagnose/rules/nfs4/nfs4_common.h"
#include "model/conn.h"
#include "model/nlm/nlm.h"

#include <inttypes.h>

enum { NFS4_ERRORS = 10000 };

const char *log_text(struct diagnosis *d, const char *text)
{
	struct strbuf safe;
	const char *kept;

	strbuf_init(&safe);
	strbuf_add_safe(&safe, slice_of_string(text));
	kept = arena_text(&d->arena, strbuf_text(&safe));
	strbuf_deinit(&safe);
	return kept;
}

const char *log_host_text(struct diagnosis *d, const struct logs_host *host)
{
	const char *name = log_text(d, host->name);

	return host->told ? name : arena_format(&d->arena, "the host of %s", name);
}

struct finding *log_finding_begin(const struct rule_input *in, struct diagnosis *d, const char *id,
				  enum finding_confidence confidence, const struct logs_tally *t)
{
	struct finding *f = diagnosis_add(d, id, confidence);

	log_finding_about(in, d, f, &t->of);
	f->first = t->first.at;
	f->last = t->last.at;
	f->count = t->count;
	return f;
}

void log_finding_cite(struct diagnosis *d, struct finding *f, const struct logs_tally *t,
		      const char *words)
{
	for (uint32_t i = 0; i < t->cites_len; i++)
		finding_cite(d, f, &t->cites[i], NULL, "%s", words);
}

const char *log_server_text(struct diagnosis *d, const struct logs_subject *of)
{
	return of->server[0] ? log_text(d, of->server) : "a server";
}

const struct endpoint *log_only_server(const struct rule_input *in)
{
	const struct conn_model *conns = in->conns;
	const struct endpoint *only = NULL;

	for (size_t i = 0; conns && i < conns->rpc_servers.len; i++) {
		const struct conn_rpc_server *s =
			*(struct conn_rpc_server **)vec_at(&conns->rpc_servers, i);

		if (!conn_model_is_rpc_server(conns, &s->at))
			continue;
		if (only && !endpoint_same_host(only, &s->at))
			return NULL;
		only = &s->at;
	}
	return only;
}

void log_finding_about(const struct rule_input *in, struct diagnosis *d, struct finding *f,
		       const struct logs_subject *of)
{
	const struct endpoint *only;

	if (of->host->has_at) {
		finding_subject(d, f, "log of", "%s, which is %s by what log and captures share",
				log_host_text(d, of->host), diagnosis_host_text(d, &of->host->at));
		finding_add_client(d, f, &of->host->at);
	} else {
		finding_subject(d, f, "log of", "%s", log_host_text(d, of->host));
	}
	f->host = log_text(d, of->host->name);
	if (of->server_is_address) {
		finding_set_server(d, f, &of->server_at);
		return;
	}
	only = log_only_server(in);
	if (only) {
		struct endpoint host = *only;

		host.port = 0;
		finding_set_server(d, f, &host);
		if (of->server[0])
			finding_subject(d, f, "server name",
					"%s in the log, taken for the only server in the captures",
					log_text(d, of->server));
	} else if (of->server[0]) {
		f->server = log_text(d, of->server);
	}
}

/* The host that calls itself so in lock requests that had to wait or were denied; NULL: none. */
static const struct endpoint *caller_host(const struct nlm_model *nlm, const char *name)
{
	for (size_t i = 0; nlm && i < longest_count(&nlm->waits); i++) {
		const struct nlm_lock *l = longest_at(&nlm->waits, i);

		if (name[0] && strcmp(l->owner.caller, name) == 0)
			return &l->owner.host;
	}
	for (size_t i = 0; nlm && i < nlm->denials.len; i++) {
		const struct nlm_denial *n = *(struct nlm_denial **)vec_at(&nlm->denials, i);

		if (name[0] && strcmp(n->caller, name) == 0)
			return &n->client;
	}
	return NULL;
}

void log_finding_about_client(const struct rule_input *in, struct diagnosis *d, struct finding *f,
			      const struct logs_subject *of)
{
	const struct endpoint *host =
		of->server_is_address ? &of->server_at : caller_host(in->nlm, of->server);

	finding_subject(d, f, "log of", "%s", log_host_text(d, of->host));
	if (host)
		finding_add_client(d, f, host);
	if (!of->server_is_address && of->server[0])
		finding_subject(d, f, "client name", "%s%s", log_text(d, of->server),
				host ? " in the log, as it calls itself in its lock requests" : "");
}

void log_finding_span(struct finding *f, const struct provenance *at)
{
	if (at->frame == FRAME_NONE || !stamp_known(at->at))
		return;
	if (stamp_known(f->first) && f->first.clock != at->at.clock)
		return;
	if (!stamp_known(f->first) || at->at.ns < f->first.ns)
		f->first = at->at;
	if (!stamp_known(f->last) || at->at.ns > f->last.ns)
		f->last = at->at;
}

bool log_elapsed_ns(const struct provenance *from, const struct provenance *to, int64_t *ns)
{
	return from->frame != FRAME_NONE && to->frame != FRAME_NONE && stamp_known(from->at) &&
	       from->at.clock == to->at.clock &&
	       !__builtin_sub_overflow(to->at.ns, from->at.ns, ns);
}

const char *log_duration_text(struct diagnosis *d, int64_t ns)
{
	char text[STAMP_TEXT_BYTES];

	stamp_format_duration(ns, text);
	return arena_text(&d->arena, text);
}

const char *log_exactness_text(const struct rule_input *in, struct diagnosis *d,
			       const struct provenance *line)
{
	const struct evidence *e;

	if (!in->evidence || line->evidence >= in->evidence->items.len)
		return "";
	e = evidence_list_at(in->evidence, line->evidence);
	if (e->clock_error_ns < 0 || line->at.clock != CLOCK_UTC)
		return "";
	return arena_format(&d->arena, " The log's times are those of the captures to within %s.",
			    log_duration_text(d, e->clock_error_ns));
}

const char *log_error_text(struct diagnosis *d, int64_t error)
{
	/* The kernel's numbers, on all but a few machines. */
	static const struct {
		int64_t number;
		const char *name;
	} errors[] = {
		{1, "EPERM"},         {2, "ENOENT"},         {5, "EIO"},
		{12, "ENOMEM"},       {13, "EACCES"},        {37, "ENOLCK"},
		{110, "ETIMEDOUT"},   {111, "ECONNREFUSED"}, {113, "EHOSTUNREACH"},
		{116, "ESTALE"},      {121, "EREMOTEIO"},    {126, "ENOKEY"},
		{127, "EKEYEXPIRED"}, {512, "ERESTARTSYS"},  {524, "ENOTSUPP"},
	};
	int64_t number = error < 0 ? -error : error;

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (errors[i].number == number)
			return arena_format(&d->arena, "%" PRId64 " (%s)", number, errors[i].name);
	if (number > NFS4_ERRORS && number < 2 * NFS4_ERRORS)
		return arena_format(&d->arena, "%" PRId64 " (%s)", number,
				    nfs4_status_text(d, (uint32_t)number));
	return arena_format(&d->arena, "%" PRId64, number);
}
