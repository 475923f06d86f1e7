// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * rpc-timeout-too-small: the client's timer fires before a server that works has answered
 * (catalogue B11). The wire tells the timer by when calls are sent again; the mount's options
 * confirm it.
 *
 * A server that hangs once makes any timer fire: what counts is that it goes on for a while, that
 * all calls are answered soon after, and that no packets were lost.
 */
#include "base/mem.h"
#include "diagnose/rules/log_common.h"
#include "diagnose/rules/rules.h"
#include "diagnose/rules/timers.h"
#include "diagnose/rules/transport.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
	AGAIN_MIN = 10,     /* calls sent again */
	SHARE_PERCENT = 5,  /* of all calls on these connections */
	ALIKE_PERCENT = 80, /* of them first sent again after the same time */
};

/* An answer that takes longer is no working server's: that is rpc-server-slow. */
#define ANSWER_MAX_NS (10 * STAMP_NS_PER_S)

/* Less is a moment of trouble. */
#define LASTS_MIN_NS (30 * STAMP_NS_PER_S)

/* Calls of one client host to one NFS server that its timer sent again. */
struct group {
	const struct overdue_call **calls; /* by time */
	size_t len;
	int64_t timer_ns, slowest_ns;
};

static int call_order(const void *a, const void *b)
{
	const struct overdue_call *x = *(const struct overdue_call *const *)a;
	const struct overdue_call *y = *(const struct overdue_call *const *)b;
	int order = endpoint_compare(&x->conn.server, &y->conn.server);

	if (order == 0)
		order = memcmp(x->conn.client.addr, y->conn.client.addr, IDENT_ADDR_BYTES);
	if (order == 0)
		order = (x->call.at.ns > y->call.at.ns) - (x->call.at.ns < y->call.at.ns);
	if (order == 0)
		order = (x->call.frame > y->call.frame) - (x->call.frame < y->call.frame);
	return order;
}

static bool same_pair(const struct overdue_call *a, const struct overdue_call *b)
{
	return endpoint_equal(&a->conn.server, &b->conn.server) &&
	       endpoint_same_host(&a->conn.client, &b->conn.client);
}

static int64_t first_again_ns(const struct overdue_call *c)
{
	return path_span_ns(c->call.at, c->repeats[0].at.at);
}

static int64_t answer_ns(const struct overdue_call *c)
{
	return path_span_ns(c->call.at, c->reply.at);
}

static bool by_a_timer(const struct overdue_call *c)
{
	return c->program == TIMERS_PROGRAM_NFS && c->repeats_len > 0 &&
	       !c->repeats[0].other_conn && c->conn.transport == TRANSPORT_TCP;
}

