/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `nfsleuth probe check`, once or with --watch again and again. */
#ifndef CMD_PROBE_CHECK_H
#define CMD_PROBE_CHECK_H

#include "cmd/command.h"
#include "lab/probe/words.h"

/*
 * FOUND when a step failed. With --watch it prints what changes, with the time, until words->for_ns
 * is over or it is interrupted; the last round counts.
 */
enum status probe_check_run(const struct options *options, const struct probe_words *words,
			    double speed);

#endif
