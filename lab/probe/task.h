/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verbs of `nfsleuth probe` that behave as a client's tasks do, for as long as they are told.
 */
#ifndef LAB_PROBE_TASK_H
#define LAB_PROBE_TASK_H

#include "lab/probe/words.h"

/* One task of NFSv3: rounds of what words->mix says. Returns when its time is up. */
struct err *probe_load(const struct probe_words *words, double speed);

/* Takes a lock over NLM, holds it, gives it back, in rounds. */
struct err *probe_lock(const struct probe_words *words, double speed);

/* A task of NFSv4 with one file that is open and locked; it recovers its state as the kernel does.
 */
struct err *probe_session(const struct probe_words *words, double speed);

#endif
