// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * rpc-not-responding: the kernel's own complaint about a server, as an interval. One finding for
 * each program and server in the log of a host.
 *
 * The kernel complains when a call had its major timeout (net/sunrpc/clnt.c, rpc_check_timeout).
 * lockd's calls have timers of their own: nothing of the mount's timeo and retrans applies to them
 * (fs/lockd/host.c, nlm_bind_host).
 */
#include "diagnose/rules/log_common.h"
#include "diagnose/rules/rules.h"
#include "diagnose/rules/timers.h"
#include "model/rpc_task.h"

#include <inttypes.h>
#include <string.h>

/* The sums over the intervals of one subject. */
struct complaint {
	uint64_t intervals, trying, gave_up;
	uint64_t open;      /* intervals without an end in the log */
	int64_t longest_ns; /* from complaint to OK; -1: none known */
	int64_t total_ns;
};

static void complaint_add(struct complaint *c, const struct logs_interval *v)
{
	int64_t ns;

	c->intervals++;
	c->trying += v->trying;
	c->gave_up += v->gave_up;
	c->open += v->ok.frame == FRAME_NONE;
	if (!log_elapsed_ns(&v->first, &v->ok, &ns) || ns < 0)
		return;
	c->total_ns += ns;
	if (ns > c->longest_ns)
		c->longest_ns = ns;
}

/* True when it is a server that speaks of a client: its lockd gives up. */
static bool is_of_server(const struct logs_interval *v, const struct complaint *c)
{
	return strcmp(v->of.program, "lockd") == 0 && c->gave_up && !c->trying;
}

/* A complaint follows the alarm that ran out by no more than this. */
#define AFTER_ALARM_NS (5 * STAMP_NS_PER_S)

/* From the first of these alarms to a complaint that came when the last had run out; else 0. */
static int64_t alarms_lead_to(const struct rpc_task_alarms *s, const struct provenance *complaint)
{
	const struct provenance *last = &s->set[s->len - 1];
	int64_t ns;

	if (last->evidence != complaint->evidence || !log_elapsed_ns(last, complaint, &ns) ||
	    ns < s->alarm_ns[s->len - 1] || ns > s->alarm_ns[s->len - 1] * 9 / 8 + AFTER_ALARM_NS)
		return 0;
	return log_elapsed_ns(&s->set[0], complaint, &ns) ? ns : 0;
}

/* The alarms of the call that the complaint is about; NULL: the log does not tell them, or those of
 * several calls that ran out then. */
static const struct rpc_task_alarms *alarms_of(const struct rule_input *in,
					       const struct logs_interval *v)
{
	const struct rpc_task_alarms *found = NULL;

	for (size_t i = 0; in->rpc_tasks && i < in->rpc_tasks->hosts.len; i++) {
		const struct rpc_task_host *h =
			*(struct rpc_task_host *const *)vec_at(&in->rpc_tasks->hosts, i);

		for (size_t k = 0; k < h->alarms.len; k++) {
			const struct rpc_task_alarms *s = vec_at(&h->alarms, k);

			if (alarms_lead_to(s, &v->first) == 0)
				continue;
			if (found)
				return NULL;
			found = s;
		}
	}
	return found;
}

/* What the kernel's own words about the call tell of its timers, with cites; "": nothing. */
static const char *alarms_text(struct diagnosis *d, struct finding *f,
			       const struct rpc_task_alarms *s, const struct logs_interval *v)
{
	const char *list = "";

	for (uint32_t i = 0; i < s->len; i++) {
		const char *one = log_duration_text(d, s->alarm_ns[i]);

		finding_cite(d, f, &s->set[i], NULL, "RPC task %" PRIu64 " waits %s for its answer",
			     s->task, one);
		list = i ? arena_format(&d->arena, "%s, %s", list, one) : one;
	}
	return arena_format(
		&d->arena,
		" By the log's own RPC lines, task %" PRIu64
		" had waited %s when the first line was written, through %" PRIu32
		" %s without an answer: %s. `nfsleuth timeouts` tells which kernels count so.",
		s->task, log_duration_text(d, alarms_lead_to(s, &v->first)), s->len,
		s->len == 1 ? "alarm" : "alarms one after the other", list);
}

