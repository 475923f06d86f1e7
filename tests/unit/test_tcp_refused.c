// SPDX-License-Identifier: GPL-2.0-or-later
/* tcp-syn-refused under scripted events: where it must speak, and the twins where it must not. */
#include "check.h"
#include "diagnose/engine.h"
#include "diagnose/rules/rules.h"
#include "model/conn.h"
#include "script.h"

enum { PROGRAM_NFS = 100003 };

#define CLIENT   "192.0.2.21"
#define CLIENT_2 "192.0.2.22"
#define SERVER   "192.0.2.10"

/* A model, a script that feeds it, and evidence that ends when the test says so. */
struct stage {
	struct script script;
	struct conn_model conns;
	struct evidence_list evidence;
	struct diagnosis d;
	uint64_t serial;
};

static void stage_init(struct stage *st)
{
	*st = (struct stage){.script = script_make()};
	conn_model_init(&st->conns);
	conn_model_attach(&st->conns, &st->script.board);
	evidence_list_init(&st->evidence);
	evidence_list_add(&st->evidence, "client.pcap", EVIDENCE_PCAP);
	diagnosis_init(&st->d);
}

static void stage_deinit(struct stage *st)
{
	diagnosis_deinit(&st->d);
	evidence_list_deinit(&st->evidence);
	conn_model_deinit(&st->conns);
}

static struct conn stage_conn(struct stage *st, const char *client, uint16_t port)
{
	st->serial++;
	return script_conn(st->serial, client, (uint16_t)(700 + st->serial), SERVER, port);
}

static void stage_refused(struct stage *st, double at, const char *client, uint16_t port)
{
	struct conn c = stage_conn(st, client, port);

	script_refused(&st->script, at, &c);
}

/* A connection that carries RPC. */
static void stage_works(struct stage *st, double at, const char *client, uint16_t port,
			uint32_t version)
{
	struct conn c = stage_conn(st, client, port);

	script_handshake(&st->script, at, &c);
	script_exchange(&st->script, at + 0.01, &c, PROGRAM_NFS, version);
}

/* Diagnoses; the evidence ended at this time. */
static size_t stage_findings(struct stage *st, double end)
{
	static const struct rule *const rules[] = {&rule_tcp_syn_refused};
	struct rule_input in = {.evidence = &st->evidence, .conns = &st->conns};

	evidence_list_at(&st->evidence, 0)->last = script_at(end);
	diagnose_run_rules(rules, 1, &in, &st->d);
	return st->d.findings.len;
}

static const struct finding *stage_finding(const struct stage *st, size_t i)
{
	return finding_at(&st->d.findings, i);
}

TEST(refused_without_end_is_certain)
{
	struct stage st;
	const struct finding *f;

	stage_init(&st);
	stage_works(&st, 1, CLIENT, 2049, 4);
	for (int i = 0; i < 12; i++)
		stage_refused(&st, 100 + i * 3, CLIENT, 2049);
	if (!CHECK_EQ_U64(stage_findings(&st, 200), 1))
		return;
	f = stage_finding(&st, 0);
	CHECK_TEXT(finding_confidence_name(f->confidence), "certain");
	CHECK_TEXT(f->title, "192.0.2.10:2049 refused connections from 192.0.2.21 for 33.0 s");
	CHECK_TEXT(f->why, "12 SYNs to 192.0.2.10:2049 were answered with RST, from "
			   "22:15:00.000100 to 22:15:33.000100: so a host answers where nothing "
			   "listens at the port, or a filter that rejects in its name. It worked "
			   "before, last seen at 22:13:21.011000. No connection succeeded since.");
	CHECK_TEXT(f->server, SERVER);
	CHECK_TEXT(*(const char **)vec_at(&f->clients, 0), CLIENT);
	CHECK_EQ_U64(f->count, 12);
	CHECK(f->cites.len >= 3);
	CHECK_EQ_U64(((struct cite *)vec_at(&f->cites, 0))->decode_port, 2049);
	CHECK_EQ_U64(st.d.incidents.len, 1);
	stage_deinit(&st);
}

TEST(refused_until_the_service_is_back_is_certain)
{
	struct stage st;
	const struct finding *f;

	stage_init(&st);
	stage_refused(&st, 10, CLIENT, 2049);
	stage_refused(&st, 13, CLIENT, 2049);
	stage_works(&st, 19, CLIENT, 2049, 3);
	if (!CHECK_EQ_U64(stage_findings(&st, 200), 1))
		return;
	f = stage_finding(&st, 0);
	CHECK_TEXT(finding_confidence_name(f->confidence), "certain");
	CHECK_EQ_I64(f->last.ns, script_at(19.0002).ns);
	CHECK(strstr(f->why, "The first connection after it succeeded at") != NULL);
	CHECK(strstr(f->why, "No earlier success") != NULL);
	stage_deinit(&st);
}

TEST(twin_refused_once_and_successful_at_once_is_silent)
{
	struct stage st;

	stage_init(&st);
	stage_refused(&st, 10, CLIENT, 2049);
	stage_works(&st, 10.5, CLIENT, 2049, 4);
	CHECK_EQ_U64(stage_findings(&st, 200), 0);
	stage_deinit(&st);
}

TEST(twin_healthy_is_silent)
{
	struct stage st;

	stage_init(&st);
	stage_works(&st, 10, CLIENT, 2049, 4);
	stage_works(&st, 11, CLIENT_2, 2049, 4);
	CHECK_EQ_U64(stage_findings(&st, 200), 0);
	stage_deinit(&st);
}

