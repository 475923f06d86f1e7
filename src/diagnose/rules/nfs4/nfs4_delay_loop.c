// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nfs4-delay-loop (catalogue A20, A21): one operation on one file is answered NFS4ERR_DELAY without
 * end, and no delegation can be the reason (RFC 8881 section 10.2).
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
	case OP_SEQUENCE:
		return true;
	default:
		return false;
	}
}

static const char *where_text(struct diagnosis *d, const struct nfs4_run *r)
{
	if (r->op == OP_SEQUENCE)
		return arena_format(&d->arena, "slot %" PRIu32 " of one session", r->slot);
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

static void run(const struct rule_input *in, struct diagnosis *out)
{
	for (size_t i = 0; in->state && i < in->state->runs.len; i++)
		judge(in, out, *(struct nfs4_run **)vec_at(&in->state->runs, i));
}

const struct rule rule_nfs4_delay_loop = {
	.id = "nfs4-delay-loop",
	.needs = "a capture of NFSv4 traffic that shows file handles",
	.run = run,
};
