/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reassembly of IP fragments (RFC 791 section 3.2, RFC 8200 section 4.5) for UDP, TCP and tunnels.
 *
 * Memory is bounded by the caps below; time is an argument, in nanoseconds of the capture's clock.
 * Where fragments overlap the bytes that came first stay (an overlap is counted). A datagram of
 * which a fragment is missing is never delivered: the packet of its first fragment is lost for us,
 * and counted when it is given up.
 */
#ifndef PROTO_IPFRAG_H
#define PROTO_IPFRAG_H

#include "base/map.h"
#include "proto/packet.h"

enum {
	IPFRAG_DATAGRAMS_MAX = 1024,       /* being put together at a time */
	IPFRAG_BYTES_MAX = 16 << 20,       /* held by all of them */
	IPFRAG_DATAGRAM_BYTES_MAX = 65535, /* one datagram's payload */
	IPFRAG_PIECES_MAX = 256,           /* separate runs of bytes in one datagram */
};

#define IPFRAG_TIMEOUT_NS (INT64_C(30) * 1000000000) /* as in Linux: net.ipv4.ipfrag_time */

struct ipfrag_datagram;

struct ipfrag {
	struct map datagrams;
	struct ipfrag_datagram *oldest; /* list in order of their first fragment */
	struct ipfrag_datagram *newest;
	struct ipfrag_datagram *done; /* whose payload was delivered last */
	size_t held_bytes;
	uint64_t completed_count;
	uint64_t given_up_count; /* timed out, or pushed out by the caps */
	uint64_t overlap_count;  /* fragments that told some bytes again */
	uint64_t bad_count;      /* fragments that contradict each other */
};

void ipfrag_init(struct ipfrag *f);
void ipfrag_deinit(struct ipfrag *f);

/*
 * Adds a packet of kind PACKET_FRAGMENT at the time now_ns. True when it completes a datagram: then
 * *whole is the packet as if it had not been fragmented (PACKET_TCP, PACKET_UDP; PACKET_OTHER
 * never), its payload borrowed until the next ipfrag_add. Fragments that are captured in part (snap
 * length) count as there: the payload ends where the first bytes are missing.
 */
bool ipfrag_add(struct ipfrag *f, const struct packet *fragment, int64_t now_ns,
		struct packet *whole);

#endif
