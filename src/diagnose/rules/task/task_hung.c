// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * task-hung: khungtaskd reported a task (kernel/hung_task.c). It looks at uninterruptible tasks
 * only, so whoever waits in a killable way is never reported: readdir's lock and RPC themselves
 * (TASK_KILLABLE). What is reported is a victim, and hardly ever the holder.
 *
 * Tasks whose stack shows nothing of NFS, nor of a wait in a directory, are no business of ours.
 */
#include "diagnose/rules/log_common.h"
#include "diagnose/rules/rules.h"
#include "diagnose/rules/task/task_common.h"

#include <inttypes.h>
#include <string.h>

/* Waits for the lock of a directory or of a name in it, whatever file system it is on. */
static bool is_directory_wait(const char *where)
{
	static const char *const functions[] = {
		"iterate_dir",    "lookup_slow",  "path_openat",     "open_last_lookups",
		"do_last",        "do_unlinkat",  "filename_create", "do_rmdir",
		"lock_rename",    "do_renameat2", "vfs_unlink",      "walk_component",
		"lookup_one_len", "do_lookup",    "real_lookup",     "do_filp_open",
	};

	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
		if (strcmp(where, functions[i]) == 0)
			return true;
	return false;
}

static bool is_ours(const struct logs_task *t)
{
	return t->has_stack && (t->nfs_function[0] || is_directory_wait(t->where));
}

static const char *what_for(struct diagnosis *d, const struct logs_task *t)
{
	const char *in =
		t->waits_in[0] ? arena_format(&d->arena, " (in %s)", log_text(d, t->waits_in)) : "";

	if (t->nfs_function[0] && strcmp(t->nfs_function, t->where) != 0)
		return arena_format(&d->arena, "It waits in %s%s, called from %s.",
				    log_text(d, t->where), in, log_text(d, t->nfs_function));
	return arena_format(&d->arena, "It waits in %s%s.", log_text(d, t->where), in);
}

/* The task as the stacks of its host show it, with the sample; NULL: they do not. */
static const struct task_seen *seen_of(const struct task_model *m, const struct logs_task *t,
				       const struct task_snapshot **sample)
{
	const struct task_seen *found = NULL;

	for (size_t i = 0; m && i < m->snapshots.len; i++) {
		const struct task_snapshot *s =
			*(struct task_snapshot *const *)vec_at(&m->snapshots, i);

		if (strcmp(s->host, t->host->name) != 0)
			continue;
		for (size_t k = 0; k < s->tasks.len; k++) {
			const struct task_seen *seen =
				*(struct task_seen *const *)vec_at(&s->tasks, k);
			enum task_link how;

			if (seen->pid != t->pid || seen->wait == TASK_WAIT_NONE)
				continue;
			/* A sample that shows the holder goes before one that does not. */
			if (found && !task_holder(m, s, seen, &how))
				continue;
			found = seen;
			*sample = s;
		}
	}
	return found;
}

static const char *link_words(enum task_link how)
{
	static const char *const words[] = {
		[TASK_LINK_NONE] = "",
		[TASK_LINK_TOLD] = ", by the kernel's own word (\"likely owned by\")",
		[TASK_LINK_OWNER] = ", by the lock's own word",
		[TASK_LINK_LISTED] = ", by lockdep's list of locks",
		[TASK_LINK_INODE] = "",
		[TASK_LINK_LISTED_ONLY] =
			", most likely: lockdep lists it of nobody else but those that wait",
		[TASK_LINK_ONLY] = "",
	};

	return words[how];
}

/* "held by B, which waits for a lock that is held by C, which waits for the server's reply". */
static const char *chain_words(struct diagnosis *d, const struct task_chain *c)
{
	const char *words = "";

	for (size_t i = 1; i < c->len; i++) {
		bool goes_on = i + 1 < c->len || (c->cycle && i + 1 == c->len);

		words = arena_format(&d->arena, "%s%s%s%s, %s%s", words,
				     i > 1 ? " that is held by " : "", task_text(d, c->tasks[i]),
				     link_words(c->links[i - 1]),
				     c->tasks[i]->frames_len ? "which waits for "
							     : "and no stack of it is shown",
				     !c->tasks[i]->frames_len ? ""
				     : goes_on                ? "a lock"
							      : task_wait_words(d, c->tasks[i]));
	}
	if (c->cycle)
		words = arena_format(&d->arena,
				     "%s that is held by %s: they wait for each other in a circle, "
				     "and none of them will ever go on",
				     words, task_text(d, c->tasks[c->cycle_from]));
	return words;
}

