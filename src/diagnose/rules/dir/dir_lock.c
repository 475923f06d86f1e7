// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dir-listing-exclusive, dir-listing-writer-queued: a crowd of tasks waits for the lock of one
 * directory, while one of them lists it.
 *
 * iterate_dir() takes i_rwsem for writing where the file system has no ->iterate_shared, and so did
 * every kernel before 4.7 (i_mutex): listings of one directory exclude each other and every look-up
 * in it. NFS had ->iterate from b044f6451384 to 93a6ab7b691f, which a stack shows, whatever the
 * version says: the function that lists waits in down_write*.
 *
 * With the shared lock it takes a writer (a create, an unlink, a rename) to stop everybody: readers
 * that come later queue behind it (kernel/locking/rwsem.c, RWSEM_FLAG_WAITERS).
 */
#include "diagnose/rules/log_common.h"
#include "diagnose/rules/rules.h"
#include "diagnose/rules/task/task_common.h"
#include "diagnose/rules/task/task_pace.h"

#include <inttypes.h>
#include <string.h>

/* Two listers that meet are the lock at work; of three, two wait for the one that is seen inside.
 */
enum { WAITERS_MIN = 3, WAITERS_BESIDE_HOLDER_MIN = 2, READERS_MIN = 2 };

/* What all snapshots of one host say of its crowds. */
struct dir_story {
	struct task_crowd best;
	struct task_lock lock; /* of best's inode; neither count nor owner: not printed */
	bool owner_is_holder;  /* by the lock's own word */
	bool any_list_holder;  /* some snapshot shows one, with waiters beside it */
	const struct task_seen *moved_to; /* another holder than best's, in another snapshot */
	size_t snapshots;                 /* that show such a crowd */
	bool paced;                       /* the holder was looked at twice: */
	struct task_pace pace;
	bool outage; /* the host's log complains of a server, to its end */
};

typedef bool crowd_fn(const struct task_crowd *c);

static bool is_exclusive(const struct task_crowd *c)
{
	if (c->list_write == 0 || c->list_read)
		return false;
	/* Every file system excluded listings before 4.7: only a lister of NFS makes it ours. */
	if (!c->rwsem && !c->list_holders && !c->nfs)
		return false;
	if (c->other && !c->beside_other && !c->nfs)
		return false;
	return c->waiters >= WAITERS_MIN ||
	       (c->list_holders && c->list_write >= WAITERS_BESIDE_HOLDER_MIN) ||
	       (c->list_holders && c->reader && c->reader->hung_s);
}

static bool is_writer_queued(const struct task_crowd *c)
{
	return c->list_write == 0 && c->changers && c->list_holders && c->rwsem &&
	       c->list_read + c->lookups >= READERS_MIN;
}

static bool is_better(const struct task_crowd *a, const struct task_crowd *b)
{
	if ((a->list_holders != 0) != (b->list_holders != 0))
		return a->list_holders != 0;
	if ((a->inode != 0) != (b->inode != 0))
		return a->inode != 0;
	return a->waiters > b->waiters;
}

static const struct task_snapshot *snapshot_at(const struct task_model *m, size_t index)
{
	return *(struct task_snapshot *const *)vec_at(&m->snapshots, index);
}

/* The lock's own word: who owns it for writing. */
static void find_owner(const struct task_model *m, struct dir_story *s)
{
	struct task_crowd *c = &s->best;
	const struct task_seen *owner;

	if (!c->snapshot || !task_model_lock(m, c->snapshot->id, c->inode, &s->lock) ||
	    !s->lock.has_owner || s->lock.owned_to_read || s->lock.readers)
		return;
	owner = task_snapshot_by_address(c->snapshot, s->lock.owner);
	if (!owner)
		return;
	if (!c->holder)
		c->holder = owner;
	s->owner_is_holder = c->holder == owner;
}

