/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a client of NFSv4.0, 4.1 and 4.2 does: COMPOUNDs, and the state that comes of them, with the
 * steps of recovery that fs/nfs/nfs4state.c takes. One open file, one lock; one slot, but for
 * v4_many.
 */
#ifndef LAB_PROBE_V4_H
#define LAB_PROBE_V4_H

#include "lab/probe/client.h"
#include "lab/probe/words.h"
#include "names/nfs4.h"
#include "proto/nfs4_xdr.h"

enum { V4_SLOTS_MAX = 64 };

struct v4_handle {
	uint32_t len;
	uint8_t bytes[CLIENT_HANDLE_BYTES_MAX];
};

struct v4 {
	struct client *client;
	const struct probe_words *words;
	struct client_peer nfs;
	char owner[128];
	uint8_t verifier[8];
	/* Client ID and session. */
	bool has_client, has_session;
	uint8_t scope[CLIENT_HANDLE_BYTES_MAX]; /* of the server, as EXCHANGE_ID told it */
	uint32_t scope_len;
	bool scope_changed; /* nothing can be reclaimed (nfs41_check_server_scope) */
	uint64_t clientid;
	uint8_t confirm[8];       /* 4.0: of SETCLIENTID */
	uint32_t create_sequence; /* of the next CREATE_SESSION */
	uint8_t session[16];
	uint32_t slots;                   /* that the session has, of those that are used here */
	uint32_t slot;                    /* of the COMPOUND that is begun next */
	uint32_t sequences[V4_SLOTS_MAX]; /* of each slot's next call */
	uint32_t seqid;                   /* 4.0: of the open owner's next call */
	uint32_t lock_seqid;
	/* Files. */
	struct v4_handle root, file, got; /* got: what GETFH gave */
	bool has_file, has_lock, has_delegation, recalled;
	struct nfs4_stateid4 open, lock, delegation;
	uint64_t owner_number; /* of open owners: a new one with each client ID */
	/* A listing. */
	uint64_t cookie;
	uint8_t cookie_verifier[8];
	bool eof;
	/* The COMPOUND under way. */
	struct xdr_writer *writer;
	uint8_t *count_at;
	uint32_t op_count;
	uint32_t status;    /* of the last COMPOUND */
	bool refused;       /* it got no further than RPC; client->why tells */
	uint32_t failed_op; /* its operation that failed */
};

void v4_init(struct v4 *v, struct client *client, const struct probe_words *words);
void v4_deinit(struct v4 *v);

/* Begins a COMPOUND; with `in_session` SEQUENCE is its first operation (4.1 and later). */
void v4_begin(struct v4 *v, bool in_session);
void v4_add(struct v4 *v, const struct nfs4_nfs_argop4 *op);
void v4_add_plain(struct v4 *v, uint32_t op); /* one without arguments */
void v4_add_handle(struct v4 *v, const struct v4_handle *h);
void v4_add_getattr(struct v4 *v);

/*
 * Sends it and takes in what comes: v->status, and whatever state the operations give. False when
 * the task is over or the call came to nothing.
 */
bool v4_run(struct v4 *v);

/* Takes in the results of a COMPOUND that was posted, of slot v->slot. */
void v4_take(struct v4 *v, struct cursor at);

/*
 * Steps of state. False when the task is over; a status that is not success is in v->status.
 * v4_attach: client ID, session, root; v4_recover: after an error that asks for it, with what was
 * open and locked. v4_open opens the file that the words name.
 */
bool v4_attach(struct v4 *v);
bool v4_open(struct v4 *v, uint32_t claim);
bool v4_lock(struct v4 *v, bool reclaim);
bool v4_unlock(struct v4 *v);
bool v4_close(struct v4 *v);

/*
 * GETATTR of the root from `programs` that run at once, each so many times: as many calls are under
 * way as the session has slots, and the others wait for one, as in nfs41_setup_sequence. Not for
 * 4.0. What fails ends it with v->status.
 */
bool v4_many(struct v4 *v, uint32_t programs, uint32_t times);

/* What to do about v->status, as nfs4_handle_exception does. */
enum v4_next { V4_DONE, V4_AGAIN, V4_STOP };
enum v4_next v4_handle_status(struct v4 *v, int64_t *wait_ns);

/* Does it, and again for as long as an error asks for that. False when the task is over. */
bool v4_do(struct v4 *v, bool (*what)(struct v4 *v));

#endif
