/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Headers of ONC RPC messages (RFC 5531 section 9), with the credentials of AUTH_SYS (appendix A),
 * RPCSEC_GSS (RFC 2203) and AUTH_TLS (RFC 9289). What follows the header, arguments or results, is
 * left to the program's decoder: the cursor stands there.
 *
 * Over UDP the datagram is the message; over TCP see proto/rpc_record.h.
 */
#ifndef PROTO_RPC_MSG_H
#define PROTO_RPC_MSG_H

#include "base/cursor.h"

enum {
	RPC_AUTH_BODY_MAX = 400,    /* RFC 5531 section 8.2 */
	RPC_MACHINE_NAME_MAX = 255, /* appendix A */
	RPC_AUTH_GIDS_MAX = 16,
	RPC_PLAUSIBLE_BYTES = 32,   /* of a message, enough for rpc_msg_plausible to decide */
	RPC_MESSAGE_BYTES_MIN = 20, /* the shortest reply (denied, AUTH_ERROR) */
};

enum rpc_msg_type { RPC_MSG_CALL = 0, RPC_MSG_REPLY = 1 };
enum rpc_reply_stat { RPC_REPLY_ACCEPTED = 0, RPC_REPLY_DENIED = 1 };

enum rpc_accept_stat {
	RPC_ACCEPT_SUCCESS = 0,
	RPC_ACCEPT_PROG_UNAVAIL = 1,
	RPC_ACCEPT_PROG_MISMATCH = 2,
	RPC_ACCEPT_PROC_UNAVAIL = 3,
	RPC_ACCEPT_GARBAGE_ARGS = 4,
	RPC_ACCEPT_SYSTEM_ERR = 5,
};

enum rpc_reject_stat { RPC_REJECT_MISMATCH = 0, RPC_REJECT_AUTH_ERROR = 1 };

enum rpc_auth_flavor {
	RPC_AUTH_NONE = 0,
	RPC_AUTH_SYS = 1,
	RPC_AUTH_SHORT = 2,
	RPC_AUTH_DH = 3,
	RPC_AUTH_GSS = 6, /* RPCSEC_GSS */
	RPC_AUTH_TLS = 7,
};

enum rpc_gss_proc {
	RPC_GSS_DATA = 0,
	RPC_GSS_INIT = 1,
	RPC_GSS_CONTINUE_INIT = 2,
	RPC_GSS_DESTROY = 3,
};

enum rpc_gss_service {
	RPC_GSS_SERVICE_UNKNOWN = 0, /* not on the wire: no call was seen */
	RPC_GSS_SERVICE_NONE = 1,
	RPC_GSS_SERVICE_INTEGRITY = 2,
	RPC_GSS_SERVICE_PRIVACY = 3,
};

/* What stands behind the header. */
enum rpc_body {
	RPC_BODY_PLAIN,     /* arguments or results; the cursor stands on them */
	RPC_BODY_INTEGRITY, /* the same: length and sequence number were stepped over, the checksum
			     * follows */
	RPC_BODY_SEALED,    /* encrypted, or a GSS token: opaque for us */
	RPC_BODY_NONE,      /* nothing: a reply without results */
};

/* AUTH_SYS credential. */
struct rpc_auth_sys {
	uint32_t uid;
	uint32_t stamp;
	uint32_t gid;
	uint32_t gids_len;
	struct slice machine; /* borrowed */
	uint32_t gids[RPC_AUTH_GIDS_MAX];
};

/* RPCSEC_GSS credential. */
struct rpc_auth_gss {
	uint32_t version;
	uint32_t proc; /* enum rpc_gss_proc, or an unknown value */
	uint32_t seq;
	uint32_t service;    /* enum rpc_gss_service, or an unknown value */
	struct slice handle; /* borrowed */
};

struct rpc_auth {
	uint32_t flavor;
	struct slice body; /* borrowed */
};

