/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a result goes: standard output, or a file that appears under its name only when it is
 * complete.
 */
#ifndef CMD_OUTPUT_H
#define CMD_OUTPUT_H

#include <stdio.h>

#include "base/err.h"
#include "base/strbuf.h"
#include "cmd/keeper.h"

struct output {
	FILE *file;           /* NULL: not open */
	const char *path;     /* the caller's; NULL: standard output */
	char *temporary;      /* the name until it is complete; NULL: written in place */
	struct keeper keeper; /* who renames it from outside of the sandbox; none: we do */
};

/* path NULL: standard output. A path that is no regular file (a pipe, /dev/null) is written to. */
struct err *output_init(struct output *o, const char *path);

/* Before the sandbox is entered: leaves outside of it what is needed to complete the output. */
struct err *output_keep(struct output *o);

/* Forgets what was not committed. */
void output_deinit(struct output *o);

/* Writes all of the text and empties it. Failures are kept for output_commit. */
void output_write(struct output *o, struct strbuf *text);

/* Writes all of the text to the path (NULL: standard output) and empties it; complete, or fails. */
struct err *output_write_whole(const char *path, struct strbuf *text);

/* Completes the output; fails when anything could not be written. */
struct err *output_commit(struct output *o);

#endif
