// SPDX-License-Identifier: GPL-2.0-or-later
/* See address.h. */
#include "net/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { PORT_MAX = 65535 };

struct net_address net_address_loopback(uint16_t port)
{
	return (struct net_address){.v4 = {.sin_family = AF_INET,
					   .sin_port = htons(port),
					   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}};
}

static bool take_host(const char *host, struct net_address *out)
{
	struct net_address a = {0};

	if (inet_pton(AF_INET, host, &a.v4.sin_addr) == 1)
		a.v4.sin_family = AF_INET;
	else if (inet_pton(AF_INET6, host, &a.v6.sin6_addr) == 1)
		a.v6.sin6_family = AF_INET6;
	else
		return false;
	*out = a;
	return true;
}

static bool take_number(const char *text, unsigned long max, unsigned long *out)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*out = strtoul(text, &end, 10);
	return errno == 0 && *end == '\0' && *out <= max;
}

struct err *net_address_parse(const char *text, uint16_t default_port, struct net_address *out)
{
	struct net_address a = net_address_loopback(0);
	unsigned long port = default_port;
	char host[NET_ADDRESS_TEXT_BYTES];
	const char *colon = strrchr(text, ':');
	size_t len = strlen(text);

	if (text[0] == '[') {
		const char *close = strchr(text, ']');

		if (!close || (close[1] != '\0' && close[1] != ':'))
			return err_new("%s: no ADDRESS or [ADDRESS]:PORT", text);
		colon = close[1] == ':' ? close + 1 : NULL;
		len = (size_t)(close - text) - 1;
		text++;
	} else if (colon && strchr(text, ':') == colon) {
		len = (size_t)(colon - text);
	} else {
		colon = NULL; /* none, or the colons of IPv6 */
	}
	if (len >= sizeof(host))
		return err_new("%s: too long for an address", text);
	memcpy(host, text, len);
	host[len] = '\0';
	if (len && !take_host(host, &a))
		return err_new("%s: no address of IPv4 or IPv6 (names are not looked up)", host);
	if (colon && !take_number(colon + 1, PORT_MAX, &port))
		return err_new("%s: no port", colon + 1);
	net_address_set_port(&a, (uint16_t)port);
	*out = a;
	return NULL;
}

socklen_t net_address_bytes(const struct net_address *a)
{
	return a->any.sa_family == AF_INET6 ? sizeof(a->v6) : sizeof(a->v4);
}

uint16_t net_address_port(const struct net_address *a)
{
	return ntohs(a->any.sa_family == AF_INET6 ? a->v6.sin6_port : a->v4.sin_port);
}

void net_address_set_port(struct net_address *a, uint16_t port)
{
	if (a->any.sa_family == AF_INET6)
		a->v6.sin6_port = htons(port);
	else
		a->v4.sin_port = htons(port);
}

void net_address_set_any(struct net_address *a)
{
	if (a->any.sa_family == AF_INET6)
		a->v6.sin6_addr = in6addr_any;
	else
		a->v4.sin_addr.s_addr = INADDR_ANY;
}

bool net_address_is_loopback(const struct net_address *a)
{
	if (a->any.sa_family != AF_INET6)
		return ntohl(a->v4.sin_addr.s_addr) >> 24 == 127;
	if (IN6_IS_ADDR_V4MAPPED(&a->v6.sin6_addr))
		return a->v6.sin6_addr.s6_addr[12] == 127;
	return IN6_IS_ADDR_LOOPBACK(&a->v6.sin6_addr);
}

bool net_address_same_host(const struct net_address *a, const struct net_address *b)
{
	if (a->any.sa_family != b->any.sa_family)
		return false;
	if (a->any.sa_family == AF_INET6)
		return IN6_ARE_ADDR_EQUAL(&a->v6.sin6_addr, &b->v6.sin6_addr);
	return a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
}

static void host_text(const struct net_address *a, char text[INET6_ADDRSTRLEN])
{
	const void *raw = a->any.sa_family == AF_INET6 ? (const void *)&a->v6.sin6_addr
						       : (const void *)&a->v4.sin_addr;

	if (!inet_ntop(a->any.sa_family, raw, text, INET6_ADDRSTRLEN))
		snprintf(text, INET6_ADDRSTRLEN, "?");
}

void net_address_format(const struct net_address *a, char text[NET_ADDRESS_TEXT_BYTES])
{
	char host[INET6_ADDRSTRLEN];

	host_text(a, host);
	snprintf(text, NET_ADDRESS_TEXT_BYTES, a->any.sa_family == AF_INET6 ? "[%s]:%u" : "%s:%u",
		 host, (unsigned)net_address_port(a));
}

void net_address_format_universal(const struct net_address *a, char text[NET_ADDRESS_TEXT_BYTES])
{
	char host[INET6_ADDRSTRLEN];
	unsigned port = net_address_port(a);

	host_text(a, host);
	snprintf(text, NET_ADDRESS_TEXT_BYTES, "%s.%u.%u", host, port >> 8, port & 0xff);
}

struct err *net_address_parse_universal(struct slice text, struct net_address *out)
{
	char host[NET_ADDRESS_TEXT_BYTES];
	unsigned long high, low;
	struct net_address a;
	char *dot;

	if (text.len >= sizeof(host) || memchr(text.ptr, '\0', text.len))
		return err_new("no universal address");
	memcpy(host, text.ptr, text.len);
	host[text.len] = '\0';
	dot = strrchr(host, '.');
	if (!dot || !take_number(dot + 1, 255, &low))
		return err_new("no universal address");
	*dot = '\0';
	dot = strrchr(host, '.');
	if (!dot || !take_number(dot + 1, 255, &high))
		return err_new("no universal address");
	*dot = '\0';
	if (!take_host(host, &a))
		return err_new("no universal address");
	net_address_set_port(&a, (uint16_t)(high << 8 | low));
	*out = a;
	return NULL;
}
