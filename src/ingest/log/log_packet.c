// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Packets that a LOG rule of nftables or iptables writes into the kernel's log, ufw's and
 *firewalld's among them (net/netfilter/nf_log_syslog.c, before 5.13 nf_log_ipv4.c and
 *nf_log_ipv6.c):
 *
 *	PREFIX IN=eth0 OUT= MAC=... SRC=192.0.2.1 DST=192.0.2.2 LEN=60 ... PROTO=TCP SPT=801
 *DPT=2049 WINDOW=64240 RES=0x00 SYN URGP=0
 *
 * What an ICMP message quotes stands in brackets, and is another packet.
 */
#include "ingest/log/log_facts.h"

#include <strings.h>

enum { PREFIX_BYTES_MAX = 128, IP_PROTO_TCP = 6, IP_PROTO_UDP = 17 };

/* The fields of a packet; a ptr is NULL where there is none. */
enum field { FIELD_IN, FIELD_OUT, FIELD_SRC, FIELD_DST, FIELD_PROTO, FIELD_SPT, FIELD_DPT, FIELDS };

struct fields {
	struct slice value[FIELDS];
	uint8_t flags; /* words of their own: of TCP */
};

static void field_take(struct fields *f, struct slice word)
{
	static const struct {
		const char *name;
		uint8_t len;
	} names[FIELDS] = {
		[FIELD_IN] = {"IN=", 3},   [FIELD_OUT] = {"OUT=", 4},     [FIELD_SRC] = {"SRC=", 4},
		[FIELD_DST] = {"DST=", 4}, [FIELD_PROTO] = {"PROTO=", 6}, [FIELD_SPT] = {"SPT=", 4},
		[FIELD_DPT] = {"DPT=", 4},
	};

	for (size_t i = 0; i < FIELDS; i++) {
		if (word.ptr[0] != (uint8_t)names[i].name[0] || f->value[i].ptr ||
		    word.len < names[i].len || memcmp(word.ptr, names[i].name, names[i].len) != 0)
			continue;
		f->value[i] = slice_make(word.ptr + names[i].len, word.len - names[i].len);
		return;
	}
}

static void flag_take(struct fields *f, struct slice word)
{
	static const char names[][4] = {"FIN", "SYN", "RST", "PSH", "ACK"};

	for (uint8_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (word.len == 3 && word.ptr[0] == (uint8_t)names[i][0] &&
		    memcmp(word.ptr, names[i], 3) == 0)
			f->flags |= (uint8_t)(1 << i);
}

/* Words between blanks: of two fields with one name the first counts. */
static void fields_take(struct slice text, struct fields *f)
{
	const uint8_t *end = text.ptr + text.len;

	*f = (struct fields){0};
	for (const uint8_t *at = text.ptr; at < end;) {
		const uint8_t *blank = memchr(at, ' ', (size_t)(end - at));
		struct slice word = slice_make(at, (size_t)((blank ? blank : end) - at));

		if (word.len > 3 || (word.len == 3 && word.ptr[2] == '='))
			field_take(f, word);
		else if (at > text.ptr)
			flag_take(f, word);
		at += word.len + 1;
	}
}

static bool is_letter(uint8_t c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static uint16_t port_of(struct slice text)
{
	uint32_t port = 0;

	for (size_t i = 0; i < text.len && port <= UINT16_MAX; i++) {
		if (text.ptr[i] < '0' || text.ptr[i] > '9')
			return 0;
		port = port * 10 + (uint32_t)(text.ptr[i] - '0');
	}
	return port <= UINT16_MAX ? (uint16_t)port : 0;
}

/* One of the words begins in the text where no letter stands before it. */
static bool begins_word(struct slice text, const char *const *words)
{
	for (; *words; words++) {
		size_t len = strlen(*words);

		for (size_t i = 0; i + len <= text.len; i++)
			if ((text.ptr[i] | 0x20) == (*words)[0] &&
			    (i == 0 || !is_letter(text.ptr[i - 1])) &&
			    strncasecmp((const char *)text.ptr + i, *words, len) == 0)
				return true;
	}
	return false;
}

static enum log_fate fate_of(struct slice prefix)
{
	static const char *const passed[] = {"accept", "allow", "pass", "permit", NULL};
	static const char *const rejected[] = {"reject", NULL};
	static const char *const dropped[] = {"drop", "block", "deny", "denied", "discard", NULL};
	bool told = begins_word(prefix, dropped) || begins_word(prefix, rejected);

	if (begins_word(prefix, passed))
		return told ? LOG_FATE_UNTOLD : LOG_FATE_PASSED;
	if (begins_word(prefix, rejected))
		return LOG_FATE_REJECTED;
	return told ? LOG_FATE_DROPPED : LOG_FATE_UNTOLD;
}

static uint8_t protocol_of(struct slice name)
{
	if (slice_equal(name, slice_of_string("TCP")))
		return IP_PROTO_TCP;
	return slice_equal(name, slice_of_string("UDP")) ? IP_PROTO_UDP : 0;
}

static enum filter_hook hook_of(struct slice in, struct slice out)
{
	if (in.len && out.len)
		return FILTER_HOOK_FORWARD;
	if (in.len)
		return FILTER_HOOK_INPUT;
	return out.len ? FILTER_HOOK_OUTPUT : FILTER_HOOK_UNKNOWN;
}

/* What stands before " IN=", without brackets and blanks at its ends. */
static struct slice prefix_of(struct slice text, const uint8_t *in)
{
	struct slice prefix = slice_make(text.ptr, (size_t)(in - text.ptr));

	while (prefix.len && strchr(" [:", prefix.ptr[0]))
		prefix = slice_make(prefix.ptr + 1, prefix.len - 1);
	while (prefix.len && strchr(" ]:", prefix.ptr[prefix.len - 1]))
		prefix.len--;
	if (prefix.len > PREFIX_BYTES_MAX)
		prefix.len = PREFIX_BYTES_MAX;
	return prefix;
}

bool log_packet_parse(struct slice text, uint32_t gates, struct log_fact *out)
{
	const uint8_t *in =
		gates >> LOG_GATE_PACKET & 1 ? memmem(text.ptr, text.len, "IN=", 3) : NULL;
	struct log_packet packet = {0};
	struct fields f;
	const uint8_t *quoted;
	struct slice rest;

	if (!in)
		return false;
	rest = slice_make(in, text.len - (size_t)(in - text.ptr));
	quoted = memchr(rest.ptr, '[', rest.len);
	if (quoted)
		rest.len = (size_t)(quoted - rest.ptr);
	fields_take(rest, &f);
	if (!f.value[FIELD_OUT].ptr || !log_address_parse(f.value[FIELD_SRC], &packet.src) ||
	    !log_address_parse(f.value[FIELD_DST], &packet.dst))
		return false;
	packet.protocol = protocol_of(f.value[FIELD_PROTO]);
	if (packet.protocol) {
		packet.src.port = port_of(f.value[FIELD_SPT]);
		packet.dst.port = port_of(f.value[FIELD_DPT]);
	}
	if (packet.protocol == IP_PROTO_TCP)
		packet.flags = f.flags;
	packet.hook = hook_of(f.value[FIELD_IN], f.value[FIELD_OUT]);
	*out = (struct log_fact){.kind = LOG_PACKET, .line = text, .packet = packet};
	out->subject = prefix_of(text, in);
	out->packet.fate = fate_of(out->subject);
	return true;
}
