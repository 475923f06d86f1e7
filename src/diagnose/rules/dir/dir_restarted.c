// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dir-listing-restarted: a client lists a directory from the beginning again and again without
 * coming to its end, while the directory changes (catalogue D6).
 *
 * Silent without a change of the directory (programs that look at the first names only leave
 * listings behind, too), and where listings do come to their end. One whose last reply is not in
 * the evidence, or not whole, may have come to its end: it counts for neither.
 */
#include "diagnose/rules/dir/dir_common.h"
#include "diagnose/rules/nfs4/nfs4_common.h"
#include "diagnose/rules/rules.h"
#include "event/handle.h"
#include "model/visit.h"

#include <inttypes.h>

/* One that starts again after each change, and others beside it, make as many as a few. */
enum { RESTARTS_MIN = 4, CHANGES_MIN = 2 };
#define ELAPSED_MIN_NS (10 * STAMP_NS_PER_S)

/* What one client did with one directory. */
struct restarts {
	const struct dir_chain *first, *second, *last; /* restarted ones, in order of time */
	uint64_t count, complete, calls;
};

static bool chain_counts(const struct dir_chain *c)
{
	if (c->joined)
		return false;
	return c->state == DIR_COMPLETE ||
	       (c->state == DIR_RESTARTED && c->calls == c->replies && !c->cut);
}

static void restarts_add(struct restarts *r, const struct dir_chain *c)
{
	if (c->state == DIR_COMPLETE) {
		r->complete++;
		return;
	}
	r->count++;
	r->calls += c->calls;
	if (!r->first || c->first.frame < r->first->first.frame) {
		r->second = r->first;
		r->first = c;
	} else if (!r->second || c->first.frame < r->second->first.frame) {
		r->second = c;
	}
	if (!r->last || c->first.frame > r->last->first.frame)
		r->last = c;
}

static int64_t span_ns(const struct restarts *r)
{
	return r->last->last.frame == FRAME_NONE ? 0 : r->last->last.at.ns - r->first->first.at.ns;
}

/* The visit in which it happened, with the most changes; NULL: none has any. */
static const struct visit *visit_of(const struct visit_model *m, const struct dir_chain *c)
{
	uint32_t dir = file_handle_hash(&c->dir);
	const struct visit *best = NULL;

	for (size_t i = 0; i < longest_count(&m->visits); i++) {
		const struct visit *v = longest_at(&m->visits, i);

		if (v->dir == dir && v->changes >= CHANGES_MIN &&
		    endpoint_equal(&v->client, &c->client) &&
		    endpoint_equal(&v->server, &c->server) &&
		    (!best || v->changes > best->changes ||
		     (v->changes == best->changes && v->first.frame < best->first.frame)))
			best = v;
	}
	return best;
}

static void tell(struct diagnosis *d, const struct restarts *r, const struct visit *v)
{
	const struct dir_chain *c = r->first;
	struct finding *f = dir_finding(d, c, "dir-listing-restarted", CONFIDENCE_LIKELY);

	f->last = r->last->last.at;
	f->count = r->count;
	f->title = arena_format(&d->arena,
				"a listing began anew %" PRIu64 " times in %s while the directory "
				"changed, and never came to its end",
				r->count, nfs4_duration_text(d, span_ns(r)));
	f->why = arena_format(
		&d->arena,
		"%" PRIu64 " listings by this client, with %" PRIu64 " calls in all, were left "
		"before the end for a new one from cookie 0; %" PRIu64 " came to the end. The "
		"directory changed %" PRIu64
		" times meanwhile (its change attribute or mtime): each "
		"change makes what the client has cached of it invalid, and it begins again.",
		r->count, r->calls, r->complete, v->changes);
	finding_cite(d, f, &c->first, &c->conn, "the first of these listings begins (cookie 0)");
	finding_cite(d, f, &c->asked, &c->conn, "its last call: not at the end yet");
	finding_cite(d, f, &r->second->first, &r->second->conn, "cookie 0 again");
	finding_cite(d, f, &r->last->first, &r->last->conn, "and for the last time");
	finding_cite(d, f, &v->change, &v->conn, "the directory's change attribute differs");
	finding_rule_out(d, f, "dir-cookie-loop",
			 "no cookie but 0 is asked for twice in a listing");
}

static bool speaks(const struct restarts *r)
{
	return r->count >= RESTARTS_MIN && r->count > 2 * r->complete && r->second &&
	       span_ns(r) >= ELAPSED_MIN_NS;
}

static void run(const struct rule_input *in, struct diagnosis *out)
{
	struct vec chains;
	struct restarts r = {0};

	dir_chains_select(in->dirs, chain_counts, &chains);
	for (size_t i = 0; i < chains.len; i++) {
		const struct dir_chain *c = *(struct dir_chain **)vec_at(&chains, i);
		bool more = i + 1 < chains.len &&
			    dir_chain_same_dir(c, *(struct dir_chain **)vec_at(&chains, i + 1));
		const struct visit *v;

		restarts_add(&r, c);
		if (more)
			continue;
		v = speaks(&r) ? visit_of(in->visits, c) : NULL;
		if (v)
			tell(out, &r, v);
		r = (struct restarts){0};
	}
	vec_deinit(&chains);
}

const struct rule rule_dir_listing_restarted = {
	.id = "dir-listing-restarted",
	.needs = "a capture of whole READDIR calls and replies",
	.run = run,
};
