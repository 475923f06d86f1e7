/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the rules about hosts' own lists and traces share. */
#ifndef DIAGNOSE_RULES_HOST_COMMON_H
#define DIAGNOSE_RULES_HOST_COMMON_H

#include "base/slice.h"
#include "diagnose/finding.h"

/* Text of evidence, safe for a terminal, in the diagnosis' arena. */
const char *host_safe_text(struct diagnosis *d, struct slice text);

/* True when there is a finding of this id already. */
bool host_is_told(const struct diagnosis *d, const char *id);

#endif
