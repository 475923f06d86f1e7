/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tasks and what they wait for, by snapshot: who waits for which lock, who holds it, and what that
 * one waits for in turn. Also which kernel objects belong together, as far as a dump tells.
 *
 * What a task waits for is told by the functions on its stack, whatever the kernel's version is
 * (task_wait.c). Tasks that neither wait nor touch NFS are counted and not kept.
 */
#ifndef MODEL_TASK_H
#define MODEL_TASK_H

#include "base/map.h"
#include "base/texts.h"
#include "base/vec.h"
#include "event/event.h"

#include <string.h>

enum {
	TASK_SNAPSHOTS_MAX = 1024,
	TASK_SEEN_MAX = 8192, /* in all snapshots */
	TASK_OBJECTS_KNOWN_MAX = 8192,
	TASK_NAMES_MAX = 65536,
	/* A page lock or memory may wake a task once or twice without a reply. */
	TASK_PACE_ROUNDS_MIN = 3,
	TASK_PACE_STUCK_MIN_S = 10,
	TASK_CHAIN_MAX = 16, /* tasks from a waiter to the end: longer ones are told as cut */
};

enum task_wait {
	TASK_WAIT_NONE,     /* its stack shows no wait that we know, or there is no stack */
	TASK_WAIT_LOCK,     /* for an inode's lock (i_rwsem, i_mutex before 4.7) */
	TASK_WAIT_RPC,      /* for the reply to a call, or for anything on the call's way */
	TASK_WAIT_STATE,    /* for the state manager to finish recovery */
	TASK_WAIT_DRAIN,    /* the state manager: for calls that hold slots of the session */
	TASK_WAIT_CLIENT,   /* a mount: for another mount that sets up the same client */
	TASK_WAIT_TRUNKING, /* a mount: for the one mutex of trunking discovery */
	TASK_WAIT_GSS,      /* for rpc.gssd */
	TASK_WAIT_KEY,   /* for a key that a program of user space makes: identity mapping, DNS */
	TASK_WAIT_DIRTY, /* throttled, until dirty pages are written */
	TASK_WAIT_WRITEBACK, /* for pages of a file to be written, or committed */
	TASK_WAIT_PAGE,      /* for a page that somebody else reads or holds */
	TASK_WAIT_LEASE,     /* for a delegation or lease to be given back by its holder */
	TASK_WAIT_NLM,       /* for a lock that another owner holds, or lockd's answer */
	TASK_WAIT_COUNT,
};

enum task_mode { TASK_MODE_NONE, TASK_MODE_READ, TASK_MODE_WRITE };

/* What an inode's lock is taken for. */
enum task_purpose {
	TASK_PURPOSE_NONE,
	TASK_PURPOSE_LIST,   /* reading a directory */
	TASK_PURPOSE_LOOKUP, /* a name in a directory */
	TASK_PURPOSE_OPEN,   /* opening, perhaps making, a file in it */
	TASK_PURPOSE_CHANGE, /* making, removing or renaming a name in it */
	TASK_PURPOSE_IO,     /* reading or writing a file */
};

/* How a task is known to wait for what it waits for. */
enum task_proof {
	TASK_PROOF_NONE,   /* it is not: state and name only */
	TASK_PROOF_STACK,  /* its stack shows the wait from the inside */
	TASK_PROOF_PART,   /* a part of the stack shows the caller, inner frames were left out */
	TASK_PROOF_OBJECT, /* no stack; it sleeps, and the inode's file lies on its stack */
};

/* A lock that lockdep lists of a task, see struct task_lock_listed. */
struct task_listed {
	uint64_t address;
	const char *class_name, *function; /* "": not told */
};

struct task_seen {
	const char *name; /* "" : not told */
	int64_t pid;      /* TASK_PID_NONE */
	char state;
	uint64_t address;
	int64_t hung_s, switches;  /* as in struct task_fact */
	const char *const *frames; /* functions, the innermost first */
	size_t frames_len;
	int32_t first_frame;
	/* Who owns the lock that it waits for, by the kernel's own word; TASK_PID_NONE: not told */
	int64_t owner_pid;
	const char *owner_name;
	bool owner_reads; /* and owns it with others, to read */
	struct provenance owner_at;
	bool of_nfs; /* some function of its stack is NFS's or its transport's */
	enum task_wait wait;
	enum task_mode mode; /* of a lock that it waits for */
	bool mutex;          /* that lock is a mutex (i_mutex, before 4.7) and no rw_semaphore */
	enum task_purpose purpose;
	const char *sleeps_in;   /* the lock's or wait's own function; "" */
	const char *where;       /* who called that; "" */
	const char *procedure;   /* RPC: "READDIR" ...; "" when the stack does not tell */
	enum task_purpose holds; /* the lock of a directory that it holds for this; or NONE */
	const char *holds_in;    /* the file system's function under that lock; "" */
	const char
		*lists_other; /* the function of another file system that lists a directory; "" */
	enum task_proof proof;
	uint64_t inode;     /* whose lock it waits for or holds; 0: not told */
	bool inode_by_link; /* by a structure that was printed, and not by nearness */
	bool inode_is_lock; /* `inode` is the address of its lock: the inode was not told */
	uint64_t stack_low, stack_high; /* where its frames lie in memory; 0: not told */
	struct task_object objects[TASK_OBJECTS_MAX];
	size_t objects_len;
	const struct task_listed *locks; /* in the order in which it took them */
	size_t locks_len;
	struct provenance locks_at;
	struct provenance at;
};

