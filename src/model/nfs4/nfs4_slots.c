// SPDX-License-Identifier: GPL-2.0-or-later
/* See nfs4_slots.h. */
#include "model/nfs4/nfs4_slots.h"

#include "base/mem.h"
#include "model/nfs4/nfs4_internal.h"
#include "names/nfs4.h"

#include <stdlib.h>

/*
 * Who was waiting for a slot has his call ready and sends it at once. A client under load is late
 * by more than an idle one, and so are its answers: "at once" is within this part of the round trip
 * of the call that gave the slot up, between 1 ms and what a program needs to notice an answer and
 * think.
 */
enum { HANDOVER_SHARE = 32 };
#define HANDOVER_MIN_NS (STAMP_NS_PER_S / 1000)
#define HANDOVER_MAX_NS (20 * STAMP_NS_PER_S / 1000)

/* A pause that ends a time of full use. */
#define PAUSE_NS STAMP_NS_PER_S

struct slot {
	bool busy;                      /* `last` has no answer */
	struct nfs4_slot_call last;     /* the last call */
	struct nfs4_slot_call accepted; /* the last that was accepted */
	struct nfs4_slot_call unanswered;
	struct nfs4_slot_call copy; /* of `last`, when it was sent for the first time */
	bool sent_again;            /* `last` was sent before under its XID */
	enum nfs4_slot_answer kind;
	struct nfs4_slot_streak *streak; /* under way, of this kind; NULL: none */
	uint64_t accepted_then;          /* the session's `accepted` when it began */
};

struct nfs4_slots {
	size_t place; /* in the model's ring */
	struct slot *items;
	uint32_t len;
	uint32_t busy;     /* of the items */
	uint32_t limit;    /* granted; 0: not known, or too many to look at */
	uint64_t accepted; /* calls */
	bool full;
	int64_t full_since_ns, freed_ns; /* freed: when a slot last became free */
	int64_t handover_ns;             /* until when after that a call seems to have waited */
	struct nfs4_slot_use use;
};

/* --- the party's history --- */

static struct nfs4_slot_history *history_get(struct nfs4_model *m, struct nfs4_party *p)
{
	if (!p->slots)
		p->slots = arena_alloc(&m->arena, sizeof(*p->slots));
	return p->slots;
}

static int64_t streak_ns(const struct nfs4_slot_streak *s)
{
	return s->last.at.ns - s->first.at.ns;
}

static void history_keep_streak(struct nfs4_slot_trouble *t, const struct nfs4_slot_streak *s)
{
	if (t->longest.count == 0 || streak_ns(s) > streak_ns(&t->longest))
		t->longest = *s;
}

static void history_keep_use(struct nfs4_slot_history *h, const struct nfs4_slot_use *u)
{
	if (u->last.at.ns - u->first.at.ns > h->busiest.last.at.ns - h->busiest.first.at.ns)
		h->busiest = *u;
}

void nfs4_slots_absorb(struct nfs4_party *known, struct nfs4_party *unknown)
{
	const struct nfs4_slot_history *from = unknown->slots;

	if (!known->slots)
		known->slots = unknown->slots;
	unknown->slots = NULL;
	if (!from || known->slots == from)
		return;
	for (unsigned i = 0; i < SLOT_ANSWERS; i++) {
		struct nfs4_slot_trouble *t = &known->slots->of[i];
		const struct nfs4_slot_trouble *other = &from->of[i];

		if (other->all.count == 0)
			continue;
		if (t->all.count == 0 || provenance_before(&other->all.first, &t->all.first))
			t->all.first = other->all.first;
		if (t->all.count == 0 || provenance_before(&t->all.last, &other->all.last))
			t->all.last = other->all.last;
		t->all.count += other->all.count;
		history_keep_streak(t, &other->longest);
	}
	history_keep_use(known->slots, &from->busiest);
}

/* --- a session's slots --- */

/* Ends what is under way on a slot. */
static void slot_settle(struct nfs4_model *m, struct nfs4_session *s, struct slot *slot,
			const struct provenance *over)
{
	struct nfs4_slot_streak *streak = slot->streak;
	struct nfs4_party *p = nfs4_party_find(s->party);

	if (!streak)
		return;
	streak->others_accepted = s->watched->accepted - slot->accepted_then;
	if (over)
		streak->over = *over;
	if (p)
		history_keep_streak(&history_get(m, p)->of[slot->kind], streak);
	free(streak);
	slot->streak = NULL;
}

