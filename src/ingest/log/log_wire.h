/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the wire shows of the waits that kernels complain about: from the first sign that a client
 * wants something of a program to the reply that ends it. A log that counts from boot, or that does
 * not tell its zone, is joined with the captures by these (log_align.c).
 *
 * A sink like a model, but for ingest's own use: it judges nothing. Memory is bounded: of more than
 * LOG_WIRE_WAITS_MAX waits the shorter ones are left out, and which length is complete is known.
 */
#ifndef INGEST_LOG_WIRE_H
#define INGEST_LOG_WIRE_H

#include "base/map.h"
#include "base/vec.h"
#include "event/event.h"

enum { LOG_WIRE_WAITS_MAX = 4096, LOG_WIRE_PAIRS_MAX = 8192 };

/* Shorter waits end no complaint: the shortest major timeout in use is 0.6 s (timeo=2,retrans=2).
 */
#define LOG_WIRE_WAIT_MIN_NS (STAMP_NS_PER_S / 2)

/* Programs whose complaints have an "OK". */
enum log_wire_program { LOG_WIRE_NFS, LOG_WIRE_NLM, LOG_WIRE_PROGRAM_COUNT };

/* A client got nothing of a program at a server although it wanted something. */
struct log_wire_wait {
	struct endpoint client, server; /* hosts: port 0 */
	enum log_wire_program program;
	struct provenance start;     /* the first call, question for the port, or SYN for it */
	struct provenance reply;     /* the first reply; FRAME_NONE: none in the evidence */
	struct stamp reply_last;     /* of the replies to long waits within a second of it */
	struct provenance old_reply; /* the first to a call that itself was sent long before */
	int64_t old_ns;              /* how long before */
};

struct log_wire {
	struct map pairs;         /* struct log_wire_pair, private */
	struct vec pair_list;     /* struct log_wire_pair * */
	struct vec waits;         /* struct log_wire_wait, in order of their ends */
	int64_t complete_ns;      /* waits of this length and more are all there */
	bool full;                /* pairs were left out: nothing is known to be the only one */
	struct stamp first, last; /* of what was seen */
};

void log_wire_init(struct log_wire *w);
void log_wire_deinit(struct log_wire *w);
void log_wire_attach(struct log_wire *w, struct event_board *board);

/* After the last event: waits that nothing ended. */
void log_wire_finish(struct log_wire *w);

/* From start to reply; INT64_MAX when nothing ended it. */
int64_t log_wire_wait_ns(const struct log_wire_wait *wait);

#endif
