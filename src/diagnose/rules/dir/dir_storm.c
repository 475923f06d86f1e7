// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dir-attribute-storm, as captures tell it: while a client lists a directory, or right after, the
 * entries of it are asked for one by one, far more often than READDIR (catalogue D6, D7).
 *
 * Silent where the client works with the files (it opens, reads or writes them), where one file is
 * asked for again and again, and where it did not take long.
 */
#include "diagnose/rules/dir/dir_storm.h"
#include "diagnose/rules/nfs4/nfs4_common.h"
#include "diagnose/rules/rules.h"
#include "model/visit.h"

#include <inttypes.h>
#include <stdlib.h>

/* A listing with so many calls for single entries is no small directory, and people wait for it. */
enum { OBJECTS_MIN = 100 };

/*
 * Far above READDIR (DIR_STORM_CALLS_PER_LISTING_MIN): a reply to READDIR brings dozens to hundreds
 * of entries, so even a few calls for entries to each call for a listing mean that a good part of
 * what it brought is asked again.
 */

/* Linux keeps attributes of a file for 3 s at least (acregmin). */
#define ATTRIBUTES_FRESH_NS (3 * STAMP_NS_PER_S)

static bool calls_speak(const struct visit *v, const struct visit_calls *c)
{
	uint64_t calls = visit_calls_count(c);
	int64_t elapsed_ns = visit_elapsed_ns(v);

	return calls >= DIR_STORM_CALLS_MIN &&
	       calls / DIR_STORM_CALLS_PER_LISTING_MIN >= v->listing_calls &&
	       (v->dir == 0 || visit_calls_objects(c) >= OBJECTS_MIN) &&
	       v->work <= calls / 100 * DIR_STORM_WORK_MAX_PERCENT &&
	       elapsed_ns >= DIR_STORM_WAITED_MIN_NS && c->rtt_sum_ns >= DIR_STORM_WAITED_MIN_NS &&
	       c->rtt_sum_ns >= elapsed_ns / 2;
}

/* "4456 GETATTR, 12 LOOKUP". */
static const char *calls_text(struct diagnosis *d, const struct visit_calls *c)
{
	static const char *const names[VISIT_CALL_COUNT] = {
		[VISIT_GETATTR] = "GETATTR",
		[VISIT_LOOKUP] = "LOOKUP",
		[VISIT_ACCESS] = "ACCESS",
		[VISIT_GETACL] = "GETACL",
	};
	const char *text = "";

	for (unsigned i = 0; i < VISIT_CALL_COUNT; i++)
		if (c->count[i])
			text = arena_format(&d->arena, "%s%s%" PRIu64 " %s", text,
					    *text ? ", " : "", c->count[i], names[i]);
	return text;
}

/* Why they are asked for, as far as the wire tells. */
static const char *reason_text(struct diagnosis *d, const struct visit *v,
			       const struct visit_calls *c)
{
	uint64_t calls = visit_calls_count(c);

	if (v->changes)
		return arena_format(&d->arena,
				    " The directory changed meanwhile (%s, by its change attribute "
				    "or mtime): what "
				    "the client had cached of its names is stale each time.",
				    nfs4_count_text(d, v->changes, "time", "times"));
	if (c->count[VISIT_GETACL] >= calls / 2)
		return " What is asked for are ACLs: no listing brings those.";
	if (c == &v->linked && visit_elapsed_ns(v) > ATTRIBUTES_FRESH_NS &&
	    c->count[VISIT_GETATTR] >= calls / 2)
		return " The listing outlived the time for which a client trusts attributes (3 s "
		       "for files by default, acregmin; no time with noac), so what READDIR "
		       "brought is asked for "
		       "again, by each process that lists.";
	return "";
}

