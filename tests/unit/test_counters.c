// SPDX-License-Identifier: GPL-2.0-or-later
/* Counters of mounts, from the lines of mountstats to what the rules say of them. */
#include "check.h"
#include "diagnose/engine.h"
#include "diagnose/rules/rules.h"
#include "evidence/mountstats.h"
#include "ingest/counters.h"
#include "ingest/log/log_facts.h"
#include "model/conn.h"
#include "model/counters.h"
#include "model/host.h"
#include "model/visit.h"

#include <stdio.h>

struct stage {
	struct event_board board;
	struct counters *in;
	struct counters_model m;
	struct visit_model visits;
	struct conn_model conns;
	struct host_model hosts;
	uint64_t line;
};

static void stage_init(struct stage *st)
{
	*st = (struct stage){.in = counters_create()};
	counters_model_init(&st->m);
	counters_model_attach(&st->m, &st->board);
	visit_model_init(&st->visits);
	conn_model_init(&st->conns);
	host_model_init(&st->hosts);
	host_model_attach(&st->hosts, &st->board);
}

static void stage_deinit(struct stage *st)
{
	host_model_deinit(&st->hosts);
	conn_model_deinit(&st->conns);
	visit_model_deinit(&st->visits);
	counters_model_deinit(&st->m);
	counters_destroy(st->in);
}

static void lines(struct stage *st, uint32_t evidence, const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "\n");

		counters_take_line(st->in, evidence, ++st->line, slice_make(text, len));
		text += len + (text[len] == '\n');
	}
}

static void mount_head(struct stage *st, uint32_t evidence, const char *vers, unsigned age,
		       unsigned port, unsigned connects)
{
	char text[1024];

	snprintf(text, sizeof(text),
		 "device proc mounted on /proc with fstype proc\n"
		 "device 192.0.2.10:/data mounted on /mnt/nfs with fstype nfs4 statvers=1.1\n"
		 "\topts:\trw,vers=%s,hard,proto=tcp,timeo=600,addr=192.0.2.10\n"
		 "\tage:\t%u\n"
		 "\tevents:\t1 2 3\n"
		 "\tRPC iostats version: 1.1  p/v: 100003/4 (nfs)\n"
		 "\txprt:\ttcp %u 0 %u 0 6 900 900 0 900 0 2 0 0\n"
		 "\tper-op statistics\n",
		 vers, age, port, connects);
	lines(st, evidence, text);
}

static void op(struct stage *st, uint32_t evidence, const char *name, unsigned calls,
	       unsigned received, unsigned queue, unsigned rtt)
{
	char text[256];

	snprintf(text, sizeof(text), "\t%12s: %u %u 0 1000 %u %u %u %u 0\n", name, calls, calls,
		 received, queue, rtt, queue + rtt);
	lines(st, evidence, text);
}

static size_t findings(struct stage *st, const struct rule *rule)
{
	struct rule_input in = {.counters = &st->m,
				.visits = &st->visits,
				.conns = &st->conns,
				.hosts = &st->hosts};
	struct diagnosis d;
	size_t count;

	counters_emit(st->in, &st->board);
	diagnosis_init(&d);
	diagnose_run_rules(&rule, 1, &in, &d);
	count = d.findings.len;
	diagnosis_deinit(&d);
	return count;
}

static const struct counters_span *span_at(const struct stage *st, size_t index)
{
	return *(struct counters_span **)vec_at(&st->m.spans, index);
}

TEST(mountstats_lines)
{
	struct mountstats_line l;

	mountstats_parse(slice_of_string("\t     READDIR: 99 99 0 15840 3197756 8 1209 1263 0"),
			 &l);
	CHECK(l.kind == MOUNTSTATS_OP && slice_equal(l.name, slice_of_string("READDIR")));
	CHECK_EQ_U64(l.values[4], 3197756);
	mountstats_parse(slice_of_string("\tNULL: 99999999999999999999999 1 0 1 1 1 1 1"), &l);
	CHECK(l.kind == MOUNTSTATS_OP && l.values[0] == UINT64_MAX);
	mountstats_parse(slice_of_string("\tREADDIR: 99 99 0 15840 -3 8 1209 1263 0"), &l);
	CHECK(l.kind == MOUNTSTATS_OTHER);
	mountstats_parse(slice_of_string("\tREADDIR: 1 2 3"), &l);
	CHECK(l.kind == MOUNTSTATS_OTHER);
	mountstats_parse(slice_of_string("Hello: 1 2 3 4 5 6 7 8"), &l);
	CHECK(l.kind == MOUNTSTATS_OTHER);
	mountstats_parse(slice_make("", 0), &l);
	CHECK(l.kind == MOUNTSTATS_OTHER);
}

