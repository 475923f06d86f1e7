// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The report for people. First the headline, for those who read nothing else; then why, and the
 * proof with the commands that show it; then what to do; then all else that was found, in short;
 * last what is wrong with the evidence itself.
 */
#include <stdio.h>

#include "report/command.h"
#include "report/layout.h"
#include "report/text.h"
#include "report/writer.h"

enum { TEXT_INDENT = 2, TEXT_INDENT_ITEM = 4 };

/* More than a person reads: the rest is in the JSON, and the report says so. */
enum { TEXT_INCIDENTS_MAX = 5, TEXT_LIST_MAX = 20, TEXT_CLIENTS_MAX = 6, TEXT_CLIENTS_NAMED = 4 };

/* So long after its cause even the slowest timer of the kernel's RPC has complained. */
#define OUTLASTING_MIN_NS (600 * STAMP_NS_PER_S)

static struct layout_span plain(const char *text)
{
	return (struct layout_span){text, LAYOUT_PLAIN};
}

static void text_item(struct layout *l, const char *text)
{
	layout_paragraph(l, TEXT_INDENT, plain("-"), TEXT_INDENT_ITEM, plain(text));
}

/* "and 3 incidents more", when there are more than were shown. */
static void text_more(struct layout *l, size_t count, size_t shown, const char *what)
{
	struct strbuf line;

	if (count <= shown)
		return;
	strbuf_init(&line);
	strbuf_add_text(&line, "and ");
	layout_add_counted(&line, count - shown, what);
	strbuf_add_text(&line, " more: --json has all");
	layout_line(l, TEXT_INDENT, LAYOUT_PLAIN, strbuf_text(&line));
	strbuf_deinit(&line);
}

/* --- one finding in full --- */

/* "certain, nfs4-client-owner-collision, 41 times, 2026-11-22 01:09:35.7 to ..." */
static void add_facts(struct strbuf *out, const struct finding *f)
{
	strbuf_add_format(out, "%s (%s)", finding_confidence_name(f->confidence), f->id);
	if (f->count > 1) {
		strbuf_add_text(out, ", ");
		layout_add_counted(out, f->count, "time");
	}
	if (stamp_known(f->first)) {
		strbuf_add_text(out, ", ");
		layout_add_period(out, f->first, f->last);
	}
}

/* A cite: where, when, what is to be seen, and the command that shows it. */
static void text_cite(struct layout *l, size_t indent, const struct report_input *in,
		      const struct finding *f, const struct cite *c)
{
	const struct evidence *e = evidence_list_at(in->evidence, c->at.evidence);
	char time[STAMP_TEXT_BYTES];
	struct strbuf text;
	struct strbuf lead;

	strbuf_init(&lead);
	strbuf_init(&text);
	if (in->evidence->items.len > 1)
		strbuf_add_format(&lead, "%s ", e->id);
	if (c->at.frame != FRAME_NONE)
		strbuf_add_format(&lead, "%s %llu", evidence_has_lines(e->kind) ? "line" : "frame",
				  (unsigned long long)c->at.frame);
	if (stamp_known(c->at.at)) {
		if (lead.len)
			strbuf_add_text(&lead, ", ");
		stamp_format_time(c->at.at, time);
		if (layout_same_day(c->at.at, f->first))
			strbuf_add_text(&lead, time);
		else
			layout_add_stamp(&lead, c->at.at);
	}
	if (lead.len)
		strbuf_add_char(&lead, ':');
	layout_paragraph(l, indent,
			 (struct layout_span){lead.len ? strbuf_text(&lead) : "-", LAYOUT_STRONG},
			 indent + TEXT_INDENT, plain(c->text));
	command_add_cite(&text, e, c);
	layout_line(l, indent + TEXT_INDENT_ITEM, LAYOUT_FAINT, strbuf_text(&text));
	strbuf_deinit(&text);
	strbuf_deinit(&lead);
}

/* "10: 192.0.2.21, 192.0.2.22 and 8 more", or all of a few. */
static void add_clients(struct strbuf *line, const struct vec *clients)
{
	size_t shown = clients->len > TEXT_CLIENTS_MAX ? TEXT_CLIENTS_NAMED : clients->len;

	if (shown < clients->len)
		strbuf_add_format(line, "%zu: ", clients->len);
	for (size_t i = 0; i < shown; i++)
		strbuf_add_format(line, "%s%s", i ? ", " : "",
				  *(const char *const *)vec_at(clients, i));
	if (shown < clients->len)
		strbuf_add_format(line, " and %zu more", clients->len - shown);
}

