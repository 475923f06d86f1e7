// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * rpc-not-sent: the kernel complained of a server although no call to it was on the wire (catalogue
 * B12). A call's deadline runs from its beginning (net/sunrpc/xprt.c, xprt_init_majortimeo): a call
 * that waits for a free slot, or for a lock of the transport, times out without ever being sent.
 *
 * Where a connection cannot be made there is a better name for it, and this rule is silent. So it
 * asks for a connection over which the call could have gone, and for a capture that would show it.
 */
#include "diagnose/rules/log_common.h"
#include "diagnose/rules/rules.h"
#include "diagnose/rules/timers.h"
#include "diagnose/rules/transport.h"

#include <inttypes.h>

/* The time in which the call that is complained of would have to be on the wire. */
struct window {
	const struct endpoint *server;
	uint32_t program;
	int64_t from_ns;
	struct stamp to;
};

static bool within(const struct provenance *p, const struct window *w)
{
	return transport_known(p) && p->at.clock == w->to.clock && p->at.ns >= w->from_ns &&
	       p->at.ns <= w->to.ns + TIMERS_CLOCK_NS;
}

static bool before(const struct provenance *p, int64_t ns)
{
	return transport_known(p) && p->at.ns < ns;
}

static bool carries(const struct rule_input *in, const struct conn_record *r, uint32_t program)
{
	const struct conn_rpc_server *s = conn_model_rpc_server(in->conns, &r->conn.server);

	for (uint32_t i = 0; s && i < s->programs_len; i++)
		if (s->programs[i].program == program && !s->programs[i].callback)
			return r->carried_rpc;
	return false;
}

/* Open all the time, and nothing wrong with it. */
static bool conn_was_open(const struct conn_record *r, const struct window *w)
{
	bool there = before(&r->established, w->from_ns) ||
		     (r->conn.joined && before(&r->first, w->from_ns));
	int64_t end_ns = w->to.ns + TIMERS_CLOCK_NS;

	return there && r->conn.transport == TRANSPORT_TCP && !r->conn.lossy &&
	       r->first.at.clock == w->to.clock && !before(&r->fin[CONN_FROM_CLIENT], end_ns) &&
	       !before(&r->fin[CONN_FROM_SERVER], end_ns) && !before(&r->rst, end_ns) &&
	       r->retransmissions[CONN_FROM_CLIENT] == 0;
}

/* A connection to the server that was being made or broken then: that has names of its own. */
static bool conn_in_trouble(const struct conn_record *r, const struct window *w)
{
	bool ends = within(&r->fin[CONN_FROM_CLIENT], w) || within(&r->fin[CONN_FROM_SERVER], w) ||
		    within(&r->rst, w);

	return ends || within(&r->syn, w) || within(conn_record_syn_last(r), w) ||
	       within(&r->refused, w);
}

/* The connection over which the call could have gone; NULL: none, or some were in trouble. */
static const struct conn_record *find_open(const struct rule_input *in, const struct window *w)
{
	const struct conn_record *open = NULL;

	for (size_t i = 0; i < in->conns->records.len; i++) {
		const struct conn_record *r = transport_record(in, i);

		if (!endpoint_same_host(&r->conn.server, w->server))
			continue;
		if (conn_in_trouble(r, w))
			return NULL;
		if (!open && carries(in, r, w->program) && conn_was_open(r, w))
			open = r;
	}
	return open;
}

static bool capture_shows_all(const struct rule_input *in, const struct conn_record *r,
			      const struct window *w)
{
	const struct evidence *e = evidence_list_at(in->evidence, r->conn.evidence);

	return e->lost_bytes == 0 && e->cut_packets == 0 && e->first.clock == w->to.clock &&
	       e->first.ns <= w->from_ns && e->last.ns >= w->to.ns;
}

/*
 * The capture that tells what the client sent: another one that was taken nearer to it, goes on all
 * the time and holds nothing of the client's that this one does not; or else the connection's own.
 */
static uint32_t seen_at_client(const struct rule_input *in, const struct conn_record *r,
			       const struct window *w)
{
	const struct evidence *e;
	struct wire_tale t;

	if (!in->wire || !wire_ask(in->wire, r->conn.serial, CONN_FROM_CLIENT, &t) ||
	    t.near_sender == r->conn.evidence || t.lost || t.not_shown || t.way->unplaced)
		return r->conn.evidence;
	e = evidence_list_at(in->evidence, t.near_sender);
	if (e->first.clock != w->to.clock || e->first.ns > w->from_ns || e->last.ns < w->to.ns)
		return r->conn.evidence;
	return t.near_sender;
}

