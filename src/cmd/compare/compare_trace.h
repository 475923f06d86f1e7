/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `compare` keeps of one strace: which names of a directory it got when, and what it called.
 */
#ifndef CMD_COMPARE_TRACE_H
#define CMD_COMPARE_TRACE_H

#include "base/vec.h"
#include "capfile/source.h"

enum {
	TRACE_NAMES_MAX = 4 << 20,
	TRACE_CHUNKS_MAX = 1 << 18,
	TRACE_CALLS_MAX = 512,
	TRACE_PIDS_MAX = 1024,
	TRACE_NAME_BYTES = 32,
};

/* One call of getdents that brought entries. */
struct trace_chunk {
	uint64_t pid, line;
	int64_t begin_ns, end_ns; /* of the call; end -1: not known */
	size_t first;             /* index of its first name */
	size_t count;
};

struct trace_name {
	uint64_t hash;
	uint32_t chunk;
};

/* All calls of one name. */
struct trace_call {
	char name[TRACE_NAME_BYTES];
	uint64_t count, errors, timed;
	int64_t sum_ns, max_ns;
	uint64_t max_line;
};

/* A process, with the call that it is in, or was in last. */
struct trace_pid {
	uint64_t pid, line;
	uint64_t names; /* that it got */
	int64_t begin_ns;
	bool waits;   /* the call's time is not known yet: strace without -T */
	bool split;   /* unfinished */
	size_t call;  /* index in calls */
	size_t chunk; /* index in chunks + 1 of what it brought; 0: nothing */
};

struct trace {
	struct vec chunks; /* struct trace_chunk */
	struct vec names;  /* struct trace_name */
	struct vec calls;  /* struct trace_call, in order of the first */
	struct vec pids;   /* struct trace_pid */
	uint64_t lines, understood;
	uint64_t dropped;   /* names, chunks or calls beyond a cap */
	bool has_time;      /* its lines have a time */
	bool has_durations; /* strace -T */
	int64_t first_ns, last_ns;

	/* Of the reading. */
	int64_t now_ns, day_ns;
};

void trace_init(struct trace *t);
void trace_deinit(struct trace *t);

/* Reads all of it; false: it is no strace (fewer than half of its lines are understood). */
bool trace_read(struct trace *t, struct source *source);

#endif
