// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * rpc-server-slow as a client's own counters suggest it (mountstats): calls that somebody waits for
 * are sent at once, and are answered late, each after half a second or more on average.
 *
 * Only possible: the counters begin when a call is sent and end when its answer has come, so the
 * network is in it. Likely where a list of the client's connections (ss -i) tells that TCP's round
 * trip is short; silent where it is long, where calls queue at the client for as long
 * (nfs4-slots-exhausted), where calls were sent again (the network loses them, or the connection
 * broke), for reads, writes and locks, which may take long by design, and where a capture shows
 * each call.
 */
#include "diagnose/rules/counters/counters_common.h"
#include "diagnose/rules/host/host_readings.h"
#include "diagnose/rules/nfs4/nfs4_common.h"
#include "diagnose/rules/rules.h"
#include "diagnose/rules/timers.h"
#include "diagnose/rules/transport.h"
#include "model/conn.h"

#include <inttypes.h>

enum {
	CALLS_MIN = 20,
	RTT_MIN_MS = 500,
	TIMES_QUEUE_MIN = 4,
	TRIP_SHORT_PART = 10,
	NS_PER_US = 1000
};

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

/* The row of a connection to the mount's server with the longest round trip; NULL: none is listed.
 */
static const struct host_record *trip_of(const struct rule_input *in, const struct counters_span *s)
{
	const struct host_record *r, *found = NULL;
	size_t i = 0;

	if (!s->stats.mount.server_is_address)
		return NULL;
	while ((r = host_model_next(in->hosts, HOST_SOCKET, &i))) {
		const struct socket_fact *f = &r->fact.socket;

		if (f->rtt_us && f->state == SOCKET_ESTABLISHED &&
		    endpoint_same_host(&f->peer, &s->stats.mount.server_at) &&
		    transport_port_is_nfs(in, &f->peer) &&
		    (r->at.evidence == s->at.evidence ||
		     timers_one_folder(in, r->at.evidence, s->at.evidence)) &&
		    (!found || f->rtt_us > found->fact.socket.rtt_us))
			found = r;
	}
	return found;
}

/* What of the time the network takes. */
enum trip { TRIP_UNKNOWN, TRIP_SHORT, TRIP_MIDDLE, TRIP_LONG };

static enum trip trip_judge(const struct host_record *r, uint64_t mean_ms)
{
	if (!r)
		return TRIP_UNKNOWN;
	if (r->fact.socket.rtt_us / 1000 >= mean_ms / 2)
		return TRIP_LONG;
	return r->fact.socket.rtt_us / 1000 <= mean_ms / TRIP_SHORT_PART ? TRIP_SHORT : TRIP_MIDDLE;
}

static const char *mean_text(struct diagnosis *d, uint64_t sum_ms, uint64_t calls)
{
	return nfs4_duration_text(d, (int64_t)sum_ms * STAMP_NS_PER_MS / (int64_t)calls);
}

static void trip_long(struct diagnosis *d, const struct host_record *r, uint64_t mean_ms)
{
	diagnosis_undecided(
		d, "rpc-server-slow",
		arena_format(&d->arena,
			     "what the server needs: calls are answered after %s on average, and "
			     "TCP's round trip alone is %s",
			     nfs4_duration_text(d, (int64_t)mean_ms * STAMP_NS_PER_MS),
			     nfs4_duration_text(d, (int64_t)r->fact.socket.rtt_us * NS_PER_US)),
		"tcpdump -i any -s 0 -w nfs.pcap port 2049, on both sides at once");
}

static void trip_tell(struct diagnosis *d, struct finding *f, const struct host_record *r,
		      enum trip how)
{
	const char *rtt;

	if (!r) {
		diagnosis_undecided(d, "rpc-server-slow",
				    "how much of the time is the network's: the round trip of TCP",
				    "ss -tni dport = :2049   # rtt: in ms");
		return;
	}
	rtt = nfs4_duration_text(d, (int64_t)r->fact.socket.rtt_us * NS_PER_US);
	finding_cite(d, f, &r->at, NULL, "TCP's round trip to the server: %s", rtt);
	if (how == TRIP_SHORT)
		finding_rule_out(d, f, "tcp-delivery-delayed",
				 "TCP's round trip to the server is %s", rtt);
}

static void tell(const struct rule_input *in, struct diagnosis *d, const struct counters_span *s)
{
	struct counters_sum sum = counters_sum_of(s, waited_ops);
	const struct host_record *trip = trip_of(in, s);
	enum trip how = trip_judge(trip, sum.rtt_ms / sum.calls);
	uint64_t sent_ms = sum.queue_ms + sum.rtt_ms;
	struct finding *f;

	if (how == TRIP_LONG) {
		trip_long(d, trip, sum.rtt_ms / sum.calls);
		return;
	}
	f = diagnosis_add(d, "rpc-server-slow",
			  how == TRIP_SHORT ? CONFIDENCE_LIKELY : CONFIDENCE_POSSIBLE);
	counters_about(d, f, s);
	f->count = sum.calls;
	f->title = arena_format(&d->arena, "calls are answered %s after they are sent, on average",
				mean_text(d, sum.rtt_ms, sum.calls));
	f->why = arena_format(
		&d->arena,
		"%s %" PRIu64 " calls that somebody waits for spent %s in the client's queue, %s "
		"until the answer and %s in the client after it, on average; none was sent again. "
		"The time until the answer is the network's and the server's together%s.",
		counters_span_text(d, s), sum.calls, mean_text(d, sum.queue_ms, sum.calls),
		mean_text(d, sum.rtt_ms, sum.calls),
		mean_text(d, sum.execute_ms > sent_ms ? sum.execute_ms - sent_ms : 0, sum.calls),
		how == TRIP_SHORT ? ", and TCP's round trip is a small part of it" : "");
	trip_tell(d, f, trip, how);
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
