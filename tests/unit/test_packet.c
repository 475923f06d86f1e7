// SPDX-License-Identifier: GPL-2.0-or-later
/* Frames of every link layer, cut at every byte. */
#include "check.h"
#include "frame_make.h"
#include "proto/packet.h"

#include <stdlib.h>

static const struct frame_spec tcp_spec = {
	.proto = 6,
	.src_host = 1,
	.dst_host = 2,
	.src_port = 800,
	.dst_port = 2049,
	.seq = 0x11223344,
	.ack = 0x55667788,
	.flags = TCP_ACK | TCP_PSH,
	.timestamps = true,
	.tsval = 77,
	.ip_id = 99,
	.payload = "payload",
	.payload_len = 7,
};

static struct packet parse(uint32_t linktype, const struct strbuf *frame, size_t wire_bytes)
{
	struct packet p;
	uint8_t *copy = check_copy(frame->data, frame->len);

	packet_parse(linktype, slice_make(copy, frame->len), wire_bytes, &p);
	/* the payload is looked at in the frame itself */
	if (p.payload.len > 0)
		p.payload.ptr = (const uint8_t *)frame->data + (p.payload.ptr - copy);
	free(copy);
	return p;
}

static void check_tcp(const struct packet *p)
{
	CHECK_EQ_U64(p->kind, PACKET_TCP);
	CHECK_EQ_U64(p->src_port, 800);
	CHECK_EQ_U64(p->dst_port, 2049);
	CHECK_EQ_U64(p->tcp.seq, 0x11223344);
	CHECK_EQ_U64(p->tcp.ack, 0x55667788);
	CHECK_EQ_U64(p->tcp.flags, TCP_ACK | TCP_PSH);
	CHECK_EQ_U64(p->tcp.window, 501);
	CHECK(p->tcp.has_timestamps);
	CHECK_EQ_U64(p->tcp.tsval, 77);
	CHECK_EQ_U64(p->tcp.tsecr, 7);
	CHECK_EQ_U64(p->tcp.wscale, 0xff);
	CHECK_EQ_U64(p->payload_wire_bytes, 7);
	CHECK_BYTES(p->payload.ptr, p->payload.len, "payload", 7);
}

/* What each link layer puts in front of IPv4. */
static const struct link_case {
	uint32_t linktype;
	const char *bytes;
	size_t len;
	bool outgoing;
} link_cases[] = {
	{LINKTYPE_ETHERNET, "dstdstsrcsrc\x08\x00", 14, false},
	{LINKTYPE_ETHERNET, "dstdstsrcsrc\x81\x00\x00\x05\x08\x00", 18, false},
	{LINKTYPE_ETHERNET, "dstdstsrcsrc\x88\xa8\x00\x05\x81\x00\x00\x06\x08\x00", 22, false},
	{LINKTYPE_ETHERNET, "dstdstsrcsrc\x88\x47\0\0\x10\x40\0\0\x21\x40", 22, false},
	{LINKTYPE_ETHERNET, "dstdstsrcsrc\x88\x47\0\0\x21\x40\0\0\0\0dstdstsrcsrc\x08\x00", 36,
	 false},
	{LINKTYPE_ETHERNET, "dstdstsrcsrc\x88\x64\x11\0\0\1\0\x40\0\x21", 22, false},
	{LINKTYPE_LINUX_SLL, "\0\4\0\1\0\6srcsrc\0\0\x08\x00", 16, true},
	{LINKTYPE_LINUX_SLL, "\0\0\0\1\0\6srcsrc\0\0\x08\x00", 16, false},
	{LINKTYPE_LINUX_SLL2, "\x08\x00\0\0\0\0\0\2\0\1\4\6srcsrc\0\0", 20, true},
	{LINKTYPE_NULL, "\2\0\0\0", 4, false},
	{LINKTYPE_NULL, "\0\0\0\2", 4, false},
	{LINKTYPE_LOOP, "\0\0\0\2", 4, false},
	{LINKTYPE_RAW, "", 0, false},
	{LINKTYPE_IPV4, "", 0, false},
};

