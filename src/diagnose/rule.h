/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a rule is: a pure function from models, and from the list of what evidence there was, to
 * findings. A rule states what it needs and stays silent when it cannot know. See
 * docs/howto-rule.md.
 */
#ifndef DIAGNOSE_RULE_H
#define DIAGNOSE_RULE_H

#include "diagnose/finding.h"
#include "event/evidence.h"

struct conn_model;
struct counters_model;
struct ladder_model;
struct logs_model;
struct call_model;
struct clid_model;
struct dir_model;
struct filter_model;
struct host_model;
struct nfs4_model;
struct overdue_model;
struct nfs4_state_model;
struct stale_model;
struct path_model;
struct mount_model;
struct nlm_model;
struct portmap_model;
struct rpc_task_model;
struct served_model;
struct visit_model;
struct wire_model;
struct task_model;

/* Everything that a rule may look at. */
struct rule_input {
	const struct evidence_list *evidence;
	const struct conn_model *conns;
	const struct call_model *calls;
	const struct nfs4_model *nfs4;
	const struct nfs4_state_model *state;
	const struct stale_model *stale;
	const struct path_model *path;
	const struct logs_model *logs;
	const struct task_model *tasks;
	const struct clid_model *clids;
	const struct ladder_model *ladders;
	const struct rpc_task_model *rpc_tasks;
	const struct served_model *served;
	const struct nlm_model *nlm;
	const struct dir_model *dirs;
	const struct filter_model *filters;
	const struct portmap_model *portmap;
	const struct mount_model *mounts;
	const struct visit_model *visits;
	const struct overdue_model *overdue;
	const struct counters_model *counters;
	const struct wire_model *wire; /* NULL: nothing is known */
	const struct host_model *hosts;
};

struct rule {
	const char *id;    /* of the finding that it makes */
	const char *needs; /* the evidence without which it stays silent, for people */
	void (*run)(const struct rule_input *in, struct diagnosis *out);
};

/* All rules; the order does not matter for the result. */
extern const struct rule *const diagnose_rules[];
extern const size_t diagnose_rules_count;

#endif
