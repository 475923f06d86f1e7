// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nfs4-client-expired (catalogue A5): the server dropped a client that had renewed its lease in
 * time, without a restart and without another instance of the client's owner: an administrator
 * (`echo expire > /proc/fs/nfsd/clients/N/ctl`, nfsd since 5.3) or a limit of the server.
 *
 * A collision looks the same from one client's side, but somebody has to introduce himself in it
 * between the old client ID and the new one, and the counter in the client IDs of a Linux nfsd
 * counts that. A machine that was paused with its own capture looks the same too, but for the
 * server's TCP timestamps.
 */
#include "diagnose/rules/nfs4/nfs4_common.h"
#include "diagnose/rules/rules.h"

#include "names/nfs4.h"

#include <inttypes.h>
#include <stdlib.h>

/* Losses of one server's clients that follow each other closer than this are one finding. */
#define SAME_TROUBLE_NS (600 * STAMP_NS_PER_S)

/* What the server dropped without need, in order of time. */
struct drops {
	struct nfs4_loss first;
	struct finding *finding;
	uint64_t losses, accounted, clients;
	int64_t longest_silence_ns;
	bool clock_known; /* the clock of the capture went on, for sure, in each */
	bool told;        /* the lease */
	bool proven;      /* the layout of the client IDs */
	bool sees_others;
	bool lossy;
	struct nfs4_loss last;
};

/* The owner is fought over: what this client lost it lost to the other instance. */
static bool owner_is_shared(const struct nfs4_party *p)
{
	if (p->instance && p->instance->owner->returns)
		return true;
	for (uint32_t i = 0; i < p->recoveries_len; i++)
		if (p->recoveries[i].other)
			return true;
	return false;
}

/*
 * A server that did not restart: else that cannot be told from a restart that was so quick that
 * nobody had to wait.
 */
static bool loss_is_drop(const struct nfs4_model *m, const struct nfs4_loss *loss)
{
	return nfs4_loss_unexplained(loss) && !loss->recovery->other &&
	       !owner_is_shared(loss->party) && nfs4_loss_without_restart(m, loss);
}

/*
 * Nobody else introduced himself to the server in between, or all who did are in sight. Where the
 * client IDs tell nothing there is a survivor, so the capture shows more than the client: another
 * instance of its owner would be in it.
 */
static bool loss_is_accounted(const struct nfs4_loss *loss)
{
	if (!nfs4_loss_boot_same(loss->recovery))
		return true;
	return loss->recovery->clientid_steps >= 0 && !nfs4_loss_unseen_others(loss->recovery);
}

/*
 * A collision needs somebody in between each time: a client for whom most losses are accounted for
 * is fought by nobody. One alone may be a chance of who else came just then.
 */
static bool party_is_accounted(const struct nfs4_model *m, const struct nfs4_party *p)
{
	uint32_t drops = 0, accounted = 0;

	for (uint32_t i = 0; i < p->recoveries_len; i++) {
		struct nfs4_loss loss = {(struct nfs4_party *)p, &p->recoveries[i]};

		if (!loss_is_drop(m, &loss))
			continue;
		drops++;
		accounted += loss_is_accounted(&loss);
	}
	return accounted * 2 > drops;
}

/* Whoever was out of sight seems innocent, each time. */
static bool others_only_mounted(const struct nfs4_party *p)
{
	for (uint32_t i = 0; i < p->recoveries_len; i++)
		if (nfs4_loss_unseen_others(&p->recoveries[i]) &&
		    !nfs4_loss_others_mounted(&p->recoveries[i]))
			return false;
	return true;
}

static int by_server_and_time(const void *a, const void *b)
{
	const struct provenance *left = &((const struct nfs4_loss *)a)->recovery->lost;
	const struct provenance *right = &((const struct nfs4_loss *)b)->recovery->lost;

	int order = endpoint_compare(&((const struct nfs4_loss *)a)->party->server->at,
				     &((const struct nfs4_loss *)b)->party->server->at);

	if (order)
		return order;
	if (left->at.ns != right->at.ns)
		return left->at.ns < right->at.ns ? -1 : 1;
	if (left->evidence != right->evidence)
		return left->evidence < right->evidence ? -1 : 1;
	return (left->frame > right->frame) - (left->frame < right->frame);
}