static void tell(const struct rule_input *in, struct diagnosis *d, const struct logs_interval *v,
		 const struct conn_record *r, const struct window *w, int64_t major_ns, bool lockd)
{
	enum vantage_place place = vantage_of(in->conns, &r->conn).place;
	uint32_t evidence = seen_at_client(in, r, w);
	struct finding *f;

	if (evidence != r->conn.evidence)
		place = VANTAGE_UNKNOWN;
	if (!timers_one_folder(in, evidence, v->first.evidence) ||
	    !timers_same_host(in, v, &r->conn) || place == VANTAGE_AT_SERVER) {
		diagnosis_undecided(
			d, "rpc-not-sent",
			"a capture taken on the host that complained: whether it sent the "
			"call does not show elsewhere",
			"tcpdump -i any -s 0 -w client.pcap host SERVER");
		return;
	}
	f = diagnosis_add(d, "rpc-not-sent", CONFIDENCE_LIKELY);
	log_finding_about(in, d, f, &v->of);
	finding_set_server(d, f, &r->conn.server);
	finding_add_client(d, f, &r->conn.client);
	finding_subject(d, f, "program", "%s", log_text(d, v->of.program));
	log_finding_span(f, &v->first);
	log_finding_span(f, &v->ok);
	f->count = v->trying + v->gave_up;
	f->title = arena_format(&d->arena, "%s complains of %s about a call that it never sent",
				log_text(d, v->of.program), log_server_text(d, &v->of));
	f->why = arena_format(
		&d->arena,
		"No %s call of %s to %s was without an answer when %s complained, nor in the %s "
		"before, although a connection for it was open all the time (port %u) and the "
		"capture holds that time whole. %s count from the beginning of a call: this one "
		"waited inside of the client, for a free slot or behind others that are being "
		"sent.",
		transport_program(d, timers_program(v->of.program)),
		transport_host(d, &r->conn.client), transport_host(d, &r->conn.server),
		log_text(d, v->of.program), transport_duration(d, major_ns), r->conn.client.port,
		lockd ? "Lockd's timers" : "The mount's timers");
	finding_cite(d, f, &v->first, NULL, "the complaint");
	finding_cite(d, f, transport_known(&r->established) ? &r->established : &r->first, &r->conn,
		     "the connection that was open");
	finding_cite(d, f, &r->last, &r->conn, "its last packet");
	finding_rule_out(d, f, "rpc-server-silent", "no call was waiting for its answer");
	finding_rule_out(d, f, "rpc-server-slow", "no call was waiting for its answer");
}

static void look_at(const struct rule_input *in, struct diagnosis *d, const struct logs_interval *v)
{
	uint32_t program = timers_program(v->of.program);
	const struct mount_record *mount;
	struct timing_call call = timers_of(in, v, &mount);
	int64_t major_ns = timing_major_ns(&call);
	struct window w = {.server = timers_server(in, &v->of), .program = program};
	const struct conn_record *r;

	/* lockd that gives up is a server's. An unknown mount may have any timeout. */
	if (!w.server || program == 0 || v->first.at.clock != CLOCK_UTC ||
	    (call.lockd ? v->gave_up > 0 : !mount) || timers_any_waiting(in, v))
		return;
	w.to = v->first.at;
	w.from_ns = w.to.ns - major_ns - 2 * TIMERS_CLOCK_NS;
	r = find_open(in, &w);
	if (r && capture_shows_all(in, r, &w))
		tell(in, d, v, r, &w, major_ns, call.lockd);
}

static void run(const struct rule_input *in, struct diagnosis *out)
{
	if (!in->logs || !in->conns || !in->overdue || in->overdue->dropped)
		return;
	for (size_t i = 0; i < in->logs->intervals.len; i++)
		look_at(in, out, logs_interval_at(in->logs, i));
}

const struct rule rule_rpc_not_sent = {
	.id = "rpc-not-sent",
	.needs = "the kernel log of a client, and a capture taken there that shows the time before "
		 "the complaint whole (for NFS also the mount's options)",
	.run = run,
};
