// SPDX-License-Identifier: GPL-2.0-or-later
/* See nfs4_waits.h. */
#include "model/nfs4/nfs4_waits.h"

#include "model/nfs4/nfs4_internal.h"
#include "names/nfs4.h"

static struct nfs4_waits *waits_get(struct nfs4_model *m, struct nfs4_party *p)
{
	if (!p->waits)
		p->waits = arena_alloc(&m->arena, sizeof(*p->waits));
	return p->waits;
}

/* -1: there is none. */
static int64_t stretch_ns(const struct nfs4_stretch *s, const struct nfs4_gaps *gaps)
{
	return s->count ? nfs4_gaps_ns(gaps) : -1;
}

static void stretch_go_on(struct nfs4_stretch *s, struct nfs4_gaps *gaps,
			  const struct rpc_call *call)
{
	int64_t gap_ns;

	if (s->count == 0)
		gaps->ahead_ns = call->conn->clock_ahead_ns;
	else if (!__builtin_sub_overflow(call->reply.at.ns, s->last.at.ns, &gap_ns))
		nfs4_gaps_add(gaps, gap_ns, call->conn);
	nfs4_stretch_add(s, &call->reply);
}

/* --- grace --- */

static int64_t grace_ns(const struct nfs4_grace_wait *w)
{
	return stretch_ns(&w->answers, &w->gaps);
}

/* What happened at the server since the wait began. */
static void grace_look_around(struct nfs4_waits *w, const struct nfs4_server *server)
{
	w->grace.others_opened = server->opens_ok.count - w->opened_then;
	if (w->grace.others_opened)
		w->grace.other = server->opens_ok.last;
	w->grace.restarts = server->boot_changes - w->restarts_then;
}

static void grace_settle(struct nfs4_waits *w)
{
	if (grace_ns(&w->grace) > grace_ns(&w->grace_longest))
		w->grace_longest = w->grace;
	w->grace = (struct nfs4_grace_wait){0};
}

void nfs4_waits_grace(struct nfs4_model *m, struct nfs4_party *p, const struct rpc_call *call)
{
	struct nfs4_waits *w = waits_get(m, p);

	if (w->grace.answers.count == 0) {
		w->opened_then = p->server->opens_ok.count;
		w->restarts_then = p->server->boot_changes;
	}
	stretch_go_on(&w->grace.answers, &w->grace.gaps, call);
	w->grace.reclaim_complete = p->reclaim_complete;
	w->grace.began_in_sight = provenance_seen(&p->state_made);
	grace_look_around(w, p->server);
}

void nfs4_waits_opened(struct nfs4_party *p, const struct rpc_call *call)
{
	nfs4_stretch_add(&p->server->opens_ok, &call->reply);
	if (!p->waits || p->waits->grace.answers.count == 0)
		return;
	p->waits->grace.over = call->reply;
	grace_settle(p->waits);
}

/* --- steps --- */

static int64_t step_ns(const struct nfs4_step_wait *w)
{
	return stretch_ns(&w->delays, &w->gaps);
}

static void step_settle(struct nfs4_waits *w)
{
	if (step_ns(&w->step) > step_ns(&w->step_longest))
		w->step_longest = w->step;
	w->step = (struct nfs4_step_wait){0};
}

void nfs4_waits_step(struct nfs4_model *m, struct nfs4_party *p, const struct rpc_call *call,
		     const struct nfs4_fact *fact)
{
	struct nfs4_waits *w = p->waits;

	if (fact->status == NFS4ERR_DELAY) {
		w = waits_get(m, p);
		if (w->step.delays.count && w->step.op != fact->op)
			step_settle(w);
		if (w->step.delays.count == 0) {
			w->step.op = fact->op;
			w->step.call = call->call;
		}
		stretch_go_on(&w->step.delays, &w->step.gaps, call);
		return;
	}
	if (!w || w->step.delays.count == 0 || w->step.op != fact->op ||
	    fact->status == NFS4_STATUS_NONE)
		return;
	w->step.over = call->reply;
	w->step.over_status = fact->status;
	step_settle(w);
}

void nfs4_waits_moved(struct nfs4_party *p)
{
	if (p->waits && p->waits->step.delays.count)
		step_settle(p->waits);
}

/* --- both --- */

void nfs4_waits_absorb(struct nfs4_party *known, struct nfs4_party *unknown)
{
	struct nfs4_waits *from = unknown->waits;

	unknown->waits = NULL;
	if (!known->waits) {
		known->waits = from;
		return;
	}
	if (!from)
		return;
	grace_settle(from);
	step_settle(from);
	if (grace_ns(&from->grace_longest) > grace_ns(&known->waits->grace_longest))
		known->waits->grace_longest = from->grace_longest;
	if (step_ns(&from->step_longest) > step_ns(&known->waits->step_longest))
		known->waits->step_longest = from->step_longest;
}

void nfs4_waits_end(struct nfs4_party *p)
{
	if (!p->waits)
		return;
	if (p->waits->grace.answers.count)
		grace_look_around(p->waits, p->server);
	grace_settle(p->waits);
	step_settle(p->waits);
}
