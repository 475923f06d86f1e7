/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The two halves of ingest/flow/flow.h: flow.c finds flows and makes room for them, flow_packet.c
 * feeds them and tells what comes out. Not for others.
 */
#ifndef INGEST_FLOW_TABLE_H
#define INGEST_FLOW_TABLE_H

#include "ingest/flow/flow.h"

/* A packet on its way: its key, and which of its ends sent it. */
struct flow_key {
	struct endpoint end[2]; /* the lower first */
	enum transport transport;
	uint32_t evidence;
	enum tcp_side from;
};

/* The key of a TCP or UDP packet. */
void flow_key_of(uint32_t evidence, const struct packet *packet, struct flow_key *key);

uint64_t flow_hash(const struct flow_key *key);

/* The flow with this key, or NULL. *hash is that of the key; not set where it was not needed. */
struct flow *flow_find(struct flow_table *t, const struct flow_key *key, uint64_t *hash);

/* A new flow, in the table. Others may end to make room. */
struct flow *flow_add(struct flow_table *t, const struct flow_key *key, uint64_t hash,
		      const struct provenance *at);

/* Ends the flow: tells all that is left of it, and frees it. */
void flow_end(struct flow_table *t, struct flow *flow);

/* Moves the flow to this queue, as its newest. */
void flow_set_queue(struct flow *flow, enum flow_queue queue);

/* Prepares what a flow needs to be fed: joined as in struct conn. */
void flow_start(struct flow *flow, bool joined);

/* Takes a segment of the server: has the capture's clock fallen behind? Sets conn.clock_lost_ns. */
void flow_clock_take(struct flow *flow, struct stamp at, const struct packet *packet);

/* One of the first segments of a connection: is it that of another one, with other addresses? See
 * flow_echo.c. */
bool flow_is_echo(struct flow_table *t, const struct flow *flow, const struct provenance *at,
		  const struct packet *packet);

/* Its endpoints begin another connection. */
bool flow_echo_is_over(const struct flow *flow, const struct packet *packet);

/* Lets go what its sides had said by when. */
void flow_drop_past(struct flow *flow);

/* Nothing more will come: hands on what is held. */
void flow_finish(struct flow *flow);

/* Where a frame of the flow stands in the evidence. */
static inline struct provenance flow_at(const struct flow *flow, const struct tcp_frame *frame)
{
	return (struct provenance){
		.evidence = flow->conn.evidence, .frame = frame->number, .at = frame->at};
}

#endif
