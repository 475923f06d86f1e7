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

enum {
	ETHERTYPE_NONE = 0,       /* not one of ours */
	ETHERTYPE_BY_VERSION = 1, /* IP of the version that its first byte tells */
	ETHERTYPE_IPV4 = 0x0800,
	ETHERTYPE_ARP = 0x0806,
	ETHERTYPE_VLAN = 0x8100,
	ETHERTYPE_IPV6 = 0x86dd,
	ETHERTYPE_QINQ = 0x88a8,
	ETHERTYPE_QINQ_OLD = 0x9100,
	VLAN_TAGS_MAX = 4,
};

enum {
	SLL_OUTGOING = 4,
	AF_INET_ANY = 2, /* the same everywhere */
	NULL_FAMILY_MAX = 0xffff,
};

enum {
	IPV4_HEADER_BYTES = 20,
	IPV4_MORE_FRAGMENTS = 0x2000,
	IPV4_OFFSET_MASK = 0x1fff,
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

/* A cursor over the next wire_bytes of c, of which as many are here as there are. */
static struct cursor cursor_layer(const struct cursor *c, size_t wire_bytes)
{
	size_t here = cursor_here(c);

	if (here > wire_bytes)
		here = wire_bytes;
	return cursor_make_cut(slice_make(c->pos, here), wire_bytes - here);
}

/* What is left of c is the payload. */
static void packet_set_payload(const struct cursor *c, struct packet *out)
{
	out->payload = slice_make(c->pos, cursor_here(c));
	out->payload_wire_bytes = cursor_left(c);
}

static void tcp_parse_options(struct cursor *c, struct packet_tcp *tcp)
{
	while (cursor_here(c) > 0) {
		uint8_t kind = cursor_u8(c);
		struct cursor value;
		uint8_t len;

		if (kind == TCP_OPT_NOP)
			continue;
		if (kind == TCP_OPT_END)
			return;
		len = cursor_u8(c);
		if (len < 2 || (size_t)(len - 2) > cursor_here(c))
			return;
		value = cursor_make(slice_make(c->pos, len - 2U));
		cursor_skip(c, len - 2U);
		if (kind == TCP_OPT_TIMESTAMPS && len == 10) {
			tcp->has_timestamps = true;
			tcp->tsval = cursor_u32(&value);
			tcp->tsecr = cursor_u32(&value);
		} else if (kind == TCP_OPT_MSS && len == 4) {
			tcp->mss = cursor_u16(&value);
		} else if (kind == TCP_OPT_WSCALE && len == 3) {
			tcp->wscale = cursor_u8(&value);
		}
	}
}

/* An option list that is cut by the snap length leaves the segment as it is: it has no payload. */
static void tcp_parse(struct cursor *c, struct packet *out)
{
	struct packet_tcp *tcp = &out->tcp;
	struct cursor options;
	uint16_t offset_flags;
	size_t header_bytes;

	tcp->wscale = 0xff;
	out->src_port = cursor_u16(c);
	out->dst_port = cursor_u16(c);
	tcp->seq = cursor_u32(c);
	tcp->ack = cursor_u32(c);
	offset_flags = cursor_u16(c);
	tcp->flags = (uint8_t)offset_flags;
	tcp->window = cursor_u16(c);
	cursor_skip(c, 4);
	if (!cursor_ok(c)) {
		packet_fail(c, out);
		return;
	}
	header_bytes = (size_t)(offset_flags >> 12) * 4;
	if (header_bytes < TCP_HEADER_BYTES || header_bytes - TCP_HEADER_BYTES > cursor_left(c)) {
		packet_bad(out);
		return;
	}
	options = cursor_layer(c, header_bytes - TCP_HEADER_BYTES);
	out->kind = PACKET_TCP;
	out->payload_wire_bytes = cursor_left(c) - cursor_left(&options);
	if (cursor_here(&options) < cursor_left(&options)) {
		out->payload = slice_make(c->end, 0);
	} else {
		cursor_skip(c, cursor_here(&options));
		out->payload = slice_make(c->pos, cursor_here(c));
	}
	if (cursor_here(&options) > 0)
		tcp_parse_options(&options, tcp);
}

static void udp_parse(struct cursor *c, struct packet *out)
{
	struct cursor payload;
	size_t len;

	out->src_port = cursor_u16(c);
	out->dst_port = cursor_u16(c);
	len = cursor_u16(c);
	cursor_skip(c, 2);
	if (!cursor_ok(c)) {
		packet_fail(c, out);
		return;
	}
	if (len == 0) /* a jumbogram (RFC 2675), or to be filled in by the network card */
		len = cursor_left(c) + UDP_HEADER_BYTES;
	if (len < UDP_HEADER_BYTES || len - UDP_HEADER_BYTES > cursor_left(c)) {
		packet_bad(out);
		return;
	}
	payload = cursor_layer(c, len - UDP_HEADER_BYTES);
	out->kind = PACKET_UDP;
	packet_set_payload(&payload, out);
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

static void put_u32(uint8_t *to, uint32_t v)
{
	v = __builtin_bswap32(v);
	memcpy(to, &v, sizeof(v));
}

static void put_u64(uint8_t *to, uint64_t v)
{
	v = __builtin_bswap64(v);
	memcpy(to, &v, sizeof(v));
}

/* ::ffff:a.b.c.d; the bytes before are zero. */
static void put_ipv4(uint8_t *to, uint32_t addr)
{
	to[10] = 0xff;
	to[11] = 0xff;
	put_u32(to + 12, addr);
}

static void ipv4_parse(struct cursor *c, struct packet *out)
{
	uint8_t version_length = cursor_u8(c);
	size_t header_bytes = (size_t)(version_length & 0xf) * 4;
	struct cursor inner;
	size_t total;
	uint16_t fragment;

	out->ip_version = 4;
	cursor_skip(c, 1);
	total = cursor_u16(c);
	out->ip_id = cursor_u16(c);
	fragment = cursor_u16(c);
	out->ttl = cursor_u8(c);
	out->ip_proto = cursor_u8(c);
	cursor_skip(c, 2);
	put_ipv4(out->src, cursor_u32(c));
	put_ipv4(out->dst, cursor_u32(c));
	if (header_bytes > IPV4_HEADER_BYTES)
		cursor_skip(c, header_bytes - IPV4_HEADER_BYTES);
	if (!cursor_ok(c)) {
		packet_fail(c, out);
		return;
	}
	if (total == 0) /* to be filled in by the network card, which cuts the segment in pieces */
		total = header_bytes + cursor_left(c);
	if (version_length >> 4 != 4 || header_bytes < IPV4_HEADER_BYTES || total < header_bytes) {
		packet_bad(out);
		return;
	}
	inner = cursor_layer(c, total - header_bytes);
	if ((fragment & (IPV4_MORE_FRAGMENTS | IPV4_OFFSET_MASK)) == 0) {
		transport_parse(&inner, out);
		return;
	}
	out->frag_more = (fragment & IPV4_MORE_FRAGMENTS) != 0;
	out->frag_off = (uint16_t)((fragment & IPV4_OFFSET_MASK) * 8);
	fragment_parse(&inner, out);
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
	uint32_t version_flow = cursor_u32(c);
	size_t len = cursor_u16(c);
	struct cursor inner;

	out->ip_version = 6;
	out->ip_proto = cursor_u8(c);
	out->ttl = cursor_u8(c);
	put_u64(out->src, cursor_u64(c));
	put_u64(out->src + 8, cursor_u64(c));
	put_u64(out->dst, cursor_u64(c));
	put_u64(out->dst + 8, cursor_u64(c));
	if (!cursor_ok(c)) {
		packet_fail(c, out);
		return;
	}
	if (version_flow >> 28 != 6) {
		packet_bad(out);
		return;
	}
	if (len == 0) /* longer than the field can tell: before segmentation by the card */
		len = cursor_left(c);
	inner = cursor_layer(c, len);
	ipv6_parse_inner(&inner, out);
}

/* Only of IPv4 over hardware addresses of six bytes; others are not ours. */
static void arp_parse(struct cursor *c, struct packet *out)
{
	uint32_t types = cursor_u32(c);
	uint16_t lengths = cursor_u16(c);

	out->kind = PACKET_OTHER;
	if ((types & 0xffff) != ETHERTYPE_IPV4 || lengths != 0x0604) {
		if (!cursor_ok(c))
			packet_fail(c, out);
		return;
	}
	out->arp_op = cursor_u16(c);
	cursor_skip(c, 6);
	put_ipv4(out->src, cursor_u32(c));
	cursor_skip(c, 6);
	put_ipv4(out->dst, cursor_u32(c));
	if (cursor_ok(c))
		out->kind = PACKET_ARP;
	else
		packet_fail(c, out);
}

/* Leaves the VLAN tags behind; the type that stands after them. */
static uint32_t vlan_parse(struct cursor *c, uint32_t type)
{
	for (int i = 0; i < VLAN_TAGS_MAX; i++) {
		if (type != ETHERTYPE_VLAN && type != ETHERTYPE_QINQ && type != ETHERTYPE_QINQ_OLD)
			break;
		cursor_skip(c, 2);
		type = cursor_u16(c);
	}
	return type;
}

/* Each link layer: leaves its header behind and says what follows (ETHERTYPE_). */
static uint32_t ethernet_parse(struct cursor *c, struct packet *out)
{
	(void)out;
	cursor_skip(c, 12);
	return vlan_parse(c, cursor_u16(c));
}

static uint32_t sll_parse(struct cursor *c, struct packet *out)
{
	out->outgoing = cursor_u16(c) == SLL_OUTGOING;
	cursor_skip(c, 12);
	return vlan_parse(c, cursor_u16(c));
}

static uint32_t sll2_parse(struct cursor *c, struct packet *out)
{
	uint32_t type = cursor_u16(c);

	cursor_skip(c, 8);
	out->outgoing = cursor_u8(c) == SLL_OUTGOING;
	cursor_skip(c, 9);
	return vlan_parse(c, type);
}

/* BSD loopback: an address family, in the byte order of the host that captured (LOOP: of the net).
 */
static uint32_t null_parse(struct cursor *c, struct packet *out)
{
	uint32_t family = cursor_u32(c);

	(void)out;
	if (family > NULL_FAMILY_MAX)
		family = __builtin_bswap32(family);
	if (family == AF_INET_ANY)
		return ETHERTYPE_IPV4;
	/* AF_INET6 of Linux, NetBSD and OpenBSD, FreeBSD, macOS */
	if (family == 10 || family == 24 || family == 28 || family == 30)
		return ETHERTYPE_IPV6;
	return ETHERTYPE_NONE;
}

static uint32_t raw_parse(struct cursor *c, struct packet *out)
{
	(void)c;
	(void)out;
	return ETHERTYPE_BY_VERSION;
}

static uint32_t ipv4_link_parse(struct cursor *c, struct packet *out)
{
	(void)c;
	(void)out;
	return ETHERTYPE_IPV4;
}

static uint32_t ipv6_link_parse(struct cursor *c, struct packet *out)
{
	(void)c;
	(void)out;
	return ETHERTYPE_IPV6;
}

static const struct link_type {
	uint32_t linktype;
	uint32_t (*parse)(struct cursor *c, struct packet *out);
} link_types[] = {
	{LINKTYPE_ETHERNET, ethernet_parse}, /* the frequent ones first */
	{LINKTYPE_LINUX_SLL, sll_parse},
	{LINKTYPE_LINUX_SLL2, sll2_parse},
	{LINKTYPE_RAW, raw_parse},
	{LINKTYPE_NULL, null_parse},
	{LINKTYPE_LOOP, null_parse},
	{LINKTYPE_IPV4, ipv4_link_parse},
	{LINKTYPE_IPV6, ipv6_link_parse},
	/* DLT_RAW as libpcap of BSD and OpenBSD wrote it */
	{12, raw_parse},
	{14, raw_parse},
};

static const struct link_type *link_find(uint32_t linktype)
{
	for (size_t i = 0; i < sizeof(link_types) / sizeof(link_types[0]); i++) {
		if (link_types[i].linktype == linktype)
			return &link_types[i];
	}
	return NULL;
}

static uint32_t ethertype_by_version(const struct cursor *c)
{
	struct cursor copy = *c;
	uint8_t version = cursor_u8(&copy) >> 4;

	if (version == 4)
		return ETHERTYPE_IPV4;
	return version == 6 ? ETHERTYPE_IPV6 : ETHERTYPE_NONE;
}

void packet_parse(uint32_t linktype, struct slice frame, size_t wire_bytes, struct packet *out)
{
	const struct link_type *link = link_find(linktype);
	struct cursor c =
		cursor_make_cut(frame, wire_bytes > frame.len ? wire_bytes - frame.len : 0);
	uint32_t type;

	memset(out, 0, sizeof(*out));
	out->kind = PACKET_UNKNOWN_LINK;
	if (!link)
		return;
	type = link->parse(&c, out);
	if (type == ETHERTYPE_BY_VERSION && cursor_here(&c) > 0)
		type = ethertype_by_version(&c);
	if (!cursor_ok(&c) || type == ETHERTYPE_BY_VERSION) {
		out->kind = cursor_left(&c) > 0 || c.fault == CURSOR_CUT ? PACKET_CUT : PACKET_BAD;
		return;
	}
	out->kind = PACKET_OTHER;
	switch (type) {
	case ETHERTYPE_IPV4:
		ipv4_parse(&c, out);
		break;
	case ETHERTYPE_IPV6:
		ipv6_parse(&c, out);
		break;
	case ETHERTYPE_ARP:
		arp_parse(&c, out);
		break;
	default:
		break;
	}
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
}
