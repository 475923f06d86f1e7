/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A server's table of NFSv4 clients, as the server's own trace tells it: which boot verifier
 * replaced which under one owner. Not what the wire shows: that is model/nfs4.h.
 *
 * A client that reboots comes with a new verifier, and the old one is never seen again. Two clients
 * with one owner replace each other, again and again: a verifier that was replaced comes back.
 */
#ifndef MODEL_CLID_H
#define MODEL_CLID_H

#include "base/arena.h"
#include "base/vec.h"
#include "event/event.h"

enum { CLID_INSTANCES_MAX = 1024, CLID_CITES_MAX = 6 };

/* One instance of a client: a boot verifier. */
struct clid_instance {
	const char *host; /* the server whose table it is in; "": not told */
	bool host_told;
	uint64_t verifier;
	const char *name; /* of the owner; "": not told */
	bool has_client;
	struct endpoint client; /* from where it came last */
	bool several_hosts;     /* it came from more than one */
	uint32_t family;        /* index of the first of those that replaced each other */
	uint64_t replaced;      /* how often another took its place */
	uint64_t came_back;     /* and it took the place of another after it had been replaced */
	struct provenance first, last;
	struct provenance cites[CLID_CITES_MAX]; /* of its returns */
	uint32_t cites_len;
};

struct clid_model {
	struct arena arena;
	struct vec instances; /* struct clid_instance *, in order of first sight */
	uint64_t dropped;
};

void clid_model_init(struct clid_model *m);
void clid_model_deinit(struct clid_model *m);

/* Registers the model's sink. */
void clid_model_attach(struct clid_model *m, struct event_board *board);

#endif
