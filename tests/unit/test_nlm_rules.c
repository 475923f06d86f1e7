// SPDX-License-Identifier: GPL-2.0-or-later
/* nlm-blocked, nlm-grace and portmap-unanswered under scripted events, each with its twins. */
#include "check.h"
#include "diagnose/engine.h"
#include "diagnose/rules/rules.h"
#include "model/conn.h"
#include "model/nlm/nlm.h"
#include "model/portmap.h"
#include "names/nlm.h"
#include "nlm_script.h"

#include <netinet/in.h>

enum { MOUNT = 100005, NLM = 100021, NFS = 100003 };

struct stage {
	struct script s;
	struct conn_model conns;
	struct nlm_model nlm;
	struct portmap_model portmap;
	struct evidence_list evidence;
	struct diagnosis d;
	struct conn a, b, back, ask, nfs;
};

static void stage_init(struct stage *st)
{
	*st = (struct stage){.s = script_make()};
	st->a = script_conn(1, CLIENT_A, 701, SERVER, 4045);
	st->b = script_conn(2, CLIENT_B, 702, SERVER, 4045);
	st->back = script_conn(3, SERVER, 834, CLIENT_B, 45855);
	st->ask = script_conn(4, CLIENT_A, 40000, SERVER, PORTMAP_PORT);
	st->nfs = script_conn(5, CLIENT_A, 700, SERVER, 2049);
	conn_model_init(&st->conns);
	nlm_model_init(&st->nlm);
	portmap_model_init(&st->portmap);
	conn_model_attach(&st->conns, &st->s.board);
	nlm_model_attach(&st->nlm, &st->s.board);
	portmap_model_attach(&st->portmap, &st->s.board);
	evidence_list_init(&st->evidence);
	evidence_list_add(&st->evidence, "client.pcap", EVIDENCE_PCAP);
	diagnosis_init(&st->d);
}

static void stage_deinit(struct stage *st)
{
	diagnosis_deinit(&st->d);
	evidence_list_deinit(&st->evidence);
	portmap_model_deinit(&st->portmap);
	nlm_model_deinit(&st->nlm);
	conn_model_deinit(&st->conns);
}

/* Diagnoses; the evidence ended at this time. */
static size_t stage_findings(struct stage *st, double end)
{
	static const struct rule *const rules[] = {&rule_nlm_blocked, &rule_nlm_grace,
						   &rule_portmap_unanswered};
	struct rule_input in = {.evidence = &st->evidence,
				.conns = &st->conns,
				.nlm = &st->nlm,
				.portmap = &st->portmap};

	evidence_list_at(&st->evidence, 0)->last = script_at(end);
	nlm_model_finish(&st->nlm);
	portmap_model_finish(&st->portmap);
	diagnose_run_rules(rules, 3, &in, &st->d);
	return st->d.findings.len;
}

static const struct finding *stage_finding(const struct stage *st)
{
	return finding_at(&st->d.findings, 0);
}

/* Client B wants at `asked` what client A has, and gets it at `got`. */
static void contend(struct stage *st, double asked, double got)
{
	struct nlm_told a = script_lock(1, 0, 0), b = script_lock(2, 0, 0);

	script_nlm(&st->s, 0, &st->a, NLMPROC_LOCK, &a, NLM_GRANTED);
	script_nlm(&st->s, asked, &st->b, NLMPROC_LOCK, &b, NLM_BLOCKED);
	script_nlm(&st->s, got - 0.1, &st->a, NLMPROC_UNLOCK, &a, NLM_GRANTED);
	script_nlm(&st->s, got, &st->back, NLMPROC_GRANTED, &b, NLM_GRANTED);
}

