/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From lines of a kernel's trace to events: what nfsd's tracepoints tell of its table of clients
 * and sessions, or probes of its functions (EVENT_CLID), and what a client's tell of its recovery
 * (EVENT_LADDER) and its calls (EVENT_RPC_TASK). Part of the reading of logs, as the same text goes
 * to both.
 */
#ifndef INGEST_TRACES_H
#define INGEST_TRACES_H

#include "event/event.h"
#include "evidence/klog/klog_head.h"

struct logs;
struct traces;

enum { TRACES_RECORDS_MAX = 65536, TRACES_CALLS_MAX = 1 << 17 };

/* Never NULL; the logs outlive it. */
struct traces *traces_create(struct logs *l);

/* traces_destroy(NULL) is fine. */
void traces_destroy(struct traces *t);

/* A line without a head of the file at hand. False: it is no part of a trace. */
bool traces_line(struct traces *t, uint64_t line, struct slice text);

/*
 * A line that may be of a list of RPC tasks; `head` is NULL where it has none, else borrowed for
 * the call. False: it is of none.
 */
bool traces_list_line(struct traces *t, uint64_t line, const struct klog_head *head,
		      struct slice text);

/* The same for what the kernel says of its transports while it is debugged (rpcdebug). */
bool traces_debug_line(struct traces *t, uint64_t line, const struct klog_head *head,
		       struct slice text);

/* Its first and last time since boot, where it has lines of a trace. */
void traces_span(const struct traces *t, int64_t *first_ns, int64_t *last_ns);

/* How often the tracer of the file at hand had no room, and lost what happened. */
uint64_t traces_lost(const struct traces *t);

/* Lines of the file at hand that are of a trace, and of no event that is known. */
uint64_t traces_unknown(const struct traces *t);

/* Facts of all files for which there was no room. */
uint64_t traces_dropped(const struct traces *t);

/* The file at hand is over. Returns how many lines of it are of a trace. */
uint64_t traces_end_file(struct traces *t);

/*
 * Marks what another file of the same host has already, so that it is handed out once: a recording
 * that is given twice would make a reboot a return. After the files' hosts are settled.
 */
void traces_copies_settle(struct traces *t);

/* Hands everything to the board; after hosts are settled. */
void traces_emit(const struct traces *t, const struct event_board *board);

#endif
