// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nfs4-lease-expired (catalogue A3, A4): the server heard nothing from a client for longer than the
 * lease and dropped its state (RFC 8881 section 8.3; a courteous server keeps it until somebody
 * else wants it). The server did not restart, and nobody took the client's name.
 */
#include "diagnose/rules/nfs4/nfs4_common.h"
#include "diagnose/rules/rules.h"

#include "names/nfs4.h"

#include <inttypes.h>

/* A client that is silent again so soon after it came back: the same trouble goes on. */
#define SAME_TROUBLE_NS (600 * STAMP_NS_PER_S)

/* Lapses of one server's clients that were silent at the same time, or of one client in a row. */
struct outage {
	const struct nfs4_server *server;
	const struct nfs4_party *last; /* whose lapse was added last */
	int64_t from_ns, to_ns;        /* when all of them were silent; of the last one in a row */
	bool in_a_row;
	uint64_t clients, lapses;
	enum finding_confidence confidence; /* of the surest */
	struct nfs4_loss shown;             /* the longest of the surest */
	int64_t longest_ns;                 /* of any */
	struct finding *finding;
};

/*
 * Whether the client ID itself fell, and not for another reason: BADSESSION alone does not tell,
 * and STALE_CLIENTID and STALE_STATEID of 4.0 are what a server says that restarted (RFC 7530
 * section 9.6.3) unless something says that it did not.
 */
static bool clientid_fell(const struct nfs4_model *m, const struct nfs4_loss *loss)
{
	const struct nfs4_recovery *r = loss->recovery;

	if (loss->party->minor_version > 0)
		return r->kind == RECOVERY_FULL || r->create_refused.frame != FRAME_NONE;
	return r->lost_status == NFS4ERR_EXPIRED || nfs4_loss_without_restart(m, loss);
}

static bool loss_is_lapse(const struct nfs4_model *m, const struct nfs4_loss *loss)
{
	const struct nfs4_recovery *r = loss->recovery;

	return r->kind != RECOVERY_SESSION_ONLY && clientid_fell(m, loss) && !r->other &&
	       !nfs4_loss_boot_changed(r) && !nfs4_loss_reclaimed(r) &&
	       nfs4_loss_after_silence(loss);
}

/*
 * Where no start time tells, a client that had renewed in time and lost all while this one was
 * silent speaks for a restart.
 */
static bool server_dropped_others(const struct vec *losses, const struct nfs4_loss *lapse)
{
	const struct nfs4_recovery *r = lapse->recovery;

	if (nfs4_loss_boot_same(r))
		return false;
	for (size_t i = 0; i < losses->len; i++) {
		const struct nfs4_loss *loss = vec_at(losses, i);

		if (loss->party->server == lapse->party->server && loss->party != lapse->party &&
		    loss->recovery->kind == RECOVERY_FULL && nfs4_loss_in_time(loss) &&
		    loss->recovery->lost.at.ns >= r->last_renewal.at.ns &&
		    loss->recovery->lost.at.ns <= r->lost.at.ns)
			return true;
	}
	return false;
}

/* How long the client itself sent nothing that would have renewed its lease. */
static int64_t silence_of_client_ns(const struct nfs4_recovery *r)
{
	if (r->first_attempt.frame == FRAME_NONE || r->last_renewal.frame == FRAME_NONE ||
	    r->hidden_ns > 0)
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

	if (r->clientid_steps >= 0 && !nfs4_loss_unseen_others(r))
		return true;
	return nfs4_loss_sees_others(m, loss);
}

/* What a restart does not do; NULL: one may have come while nothing was answered. */
static const char *why_no_restart(struct diagnosis *d, const struct nfs4_loss *loss)
{
	const struct nfs4_recovery *r = loss->recovery;

	if (nfs4_loss_boot_same(r))
		return arena_format(&d->arena,
				    "the client IDs from before and after name the same start of "
				    "the NFS service, %s",
				    nfs4_boot_text(d, r->old_boot_s));
	if (loss->party->minor_version == 0 && r->lost_status == NFS4ERR_EXPIRED)
		return "a server that restarted answers NFS4ERR_STALE_CLIENTID or "
		       "NFS4ERR_STALE_STATEID, and not NFS4ERR_EXPIRED";
	if (!r->connection_lost)
		return "the call was refused on the connection of the last renewal, which a "
		       "restart would have broken";
	return NULL;
}

static enum finding_confidence confidence_of(const struct nfs4_model *m, struct diagnosis *d,
					     const struct nfs4_loss *loss)
{
	bool told;
	int64_t lease_ns = nfs4_lease_ns(loss->party->server, &told);

	if (!told)
		return CONFIDENCE_POSSIBLE; /* the silence may be shorter than the lease */
	if (!why_no_restart(d, loss) && silence_of_client_ns(loss->recovery) <= lease_ns)
		return CONFIDENCE_POSSIBLE; /* it was the server that was silent */
	return nfs4_loss_boot_same(loss->recovery) && !loss->party->lossy &&
			       loss->recovery->hidden_ns <= 0 && collision_excluded(m, loss)
		       ? CONFIDENCE_CERTAIN
		       : CONFIDENCE_LIKELY;
}

