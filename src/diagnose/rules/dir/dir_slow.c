// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dir-server-slow: READDIR itself takes seconds at the server while it answers other calls at once
 * (catalogue D11): it reads a huge directory, or holds a lock on it.
 *
 * Silent where other calls are slow, too (the network, or the whole server). Where there are no
 * others to compare with, many answers of a fraction of a second each are compared with the
 * connection's handshake.
 */
#include "diagnose/rules/dir/dir_common.h"
#include "diagnose/rules/nfs4/nfs4_common.h"
#include "diagnose/rules/rules.h"

#include <inttypes.h>

/* People notice an answer that takes so long, or many that take a second. */
#define ONE_MIN_NS  (5 * STAMP_NS_PER_S)
#define MEAN_MIN_NS (1 * STAMP_NS_PER_S)
#define SUM_MIN_NS  (10 * STAMP_NS_PER_S)
enum { MEAN_CALLS_MIN = 5 };

static bool chain_has_replies(const struct dir_chain *c)
{
	return c->replies != 0 && !c->conn.lossy;
}

/* Single answers take long, or many a second each. */
static bool chain_speaks(const struct dir_chain *c)
{
	return c->rtt_max_ns >= ONE_MIN_NS ||
	       (c->replies >= MEAN_CALLS_MIN && c->rtt_sum_ns >= SUM_MIN_NS &&
		c->rtt_sum_ns / (int64_t)c->replies >= MEAN_MIN_NS);
}

static void tell(struct diagnosis *d, const struct dir_chain *c)
{
	struct finding *f = dir_finding(d, c, "dir-server-slow", CONFIDENCE_LIKELY);
	const char *most = nfs4_duration_text(d, c->rtt_max_ns);
	const char *others = nfs4_duration_text(d, dir_chain_others_ns(c));

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
			 "READDIR takes %s on average, other calls %s",
			 nfs4_duration_text(d, c->rtt_sum_ns / (int64_t)c->replies), others);
	finding_rule_out(d, f, "rpc-server-slow", "other calls are answered in %s on average",
			 others);
}

/* Many answers of a fraction of a second each; nothing but the path is there to compare with. */
static void pages_tell(struct diagnosis *d, const struct dir_chain *c, int64_t path_ns)
{
	struct finding *f = dir_finding(d, c, "dir-server-slow", CONFIDENCE_POSSIBLE);
	const char *mean = nfs4_duration_text(d, c->made_sum_ns / (int64_t)c->replies);
	const char *sum = nfs4_duration_text(d, c->made_sum_ns);
	const char *path = nfs4_duration_text(d, path_ns);

	f->title = arena_format(&d->arena,
				"the server takes %s for each READDIR of one directory: %s for "
				"%" PRIu64 " of them",
				mean, sum, c->replies);
	f->why = arena_format(
		&d->arena,
		"%" PRIu64 " answers to READDIR began %s after their calls on average, %s in all. "
		"The handshake of the same connection took %s there and back: neither that way nor "
		"the size of the answers takes the time. Too few other calls were answered "
		"meanwhile to tell whether it is READDIR alone that is slow, or all that the "
		"server does (or a queue on the way that was not there at the handshake).",
		c->replies, mean, sum, path);
	finding_cite(d, f, &c->slowest, &c->conn, "the slowest answer, after %s",
		     nfs4_duration_text(d, c->rtt_max_ns));
	finding_cite(d, f, &c->first, &c->conn, "the first call of the listing");
	finding_cite(d, f, &c->last, &c->conn, "the last answer that was seen");
	finding_rule_out(d, f, "dir-listing-rtt-bound",
			 "an answer takes %s, the connection's handshake took %s", mean, path);
	finding_add_remedy(d, f,
			   "`stat` a file of another directory while a listing waits. If that "
			   "comes at once, it is this directory; if not, the server or the "
			   "network.");
}

/* Answers that took long, and what other calls took meanwhile; true: told. */
static bool chain_tell(const struct rule_input *in, struct diagnosis *d, const struct dir_chain *c)
{
	int64_t path_ns;
	bool alone = dir_chain_others_ns(c) == 0;
	bool speaks = chain_speaks(c);

	if (alone && !speaks) {
		if (!dir_chain_pages_are_slow(in, c, &path_ns))
			return false;
		pages_tell(d, c, path_ns);
		return true;
	}
	if (!speaks && !dir_chain_pages_are_long(in, c))
		return false;
	if (alone) {
		diagnosis_undecided(
			d, "dir-server-slow",
			"other calls to the server in the same time, to compare with",
			"tcpdump -s 0 -w listing.pcap port 2049, and `stat` of a file in "
			"another directory while the listing waits");
		return false;
	}
	if (!dir_chain_takes_longer(c, speaks ? c->rtt_sum_ns : c->made_sum_ns))
		return false;
	tell(d, c);
	return true;
}

static void run(const struct rule_input *in, struct diagnosis *out)
{
	const struct dir_chain *before = NULL;
	struct vec chains;

	dir_chains_select(in->dirs, chain_has_replies, &chains);
	for (size_t i = 0; i < chains.len; i++) {
		const struct dir_chain *c = *(struct dir_chain **)vec_at(&chains, i);

		if (before && dir_chain_same_dir(before, c))
			continue;
		if (chain_tell(in, out, c))
			before = c;
	}
	vec_deinit(&chains);
}

const struct rule rule_dir_server_slow = {
	.id = "dir-server-slow",
	.needs = "a capture of READDIR and of other calls",
	.run = run,
};
