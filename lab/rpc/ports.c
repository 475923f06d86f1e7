// SPDX-License-Identifier: GPL-2.0-or-later
/* See ports.h. */
#include "lab/rpc/ports.h"

#include "names/portmap.h"
#include "proto/portmap_xdr.h"

enum { PROTOCOL_TCP = 6, PROTOCOL_UDP = 17 };

static bool is_v6(const struct net_address *server)
{
	return server->any.sa_family == AF_INET6;
}

static struct xdr_opaque opaque_of(const char *text)
{
	uint32_t len = (uint32_t)strlen(text);

	return (struct xdr_opaque){(const uint8_t *)text, len, len};
}

uint32_t ports_version(const struct net_address *server)
{
	return is_v6(server) ? RPCBVERS4 : PMAP_VERS;
}

uint32_t ports_procedure(const struct net_address *server)
{
	return is_v6(server) ? RPCBPROC_GETADDR : PMAPPROC_GETPORT;
}

void ports_ask(struct xdr_writer *w, const struct net_address *server, bool is_udp,
	       uint32_t program, uint32_t version)
{
	struct portmap_mapping v2 = {
		.prog = program, .vers = version, .prot = is_udp ? PROTOCOL_UDP : PROTOCOL_TCP};
	struct portmap_rpcb v4 = {.r_prog = program,
				  .r_vers = version,
				  .r_netid = opaque_of(is_udp ? "udp6" : "tcp6"),
				  .r_addr = opaque_of(""),
				  .r_owner = opaque_of("")};

	if (is_v6(server))
		portmap_encode_rpcb(w, &v4);
	else
		portmap_encode_mapping(w, &v2);
}

/* The port of a universal address; 0: there is none. */
static uint16_t port_of(struct xdr_opaque uaddr)
{
	struct net_address address;
	struct err *err = net_address_parse_universal(xdr_opaque_slice(uaddr), &address);

	if (!err)
		return net_address_port(&address);
	err_destroy(err);
	return 0;
}

bool ports_take(struct cursor *at, const struct net_address *server, uint16_t *port)
{
	uint32_t number;

	if (is_v6(server)) {
		struct xdr_opaque uaddr = cursor_opaque(at, RPCB_ADDR_LIMIT);

		*port = cursor_ok(at) && uaddr.have ? port_of(uaddr) : 0;
		return cursor_ok(at);
	}
	number = cursor_u32(at);
	*port = (uint16_t)number;
	return cursor_ok(at) && number <= UINT16_MAX;
}

static void take_v6(struct cursor *at, uint16_t *tcp_port)
{
	struct xdr_opaque netid = cursor_opaque(at, RPCB_NETID_LIMIT);
	struct xdr_opaque uaddr = cursor_opaque(at, RPCB_ADDR_LIMIT);

	cursor_opaque(at, RPCB_OWNER_LIMIT);
	if (cursor_ok(at) && netid.have == 4 && memcmp(netid.ptr, "tcp6", 4) == 0)
		*tcp_port = port_of(uaddr);
}

bool ports_next(struct cursor *at, const struct net_address *server, uint32_t *program,
		uint32_t *version, uint16_t *tcp_port)
{
	if (!cursor_bool(at))
		return false;
	*program = cursor_u32(at);
	*version = cursor_u32(at);
	*tcp_port = 0;
	if (is_v6(server)) {
		take_v6(at, tcp_port);
	} else {
		uint32_t protocol = cursor_u32(at), port = cursor_u32(at);

		if (protocol == PROTOCOL_TCP && port <= UINT16_MAX)
			*tcp_port = (uint16_t)port;
	}
	return cursor_ok(at);
}
