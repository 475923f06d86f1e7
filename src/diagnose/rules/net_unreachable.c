// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * net-unreachable: the network itself says that a host cannot be reached (ICMP destination
 * unreachable), or nobody answers for its address (ARP, neighbour discovery), while somebody tries
 * in vain to reach it. Without the latter it is noise: hosts are asked for that nobody misses.
 */
#include "diagnose/rules/rules.h"
#include "diagnose/rules/transport.h"

#include <inttypes.h>

/* ICMP is sent, and a host asked for, some seconds after the first packet in vain. */
#define AROUND_NS (5 * STAMP_NS_PER_S)

/* Where nobody was heard of again, what is told later still belongs to it. */
#define AFTER_NS (120 * STAMP_NS_PER_S)

/* Linux asks three times, a second apart (mcast_solicit), before it gives up once. */
enum { ASKED_MIN = 3 };

enum {
	ICMP4_NETWORK = 0,
	ICMP4_HOST = 1,
	ICMP4_NETWORK_UNKNOWN = 6,
	ICMP4_HOST_UNKNOWN = 7,
	ICMP4_NETWORK_PROHIBITED = 9,
	ICMP4_HOST_PROHIBITED = 10,
	ICMP4_PROHIBITED = 13,
	ICMP6_NO_ROUTE = 0,
	ICMP6_PROHIBITED = 1,
	ICMP6_SCOPE = 2,
	ICMP6_ADDRESS = 3,
	ICMP6_POLICY = 5,
	ICMP6_REJECT_ROUTE = 6,
};

static const struct {
	uint8_t ip_version, code;
	const char *text;
} reasons[] = {
	{4, ICMP4_NETWORK, "network unreachable"},
	{4, ICMP4_HOST, "host unreachable"},
	{4, ICMP4_NETWORK_UNKNOWN, "network unknown"},
	{4, ICMP4_HOST_UNKNOWN, "host unknown"},
	{4, ICMP4_NETWORK_PROHIBITED, "network administratively prohibited"},
	{4, ICMP4_HOST_PROHIBITED, "host administratively prohibited"},
	{4, ICMP4_PROHIBITED, "communication administratively prohibited"},
	{6, ICMP6_NO_ROUTE, "no route"},
	{6, ICMP6_PROHIBITED, "administratively prohibited"},
	{6, ICMP6_SCOPE, "beyond scope of source address"},
	{6, ICMP6_ADDRESS, "address unreachable"},
	{6, ICMP6_POLICY, "source address failed policy"},
	{6, ICMP6_REJECT_ROUTE, "reject route"},
};

/* What one client and server have of such facts. */
struct proof {
	const struct path_unreachable *told; /* NULL: none */
	const struct path_ask_run *asked;    /* NULL: none */
};

/* NULL: it is about a port or a protocol, not about the way. */
static const char *reason_text(const struct path_unreachable *u)
{
	for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
		if (reasons[i].ip_version == u->ip_version && reasons[i].code == u->code)
			return reasons[i].text;
	return NULL;
}

static bool overlaps(const struct transport_trouble *t, const struct provenance *first,
		     const struct provenance *last)
{
	int64_t after = path_span_ns(t->end, first->at);
	int64_t before = path_span_ns(last->at, t->first);

	return after <= (t->over ? AROUND_NS : AFTER_NS) && before <= AROUND_NS;
}

static struct proof proof_find(const struct rule_input *in, const struct transport_trouble *t)
{
	bool from_client = t->from == CONN_FROM_CLIENT;
	const struct endpoint *src = from_client ? &t->conn.client : &t->conn.server;
	const struct endpoint *dst = from_client ? &t->conn.server : &t->conn.client;
	struct proof p = {0};

	for (size_t i = 0; i < in->path->unreachable.len && !p.told; i++) {
		const struct path_unreachable *u =
			*(struct path_unreachable **)vec_at(&in->path->unreachable, i);

		if (reason_text(u) && endpoint_same_host(&u->src, src) &&
		    endpoint_same_host(&u->dst, dst) &&
		    (u->dst.port == dst->port || u->dst.port == 0) &&
		    overlaps(t, &u->first, &u->last))
			p.told = u;
	}
	for (size_t i = 0; i < in->path->asked.len && !p.asked; i++) {
		const struct path_asked *a = *(struct path_asked **)vec_at(&in->path->asked, i);

		if (!endpoint_same_host(&a->target, dst) || a->longest.count < ASKED_MIN ||
		    path_span_ns(a->longest.first.at, a->longest.last.at) < STAMP_NS_PER_S ||
		    !overlaps(t, &a->longest.first, &a->longest.last))
			continue;
		for (uint32_t j = 0; j < a->askers_len; j++)
			if (endpoint_same_host(&a->askers[j], src))
				p.asked = &a->longest;
	}
	return p;
}

