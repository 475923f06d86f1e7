// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * task-waits-for-rpc: who holds a directory's lock waits for a reply, and for which one.
 * client-memory-exhausted: the client's own log has the OOM killer at work while tasks wait for
 * NFS.
 */
#include "diagnose/rules/log_common.h"
#include "diagnose/rules/rules.h"
#include "diagnose/rules/task/task_common.h"

#include <inttypes.h>
#include <string.h>

enum { WAITERS_MIN = 3 };

/* Tasks that are seen waiting so long before or after the OOM killer have another story. */
#define CROWD_NEAR_NS (600 * STAMP_NS_PER_S)

static const struct task_snapshot *snapshot_at(const struct task_model *m, size_t index)
{
	return *(struct task_snapshot *const *)vec_at(&m->snapshots, index);
}

/*
 * That they wait for this one's lock is told where the inode is. Else the kind of their waits has
 * to make it likely: who only looks up a name does not wait for one that lists, where listings
 * share the lock (since 5.6).
 */
static enum finding_confidence rpc_confidence(const struct task_crowd *c)
{
	if (c->inode && c->holder->inode == c->inode)
		return CONFIDENCE_CERTAIN;
	return c->list_write || c->changers || c->holder->holds != TASK_PURPOSE_LIST
		       ? CONFIDENCE_LIKELY
		       : CONFIDENCE_POSSIBLE;
}

static void tell_rpc(struct diagnosis *d, const struct task_crowd *c)
{
	enum finding_confidence confidence = rpc_confidence(c);
	struct finding *f = diagnosis_add(d, "task-waits-for-rpc", confidence);
	const struct task_seen *t = c->holder;
	bool certain = confidence == CONFIDENCE_CERTAIN;

	task_finding_about(d, f, c->snapshot);
	finding_subject(d, f, "task", "%s", task_text(d, t));
	f->count = c->waiters;
	f->title = arena_format(&d->arena, "%s, for whose lock %zu tasks %s, waits for %s",
				task_text(d, t), c->waiters, certain ? "wait" : "seem to wait",
				task_wait_words(d, t));
	f->why =
		arena_format(&d->arena,
			     "It holds the lock of a directory in %s, and its stack ends in a wait "
			     "for that reply: how long the others wait is up to the server and the "
			     "way to it.%s",
			     log_text(d, t->holds_in),
			     certain ? ""
				     : " No other task at work under such a lock is shown; that it "
				       "is the lock of the same directory the stacks do not tell.");
	finding_cite(d, f, &t->at, NULL, "%s waits for %s", task_text(d, t), task_wait_words(d, t));
}

/* One for each host: the largest crowd whose holder waits for a reply. */
static void run_rpc(const struct rule_input *in, struct diagnosis *out)
{
	const struct task_model *m = in->tasks;

	for (size_t i = 0; m && i < m->snapshots.len; i++) {
		const char *host = snapshot_at(m, i)->host;
		struct task_crowd best = {0};
		bool again = false;

		for (size_t k = 0; k < i && !again; k++)
			again = strcmp(snapshot_at(m, k)->host, host) == 0;
		for (size_t k = i; !again && k < m->snapshots.len; k++) {
			struct task_crowd c;

			if (strcmp(snapshot_at(m, k)->host, host) != 0)
				continue;
			task_crowd_largest(snapshot_at(m, k), &c);
			if (c.waiters >= WAITERS_MIN && c.holders == 1 &&
			    c.holder->wait == TASK_WAIT_RPC && c.waiters > best.waiters)
				best = c;
		}
		if (best.waiters)
			tell_rpc(out, &best);
	}
}

