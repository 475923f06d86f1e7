// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a client's kernel says of its connections, in traces (rpc_socket_*) or when it is debugged
 * (rpcdebug): net-unreachable, tcp-syn-refused and tcp-syn-unanswered by the error with which they
 * failed, portmap-unanswered where a call waits for its port and port 111 is not reached.
 *
 * A failure counts only while a call waits for it: mounts try what may not be there.
 */
#include "diagnose/rules/log_common.h"
#include "diagnose/rules/nfs4/nfs4_common.h"
#include "diagnose/rules/rpc/rpc_task_common.h"
#include "diagnose/rules/rules.h"
#include "diagnose/rules/transport.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

enum { PORT_PORTMAP = 111, FAILURES_MIN = 3 };

#define HURTS_NS (5 * STAMP_NS_PER_S)
#define PORT_NS  (10 * STAMP_NS_PER_S)

/* How long the peer could not be reached; false: not known, or it was for a moment. */
static bool peer_hurts(const struct rpc_task_host *h, const struct rpc_task_peer *p, int64_t *ns)
{
	bool known = p->joined.frame == FRAME_NONE ? rpc_task_lasts(h, &p->first, ns)
						   : log_elapsed_ns(&p->first, &p->joined, ns);
	int64_t apart;

	if (!p->failures || !known || *ns < HURTS_NS)
		return false;
	/* Where calls are not followed from their beginning: it is tried again and again. */
	return p->hurt.frame != FRAME_NONE ||
	       (p->failures >= FAILURES_MIN && log_elapsed_ns(&p->first, &p->last, &apart) &&
		apart >= HURTS_NS);
}

struct peer_fault {
	const char *id;
	int64_t status, status_2;
	const char *title; /* behind the peer */
	const char *why;
};

static const struct peer_fault fault_unreachable = {
	.id = "net-unreachable",
	.status = -EHOSTUNREACH,
	.status_2 = -ENETUNREACH,
	.title = "cannot be reached: there is no way to it, or nobody answers for its address",
	.why = "The kernel gives this error when a router says so (ICMP), when the neighbour does "
	       "not answer ARP or neighbour solicitations, or when there is no route.",
};

static const struct peer_fault fault_refused = {
	.id = "tcp-syn-refused",
	.status = -ECONNREFUSED,
	.status_2 = -ECONNREFUSED,
	.title = "refuses connections",
	.why = "The kernel gives this error when a SYN is answered by RST (nothing listens there), "
	       "or by an ICMP message that a packet filter sends.",
};

static const struct peer_fault fault_unanswered = {
	.id = "tcp-syn-unanswered",
	.status = -ETIMEDOUT,
	.status_2 = -ETIMEDOUT,
	.title = "does not answer: connections time out",
	.why = "The kernel gives this error when no SYN was answered, or no answer reached it.",
};

static void tell_fault(struct diagnosis *d, const struct rpc_task_host *h,
		       const struct rpc_task_peer *p, const struct peer_fault *fault, int64_t ns)
{
	struct finding *f = diagnosis_add(d, fault->id, CONFIDENCE_LIKELY);

	finding_set_server(d, f, &p->at);
	rpc_task_about(d, f, h);
	f->first = p->first.at;
	f->last = p->last.at;
	f->count = p->failures;
	f->title = arena_format(&d->arena, "%s %s", transport_endpoint(d, &p->at), fault->title);
	f->why = arena_format(
		&d->arena,
		"Connecting to it failed %s with error %" PRId64 " in the client's own kernel. %s "
		"%s",
		nfs4_count_text(d, p->failures, "time", "times"), -p->status, fault->why,
		p->joined.frame == FRAME_NONE
			? arena_format(&d->arena, "It was not reached until the end, %s later.",
				       nfs4_duration_text(d, ns))
			: arena_format(&d->arena, "It was reached %s after the first failure.",
				       nfs4_duration_text(d, ns)));
	finding_cite(d, f, &p->first, NULL, "connecting to %s fails",
		     transport_endpoint(d, &p->at));
	finding_cite(d, f, &p->last, NULL, "and for the last time");
	finding_cite(d, f, &p->hurt, NULL, "a call begins that waits meanwhile");
	finding_cite(d, f, &p->joined, NULL, "the connection is there");
}

static void run_fault(const struct rule_input *in, struct diagnosis *out,
		      const struct peer_fault *fault)
{
	const struct rpc_task_model *m = in->rpc_tasks;
	int64_t ns;

	if (!m || rpc_task_wire_speaks(in))
		return;
	for (size_t i = 0; i < m->hosts.len; i++) {
		const struct rpc_task_host *h =
			*(struct rpc_task_host *const *)vec_at(&m->hosts, i);

		for (size_t k = 0; k < h->peers.len; k++) {
			const struct rpc_task_peer *p =
				*(struct rpc_task_peer *const *)vec_at(&h->peers, k);

			if ((p->status == fault->status || p->status == fault->status_2) &&
			    peer_hurts(h, p, &ns))
				tell_fault(out, h, p, fault, ns);
		}
	}
}

static void run_unreachable(const struct rule_input *in, struct diagnosis *out)
{
	run_fault(in, out, &fault_unreachable);
}

const struct rule rule_rpc_task_unreachable = {
	.id = "net-unreachable",
	.needs = "a client's trace of rpc_socket_*, or its log under rpcdebug",
	.run = run_unreachable,
};

