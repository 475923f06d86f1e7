// SPDX-License-Identifier: GPL-2.0-or-later
/* See confine.h. */
#include "cmd/confine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "cmd/command.h"
#include "evidence/walk.h"
#include "guard/guard.h"

/* "ARCHIVE/MEMBER" is no file, and ARCHIVE is the one that will be opened. */
static void allow(struct guard *g, const char *path)
{
	char *prefix = mem_copy(path, strlen(path));
	struct stat st;

	for (;;) {
		char *slash;

		if (stat(prefix, &st) == 0) {
			guard_allow_file(g, prefix);
			break;
		}
		slash = errno == ENOTDIR ? strrchr(prefix, '/') : NULL;
		if (!slash)
			break;
		*slash = '\0';
	}
	free(prefix);
}

static void allow_all(struct guard *g, const struct vec *files)
{
	for (size_t i = 0; files && i < files->len; i++) {
		const struct walk_file *file = vec_at(files, i);

		if (file->outcome == WALK_CANDIDATE && strcmp(file->path, "-") != 0)
			allow(g, file->path);
	}
}

static void tell(const struct guard_state *state)
{
	if (state->absent)
		return;
	if (!state->landlock && !state->seccomp)
		command_complain("sandbox: none: this kernel offers neither Landlock nor seccomp");
	else if (!state->landlock)
		command_complain("sandbox: by seccomp alone: this kernel offers no Landlock, and "
				 "files can be read");
	else if (!state->seccomp)
		command_complain("sandbox: by Landlock alone: this kernel offers no seccomp");
}

struct err *confine(const struct options *options, struct output *output, const struct vec *files,
		    const struct vec *more)
{
	struct guard_state state;
	struct guard *g;
	struct err *err;

	guard_ask(&state);
	if (options->no_sandbox || state.absent)
		return NULL;
	err = output_keep(output);
	if (err)
		return err;
	g = guard_create();
	allow_all(g, files);
	allow_all(g, more);
	err = guard_enter(g, &state);
	guard_destroy(g);
	if (!err)
		tell(&state);
	return err;
}