static const char *told_text(struct diagnosis *d, const struct path_unreachable *u)
{
	bool self = endpoint_same_host(&u->from, &u->src);

	return arena_format(
		&d->arena, " %s %s \"%s\" %" PRIu64 " %s, from %s on.", transport_host(d, &u->from),
		self ? "says to itself (its own kernel found no way)" : "says", reason_text(u),
		u->count, u->count == 1 ? "time" : "times", transport_time(d, u->first.at));
}

static const char *asked_text(struct diagnosis *d, const struct path_ask_run *asked,
			      const char *dst)
{
	return arena_format(&d->arena,
			    " The hardware address of %s was asked for %" PRIu64
			    " times from %s on, and %s.",
			    dst, asked->count, transport_time(d, asked->first.at),
			    transport_known(&asked->answered)
				    ? arena_format(&d->arena, "only answered at %s",
						   transport_time(d, asked->answered.at))
				    : "never answered");
}

static void proof_cite(struct diagnosis *d, struct finding *f, const struct transport_trouble *t,
		       const struct proof *p)
{
	finding_cite(d, f, &t->cite_first, &t->conn, "%s",
		     t->connecting ? "the first SYN in vain" : "the last progress before it");
	finding_cite(d, f, &t->cite_over, &t->conn, "it works again");
	for (uint32_t i = 0; p->told && i < p->told->cites_len && i < 2; i++)
		finding_cite(d, f, &p->told->cites[i], NULL, "ICMP: %s", reason_text(p->told));
	if (p->told)
		finding_cite(d, f, &p->told->last, NULL, "the last such ICMP message");
	for (uint32_t i = 0; p->asked && i < p->asked->cites_len && i < 2; i++)
		finding_cite(d, f, &p->asked->cites[i], NULL,
			     "asking for the hardware address, unanswered");
	if (p->asked)
		finding_cite(d, f, &p->asked->answered, NULL, "answered at last");
	finding_cite(d, f, &t->cite_last, &t->conn, "%s",
		     t->over ? "the last that was sent before it works again"
			     : "sent in vain for the last time");
}

static void unreachable_tell(struct diagnosis *d, const struct transport_trouble *t,
			     const struct proof *p)
{
	struct finding *f = transport_finding(d, "net-unreachable",
					      p->told ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY,
					      &t->conn, t->first, t->end);
	bool from_client = t->from == CONN_FROM_CLIENT;
	const char *src = transport_host(d, from_client ? &t->conn.client : &t->conn.server);
	const char *dst = transport_host(d, from_client ? &t->conn.server : &t->conn.client);

	f->count = (p->told ? p->told->count : 0) + (p->asked ? p->asked->count : 0);
	f->title = arena_format(&d->arena, "%s could not reach %s for %s", src, dst,
				transport_duration(d, path_span_ns(t->first, t->end)));
	f->why = arena_format(&d->arena, "%s sent %" PRIu32 " segments to %s in vain.%s%s", src,
			      t->tries, dst, p->told ? told_text(d, p->told) : "",
			      p->asked ? asked_text(d, p->asked, dst) : "");
	proof_cite(d, f, t, p);
	finding_rule_out(d, f, "rpc-server-silent", "not even TCP acknowledged what was sent");
}

static void unreachable_run(const struct rule_input *in, struct diagnosis *out)
{
	struct vec troubles;

	vec_init(&troubles, sizeof(struct transport_trouble));
	if (in->path->unreachable.len || in->path->asked.len) {
		transport_silences(in, &troubles);
		transport_unanswered(in, &troubles);
	}
	for (size_t i = 0; i < troubles.len; i++) {
		const struct transport_trouble *t = vec_at(&troubles, i);
		struct proof p = proof_find(in, t);

		if (p.told || p.asked)
			unreachable_tell(out, t, &p);
	}
	vec_deinit(&troubles);
}

const struct rule rule_net_unreachable = {
	.id = "net-unreachable",
	.needs = "a capture that shows ICMP or ARP, and what is sent in vain",
	.run = unreachable_run,
};
