// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nfs4-stateid-loop (catalogue A22, A23): the server refuses a stateid, and the client sends it
 * again unchanged. Single refusals are part of healthy traffic (a CLOSE that overtakes an OPEN, the
 * return of a delegation that is gone): what decides is that it goes on without getting anywhere.
 */
#include "diagnose/rules/nfs4/nfs4_state_common.h"
#include "diagnose/rules/rules.h"
#include "names/nfs4.h"

#include <inttypes.h>

enum { REFUSALS_MIN = 8 };
#define LASTS_NS (3 * STAMP_NS_PER_S)

/* A client whose state is lost again and again presents old stateids again and again. */
static bool is_recovery(const struct rule_input *in, const struct nfs4_run *r)
{
	return nfs4_host_recoveries(in, &r->server, &r->client) * 4 >= r->unchanged_longest.count;
}

static const char *stateid_text(struct diagnosis *d, const struct nfs4_stateid *s)
{
	const uint8_t *o = s->other;

	return arena_format(
		&d->arena,
		"seqid %" PRIu32 ", other %02x%02x%02x%02x%02x%02x%02x%02x%02x%02x%02x%02x",
		s->seqid, o[0], o[1], o[2], o[3], o[4], o[5], o[6], o[7], o[8], o[9], o[10], o[11]);
}

static const char *meaning(uint32_t status)
{
	switch (status) {
	case NFS4ERR_OLD_STATEID:
		return "The server says that the open, lock or layout has moved on to a later "
		       "seqid: it waits for the client to send that one.";
	case NFS4ERR_STALE_STATEID:
		return "The server says that the stateid is from before its last start: it waits "
		       "for the client to recover its state.";
	default:
		return "The server says that it knows no such open, lock or layout: it waits for "
		       "the client to open the file anew.";
	}
}

static void tell(const struct rule_input *in, struct diagnosis *d, const struct nfs4_run *r)
{
	struct finding *f = diagnosis_add(d, "nfs4-stateid-loop",
					  r->lossy ? CONFIDENCE_LIKELY : CONFIDENCE_CERTAIN);
	const struct nfs4_span *s = &r->unchanged_longest;
	struct conn conn = nfs4_conn_to(&r->server);
	const char *who = nfs4_host_text(d, &r->client);
	const char *op = nfs4_op_text(d, r->op);
	const char *status = nfs4_status_text(d, r->status);

	nfs4_finding_host(in, d, f, &r->server, &r->client);
	nfs4_finding_file(d, f, &r->file);
	finding_subject(d, f, "stateid", "%s", stateid_text(d, &r->stateid_longest));
	nfs4_finding_span(f, &s->first);
	nfs4_finding_span(f, &s->last);
	f->count = s->count;
	f->title = arena_format(&d->arena, "%s of %s is refused with %s again and again", op, who,
				status);
	f->why = arena_format(
		&d->arena,
		"%s of %s for %s was answered %s %" PRIu64 " times within %s, each time with the "
		"same stateid, and never otherwise in between. %s The client sends the same one "
		"again, so neither side gets on.",
		op, who, nfs4_file_text(d, &r->file), status, s->count,
		nfs4_duration_text(d, nfs4_span_ns(s)), meaning(r->status));
	finding_cite(d, f, &s->first, &conn, "%s of %s answered %s for the first time", op, who,
		     status);
	finding_cite(d, f, &s->last, &conn, "the same stateid, answered %s again", status);
	finding_cite(d, f, &r->ended, &conn, "%s answered %s", op,
		     nfs4_status_text(d, r->ended_status));
	finding_rule_out(
		d, f, "nfs4-session-reset-loop",
		"the client's state as a whole was not lost each time: the refusals are of "
		"one stateid");
	finding_rule_out(d, f, "nfs4-delay-loop", "the answers are %s and not NFS4ERR_DELAY",
			 status);
}

static void run(const struct rule_input *in, struct diagnosis *out)
{
	for (size_t i = 0; in->state && i < in->state->runs.len; i++) {
		const struct nfs4_run *r = *(struct nfs4_run **)vec_at(&in->state->runs, i);

		if (r->kind == NFS4_RUN_STATEID && r->unchanged_longest.count >= REFUSALS_MIN &&
		    nfs4_span_ns(&r->unchanged_longest) >= LASTS_NS && !is_recovery(in, r))
			tell(in, out, r);
	}
}

const struct rule rule_nfs4_stateid_loop = {
	.id = "nfs4-stateid-loop",
	.needs = "a capture of NFSv4 traffic that shows stateids and file handles",
	.run = run,
};
