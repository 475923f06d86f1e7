/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How often an NFSv4 client had to rebuild its state, as its own kernel's trace tells it. Not what
 * the wire shows: that is model/nfs4/nfs4.h.
 *
 * A round begins when the server refuses what it gave before, and ends with a new session (or, in
 * minor version 0, with SETCLIENTID_CONFIRM).
 */
#ifndef MODEL_LADDER_H
#define MODEL_LADDER_H

#include "base/arena.h"
#include "base/vec.h"
#include "event/event.h"

enum { LADDER_CLIENTS_MAX = 256, LADDER_CITES_MAX = 6 };

/* One client at one server. */
struct ladder_client {
	const char *host; /* the client's own; "": not told */
	bool host_told;
	const char *server; /* "": the trace does not tell */
	bool has_server;
	struct endpoint server_at; /* valid with has_server; port 0 */
	bool has_client;
	struct endpoint client_at; /* valid with has_client */
	uint64_t rounds;
	uint64_t rounds_clientid; /* of them: the client ID was gone, too */
	bool refused;             /* a round is under way */
	bool clientid_gone;       /* and so is the client ID, in it */
	uint32_t refused_status;  /* by which it began */
	struct provenance refused_at;
	struct provenance first, last; /* the first refusal, and the end of the last round */
	struct provenance cites[LADDER_CITES_MAX]; /* the refusals that began rounds */
	uint32_t cited_status[LADDER_CITES_MAX];
	uint32_t cites_len;
};

struct ladder_model {
	struct arena arena;
	struct vec clients; /* struct ladder_client *, in order of first sight */
	uint64_t dropped;
};

void ladder_model_init(struct ladder_model *m);
void ladder_model_deinit(struct ladder_model *m);

/* Registers the model's sink. */
void ladder_model_attach(struct ladder_model *m, struct event_board *board);

#endif
