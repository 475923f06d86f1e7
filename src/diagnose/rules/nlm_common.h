/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the rules about locks, portmappers and directories share: wordings. */
#ifndef DIAGNOSE_RULES_NLM_COMMON_H
#define DIAGNOSE_RULES_NLM_COMMON_H

#include "diagnose/finding.h"

/* "01:15:28.200946", in the diagnosis' arena. */
const char *nlm_time_text(struct diagnosis *d, struct stamp at);

/* Nanoseconds from a to b; 0 when they are not on one clock. */
int64_t nlm_apart_ns(struct stamp a, struct stamp b);

#endif
