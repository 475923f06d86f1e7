/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A lock of a file by its path, as a program on the host takes it: fcntl(2) with F_SETLKW. What
 * file system the path is on, and how it locks, is the kernel's business.
 */
#ifndef LAB_PROBE_PATH_LOCK_H
#define LAB_PROBE_PATH_LOCK_H

#include "lab/probe/words.h"

/*
 * Takes the lock of words->path, holds it, gives it back, in rounds, and says on standard output
 * how long each step took, and what it waits for meanwhile. The file is made where there is none.
 * Fails where it cannot be opened or locked.
 */
struct err *probe_path_lock(const struct probe_words *words, double speed);

#endif
