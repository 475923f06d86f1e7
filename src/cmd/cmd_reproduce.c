// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `nfsleuth reproduce`: stages an incident between network namespaces of this machine, leaves its
 * evidence, and diagnoses it from that alone. What happens in a scene is lab/scene's.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/command.h"
#include "cmd/diagnose.h"
#include "lab/scene/book.h"
#include "lab/scene/here.h"
#include "lab/scene/leave.h"

static enum status complain(enum status status, struct err *err)
{
	command_complain("reproduce: %s", err_text(err));
	err_destroy(err);
	return status;
}

static void print(const struct strbuf *text)
{
	(void)fputs(strbuf_text(text), stdout);
	(void)fflush(stdout);
}

static enum status list_scenes(void)
{
	struct strbuf out;
	struct err *err = NULL;

	strbuf_init(&out);
	for (size_t i = 0; i < scene_book_count && !err; i++) {
		struct scene scene;

		err = scene_parse(scene_book[i].name, scene_book_text(&scene_book[i]), &scene);
		if (err)
			break;
		strbuf_add_format(&out, "%-24s %s\n%24s is diagnosed as %s\n", scene.name,
				  scene.title, "", scene.expects[0]);
		scene_deinit(&scene);
	}
	if (!err)
		print(&out);
	strbuf_deinit(&out);
	return err ? complain(STATUS_UNREAD, err) : STATUS_NOTHING;
}

static struct err *take_speed(const char *text, unsigned *speed)
{
	char *end;
	unsigned long value;

	if (!text)
		return NULL;
	value = strtoul(text, &end, 10);
	if (end == text || *end != '\0' || value == 0 || value > SCENE_SPEED_MAX)
		return err_new("--speed=%s: it must be a whole number, up to %d", text,
			       SCENE_SPEED_MAX);
	*speed = (unsigned)value;
	return NULL;
}

static struct err *find_ourselves(char path[PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - 1);

	if (n < 0)
		return err_new_errno(errno, "/proc/self/exe");
	path[n] = '\0';
	return NULL;
}

static bool headline_fits(const struct scene *scene, bool twin, const char *headline)
{
	for (size_t i = 0; i < scene->expect_count && !twin; i++)
		if (strcmp(scene->expects[i], headline) == 0)
			return true;
	return twin && headline[0] == '\0';
}

/* Diagnoses what is in the folder, and compares it with what was staged. */
static enum status judge(const struct options *options, const struct scene *scene)
{
	const char *args[] = {options->output};
	struct options how = {.args = args, .arg_count = 1, .color = options->color};
	char headline[DIAGNOSE_ID_BYTES];
	enum status status = diagnose_files(&how, headline);

	if (status == STATUS_USAGE || status == STATUS_UNREAD)
		return STATUS_UNREAD;
	if (headline_fits(scene, options->twin, headline)) {
		(void)printf("\nAs it was staged: %s.\n", headline[0] ? headline : "nothing found");
		return STATUS_NOTHING;
	}
	(void)printf("\nNot as it was staged: %s was expected, the headline is %s.\n",
		     options->twin ? "nothing" : scene->expects[0],
		     headline[0] ? headline : "nothing");
	return STATUS_FOUND;
}

static enum status stage(const struct options *options, const struct scene *scene,
			 struct slice script)
{
	struct stage_options how = {
		.folder = options->output, .speed = scene->speed, .twin = options->twin};
	struct stage_result result = {0};
	char ourselves[PATH_MAX];
	struct strbuf text;
	struct err *err = take_speed(options->speed, &how.speed);

	if (err)
		return complain(STATUS_USAGE, err);
	err = find_ourselves(ourselves);
	how.program = ourselves;
	if (!err && mkdir(how.folder, 0777) != 0 && errno != EEXIST)
		err = err_new_errno(errno, "%s", how.folder);
	if (!err)
		err = stage_run(scene, &how, &result);
	if (!err)
		err = scene_leave(scene, script, &how, &result);
	if (err)
		return complain(STATUS_UNREAD, err);
	strbuf_init(&text);
	scene_describe(scene, &how, &result, &text);
	strbuf_add_char(&text, '\n');
	print(&text);
	strbuf_deinit(&text);
	return judge(options, scene);
}

