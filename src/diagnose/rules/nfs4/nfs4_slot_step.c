// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nfs4-slot-out-of-step (catalogue A9): SEQUENCE on one slot is answered SEQ_MISORDERED without
 * end: client and server do not agree on the slot's number (RFC 8881 section 2.10.6.1).
 *
 * One such answer is the protocol at work: after a call was interrupted a Linux client does not
 * know whether the server counted it, and counts down by one with a lone SEQUENCE for each call
 * that it gave up. Where there is nothing to count down it tries the same number every 15 s.
 */
#include "diagnose/rules/nfs4/nfs4_common.h"
#include "diagnose/rules/rules.h"

#include <inttypes.h>

/* Answers to a number that is not lower than the one before it. */
enum { REPEATS_MIN = 3 };

/* Two of the waits of a Linux client (NFS4_POLL_RETRY_MAX). */
#define GOES_ON_NS (30 * STAMP_NS_PER_S)

/* Whoever tries more often shows it sooner. */
enum { REPEATS_MANY = 20 };
#define GOES_ON_MANY_NS (10 * STAMP_NS_PER_S)

static bool goes_on(const struct nfs4_slot_streak *s)
{
	uint64_t repeats = s->count - s->descents;
	int64_t lasted_ns = s->last.at.ns - s->first.at.ns;

	return (repeats >= REPEATS_MIN && lasted_ns >= GOES_ON_NS) ||
	       (repeats >= REPEATS_MANY && lasted_ns >= GOES_ON_MANY_NS);
}

/* Whose number is wrong, as far as the evidence shows what the server accepted last. */
static const char *whose_number(struct diagnosis *d, const struct nfs4_party *p,
				const struct nfs4_slot_streak *s)
{
	uint32_t due = s->accepted.seqid + 1;

	if (s->accepted.at.frame == FRAME_NONE || p->lossy)
		return "What the server accepted last on this slot is not in the evidence, so that "
		       "it does not tell which side is wrong.";
	if (s->refused.seqid == due)
		return arena_format(&d->arena,
				    "The last number that the server accepted there is %" PRIu32
				    ", so %" PRIu32 " was due, and is what the client sent: the "
				    "server does not remember what it accepted.",
				    s->accepted.seqid, due);
	if ((int32_t)(s->refused.seqid - due) > 0)
		return arena_format(
			&d->arena,
			"The last number that the server accepted there is %" PRIu32 ", and the "
			"client went on with %" PRIu32 ": it counted calls that the server never "
			"took.",
			s->accepted.seqid, s->refused.seqid);
	return arena_format(&d->arena,
			    "The server had accepted %" PRIu32 " there already, and the client "
			    "sent %" PRIu32 ": it fell back.",
			    s->accepted.seqid, s->refused.seqid);
}

static void tell(struct diagnosis *d, const struct nfs4_party *p, const struct nfs4_slot_streak *s)
{
	struct finding *f = nfs4_slot_finding(d, "nfs4-slot-out-of-step", CONFIDENCE_CERTAIN, p, s);
	const char *who = nfs4_host_text(d, &p->host);
	const char *lasted = nfs4_duration_text(d, s->last.at.ns - s->first.at.ns);

	f->title = arena_format(&d->arena,
				"slot %" PRIu32 " of the session of %s is out of step: "
				"SEQ_MISORDERED for %s",
				s->slot, who, lasted);
	f->why = arena_format(
		&d->arena,
		"%s answered NFS4ERR_SEQ_MISORDERED on this slot within %s, and none accepted in "
		"between. %s %s Calls that come onto this slot wait until the session is made "
		"anew.",
		nfs4_count_text(d, s->count, "call was", "calls were"), lasted,
		whose_number(d, p, s),
		s->others_accepted
			? arena_format(
				  &d->arena, "On other slots of the session %s accepted meanwhile.",
				  nfs4_count_text(d, s->others_accepted, "call was", "calls were"))
			: "No call was accepted on another slot of the session meanwhile.");
	nfs4_cite(d, f, p->server, &s->accepted.at,
		  "the last call on slot %" PRIu32 " that is accepted: number %" PRIu32, s->slot,
		  s->accepted.seqid);
	nfs4_cite(d, f, p->server, &s->unanswered.at,
		  "a call on the slot that gets no answer: number %" PRIu32, s->unanswered.seqid);
	nfs4_cite(d, f, p->server, &s->refused.at, "%s on slot %" PRIu32 ": number %" PRIu32, who,
		  s->slot, s->refused.seqid);
	nfs4_cite(d, f, p->server, &s->first, "the first NFS4ERR_SEQ_MISORDERED");
	nfs4_cite(d, f, p->server, &s->last, "the last one");
	nfs4_cite(d, f, p->server, &s->over, "a call that is accepted again on the slot");
	finding_rule_out(d, f, "nfs4-session-only-lost",
			 "the server knows the session: it does not answer NFS4ERR_BADSESSION");
	finding_rule_out(d, f, "nfs4-false-retry",
			 "the server takes the call for none that it has answered");
}

static void run(const struct rule_input *in, struct diagnosis *out)
{
	const struct nfs4_model *m = in->nfs4;

	for (size_t i = 0; i < m->parties.len; i++) {
		const struct nfs4_party *p = *(struct nfs4_party **)vec_at(&m->parties, i);

		if (!p->merged_into && p->slots && goes_on(&p->slots->of[SLOT_MISORDERED].longest))
			tell(out, p, &p->slots->of[SLOT_MISORDERED].longest);
	}
}

const struct rule rule_nfs4_slot_out_of_step = {
	.id = "nfs4-slot-out-of-step",
	.needs = "a capture of NFSv4.1 traffic, of half a minute or more",
	.run = run,
};
