// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Captures by grammar: the input chooses link layers, connections, messages made from the
 * specifications, what TCP does to them, fragments, and the blocks of the file; the program reads
 * what comes of it. Any bytes are a valid choice. `cuts` and `packet` hold the layers to more; this
 * brings valid traffic to the models and rules.
 */
#include "fuzz.h"
#include "tape.h"
#include "whole.h"
#include "xdr_make.h"

#include <stdlib.h>
#include <string.h>

#include "capfile/capfile.h"
#include "capfile/write.h"
#include "proto/packet.h"
#include "proto/xdr_type.h"

enum {
	STEPS_MAX = 160,
	CONNS_MAX = 4,
	ASKED_MAX = 8, /* calls that a reply may choose from */
	MESSAGE_BYTES_MAX = 1 << 13,
	FRAME_BYTES_MAX = MESSAGE_BYTES_MAX + 256,
	CHOICES_BYTES = 24, /* of the tape, for the values of one message */
	IP_TCP = 6,
	IP_UDP = 17,
	IP_ICMP = 1,
};

/* A call that was made: the form of its reply. */
struct asked {
	uint32_t xid;
	uint8_t spec, procedure;
};

struct conn {
	uint16_t port; /* the client's */
	bool v6;
	uint32_t seq[2]; /* by side: the client's first */
	struct asked asked[ASKED_MAX];
	size_t asked_count;
	uint8_t last[MESSAGE_BYTES_MAX]; /* the last segment, to be sent again */
	size_t last_len;
	bool last_server;
};

struct traffic {
	struct tape *tape;
	struct strbuf out;
	bool pcapng;
	uint32_t linktype;
	uint8_t tags;  /* of Ethernet */
	uint16_t cut;  /* snap length; 0: none */
	uint16_t harm; /* what is done to the file; 0: nothing */
	int64_t us;
	uint16_t ip_id;
	uint32_t xid;
	struct conn conns[CONNS_MAX];
};

static void put_u16(struct xdr_writer *w, uint16_t value)
{
	uint8_t bytes[2] = {(uint8_t)(value >> 8), (uint8_t)value};

	xdr_put_raw(w, slice_make(bytes, sizeof(bytes)));
}

static void put_u8(struct xdr_writer *w, uint8_t value)
{
	xdr_put_raw(w, slice_make(&value, 1));
}

static void put_zeroes(struct xdr_writer *w, size_t count)
{
	while (count--)
		put_u8(w, 0);
}

/* --- frames --- */

static void put_link(const struct traffic *t, struct xdr_writer *w, bool v6)
{
	uint16_t type = v6 ? 0x86dd : 0x0800;

	switch (t->linktype) {
	case LINKTYPE_ETHERNET:
		put_zeroes(w, 12);
		for (uint8_t i = 0; i < t->tags; i++) {
			put_u16(w, i ? 0x8100 : 0x88a8);
			put_u16(w, 7);
		}
		put_u16(w, type);
		break;
	case LINKTYPE_LINUX_SLL:
		put_u16(w, 4);
		put_u16(w, 1);
		put_u16(w, 6);
		put_zeroes(w, 8);
		put_u16(w, type);
		break;
	case LINKTYPE_LINUX_SLL2:
		put_u16(w, type);
		put_zeroes(w, 18);
		break;
	case LINKTYPE_NULL:
		put_u8(w, v6 ? 30 : 2);
		put_zeroes(w, 3);
		break;
	default: /* raw */
		break;
	}
}

static void put_host(struct xdr_writer *w, bool v6, uint8_t host)
{
	if (v6) {
		xdr_put_u32(w, 0x20010db8);
		put_zeroes(w, 8);
		xdr_put_u32(w, host);
	} else {
		xdr_put_u32(w, 0xc0000200U | host);
	}
}

static void put_ip(struct traffic *t, struct xdr_writer *w, bool v6, bool server, uint8_t proto,
		   uint16_t offset_and_flags, size_t payload)
{
	uint8_t client = 22;

	if (v6) {
		xdr_put_u32(w, 0x60000000);
		put_u16(w, (uint16_t)payload);
		put_u8(w, proto);
		put_u8(w, 64);
	} else {
		put_u16(w, 0x4500);
		put_u16(w, (uint16_t)(payload + 20));
		put_u16(w, t->ip_id);
		put_u16(w, offset_and_flags);
		put_u8(w, 64);
		put_u8(w, proto);
		put_u16(w, 0);
	}
	put_host(w, v6, server ? 10 : client);
	put_host(w, v6, server ? client : 10);
}

