// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * rpc-retransmission as a client's own counters tell it: nfsstat -rc or /proc/net/rpc/nfs read
 * twice, or the mount's own counters (mountstats), which have calls and transmissions.
 *
 * What was counted since the host booted, or the mount was made, says nothing of when: then it
 * takes a good part of the calls, and it is only possible; as it is of two files, which may be of
 * two hosts. Silent where there is a capture: that shows each call.
 */
#include "diagnose/rules/counters/counters_common.h"
#include "diagnose/rules/host/host_readings.h"
#include "diagnose/rules/rules.h"
#include "diagnose/rules/timers.h"
#include "model/conn.h"
#include "model/host.h"

#include <inttypes.h>
#include <string.h>

/* Of the calls since the mount was made, and at least so many. */
enum { PERCENT_MIN = 1, REPEATS_MIN = 20 };

static const char *repeats_text(struct diagnosis *d, uint64_t repeats, uint64_t calls)
{
	return arena_format(&d->arena, "%" PRIu64 " of %" PRIu64 " calls were sent again", repeats,
			    calls);
}

static struct finding *begin(struct diagnosis *d, enum finding_confidence confidence,
			     uint64_t repeats, uint64_t calls)
{
	struct finding *f = diagnosis_add(d, "rpc-retransmission", confidence);

	f->count = repeats;
	f->title = repeats_text(d, repeats, calls);
	diagnosis_undecided(d, "rpc-retransmission",
			    "why no answer came in time: counters do not tell the network from the "
			    "server",
			    "tcpdump -i any -s 0 -w client.pcap port 2049; ss -tnoi");
	return f;
}

/* Readings of one file, or of files in one folder, which are of one host as far as anybody knows.
 */
static bool same_host(const struct rule_input *in, const struct host_record *a,
		      const struct host_record *b)
{
	return a->at.evidence == b->at.evidence ||
	       timers_one_folder(in, a->at.evidence, b->at.evidence);
}

/* The last reading of a client's counters before this one that it goes on from; NULL: none. */
static const struct host_record *reading_before(const struct rule_input *in,
						const struct host_record *later)
{
	const struct host_record *best = NULL, *r;
	size_t i = 0;

	while ((r = host_model_next(in->hosts, HOST_RPC_COUNTS, &i)) && r != later)
		if (!r->fact.counts.server && r->fact.counts.calls < later->fact.counts.calls &&
		    r->fact.counts.retransmissions <= later->fact.counts.retransmissions &&
		    same_host(in, r, later))
			best = r;
	return best;
}

/* How many hosts' readings there are is not told: more than two may be of two hosts. */
static size_t readings(const struct rule_input *in)
{
	const struct host_record *r, *last = NULL;
	size_t count = 0, i = 0;

	while ((r = host_model_next(in->hosts, HOST_RPC_COUNTS, &i))) {
		if (r->fact.counts.server ||
		    (last && last->fact.counts.calls == r->fact.counts.calls))
			continue;
		last = r;
		count++;
	}
	return count;
}

static void host_tell(const struct rule_input *in, struct diagnosis *d)
{
	const struct host_record *r, *before;
	size_t i = 0;

	if (readings(in) != 2)
		return;
	while ((r = host_model_next(in->hosts, HOST_RPC_COUNTS, &i))) {
		const struct rpc_counts_fact *now = &r->fact.counts;
		struct finding *f;
		uint64_t repeats;

		before = now->server ? NULL : reading_before(in, r);
		repeats = before ? now->retransmissions - before->fact.counts.retransmissions : 0;
		if (repeats == 0)
			continue;
		f = begin(d,
			  before->at.evidence == r->at.evidence ? CONFIDENCE_LIKELY
								: CONFIDENCE_POSSIBLE,
			  repeats, now->calls - before->fact.counts.calls);
		f->why = arena_format(
			&d->arena,
			"Between two readings of the client's counters %s: no answer had come when "
			"the client's timer ran out, or the connection broke.",
			f->title);
		finding_cite(d, f, &before->at, NULL,
			     "the first reading: %" PRIu64 " calls, %" PRIu64 " sent again",
			     before->fact.counts.calls, before->fact.counts.retransmissions);
		finding_cite(d, f, &r->at, NULL,
			     "the second one: %" PRIu64 " calls, %" PRIu64 " sent again",
			     now->calls, now->retransmissions);
		host_readings_support(in, d, f, r->at.evidence);
		return;
	}
}

