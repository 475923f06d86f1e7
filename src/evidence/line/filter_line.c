// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See filter_line.h. Formats: nft(8); iptables(8), iptables-save(8), and print_firewall in
 * iptables/iptables.c.
 */
#include "evidence/line/filter_line.h"

#include <arpa/inet.h>
#include <string.h>

enum {
	WORDS_MAX = 64,
	ADDR_TEXT_MAX = 64,
	ADDR_BITS = 128,
	IPV4_BITS = 32,
	FLAG_FIN = 0x01,
	FLAG_SYN = 0x02,
	FLAG_RST = 0x04,
	FLAG_PSH = 0x08,
	FLAG_ACK = 0x10,
	FLAG_URG = 0x20,
};

struct words {
	struct slice at[WORDS_MAX];
	size_t len;
};

static bool is(struct slice word, const char *text)
{
	return slice_equal(word, slice_of_string(text));
}

/* Blanks, commas and braces, which have no meaning of their own here. */
static bool is_between(uint8_t c)
{
	static const bool marks[UINT8_MAX + 1] = {
		[' '] = true, ['\t'] = true, ['\r'] = true, [','] = true,
		['{'] = true, ['}'] = true,  ['('] = true,  [')'] = true,
		['|'] = true, ['['] = true,  [']'] = true,
	};

	return marks[c];
}

/* The first `max` words of the line. */
static void words_split(struct slice line, size_t max, struct words *w)
{
	size_t at = 0;

	w->len = 0;
	while (w->len < max) {
		size_t from;

		while (at < line.len && is_between(line.ptr[at]))
			at++;
		if (at == line.len)
			return;
		from = at;
		while (at < line.len && !is_between(line.ptr[at]))
			at++;
		w->at[w->len++] = slice_make(line.ptr + from, at - from);
	}
}

/* Empty behind the last one. */
static struct slice word(const struct words *w, size_t i)
{
	return i < w->len ? w->at[i] : (struct slice){0};
}

/* A decimal number, perhaps with K, M or G behind it (thousands, as iptables rounds). */
static bool number_parse(struct slice s, uint64_t *out)
{
	static const char units[] = "KMGT";
	uint64_t n = 0;
	size_t i = 0;

	for (; i < s.len && s.ptr[i] >= '0' && s.ptr[i] <= '9'; i++) {
		if (n > UINT64_MAX / 10000)
			return false;
		n = n * 10 + (uint64_t)(s.ptr[i] - '0');
	}
	if (i == 0)
		return false;
	if (i + 1 == s.len && s.ptr[i] && strchr(units, s.ptr[i])) {
		for (const char *u = units; *u; u++) {
			if (__builtin_mul_overflow(n, UINT64_C(1000), &n))
				return false;
			if (*u == (char)s.ptr[i])
				break;
		}
		i++;
	}
	*out = n;
	return i == s.len;
}

static bool port_parse(struct slice s, uint16_t *out)
{
	static const struct {
		const char *name;
		uint16_t port;
	} names[] = {{"sunrpc", 111}, {"nfs", 2049}};
	uint64_t n;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (is(s, names[i].name)) {
			*out = names[i].port;
			return true;
		}
	}
	if (!number_parse(s, &n) || n > UINT16_MAX)
		return false;
	*out = (uint16_t)n;
	return true;
}

/* "2049", "600-1023", "600:1023". */
static bool ports_add(struct filter_ports *ports, struct slice s)
{
	struct filter_port_range range;
	size_t at = 0;

	while (at < s.len && s.ptr[at] != '-' && s.ptr[at] != ':')
		at++;
	if (!port_parse(slice_make(s.ptr, at), &range.from))
		return false;
	range.to = range.from;
	if (at < s.len && !port_parse(slice_make(s.ptr + at + 1, s.len - at - 1), &range.to))
		return false;
	if (ports->len == FILTER_PORTS_MAX)
		return false;
	ports->ranges[ports->len++] = range;
	return true;
}

