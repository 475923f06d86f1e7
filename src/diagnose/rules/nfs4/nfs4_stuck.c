// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nfs4-state-manager-stuck (catalogue D14), as far as the wire shows it: a step of recovery is put
 * off without end, and with it everything that the client has to do at this server. CREATE_SESSION
 * answered DELAY once or twice is the protocol at work: another instance of the client's owner has
 * calls in work.
 */
#include "diagnose/rules/nfs4/nfs4_common.h"
#include "diagnose/rules/rules.h"
#include "diagnose/rules/task/task_waits.h"
#include "model/nfs4/nfs4_waits.h"

#include "names/nfs4.h"

#include <inttypes.h>

enum { DELAYS_MIN = 5 };
#define LASTS_NS (60 * STAMP_NS_PER_S)

static bool is_stuck(const struct nfs4_step_wait *w)
{
	return w->delays.count >= DELAYS_MIN && nfs4_gaps_ns(&w->gaps) >= LASTS_NS;
}

/* What a Linux nfsd puts each step off for. */
static const char *what_for(uint32_t op)
{
	if (op == OP_CREATE_SESSION || op == OP_SETCLIENTID_CONFIRM)
		return "A Linux nfsd does so while calls of the client's old client ID are still "
		       "in work there: a thread of the server seems to be stuck in one.";
	return "A server does so when it has no room for another client, or no memory: a Linux "
	       "nfsd keeps 1024 clients for each gigabyte.";
}

static void tell(struct diagnosis *d, const struct nfs4_party *p, const struct nfs4_step_wait *w)
{
	struct finding *f = diagnosis_add(d, "nfs4-state-manager-stuck", CONFIDENCE_CERTAIN);
	const char *who = nfs4_host_text(d, &p->host);
	const char *op = nfs4_op_text(d, w->op);
	const char *lasted = nfs4_duration_text(d, nfs4_gaps_ns(&w->gaps));

	nfs4_finding_about(d, f, p);
	nfs4_finding_span(f, &w->call);
	nfs4_finding_span(f, &w->delays.last);
	f->count = w->delays.count;
	f->title = arena_format(&d->arena,
				"%s cannot set up its NFSv4 state: %s is answered DELAY for %s",
				who, op, lasted);
	f->why = arena_format(
		&d->arena,
		"%s was answered NFS4ERR_DELAY %s within %s, and the server accepted nothing else "
		"of %s meanwhile. Until this step succeeds its state manager waits, and every "
		"program with it that has to do with this server, mounts as well. %s",
		op, nfs4_count_text(d, w->delays.count, "time", "times"), lasted, who,
		what_for(w->op));
	nfs4_cite(d, f, p->server, &w->call, "the first %s of %s", op, who);
	nfs4_cite(d, f, p->server, &w->delays.first, "the first NFS4ERR_DELAY");
	nfs4_cite(d, f, p->server, &w->delays.last, "the last one");
	nfs4_cite(d, f, p->server, &w->over, "answered %s at last",
		  nfs4_status_text(d, w->over_status));
	finding_rule_out(d, f, "nfs4-clientid-in-use",
			 "the answer is \"later\", not NFS4ERR_CLID_INUSE");
	finding_rule_out(d, f, "rpc-server-silent", "the server answers each of these calls");
}

static void run(const struct rule_input *in, struct diagnosis *out)
{
	const struct nfs4_model *m = in->nfs4;

	for (size_t i = 0; m && i < m->parties.len; i++) {
		const struct nfs4_party *p = *(struct nfs4_party **)vec_at(&m->parties, i);

		if (!p->merged_into && p->waits && is_stuck(&p->waits->step_longest))
			tell(out, p, &p->waits->step_longest);
	}
	task_waits_tell_manager(in, out);
}

const struct rule rule_nfs4_state_manager_stuck = {
	.id = "nfs4-state-manager-stuck",
	.needs = "a capture of NFSv4 traffic, of a minute or more; or stacks of the tasks that "
		 "wait, twice",
	.run = run,
};
