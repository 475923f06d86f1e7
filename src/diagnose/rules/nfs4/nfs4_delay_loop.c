// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nfs4-delay-loop (catalogue A20, A21): one operation on one file is answered NFS4ERR_DELAY without
 * end, and no delegation can be the reason (RFC 8881 section 10.2); or SEQUENCE itself on one slot,
 * where the server thinks that the slot's call is still at work (section 2.10.6.2).
 */
#include "diagnose/rules/nfs4/nfs4_state_common.h"
#include "diagnose/rules/rules.h"
#include "names/nfs4.h"

#include <inttypes.h>

enum { DELAYS_MIN = 8 };
#define LASTS_NS (30 * STAMP_NS_PER_S)

/* Operations that no delegation of another client stands in the way of. */
static bool op_needs_no_recall(uint32_t op)
{
	switch (op) {
	case OP_COMMIT:
	case OP_CLOSE:
	case OP_LOCKU:
	case OP_DELEGRETURN:
	case OP_READLINK:
	case OP_READDIR:
		return true;
	default:
		return false;
	}
}

static const char *where_text(struct diagnosis *d, const struct nfs4_run *r)
{
	return arena_format(&d->arena, "%s%s", r->name ? "one name in " : "",
			    nfs4_file_text(d, &r->file));
}

static void tell(const struct rule_input *in, struct diagnosis *d, const struct nfs4_run *r)
{
	struct finding *f = diagnosis_add(d, "nfs4-delay-loop",
					  r->lossy ? CONFIDENCE_LIKELY : CONFIDENCE_CERTAIN);
	struct conn conn = nfs4_conn_to(&r->server);
	const char *who = nfs4_host_text(d, &r->client);
	const char *op = nfs4_op_text(d, r->op);
	const char *server = nfs4_host_text(d, &r->server);
	const char *lasted = nfs4_duration_text(d, nfs4_span_ns(&r->all));

	nfs4_finding_host(in, d, f, &r->server, &r->client);
	nfs4_finding_file(d, f, &r->file);
	nfs4_finding_span(f, &r->all.first);
	nfs4_finding_span(f, &r->all.last);
	f->count = r->all.count;
	f->title = arena_format(&d->arena, "%s answers %s of %s with NFS4ERR_DELAY for %s", server,
				op, who, lasted);
	f->why = arena_format(
		&d->arena,
		"%s for %s was answered NFS4ERR_DELAY %" PRIu64 " times within %s, and never "
		"otherwise in between. The answer means \"ask again later\", so the client asks "
		"again for ever. A delegation of another client is no reason to put this operation "
		"off: what the server waits for is its own.",
		op, where_text(d, r), r->all.count, lasted);
	finding_cite(d, f, &r->call, &conn, "%s of %s is sent for the first time", op, who);
	finding_cite(d, f, &r->all.first, &conn, "answered NFS4ERR_DELAY for the first time");
	finding_cite(d, f, &r->all.last, &conn,
		     "answered NFS4ERR_DELAY for the last time, %" PRIu64 " times in all",
		     r->all.count);
	finding_cite(d, f, &r->ended, &conn, "answered %s", nfs4_status_text(d, r->ended_status));
	finding_rule_out(d, f, "nfs4-recall-unanswered", "this operation waits for no delegation");
	finding_rule_out(d, f, "nfs4-grace-too-long", "the answer is DELAY and not GRACE");
}

/*
 * Where a delegation may be what the server waits for, a capture never tells for sure that there is
 * none: it may have been given, and recalled, before the capture began or where it does not look.
 */
static void judge(const struct rule_input *in, struct diagnosis *out, const struct nfs4_run *r)
{
	if (r->kind != NFS4_RUN_DELAY || r->all.count < DELAYS_MIN ||
	    nfs4_span_ns(&r->all) < LASTS_NS || nfs4_run_has_recall(in, r))
		return;
	if (op_needs_no_recall(r->op))
		tell(in, out, r);
	else if (r->ended.frame == FRAME_NONE)
		diagnosis_undecided(
			out, "nfs4-delay-loop",
			"calls for one file are answered NFS4ERR_DELAY without end, and no "
			"recall is in the evidence: it does not tell whether the server "
			"waits for another client's delegation",
			"on the server: cat /proc/fs/nfsd/clients/*/states, and tcpdump "
			"-s 0 -w server.pcap port 2049 (and the clients' callback ports "
			"for 4.0)");
}

/* --- a slot --- */

/* One that is accepted in the end waited for its first copy: the server was slow. */
#define SLOT_LASTS_NS (180 * STAMP_NS_PER_S)

static bool slot_is_stuck(const struct nfs4_slot_streak *s)
{
	int64_t lasted_ns = s->last.at.ns - s->first.at.ns;

	return s->count >= DELAYS_MIN && lasted_ns >= LASTS_NS &&
	       (s->over.frame == FRAME_NONE || lasted_ns >= SLOT_LASTS_NS);
}

/* The slot of the party that is put off without end; NULL: there is none. */
static const struct nfs4_slot_streak *stuck_slot(const struct nfs4_party *p)
{
	const struct nfs4_slot_streak *s;

	if (p->merged_into || !p->slots)
		return NULL;
	s = &p->slots->of[SLOT_DELAYED].longest;
	return slot_is_stuck(s) ? s : NULL;
}