static enum status run_scene(const struct options *options)
{
	const struct embedded *found = scene_book_find(options->args[0]);
	enum status status;
	struct scene scene;
	struct err *err;

	if (!found) {
		const char *nearest =
			command_nearest(options->args[0], scene_book_name, scene_book_count);

		command_complain(
			"reproduce: there is no '%s'%s%s%s; 'nfsleuth reproduce' lists all",
			options->args[0], nearest ? ", did you mean '" : "", nearest ? nearest : "",
			nearest ? "'" : "");
		return STATUS_USAGE;
	}
	if (!options->output) {
		command_complain("reproduce: where to? try 'nfsleuth reproduce %s --output=DIR'",
				 found->name);
		return STATUS_USAGE;
	}
	err = scene_parse(found->name, scene_book_text(found), &scene);
	if (err)
		return complain(STATUS_UNREAD, err);
	status = stage(options, &scene, scene_book_text(found));
	scene_deinit(&scene);
	return status;
}

static enum status print_kinds(void)
{
	(void)printf("Kinds of fault:\n");
	for (size_t i = 0; here_kinds[i].name; i++)
		(void)printf("  %-10s %s\n", here_kinds[i].name, here_kinds[i].summary);
	return STATUS_NOTHING;
}

/* --here SERVER PORT KIND */
static enum status break_here(const struct options *options)
{
	struct strbuf commands;
	struct strbuf undo;
	struct here here;
	struct err *err;

	if (options->arg_count == 0)
		return print_kinds();
	if (options->arg_count != 3) {
		command_complain("reproduce: --here takes SERVER PORT KIND, as in 'nfsleuth "
				 "reproduce --here 192.0.2.1 2049 silent'");
		return STATUS_USAGE;
	}
	err = here_parse(options->args[0], options->args[1], options->args[2], &here);
	if (err)
		return complain(STATUS_USAGE, err);
	strbuf_init(&commands);
	strbuf_init(&undo);
	here_break(&here, &commands);
	here_undo(&here, &undo);
	print(options->undo ? &undo : &commands);
	if (!options->undo && undo.len > 0)
		(void)printf("# to undo it:\n#   %s", strbuf_text(&undo));
	(void)fflush(stdout);
	err = options->run ? here_run(options->undo ? &undo : &commands) : NULL;
	/* What was half done is worse than nothing. */
	if (err && !options->undo)
		err_destroy(here_run(&undo));
	strbuf_deinit(&commands);
	strbuf_deinit(&undo);
	return err ? complain(STATUS_UNREAD, err) : STATUS_NOTHING;
}

static enum status reproduce(const struct options *options)
{
	if (options->here)
		return break_here(options);
	if (options->run || options->undo) {
		command_complain("reproduce: --run and --undo go with --here");
		return STATUS_USAGE;
	}
	if (options->arg_count == 0)
		return list_scenes();
	if (options->arg_count == 1)
		return run_scene(options);
	command_complain("reproduce: one scene at a time");
	return STATUS_USAGE;
}

const struct command command_reproduce = {
	.name = "reproduce",
	.arguments = "[NAME]",
	.summary = "stage an incident on this machine",
	.detail =
		"Stages an incident between hosts that are network namespaces of this machine, "
		"with "
		"its TCP and with\npackets captured at both ends, leaves the evidence in DIR and "
		"diagnoses it. No root is needed where\nuser namespaces are to be had. Without "
		"NAME: "
		"lists the scenes. With --here SERVER PORT KIND: prints\nthe commands that break a "
		"mount which is alive (without SERVER: the kinds).",
	.option_set = 1u << OPTION_FOLDER | 1u << OPTION_COLOR | 1u << OPTION_SPEED |
		      1u << OPTION_TWIN | 1u << OPTION_HERE | 1u << OPTION_UNDO | 1u << OPTION_RUN,
	.run = reproduce,
};
