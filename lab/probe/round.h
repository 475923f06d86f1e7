/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What tasks have in common: how they start, and the operations that a round is mixed of. */
#ifndef LAB_PROBE_ROUND_H
#define LAB_PROBE_ROUND_H

#include "lab/probe/client.h"
#include "lab/probe/words.h"

enum { MIX_MAX = 16 };

/* Indices of the rows of a task's table. */
struct mix {
	size_t rows[MIX_MAX];
	size_t count;
};

/*
 * Reads "getattr+read". `names` are the names of the table's rows, NULL behind the last. Fails on a
 * name that is not among them, and tells those.
 */
struct err *mix_parse(const char *const *names, const char *text, struct mix *out);

/* client_init, with the time and the user that the words tell. */
struct err *task_start(struct client *c, const struct probe_words *words, double speed);

#endif