static void drops_add(const struct nfs4_model *m, struct diagnosis *d, struct drops *drops,
		      const struct nfs4_loss *loss)
{
	const struct nfs4_recovery *r = loss->recovery;
	bool told;

	nfs4_lease_ns(loss->party->server, &told);
	if (!drops->finding) {
		*drops = (struct drops){
			.first = *loss,
			.finding = diagnosis_add(d, "nfs4-client-expired", CONFIDENCE_POSSIBLE),
			.clock_known = true,
			.told = told,
			.proven = loss->party->server->layout_proven,
			.sees_others = true,
		};
		finding_set_server(d, drops->finding, &loss->party->server->at);
		nfs4_cite(d, drops->finding, loss->party->server, &r->last_renewal,
			  "the last renewal of %s that is accepted before",
			  nfs4_host_text(d, &loss->party->host));
		nfs4_cite_ladder(d, drops->finding, loss);
	} else {
		nfs4_cite(d, drops->finding, loss->party->server, &r->lost, "%s of %s answered %s",
			  nfs4_op_text(d, r->lost_op), nfs4_host_text(d, &loss->party->host),
			  nfs4_status_text(d, r->lost_status));
	}
	finding_add_client(d, drops->finding, &loss->party->host);
	nfs4_finding_span(drops->finding, &r->lost);
	nfs4_finding_span(drops->finding, &r->created);
	drops->clients = drops->finding->clients.len;
	drops->losses++;
	drops->accounted += loss_is_accounted(loss);
	if (r->silence_ns > drops->longest_silence_ns)
		drops->longest_silence_ns = r->silence_ns;
	drops->sees_others &= nfs4_loss_sees_others(m, loss);
	drops->clock_known &= r->hidden_ns >= 0;
	drops->lossy |= loss->party->lossy;
	drops->last = *loss;
}

/*
 * A capture that shows other clients too was not taken on a machine that was paused: their calls
 * would be missing from it as well. That nobody else is behind it the server's numbers prove, also
 * where the capture shows one client only.
 */
static enum finding_confidence confidence_of(const struct drops *drops)
{
	bool awake = drops->clock_known || drops->sees_others;

	if (!awake || drops->lossy)
		return CONFIDENCE_POSSIBLE;
	return drops->told && drops->proven && drops->accounted == drops->losses
		       ? CONFIDENCE_CERTAIN
		       : CONFIDENCE_LIKELY;
}

static void rule_out(const struct nfs4_model *m, struct diagnosis *d, const struct drops *drops)
{
	const struct nfs4_recovery *r = drops->first.recovery;
	struct finding *f = drops->finding;
	bool told;
	int64_t lease_ns = nfs4_lease_ns(drops->first.party->server, &told);

	finding_rule_out(d, f, "nfs4-lease-expired",
			 "the longest time without a renewal before a loss was %s, the lease is "
			 "%s%s",
			 nfs4_duration_text(d, drops->longest_silence_ns),
			 nfs4_duration_text(d, lease_ns), told ? "" : " (assumed)");
	nfs4_rule_out_restart(m, d, f, &drops->first);
	if (!nfs4_loss_boot_same(r)) {
		finding_rule_out(
			d, f, "nfs4-client-owner-collision",
			"the capture shows other clients of the server too, and nobody else "
			"who introduces himself by this client's owner");
		return;
	}
	finding_rule_out(d, f, "nfs4-client-owner-collision",
			 "%sthe server's client numbers went on by no more than the clients in "
			 "sight used up: nobody else introduced himself in between",
			 drops->losses == 1
				 ? ""
				 : arena_format(&d->arena, "in %" PRIu64 " of %" PRIu64 " losses ",
						drops->accounted, drops->losses));
}

