// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * host-filter-drop, from a host's log: a LOG rule of nftables or iptables writes the very segments
 * that are in vain on the wire, or the table of connections is full (nf_conntrack_max).
 *
 * A LOG rule drops nothing. What stands before a packet ("[UFW BLOCK]", "IN_DROP:") is a name that
 * somebody gave to a rule which, as a rule, stands right before the one that drops: that makes it
 * likely, where the capture shows that what was logged had no effect. Without such a name it stays
 * undecided, and where the same words stand before a packet that got through they mean no drop.
 */
#include "diagnose/rules/host/host_filter.h"
#include "diagnose/rules/log_common.h"
#include "diagnose/rules/rules.h"

#include <inttypes.h>
#include <string.h>

enum { IP_PROTO_TCP = 6, PORT_PORTMAP = 111, PORT_NFS = 2049 };

/* Logs and captures are joined no more exactly, and a dropped segment is logged at once. */
#define SLACK_NS (2 * STAMP_NS_PER_S)

/* From the first call in vain until lockd or a mount with the defaults complains, and longer. */
#define COMPLAINT_LATE_NS (240 * STAMP_NS_PER_S)

/* So many packets between two hosts are more than a late one of a connection that is gone. */
enum { LINES_MIN = 3 };

/* What was logged of one trouble. */
struct logged {
	const struct logs_packet *kind; /* the first, which speaks for all */
	uint64_t lines;
	struct provenance first, last;
};

static const struct logs_packet *packet_at(const struct rule_input *in, size_t i)
{
	return *(struct logs_packet **)vec_at(&in->logs->packets, i);
}

static bool overlaps(const struct provenance *first, const struct provenance *last,
		     struct stamp from, struct stamp to)
{
	return stamp_known(first->at) && first->at.clock == from.clock &&
	       first->at.ns <= to.ns + SLACK_NS && last->at.ns >= from.ns - SLACK_NS;
}

/*
 * The client's port is any: attempts to connect are folded, whatever their ports. Of the flags SYN
 * and ACK must be those of the segment.
 */
static bool packet_is_segment(const struct logs_packet *p, const struct filter_segment *s,
			      const struct transport_trouble *t)
{
	uint8_t mask = s->flags & FLAG_SYN ? FLAG_SYN | FLAG_ACK : FLAG_SYN;
	bool to_server = endpoint_equal(&s->dst, &t->conn.server);

	return p->packet.protocol == IP_PROTO_TCP &&
	       (p->packet.flags & mask) == (s->flags & mask) &&
	       endpoint_same_host(&p->packet.src, &s->src) &&
	       endpoint_same_host(&p->packet.dst, &s->dst) &&
	       (to_server ? p->packet.dst.port : p->packet.src.port) == t->conn.server.port;
}

static bool same_rule(const struct logs_packet *a, const struct logs_packet *b)
{
	return a->host == b->host && strcmp(a->prefix, b->prefix) == 0;
}

/* A connection was made by a packet that the same rule had logged: it drops nothing. */
static bool rule_lets_pass(const struct rule_input *in, const struct logs_packet *kind)
{
	for (size_t i = 0; i < in->logs->packets.len; i++) {
		const struct logs_packet *p = packet_at(in, i);

		if (!same_rule(p, kind) || !(p->packet.flags & FLAG_SYN))
			continue;
		for (size_t k = 0; k < in->conns->records.len; k++) {
			const struct conn_record *r = transport_record(in, k);
			bool there = endpoint_equal(&r->conn.client, &p->packet.src) &&
				     endpoint_equal(&r->conn.server, &p->packet.dst);
			bool back = endpoint_equal(&r->conn.client, &p->packet.dst) &&
				    endpoint_equal(&r->conn.server, &p->packet.src);

			if ((there || back) && transport_known(&r->established) &&
			    overlaps(&p->first, &p->last, r->syn.at, r->established.at))
				return true;
		}
	}
	return false;
}

/* Who speaks for all is the surest. */
static bool speaks_better(const struct logs_packet *p, const struct logs_packet *than)
{
	static const uint8_t rank[] = {[LOG_FATE_UNTOLD] = 1,
				       [LOG_FATE_DROPPED] = 3,
				       [LOG_FATE_REJECTED] = 2,
				       [LOG_FATE_PASSED] = 0};

	return !than || rank[p->packet.fate] > rank[than->packet.fate];
}

static void logged_add(struct logged *l, const struct logs_packet *p)
{
	if (l->lines == 0)
		l->first = p->first;
	l->lines += p->count;
	l->last = p->last;
}

