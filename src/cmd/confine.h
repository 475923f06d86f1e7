/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Enters the sandbox of guard.h before the first byte of evidence is read. */
#ifndef CMD_CONFINE_H
#define CMD_CONFINE_H

#include "base/vec.h"
#include "cmd/options.h"
#include "cmd/output.h"

/*
 * From here on only what `files` (struct walk_file, of walk_expand) and `more` name can be opened,
 * and only for reading; the output must be open already. Does nothing with --no-sandbox. A layer
 * that the kernel lacks is told on standard error. A failure must end the command. `more` may be
 * NULL.
 */
struct err *confine(const struct options *options, struct output *output, const struct vec *files,
		    const struct vec *more);

#endif