static void use_settle(struct nfs4_model *m, struct nfs4_session *s)
{
	struct nfs4_slots *w = s->watched;
	struct nfs4_party *p = nfs4_party_find(s->party);

	if (w->use.fills && p)
		history_keep_use(history_get(m, p), &w->use);
	w->use = (struct nfs4_slot_use){0};
}

void nfs4_slots_drop(struct nfs4_model *m, struct nfs4_session *s)
{
	struct nfs4_slots *w = s->watched;

	if (!w)
		return;
	for (uint32_t i = 0; i < w->len; i++)
		slot_settle(m, s, &w->items[i], NULL);
	use_settle(m, s);
	m->slotted[w->place] = NULL;
	s->watched = NULL;
	free(w->items);
	free(w);
}

/* The session's slots; the oldest session that has some gives its own up. */
static struct nfs4_slots *slots_get(struct nfs4_model *m, struct nfs4_session *s)
{
	size_t place = m->slotted_count % NFS4_SLOTTED_MAX;

	if (s->watched)
		return s->watched;
	if (!m->slotted)
		m->slotted = mem_alloc(NFS4_SLOTTED_MAX, sizeof(struct nfs4_session *));
	if (m->slotted[place]) {
		nfs4_slots_drop(m, m->slotted[place]);
		m->forgotten++;
	}
	m->slotted_count++;
	m->slotted[place] = s;
	s->watched = mem_alloc(1, sizeof(struct nfs4_slots));
	s->watched->place = place;
	return s->watched;
}

static struct slot *slot_get(struct nfs4_slots *w, uint32_t index)
{
	uint32_t len = w->len ? w->len : 1;

	if (index >= NFS4_SLOTS_MAX)
		return NULL;
	while (len <= index)
		len *= 2;
	if (len > w->len) {
		w->items = mem_resize(w->items, len, sizeof(*w->items));
		memset(w->items + w->len, 0, (len - w->len) * sizeof(*w->items));
		w->len = len;
	}
	return &w->items[index];
}

/* --- in use --- */

static uint32_t slots_granted(const struct nfs4_session *s, const struct rpc_call *call)
{
	uint32_t target = call->sequence.target_highest_slot;
	uint32_t granted = s->slots;

	/* A server that may grow or shrink its table says so with each answer. */
	if (!call->reply_damage && target < UINT32_MAX && target + 1 > granted)
		granted = target + 1;
	return granted;
}

static void use_take_call(struct nfs4_model *m, struct nfs4_session *s, const struct rpc_call *call)
{
	struct nfs4_slots *w = s->watched;
	int64_t at_ns = call->call.at.ns;

	if (w->full || w->limit == 0 || w->busy != w->limit)
		return;
	if (w->use.fills && (at_ns - w->use.last.at.ns > PAUSE_NS || w->use.slots != w->limit))
		use_settle(m, s);
	if (w->use.fills++ == 0) {
		w->use.first = w->use.last = call->call;
		w->use.slots = w->limit;
		w->use.asked = s->slots_asked;
	} else if (at_ns - w->freed_ns <= w->handover_ns) {
		w->use.handovers++;
	}
	w->full = true;
	w->full_since_ns = at_ns;
}

static void use_take_reply(struct nfs4_slots *w, const struct rpc_call *call)
{
	int64_t share_ns = (call->reply.at.ns - call->call.at.ns) / HANDOVER_SHARE;

	w->freed_ns = call->reply.at.ns;
	if (share_ns < HANDOVER_MIN_NS)
		share_ns = HANDOVER_MIN_NS;
	w->handover_ns = share_ns < HANDOVER_MAX_NS ? share_ns : HANDOVER_MAX_NS;
	if (!w->full)
		return;
	w->full = false;
	if (w->freed_ns > w->full_since_ns)
		w->use.full_ns += w->freed_ns - w->full_since_ns;
	if (__builtin_add_overflow(w->use.carried_ns, call->reply_busy_ns, &w->use.carried_ns))
		w->use.carried_ns = INT64_MAX;
	w->use.last = call->reply;
}

/* --- calls and answers --- */

static struct nfs4_slot_call slot_call(const struct rpc_call *call)
{
	struct nfs4_slot_call c = {
		.at = call->call,
		.seqid = call->sequence.seqid,
		.xid = call->xid,
		.op = OP_SEQUENCE,
		.cache_this = call->sequence.cache_this,
	};

