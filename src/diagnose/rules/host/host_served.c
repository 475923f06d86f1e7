// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a server counts and lists of itself, each for its id:
 *
 * rpc-server-silent   what clients sent is not read, or connections not accepted, in two lists of
 *                     its sockets (ss), or for long, while its count of calls stands still
 * rpc-retransmission  its reply cache was hit between two readings: calls came again
 * rpc-auth-refused    it refused many calls for their credentials between two readings
 *
 * A server reads and accepts within less than a millisecond while one of its threads is free. But
 * nfsd does not read from a client that does not take its answers. What a server has counted since
 * it started says nothing of when.
 */
#include "diagnose/rules/host/host_readings.h"
#include "diagnose/rules/rules.h"
#include "diagnose/rules/timers.h"
#include "diagnose/rules/transport.h"
#include "model/conn.h"

#include <inttypes.h>

enum { PORT_NFS = 2049, WAITING_MIN = 4, UNREAD_MIN_MS = 10000 };

/* Refused calls: so many, and at least one of so many calls. */
enum { REFUSED_MIN = 20, REFUSED_PART = 10 };

static bool is_near(const struct rule_input *in, const struct host_record *a,
		    const struct host_record *b)
{
	return a->at.evidence == b->at.evidence ||
	       timers_one_folder(in, a->at.evidence, b->at.evidence);
}

/* What one list shows of the server's sockets, and another of the same host. */
struct unserved {
	const struct host_record *at, *before; /* `before` NULL: one list is enough */
	bool is_listener;
};

/* Linux takes one more than there is room for (sk_acceptq_is_full). */
static bool is_full(const struct listener_fact *l)
{
	return l->room && l->waiting > l->room;
}

static bool is_waited_for(const struct host_record *r)
{
	return r->fact.listener.port == PORT_NFS && r->fact.listener.waiting >= WAITING_MIN;
}

static bool is_unread(const struct rule_input *in, const struct host_record *r)
{
	const struct socket_fact *s = &r->fact.socket;

	return s->state == SOCKET_ESTABLISHED && s->recv_q && s->send_q == 0 &&
	       s->peer.port != PORT_NFS && transport_port_is_nfs(in, &s->local);
}

static bool lasts_long(const struct socket_fact *s)
{
	return s->has_times && s->received_ms >= UNREAD_MIN_MS;
}

/* The row of the same socket in another list of the host; NULL: it was served between. */
static const struct host_record *unserved_before(const struct rule_input *in,
						 const struct host_record *later)
{
	enum host_fact_kind kind = later->fact.kind;
	const struct host_record *r;
	size_t i = 0;

	while ((r = host_model_next(in->hosts, kind, &i)) && r != later) {
		const struct socket_fact *a = &r->fact.socket, *b = &later->fact.socket;

		if (r->fact.list == later->fact.list || !is_near(in, r, later))
			continue;
		if (kind == HOST_LISTENER
			    ? is_waited_for(r)
			    : is_unread(in, r) && endpoint_equal(&a->local, &b->local) &&
				      endpoint_equal(&a->peer, &b->peer) && a->recv_q <= b->recv_q)
			return r;
	}
	return NULL;
}

/* Idle threads of nfsd were found for work meanwhile: it was a moment. */
static bool found_idle(const struct rule_input *in, uint32_t evidence)
{
	struct host_readings r;
	struct host_rise woken;

	return host_readings_find(in, COUNT_POOL_WOKEN, evidence, &r) &&
	       host_readings_rise(in, &r, COUNT_POOL_WOKEN, &woken) && woken.more;
}

/* Of all readings of the server's calls in the folder the first and the last; `len`: how many. */
struct calls_read {
	const struct host_record *first, *last;
	size_t len;
	bool same; /* they all tell one number */
};

static struct calls_read calls_read(const struct rule_input *in, const struct host_record *near)
{
	struct calls_read c = {.same = true};
	const struct host_record *r;
	size_t i = 0;

	while ((r = host_model_next(in->hosts, HOST_RPC_COUNTS, &i))) {
		if (!r->fact.counts.server || !is_near(in, r, near))
			continue;
		c.first = c.first ? c.first : r;
		c.last = r;
		c.same &= r->fact.counts.calls == c.first->fact.counts.calls;
		c.len++;
	}
	return c;
}