static int ns_order(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a;
	int64_t y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* The time after which most are sent first again; 0: they have none in common. */
static int64_t common_timer_ns(const struct group *g)
{
	int64_t *after = mem_alloc(g->len, sizeof(*after));
	int64_t timer_ns;
	size_t alike = 0;

	for (size_t i = 0; i < g->len; i++)
		after[i] = first_again_ns(g->calls[i]);
	qsort(after, g->len, sizeof(*after), ns_order);
	timer_ns = after[g->len / 10];
	for (size_t i = 0; i < g->len; i++)
		alike += after[i] <=
				 timer_ns + timing_alarm_late_ns(timer_ns) + STAMP_NS_PER_S / 10 &&
			 after[i] >= timer_ns - STAMP_NS_PER_S / 10;
	free(after);
	return alike * 100 >= g->len * ALIKE_PERCENT ? timer_ns : 0;
}

/* All calls of the pair, and whether TCP had to send anything of theirs again. */
static uint64_t calls_of_pair(const struct rule_input *in, const struct overdue_call *c,
			      bool *tcp_lost)
{
	uint64_t calls = 0;

	*tcp_lost = false;
	for (size_t i = 0; i < in->conns->records.len; i++) {
		const struct conn_record *r = transport_record(in, i);

		if (!endpoint_equal(&r->conn.server, &c->conn.server) ||
		    !endpoint_same_host(&r->conn.client, &c->conn.client))
			continue;
		calls += r->calls;
		*tcp_lost |= r->conn.lossy || r->retransmissions[CONN_FROM_CLIENT] +
							      r->retransmissions[CONN_FROM_SERVER] >
						      r->calls / 100 + 1;
	}
	return calls;
}

static bool group_counts(const struct rule_input *in, struct group *g)
{
	const struct overdue_call *first = g->calls[0];
	const struct overdue_call *last = g->calls[g->len - 1];
	bool tcp_lost;
	uint64_t all = calls_of_pair(in, first, &tcp_lost);

	for (size_t i = 0; i < g->len; i++) {
		if (!transport_known(&g->calls[i]->reply) || answer_ns(g->calls[i]) > ANSWER_MAX_NS)
			return false;
		if (answer_ns(g->calls[i]) > g->slowest_ns)
			g->slowest_ns = answer_ns(g->calls[i]);
	}
	if (g->len < AGAIN_MIN || tcp_lost || g->len * 100 < all * SHARE_PERCENT ||
	    path_span_ns(first->call.at, last->call.at) < LASTS_MIN_NS)
		return false;
	g->timer_ns = common_timer_ns(g);
	return g->timer_ns > 0;
}

/* The mount's options are its timer; false: they say another, or there are none. */
static bool mount_agrees(const struct mount_record *m, int64_t timer_ns)
{
	struct timing_call call = timing_call_of_mount(&m->timing);

	return !call.keeps && timer_ns >= call.initval_ns - STAMP_NS_PER_S / 10 &&
	       timer_ns <= call.initval_ns + timing_alarm_late_ns(call.initval_ns) +
				   STAMP_NS_PER_S / 10;
}

static const char *of_mount(struct diagnosis *d, const struct mount_record *m, bool agrees)
{
	if (!m)
		return "The mount's options are not in the evidence: `nfsstat -m` on the client "
		       "tells them.";
	return arena_format(&d->arena,
			    agrees ? "The options of %s say so: timeo=%" PRIu32 "."
				   : "The options given of %s say timeo=%" PRIu32
				     ": this is another mount, or they were changed.",
			    log_text(d, m->mount_point),
			    m->timing.has_timeo ? m->timing.timeo_ds : 0);
}

static void tell(const struct rule_input *in, struct diagnosis *d, const struct group *g)
{
	const struct overdue_call *first = g->calls[0];
	const struct overdue_call *last = g->calls[g->len - 1];
	const struct mount_record *m =
		timers_mount(in, &first->conn.server, NULL, first->conn.evidence);
	bool agrees = m && mount_agrees(m, g->timer_ns);
	struct finding *f = transport_finding(d, "rpc-timeout-too-small",
					      agrees ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY,
					      &first->conn, first->call.at, last->reply.at);
	const char *client = transport_host(d, &first->conn.client);
	const char *timer = transport_duration(d, g->timer_ns);
	bool tcp_lost;

	f->count = g->len;
	f->title = arena_format(&d->arena,
				"%s sends calls again after %s, before a working server answers",
				client, timer);
	f->why = arena_format(
		&d->arena,
		"%zu of %" PRIu64 " calls of %s to %s were sent again under the same XID, for the "
		"first time after %s, and all were answered, after %s at most; TCP lost next to "
		"nothing. So it is the client's timer that is too short for this server, and the "
		"server gets every such call twice. %s",
		g->len, calls_of_pair(in, first, &tcp_lost), client,
		transport_endpoint(d, &first->conn.server), timer,
		transport_duration(d, g->slowest_ns), of_mount(d, m, agrees));
	if (m)
		finding_cite(d, f, &m->at, NULL, "the mount's options");
	for (size_t i = 0; i < g->len; i += g->len / 2 ? g->len / 2 : 1) {
		const struct overdue_call *c = g->calls[i];

		finding_cite(d, f, &c->call, &c->conn, "%s",
			     transport_procedure(d, c->program, c->version, c->procedure));
		finding_cite(d, f, &c->repeats[0].at, &c->conn, "sent again");
		finding_cite(d, f, &c->reply, &c->conn, "and answered");
	}
	finding_rule_out(d, f, "rpc-server-silent", "all of these calls were answered");
	finding_rule_out(d, f, "tcp-loss", "TCP had to send next to nothing again");
}

static void run(const struct rule_input *in, struct diagnosis *out)
{
	struct group g;
	const struct overdue_call **calls;
	size_t len = 0;

	if (!in->overdue || !in->conns || in->overdue->calls.len == 0)
		return;
	calls = mem_alloc(in->overdue->calls.len, sizeof(*calls));
	for (size_t i = 0; i < in->overdue->calls.len; i++) {
		const struct overdue_call *c =
			*(struct overdue_call **)vec_at(&in->overdue->calls, i);

		if (by_a_timer(c))
			calls[len++] = c;
	}
	if (len)
		qsort(calls, len, sizeof(*calls), call_order);
	for (size_t i = 0; i < len; i += g.len) {
		g = (struct group){.calls = calls + i, .len = 1};
		while (i + g.len < len && same_pair(calls[i], calls[i + g.len]))
			g.len++;
		if (group_counts(in, &g))
			tell(in, out, &g);
	}
	free(calls);
}

const struct rule rule_rpc_timeout_too_small = {
	.id = "rpc-timeout-too-small",
	.needs = "a capture that shows calls and their replies for half a minute",
	.run = run,
};