/* A line of its own for each kind of subject; the clients are those of the incident. */
static void text_subjects(struct layout *l, const struct finding *f, const struct vec *clients)
{
	struct strbuf line;

	strbuf_init(&line);
	if (f->server)
		layout_paragraph(l, TEXT_INDENT, plain("server:"), TEXT_INDENT_ITEM,
				 plain(f->server));
	add_clients(&line, clients);
	if (line.len)
		layout_paragraph(l, TEXT_INDENT, plain(clients->len > 1 ? "clients:" : "client:"),
				 TEXT_INDENT_ITEM, plain(strbuf_text(&line)));
	for (size_t i = 0; i < f->subjects.len; i++) {
		const struct subject *s = vec_at(&f->subjects, i);

		strbuf_reset(&line);
		strbuf_add_format(&line, "%s:", s->name);
		layout_paragraph(l, TEXT_INDENT, plain(strbuf_text(&line)), TEXT_INDENT_ITEM,
				 plain(s->value));
	}
	strbuf_deinit(&line);
}

/*
 * A consequence that goes on long after its cause was last seen: the evidence of the cause does not
 * carry all of it, and the reader has to know.
 */
static void add_outlasting(struct strbuf *line, const struct finding *cause,
			   const struct finding *f)
{
	char text[STAMP_TEXT_BYTES];
	int64_t ns;

	if (cause->last.clock != f->last.clock ||
	    __builtin_sub_overflow(f->last.ns, cause->last.ns, &ns) || ns < OUTLASTING_MIN_NS)
		return;
	stamp_format_duration(ns, text);
	strbuf_add_format(line, ", up to %s after this cause was last seen", text);
}

static void text_explains(struct layout *l, const struct finding *f)
{
	struct strbuf line;

	if (f->explains.len == 0)
		return;
	layout_heading(l, "It explains");
	strbuf_init(&line);
	for (size_t i = 0; i < f->explains.len; i++) {
		const struct finding *other = finding_at(&f->explains, i);

		strbuf_reset(&line);
		strbuf_add_format(&line, "%s (%s", other->title, other->id);
		if (other->count > 1) {
			strbuf_add_text(&line, ", ");
			layout_add_counted(&line, other->count, "time");
		}
		add_outlasting(&line, f, other);
		strbuf_add_char(&line, ')');
		text_item(l, strbuf_text(&line));
	}
	if (f->explains_more) {
		strbuf_reset(&line);
		layout_add_counted(&line, f->explains_more, "finding");
		strbuf_add_text(&line, " more");
		text_item(l, strbuf_text(&line));
	}
	strbuf_deinit(&line);
}

static void text_ruled_out(struct layout *l, const struct finding *f)
{
	struct strbuf line;

	if (f->ruled_out.len == 0)
		return;
	layout_heading(l, "Ruled out");
	strbuf_init(&line);
	for (size_t i = 0; i < f->ruled_out.len; i++) {
		const struct ruled_out *r = vec_at(&f->ruled_out, i);

		strbuf_reset(&line);
		strbuf_add_format(&line, "%s: %s", r->id, r->because);
		text_item(l, strbuf_text(&line));
	}
	strbuf_deinit(&line);
}

static void text_remedy(struct layout *l, const struct finding *f)
{
	char number[24];

	if (f->remedy.len == 0)
		return;
	layout_heading(l, "What to do");
	for (size_t i = 0; i < f->remedy.len; i++) {
		snprintf(number, sizeof(number), "%zu.", i + 1);
		layout_paragraph(l, TEXT_INDENT, plain(number), TEXT_INDENT_ITEM + 1,
				 plain(*(const char *const *)vec_at(&f->remedy, i)));
	}
}

static void text_references(struct layout *l, const struct finding *f)
{
	if (f->references.len == 0)
		return;
	layout_heading(l, "References");
	for (size_t i = 0; i < f->references.len; i++)
		text_item(l, *(const char *const *)vec_at(&f->references, i));
}

/* How the headline begins: nobody shall take a likely cause for a proven one. */
static struct layout_span headline_lead(const struct finding *f)
{
	static const char *const causes[] = {
		[CONFIDENCE_POSSIBLE] = "POSSIBLE CAUSE:",
		[CONFIDENCE_LIKELY] = "LIKELY CAUSE:",
		[CONFIDENCE_CERTAIN] = "CAUSE:",
	};

