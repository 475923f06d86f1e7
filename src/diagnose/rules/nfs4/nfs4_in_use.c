// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nfs4-clientid-in-use (catalogue A8, A25): the server refuses a client owner because it knows it
 * under another principal or address (RFC 8881 section 18.35.4 case 3, RFC 7530 section 16.33.5).
 */
#include "diagnose/rules/nfs4/nfs4_common.h"
#include "diagnose/rules/rules.h"
#include "diagnose/rules/transport.h"

#include <string.h>

/* One refusal that is followed by success is the server making room, not an incident. */
enum { REFUSALS_IN_PASSING = 1 };

/*
 * An old Linux client of NFSv4.0 waits for a lease and tries again, and after that it takes another
 * name: until then a refusal is not known to be for good. A lease is rarely longer than 90 s.
 */
#define OTHER_NAME_NS (100 * STAMP_NS_PER_S)
enum { REFUSALS_BEFORE_OTHER_NAME = 2 };

static bool accepted_after(const struct nfs4_instance *i, const struct provenance *refusal)
{
	return i->accepted_last.frame != FRAME_NONE && i->accepted_last.at.ns > refusal->at.ns;
}

/*
 * Old Linux clients change their owner after CLID_INUSE and try again (the uniquifier of
 * nfs4_proc_setclientid up to 3.7): the same instance by its verifier, under another name.
 */
static bool accepted_otherwise(const struct nfs4_model *m, const struct nfs4_instance *refused)
{
	for (size_t i = 0; i < m->instances.len; i++) {
		const struct nfs4_instance *other =
			*(struct nfs4_instance **)vec_at(&m->instances, i);

		if (other != refused && other->owner->server == refused->owner->server &&
		    other->owner->minor_version == refused->owner->minor_version &&
		    memcmp(other->verifier, refused->verifier, NFS4_VERIFIER_BYTES) == 0 &&
		    accepted_after(other, &refused->in_use_last))
			return true;
	}
	return false;
}

static bool refused_for_good(const struct nfs4_model *m, const struct nfs4_instance *i)
{
	if (i->in_use == 0 || accepted_otherwise(m, i))
		return false;
	return i->in_use > REFUSALS_IN_PASSING || !accepted_after(i, &i->in_use_last);
}

/* The evidence ends before the client would have tried under another name. */
static bool may_be_renamed(const struct rule_input *in, const struct nfs4_instance *i)
{
	struct stamp end = transport_evidence_end(in, i->in_use_last.evidence);

	return i->owner->minor_version == 0 && i->in_use <= REFUSALS_BEFORE_OTHER_NAME &&
	       !accepted_after(i, &i->in_use_last) && stamp_known(end) &&
	       path_span_ns(i->in_use_last.at, end) < OTHER_NAME_NS;
}

/* The one answer that lets it in, under this name or another, may be what the capture lacks. */
static bool may_lack_success(const struct rule_input *in, const struct nfs4_instance *i)
{
	return i->in_use <= REFUSALS_BEFORE_OTHER_NAME && !accepted_after(i, &i->in_use_last) &&
	       evidence_may_lack(in->evidence, i->in_use_last.evidence, 1);
}

/* What was refused, and what that means. */
static const char *refusal_text(struct diagnosis *d, const struct nfs4_instance *i)
{
	bool first = i->owner->minor_version == 0;

	if (i->in_use_confirmed < i->in_use)
		return arena_format(
			&d->arena,
			"%s answered NFS4ERR_CLID_INUSE: the server holds state for an owner of "
			"this name that another principal presented (other credentials, another "
			"Kerberos identity; some servers mind the address as well), and does not "
			"let this one replace it.",
			nfs4_count_text(d, i->in_use,
					"attempt of this client to introduce itself was",
					"attempts of this client to introduce itself were"));
	return arena_format(
		&d->arena,
		"The server took %s, and answered %s %s with NFS4ERR_CLID_INUSE: to it the two "
		"came from different principals, or, to a Linux nfsd, from different addresses, "
		"as an address translation makes them that gives each connection another one.",
		first ? "SETCLIENTID" : "EXCHANGE_ID",
		first ? "SETCLIENTID_CONFIRM" : "CREATE_SESSION",
		nfs4_count_text(d, i->in_use, "time", "times"));
}

static void write_finding(const struct rule_input *in, struct diagnosis *d,
			  const struct nfs4_instance *i)
{
	bool early = may_be_renamed(in, i);
	bool lossy = may_lack_success(in, i);
	struct finding *f = diagnosis_add(d, "nfs4-clientid-in-use",
					  early || lossy ? CONFIDENCE_LIKELY : CONFIDENCE_CERTAIN);
	const struct nfs4_server *s = i->owner->server;
	const char *name = nfs4_owner_text(d, i->owner);
	bool later = accepted_after(i, &i->in_use_last);
	const char *who = i->hosts_len ? nfs4_host_text(d, &i->hosts[0]) : "a client";

	finding_set_server(d, f, &s->at);
	for (uint32_t h = 0; h < i->hosts_len; h++)
		finding_add_client(d, f, &i->hosts[h]);
	finding_subject(d, f, "owner", "%s", name);
	f->count = i->in_use;
	f->title =
		arena_format(&d->arena, "the server refuses %s: the client owner \"%s\" is in use",
			     who, nfs4_owner_title(d, i->owner));
	f->why = arena_format(
		&d->arena, "%s %s", refusal_text(d, i),
		later   ? "Later it was accepted: until then it had no NFSv4 mount."
		: early ? "Without a client ID there is no NFSv4 mount. The evidence ends too "
			  "early to show whether it is accepted later or under another name: "
			  "Linux up to 3.7 waits for a lease first."
			: "Without a client ID there is no NFSv4 mount.");
	nfs4_cite(d, f, s, &i->first, "%s presents the owner", who);
	nfs4_cite(d, f, s, &i->in_use_first, "answered NFS4ERR_CLID_INUSE");
	nfs4_cite(d, f, s, &i->in_use_last, "answered NFS4ERR_CLID_INUSE for the last time");
	if (later)
		nfs4_cite(d, f, s, &i->accepted_last, "accepted");
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

		if (refused_for_good(m, instance))
			write_finding(in, out, instance);
	}
}

const struct rule rule_nfs4_clientid_in_use = {
	.id = "nfs4-clientid-in-use",
	.needs = "a capture in which the client introduces itself",
	.run = run,
};
