/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a server's trace adds to the rules about NFSv4 state. */
#ifndef DIAGNOSE_RULES_NFS4_TRACE_H
#define DIAGNOSE_RULES_NFS4_TRACE_H

#include "diagnose/rule.h"

/* A collision of client owners by the server's trace, unless one was told before. */
void nfs4_collision_tell_trace(const struct rule_input *in, struct diagnosis *out);

#endif
