// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * task-waits-for-rpc, of tasks that were looked at twice: whether they are stuck or slow. One that
 * was woken between the looks got its replies; one that was not waits for the same reply all the
 * while. Which of server and network makes them late, a capture tells.
 */
#include "diagnose/rules/task/task_pace.h"

#include "diagnose/rules/counters/counters_common.h"
#include "diagnose/rules/nfs4/nfs4_common.h"
#include "diagnose/rules/rules.h"

#include <inttypes.h>
#include <string.h>

/* What two looks at the tasks of one host show. */
struct pace_story {
	size_t going, stuck; /* tasks */
	struct task_pace going_best, stuck_best;
	const struct task_snapshot *sample;
};

static const struct task_snapshot *snapshot_at(const struct task_model *m, size_t index)
{
	return *(struct task_snapshot *const *)vec_at(&m->snapshots, index);
}

const char *task_pace_words(struct diagnosis *d, const struct task_pace *p)
{
	if (task_pace_goes_on(p))
		return arena_format(&d->arena,
				    "between two looks, %s apart, %s went to sleep and was woken "
				    "%" PRId64 " times, every %s on average",
				    nfs4_duration_text(d, p->ns), task_text(d, p->last), p->rounds,
				    nfs4_duration_text(d, p->ns / p->rounds));
	return arena_format(&d->arena,
			    "%s did not run between two looks, %s apart: its context switches are "
			    "the same",
			    task_text(d, p->last), nfs4_duration_text(d, p->ns));
}

/* Each task once: at its last look. */
static void collect(const struct task_model *m, const char *host, struct pace_story *out)
{
	for (size_t i = 0; i < m->snapshots.len; i++) {
		const struct task_snapshot *s = snapshot_at(m, i);

		for (size_t k = 0; strcmp(s->host, host) == 0 && k < s->tasks.len; k++) {
			const struct task_seen *t =
				*(struct task_seen *const *)vec_at(&s->tasks, k);
			struct task_pace p;

			if (t->wait != TASK_WAIT_RPC || t->state != 'D' ||
			    !task_pace_of(m, s, t, &p) || p.last != t)
				continue;
			if (task_pace_goes_on(&p)) {
				if (out->going++ == 0 || p.rounds < out->going_best.rounds)
					out->going_best = p;
			} else if (task_pace_is_stuck(&p)) {
				if (out->stuck++ == 0 || p.ns > out->stuck_best.ns)
					out->stuck_best = p;
			}
			out->sample = s;
		}
	}
}

/* "its mount statistics: 120 READDIR of 84 ms each", where one mount alone has made such calls. */
static const char *counted_words(struct diagnosis *d, const struct counters_model *m,
				 const struct task_seen *t)
{
	const char *names[] = {t->procedure, NULL};
	const char *words = "";

	for (size_t i = 0; m && t->procedure[0] && i < m->spans.len; i++) {
		const struct counters_span *s =
			*(struct counters_span *const *)vec_at(&m->spans, i);
		struct counters_sum sum = counters_sum_of(s, names);

		if (s->before.frame == FRAME_NONE || sum.calls == 0)
			continue;
		if (words[0])
			return "";
		words = arena_format(&d->arena,
				     " The statistics of the mount count %" PRIu64
				     " %s between two readings, answered after %" PRIu64
				     " ms on average.",
				     sum.calls, t->procedure, sum.rtt_ms / sum.calls);
	}
	return words;
}

static struct finding *begin(struct diagnosis *d, const struct pace_story *story, size_t tasks,
			     const struct task_pace *p)
{
	struct finding *f = diagnosis_add(d, "task-waits-for-rpc", CONFIDENCE_CERTAIN);

	task_finding_about(d, f, story->sample);
	finding_subject(d, f, "task", "%s", task_text(d, p->last));
	f->first = p->first->at.at;
	f->last = p->last->at.at;
	f->count = tasks;
	finding_cite(d, f, &p->first->at, NULL, "%s waits for %s", task_text(d, p->first),
		     task_wait_words(d, p->first));
	finding_cite(d, f, &p->last->at, NULL, "and at a later look for %s",
		     task_wait_words(d, p->last));
	return f;
}

static const char *others(struct diagnosis *d, size_t tasks, const char *what)
{
	return tasks > 1 ? arena_format(&d->arena, " Of %zu tasks the same can be said: %s.", tasks,
					what)
			 : "";
}

static void tell_going(const struct rule_input *in, struct diagnosis *d,
		       const struct pace_story *story)
{
	const struct task_pace *p = &story->going_best;
	struct finding *f = begin(d, story, story->going, p);

	f->title = arena_format(&d->arena, "%s is not hung: %" PRId64 " waits of %s each in %s",
				task_text(d, p->last), p->rounds,
				nfs4_duration_text(d, p->ns / p->rounds),
				nfs4_duration_text(d, p->ns));
	f->why = arena_format(
		&d->arena,
		"It waits for %s in both looks, but not for the same one: %s. A task that waits "
		"for a reply is woken when that has come. So it goes on, one round trip after "
		"the other.%s%s",
		task_wait_words(d, p->last), task_pace_words(d, p),
		counted_words(d, in->counters, p->last),
		others(d, story->going, "this one was woken least"));
	finding_rule_out(d, f, "rpc-server-silent", "the task was woken: its calls are answered");
}

static void tell_stuck(struct diagnosis *d, const struct pace_story *story)
{
	const struct task_pace *p = &story->stuck_best;
	struct finding *f = begin(d, story, story->stuck, p);

	f->title = arena_format(&d->arena, "%s has waited for one reply for at least %s",
				task_text(d, p->last), nfs4_duration_text(d, p->ns));
	f->why = arena_format(
		&d->arena,
		"It waits for %s in both looks, and %s. Such a task is woken when its reply "
		"comes: it waits for one and the same. That the server does not answer is one "
		"reason, that the call was never sent another: the wire tells.%s",
		task_wait_words(d, p->last), task_pace_words(d, p),
		others(d, story->stuck, "this one was seen waiting longest"));
}

static void run(const struct rule_input *in, struct diagnosis *out)
{
	const struct task_model *m = in->tasks;

	for (size_t i = 0; m && i < m->snapshots.len; i++) {
		const char *host = snapshot_at(m, i)->host;
		struct pace_story story = {0};
		bool again = false;

		for (size_t k = 0; k < i && !again; k++)
			again = strcmp(snapshot_at(m, k)->host, host) == 0;
		if (again)
			continue;
		collect(m, host, &story);
		if (story.going)
			tell_going(in, out, &story);
		if (story.stuck)
			tell_stuck(out, &story);
	}
}

const struct rule rule_task_pace = {
	.id = "task-waits-for-rpc",
	.needs = "stacks and status of the tasks that wait, twice, with the times of the looks",
	.run = run,
};
