// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Rules about tasks that wait for something else than a directory's lock: one function tells what
 * one look and several looks show, a table says what each kind of wait is.
 *
 * A stack is one moment: each of these waits is also seen for a few milliseconds on a healthy
 * machine. So a finding needs that it lasted: the kernel reported it as hung, or the same task is
 * there in another sample with as many context switches as before. Else the rule says what to do.
 */
#include "diagnose/rules/task/task_waits.h"
#include "diagnose/rules/log_common.h"
#include "diagnose/rules/rules.h"
#include "diagnose/rules/task/task_common.h"

#include <inttypes.h>
#include <string.h>

typedef bool task_fn(const struct task_seen *t);

struct wait_kind {
	const char *id;
	task_fn *is;          /* the tasks that wait */
	task_fn *is_root;     /* the one whose wait the others wait for; NULL: there is none such */
	size_t tasks_min;     /* so many make it a finding */
	bool outage_explains; /* a server that does not respond makes the same */
	const char *title;    /* behind "N tasks (names) on HOST " */
	const char *why;
};

static const struct task_snapshot *snapshot_at(const struct task_model *m, size_t index)
{
	return *(struct task_snapshot *const *)vec_at(&m->snapshots, index);
}

static const struct task_seen *seen_at(const struct task_snapshot *s, size_t index)
{
	return *(struct task_seen *const *)vec_at(&s->tasks, index);
}

static bool has_frame(const struct task_seen *t, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < t->frames_len; i++)
		if (name[len - 1] == '*' ? strncmp(t->frames[i], name, len - 1) == 0
					 : strcmp(t->frames[i], name) == 0)
			return true;
	return false;
}

static bool is_manager(const struct task_seen *t)
{
	return has_frame(t, "nfs4_run_state_manager") || has_frame(t, "nfs4_state_manager") ||
	       has_frame(t, "nfs4_do_reclaim");
}

static bool waits_for_manager(const struct task_seen *t)
{
	return t->wait == TASK_WAIT_STATE && !is_manager(t);
}

static bool waits_for_gssd(const struct task_seen *t)
{
	return t->wait == TASK_WAIT_GSS;
}

static bool waits_for_idmap(const struct task_seen *t)
{
	return t->wait == TASK_WAIT_KEY && (has_frame(t, "nfs_idmap*") || has_frame(t, "nfs_map*"));
}

static bool waits_for_trunking(const struct task_seen *t)
{
	return (t->wait == TASK_WAIT_TRUNKING || t->wait == TASK_WAIT_CLIENT);
}

static bool discovers_trunking(const struct task_seen *t)
{
	return t->wait != TASK_WAIT_TRUNKING && t->wait != TASK_WAIT_CLIENT &&
	       (has_frame(t, "nfs4_discover_server_trunking") ||
		has_frame(t, "nfs40_discover_server_trunking") ||
		has_frame(t, "nfs41_discover_server_trunking"));
}

static bool flushes_for_stat(const struct task_seen *t)
{
	return has_frame(t, "nfs_getattr") &&
	       (t->wait == TASK_WAIT_WRITEBACK || has_frame(t, "nfs_wb_all") ||
		has_frame(t, "filemap_write_and_wait*") || has_frame(t, "nfs_sync_mapping"));
}

static bool waits_for_writeback(const struct task_seen *t)
{
	return (t->wait == TASK_WAIT_DIRTY || t->wait == TASK_WAIT_WRITEBACK) && t->of_nfs &&
	       !has_frame(t, "nfs_getattr") && !has_frame(t, "nfsd");
}

/* A thread of nfsd that is at work and asleep in it: one without work sleeps in svc_recv. */
static bool is_stuck_nfsd(const struct task_seen *t)
{
	return has_frame(t, "nfsd") && has_frame(t, "svc_process*") &&
	       (t->state == 'D' || t->hung_s);
}

