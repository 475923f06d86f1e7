/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The evidence reader for what strace(1) writes, line by line: -t, -tt, -ttt or -r, with or without
 * -T, of one process or of many (-f), and calls that are cut into "unfinished" and "resumed". What
 * a call means is nothing to it.
 */
#ifndef EVIDENCE_STRACE_H
#define EVIDENCE_STRACE_H

#include "base/slice.h"

enum strace_kind {
	STRACE_OTHER,      /* a signal, an exit, or no line of strace */
	STRACE_CALL,       /* a whole call */
	STRACE_UNFINISHED, /* its first part */
	STRACE_RESUMED,    /* its last part */
};

enum strace_clock {
	STRACE_NO_TIME,
	STRACE_EPOCH,    /* -ttt: since 1970 */
	STRACE_DAY,      /* -t, -tt: since midnight */
	STRACE_RELATIVE, /* -r: since the line before */
};

struct strace_line {
	enum strace_kind kind;
	uint64_t pid; /* 0: not told */
	enum strace_clock clock;
	int64_t ns;        /* by `clock` */
	struct slice name; /* of the call */
	struct slice args; /* what stands between the parentheses, as far as the line has it */
	bool has_result;
	int64_t result;
	struct slice error;  /* "ENOENT"; empty: none */
	int64_t duration_ns; /* -T; -1: not told */
};

/* Reads one line; texts are borrowed from it. */
void strace_parse(struct slice line, struct strace_line *out);

/*
 * The next name of an entry (d_name="...") in the arguments of getdents, which is taken from *args;
 * false: none is left. With -v only, which strace needs to write them.
 */
bool strace_next_entry(struct slice *args, struct slice *name);

#endif