struct rpc_call_header {
	uint32_t program;
	uint32_t version;
	uint32_t procedure;
	bool has_sys;            /* sys is valid; cred.flavor is RPC_AUTH_SYS */
	bool has_gss;            /* gss is valid */
	struct rpc_auth_sys sys; /* set only with has_sys, its groups up to gids_len */
	/* What hardly anybody looks at of most calls: see struct rpc_ahead. */
	uint32_t rpcvers; /* 2, or the rest was not decoded */
	struct rpc_auth cred;
	struct rpc_auth verf;
	struct rpc_auth_gss gss; /* set only with has_gss */
};

struct rpc_reply_header {
	uint32_t reply_stat;
	uint32_t accept_stat; /* accepted */
	uint32_t reject_stat; /* denied */
	uint32_t auth_stat;   /* denied with AUTH_ERROR */
	uint32_t low, high;   /* the two kinds of mismatch: versions supported */
	struct rpc_auth verf; /* accepted */
};

struct rpc_msg {
	uint32_t xid;
	uint32_t type; /* enum rpc_msg_type: which of the two is valid */
	enum rpc_body body;
	union {
		struct rpc_call_header call;
		struct rpc_reply_header reply;
	};
};

/*
 * Decodes a call's or reply's header. True: *out is valid and the cursor stands on the body. False:
 * the cursor's fault says why (CUT, SHORT, LIMIT, VALUE); then xid and type are valid if offset 8
 * was reached, and out->call up to the field that failed: what was not reached is zero.
 * A credential that is not well formed inside of its length leaves has_sys or has_gss false and is
 * no fault. A reply's body is PLAIN: when its call used RPCSEC_GSS, go on with rpc_reply_enter_gss.
 */
bool rpc_msg_decode(struct cursor *c, struct rpc_msg *out);

/*
 * A message that was decoded ahead of its stream: it is used where the stream comes to it. What is
 * looked at of nearly each lies in the first two lines of the cache.
 */
struct rpc_ahead {
	const uint8_t *message; /* from the xid on; NULL: there is none */
	uint32_t message_bytes;
	uint32_t header_bytes; /* of it, before the body */
	uint64_t head_hash;    /* of a call */
	struct rpc_msg msg;
};

/* Tells one call from another that has its XID: a hash of what its message begins with. */
uint64_t rpc_msg_head_hash(struct slice message);

/* Decodes the payload of a segment when it is one record of one fragment, and all of it is here. */
void rpc_ahead_decode(struct slice payload, struct rpc_ahead *out);

/* True when that is the message at which the cursor stands. */
static inline bool rpc_ahead_is(const struct rpc_ahead *ahead, const struct cursor *body)
{
	return ahead && ahead->message == body->pos && ahead->message_bytes == cursor_here(body) &&
	       body->gap == 0 && body->end == body->tail_end;
}

/*
 * Only xid, type and (calls) program, version, procedure, without touching credentials: for owners
 * that need to know the direction. False when these bytes are not there or it is no RPC.
 */
bool rpc_msg_peek(struct cursor c, struct rpc_msg *out);

/*
 * Steps from a successful reply's header to its results, given how the call was protected. The
 * cursor stands on the results afterwards when the answer is PLAIN or INTEGRITY.
 */
enum rpc_body rpc_reply_enter_gss(struct cursor *c, const struct rpc_auth_gss *call);

enum rpc_plausible {
	RPC_PLAUSIBLE_NO,
	RPC_PLAUSIBLE_MORE, /* cannot be told from so few bytes */
	RPC_PLAUSIBLE_YES,
};

/*
 * Could these be the first bytes of an RPC message of message_bytes? At most RPC_PLAUSIBLE_BYTES
 * are looked at.
 */
enum rpc_plausible rpc_msg_plausible(struct slice head, size_t message_bytes);

/* Callbacks of NFSv4.0 and 4.1 use a program number of the transient range (RFC 5531, 8.3). */
static inline bool rpc_program_is_transient(uint32_t program)
{
	return program >= UINT32_C(0x40000000) && program < UINT32_C(0x60000000);
}

#endif
