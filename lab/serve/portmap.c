// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * rpcbind: the port mapper's version 2 and versions 3 and 4 of RFC 1833. It tells where the
 * server's own programs are; others cannot register (SET and UNSET answer false), and it calls
 * nobody on behalf of others (CALLIT gets no reply, as rpcbind without -i).
 */
#include "names/portmap.h"
#include "lab/serve/program.h"
#include "proto/portmap_xdr.h"

#define NS_PER_S INT64_C(1000000000)

enum { PROTOCOL_TCP = 6, PROTOCOL_UDP = 17, SEMANTICS_CLTS = 1, SEMANTICS_COTS_ORD = 3 };

/* A transport as rpcbind calls it. */
struct netid {
	const char *name;
	enum rpc_transport transport;
	bool is_v6;
};

static const struct netid netids[] = {
	{"tcp", RPC_OVER_TCP, false},
	{"udp", RPC_OVER_UDP, false},
	{"tcp6", RPC_OVER_TCP, true},
	{"udp6", RPC_OVER_UDP, true},
};

enum { NETIDS = sizeof(netids) / sizeof(netids[0]) };

static const char *netid_of(enum rpc_transport transport, bool is_v6)
{
	for (size_t i = 0; i < NETIDS; i++)
		if (netids[i].transport == transport && netids[i].is_v6 == is_v6)
			return netids[i].name;
	return "";
}

static bool came_by_v6(const struct program_call *c)
{
	return c->in->local && c->in->local->any.sa_family == AF_INET6;
}

/* The service; version 0: any version of the program. */
static const struct server_service *service_find(const struct server *s, uint32_t program,
						 uint32_t version, enum rpc_transport transport,
						 bool is_v6)
{
	for (size_t i = 0; i < s->services_len; i++) {
		const struct server_service *v = &s->services[i];

		if (v->program == program && (!version || v->version == version) &&
		    v->transport == transport && v->is_v6 == is_v6)
			return v;
	}
	return NULL;
}

static uint32_t protocol_of(enum rpc_transport transport)
{
	return transport == RPC_OVER_UDP ? PROTOCOL_UDP : PROTOCOL_TCP;
}

/* As rpcbind does: a version that is not there is answered with another of the program. */
static uint32_t getport(const struct program_call *c, const struct portmap_mapping *m)
{
	enum rpc_transport transport = m->prot == PROTOCOL_UDP ? RPC_OVER_UDP : RPC_OVER_TCP;
	const struct server_service *v;

	if (m->prot != PROTOCOL_TCP && m->prot != PROTOCOL_UDP)
		return 0;
	v = service_find(c->server, m->prog, m->vers, transport, false);
	if (!v)
		v = service_find(c->server, m->prog, 0, transport, false);
	return v ? v->port : 0;
}

static enum program_done dump2(struct program_call *c)
{
	const struct server *s = c->server;

	for (size_t i = 0; i < s->services_len; i++) {
		const struct server_service *v = &s->services[i];
		struct portmap_mapping m = {v->program, v->version, protocol_of(v->transport),
					    v->port};

		if (v->is_v6)
			continue;
		xdr_put_bool(c->out, true);
		portmap_encode_mapping(c->out, &m);
	}
	xdr_put_bool(c->out, false);
	return PROGRAM_DONE;
}

static enum program_done portmap2(struct program_call *c)
{
	struct portmap_mapping m;

	switch (c->in->procedure) {
	case PMAPPROC_NULL:
		return PROGRAM_DONE;
	case PMAPPROC_DUMP:
		return dump2(c);
	case PMAPPROC_CALLIT:
		return PROGRAM_SILENT;
	case PMAPPROC_SET:
	case PMAPPROC_UNSET:
	case PMAPPROC_GETPORT:
		portmap_decode_mapping(&c->args, &m);
		if (!program_args_ok(c))
			return PROGRAM_GARBAGE;
		xdr_put_u32(c->out, c->in->procedure == PMAPPROC_GETPORT ? getport(c, &m) : 0);
		return PROGRAM_DONE;
	default:
		return PROGRAM_NO_PROCEDURE;
	}
}