static void unserved_support(const struct rule_input *in, struct diagnosis *d, struct finding *f,
			     const struct host_record *near)
{
	struct calls_read calls = calls_read(in, near);
	const struct host_record *l;
	struct host_readings r;
	struct host_rise rise;
	size_t i = 0;

	if (calls.len > 1) {
		finding_cite(d, f, &calls.first->at, NULL, "%" PRIu64 " calls of the server so far",
			     calls.first->fact.counts.calls);
		finding_cite(d, f, &calls.last->at, NULL, "and as many in another reading");
	}
	while ((l = host_model_next(in->hosts, HOST_LISTENER, &i)))
		if (is_waited_for(l) && is_near(in, l, near))
			finding_cite(d, f, &l->at, NULL,
				     "%" PRIu64 " connections wait to be accepted",
				     l->fact.listener.waiting);
	if (host_readings_find(in, COUNT_POOL_WOKEN, near->at.evidence, &r) &&
	    host_readings_rise(in, &r, COUNT_POOL_WOKEN, &rise))
		finding_cite(d, f, &rise.at_after, NULL,
			     "threads-woken is what it was in the earlier reading: no idle thread "
			     "was found");
	if (host_readings_find(in, COUNT_LISTEN_OVERFLOWS, near->at.evidence, &r) &&
	    host_readings_rise(in, &r, COUNT_LISTEN_OVERFLOWS, &rise) && rise.more)
		finding_cite(d, f, &rise.at_after, NULL,
			     "ListenOverflows: %" PRIu64
			     " more than in the earlier reading came to a full queue",
			     rise.more);
}

static void listener_tell(struct diagnosis *d, struct finding *f, const struct unserved *u)
{
	const struct listener_fact *l = &u->at->fact.listener;

	f->count = l->waiting;
	f->title = arena_format(&d->arena,
				"%" PRIu64 " connections wait at the server's port %u, and nobody "
				"accepts them",
				l->waiting, l->port);
	f->why = arena_format(
		&d->arena,
		"The server's list of sockets has %" PRIu64
		" connections at port %u that are made and not accepted%s%s. A thread that is free "
		"accepts at once.",
		l->waiting, l->port,
		is_full(l) ? arena_format(&d->arena,
					  ", more than the %" PRIu64
					  " that may wait: further ones are dropped",
					  l->room)
			   : "",
		u->before ? arena_format(&d->arena, "; in another list %" PRIu64 " wait",
					 u->before->fact.listener.waiting)
			  : "");
}

static void unread_tell(struct diagnosis *d, struct finding *f, const struct unserved *u)
{
	const struct socket_fact *s = &u->at->fact.socket;

	finding_set_server(d, f, &s->local);
	finding_add_client(d, f, &s->peer);
	f->count = 1;
	f->title = arena_format(&d->arena, "nobody at %s reads what %s has sent",
				transport_endpoint(d, &s->local), transport_host(d, &s->peer));
	f->why = arena_format(
		&d->arena,
		"In the server's list of sockets %" PRIu64
		" bytes of this connection have come and are not read%s. The network has delivered "
		"them; a thread that is free reads at once.",
		s->recv_q,
		u->before ? ", nor are they in another list"
			  : arena_format(&d->arena, ", the last of them for %s",
					 transport_duration(d, (int64_t)s->received_ms *
								       STAMP_NS_PER_MS)));
	finding_rule_out(d, f, "tcp-path-silent", "what the client sent has come");
}

static void unserved_tell(const struct rule_input *in, struct diagnosis *d,
			  const struct unserved *u)
{
	bool lasts = u->before || (!u->is_listener && lasts_long(&u->at->fact.socket));
	struct finding *f = diagnosis_add(d, "rpc-server-silent",
					  lasts ? CONFIDENCE_LIKELY : CONFIDENCE_POSSIBLE);

	(u->is_listener ? listener_tell : unread_tell)(d, f, u);
	finding_cite(d, f, &u->at->at, NULL,
		     u->is_listener ? "they wait to be accepted" : "what has come and is not read");
	if (u->before)
		finding_cite(d, f, &u->before->at, NULL, "the same in another list");
	unserved_support(in, d, f, u->at);
	diagnosis_undecided(d, "nfsd-threads-stuck", "what the server's threads wait for",
			    "on the server: for t in $(pgrep '^nfsd$'); do cat /proc/$t/stack; "
			    "done | sort | uniq -c");
}

