/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From models to a diagnosis: runs every rule, decides by the table of precedence which finding
 * explains which, and groups them into incidents with one headline each.
 */
#ifndef DIAGNOSE_ENGINE_H
#define DIAGNOSE_ENGINE_H

#include "diagnose/rule.h"

/* Runs all rules of the registry. `out` must be fresh from diagnosis_init. */
void diagnose_run(const struct rule_input *in, struct diagnosis *out);

/* The same with these rules: for tests, and for a recorder that watches for a few things only. */
void diagnose_run_rules(const struct rule *const *rules, size_t count, const struct rule_input *in,
			struct diagnosis *out);

#endif
