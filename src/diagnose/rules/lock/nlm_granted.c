// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nlm-granted-lost: the server's callback does not reach the client that waits for a lock
 * (catalogue C2). The lock is free, and the client gets it only when it asks again by itself: a
 * Linux client every 30 s (fs/lockd/clntlock.c: "some servers seem to lose callbacks").
 *
 * The server calls back on a connection of its own, to the port of the client's lock manager, which
 * it asks the client's portmapper for. Either of the two may be filtered at the client or between.
 * Its log complains about the client: "not responding, timed out", as a server's lockd gives up.
 */
#include "diagnose/rules/lock/nlm_common.h"
#include "diagnose/rules/log_common.h"
#include "diagnose/rules/nfs4/nfs4_common.h"
#include "diagnose/rules/rules.h"
#include "diagnose/rules/transport.h"
#include "model/nlm/nlm.h"
#include "model/portmap.h"
#include "names/nlm.h"

#include <inttypes.h>
#include <string.h>

/* A callback takes no longer than this to bring the lock. */
#define LATE_NS (2 * STAMP_NS_PER_S)

/* How the callback was lost, the surest first. */
enum way {
	WAY_NONE,
	WAY_CALL,    /* it was sent, and the client did not take it */
	WAY_CONNECT, /* the server could not connect to the client's lock manager */
	WAY_PORT,    /* nor to the client's portmapper, or was told no port */
};

struct lost {
	const struct nlm_lock *lock;
	enum way way;
	struct provenance since; /* from then on the lock was free, or was called back */
	struct provenance tried; /* what was in vain, the first */
	struct conn conn;        /* it belongs to */
	uint64_t count;          /* of what was in vain */
	bool refused;
	uint16_t port;
};

static bool is_later(struct stamp a, struct stamp b, int64_t by_ns)
{
	return path_span_ns(a, b) >= by_ns;
}

/* Until when it can be judged: the lock was got, given up, or last asked for. */
static struct stamp wait_end(const struct nlm_lock *l)
{
	if (l->granted.frame != FRAME_NONE)
		return l->granted.at;
	return l->ended.frame != FRAME_NONE ? l->ended.at : l->asked_last.at;
}

/* The port is the client's lock manager's: its portmapper told it, or NLM was seen there. */
static bool is_nlm_port(const struct rule_input *in, const struct endpoint *at)
{
	const struct portmap_port *p = portmap_model_port(in->portmap, at);
	const struct conn_rpc_server *s = conn_model_rpc_server(in->conns, at);

	for (uint32_t i = 0; s && i < s->programs_len; i++)
		if (s->programs[i].program == NLM_PROG)
			return true;
	return p && p->program == NLM_PROG;
}

/* An attempt of the server's to connect to the client that was in vain, while the lock waited. */
static bool is_in_vain(const struct conn_record *r, const struct nlm_lock *l)
{
	return r->conn.transport == TRANSPORT_TCP && transport_known(&r->syn) &&
	       !transport_known(&r->established) &&
	       (transport_known(&r->refused) || !transport_known(&r->syn_ack)) &&
	       endpoint_same_host(&r->conn.client, &l->conn.server) &&
	       endpoint_same_host(&r->conn.server, &l->owner.host) &&
	       is_later(l->asked.at, r->syn.at, 0) && is_later(r->syn.at, wait_end(l), 0);
}

static void lost_note(struct lost *x, enum way way, const struct conn_record *r)
{
	if (x->way != WAY_NONE && x->way < way)
		return;
	if (x->way != way || is_later(r->syn.at, x->tried.at, 1)) {
		x->tried = x->since = r->syn;
		x->conn = r->conn;
	}
	x->count = (x->way == way ? x->count : 0) + r->syns;
	x->way = way;
	x->refused = transport_known(&r->refused);
	x->port = r->conn.server.port;
}

/* Connections that the server tried. */
static void look_at_connections(const struct rule_input *in, struct lost *x)
{
	for (size_t i = 0; i < in->conns->records.len; i++) {
		const struct conn_record *r = transport_record(in, i);

		if (!is_in_vain(r, x->lock))
			continue;
		if (is_nlm_port(in, &r->conn.server))
			lost_note(x, WAY_CONNECT, r);
		else if (r->conn.server.port == PORTMAP_PORT)
			lost_note(x, WAY_PORT, r);
	}
}

/* Questions of the server's for the client's lock manager that brought no port. */
static void look_at_questions(const struct rule_input *in, struct lost *x)
{
	const struct nlm_lock *l = x->lock;

	for (size_t i = 0; x->way == WAY_NONE && i < in->portmap->services.len; i++) {
		const struct portmap_service *s =
			*(struct portmap_service **)vec_at(&in->portmap->services, i);

		if (s->program != NLM_PROG || s->told ||
		    !endpoint_same_host(&s->client, &l->conn.server) ||
		    !endpoint_same_host(&s->server, &l->owner.host) ||
		    !is_later(l->asked.at, s->asked_last.at, 0) ||
		    !is_later(s->asked_first.at, wait_end(l), 0))
			continue;
		x->way = WAY_PORT;
		x->tried = x->since = s->asked_first;
		x->conn = s->conn;
		x->count = s->asked;
		x->port = PORTMAP_PORT;
	}
}

