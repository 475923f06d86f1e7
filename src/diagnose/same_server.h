/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses of one server. */
#ifndef DIAGNOSE_SAME_SERVER_H
#define DIAGNOSE_SAME_SERVER_H

#include "diagnose/rule.h"

struct nfs4_server;

/* True when the captures show that the two, at different addresses, are one server. */
bool same_server_is(const struct nfs4_server *a, const struct nfs4_server *b);

/*
 * Sets server_root of all findings: the server's address, or, where the captures show that several
 * addresses are of one server, the lowest of them. `in` may lack models.
 */
void same_servers_settle(const struct rule_input *in, struct diagnosis *d);

#endif
