// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nfs4-false-retry (catalogue A10): the server takes calls for repetitions of others:
 * SEQ_FALSE_RETRY (the same slot and number with other operations) or RETRY_UNCACHED_REP (it did
 * not keep the answer), RFC 8881 sections 2.10.6.1.3 and 18.46.3.
 *
 * One such answer after an interrupted call is the protocol at work: a Linux client takes the next
 * number and sends the call again.
 */
#include "diagnose/rules/nfs4/nfs4_common.h"
#include "diagnose/rules/rules.h"
#include "model/nfs4/nfs4_slots.h"

#include "names/nfs4.h"

#include <inttypes.h>

/* On one slot, with nothing accepted in between. */
enum { STREAK_MIN = 3 };
#define STREAK_NS (10 * STAMP_NS_PER_S)

/* On all slots: so often, and never a minute without on average. */
enum { ANSWERS_MIN = 5 };
#define ANSWERS_NS      (30 * STAMP_NS_PER_S)
#define ANSWERS_PACE_NS (60 * STAMP_NS_PER_S)

static bool goes_on(const struct nfs4_slot_trouble *t)
{
	int64_t all_ns = t->all.last.at.ns - t->all.first.at.ns;

	if (t->longest.count >= STREAK_MIN &&
	    t->longest.last.at.ns - t->longest.first.at.ns >= STREAK_NS)
		return true;
	return t->all.count >= ANSWERS_MIN && all_ns >= ANSWERS_NS &&
	       all_ns / (int64_t)t->all.count <= ANSWERS_PACE_NS;
}

/* What the number had been used for, as far as the evidence shows. */
static const char *number_before(struct diagnosis *d, const struct nfs4_party *p,
				 const struct nfs4_slot_streak *s)
{
	const struct nfs4_slot_call *c = &s->refused;

	if (s->sent_again)
		return arena_format(&d->arena, "The call had been sent before under its number%s.",
				    c->cache_this
					    ? ", and asked the server to keep the answer"
					    : ", and did not ask the server to keep the answer");
	if (s->unanswered.at.frame != FRAME_NONE && s->unanswered.seqid == c->seqid)
		return arena_format(&d->arena,
				    "The client had used the number %" PRIu32 " on slot %" PRIu32
				    " for another call (%s), which got no answer: it was given up, "
				    "and its number was used again.",
				    c->seqid, s->slot, nfs4_op_text(d, s->unanswered.op));
	if (s->accepted.at.frame == FRAME_NONE || p->lossy)
		return "What this slot was used for before is not in the evidence, so that it does "
		       "not tell which side is wrong.";
	if (s->accepted.seqid == c->seqid)
		return arena_format(&d->arena,
				    "The client had used the number %" PRIu32 " on slot %" PRIu32
				    " for a call (%s) that was answered: it did not count it.",
				    c->seqid, s->slot, nfs4_op_text(d, s->accepted.op));
	if (s->accepted.seqid + 1 == c->seqid)
		return arena_format(&d->arena,
				    "The last number that the server accepted on slot %" PRIu32
				    " is %" PRIu32 ", so %" PRIu32
				    " was due: the server remembers a call that is not in the "
				    "evidence, or is wrong.",
				    s->slot, s->accepted.seqid, c->seqid);
	return arena_format(&d->arena,
			    "The last number that the server accepted on slot %" PRIu32
			    " is %" PRIu32 ", and the client sent %" PRIu32 ".",
			    s->slot, s->accepted.seqid, c->seqid);
}

static void tell(struct diagnosis *d, const struct nfs4_party *p, const struct nfs4_slot_trouble *t,
		 uint32_t status)
{
	struct finding *f = diagnosis_add(d, "nfs4-false-retry", CONFIDENCE_CERTAIN);
	const struct nfs4_slot_streak *s = &t->longest;
	const char *who = nfs4_host_text(d, &p->host);
	const char *name = nfs4_status_text(d, status);

	nfs4_finding_about(d, f, p);
	nfs4_finding_span(f, &t->all.first);
	nfs4_finding_span(f, &t->all.last);
	f->count = t->all.count;
	f->title =
		arena_format(&d->arena, "the server takes %s of %s for repetitions %s: %s",
			     nfs4_count_text(d, t->all.count, "call", "calls"), who,
			     status == NFS4ERR_RETRY_UNCACHED_REP ? "whose answers it did not keep"
								  : "of others",
			     name);
	f->why = arena_format(
		&d->arena,
		"%s answered %s within %s. %s Older clients give an error to the program then; "
		"newer ones take the next number and try again.",
		nfs4_count_text(d, t->all.count, "call was", "calls were"), name,
		nfs4_duration_text(d, t->all.last.at.ns - t->all.first.at.ns),
		number_before(d, p, s));
	nfs4_cite(d, f, p->server, &t->all.first, "the first %s", name);
	nfs4_cite(d, f, p->server, &s->unanswered.at,
		  "a call on slot %" PRIu32 " that gets no answer: number %" PRIu32, s->slot,
		  s->unanswered.seqid);
	nfs4_cite(d, f, p->server, &s->accepted.at,
		  "the last call on slot %" PRIu32 " that is accepted: number %" PRIu32, s->slot,
		  s->accepted.seqid);
	nfs4_cite(d, f, p->server, &s->refused.at, "%s on slot %" PRIu32 ": number %" PRIu32, who,
		  s->slot, s->refused.seqid);
	nfs4_cite(d, f, p->server, &s->first, "its answer is %s", name);
	nfs4_cite(d, f, p->server, &t->all.last, "the last %s", name);
	finding_rule_out(d, f, "nfs4-slot-out-of-step",
			 "the server knows the number: it does not answer NFS4ERR_SEQ_MISORDERED");
}

static void run(const struct rule_input *in, struct diagnosis *out)
{
	const struct nfs4_model *m = in->nfs4;

	for (size_t i = 0; i < m->parties.len; i++) {
		const struct nfs4_party *p = *(struct nfs4_party **)vec_at(&m->parties, i);

		if (p->merged_into || !p->slots)
			continue;
		if (goes_on(&p->slots->of[SLOT_FALSE_RETRY]))
			tell(out, p, &p->slots->of[SLOT_FALSE_RETRY], NFS4ERR_SEQ_FALSE_RETRY);
		if (goes_on(&p->slots->of[SLOT_UNCACHED]))
			tell(out, p, &p->slots->of[SLOT_UNCACHED], NFS4ERR_RETRY_UNCACHED_REP);
	}
}

const struct rule rule_nfs4_false_retry = {
	.id = "nfs4-false-retry",
	.needs = "a capture of NFSv4.1 traffic",
	.run = run,
};
