/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Talks to the lab's NFSv4 server in COMPOUNDs, without a network: what is asked goes through the
 * generated encoders, what is answered through the generated decoders. For the tests of lab/serve.
 */
#ifndef NFS4_TALK_H
#define NFS4_TALK_H

#include "lab/serve/nfs4/nfs4_faults.h"
#include "lab/serve/nfs4/nfs4_server.h"
#include "lab/serve/tree/tree.h"
#include "proto/nfs4_xdr.h"

enum { TALK_BYTES = 256 << 10, TALK_OPS = 32, TALK_CALLBACKS = 16 };

#define TALK_SECOND INT64_C(1000000000)

struct talk_callback {
	uint64_t token;
	uint64_t connection;
	uint32_t procedure;
	uint32_t program;
	uint8_t args[1024];
	size_t args_len;
};

struct talk {
	struct tree *tree;
	struct nfs4_server *server;
	struct nfs4_call call;
	int64_t now_ns;
	uint32_t minor;
	uint32_t op_count;
	struct xdr_writer ops;
	uint8_t *op_bytes;
	uint8_t *reply_bytes;
	size_t reply_len;
	uint32_t status;
	uint32_t result_count;
	struct nfs4_nfs_resop4 results[TALK_OPS];
	struct talk_callback callbacks[TALK_CALLBACKS];
	uint32_t callback_count;
	bool callbacks_fail;
};

/* A session of a client, as a client has it. */
struct talk_session {
	uint64_t client_id;
	uint8_t id[16];
	uint32_t seqid; /* of slot 0: the last one used */
};

/* A server with an empty tree; `change` may be NULL, or alters the configuration. */
struct talk *talk_create(void (*change)(struct nfs4_server_config *config));
void talk_destroy(struct talk *t);

/* A COMPOUND, operation by operation; talk_run returns its status. */
void talk_begin(struct talk *t, uint32_t minor);
void talk_add(struct talk *t, const struct nfs4_nfs_argop4 *op);
void talk_op(struct talk *t, uint32_t op); /* without arguments */
uint32_t talk_run(struct talk *t);

/* EXCHANGE_ID of this owner and verifier (a character); the answer is in t->results[0]. */
uint32_t talk_exchange_id(struct talk *t, const char *owner, char verifier, uint32_t flags);
uint32_t talk_create_session(struct talk *t, uint64_t client_id, uint32_t seqid);
/* Both, and RECLAIM_COMPLETE. */
struct talk_session talk_client(struct talk *t, const char *owner, char verifier);
/* Begins a COMPOUND of 4.1 with the next SEQUENCE of slot 0. */
void talk_sequence(struct talk *t, struct talk_session *session, bool cachethis);

/* SETCLIENTID and SETCLIENTID_CONFIRM; the client ID. */
uint64_t talk_client40(struct talk *t, const char *owner, char verifier);

/* Further operations. */
void talk_lookup(struct talk *t, const char *name);
void talk_open(struct talk *t, uint64_t client_id, const char *owner, uint32_t seqid,
	       const char *name, uint32_t access, uint32_t deny, bool create);
void talk_close(struct talk *t, uint32_t seqid, struct nfs4_stateid4 stateid);
void talk_lock(struct talk *t, struct nfs4_stateid4 open, const char *owner, uint64_t offset,
	       uint64_t length, bool exclusive);
void talk_write(struct talk *t, struct nfs4_stateid4 stateid, uint64_t offset, const char *text);
void talk_read(struct talk *t, struct nfs4_stateid4 stateid, uint64_t offset, uint32_t count);

/* Opens with talk_open in a session (4.1), or with its owner's next sequence and confirmed (4.0).
 */
struct nfs4_stateid4 talk_opened(struct talk *t, struct talk_session *session, const char *owner,
				 const char *name, uint32_t access);

/* Answers the last callback with this status of its last operation. */
void talk_callback_answer(struct talk *t, uint32_t status);

struct xdr_opaque talk_text(const char *text);

#endif
