/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From captured packets to events: the one place where files (evidence) and bytes of the wire
 * (proto) meet. Packets go in, in order of time; events come out at the board.
 */
#ifndef INGEST_INGEST_H
#define INGEST_INGEST_H

#include "base/slice.h"
#include "event/event.h"
#include "event/evidence.h"
#include "proto/packet.h"
#include "proto/rpc_msg.h"

struct ingest;
struct survey;

struct ingest_options {
	bool keep_text; /* make texts of arguments and results (rpc_call.args_text ...): slow */
	/*
	 * Only counts are wanted: of struct rpc_call what identifies it, its outcome, statuses,
	 * times and operations, but not what they are about (object, files, stateids, sequence,
	 * facts, told, past, change); of struct conn not clock_lost_ns. Not with keep_text.
	 */
	bool counts_only;
	uint32_t max_flows; /* connections at once; 0: the default */
	uint32_t max_calls; /* outstanding calls at once; 0: the default */
	const struct survey
		*survey; /* which capture speaks for a connection; NULL: each for its own */
};

/* What could not be decoded, by reason; the reasons are fixed texts. */
struct ingest_undecoded {
	const char *reason;
	uint64_t count;
};

struct ingest_totals {
	uint64_t frames;
	uint64_t bytes; /* on the wire */
	uint64_t tcp_connections;
	uint64_t rpc_connections; /* of these, with RPC */
	uint64_t udp_pairs;       /* pairs of ports with RPC by UDP */
};

/* board and evidence outlive the ingest. Never NULL. */
struct ingest *ingest_create(const struct ingest_options *options, const struct event_board *board,
			     struct evidence_list *evidence);
void ingest_destroy(struct ingest *in);

/*
 * A frame that was taken apart: what proto/packet.h makes of it, and what it does not keep. Of a
 * segment of TCP all that is of interest lies in its first two lines of the cache.
 */
struct ingest_packet {
	struct provenance where;
	uint32_t wire_bytes;  /* of the frame */
	bool is_cut;          /* not all of them were captured */
	struct packet packet; /* points into the frame */
};

/*
 * The same as ingest_frame, of a frame that is taken apart already, whose payload may be decoded
 * ahead (else NULL); both are borrowed for the call.
 */
void ingest_packet(struct ingest *in, const struct ingest_packet *p, const struct rpc_ahead *ahead);

/* One frame. `frame_number` counts from 1 within its capture; bytes are borrowed for the call. */
void ingest_frame(struct ingest *in, uint32_t evidence, uint64_t frame_number, struct stamp at,
		  uint32_t linktype, struct slice bytes, size_t wire_bytes);

/* After the last frame: ends connections, gives up outstanding calls, writes damage into evidence.
 */
void ingest_finish(struct ingest *in);

const struct ingest_totals *ingest_totals(const struct ingest *in);

/* What was given up because there was too much of it. After ingest_finish. */
struct ingest_not_kept {
	uint64_t open;     /* connections: what came later of one is another to us */
	uint64_t closed;   /* likewise: only stragglers are to come */
	uint64_t pasts;    /* connections of which it is not kept what they had said by when */
	uint64_t calls;    /* calls without a reply, which may have come later */
	uint64_t stranded; /* those of connections that broke: may have been sent again later */
};

struct ingest_not_kept ingest_not_kept(const struct ingest *in);

/* Sorted by reason; `count` is set. Valid until ingest_destroy. After ingest_finish. */
const struct ingest_undecoded *ingest_undecoded(const struct ingest *in, size_t *count);

#endif
