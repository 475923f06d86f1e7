/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sandbox in which evidence is parsed: what a process gives up for good before it reads the
 * first byte that a stranger wrote.
 *
 * Two layers of the kernel, each of use without the other. Landlock (landlock(7)) says which files
 * can still be opened: those that were named before, for reading. seccomp (seccomp(2)) says which
 * system calls are left: enough to read, to compute, to have threads and to write what is open.
 * Nothing is created, nothing connected, nothing run. A call that is merely not needed fails with
 * EPERM, so that a C library with other habits goes on; execve, sockets and what looks into other
 * processes end the process with SIGSYS.
 *
 * What it does not do: bound memory and time, or hide files that are open already. The threads that
 * are made later are in it, too; it is entered while there is only one.
 */
#ifndef GUARD_GUARD_H
#define GUARD_GUARD_H

#include <stdbool.h>

#include "base/err.h"

/* What of it there is. */
struct guard_state {
	int landlock;       /* the version of Landlock's interface; 0: the kernel has none */
	bool seccomp;       /* filters of system calls */
	const char *absent; /* why there is nothing at all in this build; NULL: there is; static */
};

/* Asks the kernel, and changes nothing. */
void guard_ask(struct guard_state *out);

struct guard;

/* A sandbox in the making; never NULL. */
struct guard *guard_create(void);

/* guard_destroy(NULL) is fine; what was entered stays in force. */
void guard_destroy(struct guard *g);

/*
 * This file, link followed, may be opened for reading later. One that cannot be opened now, and a
 * pipe, which Landlock does not know, change nothing.
 */
void guard_allow_file(struct guard *g, const char *path);

/*
 * Enters it, as far as the kernel lets us: *out tells how far. Fails when a layer that the kernel
 * has refuses: then the process is in an unknown state and must not go on.
 */
struct err *guard_enter(struct guard *g, struct guard_state *out);

#endif
