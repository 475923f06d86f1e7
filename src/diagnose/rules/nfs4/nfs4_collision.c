// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nfs4-client-owner-collision (catalogue A1): two client instances present one client owner. The
 * server must take each for a reboot of the other (RFC 8881 section 18.35.4, case 5) and drops the
 * other's client ID and session when the new one is confirmed.
 *
 * Proof is an instance that is alive after another instance of its owner was accepted: a rebooted
 * client never comes back. From one client's side alone the other instance is not to be seen; there
 * the rule argues from what is left when silence, a restart and a mere session loss are excluded.
 */
#include "diagnose/rules/host/host_clients.h"
#include "diagnose/rules/nfs4/nfs4_common.h"
#include "diagnose/rules/nfs4/nfs4_trace.h"
#include "diagnose/rules/rules.h"
#include "diagnose/same_server.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
	RETURNS_SURE = 2,      /* a machine may be put back to a snapshot once */
	RETURNS_ANY_CLOCK = 3, /* comings and goings that no wrong clock of a capture makes up */
	ROUNDS_MIN = 3,        /* losses nobody can explain otherwise */
};

/* A fight over a client ID is fought with each call; administrators are slower. */
#define ROUND_QUICK_NS (60 * STAMP_NS_PER_S)

/* Also an idle client makes a round in two renewals of its lease, of 2/3 of it each. */
enum { ROUND_LEASES_MAX = 2 };

/* What the losses of one owner, or of one party without a known owner, amount to. */
struct evidence_for {
	const struct nfs4_owner *owner;
	struct nfs4_loss shown[2]; /* losses to cite: by different parties where there are */
	unsigned shown_len;
	uint64_t losses;      /* recoveries in which another instance had been accepted before */
	uint64_t alive;       /* of them: refused although sent after the other was accepted */
	uint64_t unexplained; /* recoveries without silence, restart, or other instance in sight */
	uint64_t foreign;     /* of those: others out of sight identified themselves in between */
	uint64_t rival;       /* of foreign: the others did not just mount */
	uint64_t accounted;   /* of those: everybody who identified himself is in sight */
	uint64_t same_conn;   /* of those: on a connection that stayed up */
	uint64_t boot_same;   /* of those: the server's boot time is known and the same */
	uint64_t kept;        /* recoveries that the model kept of these parties */
	uint64_t total;       /* all of theirs */
	int64_t longest_silence_ns;
};

static void show_loss(struct evidence_for *e, const struct nfs4_loss *loss)
{
	if (e->shown_len == 0)
		e->shown[e->shown_len++] = *loss;
	else if (e->shown_len == 1 && e->shown[0].party != loss->party)
		e->shown[e->shown_len++] = *loss;
}

static void weigh_loss(struct evidence_for *e, const struct nfs4_loss *loss)
{
	const struct nfs4_recovery *r = loss->recovery;

	if (nfs4_loss_boot_changed(r))
		return;
	if (r->other) {
		e->losses++;
		e->alive += r->other_accepted.evidence == r->lost_call.evidence &&
			    r->lost_call.at.ns > r->other_accepted.at.ns;
		show_loss(e, loss);
		return;
	}
	if (!nfs4_loss_unexplained(loss))
		return;
	e->unexplained++;
	e->foreign += nfs4_loss_unseen_others(r);
	e->rival += nfs4_loss_unseen_others(r) && !nfs4_loss_others_mounted(r);
	e->accounted += r->clientid_steps >= 0 && !nfs4_loss_unseen_others(r);
	e->same_conn += !r->connection_lost;
	e->boot_same += nfs4_loss_boot_same(r);
	show_loss(e, loss);
}

/* How many losses it explains: of a long loop all, where all that were kept are of its kind. */
static uint64_t losses_explained(const struct evidence_for *e)
{
	uint64_t weighed = e->losses + e->unexplained;

	return weighed == e->kept ? e->total : weighed;
}

/* --- wording --- */

static int by_address(const void *a, const void *b)
{
	uintptr_t left = (uintptr_t) * (const struct nfs4_instance *const *)a;
	uintptr_t right = (uintptr_t) * (const struct nfs4_instance *const *)b;

	return (left > right) - (left < right);
}

