/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the reader of tasks share; nobody else includes this. */
#ifndef EVIDENCE_TASKDUMP_PRIVATE_H
#define EVIDENCE_TASKDUMP_PRIVATE_H

#include "evidence/line/stack_line.h"
#include "evidence/taskdump/taskdump.h"
#include "evidence/text_scan.h"

enum {
	TASKDUMP_NAME_BYTES_MAX = 64,
	TASKDUMP_TEXT_BYTES = 8 << 10, /* names of the functions of one stack */
	TASKDUMP_PIDS_MAX = 4096,      /* that a text has named so far */
	TASKDUMP_PIDS_PLACES = 2 * TASKDUMP_PIDS_MAX,
	TASKDUMP_COLUMNS_MAX = 24,
	TASKDUMP_PID_MAX = 4194304, /* the kernel's PID_MAX_LIMIT */
};

/* The task that is being put together. */
struct taskdump_open {
	bool open;
	enum taskdump_form form;
	uint64_t line;
	struct task_fact fact; /* texts lie in `text` */
	struct task_frame frames[TASK_FRAMES_MAX];
	struct task_object objects[TASK_OBJECTS_MAX];
	struct task_lock_listed locks[TASK_LOCKS_MAX];
	uint8_t text[TASKDUMP_TEXT_BYTES];
	size_t text_len;
	unsigned strange; /* lines since the last one that was understood */
};

/* A line that may name the task whose stack follows. */
struct taskdump_header {
	bool set;
	uint64_t line;
	int64_t pid;
	char name[TASKDUMP_NAME_BYTES_MAX];
	size_t name_len;
};

/* Where the columns of a table of ps are; -1: it has none. */
struct taskdump_table {
	bool open;
	int pid, state, name, waits, address;
};

enum taskdump_struct {
	TASKDUMP_STRUCT_OTHER,
	TASKDUMP_STRUCT_FILE,
	TASKDUMP_STRUCT_DENTRY,
	TASKDUMP_STRUCT_NFS_INODE,
	TASKDUMP_STRUCT_INODE,
	TASKDUMP_STRUCT_RWSEM,
};

struct taskdump {
	const struct taskdump_ops *ops;
	void *context;
	uint64_t line, lines;
	struct taskdump_open now;
	struct taskdump_header header;
	struct taskdump_table table;
	int64_t hung_pid, hung_s; /* reported last; 0: none */
	int64_t owner_pid;        /* named as owner, and its stack may follow; 0: none */
	/* crash: the structure that is printed, and the field whose value comes next */
	enum taskdump_struct type;
	uint64_t of;
	enum {
		TASKDUMP_FIELD_NONE,
		TASKDUMP_FIELD_COUNT,
		TASKDUMP_FIELD_OWNER,
		TASKDUMP_FIELD_WAITERS,
	} field;
	bool in_lock; /* an inode is printed: what comes is of its i_rwsem, and of no other lock */
	uint64_t last_file;                 /* the last struct file of the task at hand; 0: none */
	int64_t pids[TASKDUMP_PIDS_PLACES]; /* by their hash, or in the next free place; 0: free */
	size_t pids_len;
};

/* --- taskdump.c --- */

/* Begins a task; what was under way is handed out. */
void taskdump_begin(struct taskdump *t, enum taskdump_form form, int64_t pid, struct slice name,
		    char state);
void taskdump_finish(struct taskdump *t);
void taskdump_add_frame(struct taskdump *t, const struct stack_line *line);
/* A copy in the open task's memory; empty when there is no room. */
struct slice taskdump_keep(struct taskdump *t, struct slice text);
/* True when the text has named this task before. */
bool taskdump_knows(const struct taskdump *t, int64_t pid);

/* Each takes a line that is one of its own, and says whether it was. */

/* --- taskdump_locks.c --- */
/* What lockdep lists of the locks of tasks. */
bool taskdump_take_locks(struct taskdump *t, struct slice text);

/* --- taskdump_log.c --- */
bool taskdump_take_log(struct taskdump *t, struct slice text);
/* True for lines inside of the kernel's own report that are no part of the stack. */
bool taskdump_is_log_trimming(struct slice text);

/* --- taskdump_proc.c --- */
bool taskdump_take_proc(struct taskdump *t, struct slice text);
bool taskdump_take_table(struct taskdump *t, struct slice text);
/* A line that nobody else knows: perhaps it names the task that follows, or when it was seen. */
bool taskdump_take_header(struct taskdump *t, struct slice text);

/* --- taskdump_crash.c --- */
bool taskdump_take_crash(struct taskdump *t, struct slice text);

#endif
