// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nfs4-slots-exhausted as a client's own counters suggest it (mountstats, catalogue A26): calls of
 * NFSv4.1 and later wait long before they are sent, and are answered at once when they are.
 *
 * Only possible: the same wait may be for a connection, for the state manager or for credentials.
 * Silent where connections broke or calls timed out, where the transport's own slots were all in
 * use (its backlog), and for writes and reads, of which the client makes more than it can send by
 * design.
 */
#include "diagnose/rules/counters_common.h"
#include "diagnose/rules/nfs4_common.h"
#include "diagnose/rules/rules.h"
#include "names/nfs4.h"

#include <inttypes.h>
#include <stdlib.h>

enum { CALLS_MIN = 100, TIMES_RTT_MIN = 5, WAITED_MIN_MS = 10000, MEAN_MIN_MS = 5 };
enum { TIME_MIN_PERCENT = 20, CONNECTS_MAX = 3, RECOVERIES_MAX = 4 };

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

static bool span_speaks(const struct counters_span *s)
{
	struct counters_sum waited = counters_sum_of(s, waited_ops);
	const struct mount_xprt_stats *x = &s->stats.xprt;

	return s->seconds && has_sessions(s->stats.mount.options) && waited.calls >= CALLS_MIN &&
	       waited.queue_ms >= WAITED_MIN_MS &&
	       waited.queue_ms / TIMES_RTT_MIN >= waited.rtt_ms &&
	       waited.queue_ms / waited.calls >= MEAN_MIN_MS &&
	       waited.queue_ms / TIME_MIN_PERCENT >= s->seconds * 1000 / 100 && x->count &&
	       x->connects <= CONNECTS_MAX * x->count && x->backlog <= x->sends &&
	       counters_sum_of(s, recovery_ops).calls <= RECOVERIES_MAX && !timed_out(s);
}

static void tell(struct diagnosis *d, const struct counters_span *s)
{
	struct counters_sum waited = counters_sum_of(s, waited_ops);
	struct finding *f = diagnosis_add(d, "nfs4-slots-exhausted", CONFIDENCE_POSSIBLE);
	int64_t calls = (int64_t)waited.calls;

	counters_about(d, f, s);
	f->count = waited.calls;
	f->title = arena_format(
		&d->arena,
		"calls wait %s in the client before they are sent, and %s for the answer",
		nfs4_duration_text(d, (int64_t)waited.queue_ms * STAMP_NS_PER_MS / calls),
		nfs4_duration_text(d, (int64_t)waited.rtt_ms * STAMP_NS_PER_MS / calls));
	f->why = arena_format(
		&d->arena,
		"%s %" PRIu64 " calls that somebody waits for queued %s in all at the client, and "
		"were answered in %s in all once sent. No call timed out, the connection did not "
		"break (%" PRIu64 " times connected) and the transport had room: what a call of "
		"NFSv4.1 waits for then is a free slot of its session. The counters do not tell "
		"how "
		"many the server granted.",
		counters_span_text(d, s), waited.calls,
		nfs4_duration_text(d, (int64_t)waited.queue_ms * STAMP_NS_PER_MS),
		nfs4_duration_text(d, (int64_t)waited.rtt_ms * STAMP_NS_PER_MS),
		s->stats.xprt.connects);
	for (size_t i = 0; waited_ops[i]; i++) {
		const struct mount_op_stats *op = counters_op(s, waited_ops[i]);

		if (op && op->queue_ms)
			counters_cite(d, f, s, op);
	}
	finding_rule_out(d, f, "rpc-server-slow", "once sent, calls are answered in %s on average",
			 nfs4_duration_text(d, (int64_t)waited.rtt_ms * STAMP_NS_PER_MS / calls));
	diagnosis_undecided(
		d, "nfs4-slots-exhausted",
		"how many slots the server grants (CREATE_SESSION, or the highest slot in "
		"use in SEQUENCE)",
		"tcpdump -i any -s 0 -w slots.pcap port 2049");
}

static void run(const struct rule_input *in, struct diagnosis *out)
{
	const struct counters_span *told = NULL;

	for (size_t i = 0; i < in->counters->spans.len; i++) {
		const struct counters_span *s =
			*(struct counters_span **)vec_at(&in->counters->spans, i);

		if (!span_speaks(s) || (told && counters_same_mount(told, s)))
			continue;
		tell(out, s);
		told = s;
	}
}

const struct rule rule_nfs4_slots_counted = {
	.id = "nfs4-slots-exhausted",
	.needs = "mountstats of a mount of NFSv4.1 or later",
	.run = run,
};
