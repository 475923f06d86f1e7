/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Puts one direction's bytes in order: the part of proto/tcp.c that knows sequence numbers and
 * nothing about flags. Not for others.
 */
#ifndef PROTO_TCP_ORDER_H
#define PROTO_TCP_ORDER_H

#include "proto/tcp.h"

enum {
	/* Numbers further away than any window and any retransmission can be: not of this stream.
	 */
	TCP_FAR_BYTES = 256 << 20,
	TCP_FAR_SEGMENTS = 4, /* so many of them in a row: the stream jumped */
};

/* Bytes of a segment: wire_bytes of them from seq on, of which `bytes` were captured. */
struct tcp_bytes {
	uint32_t seq;
	struct slice bytes;
	size_t wire_bytes;
	uint8_t ttl;
	bool is_twice; /* the capture shows this frame twice: no retransmission */
};

/* Places the direction's numbers: the next byte is seq. */
void tcp_order_start(struct tcp_half *half, uint32_t seq, enum tcp_base base);

/* Takes bytes of `from`; makes the chunks, gaps and notes that follow. */
void tcp_order_bytes(struct tcp *tcp, enum tcp_side from, const struct tcp_bytes *bytes,
		     const struct tcp_frame *frame);

/* The receiver of the bytes of `from` acknowledged up to ack (without a FIN). */
void tcp_order_acked(struct tcp *tcp, enum tcp_side from, uint32_t ack,
		     const struct tcp_frame *frame);

/* One more segment went by while acknowledged bytes of `from` are missing. */
void tcp_order_look(struct tcp *tcp, enum tcp_side from, const struct tcp_frame *frame);

/* Hands on all that is held, with gaps, up to what was acknowledged. */
void tcp_order_finish(struct tcp *tcp, enum tcp_side from, const struct tcp_frame *frame);

/* Frees what is held. */
void tcp_order_drop(struct tcp *tcp, enum tcp_side from);

/* seq - base as a signed distance. */
static inline int32_t tcp_seq_distance(uint32_t seq, uint32_t base)
{
	return (int32_t)(seq - base);
}

#endif
