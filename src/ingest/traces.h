/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From lines of a kernel's trace to events: what nfsd's tracepoints tell of its table of clients
 * and sessions, or probes of its functions (EVENT_CLID), and what a client's tell of its recovery
 * (EVENT_LADDER). Part of the reading of logs, as the same text goes to both.
 */
#ifndef INGEST_TRACES_H
#define INGEST_TRACES_H

#include "event/event.h"

struct logs;
struct traces;

enum { TRACES_RECORDS_MAX = 65536 };

/* Never NULL; the logs outlive it. */
struct traces *traces_create(struct logs *l);

/* traces_destroy(NULL) is fine. */
void traces_destroy(struct traces *t);

/* A line without a head of the file at hand. */
void traces_line(struct traces *t, uint64_t line, struct slice text);

/* Lines of the file at hand that are of a trace, and of no event that is known. */
uint64_t traces_unknown(const struct traces *t);

/* Facts of all files for which there was no room. */
uint64_t traces_dropped(const struct traces *t);

/* The file at hand is over. Returns how many lines of it are of a trace. */
uint64_t traces_end_file(struct traces *t);

/* Hands everything to the board; after hosts are settled. */
void traces_emit(const struct traces *t, const struct event_board *board);

#endif
