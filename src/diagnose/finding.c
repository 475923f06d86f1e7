// SPDX-License-Identifier: GPL-2.0-or-later
/* How rules build findings: see finding.h. Nothing is decided here. */
#include "diagnose/finding.h"

#include "diagnose/catalogue.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void diagnosis_init(struct diagnosis *d)
{
	arena_init(&d->arena);
	vec_init(&d->findings, sizeof(struct finding *));
	vec_init(&d->incidents, sizeof(struct incident));
	vec_init(&d->undecided, sizeof(struct undecided));
}

static void finding_deinit(struct finding *f)
{
	vec_deinit(&f->clients);
	vec_deinit(&f->subjects);
	vec_deinit(&f->clients_at);
	vec_deinit(&f->host_at);
	vec_deinit(&f->cites);
	vec_deinit(&f->explains);
	vec_deinit(&f->ruled_out);
	vec_deinit(&f->remedy);
	vec_deinit(&f->references);
}

void diagnosis_deinit(struct diagnosis *d)
{
	for (size_t i = 0; i < d->findings.len; i++)
		finding_deinit(finding_at(&d->findings, i));
	for (size_t i = 0; i < d->incidents.len; i++) {
		struct incident *in = vec_at(&d->incidents, i);

		vec_deinit(&in->findings);
		vec_deinit(&in->clients);
		vec_deinit(&in->chain);
	}
	vec_deinit(&d->findings);
	vec_deinit(&d->incidents);
	vec_deinit(&d->undecided);
	arena_deinit(&d->arena);
}

static void texts_add_all(struct vec *out, const char *const *texts)
{
	for (; *texts; texts++)
		*(const char **)vec_push(out) = *texts;
}

struct finding *diagnosis_add(struct diagnosis *d, const char *id,
			      enum finding_confidence confidence)
{
	const struct catalogue_id *known = catalogue_id_find(id);
	const struct catalogue_page *page = catalogue_find(id);
	struct finding *f;

	if (!known)
		abort(); /* a mistake of ours: ids are fixed and none comes from input */
	f = arena_alloc(&d->arena, sizeof(*f));
	*(struct finding **)vec_push(&d->findings) = f;
	f->id = known->id;
	f->place = (size_t)(known - catalogue_ids);
	f->role = known->role;
	f->confidence = confidence;
	f->title = page ? page->title : "";
	f->why = "";
	f->first = stamp_none();
	f->last = stamp_none();
	vec_init(&f->clients, sizeof(const char *));
	vec_init(&f->subjects, sizeof(struct subject));
	vec_init(&f->clients_at, sizeof(struct endpoint));
	vec_init(&f->host_at, sizeof(struct endpoint));
	vec_init(&f->cites, sizeof(struct cite));
	vec_init(&f->explains, sizeof(struct finding *));
	vec_init(&f->ruled_out, sizeof(struct ruled_out));
	vec_init(&f->remedy, sizeof(const char *));
	vec_init(&f->references, sizeof(const char *));
	if (page) {
		texts_add_all(&f->remedy, page->remedy);
		texts_add_all(&f->references, page->references);
	}
	return f;
}

__attribute__((format(printf, 2, 0))) static const char *diagnosis_format(struct diagnosis *d,
									  const char *format,
									  va_list args)
{
	char *text = NULL;
	const char *kept;

	if (vasprintf(&text, format, args) < 0)
		return "";
	kept = arena_text(&d->arena, text);
	free(text);
	return kept;
}

/* Order of time, then of place; cites of different clocks stay together by clock. */
static int cite_compare(const struct provenance *a, const struct provenance *b)
{
	if (a->at.clock != b->at.clock)
		return a->at.clock < b->at.clock ? -1 : 1;
	if (a->at.ns != b->at.ns)
		return a->at.ns < b->at.ns ? -1 : 1;
	if (a->evidence != b->evidence)
		return a->evidence < b->evidence ? -1 : 1;
	return (a->frame > b->frame) - (a->frame < b->frame);
}

static bool finding_has_cite(const struct finding *f, const struct provenance *at)
{
	for (size_t i = 0; i < f->cites.len; i++) {
		const struct cite *c = vec_at(&f->cites, i);

		if (c->at.evidence == at->evidence && c->at.frame == at->frame)
			return true;
	}
	return false;
}

