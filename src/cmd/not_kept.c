// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See not_kept.h. A table either lets the oldest go, and counts what went, or refuses what is new
 * when it is full. Of the second kind only the fact is told: each further event of one that was
 * refused is one more refusal, and that number says nothing.
 */
#include "cmd/not_kept.h"

static void add(struct report_totals *out, const char *what, uint64_t count, bool is_number)
{
	if (count && out->not_kept_len < REPORT_NOT_KEPT_MAX)
		out->not_kept[out->not_kept_len++] =
			(struct report_not_kept){.what = what, .count = is_number ? count : 0};
}

static void add_let_go(const struct ingest_not_kept *i, const struct models *m,
		       struct report_totals *out)
{
	const struct nfs4_state_model *state = &m->state;

	add(out, "connections long unheard of", i->open, true);
	add(out, "connections just closed", i->closed, true);
	add(out, "connections that had ended", m->conns.dropped, true);
	add(out, "past timings of connections", i->pasts, true);
	add(out, "calls without a reply", i->calls, true);
	add(out, "unanswered calls of broken connections", i->stranded, true);
	add(out, "NFSv4 client IDs and sessions", m->nfs4.forgotten, true);
	add(out, "runs of NFSv4 errors", state->runs_open.dropped, true);
	add(out, "delegations", state->delegations.dropped, true);
	add(out, "sessions with flags set", state->flagged.dropped, true);
	add(out, "files with locks of NFSv4", state->locks.dropped, true);
	add(out, "clients that test stateids", state->testers.dropped, true);
	add(out, "exports of clients", m->stale.exports.dropped, true);
	add(out, "locks of NLM", m->nlm.forgotten, true);
	add(out, "short waits for locks", m->nlm.waits.dropped, true);
	add(out, "listings under way", m->dirs.forgotten, true);
	add(out, "short listings", m->dirs.chains.dropped, true);
	add(out, "short visits of directories", m->visits.visits.dropped, true);
}

static void add_refused(const struct models *m, struct report_totals *out)
{
	add(out, "pairs of hosts", m->conns.reach_dropped, false);
	add(out, "paths and stalls", m->path.dropped, false);
	add(out, "segments of two captures", m->wire.dropped, false);
	add(out, "overdue calls", m->overdue.dropped, false);
	add(out, "kinds of calls", m->calls.dropped, false);
	add(out, "NFSv4 clients and servers", m->nfs4.dropped, false);
	add(out, "restarts and denials of lock managers", m->nlm.dropped, false);
	add(out, "services of portmappers", m->portmap.dropped, false);
	add(out, "complaints of logs", m->logs.dropped, false);
	add(out, "tasks", m->tasks.dropped, false);
	add(out, "RPC tasks", m->rpc_tasks.dropped, false);
	add(out, "threads of nfsd", m->served.dropped, false);
	add(out, "client tables of servers", m->clids.dropped, false);
	add(out, "recoveries told by logs", m->ladders.dropped, false);
	add(out, "mounts", m->mounts.dropped, false);
	add(out, "counters", m->counters.dropped, false);
	add(out, "rules of packet filters", m->filters.dropped, false);
	add(out, "hosts' own addresses", m->hosts.dropped, false);
}

void not_kept_collect(const struct ingest *ingest, const struct models *models,
		      struct report_totals *out)
{
	const struct ingest_not_kept not_kept = ingest_not_kept(ingest);

	add_let_go(&not_kept, models, out);
	add_refused(models, out);
}
