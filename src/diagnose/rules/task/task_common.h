/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the rules about tasks share: crowds that wait for one inode's lock, and wordings. */
#ifndef DIAGNOSE_RULES_TASK_COMMON_H
#define DIAGNOSE_RULES_TASK_COMMON_H

#include "diagnose/rule.h"
#include "model/task/task.h"

/* Who waits for the lock of one directory in one snapshot, and who holds it. */
struct task_crowd {
	const struct task_snapshot *snapshot;
	uint64_t inode;  /* 0: not told which */
	bool is_lock;    /* `inode` is the address of the lock itself */
	bool same_inode; /* every one of those that count is known to be about `inode` */
	size_t waiters;  /* for the lock, whatever for */
	size_t list_write, list_read, lookups, changers; /* of them */
	size_t by_object;    /* of them: known by what lies on their stacks alone */
	size_t by_part;      /* and by a part of the stack */
	size_t holders;      /* inside of an operation of NFS under a directory's lock */
	size_t list_holders; /* of them: in a listing */
	const struct task_seen
		*holder; /* the one that lists, or else the first; NULL: none shown */
	const struct task_seen *waiter;  /* the first with a whole stack that lists; else any */
	const struct task_seen *reader;  /* the first that waits to read-lock it; NULL: none */
	const struct task_seen *changer; /* the first that waits to change it; NULL: none */
	/* One that lists a directory of another file system, where no inode tells whose lock it is;
	 * holders are not counted then. NULL: none */
	const struct task_seen *other;
	bool beside_other; /* some would have been counted */
	bool nfs;          /* the inode is one of NFS by the dump's own word */
	bool rwsem;        /* they wait for an rw_semaphore and no mutex (4.7 on) */
};

/* The crowd at this inode (0: at all that tell none); waiters is 0 where there is none. */
void task_crowd_collect(const struct task_snapshot *s, uint64_t inode, struct task_crowd *out);

/* The largest crowd of the snapshot. */
void task_crowd_largest(const struct task_snapshot *s, struct task_crowd *out);

/* "rsync, PID 3748012", safe for a terminal. */
const char *task_text(struct diagnosis *d, const struct task_seen *t);

/* "20 tasks (rsync)" with the names of those that wait: one, or "ls and others". */
const char *task_crowd_names(struct diagnosis *d, const struct task_crowd *c);

/* What the task waits for, in words: "the reply to READDIR, in rpc_wait_bit_killable". */
const char *task_wait_words(struct diagnosis *d, const struct task_seen *t);

/* "host hpc-01", or "the host of client1 (a folder)". */
const char *task_host_text(struct diagnosis *d, const struct task_snapshot *s);

/*
 * The host's own log complains of a server that does not respond, and holds no "OK" after it: then
 * whoever waits for a reply waits for that.
 */
bool task_host_complains(const struct rule_input *in, const char *host);

void task_finding_about(struct diagnosis *d, struct finding *f, const struct task_snapshot *s);

#endif
