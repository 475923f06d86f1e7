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

static int64_t stretch_ns(const struct nfs4_stretch *s)
{
	return s->count ? s->last.at.ns - s->first.at.ns : -1;
}

/* --- grace --- */

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
	if (stretch_ns(&w->grace.answers) > stretch_ns(&w->grace_longest.answers))
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
	nfs4_stretch_add(&w->grace.answers, &call->reply);
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

static void step_settle(struct nfs4_waits *w)
{
	if (stretch_ns(&w->step.delays) > stretch_ns(&w->step_longest.delays))
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
		nfs4_stretch_add(&w->step.delays, &call->reply);
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
	if (stretch_ns(&from->grace_longest.answers) >
	    stretch_ns(&known->waits->grace_longest.answers))
		known->waits->grace_longest = from->grace_longest;
	if (stretch_ns(&from->step_longest.delays) > stretch_ns(&known->waits->step_longest.delays))
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
