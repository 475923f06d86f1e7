// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tunnels, as overlay networks, VPNs and the mirrors of switches and clouds make them: IP in IP
 * (RFC 2003, 2473, 4213), GRE (RFC 2784, 2890) with ERSPAN (draft-foschiano-erspan) or Ethernet in
 * it, VXLAN (RFC 7348), VXLAN-GPE (draft-ietf-nvo3-vxlan-gpe), GENEVE (RFC 8926).
 *
 * A port number alone makes no tunnel: a client may use it for NFS. What is carried by UDP must
 * have a header whose reserved bits are zero, and IP or ARP in it. Encrypted tunnels stay closed.
 */
#include "proto/packet_tunnel.h"

#include "proto/packet_link.h"

enum {
	PROTO_IPIP = 4,
	PROTO_UDP = 17,
	PROTO_IPV6 = 41,
	PROTO_GRE = 47,
};

enum {
	PORT_VXLAN = 4789,
	PORT_VXLAN_LINUX =
		8472, /* before it was assigned: Linux's default, and that of flannel, Cilium */
	PORT_VXLAN_GPE = 4790,
	PORT_GENEVE = 6081,
};

enum {
	GRE_CHECKSUM = 0x8000,
	GRE_ROUTING = 0x4000, /* RFC 1701; gone since RFC 2784 */
	GRE_KEY = 0x2000,
	GRE_SEQUENCE = 0x1000,
	GRE_VERSION = 0x0007, /* 1: PPTP's */
	ETHERTYPE_ERSPAN = 0x88be,
	ETHERTYPE_ERSPAN3 = 0x22eb,
	ERSPAN_BYTES = 8,
	ERSPAN3_BYTES = 12,
	ERSPAN3_SUBHEADER = 0x1,
	ERSPAN3_SUBHEADER_BYTES = 8,
};

/* The first byte of each, and the last, which is reserved in all of them. */
enum {
	VXLAN_VNI_VALID = 0x08,
	VXLAN_POLICY =
		0x80, /* draft-smith-vxlan-group-policy: a group where bytes are reserved else */
	GPE_NEXT_PROTOCOL = 0x04,
	GPE_VERSION = 0x30,
	GENEVE_VERSION = 0xc0,
	GENEVE_OPTION_WORDS = 0x3f,
	GENEVE_RESERVED = 0x3f, /* of the second byte */
};

/* The identifier of the virtual network, which may be any, and the byte behind it. */
static bool vni_parse(struct cursor *c)
{
	cursor_skip(c, 3);
	return cursor_u8(c) == 0;
}

static uint32_t gre_open(struct cursor *c)
{
	uint16_t flags = cursor_u16(c);
	uint32_t type = cursor_u16(c);

	if (flags & (GRE_ROUTING | GRE_VERSION))
		return ETHERTYPE_NONE;
	if (flags & GRE_CHECKSUM)
		cursor_skip(c, 4);
	if (flags & GRE_KEY)
		cursor_skip(c, 4);
	if (flags & GRE_SEQUENCE)
		cursor_skip(c, 4);
	if (type == ETHERTYPE_ERSPAN) {
		if (flags & GRE_SEQUENCE) /* type II; type I has no header */
			cursor_skip(c, ERSPAN_BYTES);
		return ETHERTYPE_BRIDGED;
	}
	if (type == ETHERTYPE_ERSPAN3) {
		cursor_skip(c, ERSPAN3_BYTES - 1);
		if (cursor_u8(c) & ERSPAN3_SUBHEADER)
			cursor_skip(c, ERSPAN3_SUBHEADER_BYTES);
		return ETHERTYPE_BRIDGED;
	}
	return type;
}

