/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the rules about listings share. */
#ifndef DIAGNOSE_RULES_DIR_COMMON_H
#define DIAGNOSE_RULES_DIR_COMMON_H

#include "diagnose/rule.h"
#include "model/dir.h"

/* True for a chain that a rule speaks of. */
typedef bool dir_chain_fn(const struct dir_chain *c);

/*
 * The ended chains for which `takes` is true, those of one directory of one client together, the
 * longest first: struct dir_chain *, into *chains (initialised here).
 */
void dir_chains_select(const struct dir_model *m, dir_chain_fn *takes, struct vec *chains);

bool dir_chain_same_dir(const struct dir_chain *a, const struct dir_chain *b);

/* A finding about this chain: its server, client, directory, times and how many calls. */
struct finding *dir_finding(struct diagnosis *d, const struct dir_chain *c, const char *id,
			    enum finding_confidence confidence);

#endif
