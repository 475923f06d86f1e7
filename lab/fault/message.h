/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a fault can be told to look at: the facts of one call or reply, from the bytes of its RPC
 * message (RFC 5531 section 9, without the record mark). Nothing is allocated; slices borrow the
 * message's bytes, the memory of paths, or the struct itself, which therefore is not copied.
 *
 * A message may be known by its head alone: then what lies behind is not told, and what is told is
 * right. Arguments that RPCSEC_GSS seals are not told either.
 */
#ifndef FAULT_MESSAGE_H
#define FAULT_MESSAGE_H

#include "lab/fault/paths.h"
#include "proto/rpc_msg.h"

enum {
	FAULT_OPS_MAX = 32,      /* operations of a COMPOUND that are told apart */
	FAULT_PLAN_MAX = 8,      /* faults that wait for the reply of one call */
	FAULT_TEXT_BYTES = 2048, /* for the paths of one COMPOUND */
	FAULT_OP_WHOLE = 0xff    /* an index: no operation was asked for, the whole is meant */
};

enum fault_side {
	FAULT_CALL,
	FAULT_REPLY,
	FAULT_CONNECT, /* no message: a client connected */
};

/* An operation of a COMPOUND; of any other procedure the only one, with the procedure's number. */
struct fault_op {
	uint32_t number;
	bool has_status; /* replies */
	uint32_t status;
	size_t offset;       /* of the operation in the message */
	struct slice handle; /* calls: the file or directory it works on; empty: not known */
	struct slice path;   /* calls: as far as known */
};

/* Where a message comes from. */
struct fault_peer {
	uint8_t address[16]; /* the client's; IPv4 as ::ffff:a.b.c.d */
	uint16_t port;
};

struct fault_message {
	enum fault_side side;
	struct fault_peer client;
	struct slice bytes;   /* from the XID on */
	size_t missing_bytes; /* of the message behind them */
	bool is_callback;     /* a call of the server, or a reply to one */
	bool is_compound;     /* ops are operations of NFSv4 */
	bool is_plain;        /* arguments or results can be read, and changed */
	uint32_t xid, program, version, procedure;
	uint32_t minor;     /* of a COMPOUND */
	size_t body_offset; /* of arguments or results; 0: there are none */
	bool has_uid;       /* calls with AUTH_SYS */
	uint32_t uid;
	bool has_slot; /* SEQUENCE or CB_SEQUENCE */
	uint32_t slot;
	bool has_status; /* replies: of the whole */
	uint32_t status;
	uint32_t ops_len;
	struct fault_op ops[FAULT_OPS_MAX];
	uint32_t learn_op;       /* calls: the operation whose result is the handle of learn_path */
	struct slice learn_path; /* calls: empty: the reply teaches no handle */
	size_t text_len;
	char text[FAULT_TEXT_BYTES];
};

/* A fault that a call asked for and that its reply is to suffer. */
struct fault_planned {
	uint32_t fault_id;
	uint32_t number; /* of the operation that was meant */
	uint8_t op;      /* its index, or FAULT_OP_WHOLE */
	bool is_decided; /* it fires for sure: else the reply's status decides */
};

struct fault_plan {
	uint8_t len;
	struct fault_planned items[FAULT_PLAN_MAX];
};

/* What is kept of a call until its reply comes. May be copied. */
struct fault_call {
	uint32_t xid, program, version, procedure, minor;
	bool is_callback, is_plain;
	struct fault_plan plan;
	uint8_t learn_op;
	uint16_t learn_len;
	char learn[FAULT_PATH_BYTES_MAX];
};

/* False: not a call, or its header is broken; then *m is not to be used. */
bool fault_message_read_call(struct slice bytes, size_t missing_bytes, bool is_callback,
			     const struct fault_peer *client, const struct fault_paths *paths,
			     struct fault_message *m);

/* The same for the reply to `call`; teaches `paths` (may be NULL) the handles it tells. */
bool fault_message_read_reply(struct slice bytes, size_t missing_bytes,
			      const struct fault_call *call, const struct fault_peer *client,
			      struct fault_paths *paths, struct fault_message *m);

/* A connection that was made to a port of that program (0: not known). */
void fault_message_of_connect(uint32_t program, const struct fault_peer *client,
			      struct fault_message *m);

/* Without a plan. */
void fault_call_keep(const struct fault_message *m, struct fault_call *out);

/* Operations of COMPOUND and CB_COMPOUND: for fault_message_read_* only. */
void fault_message_read_compound(struct fault_message *m, struct cursor c,
				 const struct fault_paths *paths);
void fault_message_read_results(struct fault_message *m, struct cursor c,
				const struct fault_call *call, struct fault_paths *paths);

/* The path of name in dir, in the message's own text; empty when there is no room left. */
struct slice fault_message_join(struct fault_message *m, struct slice dir, struct slice name);

#endif
