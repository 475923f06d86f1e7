// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A frame down to its transport header, see packet.h.
 *
 * Follows RFC 791 and 8200 (IP), 9293 and 7323 (TCP), 768 (UDP), 792 and 4443 (ICMP), 826 (ARP),
 * IEEE 802.1Q, and www.tcpdump.org/linktypes.html for the cooked link layers.
 *
 * Each layer has a cursor of its own that knows how many bytes the layer has and how many of them
 * are here: what a fault means (captured in part, or contradictory) follows from that.
 */
#include "proto/packet.h"

#include "proto/packet_link.h"
#include "proto/packet_tunnel.h"

enum {
	IPV4_HEADER_BYTES = 20,
	IPV4_MORE_FRAGMENTS = 0x2000,
	IPV4_OFFSET_MASK = 0x1fff,
	IPV6_HEADER_BYTES = 40,
	IPV6_HEADERS_MAX = 16,
	IPV6_OFFSET_MASK = 0xfff8,
	IPV6_MORE_FRAGMENTS = 0x0001,
};

enum {
	IPPROTO_HOP_BY_HOP = 0,
	IPPROTO_ICMPV4 = 1,
	IPPROTO_TCP_ = 6,
	IPPROTO_UDP_ = 17,
	IPPROTO_ROUTE = 43,
	IPPROTO_FRAGMENT_ = 44,
	IPPROTO_AUTH = 51,
	IPPROTO_ICMPV6_ = 58,
	IPPROTO_DEST_OPTIONS = 60,
};

enum {
	TCP_HEADER_BYTES = 20,
	TCP_OPT_END = 0,
	TCP_OPT_NOP = 1,
	TCP_OPT_MSS = 2,
	TCP_OPT_WSCALE = 3,
	TCP_OPT_TIMESTAMPS = 8,
	UDP_HEADER_BYTES = 8,
};

enum {
	ICMP_UNREACHABLE = 3,
	ICMP_FRAGMENTATION_NEEDED = 4,
	ICMPV6_TOO_BIG = 2,
};

/* The kind of a frame whose headers could not be read to their end. */
static void packet_fail(const struct cursor *c, struct packet *out)
{
	out->kind = c->fault == CURSOR_CUT ? PACKET_CUT : PACKET_BAD;
}

static void packet_bad(struct packet *out)
{
	out->kind = PACKET_BAD;
}

/* Ends the layer after wire_bytes (at most what is left, or the rest was never captured). */
static void cursor_end_layer(struct cursor *c, size_t wire_bytes)
{
	size_t here = cursor_here(c);

	if (here > wire_bytes)
		here = wire_bytes;
	c->end = c->pos + here;
	c->tail_end = c->end;
	c->gap = wire_bytes - here;
	c->missing = 0;
}

/*
 * Headers of fixed length are taken in one piece, with one check: this is the hottest path of all.
 * NULL: they are not all there.
 */
static const uint8_t *cursor_header(struct cursor *c, size_t bytes)
{
	const uint8_t *p = c->pos;

	if (!cursor_need(c, bytes))
		return NULL;
	c->pos += bytes;
	return p;
}

static uint16_t get_u16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return __builtin_bswap16(v);
}

static uint32_t get_u32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return __builtin_bswap32(v);
}

/* What is left of c is the payload. */
static void packet_set_payload(const struct cursor *c, struct packet *out)
{
	out->payload = slice_make(c->pos, cursor_here(c));
	out->payload_wire_bytes = cursor_left(c);
}

/*
 * A transport header of which only the front is here: the ports, and in TCP the number, are enough
 * to tell whose it is. A packet that an ICMP message quotes looks like that.
 */
static void transport_parse_front(struct cursor *c, size_t header_bytes, struct packet *out)
{
	const uint8_t *p = c->pos;
	size_t here = cursor_here(c);

	if (here >= 4) {
		out->src_port = get_u16(p);
		out->dst_port = get_u16(p + 2);
	}
	if (here >= 8 && header_bytes == TCP_HEADER_BYTES)
		out->tcp.seq = get_u32(p + 4);
	cursor_need(c, header_bytes);
	packet_fail(c, out);
}

