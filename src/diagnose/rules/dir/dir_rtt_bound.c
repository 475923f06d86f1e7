// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dir-listing-rtt-bound: a listing of a huge directory takes long because its calls go one after
 * the other, each an ordinary round trip (catalogue D5): it is slow, and it does not hang.
 *
 * Silent where something else takes the time: gaps between the calls (the client does other things,
 * or waits for a lock of its own), single slow answers or answers that take many times what the
 * path takes (the server), or a call for each entry.
 */
#include "diagnose/rules/dir/dir_common.h"
#include "diagnose/rules/nfs4/nfs4_common.h"
#include "diagnose/rules/rules.h"
#include "model/call.h"

#include <inttypes.h>

enum { PROGRAM_NFS = 100003, PROGRAM_NFSACL = 100227 };
enum { V3_READDIR = 16, V3_READDIRPLUS = 17 };

/* A person complains about tens of seconds, and a huge directory has thousands of entries. */
#define ELAPSED_MIN_NS (20 * STAMP_NS_PER_S)
enum { CALLS_MIN = 50, ENTRIES_MIN = 5000 };

/* An ordinary round trip: as far as around the world, and none that stands out by far. */
#define RTT_MEAN_MAX_NS (300 * STAMP_NS_PER_MS)
#define RTT_ONE_MAX_NS  (2 * STAMP_NS_PER_S)

/* Of the elapsed time at least so much is spent in round trips, in percent. */
enum { SHARE_MIN_PERCENT = 75 };

static int64_t mean_ns(const struct dir_chain *c)
{
	return c->rtt_sum_ns / (int64_t)c->replies;
}

static bool chain_speaks(const struct dir_chain *c)
{
	int64_t elapsed_ns = dir_chain_elapsed_ns(c);

	return elapsed_ns >= ELAPSED_MIN_NS && c->calls >= CALLS_MIN && c->entries >= ENTRIES_MIN &&
	       c->repeats == 0 && c->rtt_sum_ns / SHARE_MIN_PERCENT >= elapsed_ns / 100 &&
	       mean_ns(c) <= RTT_MEAN_MAX_NS && c->rtt_max_ns <= RTT_ONE_MAX_NS;
}

/* Calls of NFS that list nothing: where they are as many as the entries, it is they that cost. */
static uint64_t other_calls(const struct call_model *calls)
{
	uint64_t others = 0, listing_ops = 0;

	for (size_t i = 0; i < calls->stats.len; i++) {
		const struct call_stats *s = *(struct call_stats **)vec_at(&calls->stats, i);

		if (s->program != PROGRAM_NFS && s->program != PROGRAM_NFSACL)
			continue;
		if (s->version != 3 || s->program != PROGRAM_NFS ||
		    (s->procedure != V3_READDIR && s->procedure != V3_READDIRPLUS))
			others += s->calls;
	}
	for (size_t i = 0; i < calls->ops.len; i++) {
		const struct call_op_stats *s = *(struct call_op_stats **)vec_at(&calls->ops, i);

		if (s->op == 26 && !s->callback) /* READDIR */
			listing_ops += s->calls;
	}
	return others > listing_ops ? others - listing_ops : 0;
}

static const char *dir_entries_prefix(const struct dir_chain *c)
{
	if (c->skipped)
		return "about ";
	return c->state == DIR_COMPLETE && !c->joined && !c->cut ? "" : "at least ";
}

static void tell(struct diagnosis *d, const struct dir_chain *c)
{
	struct finding *f = dir_finding(d, c, "dir-listing-rtt-bound", CONFIDENCE_LIKELY);
	const char *elapsed = nfs4_duration_text(d, dir_chain_elapsed_ns(c));

	f->title = arena_format(&d->arena,
				"listing a directory of %s%" PRIu64 " entries took %s: %" PRIu64
				" calls, one after the other",
				dir_entries_prefix(c), c->entries, elapsed, c->calls);
	f->why = arena_format(
		&d->arena,
		"%" PRIu64 " calls of %s on average (%s at most) are %s of the %s. Each call needs "
		"the cookie that the one before it brought, so they cannot overlap: this is slow, "
		"and it does not hang. Each brought %" PRIu64 " entries.",
		c->calls, nfs4_duration_text(d, mean_ns(c)), nfs4_duration_text(d, c->rtt_max_ns),
		nfs4_duration_text(d, c->rtt_sum_ns), elapsed, c->entries / c->replies);
	finding_cite(d, f, &c->first, &c->conn, "the first call of the listing");
	finding_cite(d, f, &c->slowest, &c->conn, "the slowest answer, after %s",
		     nfs4_duration_text(d, c->rtt_max_ns));
	finding_cite(d, f, &c->last, &c->conn,
		     c->state == DIR_COMPLETE ? "the last answer: end of directory"
					      : "the last answer that was seen");
	finding_rule_out(d, f, "dir-server-slow", "no answer took longer than %s",
			 nfs4_duration_text(d, c->rtt_max_ns));
}

/* Its answers take long at the server (dir_slow.c), and not on the way. */
static bool server_is_slow(const struct rule_input *in, const struct dir_chain *c)
{
	int64_t path_ns;

	return dir_chain_pages_are_slow(in, c, &path_ns) ||
	       (dir_chain_pages_are_long(in, c) && dir_chain_takes_longer(c, c->made_sum_ns));
}

/* The same directory listed ten times is one finding: the longest. */
static void run(const struct rule_input *in, struct diagnosis *out)
{
	uint64_t others = other_calls(in->calls);
	const struct dir_chain *before = NULL;
	struct vec chains;

	dir_chains_select(in->dirs, chain_speaks, &chains);
	for (size_t i = 0; i < chains.len; i++) {
		const struct dir_chain *c = *(struct dir_chain **)vec_at(&chains, i);

		if (others >= c->entries || server_is_slow(in, c))
			continue;
		if (!before || !dir_chain_same_dir(before, c))
			tell(out, c);
		before = c;
	}
	vec_deinit(&chains);
}

const struct rule rule_dir_listing_rtt_bound = {
	.id = "dir-listing-rtt-bound",
	.needs = "a capture of whole READDIR calls and replies",
	.run = run,
};
