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

#include <inttypes.h>

/* People notice an answer that takes so long, or many that take a second. */
#define ONE_MIN_NS   (5 * STAMP_NS_PER_S)
#define MEAN_MIN_NS  (1 * STAMP_NS_PER_S)
#define SUM_MIN_NS   (10 * STAMP_NS_PER_S)
#define TIMES_OTHERS 10 /* as long as other calls take on average */
enum { OTHERS_MIN = 20, MEAN_CALLS_MIN = 5 };

static bool chain_speaks(const struct dir_chain *c)
{
	if (c->replies == 0 || c->conn.lossy)
		return false;
	return c->rtt_max_ns >= ONE_MIN_NS ||
	       (c->replies >= MEAN_CALLS_MIN && c->rtt_sum_ns >= SUM_MIN_NS &&
		c->rtt_sum_ns / (int64_t)c->replies >= MEAN_MIN_NS);
}

/* How long other calls took at the server in that time, on average; 0: too few to tell. */
static int64_t others_ns(const struct dir_chain *c)
{
	int64_t mean_ns;

	if (c->other_calls < OTHERS_MIN)
		return 0;
	mean_ns = c->other_rtt_sum_ns / (int64_t)c->other_calls;
	return mean_ns > 0 ? mean_ns : 1;
}

static void tell(struct diagnosis *d, const struct dir_chain *c)
{
	struct finding *f = dir_finding(d, c, "dir-server-slow", CONFIDENCE_LIKELY);
	const char *most = nfs4_duration_text(d, c->rtt_max_ns);
	const char *others = nfs4_duration_text(d, others_ns(c));

	f->title =
		arena_format(&d->arena,
			     "READDIR of one directory takes up to %s at the server, other calls "
			     "%s",
			     most, others);
	f->why = arena_format(
		&d->arena,
		"%" PRIu64 " answers to READDIR took %s on average and %s at most. The %" PRIu64
		" other calls (GETATTR, LOOKUP, ACCESS, READ) that this server answered from the "
		"first to the last of them took %s on average: neither the network nor the server "
		"as a whole is slow.",
		c->replies, nfs4_duration_text(d, c->rtt_sum_ns / (int64_t)c->replies), most,
		c->other_calls, others);
	finding_cite(d, f, &c->slowest, &c->conn, "the slowest answer, after %s", most);
	finding_cite(d, f, &c->first, &c->conn, "the first call of the listing");
	finding_cite(d, f, &c->last, &c->conn, "the last answer that was seen");
	finding_rule_out(d, f, "dir-listing-rtt-bound",
			 "single answers take %s, which is no round trip", most);
	finding_rule_out(d, f, "rpc-server-slow", "other calls are answered in %s on average",
			 others);
}

static void run(const struct rule_input *in, struct diagnosis *out)
{
	const struct dir_chain *before = NULL;
	struct vec chains;

	dir_chains_select(in->dirs, chain_speaks, &chains);
	for (size_t i = 0; i < chains.len; i++) {
		const struct dir_chain *c = *(struct dir_chain **)vec_at(&chains, i);
		int64_t others = others_ns(c);

		if (before && dir_chain_same_dir(before, c))
			continue;
		if (others == 0) {
			diagnosis_undecided(
				out, "dir-server-slow",
				"other calls to the server in the same time, to compare with",
				"tcpdump -s 0 -w listing.pcap port 2049, and `stat` of a file in "
				"another directory while the listing waits");
		} else if (c->rtt_sum_ns / (int64_t)c->replies / TIMES_OTHERS >= others) {
			tell(out, c);
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
