/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * States and the stateids that name them, the files that they are on, the owners that they belong
 * to. Private to nfs4_*.c. The rules of sequence numbers: RFC 8881 section 8.2.2, nfsd's
 * check_stateid_generation and nfsd4_lookup_stateid.
 */
#ifndef LAB_SERVE_NFS4_STATEID_H
#define LAB_SERVE_NFS4_STATEID_H

#include "lab/serve/nfs4/nfs4_run.h"

/* A new state on the file, with sequence number 1; NULL where the table is full. */
struct nfs4_state *nfs4_state_create(struct nfs4_server *server, enum nfs4_state_kind kind,
				     struct nfs4_client *client, struct nfs4_owner *owner,
				     uint64_t fileid);
/* With its ranges and, when it is an OPEN, the lock states that came of it. */
void nfs4_state_destroy(struct nfs4_server *server, struct nfs4_state *state);
/* A state that protects nothing any more and is only there to be told about and freed. */
void nfs4_state_end(struct nfs4_server *server, struct nfs4_state *state,
		    enum nfs4_state_life life);
void nfs4_client_states_drop(struct nfs4_server *server, struct nfs4_client *client);

/* The stateid that names the state as it is now. */
struct nfs4_stateid4 nfs4_stateid_of(const struct nfs4_state *state);
/* The ID of the client that a stateid was given to, as it says itself. */
uint64_t nfs4_stateid_client(const struct nfs4_stateid4 *stateid);
/* After a change: the next sequence number, never 0. */
void nfs4_state_bump(struct nfs4_state *state);

/* Kinds of state, for nfs4_stateid_find. */
enum {
	NFS4_WANT_OPEN = 1,
	NFS4_WANT_LOCK = 2,
	NFS4_WANT_DELEG = 4,
	NFS4_WANT_CLOSED = 8, /* a closed one, too */
	NFS4_WANT_ENDED = 16, /* one that was revoked or has expired, too */
};

/*
 * The state that the stateid names, of a kind in `wanted`. Fails with STALE_STATEID, BAD_STATEID,
 * OLD_STATEID, EXPIRED, DELEG_REVOKED or ADMIN_REVOKED.
 */
uint32_t nfs4_stateid_find(struct nfs4_run *run, const struct nfs4_stateid4 *stateid,
			   uint32_t wanted, struct nfs4_state **out);

/* The same without regard to the sequence number. */
uint32_t nfs4_stateid_find_loose(struct nfs4_run *run, const struct nfs4_stateid4 *stateid,
				 uint32_t wanted, struct nfs4_state **out);

/* Whether a lock state locks anything. */
bool nfs4_state_has_ranges(const struct nfs4_state *state);

/* By the number in its stateid, whosever it is; NULL: none. */
struct nfs4_state *nfs4_state_by_number(struct nfs4_server *server, uint32_t number);

/* Makes it the current stateid of the COMPOUND (RFC 8881 section 16.2.3.1.2) and returns it. */
struct nfs4_stateid4 nfs4_stateid_give(struct nfs4_run *run, const struct nfs4_state *state);

/* The special stateids of all zeroes and all ones. */
bool nfs4_stateid_is_zero(const struct nfs4_stateid4 *stateid);
bool nfs4_stateid_is_one(const struct nfs4_stateid4 *stateid);

/*
 * May the stateid read (or write) the current file? For READ, WRITE, SETATTR of the size and the
 * like; fails with what nfs4_stateid_find says, OPENMODE, LOCKED or GRACE. *out is NULL for a
 * special stateid.
 */
uint32_t nfs4_stateid_check_io(struct nfs4_run *run, const struct nfs4_stateid4 *stateid,
			       bool is_write, struct nfs4_state **out);

struct nfs4_file *nfs4_file_find(struct nfs4_server *server, uint64_t fileid);

/* The owner of that name, and a new one; NULL when there is none, or no room for it. */
struct nfs4_owner *nfs4_owner_find(struct nfs4_client *client, bool locks, struct slice name);
struct nfs4_owner *nfs4_owner_create(struct nfs4_server *server, struct nfs4_client *client,
				     bool locks, struct slice name);
/* With all that it has opened or locked. */
void nfs4_owner_states_drop(struct nfs4_server *server, struct nfs4_owner *owner);
/* Its states have to be gone. */
void nfs4_owner_destroy(struct nfs4_server *server, struct nfs4_owner *owner);

/*
 * The client of a clientid in an operation: in 4.1 the session's, in 4.0 the confirmed one. Fails
 * with STALE_CLIENTID or EXPIRED. Renews its lease in 4.0.
 */
uint32_t nfs4_client_of(struct nfs4_run *run, uint64_t clientid, struct nfs4_client **out);

#endif