static void fighters_add(struct vec *fighters, const struct nfs4_instance *i)
{
	if (i)
		*(const struct nfs4_instance **)vec_push(fighters) = i;
}

/*
 * Who pushed somebody out or was pushed out: an owner's instances are also what the same machines
 * were before they rebooted, or became later.
 */
static void fighters_find(struct vec *fighters, const struct nfs4_owner *owner)
{
	vec_init(fighters, sizeof(const struct nfs4_instance *));
	for (unsigned i = 0; i < 2 && owner->returns; i++)
		fighters_add(fighters, owner->return_instance[i]);
	for (size_t i = 0; i < owner->instances.len; i++) {
		const struct nfs4_instance *in =
			*(struct nfs4_instance **)vec_at(&owner->instances, i);
		const struct nfs4_party *p = in->party ? nfs4_party_find(in->party) : NULL;

		for (uint32_t k = 0; p && k < p->recoveries_len; k++) {
			if (!p->recoveries[k].other)
				continue;
			fighters_add(fighters, in);
			fighters_add(fighters, p->recoveries[k].other);
		}
	}
	if (fighters->len)
		qsort(fighters->items, fighters->len, fighters->item_bytes, by_address);
}

static bool is_fighter(const struct vec *fighters, const struct nfs4_instance *in)
{
	return fighters->len &&
	       bsearch(&in, fighters->items, fighters->len, fighters->item_bytes, by_address);
}

/* Returns how many there are. */
static size_t name_instances(struct diagnosis *d, struct finding *f, const struct nfs4_owner *owner)
{
	struct vec fighters;
	size_t count = 0;

	fighters_find(&fighters, owner);
	for (size_t i = 0; i < owner->instances.len; i++) {
		const struct nfs4_instance *in =
			*(struct nfs4_instance **)vec_at(&owner->instances, i);

		if (!is_fighter(&fighters, in))
			continue;
		for (uint32_t h = 0; h < in->hosts_len; h++)
			finding_add_client(d, f, &in->hosts[h]);
		if (count++ < FINDING_CITES_MAX)
			finding_subject(d, f, "client instance", "%s, boot verifier %s",
					in->hosts_len ? nfs4_host_text(d, &in->hosts[0]) : "?",
					nfs4_verifier_text(d, in));
	}
	vec_deinit(&fighters);
	return count;
}

/* From when the second came: what the first did before was no collision. */
static void span_fight(struct finding *f, const struct nfs4_owner *o)
{
	for (unsigned i = 1; i < 3 && o->returns; i++)
		nfs4_finding_span(f, &o->return_first[i]);
	if (o->returns)
		nfs4_finding_span(f, &o->return_last);
	for (size_t i = 0; i < o->instances.len; i++) {
		const struct nfs4_instance *in = *(struct nfs4_instance **)vec_at(&o->instances, i);
		const struct nfs4_party *p = in->party ? nfs4_party_find(in->party) : NULL;

		for (uint32_t k = 0; p && k < p->recoveries_len; k++) {
			const struct nfs4_recovery *r = &p->recoveries[k];

			if (!r->other)
				continue;
			nfs4_finding_span(f, &r->other_accepted);
			nfs4_finding_span(f, &r->lost);
			nfs4_finding_span(f, &r->created);
		}
	}
}

static const char *explained_text(struct diagnosis *d, const struct evidence_for *e)
{
	uint64_t weighed = e->losses + e->unexplained;

	if (weighed == e->kept)
		return nfs4_count_text(d, e->total, "loss of state is explained",
				       "losses of state are explained");
	return arena_format(&d->arena,
			    "Of %" PRIu64 " losses of state %" PRIu64
			    " were looked at closely, and %" PRIu64 " %s explained",
			    e->total, e->kept, weighed, weighed == 1 ? "is" : "are");
}

