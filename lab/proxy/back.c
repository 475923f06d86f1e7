// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The ways back, on which a server calls its clients: to the address that SETCLIENTID of NFSv4.0
 * tells (RFC 7530 section 16.33), and to the lock manager and status monitor for which it asks the
 * rpcbind of its client's host, which is ours.
 */
#include "lab/proxy/private.h"

#include "names/nfs4.h"
#include "names/nlm.h"
#include "names/portmap.h"
#include "proto/xdr.h"

enum { RPCBIND_PORT = 111, VERIFIER_BYTES = 8, WORD_BYTES = 4, NETID_BYTES_MAX = 4 };

/* The client that used this server last, the one at its lock manager before others; NULL: none. */
static const struct net_address *client_of(const struct proxy *proxy,
					   const struct net_address *server)
{
	const struct net_address *found = NULL;

	for (size_t i = 0; i < proxy->routes_len; i++) {
		const struct proxy_route *r = proxy->routes[i];

		if (r->is_back || !net_address_port(&r->client) ||
		    !net_address_same_host(&r->to, server))
			continue;
		if (!found || r->program == NLM_PROG)
			found = &r->client;
	}
	return found;
}

struct proxy_route *proxy_back_route(struct proxy_route *route, const struct net_address *peer)
{
	const struct net_address *client;
	struct net_address to;

	if (route->is_back || route->program != PMAP_PROG ||
	    !net_address_same_host(peer, &route->to))
		return NULL;
	client = client_of(route->proxy, peer);
	/* Where both are one host who comes may be either: it is taken for the client. */
	if (!client || net_address_same_host(client, peer))
		return NULL;
	to = *client;
	net_address_set_port(&to, RPCBIND_PORT);
	return proxy_route_hidden(route, &to);
}

/* Where the callback address of a SETCLIENTID stands: netid and universal address. */
static bool find_address(const struct fault_message *m, size_t *at, struct xdr_opaque *netid,
			 struct xdr_opaque *uaddr, size_t *end)
{
	const struct fault_op *op = NULL;
	struct cursor c = cursor_make(m->bytes);

	for (uint32_t i = 0; i < m->ops_len && !op; i++)
		if (m->ops[i].number == OP_SETCLIENTID)
			op = &m->ops[i];
	if (!op)
		return false;
	cursor_skip(&c, op->offset + WORD_BYTES + VERIFIER_BYTES);
	cursor_opaque(&c, NFS4_OPAQUE_LIMIT);
	cursor_u32(&c); /* program */
	*at = cursor_offset(&c);
	*netid = cursor_opaque(&c, XDR_ANY);
	*uaddr = cursor_opaque(&c, XDR_ANY);
	*end = cursor_offset(&c);
	return cursor_ok(&c);
}

static void put_text(struct strbuf *out, const char *text)
{
	uint32_t len = (uint32_t)strlen(text);
	uint32_t wire = __builtin_bswap32(len);

	strbuf_add(out, &wire, sizeof(wire));
	strbuf_add(out, text, len);
	strbuf_add(out, "\0\0\0", xdr_padded(len) - len);
}

bool proxy_back_rewrite(struct proxy_link *link, const struct fault_message *m, struct strbuf *out)
{
	struct net_stream *server = link->ends[PROXY_SERVER].stream;
	struct net_address to, at;
	struct xdr_opaque netid, uaddr;
	char text[NET_ADDRESS_TEXT_BYTES];
	size_t begin, end;
	struct err *err;

	if (!server || !m->is_plain || !m->is_compound || m->is_callback || m->missing_bytes ||
	    !find_address(m, &begin, &netid, &uaddr, &end) || netid.have > NETID_BYTES_MAX ||
	    netid.have < 3 || memcmp(netid.ptr, "tcp", 3) != 0)
		return false;
	err = net_address_parse_universal(slice_make(uaddr.ptr, uaddr.have), &to);
	if (err || !net_address_port(&to)) { /* a client without callbacks tells port 0 */
		err_destroy(err);
		return false;
	}
	at = *net_stream_local(server);
	net_address_set_port(&at, 0);
	if (!proxy_route_callback(link->route, &at, &to))
		return false;
	net_address_format_universal(&at, text);
	strbuf_reset(out);
	strbuf_add(out, m->bytes.ptr, begin);
	put_text(out, at.any.sa_family == AF_INET6 ? "tcp6" : "tcp");
	put_text(out, text);
	strbuf_add(out, m->bytes.ptr + end, m->bytes.len - end);
	return true;
}