struct task_snapshot {
	uint32_t id;
	enum task_scope scope;
	const char *host; /* "": not told */
	bool host_told;
	struct vec tasks; /* struct task_seen * */
	struct provenance first;
	uint64_t passed; /* tasks that are of no interest */
};

struct task_known {
	struct object_fact fact;
	struct provenance at;
};

struct task_model {
	struct arena arena;
	struct texts names;
	struct vec snapshots; /* struct task_snapshot *, in order of first sight */
	struct vec known;     /* struct task_known */
	struct map by_pid;    /* private to task.c */
	size_t seen;          /* tasks in all snapshots */
	uint64_t dropped;
};

void task_model_init(struct task_model *m);
void task_model_deinit(struct task_model *m);

/* Registers the model's sinks. */
void task_model_attach(struct task_model *m, struct event_board *board);

/* After the last event: which inode each task is about, and who waits without a stack. */
void task_model_finish(struct task_model *m);

/* "i_mode says directory"; false when no evidence tells. */
bool task_model_is_directory(const struct task_model *m, uint32_t snapshot, uint64_t inode);

/* What a dump has of the lock of an inode (struct rw_semaphore), as its kernel lays it out. */
struct task_lock {
	bool has_count, has_owner;
	uint64_t count;     /* as it stands there; valid with has_count */
	bool decoded;       /* the count leaves no doubt of these three: */
	bool writer;        /* somebody holds it for writing */
	bool waiters;       /* somebody waits for it */
	uint64_t readers;   /* so many hold it for reading */
	bool owned_to_read; /* the owner is one of those that read, or was; valid with has_owner */
	uint64_t owner;     /* address of a task; 0: none. Valid with has_owner */
	struct provenance at;
};

/* False where the dump does not print the lock of this inode. */
bool task_model_lock(const struct task_model *m, uint32_t snapshot, uint64_t inode,
		     struct task_lock *out);

/* The task with this address or PID in the snapshot, or NULL. */
const struct task_seen *task_snapshot_by_address(const struct task_snapshot *s, uint64_t address);

/* --- task_graph.c --- */

/* How a task is known to hold what another waits for; the surest first. */
enum task_link {
	TASK_LINK_NONE,
	TASK_LINK_TOLD,        /* the kernel says so (kernel/hung_task.c, "likely owned by") */
	TASK_LINK_OWNER,       /* the lock in a dump says so */
	TASK_LINK_LISTED,      /* lockdep lists the lock among what it holds */
	TASK_LINK_INODE,       /* its stack shows work under the lock of the same inode */
	TASK_LINK_LISTED_ONLY, /* lockdep lists the lock of it and of nobody else but the waiters */
	TASK_LINK_ONLY, /* its stack shows such work, and that of no other does: which inode is not
			   told */
};

/* Who holds the lock that this task waits for; NULL, and TASK_LINK_NONE: not shown. */
const struct task_seen *task_holder(const struct task_model *m, const struct task_snapshot *s,
				    const struct task_seen *t, enum task_link *how);

/* A task, who holds what it waits for, who holds what that one waits for ... */
struct task_chain {
	const struct task_seen *tasks[TASK_CHAIN_MAX];
	enum task_link links[TASK_CHAIN_MAX]; /* from tasks[i] to the next */
	size_t len;                           /* at least 1 */
	bool cycle;                           /* the last one waits for tasks[cycle_from] */
	size_t cycle_from;
	bool cut; /* it goes on */
};

void task_chain_follow(const struct task_model *m, const struct task_snapshot *s,
		       const struct task_seen *from, struct task_chain *out);

/* --- task_pace.c --- */

/* Two looks at one task that waits for replies. */
struct task_pace {
	const struct task_seen *first, *last;
	int64_t ns;     /* between them */
	int64_t rounds; /* how often it went to sleep of its own accord meanwhile */
};

/*
 * The two looks that are farthest apart, by one clock and with context switches; `t` stands in
 * `sample`. False: there are none.
 */
bool task_pace_of(const struct task_model *m, const struct task_snapshot *sample,
		  const struct task_seen *t, struct task_pace *out);

/* It was woken so often that its replies come; it was not woken for so long that one is late. */
bool task_pace_goes_on(const struct task_pace *p);
bool task_pace_is_stuck(const struct task_pace *p);

/* --- task_wait.c --- */

/* Fills in what the frames tell: wait, mode, purpose, holds and their functions. */
void task_classify(struct task_seen *t);

/* The same for a task whose stack is that of `like`, which was classified. */
void task_classify_like(struct task_seen *t, const struct task_seen *like);

/* True for functions of NFS, its transport or its lock manager. */
bool task_function_is_nfs(const char *function);

/* "a lock", "the reply to a call" ...: static. */
const char *task_wait_text(enum task_wait wait);
const char *task_purpose_text(enum task_purpose purpose);

/* --- task_join.c --- */

void task_join(struct task_model *m);

#endif
