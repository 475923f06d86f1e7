// SPDX-License-Identifier: GPL-2.0-or-later
/* See models.h. */
#include "cmd/models.h"

#include "base/mem.h"

void models_init(struct models *m, struct event_board *board)
{
	conn_model_init(&m->conns);
	call_model_init(&m->calls);
	nfs4_model_init(&m->nfs4);
	nfs4_state_init(&m->state);
	stale_model_init(&m->stale);
	logs_model_init(&m->logs);
	task_model_init(&m->tasks);
	clid_model_init(&m->clids);
	ladder_model_init(&m->ladders);
	rpc_task_model_init(&m->rpc_tasks);
	served_model_init(&m->served);
	nlm_model_init(&m->nlm);
	dir_model_init(&m->dirs);
	path_model_init(&m->path);
	portmap_model_init(&m->portmap);
	mount_model_init(&m->mounts);
	visit_model_init(&m->visits);
	overdue_model_init(&m->overdue);
	counters_model_init(&m->counters);
	filter_model_init(&m->filters);
	wire_model_init(&m->wire);
	host_model_init(&m->hosts);
	conn_model_attach(&m->conns, board);
	call_model_attach(&m->calls, board);
	nfs4_model_attach(&m->nfs4, board);
	nfs4_state_attach(&m->state, board);
	stale_model_attach(&m->stale, board);
	logs_model_attach(&m->logs, board);
	task_model_attach(&m->tasks, board);
	clid_model_attach(&m->clids, board);
	ladder_model_attach(&m->ladders, board);
	rpc_task_model_attach(&m->rpc_tasks, board);
	served_model_attach(&m->served, board);
	nlm_model_attach(&m->nlm, board);
	dir_model_attach(&m->dirs, board);
	path_model_attach(&m->path, board);
	portmap_model_attach(&m->portmap, board);
	mount_model_attach(&m->mounts, board);
	visit_model_attach(&m->visits, board);
	overdue_model_attach(&m->overdue, board);
	counters_model_attach(&m->counters, board);
	filter_model_attach(&m->filters, board);
	wire_model_attach(&m->wire, board);
	host_model_attach(&m->hosts, board);
}

void models_deinit(struct models *m)
{
	wire_model_deinit(&m->wire);
	overdue_model_deinit(&m->overdue);
	mount_model_deinit(&m->mounts);
	host_model_deinit(&m->hosts);
	filter_model_deinit(&m->filters);
	counters_model_deinit(&m->counters);
	visit_model_deinit(&m->visits);
	portmap_model_deinit(&m->portmap);
	path_model_deinit(&m->path);
	dir_model_deinit(&m->dirs);
	nlm_model_deinit(&m->nlm);
	rpc_task_model_deinit(&m->rpc_tasks);
	served_model_deinit(&m->served);
	ladder_model_deinit(&m->ladders);
	clid_model_deinit(&m->clids);
	task_model_deinit(&m->tasks);
	logs_model_deinit(&m->logs);
	nfs4_state_deinit(&m->state);
	stale_model_deinit(&m->stale);
	nfs4_model_deinit(&m->nfs4);
	call_model_deinit(&m->calls);
	conn_model_deinit(&m->conns);
}

void models_finish(struct models *m)
{
	nfs4_model_finish(&m->nfs4);
	nfs4_state_finish(&m->state);
	nlm_model_finish(&m->nlm);
	task_model_finish(&m->tasks);
	rpc_task_model_finish(&m->rpc_tasks);
	dir_model_finish(&m->dirs);
	path_model_finish(&m->path);
	portmap_model_finish(&m->portmap);
	visit_model_finish(&m->visits);
	wire_model_finish(&m->wire);
	call_model_sort(&m->calls);
	mem_trim(); /* what was under way is gone, here and in ingest; findings are to come */
}

struct rule_input models_input(const struct models *m, const struct evidence_list *evidence)
{
	return (struct rule_input){
		.evidence = evidence,
		.conns = &m->conns,
		.calls = &m->calls,
		.nfs4 = &m->nfs4,
		.state = &m->state,
		.stale = &m->stale,
		.logs = &m->logs,
		.tasks = &m->tasks,
		.clids = &m->clids,
		.ladders = &m->ladders,
		.rpc_tasks = &m->rpc_tasks,
		.served = &m->served,
		.nlm = &m->nlm,
		.dirs = &m->dirs,
		.path = &m->path,
		.portmap = &m->portmap,
		.mounts = &m->mounts,
		.visits = &m->visits,
		.overdue = &m->overdue,
		.counters = &m->counters,
		.filters = &m->filters,
		.wire = &m->wire,
		.hosts = &m->hosts,
	};
}
