/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses of endpoints: IPv4 and IPv6 with a port. Names are not looked up. */
#ifndef NET_ADDRESS_H
#define NET_ADDRESS_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/slice.h"

struct net_address {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	};
};

/* Room for any text that is made here. */
enum { NET_ADDRESS_TEXT_BYTES = 64 };

/* 127.0.0.1 with this port. */
struct net_address net_address_loopback(uint16_t port);

/*
 * "192.0.2.1", "192.0.2.1:2049", "2001:db8::1", "[2001:db8::1]:2049", ":2049" (loopback). Without
 * a port it is default_port. Fails with a text that names what is wrong.
 */
struct err *net_address_parse(const char *text, uint16_t default_port, struct net_address *out);

socklen_t net_address_bytes(const struct net_address *a);
uint16_t net_address_port(const struct net_address *a);
void net_address_set_port(struct net_address *a, uint16_t port);

/* Every address of its family: 0.0.0.0 or ::. */
void net_address_set_any(struct net_address *a);

/* 127.0.0.0/8, ::1 and ::ffff:127.0.0.0/104. */
bool net_address_is_loopback(const struct net_address *a);

/* Same host, whatever the ports. */
bool net_address_same_host(const struct net_address *a, const struct net_address *b);

/* "192.0.2.1:2049", "[2001:db8::1]:2049". */
void net_address_format(const struct net_address *a, char text[NET_ADDRESS_TEXT_BYTES]);

/* Universal address of RFC 5665 section 5.2.3: "192.0.2.1.8.1", "2001:db8::1.8.1". */
void net_address_format_universal(const struct net_address *a, char text[NET_ADDRESS_TEXT_BYTES]);

/* Reads one; fails on what is none. */
struct err *net_address_parse_universal(struct slice text, struct net_address *out);

#endif
