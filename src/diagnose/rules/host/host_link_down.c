// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * host-link-down: a host's own log says that its link went down, and calls waited at that time.
 *
 * A link that comes up for the first time, as at boot, is no incident: there must be an "up" before
 * the "down", or a complaint of the host while it is down, and its end when the link is up. Nor is
 * a link that nobody missed, or one beside which the server was heard while it was down: that went
 * over another one.
 */
#include "diagnose/rules/log_common.h"
#include "diagnose/rules/rules.h"
#include "model/conn.h"
#include "model/path/path.h"

#include <inttypes.h>
#include <string.h>

/*
 * A complaint comes later than what it complains about: after three minutes with the defaults of
 * TCP mounts (timeo=600,retrans=2), and TCP's own back-off may hold the calls up after the link is
 * back.
 */
#define COMPLAINT_LATE_NS (240 * STAMP_NS_PER_S)

/* Clocks of a log and of a capture, and when the driver noticed. */
#define CLOCK_SLACK_NS (5 * STAMP_NS_PER_S)

/* Attempts to connect, and data in vain, that took less have not met an outage. */
#define CONNECT_SLOW_NS (3 * STAMP_NS_PER_S)

/* Who suffered from one outage. */
struct sufferer {
	const struct logs_interval *complaint; /* NULL: none */
	const struct conn *conn;               /* NULL: none */
	const struct provenance *conn_at;      /* what shows it */
};

/* Outages that one complaint, or one connection, is about: a link that flaps. */
struct flapping {
	const struct logs_outage *first, *last;
	uint64_t count;
	int64_t longest_ns; /* -1: not known */
	struct sufferer s;
};

/* From the loss to the return, or without an end. */
static bool in_outage(const struct logs_outage *o, struct stamp at, int64_t late_ns)
{
	if (!stamp_known(at) || at.clock != o->down.at.clock ||
	    at.ns < o->down.at.ns - CLOCK_SLACK_NS)
		return false;
	return o->up.frame == FRAME_NONE || at.ns <= o->up.at.ns + late_ns;
}

/*
 * What got through while the log has the link down went over another one. Where the log knows of
 * no return it may have ended before: only up to its last line is the link known to be down.
 */
static bool while_down(const struct rule_input *in, const struct logs_outage *o,
		       const struct provenance *at)
{
	struct stamp end = o->up.at;

	if (o->up.frame == FRAME_NONE)
		end = o->down.evidence < in->evidence->items.len
			      ? evidence_list_at(in->evidence, o->down.evidence)->last
			      : stamp_none();
	return at->frame != FRAME_NONE && stamp_known(at->at) && stamp_known(end) &&
	       at->at.clock == o->down.at.clock && end.clock == at->at.clock &&
	       at->at.ns > o->down.at.ns + CLOCK_SLACK_NS && at->at.ns < end.ns - CLOCK_SLACK_NS;
}

/* The host's own complaint first, then that of another host about a server. */
static const struct logs_interval *find_complaint(const struct rule_input *in,
						  const struct logs_interface *n,
						  const struct logs_outage *o)
{
	const struct logs_model *m = in->logs;
	const struct logs_interval *other = NULL;

	for (size_t i = 0; i < m->intervals.len; i++) {
		const struct logs_interval *v = logs_interval_at(m, i);

		if (!in_outage(o, v->first.at, COMPLAINT_LATE_NS) || while_down(in, o, &v->ok))
			continue;
		if (v->of.host == n->host)
			return v;
		if (!other && v->first.at.clock == CLOCK_UTC)
			other = v;
	}
	return other;
}

static void find_stall(const struct rule_input *in, const struct logs_outage *o,
		       struct sufferer *out)
{
	const struct path_model *m = in->path;

	for (size_t i = 0; m && i < m->stalls.len && !out->conn; i++) {
		const struct path_stall *s = vec_at(&m->stalls, i);
		const struct path_quiet *q = &s->quiet;
		int64_t ns;

		/* In a capture of one direction nothing is ever answered. */
		if (!s->heard_before || !in_outage(o, s->first.at, CLOCK_SLACK_NS) ||
		    while_down(in, o, &q->until) || while_down(in, o, &s->progress))
			continue;
		if (!log_elapsed_ns(&q->from, &q->last, &ns) || ns < CONNECT_SLOW_NS ||
		    evidence_may_lack(in->evidence, s->conn.evidence, q->repeats))
			continue;
		out->conn = &s->conn;
		out->conn_at = &s->first;
	}
}

static void find_connecting(const struct rule_input *in, const struct logs_outage *o,
			    struct sufferer *out)
{
	const struct conn_model *m = in->conns;

	for (size_t i = 0; m && i < m->records.len && !out->conn; i++) {
		const struct conn_record *r = *(struct conn_record **)vec_at(&m->records, i);
		int64_t ns;

		if (r->syns < 2 || !in_outage(o, r->syn.at, CLOCK_SLACK_NS) ||
		    while_down(in, o, &r->syn_ack) || while_down(in, o, &r->refused) ||
		    while_down(in, o, &r->established))
			continue;
		if ((log_elapsed_ns(&r->syn, &r->established, &ns) && ns < CONNECT_SLOW_NS) ||
		    evidence_may_lack(in->evidence, r->conn.evidence, r->syns))
			continue;
		out->conn = &r->conn;
		out->conn_at = &r->syn;
	}
}

/* The link is down to the end of the log, and the complaint came much later: a mere possibility. */
static bool is_far(const struct logs_outage *o, const struct sufferer *s)
{
	int64_t ns;

	return !s->conn && o->up.frame == FRAME_NONE &&
	       (!log_elapsed_ns(&o->down, &s->complaint->first, &ns) || ns > COMPLAINT_LATE_NS);
}

