// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See rpc_line.h. rpcbind's rpcinfo.c (pmapdump, rpcbdump); nfs-utils utils/nfsstat/nfsstat.c
 * (print_rpc_stats); Linux net/sunrpc/stats.c (rpc_proc_show, svc_seq_show).
 */
#include "evidence/line/rpc_line.h"

#include "evidence/text_scan.h"

enum { PORT_MAX = 65535, PORT_PARTS = 256, CLIENT_NUMBERS = 3, SERVER_NUMBERS = 5 };

static bool is_word(struct slice word, const char *text)
{
	return slice_equal(word, slice_of_string(text));
}

/* All numbers of a line; fewer, or none where something else is in it: 0. */
static unsigned take_numbers(struct slice line, uint64_t *out, unsigned max)
{
	unsigned count = 0;

	for (struct slice word = text_word(&line); word.len; word = text_word(&line)) {
		int64_t number;

		if (count == max || !text_number(word, &number))
			return 0;
		out[count++] = (uint64_t)number;
	}
	return count;
}

static bool take_u32(struct slice word, uint32_t *out)
{
	int64_t number;

	if (!text_number(word, &number) || number > UINT32_MAX)
		return false;
	*out = (uint32_t)number;
	return true;
}

static bool begins_transport(struct service_fact *s, struct slice word)
{
	s->is_tcp = is_word(word, "tcp") || is_word(word, "tcp6");
	s->is_udp = is_word(word, "udp") || is_word(word, "udp6");
	return s->is_tcp || s->is_udp || text_begins(word, "ticots") ||
	       text_begins(word, "ticlts") || is_word(word, "local") || is_word(word, "unix");
}

/* The last two numbers of a universal address: "192.0.2.10.8.1" is port 8 * 256 + 1. */
static void take_universal(struct service_fact *s, struct slice address)
{
	int64_t parts[2];

	if (!s->is_tcp && !s->is_udp)
		return;
	for (int i = 1; i >= 0; i--) {
		const uint8_t *dot = address.len ? memrchr(address.ptr, '.', address.len) : NULL;
		size_t before = dot ? (size_t)(dot - address.ptr) : address.len;

		if (!dot || !text_number(text_after(address, before + 1), &parts[i]) ||
		    parts[i] >= PORT_PARTS)
			return;
		address.len = before;
	}
	s->port = (uint16_t)(parts[0] * PORT_PARTS + parts[1]);
}

/* "100021 4 tcp 34817 nlockmgr"; "100003 4 tcp6 ::.8.1 - superuser". */
static bool parse_service(struct slice line, struct service_fact *s)
{
	struct slice place;
	int64_t port;

	if (!take_u32(text_word(&line), &s->program) || !take_u32(text_word(&line), &s->version) ||
	    !begins_transport(s, text_word(&line)))
		return false;
	place = text_word(&line);
	if (text_number(place, &port)) {
		if (port > PORT_MAX)
			return false;
		s->port = (uint16_t)port;
		return true;
	}
	take_universal(s, place);
	return place.len != 0;
}

static void make_client(struct rpc_line *out, const uint64_t *n)
{
	out->kind = RPC_LINE_COUNTS;
	out->counts = (struct rpc_counts_fact){.calls = n[0], .retransmissions = n[1]};
}

/* What is counted as bad is the sum of what follows it. */
static void make_server(struct rpc_line *out, const uint64_t *n)
{
	out->kind = RPC_LINE_COUNTS;
	out->counts = (struct rpc_counts_fact){
		.server = true,
		.calls = n[0],
		.bad_format = n[2],
		.bad_auth = n[3],
		.bad_client = n[4],
	};
}

/* "rpc 1131 0 1131" of a client, "rpc 1131 0 0 0 0" of a server. */
static bool parse_proc(struct slice line, struct rpc_line *out)
{
	uint64_t n[SERVER_NUMBERS];
	unsigned count;

	if (!is_word(text_word(&line), "rpc"))
		return false;
	count = take_numbers(line, n, SERVER_NUMBERS);
	if (count == CLIENT_NUMBERS)
		make_client(out, n);
	else if (count == SERVER_NUMBERS)
		make_server(out, n);
	return out->kind == RPC_LINE_COUNTS;
}

static bool parse_nfsstat(const struct rpc_reader *r, struct slice line, struct rpc_line *out)
{
	uint64_t n[SERVER_NUMBERS];
	unsigned count = take_numbers(line, n, SERVER_NUMBERS);

	if (r->in_client && count == CLIENT_NUMBERS)
		make_client(out, n);
	else if (r->in_server && count == SERVER_NUMBERS)
		make_server(out, n);
	return out->kind == RPC_LINE_COUNTS;
}

/* True for a line that says what the lines behind it are. */
static bool take_heading(struct rpc_reader *r, struct slice line, struct rpc_line *out)
{
	struct slice rest = line;
	struct slice first = text_word(&rest), second = text_word(&rest);

	if (is_word(first, "program") && (is_word(second, "vers") || is_word(second, "version"))) {
		*r = (struct rpc_reader){.in_services = true};
		out->kind = RPC_LINE_SERVICES;
		return true;
	}
	/* The order of the columns has been the same since nfsstat was written. */
	if (is_word(first, "calls") && is_word(second, "retrans"))
		*r = (struct rpc_reader){.in_client = true};
	else if (is_word(first, "calls") && is_word(second, "badcalls"))
		*r = (struct rpc_reader){.in_server = text_holds(rest, "badauth")};
	else
		return false;
	return true;
}

/* "program", "calls", "rpc" or a number: each line of a text is looked at. */
static bool may_begin(uint8_t c)
{
	return c == 'p' || c == 'c' || c == 'r' || text_is_digit(c);
}

void rpc_line_parse(struct rpc_reader *r, struct slice line, struct rpc_line *out)
{
	struct slice text = text_trim(line);

	*out = (struct rpc_line){.kind = RPC_LINE_OTHER};
	if (text.len && !r->in_services && !may_begin(text.ptr[0])) {
		*r = (struct rpc_reader){0};
		return;
	}
	if (take_heading(r, line, out))
		return;
	if (r->in_services && parse_service(line, &out->service)) {
		out->kind = RPC_LINE_SERVICE;
		return;
	}
	if (parse_nfsstat(r, line, out) || parse_proc(line, out) || text.len)
		*r = (struct rpc_reader){0};
}
