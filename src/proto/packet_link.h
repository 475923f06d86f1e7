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
};

/*
 * Leaves the link layer's header behind and says what follows (an ETHERTYPE_, or any other type);
 * ETHERTYPE_NONE also when the cursor has a fault. False: the link type is not known.
 */
bool packet_link_parse(uint32_t linktype, struct cursor *c, struct packet *out, uint32_t *type);

#endif
