// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nfs4-lock-reclaim-failed: a client lost locks, or open files, when it recovered its state.
 *
 * Its log says so (fs/nfs/nfs4state.c, nfs4_reclaim_locks, nfs4_reclaim_open_state and
 * nfs4_state_mark_open_context_bad). On the wire
 * a reclaim of OPEN that is refused says nothing yet, as the file is then opened anew: a lock is
 * lost where it had been taken, the server then dropped the client with all its state, and the lock
 * was refused, or not asked for again, when the client worked again. A Linux client does not ask
 * (nfs.recover_lost_locks=0).
 */
#include "diagnose/rules/log_common.h"
#include "diagnose/rules/nfs4/nfs4_state_common.h"
#include "diagnose/rules/nfs4/nfs4_trace.h"
#include "diagnose/rules/rules.h"

#include <inttypes.h>

static const char *how_many(struct diagnosis *d, const struct logs_tally *loss)
{
	if (loss->sum)
		return arena_format(&d->arena, "%" PRIu64 " lock%s in %" PRIu64 " recover%s",
				    loss->sum, loss->sum == 1 ? "" : "s", loss->count,
				    loss->count == 1 ? "y" : "ies");
	return arena_format(&d->arena, "locks (%" PRIu64 " message%s)", loss->count,
			    loss->count == 1 ? "" : "s");
}

/* As the kernel numbers them on all machines that matter. */
enum { ERROR_ACCES = 13, ERROR_STALE = 116 };

/* So often, and so close together that no lease runs out in between. */
enum { LOSSES_MIN = 3 };
#define LOSSES_APART_NS (NFS4_LEASE_SHORTEST_S * STAMP_NS_PER_S)

static bool goes_on(const struct logs_tally *loss)
{
	int64_t ns;

	return loss->count >= LOSSES_MIN && log_elapsed_ns(&loss->first, &loss->last, &ns) &&
	       ns / (int64_t)(loss->count - 1) <= LOSSES_APART_NS;
}

static void tell(const struct rule_input *in, struct diagnosis *d, const struct logs_tally *loss)
{
	struct finding *f =
		log_finding_begin(in, d, "nfs4-lock-reclaim-failed", CONFIDENCE_CERTAIN, loss);

	f->title = arena_format(&d->arena, "%s lost locks at %s in recovery, says its log",
				log_text(d, loss->of.host->name), log_server_text(d, &loss->of));
	f->why = arena_format(
		&d->arena,
		"The client lost %s: the server had taken its state away, and the locks could not "
		"be had again. Programs that held them get EIO when they read or write the file "
		"later, on hard mounts too, until they close it. The log does not tell why the "
		"state was lost.",
		how_many(d, loss));
	log_finding_cite(d, f, loss, "the client says that it lost locks");
	if (goes_on(loss) && !nfs4_trace_was_told(d, "nfs4-client-owner-collision") &&
	    !nfs4_trace_was_told(d, "nfs4-client-expired"))
		diagnosis_undecided(
			d, "nfs4-client-owner-collision",
			"why the server takes a client's state again and again, faster than a "
			"lease runs out: whether another client presents its owner, or somebody "
			"expires it, the client's log does not tell",
			"on the server, several times: grep -H -e name -e address "
			"/proc/fs/nfsd/clients/*/info; and tcpdump -i any -s 0 -w server.pcap "
			"port 2049");
}

/* --- open files that were given up --- */

/* What an error of a reclaim mostly means; "": it may be anything. */
static const char *error_means(int64_t error)
{
	switch (error < 0 ? -error : error) {
	case ERROR_ACCES:
		return " The server does not let this user open the file again, which it has to "
		       "when it does not take the reclaim as one: the file's mode forbids it, say.";
	case ERROR_STALE:
		return " The server does not know the file any more: it was removed, or its "
		       "export is another one.";
	default:
		return "";
	}
}

static void tell_opens(const struct rule_input *in, struct diagnosis *d,
		       const struct logs_tally *opens)
{
	struct finding *f =
		log_finding_begin(in, d, "nfs4-lock-reclaim-failed", CONFIDENCE_CERTAIN, opens);
	const char *host = log_host_text(d, opens->of.host);
	const char *error = log_error_text(d, opens->number);

	finding_subject(d, f, "file", "%s%s", log_text(d, opens->subject),
			opens->mixed ? ", or later others or with other errors" : "");
	f->title = arena_format(&d->arena, "%s gave up open files in recovery, says its log", host);
	f->why = arena_format(
		&d->arena,
		"%s the kernel of %s wrote that it could not get back the state of an open file, "
		"the first with error %s: the server had taken its state away, or restarted, and "
		"did not let it open the file again.%s Programs that have the file open get EIO or "
		"EBADF for it, on hard mounts too, until they close it. The log does not tell why "
		"the state was lost.",
		nfs4_count_text(d, opens->count, "time", "times"), host, error,
		error_means(opens->number));
	log_finding_cite(d, f, opens, "recovery of an open file failed");
	finding_rule_out(d, f, "soft-mount-io-error",
			 "the error is of recovery, and not of a call that ran into a timeout");
}

/* --- on the wire --- */

/* How long the client has to have worked again for a lock that it did not ask for to be lost. */
#define WORKED_NS (5 * STAMP_NS_PER_S)

/* Locks that one client lost in one recovery. */
struct wire_loss {
	const struct nfs4_lock *refused, *unasked; /* the first of each; NULL: none */
	uint64_t count;
};

