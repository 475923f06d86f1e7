/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One question at a time to one port of a server, with a limit of time for each step and the
 * reason why it came to nothing. Unlike client.h it never tries again: who looks for where a server
 * stops wants to see the first failure.
 */
#ifndef LAB_PROBE_ASK_H
#define LAB_PROBE_ASK_H

#include "lab/rpc/message.h"
#include "lab/rpc/record.h"
#include "net/stream.h"
#include "net/timer.h"

enum { ASK_CALL_BYTES_MAX = 4096, ASK_TEXT_BYTES = 96 };

enum ask_result {
	ASK_OK,
	ASK_NO_CONNECTION, /* no answer to SYN in time */
	ASK_REFUSED,       /* RST to SYN */
	ASK_UNREACHABLE,   /* another error of connecting: ask->error */
	ASK_NO_ANSWER,     /* connected, but no answer to the call in time */
	ASK_CLOSED,        /* FIN instead of an answer */
	ASK_RESET,         /* RST, or another error of the connection, instead of an answer */
	ASK_GARBAGE,       /* what came is no reply */
	ASK_DENIED,        /* by RPC: ask->accept_stat, or ask->auth_stat */
};

struct ask {
	struct net_loop *loop; /* borrowed */
	struct net_timer timer;
	struct net_stream *stream;
	struct rpc_assembler assembler;
	struct rpc_auth_sys sys; /* who asks */
	enum ask_result result;
	bool is_done; /* the step has come to an end */
	bool is_connected;
	int error; /* errno */
	uint32_t accept_stat, auth_stat;
	uint32_t xid;
	uint64_t callbacks; /* calls that the server made on the connection; NULL is answered */
	struct xdr_writer writer;
	uint8_t call[ASK_CALL_BYTES_MAX];
	uint8_t *reply; /* RPC_RECORD_LIMIT_BYTES, NULL until the first */
	size_t reply_len;
};

void ask_init(struct ask *a, struct net_loop *loop, const struct rpc_auth_sys *sys);
void ask_deinit(struct ask *a);

/* From a reserved port where that is allowed, as the kernel does: servers may insist on one. */
enum ask_result ask_connect(struct ask *a, const struct net_address *to, int64_t limit_ns);

/* Ends the connection. */
void ask_close(struct ask *a);

/* Begins a call; the caller writes its arguments. */
struct xdr_writer *ask_begin(struct ask *a, uint32_t program, uint32_t version, uint32_t procedure);

/* Sends it and waits for the answer; *results is valid until the next call. */
enum ask_result ask_call(struct ask *a, int64_t limit_ns, struct cursor *results);

/* Why the last step came to nothing: "no answer", "PROG_UNAVAIL", "Connection refused". */
void ask_explain(const struct ask *a, char text[ASK_TEXT_BYTES]);

#endif
