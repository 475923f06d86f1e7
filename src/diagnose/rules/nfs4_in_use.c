// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nfs4-clientid-in-use (catalogue A8, A25): the server refuses a client owner because it knows it
 * under another principal or address (RFC 8881 section 18.35.4 case 3, RFC 7530 section 16.33.5).
 */
#include "diagnose/rules/nfs4_common.h"
#include "diagnose/rules/rules.h"

/* One refusal that is followed by success is the server making room, not an incident. */
enum { REFUSALS_IN_PASSING = 1 };

static bool refused_for_good(const struct nfs4_instance *i)
{
	if (i->in_use == 0)
		return false;
	if (i->accepted_last.frame == FRAME_NONE || i->accepted_last.at.ns < i->in_use_last.at.ns)
		return true;
	return i->in_use > REFUSALS_IN_PASSING;
}

static void write_finding(struct diagnosis *d, const struct nfs4_instance *i)
{
	struct finding *f = diagnosis_add(d, "nfs4-clientid-in-use", CONFIDENCE_CERTAIN);
	const struct nfs4_server *s = i->owner->server;
	const char *name = nfs4_owner_text(d, i->owner);
	const char *who = i->hosts_len ? nfs4_host_text(d, &i->hosts[0]) : "a client";

	finding_set_server(d, f, &s->at);
	for (uint32_t h = 0; h < i->hosts_len; h++)
		finding_add_client(d, f, &i->hosts[h]);
	finding_subject(d, f, "owner", "%s", name);
	f->count = i->in_use;
	f->title = arena_format(
		&d->arena, "the server refuses %s: the client owner \"%s\" is in use", who, name);
	f->why = arena_format(
		&d->arena,
		"%s was answered NFS4ERR_CLID_INUSE: the server holds state for an owner of "
		"this name that was presented by another principal (other credentials, another "
		"Kerberos identity) or from another address, and does not let this one replace "
		"it. Without a client ID there is no NFSv4 mount.",
		nfs4_count_text(d, i->in_use, "introduction of this client",
				"introductions of this client"));
	nfs4_cite(d, f, s, &i->first, "%s presents the owner", who);
	nfs4_cite(d, f, s, &i->in_use_first, "answered NFS4ERR_CLID_INUSE");
	nfs4_cite(d, f, s, &i->in_use_last, "and still, at the end");
	nfs4_finding_span(f, &i->in_use_first);
	nfs4_finding_span(f, &i->in_use_last);
	finding_rule_out(d, f, "nfs4-client-owner-collision",
			 "in a collision the server accepts the newcomer and drops the other; here "
			 "it refuses");
}

static void run(const struct rule_input *in, struct diagnosis *out)
{
	const struct nfs4_model *m = in->nfs4;

	for (size_t i = 0; i < m->instances.len; i++) {
		const struct nfs4_instance *instance =
			*(struct nfs4_instance **)vec_at(&m->instances, i);

		if (refused_for_good(instance))
			write_finding(out, instance);
	}
}

const struct rule rule_nfs4_clientid_in_use = {
	.id = "nfs4-clientid-in-use",
	.needs = "a capture in which the client introduces itself",
	.run = run,
};
