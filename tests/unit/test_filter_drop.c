// SPDX-License-Identifier: GPL-2.0-or-later
/* Listings of packet filters, and host-filter-drop with them and the wire. */
#include "check.h"
#include "evidence/line/filter_line.h"
#include "ingest/filters.h"
#include "model/filter.h"
#include "stage.h"

static const char nft[] = "table ip f {\n\tchain i {\n"
			  "\t\ttype filter hook input priority filter; policy accept;\n\t\t";
static const char table[] = "Chain INPUT (policy ACCEPT 0 packets, 0 bytes)\n"
			    " pkts bytes target     prot opt in     out     source   destination\n";

/* Hands a text to the model line by line. */
static void read_text(struct filter_model *m, struct event_board *board, const char *head,
		      const char *text)
{
	struct filters *f = filters_create();
	const char *parts[] = {head, text};
	uint64_t line = 0;

	filter_model_attach(m, board);
	for (size_t i = 0; i < 2; i++) {
		for (const char *at = parts[i]; *at;) {
			size_t len = strcspn(at, "\n");

			filters_take_line(f, 1, ++line, slice_make(at, len));
			at += len + (at[len] != '\0');
		}
	}
	filters_emit(f, board);
	filters_destroy(f);
}

static struct filter_fact only_rule(const char *head, const char *text)
{
	struct event_board board = {0};
	struct filter_model m;
	struct filter_fact fact = {0};

	filter_model_init(&m);
	read_text(&m, &board, head, text);
	CHECK_EQ_U64(m.records.len, 1);
	if (m.records.len)
		fact = (*(struct filter_record **)vec_at(&m.records, 0))->fact;
	filter_model_deinit(&m);
	fact.text = (struct slice){0};
	return fact;
}

static void check_synack_rule(const struct filter_fact *f, bool has_counter)
{
	CHECK_EQ_U64(f->sport.len, 1);
	CHECK_EQ_U64(f->sport.ranges[0].from, 111);
	CHECK_EQ_U64(f->dport.len, 0);
	CHECK_EQ_U64(f->flags_mask, 0x12);
	CHECK_EQ_U64(f->flags, 0x12);
	CHECK_EQ_I64(f->hook, FILTER_HOOK_INPUT);
	CHECK_EQ_I64(f->has_counter, has_counter);
	if (has_counter)
		CHECK_EQ_U64(f->packets, 21);
	CHECK(f->is_tcp);
	CHECK(!f->is_partial);
	CHECK(!f->reject);
}

TEST(one_rule_in_four_languages)
{
	struct filter_fact f;

	f = only_rule(nft, "iifname \"eth0\" tcp sport 111 tcp flags syn,ack / syn,ack counter "
			   "packets 21 bytes 1260 drop\n");
	check_synack_rule(&f, true);
	f = only_rule(nft, "tcp sport sunrpc tcp flags & (syn | ack) == syn | ack counter packets "
			   "21 bytes 1260 drop");
	check_synack_rule(&f, true);
	f = only_rule(table, "   21  1260 DROP       tcp  --  eth0   *       0.0.0.0/0  0.0.0.0/0  "
			     "tcp spt:111 flags:0x12/0x12");
	check_synack_rule(&f, true);
	f = only_rule("",
		      "[21:1260] -A INPUT -i eth0 -p tcp -m tcp --sport 111 --tcp-flags SYN,ACK "
		      "SYN,ACK -j DROP");
	check_synack_rule(&f, true);
	f = only_rule("", "-A INPUT -i eth0 -p tcp -m tcp --sport 111 --tcp-flags SYN,ACK SYN,ACK "
			  "-j DROP");
	check_synack_rule(&f, false);
}

TEST(addresses_ports_and_what_is_not_understood)
{
	struct filter_segment s = {.src = script_endpoint("192.0.2.21", 901),
				   .dst = script_endpoint("192.0.2.10", 2049),
				   .flags = 2};
	struct filter_fact f;

	f = only_rule(nft, "ip saddr 192.0.2.0/27 tcp dport { 111, 2049, 20000-20100 } counter "
			   "packets 3 bytes 180 drop");
	CHECK(filter_matches(&f, &s));
	s.dst.port = 20050;
	CHECK(filter_matches(&f, &s));
	s.dst.port = 2050;
	CHECK(!filter_matches(&f, &s));
	s.dst.port = 2049;
	s.src = script_endpoint("192.0.2.33", 901);
	CHECK(!filter_matches(&f, &s));
	f = only_rule(nft, "ip saddr != 192.0.2.33 tcp dport 2049 counter packets 3 bytes 1 drop");
	CHECK(f.is_partial);
	f = only_rule(nft, "ct state invalid counter packets 3 bytes 180 drop");
	CHECK(f.is_partial);
	f = only_rule(table, "1 12K  180K REJECT  udp  --  *  *  192.0.2.0/24  0.0.0.0/0  udp "
			     "dpt:2049 reject-with icmp-port-unreachable");
	CHECK(f.reject);
	CHECK(f.is_other);
	CHECK_EQ_U64(f.packets, 12000);
	CHECK(!filter_matches(&f, &s));
}