TEST(blocked_long_names_the_holder_and_is_context_only)
{
	const struct finding *f;
	struct stage st;

	stage_init(&st);
	contend(&st, 10, 100);
	if (!CHECK_EQ_U64(stage_findings(&st, 200), 1))
		return;
	f = stage_finding(&st);
	CHECK_TEXT(f->id, "nlm-blocked");
	CHECK(f->role == ROLE_CONTEXT && f->confidence == CONFIDENCE_CERTAIN);
	CHECK_TEXT(f->title, "192.0.2.32 waited 90.0 s for a lock that 192.0.2.31 held");
	CHECK_TEXT(f->why,
		   "For this file process 2 of 192.0.2.32 (app) asked at "
		   "22:13:30.000000 for an exclusive lock (the whole file); the holder was "
		   "process 1 of 192.0.2.31 (app), which got it at 22:13:20.001000. It was granted "
		   "at 22:15:00.000000, by the server's callback.");
	CHECK_EQ_U64(st.d.incidents.len, 0);
	stage_deinit(&st);
}

TEST(twin_blocked_for_a_moment_is_silent)
{
	struct stage st;

	stage_init(&st);
	contend(&st, 10, 12);
	CHECK_EQ_U64(stage_findings(&st, 200), 0);
	stage_deinit(&st);
}

TEST(blocked_until_the_evidence_ends_by_nobody_that_was_seen)
{
	struct nlm_told b = script_lock(2, 0, 0);
	struct stage st;

	stage_init(&st);
	script_nlm(&st.s, 10, &st.b, NLMPROC_LOCK, &b, NLM_BLOCKED);
	if (!CHECK_EQ_U64(stage_findings(&st, 70), 1))
		return;
	CHECK_TEXT(stage_finding(&st)->title,
		   "192.0.2.32 waited 60.0 s for a lock that somebody else held");
	CHECK(stage_finding(&st)->confidence == CONFIDENCE_LIKELY);
	stage_deinit(&st);
}

TEST(grace_answers_are_a_symptom)
{
	struct nlm_told a = script_lock(1, 0, 0);
	const struct finding *f;
	struct stage st;

	stage_init(&st);
	for (int i = 0; i < 9; i++)
		script_nlm(&st.s, i * 5, &st.a, NLMPROC_LOCK, &a, NLM_DENIED_GRACE_PERIOD);
	script_nlm(&st.s, 45, &st.a, NLMPROC_LOCK, &a, NLM_GRANTED);
	if (!CHECK_EQ_U64(stage_findings(&st, 70), 1))
		return;
	f = stage_finding(&st);
	CHECK_TEXT(f->id, "nlm-grace");
	CHECK(f->role == ROLE_SYMPTOM);
	CHECK_EQ_U64(f->count, 9);
	CHECK_EQ_I64(f->last.ns, script_at(45.001).ns);
	stage_deinit(&st);
}

TEST(twin_denied_without_grace_is_no_grace)
{
	struct nlm_told a = script_lock(1, 0, 0), b = script_lock(2, 0, 0);
	struct stage st;

	stage_init(&st);
	b.block = false;
	script_nlm(&st.s, 0, &st.a, NLMPROC_LOCK, &a, NLM_GRANTED);
	script_nlm(&st.s, 1, &st.b, NLMPROC_LOCK, &b, NLM_DENIED);
	CHECK_EQ_U64(stage_findings(&st, 70), 0);
	stage_deinit(&st);
}

TEST(port_of_locks_never_told_is_a_cause)
{
	const struct finding *f;
	struct stage st;

	stage_init(&st);
	for (int i = 0; i < 6; i++)
		script_getport(&st.s, i * 15, &st.ask, NLM, IPPROTO_TCP, 0);
	if (!CHECK_EQ_U64(stage_findings(&st, 200), 1))
		return;
	f = stage_finding(&st);
	CHECK_TEXT(f->id, "portmap-unanswered");
	CHECK(f->confidence == CONFIDENCE_CERTAIN);
	CHECK_TEXT(f->title, "the portmapper of 192.0.2.10 has no port of NLM (program 100021) "
			     "version 4 over TCP");
	CHECK_EQ_U64(f->count, 6);
	stage_deinit(&st);
}