static const char *how_long(struct diagnosis *d, const struct flapping *l)
{
	const char *longest = l->longest_ns < 0 ? NULL : log_duration_text(d, l->longest_ns);

	if (l->count > 1)
		return arena_format(&d->arena, "%" PRIu64 " times, for %s at most%s", l->count,
				    longest ? longest : "an unknown time",
				    l->last->up.frame == FRAME_NONE
					    ? ", and did not come back in the log"
					    : "");
	if (l->last->up.frame == FRAME_NONE)
		return "and did not come back in the log";
	if (!longest)
		return "and came back";
	return arena_format(&d->arena, "and came back after %s", longest);
}

static void about(const struct rule_input *in, struct diagnosis *d, struct finding *f,
		  const struct logs_interface *n, const struct sufferer *s)
{
	if (s->conn) {
		finding_set_server(d, f, &s->conn->server);
		finding_add_client(d, f, &s->conn->client);
		finding_subject(d, f, "log of", "%s", log_host_text(d, n->host));
	} else {
		log_finding_about(in, d, f, &s->complaint->of);
	}
	finding_subject(d, f, "interface", "%s", log_text(d, n->name));
}

static void cite(struct diagnosis *d, struct finding *f, const struct flapping *l, const char *name)
{
	finding_cite(d, f, &l->first->down, NULL, "the link of %s is down", name);
	if (l->count > 1)
		finding_cite(d, f, &l->last->down, NULL, "and for the last time");
	finding_cite(d, f, &l->last->up, NULL, "the link of %s is up again", name);
	if (l->s.conn_at)
		finding_cite(d, f, l->s.conn_at, l->s.conn, "sent in vain, and sent again");
	if (l->s.complaint)
		finding_cite(d, f, &l->s.complaint->first, NULL, "a server is not responding");
}

static void tell(const struct rule_input *in, struct diagnosis *d, const struct logs_interface *n,
		 const struct flapping *l)
{
	const struct sufferer *s = &l->s;
	bool far = is_far(l->last, s);
	struct finding *f = diagnosis_add(
		d, "host-link-down", far || n->member ? CONFIDENCE_POSSIBLE : CONFIDENCE_LIKELY);
	const char *name = log_text(d, n->name);

	about(in, d, f, n, s);
	log_finding_span(f, &l->first->down);
	log_finding_span(f, &l->last->down);
	log_finding_span(f, &l->last->up);
	f->count = l->count;
	f->title = arena_format(
		&d->arena, "the link of %s on %s went down%s, says the host's log", name,
		log_text(d, n->host->name),
		l->count > 1 ? arena_format(&d->arena, " %" PRIu64 " times", l->count) : "");
	f->why = arena_format(
		&d->arena,
		"It went down %s. %s. That the two belong together is told by the time, "
		"and by nothing else: %s.%s",
		how_long(d, l),
		s->conn ? "In that time nothing got through on a connection in the "
			  "captures"
		: far   ? "Minutes or hours later a server did not respond"
			: "In that time, or right after it, a server did not respond",
		n->member ? "it is one link of a bond, whose others may have carried on"
			  : "a host may have other interfaces",
		s->conn ? log_exactness_text(in, d, &l->first->down) : "");
	cite(d, f, l, name);
}

/*
 * The host complains while the link is down, which nobody does of a link that is being set up, and
 * is content when it is up.
 */
static bool was_missed(const struct logs_interface *n, const struct logs_outage *o,
		       const struct sufferer *s)
{
	const struct logs_interval *v = s->complaint;
	int64_t after_down, before_up, after_up;

	return v && v->of.host == n->host && log_elapsed_ns(&o->down, &v->first, &after_down) &&
	       after_down > 0 && log_elapsed_ns(&v->first, &o->up, &before_up) && before_up > 0 &&
	       log_elapsed_ns(&o->up, &v->ok, &after_up) && after_up >= 0 &&
	       after_up <= COMPLAINT_LATE_NS;
}

/* One more outage of the same story; false: it is another one. */
static bool flapping_take(struct flapping *l, const struct logs_outage *o, const struct sufferer *s)
{
	int64_t ns;

	if (l->count && (l->s.complaint != s->complaint || l->s.conn != s->conn))
		return false;
	if (l->count++ == 0)
		*l = (struct flapping){.first = o, .count = 1, .longest_ns = -1, .s = *s};
	l->last = o;
	if (log_elapsed_ns(&o->down, &o->up, &ns) && ns > l->longest_ns)
		l->longest_ns = ns;
	return true;
}

static void look_at(const struct rule_input *in, struct diagnosis *out,
		    const struct logs_interface *n)
{
	struct flapping l = {0};

	for (size_t i = 0; i < n->outages.len; i++) {
		const struct logs_outage *o = vec_at(&n->outages, i);
		struct sufferer s = {0};

		s.complaint = find_complaint(in, n, o);
		find_stall(in, o, &s);
		find_connecting(in, o, &s);
		/* The first outage of an interface that was never up: it was being set up. */
		if ((!s.complaint && !s.conn) ||
		    (i == 0 && n->downs_before_up && !was_missed(n, o, &s)))
			continue;
		if (flapping_take(&l, o, &s))
			continue;
		tell(in, out, n, &l);
		l.count = 0;
		flapping_take(&l, o, &s);
	}
	if (l.count)
		tell(in, out, n, &l);
}

static void run(const struct rule_input *in, struct diagnosis *out)
{
	for (size_t i = 0; in->logs && i < in->logs->interfaces.len; i++)
		look_at(in, out, *(struct logs_interface **)vec_at(&in->logs->interfaces, i));
}

const struct rule rule_host_link_down = {
	.id = "host-link-down",
	.needs = "the kernel log of the host whose link it was, with its time",
	.run = run,
};
