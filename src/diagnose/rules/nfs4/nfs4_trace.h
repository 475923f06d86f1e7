/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a server's trace, and clients without state, add to the rules about NFSv4 state. */
#ifndef DIAGNOSE_RULES_NFS4_TRACE_H
#define DIAGNOSE_RULES_NFS4_TRACE_H

#include "diagnose/rule.h"

/* A collision of client owners by the server's trace, unless one was told before. */
void nfs4_collision_tell_trace(const struct rule_input *in, struct diagnosis *out);

/* The same by probes of the server's functions, or by its answers to SEQUENCE. */
void nfs4_collision_tell_probes(const struct rule_input *in, struct diagnosis *out);

/* nfs4-server-restart by the server's trace, unless one was told before. */
void nfs4_restart_tell_trace(const struct rule_input *in, struct diagnosis *out);

/* nfs4-server-restart by what clients show that held nothing, unless one was told before. */
void nfs4_restart_tell_quiet(const struct rule_input *in, struct diagnosis *out);

/* nfs4-session-reset-loop by a client's own trace, unless it was told before. */
void nfs4_loop_tell_ladder(const struct rule_input *in, struct diagnosis *out);

/* True when a finding of this id is there already. */
bool nfs4_trace_was_told(const struct diagnosis *d, const char *id);

/* "server-1", or "the host of server (a folder)": whose trace it is. */
const char *nfs4_trace_host_text(struct diagnosis *d, const char *host, bool told);

#endif
