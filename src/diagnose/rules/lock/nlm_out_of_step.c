// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nlm-locks-out-of-step (symptom; catalogue C9, C10): a client and its server do not agree which
 * locks the client holds. What shows it: LOCK with the reclaim flag that is refused, and what the
 * client's kernel says of it, and of an UNLOCK that is refused (fs/lockd/clntproc.c,
 * nlmclnt_reclaim, nlmclnt_unlock, nlmclnt_lock).
 *
 * Linux does not tell the program that its lock is gone: it goes on under it. A reclaim that is
 * refused and granted the next time is the protocol at work.
 */
#include "diagnose/rules/lock/nlm_common.h"
#include "diagnose/rules/log_common.h"
#include "diagnose/rules/nfs4/nfs4_common.h"
#include "diagnose/rules/rules.h"
#include "event/handle.h"
#include "model/nlm/nlm.h"
#include "names/nlm.h"

#include <inttypes.h>
#include <stdlib.h>

static const char *status_text(struct diagnosis *d, uint32_t status)
{
	const char *name = nlm_nlm4_stats_name(status);

	return name ? name : arena_format(&d->arena, "status %" PRIu32, status);
}

/* What a refusal of a reclaim means; "": many things. */
static const char *refusal_means(uint32_t status)
{
	switch (status) {
	case NLM_DENIED:
		return " Somebody else holds the lock by now, or what stands for somebody else.";
	case NLM_DENIED_GRACE_PERIOD:
		return " A Linux lock manager answers a reclaim so when it is in no grace period: "
		       "the reclaim came too late, or went to a node that had no restart.";
	case NLM_DENIED_NOLOCKS:
		return " The server could not set the lock up.";
	default:
		return "";
	}
}

/* --- what a log says --- */

static const char *times_text(struct diagnosis *d, const struct logs_tally *t)
{
	return nfs4_count_text(d, t->count, "time", "times");
}

static void unreclaimed_words(struct diagnosis *d, struct finding *f, const struct logs_tally *t,
			      const char *host)
{
	uint32_t status = (uint32_t)strtoul(t->subject, NULL, 10);
	bool no_answer = status == NLM_GRANTED;

	f->title = arena_format(&d->arena, "%s could not take its locks back, says its log", host);
	f->why = arena_format(
		&d->arena,
		"%s the kernel of %s wrote that it could not take back a lock of NFSv3 after the "
		"lock manager of its server had restarted: %s%s.%s The program that had the lock "
		"is not told: it goes on as if it held it, while the server may give it to "
		"somebody else.",
		times_text(d, t), host, t->mixed ? "the first was " : "",
		no_answer ? arena_format(&d->arena, "the call failed with error %s",
					 log_error_text(d, t->number))
			  : arena_format(&d->arena, "answered %s", status_text(d, status)),
		no_answer ? "" : refusal_means(status));
}

static void unlock_words(struct diagnosis *d, struct finding *f, const struct logs_tally *t,
			 const char *host)
{
	f->title = arena_format(&d->arena, "a server refuses to release a lock of %s, says its log",
				host);
	f->why = arena_format(
		&d->arena,
		"%s the kernel of %s wrote that UNLOCK was answered %s%s. The client has dropped "
		"the lock in its own table by then; the server may hold it for this client still, "
		"so that others wait for it in vain.",
		times_text(d, t), host, status_text(d, (uint32_t)t->number),
		t->mixed ? " at first, later also otherwise" : "");
}

static void table_words(struct diagnosis *d, struct finding *f, const struct logs_tally *t,
			const char *host)
{
	f->title = arena_format(&d->arena,
				"%s cannot note a lock that its server granted, says "
				"its log",
				host);
	f->why = arena_format(
		&d->arena,
		"%s the kernel of %s wrote that its own table of locks is out of step with the "
		"lock manager: the server granted a lock that the table did not take. Kernels of "
		"2.6 wrote so for less.",
		times_text(d, t), host);
}