static bool tell_story(const struct task_model *m, const char *host, crowd_fn *is,
		       struct dir_story *out)
{
	*out = (struct dir_story){0};
	for (size_t i = 0; i < m->snapshots.len; i++) {
		const struct task_snapshot *s = snapshot_at(m, i);
		struct task_crowd c;

		if (strcmp(s->host, host) != 0)
			continue;
		task_crowd_largest(s, &c);
		if (!is(&c))
			continue;
		out->any_list_holder |= c.list_holders != 0;
		if (out->snapshots++ == 0 || is_better(&c, &out->best))
			out->best = c;
	}
	find_owner(m, out);
	out->paced = out->best.holder &&
		     task_pace_of(m, out->best.snapshot, out->best.holder, &out->pace);
	for (size_t i = 0; out->best.holder && i < m->snapshots.len; i++) {
		const struct task_snapshot *s = snapshot_at(m, i);
		struct task_crowd c;

		if (strcmp(s->host, host) != 0 || s == out->best.snapshot)
			continue;
		task_crowd_largest(s, &c);
		if (is(&c) && c.holder && c.holder->pid != out->best.holder->pid &&
		    (c.inode == 0 || out->best.inode == 0 || c.inode == out->best.inode))
			out->moved_to = c.holder;
	}
	return out->snapshots != 0;
}

static const char *inode_words(struct diagnosis *d, const struct task_crowd *c)
{
	if (c->inode == 0)
		return "";
	return arena_format(&d->arena, " (%s at %016" PRIx64 ")", c->is_lock ? "its lock" : "inode",
			    c->inode);
}

static void add_subjects(struct diagnosis *d, struct finding *f, const struct task_model *m,
			 const struct dir_story *story)
{
	const struct task_crowd *c = &story->best;

	task_finding_about(d, f, c->snapshot);
	if (c->inode)
		finding_subject(d, f,
				c->is_lock ? "directory's lock"
				: task_model_is_directory(m, c->snapshot->id, c->inode)
					? "directory's inode"
					: "inode",
				"%016" PRIx64, c->inode);
	if (c->holder) {
		finding_subject(d, f, "holder", "%s", task_text(d, c->holder));
		finding_subject(d, f, "holder waits for", "%s", task_wait_words(d, c->holder));
	}
	f->count = c->waiters;
}

static void cite_task(struct diagnosis *d, struct finding *f, const struct task_seen *t,
		      const char *what)
{
	if (t)
		finding_cite(d, f, &t->at, NULL, "%s %s", task_text(d, t), what);
}

static void cite_crowd(struct diagnosis *d, struct finding *f, const struct dir_story *story)
{
	const struct task_crowd *c = &story->best;

	if (c->holder && c->holder->holds_in[0])
		cite_task(d, f, c->holder,
			  arena_format(&d->arena, "is in %s under the lock and waits for %s",
				       log_text(d, c->holder->holds_in),
				       task_wait_words(d, c->holder)));
	else if (c->holder)
		cite_task(d, f, c->holder, "is the task that owns the lock");
	if (story->lock.has_count || story->lock.has_owner)
		finding_cite(d, f, &story->lock.at, NULL, "the lock itself");
	cite_task(d, f, c->waiter,
		  arena_format(&d->arena, "waits in %s, called from %s",
			       log_text(d, c->waiter->sleeps_in), log_text(d, c->waiter->where)));
	if (c->reader)
		cite_task(d, f, c->reader,
			  arena_format(&d->arena, "waits in %s, called from %s: a victim",
				       log_text(d, c->reader->sleeps_in),
				       log_text(d, c->reader->where)));
	if (c->changer)
		cite_task(d, f, c->changer,
			  arena_format(&d->arena, "waits in %s, called from %s",
				       log_text(d, c->changer->sleeps_in),
				       log_text(d, c->changer->where)));
	cite_task(d, f, story->moved_to, "is the holder in another sample");
}

/* For how long the kernel called this task hung, in whatever listing of its host; 0: never. */
static int64_t hung_for(const struct task_model *m, const struct task_crowd *c,
			const struct task_seen *of)
{
	int64_t seconds = 0;

	for (size_t i = 0; i < m->snapshots.len; i++) {
		const struct task_snapshot *s = snapshot_at(m, i);

		for (size_t k = 0; strcmp(s->host, c->snapshot->host) == 0 && k < s->tasks.len;
		     k++) {
			const struct task_seen *t =
				*(struct task_seen *const *)vec_at(&s->tasks, k);

			if (t->pid == of->pid && strcmp(t->name, of->name) == 0 &&
			    t->hung_s > seconds)
				seconds = t->hung_s;
		}
	}
	return seconds;
}