static bool is_before(const struct provenance *a, const struct provenance *b)
{
	return a->evidence == b->evidence && a->frame < b->frame;
}

static struct wire_loss locks_lost(const struct rule_input *in, const struct nfs4_loss *loss)
{
	const struct nfs4_recovery *r = loss->recovery;
	const struct nfs4_party *p = loss->party;
	struct wire_loss out = {0};

	for (struct recent_item *i = in->state->locks.oldest; i; i = i->newer) {
		const struct nfs4_lock *l = (const struct nfs4_lock *)(const void *)i;

		if (!endpoint_same_host(&l->client, &p->host) ||
		    !endpoint_equal(&l->server, &p->server->at) ||
		    !is_before(&l->taken, &r->lost_call))
			continue;
		if (is_before(&r->lost, &l->refused)) {
			out.refused = out.refused ? out.refused : l;
			out.count++;
		} else if (!p->lossy && is_before(&r->created, &p->last_renewal) &&
			   nfs4_between_ns(&r->created, &p->last_renewal) >= WORKED_NS) {
			out.unasked = out.unasked ? out.unasked : l;
			out.count++;
		}
	}
	return out;
}

static void cite_lock(struct diagnosis *d, struct finding *f, const struct nfs4_loss *loss,
		      const struct nfs4_lock *l)
{
	const struct nfs4_server *s = loss->party->server;
	const struct nfs4_recovery *r = loss->recovery;

	nfs4_cite(d, f, s, &l->taken, "LOCK for %s answered NFS4_OK", nfs4_file_text(d, &l->file));
	nfs4_cite(d, f, s, &l->refused, "%s for the same file answered %s",
		  l->refused_reclaim ? "the reclaim of a LOCK" : "LOCK",
		  nfs4_status_text(d, l->refused_status));
	nfs4_cite(d, f, s, &r->lost, "%s answered %s: the server does not know the client any more",
		  nfs4_op_text(d, r->lost_op), nfs4_status_text(d, r->lost_status));
	nfs4_cite(d, f, s, &r->created, "the client works again, under another client ID");
	nfs4_finding_span(f, &r->lost);
	nfs4_finding_span(f, &r->created);
	nfs4_finding_span(f, &l->refused);
}

static void tell_wire(struct diagnosis *d, const struct nfs4_loss *loss, const struct wire_loss *w)
{
	const struct nfs4_lock *l = w->refused ? w->refused : w->unasked;
	struct finding *f = diagnosis_add(d, "nfs4-lock-reclaim-failed",
					  w->refused ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY);
	const char *who = nfs4_host_text(d, &loss->party->host);

	nfs4_finding_about(d, f, loss->party);
	nfs4_finding_file(d, f, &l->file);
	f->count = w->count;
	f->title = arena_format(&d->arena, "%s lost %s in recovery", who,
				w->count == 1 ? "a lock" : "locks");
	f->why = arena_format(
		&d->arena,
		"%s had locks on %s when the server dropped it with all its state. %s Programs "
		"that held such a lock get EIO when they read or write the file later, on hard "
		"mounts too, until they close it.",
		who, nfs4_count_text(d, w->count, "file", "files"),
		w->refused
			? arena_format(&d->arena, "When it asked for one again it was answered %s.",
				       nfs4_status_text(d, w->refused->refused_status))
			: "It has a new client ID and works again, but the evidence shows no LOCK "
			  "for the file since: a Linux client gives such locks up rather than take "
			  "them anew.");
	cite_lock(d, f, loss, l);
}

/* Locks are told apart by host: of several clients at one address none is accused. */
static bool is_alone(const struct rule_input *in, const struct nfs4_party *party)
{
	for (size_t i = 0; i < in->nfs4->parties.len; i++) {
		const struct nfs4_party *p = *(struct nfs4_party **)vec_at(&in->nfs4->parties, i);

		if (p != party && !p->merged_into && p->server == party->server && p->instance &&
		    endpoint_same_host(&p->host, &party->host))
			return false;
	}
	return true;
}

static void run_wire(const struct rule_input *in, struct diagnosis *out)
{
	const struct nfs4_party *told = NULL; /* the first loss of each party is told */
	struct vec losses;

	nfs4_losses(in->nfs4, &losses);
	for (size_t i = 0; i < losses.len; i++) {
		const struct nfs4_loss *loss = vec_at(&losses, i);
		struct wire_loss w = {0};

		if (loss->party != told && !loss->party->merged_into &&
		    loss->recovery->kind == RECOVERY_FULL &&
		    loss->recovery->created.frame != FRAME_NONE && is_alone(in, loss->party))
			w = locks_lost(in, loss);
		if (w.count) {
			tell_wire(out, loss, &w);
			told = loss->party;
		}
	}
	vec_deinit(&losses);
}

static void run(const struct rule_input *in, struct diagnosis *out)
{
	for (size_t i = 0; in->logs && i < in->logs->losses.len; i++)
		tell(in, out, logs_tally_at(&in->logs->losses, i));
	for (size_t i = 0; in->logs && i < in->logs->opens.len; i++)
		tell_opens(in, out, logs_tally_at(&in->logs->opens, i));
	if (in->nfs4 && in->state)
		run_wire(in, out);
}

const struct rule rule_nfs4_lock_reclaim_failed = {
	.id = "nfs4-lock-reclaim-failed",
	.needs = "the kernel log of the client, or a capture that shows the lock and its loss",
	.run = run,
};
