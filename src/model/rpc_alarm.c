// SPDX-License-Identifier: GPL-2.0-or-later
/* See rpc_alarm.h. */
#include "model/rpc_alarm.h"

/* What the kernel does between an alarm that rings and the next that it sets: sending again. */
#define BETWEEN_MAX_NS (5 * STAMP_NS_PER_S)

/* Timers of the kernel may be late by an eighth (since 4.8). */
enum { LATE_PART = 8 };

/* The alarm is the next one of the series: set when its last one had run out. */
static bool goes_on(const struct rpc_task_alarms *s, const struct event *e)
{
	const struct provenance *set = &s->set[s->len - 1];
	int64_t alarm_ns = s->alarm_ns[s->len - 1];
	int64_t ns;

	if (s->task != e->rpc_task->task || s->len == RPC_TASK_ALARM_STEPS_MAX ||
	    set->evidence != e->at.evidence || set->at.clock != e->at.at.clock ||
	    !stamp_known(set->at))
		return false;
	ns = e->at.at.ns - set->at.ns;
	return ns >= alarm_ns && ns - alarm_ns <= alarm_ns / LATE_PART + BETWEEN_MAX_NS;
}

void rpc_alarm_take(struct rpc_task_host *h, const struct event *e)
{
	struct rpc_task_alarms *s = NULL;

	for (size_t i = 0; i < h->alarms.len && !s; i++) {
		s = vec_at(&h->alarms, i);
		if (!goes_on(s, e))
			s = NULL;
	}
	if (!s) {
		s = h->alarms.len < RPC_TASK_ALARMS_MAX
			    ? vec_push(&h->alarms)
			    : vec_at(&h->alarms, h->alarms_told % RPC_TASK_ALARMS_MAX);
		h->alarms_told++;
		*s = (struct rpc_task_alarms){.task = e->rpc_task->task};
	}
	s->set[s->len] = e->at;
	s->alarm_ns[s->len++] = e->rpc_task->alarm_ns;
}