/* Who else waits, and that the one of whom the log speaks is not the holder. */
static const char *victim_words(struct diagnosis *d, const struct task_model *m,
				const struct task_crowd *c)
{
	const char *hung = "";
	int64_t seconds;

	if (!c->reader)
		return "";
	seconds = hung_for(m, c, c->reader);
	if (seconds)
		hung = arena_format(&d->arena,
				    " The kernel's log accuses that one (blocked for more than "
				    "%" PRId64
				    " s): it is a victim and holds nothing. Of the listers "
				    "it does not complain, because they wait in a killable way.",
				    seconds);
	return arena_format(&d->arena, " %s wait%s to lock it for reading, %s.%s",
			    c->lookups > 1 ? arena_format(&d->arena, "%zu tasks, the first %s,",
							  c->lookups, task_text(d, c->reader))
					   : task_text(d, c->reader),
			    c->lookups > 1 ? "" : "s", task_purpose_text(c->reader->purpose), hung);
}

static const char *proof_words(struct diagnosis *d, const struct task_crowd *c)
{
	if (c->by_object == 0 && c->by_part == 0)
		return "";
	return arena_format(&d->arena,
			    " Shown by whole stacks: %zu; by their outer part: %zu; by sleeping "
			    "uninterruptibly with a file of this inode on the stack: %zu.",
			    c->list_write - c->by_object - c->by_part, c->by_part, c->by_object);
}

/* Is it stuck, or only slow? Two looks tell. */
static const char *pace_words(struct diagnosis *d, const struct dir_story *story)
{
	const struct task_crowd *c = &story->best;

	if (story->outage && !story->moved_to)
		return " The host's log complains that a server does not respond, and of no OK: as "
		       "long as the holder's call is not answered, that outage decides, and not "
		       "the lock.";
	if (story->moved_to)
		return arena_format(&d->arena,
				    " It is slow and not stuck: in another sample %s holds the "
				    "lock, so the listings go on, one at a time.",
				    task_text(d, story->moved_to));
	if (story->paced && (task_pace_goes_on(&story->pace) || task_pace_is_stuck(&story->pace)))
		return arena_format(&d->arena, " %s: %s.",
				    task_pace_goes_on(&story->pace)
					    ? "It is slow and not stuck"
					    : "The holder waits for one and the same reply",
				    task_pace_words(d, &story->pace));
	if (c->other)
		return arena_format(
			&d->arena,
			" %s lists a directory of another file system (in %s), as others "
			"list one of NFS: for whose lock they wait the stacks do not tell.",
			task_text(d, c->other), log_text(d, c->other->lists_other));
	if (!c->holder && c->snapshot->scope == TASK_SCOPE_BLOCKED)
		return " No blocked task holds the lock: whoever holds it was running when the "
		       "tasks were listed, so it is passed on, and the listings go on.";
	if (c->holder && c->holder->wait == TASK_WAIT_RPC)
		return " Whether the server answers slowly or not at all, one look cannot tell: "
		       "look again whether another task holds the lock.";
	return "";
}

/* What the lock says of itself, where a dump prints it. */
static const char *lock_words(struct diagnosis *d, const struct dir_story *s)
{
	const struct task_lock *l = &s->lock;
	const char *count = "";
	const char *owner = "";

	if (l->has_count && l->decoded)
		count = arena_format(
			&d->arena, " Its count is 0x%" PRIx64 ": %s, and %s.", l->count,
			l->writer    ? "held for writing"
			: l->readers ? arena_format(&d->arena, "held for reading, by %" PRIu64,
						    l->readers)
				     : "held by nobody at that moment",
			l->waiters ? "others wait" : "nobody waits");
	else if (l->has_count)
		count = arena_format(
			&d->arena, " Its count, 0x%" PRIx64 ", can be read in two ways.", l->count);
	if (l->has_owner && l->owner && !l->owned_to_read)
		owner = arena_format(&d->arena, " Its owner is the task at %016" PRIx64 "%s.",
				     l->owner, s->owner_is_holder ? ", the holder" : "");
	return arena_format(&d->arena, "%s%s", count, owner);
}

/* Why this kernel locks so. A mutex knows no readers: there all file systems are alike. */
static const char *kernel_words(const struct task_crowd *c)
{
	if (c->rwsem)
		return "This kernel does that where a file system offers no shared listing, as its "
		       "NFS client does not before 93a6ab7b691f.";
	return "The lock is a mutex (i_mutex, in kernels before 4.7): there every listing of a "
	       "directory excludes every other and every look-up in it, whatever the file system.";
}

