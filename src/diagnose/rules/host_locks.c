// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a host's list of file locks tells (/proc/locks), each for its id:
 *
 * nlm-blocked             a lock waits for one that somebody else holds, while a lockd complains
 * nfs4-recall-unanswered  a delegation is being recalled, in two lists: it is not returned (A14)
 *
 * One list shows one moment: a lock that waits there is no fault, and a recall that is under way is
 * undecided.
 */
#include "diagnose/rules/host_common.h"
#include "diagnose/rules/rules.h"
#include "model/host.h"
#include "model/logs.h"

#include <inttypes.h>
#include <string.h>

enum { TOLD_MAX = 8 };

/* The row that holds what the row with "->" behind it waits for; NULL: it is not there. */
static const struct host_record *holder_of(const struct rule_input *in,
					   const struct host_record *waiter)
{
	const struct host_record *r;
	size_t i = 0;

	while ((r = host_model_next(in->hosts, HOST_FILE_LOCK, &i)) && r != waiter)
		if (r->fact.list == waiter->fact.list && !r->fact.lock.waits &&
		    r->fact.lock.number == waiter->fact.lock.number &&
		    slice_equal(r->fact.lock.inode, waiter->fact.lock.inode))
			return r;
	return NULL;
}

static void blocked_tell(struct diagnosis *d, const struct host_record *waiter,
			 const struct host_record *holder)
{
	const struct file_lock_fact *w = &waiter->fact.lock, *h = &holder->fact.lock;
	struct finding *f = diagnosis_add(d, "nlm-blocked", CONFIDENCE_CERTAIN);
	const char *inode = host_safe_text(d, h->inode);

	finding_subject(d, f, "file", "inode %s", inode);
	f->count = 1;
	f->title = arena_format(&d->arena,
				"process %" PRId64 " waits for a lock that %" PRId64
				" holds, on inode %s",
				w->pid, h->pid, inode);
	f->why = arena_format(&d->arena,
			      "In the host's list of locks the %s lock of process %" PRId64
			      " (%s, %s) comes before "
			      "that of %" PRId64
			      ", which waits for it. On a server the process of a lock that a "
			      "client holds is lockd or nfsd, or a number of the client's.",
			      host_safe_text(d, h->kind), h->pid, h->write ? "to write" : "to read",
			      host_safe_text(d, h->range), w->pid);
	finding_cite(d, f, &holder->at, NULL, "the lock that is held");
	finding_cite(d, f, &waiter->at, NULL, "one that waits for it");
}

/* Programs of one host lock against each other all the time: it takes somebody who complains. */
static bool lockd_complains(const struct rule_input *in)
{
	for (size_t i = 0; in->logs && i < in->logs->intervals.len; i++)
		if (strcmp((*(struct logs_interval **)vec_at(&in->logs->intervals, i))->of.program,
			   "lockd") == 0)
			return true;
	return false;
}

static void blocked_run(const struct rule_input *in, struct diagnosis *out)
{
	const struct host_record *r, *holder;
	const struct host_record *told[TOLD_MAX];
	size_t i = 0, len = 0;

	while (lockd_complains(in) && len < TOLD_MAX &&
	       (r = host_model_next(in->hosts, HOST_FILE_LOCK, &i))) {
		bool known = false;

		holder = r->fact.lock.waits ? holder_of(in, r) : NULL;
		for (size_t k = 0; holder && k < len; k++)
			known |= slice_equal(told[k]->fact.lock.inode, r->fact.lock.inode);
		if (!holder || known)
			continue;
		told[len++] = r;
		blocked_tell(out, r, holder);
	}
}

/* The same recall in a list before; NULL: it is not there. */
static const struct host_record *recall_before(const struct rule_input *in,
					       const struct host_record *later)
{
	const struct host_record *r;
	size_t i = 0;

	while ((r = host_model_next(in->hosts, HOST_FILE_LOCK, &i)) && r != later)
		if (r->fact.lock.breaking && r->fact.list != later->fact.list &&
		    r->fact.lock.pid == later->fact.lock.pid &&
		    slice_equal(r->fact.lock.inode, later->fact.lock.inode))
			return r;
	return NULL;
}

static void recall_tell(struct diagnosis *d, const struct host_record *r,
			const struct host_record *before)
{
	struct finding *f = diagnosis_add(d, "nfs4-recall-unanswered", CONFIDENCE_POSSIBLE);
	const char *inode = host_safe_text(d, r->fact.lock.inode);

	finding_subject(d, f, "file", "inode %s", inode);
	f->count = 1;
	f->title = arena_format(&d->arena, "a delegation of inode %s is recalled and not returned",
				inode);
	f->why =
		"Two lists of the server's locks have the delegation as BREAKING: it was recalled, "
		"because somebody else wants the file, and the client that has it had not returned "
		"it "
		"when the second was made. The lists do not tell how far apart they are, nor which "
		"client that is: /proc/fs/nfsd/clients/*/states does.";
	finding_cite(d, f, &before->at, NULL, "a delegation is being recalled");
	finding_cite(d, f, &r->at, NULL, "it still is");
}

static void recall_run(const struct rule_input *in, struct diagnosis *out)
{
	const struct host_record *r;
	size_t i = 0, told = 0;

	while (told < TOLD_MAX && (r = host_model_next(in->hosts, HOST_FILE_LOCK, &i))) {
		const struct host_record *before;

		if (!r->fact.lock.breaking ||
		    !slice_equal(r->fact.lock.kind, slice_of_string("DELEG")))
			continue;
		before = recall_before(in, r);
		if (before)
			recall_tell(out, r, before);
		told += before != NULL;
		diagnosis_undecided(
			out, "nfs4-recall-unanswered",
			"a delegation is being recalled; for how long, and which client has it",
			"on the server, twice 30 s apart: grep BREAKING /proc/locks; "
			"grep -H deleg /proc/fs/nfsd/clients/*/states");
	}
}

const struct rule rule_nlm_blocked_listed = {
	.id = "nlm-blocked",
	.needs = "a host's /proc/locks, beside a log in which lockd complains",
	.run = blocked_run,
};

const struct rule rule_nfs4_recall_listed = {
	.id = "nfs4-recall-unanswered",
	.needs = "a server's /proc/locks, twice",
	.run = recall_run,
};
