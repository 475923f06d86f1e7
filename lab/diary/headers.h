/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Headers of IP (RFC 791, RFC 8200), TCP (RFC 9293) and UDP (RFC 768) for bytes that have none. */
#ifndef LAB_DIARY_HEADERS_H
#define LAB_DIARY_HEADERS_H

#include "base/slice.h"
#include "net/address.h"

enum {
	HEADERS_BYTES_MAX = 40 + 20 + 8,  /* IPv6, TCP, the options of a SYN */
	HEADERS_PAYLOAD_BYTES_MAX = 60000 /* of one packet */
};

enum headers_flag {
	HEADERS_FIN = 1,
	HEADERS_SYN = 2,
	HEADERS_RST = 4,
	HEADERS_PSH = 8,
	HEADERS_ACK = 16,
};

/* One packet. Both addresses are of one family. */
struct headers_packet {
	const struct net_address *from, *to;
	bool is_udp;
	uint8_t flags; /* TCP */
	uint32_t sequence, acknowledged;
	struct slice payload; /* at most HEADERS_PAYLOAD_BYTES_MAX */
};

/* Writes the headers, checksums included; returns their length. */
size_t headers_write(const struct headers_packet *p, uint8_t out[HEADERS_BYTES_MAX]);

#endif
