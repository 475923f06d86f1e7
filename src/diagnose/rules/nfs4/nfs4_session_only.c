// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nfs4-session-only-lost (catalogue A6, A7): the server refuses the session again and again, but
 * knows the client ID: CREATE_SESSION succeeds without a new EXCHANGE_ID.
 */
#include "diagnose/rules/nfs4/nfs4_common.h"
#include "diagnose/rules/rules.h"

enum { ROUNDS_MIN = 3 };

static void write_finding(struct diagnosis *d, struct nfs4_party *p)
{
	struct finding *f = diagnosis_add(d, "nfs4-session-only-lost", CONFIDENCE_CERTAIN);
	const char *who = nfs4_host_text(d, &p->host);
	unsigned shown = 0;

	nfs4_finding_about(d, f, p);
	f->count = p->session_only_count;
	f->title = arena_format(
		&d->arena, "the session of %s is refused again and again, its client ID is not",
		who);
	f->why = arena_format(
		&d->arena,
		"The session of %s was refused %s, and each time CREATE_SESSION then succeeded "
		"for the client ID that it already had: the server still knows the client and "
		"lost only the session, or the call went to a server that never had it.",
		who, nfs4_count_text(d, p->session_only_count, "time", "times"));
	for (uint32_t i = 0; i < p->recoveries_len; i++) {
		struct nfs4_loss loss = {p, &p->recoveries[i]};

		if (loss.recovery->kind != RECOVERY_SESSION_ONLY)
			continue;
		nfs4_finding_span(f, &loss.recovery->lost);
		nfs4_finding_span(f, &loss.recovery->created);
		if (shown++ < 3)
			nfs4_cite_ladder(d, f, &loss);
	}
	finding_rule_out(d, f, "nfs4-client-owner-collision",
			 "the client ID stays the same: nobody else took it");
	finding_rule_out(d, f, "nfs4-server-restart",
			 "a server that restarted does not know the client ID any more");
	finding_rule_out(d, f, "nfs4-lease-expired",
			 "a server that lets a lease expire drops the client ID too");
}

static void run(const struct rule_input *in, struct diagnosis *out)
{
	const struct nfs4_model *m = in->nfs4;

	for (size_t i = 0; i < m->parties.len; i++) {
		struct nfs4_party *p = *(struct nfs4_party **)vec_at(&m->parties, i);

		if (p->session_only_count < ROUNDS_MIN || p->session_only_count <= p->full_count)
			continue;
		write_finding(out, p);
	}
}

const struct rule rule_nfs4_session_only_lost = {
	.id = "nfs4-session-only-lost",
	.needs = "a capture with several losses of a session and what the client did then",
	.run = run,
};