/* "192.0.2.10", "192.0.2.0/24", "2001:db8::/32". */
static bool net_parse(struct slice s, struct filter_net *out)
{
	char text[ADDR_TEXT_MAX];
	char *slash;
	uint64_t bits;
	bool is_v4;

	if (s.len == 0 || s.len >= sizeof(text))
		return false;
	memcpy(text, s.ptr, s.len);
	text[s.len] = '\0';
	slash = strchr(text, '/');
	if (slash)
		*slash = '\0';
	*out = (struct filter_net){.at.addr = {[10] = 0xff, [11] = 0xff}};
	is_v4 = inet_pton(AF_INET, text, out->at.addr + 12) == 1;
	if (!is_v4 && inet_pton(AF_INET6, text, out->at.addr) != 1)
		return false;
	bits = is_v4 ? IPV4_BITS : ADDR_BITS;
	if (slash && (!number_parse(slice_of_string(slash + 1), &bits) ||
		      bits > (is_v4 ? IPV4_BITS : ADDR_BITS)))
		return false;
	/* 0.0.0.0/0 is any address */
	out->bits = (uint8_t)(bits == 0 ? 0 : is_v4 ? bits + ADDR_BITS - IPV4_BITS : bits);
	return true;
}

static bool flag_parse(struct slice s, uint8_t *flags)
{
	static const struct {
		const char *lower, *upper;
		uint8_t bit;
	} names[] = {{"fin", "FIN", FLAG_FIN}, {"syn", "SYN", FLAG_SYN}, {"rst", "RST", FLAG_RST},
		     {"psh", "PSH", FLAG_PSH}, {"ack", "ACK", FLAG_ACK}, {"urg", "URG", FLAG_URG}};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (is(s, names[i].lower) || is(s, names[i].upper)) {
			*flags |= names[i].bit;
			return true;
		}
	}
	return false;
}

/* --- nft --- */

/*
 * Behind "tcp flags": "syn,ack / syn,ack" (value, mask), "& (syn | ack) == syn | ack" (mask,
 * value), "syn" (any of them). Returns the first word that is none of it.
 */
static size_t nft_flags(const struct words *w, size_t i, struct filter_fact *out)
{
	uint8_t part[2] = {0, 0};
	bool mask_first = false, two = false;

	for (; i < w->len; i++) {
		if (is(word(w, i), "/")) {
			two = true;
		} else if (is(word(w, i), "==")) {
			two = mask_first = true;
		} else if (is(word(w, i), "!=")) {
			out->is_partial = true;
			two = true;
		} else if (!is(word(w, i), "&") && !flag_parse(word(w, i), &part[two])) {
			break;
		}
	}
	if (!two)
		part[1] = part[0];
	out->flags_mask = part[mask_first ? 0 : 1];
	out->flags = part[mask_first ? 1 : 0];
	return i;
}

/* Behind "sport" or "dport": one or more ports. */
static size_t nft_ports(const struct words *w, size_t i, struct filter_ports *ports,
			struct filter_fact *out)
{
	size_t from = i;

	while (i < w->len && ports_add(ports, word(w, i)))
		i++;
	out->is_partial |= i == from; /* "!=", "@set" */
	return i == from ? i + 1 : i;
}

static size_t nft_net(const struct words *w, size_t i, struct filter_net *net,
		      struct filter_fact *out)
{
	struct filter_net more;

	if (!net_parse(word(w, i), net))
		out->is_partial = true;
	else if (net_parse(word(w, i + 1), &more)) /* of a set only the first would be known */
		out->is_partial = true;
	return i + 1;
}

/* The word at i and what belongs to it; returns the next one. */
static size_t nft_take(const struct words *w, size_t i, struct filter_fact *out, bool *ends)
{
	struct slice s = word(w, i++);

	if (is(s, "tcp") || is(s, "udp"))
		*(is(s, "tcp") ? &out->is_tcp : &out->is_other) = true;
	else if (is(s, "icmp") || is(s, "icmpv6"))
		out->is_other = true;
	else if (is(s, "sport") || is(s, "dport"))
		return nft_ports(w, i, is(s, "sport") ? &out->sport : &out->dport, out);
	else if (is(s, "saddr") || is(s, "daddr"))
		return nft_net(w, i, is(s, "saddr") ? &out->src : &out->dst, out);
	else if (is(s, "flags"))
		return nft_flags(w, i, out);
	else if (is(s, "packets") && i >= 2 && is(word(w, i - 2), "counter"))
		out->has_counter = number_parse(word(w, i), &out->packets);
	else if (is(s, "ct") || is(s, "limit") || is(s, "quota") || is(s, "mark"))
		out->is_partial = true;
	else if (is(s, "drop") || is(s, "reject"))
		*ends = true;
	out->reject |= is(s, "reject");
	return i;
}