TEST(every_link_layer)
{
	for (size_t i = 0; i < sizeof(link_cases) / sizeof(link_cases[0]); i++) {
		const struct link_case *link = &link_cases[i];
		struct strbuf frame;
		struct packet p;

		strbuf_init(&frame);
		strbuf_add(&frame, link->bytes, link->len);
		frame_ip_packet(&frame, &tcp_spec);
		strbuf_add(&frame, "\0\0\0\0", 4); /* padding, which belongs to nobody */
		p = parse(link->linktype, &frame, frame.len);
		check_tcp(&p);
		CHECK(p.outgoing == link->outgoing);
		CHECK_EQ_U64(p.ip_version, 4);
		CHECK_EQ_U64(p.ip_id, 99);
		CHECK_EQ_U64(p.ttl, 64);
		CHECK_BYTES(p.src, 16, "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\2\1", 16);
		CHECK_BYTES(p.dst, 16, "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\2\2", 16);
		strbuf_deinit(&frame);
	}
}

TEST(cut_at_every_byte)
{
	struct strbuf frame;
	size_t wire_bytes;

	strbuf_init(&frame);
	frame_make(&frame, &tcp_spec);
	wire_bytes = frame.len;
	for (; frame.len > 0; frame.len--) {
		struct packet p = parse(LINKTYPE_ETHERNET, &frame, wire_bytes);

		if (frame.len < 14 + 20 + 20) {
			CHECK_EQ_U64(p.kind, PACKET_CUT);
			CHECK_EQ_U64(p.src_port, frame.len >= 14 + 20 + 4 ? 800 : 0);
			continue;
		}
		CHECK_EQ_U64(p.kind, PACKET_TCP);
		CHECK_EQ_U64(p.payload_wire_bytes, 7);
		CHECK_EQ_U64(p.payload.len, frame.len > 66 ? frame.len - 66 : 0);
		CHECK(p.tcp.has_timestamps == (frame.len >= 66));
	}
	{
		struct packet p = parse(LINKTYPE_ETHERNET, &frame, wire_bytes);

		CHECK_EQ_U64(p.kind, PACKET_CUT);
	}
	strbuf_deinit(&frame);
}

static bool is_same(const struct packet *a, const struct packet *b)
{
	return a->kind == b->kind && memcmp(a->src, b->src, sizeof(a->src)) == 0 &&
	       memcmp(a->dst, b->dst, sizeof(a->dst)) == 0 && a->src_port == b->src_port &&
	       a->dst_port == b->dst_port && a->ttl == b->ttl && a->ip_version == b->ip_version &&
	       a->tunnels == b->tunnels && a->ip_proto == b->ip_proto &&
	       a->frag_more == b->frag_more && a->frag_off == b->frag_off && a->ip_id == b->ip_id &&
	       a->payload.len == b->payload.len && a->payload_wire_bytes == b->payload_wire_bytes &&
	       a->tcp.seq == b->tcp.seq && a->tcp.ack == b->tcp.ack &&
	       a->tcp.window == b->tcp.window && a->tcp.flags == b->tcp.flags &&
	       a->tcp.has_timestamps == b->tcp.has_timestamps && a->tcp.tsval == b->tcp.tsval &&
	       a->tcp.tsecr == b->tcp.tsecr && a->tcp.mss == b->tcp.mss &&
	       a->tcp.wscale == b->tcp.wscale && a->tcp.sum_unfilled == b->tcp.sum_unfilled &&
	       (a->payload.len == 0 || memcmp(a->payload.ptr, b->payload.ptr, a->payload.len) == 0);
}

