/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls as the kernel of their server tells them: which thread is at one since when, how long those
 * took that are over. Not what the wire shows: that is model/call.h.
 */
#ifndef MODEL_SERVED_H
#define MODEL_SERVED_H

#include "base/arena.h"
#include "base/map.h"
#include "base/texts.h"
#include "base/vec.h"
#include "event/event.h"

enum {
	SERVED_HOSTS_MAX = 256,
	SERVED_THREADS_MAX = 8192, /* of all hosts */
	SERVED_NAMES_MAX = 256,
	SERVED_LATE_MAX = 8,   /* of a host: the calls that took longest */
	SERVED_LEFT_MAX = 64,  /* of a host: calls that it has, and did not answer */
	SERVED_CACHES_MAX = 8, /* of a host: what it asks user space for */
};

/* A call that is over, or under way. */
struct served_call {
	const char *service, *procedure; /* "": not told */
	bool has_client, has_xid;
	struct endpoint client;         /* valid with has_client */
	uint32_t xid;                   /* valid with has_xid */
	struct provenance begun, ended; /* FRAME_NONE: not */
};

struct served_thread {
	struct served_host *host;
	int64_t pid;
	const char *service;     /* of the last call that it began; "": not told */
	struct served_call call; /* begun is FRAME_NONE: it is at none, or nobody knows */
	bool puts_off;           /* the call at hand: that it drops it follows from that */
};

/* A call that a thread put off or dropped, and that nobody answered since. */
struct served_left {
	struct served_call call; /* without times */
	enum served_step how;    /* the last time: PUT_OFF, DROPPED or GIVEN_UP */
	uint64_t times;
	struct provenance first, last;
	bool at_work; /* a thread has it again, or is to have it */
};

/* Questions to user space of one kind. */
struct served_cache {
	const char *name;
	struct provenance asked; /* the first one since the last answer; FRAME_NONE: none */
	uint64_t count;          /* of them */
};

struct served_host {
	const char *name; /* "": not told */
	bool told;
	uint64_t calls;                           /* that are over, from begin to end */
	struct served_call late[SERVED_LATE_MAX]; /* of them, the longest first */
	size_t late_len;
	struct vec threads;       /* struct served_thread *: in order of first sight */
	struct provenance last;   /* until when the trace tells of it */
	struct served_left *left; /* room for SERVED_LEFT_MAX; NULL: none yet */
	size_t left_len;
	uint64_t left_beyond; /* more of them, for which there was no room */
	struct served_cache caches[SERVED_CACHES_MAX];
	size_t caches_len;
	uint64_t files; /* traces with calls of it that are over */
};

struct served_model {
	struct arena arena;
	struct texts names;
	struct vec hosts; /* struct served_host *, in order of first sight */
	struct map threads;
	size_t threads_len;
	uint64_t dropped;
};

void served_model_init(struct served_model *m);
void served_model_deinit(struct served_model *m);

/* Registers the model's sink. */
void served_model_attach(struct served_model *m, struct event_board *board);

/* Nanoseconds between two places of one clock; -1: they are not of one, or the second is earlier.
 */
int64_t served_between(const struct provenance *from, const struct provenance *to);

#endif
