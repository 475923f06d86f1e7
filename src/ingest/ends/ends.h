/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two captures of one wire, matched segment by segment: EVENT_WIRE.
 *
 * Of a connection that several captures show, one speaks (ingest/survey/survey.h). Each segment of
 * the speaker's waits here for its like in each other capture, and the other way round: the same
 * numbers and the same timestamp (RFC 7323), or IP identification, which a segment keeps when it is
 * cut into pieces (TSO) or joined with others (GRO), and when addresses are translated. What has
 * waited ENDS_WAIT_NS was seen by one capture only; whether the other had to see it is told by what
 * it shows, and by what the receiver acknowledged.
 *
 * A UDP datagram that carries an RPC message is known by its XID, its direction and its size, and
 * by the IP identification where there is one; a copy that is sent again has all of these but the
 * last, and Linux sends most datagrams with none: then it must come at about the same time, as the
 * clocks are aligned. What is left at both sides is not placed.
 *
 * Bounded: so many segments wait, of so many connections; what is above is told as not placed.
 */
#ifndef INGEST_ENDS_H
#define INGEST_ENDS_H

#include "event/event.h"
#include "ingest/survey/survey.h"
#include "proto/packet.h"

enum {
	ENDS_SEGMENTS_MAX = 32768, /* that wait */
	ENDS_CONNS_MAX = 8192,     /* that have waiting segments, or had lately */
	ENDS_PAIRS_MAX = 8,        /* other captures of one connection at one time */
	ENDS_STEPS_MAX = 1024,     /* waiting segments that are compared with a new one */
};

/* Nothing is on its way for longer, and few clocks are further apart once they are aligned. */
#define ENDS_WAIT_NS (60 * STAMP_NS_PER_S)

/* So near to its ends a capture may be starting, or be stopped. */
#define ENDS_MARGIN_NS STAMP_NS_PER_S

struct ends;

/* Both outlive it. */
struct ends *ends_create(const struct survey *survey, const struct event_board *board);

/* ends_destroy(NULL) is fine. */
void ends_destroy(struct ends *e);

/*
 * Takes a TCP segment, or a UDP datagram, of a connection that the survey knows. `conn` is the
 * connection as the speaker's frames make it, NULL when this capture does not speak; `is_rpc`
 * false: it is known to carry no RPC.
 */
void ends_take(struct ends *e, const struct survey_answer *answer, const struct provenance *at,
	       const struct packet *packet, const struct conn *conn, bool is_rpc);

/* After the last frame: places what still waits. */
void ends_finish(struct ends *e);

#endif