static bool nft_rule(const struct words *w, struct filter_fact *out)
{
	bool ends = false;

	for (size_t i = 0; i < w->len && !ends;)
		i = nft_take(w, i, out, &ends);
	return ends;
}

static enum filter_hook hook_parse(struct slice s)
{
	if (is(s, "input") || is(s, "INPUT") || is(s, "prerouting") || is(s, "ingress"))
		return FILTER_HOOK_INPUT;
	if (is(s, "output") || is(s, "OUTPUT") || is(s, "postrouting") || is(s, "egress"))
		return FILTER_HOOK_OUTPUT;
	return is(s, "forward") || is(s, "FORWARD") ? FILTER_HOOK_FORWARD : FILTER_HOOK_UNKNOWN;
}

/* --- iptables --- */

/* "0x12". */
static bool hex_parse(struct slice s, uint8_t *out)
{
	uint8_t n = 0;

	if (s.len < 3 || s.len > 4 || s.ptr[0] != '0' || s.ptr[1] != 'x')
		return false;
	for (size_t i = 2; i < s.len; i++) {
		static const char digits[] = "0123456789abcdef";
		const char *digit = s.ptr[i] ? strchr(digits, s.ptr[i] | 0x20) : NULL;

		if (!digit)
			return false;
		n = (uint8_t)(n << 4 | (digit - digits));
	}
	*out = n;
	return true;
}

/* What stands behind the columns: "tcp spt:111 dpts:600:1023 flags:0x12/0x12". */
static void table_match(struct slice s, struct filter_fact *out)
{
	static const char *const heads[] = {"spt:", "spts:", "dpt:", "dpts:"};
	size_t slash;

	for (size_t i = 0; i < sizeof(heads) / sizeof(*heads); i++) {
		size_t len = strlen(heads[i]);

		if (s.len <= len || memcmp(s.ptr, heads[i], len) != 0)
			continue;
		if (!ports_add(i < 2 ? &out->sport : &out->dport,
			       slice_make(s.ptr + len, s.len - len)))
			out->is_partial = true;
		return;
	}
	for (slash = 0; slash < s.len && s.ptr[slash] != '/'; slash++)
		;
	if (slash < s.len && s.len > 6 && memcmp(s.ptr, "flags:", 6) == 0 &&
	    hex_parse(slice_make(s.ptr + 6, slash - 6), &out->flags_mask) &&
	    hex_parse(slice_make(s.ptr + slash + 1, s.len - slash - 1), &out->flags))
		return;
	if (!is(s, "tcp"))
		out->is_partial = true;
}

/* "21 1260 DROP tcp -- eth0 * 0.0.0.0/0 0.0.0.0/0 ...", perhaps with a line number before it. */
static bool table_rule(const struct words *w, struct filter_fact *out)
{
	uint64_t bytes;
	size_t i = 0;

	if (number_parse(word(w, 0), &bytes) && number_parse(word(w, 1), &bytes) &&
	    number_parse(word(w, 2), &bytes))
		i = 1;
	if (!number_parse(word(w, i), &out->packets) || !number_parse(word(w, i + 1), &bytes) ||
	    !(is(word(w, i + 2), "DROP") || is(word(w, i + 2), "REJECT")))
		return false;
	out->has_counter = true;
	out->reject = is(word(w, i + 2), "REJECT");
	out->is_tcp = is(word(w, i + 3), "tcp") || is(word(w, i + 3), "6");
	out->is_other = !out->is_tcp && !is(word(w, i + 3), "all") && !is(word(w, i + 3), "0");
	i += 4;
	if (is(word(w, i), "--") || is(word(w, i), "-f") || is(word(w, i), "!f"))
		i++;
	i += 2; /* interfaces */
	if (!net_parse(word(w, i), &out->src) || !net_parse(word(w, i + 1), &out->dst))
		return false;
	for (i += 2; i < w->len; i++) {
		if (is(word(w, i), "reject-with"))
			break;
		table_match(word(w, i), out);
	}
	return true;
}

/* Behind "--tcp-flags": a mask and a value, whose words were split at their commas. */
static size_t saved_flags(const struct words *w, size_t i, struct slice line,
			  struct filter_fact *out)
{
	uint8_t *part = &out->flags_mask;

