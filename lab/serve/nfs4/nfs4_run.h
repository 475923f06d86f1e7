/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A COMPOUND under way, and the functions of its operations. Private to nfs4_*.c. */
#ifndef LAB_SERVE_NFS4_RUN_H
#define LAB_SERVE_NFS4_RUN_H

#include "lab/serve/nfs4/nfs4_state.h"

/* A filehandle of the COMPOUND's. */
struct nfs4_place {
	bool set;
	uint64_t fileid;
	bool has_stateid; /* RFC 8881 section 16.2.3.1.2 */
	struct nfs4_stateid4 stateid;
};

struct nfs4_run {
	struct nfs4_server *server;
	const struct nfs4_call *call;
	int64_t now_ns;
	uint32_t minor;
	uint32_t op_index;
	uint32_t op_count;
	struct nfs4_place current;
	struct nfs4_place saved;

	/* 4.1: what SEQUENCE found. The client in 4.0, too: whose ID or stateid was shown. */
	struct nfs4_session *session;
	struct nfs4_slot *slot;
	struct nfs4_client *client;
	bool cachethis;
	bool replayed;       /* the reply is in the slot */
	bool replay_refused; /* the second operation is RETRY_UNCACHED_REP */

	/* 4.0: the owner whose sequence the operation belongs to. */
	struct nfs4_owner *owner;
	bool owner_replayed; /* its kept reply is the answer */

	uint8_t *reply_start;  /* of the COMPOUND4res */
	uint32_t reply_limit;  /* bytes of it; 0: none but the writer's memory */
	size_t room_bytes;     /* that the result of the operation at hand has */
	uint32_t limit_status; /* what to answer where more is wanted */
	struct xdr_writer scratch;
};

/* Executes one operation: fills the arm of `res` for its status, which it returns. */
typedef uint32_t nfs4_op_fn(struct nfs4_run *run, const struct nfs4_nfs_argop4 *arg,
			    struct nfs4_nfs_resop4 *res);

/* nfs4_setclientid.c */
nfs4_op_fn nfs4_op_setclientid, nfs4_op_setclientid_confirm, nfs4_op_renew;

/* nfs4_exchange.c */
nfs4_op_fn nfs4_op_exchange_id, nfs4_op_destroy_clientid, nfs4_op_reclaim_complete;

/* nfs4_session.c */
nfs4_op_fn nfs4_op_create_session, nfs4_op_destroy_session, nfs4_op_bind_conn,
	nfs4_op_backchannel_ctl;

/* nfs4_sequence.c */
nfs4_op_fn nfs4_op_sequence;
/* Keeps the finished COMPOUND4res, of so many results, in the slot. */
void nfs4_slot_store(struct nfs4_run *run, uint32_t status, uint32_t results, struct slice reply);

#endif