TEST(counters_two_readings_and_their_difference)
{
	struct stage st;

	stage_init(&st);
	mount_head(&st, 0, "4.0", 100, 795, 2);
	op(&st, 0, "GETATTR", 10, 100, 1, 20);
	op(&st, 0, "NEVER", 0, 0, 0, 0);
	mount_head(&st, 1, "4.0", 160, 795, 2);
	op(&st, 1, "GETATTR", 70, 900, 3, 80);
	op(&st, 1, "LOOKUP", 5, 50, 0, 9);
	counters_emit(st.in, &st.board);
	CHECK_EQ_U64(st.m.spans.len, 3);
	CHECK_EQ_U64(span_at(&st, 0)->stats.ops_len, 1);
	CHECK_EQ_U64(span_at(&st, 2)->seconds, 60);
	CHECK_EQ_U64(counters_op(span_at(&st, 2), "GETATTR")->calls, 60);
	CHECK_EQ_U64(counters_op(span_at(&st, 2), "GETATTR")->rtt_ms, 60);
	CHECK_EQ_U64(counters_op(span_at(&st, 2), "LOOKUP")->calls, 5);
	CHECK(span_at(&st, 2)->stats.mount.server_is_address);
	stage_deinit(&st);
}

/* A mount's names come from evidence: what a terminal would obey is told as bytes. */
TEST(counters_name_a_mount_safely)
{
	struct stage st;
	struct rule_input in = {
		.counters = &st.m, .visits = &st.visits, .conns = &st.conns, .hosts = &st.hosts};
	const struct rule *rule = &rule_dir_attribute_storm;
	const struct finding *f;
	struct diagnosis d;

	stage_init(&st);
	lines(&st, 0,
	      "device \xc2\x9b"
	      "31m:/a\x1b[2J mounted on /m\xff with fstype nfs4 statvers=1.1\n"
	      "\topts:\trw,vers=4.0,hard,proto=tcp,timeo=600\n"
	      "\tage:\t60\n"
	      "\tRPC iostats version: 1.1  p/v: 100003/4 (nfs)\n"
	      "\txprt:\ttcp 795 0 2 0 6 900 900 0 900 0 2 0 0\n"
	      "\tper-op statistics\n");
	op(&st, 0, "GETATTR", 4000, 400000, 100, 80000);
	op(&st, 0, "READDIR", 100, 3200000, 0, 1200);
	counters_emit(st.in, &st.board);
	diagnosis_init(&d);
	diagnose_run_rules(&rule, 1, &in, &d);
	CHECK_EQ_U64(d.findings.len, 1);
	f = finding_at(&d.findings, 0);
	CHECK_TEXT(((const struct subject *)vec_at(&f->subjects, 0))->value,
		   "\\xc2\\x9b31m:/a\\x1b[2J on /m\\xff");
	diagnosis_deinit(&d);
	stage_deinit(&st);
}

TEST(counters_of_another_mount_make_no_difference)
{
	struct stage st;

	stage_init(&st);
	mount_head(&st, 0, "4.0", 100, 795, 2);
	op(&st, 0, "GETATTR", 10, 100, 1, 20);
	mount_head(&st, 1, "4.0", 160, 790, 2); /* mounted anew: another port, no new connection */
	op(&st, 1, "GETATTR", 70, 900, 3, 80);
	mount_head(&st, 2, "4.0", 200, 795, 2); /* a counter went back */
	op(&st, 2, "GETATTR", 9, 100, 1, 20);
	counters_emit(st.in, &st.board);
	CHECK_EQ_U64(st.m.spans.len, 3);
	stage_deinit(&st);
}

