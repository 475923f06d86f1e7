// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dir-cookie-loop: in one listing the same cookie comes twice, so the listing goes in a circle or
 * entries cannot be told apart (catalogue D8), or replies bring neither entries nor the end, so it
 * never ends (D9).
 *
 * Silent where the client asks twice with one cookie, as several processes do and as one does that
 * starts again at a place: a loop is what the server's answers make.
 */
#include "diagnose/rules/dir/dir_common.h"
#include "diagnose/rules/nfs4/nfs4_common.h"
#include "diagnose/rules/rules.h"

#include <inttypes.h>

/* Replies with neither entries nor the end: once, a server may skip what is being removed. */
enum { EMPTY_MIN = 4 };

/* A circle that the client went round so often is no seek back by a program. */
enum { ROUNDS_MIN = 2 };

static bool chain_speaks(const struct dir_chain *c)
{
	return c->same_cookies || c->empty >= EMPTY_MIN || c->rounds >= ROUNDS_MIN;
}

static void tell_same(struct diagnosis *d, struct finding *f, const struct dir_chain *c)
{
	f->title = arena_format(&d->arena, "two entries of a directory have the same cookie (%s)",
				nfs4_count_text(d, c->same_cookies, "entry", "entries"));
	f->why = "A cookie is the place at which a listing goes on. Where two entries have the "
		 "same, whoever goes on there gets the second one again or misses it; Linux "
		 "clients that notice end the listing with ELOOP.";
	finding_cite(d, f, &c->same_cookie, &c->conn,
		     "an entry has the cookie of the one before it");
}

static void tell_round(struct diagnosis *d, struct finding *f, const struct dir_chain *c)
{
	f->title = arena_format(
		&d->arena, "a listing of a directory goes in a circle: %" PRIu64 " calls in %s",
		c->calls, nfs4_duration_text(d, dir_chain_elapsed_ns(c)));
	f->why = arena_format(
		&d->arena,
		"Each call asks with the last cookie of the reply before it, and comes "
		"back to a cookie that it had asked with before, %" PRIu64
		" times: the server's cookies lead in a circle.",
		c->rounds);
	finding_cite(d, f, &c->round_from, &c->conn, "a call with this cookie");
	finding_cite(d, f, &c->round_to, &c->conn, "the same cookie in the same listing");
}

static void tell_endless(struct diagnosis *d, struct finding *f, const struct dir_chain *c)
{
	f->title = arena_format(&d->arena,
				"a listing of a directory does not end: %" PRIu64
				" replies without entries and without the end",
				c->empty);
	f->why = arena_format(&d->arena,
			      "%" PRIu64 " replies in a row bring no entry and do not say that the "
			      "directory ends, so the client asks again with the same cookie.",
			      c->empty);
	finding_cite(d, f, &c->empty_last, &c->conn, "the last reply of that kind");
}

static void tell(struct diagnosis *d, const struct dir_chain *c)
{
	bool endless = c->rounds >= ROUNDS_MIN || c->empty >= EMPTY_MIN;
	struct finding *f = dir_finding(d, c, "dir-cookie-loop",
					endless ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY);

	if (c->rounds >= ROUNDS_MIN)
		tell_round(d, f, c);
	else if (c->empty >= EMPTY_MIN)
		tell_endless(d, f, c);
	else
		tell_same(d, f, c);
	if (c->same_cookies)
		finding_cite(d, f, &c->same_cookie, &c->conn,
			     "an entry has the cookie of the one before it");
	finding_cite(d, f, &c->first, &c->conn, "the listing's first call");
	finding_cite(d, f, &c->last, &c->conn, "the last reply that was seen");
	finding_rule_out(d, f, "dir-listing-restarted",
			 "the client goes on with cookies from the replies, and not with 0");
}

static void run(const struct rule_input *in, struct diagnosis *out)
{
	const struct dir_chain *before = NULL;
	struct vec chains;

	dir_chains_select(in->dirs, chain_speaks, &chains);
	for (size_t i = 0; i < chains.len; i++) {
		const struct dir_chain *c = *(struct dir_chain **)vec_at(&chains, i);

		if (!before || !dir_chain_same_dir(before, c))
			tell(out, c);
		before = c;
	}
	vec_deinit(&chains);
}

const struct rule rule_dir_cookie_loop = {
	.id = "dir-cookie-loop",
	.needs = "a capture of whole READDIR calls and replies",
	.run = run,
};