static void put_record(struct traffic *t, struct slice frame)
{
	struct stamp at = stamp_utc((INT64_C(1795305600000000) + t->us) * 1000);
	uint32_t wire = (uint32_t)frame.len;

	if (t->cut && frame.len > t->cut)
		frame.len = t->cut;
	if (t->pcapng)
		pcapng_write_packet(&t->out, 0, at, frame, wire,
				    tape_once_in(t->tape, 64) ? "\x1b[2J" : NULL);
	else
		pcap_write_packet(&t->out, at, frame, wire);
	t->us += 1 + tape_u8(t->tape);
}

/* One datagram of IPv4 may come in two fragments. */
static void put_datagram(struct traffic *t, bool v6, bool server, uint8_t proto, struct slice bytes)
{
	static uint8_t frame[FRAME_BYTES_MAX];
	bool split = !v6 && bytes.len > 64 && tape_once_in(t->tape, 16);
	size_t first = split ? (bytes.len / 2) & ~(size_t)7 : bytes.len;
	struct xdr_writer w = xdr_writer_make(frame, sizeof(frame));

	t->ip_id++;
	put_link(t, &w, v6);
	put_ip(t, &w, v6, server, proto, split ? 0x2000 : 0, first);
	xdr_put_raw(&w, slice_make(bytes.ptr, first));
	put_record(t, xdr_writer_bytes(&w));
	if (!split || tape_once_in(t->tape, 4))
		return;
	w = xdr_writer_make(frame, sizeof(frame));
	put_link(t, &w, v6);
	put_ip(t, &w, v6, server, proto, (uint16_t)(first / 8), bytes.len - first);
	xdr_put_raw(&w, slice_make(bytes.ptr + first, bytes.len - first));
	put_record(t, xdr_writer_bytes(&w));
}

static void put_segment(struct traffic *t, struct conn *c, bool server, uint8_t flags, uint32_t seq,
			uint16_t window, struct slice bytes)
{
	static uint8_t segment[MESSAGE_BYTES_MAX + 64];
	struct xdr_writer w = xdr_writer_make(segment, sizeof(segment));

	put_u16(&w, server ? 2049 : c->port);
	put_u16(&w, server ? c->port : 2049);
	xdr_put_u32(&w, seq);
	xdr_put_u32(&w, flags & TCP_ACK ? c->seq[!server] : 0);
	put_u8(&w, 0x50);
	put_u8(&w, flags);
	put_u16(&w, window);
	xdr_put_u32(&w, 0);
	xdr_put_raw(&w, bytes);
	put_datagram(t, c->v6, server, IP_TCP, xdr_writer_bytes(&w));
}

static void put_udp(struct traffic *t, struct conn *c, bool server, struct slice bytes)
{
	static uint8_t datagram[MESSAGE_BYTES_MAX + 64];
	struct xdr_writer w = xdr_writer_make(datagram, sizeof(datagram));
	uint16_t port = tape_once_in(t->tape, 4) ? 111 : 2049;

	put_u16(&w, server ? port : c->port);
	put_u16(&w, server ? c->port : port);
	put_u16(&w, (uint16_t)(bytes.len + 8));
	put_u16(&w, 0);
	xdr_put_raw(&w, bytes);
	put_datagram(t, c->v6, server, IP_UDP, xdr_writer_bytes(&w));
}

/* --- messages --- */

static struct slice take_choices(struct tape *tape)
{
	size_t len = tape->len < CHOICES_BYTES ? tape->len : CHOICES_BYTES;
	struct slice choices = slice_make(tape->bytes, len);

	tape->bytes += len;
	tape->len -= len;
	return choices;
}

static void put_body(struct traffic *t, struct xdr_writer *w, const struct xdr_spec *spec,
		     const struct xdr_type *type)
{
	struct make_random r = {.state = tape_u8(t->tape)};

	if (!tape_once_in(t->tape, 3))
		r.choices = take_choices(t->tape);
	if (type >= spec->types && type < spec->types + spec->type_count)
		make_types_find(spec->name)[type - spec->types].make(&r, w);
	else if (type)
		xdr_put_u32(w, 1);
}

/* One record, with its mark; empty when it was too long. */
static struct slice message_make(struct traffic *t, const struct asked *a, bool reply)
{
	static uint8_t message[MESSAGE_BYTES_MAX];
	struct xdr_writer w = xdr_writer_make(message, sizeof(message));
	size_t count;
	const struct xdr_spec *spec = xdr_specs(&count)[a->spec % count];
	const struct xdr_procedure *row = &spec->procedures[a->procedure % spec->procedure_count];
	size_t len;

