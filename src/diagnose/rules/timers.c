// SPDX-License-Identifier: GPL-2.0-or-later
/* See timers.h. */
#include "diagnose/rules/timers.h"

#include "base/strbuf.h"
#include "diagnose/rules/log_common.h"
#include "diagnose/rules/transport.h"

#include <inttypes.h>
#include <string.h>

enum { STEPS_MAX = 5 };

/* Up to here a connection that was made right before a call was made for it. */
#define MADE_FOR_CALL_NS (STAMP_NS_PER_S)

uint32_t timers_program(const char *name)
{
	if (strcmp(name, "nfs") == 0)
		return TIMERS_PROGRAM_NFS;
	return strcmp(name, "lockd") == 0 ? TIMERS_PROGRAM_NLM : 0;
}

bool timers_one_folder(const struct rule_input *in, uint32_t a, uint32_t b)
{
	const char *x;
	const char *y;
	const char *x_end;
	const char *y_end;

	if (a >= in->evidence->items.len || b >= in->evidence->items.len)
		return false;
	x = evidence_list_at(in->evidence, a)->path;
	y = evidence_list_at(in->evidence, b)->path;
	x_end = strrchr(x, '/');
	y_end = strrchr(y, '/');
	return (x_end ? x_end - x : 0) == (y_end ? y_end - y : 0) &&
	       strncmp(x, y, x_end ? (size_t)(x_end - x) : 0) == 0;
}

/* One client of this server, in this evidence or (UINT32_MAX) in all. */
static bool only_client(const struct rule_input *in, const struct conn *conn, uint32_t evidence)
{
	for (size_t i = 0; i < in->conns->records.len; i++) {
		const struct conn_record *r = transport_record(in, i);

		if ((evidence == UINT32_MAX || r->conn.evidence == evidence) &&
		    endpoint_same_host(&r->conn.server, &conn->server) &&
		    !endpoint_same_host(&r->conn.client, &conn->client))
			return false;
	}
	return true;
}

bool timers_same_host(const struct rule_input *in, const struct logs_interval *v,
		      const struct conn *conn)
{
	if (!in->conns)
		return false;
	if (timers_one_folder(in, conn->evidence, v->first.evidence))
		return only_client(in, conn, conn->evidence);
	for (size_t i = 0; i < in->logs->intervals.len; i++)
		if (logs_interval_at(in->logs, i)->of.host != v->of.host)
			return false;
	return only_client(in, conn, UINT32_MAX);
}

static bool same_timers(const struct mount_record *a, const struct mount_record *b)
{
	struct timing_call x = timing_call_of_mount(&a->timing);
	struct timing_call y = timing_call_of_mount(&b->timing);

	return x.initval_ns == y.initval_ns && x.retries == y.retries && x.failure == y.failure &&
	       x.transport == y.transport && x.keeps == y.keeps;
}

static bool mount_is_of(const struct mount_record *m, const struct endpoint *server,
			const char *server_name)
{
	if (server && m->server_is_address)
		return endpoint_same_host(&m->server_at, server);
	return server_name && *server_name && strcmp(m->server, server_name) == 0;
}

const struct mount_record *timers_mount(const struct rule_input *in, const struct endpoint *server,
					const char *server_name, uint32_t beside)
{
	const struct mount_record *found = NULL;
	bool found_beside = false;
	bool several = false;

	for (size_t i = 0; in->mounts && i < in->mounts->records.len; i++) {
		const struct mount_record *m =
			*(struct mount_record **)vec_at(&in->mounts->records, i);
		bool here = timers_one_folder(in, m->at.evidence, beside);

		if (!m->timing_known || !mount_is_of(m, server, server_name))
			continue;
		if (!found || (here && !found_beside)) {
			found = m;
			found_beside = here;
			several = false;
		} else if (here == found_beside && !same_timers(m, found)) {
			several = true;
		}
	}
	return several ? NULL : found;
}

const char *timers_text(struct diagnosis *d, const struct timing_call *call)
{
	if (call->lockd)
		return "lockd's timers";
	return arena_format(&d->arena, "timeo=%" PRId64 ",retrans=%" PRIu32,
			    call->initval_ns / (STAMP_NS_PER_S / 10), call->retries);
}

const struct endpoint *timers_server(const struct rule_input *in, const struct logs_subject *of)
{
	return of->server_is_address ? &of->server_at : log_only_server(in);
}

struct timing_call timers_of(const struct rule_input *in, const struct logs_interval *v,
			     const struct mount_record **mount)
{
	struct timing_options none = {.vers = 3};
	const struct mount_record *m =
		timers_mount(in, timers_server(in, &v->of), v->of.server, v->first.evidence);
	struct timing_call call;

	*mount = m;
	if (timers_program(v->of.program) == TIMERS_PROGRAM_NLM)
		return timing_call_of_lockd(m ? &m->timing : &none);
	call = timing_call_of_mount(m ? &m->timing : &none);
	if (!m && v->gave_up && !v->trying)
		call.failure = TIMING_SOFT;
	return call;
}

