/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A step of an NFSv4 client's recovery, as the client itself tells it: what it asked for and what
 * the server answered. Texts are borrowed: a sink copies what it keeps.
 */
#ifndef EVENT_LADDER_H
#define EVENT_LADDER_H

#include "base/slice.h"
#include "event/ident.h"

enum ladder_step {
	LADDER_SEQUENCE, /* a call of a session was refused: `status` is never NFS4_OK */
	LADDER_RENEW,    /* minor version 0: the renewal of the lease was refused */
	LADDER_EXCHANGE_ID,
	LADDER_CREATE_SESSION,
	LADDER_DESTROY_SESSION,
	LADDER_SETCLIENTID,
	LADDER_SETCLIENTID_CONFIRM,
	LADDER_RECLAIM_COMPLETE,
	LADDER_STEP_COUNT,
};

struct ladder_fact {
	enum ladder_step step;
	int64_t status;      /* nfsstat4; below 0: an error of the client's own kernel, as -110 */
	struct slice server; /* its address or name; empty: not told */
	bool has_server;     /* the server is told by its address */
	struct endpoint server_at; /* valid with has_server; port 0 */
	bool has_client;
	struct endpoint client_at; /* valid with has_client: from where it asked */
	struct slice host;         /* the client: as in struct log_fact */
	bool host_told;
};

#endif
