/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A server's table of NFSv4 clients, as the server's own trace tells it: which boot verifier
 * replaced which under one owner, and whether the server itself started. Not what the wire shows:
 * that is model/nfs4/nfs4.h.
 *
 * A client that reboots comes with a new verifier, and the old one is never seen again. Two clients
 * with one owner replace each other, again and again: a verifier that was replaced comes back.
 */
#ifndef MODEL_CLID_H
#define MODEL_CLID_H

#include "base/arena.h"
#include "base/vec.h"
#include "event/event.h"

enum { CLID_INSTANCES_MAX = 1024, CLID_TABLES_MAX = 256, CLID_CITES_MAX = 6 };

/* One instance of a client: a boot verifier. */
struct clid_instance {
	const char *host; /* the server whose table it is in; "": not told */
	bool host_told;
	uint64_t verifier;
	const char *name; /* of the owner; "": not told */
	bool has_client;
	struct endpoint client;   /* from where it came last */
	bool several_hosts;       /* it came from more than one */
	uint32_t family;          /* index of the first of those that replaced each other */
	uint64_t replaced;        /* how often another took its place */
	struct stamp replaced_at; /* the last time; valid with replaced */
	uint64_t came_back;       /* and it took the place of another after it had been replaced */
	struct provenance first, last;
	struct provenance cites[CLID_CITES_MAX]; /* of its returns */
	uint32_t cites_len;
};

/*
 * What a server's table went through, where no verifiers are told: a client that was thrown out
 * for another instance of its owner, and comes back to a session that is gone.
 */
struct clid_table {
	const char *host; /* "": not told */
	bool host_told;
	uint32_t evidence;  /* the recording that goes on with it */
	struct stamp taken; /* the last fact */
	uint64_t expelled, missed, ended;
	/*
	 * Rounds: somebody is thrown out, then somebody misses its session, then somebody is thrown
	 * out again; and the same with the end of a session in the place of the miss.
	 */
	uint64_t rounds, rounds_ended;
	/* Rounds in which the one that misses its session is not the one that came, and comes next.
	 */
	uint64_t mutual;
	bool victim_known, ended_since, has_comer, has_victim;
	struct endpoint comer, victim; /* valid with has_*: of the round under way */
	bool has_sides;
	struct endpoint sides[2]; /* of the first mutual round */
	struct provenance first, last;
	struct provenance cites[CLID_CITES_MAX];
	enum clid_fact_kind cited[CLID_CITES_MAX];
	uint32_t cites_len;
};

/* What a server's trace tells of its own start. */
struct clid_start {
	const char *host; /* "": not told */
	bool host_told;
	struct provenance began; /* its grace period; FRAME_NONE: not in the trace */
	struct provenance grace_over;
	uint32_t boot; /* seconds since 1970: its start, when that was told; else 0 */
	/* A client ID of another start, before that. */
	struct provenance before; /* FRAME_NONE: none was told */
	uint32_t boot_before;
	bool before_goes_on; /* and the server gave, or knew, such ones afterwards, too */
	uint64_t stale;      /* how often one of another start was used, and refused */
	struct provenance stale_first, stale_last;
	uint32_t stale_boot;
	uint64_t came; /* clients that got a new client ID since */
	struct provenance came_first;
};

struct clid_model {
	struct arena arena;
	struct vec instances; /* struct clid_instance *, in order of first sight */
	struct vec tables;    /* struct clid_table *, likewise */
	struct vec starts;    /* struct clid_start *: one for each host, likewise */
	uint64_t dropped;
};

void clid_model_init(struct clid_model *m);
void clid_model_deinit(struct clid_model *m);

/* Registers the model's sink. */
void clid_model_attach(struct clid_model *m, struct event_board *board);

#endif
