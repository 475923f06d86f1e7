// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nlm-grace (symptom): lock requests are answered DENIED_GRACE_PERIOD (catalogue C4). A lock
 * manager that has just started takes only reclaims; Linux clients ask again every 5 s.
 */
#include "diagnose/rules/lock/nlm_common.h"
#include "diagnose/rules/nfs4/nfs4_common.h"
#include "diagnose/rules/rules.h"
#include "model/nlm/nlm.h"

/* The last moment that the grace answers account for: a client asks again a while after the last.
 */
static const struct provenance *grace_end(const struct nlm_grace *g)
{
	return g->over.frame != FRAME_NONE && g->over.at.ns > g->last.at.ns ? &g->over : &g->last;
}

static void tell(struct diagnosis *d, const struct nlm_grace *g)
{
	struct finding *f = diagnosis_add(d, "nlm-grace", CONFIDENCE_CERTAIN);

	finding_set_server(d, f, &g->server);
	for (uint32_t i = 0; i < g->clients_len; i++)
		finding_add_client(d, f, &g->clients[i]);
	nfs4_finding_span(f, &g->first);
	nfs4_finding_span(f, grace_end(g));
	f->count = g->count;
	f->title =
		arena_format(&d->arena, "%s answered DENIED_GRACE_PERIOD by the lock manager of %s",
			     nfs4_count_text(d, g->count, "lock request was", "lock requests were"),
			     nfs4_host_text(d, &g->server));
	f->why = arena_format(
		&d->arena,
		"A lock manager that has just started takes only locks that clients held before, "
		"for its grace period; all others have to ask again. The answers go from %s to %s; "
		"%s",
		nlm_time_text(d, g->first.at), nlm_time_text(d, g->last.at),
		g->over.frame == FRAME_NONE
			? "no new lock was granted after them within the evidence."
			: arena_format(&d->arena, "the first new lock was granted at %s.",
				       nlm_time_text(d, g->over.at)));
	finding_cite(d, f, &g->first, &g->conn, "the first DENIED_GRACE_PERIOD");
	finding_cite(d, f, &g->last, &g->conn, "the last DENIED_GRACE_PERIOD");
	finding_cite(d, f, &g->over, &g->conn, "the first new lock that is granted again");
}

static void run(const struct rule_input *in, struct diagnosis *out)
{
	for (size_t i = 0; i < in->nlm->graces.len; i++)
		tell(out, *(struct nlm_grace **)vec_at(&in->nlm->graces, i));
}

const struct rule rule_nlm_grace = {
	.id = "nlm-grace",
	.needs = "a capture of NLM traffic",
	.run = run,
};
