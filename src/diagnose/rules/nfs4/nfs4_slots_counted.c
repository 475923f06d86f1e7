// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nfs4-slots-exhausted as a client's own counters suggest it (mountstats, catalogue A26): calls of
 * NFSv4.1 and later wait long before they are sent, and are answered at once when they are.
 *
 * Long is five times as long as the answer takes; or as long, when more calls were in the client on
 * average than its transport ever had at once: a call gets one of the transport's slots only after
 * one of the session's, so what waits has not come to the transport.
 *
 * Only possible: the same wait may be for a connection, for the state manager or for credentials.
 * Likely where the server's list of clients tells that the session has as few slots as there are
 * calls under way (from 6.14 on); silent where it has many more.
 * Silent where connections broke or calls timed out, where the transport's own slots were all in
 * use (its backlog), and where most of what is under way is writes and reads, of which the client
 * makes more than it can send by design.
 */
#include "diagnose/rules/counters/counters_common.h"
#include "diagnose/rules/nfs4/nfs4_common.h"
#include "diagnose/rules/rules.h"
#include "model/host.h"
#include "names/nfs4.h"

#include <inttypes.h>
#include <stdlib.h>

enum { CALLS_MIN = 100, TIMES_RTT_MIN = 5, WAITED_MIN_MS = 10000, MEAN_MIN_MS = 5 };
enum { TIME_MIN_PERCENT = 20, CONNECTS_MAX = 3, RECOVERIES_MAX = 4 };
enum { SLOTS_TIMES_MAX = 2 };

/* Somebody waits for each of these. */
static const char *const waited_ops[] = {"GETATTR", "LOOKUP",  "ACCESS",  "OPEN",   "OPEN_NOATTR",
					 "CLOSE",   "READDIR", "SETATTR", "REMOVE", "RENAME",
					 "CREATE",  "LOCK",    "LOCKU",   NULL};
static const char *const recovery_ops[] = {"EXCHANGE_ID", "CREATE_SESSION", "DESTROY_SESSION",
					   NULL};

static bool has_sessions(struct slice options)
{
	static const char *const marks[] = {"vers=4.1", "vers=4.2", "minorversion=1",
					    "minorversion=2"};

	for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++)
		if (options.len && memmem(options.ptr, options.len, marks[i], strlen(marks[i])))
			return true;
	return false;
}

static bool timed_out(const struct counters_span *s)
{
	for (uint32_t i = 0; i < s->stats.ops_len; i++)
		if (s->stats.ops[i].timeouts)
			return true;
	return false;
}

/* More calls in the client, on average, than the transport ever had at once. */
static bool waits_above(const struct counters_span *s, const struct counters_sum *all)
{
	uint64_t most = s->stats.xprt.max_slots;

	return most && most < (all->queue_ms + all->rtt_ms) / 1000 / s->seconds;
}

static bool is_long(const struct counters_span *s, const struct counters_sum *waited,
		    const struct counters_sum *all)
{
	return waited->queue_ms >= WAITED_MIN_MS &&
	       (waited->queue_ms / TIMES_RTT_MIN >= waited->rtt_ms ||
		(waited->queue_ms >= waited->rtt_ms && waits_above(s, all)));
}

static bool span_speaks(const struct counters_span *s)
{
	struct counters_sum waited = counters_sum_of(s, waited_ops);
	struct counters_sum all = counters_sum_of(s, NULL);
	const struct mount_xprt_stats *x = &s->stats.xprt;

	return s->seconds && has_sessions(s->stats.mount.options) && waited.calls >= CALLS_MIN &&
	       is_long(s, &waited, &all) && waited.queue_ms / waited.calls >= MEAN_MIN_MS &&
	       waited.queue_ms / TIME_MIN_PERCENT >= s->seconds * 1000 / 100 &&
	       all.rtt_ms / 2 <= waited.rtt_ms && x->count &&
	       x->connects <= CONNECTS_MAX * x->count && x->backlog <= x->sends &&
	       counters_sum_of(s, recovery_ops).calls <= RECOVERIES_MAX && !timed_out(s);
}

/* "2.0", of milliseconds in so many seconds. */
static const char *at_once_text(struct diagnosis *d, uint64_t sum_ms, uint64_t seconds)
{
	uint64_t tenths = sum_ms / 100 / seconds;

	return arena_format(&d->arena, "%" PRIu64 ".%" PRIu64, tenths / 10, tenths % 10);
}

/* How the server lists the client of this mount, with slots; NULL: it does not. */
static const struct host_record *listed(const struct rule_input *in, const struct counters_span *s)
{
	const struct host_record *r;
	size_t i = 0;

	if (!s->stats.mount.has_client)
		return NULL;
	while ((r = host_model_next(in->hosts, HOST_NFSD_CLIENT, &i)))
		if (r->fact.client.slots && r->fact.client.has_address &&
		    endpoint_same_host(&r->fact.client.at, &s->stats.mount.client_at))
			return r;
	return NULL;
}

