// SPDX-License-Identifier: GPL-2.0-or-later
/* See host_common.h. */
#include "diagnose/rules/host/host_common.h"

#include "base/strbuf.h"

#include <string.h>

const char *host_safe_text(struct diagnosis *d, struct slice text)
{
	struct strbuf safe;
	const char *kept;

	strbuf_init(&safe);
	strbuf_add_safe(&safe, text);
	kept = arena_text(&d->arena, strbuf_text(&safe));
	strbuf_deinit(&safe);
	return kept;
}

bool host_is_told(const struct diagnosis *d, const char *id)
{
	for (size_t i = 0; i < d->findings.len; i++)
		if (strcmp(finding_at(&d->findings, i)->id, id) == 0)
			return true;
	return false;
}