static bool is_wildcard(const struct net_address *a)
{
	if (a->any.sa_family == AF_INET6)
		return IN6_IS_ADDR_UNSPECIFIED(&a->v6.sin6_addr);
	return a->v4.sin_addr.s_addr == 0;
}

/*
 * The universal address at which the caller finds the service: the address that it called, else the
 * one that it says it called.
 */
static void address_of(const struct program_call *c, const struct server_service *v,
		       struct slice said, char text[NET_ADDRESS_TEXT_BYTES])
{
	struct net_address at = net_address_loopback(0);
	struct net_address other;
	struct err *err;

	if (v->is_v6)
		at = (struct net_address){
			.v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT}};
	if (c->in->local && came_by_v6(c) == v->is_v6 && !is_wildcard(c->in->local)) {
		at = *c->in->local;
	} else if (said.len) {
		err = net_address_parse_universal(said, &other);
		if (!err && (other.any.sa_family == AF_INET6) == v->is_v6 && !is_wildcard(&other))
			at = other;
		err_destroy(err);
	}
	net_address_set_port(&at, v->port);
	net_address_format_universal(&at, text);
}

/* The transport that the caller asks about; by default the one by which it came. */
static struct netid netid_asked(const struct program_call *c, const struct xdr_opaque *name)
{
	struct slice text = xdr_opaque_slice(*name);

	for (size_t i = 0; i < NETIDS && text.len; i++)
		if (slice_equal(text, slice_of_string(netids[i].name)))
			return netids[i];
	return (struct netid){"", c->in->transport, came_by_v6(c)};
}

static enum program_done getaddr(struct program_call *c, const struct portmap_rpcb *r)
{
	bool exact = c->in->version == RPCBVERS4 && c->in->procedure == RPCB4PROC_GETVERSADDR;
	struct netid id = netid_asked(c, &r->r_netid);
	char text[NET_ADDRESS_TEXT_BYTES] = "";
	const struct server_service *v =
		service_find(c->server, r->r_prog, r->r_vers, id.transport, id.is_v6);
	struct xdr_opaque answer;

	if (!v && !exact)
		v = service_find(c->server, r->r_prog, 0, id.transport, id.is_v6);
	if (v)
		address_of(c, v, xdr_opaque_slice(r->r_addr), text);
	answer = program_text(text);
	portmap_encode_rpcb_uaddr(c->out, &answer);
	return PROGRAM_DONE;
}

static enum program_done dump3(struct program_call *c)
{
	const struct server *s = c->server;

	for (size_t i = 0; i < s->services_len; i++) {
		const struct server_service *v = &s->services[i];
		char text[NET_ADDRESS_TEXT_BYTES];
		struct portmap_rpcb r = {.r_prog = v->program,
					 .r_vers = v->version,
					 .r_netid = program_text(netid_of(v->transport, v->is_v6)),
					 .r_owner = program_text("superuser")};

		address_of(c, v, (struct slice){0}, text);
		r.r_addr = program_text(text);
		xdr_put_bool(c->out, true);
		portmap_encode_rpcb(c->out, &r);
	}
	xdr_put_bool(c->out, false);
	return PROGRAM_DONE;
}

static enum program_done getaddrlist(struct program_call *c, const struct portmap_rpcb *r)
{
	const struct server *s = c->server;

	for (size_t i = 0; i < s->services_len; i++) {
		const struct server_service *v = &s->services[i];
		bool is_udp = v->transport == RPC_OVER_UDP;
		char text[NET_ADDRESS_TEXT_BYTES];
		struct portmap_rpcb_entry e = {
			.r_nc_netid = program_text(netid_of(v->transport, v->is_v6)),
			.r_nc_semantics = is_udp ? SEMANTICS_CLTS : SEMANTICS_COTS_ORD,
			.r_nc_protofmly = program_text(v->is_v6 ? "inet6" : "inet"),
			.r_nc_proto = program_text(is_udp ? "udp" : "tcp")};

		if (v->program != r->r_prog || v->version != r->r_vers)
			continue;
		address_of(c, v, xdr_opaque_slice(r->r_addr), text);
		e.r_maddr = program_text(text);
		xdr_put_bool(c->out, true);
		portmap_encode_rpcb_entry(c->out, &e);
	}
	xdr_put_bool(c->out, false);
	return PROGRAM_DONE;
}

