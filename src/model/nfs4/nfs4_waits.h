/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What clients wait for at an NFSv4 server: a grace period (RFC 8881 section 8.4.2.1), and the
 * steps of recovery itself, for which everything else of the client waits.
 */
#ifndef MODEL_NFS4_WAITS_H
#define MODEL_NFS4_WAITS_H

#include "model/nfs4/nfs4.h"
#include "model/nfs4/nfs4_gaps.h"

/* GRACE answers to one party, with no new open or lock of it accepted in between. */
struct nfs4_grace_wait {
	struct nfs4_stretch answers;
	struct nfs4_gaps gaps; /* between them */
	bool reclaim_complete; /* the party had sent RECLAIM_COMPLETE before, and it was accepted */
	bool began_in_sight;   /* the evidence holds how its client ID was made */
	uint64_t others_opened;  /* new opens and locks of others that were accepted meanwhile */
	struct provenance other; /* the last of them */
	uint64_t restarts;       /* new start times of the server meanwhile */
	struct provenance over;  /* its own that was accepted at last; FRAME_NONE: none */
};

/* One step of recovery that does not get on, with no other call of the party accepted meanwhile. */
struct nfs4_step_wait {
	uint32_t op;                /* EXCHANGE_ID, CREATE_SESSION, SETCLIENTID, its CONFIRM */
	struct nfs4_stretch delays; /* answered DELAY */
	struct nfs4_gaps gaps;      /* between them */
	struct provenance call;     /* the first call of the step */
	struct provenance over;     /* the answer that ended it; FRAME_NONE: none */
	uint32_t over_status;
};

/* The longest of each, and those under way; NULL in a party until it had to wait. */
struct nfs4_waits {
	struct nfs4_grace_wait grace, grace_longest;
	uint64_t opened_then, restarts_then; /* of the server, when `grace` began */
	struct nfs4_step_wait step, step_longest;
};

#endif
