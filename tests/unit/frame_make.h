/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Frames made by hand, for tests of what reads them: Ethernet, IPv4, TCP or UDP. */
#ifndef FRAME_MAKE_H
#define FRAME_MAKE_H

#include "base/strbuf.h"

/* A segment or datagram; what is zero is left as it is in the header. */
struct frame_spec {
	uint8_t proto;    /* 6: TCP; 17: UDP */
	uint8_t src_host; /* last byte of 192.0.2.x */
	uint8_t dst_host;
	uint16_t src_port;
	uint16_t dst_port;
	uint32_t seq;
	uint32_t ack;
	uint8_t flags;
	bool timestamps;
	uint32_t tsval;
	uint16_t ip_id;
	uint16_t fragment;   /* flags and offset, as in the header */
	const char *payload; /* NULL: none */
	size_t payload_len;
};

static inline void frame_u8(struct strbuf *out, unsigned int v)
{
	strbuf_add_char(out, (char)v);
}

static inline void frame_u16(struct strbuf *out, unsigned int v)
{
	frame_u8(out, v >> 8 & 0xff);
	frame_u8(out, v & 0xff);
}

static inline void frame_u32(struct strbuf *out, uint32_t v)
{
	frame_u16(out, v >> 16);
	frame_u16(out, v & 0xffff);
}

static inline void frame_ethernet(struct strbuf *out, unsigned int type)
{
	strbuf_add(out, "\2\0\0\0\0\1\2\0\0\0\0\2", 12);
	frame_u16(out, type);
}

static inline void frame_ipv4(struct strbuf *out, const struct frame_spec *spec, size_t inner_len)
{
	frame_u8(out, 0x45);
	frame_u8(out, 0);
	frame_u16(out, (unsigned int)(20 + inner_len));
	frame_u16(out, spec->ip_id);
	frame_u16(out, spec->fragment);
	frame_u8(out, 64);
	frame_u8(out, spec->proto);
	frame_u16(out, 0);
	frame_u32(out, 0xc0000200U | spec->src_host);
	frame_u32(out, 0xc0000200U | spec->dst_host);
}

static inline void frame_tcp(struct strbuf *out, const struct frame_spec *spec)
{
	frame_u16(out, spec->src_port);
	frame_u16(out, spec->dst_port);
	frame_u32(out, spec->seq);
	frame_u32(out, spec->ack);
	frame_u8(out, spec->timestamps ? 0x80 : 0x50);
	frame_u8(out, spec->flags);
	frame_u16(out, 501);
	frame_u32(out, 0);
	if (spec->timestamps) {
		frame_u32(out, 0x0101080a);
		frame_u32(out, spec->tsval);
		frame_u32(out, 7);
	}
	strbuf_add(out, spec->payload ? spec->payload : "", spec->payload_len);
}

static inline void frame_udp(struct strbuf *out, const struct frame_spec *spec)
{
	frame_u16(out, spec->src_port);
	frame_u16(out, spec->dst_port);
	frame_u16(out, (unsigned int)(8 + spec->payload_len));
	frame_u16(out, 0);
	strbuf_add(out, spec->payload ? spec->payload : "", spec->payload_len);
}

/* IPv4 and all behind it. */
static inline void frame_ip_packet(struct strbuf *out, const struct frame_spec *spec)
{
	struct strbuf inner;

	strbuf_init(&inner);
	if (spec->proto == 6)
		frame_tcp(&inner, spec);
	else
		frame_udp(&inner, spec);
	frame_ipv4(out, spec, inner.len);
	strbuf_add(out, inner.data, inner.len);
	strbuf_deinit(&inner);
}

/* The whole frame. */
static inline void frame_make(struct strbuf *out, const struct frame_spec *spec)
{
	frame_ethernet(out, 0x0800);
	frame_ip_packet(out, spec);
}

static inline struct slice frame_slice(const struct strbuf *sb)
{
	return slice_make(sb->data, sb->len);
}

#endif
