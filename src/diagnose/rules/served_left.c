// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * rpc-server-silent by the server's own trace: calls that its threads put off (svc_defer) or
 * dropped (svc_drop), and that none of them took up again or answered.
 *
 * nfsd puts a call off when it needs what a program in user space tells: who the client is, what is
 * exported to it, what groups or names somebody has (net/sunrpc/cache.c, cache_defer_req). The
 * questions are traced, too (cache_entry_upcall), and what is told (cache_entry_update).
 *
 * A copy of a call that another thread is at is dropped, rightly (fs/nfsd/nfscache.c, RC_DROPIT):
 * the model leaves it out.
 */
#include "diagnose/rules/log_common.h"
#include "diagnose/rules/nfs4/nfs4_common.h"
#include "diagnose/rules/nfs4/nfs4_trace.h"
#include "diagnose/rules/rules.h"

#include <inttypes.h>
#include <string.h>

#include "model/served.h"

/* A client sends again what was dropped, and is answered then: it takes longer than that. */
#define LONG_NS (10 * STAMP_NS_PER_S)

enum { CITES_MAX = 8 };

/* What one host left unanswered. */
struct unanswered {
	size_t put_off, dropped;
	int64_t longest_ns;
	const struct served_left *first; /* the one that waits longest */
};

/* Of a thread of nfsd, as far as it told: both services are its own. */
static bool is_nfsd(const struct served_left *l)
{
	return strcmp(l->call.service, "nfsd") == 0 || strcmp(l->call.service, "nfsacl") == 0;
}

/* How long the call has gone without an answer when the trace ends; -1: nobody knows. */
static int64_t left_ns(const struct served_host *h, const struct served_left *l)
{
	/* A thread puts a call off before it is known of what service it is (svc_authenticate). */
	bool unknown = l->how != SERVED_DROPPED && l->call.service[0] == '\0';

	if (l->at_work || (!is_nfsd(l) && !unknown))
		return -1;
	return served_between(&l->first, &h->last);
}

static struct unanswered unanswered_of(const struct served_host *h)
{
	struct unanswered u = {0};

	for (size_t i = 0; i < h->left_len; i++) {
		int64_t ns = left_ns(h, &h->left[i]);

		if (ns < LONG_NS)
			continue;
		if (h->left[i].how == SERVED_DROPPED)
			u.dropped++;
		else
			u.put_off++;
		if (ns > u.longest_ns) {
			u.longest_ns = ns;
			u.first = &h->left[i];
		}
	}
	return u;
}

/* Who answers the questions of this cache. */
static const char *program_of(const char *cache)
{
	static const struct {
		const char *start, *program;
	} programs[] = {
		{"nfsd.", "rpc.mountd"},
		{"auth.unix.", "rpc.mountd"},
		{"nfs4.", "rpc.idmapd"},
		{"auth.rpcsec.", "gssproxy or rpc.svcgssd"},
	};

	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		if (strncmp(cache, programs[i].start, strlen(programs[i].start)) == 0)
			return programs[i].program;
	return NULL;
}

/* The question that has waited longest for its answer, from before a call was put off. */
static const struct served_cache *asked_of(const struct served_host *h)
{
	const struct served_cache *oldest = NULL;

	for (size_t i = 0; i < h->caches_len; i++) {
		const struct served_cache *c = &h->caches[i];

		if (c->count == 0 || !program_of(c->name) ||
		    served_between(&c->asked, &h->last) < LONG_NS)
			continue;
		if (!oldest || served_between(&c->asked, &oldest->asked) >= 0)
			oldest = c;
	}
	return oldest;
}

static const char *how_text(const struct unanswered *u)
{
	if (u->dropped == 0)
		return "put off";
	return u->put_off ? "put off or dropped" : "dropped";
}