/* Tasks of this host that wait for NFS, or for a lock under which NFS is at work: the most. */
static size_t waiting_for_nfs(const struct task_model *m, const char *host,
			      const struct task_seen **first)
{
	size_t most = 0;

	for (size_t i = 0; m && i < m->snapshots.len; i++) {
		const struct task_snapshot *s = snapshot_at(m, i);
		const struct task_seen *one = NULL;
		size_t count = 0;

		for (size_t k = 0; strcmp(s->host, host) == 0 && k < s->tasks.len; k++) {
			const struct task_seen *t =
				*(struct task_seen *const *)vec_at(&s->tasks, k);

			if (t->wait == TASK_WAIT_NONE || (!t->of_nfs && t->wait != TASK_WAIT_LOCK))
				continue;
			if (!one || (t->of_nfs && !one->of_nfs))
				one = t;
			count++;
		}
		if (one && one->of_nfs && count > most) {
			most = count;
			*first = one;
		}
	}
	return most;
}

/* Whether the crowd was there when memory ran out; no clock may tell. */
enum memory_when { MEMORY_APART, MEMORY_TOGETHER, MEMORY_NOT_TOLD };

static enum memory_when memory_when(const struct logs_host *host, const struct task_seen *seen)
{
	int64_t before, after;

	if (!log_elapsed_ns(&seen->at, &host->first[LOG_OUT_OF_MEMORY], &before) ||
	    !log_elapsed_ns(&host->last[LOG_OUT_OF_MEMORY], &seen->at, &after))
		return MEMORY_NOT_TOLD;
	return before <= CROWD_NEAR_NS && after <= CROWD_NEAR_NS ? MEMORY_TOGETHER : MEMORY_APART;
}

static void tell_memory(struct diagnosis *d, const struct logs_host *host, size_t waiting,
			const struct task_seen *first, bool together)
{
	struct finding *f = diagnosis_add(d, "client-memory-exhausted",
					  together ? CONFIDENCE_LIKELY : CONFIDENCE_POSSIBLE);

	finding_subject(d, f, "log of", "%s", log_host_text(d, host));
	f->host = log_text(d, host->name);
	f->first = host->first[LOG_OUT_OF_MEMORY].at;
	f->last = host->last[LOG_OUT_OF_MEMORY].at;
	f->count = host->counts[LOG_OUT_OF_MEMORY];
	f->title = arena_format(
		&d->arena, "%s ran out of memory %s %zu tasks waited for NFS: the kernel killed %s",
		log_text(d, host->name), together ? "while" : "and", waiting,
		f->count == 1 ? "a process" : "processes");
	f->why = arena_format(
		&d->arena,
		"The kernel's log has the OOM killer at work %" PRIu64 " time%s, and stacks of the "
		"same host show %zu tasks that wait for NFS%s. Each of many programs that list a "
		"large directory, or wait with data to write, holds its memory all the while.",
		f->count, f->count == 1 ? "" : "s", waiting,
		together ? ", within ten minutes of it"
			 : "; no time tells whether that was at the same time");
	finding_cite(d, f, &host->first[LOG_OUT_OF_MEMORY], NULL, "out of memory");
	finding_cite(d, f, &first->at, NULL, "%s waits for %s", task_text(d, first),
		     task_wait_words(d, first));
	finding_cite(d, f, &host->last[LOG_OUT_OF_MEMORY], NULL, "and for the last time");
}

static void run_memory(const struct rule_input *in, struct diagnosis *out)
{
	for (size_t i = 0; in->logs && i < in->logs->hosts.len; i++) {
		const struct logs_host *host = *(struct logs_host **)vec_at(&in->logs->hosts, i);
		const struct task_seen *first = NULL;
		enum memory_when when;
		size_t waiting;

		if (host->counts[LOG_OUT_OF_MEMORY] == 0)
			continue;
		waiting = waiting_for_nfs(in->tasks, host->name, &first);
		if (waiting < WAITERS_MIN)
			continue;
		when = memory_when(host, first);
		if (when != MEMORY_APART)
			tell_memory(out, host, waiting, first, when == MEMORY_TOGETHER);
	}
}

const struct rule rule_client_memory_exhausted = {
	.id = "client-memory-exhausted",
	.needs = "the kernel log of the client, and the stacks of the tasks that wait",
	.run = run_memory,
};

const struct rule rule_task_waits_for_rpc = {
	.id = "task-waits-for-rpc",
	.needs = "stacks of the tasks that wait, of all at one moment (/proc, sysrq-w, crash)",
	.run = run_rpc,
};
