/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One line of a kernel's trace, as ftrace (trace, trace_pipe), trace-cmd report and perf script
 * print it:
 *
 *	 nfsd-172     [000] ...1.    15.558473: nfsd_clid_fresh: addr=192.0.2.21:751 name=...
 *	 nfsd-172   [000]    15.558473: nfsd_clid_fresh:      addr=192.0.2.21:751 name=...
 *	 nfsd   172 [000]    15.558473: nfsd:nfsd_clid_fresh: addr=192.0.2.21:751 name=...
 */
#ifndef EVIDENCE_TRACE_LINE_H
#define EVIDENCE_TRACE_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

/* The name given to the line "<stack trace>", behind which a stack follows. */
#define TRACE_EVENT_STACK "kernel_stack"

struct trace_line {
	struct slice task; /* name of the task */
	int64_t pid;
	int64_t boot_ns;    /* by the trace's clock, since boot */
	struct slice event; /* without its system ("nfsd:") */
	struct slice rest;  /* what the event prints */
};

/* False: it is no such line. Texts are borrowed from it. */
bool trace_line_parse(struct slice text, struct trace_line *out);

/* The value behind "key=", up to a blank or within quotes; empty: there is none. */
struct slice trace_value(struct slice rest, const char *key);

#endif