	xdr_put_u32(&w, 0);
	xdr_put_u32(&w, a->xid);
	xdr_put_u32(&w, reply);
	if (reply) {
		xdr_put_u32(&w, tape_once_in(t->tape, 24)); /* denied */
	} else {
		xdr_put_u32(&w, 2);
		xdr_put_u32(&w, row->program);
		xdr_put_u32(&w, row->version);
		xdr_put_u32(&w, row->procedure);
		xdr_put_u64(&w, 0);
	}
	xdr_put_u64(&w, 0);
	if (reply)
		xdr_put_u32(&w, tape_once_in(t->tape, 24) ? tape_u8(t->tape) % 8 : 0);
	put_body(t, &w, spec, reply ? row->results : row->args);
	len = xdr_writer_bytes(&w).len;
	if (!xdr_writer_ok(&w) || len < 8)
		return slice_make(message, 0);
	message[0] = 0x80;
	message[2] = (uint8_t)((len - 4) >> 8);
	message[3] = (uint8_t)(len - 4);
	return slice_make(message, len);
}

static struct asked *ask(struct traffic *t, struct conn *c)
{
	struct asked *a = &c->asked[c->asked_count++ % ASKED_MAX];

	/* Many of NFSv4, which has one procedure for all. */
	*a = (struct asked){.xid = t->xid, .spec = tape_u8(t->tape), .procedure = tape_u8(t->tape)};
	if (!tape_once_in(t->tape, 8))
		t->xid++;
	return a;
}

static const struct asked *answered(struct traffic *t, const struct conn *c)
{
	size_t count = c->asked_count < ASKED_MAX ? c->asked_count : ASKED_MAX;

	return count ? &c->asked[tape_below(t->tape, count)] : NULL;
}

static void send(struct traffic *t, struct conn *c, bool server, struct slice bytes)
{
	put_segment(t, c, server, TCP_ACK | TCP_PSH, c->seq[server], 501, bytes);
	c->seq[server] += (uint32_t)bytes.len;
	memcpy(c->last, bytes.ptr, bytes.len);
	c->last_len = bytes.len;
	c->last_server = server;
}

static void say(struct traffic *t, struct conn *c, bool reply)
{
	const struct asked *a = reply ? answered(t, c) : ask(t, c);
	bool other_way = tape_once_in(t->tape, 16); /* a callback */
	struct slice bytes = a ? message_make(t, a, reply) : slice_make("", 0);

	if (bytes.len < 8)
		return;
	if (tape_once_in(t->tape, 12))
		put_udp(t, c, reply, slice_make(bytes.ptr + 4, bytes.len - 4));
	else
		send(t, c, reply != other_way, bytes);
}

/* --- what TCP and the path do --- */

static void shake_hands(struct traffic *t, struct conn *c)
{
	static const uint8_t flags[] = {TCP_SYN, TCP_SYN | TCP_ACK, TCP_ACK};
	uint8_t shown = tape_u8(t->tape);

	for (unsigned i = 0; i < 3; i++) {
		bool server = i == 1;

		if (shown >> i & 1)
			continue;
		put_segment(t, c, server, flags[i], c->seq[server], 501, slice_make("", 0));
		if (shown >> (i + 3) & 1) /* and again */
			put_segment(t, c, server, flags[i], c->seq[server], 501, slice_make("", 0));
		c->seq[server] += i < 2;
	}
}

static void send_again(struct traffic *t, struct conn *c)
{
	put_segment(t, c, c->last_server, TCP_ACK, c->seq[c->last_server] - (uint32_t)c->last_len,
		    501, slice_make(c->last, c->last_len));
}

static void disturb(struct traffic *t, struct conn *c)
{
	bool server = tape_u8(t->tape) & 1;

	switch (tape_below(t->tape, 6)) {
	case 0:
		put_segment(t, c, server, TCP_FIN | TCP_ACK, c->seq[server]++, 501,
			    slice_make("", 0));
		break;
	case 1:
		put_segment(t, c, server, TCP_RST | TCP_ACK, c->seq[server], 0, slice_make("", 0));
		break;
	case 2:
		put_segment(t, c, server, TCP_ACK, c->seq[server], tape_u8(t->tape) & 1,
			    slice_make("", 0));
		break;
	case 3: /* bytes that nobody shows */
		c->seq[server] += tape_u16(t->tape);
		break;
	case 4:
		c->port = (uint16_t)(700 + tape_u8(t->tape));
		c->seq[0] += 1U << 24;
		shake_hands(t, c);
		break;
	default:
		put_datagram(t, false, server, IP_ICMP, slice_make("\3\12\0\0\0\0\0\0", 8));
	}
}