static uint32_t vxlan_open(struct cursor *c)
{
	uint8_t flags = cursor_u8(c);
	uint8_t more = cursor_u8(c);
	uint16_t group = cursor_u16(c);

	if ((flags & ~VXLAN_POLICY) != VXLAN_VNI_VALID || !vni_parse(c))
		return ETHERTYPE_NONE;
	if (!(flags & VXLAN_POLICY) && (more != 0 || group != 0))
		return ETHERTYPE_NONE;
	return ETHERTYPE_BRIDGED;
}

static uint32_t vxlan_gpe_open(struct cursor *c)
{
	static const uint32_t types[] = {ETHERTYPE_NONE, ETHERTYPE_IPV4, ETHERTYPE_IPV6,
					 ETHERTYPE_BRIDGED};
	uint8_t flags = cursor_u8(c);
	uint16_t reserved = cursor_u16(c);
	uint8_t next = cursor_u8(c);

	if (!(flags & VXLAN_VNI_VALID) || !(flags & GPE_NEXT_PROTOCOL) || (flags & GPE_VERSION) ||
	    reserved != 0 || !vni_parse(c) || next >= sizeof(types) / sizeof(types[0]))
		return ETHERTYPE_NONE;
	return types[next];
}

static uint32_t geneve_open(struct cursor *c)
{
	uint8_t head = cursor_u8(c);
	uint8_t flags = cursor_u8(c);
	uint32_t type = cursor_u16(c);

	if ((head & GENEVE_VERSION) != 0 || (flags & GENEVE_RESERVED) != 0 || !vni_parse(c))
		return ETHERTYPE_NONE;
	cursor_skip(c, (size_t)(head & GENEVE_OPTION_WORDS) * 4);
	return type;
}

static uint32_t udp_open(struct cursor *c, uint16_t dst_port)
{
	switch (dst_port) {
	case PORT_VXLAN:
	case PORT_VXLAN_LINUX:
		return vxlan_open(c);
	case PORT_VXLAN_GPE:
		return vxlan_gpe_open(c);
	case PORT_GENEVE:
		return geneve_open(c);
	default:
		return ETHERTYPE_NONE;
	}
}

/* The inner packet begins as its type says; one whose front was not captured cannot deny it. */
static bool inner_plausible(const struct cursor *c, uint32_t type)
{
	bool here = cursor_ok(c) && cursor_here(c) > 0;

	switch (type) {
	case ETHERTYPE_IPV4:
		return !here || c->pos[0] >> 4 == 4;
	case ETHERTYPE_IPV6:
		return !here || c->pos[0] >> 4 == 6;
	case ETHERTYPE_ARP:
		return true;
	default: /* what is bridged may end inside of its Ethernet header */
		return type == ETHERTYPE_NONE && c->fault == CURSOR_CUT;
	}
}

static uint32_t outer_open(struct cursor *c, const struct packet *out)
{
	if (out->kind == PACKET_UDP)
		return udp_open(c, out->dst_port);
	if (out->kind != PACKET_OTHER)
		return ETHERTYPE_NONE;
	switch (out->ip_proto) {
	case PROTO_IPIP:
		return ETHERTYPE_IPV4;
	case PROTO_IPV6:
		return ETHERTYPE_IPV6;
	case PROTO_GRE:
		return gre_open(c);
	default:
		return ETHERTYPE_NONE;
	}
}

bool packet_tunnel_open(struct cursor *c, struct packet *out, uint32_t *type)
{
	struct cursor inner;
	struct packet fresh = {.kind = PACKET_OTHER,
			       .outgoing = out->outgoing,
			       .tunnels = (uint8_t)(out->tunnels + 1)};
	uint32_t found;

	if (out->ip_version == 0 || out->tunnels == PACKET_TUNNELS_MAX)
		return false;
	cursor_copy(&inner, c);
	found = outer_open(&inner, out);
	if (found == ETHERTYPE_NONE || !cursor_ok(&inner))
		return false;
	found = packet_link_carried(&inner, found);
	if (!inner_plausible(&inner, found))
		return false;
	cursor_copy(c, &inner);
	*out = fresh;
	*type = found;
	return true;
}
