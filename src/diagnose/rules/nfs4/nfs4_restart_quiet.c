// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nfs4-server-restart where no client is seen to lose anything: those that come hold no state, or
 * are new. What shows it then is the start time in the client IDs, which changes while it falls
 * between the last of the old ones and the first of the new; or that the port refused connections
 * between opens that were accepted and NFS4ERR_GRACE (RFC 8881 section 8.4.2.1). Of several times
 * that the port refused in between, it is the last that the new instance ended.
 *
 * Several servers behind one address change the start time too, without a restart: theirs lies
 * elsewhere. A server of a cluster begins a grace period for another node: its port does not
 * refuse.
 */
#include "diagnose/rules/nfs4/nfs4_common.h"
#include "diagnose/rules/nfs4/nfs4_trace.h"
#include "diagnose/rules/transport.h"
#include "model/nfs4/nfs4_waits.h"

/* Start times are whole seconds, and the server's clock is seldom that of the capture. */
#define CLOCKS_APART_NS (2 * STAMP_NS_PER_S)

/* GRACE so long after the refusals is none of that start: the longest period in use is far below.
 */
#define GRACE_WITHIN_NS (300 * STAMP_NS_PER_S)

struct quiet {
	const struct nfs4_server *server;
	const struct nfs4_boot *old, *new; /* NULL: the start time did not change */
	const struct conn_outage *outage;  /* NULL: none lies between */
	bool fits;                         /* the start lies between the two */
	/* GRACE behind the outage, and only because of a start; NULL: none. */
	const struct nfs4_grace_period *grace;
	uint64_t count;          /* restarts; what is above is told of the first */
	struct provenance again; /* the second; FRAME_NONE: there is none */
};

static bool is_before(const struct provenance *a, const struct provenance *b)
{
	return transport_known(a) && transport_known(b) && a->at.clock == b->at.clock &&
	       a->at.ns < b->at.ns;
}

/* The last refusals between the two places by the server's NFS port, of any client. */
static const struct conn_outage *outage_between(const struct rule_input *in,
						const struct nfs4_server *s,
						const struct provenance *from,
						const struct provenance *to)
{
	const struct conn_outage *found = NULL;

	for (size_t i = 0; in->conns && i < in->conns->reach.len; i++) {
		const struct conn_reach *reach =
			*(struct conn_reach **)vec_at(&in->conns->reach, i);

		if (!endpoint_equal(&reach->server, &s->at))
			continue;
		for (size_t j = 0; j < reach->outages.len; j++) {
			const struct conn_outage *o = vec_at(&reach->outages, j);

			if (is_before(from, &o->first) && is_before(&o->last, to) &&
			    (!found || is_before(&found->first, &o->first)))
				found = o;
		}
	}
	return found;
}

/*
 * True when somebody was answered GRACE for the server's sake: since 4.1 whoever has not sent
 * RECLAIM_COMPLETE is answered so at any time.
 */
static bool grace_is_servers(const struct nfs4_model *m, const struct nfs4_server *s)
{
	for (size_t i = 0; i < m->parties.len; i++) {
		const struct nfs4_party *p = *(struct nfs4_party **)vec_at(&m->parties, i);

		if (p->server != s || p->merged_into || !p->grace_answers)
			continue;
		if (p->minor_version == 0 || (p->waits && p->waits->grace_longest.reclaim_complete))
			return true;
	}
	return false;
}

static bool starts_between(const struct nfs4_boot *old, const struct nfs4_boot *new)
{
	int64_t start_ns = new->boot_s *STAMP_NS_PER_S;

	return start_ns > old->last.at.ns - CLOCKS_APART_NS &&
	       start_ns < new->first.at.ns + CLOCKS_APART_NS;
}

/* Each start time is later than the one before, and none came back. */
static bool boots_follow(const struct nfs4_server *s)
{
	if (s->boots_len < 2 || s->boot_changes != s->boots_len - 1 || s->boot_returns)
		return false;
	for (uint32_t i = 1; i < s->boots_len; i++)
		if (s->boots[i].boot_s <= s->boots[i - 1].boot_s ||
		    !is_before(&s->boots[i - 1].last, &s->boots[i].first))
			return false;
	return true;
}

