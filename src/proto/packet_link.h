/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The link layers of packet.c: what stands in front of the network layer. */
#ifndef PROTO_PACKET_LINK_H
#define PROTO_PACKET_LINK_H

#include "proto/packet.h"

/* What follows the link layer. */
enum {
	ETHERTYPE_NONE = 0, /* not one of ours */
	ETHERTYPE_IPV4 = 0x0800,
	ETHERTYPE_ARP = 0x0806,
	ETHERTYPE_IPV6 = 0x86dd,
	ETHERTYPE_BRIDGED = 0x6558, /* an Ethernet frame in a tunnel (RFC 1701, RFC 7637) */
};

enum { ETHERNET_BYTES = 14 };

/*
 * Leaves the link layer's header behind and says what follows (an ETHERTYPE_, or any other type);
 * ETHERTYPE_NONE also when the cursor has a fault. False: the link type is not known.
 */
bool packet_link_parse(uint32_t linktype, struct cursor *c, struct packet *out, uint32_t *type);

/*
 * The same inside of a tunnel, or behind a link layer, that carries `type`: leaves Ethernet, tags,
 * labels and PPPoE behind. ETHERTYPE_NONE: not one of ours, or the cursor has a fault.
 */
uint32_t packet_link_carried(struct cursor *c, uint32_t type);

#endif