static void send_nonsense(struct traffic *t, struct conn *c)
{
	send(t, c, tape_u8(t->tape) & 1, take_choices(t->tape));
}

static void put_block(struct traffic *t)
{
	static const char entry[] = "__REALTIME_TIMESTAMP=1795305600000000\n_TRANSPORT=kernel\n"
				    "MESSAGE=nfs: server 192.0.2.10 not responding, still trying\n";

	if (!t->pcapng)
		return;
	switch (tape_below(t->tape, 4)) {
	case 0:
		pcapng_write_journal(&t->out, slice_make(entry, sizeof(entry) - 1));
		break;
	case 1:
		pcapng_write_statistics(&t->out, 0, stamp_utc(INT64_C(1795305600) * STAMP_NS_PER_S),
					tape_u16(t->tape), tape_u8(t->tape));
		break;
	case 2:
		pcapng_write_interface(&t->out, LINKTYPE_RAW, 96, "\xff\x1b[0m");
		break;
	default:
		pcapng_write_section(&t->out, "dumpcap", "\xe2\x80\xae");
		pcapng_write_interface(&t->out, t->linktype, t->cut, NULL);
	}
}

static void step(struct traffic *t)
{
	struct conn *c = &t->conns[tape_u8(t->tape) % CONNS_MAX];
	uint8_t what = tape_u8(t->tape) % 16;

	if (what < 6)
		say(t, c, false);
	else if (what < 11)
		say(t, c, true);
	else if (what == 11)
		send_again(t, c);
	else if (what == 12)
		disturb(t, c);
	else if (what == 13)
		t->us += (int64_t)tape_u16(t->tape) * 10000; /* up to eleven minutes */
	else if (what == 14)
		send_nonsense(t, c);
	else
		put_block(t);
}

static void traffic_init(struct traffic *t, struct tape *tape)
{
	static const uint32_t linktypes[] = {LINKTYPE_ETHERNET, LINKTYPE_LINUX_SLL,
					     LINKTYPE_LINUX_SLL2, LINKTYPE_RAW, LINKTYPE_NULL};

	*t = (struct traffic){.tape = tape, .xid = 1};
	strbuf_init(&t->out);
	t->pcapng = tape_u8(tape) & 1;
	t->linktype = linktypes[tape_below(tape, sizeof(linktypes) / sizeof(linktypes[0]))];
	t->tags = tape_u8(tape) % 3;
	t->cut = tape_once_in(tape, 8) ? tape_u8(tape) : 0;
	t->harm = tape_once_in(tape, 8) ? tape_u16(tape) : 0;
	if (t->pcapng) {
		pcapng_write_section(&t->out, NULL, NULL);
		pcapng_write_interface(&t->out, t->linktype, t->cut, "eth0");
	} else {
		pcap_write_header(&t->out, t->linktype, t->cut ? t->cut : 262144);
	}
	for (unsigned i = 0; i < CONNS_MAX; i++) {
		struct conn *c = &t->conns[i];

		c->port = (uint16_t)(790 + i);
		c->v6 = i == CONNS_MAX - 1;
		c->seq[0] = UINT32_C(0xffffff00);
		c->seq[1] = 1000;
	}
}

/* Some harm to the file: an end too early, or a byte. */
static void damage(struct traffic *t)
{
	size_t at = (size_t)t->harm * 251 % (t->out.len + 1);

	if (t->harm & 1)
		t->out.len = at;
	else if (at < t->out.len)
		t->out.data[at] ^= (char)(1 + t->harm / 2 % 255);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tape tape = {.bytes = data, .len = size};
	static struct traffic t;
	struct slice file;

	traffic_init(&t, &tape);
	for (unsigned i = 0; i < CONNS_MAX && !tape_ended(&tape); i++)
		shake_hands(&t, &t.conns[i]);
	for (unsigned i = 0; i < STEPS_MAX && !tape_ended(&tape); i++)
		step(&t);
	if (t.harm)
		damage(&t);
	file = slice_make(strbuf_text(&t.out), t.out.len);
	whole_check(&file, 1);
	strbuf_deinit(&t.out);
	return 0;
}
