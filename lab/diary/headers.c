// SPDX-License-Identifier: GPL-2.0-or-later
/* See headers.h. */
#include "lab/diary/headers.h"

enum {
	PROTOCOL_TCP = 6,
	PROTOCOL_UDP = 17,
	HOP_LIMIT = 64,
	WINDOW = 65535,
	TCP_BYTES = 20,
	SYN_OPTION_BYTES = 8,
	UDP_BYTES = 8,
	IPV4_BYTES = 20,
	IPV6_BYTES = 40,
};

static void put_u16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void put_u32(uint8_t *at, uint32_t value)
{
	put_u16(at, value >> 16);
	put_u16(at + 2, value);
}

/* The sum of RFC 1071, not folded. */
static uint64_t sum_of(struct slice s)
{
	uint64_t sum = 0;

	for (size_t i = 0; i + 1 < s.len; i += 2)
		sum += (uint32_t)s.ptr[i] << 8 | s.ptr[i + 1];
	return s.len % 2 ? sum + ((uint32_t)s.ptr[s.len - 1] << 8) : sum;
}

static uint16_t checksum(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static struct slice address_of(const struct net_address *a)
{
	return a->any.sa_family == AF_INET6 ? slice_make((const uint8_t *)&a->v6.sin6_addr, 16)
					    : slice_make((const uint8_t *)&a->v4.sin_addr, 4);
}

static size_t write_ip(const struct headers_packet *p, uint8_t protocol, size_t len, uint8_t *out)
{
	struct slice from = address_of(p->from), to = address_of(p->to);

	if (from.len == 16) {
		put_u32(out, UINT32_C(6) << 28);
		put_u16(out + 4, (uint32_t)len);
		out[6] = protocol;
		out[7] = HOP_LIMIT;
		memcpy(out + 8, from.ptr, 16);
		memcpy(out + 24, to.ptr, 16);
		return IPV6_BYTES;
	}
	memset(out, 0, IPV4_BYTES);
	out[0] = 0x45;
	put_u16(out + 2, (uint32_t)(IPV4_BYTES + len));
	put_u16(out + 6, 0x4000); /* do not fragment */
	out[8] = HOP_LIMIT;
	out[9] = protocol;
	memcpy(out + 12, from.ptr, 4);
	memcpy(out + 16, to.ptr, 4);
	put_u16(out + 10, checksum(sum_of(slice_make(out, IPV4_BYTES))));
	return IPV4_BYTES;
}

/* Over the pseudo header, this header and the payload. */
static uint16_t checksum_of(const struct headers_packet *p, uint8_t protocol, const uint8_t *header,
			    size_t len)
{
	uint64_t sum = protocol + len + p->payload.len;

	sum += sum_of(address_of(p->from)) + sum_of(address_of(p->to));
	sum += sum_of(slice_make(header, len)) + sum_of(p->payload);
	return checksum(sum);
}

static void write_ports(const struct headers_packet *p, uint8_t *out)
{
	put_u16(out, net_address_port(p->from));
	put_u16(out + 2, net_address_port(p->to));
}

static size_t tcp_bytes(const struct headers_packet *p)
{
	return TCP_BYTES + (p->flags & HEADERS_SYN ? SYN_OPTION_BYTES : 0);
}

static void write_tcp(const struct headers_packet *p, uint8_t *out)
{
	/* The segment size of loopback; windows in units of 128 bytes. */
	static const uint8_t options[SYN_OPTION_BYTES] = {2, 4, 0xff, 0xd7, 1, 3, 3, 7};
	size_t len = tcp_bytes(p);

	memset(out, 0, TCP_BYTES);
	write_ports(p, out);
	put_u32(out + 4, p->sequence);
	put_u32(out + 8, p->flags & HEADERS_ACK ? p->acknowledged : 0);
	out[12] = (uint8_t)(len / 4 << 4);
	out[13] = p->flags;
	put_u16(out + 14, WINDOW);
	if (p->flags & HEADERS_SYN)
		memcpy(out + TCP_BYTES, options, sizeof(options));
	put_u16(out + 16, checksum_of(p, PROTOCOL_TCP, out, len));
}

static void write_udp(const struct headers_packet *p, uint8_t *out)
{
	uint16_t sum;

	write_ports(p, out);
	put_u16(out + 4, (uint32_t)(UDP_BYTES + p->payload.len));
	put_u16(out + 6, 0);
	sum = checksum_of(p, PROTOCOL_UDP, out, UDP_BYTES);
	put_u16(out + 6, sum ? sum : UINT16_MAX);
}

size_t headers_write(const struct headers_packet *p, uint8_t out[HEADERS_BYTES_MAX])
{
	size_t len = p->is_udp ? UDP_BYTES : tcp_bytes(p);
	size_t at = write_ip(p, p->is_udp ? PROTOCOL_UDP : PROTOCOL_TCP, len + p->payload.len, out);

	if (p->is_udp)
		write_udp(p, out + at);
	else
		write_tcp(p, out + at);
	return at + len;
}