/* A host that stood still complains so long after it, when its calls have run into their timers. */
#define AFTER_STANDSTILL_NS (300 * STAMP_NS_PER_S)

/* When the host went on, after it had not been running, shortly before the complaint; or NULL. */
static const struct provenance *went_on(const struct logs_interval *v, enum log_fact_kind kind,
					int64_t *before_ns)
{
	const struct logs_host *h = v->of.host;
	const struct provenance *const candidates[] = {&h->last[kind], &h->first[kind]};

	for (size_t i = 0; h->counts[kind] && i < 2; i++)
		if (log_elapsed_ns(candidates[i], &v->first, before_ns) && *before_ns >= 0 &&
		    *before_ns <= AFTER_STANDSTILL_NS)
			return candidates[i];
	return NULL;
}

/* Whether the log tells why after all: the host itself was away. */
static const char *standstill_text(struct diagnosis *d, struct finding *f,
				   const struct logs_interval *v)
{
	int64_t ns;
	const struct provenance *at = went_on(v, LOG_AWAKE, &ns);

	if (at) {
		finding_cite(d, f, at, NULL, "the host woke up");
		return arena_format(
			&d->arena,
			"The host woke up from suspend or hibernation %s before it complained: it "
			"was the host that had been away, and connections, leases and what a "
			"firewall knows of them may not have outlived that. Of the server this "
			"tells nothing.",
			log_duration_text(d, ns));
	}
	at = went_on(v, LOG_SOFT_LOCKUP, &ns);
	if (at) {
		finding_cite(d, f, at, NULL, "soft lockup: a CPU of the host had stood still");
		return arena_format(
			&d->arena,
			"%s before it complained, a CPU of this host had not been running for a "
			"long time (soft lockup): where the host is a virtual machine that was "
			"paused or starved, its timers ran out for that reason. Whether the server "
			"had a part in it shows on the wire.",
			log_duration_text(d, ns));
	}
	return "The log does not tell why: that shows on the wire.";
}

/* What the wording and the program tell about the calls that waited. */
static const char *meaning(const struct rule_input *in, struct diagnosis *d,
			   const struct logs_interval *v, const struct complaint *c, bool told)
{
	const struct mount_record *mount;
	struct timing_call call = timers_of(in, v, &mount);

	if (is_of_server(v, c))
		return "It is lockd, and it gave up: so a server speaks of a client that does not "
		       "answer it (NLM_GRANTED); likely, not certain.";
	if (strcmp(v->of.program, "lockd") == 0)
		return arena_format(
			&d->arena,
			"It is lockd, which has timers of its own (10 s by default, complaint "
			"after 60 s): timeo, retrans and hard of the mount do not "
			"apply.%s",
			told ? ""
			     : " The lock call had waited about a minute when the "
			       "first line was written, or 90 s where older kernels "
			       "(without da953063bdce) had to connect for it first.");
	if (strncmp(v->of.program, "nfs4 cb", 7) == 0)
		return "It is the callback channel: a server speaks of a client.";
	if (strcmp(v->of.program, "nfs client") == 0)
		return "The wording is that of BSD, macOS, Solaris or HP-UX: when they complain is "
		       "not "
		       "counted as by Linux.";
	if (c->trying && !c->gave_up && !mount)
		return "The mount is hard: programs wait until the server answers. A call had "
		       "waited timeo*(retrans+1)/10 s (180 s by default over TCP) when the first "
		       "line was written.";
	if (c->trying && !c->gave_up)
		return arena_format(
			&d->arena,
			"The mount is hard: programs wait until the server answers. By "
			"the options of %s (%s) a call had waited %s when the first line "
			"was written.",
			log_text(d, mount->mount_point), timers_text(d, &call),
			log_duration_text(d, timing_major_ns(&call)));
	if (c->gave_up && !c->trying)
		return "The mount is soft: the calls were given up, and programs got an error.";
	return arena_text(&d->arena, "There are hard and soft mounts of it: some programs wait, "
				     "others got an error.");
}

