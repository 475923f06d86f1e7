// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dir-server-slow: READDIR itself takes seconds at the server while it answers other calls at once
 * (catalogue D11): it reads a huge directory, or holds a lock on it.
 *
 * Silent where other calls are slow, too (the network, or the whole server), and where there are no
 * others to compare with.
 */
#include "diagnose/rules/dir_common.h"
#include "diagnose/rules/nfs4_common.h"
#include "diagnose/rules/rules.h"
#include "model/call.h"
#include "names/nfs3.h"
#include "names/nfs4.h"

#include <inttypes.h>

/* People notice an answer that takes so long, or many that take a second. */
#define ONE_MIN_NS   (5 * STAMP_NS_PER_S)
#define MEAN_MIN_NS  (1 * STAMP_NS_PER_S)
#define SUM_MIN_NS   (10 * STAMP_NS_PER_S)
#define TIMES_OTHERS 10 /* as long as nine of ten other calls take */
enum { OTHERS_MIN = 20, MEAN_CALLS_MIN = 5 };

static bool chain_speaks(const struct dir_chain *c)
{
	if (c->replies == 0 || c->conn.lossy)
		return false;
	return c->rtt_max_ns >= ONE_MIN_NS ||
	       (c->replies >= MEAN_CALLS_MIN && c->rtt_sum_ns >= SUM_MIN_NS &&
		c->rtt_sum_ns / (int64_t)c->replies >= MEAN_MIN_NS);
}

/* Calls of NFSv3 that need the server to look at its file system, but not to list. */
static bool stats_compare(const struct call_stats *s)
{
	return s->program == NFS_PROGRAM && s->version == NFS_V3 &&
	       (s->procedure == NFSPROC3_GETATTR || s->procedure == NFSPROC3_LOOKUP ||
		s->procedure == NFSPROC3_ACCESS || s->procedure == NFSPROC3_READ);
}

static bool op_compares(const struct call_op_stats *s)
{
	return !s->callback && (s->op == OP_GETATTR || s->op == OP_LOOKUP || s->op == OP_ACCESS ||
				s->op == OP_READ);
}

/* How long nine of ten other calls took at most, by the slowest kind; 0: too few to tell. */
static int64_t others_ns(const struct call_model *m, uint64_t *count)
{
	int64_t slowest_ns = 0;

	*count = 0;
	for (size_t i = 0; i < m->stats.len; i++) {
		const struct call_stats *s = *(struct call_stats **)vec_at(&m->stats, i);
		int64_t ns = hist_percentile(&s->latency, 90);

		if (!stats_compare(s) || s->latency.count == 0)
			continue;
		*count += s->latency.count;
		slowest_ns = ns > slowest_ns ? ns : slowest_ns;
	}
	for (size_t i = 0; i < m->ops.len; i++) {
		const struct call_op_stats *s = *(struct call_op_stats **)vec_at(&m->ops, i);
		int64_t ns = hist_percentile(&s->latency, 90);

		if (!op_compares(s) || s->latency.count == 0)
			continue;
		*count += s->latency.count;
		slowest_ns = ns > slowest_ns ? ns : slowest_ns;
	}
	return *count >= OTHERS_MIN ? slowest_ns : 0;
}

static void tell(struct diagnosis *d, const struct dir_chain *c, int64_t others, uint64_t count)
{
	struct finding *f = dir_finding(d, c, "dir-server-slow", CONFIDENCE_LIKELY);
	const char *most = nfs4_duration_text(d, c->rtt_max_ns);

	f->title =
		arena_format(&d->arena,
			     "READDIR of one directory takes up to %s at the server, other calls "
			     "%s",
			     most, nfs4_duration_text(d, others));
	f->why = arena_format(
		&d->arena,
		"%" PRIu64 " answers to READDIR took %s on average and %s at most. Nine of ten of "
		"the %" PRIu64 " other calls (GETATTR, LOOKUP, ACCESS, READ) in this evidence took "
		"at most %s: neither the network nor the server as a whole is slow.",
		c->replies, nfs4_duration_text(d, c->rtt_sum_ns / (int64_t)c->replies), most, count,
		nfs4_duration_text(d, others));
	finding_cite(d, f, &c->slowest, &c->conn, "the slowest answer, after %s", most);
	finding_cite(d, f, &c->first, &c->conn, "the first call of the listing");
	finding_cite(d, f, &c->last, &c->conn, "the last answer that was seen");
	finding_rule_out(d, f, "dir-listing-rtt-bound",
			 "single answers take %s, which is no round trip", most);
	finding_rule_out(d, f, "rpc-server-slow", "other calls are answered within %s",
			 nfs4_duration_text(d, others));
}

static void run(const struct rule_input *in, struct diagnosis *out)
{
	const struct dir_chain *before = NULL;
	uint64_t count;
	int64_t others = others_ns(in->calls, &count);
	struct vec chains;

	dir_chains_select(in->dirs, chain_speaks, &chains);
	if (chains.len && others == 0)
		diagnosis_undecided(out, "dir-server-slow",
				    "other calls to the server in the same time, to compare with",
				    "tcpdump -s 0 -w listing.pcap port 2049, and `stat` of a file "
				    "in another directory while the listing waits");
	for (size_t i = 0; i < chains.len && others; i++) {
		const struct dir_chain *c = *(struct dir_chain **)vec_at(&chains, i);

		if ((!before || !dir_chain_same_dir(before, c)) &&
		    c->rtt_sum_ns / (int64_t)c->replies / TIMES_OTHERS >= others) {
			tell(out, c, others, count);
			before = c;
		}
	}
	vec_deinit(&chains);
}

const struct rule rule_dir_server_slow = {
	.id = "dir-server-slow",
	.needs = "a capture of READDIR and of other calls",
	.run = run,
};
