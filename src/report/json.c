// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The report for programs: schema nfsleuth.diagnosis/1. Keys, their order and their meaning are
 * fixed (nfsleuth(1), section JSON); new keys may be added.
 */
#include "base/json.h"
#include "report/command.h"
#include "report/writer.h"

static void add_stamp(struct json *j, const char *key, struct stamp at)
{
	char text[STAMP_TEXT_BYTES];

	stamp_format(at, text);
	json_member_text(j, key, stamp_known(at) ? text : NULL);
}

/* A vec of const char *. */
static void add_texts(struct json *j, const char *key, const struct vec *texts)
{
	json_key(j, key);
	json_array_begin(j);
	for (size_t i = 0; i < texts->len; i++)
		json_text(j, *(const char *const *)vec_at(texts, i));
	json_array_end(j);
}

/* A vec of struct finding *, as keys. */
static void add_keys(struct json *j, const char *key, const struct vec *findings)
{
	json_key(j, key);
	json_array_begin(j);
	for (size_t i = 0; i < findings->len; i++)
		json_text(j, finding_at(findings, i)->key);
	json_array_end(j);
}

static const char *clock_name(enum clock clock)
{
	static const char *const names[] = {
		[CLOCK_UNKNOWN] = NULL,
		[CLOCK_UTC] = "utc",
		[CLOCK_BOOT] = "boot",
		[CLOCK_LOCAL] = "local",
	};

	return names[clock];
}

static void add_damage(struct json *j, const struct evidence_damage *d)
{
	json_object_begin(j);
	json_member_text(j, "what", d->what);
	json_member_u64(j, "count", d->count);
	if (d->frame)
		json_member_u64(j, "frame", d->frame);
	if (d->offset != UINT64_MAX)
		json_member_u64(j, "offset", d->offset);
	json_object_end(j);
}

static void add_evidence(struct json *j, const struct evidence *e)
{
	json_object_begin(j);
	json_member_text(j, "id", e->id);
	json_member_text(j, "path", e->path);
	json_member_text(j, "kind", evidence_kind_name(e->kind));
	json_member_u64(j, "records", e->records);
	add_stamp(j, "first", e->first);
	add_stamp(j, "last", e->last);
	json_member_text(j, "clock", clock_name(e->first.clock));
	if (e->clock_error_ns >= 0)
		json_member_u64(j, "clock_error_ns", (uint64_t)e->clock_error_ns);
	json_key(j, "damage");
	json_array_begin(j);
	for (size_t i = 0; i < e->damage.len; i++)
		add_damage(j, vec_at(&e->damage, i));
	json_array_end(j);
	add_texts(j, "notes", &e->notes);
	if (e->problem)
		json_member_text(j, "problem", e->problem);
	json_object_end(j);
}

static bool subject_came_before(const struct finding *f, size_t index)
{
	const struct subject *s = vec_at(&f->subjects, index);

	for (size_t i = 0; i < index; i++)
		if (strcmp(((const struct subject *)vec_at(&f->subjects, i))->name, s->name) == 0)
			return true;
	return false;
}

/* "minor version" becomes minor_version: names of members are words. */
static void add_subject_key(struct json *j, const char *name)
{
	struct strbuf key;

	strbuf_init(&key);
	for (const char *p = name; *p; p++)
		strbuf_add_char(&key, *p == ' ' ? '_' : *p);
	json_key(j, strbuf_text(&key));
	strbuf_deinit(&key);
}

/* A subject that is named several times is an array, else a string. */
static void add_subject(struct json *j, const struct finding *f, size_t index)
{
	const struct subject *s = vec_at(&f->subjects, index);
	size_t count = 0;

	for (size_t i = index; i < f->subjects.len; i++)
		count += strcmp(((const struct subject *)vec_at(&f->subjects, i))->name, s->name) ==
			 0;
	add_subject_key(j, s->name);
	if (count == 1) {
		json_text(j, s->value);
		return;
	}
	json_array_begin(j);
	for (size_t i = index; i < f->subjects.len; i++) {
		const struct subject *other = vec_at(&f->subjects, i);

		if (strcmp(other->name, s->name) == 0)
			json_text(j, other->value);
	}
	json_array_end(j);
}

static void add_subjects(struct json *j, const struct finding *f)
{
	json_key(j, "subjects");
	json_object_begin(j);
	json_member_text(j, "server", f->server);
	add_texts(j, "clients", &f->clients);
	for (size_t i = 0; i < f->subjects.len; i++)
		if (!subject_came_before(f, i))
			add_subject(j, f, i);
	json_object_end(j);
}

static void add_cite(struct json *j, const struct evidence_list *evidence, const struct cite *c)
{
	const struct evidence *e = evidence_list_at(evidence, c->at.evidence);
	struct strbuf command;

	strbuf_init(&command);
	command_add_cite(&command, e, c);
	json_object_begin(j);
	json_member_text(j, "evidence", e->id);
	if (evidence_has_lines(e->kind))
		json_member_u64(j, "line", c->at.frame);
	else if (c->at.frame != FRAME_NONE)
		json_member_u64(j, "frame", c->at.frame);
	else
		json_member_null(j, "frame");
	add_stamp(j, "time", c->at.at);
	json_member_text(j, "text", c->text);
	json_member_text(j, "show", strbuf_text(&command));
	json_object_end(j);
	strbuf_deinit(&command);
}