/* Without the server's counts: how far two lists are apart is not told, nor what program it is. */
static void unserved_undecided(struct diagnosis *d, const struct unserved *u)
{
	diagnosis_undecided(
		d, "rpc-server-silent",
		u->is_listener ? "whether the server answers anybody: connections wait to be "
				 "accepted at its port"
			       : "whether the server answers anybody: what a client sent has come "
				 "and is not read",
		"on the server, twice 10 s apart: ss -tan 'sport = :2049'; cat /proc/net/rpc/nfsd "
		"/proc/fs/nfsd/pool_stats");
}

/* Of the sockets of one kind the one that shows most; false: all are served. */
static bool unserved_find(const struct rule_input *in, enum host_fact_kind kind,
			  struct unserved *out)
{
	const struct host_record *r;
	size_t i = 0;

	*out = (struct unserved){.is_listener = kind == HOST_LISTENER};
	while (!out->before && (r = host_model_next(in->hosts, kind, &i))) {
		const struct host_record *before;
		bool enough;

		if (out->is_listener ? !is_waited_for(r) : !is_unread(in, r))
			continue;
		if (found_idle(in, r->at.evidence) || !calls_read(in, r).same)
			continue;
		before = unserved_before(in, r);
		enough =
			out->is_listener ? is_full(&r->fact.listener) : lasts_long(&r->fact.socket);
		if (before || (enough && !out->at)) {
			out->at = r;
			out->before = before;
		}
	}
	return out->at != NULL;
}

