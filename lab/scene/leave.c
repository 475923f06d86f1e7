// SPDX-License-Identifier: GPL-2.0-or-later
/* See leave.h. */
#include "lab/scene/leave.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

static void describe_action(const struct scene *s, const struct scene_action *a, struct strbuf *out)
{
	strbuf_add_text(out, "  ");
	strbuf_add_seconds(out, a->at_ns);
	strbuf_add_format(out, " s\t%s: %s", scene_host_name(s, a->host), scene_verb_name(a->verb));
	for (size_t i = 0; i < a->count; i++) {
		strbuf_add_char(out, ' ');
		scene_word_expand(s, s->words[a->first + i], out);
	}
	strbuf_add_text(out, a->run == SCENE_STAGED ? "\t(the fault)\n" : "\n");
}

static void describe_captures(const struct scene *s, const struct stage_result *r,
			      struct strbuf *out)
{
	for (size_t i = 0; i < s->host_count; i++) {
		char address[SCENE_ADDRESS_BYTES];

		scene_address(s, i, address);
		strbuf_add_format(out, "  %s.pcap\t%s, %" PRIu64 " packets", s->hosts[i], address,
				  r->packets[i]);
		if (r->dropped[i])
			strbuf_add_format(out, "; the kernel dropped %" PRIu64 " more",
					  r->dropped[i]);
		strbuf_add_char(out, '\n');
	}
	for (size_t i = 0; i < s->host_count; i++)
		if (r->has_log[i])
			strbuf_add_format(out, "  %s.log\tthe kernel's words, said by the probe\n",
					  s->hosts[i]);
}

void scene_describe(const struct scene *scene, const struct stage_options *options,
		    const struct stage_result *result, struct strbuf *out)
{
	strbuf_add_format(out, "Staged: %s%s.\n", scene->title,
			  options->twin ? " - the twin, without the fault" : "");
	if (options->speed > 1)
		strbuf_add_format(
			out,
			"Time in the evidence is stretched %u times; TCP's own timers are "
			"not, so its retransmissions look slow.\n",
			options->speed);
	strbuf_add_text(out, "\nWhat happened, in seconds of the evidence:\n");
	for (size_t i = 0; i < scene->action_count; i++)
		if (scene_action_runs(&scene->actions[i], options->twin))
			describe_action(scene, &scene->actions[i], out);
	strbuf_add_text(out, "\nEvidence:\n");
	describe_captures(scene, result, out);
}

static struct err *write_file(const char *folder, const char *name, const char *suffix,
			      struct slice text)
{
	struct strbuf path;
	struct err *err = NULL;
	FILE *file;

	strbuf_init(&path);
	strbuf_add_format(&path, "%s/%s%s", folder, name, suffix);
	file = fopen(strbuf_text(&path), "we");
	if (!file || fwrite(text.ptr, 1, text.len, file) != text.len)
		err = err_new_errno(errno, "%s", strbuf_text(&path));
	if (file && fclose(file) != 0 && !err)
		err = err_new_errno(errno, "%s", strbuf_text(&path));
	strbuf_deinit(&path);
	return err;
}

struct err *scene_leave(const struct scene *scene, struct slice script,
			const struct stage_options *options, const struct stage_result *result)
{
	struct strbuf text;
	struct err *err;

	strbuf_init(&text);
	strbuf_add_format(
		&text,
		"This is no incident: 'nfsleuth reproduce %s%s' made it, between network\n"
		"namespaces of one machine.\n\n",
		scene->name, options->twin ? " --twin" : "");
	scene_describe(scene, options, result, &text);
	strbuf_add_format(&text, "\nThe script is %s.scene. Read it all: nfsleuth diagnose .\n",
			  scene->name);
	err = write_file(options->folder, "README", "", slice_make(strbuf_text(&text), text.len));
	strbuf_deinit(&text);
	return err ? err : write_file(options->folder, scene->name, ".scene", script);
}
