/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a server's list of RPC services adds to rules about the wire (rpcinfo). */
#ifndef DIAGNOSE_RULES_HOST_SERVICES_H
#define DIAGNOSE_RULES_HOST_SERVICES_H

#include "diagnose/rule.h"

/* Tells nlm-port-changed, unless that is told already. */
void host_services_moved(const struct rule_input *in, struct diagnosis *out);

/* Tells portmap-unanswered, unless that is told already. */
void host_services_missing(const struct rule_input *in, struct diagnosis *out);

#endif
