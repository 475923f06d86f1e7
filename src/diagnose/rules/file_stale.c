// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * file-handle-stale (catalogue E6): from some moment on a server says of every handle of an export
 * that it is stale. Of a single file that only means that somebody removed it; the root of an
 * export is never removed, and many handles at once, with none that still works, are no removal
 * either.
 */
#include "diagnose/rules/nfs4/nfs4_state_common.h"
#include "diagnose/rules/rules.h"
#include "model/stale.h"

#include <inttypes.h>

enum { ROOT_REPLIES_MIN = 3, REPLIES_MIN = 8, HANDLES_MIN = 5 };
#define ROOT_LASTS_NS STAMP_NS_PER_S
#define LASTS_NS      (5 * STAMP_NS_PER_S)
#define OVER_LASTS_NS (20 * STAMP_NS_PER_S)

static bool run_is_export(const struct stale_run *r)
{
	int64_t lasted = nfs4_between_ns(&r->first, &r->last);

	if (r->root)
		return r->count >= ROOT_REPLIES_MIN && lasted >= ROOT_LASTS_NS;
	/* A capture that lacks bytes may lack the replies to handles that still work. */
	return !r->lossy && r->count >= REPLIES_MIN && r->handles_len >= HANDLES_MIN &&
	       r->worked_count > 0 &&
	       lasted >= (r->ended.frame == FRAME_NONE ? LASTS_NS : OVER_LASTS_NS);
}

static const struct stale_run *run_of(const struct stale_export *e)
{
	if (run_is_export(&e->now))
		return &e->now;
	return run_is_export(&e->longest) ? &e->longest : NULL;
}

static const char *handles_text(struct diagnosis *d, const struct stale_run *r)
{
	if (r->handles_len == STALE_HANDLES_MAX)
		return arena_format(&d->arena, "%u or more handles", (unsigned)STALE_HANDLES_MAX);
	return arena_format(&d->arena, "%" PRIu32 " handle%s", r->handles_len,
			    r->handles_len == 1 ? "" : "s");
}

/* What changed at the server in between, as far as the evidence tells. */
static const char *change_text(struct diagnosis *d, const struct stale_run *r)
{
	const char *before;

	if (r->worked_count == 0)
		return " What was before that the evidence does not show.";
	before = arena_format(
		&d->arena, " Until %s before that handles of it were taken (%" PRIu64 " replies).",
		nfs4_duration_text(d, nfs4_between_ns(&r->worked, &r->first)), r->worked_count);
	if (r->worked_serial == r->serial)
		return arena_format(&d->arena,
				    "%s The connection is the same: the export or its file system "
				    "changed under a running server.",
				    before);
	return arena_format(&d->arena,
			    "%s In between the client connected anew: a restart, or a failover to "
			    "another node.",
			    before);
}

static void tell(const struct rule_input *in, struct diagnosis *d, const struct stale_export *e,
		 const struct stale_run *r)
{
	struct finding *f = diagnosis_add(d, "file-handle-stale",
					  r->root ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY);
	const char *status = e->version == 3 ? "NFS3ERR_STALE" : "NFS4ERR_STALE";
	struct conn conn = nfs4_conn_to(&e->server);
	const char *who = nfs4_host_text(d, &e->client);

	nfs4_finding_host(in, d, f, &e->server, &e->client);
	nfs4_finding_span(f, &r->first);
	nfs4_finding_span(f, &r->last);
	f->count = r->count;
	f->title = arena_format(&d->arena, "all handles that %s has of an export of %s are stale",
				who, nfs4_host_text(d, &e->server));
	f->why = arena_format(
		&d->arena,
		"%" PRIu64 " calls of %s with %s%s were answered %s within %s, and none with a "
		"handle of that export was answered otherwise in between.%s Programs get ESTALE "
		"for whatever they have open there.",
		r->count, who, handles_text(d, r),
		r->root ? ", among them that of the export's root," : "", status,
		nfs4_duration_text(d, nfs4_between_ns(&r->first, &r->last)), change_text(d, r));
	finding_cite(d, f, &r->first, &conn, "the first %s", status);
	finding_cite(d, f, &r->root_at, &conn, "the root of the export is stale too");
	finding_cite(d, f, &r->worked, &conn, "the last reply before, to a handle that was taken");
	finding_cite(d, f, &r->last, &conn, "the last %s", status);
	finding_cite(d, f, &r->ended, &conn, "a handle of the export is taken again");
}

static void run(const struct rule_input *in, struct diagnosis *out)
{
	for (struct recent_item *i = in->stale ? in->stale->exports.oldest : NULL; i;
	     i = i->newer) {
		const struct stale_export *e = (const struct stale_export *)(const void *)i;
		const struct stale_run *r = run_of(e);

		if (r)
			tell(in, out, e, r);
	}
}

const struct rule rule_file_handle_stale = {
	.id = "file-handle-stale",
	.needs = "a capture of NFS traffic that shows file handles",
	.run = run,
};