static void cite(struct diagnosis *d, struct finding *f, const struct visit *v,
		 const struct visit_calls *c)
{
	finding_cite(d, f, &c->first, &v->conn, "the first answer about a single entry");
	finding_cite(d, f, &c->last, &v->conn, "the last of %" PRIu64 " such answers",
		     visit_calls_count(c));
	finding_cite(d, f, &v->listing_first, &v->conn, "the first answer to READDIR");
	finding_cite(d, f, &v->listing_last, &v->conn, "the last of %" PRIu64 " such answers",
		     v->listing_calls);
	if (v->changes)
		finding_cite(d, f, &v->change, &v->conn,
			     "the directory has another change attribute (mtime) than before");
}

/* What a cut capture leaves open. */
static const char *cut_text(const struct visit *v, const struct visit_calls *c)
{
	if (c == &v->linked)
		return "";
	if (v->dir == 0)
		return " The calls are cut in the capture before the end of their file handles, so "
		       "it does not show which files and which directory that is; they overlap, so "
		       "it is not one program that asks for one file.";
	return " The replies to READDIR are cut in the capture, so it does not show that these "
	       "files "
	       "are the directory's: only that the client listed it meanwhile.";
}

static void tell_why(struct diagnosis *d, struct finding *f, const struct visit *v,
		     const struct visit_calls *c)
{
	uint64_t calls = visit_calls_count(c);
	const char *different = "";

	/* They are estimated, and cannot be more than the calls. */
	if (v->dir)
		different = arena_format(&d->arena, " (about %" PRIu64 " different ones)",
					 visit_calls_objects(c) < calls ? visit_calls_objects(c)
									: calls);
	f->why = arena_format(
		&d->arena,
		"%" PRIu64
		" calls for single %s%s waited %s in all, %s each on average; the %" PRIu64
		" calls that list waited %s.%s%s",
		calls, c == &v->linked ? "entries of the directory" : "files", different,
		nfs4_duration_text(d, c->rtt_sum_ns),
		nfs4_duration_text(d, c->rtt_sum_ns / (int64_t)calls), v->listing_calls,
		nfs4_duration_text(d, v->listing_rtt_sum_ns), reason_text(d, v, c), cut_text(v, c));
}

static void tell_missing(struct diagnosis *d, const char *missing)
{
	diagnosis_undecided(d, "dir-attribute-storm", missing,
			    "tcpdump -i any -s 0 -w listing.pcap port 2049");
}

/*
 * For single files, beside a listing, with the handles cut: one file that a program watches looks
 * the same as each of a thousand. But a program makes one such call at a time, and calls that
 * waited longer together than the time they took were several programs'.
 */
static bool calls_overlap(const struct visit_calls *c)
{
	int64_t elapsed_ns = c->last.at.ns - c->first.at.ns;
	int64_t first_ns = c->rtt_sum_ns / (int64_t)visit_calls_count(c);

	return c->rtt_sum_ns - 2 * first_ns > elapsed_ns;
}

static void tell_open(struct diagnosis *d)
{
	tell_missing(d, "whole file handles: many calls for single files beside a listing may be "
			"for each entry of the directory or for one file that is watched");
}

static void tell(struct diagnosis *d, const struct visit *v, const struct visit_calls *c)
{
	bool linked = c == &v->linked;
	uint64_t calls = visit_calls_count(c);
	struct finding *f = diagnosis_add(d, "dir-attribute-storm",
					  linked ? CONFIDENCE_LIKELY : CONFIDENCE_POSSIBLE);

	finding_set_server(d, f, &v->server);
	finding_add_client(d, f, &v->client);
	if (v->dir)
		finding_subject(d, f, "directory", "handle with hash 0x%08x (nfs.fh.hash)", v->dir);
	f->first = v->first.at;
	f->last = v->last.at;
	f->count = calls;
	f->title = arena_format(
		&d->arena, "%s: %s in %s, beside %" PRIu64 " READDIR",
		linked ? "a directory's entries are asked for one by one"
		       : "files are asked for one by one while a directory is listed",
		calls_text(d, c), nfs4_duration_text(d, visit_elapsed_ns(v)), v->listing_calls);
	tell_why(d, f, v, c);
	cite(d, f, v, c);
	finding_rule_out(d, f, "dir-listing-rtt-bound",
			 "%" PRIu64 " calls list, %" PRIu64 " ask for single files",
			 v->listing_calls, calls);
	if (!linked)
		tell_missing(d, "whole calls and replies of READDIR, which tell whose entries the "
				"files are");
}