/* A sockaddr_in or sockaddr_in6 in the byte order of this machine, as rpcbind has it. */
static enum program_done uaddr2taddr(struct program_call *c)
{
	struct xdr_opaque text;
	struct portmap_netbuf out = {0};
	struct net_address a = {0};
	struct err *err;

	portmap_decode_rpcb_uaddr(&c->args, &text);
	if (!program_args_ok(c))
		return PROGRAM_GARBAGE;
	err = net_address_parse_universal(xdr_opaque_slice(text), &a);
	if (!err) {
		out.maxlen = net_address_bytes(&a);
		out.buf = program_opaque(slice_make(&a, out.maxlen));
	}
	err_destroy(err);
	portmap_encode_netbuf(c->out, &out);
	return PROGRAM_DONE;
}

static enum program_done taddr2uaddr(struct program_call *c)
{
	char text[NET_ADDRESS_TEXT_BYTES] = "";
	struct net_address a = {0};
	struct portmap_netbuf in;
	struct xdr_opaque answer;

	portmap_decode_netbuf(&c->args, &in);
	if (!program_args_ok(c))
		return PROGRAM_GARBAGE;
	if (in.buf.len <= sizeof(a)) {
		memcpy(&a, in.buf.ptr, in.buf.len);
		if (a.any.sa_family == AF_INET || a.any.sa_family == AF_INET6)
			net_address_format_universal(&a, text);
	}
	answer = program_text(text);
	portmap_encode_rpcb_uaddr(c->out, &answer);
	return PROGRAM_DONE;
}

static enum program_done getstat(struct program_call *c)
{
	struct portmap_rpcb_stat_byvers none = {0};

	portmap_encode_rpcb_stat_byvers(c->out, &none);
	return PROGRAM_DONE;
}

/* What takes a struct rpcb. */
static enum program_done rpcb_call(struct program_call *c)
{
	struct portmap_rpcb r;

	portmap_decode_rpcb(&c->args, &r);
	if (!program_args_ok(c))
		return PROGRAM_GARBAGE;
	switch (c->in->procedure) {
	case RPCBPROC_GETADDR:
	case RPCB4PROC_GETVERSADDR:
		return getaddr(c, &r);
	case RPCB4PROC_GETADDRLIST:
		return getaddrlist(c, &r);
	default:
		xdr_put_bool(c->out, false);
		return PROGRAM_DONE;
	}
}

static enum program_done rpcbind(struct program_call *c)
{
	if (c->in->version == RPCBVERS && c->in->procedure > RPCBPROC_TADDR2UADDR)
		return PROGRAM_NO_PROCEDURE;
	switch (c->in->procedure) {
	case RPCBPROC_NULL:
		return PROGRAM_DONE;
	case RPCBPROC_SET:
	case RPCBPROC_UNSET:
	case RPCBPROC_GETADDR:
	case RPCB4PROC_GETVERSADDR:
	case RPCB4PROC_GETADDRLIST:
		return rpcb_call(c);
	case RPCBPROC_DUMP:
		return dump3(c);
	case RPCBPROC_CALLIT:
	case RPCB4PROC_INDIRECT:
		return PROGRAM_SILENT;
	case RPCBPROC_GETTIME:
		xdr_put_u32(c->out, (uint32_t)(c->wall_ns / NS_PER_S));
		return PROGRAM_DONE;
	case RPCBPROC_UADDR2TADDR:
		return uaddr2taddr(c);
	case RPCBPROC_TADDR2UADDR:
		return taddr2uaddr(c);
	case RPCB4PROC_GETSTAT:
		return getstat(c);
	default:
		return PROGRAM_NO_PROCEDURE;
	}
}

enum program_done portmap_call(struct program_call *c)
{
	return c->in->version == PMAP_VERS ? portmap2(c) : rpcbind(c);
}
