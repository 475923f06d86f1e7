// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nfs4-lease-expired (catalogue A3, A4): the server heard nothing from a client for longer than the
 * lease and dropped its state (RFC 8881 section 8.3; a courteous server keeps it until somebody
 * else wants it). The server did not restart, and nobody took the client's name.
 */
#include "diagnose/rules/nfs4_common.h"
#include "diagnose/rules/rules.h"

#include <inttypes.h>

static bool loss_is_lapse(const struct nfs4_loss *loss)
{
	const struct nfs4_recovery *r = loss->recovery;

	return r->kind != RECOVERY_SESSION_ONLY && !r->other && !nfs4_loss_boot_changed(r) &&
	       !nfs4_loss_reclaimed(r) && nfs4_loss_after_silence(loss);
}

/* How long the client itself sent nothing that would have renewed its lease. */
static int64_t silence_of_client_ns(const struct nfs4_recovery *r)
{
	if (r->first_attempt.frame == FRAME_NONE || r->last_renewal.frame == FRAME_NONE)
		return r->silence_ns;
	return r->first_attempt.at.ns - r->last_renewal.at.ns;
}

/*
 * Another instance of the owner may have come while the client was silent. It did not where nobody
 * introduced himself meanwhile, and would be seen where the capture shows other clients too.
 */
static bool collision_excluded(const struct nfs4_model *m, const struct nfs4_loss *loss)
{
	const struct nfs4_recovery *r = loss->recovery;

	if (r->clientid_steps >= 0 && r->clientid_steps <= (int64_t)r->own_identifications)
		return true;
	return nfs4_loss_sees_others(m, loss);
}

static enum finding_confidence confidence_of(const struct nfs4_model *m,
					     const struct nfs4_loss *loss)
{
	bool told;

	nfs4_lease_ns(loss->party->server, &told);
	if (!told)
		return CONFIDENCE_POSSIBLE; /* the silence may be shorter than the lease */
	return nfs4_loss_boot_same(loss->recovery) && !loss->party->lossy &&
			       collision_excluded(m, loss)
		       ? CONFIDENCE_CERTAIN
		       : CONFIDENCE_LIKELY;
}

static const char *why_silent(struct diagnosis *d, const struct nfs4_loss *loss, int64_t lease_ns)
{
	const struct nfs4_recovery *r = loss->recovery;
	int64_t silence_ns = silence_of_client_ns(r);

	if (silence_ns > lease_ns)
		return arena_format(
			&d->arena,
			"The client sent nothing that renews a lease for %s: it was paused, cut "
			"off, or its renewal did not run.",
			nfs4_duration_text(d, silence_ns));
	return arena_format(
		&d->arena,
		"The client tried again after %s and sent %" PRIu64
		" calls that were not answered before the one that was refused: the path, or "
		"the server, was not there for it.",
		nfs4_duration_text(d, silence_ns), r->calls_in_silence - 1);
}

static void write_lapse(const struct nfs4_model *m, struct diagnosis *d,
			const struct nfs4_loss *loss)
{
	const struct nfs4_recovery *r = loss->recovery;
	const struct nfs4_party *p = loss->party;
	struct finding *f = diagnosis_add(d, "nfs4-lease-expired", confidence_of(m, loss));
	const char *who = nfs4_host_text(d, &p->host);
	bool told;
	int64_t lease_ns = nfs4_lease_ns(p->server, &told);

	nfs4_finding_about(d, f, p);
	nfs4_finding_span(f, &r->last_renewal);
	nfs4_finding_span(f, &r->lost);
	nfs4_finding_span(f, &r->created);
	f->count = 1;
	f->title = arena_format(
		&d->arena, "the NFSv4 lease of %s ran out: %s without a renewal, the lease is %s%s",
		who, nfs4_duration_text(d, r->silence_ns), nfs4_duration_text(d, lease_ns),
		told ? "" : " (assumed)");
	f->why = arena_format(
		&d->arena,
		"The last renewal that the server accepted from %s is %s older than the call "
		"that it answered %s. %s The server dropped the client's state, so opens and "
		"locks that it held are lost unless they could be had anew.",
		who, nfs4_duration_text(d, r->silence_ns), nfs4_status_text(d, r->lost_status),
		why_silent(d, loss, lease_ns));
	if (told)
		nfs4_cite(d, f, p->server, &p->server->lease_cite, "the server tells its lease: %s",
			  nfs4_duration_text(d, lease_ns));
	nfs4_cite(d, f, p->server, &r->last_renewal, "the last renewal of %s that is accepted",
		  who);
	nfs4_cite(d, f, p->server, &r->first_attempt, "the first call of %s after that", who);
	nfs4_cite_ladder(d, f, loss);
	if (nfs4_loss_boot_same(r))
		finding_rule_out(
			d, f, "nfs4-server-restart",
			"the client IDs from before and after name the same start of the NFS "
			"service, %s",
			nfs4_boot_text(d, r->old_boot_s));
	else
		finding_rule_out(d, f, "nfs4-server-restart",
				 "no call was answered NFS4ERR_GRACE and no reclaim was accepted");
	finding_rule_out(d, f, "nfs4-client-owner-collision",
			 "no other client instance presents this owner in the evidence");
}

static void run(const struct rule_input *in, struct diagnosis *out)
{
	struct vec losses;

	nfs4_losses(in->nfs4, &losses);
	for (size_t i = 0; i < losses.len; i++) {
		const struct nfs4_loss *loss = vec_at(&losses, i);

		if (loss_is_lapse(loss))
			write_lapse(in->nfs4, out, loss);
	}
	vec_deinit(&losses);
}

const struct rule rule_nfs4_lease_expired = {
	.id = "nfs4-lease-expired",
	.needs = "a capture from before the silence until the client's recovery",
	.run = run,
};