/* A storm of `calls`, of `seconds`, beside `reads` reads and listings with replies of `bytes`. */
static size_t storm(unsigned calls, unsigned seconds, unsigned reads, unsigned bytes)
{
	struct stage st;
	size_t count;

	stage_init(&st);
	mount_head(&st, 0, "4.0", seconds, 795, 2);
	op(&st, 0, "GETATTR", calls, calls * 100, 100, calls * 20);
	op(&st, 0, "READDIR", 100, 100 * bytes, 0, 1200);
	if (reads)
		op(&st, 0, "READ", reads, reads * 4096, 0, reads * 2);
	count = findings(&st, &rule_dir_attribute_storm);
	stage_deinit(&st);
	return count;
}

TEST(storm_counted_speaks)
{
	CHECK_EQ_U64(storm(4000, 60, 0, 32000), 1);
}

TEST(twin_storm_counted_is_silent)
{
	CHECK_EQ_U64(storm(4000, 86400, 0, 32000), 0); /* over a day */
	CHECK_EQ_U64(storm(4000, 60, 3000, 32000), 0); /* files are read */
	CHECK_EQ_U64(storm(4000, 60, 0, 800), 0);      /* small directories: a find */
	CHECK_EQ_U64(storm(200, 60, 0, 32000), 0);
}

TEST(storm_between_two_readings_speaks)
{
	struct stage st;

	stage_init(&st);
	mount_head(&st, 0, "4.0", 1000000, 795, 2);
	op(&st, 0, "GETATTR", 500000, 1, 1, 1000);
	op(&st, 0, "READDIR", 1000, 8000000, 0, 1200);
	mount_head(&st, 1, "4.0", 1000060, 795, 2);
	op(&st, 1, "GETATTR", 504000, 1, 1, 81000);
	op(&st, 1, "READDIR", 1100, 11200000, 0, 2400);
	CHECK_EQ_U64(findings(&st, &rule_dir_attribute_storm), 1);
	stage_deinit(&st);
}

static size_t slots(const char *vers, unsigned queue, unsigned rtt, unsigned connects)
{
	struct stage st;
	size_t count;

	stage_init(&st);
	mount_head(&st, 0, vers, 60, 795, connects);
	op(&st, 0, "GETATTR", 1000, 1, queue, rtt);
	count = findings(&st, &rule_nfs4_slots_counted);
	stage_deinit(&st);
	return count;
}

/* So long queued as answers take, with so many of the transport's slots in use at most; writes. */
static size_t slots_of(unsigned most, unsigned writes_ms)
{
	struct stage st;
	char text[128];
	size_t count;

	stage_init(&st);
	mount_head(&st, 0, "4.2", 20, 795, 1);
	snprintf(text, sizeof(text), "\txprt:\ttcp 795 0 0 0 0 9 9 0 9 0 %u 0 0\n", most);
	lines(&st, 0, text);
	op(&st, 0, "GETATTR", 1000, 1, 66000, 38000);
	op(&st, 0, "WRITE", 100, 1, writes_ms, writes_ms);
	count = findings(&st, &rule_nfs4_slots_counted);
	stage_deinit(&st);
	return count;
}

TEST(slots_by_the_transport_that_has_room_and_twins)
{
	CHECK_EQ_U64(slots_of(2, 0), 1);  /* and two of mount_head's */
	CHECK_EQ_U64(slots_of(62, 0), 0); /* they may all have come to the transport */
	CHECK_EQ_U64(slots_of(2, 100000), 0);
}

/* The same, with a server that lists so many slots for the client at this address. */
static size_t slots_listed(const char *client, uint64_t slots)
{
	struct stage st;
	struct host_fact fact = {.kind = HOST_NFSD_CLIENT, .client = {.slots = slots}};
	struct event e = {.kind = EVENT_HOST, .at = {.evidence = 1, .frame = 1}, .host = &fact};
	size_t count;

	stage_init(&st);
	fact.client.has_address = log_address_parse(slice_of_string(client), &fact.client.at);
	event_emit(&st.board, &e);
	mount_head(&st, 0, "4.2,clientaddr=192.0.2.21", 20, 795, 1);
	op(&st, 0, "GETATTR", 1000, 1, 200000, 38000);
	count = findings(&st, &rule_nfs4_slots_counted);
	stage_deinit(&st);
	return count;
}

