// SPDX-License-Identifier: GPL-2.0-or-later
/* See guard.h. */
#include "guard/guard.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "guard/private.h"

/*
 * A sanitizer reads /proc, opens logs and traces its own process when it ends: none of this is left
 * inside, and its findings are worth more than the sandbox of a build that nobody installs.
 */
#if defined(__SANITIZE_ADDRESS__)
#define GUARD_ABSENT "this build has a sanitizer in it"
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define GUARD_ABSENT "this build has a sanitizer in it"
#endif
#endif
#ifndef GUARD_ABSENT
#define GUARD_ABSENT NULL
#endif

struct guard {
	struct guard_state state;
	int rules; /* of Landlock; -1: none */
};

void guard_ask(struct guard_state *out)
{
	*out = (struct guard_state){.absent = GUARD_ABSENT};
	if (out->absent)
		return;
	out->landlock = landlock_version();
	out->seccomp = syscalls_can_filter();
}

struct guard *guard_create(void)
{
	struct guard *g = mem_alloc(1, sizeof(*g));

	guard_ask(&g->state);
	g->rules = g->state.landlock ? landlock_open(g->state.landlock) : -1;
	if (g->rules < 0)
		g->state.landlock = 0;
	return g;
}

void guard_destroy(struct guard *g)
{
	if (!g)
		return;
	if (g->rules >= 0)
		close(g->rules);
	free(g);
}

void guard_allow_file(struct guard *g, const char *path)
{
	if (g->rules >= 0)
		landlock_allow_file(g->rules, path);
}

struct err *guard_enter(struct guard *g, struct guard_state *out)
{
	struct err *err = NULL;

	if (g->rules >= 0 && !landlock_enter(g->rules))
		err = err_new_errno(errno, "the rules of files (Landlock)");
	if (!err && g->state.seccomp)
		err = syscalls_filter();
	if (!err)
		*out = g->state;
	return err;
}