/* How a complaint fits to a call: by which alternative, counted from where. */
struct fit {
	bool fits;
	const struct timing_alternative *alternative;
	int64_t due_ns, latest_ns, after_ns;
	int64_t off_ns; /* by how much it is off the time, both ways; to choose the best */
};

static int64_t abs_ns(int64_t ns)
{
	return ns < 0 ? -ns : ns;
}

static void fit_take(struct fit *best, const struct timing_alternative *a,
		     const struct timing_event *e, int64_t after_ns)
{
	struct fit fit = {.alternative = a,
			  .due_ns = e->at_ns,
			  .latest_ns = e->latest_ns,
			  .after_ns = after_ns,
			  .off_ns = abs_ns(after_ns - e->at_ns)};

	fit.fits = after_ns >= e->at_ns - TIMERS_CLOCK_NS &&
		   after_ns <= e->latest_ns + TIMERS_CLOCK_NS;
	if (!best->alternative || (fit.fits && !best->fits) ||
	    (fit.fits == best->fits && fit.off_ns < best->off_ns))
		*best = fit;
}

/* When the connection of the call was begun, where it was made for it; else unknown. */
static struct stamp made_for(const struct rule_input *in, const struct overdue_call *c)
{
	const struct conn_record *r = in->conns ? conn_model_find(in->conns, c->conn.serial) : NULL;

	if (!r || !transport_known(&r->syn) || !transport_known(&r->established) ||
	    path_span_ns(r->established.at, c->call.at) > MADE_FOR_CALL_NS)
		return stamp_none();
	return r->syn.at;
}

static void fit_alternative(struct fit *best, const struct timing_call *call,
			    const struct timing_alternative *a, uint32_t steps, int64_t after_ns)
{
	struct timing_event e[TIMING_EVENTS_MAX];
	size_t count = timing_run(call, a->kernel, a->start, steps, INT64_MAX, e);

	for (size_t i = 0; i < count; i++)
		if (e[i].kind >= TIMING_COMPLAIN)
			fit_take(best, a, &e[i], after_ns);
}

/* The best fit of a complaint at `at` with this call. */
static struct fit fit_call(const struct rule_input *in, const struct timing_call *call,
			   const struct overdue_call *c, struct stamp at)
{
	int64_t after_ns = path_span_ns(c->call.at, at);
	struct stamp made = made_for(in, c);
	/* A soft call of NFSv4 fails at its time when its connection is gone by then. */
	static const struct timing_alternative gone = {"gone", TIMING_SINCE_5_13, TIMING_UNSENT,
						       ""};
	struct fit best = {.fits = false};

	if (call->keeps && call->failure != TIMING_HARD)
		fit_alternative(&best, call, &gone, 0, after_ns);
	for (size_t i = 0; i < TIMING_ALTERNATIVES; i++) {
		const struct timing_alternative *a = &timing_alternatives[i];

		if (a->start == TIMING_CONNECTED) {
			fit_alternative(&best, call, a, 0, after_ns);
			/* Since 5.2 the call's beginning counts, and that is before the connection.
			 */
			if (stamp_known(made) && a->kernel != TIMING_BEFORE_5_2)
				fit_alternative(&best, call, a, 0, path_span_ns(made, at));
		} else if (stamp_known(made)) {
			for (uint32_t steps = 1; steps <= STEPS_MAX; steps++)
				fit_alternative(&best, call, a, steps, after_ns);
		}
	}
	return best;
}

static bool call_waits(const struct overdue_call *c, uint32_t program,
		       const struct endpoint *server, struct stamp at)
{
	if (c->program != program || !endpoint_same_host(&c->conn.server, server) ||
	    c->call.at.clock != at.clock || c->call.at.ns > at.ns + TIMERS_CLOCK_NS)
		return false;
	return !transport_known(&c->reply) || c->reply.at.clock != at.clock ||
	       c->reply.at.ns >= at.ns - TIMERS_CLOCK_NS;
}