static struct logged find_logged(const struct rule_input *in, const struct drop *drop)
{
	const struct transport_trouble *t = drop->trouble;
	struct logged found = {0};

	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < in->logs->packets.len; i++) {
			const struct logs_packet *p = packet_at(in, i);

			if (p->packet.fate == LOG_FATE_PASSED ||
			    !overlaps(&p->first, &p->last, t->first, t->end) ||
			    !(packet_is_segment(p, &drop->seen, t) ||
			      (drop->has_answer && packet_is_segment(p, &drop->answer, t))))
				continue;
			if (pass == 0 && speaks_better(p, found.kind))
				found.kind = p;
			else if (pass == 1 && same_rule(p, found.kind))
				logged_add(&found, p);
		}
	return found;
}

static const char *hook_text(enum filter_hook hook)
{
	static const char *const hooks[FILTER_HOOK_COUNT] = {
		[FILTER_HOOK_UNKNOWN] = "",
		[FILTER_HOOK_INPUT] = " on their way in",
		[FILTER_HOOK_OUTPUT] = " on their way out",
		[FILTER_HOOK_FORWARD] = " on their way through",
	};

	return hooks[hook];
}

static const char *prefix_text(struct diagnosis *d, const struct logs_packet *p)
{
	return p->prefix[0] ? arena_format(&d->arena, "\"%s\"", log_text(d, p->prefix))
			    : "without a name";
}

static void undecided_log(struct diagnosis *d, const struct logged *l)
{
	diagnosis_undecided(
		d, "host-filter-drop",
		arena_format(&d->arena,
			     "a rule of a packet filter of %s (%s) logs %" PRIu64
			     " of the segments that were in vain; whether what it logs is dropped "
			     "the log does not tell",
			     log_host_text(d, l->kind->host), prefix_text(d, l->kind), l->lines),
		"nft list ruleset; iptables -vnL   # on that host: what stands behind the LOG "
		"rule, and what it counts");
}

static void tell_logged(const struct rule_input *in, struct diagnosis *d, const struct drop *drop,
			const struct logged *l)
{
	const struct transport_trouble *t = drop->trouble;
	bool from_client = t->from == CONN_FROM_CLIENT;
	bool rejects = l->kind->packet.fate == LOG_FATE_REJECTED;
	const char *host = log_host_text(d, l->kind->host);
	const char *src = transport_host(d, &l->kind->packet.src);
	const char *dst = transport_host(d, &l->kind->packet.dst);
	struct finding *f = transport_finding(d, "host-filter-drop",
					      rejects ? CONFIDENCE_POSSIBLE : CONFIDENCE_LIKELY,
					      &t->conn, t->first, t->end);

	f->count = t->tries;
	f->title = arena_format(&d->arena, "a packet filter of %s %s what %s sends to %s", host,
				rejects ? "rejects" : "drops", src, dst);
	f->why = arena_format(
		&d->arena,
		"%" PRIu32 " segments of %s were in vain from %s on. The log of %s shows %" PRIu64
		" packet%s of %s to %s%s in that time, before which a rule writes %s.%s A rule "
		"that logs drops nothing itself: that the next one does is told by its words, and "
		"by the segments that were in vain.%s",
		t->tries, transport_endpoint(d, from_client ? &t->conn.client : &t->conn.server),
		transport_time(d, t->first), host, l->lines, l->lines == 1 ? "" : "s", src, dst,
		hook_text(l->kind->packet.hook), prefix_text(d, l->kind),
		rejects ? " A rule that rejects answers, and no such answer is in the capture."
			: "",
		log_exactness_text(in, d, &l->first));
	finding_cite(d, f, &l->first, NULL, "the first packet that the rule logs");
	if (l->lines > 1)
		finding_cite(d, f, &l->last, NULL, "and the last one");
	drop_cite(d, f, t, "segment");
	finding_rule_out(d, f, "tcp-loss", "the packet filter's log shows segments of these hosts");
}

/* --- the table of connections --- */

/* It takes what begins a connection, on the host whose table it is. */
static const struct logs_tally *find_full(const struct rule_input *in, const struct drop *drop,
					  bool *known)
{
	const struct transport_trouble *t = drop->trouble;

	for (size_t i = 0; i < in->logs->conntracks.len; i++) {
		const struct logs_tally *c = logs_tally_at(&in->logs->conntracks, i);
		const struct logs_host *h = c->of.host;

		if (!overlaps(&c->first, &c->last, t->first, t->end))
			continue;
		*known = h->has_at && (endpoint_same_host(&h->at, &t->conn.client) ||
				       endpoint_same_host(&h->at, &t->conn.server));
		if (*known || !h->has_at)
			return c;
	}
	return NULL;
}

