// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * rpc-server-slow as a client's own counters suggest it (mountstats): calls that somebody waits for
 * are sent at once, and are answered late, each after half a second or more on average.
 *
 * Only possible: the counters begin when a call is sent and end when its answer has come, so the
 * network is in it. Silent where calls queue at the client for as long (nfs4-slots-exhausted),
 * where calls were sent again (the network loses them, or the connection broke), for reads, writes
 * and locks, which may take long by design, and where a capture shows each call.
 */
#include "diagnose/rules/counters_common.h"
#include "diagnose/rules/host_readings.h"
#include "diagnose/rules/nfs4_common.h"
#include "diagnose/rules/rules.h"
#include "model/conn.h"

#include <inttypes.h>

enum { CALLS_MIN = 20, RTT_MIN_MS = 500, TIMES_QUEUE_MIN = 4 };

static const char *const waited_ops[] = {"GETATTR", "LOOKUP",      "ACCESS", "OPEN",   "CLOSE",
					 "SETATTR", "OPEN_NOATTR", "REMOVE", "RENAME", "CREATE",
					 "READDIR", "READDIRPLUS", NULL};

static bool sent_again(const struct counters_span *s)
{
	for (uint32_t i = 0; i < s->stats.ops_len; i++)
		if (s->stats.ops[i].transmissions > s->stats.ops[i].calls ||
		    s->stats.ops[i].timeouts)
			return true;
	return false;
}

static bool span_speaks(const struct counters_span *s)
{
	struct counters_sum sum = counters_sum_of(s, waited_ops);

	return sum.calls >= CALLS_MIN && sum.rtt_ms / RTT_MIN_MS >= sum.calls &&
	       sum.rtt_ms / TIMES_QUEUE_MIN >= sum.queue_ms && !sent_again(s);
}

static const char *mean_text(struct diagnosis *d, uint64_t sum_ms, uint64_t calls)
{
	return nfs4_duration_text(d, (int64_t)sum_ms * STAMP_NS_PER_MS / (int64_t)calls);
}

static void tell(const struct rule_input *in, struct diagnosis *d, const struct counters_span *s)
{
	struct counters_sum sum = counters_sum_of(s, waited_ops);
	struct finding *f = diagnosis_add(d, "rpc-server-slow", CONFIDENCE_POSSIBLE);
	uint64_t sent_ms = sum.queue_ms + sum.rtt_ms;

	counters_about(d, f, s);
	f->count = sum.calls;
	f->title = arena_format(&d->arena, "calls are answered %s after they are sent, on average",
				mean_text(d, sum.rtt_ms, sum.calls));
	f->why = arena_format(
		&d->arena,
		"%s %" PRIu64 " calls that somebody waits for spent %s in the client's queue, %s "
		"until the answer and %s in the client after it, on average; none was sent again. "
		"The time until the answer is the network's and the server's together.",
		counters_span_text(d, s), sum.calls, mean_text(d, sum.queue_ms, sum.calls),
		mean_text(d, sum.rtt_ms, sum.calls),
		mean_text(d, sum.execute_ms > sent_ms ? sum.execute_ms - sent_ms : 0, sum.calls));
	for (size_t i = 0; waited_ops[i]; i++) {
		const struct mount_op_stats *op = counters_op(s, waited_ops[i]);

		if (op && op->rtt_ms)
			counters_cite(d, f, s, op);
	}
	if (s->before.frame != FRAME_NONE)
		host_readings_support(in, d, f, s->at.evidence);
	finding_rule_out(d, f, "nfs4-slots-exhausted", "calls are sent after %s on average",
			 mean_text(d, sum.queue_ms, sum.calls));
	finding_rule_out(d, f, "rpc-server-silent", "every call was answered");
	diagnosis_undecided(d, "rpc-server-slow",
			    "how much of the time is the network's: the round trip of TCP",
			    "ss -tni dport = :2049   # rtt: in ms");
}

static void run(const struct rule_input *in, struct diagnosis *out)
{
	const struct counters_span *told = NULL;

	/* What lies between two readings comes behind them, and tells more. */
	for (size_t i = in->conns->records.len ? 0 : in->counters->spans.len; i > 0; i--) {
		const struct counters_span *s =
			*(struct counters_span **)vec_at(&in->counters->spans, i - 1);

		if (!span_speaks(s) || (told && counters_same_mount(told, s)))
			continue;
		tell(in, out, s);
		told = s;
	}
}

const struct rule rule_rpc_slow_counted = {
	.id = "rpc-server-slow",
	.needs = "mountstats of the client",
	.run = run,
};