/* The call that the server still works on, as far as the evidence shows it; NULL: it does not. */
static const struct nfs4_slot_call *slot_origin(const struct nfs4_slot_streak *s)
{
	if (s->unanswered.at.frame != FRAME_NONE && s->unanswered.seqid == s->refused.seqid)
		return &s->unanswered;
	return s->copy.at.frame != FRAME_NONE ? &s->copy : NULL;
}

/* What the server is at work with, as far as the evidence shows it. */
static const char *origin_text(struct diagnosis *d, const struct nfs4_party *p,
			       const struct nfs4_slot_streak *s,
			       const struct nfs4_slot_call *origin)
{
	if (origin)
		return arena_format(&d->arena,
				    "A server answers so while an earlier call with the slot's "
				    "number is at work: such a call (%s, number %" PRIu32
				    ") had been "
				    "sent before, and got no answer.",
				    nfs4_op_text(d, origin->op), origin->seqid);
	if (s->accepted.at.frame != FRAME_NONE && s->refused.seqid == s->accepted.seqid + 1 &&
	    !p->lossy)
		return arena_format(
			&d->arena,
			"It is the first call with its number (%" PRIu32 "), so it waits "
			"for no earlier one: why the server puts it off the evidence does "
			"not show.",
			s->refused.seqid);
	return "A server answers so while an earlier call with the slot's number is at work; "
	       "whether there is one the evidence does not show.";
}

/* What calls on other slots tell. */
static const char *others_text(struct diagnosis *d, const struct nfs4_slot_streak *s,
			       const struct nfs4_slot_call *origin)
{
	if (s->others_accepted == 0)
		return "No call was accepted on another slot meanwhile.";
	return arena_format(&d->arena, "On other slots %s accepted meanwhile%s.",
			    nfs4_count_text(d, s->others_accepted, "call was", "calls were"),
			    origin ? ": the server dropped that call without giving the slot free, "
				     "or one of its threads is stuck in it"
				   : "");
}

static void tell_slot(struct diagnosis *d, const struct nfs4_party *p,
		      const struct nfs4_slot_streak *s)
{
	const struct nfs4_slot_call *origin = slot_origin(s);
	struct finding *f = nfs4_slot_finding(
		d, "nfs4-delay-loop", p->lossy ? CONFIDENCE_LIKELY : CONFIDENCE_CERTAIN, p, s);
	const char *who = nfs4_host_text(d, &p->host);
	const char *lasted = nfs4_duration_text(d, s->last.at.ns - s->first.at.ns);

	if (origin)
		nfs4_finding_span(f, &origin->at);
	f->title = arena_format(&d->arena,
				"slot %" PRIu32 " of the session of %s is put off for %s "
				"(NFS4ERR_DELAY)",
				s->slot, who, lasted);
	f->why = arena_format(
		&d->arena,
		"SEQUENCE on this slot was answered NFS4ERR_DELAY %s within %s, and never "
		"otherwise in between. %s %s The client asks again and again.",
		nfs4_count_text(d, s->count, "time", "times"), lasted, origin_text(d, p, s, origin),
		others_text(d, s, origin));
	if (origin)
		nfs4_cite(d, f, p->server, &origin->at,
			  "a call on slot %" PRIu32 " that gets no answer: number %" PRIu32,
			  s->slot, origin->seqid);
	nfs4_cite(d, f, p->server, &s->refused.at, "the slot's number %" PRIu32 " is sent%s",
		  s->refused.seqid, origin ? " again" : "");
	nfs4_cite(d, f, p->server, &s->first, "answered NFS4ERR_DELAY for the first time");
	nfs4_cite(d, f, p->server, &s->last, "answered NFS4ERR_DELAY for the last time");
	nfs4_cite(d, f, p->server, &s->over, "a call that is accepted again on the slot");
	finding_rule_out(d, f, "nfs4-slot-out-of-step",
			 "the server does not answer NFS4ERR_SEQ_MISORDERED");
	if (s->others_accepted)
		finding_rule_out(d, f, "rpc-server-silent",
				 "calls on other slots are answered meanwhile");
}

bool nfs4_slot_is_put_off(const struct rule_input *in, const struct provenance *call)
{
	for (size_t i = 0; in->nfs4 && i < in->nfs4->parties.len; i++) {
		const struct nfs4_party *p = *(struct nfs4_party **)vec_at(&in->nfs4->parties, i);
		const struct nfs4_slot_streak *s = stuck_slot(p);
		const struct nfs4_slot_call *origin = s ? slot_origin(s) : NULL;

		if (origin && s->others_accepted && origin->at.evidence == call->evidence &&
		    origin->at.frame == call->frame)
			return true;
	}
	return false;
}

static void run(const struct rule_input *in, struct diagnosis *out)
{
	for (size_t i = 0; in->nfs4 && i < in->nfs4->parties.len; i++) {
		const struct nfs4_party *p = *(struct nfs4_party **)vec_at(&in->nfs4->parties, i);
		const struct nfs4_slot_streak *s = stuck_slot(p);

		if (s)
			tell_slot(out, p, s);
	}
	for (size_t i = 0; in->state && i < in->state->runs.len; i++)
		judge(in, out, *(struct nfs4_run **)vec_at(&in->state->runs, i));
}

const struct rule rule_nfs4_delay_loop = {
	.id = "nfs4-delay-loop",
	.needs = "a capture of NFSv4 traffic that shows file handles",
	.run = run,
};