static bool tell_full(const struct rule_input *in, struct diagnosis *d, const struct drop *drop)
{
	const struct transport_trouble *t = drop->trouble;
	bool known;
	const struct logs_tally *c = find_full(in, drop, &known);
	const char *host;
	struct finding *f;

	if (!c)
		return false;
	host = log_host_text(d, c->of.host);
	f = transport_finding(d, "host-filter-drop",
			      known ? CONFIDENCE_LIKELY : CONFIDENCE_POSSIBLE, &t->conn, t->first,
			      t->end);
	f->count = t->tries;
	f->title = arena_format(&d->arena,
				"the table of connections of %s was full: it drops new ones", host);
	f->why = arena_format(
		&d->arena,
		"%" PRIu32 " SYNs of %s were in vain from %s on. The log of %s tells in that time "
		"that its table of connections (nf_conntrack) was full and that it drops packets: "
		"those that would begin a connection. Connections that are in the table go on.%s%s",
		t->tries, transport_endpoint(d, &t->conn.client), transport_time(d, t->first), host,
		known ? ""
		      : " Whether that host is on the path of these SYNs the log does not tell.",
		log_exactness_text(in, d, &c->first));
	finding_cite(d, f, &c->first, NULL, "the table is full, and packets are dropped");
	if (c->count > 1)
		finding_cite(d, f, &c->last, NULL, "the same, for the last time");
	drop_cite(d, f, t, "SYN");
	return true;
}

bool host_filter_log_tell(const struct rule_input *in, struct diagnosis *out,
			  const struct drop *drop)
{
	struct logged l;

	if (!in->logs)
		return false;
	l = find_logged(in, drop);
	if (l.kind && !rule_lets_pass(in, l.kind)) {
		if (l.kind->packet.fate != LOG_FATE_UNTOLD) {
			tell_logged(in, out, drop, &l);
			return true;
		}
		undecided_log(out, &l);
	}
	return drop->seen.flags == FLAG_SYN && tell_full(in, out, drop);
}

/* --- without a capture --- */

static bool port_is_known(const struct log_packet *p)
{
	return p->src.port == PORT_NFS || p->dst.port == PORT_NFS || p->src.port == PORT_PORTMAP ||
	       p->dst.port == PORT_PORTMAP;
}

/* Between the complaining host and its server, while the call waited. */
static bool is_of_complaint(const struct logs_packet *p, const struct logs_interval *v)
{
	const struct provenance *end = v->ok.frame != FRAME_NONE ? &v->ok : &v->last;

	return p->packet.fate == LOG_FATE_DROPPED && port_is_known(&p->packet) &&
	       (endpoint_same_host(&p->packet.src, &v->of.server_at) ||
		endpoint_same_host(&p->packet.dst, &v->of.server_at)) &&
	       stamp_known(p->first.at) && p->first.at.clock == v->first.at.clock &&
	       p->first.at.ns <= end->at.ns + SLACK_NS &&
	       p->last.at.ns >= v->first.at.ns - COMPLAINT_LATE_NS &&
	       (p->host == v->of.host || p->first.at.clock == CLOCK_UTC);
}

static void tell_alone(const struct rule_input *in, struct diagnosis *d,
		       const struct logs_interval *v)
{
	struct logged l = {0};
	struct finding *f;

	for (size_t i = 0; i < in->logs->packets.len; i++) {
		const struct logs_packet *p = packet_at(in, i);

		if (!is_of_complaint(p, v) || (l.kind && !same_rule(p, l.kind)))
			continue;
		l.kind = l.kind ? l.kind : p;
		logged_add(&l, p);
	}
	if (l.lines < LINES_MIN)
		return;
	f = diagnosis_add(d, "host-filter-drop", CONFIDENCE_POSSIBLE);
	log_finding_about(in, d, f, &v->of);
	log_finding_span(f, &l.first);
	log_finding_span(f, &l.last);
	f->count = l.lines;
	f->title =
		arena_format(&d->arena, "a packet filter of %s may drop what %s sends to %s",
			     log_host_text(d, l.kind->host), transport_host(d, &l.kind->packet.src),
			     transport_host(d, &l.kind->packet.dst));
	f->why = arena_format(
		&d->arena,
		"While the server did not respond, or in the minutes before that complaint, a rule "
		"logged %" PRIu64 " packets between the two at a port of NFS's; before them it "
		"writes %s. A rule that logs drops nothing itself, and a late packet of a "
		"connection that is gone is logged alike: a capture (tcpdump -i any -s 0 -w "
		"nfs.pcap host THE_OTHER_HOST) shows whether what was logged was in vain.",
		l.lines, prefix_text(d, l.kind));
	finding_cite(d, f, &l.first, NULL, "the first packet that the rule logs");
	finding_cite(d, f, &l.last, NULL, "the last one");
	finding_cite(d, f, &v->first, NULL, "the server does not respond");
}

void host_filter_log_alone(const struct rule_input *in, struct diagnosis *out)
{
	if (!in->logs || !in->logs->packets.len || (in->conns && in->conns->records.len))
		return;
	for (size_t i = 0; i < in->logs->intervals.len; i++) {
		const struct logs_interval *v = logs_interval_at(in->logs, i);

		if (v->of.server_is_address)
			tell_alone(in, out, v);
	}
}
