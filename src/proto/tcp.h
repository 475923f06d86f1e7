/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One TCP connection as a capture shows it (RFC 9293, RFC 5961): segments and their frames go in,
 * stream bytes, gaps and facts come out. No clock, no I/O, no globals.
 *
 * It is an observer and no endpoint: it sees segments twice, in another order, cut short, or not at
 * all, in one direction only, or from the middle on. Both directions are independent; what links
 * them is that an acknowledgement tells which bytes the wire must have carried.
 *
 * A direction's stream offset 0 is its first data byte (after the SYN), or the first byte that the
 * capture shows or acknowledges where it joins in the middle. Offsets never wrap.
 *
 * The next in-order segment is handed on in place: neither copied nor allocated. A segment that is
 * ahead is copied and held within caps. A hole is given up, and told as a gap,
 *  - when the receiver acknowledged its bytes and they did not come within TCP_LOOK_SEGMENTS
 * further segments of the connection or TCP_LOOK_NS: reordering by the capture is no loss;
 *  - when more would be held than the caps allow; or when the connection or the evidence ends.
 * Whichever copy of a byte comes first counts. SACK is not needed for any of that.
 */
#ifndef PROTO_TCP_H
#define PROTO_TCP_H

#include "base/stamp.h"
#include "proto/packet.h"

enum {
	TCP_SACK_BYTES = 20,          /* that two blocks of SACK take from a segment (RFC 2018) */
	TCP_HOLD_BYTES_MAX = 1 << 20, /* held in one direction */
	TCP_HOLD_SEGMENTS_MAX = 256,  /* the same, in segments */
	TCP_LOOK_SEGMENTS = 64,       /* see above */
	TCP_RECENT = 8,               /* segments in which a frame captured twice is recognised */
};

#define TCP_LOOK_NS     (STAMP_NS_PER_S / 2)
#define TCP_ACK_LATE_NS STAMP_NS_PER_S  /* no receiver waits so long to acknowledge */
#define TCP_TWICE_NS    STAMP_NS_PER_MS /* a frame captured twice, known by its IP id */
/* By its TCP timestamp, too: of mirrors with routers between them. */
#define TCP_TWICE_STAMPED_NS (20 * STAMP_NS_PER_MS)
#define TCP_TWICE_ANY_NS     (STAMP_NS_PER_MS / 10) /* the same without an IP id */

/* The connection's two ends. Which of them is the client is the owner's business. */
enum tcp_side { TCP_SIDE_A, TCP_SIDE_B };

/* A captured frame: its number in its evidence, and when it was captured. */
struct tcp_frame {
	uint64_t number;
	struct stamp at;
};

/* Stream bytes, in order, once each. Lives until the callback returns. */
struct tcp_chunk {
	enum tcp_side from;
	uint64_t offset; /* stream offset of the first byte */
	struct slice bytes;
	const struct tcp_frame *frame; /* the frame that holds the bytes */
	const struct tcp_frame *done;  /* the frame that completed the stream up to them: `frame`,
					* or a later one that filled a hole before them */
};

enum tcp_gap_kind {
	TCP_GAP_CUT,        /* captured, but cut by the snap length */
	TCP_GAP_LOST_ACKED, /* never captured, though the receiver acknowledged them */
	TCP_GAP_LOST,       /* never captured, perhaps never received */
	TCP_GAP_UNKNOWN, /* the numbers jumped: how many bytes are missing is not known, len is 0 */
};

/* Stream bytes that are not here. */
struct tcp_gap {
	enum tcp_side from;
	enum tcp_gap_kind kind;
	uint64_t offset;
	uint64_t len;
	struct tcp_frame
		frame; /* CUT: the frame that was cut; else the one by which it was known */
};