/* No other task holds up who waits for these: they come from the server, or not at all. */
static bool is_from_server(enum task_wait wait)
{
	return wait == TASK_WAIT_RPC || wait == TASK_WAIT_DIRTY || wait == TASK_WAIT_WRITEBACK ||
	       wait == TASK_WAIT_PAGE;
}

static bool begins_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* What tasks of nfsd wait for that is no file system's, by the functions in which they do. */
struct service_wait {
	const char *functions[4]; /* how their names begin */
	const char *why;
	const char *remedy;
};

static const struct service_wait *service_wait_of(const struct logs_task *t)
{
	static const struct service_wait waits[] = {
		/* fs/nfsd/nfs4callback.c: both flush the queue of callbacks. */
		{{"nfsd4_shutdown_callback", "nfsd4_probe_callback_sync", "nfsd41_cb_inflight"},
		 "That lasts until callbacks of this host's NFS server to its clients have "
		 "ended; a client that does not answer one holds it up.",
		 "On this server: `cat /proc/fs/nfsd/clients/*/info` (status, callback state) "
		 "tells which client's callbacks are in trouble; `echo w > /proc/sysrq-trigger` "
		 "shows the workers that wait for an answer. Capture with that client: callbacks "
		 "are calls of "
		 "the server."},
		/* fs/nfsd/nfs4recover.c: an upcall that nobody answers is waited for without end.
		 */
		{{"nfsd4_cld_", "__cld_pipe_upcall", "cld_pipe_upcall"},
		 "That is an answer of nfsdcld, the daemon of this host that keeps the list of "
		 "NFSv4 clients.",
		 "On this server: `systemctl status nfsdcld`, and what holds it up (`cat "
		 "/proc/$(pidof nfsdcld)/stack`); its database is below /var/lib/nfs/nfsdcld."},
	};

	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++)
		for (const char *const *f = waits[i].functions; *f; f++)
			if (begins_with(t->nfs_function, *f))
				return &waits[i];
	return NULL;
}

static bool is_in_service(const struct logs_task *t)
{
	return begins_with(t->nfs_function, "nfsd") ||
	       begins_with(t->nfs_function, "laundromat_main") ||
	       begins_with(t->nfs_function, "nfs4_laundromat") || service_wait_of(t);
}

/* A thread of nfsd in the midst of a request. */
static bool is_server_thread(const struct logs_task *t)
{
	return strcmp(t->name, "nfsd") == 0 && is_in_service(t);
}

/* Work of the service that is of no call: expiring clients, callbacks (nfs4_laundromat). */
static bool is_server_work(const struct logs_task *t)
{
	return (begins_with(t->name, "kworker") || begins_with(t->name, "nfsd4")) &&
	       is_in_service(t);
}

/* Does it wait for a lock that another task holds, rather than for work or an answer? */
static bool is_lock_wait(const struct logs_task *t)
{
	static const char *const locks[] = {"rwsem_",        "__rwsem_", "down_",     "__down_",
					    "mutex_",        "__mutex_", "rt_mutex_", "call_rwsem_",
					    "percpu_rwsem_", "ww_mutex_"};

	for (size_t i = 0; i < sizeof(locks) / sizeof(locks[0]); i++)
		if (begins_with(t->waits_in, locks[i]))
			return true;
	return strcmp(t->waits_in, "down") == 0 || is_directory_wait(t->where);
}

