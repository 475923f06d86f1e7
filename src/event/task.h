/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Facts about tasks: what somebody saw of a task and its kernel stack at one moment, and what is
 * known of the objects whose addresses lie on such stacks.
 *
 * What was looked at together has one snapshot number: a dump of memory, one listing by sysrq, one
 * round of a loop over /proc. Texts and arrays are borrowed: a sink copies what it keeps.
 */
#ifndef EVENT_TASK_H
#define EVENT_TASK_H

#include "base/slice.h"
#include "base/stamp.h"

enum { TASK_FRAMES_MAX = 64, TASK_OBJECTS_MAX = 48, TASK_LOCKS_MAX = 16 };

/* How the tasks of a snapshot were chosen: what is absent from it proves more or less. */
enum task_scope {
	TASK_SCOPE_SOME,    /* those that somebody asked for */
	TASK_SCOPE_BLOCKED, /* all that wait uninterruptibly (sysrq-w) */
	TASK_SCOPE_ALL,     /* all (sysrq-t, a table of ps) */
	TASK_SCOPE_HUNG,    /* those that the kernel itself reported as hung */
};

/* State letters as in proc(5); TASK_STATE_NONE: not told. */
enum { TASK_STATE_NONE = 0 };

#define TASK_PID_NONE   INT64_C(-1)
#define TASK_COUNT_NONE INT64_C(-1)

struct task_frame {
	struct slice function; /* without offset */
	struct slice module;   /* empty: the kernel itself, or not told */
};

/* What an address on a stack is, as the dump's allocator tells. */
enum task_object_kind {
	TASK_OBJECT_FILE,      /* struct file */
	TASK_OBJECT_DENTRY,    /* struct dentry */
	TASK_OBJECT_NFS_INODE, /* somewhere in an inode of NFS: itself, its lock, its mapping */
	TASK_OBJECT_TASK,      /* a task, or somewhere in it */
};

struct task_object {
	enum task_object_kind kind;
	uint64_t address;
	int32_t frame; /* number of the frame in which it lies; -1: not told */
};

/*
 * A lock in lockdep's list of a task (kernel/locking/lockdep.c, print_lock): one that it holds, or,
 * if it is the last of the list, waits for. A lock enters the list before it is waited for.
 */
struct task_lock_listed {
	/* Of the lock; the same number for the same lock, also when it is hashed; 0: not told */
	uint64_t address;
	struct slice class_name; /* "&type->i_mutex_dir_key#5" */
	struct slice function;   /* that took it, or wants to */
};

/* One task as it was seen. */
struct task_fact {
	uint32_t snapshot;
	enum task_scope scope;
	struct slice host; /* on which machine; as in struct log_fact */
	bool host_told;
	int64_t pid;        /* TASK_PID_NONE: not told */
	struct slice name;  /* empty: not told */
	char state;         /* 'D', 'S', 'R' ...; TASK_STATE_NONE */
	uint64_t address;   /* of its task_struct; 0: not told */
	int64_t hung_s;     /* reported as blocked for more than this; 0: not reported */
	int64_t switches;   /* voluntary context switches so far; TASK_COUNT_NONE */
	struct slice waits; /* /proc/PID/wchan or ps: the function it waits in; empty: not told */
	/* Who owns the lock that it waits for, by the kernel's own word; TASK_PID_NONE: not told */
	int64_t owner_pid;
	struct slice owner_name;
	bool owner_reads;    /* and owns it with others, to read */
	bool shown_as_owner; /* its stack was printed because it owns what a hung task waits for */
	/* The innermost first, without guesses of the unwinder. */
	const struct task_frame *frames;
	size_t frames_len;
	uint64_t stack_low, stack_high; /* addresses of the frames in memory; 0: not told */
	int32_t first_frame; /* number of frames[0]: above 0 where inner ones were left out */
	const struct task_object *objects;
	size_t objects_len;
	/* In the order in which it took them, with addresses; of more than fit the last one is kept
	 */
	bool lists_locks; /* lockdep was asked for its locks, and may have named none */
	const struct task_lock_listed *locks;
	size_t locks_len;
};

/* What is known of an object of the kernel. */
enum object_relation {
	OBJECT_INODE_OF,   /* `value` is the inode of the file or dentry at `address` */
	OBJECT_MODE,       /* `value` is i_mode of the inode at `address` */
	OBJECT_LOCK_OWNER, /* `value` is owner of the rw_semaphore of the inode at `address` */
	OBJECT_LOCK_COUNT, /* and its count */
	/* `value` lies in what a waiter for the lock at `address` put on its stack (wait_list) */
	OBJECT_LOCK_WAITER,
};

struct object_fact {
	uint32_t snapshot;
	enum object_relation relation;
	uint64_t address;
	uint64_t value;
};

#endif
