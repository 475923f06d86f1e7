// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nfs4-slots-exhausted as a client's own RPC tasks tell it: they sleep on the table of slots of
 * their session longer than a call takes once it is sent, and others are in flight meanwhile:
 * nearly always, as who has a slot has not sent its call in the same moment.
 *
 * While the state manager drains the session, tasks sleep there too: silent where the trace shows
 * recovery. Few slots in use and slow answers make the same queue: silent where answers are slow.
 */
#include "diagnose/rules/nfs4/nfs4_common.h"
#include "diagnose/rules/rpc/rpc_task_common.h"
#include "diagnose/rules/rules.h"
#include "model/ladder.h"

#include <inttypes.h>
#include <string.h>

enum { WAITS_MIN = 20, IDLE_PARTS = 4 };

#define WAIT_MIN_NS  (5 * STAMP_NS_PER_MS)
#define REPLY_MAX_NS STAMP_NS_PER_S

static bool recovers(const struct rule_input *in, const struct rpc_task_host *h)
{
	for (size_t i = 0; in->ladders && i < in->ladders->clients.len; i++) {
		const struct ladder_client *c =
			*(struct ladder_client *const *)vec_at(&in->ladders->clients, i);

		if (strcmp(c->host, h->name) == 0 && (c->rounds || c->refused))
			return true;
	}
	return false;
}

static const struct rpc_task_queue *slots_of(const struct rpc_task_client *c)
{
	for (size_t i = 0; i < c->queues_len; i++)
		if (strcmp(c->queues[i].name, "ForeChannel Slot table") == 0)
			return &c->queues[i];
	return NULL;
}

static bool speaks(const struct rpc_task_client *c, const struct rpc_task_queue *q)
{
	int64_t mean, reply;

	if (!q || q->waits < WAITS_MIN || q->idle > q->waits / IDLE_PARTS || c->replies < WAITS_MIN)
		return false;
	mean = q->total_ns / (int64_t)q->waits;
	reply = c->reply_total_ns / (int64_t)c->replies;
	return mean >= WAIT_MIN_NS && mean >= reply && reply <= REPLY_MAX_NS;
}

static void tell(struct diagnosis *d, const struct rpc_task_client *c,
		 const struct rpc_task_queue *q)
{
	struct finding *f = diagnosis_add(d, "nfs4-slots-exhausted", CONFIDENCE_LIKELY);
	const char *wait = nfs4_duration_text(d, q->total_ns / (int64_t)q->waits);
	const char *reply = nfs4_duration_text(d, c->reply_total_ns / (int64_t)c->replies);

	rpc_task_about(d, f, c->host);
	f->first = q->first.at;
	f->last = q->last.at;
	f->count = q->waits;
	f->title = arena_format(&d->arena,
				"calls wait %s for a slot of their session, and %s for the answer "
				"once they are sent",
				wait, reply);
	f->why = arena_format(
		&d->arena,
		"%" PRIu64 " calls slept on the table of slots of their session, the longest for "
		"%s, and %" PRIu64 " of them while others were in flight, %" PRIu64
		" at most. %" PRIu64
		" calls were answered, in %s on average: the server is quick, and the client has "
		"too few at once.",
		q->waits, nfs4_duration_text(d, q->longest_ns), q->waits - q->idle,
		q->in_flight_max, c->replies, reply);
	finding_cite(d, f, &q->first, NULL, "the first call that waits for a slot");
	finding_cite(d, f, &q->longest, NULL, "the one that waited longest has its slot");
	finding_cite(d, f, &q->last, NULL, "the last one that has to wait");
	finding_rule_out(d, f, "rpc-server-slow", "once sent, calls are answered in %s on average",
			 reply);
	finding_rule_out(d, f, "nfs4-state-manager-stuck",
			 "calls are sent and answered all the while, and the trace shows no "
			 "recovery");
}

static void run(const struct rule_input *in, struct diagnosis *out)
{
	const struct rpc_task_model *m = in->rpc_tasks;

	for (size_t i = 0; m && i < m->hosts.len; i++) {
		const struct rpc_task_host *h =
			*(struct rpc_task_host *const *)vec_at(&m->hosts, i);

		for (size_t k = 0; !recovers(in, h) && k < h->clients.len; k++) {
			const struct rpc_task_client *c =
				*(struct rpc_task_client *const *)vec_at(&h->clients, k);

			if (speaks(c, slots_of(c)))
				tell(out, c, slots_of(c));
		}
	}
}

const struct rule rule_rpc_task_slots = {
	.id = "nfs4-slots-exhausted",
	.needs = "a client's trace of sunrpc (rpc_task_sleep, rpc_task_wakeup and what is sent)",
	.run = run,
};
