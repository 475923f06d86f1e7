/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How an incident went, from its cause to its end: the engine's alone. */
#ifndef DIAGNOSE_CHAIN_H
#define DIAGNOSE_CHAIN_H

#include "diagnose/finding.h"

/*
 * Fills the chains of all incidents: the headline, what it explains in order of time (findings of
 * one kind are one link), and what shows that it was over. After incidents_make.
 */
void chains_make(struct diagnosis *d);

#endif