/* What can be told of a connection besides its bytes. In the order of event.h's enum tcp_fact. */
enum tcp_note_kind {
	TCP_NOTE_SYN,
	TCP_NOTE_SYN_REPEAT,
	TCP_NOTE_SYN_ACK, /* and each repetition */
	TCP_NOTE_ESTABLISHED,
	TCP_NOTE_REFUSED,         /* RST in answer to a SYN */
	TCP_NOTE_BARE_ACK_TO_SYN, /* an ACK of something else in answer to a SYN, RFC 5961 section 4
				   */
	TCP_NOTE_FIN,
	TCP_NOTE_FIN_REPEAT,
	TCP_NOTE_FIN_ACKED, /* `from` is who acknowledges */
	TCP_NOTE_RST,
	TCP_NOTE_RETRANSMISSION,
	TCP_NOTE_LOST,       /* told beside the gap; `from` is whose bytes they are */
	TCP_NOTE_SHOWN_LATE, /* bytes after their acknowledgement: the capture's order is not the
			      * wire's */
	TCP_NOTE_PROGRESS,   /* bytes that were sent again, or 1 s ago, are acknowledged, or some of
			      * them; `from`   is who acknowledges */
	TCP_NOTE_COUNT,
};

struct tcp_note {
	enum tcp_note_kind kind;
	enum tcp_side from;
	uint64_t bytes; /* RETRANSMISSION, LOST; else 0 */
	uint8_t ttl;    /* of the segment; 0: not of a segment */
	bool acked;     /* LOST; RETRANSMISSION: as far as is seen, it was needless */
	bool full;      /* RETRANSMISSION: no segment of this side was larger, but for options */
	bool anew;      /* SYN_ACK: with another number than the one before */
	struct tcp_frame frame;
	struct tcp_frame heard; /* the other side's last segment before; number 0: none */
	struct tcp_frame said;  /* FIN, RST: its own last segment before; number 0: none */
	/* RETRANSMISSION, PROGRESS: since when nothing of what was outstanding was acknowledged. */
	struct tcp_frame since;
};

/* Where it all goes. No callback may be NULL, nor call back into the same struct tcp. */
struct tcp_sink {
	void (*chunk)(void *context, const struct tcp_chunk *chunk);
	void (*gap)(void *context, const struct tcp_gap *gap);
	void (*note)(void *context, const struct tcp_note *note);
};

/* Memory for held segments, shared by all connections of an owner. */
struct tcp_budget {
	size_t held_bytes; /* in use */
	size_t max_bytes;
};

/* A segment that is ahead of its stream: see tcp_hold.h. */
struct tcp_held;

/* Enough of a segment to know it again when the capture shows it twice. */
struct tcp_recent {
	int64_t ns;
	uint32_t seq, ack, tsval, len, ip_id;
	uint8_t flags;
	bool used;
};

enum tcp_base {
	TCP_BASE_NONE, /* nothing is known of this direction's numbers */
	TCP_BASE_HINT, /* the other side's acknowledgement told where it stands; no byte was seen */
	TCP_BASE_KNOWN,
};

/* One direction. All sequence numbers are raw. */
struct tcp_half {
	enum tcp_base base;
	bool has_isn;  /* its SYN was seen: isn is valid */
	bool fin_seen; /* fin_seq is valid */
	bool fin_acked;
	bool has_ack;  /* the receiver acknowledged something: ack_seq is valid */
	bool looking;  /* acknowledged bytes are missing: look_left, look_since are valid */
	uint8_t stale; /* segments in a row that are far behind the stream */
	uint32_t isn;
	uint32_t next_seq;  /* number of the byte at next_off */
	uint64_t next_off;  /* offset up to which the stream was handed on */
	uint32_t fin_seq;   /* number of the FIN */
	uint32_t ack_seq;   /* the receiver's latest acknowledgement */
	uint32_t look_left; /* segments to wait */
	int64_t look_since_ns;
	struct tcp_held *held; /* by offset, without overlap; NULL: none */
	struct tcp_held *held_last;
	uint32_t held_count;
	size_t held_bytes;