static void run_refused(const struct rule_input *in, struct diagnosis *out)
{
	run_fault(in, out, &fault_refused);
}

const struct rule rule_rpc_task_refused = {
	.id = "tcp-syn-refused",
	.needs = "a client's trace of rpc_socket_*, or its log under rpcdebug",
	.run = run_refused,
};

static void run_unanswered(const struct rule_input *in, struct diagnosis *out)
{
	run_fault(in, out, &fault_unanswered);
}

const struct rule rule_rpc_task_unanswered = {
	.id = "tcp-syn-unanswered",
	.needs = "a client's trace of rpc_socket_*, or its log under rpcdebug",
	.run = run_unanswered,
};

/* --- the port of a service --- */

static bool waits_for_port(const struct rpc_task_seen *t)
{
	return strcmp(t->queue, "xprt_binding") == 0 && rpc_task_is_ours(t);
}

/* A portmapper of the host that it tries to reach, for so long; NULL: there is none. */
static const struct rpc_task_peer *portmap_of(const struct rpc_task_host *h, int64_t *ns)
{
	for (size_t k = 0; k < h->peers.len; k++) {
		const struct rpc_task_peer *p =
			*(struct rpc_task_peer *const *)vec_at(&h->peers, k);

		if (p->at.port == PORT_PORTMAP && p->failures == 0 &&
		    p->tried.frame != FRAME_NONE && rpc_task_lasts(h, &p->tried, ns) &&
		    *ns >= PORT_NS)
			return p;
	}
	return NULL;
}

static const struct rpc_task_seen *getport_of(const struct rpc_task_model *m,
					      const struct rpc_task_host *h)
{
	for (size_t i = 0; i < m->under_way.len; i++) {
		const struct rpc_task_seen *t =
			*(struct rpc_task_seen *const *)vec_at(&m->under_way, i);

		if (t->of->host == h && strncmp(t->program, "rpcbind", 7) == 0 &&
		    t->replied.frame == FRAME_NONE)
			return t;
	}
	return NULL;
}

static void tell_port(struct diagnosis *d, const struct rpc_task_model *m,
		      const struct rpc_task_seen *t)
{
	const struct rpc_task_host *h = t->of->host;
	const struct rpc_task_seen *getport = getport_of(m, h);
	int64_t ns = 0;
	const struct rpc_task_peer *p = portmap_of(h, &ns);
	struct finding *f;

	if (!p && !(t->lists > 1 && getport && getport->lists > 1 &&
		    log_elapsed_ns(&t->listed_first, &t->listed_last, &ns) && ns >= PORT_NS)) {
		diagnosis_undecided(d, "portmap-unanswered",
				    arena_format(&d->arena,
						 "whether %s waits long for the port of its "
						 "service: the evidence looks once (line %" PRIu64
						 ")",
						 rpc_task_text(d, t), t->begun.frame),
				    "on the client, twice, 30 s apart: echo 0 > "
				    "/proc/sys/sunrpc/rpc_debug; dmesg | tail -50");
		return;
	}
	f = diagnosis_add(d, "portmap-unanswered", CONFIDENCE_LIKELY);
	if (p)
		finding_set_server(d, f, &p->at);
	rpc_task_about(d, f, h);
	f->first = p ? p->tried.at : t->listed_first.at;
	f->last = h->last[f->first.clock == CLOCK_UTC].at;
	f->title = arena_format(&d->arena,
				"%s cannot be sent: the server's portmapper does not tell its port",
				rpc_task_text(d, t));
	f->why = arena_format(
		&d->arena,
		"The call waits in the client (queue xprt_binding) until the portmapper tells the "
		"port of its service. %s Whether SYNs are not answered or answers do not arrive, "
		"a capture of port 111 shows.",
		p ? arena_format(&d->arena,
				 "The connection to %s has been in the making for %s, and is not "
				 "there.",
				 transport_endpoint(d, &p->at), nfs4_duration_text(d, ns))
		  : arena_format(&d->arena,
				 "It stood in the list of tasks twice, %s apart, and so "
				 "did the question for the port.",
				 nfs4_duration_text(d, ns)));
	finding_cite(d, f, &t->begun, NULL, "%s waits for its port", rpc_task_text(d, t));
	if (getport)
		finding_cite(d, f, &getport->begun, NULL, "%s is under way",
			     rpc_task_text(d, getport));
	if (p)
		finding_cite(d, f, &p->tried, NULL, "the client begins to connect to %s",
			     transport_endpoint(d, &p->at));
}

static void run_port(const struct rule_input *in, struct diagnosis *out)
{
	const struct rpc_task_model *m = in->rpc_tasks;
	const struct rpc_task_host *told = NULL;

	if (!m || rpc_task_wire_speaks(in))
		return;
	for (size_t i = 0; i < m->under_way.len; i++) {
		const struct rpc_task_seen *t =
			*(struct rpc_task_seen *const *)vec_at(&m->under_way, i);

		if (!waits_for_port(t) || t->of->host == told)
			continue;
		told = t->of->host;
		tell_port(out, m, t);
	}
}

const struct rule rule_rpc_task_port = {
	.id = "portmap-unanswered",
	.needs = "a client's lists of RPC tasks, or its log under rpcdebug",
	.run = run_port,
};