/* The waiting call that fits best, or the oldest; *fit is about it. */
static const struct overdue_call *find_waiting(const struct rule_input *in,
					       const struct logs_interval *v, struct fit *fit)
{
	const struct endpoint *server = timers_server(in, &v->of);
	uint32_t program = timers_program(v->of.program);
	const struct overdue_call *best = NULL;
	const struct mount_record *mount;
	struct timing_call call = timers_of(in, v, &mount);

	if (!in->overdue || !server || program == 0 || !stamp_known(v->first.at))
		return NULL;
	for (size_t i = 0; i < in->overdue->calls.len; i++) {
		const struct overdue_call *c =
			*(struct overdue_call **)vec_at(&in->overdue->calls, i);
		struct fit one;

		if (!call_waits(c, program, server, v->first.at) ||
		    !timers_same_host(in, v, &c->conn))
			continue;
		one = fit_call(in, &call, c, v->first.at);
		if (!best || (one.fits && !fit->fits) ||
		    (one.fits == fit->fits &&
		     (one.fits ? one.off_ns < fit->off_ns
			       : path_span_ns(c->call.at, best->call.at) > 0))) {
			best = c;
			*fit = one;
		}
	}
	return best;
}

bool timers_any_waiting(const struct rule_input *in, const struct logs_interval *v)
{
	const struct endpoint *server = timers_server(in, &v->of);
	uint32_t program = timers_program(v->of.program);

	for (size_t i = 0; in->overdue && server && i < in->overdue->calls.len; i++)
		if (call_waits(*(struct overdue_call **)vec_at(&in->overdue->calls, i), program,
			       server, v->first.at))
			return true;
	return false;
}

static const char *seconds(struct diagnosis *d, int64_t ns)
{
	struct strbuf text;
	const char *kept;

	strbuf_init(&text);
	/* A tenth is as exact as a log is. */
	strbuf_add_seconds(&text, (ns + STAMP_NS_PER_S / 20) / (STAMP_NS_PER_S / 10) *
					  (STAMP_NS_PER_S / 10));
	kept = arena_format(&d->arena, "%s s", strbuf_text(&text));
	strbuf_deinit(&text);
	return kept;
}

/* ", the defaults of a mount, as its options are not in the evidence". */
static const char *whose(const struct timing_call *call, const struct mount_record *mount)
{
	if (call->lockd || mount)
		return "";
	return " (the defaults: the evidence does not tell this mount's options)";
}

static void cite_call(struct diagnosis *d, struct finding *f, const struct overdue_call *c)
{
	finding_cite(d, f, &c->call, &c->conn, "the %s that waits",
		     transport_procedure(d, c->program, c->version, c->procedure));
}

static const char *told_fit(struct diagnosis *d, const struct overdue_call *c,
			    const struct fit *fit, const struct timing_call *call,
			    const struct mount_record *mount)
{
	const char *only = fit->alternative->kernel == TIMING_BEFORE_5_2
				   ? ", in kernels before 5.2 alone"
			   : fit->alternative->start == TIMING_CONNECTING
				   ? ", in kernels from 5.2 to 5.8 alone"
				   : "";

	return arena_format(&d->arena,
			    "The complaint came %s after the %s of frame %" PRIu64
			    ", as %s have it%s%s: due after %s; an alarm may be late by %s, and "
			    "a log's time be off by 2 s.",
			    seconds(d, fit->after_ns),
			    transport_procedure(d, c->program, c->version, c->procedure),
			    c->call.frame, timers_text(d, call), whose(call, mount), only,
			    seconds(d, fit->due_ns), seconds(d, fit->latest_ns - fit->due_ns));
}

static const char *told_misfit(struct diagnosis *d, const struct overdue_call *c,
			       const struct fit *fit, const struct timing_call *call,
			       const struct mount_record *mount)
{
	return arena_format(
		&d->arena,
		"The oldest call that waited then, the %s of frame %" PRIu64
		", had been sent %s before; by %s%s it is due after %s, and no kernel that we know "
		"makes it come then: so the complaint is of another call, the options were others, "
		"or the clocks of log and capture differ.",
		transport_procedure(d, c->program, c->version, c->procedure), c->call.frame,
		seconds(d, fit->after_ns), timers_text(d, call), whose(call, mount),
		seconds(d, timing_major_ns(call)));
}

/* The first attempt to connect of the last major timeout that got nowhere; NULL: none. */
static const struct conn_record *attempt_in_vain(const struct rule_input *in,
						 const struct endpoint *server, uint32_t program,
						 struct stamp at, int64_t major_ns)
{
	const struct conn_record *first = NULL;

	for (size_t i = 0; in->conns && i < in->conns->records.len; i++) {
		const struct conn_record *r = transport_record(in, i);
		bool portmap = program == TIMERS_PROGRAM_NLM && r->conn.server.port == 111;
		const struct conn_rpc_server *s = conn_model_rpc_server(in->conns, &r->conn.server);
		bool ours = portmap;

		for (uint32_t k = 0; s && k < s->programs_len; k++)
			ours |= s->programs[k].program == program;
		if (!ours || !endpoint_same_host(&r->conn.server, server) ||
		    !transport_known(&r->syn) || r->syn.at.clock != at.clock ||
		    r->syn.at.ns > at.ns || r->syn.at.ns < at.ns - major_ns - 2 * TIMERS_CLOCK_NS)
			continue;
		if (transport_known(&r->established) && r->established.at.ns <= at.ns)
			continue;
		if (!first || r->syn.at.ns < first->syn.at.ns)
			first = r;
	}
	return first;
}

