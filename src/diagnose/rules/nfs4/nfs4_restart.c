// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nfs4-server-restart (catalogue A2): the server instance changed. Proof is a new start time in the
 * client IDs of a Linux nfsd; where the server's client IDs tell none, a server that answers GRACE
 * or accepts reclaims says itself that it restarted (RFC 8881 section 8.4.2).
 */
#include "diagnose/rules/nfs4/nfs4_common.h"
#include "diagnose/rules/nfs4/nfs4_trace.h"
#include "diagnose/rules/rules.h"

#include <inttypes.h>

/* Losses closer together than this belong to one restart where no boot time tells them apart. */
#define ONE_RESTART_NS (300 * STAMP_NS_PER_S)

/* Losing everything so often is no restart where no start time says so. */
enum { LOSSES_TOO_MANY = 3 };

/* A start time that came back so often belongs to one of several servers behind the address. */
enum { RETURNS_OF_SEVERAL = 2 };

/* The losses that one restart caused. */
struct restart {
	const struct nfs4_server *server;
	const struct nfs4_party *last; /* whose loss was added last */
	int64_t old_boot_s, boot_s;    /* -1: not known */
	struct stamp first;
	uint64_t clients, reclaims_ok, reclaims_refused, grace;
	bool lossy; /* calls may be missing: what was counted proves nothing */
	struct finding *finding;
};

/* Another machine presents the client's owner: the two push each other out. */
static bool owner_is_shared(const struct nfs4_party *p)
{
	const struct nfs4_owner *owner = p->instance ? p->instance->owner : NULL;

	for (size_t i = 0; owner && i < owner->instances.len; i++) {
		const struct nfs4_instance *o =
			*(struct nfs4_instance **)vec_at(&owner->instances, i);
		bool same_host = o == p->instance;

		for (uint32_t h = 0; h < o->hosts_len && !same_host; h++)
			same_host = endpoint_same_host(&o->hosts[h], &p->host);
		if (!same_host)
			return true;
	}
	return owner && owner->returns > 0;
}

/*
 * Whether GRACE and reclaims that were accepted may be put down to a restart. Some servers accept
 * reclaims at any time, or answer GRACE to who has just come; then clients that push each other out
 * look the same, also where the capture lacks the other one's part.
 */
static bool answers_prove(const struct nfs4_party *p, const struct nfs4_recovery *r)
{
	return !r->other && !owner_is_shared(p) && p->full_count < LOSSES_TOO_MANY &&
	       (r->grace > 0 || !p->lossy);
}

static bool loss_is_restart(const struct nfs4_loss *loss)
{
	const struct nfs4_recovery *r = loss->recovery;

	if (nfs4_loss_boot_same(r) || loss->party->server->boot_returns >= RETURNS_OF_SEVERAL)
		return false;
	if (nfs4_loss_boot_changed(r))
		return true;
	return r->kind != RECOVERY_SESSION_ONLY && nfs4_loss_reclaimed(r) &&
	       answers_prove(loss->party, r);
}

/* One server has one start time, whatever address of it is asked. */
static bool same_start(const struct restart *known, const struct nfs4_loss *loss)
{
	const struct nfs4_recovery *r = loss->recovery;

	return nfs4_loss_boot_changed(r) && known->boot_s == r->new_boot_s &&
	       (known->server == loss->party->server ||
		(known->old_boot_s == r->old_boot_s && known->server->layout_proven &&
		 loss->party->server->layout_proven));
}

static bool same_restart(const struct restart *known, const struct nfs4_loss *loss)
{
	const struct nfs4_recovery *r = loss->recovery;

	if (nfs4_loss_boot_changed(r) && known->boot_s >= 0)
		return same_start(known, loss);
	if (known->server != loss->party->server)
		return false;
	return r->lost.at.ns - known->first.ns < ONE_RESTART_NS &&
	       known->first.ns - r->lost.at.ns < ONE_RESTART_NS;
}

