// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * host-filter-drop: segments that are in vain on the wire are taken by a rule of a packet filter
 * that drops them, and has counted some. A counter alone says nothing of when, and a rule alone
 * nothing of whether: it takes both, and the wire. See host_filter_log.c for logs.
 */
#include "diagnose/rules/host/host_filter.h"
#include "base/strbuf.h"
#include "diagnose/rules/rules.h"

#include <inttypes.h>

enum { PORT_PORTMAP = 111, PORT_NFS = 2049 };

static const struct filter_record *record_at(const struct rule_input *in, size_t i)
{
	return *(struct filter_record **)vec_at(&in->filters->records, i);
}

/* It counted what it dropped in silence, and it does not take just anything. */
static bool rule_counts(const struct filter_fact *rule)
{
	return !rule->reject && rule->has_counter && rule->packets != 0 &&
	       (rule->sport.len || rule->dport.len || rule->src.bits || rule->dst.bits ||
		rule->flags_mask);
}

static bool rule_takes(const struct filter_fact *rule, const struct drop *drop)
{
	if (rule->hook != FILTER_HOOK_OUTPUT && filter_matches(rule, &drop->seen))
		return true;
	return drop->has_answer && rule->hook != FILTER_HOOK_INPUT &&
	       filter_matches(rule, &drop->answer);
}

/* The rule with the fewest unknown conditions, then the one that counted most; NULL: none. */
static const struct filter_record *rule_find(const struct rule_input *in, const struct drop *drop)
{
	const struct filter_record *best = NULL;

	for (size_t i = 0; in->filters && i < in->filters->records.len; i++) {
		const struct filter_record *r = record_at(in, i);

		if (!rule_counts(&r->fact) || !rule_takes(&r->fact, drop))
			continue;
		if (!best || r->fact.is_partial < best->fact.is_partial ||
		    (r->fact.is_partial == best->fact.is_partial &&
		     r->fact.packets > best->fact.packets))
			best = r;
	}
	return best;
}

static const char *rule_text(struct diagnosis *d, const struct filter_fact *rule)
{
	struct strbuf text;
	const char *kept;

	strbuf_init(&text);
	strbuf_add_safe(&text, rule->text);
	kept = arena_text(&d->arena, strbuf_text(&text));
	strbuf_deinit(&text);
	return kept;
}

static void drop_tell(struct diagnosis *d, const struct drop *drop, const struct filter_record *r)
{
	static const char *const hooks[FILTER_HOOK_COUNT] = {
		[FILTER_HOOK_UNKNOWN] = "in a chain",
		[FILTER_HOOK_INPUT] = "on their way in",
		[FILTER_HOOK_OUTPUT] = "on their way out",
		[FILTER_HOOK_FORWARD] = "on their way through",
	};
	const struct transport_trouble *t = drop->trouble;
	/* A rule before it that accepts established connections would have let these pass. */
	bool all = !r->fact.is_partial && r->fact.packets >= t->tries &&
		   drop->seen.flags != (FLAG_PSH | FLAG_ACK);
	struct finding *f = transport_finding(d, "host-filter-drop",
					      all ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY,
					      &t->conn, t->first, t->end);
	bool from_client = t->from == CONN_FROM_CLIENT;
	const char *client = transport_host(d, &t->conn.client);
	const char *server = transport_endpoint(d, &t->conn.server);

	f->count = t->tries;
	f->title = arena_format(&d->arena, "a packet filter drops what %s sends to %s",
				from_client ? client : server, from_client ? server : client);
	f->why = arena_format(
		&d->arena,
		"%" PRIu32
		" segments of %s were in vain from %s on. A rule of a packet filter takes "
		"such segments %s and drops them, and has counted %" PRIu64 " packet%s%s.%s",
		t->tries, from_client ? client : server, transport_time(d, t->first),
		hooks[r->fact.hook], r->fact.packets, r->fact.packets == 1 ? "" : "s",
		r->fact.packets >= t->tries ? "" : ", fewer than there were",
		r->fact.is_partial ? " It has further conditions, which are not in the evidence."
				   : "");
	finding_cite(d, f, &r->at, NULL, "%s", rule_text(d, &r->fact));
	drop_cite(d, f, t, "segment");
	finding_rule_out(d, f, "tcp-loss", "the rule takes these segments, and has counted");
}

