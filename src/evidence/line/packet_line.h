/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A line of a list of packets as Wireshark and tshark print it: number, time, source, destination,
 * protocol, length, info. What the info of a TCP segment tells is taken apart; it knows nothing of
 * what other protocols say.
 */
#ifndef EVIDENCE_PACKET_LINE_H
#define EVIDENCE_PACKET_LINE_H

#include "base/slice.h"

enum packet_line_kind {
	PACKET_LINE_OTHER, /* no line of such a list */
	PACKET_LINE_HEAD,  /* "No. Time Source Destination ..." */
	PACKET_LINE_ROW,   /* a packet of which no segment is told */
	PACKET_LINE_TCP,
};

/* Options that a segment has not are 0; so is the window scale, whose factor is told. */
struct packet_line {
	enum packet_line_kind kind;
	uint64_t number; /* of the packet in its capture; 0: not told */
	bool dated; /* ns counts from 1970, in the zone of who printed it; else from anywhere */
	int64_t ns;
	bool is_v6;
	uint8_t source[16], destination[16]; /* 4 bytes of them, or all */
	/* PACKET_LINE_TCP */
	uint16_t source_port, destination_port;
	uint8_t flags;     /* as in the header of TCP */
	bool again;        /* marked as sent again */
	uint32_t seq, ack; /* relative to the connection's first, as a rule */
	uint32_t window, length;
	uint32_t mss, scale;
	bool sack_permitted, has_times;
	uint32_t time, echo; /* TSval, TSecr */
	/* Of tcpdump, see packet_dump.h */
	bool is_dump;
	bool has_seq;   /* else seq is not told */
	int64_t sum_ns; /* of all times up to this one */
};

void packet_line_parse(struct slice text, struct packet_line *out);

/* Parts of such lines. Each is false, and *out is not to be used, when it is not one. */
bool packet_line_address(struct slice word, uint8_t *out, bool *is_v6);
bool packet_line_port(struct slice word, uint16_t *out);
/* "12.345678": since the first packet, or since 1970. */
bool packet_line_seconds(struct slice word, struct packet_line *out);
/* "19:41:44.044159": since midnight, with decimals. */
bool packet_line_clock(struct slice word, int64_t *ns);
/* "2025-06-27 19:41:44.044159", two words of one line. */
bool packet_line_date(struct slice date, struct slice time, struct packet_line *out);
/* The number behind this text. */
bool packet_line_number(struct slice info, const char *name, uint32_t *out);

#endif