static const char *cause_text(struct diagnosis *d, const struct unanswered *u,
			      const struct served_cache *asked)
{
	if (u->put_off == 0)
		return "A thread drops a call, besides a copy of one that is under way, for want "
		       "of memory, where the caller's credentials cannot be checked, or where it "
		       "puts the call off for a program in user space, which svc_defer would tell "
		       "if it was traced. ";
	if (asked)
		return arena_format(
			&d->arena,
			"A thread puts a call off while a program in user space is asked for "
			"something: here %s of the cache %s, and nothing was told since. That is "
			"what %s is there for: see whether it runs, and what it waits for (its "
			"stack, the name service that it asks). ",
			nfs4_count_text(d, asked->count, "question", "questions"),
			log_text(d, asked->name), program_of(asked->name));
	return "A thread puts a call off while a program in user space is asked for something; "
	       "which one this trace does not tell: trace sunrpc:cache_entry_upcall and "
	       "sunrpc:cache_entry_update, and see whether rpc.mountd, rpc.idmapd and gssproxy "
	       "(or rpc.svcgssd) run. ";
}

static const char *left_text(const struct served_left *l)
{
	if (l->how == SERVED_PUT_OFF)
		return "is put off";
	return l->how == SERVED_GIVEN_UP ? "was put off, and is dropped" : "is dropped";
}

static void cite_left(struct diagnosis *d, struct finding *f, const struct served_left *l)
{
	const char *times =
		l->times == 1
			? ""
			: arena_format(&d->arena, ", the last of %" PRIu64 " times", l->times);

	if (l->call.has_client)
		finding_add_client(d, f, &l->call.client);
	log_finding_span(f, &l->first);
	finding_cite(d, f, &l->last, NULL, "%s (XID 0x%08" PRIx32 ") %s%s, and not answered",
		     l->call.procedure[0] ? log_text(d, l->call.procedure) : "a call", l->call.xid,
		     left_text(l), times);
}

static void tell(struct diagnosis *d, const struct served_host *h, const struct unanswered *u)
{
	struct finding *f = diagnosis_add(d, "rpc-server-silent", CONFIDENCE_LIKELY);
	const struct served_cache *asked = u->put_off ? asked_of(h) : NULL;
	const char *count = nfs4_count_text(d, u->put_off + u->dropped, "call", "calls");
	size_t cited = 0;

	finding_subject(d, f, "trace of", "%s", nfs4_trace_host_text(d, h->name, h->told));
	f->host = log_text(d, h->name);
	f->first = u->first->first.at;
	f->last = h->last.at;
	f->count = u->put_off + u->dropped;
	f->title =
		arena_format(&d->arena, "the server's own threads %s %s, unanswered for up to %s",
			     how_text(u), count, nfs4_duration_text(d, u->longest_ns));
	f->why = arena_format(
		&d->arena,
		"By the server's own trace the calls have come, and its threads %s %s%s without an "
		"answer (svc_defer, svc_drop); until the trace ends, up to %s later, none of them "
		"was answered. %sIn the same trace %s answered: the network has no "
		"part in it.",
		how_text(u), h->left_beyond ? "at least " : "", count,
		nfs4_duration_text(d, u->longest_ns), cause_text(d, u, asked),
		nfs4_count_text(d, h->calls, "call was", "calls were"));
	for (size_t i = 0; i < h->left_len && cited < CITES_MAX; i++)
		if (left_ns(h, &h->left[i]) >= LONG_NS) {
			cite_left(d, f, &h->left[i]);
			cited++;
		}
	if (asked)
		finding_cite(d, f, &asked->asked, NULL,
			     "the kernel asks for an entry of %s, and is told none since",
			     log_text(d, asked->name));
	finding_cite(d, f, &h->last, NULL, "the trace goes on until here");
	finding_rule_out(d, f, "tcp-path-silent", "the calls have come to the server's threads");
	if (!nfs4_trace_was_told(d, "nfsd-threads-stuck"))
		finding_rule_out(d, f, "nfsd-threads-stuck",
				 "the threads are done with these calls, and free");
}

static void run(const struct rule_input *in, struct diagnosis *out)
{
	for (size_t i = 0; in->served && i < in->served->hosts.len; i++) {
		const struct served_host *h =
			*(struct served_host *const *)vec_at(&in->served->hosts, i);
		struct unanswered u = unanswered_of(h);

		/*
		 * Where no call is answered, answers were not traced; and of several traces of one
		 * host another one may have them (one of each CPU).
		 */
		if (u.first && h->calls && h->files == 1)
			tell(out, h, &u);
	}
}

const struct rule rule_served_left = {
	.id = "rpc-server-silent",
	.needs = "a server's trace of sunrpc (svc_process, svc_send, svc_defer and svc_drop)",
	.run = run,
};
