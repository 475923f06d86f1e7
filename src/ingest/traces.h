/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From lines of a kernel's trace to events: what nfsd's tracepoints tell of its table of clients
 * (EVENT_CLID, fs/nfsd/trace.h). Part of the reading of logs, as the same text goes to both.
 */
#ifndef INGEST_TRACES_H
#define INGEST_TRACES_H

#include "event/event.h"

struct logs;
struct traces;

enum { TRACES_RECORDS_MAX = 32768 };

/* Never NULL; the logs outlive it. */
struct traces *traces_create(struct logs *l);

/* traces_destroy(NULL) is fine. */
void traces_destroy(struct traces *t);

/* A line without a head of the file at hand. */
void traces_line(struct traces *t, uint64_t line, struct slice text);

/* The file at hand is over. Returns how many lines of it are of a trace. */
uint64_t traces_end_file(struct traces *t);

/* Hands everything to the board; after hosts are settled. */
void traces_emit(const struct traces *t, const struct event_board *board);

#endif
