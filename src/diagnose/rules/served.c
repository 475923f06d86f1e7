// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nfsd-threads-stuck and rpc-server-slow by the server's own trace (svc_process, svc_send): a
 * thread that has begun a call and does not end it, or ended it late. The network has no part in
 * that time.
 *
 * A thread begins its next call only when it is done with the one before: what is open is what the
 * thread is at. Where the tracer lost lines, what was open then is not known.
 */
#include "diagnose/rules/log_common.h"
#include "diagnose/rules/nfs4/nfs4_common.h"
#include "diagnose/rules/nfs4/nfs4_trace.h"
#include "diagnose/rules/rules.h"

#include <inttypes.h>
#include <string.h>

#include "model/served.h"

/*
 * As long as a client's first timeout where it is short (lockd: 10 s): what takes longer shows. A
 * disk that spins up, or a burst of writes, takes less.
 */
#define LONG_NS (10 * STAMP_NS_PER_S)

static const struct served_host *host_at(const struct served_model *m, size_t index)
{
	return *(struct served_host *const *)vec_at(&m->hosts, index);
}

/* How long a thread of nfsd has been at its call when the trace ends; -1: at none. */
static int64_t open_ns(const struct served_thread *t)
{
	if (t->call.begun.frame == FRAME_NONE || strcmp(t->call.service, "nfsd") != 0)
		return -1;
	return served_between(&t->call.begun, &t->host->last);
}

static struct finding *begin(struct diagnosis *d, const char *id, const struct served_host *h)
{
	struct finding *f = diagnosis_add(d, id, CONFIDENCE_LIKELY);

	finding_subject(d, f, "trace of", "%s", nfs4_trace_host_text(d, h->name, h->told));
	f->host = log_text(d, h->name);
	return f;
}

/* "COMPOUND of nfsd" */
static const char *call_text(struct diagnosis *d, const struct served_call *c)
{
	return arena_format(&d->arena, "%s of %s",
			    c->procedure[0] ? log_text(d, c->procedure) : "a call",
			    c->service[0] ? log_text(d, c->service) : "a service");
}

/* What one host's threads are at. */
struct stuck {
	size_t count;
	int64_t longest_ns;
	const struct served_thread *first;
};

static struct stuck stuck_of(const struct served_host *h)
{
	struct stuck s = {0};

	for (size_t i = 0; i < h->threads.len; i++) {
		const struct served_thread *t =
			*(struct served_thread *const *)vec_at(&h->threads, i);

		if (open_ns(t) < LONG_NS)
			continue;
		s.count++;
		if (open_ns(t) > s.longest_ns) {
			s.longest_ns = open_ns(t);
			s.first = t;
		}
	}
	return s;
}

static void tell_stuck(struct diagnosis *d, const struct served_host *h, const struct stuck *s)
{
	struct finding *f = begin(d, "nfsd-threads-stuck", h);

	f->first = s->first->call.begun.at;
	f->last = h->last.at;
	f->count = s->count;
	f->title = arena_format(&d->arena,
				"%s of the server %s at a call for up to %s and not done with it",
				nfs4_count_text(d, s->count, "thread", "threads"),
				s->count == 1 ? "is" : "are", nfs4_duration_text(d, s->longest_ns));
	f->why = arena_format(
		&d->arena,
		"The server's trace has each of these threads begin a call (svc_process) and no "
		"end of it (svc_send) until the trace ends, up to %s later; the trace shows %s "
		"in all, which finished %s. A thread that has begun a call is in the server's "
		"own hands: it sleeps in the exported file system, or in a call of nfsd's own. "
		"The network has no part in it, and clients get no answer. In what it sleeps its "
		"stack "
		"tells: cat /proc/%" PRId64 "/stack.",
		nfs4_duration_text(d, s->longest_ns),
		nfs4_count_text(d, h->threads.len, "thread", "threads"),
		nfs4_count_text(d, h->calls, "call", "calls"), s->first->pid);
	for (size_t i = 0; i < h->threads.len; i++) {
		const struct served_thread *t =
			*(struct served_thread *const *)vec_at(&h->threads, i);

		if (open_ns(t) < LONG_NS)
			continue;
		if (t->call.has_client)
			finding_add_client(d, f, &t->call.client);
		finding_cite(d, f, &t->call.begun, NULL,
			     "PID %" PRId64 " begins %s, and does not end it", t->pid,
			     call_text(d, &t->call));
	}
	finding_cite(d, f, &h->last, NULL, "the trace goes on until here");
}

static void tell_slow(struct diagnosis *d, const struct served_host *h)
{
	const struct served_call *worst = &h->late[0];
	struct finding *f = begin(d, "rpc-server-slow", h);
	int64_t longest = served_between(&worst->begun, &worst->ended);

	f->first = worst->begun.at;
	f->last = worst->ended.at;
	for (size_t i = 0; i < h->late_len; i++) {
		const struct served_call *c = &h->late[i];

		if (served_between(&c->begun, &c->ended) < LONG_NS)
			break;
		f->count++;
		log_finding_span(f, &c->begun);
		log_finding_span(f, &c->ended);
		if (c->has_client)
			finding_add_client(d, f, &c->client);
		finding_cite(d, f, &c->begun, NULL, "a thread begins %s", call_text(d, c));
		finding_cite(d, f, &c->ended, NULL, "and ends it %s later",
			     nfs4_duration_text(d, served_between(&c->begun, &c->ended)));
	}
	f->title = arena_format(&d->arena, "the server takes up to %s for a call",
				nfs4_duration_text(d, longest));
	f->why = arena_format(
		&d->arena,
		"By the server's own trace %s%s took it 10 s or more from beginning "
		"(svc_process) to end (svc_send), the longest %s; it finished %s while it was "
		"traced. The network has no part in this time: the thread was in the exported "
		"file system, or in a call of the service's own.",
		f->count == SERVED_LATE_MAX ? "at least " : "",
		nfs4_count_text(d, f->count, "call", "calls"), nfs4_duration_text(d, longest),
		nfs4_count_text(d, h->calls, "call", "calls"));
	finding_rule_out(d, f, "rpc-server-silent", "the calls were answered in the end");
}

static void run_stuck(const struct rule_input *in, struct diagnosis *out)
{
	for (size_t i = 0; in->served && i < in->served->hosts.len; i++) {
		const struct served_host *h = host_at(in->served, i);
		struct stuck s = stuck_of(h);

		/* Where no call ever ends, their ends were not traced. */
		if (s.count && h->calls)
			tell_stuck(out, h, &s);
	}
}

static void run_slow(const struct rule_input *in, struct diagnosis *out)
{
	for (size_t i = 0; in->served && i < in->served->hosts.len; i++) {
		const struct served_host *h = host_at(in->served, i);

		if (h->late_len && served_between(&h->late[0].begun, &h->late[0].ended) >= LONG_NS)
			tell_slow(out, h);
	}
}

const struct rule rule_served_slow = {
	.id = "rpc-server-slow",
	.needs = "a server's trace of sunrpc (svc_process and svc_send)",
	.run = run_slow,
};

const struct rule rule_served_stuck = {
	.id = "nfsd-threads-stuck",
	.needs = "a server's trace of sunrpc (svc_process and svc_send)",
	.run = run_stuck,
};
