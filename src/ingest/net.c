// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the network itself tells about the way to a host, as EVENT_NET: destination unreachable and
 * packet too big (RFC 792, 1191, 4443), address resolution (RFC 826) and its counterpart in IPv6
 * (RFC 4861). Whether anybody waits for that host is not known here.
 */
#include "ingest/private.h"

enum {
	ICMP4_UNREACHABLE = 3,
	ICMP4_FRAGMENTATION_NEEDED = 4,
	ICMP6_UNREACHABLE = 1,
	ICMP6_TOO_BIG = 2,
	ICMP6_SOLICITATION = 135,
	ICMP6_ADVERTISEMENT = 136,
	ARP_REQUEST = 1,
	ARP_REPLY = 2,
	IP_BYTES_MAX = 65535, /* a quotation is cut by its maker: it may have been so long */
};

static struct endpoint net_endpoint(const uint8_t *addr, uint16_t port)
{
	struct endpoint e = {.port = port};

	memcpy(e.addr, addr, sizeof(e.addr));
	return e;
}

static void net_emit(struct ingest *in, const struct provenance *at, const struct event_net *net)
{
	struct event event = {.kind = EVENT_NET, .at = *at, .net = net};

	event_emit(in->board, &event);
}

/* Whose packet could not be delivered; false when the quotation does not tell. */
static bool net_read_quotation(const struct packet *p, struct event_net *net)
{
	struct packet quoted;

	packet_parse(LINKTYPE_RAW, p->payload, IP_BYTES_MAX, &quoted);
	if (quoted.kind == PACKET_BAD || quoted.kind == PACKET_UNKNOWN_LINK ||
	    quoted.ip_version != p->ip_version)
		return false;
	net->src = net_endpoint(quoted.src, quoted.src_port);
	net->dst = net_endpoint(quoted.dst, quoted.dst_port);
	return true;
}

/* A neighbour message holds, behind four bytes, the address that it is about (section 4.3, 4.4). */
static bool net_read_neighbour(const struct packet *p, struct event_net *net)
{
	if (p->payload.len < IDENT_ADDR_BYTES)
		return false;
	net->target = net_endpoint(p->payload.ptr, 0);
	return true;
}

static bool net_read_icmp(const struct packet *p, struct event_net *net)
{
	net->icmp_type = p->icmp_type;
	net->icmp_code = p->icmp_code;
	net->mtu = p->icmp_mtu;
	if (p->ip_version == 4) {
		net->fact = p->icmp_code == ICMP4_FRAGMENTATION_NEEDED ? NET_FACT_TOO_BIG
								       : NET_FACT_UNREACHABLE;
		return p->icmp_type == ICMP4_UNREACHABLE && net_read_quotation(p, net);
	}
	switch (p->icmp_type) {
	case ICMP6_UNREACHABLE:
		net->fact = NET_FACT_UNREACHABLE;
		return net_read_quotation(p, net);
	case ICMP6_TOO_BIG:
		net->fact = NET_FACT_TOO_BIG;
		return net_read_quotation(p, net);
	case ICMP6_SOLICITATION:
		net->fact = NET_FACT_ARP_ASK;
		return net_read_neighbour(p, net);
	case ICMP6_ADVERTISEMENT:
		net->fact = NET_FACT_ARP_ANSWER;
		return net_read_neighbour(p, net);
	default:
		return false;
	}
}

void ingest_net(struct ingest *in, const struct provenance *at, const struct packet *packet)
{
	struct event_net net = {.from = net_endpoint(packet->src, 0)};

	if (!event_wanted(in->board, EVENT_NET))
		return;
	if (packet->kind == PACKET_ICMP) {
		if (net_read_icmp(packet, &net))
			net_emit(in, at, &net);
		return;
	}
	net.fact = packet->arp_op == ARP_REQUEST ? NET_FACT_ARP_ASK : NET_FACT_ARP_ANSWER;
	/* A reply is about its sender. */
	net.target = packet->arp_op == ARP_REQUEST ? net_endpoint(packet->dst, 0) : net.from;
	if (packet->arp_op == ARP_REQUEST || packet->arp_op == ARP_REPLY)
		net_emit(in, at, &net);
}
