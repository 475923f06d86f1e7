// SPDX-License-Identifier: GPL-2.0-or-later
/* See portmap.h. */
#include "lab/proxy/portmap.h"

#include <stdio.h>
#include <stdlib.h>

#include "names/portmap.h"
#include "proto/xdr.h"

enum { PROTOCOL_TCP = 6, PROTOCOL_UDP = 17, UADDR_BYTES_MAX = 80, ENTRIES_MAX = 4096 };

struct rewrite {
	const struct portmap_question *q;
	const char *host;
	portmap_port_fn *port;
	void *context;
	struct strbuf *out;
	bool is_changed;
};

static bool netid_is(struct xdr_opaque netid, const char *family)
{
	size_t len = strlen(family);

	/* "udp", "udp6" */
	return netid.have >= len && netid.have <= len + 1 && memcmp(netid.ptr, family, len) == 0;
}

static struct cursor body_of(const struct fault_message *m)
{
	return cursor_make_cut(
		slice_make(m->bytes.ptr + m->body_offset, m->bytes.len - m->body_offset),
		m->missing_bytes);
}

static bool is_dump(const struct fault_message *m)
{
	return m->procedure == PMAPPROC_DUMP; /* the same number in all versions */
}

static bool is_getaddr(const struct fault_message *m)
{
	return m->version >= RPCBVERS &&
	       (m->procedure == RPCBPROC_GETADDR ||
		(m->version == RPCBVERS4 && m->procedure == RPCB4PROC_GETVERSADDR));
}

void portmap_question_read(const struct fault_message *call, struct portmap_question *out)
{
	struct cursor c;

	*out = (struct portmap_question){0};
	if (call->program != PMAP_PROG || !call->body_offset || !call->is_plain)
		return;
	c = body_of(call);
	if (is_dump(call)) {
		out->is_asked = true;
	} else if (call->version == PMAP_VERS && call->procedure == PMAPPROC_GETPORT) {
		uint32_t protocol;

		out->program = cursor_u32(&c);
		cursor_u32(&c); /* version */
		protocol = cursor_u32(&c);
		out->is_udp = protocol == PROTOCOL_UDP;
		out->is_asked = cursor_ok(&c) && (out->is_udp || protocol == PROTOCOL_TCP);
	} else if (is_getaddr(call)) {
		struct xdr_opaque netid;

		out->program = cursor_u32(&c);
		cursor_u32(&c);
		netid = cursor_opaque(&c, RPCB_NETID_LIMIT);
		out->is_udp = netid_is(netid, "udp");
		out->is_asked = cursor_ok(&c) && (out->is_udp || netid_is(netid, "tcp"));
	}
}

static void put_u32(struct strbuf *out, uint32_t value)
{
	uint32_t wire = __builtin_bswap32(value);

	strbuf_add(out, &wire, sizeof(wire));
}

static void put_text(struct strbuf *out, const char *text)
{
	size_t len = strlen(text);

	put_u32(out, (uint32_t)len);
	strbuf_add(out, text, len);
	strbuf_add(out, "\0\0\0", xdr_padded((uint32_t)len) - len);
}

/* The port at the end of a universal address (RFC 5665 section 5.2.3.4); 0: there is none. */
static uint16_t uaddr_port(struct xdr_opaque uaddr)
{
	char text[UADDR_BYTES_MAX + 1];
	char *low, *high, *end;
	unsigned long a, b;

	if (uaddr.have != uaddr.len || uaddr.len > UADDR_BYTES_MAX || !uaddr.len)
		return 0;
	memcpy(text, uaddr.ptr, uaddr.len);
	text[uaddr.len] = '\0';
	low = strrchr(text, '.');
	if (!low)
		return 0;
	*low = '\0';
	high = strrchr(text, '.');
	if (!high)
		return 0;
	a = strtoul(high + 1, &end, 10);
	if (*end || a > 255)
		return 0;
	b = strtoul(low + 1, &end, 10);
	return *end || b > 255 ? 0 : (uint16_t)(a << 8 | b);
}

