/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All models that rules look at, together: diagnose wants them, and so does `show timeline`. */
#ifndef CMD_MODELS_H
#define CMD_MODELS_H

#include "diagnose/rule.h"
#include "model/call.h"
#include "model/conn.h"
#include "model/counters.h"
#include "model/dir.h"
#include "model/filter.h"
#include "model/host.h"
#include "model/ladder.h"
#include "model/logs.h"
#include "model/mount.h"
#include "model/nfs4/clid.h"
#include "model/nfs4/nfs4.h"
#include "model/nfs4/nfs4_state.h"
#include "model/nlm/nlm.h"
#include "model/overdue.h"
#include "model/path/path.h"
#include "model/portmap.h"
#include "model/rpc_task.h"
#include "model/served.h"
#include "model/stale.h"
#include "model/task/task.h"
#include "model/visit.h"
#include "model/wire/wire.h"

struct models {
	struct conn_model conns;
	struct call_model calls;
	struct nfs4_model nfs4;
	struct nfs4_state_model state;
	struct stale_model stale;
	struct logs_model logs;
	struct task_model tasks;
	struct clid_model clids;
	struct ladder_model ladders;
	struct rpc_task_model rpc_tasks;
	struct served_model served;
	struct nlm_model nlm;
	struct dir_model dirs;
	struct path_model path;
	struct portmap_model portmap;
	struct mount_model mounts;
	struct visit_model visits;
	struct overdue_model overdue;
	struct counters_model counters;
	struct filter_model filters;
	struct wire_model wire;
	struct host_model hosts;
};

/* Makes them and attaches them to the board. */
void models_init(struct models *m, struct event_board *board);
void models_deinit(struct models *m);

/* After the last event. */
void models_finish(struct models *m);

/* What rules may look at; valid as long as the models and the list. */
struct rule_input models_input(const struct models *m, const struct evidence_list *evidence);

#endif
