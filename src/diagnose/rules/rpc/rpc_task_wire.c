// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * task-waits-for-rpc, joined: the call for which a client's own kernel waits, as a list of its RPC
 * tasks or a trace has it, is this one of the capture, by its XID. What the wire shows of it is in
 * the findings about the wire; this one says that it is the same call.
 */
#include "diagnose/rules/log_common.h"
#include "diagnose/rules/nfs4/nfs4_common.h"
#include "diagnose/rules/rpc/rpc_task_common.h"
#include "diagnose/rules/rules.h"
#include "model/overdue.h"

enum { SHOWN_MAX = 4 };

/* The one call of this XID; NULL: none, or several. */
static const struct overdue_call *call_of(const struct overdue_model *m,
					  const struct rpc_task_seen *t)
{
	const struct overdue_call *found = NULL;

	for (size_t i = 0; i < m->calls.len; i++) {
		const struct overdue_call *c = *(struct overdue_call *const *)vec_at(&m->calls, i);

		if (c->xid != t->xid)
			continue;
		if (found)
			return NULL;
		found = c;
	}
	return found;
}

static const char *answer_words(struct diagnosis *d, const struct overdue_call *c)
{
	int64_t ns;

	if (c->reply.frame == FRAME_NONE)
		return "it has no answer in the capture";
	if (log_elapsed_ns(&c->call, &c->reply, &ns))
		return arena_format(&d->arena, "answered after %s", nfs4_duration_text(d, ns));
	return "answered late";
}

static void tell(struct diagnosis *d, struct finding **f, const struct rpc_task_seen *t,
		 const struct overdue_call *c)
{
	if (!*f) {
		*f = diagnosis_add(d, "task-waits-for-rpc", CONFIDENCE_CERTAIN);
		rpc_task_about(d, *f, t->of->host);
		finding_set_server(d, *f, &c->conn.server);
		finding_add_client(d, *f, &c->conn.client);
		(*f)->first = c->call.at;
		(*f)->last = c->reply.frame == FRAME_NONE ? c->call.at : c->reply.at;
		(*f)->title = arena_format(&d->arena,
					   "%s, for which the client's kernel waits, is in the "
					   "capture: %s",
					   rpc_task_text(d, t), answer_words(d, c));
		(*f)->why = "A list of the client's RPC tasks, or a trace of them, has calls under "
			    "way whose XIDs are those of calls in the capture: what holds these "
			    "calls up holds the client's programs up.";
	}
	if (++(*f)->count > SHOWN_MAX)
		return;
	finding_cite(d, *f, &t->begun, NULL, "the client's kernel waits for %s",
		     rpc_task_text(d, t));
	finding_cite(d, *f, &c->call, NULL, "that call, by its XID; %s", answer_words(d, c));
	finding_cite(d, *f, &c->reply, NULL, "its answer");
}

static void run(const struct rule_input *in, struct diagnosis *out)
{
	const struct rpc_task_model *m = in->rpc_tasks;

	for (size_t i = 0; m && in->overdue && i < m->hosts.len; i++) {
		const struct rpc_task_host *h =
			*(struct rpc_task_host *const *)vec_at(&m->hosts, i);
		struct finding *f = NULL;

		for (size_t k = 0; k < m->under_way.len; k++) {
			const struct rpc_task_seen *t =
				*(struct rpc_task_seen *const *)vec_at(&m->under_way, k);
			const struct overdue_call *c;

			if (t->of->host != h || !t->has_xid || t->replied.frame != FRAME_NONE)
				continue;
			c = call_of(in->overdue, t);
			if (c)
				tell(out, &f, t, c);
		}
	}
}

const struct rule rule_rpc_task_wire = {
	.id = "task-waits-for-rpc",
	.needs = "a client's RPC tasks with XIDs (/sys/kernel/debug/sunrpc/rpc_clnt/*/tasks, a "
		 "trace), and a capture",
	.run = run,
};