static const char *why_silent(struct diagnosis *d, const struct nfs4_loss *loss, int64_t lease_ns)
{
	const struct nfs4_recovery *r = loss->recovery;
	int64_t silence_ns = silence_of_client_ns(r);

	if (r->hidden_ns > 0)
		return arena_format(
			&d->arena,
			"By the stamps of the capture only %s passed, but the server's TCP "
			"timestamps went on by %s more: the machine that captured was paused or "
			"suspended, or its clock was set back.",
			nfs4_duration_text(d, r->silence_ns - r->hidden_ns),
			nfs4_duration_text(d, r->hidden_ns));
	if (silence_ns > lease_ns)
		return arena_format(
			&d->arena,
			"Nothing that renews a lease is seen from the client for %s: it was "
			"paused, cut off, or its renewal did not run.",
			nfs4_duration_text(d, silence_ns));
	return arena_format(
		&d->arena,
		"The client tried again after %s, but the server accepted nothing from it until "
		"then: the path, or the server, was not there for it.",
		nfs4_duration_text(d, silence_ns));
}

/* --- outages --- */

static bool outage_takes(const struct outage *o, const struct nfs4_loss *loss)
{
	const struct nfs4_recovery *r = loss->recovery;

	if (o->server != loss->party->server)
		return false;
	if (o->last == loss->party)
		return o->clients == 1 && r->last_renewal.at.ns - o->to_ns < SAME_TROUBLE_NS;
	return !o->in_a_row && r->last_renewal.at.ns < o->to_ns && r->lost_call.at.ns > o->from_ns;
}

static struct outage *outage_of(struct vec *outages, const struct nfs4_loss *loss)
{
	struct outage *o;

	for (size_t i = 0; i < outages->len; i++) {
		o = vec_at(outages, i);
		if (outage_takes(o, loss))
			return o;
	}
	o = vec_push(outages);
	*o = (struct outage){
		.server = loss->party->server,
		.from_ns = INT64_MIN,
		.to_ns = INT64_MAX,
		.shown = *loss,
	};
	return o;
}

static void cite_lapse(struct diagnosis *d, struct finding *f, const struct nfs4_loss *loss)
{
	const struct nfs4_recovery *r = loss->recovery;
	const struct nfs4_server *server = loss->party->server;
	const char *who = nfs4_host_text(d, &loss->party->host);
	bool told;
	int64_t lease_ns = nfs4_lease_ns(server, &told);

	if (told)
		nfs4_cite(d, f, server, &server->lease_cite, "the server tells its lease: %s",
			  nfs4_duration_text(d, lease_ns));
	nfs4_cite(d, f, server, &r->last_renewal, "the last renewal of %s that is accepted", who);
	nfs4_cite(d, f, server, &r->first_attempt, "the first call of %s after that", who);
	nfs4_cite_ladder(d, f, loss);
}

static void outage_add(const struct nfs4_model *m, struct diagnosis *d, struct outage *o,
		       const struct nfs4_loss *loss)
{
	const struct nfs4_recovery *r = loss->recovery;
	enum finding_confidence confidence = confidence_of(m, d, loss);

	if (!o->finding) {
		o->finding = diagnosis_add(d, "nfs4-lease-expired", confidence);
		finding_set_server(d, o->finding, &o->server->at);
	}
	if (confidence > o->confidence ||
	    (confidence == o->confidence && r->silence_ns >= o->shown.recovery->silence_ns))
		o->shown = *loss;
	if (confidence > o->confidence)
		o->confidence = confidence;
	if (o->last == loss->party)
		o->in_a_row = true;
	if (o->in_a_row || r->last_renewal.at.ns > o->from_ns)
		o->from_ns = r->last_renewal.at.ns;
	if (o->in_a_row || r->lost_call.at.ns < o->to_ns)
		o->to_ns = r->lost_call.at.ns;
	if (r->silence_ns > o->longest_ns)
		o->longest_ns = r->silence_ns;
	o->clients += o->last != loss->party;
	o->lapses++;
	o->last = loss->party;
	finding_add_client(d, o->finding, &loss->party->host);
	nfs4_finding_span(o->finding, &r->last_renewal);
	nfs4_finding_span(o->finding, &r->lost);
	nfs4_finding_span(o->finding, &r->created);
}

/* --- wording --- */