/* Behind Ethernet, plain TCP is read in another way than behind anything else. */
TEST(the_short_way_tells_the_same)
{
	enum { ETHERNET = 14, LOOPBACK = 4 };
	struct strbuf short_way, long_way;
	size_t differ = 0;

	strbuf_init(&short_way);
	strbuf_init(&long_way);
	strbuf_add(&short_way, "dstdstsrcsrc\x08\x00", ETHERNET);
	strbuf_add(&long_way, "\2\0\0\0", LOOPBACK);
	frame_ip_packet(&short_way, &tcp_spec);
	frame_ip_packet(&long_way, &tcp_spec);
	for (size_t cut = 0; cut <= 32; cut += 4)
		for (size_t at = 0; at + ETHERNET + cut < short_way.len; at++)
			for (unsigned value = 0; value < 256; value++) {
				struct strbuf a = short_way, b = long_way;
				char was = a.data[ETHERNET + at];
				struct packet p, q;

				a.len -= cut;
				b.len -= cut;
				a.data[ETHERNET + at] = b.data[LOOPBACK + at] = (char)value;
				p = parse(LINKTYPE_ETHERNET, &a, short_way.len);
				q = parse(LINKTYPE_NULL, &b, long_way.len);
				differ += !is_same(&p, &q);
				a.data[ETHERNET + at] = b.data[LOOPBACK + at] = was;
			}
	CHECK_EQ_U64(differ, 0);
	strbuf_deinit(&short_way);
	strbuf_deinit(&long_way);
}

TEST(lengths_of_ip_that_are_odd)
{
	struct strbuf frame;
	struct packet p;

	strbuf_init(&frame);
	frame_make(&frame, &tcp_spec);
	/* not filled in yet: the frame tells */
	memset(frame.data + 16, 0, 2);
	p = parse(LINKTYPE_ETHERNET, &frame, frame.len);
	check_tcp(&p);
	/* shorter than its own header */
	frame.data[17] = 19;
	p = parse(LINKTYPE_ETHERNET, &frame, frame.len);
	CHECK_EQ_U64(p.kind, PACKET_BAD);
	/* longer than the frame: the rest was lost */
	frame.data[16] = 1;
	p = parse(LINKTYPE_ETHERNET, &frame, frame.len);
	CHECK_EQ_U64(p.kind, PACKET_TCP);
	CHECK_EQ_U64(p.payload.len, 7);
	CHECK_EQ_U64(p.payload_wire_bytes, 256 + 19 - 52);
	/* a TCP header that ends behind the packet */
	frame.data[16] = 0;
	frame.data[17] = 59;
	frame.data[14 + 20 + 12] = (char)0xf0;
	p = parse(LINKTYPE_ETHERNET, &frame, frame.len);
	CHECK_EQ_U64(p.kind, PACKET_BAD);
	strbuf_deinit(&frame);
}

TEST(options_of_a_syn)
{
	static const char options[] = "\2\4\5\xb4\4\2\x08\x0a\0\0\0\1\0\0\0\0\1\3\3\7";
	struct frame_spec spec = tcp_spec;
	struct strbuf frame;
	struct packet p;

	spec.timestamps = false;
	spec.flags = TCP_SYN;
	spec.payload = options;
	spec.payload_len = 20;
	strbuf_init(&frame);
	frame_make(&frame, &spec);
	frame.data[14 + 20 + 12] = (char)0xa0;
	p = parse(LINKTYPE_ETHERNET, &frame, frame.len);
	CHECK_EQ_U64(p.kind, PACKET_TCP);
	CHECK_EQ_U64(p.payload_wire_bytes, 0);
	CHECK_EQ_U64(p.tcp.mss, 1460);
	CHECK_EQ_U64(p.tcp.wscale, 7);
	CHECK(p.tcp.has_timestamps && p.tcp.tsval == 1);
	/* an option of length 0 ends the list */
	frame.data[14 + 20 + 20 + 5] = 0;
	p = parse(LINKTYPE_ETHERNET, &frame, frame.len);
	CHECK_EQ_U64(p.tcp.mss, 1460);
	CHECK(!p.tcp.has_timestamps);
	strbuf_deinit(&frame);
}

TEST(udp_and_its_length)
{
	struct frame_spec spec = tcp_spec;
	struct strbuf frame;
	struct packet p;

	spec.proto = 17;
	strbuf_init(&frame);
	frame_make(&frame, &spec);
	p = parse(LINKTYPE_ETHERNET, &frame, frame.len);
	CHECK_EQ_U64(p.kind, PACKET_UDP);
	CHECK_EQ_U64(p.dst_port, 2049);
	CHECK_BYTES(p.payload.ptr, p.payload.len, "payload", 7);
	frame.data[14 + 20 + 5] = 10;
	p = parse(LINKTYPE_ETHERNET, &frame, frame.len);
	CHECK_EQ_U64(p.payload_wire_bytes, 2);
	frame.data[14 + 20 + 5] = 16;
	p = parse(LINKTYPE_ETHERNET, &frame, frame.len);
	CHECK_EQ_U64(p.kind, PACKET_BAD);
	strbuf_deinit(&frame);
}

