/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets as tcpdump prints them (print-ip.c and print-tcp.c of tcpdump 4): a time, two addresses
 * with their ports, flags and numbers of a TCP segment, in one line or, with -v, in two. Names of
 * hosts (without -n) tell no address, and their lines are not read.
 *
 * tcpdump prints the numbers of a connection's first segment as they are and then counts from it,
 * and no sequence number where a segment has no data: packet_numbers makes one count of that.
 */
#ifndef EVIDENCE_PACKET_DUMP_H
#define EVIDENCE_PACKET_DUMP_H

#include "base/map.h"
#include "evidence/line/packet_line.h"

enum { PACKET_NUMBERS_MAX = 1024 };

/* What lines leave behind for those that follow; all zero at first. */
struct packet_dump {
	bool open;                /* the packet of the line before goes on in this one */
	struct packet_line front; /* what that line told */
	bool begun;
	int64_t last_ns, day_ns; /* times of the day begin anew at midnight */
	int64_t sum_ns;          /* of the times, if each counts from the packet before (-ttt) */
	bool from_zero, fell;    /* the first was 0; some were less than the one before */
};

/*
 * One line of a text. True when it is one of tcpdump's, *out is it then: PACKET_LINE_ROW or _TCP,
 * or _OTHER for the first of two.
 */
bool packet_dump_parse(struct packet_dump *d, struct slice text, struct packet_line *out);

/* True when the times of the rows are those between packets: their sum_ns is the time then. */
bool packet_dump_counts_deltas(const struct packet_dump *d);

/* "123 packets captured", at the end: how many there were; false: another line. */
bool packet_dump_total(struct slice text, uint64_t *out);

/* Connections so far. */
struct packet_numbers {
	struct map talks; /* private to packet_dump.c */
	enum {
		NUMBERS_UNDECIDED,
		NUMBERS_COUNTED,
		NUMBERS_ABSOLUTE, /* -S: those of the headers */
	} style;
};

void packet_numbers_init(struct packet_numbers *n);
void packet_numbers_deinit(struct packet_numbers *n);

/*
 * A segment in the order of the lines: makes its numbers relative to its connection's first. False:
 * there are more connections than PACKET_NUMBERS_MAX, and this one is not known.
 */
bool packet_numbers_take(struct packet_numbers *n, struct packet_line *t);

#endif
