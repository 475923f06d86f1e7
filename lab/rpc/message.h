/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages as an endpoint has them (RFC 5531 section 9): a call that came, with what a program
 * needs to know of it, and the headers of replies.
 */
#ifndef LAB_RPC_MESSAGE_H
#define LAB_RPC_MESSAGE_H

#include "net/address.h"
#include "proto/rpc_encode.h"

enum rpc_transport { RPC_OVER_TCP, RPC_OVER_UDP };

/*
 * A call that came. Everything that it points to lies in the message, or belongs to the connection,
 * and is valid while the call is handled.
 */
struct rpc_in {
	uint32_t xid;
	uint32_t program, version, procedure;
	uint32_t flavor;      /* enum rpc_auth_flavor or an unknown one */
	uint32_t uid, gid;    /* 65534 (nobody) where the flavor tells none */
	uint32_t gids_len;    /* of gids */
	const uint32_t *gids; /* further groups */
	struct slice machine; /* AUTH_SYS: the name that the client gives itself */
	struct slice args;
	struct slice bytes;              /* the whole message, without record mark */
	const struct net_address *peer;  /* NULL: not known (tests) */
	const struct net_address *local; /* where it came in; NULL: not known */
	enum rpc_transport transport;
	uint64_t connection;    /* a number of this run; 0: none (UDP) */
	struct rpc_msg message; /* the header as it was decoded */
};

enum rpc_taken {
	RPC_TAKEN_CALL,    /* *in is filled in */
	RPC_TAKEN_REPLY,   /* a reply to a call of ours: in->xid, in->message and in->args */
	RPC_TAKEN_REFUSED, /* a call that gets no further: answer with rpc_refuse */
	RPC_TAKEN_GARBAGE, /* no RPC message: it gets no answer */
};

/*
 * Reads a message's header. Sets all of *in but peer, local, transport and connection, which are
 * left as they are.
 */
enum rpc_taken rpc_in_take(struct slice bytes, struct rpc_in *in);

/* The answer to a message that rpc_in_take refused: wrong version of RPC, bad credentials. */
void rpc_refuse(struct xdr_writer *w, const struct rpc_in *in);

/* Headers of replies; results follow rpc_reply_success. */
void rpc_reply_success(struct xdr_writer *w, uint32_t xid);

/* PROG_UNAVAIL, PROC_UNAVAIL, GARBAGE_ARGS or SYSTEM_ERR. */
void rpc_reply_failure(struct xdr_writer *w, uint32_t xid, enum rpc_accept_stat why);

/* PROG_MISMATCH, with the versions that there are. */
void rpc_reply_versions(struct xdr_writer *w, uint32_t xid, uint32_t low, uint32_t high);

/* Denied with AUTH_ERROR: an auth_stat of RFC 5531 section 9 (1 is AUTH_BADCRED, 5 TOOWEAK). */
void rpc_reply_denied(struct xdr_writer *w, uint32_t xid, uint32_t auth_stat);

/* The header of a call of ours with AUTH_SYS, or AUTH_NONE when sys is NULL. */
void rpc_call_begin(struct xdr_writer *w, uint32_t xid, uint32_t program, uint32_t version,
		    uint32_t procedure, const struct rpc_auth_sys *sys);

#endif