/* A universal address: ours where the proxy listens for it, else what it was. */
static void put_uaddr(struct rewrite *r, uint32_t program, bool is_udp, struct xdr_opaque uaddr)
{
	/* "tcp6" stays as it is where the client came by IPv4: that is not where the proxy listens.
	 */
	bool is_same_family = !memchr(uaddr.ptr, ':', uaddr.have) == !strchr(r->host, ':');
	uint16_t port = uaddr.have && is_same_family ? uaddr_port(uaddr) : 0;
	uint16_t ours = port ? r->port(r->context, program, is_udp, port) : 0;
	char text[UADDR_BYTES_MAX + 16];

	if (ours) {
		snprintf(text, sizeof(text), "%s.%u.%u", r->host, ours >> 8, ours & 0xff);
		put_text(r->out, text);
		r->is_changed = true;
		return;
	}
	put_u32(r->out, uaddr.len);
	strbuf_add(r->out, uaddr.ptr, uaddr.have);
	strbuf_add(r->out, "\0\0\0", xdr_padded(uaddr.len) - uaddr.len);
}

static void put_opaque(struct strbuf *out, struct xdr_opaque o)
{
	put_u32(out, o.len);
	strbuf_add(out, o.ptr, o.have);
	strbuf_add(out, "\0\0\0", xdr_padded(o.len) - o.len);
}

static bool rewrite_port(struct rewrite *r, struct cursor *c)
{
	uint32_t port = cursor_u32(c);
	uint16_t ours = port && port <= UINT16_MAX
				? r->port(r->context, r->q->program, r->q->is_udp, (uint16_t)port)
				: 0;

	put_u32(r->out, ours ? ours : port);
	r->is_changed = ours != 0;
	return cursor_ok(c);
}

/* Version 2: program, version, protocol, port. */
static bool rewrite_list2(struct rewrite *r, struct cursor *c)
{
	for (uint32_t i = 0; i < ENTRIES_MAX && cursor_bool(c); i++) {
		uint32_t program = cursor_u32(c), version = cursor_u32(c);
		uint32_t protocol = cursor_u32(c), port = cursor_u32(c);
		bool is_known = protocol == PROTOCOL_TCP || protocol == PROTOCOL_UDP;
		uint16_t ours = 0;

		if (!cursor_ok(c))
			return false;
		if (is_known && port && port <= UINT16_MAX)
			ours = r->port(r->context, program, protocol == PROTOCOL_UDP,
				       (uint16_t)port);
		put_u32(r->out, 1);
		put_u32(r->out, program);
		put_u32(r->out, version);
		put_u32(r->out, protocol);
		put_u32(r->out, ours ? ours : port);
		r->is_changed = r->is_changed || ours;
	}
	put_u32(r->out, 0);
	return cursor_ok(c);
}

/* Versions 3 and 4: program, version, netid, universal address, owner. */
static bool rewrite_list3(struct rewrite *r, struct cursor *c)
{
	for (uint32_t i = 0; i < ENTRIES_MAX && cursor_bool(c); i++) {
		uint32_t program = cursor_u32(c), version = cursor_u32(c);
		struct xdr_opaque netid = cursor_opaque(c, RPCB_NETID_LIMIT);
		struct xdr_opaque uaddr = cursor_opaque(c, RPCB_ADDR_LIMIT);
		struct xdr_opaque owner = cursor_opaque(c, RPCB_OWNER_LIMIT);
		bool is_udp = netid_is(netid, "udp");

		if (!cursor_ok(c))
			return false;
		put_u32(r->out, 1);
		put_u32(r->out, program);
		put_u32(r->out, version);
		put_opaque(r->out, netid);
		if (is_udp || netid_is(netid, "tcp"))
			put_uaddr(r, program, is_udp, uaddr);
		else
			put_opaque(r->out, uaddr);
		put_opaque(r->out, owner);
	}
	put_u32(r->out, 0);
	return cursor_ok(c);
}

bool portmap_reply_rewrite(const struct fault_message *reply, const struct portmap_question *q,
			   const char *host, portmap_port_fn *port, void *context,
			   struct strbuf *out)
{
	struct rewrite r = {.q = q, .host = host, .port = port, .context = context, .out = out};
	struct cursor c;
	bool read;

	if (!q->is_asked || !reply->body_offset || reply->missing_bytes)
		return false;
	c = body_of(reply);
	strbuf_reset(out);
	strbuf_add(out, reply->bytes.ptr, reply->body_offset);
	if (is_getaddr(reply)) {
		struct xdr_opaque uaddr = cursor_opaque(&c, RPCB_ADDR_LIMIT);

		read = cursor_ok(&c);
		if (read)
			put_uaddr(&r, q->program, q->is_udp, uaddr);
	} else if (!is_dump(reply)) {
		read = rewrite_port(&r, &c);
	} else {
		read = reply->version == PMAP_VERS ? rewrite_list2(&r, &c) : rewrite_list3(&r, &c);
	}
	return read && r.is_changed && cursor_left(&c) == 0;
}
