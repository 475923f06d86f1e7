// SPDX-License-Identifier: GPL-2.0-or-later
/* Which programs' arguments and results are looked into, besides COMPOUND; and portmap itself. */
#include "ingest/private.h"

#include "base/hash.h"
#include "event/handle.h"
#include "names/nfs3.h"
#include "names/nfsacl.h"
#include "names/nlm.h"
#include "names/nsm.h"
#include "names/portmap.h"
#include "proto/nfs3_xdr.h"
#include "proto/portmap_xdr.h"

#include <netinet/in.h>
#include <stdlib.h>

void ingest_keep_handle(struct file_handle *kept, struct xdr_opaque handle)
{
	kept->len = 0;
	if (handle.len == 0 || handle.len > RPC_HANDLE_BYTES_MAX || handle.have < handle.len)
		return;
	memcpy(kept->bytes, handle.ptr, handle.len);
	kept->len = (uint8_t)handle.len;
}

uint32_t ingest_object(struct xdr_opaque handle)
{
	if (handle.len > RPC_HANDLE_BYTES_MAX || handle.have < handle.len)
		return 0;
	return file_handle_hash_bytes(handle.ptr, handle.len);
}

uint32_t ingest_name(struct xdr_opaque name)
{
	return name.have < name.len ? 0 : file_handle_hash_bytes(name.ptr, name.len);
}

static uint32_t protocol_of_netid(struct xdr_opaque netid)
{
	struct slice name = xdr_opaque_slice(netid);

	if (name.len >= 3 && memcmp(name.ptr, "tcp", 3) == 0)
		return IPPROTO_TCP;
	return name.len >= 3 && memcmp(name.ptr, "udp", 3) == 0 ? IPPROTO_UDP : 0;
}

/* The port of a universal address, "h1.h2.h3.h4.p1.p2" (RFC 5665 section 5.2.3.3); 0: none. */
static uint16_t port_of_uaddr(struct xdr_opaque uaddr)
{
	struct slice text = xdr_opaque_slice(uaddr);
	unsigned parts[2] = {0}, dots = 0, scale = 1;

	for (size_t i = text.len; i > 0 && dots < 2; i--) {
		uint8_t c = text.ptr[i - 1];

		if (c == '.') {
			dots++;
			scale = 1;
		} else if (c >= '0' && c <= '9' && scale <= 100) {
			parts[dots] += (unsigned)(c - '0') * scale;
			scale *= 10;
		} else {
			return 0;
		}
	}
	return dots == 2 && parts[0] < 256 && parts[1] < 256 ? (uint16_t)(parts[1] << 8 | parts[0])
							     : 0;
}

static void portmap_call(struct pending_call *p, struct cursor *c)
{
	struct portmap_told *t = &pending_told_of(p)->port;
	struct portmap_mapping mapping;
	struct portmap_rpcb rpcb;

	if (p->call.version == PMAP_VERS) {
		portmap_decode_mapping(c, &mapping);
		t->program = mapping.prog;
		t->version = mapping.vers;
		t->protocol = mapping.prot;
	} else {
		portmap_decode_rpcb(c, &rpcb);
		t->program = rpcb.r_prog;
		t->version = rpcb.r_vers;
		t->protocol = protocol_of_netid(rpcb.r_netid);
	}
	if (t->program == 0)
		return;
	p->call.told_kind = RPC_TOLD_PORT;
	p->call.told.port = t;
}

static void told_portmap(struct pending_call *p, struct cursor c, bool reply)
{
	struct portmap_told *t;
	uint32_t port;

	if (p->call.procedure != PMAPPROC_GETPORT) /* GETADDR of versions 3 and 4 is 3 as well */
		return;
	if (!reply) {
		portmap_call(p, &c);
		return;
	}
	if (p->call.told_kind != RPC_TOLD_PORT)
		return;
	t = &p->own.told->port;
	if (p->call.version == PMAP_VERS) {
		port = cursor_u32(&c);
		t->port = port <= UINT16_MAX ? (uint16_t)port : 0;
	} else {
		t->port = port_of_uaddr(cursor_opaque(&c, UINT32_MAX));
	}
	t->answered = cursor_ok(&c);
}

/* The handle that arguments of NFSv3 and NFSACL begin with (all but NULL), and what it is asked. */
static void told_object(struct pending_call *p, const struct cursor *at, bool reply)
{
	struct nfs3_fattr3 attributes;
	struct xdr_opaque handle;
	struct cursor c;
	bool nfs = p->call.program == NFS_PROGRAM;

	if (!reply && p->call.procedure != NFSPROC3_NULL) {
		cursor_copy(&c, at);
		handle = cursor_opaque(&c, NFS3_FHSIZE);
		p->call.object = ingest_object(handle);
		if (nfs)
			pending_keep_file(p, handle);
		if (nfs && p->call.procedure == NFSPROC3_LOOKUP)
			p->call.name_hash = ingest_name(cursor_opaque(&c, UINT32_MAX));
	} else if (reply && nfs && p->call.procedure == NFSPROC3_GETATTR) {
		cursor_copy(&c, at);
		if (cursor_u32(&c) != NFS3_OK)
			return;
		nfs3_decode_fattr3(&c, &attributes);
		p->call.has_change = cursor_ok(&c);
		p->call.change =
			(uint64_t)attributes.mtime.seconds << 32 | attributes.mtime.nseconds;
	}
}

static void told(struct pending_call *p, const struct cursor *at, bool reply)
{
	switch (p->call.program) {
	case PMAP_PROG:
		told_portmap(p, *at, reply);
		break;
	case NLM_PROG:
		ingest_told_nlm(p, *at, reply);
		break;
	case SM_PROG:
		if (!reply && p->call.procedure == SMPROC_NOTIFY)
			ingest_told_nsm(p, *at);
		break;
	case NFS_PROGRAM:
		if (p->call.version != NFS_V3)
			break;
		told_object(p, at, reply);
		if (p->call.procedure == NFSPROC3_READDIR ||
		    p->call.procedure == NFSPROC3_READDIRPLUS)
			ingest_told_listing(p, *at, reply);
		break;
	case NFS_ACL_PROGRAM:
		told_object(p, at, reply);
		break;
	default:
		break;
	}
}

void ingest_told_call(struct pending_call *p, const struct cursor *args)
{
	told(p, args, false);
}

void ingest_told_reply(struct pending_call *p, const struct cursor *results)
{
	told(p, results, true);
}