TEST(twin_service_that_only_nfs4_does_without)
{
	struct stage st;

	stage_init(&st);
	script_exchange(&st.s, 1, &st.nfs, NFS, 4);
	for (int i = 0; i < 6; i++)
		script_getport(&st.s, i * 15, &st.ask, MOUNT, IPPROTO_TCP, 0);
	CHECK_EQ_U64(stage_findings(&st, 200), 0);
	CHECK_EQ_U64(st.d.undecided.len, 1);
	stage_deinit(&st);
}

TEST(twin_probe_of_another_protocol_is_silent)
{
	struct stage st;

	stage_init(&st);
	for (int i = 0; i < 6; i++) {
		script_getport(&st.s, i * 15, &st.ask, MOUNT, IPPROTO_UDP, 0);
		script_getport(&st.s, i * 15 + 1, &st.ask, MOUNT, IPPROTO_TCP, 20048);
	}
	CHECK_EQ_U64(stage_findings(&st, 200), 0);
	stage_deinit(&st);
}

/* Version 0 is what rpcinfo asks for; the portmapper has it of nobody. */
TEST(twin_asked_by_a_tool_is_silent)
{
	struct stage st;

	stage_init(&st);
	for (int i = 0; i < 6; i++)
		script_getport_of(&st.s, i * 5, &st.ask, NLM, 0, IPPROTO_UDP, 0);
	CHECK_EQ_U64(stage_findings(&st, 200), 0);
	stage_deinit(&st);
}

TEST(twin_asked_once_or_without_need_is_silent)
{
	struct stage st;

	stage_init(&st);
	script_getport(&st.s, 1, &st.ask, NLM, IPPROTO_TCP, 0);
	for (int i = 0; i < 6; i++) /* disk quotas: not everybody has a service for them */
		script_getport(&st.s, i * 15, &st.ask, 100011, IPPROTO_UDP, 0);
	CHECK_EQ_U64(stage_findings(&st, 200), 0);
	stage_deinit(&st);
}

/* The portmapper is asked by SYNs in vain for 90 s; NFS answers meanwhile, or not. */
static void filtered(struct stage *st, bool nfs_lives)
{
	script_handshake(&st->s, 0, &st->ask);
	script_getport(&st->s, 1, &st->ask, MOUNT, IPPROTO_TCP, 20048);
	for (int i = 0; i < 9; i++)
		script_tcp(&st->s, 100 + i * 10, &st->ask, TCP_FACT_SYN, CONN_FROM_CLIENT);
	if (nfs_lives)
		script_exchange(&st->s, 120, &st->nfs, NFS, 3);
	script_handshake(&st->s, 190, &st->ask);
}

TEST(portmapper_that_cannot_be_asked_is_a_cause)
{
	struct stage st;

	stage_init(&st);
	filtered(&st, true);
	if (!CHECK_EQ_U64(stage_findings(&st, 200), 1))
		return;
	CHECK_TEXT(stage_finding(&st)->title,
		   "the portmapper of 192.0.2.10 could not be asked by 192.0.2.31 for 90.0 s");
	CHECK(stage_finding(&st)->confidence == CONFIDENCE_LIKELY);
	stage_deinit(&st);
}

TEST(twin_host_that_is_cut_off_is_silent)
{
	struct stage st;

	stage_init(&st);
	filtered(&st, false);
	CHECK_EQ_U64(stage_findings(&st, 200), 0);
	stage_deinit(&st);
}

TEST(twin_refused_portmapper_is_silent)
{
	struct stage st;

	stage_init(&st);
	for (int i = 0; i < 30; i++)
		script_refused(&st.s, i * 3, &st.ask);
	script_exchange(&st.s, 50, &st.nfs, NFS, 3);
	CHECK_EQ_U64(stage_findings(&st, 200), 0);
	stage_deinit(&st);
}
