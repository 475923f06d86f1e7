// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * rpc-server-silent and rpc-server-slow as a client's own RPC tasks tell them, without a capture.
 *
 * That a reply does not come is no proof of anything: the call may be lost on the way. But TCP
 * keeps the order, so where another call of the same RPC client was sent later and is answered, the
 * server's host has the first one too. Likely and not more: a mount with nconnect has several
 * connections, and one over UDP keeps no order; neither shows here.
 */
#include "diagnose/rules/log_common.h"
#include "diagnose/rules/nfs4/nfs4_common.h"
#include "diagnose/rules/rpc/rpc_task_common.h"
#include "diagnose/rules/rules.h"

#include <inttypes.h>

#define SILENT_NS (30 * STAMP_NS_PER_S)
#define SLOW_NS   (10 * STAMP_NS_PER_S)

/* --- no answer until the end --- */

/* The calls of one host that wait for an answer. */
struct silence {
	const struct rpc_task_seen *first; /* overtaken, and the one that waits longest */
	int64_t ns;
	uint64_t overtaken, waiting;
	const struct rpc_task_seen *doubtful; /* waits, and nothing shows that it arrived */
};

static void look_at(struct silence *s, const struct rpc_task_seen *t)
{
	const struct provenance *since =
		t->sent_last.frame == FRAME_NONE ? &t->listed_first : &t->sent_last;
	int64_t ns;

	if (!t->sent || t->doubtful || t->replied.frame != FRAME_NONE || !rpc_task_is_ours(t))
		return;
	if (t->sent_last.frame == FRAME_NONE) {
		if (t->lists < 2 || !log_elapsed_ns(&t->listed_first, &t->listed_last, &ns))
			return;
	} else if (!rpc_task_lasts(t->of->host, since, &ns)) {
		return;
	}
	if (ns < SILENT_NS)
		return;
	s->waiting++;
	if (!t->overtaken) {
		if (!s->doubtful)
			s->doubtful = t;
		return;
	}
	s->overtaken++;
	if (ns > s->ns) {
		s->ns = ns;
		s->first = t;
	}
}

static void tell_silent(struct diagnosis *d, const struct silence *s)
{
	const struct rpc_task_seen *t = s->first;
	const struct rpc_task_host *h = t->of->host;
	struct finding *f = diagnosis_add(d, "rpc-server-silent", CONFIDENCE_LIKELY);

	rpc_task_about(d, f, h);
	f->first = t->sent_first.at;
	f->last = h->last[t->sent_first.at.clock == CLOCK_UTC].at;
	f->count = s->overtaken;
	f->title = arena_format(&d->arena,
				"the server does not answer %s, for %s and until the end: "
				"%s sent later was answered",
				rpc_task_text(d, t), nfs4_duration_text(d, s->ns), "one that was");
	f->why = arena_format(
		&d->arena,
		"The client's kernel sent the call %s and has no reply. Another call of the same "
		"RPC client went out behind it and was answered, and TCP keeps the order: the "
		"server's host has the call. %s so. With nconnect, or over UDP, it may have been "
		"lost all the same.",
		nfs4_count_text(d, t->transmissions, "time", "times"),
		s->overtaken == 1
			? "One waits"
			: arena_format(&d->arena, "%" PRIu64 " calls wait", s->overtaken));
	finding_cite(d, f, &t->sent_first, NULL, "%s is sent", rpc_task_text(d, t));
	if (t->transmissions > 1)
		finding_cite(d, f, &t->sent_last, NULL, "and for the last time");
	finding_cite(d, f, &t->overtaken_sent, NULL, "another call is sent");
	finding_cite(d, f, &t->overtaken_replied, NULL, "and answered");
	finding_rule_out(d, f, "tcp-path-silent", "another call was sent later, and answered");
}

static void run_silent(const struct rule_input *in, struct diagnosis *out)
{
	const struct rpc_task_model *m = in->rpc_tasks;

	if (!m || rpc_task_wire_speaks(in))
		return;
	for (size_t i = 0; i < m->hosts.len; i++) {
		const struct rpc_task_host *h =
			*(struct rpc_task_host *const *)vec_at(&m->hosts, i);
		struct silence s = {0};

		for (size_t k = 0; k < m->under_way.len; k++) {
			const struct rpc_task_seen *t =
				*(struct rpc_task_seen *const *)vec_at(&m->under_way, k);

			if (t->of->host == h)
				look_at(&s, t);
		}
		if (s.first)
			tell_silent(out, &s);
		else if (s.doubtful)
			diagnosis_undecided(
				out, "rpc-server-silent",
				arena_format(&out->arena,
					     "whether the server has the calls that the client's "
					     "kernel sent and that are not answered (%s, line "
					     "%" PRIu64 "): nothing shows that they arrived",
					     rpc_task_text(out, s.doubtful),
					     s.doubtful->begun.frame),
				"on the client: tcpdump -i any -s 0 -w nfs.pcap host THE_SERVER");
	}
}

const struct rule rule_rpc_task_silent = {
	.id = "rpc-server-silent",
	.needs = "a client's trace of sunrpc (rpc_task_*, xprt_transmit, xprt_lookup_rqst)",
	.run = run_silent,
};

/* --- late answers --- */

static void tell_slow(struct diagnosis *d, const struct rpc_task_client *c, int64_t ns)
{
	const struct rpc_task_seen *t = &c->late[0];
	struct finding *f = diagnosis_add(d, "rpc-server-slow", CONFIDENCE_LIKELY);

	rpc_task_about(d, f, c->host);
	f->first = t->sent_first.at;
	f->last = t->replied.at;
	f->count = c->late_len;
	f->title = arena_format(&d->arena, "the server answered %s after %s, and others meanwhile",
				rpc_task_text(d, t), nfs4_duration_text(d, ns));
	f->why = arena_format(
		&d->arena,
		"Another call of the same RPC client was sent later and answered earlier, and TCP "
		"keeps the order: the server had the call all the while. The mean of the client's "
		"%" PRIu64 " answered calls is %s.",
		c->replies, nfs4_duration_text(d, c->reply_total_ns / (int64_t)c->replies));
	finding_cite(d, f, &t->sent_first, NULL, "%s is sent", rpc_task_text(d, t));
	finding_cite(d, f, &t->overtaken_sent, NULL, "another call is sent");
	finding_cite(d, f, &t->overtaken_replied, NULL, "and answered");
	finding_cite(d, f, &t->replied, NULL, "the late one is answered");
	finding_rule_out(d, f, "rpc-server-silent", "the answer came in the end");
}

static void run_slow(const struct rule_input *in, struct diagnosis *out)
{
	const struct rpc_task_model *m = in->rpc_tasks;

	if (!m || rpc_task_wire_speaks(in))
		return;
	for (size_t i = 0; i < m->hosts.len; i++) {
		const struct rpc_task_host *h =
			*(struct rpc_task_host *const *)vec_at(&m->hosts, i);

		for (size_t k = 0; k < h->clients.len; k++) {
			const struct rpc_task_client *c =
				*(struct rpc_task_client *const *)vec_at(&h->clients, k);
			int64_t ns;

			if (c->late_len && rpc_task_is_ours(&c->late[0]) &&
			    log_elapsed_ns(&c->late[0].sent_first, &c->late[0].replied, &ns) &&
			    ns >= SLOW_NS)
				tell_slow(out, c, ns);
		}
	}
}

const struct rule rule_rpc_task_slow = {
	.id = "rpc-server-slow",
	.needs = "a client's trace of sunrpc (rpc_task_*, xprt_transmit, xprt_lookup_rqst)",
	.run = run_slow,
};
