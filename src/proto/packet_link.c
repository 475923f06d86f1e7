// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Link layers: Ethernet with IEEE 802.1Q tags, MPLS labels or PPPoE, the cooked captures of Linux,
 * BSD loopback, bare IP. See www.tcpdump.org/linktypes.html.
 */
#include "proto/packet_link.h"

enum {
	ETHERTYPE_VLAN = 0x8100,
	ETHERTYPE_QINQ = 0x88a8,
	ETHERTYPE_QINQ_OLD = 0x9100,
	ETHERTYPE_MPLS = 0x8847,
	ETHERTYPE_MPLS_UP = 0x8848, /* labels that the receiver has assigned */
	ETHERTYPE_PPPOE = 0x8864,
	ETHERNET_ADDRS_BYTES = 12,
	SHIMS_MAX = 6,
};

enum {
	MPLS_LABELS_MAX = 8,
	MPLS_BOTTOM = 0x100,
	PPPOE_SESSION = 0x1100, /* version 1, type 1, code 0 */
	PPP_IPV4 = 0x0021,
	PPP_IPV6 = 0x0057,
};

enum {
	SLL_OUTGOING = 4,
	AF_INET_ANY = 2, /* the same everywhere */
	NULL_FAMILY_MAX = 0xffff,
};

/* The labels of MPLS down to the bottom of the stack (RFC 3032); what follows tells itself. */
static uint32_t mpls_parse(struct cursor *c)
{
	uint32_t label = 0;

	for (int i = 0; i < MPLS_LABELS_MAX && !(label & MPLS_BOTTOM); i++)
		label = cursor_u32(c);
	if (!(label & MPLS_BOTTOM) || !cursor_need(c, 1))
		return ETHERTYPE_NONE;
	switch (c->pos[0] >> 4) {
	case 4:
		return ETHERTYPE_IPV4;
	case 6:
		return ETHERTYPE_IPV6;
	case 0: /* the control word of a pseudowire (RFC 4385), which carries Ethernet (RFC 4448) */
		cursor_skip(c, 4);
		return ETHERTYPE_BRIDGED;
	default:
		return ETHERTYPE_NONE;
	}
}

/* A session of PPPoE (RFC 2516); its length is that of IP once more. */
static uint32_t pppoe_parse(struct cursor *c)
{
	uint16_t head = cursor_u16(c);

	cursor_skip(c, 4);
	switch (cursor_u16(c)) {
	case PPP_IPV4:
		return head == PPPOE_SESSION ? ETHERTYPE_IPV4 : ETHERTYPE_NONE;
	case PPP_IPV6:
		return head == PPPOE_SESSION ? ETHERTYPE_IPV6 : ETHERTYPE_NONE;
	default:
		return ETHERTYPE_NONE;
	}
}

/* A bound on what stands one behind the other: nobody has that much. */
uint32_t packet_link_carried(struct cursor *c, uint32_t type)
{
	for (int i = 0; i < SHIMS_MAX && cursor_ok(c); i++) {
		switch (type) {
		case ETHERTYPE_VLAN:
		case ETHERTYPE_QINQ:
		case ETHERTYPE_QINQ_OLD:
			cursor_skip(c, 2);
			type = cursor_u16(c);
			break;
		case ETHERTYPE_BRIDGED:
			cursor_skip(c, ETHERNET_ADDRS_BYTES);
			type = cursor_u16(c);
			break;
		case ETHERTYPE_MPLS:
		case ETHERTYPE_MPLS_UP:
			type = mpls_parse(c);
			break;
		case ETHERTYPE_PPPOE:
			type = pppoe_parse(c);
			break;
		default:
			return type;
		}
	}
	return ETHERTYPE_NONE;
}

/* Each link layer: leaves its header behind and says what follows (ETHERTYPE_). */
static uint32_t ethernet_parse(struct cursor *c, struct packet *out)
{
	(void)out;
	cursor_skip(c, ETHERNET_ADDRS_BYTES);
	return packet_link_carried(c, cursor_u16(c));
}

static uint32_t sll_parse(struct cursor *c, struct packet *out)
{
	out->outgoing = cursor_u16(c) == SLL_OUTGOING;
	cursor_skip(c, 12);
	return packet_link_carried(c, cursor_u16(c));
}

static uint32_t sll2_parse(struct cursor *c, struct packet *out)
{
	uint32_t type = cursor_u16(c);

	cursor_skip(c, 8);
	out->outgoing = cursor_u8(c) == SLL_OUTGOING;
	cursor_skip(c, 9);
	return packet_link_carried(c, type);
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

/* IP without anything in front: its first byte tells the version. */
static uint32_t raw_parse(struct cursor *c, struct packet *out)
{
	uint8_t version;

	(void)out;
	if (!cursor_need(c, 1))
		return ETHERTYPE_NONE;
	version = c->pos[0] >> 4;
	if (version == 4)
		return ETHERTYPE_IPV4;
	return version == 6 ? ETHERTYPE_IPV6 : ETHERTYPE_NONE;
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

bool packet_link_parse(uint32_t linktype, struct cursor *c, struct packet *out, uint32_t *type)
{
	for (size_t i = 0; i < sizeof(link_types) / sizeof(link_types[0]); i++) {
		if (link_types[i].linktype != linktype)
			continue;
		*type = link_types[i].parse(c, out);
		return true;
	}
	return false;
}
