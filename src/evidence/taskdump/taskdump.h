/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The evidence reader for texts about tasks: listings of sysrq and khungtaskd (in a kernel log or
 * without its times), copies of /proc/PID/{stack,status,wchan} and loops over them, tables of ps,
 * sessions of crash (bt, foreach bt, bt -FF, ps, struct), stacks as drgn prints them.
 *
 * It is given line by line whatever there is, with prose of any language around it, and finds the
 * parts by their form. It knows functions by their place and not by their name: what a stack means
 * is nothing to it. Memory is bounded: one task at a time is put together.
 */
#ifndef EVIDENCE_TASKDUMP_H
#define EVIDENCE_TASKDUMP_H

#include "event/task.h"

/* Which kind of text a task was found in. */
enum taskdump_form {
	TASKDUMP_LOG,   /* a listing of the kernel itself */
	TASKDUMP_PROC,  /* files under /proc, stacks of other tools */
	TASKDUMP_CRASH, /* a dump of memory */
	TASKDUMP_PS,    /* a table of processes */
	TASKDUMP_FORM_COUNT,
};

struct taskdump_ops {
	/* The line at hand begins a task, which will be handed out later. */
	void (*begun)(void *context);
	/* A task; fact.snapshot, fact.host and fact.scope are not set. Borrowed for the call. */
	void (*task)(void *context, enum taskdump_form form, uint64_t line,
		     const struct task_fact *fact);
	/* Something about an object of a memory dump; fact.snapshot is not set. */
	void (*object)(void *context, const struct object_fact *fact);
	/* What follows was looked at anew; `at` may be stamp_none. */
	void (*sample)(void *context, enum taskdump_form form, enum task_scope scope,
		       struct stamp at);
	/* The name of the machine that was dumped. */
	void (*host)(void *context, struct slice name);
};

struct taskdump;

/* `ops` outlives the reader. Never NULL. */
struct taskdump *taskdump_create(const struct taskdump_ops *ops, void *context);

/* taskdump_destroy(NULL) is fine. Ends nothing: call taskdump_end before. */
void taskdump_destroy(struct taskdump *t);

/*
 * The next line of the text. `log`: it stood in a kernel log, and its head is taken off. Lines that
 * tell nothing of tasks are left alone.
 */
void taskdump_line(struct taskdump *t, uint64_t line, struct slice text, bool log);

/* The text is over: hands out what was under way. The reader can be used for another one. */
void taskdump_end(struct taskdump *t);

/* True when the line may go on with the kernel's report of one task: its state, registers, stack.
 */
bool taskdump_is_of_report(struct slice text);

/* True when such a report begins with this line, or goes on about another task. */
bool taskdump_begins_report(struct slice text);

/* Lines that were part of something that was understood. */
uint64_t taskdump_lines(const struct taskdump *t);

#endif