static void tcp_parse_option(uint8_t kind, const uint8_t *value, size_t len, struct packet_tcp *tcp)
{
	if (kind == TCP_OPT_TIMESTAMPS && len == 8) {
		tcp->has_timestamps = true;
		tcp->tsval = get_u32(value);
		tcp->tsecr = get_u32(value + 4);
	} else if (kind == TCP_OPT_MSS && len == 2) {
		tcp->mss = get_u16(value);
	} else if (kind == TCP_OPT_WSCALE && len == 1) {
		tcp->wscale = value[0];
	}
}

/* Options as far as they are here. */
static void tcp_parse_options(const uint8_t *p, size_t len, struct packet_tcp *tcp)
{
	size_t at = 0;

	/* what nearly every segment has: two fillers, then the timestamps */
	if (len == 12 && get_u32(p) == 0x0101080a) {
		tcp_parse_option(TCP_OPT_TIMESTAMPS, p + 4, 8, tcp);
		return;
	}
	while (at < len && p[at] != TCP_OPT_END) {
		size_t option_bytes;

		if (p[at] == TCP_OPT_NOP) {
			at++;
			continue;
		}
		if (len - at < 2)
			return;
		option_bytes = p[at + 1];
		if (option_bytes < 2 || option_bytes > len - at)
			return;
		tcp_parse_option(p[at], p + at + 2, option_bytes - 2, tcp);
		at += option_bytes;
	}
}

