// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a host's list of file locks tells (/proc/locks), each for its id:
 *
 * nlm-blocked             a lock waits for one that somebody else holds, while a lockd complains
 * nfs4-recall-unanswered  a delegation is being recalled, in two lists: it is not returned (A14)
 *
 * Whose a delegation or a lock of NFSv4 is, the server's list of states tells beside it
 * (/proc/fs/nfsd/clients). One list shows one moment: a lock that waits there is no fault, and a
 * recall that is under way is undecided.
 */
#include "diagnose/rules/host/host_clients.h"
#include "diagnose/rules/host/host_common.h"
#include "diagnose/rules/rules.h"
#include "diagnose/rules/timers.h"
#include "diagnose/rules/transport.h"
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

/* Which client of NFSv4 has what a row of /proc/locks tells of. */
struct owner {
	const struct host_record *state;  /* NULL: the list of states does not tell */
	const struct host_record *client; /* NULL: not listed, or without an address */
};

static struct owner owner_of(const struct rule_input *in, const struct host_record *lock,
			     enum nfsd_state_kind kind)
{
	struct owner o = {0};
	const struct host_record *r;
	size_t i = 0;

	while ((r = host_model_next(in->hosts, HOST_NFSD_STATE, &i))) {
		bool here = r->at.evidence == lock->at.evidence;

		if (r->fact.state.kind != kind ||
		    !slice_equal(r->fact.state.inode, lock->fact.lock.inode) ||
		    (!here && !timers_one_folder(in, r->at.evidence, lock->at.evidence)))
			continue;
		if (!o.state || (here && o.state->at.evidence != lock->at.evidence))
			o.state = r;
	}
	if (o.state)
		o.client = host_clients_find(in, o.state->fact.state.clientid, &o.state->at);
	if (o.client && !o.client->fact.client.has_address)
		o.client = NULL;
	return o;
}

static const char *file_text(struct diagnosis *d, const struct owner *o, const char *inode)
{
	if (!o->state || o->state->fact.state.file.len == 0)
		return arena_format(&d->arena, "inode %s", inode);
	return arena_format(&d->arena, "%s (inode %s)",
			    host_safe_text(d, o->state->fact.state.file), inode);
}

static const char *callback_text(enum callback_state state)
{
	switch (state) {
	case CALLBACK_UP:
		return ", callback state UP";
	case CALLBACK_DOWN:
		return ", callback state DOWN";
	case CALLBACK_FAULT:
		return ", callback state FAULT";
	case CALLBACK_UNKNOWN:
		break;
	}
	return "";
}

/* "192.0.2.21 (\"Linux NFSv4.2 app\", renewed 3 s before, callback state UP)" */
static const char *client_text(struct diagnosis *d, const struct nfsd_client_fact *c)
{
	const char *renewed =
		c->has_renewed
			? arena_format(&d->arena, ", renewed %" PRIu64 " s before", c->renewed_s)
			: "";

	return arena_format(&d->arena, "%s (\"%s\"%s%s%s)", transport_host(d, &c->at),
			    host_safe_text(d, c->name), renewed, callback_text(c->callback),
			    c->courtesy ? ", a courtesy client: its lease is over" : "");
}

static void owner_cite(struct diagnosis *d, struct finding *f, const struct owner *o)
{
	if (o->state)
		finding_cite(d, f, &o->state->at, NULL, "who has it: client ID 0x%016" PRIx64,
			     o->state->fact.state.clientid);
	if (!o->client)
		return;
	finding_add_client(d, f, &o->client->fact.client.at);
	finding_cite(d, f, &o->client->at, NULL, "this client, as the server lists it");
}

static void blocked_tell(const struct rule_input *in, struct diagnosis *d,
			 const struct host_record *waiter, const struct host_record *holder)
{
	const struct file_lock_fact *w = &waiter->fact.lock, *h = &holder->fact.lock;
	struct finding *f = diagnosis_add(d, "nlm-blocked", CONFIDENCE_CERTAIN);
	struct owner owner = owner_of(in, holder, NFSD_STATE_LOCK);
	const char *file = file_text(d, &owner, host_safe_text(d, h->inode));

	finding_subject(d, f, "file", "%s", file);
	f->count = 1;
	f->title =
		w->pid == h->pid
			? arena_format(&d->arena,
				       "a lock on %s waits for one that is held, both of process "
				       "%" PRId64,
				       file, w->pid)
			: arena_format(&d->arena,
				       "process %" PRId64 " waits for a lock that %" PRId64
				       " holds, on %s",
				       w->pid, h->pid, file);
	f->why = arena_format(
		&d->arena,
		"In the host's list of locks the %s lock of process %" PRId64
		" (%s, %s) comes before "
		"that of %" PRId64 ", which waits for it. On a server the process of a lock that a "
		"client holds is lockd or nfsd, or a number of the client's.%s",
		host_safe_text(d, h->kind), h->pid, h->write ? "to write" : "to read",
		host_safe_text(d, h->range), w->pid,
		owner.client ? arena_format(&d->arena,
					    " Of its NFSv4 clients %s has a lock on "
					    "this file.",
					    client_text(d, &owner.client->fact.client))
			     : "");
	finding_cite(d, f, &holder->at, NULL, "the lock that is held");
	finding_cite(d, f, &waiter->at, NULL, "one that waits for it");
	owner_cite(d, f, &owner);
}

