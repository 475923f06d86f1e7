/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls as a client's own kernel tells them, by its lists of RPC tasks and by its traces: which are
 * under way at the end, since when, and on what they wait; how long the others waited, and on what.
 * Not what the wire shows: that is model/call.h.
 *
 * TCP keeps the order: where a call was answered that was sent after another one, on the same
 * client, the other one has reached the server.
 */
#ifndef MODEL_RPC_TASK_H
#define MODEL_RPC_TASK_H

#include "base/map.h"
#include "base/texts.h"
#include "base/vec.h"
#include "event/event.h"

enum {
	RPC_TASK_OPEN_MAX = 8192,
	RPC_TASK_HOSTS_MAX = 256,
	RPC_TASK_CLIENTS_MAX = 256, /* of a host */
	RPC_TASK_QUEUES_MAX = 16,   /* of a client */
	RPC_TASK_PEERS_MAX = 32,    /* of a host */
	RPC_TASK_NAMES_MAX = 1024,
	RPC_TASK_ALARMS_MAX = 64,     /* series, of a host: the last ones */
	RPC_TASK_ALARM_STEPS_MAX = 8, /* of a series: the first ones */
	RPC_TASK_LATE_MAX = 8,        /* of a client: the calls that were answered latest */
};

/* A call that was answered, or is under way. */
struct rpc_task_seen {
	struct rpc_task_client *of;
	uint64_t task;
	const char *program, *procedure, *queue; /* "": not told, or none */
	bool has_xid;
	uint32_t xid;
	bool sent;                                   /* at all */
	struct provenance begun;                     /* or first seen */
	struct provenance sent_first;                /* FRAME_NONE: not told when */
	struct provenance sent_last, slept;          /* likewise */
	struct provenance replied;                   /* FRAME_NONE: not answered */
	struct provenance listed_first, listed_last; /* likewise: not listed */
	uint64_t lists;                              /* in which it stands */
	uint64_t transmissions;
	bool doubtful;  /* the trace lost something while it was under way */
	bool overtaken; /* one that was sent later was answered before */
	struct provenance overtaken_sent, overtaken_replied;
	struct rpc_task_seen *free_next;
};

/* How calls waited on a queue of the kernel. */
struct rpc_task_queue {
	const char *name;
	uint64_t waits; /* that are over */
	int64_t total_ns, longest_ns;
	struct provenance first, last, longest; /* their beginnings, and where the longest ended */
	uint64_t in_flight_max; /* calls that were sent and not answered when one began to wait */
	uint64_t idle;          /* waits that began while there were none */
	uint64_t waiting;       /* at the end */
};

/* One RPC client of a host: a program at a server. */
struct rpc_task_client {
	struct rpc_task_host *host;
	uint64_t id;
	const char *program; /* "": not told */
	uint64_t replies;
	int64_t reply_total_ns, reply_longest_ns;
	uint64_t in_flight;
	struct provenance answered_sent, answered; /* of the answered call that was sent last */
	struct rpc_task_queue queues[RPC_TASK_QUEUES_MAX];
	size_t queues_len;
	struct rpc_task_seen late[RPC_TASK_LATE_MAX]; /* answered and overtaken, the latest first */
	size_t late_len;
};

/* Whom a host connected to, or could not reach. */
struct rpc_task_peer {
	struct endpoint at;
	struct provenance tried; /* the first attempt since it last succeeded; FRAME_NONE: none */
	int64_t status;          /* of the last failure */
	uint64_t failures;
	struct provenance first, last;
	/* A call that lasted long was under way when it failed; FRAME_NONE: there was none. */
	struct provenance hurt;
	struct provenance joined; /* behind the last failure; FRAME_NONE: never */
};

/*
 * The times for which a call waited for its answer, one set when the one before had run out, as
 * `rpcdebug -m rpc -s sched` makes the kernel say.
 */
struct rpc_task_alarms {
	uint64_t task;
	uint32_t len;
	struct provenance set[RPC_TASK_ALARM_STEPS_MAX];
	int64_t alarm_ns[RPC_TASK_ALARM_STEPS_MAX];
};

struct rpc_task_host {
	const char *name; /* "": not told */
	bool told;
	struct vec clients;        /* struct rpc_task_client * */
	struct vec peers;          /* struct rpc_task_peer * */
	struct vec alarms;         /* struct rpc_task_alarms: a ring */
	uint64_t alarms_told;      /* series, those that are forgotten too */
	struct provenance last[2]; /* told of it: by its own clock, and in UTC; or FRAME_NONE */
};

struct rpc_task_model {
	struct arena arena;
	struct texts names;
	struct vec hosts;     /* struct rpc_task_host *, in order of first sight */
	struct map open;      /* struct rpc_task_seen, by host, client and task */
	struct map xids;      /* the same ones, by host and XID */
	struct vec under_way; /* struct rpc_task_seen *: after finish, what is open, in order */
	struct rpc_task_seen *free;
	bool may_sweep; /* some may be answered since the last look at all that are open */
	uint64_t dropped;
};

void rpc_task_model_init(struct rpc_task_model *m);
void rpc_task_model_deinit(struct rpc_task_model *m);

/* Registers the model's sink. */
void rpc_task_model_attach(struct rpc_task_model *m, struct event_board *board);

/* Nanoseconds from the place to the last thing that its host tells by that clock; false: unknown.
 */
bool rpc_task_lasts(const struct rpc_task_host *h, const struct provenance *from, int64_t *ns);

/* After the last event: what is under way. */
void rpc_task_model_finish(struct rpc_task_model *m);

#endif