static const char *victim_words(struct diagnosis *d, const struct logs_task *t,
				const struct task_seen *seen, const struct task_chain *chain)
{
	if (chain->len > 1)
		return arena_format(
			&d->arena, "It is a victim: the lock is held by %s.%s",
			chain_words(d, chain),
			chain->tasks[1]->hung_s || !chain->tasks[1]->frames_len || chain->cycle
				? ""
				: " The kernel reports only tasks that wait uninterruptibly, and "
				  "that one does not.");
	if (seen && seen->owner_pid != TASK_PID_NONE)
		return arena_format(&d->arena,
				    "It is a victim: the kernel names %s (PID %" PRId64
				    ") as the likely owner of the lock, and shows no stack of it.",
				    log_text(d, seen->owner_name), seen->owner_pid);
	if (seen && is_from_server(seen->wait))
		return arena_format(&d->arena,
				    "No other task holds what it waits for, %s: that comes from "
				    "the server, or not at all.",
				    task_wait_text(seen->wait));
	if (is_in_service(t) && service_wait_of(t))
		return service_wait_of(t)->why;
	if (is_server_thread(t))
		return "It is a thread of the server, at work for a client: what it waits for is "
		       "of this host, in the exported file system or below it, and its client "
		       "waits with it.";
	if (is_server_work(t))
		return "It is work of this host's NFS server that belongs to no call, such as "
		       "expiring clients or calling them back; other work of that kind waits "
		       "behind it.";
	return "It is a victim and hardly the holder of what it waits for: the kernel reports only "
	       "tasks that wait uninterruptibly, and those that read directories or wait for a "
	       "server's answer wait in a killable way and are never reported. Who holds it shows "
	       "in the stacks of all tasks.";
}

static bool is_listed(enum task_link how)
{
	return how == TASK_LINK_LISTED || how == TASK_LINK_LISTED_ONLY;
}

static void cite_chain(struct diagnosis *d, struct finding *f, const struct task_chain *c)
{
	for (size_t i = 0; i + 1 < c->len; i++) {
		const struct task_seen *holder = c->tasks[i + 1];

		if (c->links[i] == TASK_LINK_TOLD)
			finding_cite(d, f, &c->tasks[i]->owner_at, NULL,
				     "the kernel names %s as the owner", task_text(d, holder));
		if (is_listed(c->links[i])) {
			finding_cite(d, f, &c->tasks[i]->locks_at, NULL,
				     "lockdep lists the lock last of %s, which waits for it",
				     task_text(d, c->tasks[i]));
			finding_cite(d, f, &holder->locks_at, NULL, "lockdep lists it of %s",
				     task_text(d, holder));
		}
		if (holder->frames_len)
			finding_cite(d, f, &holder->at, NULL, "%s waits for %s",
				     task_text(d, holder), task_wait_words(d, holder));
	}
}

/* What the catalogue adds holds for every wait. */
static void add_remedies(struct diagnosis *d, struct finding *f, const struct logs_task *t,
			 bool holder_shown)
{
	const struct service_wait *service = service_wait_of(t);

	if (service)
		finding_add_remedy(d, f, "%s", service->remedy);
	else if (is_server_work(t))
		finding_add_remedy(
			d, f,
			"On this server: `cat /proc/fs/nfsd/clients/*/info` (status, callback "
			"state), as clients that are gone or do not answer are what such work is "
			"about; the stacks of its other workers, by `echo w > "
			"/proc/sysrq-trigger`.");
	else if (is_server_thread(t))
		finding_add_remedy(
			d, f,
			"On this server: the other hung tasks of the same log, the disks "
			"(`dmesg` for I/O errors, `iostat -x 1`), and `echo w > "
			"/proc/sysrq-trigger` for who holds the file system.");
	if (!holder_shown && is_directory_wait(t->where))
		finding_add_remedy(
			d, f,
			"In the stacks of all waiting tasks, look for who holds the lock "
			"of the directory: that one has nfs_readdir, or "
			"rpc_wait_bit_killable, in it.");
	if (!holder_shown && is_lock_wait(t))
		finding_add_remedy(
			d, f,
			"See whether the log names the holder: since 6.15 (3cf67d61ff98: "
			"mutexes; rw_semaphores since about 6.17) a kernel with "
			"CONFIG_DETECT_HUNG_TASK_BLOCKER does (\"likely owned by\"); one "
			"with CONFIG_PROVE_LOCKING lists all locks, and who has them, at "
			"the end of its report.");
}

