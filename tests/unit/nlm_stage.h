/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The models and rules about locks, for tests of the rules: two clients, a server, and logs. */
#ifndef NLM_STAGE_H
#define NLM_STAGE_H

#include "capfile/source.h"
#include "diagnose/engine.h"
#include "diagnose/rules/rules.h"
#include "findings.h"
#include "ingest/log/log.h"
#include "model/conn.h"
#include "model/logs.h"
#include "model/nlm/nlm.h"
#include "model/path/path.h"
#include "model/portmap.h"
#include "names/nlm.h"
#include "nlm_script.h"

static const struct rule *const nlm_rules[] = {
	&rule_nlm_denied_nolocks, &rule_nlm_granted_lost,          &rule_nlm_port_changed,
	&rule_nlm_server_restart, &rule_nlm_retransmission_denied, &rule_nsm_monitor_failed,
	&rule_nsm_notify_lost,    &rule_nlm_locks_out_of_step,
};

struct stage {
	struct script s;
	struct conn_model conns;
	struct nlm_model nlm;
	struct path_model path;
	struct portmap_model portmap;
	struct logs_model logs;
	struct evidence_list evidence;
	struct diagnosis d;
	struct conn a, b;         /* clients A and B to the lock manager */
	struct conn back;         /* the server to B's lock manager */
	struct conn nfs_a, nfs_b; /* the clients to NFS */
	struct conn ask;          /* client A to the portmapper */
	struct conn notify;       /* the server's statd to A's, over UDP */
};

static inline void stage_init(struct stage *st)
{
	*st = (struct stage){.s = script_make()};
	st->a = script_conn(1, CLIENT_A, 701, SERVER, 4045);
	st->b = script_conn(2, CLIENT_B, 702, SERVER, 4045);
	st->back = script_conn(3, SERVER, 834, CLIENT_B, 45855);
	st->ask = script_conn(4, CLIENT_A, 40000, SERVER, PORTMAP_PORT);
	st->nfs_a = script_conn(5, CLIENT_A, 700, SERVER, 2049);
	st->nfs_b = script_conn(6, CLIENT_B, 700, SERVER, 2049);
	st->notify = script_conn(7, SERVER, 40662, CLIENT_A, 662);
	st->notify.transport = TRANSPORT_UDP;
	conn_model_init(&st->conns);
	nlm_model_init(&st->nlm);
	path_model_init(&st->path);
	portmap_model_init(&st->portmap);
	logs_model_init(&st->logs);
	conn_model_attach(&st->conns, &st->s.board);
	nlm_model_attach(&st->nlm, &st->s.board);
	path_model_attach(&st->path, &st->s.board);
	portmap_model_attach(&st->portmap, &st->s.board);
	logs_model_attach(&st->logs, &st->s.board);
	evidence_list_init(&st->evidence);
	evidence_list_add(&st->evidence, "client.pcap", EVIDENCE_PCAP);
	diagnosis_init(&st->d);
}

static inline void stage_deinit(struct stage *st)
{
	diagnosis_deinit(&st->d);
	evidence_list_deinit(&st->evidence);
	logs_model_deinit(&st->logs);
	portmap_model_deinit(&st->portmap);
	path_model_deinit(&st->path);
	nlm_model_deinit(&st->nlm);
	conn_model_deinit(&st->conns);
}

/* Reads the text of a log, of a host that it does not name. */
static inline void stage_log(struct stage *st, const char *text)
{
	struct log_options options = {.year = 2026};
	struct source *source = source_create_memory(slice_of_string(text));
	struct logs *logs = logs_create(&options, &st->evidence);

	logs_read(logs, 1, "host/dmesg", stamp_none(), source);
	evidence_list_add(&st->evidence, "host/dmesg", EVIDENCE_KERNEL_LOG);
	logs_settle(logs, stamp_none());
	logs_emit(logs, &st->s.board);
	logs_destroy(logs);
	source_destroy(source);
}

/* The connection of client A to NFS ends; segments of both sides were in the capture. */
static inline void stage_both_ways(struct stage *st, double at)
{
	struct conn_totals totals = {.segments = {9, 9}};
	struct event e = {.kind = EVENT_CONN_END,
			  .at = script_place(&st->s, at),
			  .conn = &st->nfs_a,
			  .totals = &totals};

	totals.first = totals.last = e.at;
	event_emit(&st->s.board, &e);
}

/* Diagnoses; the capture ended at this time. */
static inline void stage_run(struct stage *st, double end)
{
	struct rule_input in = {.evidence = &st->evidence,
				.conns = &st->conns,
				.nlm = &st->nlm,
				.path = &st->path,
				.logs = &st->logs,
				.portmap = &st->portmap};

	evidence_list_at(&st->evidence, 0)->last = script_at(end);
	nlm_model_finish(&st->nlm);
	path_model_finish(&st->path);
	portmap_model_finish(&st->portmap);
	diagnose_run_rules(nlm_rules, sizeof(nlm_rules) / sizeof(nlm_rules[0]), &in, &st->d);
}

static inline const struct finding *stage_find(const struct stage *st, const char *id)
{
	return findings_find(&st->d, id);
}

#endif