/* What else looks like this, as far as the instances do not tell. */
static const char *whose_text(struct diagnosis *d, const struct finding *f,
			      const struct nfs4_owner *o)
{
	const char *once = f->confidence < CONFIDENCE_CERTAIN && o->returns == 1
				   ? " A machine that was put back to a snapshot comes back once, "
				     "too."
				   : "";

	if (f->clients.len != 1)
		return once;
	return arena_format(&d->arena,
			    " All come from %s: containers or machines that share the address.%s",
			    *(const char *const *)vec_at(&f->clients, 0), once);
}

static void rule_out_restart(struct diagnosis *d, struct finding *f, const struct nfs4_server *s)
{
	if (s->layout != NFS4_LAYOUT_UNKNOWN && s->boots_len == 1)
		finding_rule_out(
			d, f, "nfs4-server-restart",
			"every client ID that the server gave names the same start of its NFS "
			"service, %s",
			nfs4_boot_text(d, s->boots[0].boot_s));
	else if (s->boots_len <= 1 && s->grace.count == 0 && s->reclaims_ok == 0)
		finding_rule_out(d, f, "nfs4-server-restart",
				 "no call was answered NFS4ERR_GRACE and no reclaim was accepted");
}

static void rule_out(struct diagnosis *d, struct finding *f, const struct nfs4_server *s,
		     const struct evidence_for *e)
{
	bool told;
	int64_t lease_ns = nfs4_lease_ns(s, &told);

	rule_out_restart(d, f, s);
	if (e->longest_silence_ns <= lease_ns)
		finding_rule_out(
			d, f, "nfs4-lease-expired",
			"the longest time without a renewal before a loss was %s, the lease is "
			"%s%s",
			nfs4_duration_text(d, e->longest_silence_ns),
			nfs4_duration_text(d, lease_ns), told ? "" : " (assumed)");
	for (unsigned i = 0; i < e->shown_len; i++)
		if (e->shown[i].recovery->create_refused.frame != FRAME_NONE) {
			finding_rule_out(
				d, f, "nfs4-session-only-lost",
				"not only the session was gone: CREATE_SESSION for the old "
				"client ID was answered NFS4ERR_STALE_CLIENTID");
			break;
		}
	for (size_t i = 0; e->owner && i < e->owner->instances.len; i++)
		if ((*(struct nfs4_instance **)vec_at(&e->owner->instances, i))->in_use)
			return;
	finding_rule_out(d, f, "nfs4-clientid-in-use",
			 "the server accepts each EXCHANGE_ID or SETCLIENTID instead of answering "
			 "NFS4ERR_CLID_INUSE");
}

/* --- both instances in sight --- */

static void cite_return(struct diagnosis *d, struct finding *f, const struct nfs4_owner *o)
{
	static const char *const words[] = {"presents the", "presents the same",
					    "is still there with its"};

	for (unsigned i = 0; i < 3 && o->returns; i++) {
		const struct nfs4_instance *in = o->return_instance[i % 2];

		nfs4_cite(d, f, o->server, &o->return_first[i],
			  "%s %s client owner and the boot verifier %s",
			  nfs4_host_text(d, &in->hosts[0]), words[i], nfs4_verifier_text(d, in));
	}
}

static void cite_alive(struct diagnosis *d, struct finding *f, const struct nfs4_loss *loss)
{
	const struct nfs4_recovery *r = loss->recovery;

	nfs4_cite(d, f, loss->party->server, &r->other_accepted,
		  "the server accepts %s under that owner",
		  r->other->hosts_len ? nfs4_host_text(d, &r->other->hosts[0])
				      : "the other instance");
	nfs4_cite_ladder(d, f, loss);
}

