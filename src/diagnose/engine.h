/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From models to a diagnosis: runs every rule, decides by the table of precedence which finding
 * explains which, and groups them into incidents with one headline each.
 */
#ifndef DIAGNOSE_ENGINE_H
#define DIAGNOSE_ENGINE_H

#include "diagnose/rule.h"

/* `out` must be fresh from diagnosis_init. */
void diagnose_run(const struct rule_input *in, struct diagnosis *out);

#endif
