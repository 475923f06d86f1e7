// SPDX-License-Identifier: GPL-2.0-or-later
/* net-unreachable under scripted events: ICMP and ARP, with and without somebody who suffers. */
#include "check.h"
#include "stage.h"

static void tell(struct stage *st, double at, const struct event_net *net)
{
	struct event e = {.kind = EVENT_NET, .net = net};

	e.at = script_place(&st->script, at);
	event_emit(&st->script.board, &e);
}

static void icmp(struct stage *st, double at, const struct conn *c, uint8_t code)
{
	struct event_net net = {.fact = NET_FACT_UNREACHABLE,
				.icmp_type = 3,
				.icmp_code = code,
				.from = c->client,
				.src = c->client,
				.dst = c->server};

	tell(st, at, &net);
}

static void arp(struct stage *st, double at, enum net_fact fact)
{
	struct event_net net = {.fact = fact,
				.from = script_endpoint(STAGE_CLIENT, 0),
				.target = script_endpoint(STAGE_SERVER, 0)};

	if (fact == NET_FACT_ARP_ANSWER)
		net.from = net.target;
	tell(st, at, &net);
}

/* Four SYNs in vain from 10 to 17 s, or a connection that works. */
static struct conn attempt(struct stage *st, bool in_vain)
{
	static const double after[] = {0, 1, 3, 7};
	struct conn c;

	stage_works(st, 1, 2049);
	if (!in_vain)
		return stage_works(st, 10, 2049);
	c = stage_conn(st, 2049);
	for (size_t i = 0; i < 4; i++)
		script_tcp(&st->script, 10 + after[i], &c, i ? TCP_FACT_SYN_REPEAT : TCP_FACT_SYN,
			   CONN_FROM_CLIENT);
	return c;
}

static size_t icmp_findings(bool in_vain, uint8_t code, double at)
{
	struct stage st;
	struct conn c;
	size_t found;

	stage_init(&st);
	c = attempt(&st, in_vain);
	icmp(&st, at, &c, code);
	stage_works(&st, 60, 2049);
	found = stage_findings(&st, &rule_net_unreachable, 300);
	if (found) {
		CHECK_TEXT(finding_confidence_name(stage_finding(&st, 0)->confidence), "certain");
		CHECK_EQ_U64(stage_finding(&st, 0)->count, 1);
	}
	stage_deinit(&st);
	return found;
}

TEST(unreachable_while_somebody_waits_speaks)
{
	CHECK_EQ_U64(icmp_findings(true, 1, 20), 1);
}

TEST(unreachable_twins_say_nothing)
{
	CHECK_EQ_U64(icmp_findings(false, 1, 20), 0);
	CHECK_EQ_U64(icmp_findings(true, 3, 20), 0);
	CHECK_EQ_U64(icmp_findings(true, 1, 200), 0);
}

static size_t arp_findings(bool in_vain, unsigned asks, bool answered_each)
{
	struct stage st;
	size_t found;

	stage_init(&st);
	attempt(&st, in_vain);
	for (unsigned i = 0; i < asks; i++) {
		arp(&st, 11 + i, NET_FACT_ARP_ASK);
		if (answered_each)
			arp(&st, 11.1 + i, NET_FACT_ARP_ANSWER);
	}
	arp(&st, 50, NET_FACT_ARP_ANSWER);
	found = stage_findings(&st, &rule_net_unreachable, 300);
	stage_deinit(&st);
	return found;
}

TEST(unanswered_arp_while_somebody_waits_speaks)
{
	CHECK_EQ_U64(arp_findings(true, 5, false), 1);
}

TEST(arp_twins_say_nothing)
{
	CHECK_EQ_U64(arp_findings(false, 5, false), 0);
	CHECK_EQ_U64(arp_findings(true, 5, true), 0);
	CHECK_EQ_U64(arp_findings(true, 2, false), 0);
}
