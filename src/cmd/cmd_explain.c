// SPDX-License-Identifier: GPL-2.0-or-later
/* `nfsleuth explain`: the catalogue of findings. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "cmd/command.h"
#include "cmd/output.h"
#include "cmd/terminal.h"
#include "diagnose/catalogue.h"
#include "report/layout.h"

static const char *page_id_at(size_t index)
{
	return catalogue_pages[index].id;
}

static void list_text(struct layout *l)
{
	size_t columns = 0;

	for (size_t i = 0; i < catalogue_pages_count; i++)
		if (strlen(catalogue_pages[i].id) > columns)
			columns = strlen(catalogue_pages[i].id);
	for (size_t i = 0; i < catalogue_pages_count; i++) {
		const struct catalogue_page *p = &catalogue_pages[i];

		layout_paragraph(l, 0, (struct layout_span){p->id, LAYOUT_STRONG}, columns + 2,
				 (struct layout_span){p->title, LAYOUT_PLAIN});
	}
}

/* One paragraph of a section: an item ("- ...") hangs behind its dash. */
static void page_paragraph(struct layout *l, const char *text)
{
	if (strncmp(text, "- ", 2) == 0)
		layout_paragraph(l, 2, (struct layout_span){"-", LAYOUT_PLAIN}, 4,
				 (struct layout_span){text + 2, LAYOUT_PLAIN});
	else
		layout_paragraph(l, 2, (struct layout_span){NULL, LAYOUT_PLAIN}, 2,
				 (struct layout_span){text, LAYOUT_PLAIN});
}

/* A new paragraph begins behind an empty line, and with each item; other lines are joined. */
static void page_section(struct layout *l, const struct catalogue_section *s)
{
	struct strbuf paragraph;
	const char *line = s->text;

	layout_heading(l, s->heading);
	strbuf_init(&paragraph);
	while (*line) {
		size_t len = strcspn(line, "\n");
		bool item = strncmp(line, "- ", 2) == 0;

		if ((len == 0 || item) && paragraph.len) {
			page_paragraph(l, strbuf_text(&paragraph));
			strbuf_reset(&paragraph);
		}
		if (len && paragraph.len)
			strbuf_add_char(&paragraph, ' ');
		strbuf_add(&paragraph, line, len);
		line += len + (line[len] == '\n');
	}
	if (paragraph.len)
		page_paragraph(l, strbuf_text(&paragraph));
	strbuf_deinit(&paragraph);
}

static void page_text(struct layout *l, const struct catalogue_page *p)
{
	char role[32];

	snprintf(role, sizeof(role), "(%s)", finding_role_name(p->role));
	layout_paragraph(l, 0, (struct layout_span){p->id, LAYOUT_STRONG}, 0,
			 (struct layout_span){role, LAYOUT_FAINT});
	layout_paragraph(l, 0, (struct layout_span){NULL, LAYOUT_PLAIN}, 0,
			 (struct layout_span){p->title, LAYOUT_PLAIN});
	for (const struct catalogue_section *s = p->sections; s->heading; s++)
		page_section(l, s);
}

static void json_texts(struct json *j, const char *key, const char *const *texts)
{
	json_key(j, key);
	json_array_begin(j);
	for (size_t i = 0; texts && texts[i]; i++)
		json_text(j, texts[i]);
	json_array_end(j);
}

static void page_json(struct json *j, const struct catalogue_page *p, bool whole)
{
	json_object_begin(j);
	json_member_text(j, "id", p->id);
	json_member_text(j, "role", finding_role_name(p->role));
	json_member_text(j, "title", p->title);
	if (whole) {
		json_key(j, "sections");
		json_array_begin(j);
		for (const struct catalogue_section *s = p->sections; s->heading; s++) {
			json_object_begin(j);
			json_member_text(j, "heading", s->heading);
			json_member_text(j, "text", s->text);
			json_object_end(j);
		}
		json_array_end(j);
		json_texts(j, "remedy", p->remedy);
		json_texts(j, "references", p->references);
	}
	json_object_end(j);
}

static void explain_json(struct strbuf *out, const struct catalogue_page *page)
{
	struct json j;

	json_init(&j, out, true);
	if (page) {
		page_json(&j, page, true);
	} else {
		json_array_begin(&j);
		for (size_t i = 0; i < catalogue_pages_count; i++)
			page_json(&j, &catalogue_pages[i], false);
		json_array_end(&j);
	}
	strbuf_add_char(out, '\n');
}

static struct err *explain_write(const struct options *options, const struct catalogue_page *page)
{
	struct report_options how = {0};
	struct strbuf text;
	struct layout l;
	struct err *err;

	terminal_describe(options, &how);
	strbuf_init(&text);
	l = (struct layout){.out = &text, .colour = how.colour, .width = how.width};
	if (options->json)
		explain_json(&text, page);
	else if (page)
		page_text(&l, page);
	else
		list_text(&l);
	err = output_write_whole(options->output, &text);
	strbuf_deinit(&text);
	return err;
}

static enum status complain_of_id(const char *id)
{
	const char *nearest = command_nearest(id, page_id_at, catalogue_pages_count);

	if (catalogue_id_find(id))
		command_complain("explain: no page for %s: this version does not look for it", id);
	else if (nearest)
		command_complain("explain: no page for %s; did you mean %s?", id, nearest);
	else
		command_complain("explain: no page for %s; 'nfsleuth explain' lists them", id);
	return STATUS_USAGE;
}

static enum status explain(const struct options *options)
{
	const struct catalogue_page *page = NULL;
	struct err *err;

	if (options->arg_count > 1) {
		command_complain("explain: one ID at a time; try 'nfsleuth explain %s'",
				 options->args[0]);
		return STATUS_USAGE;
	}
	if (options->arg_count == 1) {
		page = catalogue_find(options->args[0]);
		if (!page)
			return complain_of_id(options->args[0]);
	}
	err = explain_write(options, page);
	if (!err)
		return STATUS_NOTHING;
	command_complain("%s", err_text(err));
	err_destroy(err);
	return STATUS_UNREAD;
}

const struct command command_explain = {
	.name = "explain",
	.arguments = "[ID]",
	.summary = "what a finding means, its look-alikes, what to do",
	.detail =
		"Shows the page of the catalogue for a finding: what it means, how it shows, what\n"
		"it is easily taken for and how that is told from it, what to do. Without ID: the\n"
		"list of them.",
	.option_set = 1u << OPTION_JSON | 1u << OPTION_OUTPUT | 1u << OPTION_COLOR,
	.run = explain,
};