static void write_proved(struct diagnosis *d, const struct evidence_for *e)
{
	const struct nfs4_owner *o = e->owner;
	bool certain = o->returns_in_one_capture >= RETURNS_SURE ||
		       o->returns >= RETURNS_ANY_CLOCK || e->alive >= RETURNS_SURE;
	struct finding *f = diagnosis_add(d, "nfs4-client-owner-collision",
					  certain ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY);
	const char *name = nfs4_owner_text(d, o);
	size_t count;

	finding_set_server(d, f, &o->server->at);
	finding_subject(d, f, "owner", "%s", name);
	count = name_instances(d, f, o);
	span_fight(f, o);
	f->title = arena_format(&d->arena,
				"%zu client instances present one NFSv4 client owner, \"%s\"",
				count, nfs4_owner_title(d, o));
	f->why = arena_format(
		&d->arena,
		"The owner \"%s\" comes with %zu different boot verifiers%s. To the server these "
		"are one client that keeps rebooting: when it accepts one instance it drops the "
		"client ID and the %s of the other, whose next call is refused; that one "
		"introduces itself again and drops the first in turn.%s %s by this.",
		name, count,
		o->returns
			? arena_format(&d->arena,
				       ", and %s an instance came back after another had taken its "
				       "place, which a rebooted client cannot do",
				       o->returns == 1
					       ? "once"
					       : nfs4_count_text(d, o->returns, "time", "times"))
			: "",
		o->minor_version ? "session" : "state", whose_text(d, f, o), explained_text(d, e));
	f->count = losses_explained(e);
	cite_return(d, f, o);
	for (unsigned i = 0; i < e->shown_len; i++)
		if (e->shown[i].recovery->other)
			cite_alive(d, f, &e->shown[i]);
		else
			nfs4_cite_ladder(d, f, &e->shown[i]);
	rule_out(d, f, o->server, e);
}

/* --- the other instance at another address of the server --- */

/* Another instance of the owner that was accepted at another address of the server while this one
 * lost its state; NULL: none. */
static const struct nfs4_instance *instance_elsewhere(const struct nfs4_model *m,
						      const struct evidence_for *e)
{
	const struct nfs4_party *p = e->shown_len ? e->shown[0].party : NULL;
	const struct nfs4_owner *own = e->owner;

	for (size_t i = 0; own && p && p->instance && i < m->owners.len; i++) {
		const struct nfs4_owner *o = *(struct nfs4_owner **)vec_at(&m->owners, i);

		if (o->server == own->server || o->minor_version != own->minor_version ||
		    o->name.len != own->name.len ||
		    memcmp(o->name.bytes, own->name.bytes, own->name.len) != 0 ||
		    !same_server_is(o->server, own->server))
			continue;
		for (size_t k = 0; k < o->instances.len; k++) {
			const struct nfs4_instance *in =
				*(struct nfs4_instance **)vec_at(&o->instances, k);

			if (in->hosts_len && in->accepted >= ROUNDS_MIN &&
			    memcmp(in->verifier, p->instance->verifier, sizeof(in->verifier)) != 0)
				return in;
		}
	}
	return NULL;
}

static bool names_client(const struct finding *f, const struct endpoint *client)
{
	for (size_t i = 0; i < f->clients_at.len; i++)
		if (endpoint_same_host(vec_at(&f->clients_at, i), client))
			return true;
	return false;
}

/* Each of the two is judged by its own losses; they are told once. */
static bool elsewhere_is_told(const struct diagnosis *d, const struct nfs4_party *p,
			      const struct nfs4_instance *other)
{
	for (size_t i = 0; i < d->findings.len; i++) {
		const struct finding *f = finding_at(&d->findings, i);

		if (strcmp(f->id, "nfs4-client-owner-collision") == 0 &&
		    names_client(f, &p->host) && names_client(f, &other->hosts[0]))
			return true;
	}
	return false;
}

