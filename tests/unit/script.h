/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scripted events for tests of models and rules: an invented conversation under virtual time, one
 * line a fact. Times are seconds after SCRIPT_EPOCH_S; frames count by themselves.
 *
 *	struct script s = script_make();
 *	struct conn c = script_conn(1, "192.0.2.21", 901, "192.0.2.10", 2049);
 *
 *	conn_model_attach(&model, &s.board);
 *	script_tcp(&s, 0.0, &c, TCP_FACT_SYN, CONN_FROM_CLIENT);
 */
#ifndef SCRIPT_H
#define SCRIPT_H

#include "event/event.h"

#include <arpa/inet.h>
#include <string.h>

#define SCRIPT_EPOCH_S INT64_C(1700000000)

struct script {
	struct event_board board;
	uint64_t frame; /* of the last event */
	uint8_t ttl;    /* of the next segments */
};

static inline struct script script_make(void)
{
	return (struct script){.ttl = 64};
}

static inline struct stamp script_at(double seconds)
{
	int64_t us = (int64_t)(seconds * 1e6 + 0.5);

	return stamp_utc(us * 1000 + SCRIPT_EPOCH_S * STAMP_NS_PER_S);
}

static inline struct endpoint script_endpoint(const char *ipv4, uint16_t port)
{
	struct endpoint e = {.addr = {[10] = 0xff, [11] = 0xff}, .port = port};

	inet_pton(AF_INET, ipv4, e.addr + 12);
	return e;
}

static inline struct conn script_conn(uint64_t serial, const char *client, uint16_t client_port,
				      const char *server, uint16_t server_port)
{
	return (struct conn){.serial = serial,
			     .transport = TRANSPORT_TCP,
			     .client = script_endpoint(client, client_port),
			     .server = script_endpoint(server, server_port)};
}

static inline struct provenance script_place(struct script *s, double seconds)
{
	return (struct provenance){.frame = ++s->frame, .at = script_at(seconds)};
}

static inline void script_tcp(struct script *s, double seconds, const struct conn *conn,
			      enum tcp_fact fact, enum conn_side from)
{
	struct event_tcp tcp = {.fact = fact, .from = from, .ttl = s->ttl};
	struct event e = {
		.kind = EVENT_TCP, .at = script_place(s, seconds), .conn = conn, .tcp = &tcp};

	event_emit(&s->board, &e);
}

/* SYN and the answer of a port at which nothing listens. */
static inline void script_refused(struct script *s, double seconds, const struct conn *conn)
{
	script_tcp(s, seconds, conn, TCP_FACT_SYN, CONN_FROM_CLIENT);
	script_tcp(s, seconds + 0.0001, conn, TCP_FACT_REFUSED, CONN_FROM_SERVER);
}

static inline void script_handshake(struct script *s, double seconds, const struct conn *conn)
{
	script_tcp(s, seconds, conn, TCP_FACT_SYN, CONN_FROM_CLIENT);
	script_tcp(s, seconds + 0.0001, conn, TCP_FACT_SYN_ACK, CONN_FROM_SERVER);
	script_tcp(s, seconds + 0.0002, conn, TCP_FACT_ESTABLISHED, CONN_FROM_CLIENT);
}

/* Emits `rpc` as an event of this kind; EVENT_RPC_REPLY sets its reply's place first. */
static inline void script_rpc(struct script *s, double seconds, enum event_kind kind,
			      struct rpc_call *rpc)
{
	struct event e = {
		.kind = kind, .at = script_place(s, seconds), .conn = rpc->conn, .rpc = rpc};

	if (kind == EVENT_RPC_CALL) {
		rpc->call = e.at;
		if (!rpc->again)
			rpc->origin = e.at;
	}
	if (kind == EVENT_RPC_REPLY)
		rpc->reply = e.at;
	event_emit(&s->board, &e);
}

/* A call of this program and its reply 1 ms later. */
static inline void script_exchange(struct script *s, double seconds, const struct conn *conn,
				   uint32_t program, uint32_t version)
{
	struct rpc_call rpc = {.conn = conn,
			       .program = program,
			       .version = version,
			       .has_call = true,
			       .outcome = RPC_NO_REPLY};

	script_rpc(s, seconds, EVENT_RPC_CALL, &rpc);
	rpc.outcome = RPC_SUCCESS;
	script_rpc(s, seconds + 0.001, EVENT_RPC_REPLY, &rpc);
}

static inline void script_end(struct script *s, double seconds, const struct conn *conn)
{
	struct conn_totals totals = {.first = {.frame = 1, .at = script_at(0)}};
	struct event e = {.kind = EVENT_CONN_END, .at = script_place(s, seconds), .conn = conn};

	totals.last = e.at;
	e.totals = &totals;
	event_emit(&s->board, &e);
}

#endif