	for (; i < w->len && flag_parse(word(w, i), part); i++) {
		const uint8_t *end = word(w, i).ptr + word(w, i).len;

		/* a blank ends the mask, a comma does not */
		if (part == &out->flags_mask && end < line.ptr + line.len && *end != ',')
			part = &out->flags;
	}
	return i;
}

static size_t saved_take(const struct words *w, size_t i, struct slice line,
			 struct filter_fact *out, bool *ends)
{
	struct slice s = word(w, i++), value = word(w, i);

	if (is(s, "-p")) {
		out->is_tcp = is(value, "tcp");
		out->is_other = !out->is_tcp;
	} else if (is(s, "-s") || is(s, "-d")) {
		out->is_partial |= !net_parse(value, is(s, "-s") ? &out->src : &out->dst);
	} else if (is(s, "--sport") || is(s, "--dport") || is(s, "--sports") || is(s, "--dports")) {
		return nft_ports(w, i,
				 is(s, "--sport") || is(s, "--sports") ? &out->sport : &out->dport,
				 out);
	} else if (is(s, "--tcp-flags")) {
		return saved_flags(w, i, line, out);
	} else if (is(s, "--syn")) {
		out->flags_mask = FLAG_FIN | FLAG_SYN | FLAG_RST | FLAG_ACK;
		out->flags = FLAG_SYN;
		return i;
	} else if (is(s, "-j")) {
		out->reject = is(value, "REJECT");
		*ends = out->reject || is(value, "DROP");
	} else if (is(s, "!") || is(s, "--ctstate") || is(s, "--state") || is(s, "--limit")) {
		out->is_partial = true;
	} else {
		return i;
	}
	return i + 1;
}

/* "[21:1260] -A INPUT -p tcp --sport 111 -j DROP", with or without the counters. */
static bool saved_rule(const struct words *w, struct slice line, struct filter_fact *out)
{
	struct slice first = word(w, 0);
	const uint8_t *colon = first.len ? memchr(first.ptr, ':', first.len) : NULL;
	bool ends = false;
	size_t i = 0;

	if (colon) {
		out->has_counter = number_parse(slice_make(first.ptr, (size_t)(colon - first.ptr)),
						&out->packets);
		i = 1;
	}
	if (!is(word(w, i), "-A"))
		return false;
	out->hook = hook_parse(word(w, i + 1));
	for (i += 2; i < w->len;)
		i = saved_take(w, i, line, out, &ends);
	return ends;
}

/* Heads of tables and chains; true: the line is one. */
static bool head_take(struct filter_reader *r, const struct words *w)
{
	if (is(word(w, 0), "Chain")) {
		*r = (struct filter_reader){FILTER_IPTABLES, hook_parse(word(w, 1))};
		return true;
	}
	if (is(word(w, 0), "chain") && w->len <= 3) {
		*r = (struct filter_reader){FILTER_NFT, FILTER_HOOK_UNKNOWN};
		return true;
	}
	if (r->dialect == FILTER_NFT && is(word(w, 0), "type") && is(word(w, 2), "hook")) {
		r->hook = hook_parse(word(w, 3));
		return true;
	}
	return false;
}

/* The words with which a table, a chain or a rule of iptables-save begins. */
static bool may_begin(const struct words *w)
{
	return is(word(w, 0), "Chain") || is(word(w, 0), "chain") || is(word(w, 0), "-A") ||
	       is(word(w, 1), "-A");
}

bool filter_line_parse(struct filter_reader *r, struct slice line, struct filter_fact *out)
{
	struct words w;
	bool found;

	/* Where no table has begun, the first words tell: each line of a text is looked at. */
	words_split(line, 2, &w);
	if (r->dialect == FILTER_NONE && !may_begin(&w))
		return false;
	words_split(line, WORDS_MAX, &w);
	if (w.len == 0 || head_take(r, &w))
		return false;
	*out = (struct filter_fact){.text = line, .hook = r->hook};
	found = saved_rule(&w, line, out);
	if (!found && r->dialect != FILTER_NONE) {
		*out = (struct filter_fact){.text = line, .hook = r->hook};
		found = r->dialect == FILTER_NFT ? nft_rule(&w, out) : table_rule(&w, out);
	}
	return found && !(out->is_tcp && out->is_other);
}