static const char *how_long(struct diagnosis *d, const struct complaint *c)
{
	if (c->longest_ns < 0 && c->open)
		return "The log holds no \"OK\" after it.";
	if (c->longest_ns < 0)
		return "How long it took cannot be told.";
	if (c->intervals == 1)
		return arena_format(&d->arena, "From the complaint to \"OK\" it took %s.",
				    log_duration_text(d, c->longest_ns));
	return arena_format(&d->arena, "From complaint to \"OK\" it took %s at most, %s in all%s.",
			    log_duration_text(d, c->longest_ns), log_duration_text(d, c->total_ns),
			    c->open ? "; some have no \"OK\" in the log" : "");
}

/* " (19.2 s)", " (3 times, 61.9 s at most)"; nothing where neither is known. */
static const char *in_brackets(struct diagnosis *d, const struct complaint *c)
{
	const char *longest = c->longest_ns < 0 ? NULL : log_duration_text(d, c->longest_ns);

	if (c->intervals > 1 && longest)
		return arena_format(&d->arena, " (%" PRIu64 " times, %s at most)", c->intervals,
				    longest);
	if (c->intervals > 1)
		return arena_format(&d->arena, " (%" PRIu64 " times)", c->intervals);
	return longest ? arena_format(&d->arena, " (%s)", longest) : "";
}

static void cite_interval(struct diagnosis *d, struct finding *f, const struct logs_interval *v)
{
	const char *program = log_text(d, v->of.program);

	finding_cite(d, f, &v->first, NULL, "%s complains: server %s not responding, %s", program,
		     log_server_text(d, &v->of),
		     v->gave_up_first.frame == v->first.frame ? "timed out" : "still trying");
	finding_cite(d, f, &v->ok, NULL, "and it is back: OK");
	finding_cite(d, f, &v->gave_up_first, NULL, "the first that was given up: timed out");
	log_finding_span(f, &v->first);
	log_finding_span(f, &v->last);
	log_finding_span(f, &v->ok);
}

/* All intervals of the subject of `v`, which is the first of them. */
static void tell(const struct rule_input *in, struct diagnosis *d, const struct logs_interval *v)
{
	struct finding *f = diagnosis_add(d, "rpc-not-responding", CONFIDENCE_CERTAIN);
	struct complaint c = {.longest_ns = -1};
	const struct rpc_task_alarms *alarms = alarms_of(in, v);
	const char *confirmed = "";

	for (const struct logs_interval *one = v; one; one = one->next) {
		complaint_add(&c, one);
		cite_interval(d, f, one);
		if (!*confirmed)
			confirmed = timers_confirm(in, d, f, one);
	}
	if (is_of_server(v, &c))
		log_finding_about_client(in, d, f, &v->of);
	else
		log_finding_about(in, d, f, &v->of);
	finding_subject(d, f, "program", "%s", log_text(d, v->of.program));
	f->count = c.intervals;
	f->title = arena_format(&d->arena, "%s on %s complains: server %s not responding%s",
				log_text(d, v->of.program), log_text(d, v->of.host->name),
				log_server_text(d, &v->of), in_brackets(d, &c));
	if (!*confirmed && alarms)
		confirmed = alarms_text(d, f, alarms, v) + 1;
	f->why = arena_format(&d->arena, "%s %s%s%s %s%s", how_long(d, &c),
			      meaning(in, d, v, &c, *confirmed != '\0'), *confirmed ? " " : "",
			      confirmed, standstill_text(d, f, v),
			      log_exactness_text(in, d, &v->first));
}

static void run(const struct rule_input *in, struct diagnosis *out)
{
	for (size_t i = 0; in->logs && i < in->logs->intervals.len; i++) {
		const struct logs_interval *v = logs_interval_at(in->logs, i);

		if (v == v->head)
			tell(in, out, v);
	}
}

const struct rule rule_rpc_not_responding = {
	.id = "rpc-not-responding",
	.needs = "the kernel log of a client (or of a server, for lockd and callbacks)",
	.run = run,
};