/* The capture that saw `conn` holds the whole time from `from` to `to`, and lost nothing. */
static bool capture_covers(const struct rule_input *in, uint32_t evidence, int64_t from_ns,
			   struct stamp to)
{
	const struct evidence *e = evidence_list_at(in->evidence, evidence);

	return e->first.clock == to.clock && e->last.clock == to.clock && e->first.ns <= from_ns &&
	       e->last.ns >= to.ns && e->lost_bytes == 0 && e->cut_packets == 0;
}

static const char *told_unsent(const struct rule_input *in, struct diagnosis *d, struct finding *f,
			       const struct logs_interval *v)
{
	const struct endpoint *server = timers_server(in, &v->of);
	uint32_t program = timers_program(v->of.program);
	const struct mount_record *mount;
	struct timing_call call = timers_of(in, v, &mount);
	int64_t major_ns = timing_major_ns(&call);
	struct stamp at = v->first.at;
	const struct conn_record *r;

	/* A mount that is not known may have any timeout. */
	if (!server || program == 0 || !stamp_known(at) || !in->overdue || in->overdue->dropped ||
	    (!call.lockd && !mount))
		return "";
	r = attempt_in_vain(in, server, program, at, major_ns);
	if (!r || !timers_same_host(in, v, &r->conn) ||
	    !capture_covers(in, r->conn.evidence, at.ns - major_ns - TIMERS_CLOCK_NS, at))
		return "";
	finding_cite(d, f, &r->syn, &r->conn, "an attempt to connect that got nowhere");
	return arena_format(
		&d->arena,
		"No call of it was on the wire then: a connection that it needs, to port "
		"%u, was not made (the first attempt %s before the complaint). %s count "
		"from the beginning of a call also when it is not sent: %s%s.",
		r->conn.server.port, seconds(d, path_span_ns(r->syn.at, at)),
		call.lockd ? "Lockd's timers" : "The mount's timers", seconds(d, major_ns),
		whose(&call, mount));
}

const char *timers_confirm(const struct rule_input *in, struct diagnosis *d, struct finding *f,
			   const struct logs_interval *v)
{
	const struct mount_record *mount;
	struct timing_call call = timers_of(in, v, &mount);
	struct fit fit = {.fits = false};
	const struct overdue_call *c;

	/* A server's own calls, to its clients, are timed by what we do not know. */
	if (call.lockd && v->gave_up && !v->trying)
		return "";
	c = find_waiting(in, v, &fit);
	if (!c)
		return told_unsent(in, d, f, v);
	if (!fit.alternative || (!fit.fits && !call.lockd && !mount))
		return "";
	cite_call(d, f, c);
	return fit.fits ? told_fit(d, c, &fit, &call, mount)
			: told_misfit(d, c, &fit, &call, mount);
}

static bool first_is(const struct timing_call *call, int64_t after_ns)
{
	return after_ns >= call->initval_ns - STAMP_NS_PER_S / 10 &&
	       after_ns <= call->initval_ns + timing_alarm_late_ns(call->initval_ns) +
				   STAMP_NS_PER_S / 2;
}

const char *timers_of_repeat(const struct rule_input *in, struct diagnosis *d, struct finding *f,
			     const struct conn *conn, uint32_t program, int64_t after_ns)
{
	const struct mount_record *m = timers_mount(in, &conn->server, NULL, conn->evidence);
	struct timing_options none = {.vers = 3};
	struct timing_call call;

	if (conn->transport != TRANSPORT_TCP || after_ns <= 0)
		return "";
	if (program == TIMERS_PROGRAM_NLM) {
		call = timing_call_of_lockd(m ? &m->timing : &none);
		return first_is(&call, after_ns)
			       ? " The first repetition came when lockd's own timer (10 s) has it."
			       : "";
	}
	if (program != TIMERS_PROGRAM_NFS || !m)
		return "";
	call = timing_call_of_mount(&m->timing);
	finding_cite(d, f, &m->at, NULL, "the mount's options");
	if (call.keeps)
		return "";
	return arena_format(
		&d->arena,
		first_is(&call, after_ns)
			? " The first repetition came after %s, as %s of the mount %s "
			  "has it."
			: " The first repetition came after %s, which is not what %s of "
			  "the mount %s says: another mount, or options that were "
			  "changed.",
		seconds(d, after_ns), timers_text(d, &call), log_text(d, m->mount_point));
}