static struct restart *restart_of(struct vec *restarts, const struct nfs4_loss *loss)
{
	const struct nfs4_recovery *r = loss->recovery;
	struct restart *known;

	for (size_t i = 0; i < restarts->len; i++) {
		known = vec_at(restarts, i);
		if (!same_restart(known, loss))
			continue;
		if (known->boot_s < 0 && nfs4_loss_boot_changed(r)) {
			known->old_boot_s = r->old_boot_s;
			known->boot_s = r->new_boot_s;
		}
		return known;
	}
	known = vec_push(restarts);
	*known = (struct restart){
		.server = loss->party->server,
		.old_boot_s = nfs4_loss_boot_changed(r) ? r->old_boot_s : -1,
		.boot_s = nfs4_loss_boot_changed(r) ? r->new_boot_s : -1,
		.first = r->lost.at,
	};
	return known;
}

/* Whether the start time is about when the clients lost their state. */
static bool boot_is_near(const struct restart *s)
{
	int64_t boot_ns = s->boot_s * STAMP_NS_PER_S;

	return s->boot_s >= 0 && boot_ns > s->first.ns - ONE_RESTART_NS &&
	       boot_ns < s->first.ns + ONE_RESTART_NS;
}

/* The start time is believed outright when session IDs prove the layout or it fits the evidence. */
static bool boot_is_sure(const struct restart *s)
{
	return s->boot_s >= 0 && (s->server->layout_proven || boot_is_near(s));
}

static void add_loss(struct diagnosis *d, struct restart *s, const struct nfs4_loss *loss)
{
	const struct nfs4_recovery *r = loss->recovery;
	const struct nfs4_server *server = loss->party->server;
	const char *who = nfs4_host_text(d, &loss->party->host);
	struct finding *f = s->finding;

	if (!f) {
		f = s->finding = diagnosis_add(d, "nfs4-server-restart", CONFIDENCE_LIKELY);
		finding_set_server(d, f, &server->at);
		nfs4_cite(d, f, server, &r->last_renewal, "the last answer to %s from before", who);
		nfs4_cite_ladder(d, f, loss);
	} else {
		nfs4_cite(d, f, server, &r->lost, "%s of %s answered %s",
			  nfs4_op_text(d, r->lost_op), who, nfs4_status_text(d, r->lost_status));
	}
	if (server != s->server)
		finding_subject(d, f, "also asked at", "%s", nfs4_host_text(d, &server->at));
	finding_add_client(d, f, &loss->party->host);
	s->clients += s->last != loss->party;
	s->last = loss->party;
	nfs4_finding_span(f, &r->lost);
	nfs4_finding_span(f, &r->created);
	nfs4_finding_span(f, &r->reclaim_complete);
	s->lossy |= loss->party->lossy;
	s->grace += r->grace;
	s->reclaims_ok += r->reclaims_ok;
	s->reclaims_refused += r->reclaims_refused;
}

static const char *how_known(struct diagnosis *d, const struct restart *s)
{
	if (s->boot_s >= 0)
		return arena_format(
			&d->arena,
			"its client IDs named %s as the start of its NFS service before, and %s "
			"afterwards",
			nfs4_boot_text(d, s->old_boot_s), nfs4_boot_text(d, s->boot_s));
	return arena_format(&d->arena, "it %s%s%s, as only a server does that lost its state",
			    s->grace ? "answered NFS4ERR_GRACE" : "",
			    s->grace && s->reclaims_ok ? " and " : "",
			    s->reclaims_ok ? "accepted reclaims" : "");
}

static const char *how_it_went(struct diagnosis *d, const struct restart *s)
{
	if (s->reclaims_refused)
		return arena_format(
			&d->arena,
			"%s refused: a Linux client then opens the files anew where it can, and "
			"gives locks up",
			nfs4_count_text(d, s->reclaims_refused, "reclaim was", "reclaims were"));
	if (s->reclaims_ok)
		return arena_format(&d->arena, "%s accepted",
				    nfs4_count_text(d, s->reclaims_ok,
						    "reclaim of an open file or lock was",
						    "reclaims of open files or locks were"));
	return "no reclaim of an open file or lock is in the evidence";
}