static void name_outage(struct diagnosis *d, const struct outage *o)
{
	const char *silence = nfs4_duration_text(d, o->longest_ns);
	bool told;
	const char *lease = arena_format(&d->arena, "%s%s",
					 nfs4_duration_text(d, nfs4_lease_ns(o->server, &told)),
					 o->server->lease_time_s ? "" : " (assumed)");

	if (o->clients > 1)
		o->finding->title = arena_format(
			&d->arena,
			"the NFSv4 leases of %" PRIu64 " clients of %s ran out: up to %s without a "
			"renewal, the lease is %s",
			o->clients, nfs4_host_text(d, &o->server->at), silence, lease);
	else
		o->finding->title = arena_format(
			&d->arena,
			"the NFSv4 lease of %s ran out%s: %s%s without a renewal, the lease is %s",
			nfs4_host_text(d, &o->last->host),
			o->lapses > 1 ? arena_format(&d->arena, " %" PRIu64 " times", o->lapses)
				      : "",
			o->lapses > 1 ? "up to " : "", silence, lease);
}

static const char *why_together(struct diagnosis *d, const struct outage *o)
{
	if (o->clients < 2)
		return "";
	return arena_format(&d->arena,
			    " All %" PRIu64 " were silent from %s to %s: what they share, such as "
			    "the network or the host that they run on, is the place to look.",
			    o->clients, nfs4_date_text(d, stamp_utc(o->from_ns)),
			    nfs4_date_text(d, stamp_utc(o->to_ns)));
}

static void rule_out(const struct nfs4_model *m, struct diagnosis *d, const struct outage *o)
{
	const char *no_restart = why_no_restart(d, &o->shown);

	if (no_restart)
		finding_rule_out(d, o->finding, "nfs4-server-restart", "%s", no_restart);
	else
		diagnosis_undecided(
			d, "nfs4-server-restart",
			"whether the server restarted while a client heard nothing from it: its "
			"client IDs tell no start, and the client came back on another connection",
			"the log of the server, or of its cluster, at that time; on Linux "
			"journalctl -u nfs-server");
	if (collision_excluded(m, &o->shown))
		finding_rule_out(d, o->finding, "nfs4-client-owner-collision", "%s",
				 nfs4_loss_sees_others(m, &o->shown)
					 ? "the capture shows other clients of the server too, and "
					   "no other instance of this owner that is accepted in "
					   "the silence"
					 : "by the server's client numbers nobody introduced "
					   "himself in the silence");
	if (o->server->lease_time_s == 0)
		diagnosis_undecided(d, "nfs4-lease-expired",
				    "how long the server's lease is: no answer in the evidence "
				    "tells it, and 90 s are assumed",
				    "on a Linux server: cat /proc/fs/nfsd/nfsv4leasetime; on "
				    "another: a capture that begins before a mount");
}

static void write_outage(const struct nfs4_model *m, struct diagnosis *d, const struct outage *o)
{
	const struct nfs4_recovery *r = o->shown.recovery;
	const char *who = nfs4_host_text(d, &o->shown.party->host);
	bool told;
	int64_t lease_ns = nfs4_lease_ns(o->server, &told);

	if (o->clients == 1)
		nfs4_finding_about(d, o->finding, o->last);
	o->finding->confidence = o->confidence;
	o->finding->count = o->lapses;
	name_outage(d, o);
	o->finding->why = arena_format(
		&d->arena,
		"The last renewal that the server accepted from %s is %s older than the call "
		"that it answered %s. %s The server dropped the client's state, so opens and "
		"locks that it held are lost unless they could be had anew.%s%s",
		who, nfs4_duration_text(d, r->silence_ns), nfs4_status_text(d, r->lost_status),
		why_silent(d, &o->shown, lease_ns), why_together(d, o),
		collision_excluded(m, &o->shown)
			? ""
			: " Whether another client came with the same owner meanwhile the "
			  "evidence does not tell.");
	cite_lapse(d, o->finding, &o->shown);
	rule_out(m, d, o);
}

static void run(const struct rule_input *in, struct diagnosis *out)
{
	struct vec losses, outages;

	nfs4_losses(in->nfs4, &losses);
	vec_init(&outages, sizeof(struct outage));
	for (size_t i = 0; i < losses.len; i++) {
		const struct nfs4_loss *loss = vec_at(&losses, i);

		if (loss_is_lapse(in->nfs4, loss) && !server_dropped_others(&losses, loss))
			outage_add(in->nfs4, out, outage_of(&outages, loss), loss);
	}
	for (size_t i = 0; i < outages.len; i++)
		write_outage(in->nfs4, out, vec_at(&outages, i));
	vec_deinit(&outages);
	vec_deinit(&losses);
}

const struct rule rule_nfs4_lease_expired = {
	.id = "nfs4-lease-expired",
	.needs = "a capture from before the silence until the client's recovery",
	.run = run,
};