static void quiet_add(struct quiet *q, const struct provenance *at)
{
	if (++q->count == 2)
		q->again = *at;
}

static void quiet_find_starts(const struct rule_input *in, struct quiet *q)
{
	const struct nfs4_server *s = q->server;

	if (!boots_follow(s))
		return;
	for (uint32_t i = 1; i < s->boots_len; i++) {
		const struct nfs4_boot *old = &s->boots[i - 1], *new = &s->boots[i];
		const struct conn_outage *outage = outage_between(in, s, &old->last, &new->first);
		bool fits = starts_between(old, new), tells = fits || outage;

		if (tells)
			quiet_add(q, &new->first);
		if (!q->new || (tells && q->count == 1)) {
			q->old = old;
			q->new = new;
			q->fits = fits;
			q->outage = outage;
		}
	}
}

/* The start times have told the restarts; or they cannot, and the grace periods tell them. */
static void quiet_find_graces(const struct rule_input *in, struct quiet *q)
{
	const struct nfs4_server *s = q->server;
	bool counts = q->count == 0;

	if (!grace_is_servers(in->nfs4, s))
		return;
	for (uint32_t i = 0; i < s->grace.periods_len; i++) {
		const struct nfs4_grace_period *p = &s->grace.periods[i];
		const struct conn_outage *outage =
			outage_between(in, s, &p->opened_before, &p->first);

		if (!outage || p->first.at.ns - outage->last.at.ns >= GRACE_WITHIN_NS)
			continue;
		if (counts)
			quiet_add(q, &p->first);
		if (!q->outage)
			q->outage = outage;
		if (!q->grace && q->outage == outage)
			q->grace = p;
	}
}

/* False: nothing tells of a restart. */
static bool quiet_find(const struct rule_input *in, const struct nfs4_server *s, struct quiet *q)
{
	*q = (struct quiet){.server = s};
	quiet_find_starts(in, q);
	quiet_find_graces(in, q);
	return q->count > 0;
}

static void add_clients(const struct rule_input *in, struct diagnosis *d, struct finding *f,
			const struct nfs4_server *s)
{
	for (size_t i = 0; i < in->nfs4->parties.len; i++) {
		const struct nfs4_party *p = *(struct nfs4_party **)vec_at(&in->nfs4->parties, i);

		if (p->server == s && !p->merged_into && p->grace_answers)
			finding_add_client(d, f, &p->host);
	}
	for (size_t i = 0; in->conns && i < in->conns->reach.len; i++) {
		const struct conn_reach *reach =
			*(struct conn_reach **)vec_at(&in->conns->reach, i);

		if (endpoint_equal(&reach->server, &s->at) && reach->refused)
			finding_add_client(d, f, &reach->client);
	}
}

static const char *quiet_starts(struct diagnosis *d, const struct quiet *q)
{
	if (!q->new)
		return "";
	return arena_format(
		&d->arena,
		"Its client IDs named %s as the start of its NFS service until %s, and %s from %s "
		"on.%s%s ",
		nfs4_boot_text(d, q->old->boot_s), transport_time(d, q->old->last.at),
		nfs4_boot_text(d, q->new->boot_s), transport_time(d, q->new->first.at),
		q->fits ? " That start lies between the two."
			: " That start does not lie between the two: the clocks differ, or another "
			  "node has taken over.",
		q->outage && !q->grace ? " Between the two its port refused connections." : "");
}

static const char *quiet_grace(struct diagnosis *d, const struct quiet *q)
{
	if (!q->grace)
		return "";
	return arena_format(
		&d->arena,
		"New opens or locks were accepted until its port refused connections; "
		"behind that %s NFS4ERR_GRACE: for a grace period after its start a server "
		"takes only reclaims. ",
		nfs4_count_text(d, q->grace->count, "call was answered", "calls were answered"));
}

static const char *quiet_again(struct diagnosis *d, const struct quiet *q)
{
	if (q->count < 2)
		return "";
	return arena_format(&d->arena, "The same is seen %s more. ",
			    nfs4_count_text(d, q->count - 1, "time", "times"));
}

