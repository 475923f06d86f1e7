/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For the model of RPC tasks alone: the alarms of calls, in series (see struct rpc_task_alarms). */
#ifndef MODEL_RPC_ALARM_H
#define MODEL_RPC_ALARM_H

#include "model/rpc_task.h"

/* Takes a fact of the kind RPC_TASK_ALARM. */
void rpc_alarm_take(struct rpc_task_host *h, const struct event *e);

#endif
