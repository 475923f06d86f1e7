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

/* How long other calls took at the server in that time, on average; 0: too few to tell. */
int64_t dir_chain_others_ns(const struct dir_chain *c);

/* True when its answers, that took so long in all, took many times what other calls took. */
bool dir_chain_takes_longer(const struct dir_chain *c, int64_t sum_ns);

/*
 * Many of its answers took long at the server, none of them very long: all together at least so
 * long that people notice, each many times what the path takes by the handshake of its connection.
 * *path_ns is that, or 0 where the handshake is not in the evidence: then false.
 */
bool dir_chain_pages_are_slow(const struct rule_input *in, const struct dir_chain *c,
			      int64_t *path_ns);

/* The same without the path: long enough, many enough, and not because of loss. */
bool dir_chain_pages_are_long(const struct rule_input *in, const struct dir_chain *c);

/* A finding about this chain: its server, client, directory, times and how many calls. */
struct finding *dir_finding(struct diagnosis *d, const struct dir_chain *c, const char *id,
			    enum finding_confidence confidence);

#endif
