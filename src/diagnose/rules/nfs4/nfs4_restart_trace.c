// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nfs4-server-restart from the server's own trace: client IDs of a Linux nfsd begin with the start
 * of its NFS service (fs/nfsd/nfs4state.c: gen_clid), and nfsd_clid_stale refuses one of another
 * start. Several network namespaces have services, and starts, of their own: that two starts are
 * told proves nothing, where the server goes on to know client IDs of both.
 */
#include "diagnose/rules/log_common.h"
#include "diagnose/rules/nfs4/nfs4_common.h"
#include "diagnose/rules/nfs4/nfs4_trace.h"

#include <inttypes.h>

#include "model/nfs4/clid.h"

static void cite(struct diagnosis *d, struct finding *f, const struct clid_start *s, bool refused)
{
	if (s->began.frame != FRAME_NONE)
		finding_cite(d, f, &s->began, NULL, "the service starts, with a grace period");
	if (refused)
		finding_cite(d, f, &s->stale_first, NULL,
			     "a client ID of an earlier start is refused");
	else
		finding_cite(d, f, &s->before, NULL, "a client ID of the start before");
	if (s->came_first.frame != FRAME_NONE)
		finding_cite(d, f, &s->came_first, NULL,
			     "the first client gets a client ID of the new start");
	if (s->grace_over.frame != FRAME_NONE)
		finding_cite(d, f, &s->grace_over, NULL, "the grace period ends");
}

static void tell(struct diagnosis *d, const struct clid_start *s, bool refused)
{
	struct finding *f = diagnosis_add(d, "nfs4-server-restart",
					  refused ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY);
	const char *before = nfs4_boot_text(d, refused ? s->stale_boot : s->boot_before);
	const char *now = nfs4_boot_text(d, s->boot);
	const struct provenance *places[] = {&s->began, &s->stale_first, &s->stale_last,
					     &s->came_first, &s->grace_over};

	finding_subject(d, f, "trace of", "%s", nfs4_trace_host_text(d, s->host, s->host_told));
	finding_subject(d, f, "server start before", "%s", before);
	finding_subject(d, f, "server start after", "%s", now);
	f->host = log_text(d, s->host);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (places[i]->frame != FRAME_NONE)
			log_finding_span(f, places[i]);
	f->count = 1;
	f->title = s->came ? arena_format(&d->arena,
					  "the NFS service started anew at %s; %s came to it again",
					  now, nfs4_count_text(d, s->came, "client", "clients"))
			   : arena_format(&d->arena, "the NFS service started anew at %s", now);
	f->why = arena_format(
		&d->arena,
		"The client IDs of nfsd begin with the time at which its service was started: %s "
		"before, and %s now. %s The state of before is gone; clients introduce themselves "
		"again and reclaim it while the grace period lasts.",
		before, now,
		refused ? arena_format(&d->arena,
				       "The server refused a client ID of the earlier start %s.",
				       nfs4_count_text(d, s->stale, "time", "times"))
			: "Its grace period began in this trace, and no client ID of the earlier "
			  "start was known to it afterwards.");
	cite(d, f, s, refused);
	finding_rule_out(d, f, "nfs4-client-owner-collision",
			 "a collision leaves the server's start as it was");
	finding_rule_out(d, f, "nfs4-lease-expired",
			 "a lapsed lease leaves the server's start as it was");
}

/* 2: it refuses what an earlier start gave; 1: it seems to be another one; 0: nothing. */
static int told_by(const struct clid_start *s)
{
	if (s->boot == 0)
		return 0;
	if (s->stale && s->stale_boot != s->boot)
		return 2;
	return s->began.frame != FRAME_NONE && s->before.frame != FRAME_NONE &&
	       s->boot_before != s->boot && !s->before_goes_on && s->came;
}

/* Parts of one trace that stand for hosts of their own tell of one start: of which this is one. */
static bool is_told_better(const struct clid_model *m, size_t index)
{
	const struct clid_start *s = *(struct clid_start *const *)vec_at(&m->starts, index);

	for (size_t i = 0; i < m->starts.len; i++) {
		const struct clid_start *o = *(struct clid_start *const *)vec_at(&m->starts, i);

		if (i == index || o->boot != s->boot || told_by(o) < told_by(s))
			continue;
		if (told_by(o) > told_by(s) || o->came > s->came ||
		    (o->came == s->came && i < index))
			return true;
	}
	return false;
}

void nfs4_restart_tell_trace(const struct rule_input *in, struct diagnosis *out)
{
	if (nfs4_trace_was_told(out, "nfs4-server-restart"))
		return; /* the wire has told it, with frames */
	for (size_t i = 0; in->clids && i < in->clids->starts.len; i++) {
		const struct clid_start *s =
			*(struct clid_start *const *)vec_at(&in->clids->starts, i);

		if (told_by(s) && !is_told_better(in->clids, i))
			tell(out, s, told_by(s) == 2);
	}
}
