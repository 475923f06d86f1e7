/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A relay between any client and any server that understands RPC records (RFC 5531 section 11) and
 * lets faults happen to the calls and replies in them.
 *
 * What no fault touches goes through byte for byte, fragments as they were, programs and operations
 * that nobody knows included; a stream that is no RPC (TLS behind AUTH_TLS) as well. Large records
 * are streamed while there is no fault. Answers of portmap and rpcbind are the exception: their
 * ports become ports of the proxy, which listens there from then on, so that MOUNT, NLM and NSM go
 * through it too.
 *
 * What a server begins on a connection of its own goes through it, too: SETCLIENTID of NFSv4.0 is
 * given an address of the proxy for callbacks, and a server that asks the proxy's rpcbind for its
 * client's lock manager or status monitor (where the proxy listens at port 111, over TCP) gets a
 * port of the proxy, for the client that was at the server's lock manager last. Where client and
 * server are one host the latter cannot be told apart and is not done; calls that RPCSEC_GSS seals
 * are not changed.
 */
#ifndef PROXY_PROXY_H
#define PROXY_PROXY_H

#include "lab/fault/fault.h"
#include "net/address.h"
#include "net/loop.h"

enum {
	PROXY_ROUTES_MAX = 128,
	PROXY_LINKS_MAX = 20000,        /* connections; and clients of UDP */
	PROXY_CALLS_MAX = 65536,        /* without reply; more pass without faults */
	PROXY_CHANGE_BYTES = 4 << 20,   /* longer records are not changed */
	PROXY_HEAD_BYTES = 16 << 10,    /* of a longer one that are looked at */
	PROXY_HELD_BYTES_MAX = 64 << 20 /* of messages that are delayed; more are not */
};

struct proxy;

/* Something to be told that is no fault: "listens at ...", in lower case, without a full stop. */
typedef void proxy_note_fn(void *context, const char *text);

/* Borrows both, which outlive it. Never NULL. */
struct proxy *proxy_create(struct net_loop *loop, struct fault_engine *engine, proxy_note_fn *note,
			   void *context);

/* Ends all connections. NULL is fine. */
void proxy_destroy(struct proxy *proxy);

/* Listens at an address (TCP and UDP) for what goes to a server. */
struct err *proxy_add_route(struct proxy *proxy, const struct net_address *at,
			    const struct net_address *to);

/*
 * Listens no more at the ports of the program (0: at all), for a while (0: for good): connections
 * are refused, those that there are stay.
 */
void proxy_shut(struct proxy *proxy, uint32_t program, int64_t for_ns);

/* For fault_engine_serve: what a proxy can do of a server's actions. The context is a struct proxy
 * **.
 */
extern const struct fault_server_ops proxy_fault_ops;

/* Where it listens, one after the other from 0 on, and for which server; NULL at the end. */
const struct net_address *proxy_route_at(const struct proxy *proxy, size_t index,
					 const struct net_address **to);

#endif