	if (f->role == ROLE_CAUSE)
		return (struct layout_span){causes[f->confidence], LAYOUT_ALARM};
	return (struct layout_span){"SYMPTOM, NO CAUSE FOUND:", LAYOUT_WARNING};
}

/* "e1 frame 128" */
static void add_place(struct strbuf *out, const struct evidence_list *evidence,
		      const struct provenance *at)
{
	const struct evidence *e = evidence_list_at(evidence, at->evidence);

	strbuf_add_text(out, e->id);
	if (at->frame != FRAME_NONE)
		strbuf_add_format(out, " %s %llu", evidence_has_lines(e->kind) ? "line" : "frame",
				  (unsigned long long)at->frame);
}

/* One link of the chain; of the first, which is the headline, only when it was. */
static void add_link(struct strbuf *out, const struct report_input *in,
		     const struct chain_link *link, bool first)
{
	char text[STAMP_TEXT_BYTES];

	if (!first)
		strbuf_add_text(out, " -> ");
	if (link->after_ns >= STAMP_NS_PER_MS) {
		stamp_format_duration(link->after_ns, text);
		strbuf_add_format(out, "%s later: ", text);
	} else if (link->after_ns < 0) {
		stamp_format_time(link->at, text);
		strbuf_add_format(out, "%s ", text);
	}
	strbuf_add_text(out, first ? "it begins" : link->text);
	if (link->more)
		strbuf_add_format(out, ", and %zu more like it", link->more);
	if (link->cite) {
		strbuf_add_text(out, " (");
		add_place(out, in->evidence, &link->cite->at);
		strbuf_add_char(out, ')');
	}
}

/* From cause to end in a few lines; nothing where the headline explains nothing. */
static void text_chain(struct layout *l, const struct report_input *in, const struct incident *i)
{
	struct strbuf line;

	if (i->headline->explains.len == 0 || i->chain.len < 2)
		return;
	strbuf_init(&line);
	for (size_t k = 0; k < i->chain.len; k++)
		add_link(&line, in, vec_at(&i->chain, k), k == 0);
	layout_paragraph(l, TEXT_INDENT, plain("chain:"), TEXT_INDENT_ITEM,
			 plain(strbuf_text(&line)));
	strbuf_deinit(&line);
}

static void text_headline(struct layout *l, const struct report_input *in, const struct incident *i)
{
	const struct finding *f = i->headline;
	struct strbuf facts;

	layout_paragraph(l, 0, headline_lead(f), 0, (struct layout_span){i->title, LAYOUT_STRONG});
	strbuf_init(&facts);
	add_facts(&facts, f);
	layout_paragraph(l, TEXT_INDENT, plain(NULL), TEXT_INDENT, plain(strbuf_text(&facts)));
	strbuf_deinit(&facts);
	text_subjects(l, f, &i->clients);
	text_chain(l, in, i);
}

static void text_incident(struct layout *l, const struct report_input *in,
			  const struct incident *incident)
{
	const struct finding *f = incident->headline;

	text_headline(l, in, incident);
	if (f->why) {
		layout_heading(l, "Why");
		layout_paragraph(l, TEXT_INDENT, plain(NULL), TEXT_INDENT, plain(f->why));
	}
	text_explains(l, f);
	text_ruled_out(l, f);
	if (f->cites.len)
		layout_heading(l, "Proof");
	for (size_t i = 0; i < f->cites.len; i++)
		text_cite(l, TEXT_INDENT, in, f, vec_at(&f->cites, i));
	text_remedy(l, f);
	text_references(l, f);
}

/* --- the rest --- */

static bool is_headline(const struct diagnosis *d, const struct finding *f)
{
	for (size_t i = 0; i < d->incidents.len; i++)
		if (((const struct incident *)vec_at(&d->incidents, i))->headline == f)
			return true;
	return false;
}

/* A finding that is no headline: what, how sure, how often, and the first place that shows it. */
static void text_other(struct layout *l, const struct report_input *in, const struct finding *f)
{
	struct strbuf line;

	strbuf_init(&line);
	strbuf_add_format(&line, "%s%s: %s", finding_role_name(f->role),
			  f->explained ? ", explained above" : "", f->title);
	text_item(l, strbuf_text(&line));
	strbuf_reset(&line);
	add_facts(&line, f);
	layout_paragraph(l, TEXT_INDENT_ITEM, plain(NULL), TEXT_INDENT_ITEM,
			 plain(strbuf_text(&line)));
	if (f->cites.len)
		text_cite(l, TEXT_INDENT_ITEM, in, f, vec_at(&f->cites, 0));
	strbuf_deinit(&line);
}