static void tell(struct diagnosis *d, const struct task_model *m, const struct logs_task *t)
{
	struct finding *f = diagnosis_add(d, "task-hung", CONFIDENCE_CERTAIN);
	const char *name = log_text(d, t->name);
	struct task_chain chain = {0};
	const struct task_snapshot *sample;
	const struct task_seen *seen = seen_of(m, t, &sample);

	if (seen)
		task_chain_follow(m, sample, seen, &chain);

	finding_subject(d, f, "log of", "%s", log_host_text(d, t->host));
	f->host = log_text(d, t->host->name);
	finding_subject(d, f, "task", "%s, PID %" PRId64, name, t->pid);
	finding_subject(d, f, "waits in", "%s", log_text(d, t->where));
	f->first = t->first.at;
	f->last = t->last.at;
	f->count = t->reports;
	f->title = arena_format(
		&d->arena,
		"task %s (PID %" PRId64 ") on %s hung for more than %" PRId64 " s, in %s", name,
		t->pid, log_text(d, t->host->name), t->seconds, log_text(d, t->where));
	f->why = arena_format(&d->arena, "%s %s", what_for(d, t), victim_words(d, t, seen, &chain));
	add_remedies(d, f, t, chain.len > 1 || (seen && seen->owner_pid != TASK_PID_NONE));
	finding_cite(d, f, &t->first, NULL, "%s is reported as hung; its stack follows", name);
	if (t->reports > 1)
		finding_cite(d, f, &t->last, NULL, "and for the last time");
	cite_chain(d, f, &chain);
}

static bool is_in_log(const struct logs_model *m, const struct task_snapshot *s,
		      const struct task_seen *seen)
{
	for (size_t i = 0; m && i < m->tasks.len; i++) {
		const struct logs_task *t = *(struct logs_task *const *)vec_at(&m->tasks, i);

		if (t->pid == seen->pid && strcmp(t->host->name, s->host) == 0)
			return true;
	}
	return false;
}

static const char *nfs_function_of(const struct task_seen *seen)
{
	for (size_t i = 0; i < seen->frames_len; i++)
		if (task_function_is_nfs(seen->frames[i]) && !strstr(seen->frames[i], "wait_bit"))
			return seen->frames[i];
	return "";
}

/* Reports that were pasted without the times of the log are stacks to the readers, and no log. */
static void run_pasted(const struct rule_input *in, struct diagnosis *out)
{
	for (size_t i = 0; in->tasks && i < in->tasks->snapshots.len; i++) {
		const struct task_snapshot *s =
			*(struct task_snapshot *const *)vec_at(&in->tasks->snapshots, i);

		for (size_t k = 0; k < s->tasks.len; k++) {
			const struct task_seen *seen =
				*(struct task_seen *const *)vec_at(&s->tasks, k);
			const struct logs_host host = {.name = s->host, .told = s->host_told};
			const struct logs_task t = {
				.host = &host,
				.name = seen->name,
				.pid = seen->pid,
				.seconds = seen->hung_s,
				.where = seen->where,
				.nfs_function = nfs_function_of(seen),
				.waits_in = seen->sleeps_in,
				.has_stack = seen->frames_len != 0,
				.reports = 1,
				.first = seen->at,
				.last = seen->at,
			};

			if (seen->hung_s && is_ours(&t) && !is_in_log(in->logs, s, seen))
				tell(out, in->tasks, &t);
		}
	}
}

static void run(const struct rule_input *in, struct diagnosis *out)
{
	for (size_t i = 0; in->logs && i < in->logs->tasks.len; i++) {
		const struct logs_task *t = *(struct logs_task **)vec_at(&in->logs->tasks, i);

		if (is_ours(t))
			tell(out, in->tasks, t);
	}
	run_pasted(in, out);
}

const struct rule rule_task_hung = {
	.id = "task-hung",
	.needs = "the kernel log of the client, with the stacks of hung tasks",
	.run = run,
};