/* The innermost function of its stack that tells something. */
static const char *sleeps_in(const struct task_seen *t)
{
	return t->sleeps_in[0] ? t->sleeps_in : t->where;
}

/* What the samples of one host show of a kind. */
struct wait_story {
	const struct task_snapshot *best;    /* with most of them; NULL: none */
	size_t tasks;                        /* in best */
	const struct task_snapshot *counted; /* with most whose context switches are known */
	size_t counted_tasks;                /* in counted */
	const struct task_seen *first;       /* in best */
	const struct task_seen *root;        /* in best; NULL: not shown */
	const struct task_seen *lasting;     /* the same in another sample, or reported as hung */
	int64_t hung_s;
};

/* The task did not run between the two looks. */
static bool is_unmoved(const struct task_seen *a, const struct task_seen *b)
{
	if (a->pid != b->pid || a->pid == TASK_PID_NONE || a->wait != b->wait ||
	    a->frames_len != b->frames_len || a->switches == TASK_COUNT_NONE)
		return false;
	return a->switches == b->switches &&
	       (a->at.frame != b->at.frame || a->at.evidence != b->at.evidence);
}

static void look_at(const struct task_snapshot *s, const struct wait_kind *kind,
		    struct wait_story *out)
{
	const struct task_seen *first = NULL;
	const struct task_seen *root = NULL;
	size_t tasks = 0, counted = 0;

	for (size_t i = 0; i < s->tasks.len; i++) {
		const struct task_seen *t = seen_at(s, i);

		if (kind->is_root && !root && kind->is_root(t))
			root = t;
		if (!kind->is(t))
			continue;
		tasks++;
		counted += t->switches != TASK_COUNT_NONE;
		if (!first)
			first = t;
		if (t->hung_s > out->hung_s) {
			out->hung_s = t->hung_s;
			out->lasting = t;
		}
	}
	if (counted > out->counted_tasks) {
		out->counted = s;
		out->counted_tasks = counted;
	}
	if (tasks == 0 || (out->best && (root != NULL) < (out->root != NULL)) ||
	    (out->best && (root != NULL) == (out->root != NULL) && tasks <= out->tasks))
		return;
	out->best = s;
	out->tasks = tasks;
	out->first = first;
	out->root = root;
}

static void find_lasting(const struct task_model *m, const char *host, const struct wait_kind *kind,
			 struct wait_story *out)
{
	const struct task_snapshot *one = out->counted;

	for (size_t i = 0; one && !out->lasting && i < m->snapshots.len; i++) {
		const struct task_snapshot *s = snapshot_at(m, i);

		if (s == one || strcmp(s->host, host) != 0 || s->first.at.ns == one->first.at.ns)
			continue;
		for (size_t k = 0; k < s->tasks.len; k++)
			for (size_t n = 0; n < one->tasks.len; n++)
				if (kind->is(seen_at(s, k)) && kind->is(seen_at(one, n)) &&
				    is_unmoved(seen_at(s, k), seen_at(one, n)))
					out->lasting = seen_at(s, k);
	}
}

static const char *lasting_words(struct diagnosis *d, const struct wait_story *story)
{
	if (story->hung_s)
		return arena_format(
			&d->arena, "The kernel reported %s as blocked for more than %" PRId64 " s.",
			task_text(d, story->lasting), story->hung_s);
	return arena_format(&d->arena,
			    "%s did not run between two looks: its context switches are the same.",
			    task_text(d, story->lasting));
}