void finding_cite(struct diagnosis *d, struct finding *f, const struct provenance *at,
		  const struct conn *conn, const char *format, ...)
{
	struct cite cite = {.at = *at};
	struct cite *items;
	size_t place;
	va_list args;

	if (at->frame == FRAME_NONE || f->cites.len == FINDING_CITES_MAX || finding_has_cite(f, at))
		return;
	va_start(args, format);
	cite.text = diagnosis_format(d, format, args);
	va_end(args);
	if (conn) {
		cite.decode_port = conn->server.port;
		cite.transport = conn->transport;
	}
	vec_push(&f->cites);
	items = f->cites.items;
	for (place = f->cites.len - 1; place > 0; place--) {
		if (cite_compare(&items[place - 1].at, at) <= 0)
			break;
		items[place] = items[place - 1];
	}
	items[place] = cite;
}

void finding_rule_out(struct diagnosis *d, struct finding *f, const char *id, const char *format,
		      ...)
{
	struct ruled_out *r = vec_push(&f->ruled_out);
	va_list args;

	r->id = arena_text(&d->arena, id);
	va_start(args, format);
	r->because = diagnosis_format(d, format, args);
	va_end(args);
}

void finding_subject(struct diagnosis *d, struct finding *f, const char *name, const char *format,
		     ...)
{
	struct subject *s = vec_push(&f->subjects);
	va_list args;

	s->name = arena_text(&d->arena, name);
	va_start(args, format);
	s->value = diagnosis_format(d, format, args);
	va_end(args);
}

const char *diagnosis_host_text(struct diagnosis *d, const struct endpoint *host)
{
	struct strbuf sb;
	const char *text;

	strbuf_init(&sb);
	endpoint_add_host(&sb, host);
	text = arena_text(&d->arena, strbuf_text(&sb));
	strbuf_deinit(&sb);
	return text;
}

void finding_set_server(struct diagnosis *d, struct finding *f, const struct endpoint *server)
{
	f->server_at = *server;
	f->server = diagnosis_host_text(d, server);
}

void finding_add_client(struct diagnosis *d, struct finding *f, const struct endpoint *client)
{
	for (size_t i = 0; i < f->clients_at.len; i++)
		if (endpoint_same_host(vec_at(&f->clients_at, i), client))
			return;
	*(struct endpoint *)vec_push(&f->clients_at) = *client;
	*(const char **)vec_push(&f->clients) = diagnosis_host_text(d, client);
}

void finding_add_remedy(struct diagnosis *d, struct finding *f, const char *format, ...)
{
	const char **items;
	const char *text;
	va_list args;

	va_start(args, format);
	text = diagnosis_format(d, format, args);
	va_end(args);
	vec_push(&f->remedy);
	items = f->remedy.items;
	/* Behind the steps that this function added before, ahead of the catalogue's. */
	memmove(&items[f->own_remedies + 1], &items[f->own_remedies],
		(f->remedy.len - 1 - f->own_remedies) * sizeof(*items));
	items[f->own_remedies++] = text;
}

void diagnosis_undecided(struct diagnosis *d, const char *id, const char *missing, const char *how)
{
	struct undecided *u;

	for (size_t i = 0; i < d->undecided.len; i++) {
		u = vec_at(&d->undecided, i);
		if (strcmp(u->id, id) == 0 && strcmp(u->missing, missing) == 0)
			return;
	}
	u = vec_push(&d->undecided);
	u->id = arena_text(&d->arena, id);
	u->missing = arena_text(&d->arena, missing);
	u->how = arena_text(&d->arena, how);
}

const char *finding_role_name(enum finding_role role)
{
	static const char *const names[] = {
		[ROLE_CAUSE] = "cause",
		[ROLE_SYMPTOM] = "symptom",
		[ROLE_CONTEXT] = "context",
	};

	return names[role];
}

const char *finding_confidence_name(enum finding_confidence confidence)
{
	static const char *const names[] = {
		[CONFIDENCE_POSSIBLE] = "possible",
		[CONFIDENCE_LIKELY] = "likely",
		[CONFIDENCE_CERTAIN] = "certain",
	};

	return names[confidence];
}