/* The callback itself was seen, and the client did not take it. */
static void look_at_calls(const struct rule_input *in, struct lost *x)
{
	const struct nlm_lock *l = x->lock;
	const struct conn_record *r = conn_model_find(in->conns, l->callback.serial);

	if (l->callbacks == 0 || l->callback.lossy || (r && r->conn.lossy) ||
	    !transport_host_hears(in, l->callback.evidence, &l->callback.client))
		return;
	x->way = WAY_CALL;
	x->tried = x->since = l->called_back;
	x->conn = l->callback;
	x->count = l->callbacks + l->callbacks_again;
	x->port = l->callback.server.port;
}

/*
 * Nothing of a callback is there, and the holder is seen to have given the lock back long before it
 * was granted: it was lost on its way to where the capture was taken, never sent, or somebody else
 * had the lock meanwhile.
 */
static bool is_unseen(const struct nlm_lock *l)
{
	return l->block && !l->granted_by_callback && l->callbacks == 0 && l->graces == 0 &&
	       l->holder.seen && l->holders == 1 && l->holder.released.frame != FRAME_NONE &&
	       l->granted.frame != FRAME_NONE &&
	       is_later(l->holder.released.at, l->granted.at, LATE_NS);
}

static bool lost_make(const struct rule_input *in, const struct nlm_lock *l, struct lost *x)
{
	*x = (struct lost){.lock = l};
	/* Who does not wait for a callback, or got one, or was never told to wait, misses none. */
	if (!l->block || l->granted_by_callback || l->refused.frame == FRAME_NONE ||
	    l->requests < 2 || l->graces)
		return false;
	look_at_calls(in, x);
	if (x->way == WAY_NONE)
		look_at_connections(in, x);
	if (x->way == WAY_NONE)
		look_at_questions(in, x);
	return x->way != WAY_NONE && is_later(x->since.at, wait_end(l), LATE_NS);
}

static const char *way_text(struct diagnosis *d, const struct lost *x)
{
	const struct nlm_lock *l = x->lock;
	const char *server = nfs4_host_text(d, &l->conn.server);
	const char *client = nfs4_host_text(d, &l->owner.host);

	switch (x->way) {
	case WAY_CALL:
		return arena_format(
			&d->arena, "From %s on %s called back, and %s",
			nlm_time_text(d, x->tried.at), server,
			l->callback_status == UINT32_MAX
				? "no answer of the client's to it is in the evidence."
				: "the client's lock manager did not take it: it answered that it "
				  "knows of no such lock.");
	case WAY_CONNECT:
		return arena_format(
			&d->arena,
			"From %s on %s tried to call back: %s to port %u, where the lock "
			"manager of %s is, %s.",
			nlm_time_text(d, x->tried.at), server,
			nfs4_count_text(d, x->count, "SYN", "SYNs"), x->port, client,
			x->refused ? "refused by RST" : "not answered");
	case WAY_PORT:
		return arena_format(&d->arena,
				    "From %s on %s asked the portmapper of %s for the port of its "
				    "lock manager, in vain: without it there is no callback.",
				    nlm_time_text(d, x->tried.at), server, client);
	case WAY_NONE:
		break;
	}
	return "";
}

static const char *end_text(struct diagnosis *d, const struct lost *x)
{
	const struct nlm_lock *l = x->lock;

	if (l->granted.frame == FRAME_NONE)
		return "The lock was not got within the evidence.";
	return arena_format(&d->arena,
			    "The client got the lock at %s, when it asked again by itself.",
			    nlm_time_text(d, l->granted.at));
}

static enum finding_confidence confidence_of(const struct lost *x)
{
	return x->way == WAY_CALL && x->lock->granted.frame != FRAME_NONE ? CONFIDENCE_CERTAIN
									  : CONFIDENCE_LIKELY;
}

static void cite_all(struct diagnosis *d, struct finding *f, const struct lost *x)
{
	static const char *const tried[] = {
		[WAY_CALL] = "the server calls back: granted",
		[WAY_CONNECT] = "the server tries to connect to the client's lock manager",
		[WAY_PORT] = "the server asks for the port of the client's lock manager",
	};
	const struct nlm_lock *l = x->lock;

	finding_cite(d, f, &x->tried, &x->conn, "%s", tried[x->way]);
	finding_cite(d, f, &l->refused, &l->conn, "LOCK answered BLOCKED: the client waits");
	finding_cite(d, f, &l->granted, &l->conn, "granted, as the client asks again");
	finding_cite(d, f, &l->holder.released, &l->conn, "the holder gives the lock back");
	if (l->callbacks > 1 || l->callbacks_again)
		finding_cite(d, f, &l->callback_last, &l->callback,
			     "called back for the last time");
}

