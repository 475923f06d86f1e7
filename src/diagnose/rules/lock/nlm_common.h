/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the rules about locks, portmappers and directories share: wordings. */
#ifndef DIAGNOSE_RULES_NLM_COMMON_H
#define DIAGNOSE_RULES_NLM_COMMON_H

#include "diagnose/rule.h"

/* "01:15:28.200946", in the diagnosis' arena. */
const char *nlm_time_text(struct diagnosis *d, struct stamp at);

/* Nanoseconds from a to b; 0 when they are not on one clock. */
int64_t nlm_apart_ns(struct stamp a, struct stamp b);

/* True when the host serves NFS or locks, as far as the evidence shows (nlm_restart.c). */
bool nlm_is_server(const struct rule_input *in, const struct endpoint *host);

/* The first sign between the two that the server's lock manager has restarted; NULL: none. */
const struct provenance *nlm_restart_sign(const struct rule_input *in,
					  const struct endpoint *server, struct stamp from,
					  struct stamp until);

#endif
