/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses of the hosts whose logs, stacks and traces tell findings: the engine's alone. */
#ifndef DIAGNOSE_HOST_ADDRESS_H
#define DIAGNOSE_HOST_ADDRESS_H

#include "diagnose/rule.h"

/*
 * Sets host_at of findings that name a host and no address: what the same host lists of its own
 * addresses and connections. An address that two hosts have tells of none. `in` may lack models.
 */
void host_addresses_settle(const struct rule_input *in, struct diagnosis *d);

#endif
