/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A stage for rules about transport: the models of connections and of the path, a script that feeds
 * them, and one capture as evidence.
 *
 *	struct stage st;
 *
 *	stage_init(&st);
 *	script_handshake(&st.script, 1, &c);
 *	CHECK_EQ_U64(stage_findings(&st, &rule_tcp_path_silent, 200), 0);
 *	stage_deinit(&st);
 */
#ifndef STAGE_H
#define STAGE_H

#include "diagnose/engine.h"
#include "diagnose/rules/rules.h"
#include "model/call.h"
#include "model/conn.h"
#include "model/path/path.h"
#include "script.h"

#define STAGE_CLIENT "192.0.2.21"
#define STAGE_SERVER "192.0.2.10"

enum { STAGE_NFS = 100003, STAGE_NLM = 100021 };

struct stage {
	struct script script;
	struct conn_model conns;
	struct path_model path;
	struct evidence_list evidence;
	struct diagnosis d;
	uint64_t serial;
};

static inline void stage_init(struct stage *st)
{
	*st = (struct stage){.script = script_make()};
	conn_model_init(&st->conns);
	conn_model_attach(&st->conns, &st->script.board);
	path_model_init(&st->path);
	path_model_attach(&st->path, &st->script.board);
	evidence_list_init(&st->evidence);
	evidence_list_add(&st->evidence, "client.pcap", EVIDENCE_PCAP);
	diagnosis_init(&st->d);
}

static inline void stage_deinit(struct stage *st)
{
	diagnosis_deinit(&st->d);
	evidence_list_deinit(&st->evidence);
	path_model_deinit(&st->path);
	conn_model_deinit(&st->conns);
}

static inline struct conn stage_conn(struct stage *st, uint16_t port)
{
	st->serial++;
	return script_conn(st->serial, STAGE_CLIENT, (uint16_t)(700 + st->serial), STAGE_SERVER,
			   port);
}

/* Ends the connection; `both`: segments of both sides were seen. */
static inline void stage_end(struct stage *st, double at, const struct conn *c, bool both)
{
	struct conn_totals totals = {.segments = {2, both ? 2 : 0}};
	struct event e = {.kind = EVENT_CONN_END, .conn = c, .totals = &totals};

	e.at = script_place(&st->script, at);
	totals.first = totals.last = e.at;
	event_emit(&st->script.board, &e);
}

/* A healthy connection that carried NFSv3, and ended. */
static inline struct conn stage_works(struct stage *st, double at, uint16_t port)
{
	struct conn c = stage_conn(st, port);

	script_handshake(&st->script, at, &c);
	script_exchange(&st->script, at + 0.01, &c, STAGE_NFS, 3);
	stage_end(st, at + 0.02, &c, true);
	return c;
}

/* Data of one side again, sent first at `since`; the other side was heard last at `heard`. */
static inline void stage_again(struct stage *st, double at, const struct conn *c,
			       enum conn_side from, const struct provenance *since,
			       const struct provenance *heard)
{
	struct event_tcp tcp = {.fact = TCP_FACT_RETRANSMISSION,
				.from = from,
				.bytes = 172,
				.since = *since,
				.heard = *heard};
	struct event e = {.kind = EVENT_TCP, .conn = c, .tcp = &tcp};

	e.at = script_place(&st->script, at);
	event_emit(&st->script.board, &e);
}

/* How many findings the rule makes of it all; the evidence ended at this time. */
static inline size_t stage_findings(struct stage *st, const struct rule *rule, double end)
{
	const struct rule *const rules[] = {rule};
	struct rule_input in = {.evidence = &st->evidence, .conns = &st->conns, .path = &st->path};

	evidence_list_at(&st->evidence, 0)->last = script_at(end);
	path_model_finish(&st->path);
	diagnose_run_rules(rules, 1, &in, &st->d);
	return st->d.findings.len;
}

static inline const struct finding *stage_finding(const struct stage *st, size_t i)
{
	return finding_at(&st->d.findings, i);
}

#endif
