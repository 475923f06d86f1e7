// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nfs4-grace-too-long (catalogue A18): a client is answered NFS4ERR_GRACE beyond the grace period.
 * Either it has not said that it is through with its reclaims (RFC 8881 section 18.51.3: until
 * RECLAIM_COMPLETE a server may give it nothing new), which the new opens of others show, or the
 * server does not end its grace period, or begins it again and again.
 */
#include "diagnose/rules/nfs4/nfs4_common.h"
#include "diagnose/rules/rules.h"
#include "model/nfs4/nfs4_waits.h"

#include <inttypes.h>

enum { ANSWERS_MIN = 3 };

/* A grace period is as long as a lease by default; an administrator may have made it longer. */
enum { LEASES_MIN = 2 };

/* Where the grace period is over for others, and not for this client. */
#define ALONE_NS (30 * STAMP_NS_PER_S)

static int64_t lasted_ns(const struct nfs4_grace_wait *w)
{
	return nfs4_gaps_ns(&w->gaps);
}

static bool misses_reclaim_complete(const struct nfs4_party *p, const struct nfs4_grace_wait *w)
{
	return p->minor_version > 0 && !w->reclaim_complete && w->began_in_sight && !p->lossy;
}

static bool is_alone(const struct nfs4_party *p, const struct nfs4_grace_wait *w)
{
	return misses_reclaim_complete(p, w) && w->others_opened && lasted_ns(w) >= ALONE_NS;
}

static bool is_too_long(const struct nfs4_party *p, const struct nfs4_grace_wait *w)
{
	bool told;

	if (w->answers.count < ANSWERS_MIN)
		return false;
	return is_alone(p, w) ||
	       (w->restarts == 0 && lasted_ns(w) >= LEASES_MIN * nfs4_lease_ns(p->server, &told));
}

static enum finding_confidence confidence_of(const struct nfs4_party *p,
					     const struct nfs4_grace_wait *w)
{
	bool told;

	if (is_alone(p, w))
		return CONFIDENCE_CERTAIN;
	nfs4_lease_ns(p->server, &told);
	return told ? CONFIDENCE_LIKELY : CONFIDENCE_POSSIBLE;
}

static const char *why(struct diagnosis *d, const struct nfs4_party *p,
		       const struct nfs4_grace_wait *w)
{
	bool told;
	int64_t lease_ns = nfs4_lease_ns(p->server, &told);

	if (is_alone(p, w))
		return arena_format(
			&d->arena,
			"Of other clients %s accepted meanwhile, so the server's grace period is "
			"over. This client has sent no RECLAIM_COMPLETE that was accepted since it "
			"got its client ID, and until then a server gives it nothing new.",
			nfs4_count_text(d, w->others_opened, "new open or lock was",
					"new opens or locks were"));
	return arena_format(
		&d->arena,
		"The lease is %s%s, and a grace period is as long by default. %s The setting "
		"decides: on a Linux nfsd `cat /proc/fs/nfsd/nfsv4gracetime`; and the server's log "
		"tells when it began and ended one.",
		nfs4_duration_text(d, lease_ns), told ? "" : " (assumed)",
		w->others_opened
			? "Others could open or lock meanwhile."
			: "No new open or lock of anybody is seen to be accepted meanwhile: the "
			  "server does not end the period, or begins it again.");
}

static void tell(struct diagnosis *d, const struct nfs4_party *p, const struct nfs4_grace_wait *w)
{
	struct finding *f = diagnosis_add(d, "nfs4-grace-too-long", confidence_of(p, w));
	const char *lasted = nfs4_duration_text(d, lasted_ns(w));
	const char *who = nfs4_host_text(d, &p->host);

	nfs4_finding_about(d, f, p);
	nfs4_finding_span(f, &w->answers.first);
	nfs4_finding_span(f, &w->answers.last);
	f->count = w->answers.count;
	f->title =
		is_alone(p, w)
			? arena_format(&d->arena,
				       "%s is answered NFS4ERR_GRACE for %s: it has sent no "
				       "RECLAIM_COMPLETE",
				       who, lasted)
			: arena_format(&d->arena,
				       "%s is answered NFS4ERR_GRACE for %s, longer than a grace "
				       "period",
				       who, lasted);
	f->why = arena_format(&d->arena,
			      "%s got NFS4ERR_GRACE in answer to %s within %s, and nothing that it "
			      "wanted to open or lock anew was accepted in between. %s",
			      who, nfs4_count_text(d, w->answers.count, "call", "calls"), lasted,
			      why(d, p, w));
	nfs4_cite(d, f, p->server, &p->state_made, "%s got its client ID", who);
	nfs4_cite(d, f, p->server, &w->answers.first, "the first NFS4ERR_GRACE");
	nfs4_cite(d, f, p->server, &w->answers.last, "the last one");
	nfs4_cite(d, f, p->server, &w->other, "a new open or lock of another client is accepted");
	nfs4_cite(d, f, p->server, &w->over, "a new open or lock of %s is accepted", who);
	nfs4_cite(d, f, p->server, &p->server->lease_cite, "the server tells its lease");
	if (w->restarts == 0 && p->server->boots_len == 1)
		finding_rule_out(d, f, "nfs4-server-restart",
				 "all client IDs of the server name one start of its NFS service, "
				 "%s: no restart began the period anew",
				 nfs4_boot_text(d, p->server->boots[0].boot_s));
}

static void run(const struct rule_input *in, struct diagnosis *out)
{
	const struct nfs4_model *m = in->nfs4;

	for (size_t i = 0; i < m->parties.len; i++) {
		const struct nfs4_party *p = *(struct nfs4_party **)vec_at(&m->parties, i);

		if (!p->merged_into && p->waits && is_too_long(p, &p->waits->grace_longest))
			tell(out, p, &p->waits->grace_longest);
	}
}

const struct rule rule_nfs4_grace_too_long = {
	.id = "nfs4-grace-too-long",
	.needs = "a capture that goes on for longer than the grace period",
	.run = run,
};