	/* What names a file tells less than what is done to it. */
	for (uint32_t i = 1; i < call->ops_len; i++) {
		c.op = call->ops[i].op;
		if (c.op != OP_PUTFH && c.op != OP_PUTROOTFH && c.op != OP_SAVEFH)
			break;
	}
	return c;
}

void nfs4_slots_called(struct nfs4_model *m, struct nfs4_session *s, const struct rpc_call *call)
{
	struct nfs4_slots *w = slots_get(m, s);
	struct slot *slot = slot_get(w, call->sequence.slot);

	if (!slot)
		return;
	slot->sent_again = slot->last.at.frame != FRAME_NONE && slot->last.xid == call->xid &&
			   slot->last.seqid == call->sequence.seqid;
	if (slot->busy && !slot->sent_again)
		slot->unanswered = slot->last;
	if (!slot->sent_again)
		slot->copy.at.frame = FRAME_NONE;
	else if (slot->copy.at.frame == FRAME_NONE)
		slot->copy = slot->last;
	w->busy += !slot->busy;
	slot->busy = true;
	slot->last = slot_call(call);
	use_take_call(m, s, call);
}

static void slot_refused(struct nfs4_model *m, struct nfs4_session *s, struct slot *slot,
			 enum nfs4_slot_answer kind, const struct rpc_call *call)
{
	struct nfs4_slot_streak *streak;
	struct nfs4_party *p = nfs4_party_find(s->party);

	if (p)
		nfs4_stretch_add(&history_get(m, p)->of[kind].all, &call->reply);
	if (slot->streak && slot->kind != kind)
		slot_settle(m, s, slot, NULL);
	if (!slot->streak) {
		slot->streak = mem_alloc(1, sizeof(*slot->streak));
		slot->kind = kind;
		slot->accepted_then = s->watched->accepted;
		slot->streak->slot = call->sequence.slot;
		memcpy(slot->streak->sessionid, s->id, NFS4_SESSIONID_BYTES);
		slot->streak->refused = slot_call(call);
		slot->streak->sent_again = slot->sent_again || call->retransmissions.len > 0;
		slot->streak->copy = slot->copy;
		slot->streak->accepted = slot->accepted;
		slot->streak->unanswered = slot->unanswered;
		slot->streak->first = call->reply;
		slot->streak->last_seqid = call->sequence.seqid;
	}
	streak = slot->streak;
	streak->count++;
	streak->descents += (int32_t)(call->sequence.seqid - streak->last_seqid) < 0;
	streak->last_seqid = call->sequence.seqid;
	streak->last = call->reply;
}

void nfs4_slots_answered(struct nfs4_model *m, struct nfs4_session *s, const struct rpc_call *call)
{
	struct nfs4_slots *w = slots_get(m, s);
	struct slot *slot = slot_get(w, call->sequence.slot);

	if (!slot)
		return;
	if (slot->busy && slot->last.xid == call->xid) {
		slot->busy = false;
		w->busy--;
		use_take_reply(w, call);
	}
	switch (call->sequence.status) {
	case NFS4_OK:
		w->limit = slots_granted(s, call);
		slot_settle(m, s, slot, &call->call);
		w->accepted++;
		slot->accepted = slot_call(call);
		slot->unanswered.at.frame = FRAME_NONE;
		break;
	case NFS4ERR_SEQ_MISORDERED:
		slot_refused(m, s, slot, SLOT_MISORDERED, call);
		break;
	case NFS4ERR_SEQ_FALSE_RETRY:
		slot_refused(m, s, slot, SLOT_FALSE_RETRY, call);
		break;
	case NFS4ERR_DELAY:
		slot_refused(m, s, slot, SLOT_DELAYED, call);
		break;
	case NFS4ERR_RETRY_UNCACHED_REP:
		slot_refused(m, s, slot, SLOT_UNCACHED, call);
		break;
	default:
		break; /* the session itself is gone, or the call was bad */
	}
}

void nfs4_slots_finish(struct nfs4_model *m)
{
	for (size_t i = 0; m->slotted && i < NFS4_SLOTTED_MAX; i++)
		if (m->slotted[i])
			nfs4_slots_drop(m, m->slotted[i]);
	free(m->slotted);
	m->slotted = NULL;
}
