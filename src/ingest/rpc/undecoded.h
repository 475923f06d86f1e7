/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counts what could not be decoded, by reason: nothing is dropped in silence. */
#ifndef INGEST_UNDECODED_H
#define INGEST_UNDECODED_H

#include "ingest/ingest.h"

/* The reasons; their texts are in undecoded.c and part of what `show summary` prints. */
enum undecoded_reason {
	UNDECODED_CUT,          /* cut by the snap length */
	UNDECODED_LOST,         /* bytes that the capture has not got */
	UNDECODED_MALFORMED,    /* contradicts its specification */
	UNDECODED_HEADER,       /* no RPC header */
	UNDECODED_NO_CALL,      /* a reply whose call is not in the evidence */
	UNDECODED_SEALED,       /* RPCSEC_GSS with privacy */
	UNDECODED_PROGRAM,      /* no specification of that program and version */
	UNDECODED_PROCEDURE,    /* no such procedure in it */
	UNDECODED_TABLE_FULL,   /* too many calls without a reply: the oldest was given up */
	UNDECODED_UNKNOWN_LINK, /* frames of a link type that is not read */
	UNDECODED_BAD_PACKET,   /* IP or TCP headers that contradict themselves */
	UNDECODED_CUT_PACKET,   /* captured too short for its headers */
	UNDECODED_FRAGMENT,     /* IP fragments whose packet was not completed */
	UNDECODED_FRAMING,      /* record marks that are none */
	UNDECODED_TLS,          /* connections that are encrypted (RFC 9289) */
	UNDECODED_FLOW_EVICTED, /* too many connections: the idlest was given up */
	UNDECODED_ECHO,         /* connections told once that are shown twice (flow_echo.c) */
	UNDECODED_COUNT,
};

const char *undecoded_text(enum undecoded_reason reason);

#endif
