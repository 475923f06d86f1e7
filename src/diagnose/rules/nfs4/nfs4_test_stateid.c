// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nfs4-test-stateid-loop (catalogue A11, A12): the client asks for one stateid again and again
 * whether it is valid. Each is asked once for each occasion; either the server keeps saying that
 * some state was revoked (sr_status_flags, RFC 8881 section 18.46.3), or its answer leads the
 * client nowhere.
 */
#include "diagnose/rules/nfs4/nfs4_state_common.h"
#include "diagnose/rules/rules.h"
#include "names/nfs4.h"

#include <inttypes.h>

enum { TESTS_MIN = 8, TESTS_MIN_FLAGGED = 4, FLAGGED_MIN = 4 };
#define LASTS_NS (10 * STAMP_NS_PER_S)

/* The longest stretch in which revoked state was told to this client; NULL: none. */
static const struct nfs4_flag_stretch *revoked_for(const struct rule_input *in,
						   const struct nfs4_tester *t)
{
	const struct nfs4_flag_stretch *best = NULL;

	for (struct recent_item *i = in->state->flagged.oldest; i; i = i->newer) {
		const struct nfs4_flagged *f = (const struct nfs4_flagged *)(const void *)i;
		const struct nfs4_flag_stretch *both[] = {&f->now[NFS4_FLAGS_REVOKED],
							  &f->longest[NFS4_FLAGS_REVOKED]};

		if (!endpoint_same_host(&f->client, &t->client) ||
		    !endpoint_equal(&f->server, &t->server))
			continue;
		for (unsigned k = 0; k < 2; k++)
			if (both[k]->span.count >= FLAGGED_MIN &&
			    (!best || nfs4_span_ns(&both[k]->span) > nfs4_span_ns(&best->span)))
				best = both[k];
	}
	return best;
}

static const struct nfs4_span *longest_of(const struct nfs4_tested *w)
{
	return nfs4_span_ns(&w->longest) > nfs4_span_ns(&w->tests) ? &w->longest : &w->tests;
}

static const struct nfs4_tested *most_tested(const struct nfs4_tester *t)
{
	const struct nfs4_tested *most = &t->watched[0];

	for (uint32_t i = 1; i < t->watched_len; i++)
		if (longest_of(&t->watched[i])->count > longest_of(most)->count)
			most = &t->watched[i];
	return most;
}

static const char *answers_text(struct diagnosis *d, const struct nfs4_tested *w)
{
	if (w->statuses[0] == NFS4_STATUS_NONE)
		return "";
	return arena_format(
		&d->arena, ", and was told %s%s%s", nfs4_status_text(d, w->statuses[0]),
		w->statuses[1] == NFS4_STATUS_NONE ? "" : " and ",
		w->statuses[1] == NFS4_STATUS_NONE ? "" : nfs4_status_text(d, w->statuses[1]));
}

static const char *reason_text(struct diagnosis *d, const struct nfs4_flag_stretch *flags)
{
	if (!flags)
		return "No reply to SEQUENCE says that state was revoked: it is the answer to "
		       "TEST_STATEID or to the call before it that makes the client ask again.";
	return arena_format(
		&d->arena,
		"The replies to SEQUENCE go on saying that state was revoked (%s, %" PRIu64
		" replies within %s), although the client has tested what it holds: the flag makes "
		"it test everything again.",
		flags->flags & SEQ4_STATUS_RECALLABLE_STATE_REVOKED
			? "SEQ4_STATUS_RECALLABLE_STATE_REVOKED"
		: flags->flags & SEQ4_STATUS_ADMIN_STATE_REVOKED
			? "SEQ4_STATUS_ADMIN_STATE_REVOKED"
			: "SEQ4_STATUS_EXPIRED_SOME_STATE_REVOKED or ..._ALL_...",
		flags->span.count, nfs4_duration_text(d, nfs4_span_ns(&flags->span)));
}

static void tell(const struct rule_input *in, struct diagnosis *d, const struct nfs4_tester *t,
		 const struct nfs4_flag_stretch *flags)
{
	struct finding *f = diagnosis_add(d, "nfs4-test-stateid-loop", CONFIDENCE_CERTAIN);
	const struct nfs4_tested *w = most_tested(t);
	const struct nfs4_span *s = longest_of(w);
	struct conn conn = nfs4_conn_to(&t->server);
	const char *who = nfs4_host_text(d, &t->client);

	nfs4_finding_host(in, d, f, &t->server, &t->client);
	nfs4_finding_span(f, &s->first);
	nfs4_finding_span(f, &s->last);
	f->count = s->count;
	f->title = arena_format(&d->arena, "%s tests the same state again and again (TEST_STATEID)",
				who);
	f->why = arena_format(
		&d->arena,
		"%s asked %" PRIu64 " times within %s whether one stateid is valid%s; "
		"it sent %" PRIu64 " TEST_STATEID and %" PRIu64 " FREE_STATEID in all. %s",
		who, s->count, nfs4_duration_text(d, nfs4_span_ns(s)), answers_text(d, w), t->tests,
		t->frees, reason_text(d, flags));
	finding_cite(d, f, &s->first, &conn, "TEST_STATEID of %s is answered", who);
	finding_cite(d, f, &s->last, &conn,
		     "TEST_STATEID for the same stateid, %" PRIu64 " times by now", s->count);
	if (flags) {
		finding_cite(d, f, &flags->span.first, &conn,
			     "a reply to SEQUENCE says that state "
			     "was revoked");
		finding_cite(d, f, &flags->span.last, &conn, "it still says so");
		finding_cite(d, f, &flags->cleared, &conn, "it does not say so any more");
	}
	finding_cite(d, f, &t->free_last, &conn, "the last FREE_STATEID is answered");
	finding_rule_out(d, f, "nfs4-session-reset-loop",
			 "session and client ID were not lost each time: SEQUENCE is answered "
			 "NFS4_OK");
}

static bool is_loop(const struct nfs4_tester *t, const struct nfs4_flag_stretch *flags)
{
	const struct nfs4_span *s = longest_of(most_tested(t));

	return s->count >= (flags ? TESTS_MIN_FLAGGED : TESTS_MIN) && nfs4_span_ns(s) >= LASTS_NS;
}

static void run(const struct rule_input *in, struct diagnosis *out)
{
	if (!in->state)
		return;
	for (struct recent_item *i = in->state->testers.oldest; i; i = i->newer) {
		const struct nfs4_tester *t = (const struct nfs4_tester *)(const void *)i;
		const struct nfs4_flag_stretch *flags = revoked_for(in, t);

		/* Whose state is lost again and again tests it each time. */
		if (t->watched_len && is_loop(t, flags) &&
		    nfs4_host_recoveries(in, &t->server, &t->client) * 2 <
			    longest_of(most_tested(t))->count)
			tell(in, out, t, flags);
	}
}

const struct rule rule_nfs4_test_stateid_loop = {
	.id = "nfs4-test-stateid-loop",
	.needs = "a capture of NFSv4.1 traffic that shows stateids",
	.run = run,
};