static void add_ruled_out(struct json *j, const struct finding *f)
{
	json_key(j, "ruled_out");
	json_array_begin(j);
	for (size_t i = 0; i < f->ruled_out.len; i++) {
		const struct ruled_out *r = vec_at(&f->ruled_out, i);

		json_object_begin(j);
		json_member_text(j, "id", r->id);
		json_member_text(j, "because", r->because);
		json_object_end(j);
	}
	json_array_end(j);
}

static void add_finding(struct json *j, const struct evidence_list *evidence,
			const struct finding *f)
{
	json_object_begin(j);
	json_member_text(j, "key", f->key);
	json_member_text(j, "id", f->id);
	json_member_text(j, "role", finding_role_name(f->role));
	json_member_text(j, "confidence", finding_confidence_name(f->confidence));
	json_member_text(j, "title", f->title);
	json_member_text(j, "why", f->why);
	add_subjects(j, f);
	add_stamp(j, "first", f->first);
	add_stamp(j, "last", f->last);
	json_member_u64(j, "count", f->count);
	json_key(j, "cites");
	json_array_begin(j);
	for (size_t i = 0; i < f->cites.len; i++)
		add_cite(j, evidence, vec_at(&f->cites, i));
	json_array_end(j);
	add_keys(j, "explains", &f->explains);
	if (f->explains_more)
		json_member_u64(j, "explains_more", f->explains_more);
	add_ruled_out(j, f);
	add_texts(j, "remedy", &f->remedy);
	add_texts(j, "references", &f->references);
	json_object_end(j);
}

static void add_link(struct json *j, const struct evidence_list *evidence,
		     const struct chain_link *l)
{
	json_object_begin(j);
	add_stamp(j, "time", l->at);
	if (l->after_ns >= 0)
		json_member_u64(j, "after_ns", (uint64_t)l->after_ns);
	else
		json_member_null(j, "after_ns");
	json_member_text(j, "finding", l->finding->key);
	json_member_text(j, "event", l->is_end ? "end" : "begin");
	json_member_text(j, "text", l->text);
	json_member_u64(j, "more", l->more);
	json_key(j, "cite");
	if (l->cite)
		add_cite(j, evidence, l->cite);
	else
		json_null(j);
	json_object_end(j);
}

static void add_incident(struct json *j, const struct evidence_list *evidence,
			 const struct incident *i)
{
	json_object_begin(j);
	json_member_text(j, "headline", i->headline->key);
	json_member_text(j, "title", i->title);
	add_stamp(j, "first", i->first);
	add_stamp(j, "last", i->last);
	add_keys(j, "findings", &i->findings);
	add_texts(j, "clients", &i->clients);
	json_key(j, "chain");
	json_array_begin(j);
	for (size_t k = 0; k < i->chain.len; k++)
		add_link(j, evidence, vec_at(&i->chain, k));
	json_array_end(j);
	json_object_end(j);
}

static void add_undecided(struct json *j, const struct undecided *u)
{
	json_object_begin(j);
	json_member_text(j, "id", u->id);
	json_member_text(j, "missing", u->missing);
	json_member_text(j, "how", u->how);
	json_object_end(j);
}

/* Left out when all was kept. */
static void add_not_kept(struct json *j, const struct report_totals *t)
{
	if (t->not_kept_len == 0)
		return;
	json_key(j, "not_kept");
	json_array_begin(j);
	for (size_t i = 0; i < t->not_kept_len; i++) {
		json_object_begin(j);
		json_member_text(j, "what", t->not_kept[i].what);
		if (t->not_kept[i].count)
			json_member_u64(j, "count", t->not_kept[i].count);
		else
			json_member_null(j, "count");
		json_object_end(j);
	}
	json_array_end(j);
}

static void write_lists(struct json *j, const struct report_input *in,
			const struct report_options *options)
{
	const struct diagnosis *d = in->diagnosis;

	json_key(j, "evidence");
	json_array_begin(j);
	for (size_t i = 0; i < in->evidence->items.len; i++)
		add_evidence(j, vec_at(&in->evidence->items, i));
	json_array_end(j);
	json_key(j, "findings");
	json_array_begin(j);
	for (size_t i = 0; i < d->findings.len; i++) {
		add_finding(j, in->evidence, finding_at(&d->findings, i));
		report_flush(options, j->out);
	}
	json_array_end(j);
	json_key(j, "incidents");
	json_array_begin(j);
	for (size_t i = 0; i < d->incidents.len; i++) {
		add_incident(j, in->evidence, vec_at(&d->incidents, i));
		report_flush(options, j->out);
	}
	json_array_end(j);
}

static void json_write(const struct report_input *in, const struct report_options *options,
		       struct strbuf *out)
{
	const struct diagnosis *d = in->diagnosis;
	const struct incident *first = d->incidents.len ? vec_at(&d->incidents, 0) : NULL;
	struct json j;

	json_init(&j, out, true);
	json_object_begin(&j);
	json_member_text(&j, "schema", "nfsleuth.diagnosis/1");
	write_lists(&j, in, options);
	json_member_text(&j, "headline", first ? first->headline->id : NULL);
	json_key(&j, "undecided");
	json_array_begin(&j);
	for (size_t i = 0; i < d->undecided.len; i++)
		add_undecided(&j, vec_at(&d->undecided, i));
	json_array_end(&j);
	add_not_kept(&j, &in->totals);
	json_object_end(&j);
	strbuf_add_char(out, '\n');
}

const struct report_writer report_json = {.name = "json", .write = json_write};