/* An IPv6 packet with these headers between. */
static void make_ipv6(struct strbuf *out, uint8_t next, const char *between, size_t len)
{
	strbuf_init(out);
	frame_ethernet(out, 0x86dd);
	frame_u32(out, 0x60000000);
	frame_u16(out, (unsigned int)(len + 20));
	frame_u8(out, next);
	frame_u8(out, 63);
	strbuf_add(out, "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16);
	strbuf_add(out, "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\2", 16);
	strbuf_add(out, between, len);
	frame_tcp(out, &(struct frame_spec){.src_port = 5, .dst_port = 6});
}

TEST(headers_of_ipv6_are_walked)
{
	struct strbuf frame;
	struct packet p;

	make_ipv6(&frame, 6, "", 0);
	p = parse(LINKTYPE_ETHERNET, &frame, frame.len);
	CHECK_EQ_U64(p.kind, PACKET_TCP);
	CHECK_EQ_U64(p.ip_version, 6);
	CHECK_EQ_U64(p.ttl, 63);
	CHECK_EQ_U64(p.dst[15], 2);
	strbuf_deinit(&frame);
	/* hop-by-hop, routing, an atomic fragment */
	make_ipv6(&frame, 0, "\x2b\0\0\0\0\0\0\0\x2c\0\0\0\0\0\0\0\6\0\0\0\0\0\0\x63", 24);
	p = parse(LINKTYPE_ETHERNET, &frame, frame.len);
	CHECK_EQ_U64(p.kind, PACKET_TCP);
	CHECK_EQ_U64(p.ip_id, 0x63);
	CHECK_EQ_U64(p.src_port, 5);
	for (size_t wire_bytes = frame.len; frame.len > 0;) {
		frame.len--;
		p = parse(LINKTYPE_ETHERNET, &frame, wire_bytes);
		CHECK_EQ_U64(p.kind, PACKET_CUT);
	}
	strbuf_deinit(&frame);
	/* a fragment */
	make_ipv6(&frame, 44, "\x11\0\0\x11\0\0\0\x63", 8);
	p = parse(LINKTYPE_ETHERNET, &frame, frame.len);
	CHECK_EQ_U64(p.kind, PACKET_FRAGMENT);
	CHECK(p.frag_more);
	CHECK_EQ_U64(p.frag_off, 16);
	CHECK_EQ_U64(p.payload_wire_bytes, 20);
	strbuf_deinit(&frame);
}

TEST(headers_of_ipv6_without_end)
{
	char between[8 * 20] = {0};
	struct strbuf frame;
	struct packet p;

	make_ipv6(&frame, 0, between, sizeof(between));
	p = parse(LINKTYPE_ETHERNET, &frame, frame.len);
	CHECK_EQ_U64(p.kind, PACKET_BAD);
	strbuf_deinit(&frame);
}

TEST(icmp_quotes_a_packet)
{
	struct strbuf frame;
	struct packet p;
	struct packet quoted;
	size_t quoted_at;

	strbuf_init(&frame);
	frame_ethernet(&frame, 0x0800);
	frame_ipv4(&frame, &(struct frame_spec){.proto = 1, .src_host = 9}, 8 + 28);
	strbuf_add(&frame, "\3\4\0\0\0\0\5\x14", 8);
	quoted_at = frame.len;
	frame_ip_packet(&frame, &tcp_spec);
	frame.len = quoted_at + 28;
	p = parse(LINKTYPE_ETHERNET, &frame, frame.len);
	CHECK_EQ_U64(p.kind, PACKET_ICMP);
	CHECK_EQ_U64(p.icmp_type, 3);
	CHECK_EQ_U64(p.icmp_code, 4);
	CHECK_EQ_U64(p.icmp_mtu, 1300);
	CHECK_EQ_U64(p.payload.len, 28);
	packet_parse(LINKTYPE_RAW, p.payload, p.payload_wire_bytes, &quoted);
	CHECK_EQ_U64(quoted.kind, PACKET_CUT);
	CHECK_EQ_U64(quoted.dst_port, 2049);
	CHECK_EQ_U64(quoted.tcp.seq, 0x11223344);
	strbuf_deinit(&frame);
}

TEST(arp_names_two_hosts)
{
	struct strbuf frame;
	struct packet p;

	strbuf_init(&frame);
	frame_ethernet(&frame, 0x0806);
	strbuf_add(&frame, "\0\1\x08\0\6\4\0\1srcsrc\xc0\0\2\1dstdst\xc0\0\2\2", 28);
	p = parse(LINKTYPE_ETHERNET, &frame, frame.len);
	CHECK_EQ_U64(p.kind, PACKET_ARP);
	CHECK_EQ_U64(p.arp_op, 1);
	CHECK_EQ_U64(p.src[15], 1);
	CHECK_EQ_U64(p.dst[15], 2);
	for (size_t wire_bytes = frame.len; frame.len > 0;) {
		frame.len--;
		CHECK_EQ_U64(parse(LINKTYPE_ETHERNET, &frame, wire_bytes).kind, PACKET_CUT);
	}
	strbuf_deinit(&frame);
}

TEST(what_is_not_ours)
{
	struct strbuf frame;

	strbuf_init(&frame);
	frame_ethernet(&frame, 0x88cc);
	strbuf_add(&frame, "lldp", 4);
	CHECK_EQ_U64(parse(LINKTYPE_ETHERNET, &frame, frame.len).kind, PACKET_OTHER);
	CHECK_EQ_U64(parse(999, &frame, frame.len).kind, PACKET_UNKNOWN_LINK);
	frame.len = 13;
	CHECK_EQ_U64(parse(LINKTYPE_ETHERNET, &frame, frame.len).kind, PACKET_BAD);
	strbuf_deinit(&frame);
}

/* What stands before the inner packet, behind the outer IPv4 header of this protocol. */
static const struct tunnel_case {
	const char *what;
	uint8_t proto;
	uint16_t dst_port; /* UDP */
	const char *head;
	size_t len;
} tunnel_cases[] = {
	{"IP in IP", 4, 0, "", 0},
	{"GRE", 47, 0, "\0\0\x08\0", 4},
	{"GRE with checksum, key, sequence", 47, 0, "\xb0\0\x08\0sum.key.seq.", 16},
	{"GRE with Ethernet", 47, 0,
	 "\0\0\x65\x58"
	 "dstdstsrcsrc\x08\0",
	 18},
	{"GRE with MPLS", 47, 0, "\0\0\x88\x47\0\0\x01\x40", 8},
	{"ERSPAN I", 47, 0,
	 "\0\0\x88\xbe"
	 "dstdstsrcsrc\x08\0",
	 18},
	{"ERSPAN II", 47, 0,
	 "\x10\0\x88\xbe"
	 "seq.\x10\x01\0\1\0\0\0\0dstdstsrcsrc\x08\0",
	 30},
	{"ERSPAN III", 47, 0,
	 "\x10\0\x22\xeb"
	 "seq.\x20\x01\0\1time\0\0\0\1platformdstdstsrcsrc\x08\0",
	 42},
	{"VXLAN", 17, 4789, "\x08\0\0\0\0\0\x2a\0dstdstsrcsrc\x08\0", 22},
	{"VXLAN, tagged", 17, 8472, "\x08\0\0\0\0\0\x2a\0dstdstsrcsrc\x81\0\0\5\x08\0", 26},
	{"VXLAN with a policy", 17, 4789, "\x88\x08\0\7\0\0\x2a\0dstdstsrcsrc\x08\0", 22},
	{"VXLAN-GPE", 17, 4790, "\x0c\0\0\1\0\0\x2a\0", 8},
	{"GENEVE", 17, 6081, "\0\0\x65\x58\0\0\x2a\0dstdstsrcsrc\x08\0", 22},
	{"GENEVE with options, IPv4", 17, 6081, "\2\x40\x08\0\0\0\x2a\0options!", 16},
};

static void tunnel_frame(struct strbuf *frame, const struct tunnel_case *t)
{
	bool udp = t->proto == 17;
	struct frame_spec outer = {.proto = t->proto, .src_host = 8, .dst_host = 9};
	size_t inner_len = t->len + 20 + 32 + 7;

	strbuf_init(frame);
	frame_ethernet(frame, 0x0800);
	frame_ipv4(frame, &outer, inner_len + (udp ? 8 : 0));
	if (udp) {
		frame_u16(frame, 50000);
		frame_u16(frame, t->dst_port);
		frame_u16(frame, (unsigned int)(8 + inner_len));
		frame_u16(frame, 0);
	}
	strbuf_add(frame, t->head, t->len);
	frame_ip_packet(frame, &tcp_spec);
}

TEST(every_tunnel_cut_at_every_byte)
{
	for (size_t i = 0; i < sizeof(tunnel_cases) / sizeof(tunnel_cases[0]); i++) {
		struct strbuf frame;
		struct packet p;
		size_t wire_bytes;
		size_t inner_at;

		tunnel_frame(&frame, &tunnel_cases[i]);
		wire_bytes = frame.len;
		inner_at = wire_bytes - 20 - 32 - 7;
		p = parse(LINKTYPE_ETHERNET, &frame, wire_bytes);
		check_tcp(&p);
		CHECK_TEXT(p.tunnels == 1 ? tunnel_cases[i].what : "no tunnel",
			   tunnel_cases[i].what);
		CHECK_EQ_U64(p.src[15], 1);
		while (frame.len-- > inner_at + 20 + 4) {
			p = parse(LINKTYPE_ETHERNET, &frame, wire_bytes);
			CHECK_EQ_U64(p.dst_port, 2049);
			CHECK_EQ_U64(p.tunnels, 1);
		}
		for (; frame.len > 14 + 20 + 8; frame.len--) {
			p = parse(LINKTYPE_ETHERNET, &frame, wire_bytes);
			CHECK(p.kind != PACKET_TCP && p.kind != PACKET_BAD);
		}
		strbuf_deinit(&frame);
	}
}

TEST(tunnels_in_tunnels_end)
{
	for (size_t depth = 0; depth < 12; depth++) {
		struct strbuf frame;
		struct packet p;

		strbuf_init(&frame);
		frame_ethernet(&frame, 0x0800);
		for (size_t i = 0; i < depth; i++)
			frame_ipv4(&frame, &(struct frame_spec){.proto = 4},
				   (depth - i - 1) * 20 + 59);
		frame_ip_packet(&frame, &tcp_spec);
		p = parse(LINKTYPE_ETHERNET, &frame, frame.len);
		CHECK_EQ_U64(p.kind, depth <= 4 ? PACKET_TCP : PACKET_OTHER);
		CHECK_EQ_U64(p.tunnels, depth <= 4 ? depth : 4);
		strbuf_deinit(&frame);
	}
}

/* Ports of tunnels are also those that a client may have. */
TEST(datagrams_that_are_no_tunnel)
{
	static const struct tunnel_case cases[] = {
		{"a reply of RPC", 17, 4789, "\x08\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 22},
		{"reserved bits of VXLAN", 17, 8472, "\x09\0\0\0\0\0\0\0dstdstsrcsrc\x08\0", 22},
		{"another kind of frame", 17, 4789, "\x08\0\0\0\0\0\0\0dstdstsrcsrc\x88\xcc", 22},
		{"another version of IP", 17, 4789, "\x08\0\0\0\0\0\0\0dstdstsrcsrc\x86\xdd", 22},
		{"a version of GENEVE", 17, 6081, "\x40\0\x08\0\0\0\0\0", 8},
		{"another port", 17, 4788, "\x08\0\0\0\0\0\0\0dstdstsrcsrc\x08\0", 22},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct strbuf frame;
		struct packet p;

		tunnel_frame(&frame, &cases[i]);
		p = parse(LINKTYPE_ETHERNET, &frame, frame.len);
		CHECK_EQ_U64(p.kind, PACKET_UDP);
		CHECK_EQ_U64(p.dst_port, cases[i].dst_port);
		CHECK_EQ_U64(p.tunnels, 0);
		CHECK_EQ_U64(p.payload.len, cases[i].len + 59);
		strbuf_deinit(&frame);
	}
}