static const char *why_text(struct diagnosis *d, const struct counters_span *s, uint64_t slots)
{
	struct counters_sum waited = counters_sum_of(s, waited_ops);
	struct counters_sum all = counters_sum_of(s, NULL);
	const char *granted = "The counters do not tell how many the server granted.";
	const char *above = "";

	if (slots)
		granted = arena_format(&d->arena, "The server lists %" PRIu64 " slots for it.",
				       slots);
	if (waits_above(s, &all))
		above = arena_format(&d->arena,
				     " The transport never had more than %" PRIu64
				     " at once: those that wait have not come to it.",
				     s->stats.xprt.max_slots);
	return arena_format(
		&d->arena,
		"%s %" PRIu64 " calls that somebody waits for queued %s in all at the client, and "
		"were answered in %s in all once sent. No call timed out, the connection did not "
		"break (%" PRIu64 " times connected) and the transport had room: what a call of "
		"NFSv4.1 waits for then is a free slot of its session. %s %s were under way and %s "
		"waited at once, on average.%s",
		counters_span_text(d, s), waited.calls,
		nfs4_duration_text(d, (int64_t)waited.queue_ms * STAMP_NS_PER_MS),
		nfs4_duration_text(d, (int64_t)waited.rtt_ms * STAMP_NS_PER_MS),
		s->stats.xprt.connects, granted, at_once_text(d, all.rtt_ms, s->seconds),
		at_once_text(d, all.queue_ms, s->seconds), above);
}

/* Of slots that are many more than the calls under way some would have been free. */
static bool slots_are_enough(const struct counters_span *s, uint64_t slots)
{
	struct counters_sum all = counters_sum_of(s, NULL);

	return slots > SLOTS_TIMES_MAX * (all.rtt_ms / 1000 / s->seconds + 1);
}

static void tell(struct diagnosis *d, const struct counters_span *s,
		 const struct host_record *client)
{
	uint64_t slots = client ? client->fact.client.slots : 0;
	struct counters_sum waited = counters_sum_of(s, waited_ops);
	struct finding *f = diagnosis_add(d, "nfs4-slots-exhausted",
					  slots ? CONFIDENCE_LIKELY : CONFIDENCE_POSSIBLE);
	int64_t calls = (int64_t)waited.calls;

	counters_about(d, f, s);
	f->count = waited.calls;
	f->title = arena_format(
		&d->arena,
		"calls wait %s in the client before they are sent, and %s for the answer",
		nfs4_duration_text(d, (int64_t)waited.queue_ms * STAMP_NS_PER_MS / calls),
		nfs4_duration_text(d, (int64_t)waited.rtt_ms * STAMP_NS_PER_MS / calls));
	f->why = why_text(d, s, slots);
	if (client)
		finding_cite(d, f, &client->at, NULL, "the server's client: %" PRIu64 " slots",
			     slots);
	for (size_t i = 0; waited_ops[i]; i++) {
		const struct mount_op_stats *op = counters_op(s, waited_ops[i]);

		if (op && op->queue_ms)
			counters_cite(d, f, s, op);
	}
	finding_rule_out(d, f, "rpc-server-slow", "once sent, calls are answered in %s on average",
			 nfs4_duration_text(d, (int64_t)waited.rtt_ms * STAMP_NS_PER_MS / calls));
	if (!client)
		diagnosis_undecided(
			d, "nfs4-slots-exhausted",
			"how many slots the server grants (CREATE_SESSION, or the highest slot in "
			"use in SEQUENCE)",
			"tcpdump -i any -s 0 -w slots.pcap port 2049; on a Linux server from 6.14 "
			"on: grep -H -e address -e slots /proc/fs/nfsd/clients/*/info");
}

static void run(const struct rule_input *in, struct diagnosis *out)
{
	const struct counters_span *told = NULL;

	/* What lies between two readings comes behind them, and tells more. */
	for (size_t i = in->counters->spans.len; i > 0; i--) {
		const struct counters_span *s =
			*(struct counters_span **)vec_at(&in->counters->spans, i - 1);

		const struct host_record *client;

		if (!span_speaks(s) || (told && counters_same_mount(told, s)))
			continue;
		client = listed(in, s);
		if (client && slots_are_enough(s, client->fact.client.slots))
			continue;
		tell(out, s, client);
		told = s;
	}
}

const struct rule rule_nfs4_slots_counted = {
	.id = "nfs4-slots-exhausted",
	.needs = "mountstats of a mount of NFSv4.1 or later",
	.run = run,
};
