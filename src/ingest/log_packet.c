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
#include "ingest/log_facts.h"

#include <strings.h>

enum { PREFIX_BYTES_MAX = 128, IP_PROTO_TCP = 6, IP_PROTO_UDP = 17 };

/* The value of "NAME=VALUE", which ends at a blank; its ptr is NULL where there is none. */
static struct slice field(struct slice text, const char *name)
{
	size_t len = strlen(name);
	size_t at = 0;

	while (at < text.len) {
		const uint8_t *found = memmem(text.ptr + at, text.len - at, name, len);
		size_t end, begin;

		if (!found)
			break;
		begin = (size_t)(found - text.ptr);
		at = begin + len;
		if (begin && text.ptr[begin - 1] != ' ')
			continue;
		for (end = at; end < text.len && text.ptr[end] != ' ';)
			end++;
		return slice_make(text.ptr + at, end - at);
	}
	return slice_make(NULL, 0);
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

/* The word stands between blanks, or at the end. */
static bool has_word(struct slice text, const char *word)
{
	size_t len = strlen(word);

	for (size_t i = 0; i + 1 + len <= text.len; i++)
		if (text.ptr[i] == ' ' && memcmp(text.ptr + i + 1, word, len) == 0 &&
		    (i + 1 + len == text.len || text.ptr[i + 1 + len] == ' '))
			return true;
	return false;
}

static uint8_t flags_of(struct slice text)
{
	static const char *const names[] = {"FIN", "SYN", "RST", "PSH", "ACK"};
	uint8_t flags = 0;

	for (uint8_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (has_word(text, names[i]))
			flags |= (uint8_t)(1 << i);
	return flags;
}

/* One of the words begins in the text where no letter stands before it. */
static bool begins_word(struct slice text, const char *const *words)
{
	for (; *words; words++) {
		size_t len = strlen(*words);

		for (size_t i = 0; i + len <= text.len; i++)
			if ((i == 0 || !is_letter(text.ptr[i - 1])) &&
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
	const uint8_t *quoted;
	struct slice rest;

	if (!in)
		return false;
	rest = slice_make(in, text.len - (size_t)(in - text.ptr));
	quoted = memchr(rest.ptr, '[', rest.len);
	if (quoted)
		rest.len = (size_t)(quoted - rest.ptr);
	if (!log_address_parse(field(rest, "SRC="), &packet.src) ||
	    !log_address_parse(field(rest, "DST="), &packet.dst) || !field(rest, "OUT=").ptr)
		return false;
	packet.protocol = protocol_of(field(rest, "PROTO="));
	if (packet.protocol) {
		packet.src.port = port_of(field(rest, "SPT="));
		packet.dst.port = port_of(field(rest, "DPT="));
	}
	if (packet.protocol == IP_PROTO_TCP)
		packet.flags = flags_of(rest);
	packet.hook = hook_of(field(rest, "IN="), field(rest, "OUT="));
	*out = (struct log_fact){.kind = LOG_PACKET, .line = text, .packet = packet};
	out->subject = prefix_of(text, in);
	out->packet.fate = fate_of(out->subject);
	return true;
}