/* A start long before, or after: the address went to a server that ran, or a clock is wrong. */
static const char *what_happened(struct diagnosis *d, const struct restart *s)
{
	if (s->boot_s < 0)
		return "restarted";
	return arena_format(&d->arena, "%s %s",
			    boot_is_near(s) ? "restarted at"
					    : "is another instance than before, started at",
			    nfs4_boot_text(d, s->boot_s));
}

static void undecided_several(struct diagnosis *d, const struct nfs4_model *m)
{
	for (size_t i = 0; i < m->servers.len; i++)
		if ((*(struct nfs4_server **)vec_at(&m->servers, i))->boot_returns >=
		    RETURNS_OF_SEVERAL)
			diagnosis_undecided(
				d, "nfs4-server-restart",
				"the start times in the client IDs of one server address "
				"alternate: several server instances answer there in turn, and "
				"clients lose their state when they reach another one; why they "
				"are sent to another is not in this evidence",
				"look at the load balancer or the address that moves: which node "
				"had it when");
}

static void write_restart(struct diagnosis *d, struct restart *s)
{
	struct finding *f = s->finding;
	const char *server = nfs4_host_text(d, &s->server->at);

	if (boot_is_sure(s) || (s->grace && s->reclaims_ok && !s->lossy))
		f->confidence = CONFIDENCE_CERTAIN;
	f->count = 1; /* the restart: how many clients it hit the title says */
	f->title = arena_format(&d->arena, "the NFS server %s %s; %s to recover", server,
				what_happened(d, s),
				nfs4_count_text(d, s->clients, "client had", "clients had"));
	f->why = arena_format(
		&d->arena,
		"The server no longer knows the state that it gave before: %s. %s again; %s. To "
		"clients a failover to another node looks the same as a restart.",
		how_known(d, s),
		s->clients == 1 ? "The client introduced itself"
				: "The clients introduced themselves",
		how_it_went(d, s));
	if (s->boot_s >= 0) {
		finding_subject(d, f, "server start before", "%s",
				nfs4_boot_text(d, s->old_boot_s));
		finding_subject(d, f, "server start after", "%s", nfs4_boot_text(d, s->boot_s));
		finding_rule_out(d, f, "nfs4-lease-expired",
				 "a lapsed lease leaves the server's start time as it was");
		if (!nfs4_trace_was_told(d, "nfs4-client-owner-collision"))
			finding_rule_out(d, f, "nfs4-client-owner-collision",
					 "a collision leaves the server's start time as it was");
	}
	nfs4_cite(d, f, s->server, &s->server->grace.first,
		  "the first call that is answered NFS4ERR_GRACE");
	nfs4_cite(d, f, s->server, &s->server->reclaim_ok, "the first reclaim that is accepted");
}

static void run(const struct rule_input *in, struct diagnosis *out)
{
	struct vec losses, restarts;

	nfs4_losses(in->nfs4, &losses);
	vec_init(&restarts, sizeof(struct restart));
	for (size_t i = 0; i < losses.len; i++) {
		const struct nfs4_loss *loss = vec_at(&losses, i);

		if (loss_is_restart(loss))
			add_loss(out, restart_of(&restarts, loss), loss);
	}
	for (size_t i = 0; i < restarts.len; i++)
		write_restart(out, vec_at(&restarts, i));
	undecided_several(out, in->nfs4);
	nfs4_restart_tell_quiet(in, out);
	nfs4_restart_tell_trace(in, out);
	vec_deinit(&restarts);
	vec_deinit(&losses);
}

const struct rule rule_nfs4_server_restart = {
	.id = "nfs4-server-restart",
	.needs = "a capture that holds the recovery of at least one client, or the server's trace",
	.run = run,
};