static void tell_log(const struct rule_input *in, struct diagnosis *d, const struct logs_tally *t)
{
	struct finding *f = log_finding_begin(
		in, d, "nlm-locks-out-of-step",
		t->kind == LOG_LOCK_OUT_OF_STEP ? CONFIDENCE_LIKELY : CONFIDENCE_CERTAIN, t);
	const char *host = log_host_text(d, t->of.host);
	const char *words;

	if (t->kind == LOG_LOCK_UNRECLAIMED) {
		unreclaimed_words(d, f, t, host);
		words = "lockd could not reclaim a lock";
	} else if (t->kind == LOG_UNLOCK_REFUSED) {
		unlock_words(d, f, t, host);
		words = "UNLOCK was refused";
	} else {
		table_words(d, f, t, host);
		words = "the local table of locks is out of step";
	}
	log_finding_cite(d, f, t, words);
	if (t->kind != LOG_LOCK_OUT_OF_STEP)
		finding_rule_out(d, f, "nfs4-lock-reclaim-failed",
				 "lockd says it, which NFSv4 has no use for");
}

/* --- on the wire --- */

static bool is_lost(const struct nlm_reclaim *c)
{
	return c->refused && !(c->regained.frame != FRAME_NONE && c->regained_reclaim);
}

static void tell_wire(struct diagnosis *d, const struct nlm_reclaim *c)
{
	struct finding *f = diagnosis_add(d, "nlm-locks-out-of-step", CONFIDENCE_CERTAIN);
	const char *client = nfs4_host_text(d, &c->client);
	const char *status = status_text(d, c->refused_status);

	finding_set_server(d, f, &c->server);
	finding_add_client(d, f, &c->client);
	finding_subject(d, f, "file", "handle with hash 0x%08x (nfs.fh.hash)",
			file_handle_hash(&c->refused_file));
	nfs4_finding_span(f, &c->refused_first);
	nfs4_finding_span(f, &c->refused_last);
	f->count = c->refused;
	f->title = arena_format(&d->arena, "%s could not take back %s from the lock manager of %s",
				client, nfs4_count_text(d, c->refused, "lock", "locks"),
				nfs4_host_text(d, &c->server));
	f->why = arena_format(
		&d->arena,
		"A client asks with the reclaim flag for what it held before the lock manager "
		"restarted. %s of %s, the first with %s.%s %s%s",
		c->refused == 1 ? "One such LOCK was refused"
				: arena_format(&d->arena, "%" PRIu64 " such LOCKs were refused",
					       c->refused),
		client, status, refusal_means(c->refused_status),
		c->granted
			? arena_format(&d->arena, "%s granted. ",
				       nfs4_count_text(d, c->granted, "other was", "others were"))
			: "",
		c->regained.frame != FRAME_NONE
			? "Later the same owner got the lock by an ordinary LOCK: meanwhile others "
			  "could have had it."
			: "A Linux client does not tell its programs: they go on as if they held "
			  "the locks.");
	finding_cite(d, f, &c->refused_first, &c->conn, "LOCK with the reclaim flag answered %s",
		     status);
	if (c->refused > 1)
		finding_cite(d, f, &c->refused_last, &c->conn, "the last reclaim that is refused");
	finding_cite(d, f, &c->regained, &c->conn, "the lock is granted to it again");
	finding_rule_out(d, f, "nlm-blocked", "the client asks for what it held before");
}

static void run(const struct rule_input *in, struct diagnosis *out)
{
	for (size_t i = 0; in->logs && i < in->logs->lock_steps.len; i++)
		tell_log(in, out, logs_tally_at(&in->logs->lock_steps, i));
	for (size_t i = 0; in->nlm && i < in->nlm->reclaims.len; i++) {
		const struct nlm_reclaim *c = *(struct nlm_reclaim **)vec_at(&in->nlm->reclaims, i);

		if (is_lost(c))
			tell_wire(out, c);
	}
}

const struct rule rule_nlm_locks_out_of_step = {
	.id = "nlm-locks-out-of-step",
	.needs = "a capture of NLM traffic, or the kernel log of the client",
	.run = run,
};