static void drops_run(const struct rule_input *in, struct diagnosis *out, struct vec *troubles,
		      uint8_t flags)
{
	for (size_t i = 0; i < troubles->len; i++) {
		const struct transport_trouble *t = vec_at(troubles, i);
		bool from_client = t->from == CONN_FROM_CLIENT;
		struct drop drop = {
			.trouble = t,
			.seen = {.src = from_client ? t->conn.client : t->conn.server,
				 .dst = from_client ? t->conn.server : t->conn.client,
				 .flags = flags},
			/* What was answered and then ignored was not dropped before the capture. */
			.has_answer = flags != (FLAG_SYN | FLAG_ACK),
		};
		const struct filter_record *r;

		drop.answer =
			(struct filter_segment){drop.seen.dst, drop.seen.src,
						flags == FLAG_SYN ? FLAG_SYN | FLAG_ACK : FLAG_ACK};
		r = rule_find(in, &drop);
		if (r)
			drop_tell(out, &drop, r);
		else
			host_filter_log_tell(in, out, &drop);
	}
	troubles->len = 0;
}

static bool ports_are_nfs(const struct filter_ports *ports)
{
	for (uint8_t i = 0; i < ports->len; i++)
		if ((ports->ranges[i].from <= PORT_PORTMAP &&
		     ports->ranges[i].to >= PORT_PORTMAP) ||
		    (ports->ranges[i].from <= PORT_NFS && ports->ranges[i].to >= PORT_NFS))
			return true;
	return false;
}

/* A rule that names NFS's ports and counted, with nothing on the wire to show for it. */
static void undecided_run(const struct rule_input *in, struct diagnosis *out)
{
	for (size_t i = 0; in->filters && i < in->filters->records.len; i++) {
		const struct filter_fact *rule = &record_at(in, i)->fact;

		if (rule_counts(rule) && !rule->is_other &&
		    (ports_are_nfs(&rule->sport) || ports_are_nfs(&rule->dport))) {
			diagnosis_undecided(
				out, "host-filter-drop",
				"a rule of a packet filter dropped packets with ports of NFS; no "
				"capture shows segments in vain that it would take",
				"tcpdump -i any -s 0 -w nfs.pcap host THE_OTHER_HOST");
			return;
		}
	}
}

static bool has_evidence(const struct rule_input *in)
{
	return (in->filters && in->filters->records.len) ||
	       (in->logs && (in->logs->packets.len || in->logs->conntracks.len));
}

static void run(const struct rule_input *in, struct diagnosis *out)
{
	size_t found = out->findings.len;
	struct vec troubles;

	if (!has_evidence(in))
		return;
	vec_init(&troubles, sizeof(struct transport_trouble));
	transport_unacknowledged(in, &troubles);
	for (size_t i = 0; i < troubles.len; i++)
		((struct transport_trouble *)vec_at(&troubles, i))->from = CONN_FROM_SERVER;
	drops_run(in, out, &troubles, FLAG_SYN | FLAG_ACK);
	transport_unanswered(in, &troubles);
	drops_run(in, out, &troubles, FLAG_SYN);
	transport_silences(in, &troubles);
	drops_run(in, out, &troubles, FLAG_PSH | FLAG_ACK);
	vec_deinit(&troubles);
	host_filter_log_alone(in, out);
	if (out->findings.len == found)
		undecided_run(in, out);
}

const struct rule rule_host_filter_drop = {
	.id = "host-filter-drop",
	.needs =
		"the rules of a host's packet filter with their counters, or the log into which it "
		"writes packets, and a capture",
	.run = run,
};