	struct tcp_frame last;     /* its last segment; number 0: none */
	struct tcp_frame sent;     /* when bytes were sent with none outstanding before them */
	struct tcp_frame progress; /* when the receiver last acknowledged something new */
	uint32_t repeats;          /* segments sent again since then */
	uint32_t largest_bytes;    /* of its segments' payloads, without what its card has yet to
				    * cut: larger than the other side's mss */
	uint16_t mss;              /* that its SYN announced; 0: not seen */

	uint64_t segments;
	uint64_t payload_bytes; /* handed on or cut, once each */
	uint64_t retransmitted_segments;
	uint64_t twice_segments; /* frames that the capture shows twice */
	uint64_t lost_bytes;
	uint64_t cut_bytes;

	struct tcp_recent recent[TCP_RECENT];
	uint32_t recent_next;
};

enum tcp_state {
	TCP_STATE_NEW,     /* no segment yet */
	TCP_STATE_SYN,     /* a SYN, no answer that belongs to it */
	TCP_STATE_SYN_ACK, /* a SYN-ACK, not acknowledged */
	TCP_STATE_OPEN,    /* established, or joined in the middle */
	TCP_STATE_RESET,   /* ended by a RST */
};

/* Bits of tcp.completeness, as Wireshark counts them. */
enum {
	TCP_COMPLETE_SYN = 1,
	TCP_COMPLETE_SYN_ACK = 2,
	TCP_COMPLETE_ACK = 4,
	TCP_COMPLETE_DATA = 8,
	TCP_COMPLETE_FIN = 16,
	TCP_COMPLETE_RST = 32,
};

struct tcp {
	enum tcp_state state;
	enum tcp_side opener; /* who sent the SYN (or did not send the SYN-ACK); valid in SYN,
			       * SYN_ACK and wherever has_opener */
	bool has_opener;
	bool deaf;               /* tcp_stop_data was called */
	uint8_t completeness;    /* TCP_COMPLETE_* */
	struct tcp_half half[2]; /* by the side that sends */
	const struct tcp_sink *sink;
	struct tcp_budget *budget;
	void *context; /* given to each callback */
};

enum tcp_verdict {
	TCP_TAKEN,
	TCP_OTHER_CONNECTION, /* the segment begins another connection with these endpoints: nothing
			       * was taken of it; finish this one and give it to a new one */
};

/* sink and budget are borrowed and must outlive the connection. */
void tcp_init(struct tcp *tcp, const struct tcp_sink *sink, struct tcp_budget *budget,
	      void *context);

/* Frees what is held without handing it on: call tcp_finish before, to get it. */
void tcp_deinit(struct tcp *tcp);

/*
 * Takes one segment (packet->kind is PACKET_TCP). Callbacks are made before it returns; the chunk's
 * bytes may point into packet->payload.
 */
enum tcp_verdict tcp_segment(struct tcp *tcp, enum tcp_side from, const struct packet *packet,
			     const struct tcp_frame *frame);

/* Nothing more will come: what is held is handed on, with gaps where bytes are missing. */
void tcp_finish(struct tcp *tcp, const struct tcp_frame *last);

/* The bytes are of no interest: from now on there are no chunks and gaps, only SYN, FIN and RST. */
void tcp_stop_data(struct tcp *tcp);

/* Since when nothing of what this side has outstanding was acknowledged; see struct tcp_note. */
static inline const struct tcp_frame *tcp_half_since(const struct tcp_half *half)
{
	return half->sent.number > half->progress.number ? &half->sent : &half->progress;
}

/* Bytes of this side that the capture shows, but not their acknowledgement. */
uint64_t tcp_half_unacked_bytes(const struct tcp_half *half);

/* True when both sides sent a FIN that was acknowledged, or after a RST. */
bool tcp_is_closed(const struct tcp *tcp);

static inline enum tcp_side tcp_other_side(enum tcp_side side)
{
	return side == TCP_SIDE_A ? TCP_SIDE_B : TCP_SIDE_A;
}

#endif
