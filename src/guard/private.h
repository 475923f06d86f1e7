/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The two layers of guard.h. */
#ifndef GUARD_PRIVATE_H
#define GUARD_PRIVATE_H

#include <stdbool.h>

#include "base/err.h"

/* The version of Landlock's interface; 0: none, or this process may not use it. */
int landlock_version(void);

/* A set of rules that denies all that `version` can; -1: the kernel refuses, errno says why. */
int landlock_open(int version);

/* The file behind the path may be read. A failure is one of the file: it cannot be read later. */
void landlock_allow_file(int rules, const char *path);

/* This thread is held by the rules for good. False: errno says why. */
bool landlock_enter(int rules);

/* True when the kernel has filters of system calls and lets this process load one. */
bool syscalls_can_filter(void);

/* Loads the filter. */
struct err *syscalls_filter(void);

#endif