/* Programs of one host lock against each other all the time: it takes somebody who complains. */
static bool lockd_complains(const struct rule_input *in)
{
	for (size_t i = 0; in->logs && i < in->logs->intervals.len; i++)
		if (strcmp(logs_interval_at(in->logs, i)->of.program, "lockd") == 0)
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
		blocked_tell(in, out, r, holder);
	}
}

/* The same recall in another list; NULL: it is not there. */
static const struct host_record *recall_again(const struct rule_input *in,
					      const struct host_record *of)
{
	const struct host_record *r;
	size_t i = 0;

	while ((r = host_model_next(in->hosts, HOST_FILE_LOCK, &i)))
		if (r->fact.lock.breaking && r->fact.list != of->fact.list &&
		    r->fact.lock.pid == of->fact.lock.pid &&
		    slice_equal(r->fact.lock.inode, of->fact.lock.inode))
			return r;
	return NULL;
}

static void recall_tell(const struct rule_input *in, struct diagnosis *d,
			const struct host_record *r, const struct host_record *before)
{
	struct finding *f = diagnosis_add(d, "nfs4-recall-unanswered", CONFIDENCE_POSSIBLE);
	struct owner owner = owner_of(in, r, NFSD_STATE_DELEG);
	const char *file = file_text(d, &owner, host_safe_text(d, r->fact.lock.inode));

	finding_subject(d, f, "file", "%s", file);
	f->count = 1;
	f->title = arena_format(&d->arena, "a delegation of %s is recalled and not returned", file);
	f->why = arena_format(
		&d->arena,
		"Two lists of the server's locks have the delegation as BREAKING: it was recalled, "
		"because somebody else wants the file, and %s had not returned it when the second "
		"was made. The lists do not tell how far apart they are%s",
		owner.client ? client_text(d, &owner.client->fact.client)
			     : "the client that has it",
		owner.client ? "."
			     : ", nor which client that is: /proc/fs/nfsd/clients/*/states does.");
	finding_cite(d, f, &before->at, NULL, "a delegation is being recalled");
	finding_cite(d, f, &r->at, NULL, "it still is");
	owner_cite(d, f, &owner);
}

/* A recall that one list shows. */
static void recall_undecided(const struct rule_input *in, struct diagnosis *d,
			     const struct host_record *r)
{
	struct owner owner = owner_of(in, r, NFSD_STATE_DELEG);

	if (!owner.client) {
		diagnosis_undecided(
			d, "nfs4-recall-unanswered",
			"a delegation is being recalled; for how long, and which client has it",
			"on the server, twice 30 s apart: grep BREAKING /proc/locks; "
			"grep -H deleg /proc/fs/nfsd/clients/*/states");
		return;
	}
	diagnosis_undecided(
		d, "nfs4-recall-unanswered",
		arena_format(&d->arena,
			     "for how long the delegation of %s that %s has is being recalled",
			     file_text(d, &owner, host_safe_text(d, r->fact.lock.inode)),
			     client_text(d, &owner.client->fact.client)),
		"on the server, again 30 s later: grep BREAKING /proc/locks");
}

static void recall_run(const struct rule_input *in, struct diagnosis *out)
{
	const struct host_record *r;
	size_t i = 0, told = 0;

	while (told < TOLD_MAX && (r = host_model_next(in->hosts, HOST_FILE_LOCK, &i))) {
		const struct host_record *again;

		if (!r->fact.lock.breaking ||
		    !slice_equal(r->fact.lock.kind, slice_of_string("DELEG")))
			continue;
		again = recall_again(in, r);
		if (!again) {
			recall_undecided(in, out, r);
		} else if (again->fact.list < r->fact.list) {
			recall_tell(in, out, r, again);
			told++;
		}
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
