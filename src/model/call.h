/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RPC transactions in numbers: per program, version and procedure, and per NFSv4 operation; how
 * many calls, replies, retransmissions, unanswered, which errors, how long they took.
 */
#ifndef MODEL_CALL_H
#define MODEL_CALL_H

#include "base/hist.h"
#include "base/map.h"
#include "base/vec.h"
#include "event/event.h"

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
	uint64_t calls;		  /* first transmissions */
	uint64_t replies;	  /* first replies, also those whose call was not seen */
	uint64_t replies_without_call;
	uint64_t retransmissions; /* calls sent again */
	uint64_t reply_repeats;	  /* replies sent again */
	uint64_t unanswered;	  /* given up without a reply */
	struct hist latency;	  /* call to reply, of those with both */
	struct vec errors;	  /* struct call_error, in order of first sight */
};

struct call_op_stats {
	uint32_t minor_version; /* UINT32_MAX: not known (reply without its call) */
	bool callback;
	uint32_t op;
	uint64_t calls;
	uint64_t replies;
	uint64_t unanswered; /* in calls without a reply, or not reached because an earlier one failed */
	struct vec errors;   /* struct call_error with outcome RPC_SUCCESS */
	struct hist latency; /* of the COMPOUNDs it was in */
};

struct call_model {
	struct map map;	  /* struct call_stats */
	struct vec stats; /* struct call_stats *; sort before printing */
	struct map op_map;
	struct vec ops; /* struct call_op_stats * */
	uint64_t calls_damaged;	  /* calls that could not be decoded to their end */
	uint64_t replies_damaged;
};

void call_model_init(struct call_model *m);
void call_model_deinit(struct call_model *m);
void call_model_attach(struct call_model *m, struct event_board *board);

/* Sorts stats by program, version, procedure and ops by callback, minor version, op. */
void call_model_sort(struct call_model *m);

#endif
