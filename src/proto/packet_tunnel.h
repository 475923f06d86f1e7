/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packets inside of packets: what packet.c finds behind IP or UDP that is another packet. */
#ifndef PROTO_PACKET_TUNNEL_H
#define PROTO_PACKET_TUNNEL_H

#include "proto/packet.h"

enum { PACKET_TUNNELS_MAX = 4 };

/*
 * `out` is a packet of which c stands behind the last header that was read. True when it is the
 * outer one of a tunnel (IP in IP, GRE, ERSPAN, VXLAN, GENEVE): then c stands at the inner packet,
 * *type says what it begins with (an ETHERTYPE_), and out holds nothing of the outer one but that
 * it is there
 * (`tunnels`) and which way it went. False: nothing has changed.
 */
bool packet_tunnel_open(struct cursor *c, struct packet *out, uint32_t *type);

#endif
