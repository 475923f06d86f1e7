// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nfs4-state-manager-stuck as a client's own RPC tasks tell it: calls sleep on the queue of the
 * NFSv4 client (cl_rpcwaitq, "NFS client") until recovery is over, and it is not.
 *
 * Recovery that waits for an answer is the server's business, or that of the way to it: silent
 * where one of its calls is under way. A grace period is waited for on another queue (delayq).
 */
#include <inttypes.h>
#include <string.h>

#include "diagnose/rules/log_common.h"
#include "diagnose/rules/nfs4/nfs4_common.h"
#include "diagnose/rules/rpc/rpc_task_common.h"
#include "diagnose/rules/rules.h"
#include "diagnose/rules/task/task_common.h"

#define LASTS_NS (60 * STAMP_NS_PER_S)

struct manager_story {
	const struct rpc_task_seen *first; /* that waits long */
	int64_t ns;
	uint64_t waiting;
	const struct rpc_task_seen *recovery; /* a call of recovery that is under way */
};

static bool is_recovery(const struct rpc_task_seen *t)
{
	static const char *const procedures[] = {"EXCHANGE_ID",
						 "CREATE_SESSION",
						 "SETCLIENTID",
						 "SETCLIENTID_CONFIRM",
						 "RECLAIM_COMPLETE",
						 "DESTROY_SESSION",
						 "GET_LEASE_TIME",
						 "SEQUENCE",
						 "RENEW",
						 "DESTROY_CLIENTID",
						 "BIND_CONN_TO_SESSION",
						 "OPEN_NOATTR",
						 "TEST_STATEID",
						 "FREE_STATEID"};

	for (size_t i = 0; i < sizeof(procedures) / sizeof(procedures[0]); i++)
		if (strcmp(t->procedure, procedures[i]) == 0)
			return true;
	return false;
}

static bool waits_since(const struct rpc_task_seen *t, int64_t *ns)
{
	if (t->slept.frame != FRAME_NONE)
		return rpc_task_lasts(t->of->host, &t->slept, ns);
	return t->lists > 1 && log_elapsed_ns(&t->listed_first, &t->listed_last, ns);
}

static void look_at(struct manager_story *s, const struct rpc_task_seen *t)
{
	int64_t ns;

	if (strcmp(t->queue, "NFS client") != 0) {
		if (is_recovery(t) && t->replied.frame == FRAME_NONE && !s->recovery)
			s->recovery = t;
		return;
	}
	s->waiting++;
	if (t->doubtful || !waits_since(t, &ns) || ns < LASTS_NS)
		return;
	if (ns > s->ns) {
		s->ns = ns;
		s->first = t;
	}
}

static void tell(struct diagnosis *d, const struct manager_story *s)
{
	const struct rpc_task_seen *t = s->first;
	struct finding *f = diagnosis_add(d, "nfs4-state-manager-stuck", CONFIDENCE_LIKELY);

	rpc_task_about(d, f, t->of->host);
	f->first = t->slept.frame == FRAME_NONE ? t->listed_first.at : t->slept.at;
	f->last = t->of->host->last[f->first.clock == CLOCK_UTC].at;
	f->count = s->waiting;
	f->title =
		arena_format(&d->arena, "%s of NFSv4 %s for recovery to finish, the first for %s",
			     nfs4_count_text(d, s->waiting, "call", "calls"),
			     s->waiting == 1 ? "waits" : "wait", nfs4_duration_text(d, s->ns));
	f->why = "They sleep in the client, on the queue of the NFSv4 client, until its state "
		 "manager has finished; and no call of recovery is under way for whose answer it "
		 "could wait. Where it is instead shows in its stack.";
	finding_cite(d, f, t->slept.frame == FRAME_NONE ? &t->listed_first : &t->slept, NULL,
		     "%s waits for recovery", rpc_task_text(d, t));
	finding_cite(d, f, &t->listed_last, NULL, "and is there again");
}

static void run(const struct rule_input *in, struct diagnosis *out)
{
	const struct rpc_task_model *m = in->rpc_tasks;

	for (size_t i = 0; m && i < m->hosts.len; i++) {
		const struct rpc_task_host *h =
			*(struct rpc_task_host *const *)vec_at(&m->hosts, i);
		struct manager_story s = {0};

		for (size_t k = 0; k < m->under_way.len; k++) {
			const struct rpc_task_seen *t =
				*(struct rpc_task_seen *const *)vec_at(&m->under_way, k);

			if (t->of->host == h)
				look_at(&s, t);
		}
		if (s.waiting == 0 || s.recovery || task_host_complains(in, h->name))
			continue;
		if (s.first)
			tell(out, &s);
		else
			diagnosis_undecided(
				out, "nfs4-state-manager-stuck",
				"whether the calls that wait for recovery go on waiting: "
				"the evidence looks once",
				"twice, 60 s apart: echo 0 > "
				"/proc/sys/sunrpc/rpc_debug; cat /proc/$(pgrep -f "
				"manager)/stack; dmesg | tail -50");
	}
}

const struct rule rule_rpc_task_manager = {
	.id = "nfs4-state-manager-stuck",
	.needs = "a client's lists of RPC tasks, twice, or its trace of sunrpc",
	.run = run,
};
