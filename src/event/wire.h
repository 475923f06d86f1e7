/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a segment of a connection was seen, of two captures that both watch it: the one that speaks
 * for the connection, and another. Which of the two is nearer to whom is not told here.
 */
#ifndef EVENT_WIRE_H
#define EVENT_WIRE_H

#include "event/ident.h"

enum wire_fact {
	WIRE_BOTH,     /* in both captures */
	WIRE_ONE,      /* in one, and not in the other although that goes on for its time */
	WIRE_UNPLACED, /* there was no room to wait for it in the other */
};

enum wire_kind {
	WIRE_SYN,
	WIRE_SYN_ACK,
	WIRE_DATA, /* also that of a keep-alive */
	WIRE_FIN,  /* alone, or with data */
	WIRE_RST,
	WIRE_BARE, /* an acknowledgement alone */
};

/* Of a segment that one capture does not show. */
enum wire_fate {
	WIRE_FATE_OPEN,     /* no copy of it came, and it was not acknowledged */
	WIRE_FATE_LOST,     /* it was sent again, and a later copy came before an acknowledgement */
	WIRE_FATE_RECEIVED, /* acknowledged although no copy came: that capture has missed it */
};

enum { WIRE_SPEAKER, WIRE_OTHER };

struct event_wire {
	enum wire_fact fact;
	enum wire_kind kind;
	enum wire_fate fate;     /* WIRE_ONE */
	bool from_high;          /* sent by the higher of the connection's endpoints */
	bool again;              /* its bytes had been sent before */
	bool sure;               /* WIRE_BOTH: the timestamp or the IP identification is the same */
	bool in_row;             /* WIRE_ONE: so was the one before it, of this side */
	uint8_t seen;            /* WIRE_ONE, WIRE_UNPLACED: by whom: WIRE_SPEAKER, WIRE_OTHER */
	uint32_t bytes;          /* of payload that are meant */
	uint32_t other;          /* evidence; the speaker's is in the connection */
	struct provenance at[2]; /* by WIRE_SPEAKER, WIRE_OTHER; FRAME_NONE where it is not */
	/* The connection's endpoints in the other capture, the higher one of the speaker's second;
	 * port 0: it was not seen there. */
	struct endpoint ends[2];
};

#endif