/* By the lock's own list of those that wait for it. */
static const char *list_words(const struct task_crowd *c)
{
	return c->is_lock ? " That they wait for this very lock is told by its wait_list, whose "
			    "ends lie on their stacks."
			  : "";
}

static const char *holder_words(struct diagnosis *d, const struct task_crowd *c)
{
	if (!c->holder)
		return "";
	if (c->holder->holds_in[0] == '\0')
		return arena_format(&d->arena,
				    " %s owns it, by the lock's own word; its stack shows no "
				    "operation of NFS under the lock.",
				    task_text(d, c->holder));
	return arena_format(&d->arena,
			    " %s is inside of %s under that lock and waits for %s; with it that "
			    "makes %zu tasks.",
			    task_text(d, c->holder), log_text(d, c->holder->holds_in),
			    task_wait_words(d, c->holder), c->waiters + c->holders);
}

enum exclusive_proof { EXCLUSIVE_OUTAGE, EXCLUSIVE_WEAK, EXCLUSIVE_SHOWN, EXCLUSIVE_PROVEN };

static enum exclusive_proof proof_of(const struct dir_story *story)
{
	const struct task_crowd *c = &story->best;

	if (story->outage && !story->moved_to)
		return EXCLUSIVE_OUTAGE;
	/* At the moment of the dump it was held to read: by whom it is kept otherwise is not shown.
	 */
	if (story->lock.decoded && story->lock.readers)
		return story->any_list_holder || c->nfs ? EXCLUSIVE_SHOWN : EXCLUSIVE_WEAK;
	if (c->list_holders == 1 && c->inode &&
	    (c->holder->inode == c->inode || story->owner_is_holder))
		return EXCLUSIVE_PROVEN;
	if (story->any_list_holder || c->nfs)
		return EXCLUSIVE_SHOWN;
	return EXCLUSIVE_WEAK;
}

static void tell_exclusive(const struct task_model *m, struct diagnosis *d,
			   const struct dir_story *story)
{
	static const enum finding_confidence confidence[] = {
		[EXCLUSIVE_OUTAGE] = CONFIDENCE_POSSIBLE,
		[EXCLUSIVE_WEAK] = CONFIDENCE_POSSIBLE,
		[EXCLUSIVE_SHOWN] = CONFIDENCE_LIKELY,
		[EXCLUSIVE_PROVEN] = CONFIDENCE_CERTAIN,
	};
	const struct task_crowd *c = &story->best;
	struct finding *f = diagnosis_add(d, "dir-listing-exclusive", confidence[proof_of(story)]);
	const char *holder = "";

	add_subjects(d, f, m, story);
	if (c->holder)
		holder = arena_format(&d->arena, ": %s holds it and waits for %s",
				      task_text(d, c->holder), task_wait_words(d, c->holder));
	f->title = arena_format(&d->arena,
				"%s wait for the lock of one directory, whose listings exclude "
				"each other%s",
				task_crowd_names(d, c), holder);
	f->why = arena_format(
		&d->arena,
		"%zu wait in %s, called from %s: they want to lock the directory%s for writing, "
		"only to list it. %s%s%s%s%s%s%s%s",
		c->list_write, log_text(d, c->waiter->sleeps_in), log_text(d, c->waiter->where),
		inode_words(d, c), kernel_words(c), list_words(c), proof_words(d, c),
		holder_words(d, c), lock_words(d, story), victim_words(d, m, c),
		pace_words(d, story),
		proof_of(story) == EXCLUSIVE_WEAK
			? " That the directory is on NFS is not shown: a few other file systems "
			  "list exclusively too. The stack of the holder would show it: "
			  "cat /proc/PID/stack of each task that lists."
			: "");
	cite_crowd(d, f, story);
	if (c->rwsem)
		finding_rule_out(d, f, "dir-listing-writer-queued",
				 "the listers themselves ask for the lock for writing");
	if (story->moved_to)
		finding_rule_out(d, f, "rpc-server-silent",
				 "the lock passed from one task to another: READDIR is answered");
}

