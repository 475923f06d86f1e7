// SPDX-License-Identifier: GPL-2.0-or-later
/* Comparison and text of endpoints. */
#include "event/ident.h"

#include <arpa/inet.h>
#include <string.h>

static const uint8_t ipv4_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

int endpoint_compare(const struct endpoint *a, const struct endpoint *b)
{
	int order = memcmp(a->addr, b->addr, IDENT_ADDR_BYTES);

	return order ? order : (a->port > b->port) - (a->port < b->port);
}

bool endpoint_is_ipv4(const struct endpoint *e)
{
	return memcmp(e->addr, ipv4_prefix, sizeof(ipv4_prefix)) == 0;
}

void endpoint_add_host(struct strbuf *out, const struct endpoint *e)
{
	char text[INET6_ADDRSTRLEN] = "";

	if (endpoint_is_ipv4(e))
		inet_ntop(AF_INET, e->addr + sizeof(ipv4_prefix), text, sizeof(text));
	else
		inet_ntop(AF_INET6, e->addr, text, sizeof(text));
	strbuf_add_text(out, text);
}

void endpoint_add_text(struct strbuf *out, const struct endpoint *e)
{
	bool brackets = !endpoint_is_ipv4(e);

	if (brackets)
		strbuf_add_char(out, '[');
	endpoint_add_host(out, e);
	if (brackets)
		strbuf_add_char(out, ']');
	strbuf_add_format(out, ":%u", e->port);
}