static const char *quiet_why(struct diagnosis *d, const struct quiet *q)
{
	return arena_format(
		&d->arena,
		"%s%s%sNo client of this evidence is seen to lose state: those that it shows "
		"held none, or are new. To clients a failover to another node looks the "
		"same as a restart.",
		quiet_starts(d, q), quiet_grace(d, q), quiet_again(d, q));
}

static void quiet_cite(struct diagnosis *d, struct finding *f, const struct quiet *q)
{
	const struct nfs4_server *s = q->server;

	if (q->new) {
		nfs4_cite(d, f, s, &q->old->last, "the last client ID of the start before");
		nfs4_cite(d, f, s, &q->new->first, "the first client ID of the new start");
	}
	if (q->grace)
		nfs4_cite(d, f, s, &q->grace->opened_before,
			  "the last new open or lock that is accepted before");
	if (q->outage) {
		nfs4_cite(d, f, s, &q->outage->first, "RST in answer to a SYN: nothing listens");
		nfs4_cite(d, f, s, &q->outage->recovered,
			  "the first connection that is established again");
	}
	if (q->grace)
		nfs4_cite(d, f, s, &q->grace->first,
			  "the first call that is answered NFS4ERR_GRACE");
	if (q->count > 1)
		nfs4_cite(d, f, s, &q->again, "the next instance answers");
}

static const char *quiet_title(struct diagnosis *d, const struct quiet *q)
{
	const char *server = nfs4_host_text(d, &q->server->at);

	if (!q->new)
		return arena_format(&d->arena,
				    "the NFS server %s restarted; no client is seen to lose state",
				    server);
	return arena_format(&d->arena, "the NFS server %s %s %s; no client is seen to lose state",
			    server,
			    !q->fits       ? "is another instance than before, started at"
			    : q->count > 1 ? "restarted more than once, first at"
					   : "restarted at",
			    nfs4_boot_text(d, q->new->boot_s));
}

/*
 * Where the start itself does not fit, as clocks differ: a port that refuses between two instances
 * ends one of them, when the start times are proven to be such, or a grace period follows.
 */
static bool quiet_is_sure(const struct quiet *q)
{
	return q->fits || (q->new && q->outage && (q->server->layout_proven || q->grace));
}

static void quiet_tell(const struct rule_input *in, struct diagnosis *d, const struct quiet *q)
{
	struct finding *f =
		diagnosis_add(d, "nfs4-server-restart",
			      quiet_is_sure(q) ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY);

	finding_set_server(d, f, &q->server->at);
	add_clients(in, d, f, q->server);
	f->count = q->count;
	if (q->new) {
		nfs4_finding_span(f, q->outage ? &q->outage->first : &q->old->last);
		nfs4_finding_span(f, &q->new->first);
		finding_subject(d, f, "server start before", "%s",
				nfs4_boot_text(d, q->old->boot_s));
		finding_subject(d, f, "server start after", "%s",
				nfs4_boot_text(d, q->new->boot_s));
	}
	if (q->outage) {
		nfs4_finding_span(f, &q->outage->first);
		nfs4_finding_span(f, &q->outage->recovered);
	}
	if (q->grace)
		nfs4_finding_span(f, &q->grace->first);
	if (q->count > 1)
		nfs4_finding_span(f, &q->again);
	f->title = quiet_title(d, q);
	f->why = quiet_why(d, q);
	quiet_cite(d, f, q);
	finding_rule_out(d, f, "nfs4-lease-expired",
			 q->new ? "a lapsed lease leaves the server's start time as it was"
				: "a lapsed lease makes no server refuse connections");
}

void nfs4_restart_tell_quiet(const struct rule_input *in, struct diagnosis *out)
{
	struct quiet q;

	if (nfs4_trace_was_told(out, "nfs4-server-restart"))
		return; /* with the clients that lost something by it */
	for (size_t i = 0; i < in->nfs4->servers.len; i++)
		if (quiet_find(in, *(struct nfs4_server **)vec_at(&in->nfs4->servers, i), &q))
			quiet_tell(in, out, &q);
}