TEST(other_texts_have_no_rules)
{
	static const char *const texts[] = {
		"eth0: RX drop 12",
		"tcp dport 2049 counter packets 3 bytes 180 drop",
		"qdisc pfifo_fast 0: root refcnt 2\n Sent 12 bytes 3 pkt (dropped 0, overlimits 0)",
		"21 1260 DROP tcp -- eth0 * 0.0.0.0/0 0.0.0.0/0",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct event_board board = {0};
		struct filter_model m;

		filter_model_init(&m);
		read_text(&m, &board, "", texts[i]);
		CHECK_EQ_U64(m.records.len, 0);
		filter_model_deinit(&m);
	}
}

enum trouble { TROUBLE_NONE, TROUBLE_SYN_ACK, TROUBLE_SILENCE };

/* SYN-ACKs that the client ignores for a minute, or data of an established connection in vain. */
static void suffer(struct stage *st, enum trouble trouble)
{
	struct conn c = stage_conn(st, 111);
	struct provenance sent;

	if (trouble == TROUBLE_SYN_ACK)
		for (int i = 0; i < 6; i++) {
			script_tcp(&st->script, 10 + 10 * i, &c,
				   i ? TCP_FACT_SYN_REPEAT : TCP_FACT_SYN, CONN_FROM_CLIENT);
			script_tcp(&st->script, 10.001 + 10 * i, &c, TCP_FACT_SYN_ACK,
				   CONN_FROM_SERVER);
		}
	else
		script_handshake(&st->script, 10, &c);
	sent = script_place(&st->script, 11);
	for (int i = 1; trouble == TROUBLE_SILENCE && i < 8; i++)
		stage_again(st, 11 + (1 << i) * 0.2, &c, CONN_FROM_CLIENT, &sent, &sent);
	stage_end(st, 80, &c, true);
}

/* The confidence of what one rule of a filter and this trouble make; -1: silent. */
static int drop_findings(const char *rule, enum trouble trouble)
{
	const struct rule *const rules[] = {&rule_host_filter_drop};
	struct event_board board = {0};
	struct filter_model filters;
	struct rule_input in;
	struct stage st;
	int sure = -1;

	stage_init(&st);
	filter_model_init(&filters);
	read_text(&filters, &board, nft, rule);
	CHECK_EQ_U64(filters.records.len, 1);
	stage_works(&st, 0, 2049);
	suffer(&st, trouble);
	path_model_finish(&st.path);
	in = (struct rule_input){.evidence = &st.evidence,
				 .conns = &st.conns,
				 .path = &st.path,
				 .filters = &filters};
	diagnose_run_rules(rules, 1, &in, &st.d);
	if (st.d.findings.len)
		sure = (int)stage_finding(&st, 0)->confidence;
	filter_model_deinit(&filters);
	stage_deinit(&st);
	return sure;
}

TEST(a_rule_that_fits_what_is_in_vain)
{
	CHECK_EQ_I64(drop_findings("tcp sport 111 tcp flags syn,ack / syn,ack counter packets 21 "
				   "bytes 1260 drop",
				   TROUBLE_SYN_ACK),
		     CONFIDENCE_CERTAIN);
	CHECK_EQ_I64(
		drop_findings("tcp sport 111 counter packets 2 bytes 120 drop", TROUBLE_SYN_ACK),
		CONFIDENCE_LIKELY);
	CHECK_EQ_I64(drop_findings("ct state invalid tcp sport 111 counter packets 21 bytes 1 drop",
				   TROUBLE_SYN_ACK),
		     CONFIDENCE_LIKELY);
}

/* A rule before it may accept established connections: a rule that fits does not prove it. */
TEST(data_of_an_established_connection_are_likely_only)
{
	CHECK_EQ_I64(
		drop_findings("tcp dport 111 counter packets 21 bytes 1260 drop", TROUBLE_SILENCE),
		CONFIDENCE_LIKELY);
}

TEST(twins_of_the_rule_are_silent)
{
	const char *fits = "tcp sport 111 counter packets 21 bytes 1260 drop";

	CHECK_EQ_I64(drop_findings(fits, TROUBLE_NONE), -1);
	CHECK_EQ_I64(drop_findings("tcp sport 111 counter packets 0 bytes 0 drop", TROUBLE_SYN_ACK),
		     -1);
	CHECK_EQ_I64(drop_findings("tcp sport 111 drop", TROUBLE_SYN_ACK), -1);
	CHECK_EQ_I64(
		drop_findings("tcp sport 2049 counter packets 21 bytes 1260 drop", TROUBLE_SYN_ACK),
		-1);
	CHECK_EQ_I64(
		drop_findings("udp sport 111 counter packets 21 bytes 1260 drop", TROUBLE_SYN_ACK),
		-1);
	CHECK_EQ_I64(drop_findings("counter packets 21 bytes 1260 drop", TROUBLE_SYN_ACK), -1);
	CHECK_EQ_I64(drop_findings("tcp sport 111 counter packets 21 bytes 1 reject with tcp reset",
				   TROUBLE_SYN_ACK),
		     -1);
}
