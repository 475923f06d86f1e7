/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a diagnosis found, asked for by id. */
#ifndef TESTS_FINDINGS_H
#define TESTS_FINDINGS_H

#include "diagnose/finding.h"

#include <string.h>

/* The first finding with this id, or NULL. */
static inline const struct finding *findings_find(const struct diagnosis *d, const char *id)
{
	for (size_t i = 0; i < d->findings.len; i++) {
		const struct finding *f = finding_at(&d->findings, i);

		if (strcmp(f->id, id) == 0)
			return f;
	}
	return NULL;
}

#endif