TEST(twin_port_of_somebody_else_is_silent)
{
	struct stage st;

	stage_init(&st);
	stage_works(&st, 1, CLIENT, 2049, 4);
	for (int i = 0; i < 5; i++)
		stage_refused(&st, 10 + i, CLIENT, 8080);
	CHECK_EQ_U64(stage_findings(&st, 200), 0);
	stage_deinit(&st);
}

TEST(port_that_carried_rpc_is_nfs_business)
{
	struct stage st;

	stage_init(&st);
	stage_works(&st, 1, CLIENT, 41234, 3);
	stage_refused(&st, 10, CLIENT, 41234);
	stage_refused(&st, 13, CLIENT, 41234);
	CHECK_EQ_U64(stage_findings(&st, 200), 1);
	stage_deinit(&st);
}

TEST(twin_service_that_moved_to_another_port_is_silent)
{
	struct stage st;

	for (unsigned late = 0; late <= 1; late++) {
		stage_init(&st);
		stage_works(&st, 1, CLIENT, 41234, 3);
		stage_refused(&st, 10, CLIENT, 41234);
		stage_works(&st, late ? 15 : 10.2, CLIENT, 41235, 3);
		CHECK_EQ_U64(stage_findings(&st, 200), late);
		stage_deinit(&st);
	}
}

TEST(portmapper_is_missed_by_nfs3_and_not_by_nfs4)
{
	struct stage st;

	for (uint32_t version = 3; version <= 4; version++) {
		stage_init(&st);
		stage_works(&st, 1, CLIENT, 2049, version);
		stage_refused(&st, 10, CLIENT, 111);
		stage_refused(&st, 13, CLIENT, 111);
		CHECK_EQ_U64(stage_findings(&st, 200), version == 3);
		stage_deinit(&st);
	}
}

TEST(other_ttl_may_be_a_middlebox)
{
	struct stage st;
	const struct finding *f;

	stage_init(&st);
	stage_works(&st, 1, CLIENT, 2049, 4);
	st.script.ttl = 255;
	stage_refused(&st, 10, CLIENT, 2049);
	stage_refused(&st, 13, CLIENT, 2049);
	if (!CHECK_EQ_U64(stage_findings(&st, 200), 1))
		return;
	f = stage_finding(&st, 0);
	CHECK_TEXT(finding_confidence_name(f->confidence), "likely");
	CHECK(strstr(f->why, "TTL 255") != NULL);
	stage_deinit(&st);
}

TEST(refused_once_at_the_end_of_the_evidence_is_possible)
{
	struct stage st;

	stage_init(&st);
	stage_refused(&st, 199, CLIENT, 2049);
	if (!CHECK_EQ_U64(stage_findings(&st, 200), 1))
		return;
	CHECK_TEXT(finding_confidence_name(stage_finding(&st, 0)->confidence), "possible");
	CHECK(strstr(stage_finding(&st, 0)->why, "The evidence ends 1.0 s later") != NULL);
	stage_deinit(&st);
}

TEST(old_connection_that_goes_on_is_said)
{
	struct stage st;
	struct conn old;

	stage_init(&st);
	old = stage_conn(&st, CLIENT, 2049);
	script_handshake(&st.script, 1, &old);
	script_exchange(&st.script, 2, &old, PROGRAM_NFS, 4);
	stage_refused(&st, 10, CLIENT, 2049);
	stage_refused(&st, 13, CLIENT, 2049);
	script_exchange(&st.script, 20, &old, PROGRAM_NFS, 4);
	if (!CHECK_EQ_U64(stage_findings(&st, 200), 1))
		return;
	CHECK_TEXT(finding_confidence_name(stage_finding(&st, 0)->confidence), "likely");
	CHECK(strstr(stage_finding(&st, 0)->why, "only new ones are refused") != NULL);
	stage_deinit(&st);
}

TEST(clients_of_one_outage_are_one_finding_and_later_ones_another)
{
	struct stage st;

	stage_init(&st);
	stage_refused(&st, 10, CLIENT, 2049);
	stage_refused(&st, 12, CLIENT_2, 2049);
	stage_refused(&st, 13, CLIENT, 2049);
	stage_refused(&st, 15, CLIENT_2, 2049);
	stage_works(&st, 19, CLIENT, 2049, 4);
	stage_works(&st, 21, CLIENT_2, 2049, 4);
	stage_refused(&st, 1000, CLIENT, 2049);
	stage_refused(&st, 1003, CLIENT, 2049);
	if (!CHECK_EQ_U64(stage_findings(&st, 2000), 2))
		return;
	CHECK_EQ_U64(st.d.incidents.len, 2);
	CHECK_EQ_U64(stage_finding(&st, 0)->clients.len, 2);
	CHECK_EQ_U64(stage_finding(&st, 0)->count, 4);
	CHECK_EQ_U64(stage_finding(&st, 1)->count, 2);
	stage_deinit(&st);
}

/* By its filter the capture holds flags only: no plain segment ends a handshake. */
TEST(twin_accepted_later_without_the_ack_is_silent)
{
	struct stage st;
	struct conn c;

	stage_init(&st);
	stage_refused(&st, 10, CLIENT, 2049);
	stage_refused(&st, 13, CLIENT, 2049);
	c = stage_conn(&st, CLIENT, 2049);
	script_tcp(&st.script, 16, &c, TCP_FACT_SYN, CONN_FROM_CLIENT);
	script_tcp(&st.script, 16.001, &c, TCP_FACT_SYN_ACK, CONN_FROM_SERVER);
	CHECK_EQ_U64(stage_findings(&st, 200), 0);
	stage_refused(&st, 20, CLIENT, 2049);
	CHECK_EQ_U64(stage_findings(&st, 200), 1);
	stage_deinit(&st);
}