/* By server, client, directory, time. */
static int visit_order(const void *a, const void *b)
{
	const struct visit *x = *(struct visit *const *)a;
	const struct visit *y = *(struct visit *const *)b;
	int order = endpoint_compare(&x->server, &y->server);

	if (order == 0)
		order = endpoint_compare(&x->client, &y->client);
	if (order == 0)
		order = (x->dir > y->dir) - (x->dir < y->dir);
	return order ? order
		     : (x->first.frame > y->first.frame) - (x->first.frame < y->first.frame);
}

static bool visit_linked(const struct visit *v)
{
	return calls_speak(v, &v->linked);
}

/* The visits that speak, in order: const struct visit *. */
static void select_visits(const struct visit_model *m, struct vec *visits)
{
	vec_init(visits, sizeof(struct visit *));
	for (size_t i = 0; i < longest_count(&m->visits); i++) {
		struct visit *v = longest_at(&m->visits, i);

		if (visit_linked(v) || calls_speak(v, &v->loose))
			*(struct visit **)vec_push(visits) = v;
	}
	if (visits->len)
		qsort(visits->items, visits->len, visits->item_bytes, visit_order);
}

/* The first visit at the mount's server that is (not) linked; NULL: none. */
static const struct visit *visit_at(const struct vec *visits, const struct counters_span *s,
				    bool linked)
{
	for (size_t i = 0; i < visits->len; i++) {
		const struct visit *v = *(struct visit **)vec_at(visits, i);

		if (s->stats.mount.server_is_address &&
		    endpoint_same_host(&v->server, &s->stats.mount.server_at) &&
		    visit_linked(v) == linked)
			return v;
	}
	return NULL;
}

static bool counted_at(const struct vec *spans, const struct visit *v)
{
	for (size_t i = 0; i < spans->len; i++) {
		const struct counters_span *s = *(struct counters_span **)vec_at(spans, i);

		if (s->stats.mount.server_is_address &&
		    endpoint_same_host(&v->server, &s->stats.mount.server_at))
			return true;
	}
	return false;
}

/*
 * A capture that shows whose entries are asked for says more than counters; one that is cut says
 * less, and then only adds its frames to what the counters say.
 */
static void run(const struct rule_input *in, struct diagnosis *out)
{
	struct vec visits, spans;

	select_visits(in->visits, &visits);
	dir_storm_counted(in->counters, &spans);
	for (size_t i = 0; i < visits.len; i++) {
		const struct visit *v = *(struct visit **)vec_at(&visits, i);

		if (visit_linked(v))
			tell(out, v, &v->linked);
		else if (counted_at(&spans, v))
			continue;
		else if (v->dir || calls_overlap(&v->loose))
			tell(out, v, &v->loose);
		else
			tell_open(out);
	}
	for (size_t i = 0; i < spans.len; i++) {
		const struct counters_span *s = *(struct counters_span **)vec_at(&spans, i);
		const struct visit *v = visit_at(&visits, s, false);
		struct finding *f;

		if (visit_at(&visits, s, true))
			continue;
		f = dir_storm_counted_tell(out, s);
		if (!v)
			continue;
		finding_add_client(out, f, &v->client);
		f->first = v->first.at;
		f->last = v->last.at;
		cite(out, f, v, &v->loose);
	}
	vec_deinit(&spans);
	vec_deinit(&visits);
}

const struct rule rule_dir_attribute_storm = {
	.id = "dir-attribute-storm",
	.needs = "a capture of the calls, or mountstats",
	.run = run,
};
