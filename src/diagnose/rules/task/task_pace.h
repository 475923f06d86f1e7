/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How two looks at a task that waits for replies are told: stuck or slow. */
#ifndef DIAGNOSE_RULES_TASK_PACE_H
#define DIAGNOSE_RULES_TASK_PACE_H

#include "diagnose/rules/task/task_common.h"

/* "between two looks, 10 s apart, ls (PID 61) went to sleep and was woken 120 times ...". */
const char *task_pace_words(struct diagnosis *d, const struct task_pace *p);

#endif
