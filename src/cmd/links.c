// SPDX-License-Identifier: GPL-2.0-or-later
/* What is told of links in directories of evidence, see links.h. */
#include "cmd/links.h"

#include "cmd/command.h"
#include "evidence/walk.h"

/* Whether it is one that is told of with those of this outcome. */
static bool links_are_of(const struct walk_file *file, enum walk_outcome outcome)
{
	return file->outcome == outcome && (outcome != WALK_CANDIDATE || file->led_out);
}

/* Those of one kind, in one line: a packed system has hundreds. */
static void links_tell_kind(const struct vec *files, enum walk_outcome outcome, const char *one,
			    const char *many)
{
	const char *first = NULL;
	size_t count = 0;

	for (size_t i = 0; i < files->len; i++) {
		const struct walk_file *file = vec_at(files, i);

		if (links_are_of(file, outcome) && count++ == 0)
			first = file->path;
	}
	if (count == 1)
		command_complain("%s: %s", first, one);
	else if (count > 1)
		command_complain("%s and %zu more: %s", first, count - 1, many);
}

void links_tell(const struct vec *files)
{
	links_tell_kind(files, WALK_CANDIDATE, "behind a link that leads out of the directory",
			"behind links that lead out of the directory");
	links_tell_kind(files, WALK_OUTSIDE,
			"a link that leads out of the directory: not followed; give what it "
			"leads to by name if that is evidence",
			"links that lead out of the directory: not followed; give what they lead "
			"to by name if that is evidence");
	links_tell_kind(files, WALK_NOWHERE, "a link that leads nowhere",
			"links that lead nowhere");
}