/* The waits of one client, the one that lost most time first; they differ in no more. */
static void tell(struct diagnosis *d, const struct lost *x, uint64_t count)
{
	const struct nlm_lock *l = x->lock;
	struct finding *f = diagnosis_add(d, "nlm-granted-lost", confidence_of(x));
	const char *client = nfs4_host_text(d, &l->owner.host);

	finding_set_server(d, f, &l->conn.server);
	finding_add_client(d, f, &l->owner.host);
	nfs4_finding_span(f, &x->tried);
	nfs4_finding_span(f, l->granted.frame != FRAME_NONE ? &l->granted : &l->asked_last);
	f->count = count;
	f->title = arena_format(&d->arena,
				"%s is not told when a lock that it waits for is granted", client);
	f->why = arena_format(
		&d->arena,
		"%s asked for a lock at %s and was told to wait for the server's callback. %s %s",
		client, nlm_time_text(d, l->asked.at), way_text(d, x), end_text(d, x));
	cite_all(d, f, x);
	finding_rule_out(d, f, "nlm-blocked",
			 "the server had the lock for the client, and tried to say so");
}

/* --- the log of the server --- */

/* A complaint of lockd that it never had as a client about the same host. */
static bool only_gave_up(const struct logs_interval *v)
{
	if (strcmp(v->of.program, "lockd") != 0 || v->gave_up == 0)
		return false;
	for (const struct logs_interval *o = v->head; o; o = o->next)
		if (o->trying)
			return false;
	return true;
}

static void log_tell(const struct rule_input *in, struct diagnosis *d,
		     const struct logs_interval *v)
{
	struct finding *f = diagnosis_add(d, "nlm-granted-lost", CONFIDENCE_LIKELY);
	const char *host = log_text(d, v->of.host->name), *peer = log_server_text(d, &v->of);

	log_finding_about_client(in, d, f, &v->of);
	log_finding_span(f, &v->first);
	log_finding_span(f, &v->last);
	f->count = v->gave_up;
	f->title = arena_format(&d->arena, "lockd of %s, a server, cannot tell %s of granted locks",
				host, peer);
	f->why = arena_format(
		&d->arena,
		"%s gave up calling the lock manager of %s (%s, \"timed out\"). lockd gives up "
		"only as a server: as a client it waits "
		"(\"still trying\"). What a server calls a client for is that a lock was granted "
		"which the client waits for; it gets that lock only when it asks again, every 30 "
		"s. A capture on the server of what goes to that host shows what is in the way.",
		host, peer, nfs4_count_text(d, v->gave_up, "time", "times"));
	for (uint32_t i = 0; i < v->cites_len; i++)
		finding_cite(d, f, &v->cites[i], NULL, "lockd gives up: server %s not responding",
			     peer);
}

/* The wire tells it of a client as well: by its address, or by whatever it is called there. */
static bool told_by_wire(const struct diagnosis *d, const struct logs_interval *v)
{
	for (size_t i = 0; i < d->findings.len; i++) {
		const struct finding *f = finding_at(&d->findings, i);

		if (strcmp(f->id, "nlm-granted-lost") != 0 || !f->server)
			continue;
		for (size_t j = 0; j < f->clients_at.len; j++)
			if (!v->of.server_is_address ||
			    endpoint_same_host(vec_at(&f->clients_at, j), &v->of.server_at))
				return true;
	}
	return false;
}

/* The worst wait of this client among those from `at` on; counts them, and marks them as told. */
static void client_run(const struct rule_input *in, struct diagnosis *out, size_t at)
{
	struct lost worst, x;
	uint64_t count = 0;
	const struct nlm_lock *first = longest_at(&in->nlm->waits, at);

	for (size_t i = 0; i < longest_count(&in->nlm->waits); i++) {
		const struct nlm_lock *l = longest_at(&in->nlm->waits, i);

		if (!endpoint_same_host(&l->owner.host, &first->owner.host) ||
		    !endpoint_same_host(&l->conn.server, &first->conn.server) ||
		    !lost_make(in, l, &x))
			continue;
		if (i < at)
			return; /* told already */
		if (count++ == 0 || x.way < worst.way ||
		    (x.way == worst.way && is_later(x.tried.at, worst.tried.at, 1)))
			worst = x;
	}
	if (count)
		tell(out, &worst, count);
}

static void run(const struct rule_input *in, struct diagnosis *out)
{
	struct lost x;

	for (size_t i = 0; i < longest_count(&in->nlm->waits); i++) {
		const struct nlm_lock *l = longest_at(&in->nlm->waits, i);

		if (lost_make(in, l, &x))
			client_run(in, out, i);
		else if (is_unseen(l))
			diagnosis_undecided(out, "nlm-granted-lost",
					    "whether the server called back when the holder gave "
					    "the lock back",
					    "on the server: tcpdump -w back.pcap host CLIENT");
	}
	for (size_t i = 0; in->logs && i < in->logs->intervals.len; i++) {
		const struct logs_interval *v = logs_interval_at(in->logs, i);

		if (only_gave_up(v) && !told_by_wire(out, v))
			log_tell(in, out, v);
	}
}

const struct rule rule_nlm_granted_lost = {
	.id = "nlm-granted-lost",
	.needs = "a capture of NLM traffic in both ways, or the kernel log of the server",
	.run = run,
};
