// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Locks that are denied although nobody is in their way:
 *
 * nlm-denied-nolocks         for want of resources
 * nlm-retransmission-denied  another copy of the same request was granted (catalogue C8)
 *
 * A client sends LOCK again when no answer comes in time. A server without a memory of requests
 * that are still at work treats the copy as a request of its own: it meets the first one's lock, or
 * what stands for it, and is denied. The client believes the denial; the server keeps the lock.
 */
#include "diagnose/rules/lock/nlm_common.h"
#include "diagnose/rules/nfs4/nfs4_common.h"
#include "diagnose/rules/rules.h"
#include "model/nlm/nlm.h"

#include <inttypes.h>

/* An answer that took longer waited for something. */
#define SLOW_NS (5 * STAMP_NS_PER_S)

static const char *slow_text(struct diagnosis *d, const struct nlm_denial *n)
{
	int64_t ns = nlm_apart_ns(n->slow_call.at, n->slow.at);

	if (ns < SLOW_NS)
		return "";
	return arena_format(&d->arena,
			    " The slowest of these answers took %s, so the lock manager waited for "
			    "something before it gave up; a Linux one waits up to 60 s for its own "
			    "statd.",
			    nfs4_duration_text(d, ns));
}

static void nolocks_tell(struct diagnosis *d, const struct nlm_denial *n)
{
	struct finding *f = diagnosis_add(d, "nlm-denied-nolocks", CONFIDENCE_CERTAIN);
	const char *server = nfs4_host_text(d, &n->server);

	finding_set_server(d, f, &n->server);
	finding_add_client(d, f, &n->client);
	f->first = n->first.at;
	f->last = n->last.at;
	f->count = n->count;
	f->title = arena_format(
		&d->arena, "the lock manager of %s denied %s of %s for want of resources", server,
		nfs4_count_text(d, n->count, "lock request", "lock requests"),
		nfs4_host_text(d, &n->client));
	f->why = arena_format(
		&d->arena,
		"The answer is DENIED_NOLOCKS: it says nothing of another holder; the server "
		"could not set the lock up, and the program at the client gets ENOLCK. Besides a "
		"lack of memory or of lock records, a Linux server answers so when its own statd "
		"cannot watch the client%s.%s %s",
		n->caller[0] ? arena_format(&d->arena, " (it calls itself %s)", n->caller) : "",
		slow_text(d, n),
		n->over.frame == FRAME_NONE
			? "No lock was granted to this client after it within the evidence."
			: arena_format(&d->arena, "At %s a lock was granted again.",
				       nlm_time_text(d, n->over.at)));
	finding_cite(d, f, &n->first, &n->conn, "the first DENIED_NOLOCKS");
	finding_cite(d, f, &n->last, &n->conn, "the last DENIED_NOLOCKS");
	finding_cite(d, f, &n->slow_call, &n->conn, "the request whose answer took longest");
	finding_cite(d, f, &n->over, &n->conn, "a lock is granted again");
	for (uint32_t i = 1; i < n->cites_len; i++)
		finding_cite(d, f, &n->cites[i], &n->conn, "DENIED_NOLOCKS");
	finding_rule_out(d, f, "nlm-blocked", "the answer is not DENIED, and not BLOCKED");
	finding_rule_out(d, f, "nlm-grace", "the answer is not DENIED_GRACE_PERIOD");
}

static void nolocks_run(const struct rule_input *in, struct diagnosis *out)
{
	for (size_t i = 0; i < in->nlm->denials.len; i++)
		nolocks_tell(out, *(struct nlm_denial **)vec_at(&in->nlm->denials, i));
}

static void double_cite(struct diagnosis *d, struct finding *f, const struct nlm_double *two)
{
	finding_cite(d, f, &two->denied, &two->conn, "DENIED");
	finding_cite(d, f, &two->granted, &two->conn, "the same lock: GRANTED");
	finding_cite(d, f, &two->asked, &two->conn, "the request that was denied%s",
		     two->same_xid ? ", which was answered twice" : "");
	finding_cite(d, f, &two->again, &two->conn, "its other copy, sent before the denial came");
	finding_cite(d, f, &two->given_back, &two->conn, "the client gives it back");
}

static void double_tell(struct diagnosis *d, const struct nlm_double *two)
{
	/* Two threads of one process may ask for one lock, with an XID each. */
	struct finding *f = diagnosis_add(d, "nlm-retransmission-denied",
					  two->same_xid ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY);
	const char *client = nfs4_host_text(d, &two->owner.host);

	finding_set_server(d, f, &two->conn.server);
	finding_add_client(d, f, &two->owner.host);
	nfs4_finding_span(f, &two->asked);
	nfs4_finding_span(f, &two->denied);
	nfs4_finding_span(f, &two->granted);
	f->count = 1;
	f->title = arena_format(
		&d->arena, "%s was denied a lock that another copy of its request got", client);
	f->why = arena_format(
		&d->arena,
		"%s asked for the lock at %s; the answer of %s was DENIED, and %s, sent before "
		"that, was answered GRANTED at %s. The first answer is the one that counts for "
		"the client: its program believes that somebody else has the lock, and the "
		"server keeps it for that client%s.",
		client, nlm_time_text(d, two->asked.at), nlm_time_text(d, two->denied.at),
		two->same_xid ? "the same request (one XID)" : "another request of the same owner",
		nlm_time_text(d, two->granted.at),
		two->given_back.frame == FRAME_NONE
			? ", with nobody who would give it back within the evidence"
			: "; it was given back later");
	double_cite(d, f, two);
	finding_rule_out(d, f, "nlm-blocked",
			 "the lock that was in the way belongs to the same owner");
}

static void double_run(const struct rule_input *in, struct diagnosis *out)
{
	for (size_t i = 0; i < in->nlm->doubles.len; i++)
		double_tell(out, *(struct nlm_double **)vec_at(&in->nlm->doubles, i));
}

const struct rule rule_nlm_denied_nolocks = {
	.id = "nlm-denied-nolocks",
	.needs = "a capture of NLM traffic",
	.run = nolocks_run,
};

const struct rule rule_nlm_retransmission_denied = {
	.id = "nlm-retransmission-denied",
	.needs = "a capture of NLM traffic, with the answers",
	.run = double_run,
};