TEST(slots_by_the_list_of_the_server_and_twins)
{
	CHECK_EQ_U64(slots_listed("192.0.2.21", 2), 1);
	CHECK_EQ_U64(slots_listed("192.0.2.21", 64), 0);
	CHECK_EQ_U64(slots_listed("192.0.2.22", 64), 1); /* another client's */
}

TEST(slots_counted_speaks)
{
	CHECK_EQ_U64(slots("4.2", 60000, 2000, 1), 1);
}

TEST(twin_slots_counted_is_silent)
{
	CHECK_EQ_U64(slots("4.0", 60000, 2000, 1), 0);  /* no sessions */
	CHECK_EQ_U64(slots("4.2", 60000, 60000, 1), 0); /* the server is slow */
	CHECK_EQ_U64(slots("4.2", 60000, 2000, 40), 0); /* the connection breaks */
	CHECK_EQ_U64(slots("4.2", 900, 100, 1), 0);
}

/* A mount of version 3 with 100 GETATTR that queued and were answered after so many ms each. */
static size_t slow(unsigned queue, unsigned rtt)
{
	struct stage st;
	size_t count;

	stage_init(&st);
	mount_head(&st, 1, "3", 600, 900, 1);
	op(&st, 1, "GETATTR", 100, 10000, 100 * queue, 100 * rtt);
	op(&st, 1, "WRITE", 100, 10000, 100, 100000000);
	count = findings(&st, &rule_rpc_slow_counted);
	stage_deinit(&st);
	return count;
}

TEST(slow_answers_counted_speak)
{
	CHECK_EQ_U64(slow(3, 800), 1);
}

TEST(twin_slow_answers_counted_is_silent)
{
	CHECK_EQ_U64(slow(3, 80), 0);
	CHECK_EQ_U64(slow(900, 800), 0);
}

/* The same, answered after 800 ms, with a list in which TCP's round trip to this host is so long.
 */
static size_t slow_over(const char *server, uint64_t rtt_us)
{
	struct stage st;
	struct host_fact fact = {.kind = HOST_SOCKET, .socket = {.rtt_us = rtt_us}};
	struct event e = {.kind = EVENT_HOST, .at = {.evidence = 1, .frame = 1}, .host = &fact};
	size_t count;

	stage_init(&st);
	CHECK(log_address_parse(slice_of_string(server), &fact.socket.peer));
	fact.socket.peer.port = 2049;
	event_emit(&st.board, &e);
	mount_head(&st, 1, "3", 600, 900, 1);
	op(&st, 1, "GETATTR", 100, 10000, 100, 80000);
	count = findings(&st, &rule_rpc_slow_counted);
	stage_deinit(&st);
	return count;
}

TEST(slow_answers_and_the_round_trip)
{
	CHECK_EQ_U64(slow_over("192.0.2.10", 350), 1);
	CHECK_EQ_U64(slow_over("192.0.2.10", 300000), 1);
	CHECK_EQ_U64(slow_over("192.0.2.10", 790000), 0);
	CHECK_EQ_U64(slow_over("192.0.2.11", 790000), 1); /* another server */
}

/* Two readings of a mount, with so many transmissions for 100 calls more. */
static size_t repeats(unsigned transmissions)
{
	struct stage st;
	char text[200];
	size_t count;

	stage_init(&st);
	mount_head(&st, 1, "3", 600, 900, 1);
	op(&st, 1, "GETATTR", 1000, 10000, 10, 100);
	mount_head(&st, 2, "3", 660, 900, 1);
	snprintf(text, sizeof(text), "\t     GETATTR: 1100 %u 0 1000 20000 20 200 220 0\n",
		 1000 + transmissions);
	lines(&st, 2, text);
	count = findings(&st, &rule_rpc_retransmission_counted);
	stage_deinit(&st);
	return count;
}

TEST(sent_again_on_a_mount_speaks_and_twin)
{
	CHECK_EQ_U64(repeats(104), 1);
	CHECK_EQ_U64(repeats(100), 0);
}
