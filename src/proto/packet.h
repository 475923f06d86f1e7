/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One captured frame, decoded down to its transport header.
 *
 * Knows link layers, tunnels, IP and TCP/UDP/ICMP headers; keeps no state: fragments are
 * reassembled by proto/ipfrag.h, streams by proto/tcp.h. Addresses are 16 bytes; IPv4 is mapped
 * (::ffff:a.b.c.d, RFC 4291 section 2.5.5.2), so that a connection's key is the same for both.
 */
#ifndef PROTO_PACKET_H
#define PROTO_PACKET_H

#include "base/cursor.h"
#include "base/slice.h"

enum { PACKET_ADDR_BYTES = 16 };

/* What a frame turned out to be. */
enum packet_kind {
	PACKET_TCP,
	PACKET_UDP,
	PACKET_ICMP,     /* ICMP or ICMPv6 */
	PACKET_ARP,      /* request or reply */
	PACKET_FRAGMENT, /* an IP fragment, to be reassembled; its payload is that of IP */
	PACKET_OTHER,    /* another protocol: not ours */
	PACKET_CUT,      /* captured too short for its headers; has its ports if they are there */
	PACKET_BAD,      /* headers contradict themselves */
	PACKET_UNKNOWN_LINK, /* a link type that we cannot read */
};

enum {
	TCP_FIN = 0x01,
	TCP_SYN = 0x02,
	TCP_RST = 0x04,
	TCP_PSH = 0x08,
	TCP_ACK = 0x10,
	TCP_URG = 0x20,
};

struct packet_tcp {
	uint32_t seq;    /* raw sequence number */
	uint32_t ack;    /* raw acknowledgement number; valid with TCP_ACK */
	uint16_t window; /* as sent, not scaled */
	uint8_t flags;   /* TCP_* */
	bool has_timestamps;
	uint32_t tsval; /* RFC 7323; 0 without has_timestamps */
	uint32_t tsecr;
	uint16_t mss;   /* option of a SYN; 0: none */
	uint8_t wscale; /* option of a SYN; 0xff: none */
	/* The checksum is that of the pseudo header alone: the sender's card has yet to fill it in
	 * (Linux CHECKSUM_PARTIAL, __tcp_v4_send_check in net/ipv4/tcp_ipv4.c). */
	bool sum_unfilled;
};

struct packet {
	/* What a segment of TCP needs; see struct ingest_packet. */
	enum packet_kind kind;
	uint8_t ttl;        /* TTL or hop limit */
	uint8_t ip_version; /* 4, 6; 0: none (ARP) */
	uint8_t ip_proto;   /* protocol number behind the IP headers */
	bool outgoing;      /* the link layer says that this host sent it (cooked capture) */
	uint8_t src[PACKET_ADDR_BYTES];
	uint8_t dst[PACKET_ADDR_BYTES];
	uint16_t src_port; /* TCP and UDP; 0 otherwise */
	uint16_t dst_port;
	uint32_t ip_id;            /* IPv4 identification; 0 in IPv6 without fragment header */
	struct slice payload;      /* transport payload that is here, borrowed from the frame */
	size_t payload_wire_bytes; /* transport payload on the wire, >= payload.len */
	struct packet_tcp tcp;     /* PACKET_TCP only */
	/* and the others */
	uint8_t tunnels;   /* packets around this one, of which nothing is kept */
	bool frag_more;    /* PACKET_FRAGMENT: not the last one */
	uint16_t frag_off; /* PACKET_FRAGMENT: offset of the payload in the datagram, bytes */
	uint8_t icmp_type; /* PACKET_ICMP: type and code; the payload is the quoted packet */
	uint8_t icmp_code;
	uint16_t arp_op;   /* PACKET_ARP: 1 request, 2 reply; src and dst are the two hosts' */
	uint32_t icmp_mtu; /* of the next hop (fragmentation needed, packet too big); 0: not told */
};

/* Link types as in pcap (www.tcpdump.org/linktypes.html) that packet_parse reads. */
enum {
	LINKTYPE_NULL = 0,
	LINKTYPE_ETHERNET = 1,
	LINKTYPE_RAW = 101,
	LINKTYPE_LOOP = 108,
	LINKTYPE_LINUX_SLL = 113,
	LINKTYPE_IPV4 = 228,
	LINKTYPE_IPV6 = 229,
	LINKTYPE_LINUX_SLL2 = 276,
};

/*
 * Parses a frame of which `frame` was captured out of wire_bytes. Never fails: what cannot be read
 * is told by `kind`. All slices point into `frame`.
 */
void packet_parse(uint32_t linktype, struct slice frame, size_t wire_bytes, struct packet *out);

/*
 * For a packet whose payload was put together from fragments (kind PACKET_FRAGMENT, all of IP's
 * payload): parses what stands behind the IP headers, as if it had come in one piece.
 */
void packet_parse_reassembled(struct packet *p);

#endif