static void tell_writer_queued(const struct task_model *m, struct diagnosis *d,
			       const struct dir_story *story)
{
	const struct task_crowd *c = &story->best;
	bool proven = c->inode && c->holder->inode == c->inode && c->changer->inode == c->inode;
	bool outage = story->outage && !story->moved_to;
	struct finding *f = diagnosis_add(d, "dir-listing-writer-queued",
					  outage   ? CONFIDENCE_POSSIBLE
					  : proven ? CONFIDENCE_CERTAIN
						   : CONFIDENCE_LIKELY);

	add_subjects(d, f, m, story);
	f->title = arena_format(
		&d->arena,
		"%s wait for the lock of one directory: %s wants to change it while "
		"%s lists it",
		task_crowd_names(d, c), task_text(d, c->changer), task_text(d, c->holder));
	f->why = arena_format(
		&d->arena,
		"%s lists the directory%s with the lock shared and waits for %s. %s wants the lock "
		"for writing, %s; whoever comes later to read (%zu to list, %zu to look up a name) "
		"queues behind it, although readers alone would not exclude each other.%s",
		task_text(d, c->holder), inode_words(d, c), task_wait_words(d, c->holder),
		task_text(d, c->changer), task_purpose_text(c->changer->purpose), c->list_read,
		c->lookups, pace_words(d, story));
	cite_crowd(d, f, story);
	finding_rule_out(d, f, "dir-listing-exclusive", "no lister asks for the lock for writing");
}

static void run_each(const struct rule_input *in, struct diagnosis *out, crowd_fn *is,
		     void (*tell)(const struct task_model *, struct diagnosis *,
				  const struct dir_story *))
{
	const struct task_model *m = in->tasks;

	for (size_t i = 0; m && i < m->snapshots.len; i++) {
		const char *host = snapshot_at(m, i)->host;
		struct dir_story story;
		bool again = false;

		for (size_t k = 0; k < i && !again; k++)
			again = strcmp(snapshot_at(m, k)->host, host) == 0;
		if (again || !tell_story(m, host, is, &story))
			continue;
		story.outage = task_host_complains(in, host);
		tell(m, out, &story);
	}
}

/* Since the lock's functions are the scheduler's (.sched.text), /proc/PID/stack ends with who asks.
 */
static size_t listers_asleep(const struct task_snapshot *s)
{
	size_t count = 0;

	for (size_t i = 0; i < s->tasks.len; i++) {
		const struct task_seen *t = *(struct task_seen *const *)vec_at(&s->tasks, i);

		count += t->state == 'D' && t->wait == TASK_WAIT_NONE && t->frames_len &&
			 strcmp(t->frames[0], "iterate_dir") == 0;
	}
	return count;
}

static void run_exclusive(const struct rule_input *in, struct diagnosis *out)
{
	size_t asleep = 0;

	run_each(in, out, is_exclusive, tell_exclusive);
	for (size_t i = 0; in->tasks && i < in->tasks->snapshots.len; i++) {
		struct dir_story story;

		if (tell_story(in->tasks, snapshot_at(in->tasks, i)->host, is_exclusive, &story))
			return;
		if (listers_asleep(snapshot_at(in->tasks, i)) > asleep)
			asleep = listers_asleep(snapshot_at(in->tasks, i));
	}
	if (asleep >= WAITERS_BESIDE_HOLDER_MIN)
		diagnosis_undecided(
			out, "dir-listing-exclusive",
			arena_format(&out->arena,
				     "whether the %zu tasks that sleep in iterate_dir want the "
				     "directory's lock for writing: their stacks end before it",
				     asleep),
			"echo w > /proc/sysrq-trigger; dmesg | tail -n 1000");
}

static void run_writer_queued(const struct rule_input *in, struct diagnosis *out)
{
	run_each(in, out, is_writer_queued, tell_writer_queued);
}

const struct rule rule_dir_listing_exclusive = {
	.id = "dir-listing-exclusive",
	.needs = "stacks of the tasks that wait, of all at one moment (/proc, sysrq-w, crash)",
	.run = run_exclusive,
};

const struct rule rule_dir_listing_writer_queued = {
	.id = "dir-listing-writer-queued",
	.needs = "stacks of the tasks that wait, of all at one moment (/proc, sysrq-w, crash)",
	.run = run_writer_queued,
};
