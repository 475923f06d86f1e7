// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Stuck or slow: two looks at one task, and how often it went to sleep and was woken between them
 * (voluntary_ctxt_switches of /proc/PID/status, proc_pid_status(5)). Who waits for a reply sleeps
 * once for it (rpc_wait_bit_killable): what is sent again meanwhile does not wake it.
 */
#include "model/task/task.h"

#include <string.h>

static bool is_look(const struct task_seen *t, const struct task_seen *of)
{
	return t->pid == of->pid && strcmp(t->name, of->name) == 0 &&
	       t->switches != TASK_COUNT_NONE && t->wait == TASK_WAIT_RPC &&
	       stamp_known(t->at.at) && t->at.at.clock == of->at.at.clock;
}

/* A snapshot shows each task once: two looks need two of them. */
static bool looks_again(const struct task_model *m, const struct task_snapshot *sample)
{
	size_t count = 0;

	for (size_t i = 0; i < m->snapshots.len && count < 2; i++) {
		const struct task_snapshot *s =
			*(struct task_snapshot *const *)vec_at(&m->snapshots, i);

		count += strcmp(s->host, sample->host) == 0;
	}
	return count == 2;
}

bool task_pace_of(const struct task_model *m, const struct task_snapshot *sample,
		  const struct task_seen *t, struct task_pace *out)
{
	*out = (struct task_pace){0};
	if (t->pid == TASK_PID_NONE || !looks_again(m, sample))
		return false;
	for (size_t i = 0; i < m->snapshots.len; i++) {
		const struct task_snapshot *s =
			*(struct task_snapshot *const *)vec_at(&m->snapshots, i);

		if (strcmp(s->host, sample->host) != 0)
			continue;
		for (size_t k = 0; k < s->tasks.len; k++) {
			const struct task_seen *one =
				*(struct task_seen *const *)vec_at(&s->tasks, k);

			if (!is_look(one, t))
				continue;
			if (!out->first || one->at.at.ns < out->first->at.at.ns)
				out->first = one;
			if (!out->last || one->at.at.ns > out->last->at.at.ns)
				out->last = one;
		}
	}
	if (!out->first || out->first == out->last)
		return false;
	out->ns = out->last->at.at.ns - out->first->at.at.ns;
	out->rounds = out->last->switches - out->first->switches;
	return out->ns > 0 && out->rounds >= 0;
}

bool task_pace_goes_on(const struct task_pace *p)
{
	return p->rounds >= TASK_PACE_ROUNDS_MIN;
}

bool task_pace_is_stuck(const struct task_pace *p)
{
	return p->rounds == 0 && p->ns >= TASK_PACE_STUCK_MIN_S * STAMP_NS_PER_S;
}
