/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a sender had said by when: its own clock and numbers against the time of the capture.
 *
 * A segment's TSval is the sender's clock when it was sent (RFC 7323 section 4.3; Linux writes a
 * new one into each retransmission, tcp_options_write in net/ipv4/tcp_output.c), and it never goes
 * backwards. So a segment that is captured behind one with a larger TSval was made before that one,
 * and held back on its way. And a segment that begins behind bytes shows that they were sent,
 * though they may not have been captured yet: a bare ACK carries the number of what is sent next.
 *
 * What is proven rests on the order of the sender's own segments, not on the rate of its clock: a
 * clock that stands still with a paused machine, or a capture clock that is set, changes no order.
 *
 * Marks are kept for some minutes, ever more thinly: what is told is at most so much too late as
 * they are apart, and never too early.
 */
#ifndef PROTO_TCP_PAST_H
#define PROTO_TCP_PAST_H

#include "proto/tcp.h"

/* Marks are so far apart at each level: 6 s, 24 s and some 3 min back. */
enum { TCP_PAST_LEVELS = 3, TCP_PAST_MARKS = 12 };

/* Where the sender stood when a frame of it was captured. */
struct tcp_past_mark {
	uint64_t number; /* of the frame; 0: none */
	int64_t ns;      /* when it was captured */
	uint64_t end;    /* behind all that it had sent; see struct tcp_past */
	uint32_t tsval;  /* its newest */
	uint16_t ip_id;  /* of the frame */
};

/* One direction. All zero: nothing was seen. */
struct tcp_past {
	bool is_known;
	bool has_clock; /* all its segments have timestamps */
	uint32_t tsval; /* the newest */
	uint64_t end;   /* a sequence number that does not wrap: behind all that was sent */
	struct tcp_past_mark last; /* its newest frame, whether marked or not */
	/* Of each level when the newest mark was made, and the place of the next one: beside what
	 * each segment changes, as the marks themselves are far apart in memory. */
	int64_t marked_ns[TCP_PAST_LEVELS];
	uint8_t next[TCP_PAST_LEVELS];
	struct tcp_past_mark marks[TCP_PAST_LEVELS][TCP_PAST_MARKS];
};

/* What the past tells about a segment. */
struct tcp_tale {
	/* The first frame of the same sender that was captured before it and made after it: it was
	 * held back. Number 0: none. */
	struct tcp_frame made_before;
	uint32_t tsval, made_tsval; /* of the segment; of made_before, or newer */
	/* The first that was captured before it and shows that its bytes had been sent. Number 0:
	 * none, or it has no bytes. */
	struct tcp_frame sent_before;
	/* Its IP identification is older than that of sent_before: it is no later copy. Some hosts
	 * count them for each connection (Linux: inet_id), some do not count. */
	bool has_older_id;
	bool has_clock;
};

/* Takes note of a captured segment of this direction, in the order of the capture. */
void tcp_past_take(struct tcp_past *past, const struct packet *packet,
		   const struct tcp_frame *frame);

/* What is known about a segment that is not taken note of yet; false: nothing, it is in order. */
bool tcp_past_ask(const struct tcp_past *past, const struct packet *packet,
		  const struct tcp_frame *frame, struct tcp_tale *out);

/*
 * The last frame of this direction by which the segment's bytes had not been sent yet, though their
 * sender spoke: they were made after it. Number 0: none is known, or they have none.
 */
struct tcp_frame tcp_past_unsent(const struct tcp_past *past, const struct packet *packet,
				 const struct tcp_frame *frame);

/*
 * How much older the segment is than the youngest of those before it was when it was captured, with
 * a clock of the sender that ticks each tick_ns; TCP_AGE_UNKNOWN: that cannot be told (0: nor the
 * tick). It proves less than the order of segments: the clock of a paused machine stands still.
 */
#define TCP_AGE_UNKNOWN INT64_MIN

int64_t tcp_past_age_ns(const struct tcp_past *past, const struct packet *packet,
			const struct tcp_frame *frame, int64_t tick_ns);

#endif
