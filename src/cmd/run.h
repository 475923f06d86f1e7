/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What diagnose and show have in common: from the files on the command line to events.
 *
 * run_init, run_find, run_open, attach models and viewers to the board, run_go, then read the
 * results; run_deinit at the end.
 */
#ifndef CMD_RUN_H
#define CMD_RUN_H

#include "cmd/options.h"
#include "event/event.h"
#include "event/evidence.h"
#include "ingest/ingest.h"
#include "ingest/log/log.h"

struct ahead;
struct counters;
struct filters;
struct lists;
struct mounts;
struct survey;
struct syscalls;

/* A line of a log, of stacks or a trace that none of their readers understands, or uses. */
struct run_unknown {
	uint32_t evidence;
	uint64_t line;
	const char *text; /* its beginning, as it stands there */
};

enum { RUN_UNKNOWN_MAX = 65536, RUN_UNKNOWN_BYTES_MAX = 256 };

struct run {
	struct evidence_list evidence;
	struct event_board board;
	struct vec files;               /* struct walk_file, by run_find */
	struct vec inputs;              /* struct run_input, private */
	struct survey *survey;          /* NULL: one input, or none that can be read twice */
	struct ingest *ingest;          /* NULL before run_go */
	struct ahead *ahead;            /* while captures are read; else NULL */
	unsigned threads;               /* by run_take_options; 0: as it seems good */
	struct logs *logs;              /* NULL before run_open */
	struct mounts *mounts;          /* the same */
	struct counters *counters;      /* the same */
	struct lists *lists;            /* the same */
	struct filters *filters;        /* the same */
	struct syscalls *syscalls;      /* the same */
	struct packet_list *packets;    /* the same */
	struct vec packet_texts;        /* struct run_packets, private */
	bool undated;                   /* a list of packets without dates is read */
	struct log_options log_options; /* by run_take_options */
	const char *const *args;        /* of run_find */
	size_t arg_count;
	uint64_t passed_count; /* files in directories that are no evidence */
	bool keeps_unknown;    /* set before run_open: such lines are kept in `unknown` */
	struct vec unknown;    /* struct run_unknown, in order of the evidence */
	uint64_t unknown_dropped;
	bool piped;  /* the archive that is being read is a pipe */
	bool unread; /* some evidence could not be read at all: exit status 3 */
};

void run_init(struct run *r);
void run_deinit(struct run *r);

/*
 * What the command line tells of the times of logs, and of threads. Between run_init and run_open.
 * Fails when an option is none.
 */
struct err *run_take_options(struct run *r, const struct options *options);

/*
 * Finds the files of evidence, and reads none of them. The arguments are borrowed until run_open
 * has returned.
 */
void run_find(struct run *r, const char *const *args, size_t arg_count);

/*
 * Opens what run_find found. What cannot be read is told on standard error, one line each, and
 * entered into the list of evidence.
 */
void run_open(struct run *r);

/* How much of the calls is wanted: members of struct ingest_options. */
enum run_detail { RUN_FACTS, RUN_COUNTS_ONLY, RUN_KEEP_TEXT };

/* Reads it all. */
void run_go(struct run *r, enum run_detail detail);

#endif
