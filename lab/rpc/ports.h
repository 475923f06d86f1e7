/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which port has a program, as rpcbind is asked: GETPORT of version 2 over IPv4, GETADDR of version
 * 4 for "tcp6" or "udp6" over IPv6 (RFC 1833, RFC 5665), as rpcb_clnt.c of the kernel does.
 */
#ifndef LAB_RPC_PORTS_H
#define LAB_RPC_PORTS_H

#include "base/cursor.h"
#include "net/address.h"
#include "proto/xdr_writer.h"

/* Version and procedure of the call to the rpcbind of this server. */
uint32_t ports_version(const struct net_address *server);
uint32_t ports_procedure(const struct net_address *server);

/* Its arguments. */
void ports_ask(struct xdr_writer *w, const struct net_address *server, bool is_udp,
	       uint32_t program, uint32_t version);

/* The port in its results, 0: the program is not registered. False: they cannot be understood. */
bool ports_take(struct cursor *at, const struct net_address *server, uint16_t *port);

/* The next program of DUMP's list, of the same version; false at its end. TCP has no port 0. */
bool ports_next(struct cursor *at, const struct net_address *server, uint32_t *program,
		uint32_t *version, uint16_t *tcp_port);

#endif