/* Sum of less than 2^16 words of 32 bits, folded to 16 bits: 0 for nothing only. */
static uint16_t sum_fold(uint64_t sum)
{
	sum = (sum & 0xffff) + ((sum >> 16) & 0xffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

/* RFC 9293 section 3.1; the prefix of a mapped address adds 0xffff, which is 0 here. */
static uint16_t tcp_pseudo_sum(const struct packet *p, size_t tcp_bytes)
{
	enum { IPV4_AT = PACKET_ADDR_BYTES - 4 };
	uint64_t sum = IPPROTO_TCP_ + tcp_bytes;

	sum += (uint64_t)get_u32(p->src + IPV4_AT) + get_u32(p->dst + IPV4_AT);
	for (size_t i = 0; i < IPV4_AT && p->ip_version == 6; i += 4)
		sum += (uint64_t)get_u32(p->src + i) + get_u32(p->dst + i);
	return sum_fold(sum);
}

/*
 * A header of which the fixed part is here: `here` bytes from p on, of `wire_bytes` that the
 * segment has. An option list that is cut by the snap length leaves the segment as it is: it has no
 * payload.
 */
static inline void tcp_read(const uint8_t *p, size_t here, size_t wire_bytes, struct packet *out)
{
	struct packet_tcp *tcp = &out->tcp;
	size_t header_bytes = (size_t)(p[12] >> 4) * 4;
	size_t header_here = header_bytes < here ? header_bytes : here;

	tcp->wscale = 0xff;
	out->src_port = get_u16(p);
	out->dst_port = get_u16(p + 2);
	tcp->seq = get_u32(p + 4);
	tcp->ack = get_u32(p + 8);
	tcp->flags = p[13];
	tcp->window = get_u16(p + 14);
	if (header_bytes < TCP_HEADER_BYTES || header_bytes > wire_bytes) {
		packet_bad(out);
		return;
	}
	out->kind = PACKET_TCP;
	tcp->sum_unfilled = get_u16(p + 16) == tcp_pseudo_sum(out, wire_bytes);
	out->payload_wire_bytes = wire_bytes - header_bytes;
	out->payload = slice_make(p + header_here, here - header_here);
	tcp_parse_options(p + TCP_HEADER_BYTES, header_here - TCP_HEADER_BYTES, tcp);
}

static void tcp_parse(struct cursor *c, struct packet *out)
{
	const uint8_t *p = c->pos;

	if (cursor_here(c) < TCP_HEADER_BYTES) {
		transport_parse_front(c, TCP_HEADER_BYTES, out);
		return;
	}
	tcp_read(p, cursor_here(c), cursor_left(c), out);
	c->pos += TCP_HEADER_BYTES;
}

static void udp_parse(struct cursor *c, struct packet *out)
{
	const uint8_t *p = c->pos;
	size_t len;

	if (cursor_here(c) < UDP_HEADER_BYTES) {
		transport_parse_front(c, UDP_HEADER_BYTES, out);
		return;
	}
	c->pos += UDP_HEADER_BYTES;
	out->src_port = get_u16(p);
	out->dst_port = get_u16(p + 2);
	len = get_u16(p + 4);
	if (len == 0) /* a jumbogram (RFC 2675), or to be filled in by the network card */
		len = cursor_left(c) + UDP_HEADER_BYTES;
	if (len < UDP_HEADER_BYTES || len - UDP_HEADER_BYTES > cursor_left(c)) {
		packet_bad(out);
		return;
	}
	cursor_end_layer(c, len - UDP_HEADER_BYTES);
	out->kind = PACKET_UDP;
	packet_set_payload(c, out);
}

/* All messages have eight bytes of header; those about a packet quote it behind them. */
static void icmp_parse(struct cursor *c, struct packet *out)
{
	uint32_t rest;

	out->icmp_type = cursor_u8(c);
	out->icmp_code = cursor_u8(c);
	if (!cursor_ok(c)) {
		packet_fail(c, out);
		return;
	}
	out->kind = PACKET_ICMP;
	cursor_skip(c, 2);
	rest = cursor_u32(c);
	if (!cursor_ok(c))
		return;
	if (out->ip_version == 6 && out->icmp_type == ICMPV6_TOO_BIG)
		out->icmp_mtu = rest;
	else if (out->ip_version == 4 && out->icmp_type == ICMP_UNREACHABLE &&
		 out->icmp_code == ICMP_FRAGMENTATION_NEEDED)
		out->icmp_mtu = rest & 0xffff;
	packet_set_payload(c, out);
}

static void transport_parse(struct cursor *c, struct packet *out)
{
	switch (out->ip_proto) {
	case IPPROTO_TCP_:
		tcp_parse(c, out);
		break;
	case IPPROTO_UDP_:
		udp_parse(c, out);
		break;
	case IPPROTO_ICMPV4:
	case IPPROTO_ICMPV6_:
		icmp_parse(c, out);
		break;
	default:
		out->kind = PACKET_OTHER;
	}
}

static void fragment_parse(struct cursor *c, struct packet *out)
{
	out->kind = PACKET_FRAGMENT;
	packet_set_payload(c, out);
}

/* ::ffff:a.b.c.d; the bytes before are zero. */
static void put_ipv4(uint8_t *to, const uint8_t *addr)
{
	to[10] = 0xff;
	to[11] = 0xff;
	memcpy(to + 12, addr, 4);
}

static void ipv4_parse(struct cursor *c, struct packet *out)
{
	const uint8_t *p = cursor_header(c, IPV4_HEADER_BYTES);
	size_t header_bytes;
	size_t total;
	uint16_t fragment;

	out->ip_version = 4;
	if (!p) {
		packet_fail(c, out);
		return;
	}
	header_bytes = (size_t)(p[0] & 0xf) * 4;
	total = get_u16(p + 2);
	out->ip_id = get_u16(p + 4);
	fragment = get_u16(p + 6);
	out->ttl = p[8];
	out->ip_proto = p[9];
	put_ipv4(out->src, p + 12);
	put_ipv4(out->dst, p + 16);
	if (header_bytes > IPV4_HEADER_BYTES)
		cursor_skip(c, header_bytes - IPV4_HEADER_BYTES);
	if (!cursor_ok(c)) {
		packet_fail(c, out);
		return;
	}
	if (total == 0) /* to be filled in by the network card, which cuts the segment in pieces */
		total = header_bytes + cursor_left(c);
	if (p[0] >> 4 != 4 || header_bytes < IPV4_HEADER_BYTES || total < header_bytes) {
		packet_bad(out);
		return;
	}
	cursor_end_layer(c, total - header_bytes);
	if ((fragment & (IPV4_MORE_FRAGMENTS | IPV4_OFFSET_MASK)) == 0) {
		transport_parse(c, out);
		return;
	}
	out->frag_more = (fragment & IPV4_MORE_FRAGMENTS) != 0;
	out->frag_off = (uint16_t)((fragment & IPV4_OFFSET_MASK) * 8);
	fragment_parse(c, out);
}

/* Bytes of an extension header after its first two, or -1 when the protocol is none of them. */
static int ipv6_extension_bytes(uint8_t proto, uint8_t length)
{
	switch (proto) {
	case IPPROTO_HOP_BY_HOP:
	case IPPROTO_ROUTE:
	case IPPROTO_DEST_OPTIONS:
		return (length + 1) * 8 - 2;
	case IPPROTO_AUTH:
		return (length + 2) * 4 - 2;
	case IPPROTO_FRAGMENT_:
		return 6;
	default:
		return -1;
	}
}

/* The fragment header behind its first two bytes; true: this is a fragment. */
static bool ipv6_fragment_parse(struct cursor *c, struct packet *out)
{
	uint16_t fragment = cursor_u16(c);

	out->ip_id = cursor_u32(c);
	out->frag_more = (fragment & IPV6_MORE_FRAGMENTS) != 0;
	out->frag_off = fragment & IPV6_OFFSET_MASK;
	return out->frag_more || out->frag_off > 0;
}

/* Walks the extension headers; ends at the transport header or at a fragment. */
static void ipv6_parse_inner(struct cursor *c, struct packet *out)
{
	for (int i = 0; i < IPV6_HEADERS_MAX; i++) {
		uint8_t proto = out->ip_proto;
		uint8_t next;
		int more;

		if (ipv6_extension_bytes(proto, 0) < 0) {
			transport_parse(c, out);
			return;
		}
		next = cursor_u8(c);
		more = ipv6_extension_bytes(proto, cursor_u8(c));
		out->ip_proto = next;
		if (proto == IPPROTO_FRAGMENT_) {
			if (ipv6_fragment_parse(c, out) && cursor_ok(c)) {
				fragment_parse(c, out);
				return;
			}
		} else {
			cursor_skip(c, (size_t)more);
		}
		if (!cursor_ok(c)) {
			packet_fail(c, out);
			return;
		}
	}
	packet_bad(out);
}

static void ipv6_parse(struct cursor *c, struct packet *out)
{
	const uint8_t *p = cursor_header(c, IPV6_HEADER_BYTES);
	size_t len;

	out->ip_version = 6;
	if (!p) {
		packet_fail(c, out);
		return;
	}
	len = get_u16(p + 4);
	out->ip_proto = p[6];
	out->ttl = p[7];
	memcpy(out->src, p + 8, sizeof(out->src));
	memcpy(out->dst, p + 24, sizeof(out->dst));
	if (p[0] >> 4 != 6) {
		packet_bad(out);
		return;
	}
	if (len == 0) /* longer than the field can tell: before segmentation by the card */
		len = cursor_left(c);
	cursor_end_layer(c, len);
	ipv6_parse_inner(c, out);
}

/* Only of IPv4 over hardware addresses of six bytes; others are not ours. */
static void arp_parse(struct cursor *c, struct packet *out)
{
	const uint8_t *p = cursor_header(c, 8);

	if (!p) {
		packet_fail(c, out);
		return;
	}
	out->kind = PACKET_OTHER;
	if (get_u16(p + 2) != ETHERTYPE_IPV4 || p[4] != 6 || p[5] != 4)
		return;
	out->arp_op = get_u16(p + 6);
	p = cursor_header(c, 20);
	if (!p) {
		packet_fail(c, out);
		return;
	}
	put_ipv4(out->src, p + 6);
	put_ipv4(out->dst, p + 16);
	out->kind = PACKET_ARP;
}

static void network_parse(struct cursor *c, uint32_t type, struct packet *out)
{
	if (!cursor_ok(c)) {
		packet_fail(c, out);
		return;
	}
	out->kind = PACKET_OTHER;
	switch (type) {
	case ETHERTYPE_IPV4:
		ipv4_parse(c, out);
		break;
	case ETHERTYPE_IPV6:
		ipv6_parse(c, out);
		break;
	case ETHERTYPE_ARP:
		arp_parse(c, out);
		break;
	default:
		break;
	}
}

/* The innermost packet is the one that counts; what is around it ends with packet_tunnel_open. */
static void tunnels_parse(struct cursor *c, struct packet *out)
{
	uint32_t type;

	while (__builtin_expect(out->kind != PACKET_TCP, 0) && packet_tunnel_open(c, out, &type))
		network_parse(c, type, out);
}

/*
 * What nearly each frame is: Ethernet without tags, IPv4 without options, in one piece, and TCP. It
 * is read here with few checks, to the same result; false: it is another frame, and nothing was
 * told of it.
 */
static bool packet_parse_plain(struct slice frame, struct packet *out)
{
	enum { TCP_AT = ETHERNET_BYTES + IPV4_HEADER_BYTES, IPV4_PLAIN = 0x45 };
	const uint8_t *ip;
	size_t here, wire_bytes;

	if (frame.len < TCP_AT + TCP_HEADER_BYTES)
		return false;
	ip = frame.ptr + ETHERNET_BYTES;
	if (get_u16(ip - 2) != ETHERTYPE_IPV4 || ip[0] != IPV4_PLAIN || ip[9] != IPPROTO_TCP_ ||
	    get_u16(ip + 6) & (IPV4_MORE_FRAGMENTS | IPV4_OFFSET_MASK))
		return false;
	wire_bytes = get_u16(ip + 2);
	if (wire_bytes < IPV4_HEADER_BYTES + TCP_HEADER_BYTES)
		return false;
	wire_bytes -= IPV4_HEADER_BYTES;
	here = frame.len - TCP_AT < wire_bytes ? frame.len - TCP_AT : wire_bytes;
	out->ip_version = 4;
	out->ip_proto = IPPROTO_TCP_;
	out->ip_id = get_u16(ip + 4);
	out->ttl = ip[8];
	put_ipv4(out->src, ip + 12);
	put_ipv4(out->dst, ip + 16);
	tcp_read(ip + IPV4_HEADER_BYTES, here, wire_bytes, out);
	return true;
}

void packet_parse(uint32_t linktype, struct slice frame, size_t wire_bytes, struct packet *out)
{
	struct cursor c;
	uint32_t type;

	memset(out, 0, sizeof(*out));
	if (__builtin_expect(linktype == LINKTYPE_ETHERNET && packet_parse_plain(frame, out), 1))
		return;
	cursor_start(&c, frame, wire_bytes > frame.len ? wire_bytes - frame.len : 0);
	out->kind = PACKET_UNKNOWN_LINK;
	if (!packet_link_parse(linktype, &c, out, &type))
		return;
	network_parse(&c, type, out);
	tunnels_parse(&c, out);
}

void packet_parse_reassembled(struct packet *p)
{
	size_t missing = p->payload_wire_bytes - p->payload.len;
	struct cursor c = cursor_make_cut(p->payload, missing);

	p->frag_more = false;
	p->frag_off = 0;
	p->payload.len = 0;
	p->payload_wire_bytes = 0;
	if (p->ip_version == 6)
		ipv6_parse_inner(&c, p);
	else
		transport_parse(&c, p);
	tunnels_parse(&c, p);
}