static uint64_t less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

/* Why a mount's calls were sent again, as far as its connections tell. */
static const char *again_text(struct diagnosis *d, const struct counters_span *s)
{
	const struct mount_xprt_stats *x = &s->stats.xprt;
	struct slice options = s->stats.mount.options;
	bool udp = options.len && memmem(options.ptr, options.len, ",proto=udp", 10);

	if (s->before.frame == FRAME_NONE || x->count == 0 || udp)
		return "no answer had come when the client's timer ran out, or the connection "
		       "broke.";
	if (x->connects == 0)
		return "no answer had come when the client's timer ran out. The connection did not "
		       "break.";
	return arena_format(&d->arena,
			    "the connection broke, and was made anew %" PRIu64
			    " times, or no answer had come when the client's timer ran out.",
			    x->connects);
}

/* Timeouts that the log tells of, and answers that came too late. */
static const char *late_text(struct diagnosis *d, const struct counters_span *s)
{
	uint64_t timeouts = 0, bad_xids = s->stats.xprt.bad_xids;
	const char *text = "";

	for (uint32_t i = 0; i < s->stats.ops_len; i++)
		timeouts += s->stats.ops[i].timeouts & UINT32_MAX;
	if (timeouts)
		text = arena_format(&d->arena,
				    " %" PRIu64
				    " times a major timeout was over, of which a client "
				    "complains in its log (\"not responding\").",
				    timeouts);
	if (bad_xids)
		text = arena_format(&d->arena,
				    "%s %" PRIu64 " answers came to no call (bad XIDs): late ones, "
				    "to calls that had been answered or given up.",
				    text, bad_xids);
	return text;
}

static void mount_tell(const struct rule_input *in, struct diagnosis *d,
		       const struct counters_span *s, uint64_t repeats, uint64_t calls)
{
	bool between = s->before.frame != FRAME_NONE;
	struct finding *f =
		begin(d, between ? CONFIDENCE_LIKELY : CONFIDENCE_POSSIBLE, repeats, calls);

	counters_about(d, f, s);
	f->why = arena_format(&d->arena, "%s %s on this mount: %s%s", counters_span_text(d, s),
			      f->title, again_text(d, s), late_text(d, s));
	for (uint32_t i = 0; i < s->stats.ops_len; i++) {
		const struct mount_op_stats *op = &s->stats.ops[i];

		if (op->transmissions > op->calls)
			counters_cite(d, f, s, op);
	}
	if (between)
		host_readings_support(in, d, f, s->at.evidence);
}

static bool mounts_tell(const struct rule_input *in, struct diagnosis *d)
{
	const struct counters_span *told = NULL;

	/* Later readings, and what lies between them, come behind: they tell more. */
	for (size_t i = in->counters->spans.len; i > 0; i--) {
		const struct counters_span *s =
			*(struct counters_span **)vec_at(&in->counters->spans, i - 1);
		bool between = s->before.frame != FRAME_NONE;
		uint64_t repeats = 0, calls = 0;

		for (uint32_t k = 0; k < s->stats.ops_len; k++) {
			repeats += less(s->stats.ops[k].transmissions, s->stats.ops[k].calls) &
				   UINT32_MAX;
			calls += s->stats.ops[k].calls & UINT32_MAX;
		}
		if (repeats == 0 || (told && counters_same_mount(told, s)) ||
		    (!between && (repeats < REPEATS_MIN || repeats < calls / 100 * PERCENT_MIN)))
			continue;
		mount_tell(in, d, s, repeats, calls);
		told = s;
	}
	return told;
}

static void run(const struct rule_input *in, struct diagnosis *out)
{
	if (in->conns->records.len)
		return;
	/* The host's counters are those of its mounts together. */
	if (!mounts_tell(in, out))
		host_tell(in, out);
}

const struct rule rule_rpc_retransmission_counted = {
	.id = "rpc-retransmission",
	.needs = "two readings of a client's counters (nfsstat -rc, mountstats)",
	.run = run,
};
