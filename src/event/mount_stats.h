/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a client counts for one mount of NFS, as /proc/self/mountstats tells it: sums since it was
 * mounted. Linux net/sunrpc/stats.c (rpc_clnt_show_stats), fs/nfs/super.c (nfs_show_stats). Texts
 * and tables are borrowed: a sink copies what it keeps.
 */
#ifndef EVENT_MOUNT_STATS_H
#define EVENT_MOUNT_STATS_H

#include "event/mount.h"

enum { MOUNT_OP_NAME_BYTES = 24, MOUNT_OPS_MAX = 128, MOUNT_EVENTS_MAX = 32 };

/* Of one operation. Times are sums over its calls. */
struct mount_op_stats {
	char name[MOUNT_OP_NAME_BYTES]; /* "GETATTR"; letters, digits and '_' only */
	uint64_t line;
	uint64_t calls;
	uint64_t transmissions; /* more than calls: some were sent again */
	uint64_t timeouts;      /* major ones */
	uint64_t sent_bytes, received_bytes;
	uint64_t queue_ms;   /* from the task's begin until it is sent */
	uint64_t rtt_ms;     /* from there to the reply */
	uint64_t execute_ms; /* from begin to end */
	uint64_t errors;     /* 0 where the kernel does not tell (before 5.2) */
};

/* Of the mount's connections together. */
struct mount_xprt_stats {
	uint64_t count;    /* connections; 0: the statistics tell none */
	uint64_t port;     /* the client's, of the first */
	uint64_t connects; /* how often connected */
	uint64_t sends, receives;
	uint64_t bad_xids;      /* replies to no call */
	uint64_t backlog;       /* at each call: how many waited for a slot; summed */
	uint64_t max_slots;     /* the most slots in use; 0: not told */
	uint64_t sending_queue; /* at each call: how many waited to send; summed */
};

struct mount_stats {
	struct mount_fact mount;
	uint64_t age_s;
	bool has_age;
	uint64_t events[MOUNT_EVENTS_MAX]; /* as enum nfs_stat_eventcounters */
	uint32_t events_len;
	struct mount_xprt_stats xprt;
	const struct mount_op_stats *ops; /* those with calls, in the order of the text */
	uint32_t ops_len;
};

#endif