static void write_elsewhere(struct diagnosis *d, const struct evidence_for *e,
			    const struct nfs4_instance *other)
{
	const struct nfs4_party *p = e->shown[0].party;
	const struct nfs4_server *s = other->owner->server;
	const char *who = nfs4_host_text(d, &p->host), *them = nfs4_host_text(d, &other->hosts[0]);
	const char *there = nfs4_host_text(d, &s->at);
	struct finding *f;

	if (elsewhere_is_told(d, p, other))
		return;
	f = diagnosis_add(d, "nfs4-client-owner-collision", CONFIDENCE_LIKELY);
	nfs4_finding_about(d, f, p);
	nfs4_finding_span(f, &p->recoveries[0].lost);
	nfs4_finding_span(f, &p->recoveries[p->recoveries_len - 1].lost);
	nfs4_finding_span(f, &other->first);
	nfs4_finding_span(f, &other->last);
	finding_add_client(d, f, &other->hosts[0]);
	f->count = losses_explained(e);
	f->title = arena_format(
		&d->arena,
		"%s and %s present one NFSv4 client owner at two addresses of one server", who,
		them);
	f->why = arena_format(
		&d->arena,
		"%s the server dropped session and client ID of %s although it had renewed its "
		"lease in time%s. %s presents the same owner, with another boot verifier, at %s: "
		"by the server owner and scope that EXCHANGE_ID tells at both this is another "
		"address of the same server. To it the two are one client that keeps rebooting.",
		nfs4_count_text(d, losses_explained(e), "time", "times"), who,
		e->boot_same ? " and the server had not restarted" : "", them, there);
	nfs4_cite_ladder(d, f, &e->shown[0]);
	nfs4_cite(d, f, s, &other->first, "%s presents the same owner at %s", them, there);
	nfs4_cite(d, f, s, &other->accepted_last, "and is accepted there for the last time");
	rule_out(d, f, p->server, e);
}

/* --- one client's view --- */

static void write_inferred(struct diagnosis *d, const struct evidence_for *e,
			   enum finding_confidence confidence)
{
	const struct nfs4_loss *loss = &e->shown[0];
	const struct nfs4_party *p = loss->party;
	struct finding *f = diagnosis_add(d, "nfs4-client-owner-collision", confidence);
	const char *who = nfs4_host_text(d, &p->host);

	nfs4_finding_about(d, f, p);
	nfs4_finding_span(f, &p->recoveries[0].lost);
	nfs4_finding_span(f, &p->recoveries[p->recoveries_len - 1].lost);
	f->count = losses_explained(e);
	f->title = arena_format(
		&d->arena,
		"%s keeps losing its NFSv4 client ID: another client seems to use its client owner",
		who);
	f->why = arena_format(
		&d->arena,
		"%s the server dropped %s of %s although it had renewed its "
		"lease in time%s.%s The other client is not in this evidence: a capture at the "
		"server, or on it `grep -H . /proc/fs/nfsd/clients/*/info`, shows whether a second "
		"address has the same name.",
		nfs4_count_text(d, losses_explained(e), "time", "times"),
		p->minor_version ? "session and client ID" : "the client ID", who,
		e->boot_same ? " and the server had not restarted" : "",
		e->foreign
			? arena_format(
				  &d->arena,
				  " In %" PRIu64 " of the %" PRIu64 " losses that were looked at "
				  "closely the server's client numbers went on by more than the "
				  "evidence accounts for: others introduced themselves in between.",
				  e->foreign, e->unexplained)
			: "");
	nfs4_cite_ladder(d, f, loss);
	if (p->recoveries_len > 1) {
		struct nfs4_loss again = {loss->party, &p->recoveries[p->recoveries_len - 1]};

		nfs4_cite_ladder(d, f, &again);
	}
	rule_out(d, f, p->server, e);
}

static void undecided_collision(struct diagnosis *d)
{
	diagnosis_undecided(
		d, "nfs4-client-owner-collision",
		"a client lost its client ID without silence and without a restart of the "
		"server; whether another client presents the same owner is not in this evidence",
		"tcpdump -i any -s 0 -w server.pcap port 2049   # on the server, then give both");
}

/*
 * Whether what is left unexplained may be put down to a client that is out of sight: not where
 * calls of this one may be missing, nor where the capture shows the others and nobody is missing.
 */
static bool may_infer(const struct nfs4_model *m, const struct evidence_for *e)
{
	if (e->shown_len == 0 || e->shown[0].party->lossy)
		return false;
	return e->foreign * 2 >= e->unexplained || !nfs4_loss_sees_others(m, &e->shown[0]);
}

/* A server whose numbers tell nothing, and a capture that shows that nobody else was there. */
static bool told_by_survivor(const struct nfs4_model *m, const struct evidence_for *e)
{
	return e->shown_len && !nfs4_loss_boot_same(e->shown[0].recovery) &&
	       nfs4_loss_without_restart(m, &e->shown[0]);
}