static void tell(struct diagnosis *d, const struct wait_kind *kind, const struct wait_story *story)
{
	struct finding *f = diagnosis_add(d, kind->id, CONFIDENCE_LIKELY);
	const char *root = "";

	task_finding_about(d, f, story->best);
	if (story->root) {
		finding_subject(d, f, "held up by", "%s", task_text(d, story->root));
		root = arena_format(&d->arena,
				    " %s is what they wait for, and waits for %s itself.",
				    task_text(d, story->root), task_wait_words(d, story->root));
	}
	f->count = story->tasks;
	f->title = arena_format(&d->arena, "%zu task%s on %s %s: %s%s", story->tasks,
				story->tasks == 1 ? "" : "s", log_text(d, story->best->host),
				kind->title, task_text(d, story->first),
				story->tasks == 1 ? "" : " and more");
	f->why = arena_format(
		&d->arena, "%s waits for %s, called from %s. %s%s %s", task_text(d, story->first),
		task_wait_words(d, story->first),
		log_text(d, story->first->where[0] ? story->first->where : sleeps_in(story->first)),
		kind->why, root, lasting_words(d, story));
	finding_cite(d, f, &story->first->at, NULL, "%s waits in %s", task_text(d, story->first),
		     log_text(d, sleeps_in(story->first)));
	if (story->root)
		finding_cite(d, f, &story->root->at, NULL, "%s waits for %s",
			     task_text(d, story->root), task_wait_words(d, story->root));
	finding_cite(d, f, &story->lasting->at, NULL, "%s has not moved",
		     task_text(d, story->lasting));
}

static void run_kind(const struct rule_input *in, struct diagnosis *out,
		     const struct wait_kind *kind)
{
	const struct task_model *m = in->tasks;

	for (size_t i = 0; m && i < m->snapshots.len; i++) {
		const char *host = snapshot_at(m, i)->host;
		struct wait_story story = {0};
		bool again = false;

		for (size_t k = 0; k < i && !again; k++)
			again = strcmp(snapshot_at(m, k)->host, host) == 0;
		for (size_t k = i; !again && k < m->snapshots.len; k++)
			if (strcmp(snapshot_at(m, k)->host, host) == 0)
				look_at(snapshot_at(m, k), kind, &story);
		if (!story.best || story.tasks < kind->tasks_min)
			continue;
		find_lasting(m, host, kind, &story);
		if (kind->outage_explains && task_host_complains(in, host))
			diagnosis_undecided(
				out, kind->id,
				"whether it is more than the outage of the server of which the "
				"host's log complains",
				"the same stacks when the server responds again");
		else if (story.lasting)
			tell(out, kind, &story);
		else
			diagnosis_undecided(
				out, kind->id,
				"whether the tasks that wait so go on waiting: the evidence looks "
				"once",
				"twice, a minute apart: for p in $(ps -eo pid,stat | awk "
				"'$2 ~ /D/ {print $1}'); do echo \"--- $p\"; cat /proc/$p/status "
				"/proc/$p/stack; done");
	}
}

static const struct wait_kind kind_nfs4_state_manager_stuck = {
	.id = "nfs4-state-manager-stuck",
	.is = waits_for_manager,
	.is_root = is_manager,
	.tasks_min = 1,
	.outage_explains = true,
	.title = "waiting for recovery to finish",
	.why = "Recovery of NFSv4 state is done by one thread, the state manager; every call that "
	       "needs state waits for it meanwhile.",
};

void task_waits_tell_manager(const struct rule_input *in, struct diagnosis *out)
{
	run_kind(in, out, &kind_nfs4_state_manager_stuck);
}

static const struct wait_kind kind_gss_upcall_stuck = {
	.id = "gss-upcall-stuck",
	.is = waits_for_gssd,
	.is_root = NULL,
	.tasks_min = 1,
	.title = "waiting for rpc.gssd",
	.why = "The kernel asked rpc.gssd for a security context and has no answer; nothing of "
	       "this is on the wire to the NFS server.",
};

static void run_gss_upcall_stuck(const struct rule_input *in, struct diagnosis *out)
{
	run_kind(in, out, &kind_gss_upcall_stuck);
}

const struct rule rule_gss_upcall_stuck = {
	.id = "gss-upcall-stuck",
	.needs = "stacks of the tasks that wait, twice, or reports of hung tasks",
	.run = run_gss_upcall_stuck,
};

