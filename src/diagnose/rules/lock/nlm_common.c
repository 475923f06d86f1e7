// SPDX-License-Identifier: GPL-2.0-or-later
/* See nlm_common.h. */
#include "diagnose/rules/lock/nlm_common.h"

const char *nlm_time_text(struct diagnosis *d, struct stamp at)
{
	char text[STAMP_TEXT_BYTES];

	stamp_format_time(at, text);
	return arena_text(&d->arena, text);
}

int64_t nlm_apart_ns(struct stamp a, struct stamp b)
{
	int64_t ns;

	return a.clock != b.clock || __builtin_sub_overflow(b.ns, a.ns, &ns) ? 0 : ns;
}