static bool is_proved(const struct evidence_for *e)
{
	const struct nfs4_owner *o = e->owner;

	if (!o || o->instances.len < 2)
		return false;
	/* The order over several captures is that of their clocks: one loss may be in the wrong. */
	if (e->alive || e->losses > 1)
		return true;
	/* Who is never seen to be accepted pushes nobody out. */
	return o->returns && e->unexplained && o->return_instance[0]->accepted &&
	       o->return_instance[1]->accepted;
}

/* From one loss to the next, on average. */
static int64_t round_ns(const struct nfs4_party *p)
{
	int64_t span_ns =
		p->recoveries[p->recoveries_len - 1].lost.at.ns - p->recoveries[0].lost.at.ns;

	return p->recoveries_count > 1 ? span_ns / (int64_t)(p->recoveries_count - 1) : 0;
}

static void judge(const struct nfs4_model *m, struct diagnosis *d, const struct evidence_for *e)
{
	/* One of four: others who mounted in sight may hide the one who is not. */
	bool all_foreign = e->rival >= ROUNDS_MIN && e->rival * 4 >= e->unexplained * 3;
	bool told;

	if (is_proved(e))
		write_proved(d, e);
	else if (e->unexplained >= ROUNDS_MIN && instance_elsewhere(m, e))
		write_elsewhere(d, e, instance_elsewhere(m, e));
	else if (e->unexplained && (e->accounted == e->unexplained || told_by_survivor(m, e)))
		return; /* nobody is out of sight */
	else if (e->unexplained &&
		 (!may_infer(m, e) ||
		  round_ns(e->shown[0].party) >
			  ROUND_LEASES_MAX * nfs4_lease_ns(e->shown[0].party->server, &told)))
		undecided_collision(d);
	else if (all_foreign && round_ns(e->shown[0].party) <= ROUND_QUICK_NS)
		write_inferred(d, e, CONFIDENCE_LIKELY);
	else if (all_foreign || (e->unexplained >= ROUNDS_MIN && e->boot_same == 0 &&
				 e->same_conn * 2 >= e->unexplained))
		write_inferred(d, e, CONFIDENCE_POSSIBLE);
	else if (e->unexplained || e->losses)
		undecided_collision(d);
}

static void weigh_party(struct evidence_for *e, struct nfs4_party *p)
{
	for (uint32_t i = 0; i < p->recoveries_len; i++) {
		struct nfs4_loss loss = {p, &p->recoveries[i]};

		weigh_loss(e, &loss);
	}
	if (p->longest_silence_ns > e->longest_silence_ns)
		e->longest_silence_ns = p->longest_silence_ns;
	e->kept += p->recoveries_len;
	e->total += p->recoveries_count;
}

static void run(const struct rule_input *in, struct diagnosis *out)
{
	const struct nfs4_model *m = in->nfs4;

	for (size_t i = 0; i < m->owners.len; i++) {
		const struct nfs4_owner *owner = *(struct nfs4_owner **)vec_at(&m->owners, i);
		struct evidence_for e = {.owner = owner};

		for (size_t k = 0; k < owner->instances.len; k++) {
			const struct nfs4_instance *instance =
				*(struct nfs4_instance **)vec_at(&owner->instances, k);

			if (instance->party)
				weigh_party(&e, nfs4_party_find(instance->party));
		}
		judge(m, out, &e);
	}
	for (size_t i = 0; i < m->parties.len; i++) {
		struct nfs4_party *p = *(struct nfs4_party **)vec_at(&m->parties, i);
		struct evidence_for e = {0};

		if (p->instance || p->merged_into)
			continue;
		weigh_party(&e, p);
		judge(m, out, &e);
	}
	nfs4_collision_tell_trace(in, out);
	host_clients_collision(in, out);
	nfs4_collision_tell_probes(in, out);
}

const struct rule rule_nfs4_client_owner_collision = {
	.id = "nfs4-client-owner-collision",
	.needs = "a capture of NFSv4 traffic in which a client loses its state, or the server's "
		 "trace of nfsd_clid_* or of probes of nfsd",
	.run = run,
};