static void text_others(struct layout *l, const struct report_input *in)
{
	const struct diagnosis *d = in->diagnosis;
	size_t count = 0;

	for (size_t i = 0; i < d->findings.len; i++) {
		const struct finding *f = finding_at(&d->findings, i);

		if (is_headline(d, f))
			continue;
		if (count == 0)
			layout_heading(l, "Other findings");
		if (count++ < TEXT_LIST_MAX)
			text_other(l, in, f);
	}
	text_more(l, count, TEXT_LIST_MAX, "finding");
}

static void text_undecided(struct layout *l, const struct diagnosis *d)
{
	struct strbuf line;

	if (d->undecided.len == 0)
		return;
	layout_heading(l, "Could not be decided");
	strbuf_init(&line);
	for (size_t i = 0; i < d->undecided.len && i < TEXT_LIST_MAX; i++) {
		const struct undecided *u = vec_at(&d->undecided, i);

		strbuf_reset(&line);
		strbuf_add_format(&line, "%s: %s", u->id, u->missing);
		text_item(l, strbuf_text(&line));
		if (u->how)
			layout_paragraph(l, TEXT_INDENT_ITEM, plain("To find out:"),
					 TEXT_INDENT_ITEM, plain(u->how));
	}
	text_more(l, d->undecided.len, TEXT_LIST_MAX, "question");
	strbuf_deinit(&line);
}

/* Several incidents: the reader sees at once how many there are, and which. */
static void text_overview(struct layout *l, const struct vec *incidents)
{
	struct strbuf line;
	char number[24];

	strbuf_init(&line);
	layout_add_counted(&line, incidents->len, "independent incident");
	strbuf_add_text(&line, ", the gravest first:");
	layout_line(l, 0, LAYOUT_STRONG, strbuf_text(&line));
	for (size_t i = 0; i < incidents->len && i < TEXT_LIST_MAX; i++) {
		const struct incident *in = vec_at(incidents, i);
		const struct finding *f = in->headline;

		strbuf_reset(&line);
		strbuf_add_format(&line, "%s %s", headline_lead(f).text, in->title);
		if (f->server)
			strbuf_add_format(&line, " (server %s)", f->server);
		snprintf(number, sizeof(number), "%zu.", i + 1);
		layout_paragraph(l, TEXT_INDENT, plain(number), TEXT_INDENT_ITEM + 1,
				 plain(strbuf_text(&line)));
	}
	text_more(l, incidents->len, TEXT_LIST_MAX, "incident");
	strbuf_add_char(l->out, '\n');
	strbuf_deinit(&line);
}

static void text_incidents(struct layout *l, const struct report_input *in)
{
	const struct vec *incidents = &in->diagnosis->incidents;
	char number[64];

	if (incidents->len > 1)
		text_overview(l, incidents);
	for (size_t i = 0; i < incidents->len && i < TEXT_INCIDENTS_MAX; i++) {
		const struct incident *incident = vec_at(incidents, i);

		if (i)
			strbuf_add_char(l->out, '\n');
		if (incidents->len > 1) {
			snprintf(number, sizeof(number), "Incident %zu of %zu", i + 1,
				 incidents->len);
			layout_line(l, 0, LAYOUT_FAINT, number);
		}
		text_incident(l, in, incident);
	}
	if (incidents->len > TEXT_INCIDENTS_MAX) {
		strbuf_add_char(l->out, '\n');
		text_more(l, incidents->len, TEXT_INCIDENTS_MAX, "incident");
	}
}

static void text_write(const struct report_input *in, const struct report_options *options,
		       struct strbuf *out)
{
	struct layout l = {.out = out, .colour = options->colour, .width = options->width};

	if (in->diagnosis->incidents.len)
		text_incidents(&l, in);
	else
		text_nothing_found(&l, in);
	text_others(&l, in);
	text_undecided(&l, in->diagnosis);
	text_evidence(&l, in, options->unread_told);
}

const struct report_writer report_text = {.name = "text", .write = text_write};
