/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a server's list of its clients adds to rules about the wire (/proc/fs/nfsd/clients). */
#ifndef DIAGNOSE_RULES_HOST_CLIENTS_H
#define DIAGNOSE_RULES_HOST_CLIENTS_H

#include "diagnose/rule.h"
#include "model/host.h"

/* Tells nfs4-client-owner-collision, unless that is told already. */
void host_clients_collision(const struct rule_input *in, struct diagnosis *out);

/* Tells nfs4-backchannel-down of clients that no capture shows. */
void host_clients_callback(const struct rule_input *in, struct diagnosis *out);

/*
 * The client of this ID as the server lists it, in the evidence of `near` or in its folder; NULL:
 * it is not listed.
 */
const struct host_record *host_clients_find(const struct rule_input *in, uint64_t clientid,
					    const struct provenance *near);

#endif
