// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nfs4-grace-wait (symptom): calls are answered NFS4ERR_GRACE because the server only takes
 * reclaims yet (RFC 8881 section 8.4.2.1, RFC 7530 section 9.6.2).
 */
#include "diagnose/rules/nfs4/nfs4_common.h"
#include "diagnose/rules/rules.h"

static void add_waiting_clients(const struct nfs4_model *m, struct diagnosis *d, struct finding *f,
				const struct nfs4_server *s)
{
	for (size_t i = 0; i < m->parties.len; i++) {
		struct nfs4_party *p = *(struct nfs4_party **)vec_at(&m->parties, i);

		if (p->server == s && !p->merged_into && p->grace_answers)
			finding_add_client(d, f, &p->host);
	}
}

static void write_finding(const struct nfs4_model *m, struct diagnosis *d,
			  const struct nfs4_server *s)
{
	struct finding *f = diagnosis_add(d, "nfs4-grace-wait", CONFIDENCE_CERTAIN);
	int64_t lasted_ns = s->grace.last.at.ns - s->grace.first.at.ns;

	finding_set_server(d, f, &s->at);
	add_waiting_clients(m, d, f, s);
	nfs4_finding_span(f, &s->grace.first);
	nfs4_finding_span(f, &s->grace.last);
	f->count = s->grace.count;
	f->title =
		arena_format(&d->arena, "%s answered NFS4ERR_GRACE by %s%s",
			     nfs4_count_text(d, s->grace.count, "call was", "calls were"),
			     nfs4_host_text(d, &s->at),
			     s->grace.count == 1 ? ""
						 : arena_format(&d->arena, " within %s",
								nfs4_duration_text(d, lasted_ns)));
	f->why = "For a grace period after a restart or failover a server takes only reclaims, so "
		 "that clients get back what they held before others can take it. Since 4.1 a "
		 "client is answered the same way as long as it has not sent RECLAIM_COMPLETE. "
		 "Clients repeat the call until it is taken.";
	nfs4_cite(d, f, s, &s->grace.first, "the first NFS4ERR_GRACE");
	nfs4_cite(d, f, s, &s->grace.last, "the last NFS4ERR_GRACE");
}

static void run(const struct rule_input *in, struct diagnosis *out)
{
	const struct nfs4_model *m = in->nfs4;

	for (size_t i = 0; i < m->servers.len; i++) {
		const struct nfs4_server *s = *(struct nfs4_server **)vec_at(&m->servers, i);

		if (s->grace.count)
			write_finding(m, out, s);
	}
}

const struct rule rule_nfs4_grace_wait = {
	.id = "nfs4-grace-wait",
	.needs = "a capture of NFSv4 traffic",
	.run = run,
};