/* Other clients that the server puts off at the same time: it has no room for more. */
static const char *why_limit(struct diagnosis *d, const struct drops *drops)
{
	const struct nfs4_server *s = drops->first.party->server;

	if (!s->put_off.count ||
	    s->put_off.first.at.ns > drops->last.recovery->lost.at.ns + SAME_TROUBLE_NS ||
	    s->put_off.last.at.ns < drops->first.recovery->lost.at.ns - SAME_TROUBLE_NS)
		return "";
	nfs4_cite(d, drops->finding, s, &s->put_off.first,
		  "the first EXCHANGE_ID or SETCLIENTID that is answered NFS4ERR_DELAY");
	return arena_format(&d->arena,
			    " %s to introduce oneself answered NFS4ERR_DELAY in this evidence: the "
			    "server seems to be at the limit of the clients that it keeps.",
			    nfs4_count_text(d, s->put_off.count, "call was", "calls were"));
}

static void drops_write(const struct nfs4_model *m, struct diagnosis *d, const struct drops *drops)
{
	const struct nfs4_party *p = drops->first.party;
	struct finding *f = drops->finding;
	const char *who = drops->clients == 1
				  ? nfs4_host_text(d, &p->host)
				  : nfs4_count_text(d, drops->clients, "client", "clients");
	const char *times = nfs4_count_text(d, drops->losses, "time", "times");

	if (drops->clients == 1)
		nfs4_finding_about(d, f, p);
	f->confidence = confidence_of(drops);
	f->count = drops->losses;
	f->title = arena_format(
		&d->arena,
		"the NFS server %s dropped the NFSv4 client ID of %s%s, which had "
		"renewed in time",
		nfs4_host_text(d, &p->server->at), who,
		drops->losses == 1 ? "" : arena_format(&d->arena, " (%s in all)", times));
	f->why = arena_format(
		&d->arena,
		"%s the server refused a client's session or state and did not know its client ID "
		"any more, %s%s after a renewal that it had accepted. It had not restarted, and "
		"%s: it gave the client up of its own accord, by an administrator's order or for "
		"want of room.%s%s",
		drops->losses == 1 ? "Once" : times,
		nfs4_duration_text(d, drops->longest_silence_ns),
		drops->losses == 1 ? "" : " at most",
		nfs4_loss_boot_same(drops->first.recovery)
			? "the numbers of its client IDs show nobody who took the client's place"
			: "nobody is seen who took the client's place",
		why_limit(d, drops),
		f->confidence == CONFIDENCE_POSSIBLE
			? " Where this capture was taken on the client itself, a pause of that "
			  "machine would look the same: see the hypervisor's log, or capture at "
			  "the server."
			: "");
	rule_out(m, d, drops);
}

static void undecided_drop(struct diagnosis *d)
{
	diagnosis_undecided(
		d, "nfs4-client-expired",
		"a client lost its client ID without silence and without a restart of the server; "
		"others whom the evidence does not show introduced themselves in between, and one "
		"of them may have its owner",
		"tcpdump -i any -s 0 -w server.pcap port 2049   # on the server, then give both");
}

static bool same_trouble(const struct drops *drops, const struct nfs4_loss *loss)
{
	return drops->finding && drops->last.party->server == loss->party->server &&
	       loss->recovery->lost.at.ns - drops->last.recovery->lost.at.ns <= SAME_TROUBLE_NS;
}

static void run(const struct rule_input *in, struct diagnosis *out)
{
	struct drops drops = {0};
	struct vec losses;

	nfs4_losses(in->nfs4, &losses);
	if (losses.len)
		qsort(losses.items, losses.len, losses.item_bytes, by_server_and_time);
	for (size_t i = 0; i < losses.len; i++) {
		const struct nfs4_loss *loss = vec_at(&losses, i);

		if (!loss_is_drop(in->nfs4, loss))
			continue;
		if (!party_is_accounted(in->nfs4, loss->party)) {
			if (others_only_mounted(loss->party))
				undecided_drop(out);
			continue;
		}
		if (drops.finding && !same_trouble(&drops, loss)) {
			drops_write(in->nfs4, out, &drops);
			drops.finding = NULL;
		}
		drops_add(in->nfs4, out, &drops, loss);
	}
	if (drops.finding)
		drops_write(in->nfs4, out, &drops);
	vec_deinit(&losses);
}

const struct rule rule_nfs4_client_expired = {
	.id = "nfs4-client-expired",
	.needs = "a capture from before a client's loss until its recovery; of a server that is no "
		 "Linux "
		 "nfsd, one that shows other clients as well",
	.run = run,
};
