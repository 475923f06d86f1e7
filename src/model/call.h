/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RPC transactions in numbers: per program, version and procedure, and per NFSv4 operation; how
 * many calls, replies, retransmissions, unanswered, which errors, how long they took.
 *
 * Every call passes here, so nothing is allocated for one that is like another before it, and at
 * most one table is looked up.
 */
#ifndef MODEL_CALL_H
#define MODEL_CALL_H

#include "base/hist.h"
#include "base/map.h"
#include "base/vec.h"
#include "event/event.h"

enum {
	CALL_STATS_MAX = 4096, /* procedures, and operations, kept apart */
	CALL_RECENT = 64,      /* procedures that are found without a look-up */
	CALL_ERRORS_MAX = 64,  /* statuses kept apart for each of them */
	CALL_KNOWN_MINORS = 3, /* NFSv4.0 to 4.2 */
	CALL_KNOWN_OPS = 128,  /* operations below it are found without a look-up */
};

/* How often a status other than success was answered. */
struct call_error {
	uint32_t status;
	enum rpc_outcome outcome; /* RPC_SUCCESS: `status` is the program's */
	uint64_t count;
};

struct call_stats {
	uint32_t program;
	uint32_t version;
	uint32_t procedure;
	uint64_t calls;   /* first transmissions */
	uint64_t replies; /* first replies, also those whose call was not seen */
	uint64_t replies_without_call;
	uint64_t retransmissions; /* calls sent again */
	uint64_t reply_repeats;   /* replies sent again: EVENT_RPC_REPLY with reply_repeats > 0 */
	uint64_t unanswered;      /* given up without a reply */
	uint64_t errors_other;    /* of statuses beyond CALL_ERRORS_MAX */
	struct hist latency;      /* call to reply, of those with both */
	struct vec errors;        /* struct call_error; by outcome and status once sorted */
};

struct call_op_stats {
	uint32_t minor_version; /* UINT32_MAX: not known (reply without its call) */
	bool callback;
	uint32_t op;
	uint64_t calls;
	uint64_t replies;
	uint64_t unanswered;   /* in calls without a reply */
	uint64_t not_executed; /* in answered calls, behind an operation that failed */
	uint64_t errors_other;
	struct vec errors;   /* struct call_error with outcome RPC_SUCCESS */
	struct hist latency; /* of the COMPOUNDs it was in */
};

struct call_model {
	struct map map;   /* struct call_stats */
	struct vec stats; /* struct call_stats *; sort before printing */
	struct map op_map;
	struct vec ops; /* struct call_op_stats * */
	struct call_op_stats *known_ops[2][CALL_KNOWN_MINORS][CALL_KNOWN_OPS]; /* by callback */
	struct call_stats *recent[CALL_RECENT]; /* found last, by procedure; NULL: none */
	uint64_t calls_damaged;                 /* calls that could not be decoded to their end */
	uint64_t replies_damaged;
	uint64_t dropped; /* calls, replies and operations beyond CALL_STATS_MAX */
};

void call_model_init(struct call_model *m);
void call_model_deinit(struct call_model *m);
void call_model_attach(struct call_model *m, struct event_board *board);

/* Sorts stats by program, version, procedure; ops by callback, minor version, op; and errors. */
void call_model_sort(struct call_model *m);

#endif
