/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What things of the protocols are called in our output. Unknown values keep their number:
 * NFS4ERR_???(12345), OP_???(77), 100005.
 */
#ifndef CMD_LABEL_H
#define CMD_LABEL_H

#include "base/json.h"
#include "event/rpc.h"

enum { LABEL_PROGRAM_NFS = 100003, LABEL_PROGRAM_NLM = 100021 };

/* "NFS", "portmap"; the number when it has no name. `callback`: an NFSv4 callback program. */
void label_add_program(struct strbuf *out, bool callback, uint32_t program);

/* "COMPOUND"; the number when it has no name. */
void label_add_procedure(struct strbuf *out, bool callback, uint32_t program, uint32_t version,
			 uint32_t procedure);

/* "SEQUENCE"; "OP_???(77)". */
void label_add_op(struct strbuf *out, bool callback, uint32_t op);

/*
 * The outcome of a call: the program's own status where the reply has one ("NFS4_OK",
 * "NFS4ERR_BADSESSION"), else RPC's ("RPC_SUCCESS", "RPC_PROG_UNAVAIL"). For RPC_AUTH_ERROR
 * `status` is the auth_stat. Adds nothing when no reply told it.
 */
void label_add_status(struct strbuf *out, uint32_t program, uint32_t version,
		      enum rpc_outcome outcome, bool has_status, uint32_t status);

/* The status of this call's reply, as above. */
void label_add_call_status(struct strbuf *out, const struct rpc_call *c);

/* An nfsstat4; nothing for NFS4_STATUS_NONE. */
void label_add_nfs4_status(struct strbuf *out, uint32_t status);

/* True for the numbers from which clients choose that of their callback program (RFC 5531, 7.4). */
bool label_is_callback(uint32_t program);

/* "tcp", "udp". Static. */
const char *label_transport(enum transport transport);

/* The side that sent the call, and the side that was to answer it. */
void label_add_caller(struct strbuf *out, const struct rpc_call *c);
void label_add_answerer(struct strbuf *out, const struct rpc_call *c);

/* A member whose value is the text, or null when it is empty. The text is emptied. */
void label_member(struct json *j, const char *key, struct strbuf *text);

/* A member with a stamp, or null. */
void label_member_stamp(struct json *j, const char *key, struct stamp at);

#endif