/* Counters that rise when a server has too little time, and do not tell whether anybody waited. */
static void hints_undecided(const struct rule_input *in, struct diagnosis *d)
{
	static const struct {
		enum host_counter counter;
		const char *text, *how;
	} rows[] = {
		{COUNT_LISTEN_OVERFLOWS,
		 "of which program the queue was full when connections came, between two readings "
		 "(ListenOverflows)",
		 "ss -tln 'sport = :2049'; nstat -az TcpExtListenOverflows, twice"},
		{COUNT_NFSD_ALL_BUSY,
		 "whether calls waited when all threads of nfsd were in use, between two readings "
		 "(line th)",
		 "on the server, while clients wait: cat /proc/fs/nfsd/threads; ps -eo "
		 "pid,stat,wchan:32,comm | grep nfsd"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct host_record *r;
		size_t index = 0;

		while ((r = host_model_next(in->hosts, HOST_COUNTER, &index))) {
			struct host_readings pair;
			struct host_rise rise;

			if (r->fact.counter.counter != rows[i].counter ||
			    !host_readings_find(in, rows[i].counter, r->at.evidence, &pair) ||
			    r->fact.list != pair.after ||
			    !host_readings_rise(in, &pair, rows[i].counter, &rise) || !rise.more)
				continue;
			diagnosis_undecided(d, "rpc-server-slow",
					    arena_format(&d->arena, "%s: %" PRIu64 " times",
							 rows[i].text, rise.more),
					    rows[i].how);
			break;
		}
	}
}

static void unserved_run(const struct rule_input *in, struct diagnosis *out)
{
	struct unserved u;

	/* A capture shows each call, and whether it is answered. */
	if (in->conns->records.len)
		return;
	if (!unserved_find(in, HOST_SOCKET, &u) && !unserved_find(in, HOST_LISTENER, &u)) {
		hints_undecided(in, out);
		return;
	}
	if (calls_read(in, u.at).len > 1)
		unserved_tell(in, out, &u);
	else
		unserved_undecided(out, &u);
}

static void repeated_tell(struct diagnosis *d, const struct host_readings *r,
			  const struct host_rise *hits)
{
	struct finding *f = diagnosis_add(d, "rpc-retransmission",
					  r->one_file ? CONFIDENCE_LIKELY : CONFIDENCE_POSSIBLE);

	f->count = hits->more;
	f->title =
		arena_format(&d->arena, "%" PRIu64 " calls came to the server again", hits->more);
	f->why =
		"Between two readings of the server's counters its reply cache was hit: calls came "
		"again that it had answered, or was at. Their answers were late for the client, or "
		"did not arrive, or the connection broke. Calls of NFSv4.1 and later are not in "
		"this count.";
	finding_cite(d, f, &hits->at_before, NULL, "the first reading: %" PRIu64 " hits",
		     hits->before);
	finding_cite(d, f, &hits->at_after, NULL, "the second one: %" PRIu64 " hits",
		     hits->before + hits->more);
	diagnosis_undecided(d, "rpc-retransmission",
			    "which client calls again, and whether answers are late or are lost",
			    "tcpdump -i any -s 0 -w server.pcap port 2049");
}

static void repeated_run(const struct rule_input *in, struct diagnosis *out)
{
	const struct host_record *r;
	struct host_readings pair;
	struct host_rise hits;
	size_t i = 0;

	if (in->conns->records.len)
		return;
	while ((r = host_model_next(in->hosts, HOST_COUNTER, &i))) {
		if (r->fact.counter.counter != COUNT_REPLY_CACHE_HITS ||
		    !host_readings_find(in, COUNT_REPLY_CACHE_HITS, r->at.evidence, &pair) ||
		    r->fact.list != pair.after ||
		    !host_readings_rise(in, &pair, COUNT_REPLY_CACHE_HITS, &hits) || !hits.more)
			continue;
		repeated_tell(out, &pair, &hits);
	}
}

/* The only other reading of the server's counts in the folder, and before it; NULL: there is none.
 */
static const struct host_record *counts_before(const struct rule_input *in,
					       const struct host_record *later)
{
	const struct host_record *r, *found = NULL;
	const struct rpc_counts_fact *now = &later->fact.counts;
	size_t i = 0;

	while ((r = host_model_next(in->hosts, HOST_RPC_COUNTS, &i))) {
		if (r == later || !r->fact.counts.server || !is_near(in, r, later))
			continue;
		if (found)
			return NULL;
		found = r;
	}
	return found && found->fact.counts.calls < now->calls &&
			       found->fact.counts.bad_auth <= now->bad_auth
		       ? found
		       : NULL;
}

static void refused_tell(struct diagnosis *d, const struct host_record *before,
			 const struct host_record *r)
{
	const struct rpc_counts_fact *a = &before->fact.counts, *b = &r->fact.counts;
	struct finding *f = diagnosis_add(d, "rpc-auth-refused", CONFIDENCE_POSSIBLE);

	f->count = b->bad_auth - a->bad_auth;
	f->title = arena_format(&d->arena,
				"the server refused %" PRIu64 " of %" PRIu64
				" calls for their credentials",
				f->count, b->calls - a->calls);
	f->why = "Between two readings the server's count of calls with credentials that it does "
		 "not take (badauth) rose as much. The counters tell neither the client nor the "
		 "reason.";
	finding_cite(d, f, &before->at, NULL, "the first reading: %" PRIu64 " refused",
		     a->bad_auth);
	finding_cite(d, f, &r->at, NULL, "the second one: %" PRIu64 " refused", b->bad_auth);
	diagnosis_undecided(d, "rpc-auth-refused", "which client's calls are refused, and why",
			    "tcpdump -i any -s 0 -w server.pcap port 2049; then nfsleuth diagnose "
			    "server.pcap");
}

static void refused_run(const struct rule_input *in, struct diagnosis *out)
{
	const struct host_record *r;
	size_t i = 0;

	if (in->conns->records.len)
		return;
	while ((r = host_model_next(in->hosts, HOST_RPC_COUNTS, &i))) {
		const struct host_record *before =
			r->fact.counts.server ? counts_before(in, r) : NULL;
		uint64_t refused =
			before ? r->fact.counts.bad_auth - before->fact.counts.bad_auth : 0;

		if (refused >= REFUSED_MIN &&
		    refused >= (r->fact.counts.calls - before->fact.counts.calls) / REFUSED_PART &&
		    host_readings_one_host(in, r->at.evidence, before->at.evidence))
			refused_tell(out, before, r);
	}
}

const struct rule rule_rpc_silent_listed = {
	.id = "rpc-server-silent",
	.needs = "a server's list of sockets (ss -tan) and /proc/net/rpc/nfsd, each twice",
	.run = unserved_run,
};

const struct rule rule_rpc_retransmission_served = {
	.id = "rpc-retransmission",
	.needs = "two readings of a server's /proc/net/rpc/nfsd",
	.run = repeated_run,
};

const struct rule rule_rpc_auth_counted = {
	.id = "rpc-auth-refused",
	.needs = "two readings of a server's counters (nfsstat -s, /proc/net/rpc/nfsd)",
	.run = refused_run,
};
