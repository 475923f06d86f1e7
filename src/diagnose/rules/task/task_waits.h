/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What stacks add to rules that also look at the wire. */
#ifndef DIAGNOSE_RULES_TASK_WAITS_H
#define DIAGNOSE_RULES_TASK_WAITS_H

#include "diagnose/rule.h"

/* nfs4-state-manager-stuck by stacks: tasks that wait for recovery, and what recovery waits for. */
void task_waits_tell_manager(const struct rule_input *in, struct diagnosis *out);

#endif