static const struct wait_kind kind_idmap_slow = {
	.id = "idmap-slow",
	.is = waits_for_idmap,
	.is_root = NULL,
	.tasks_min = 1,
	.title = "waiting for names of users to be mapped",
	.why = "The kernel asked a program of user space (nfsidmap by request-key, or rpc.idmapd) "
	       "to map a name, and has no answer; whoever wants attributes with that name waits.",
};

static void run_idmap_slow(const struct rule_input *in, struct diagnosis *out)
{
	run_kind(in, out, &kind_idmap_slow);
}

const struct rule rule_idmap_slow = {
	.id = "idmap-slow",
	.needs = "stacks of the tasks that wait, twice, or reports of hung tasks",
	.run = run_idmap_slow,
};

static const struct wait_kind kind_mount_trunking_blocked = {
	.id = "mount-trunking-blocked",
	.is = waits_for_trunking,
	.is_root = discovers_trunking,
	.tasks_min = 1,
	.outage_explains = true,
	.title = "waiting for another mount",
	.why = "Mounts of NFSv4 servers find out one after the other whether two addresses are one "
	       "server; while one such mount waits for its server, others wait for it.",
};

static void run_mount_trunking_blocked(const struct rule_input *in, struct diagnosis *out)
{
	run_kind(in, out, &kind_mount_trunking_blocked);
}

const struct rule rule_mount_trunking_blocked = {
	.id = "mount-trunking-blocked",
	.needs = "stacks of the tasks that wait, twice, or reports of hung tasks",
	.run = run_mount_trunking_blocked,
};

static const struct wait_kind kind_getattr_flush = {
	.id = "getattr-flush",
	.is = flushes_for_stat,
	.is_root = NULL,
	.tasks_min = 1,
	.outage_explains = true,
	.title = "waiting in stat for a file to be written",
	.why = "stat() of a file with dirty pages writes them first, all of them, so that size and "
	       "times are right; it takes as long as that.",
};

static void run_getattr_flush(const struct rule_input *in, struct diagnosis *out)
{
	run_kind(in, out, &kind_getattr_flush);
}

const struct rule rule_getattr_flush = {
	.id = "getattr-flush",
	.needs = "stacks of the tasks that wait, twice, or reports of hung tasks",
	.run = run_getattr_flush,
};

static const struct wait_kind kind_writeback_stalled = {
	.id = "writeback-stalled",
	.is = waits_for_writeback,
	.is_root = NULL,
	.tasks_min = 2,
	.outage_explains = true,
	.title = "waiting for dirty pages to be written",
	.why = "Writers wait until enough of what is dirty has been written to the server; while "
	       "it does not take it, everybody who writes or syncs waits.",
};

static void run_writeback_stalled(const struct rule_input *in, struct diagnosis *out)
{
	run_kind(in, out, &kind_writeback_stalled);
}

const struct rule rule_writeback_stalled = {
	.id = "writeback-stalled",
	.needs = "stacks of the tasks that wait, twice, or reports of hung tasks",
	.run = run_writeback_stalled,
};

static const struct wait_kind kind_nfsd_threads_stuck = {
	.id = "nfsd-threads-stuck",
	.is = is_stuck_nfsd,
	.is_root = NULL,
	.tasks_min = 2,
	.title = "asleep inside of a request of nfsd",
	.why = "A thread of nfsd that is free sleeps in svc_recv; these are at work for a client "
	       "and sleep below it, in the exported file system or in a call of their own. When "
	       "all are there, no client is answered.",
};

static void run_nfsd_threads_stuck(const struct rule_input *in, struct diagnosis *out)
{
	run_kind(in, out, &kind_nfsd_threads_stuck);
}

const struct rule rule_nfsd_threads_stuck = {
	.id = "nfsd-threads-stuck",
	.needs = "stacks of the nfsd threads of the server, twice, or its reports of hung tasks",
	.run = run_nfsd_threads_stuck,
};
