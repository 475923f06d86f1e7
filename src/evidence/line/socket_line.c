// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See socket_line.h. iproute2 misc/ss.c (sock_state_print, print_timer, tcp_stats_print); net-tools
 * netstat.c (tcp_do_one).
 */
#include "evidence/line/socket_line.h"

#include "evidence/text_scan.h"

enum { PORT_NFS = 2049, PORT_PORTMAP = 111, PORT_MAX = 65535 };

static const struct state_name {
	const char *name;
	enum socket_state state;
} state_names[] = {
	{"ESTAB", SOCKET_ESTABLISHED},     {"ESTABLISHED", SOCKET_ESTABLISHED},
	{"SYN-SENT", SOCKET_SYN_SENT},     {"SYN_SENT", SOCKET_SYN_SENT},
	{"SYN-RECV", SOCKET_SYN_RECV},     {"SYN_RECV", SOCKET_SYN_RECV},
	{"FIN-WAIT-1", SOCKET_FIN_WAIT1},  {"FIN_WAIT1", SOCKET_FIN_WAIT1},
	{"FIN-WAIT-2", SOCKET_FIN_WAIT2},  {"FIN_WAIT2", SOCKET_FIN_WAIT2},
	{"TIME-WAIT", SOCKET_TIME_WAIT},   {"TIME_WAIT", SOCKET_TIME_WAIT},
	{"CLOSE-WAIT", SOCKET_CLOSE_WAIT}, {"CLOSE_WAIT", SOCKET_CLOSE_WAIT},
	{"LAST-ACK", SOCKET_LAST_ACK},     {"LAST_ACK", SOCKET_LAST_ACK},
	{"CLOSING", SOCKET_CLOSING},
};

static bool parse_state(struct slice word, enum socket_state *out)
{
	for (size_t i = 0; i < sizeof(state_names) / sizeof(*state_names); i++) {
		if (!slice_equal(word, slice_of_string(state_names[i].name)))
			continue;
		*out = state_names[i].state;
		return true;
	}
	return false;
}

static bool parse_port(struct slice text, uint16_t *out)
{
	int64_t number;

	if (slice_equal(text, slice_of_string("nfs")))
		number = PORT_NFS;
	else if (slice_equal(text, slice_of_string("sunrpc")))
		number = PORT_PORTMAP;
	else if (!text_number(text, &number) || number == 0 || number > PORT_MAX)
		return false;
	*out = (uint16_t)number;
	return true;
}

/* "192.0.2.1:2049", "[2001:db8::1]:2049", "::1:2049" of netstat, "192.0.2.1%eth0:801". */
static bool parse_address(struct slice word, struct slice *address, uint16_t *port)
{
	const uint8_t *colon = word.len ? memrchr(word.ptr, ':', word.len) : NULL;

	if (!colon || colon == word.ptr)
		return false;
	*address = slice_make(word.ptr, (size_t)(colon - word.ptr));
	return parse_port(text_after(word, address->len + 1), port);
}

static bool take_count(struct slice *rest, uint64_t *out)
{
	int64_t number;

	if (!text_number(text_word(rest), &number))
		return false;
	*out = (uint64_t)number;
	return true;
}

static enum socket_timer timer_named(struct slice name)
{
	static const struct {
		const char *name;
		enum socket_timer timer;
	} names[] = {
		{"on", SOCKET_TIMER_SEND},       {"keepalive", SOCKET_TIMER_KEEPALIVE},
		{"timewait", SOCKET_TIMER_WAIT}, {"persist", SOCKET_TIMER_PROBE},
		{"probe", SOCKET_TIMER_PROBE},   {"off", SOCKET_TIMER_NONE},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (slice_equal(name, slice_of_string(names[i].name)))
			return names[i].timer;
	return SOCKET_TIMER_UNKNOWN;
}

/* The text up to the byte, which is taken from *rest with it. */
static struct slice take_until(struct slice *rest, uint8_t end)
{
	const uint8_t *at = rest->len ? memchr(rest->ptr, end, rest->len) : NULL;
	struct slice before = slice_make(rest->ptr, at ? (size_t)(at - rest->ptr) : 0);

	*rest = text_after(*rest, before.len + 1);
	return before;
}

/* "timer:(on,15sec,8)" of ss. */
static void take_ss_timer(struct slice rest, struct socket_fact *fact)
{
	struct slice timer = text_find(rest, "timer:(");
	int64_t repeats;

	if (timer.len == 0)
		return;
	timer = text_after(timer, strlen("timer:("));
	fact->timer = timer_named(take_until(&timer, ','));
	take_until(&timer, ',');
	if (text_number(take_until(&timer, ')'), &repeats))
		fact->repeats = (uint64_t)repeats;
}

/* "on (15.48/8/0)" of netstat: time, repetitions, probes. */
static void take_netstat_timer(struct slice rest, struct socket_fact *fact)
{
	struct slice numbers = text_find(rest, " (");
	struct slice before = slice_make(rest.ptr, rest.len - numbers.len);
	struct slice word = {0};
	int64_t repeats, probes;

	if (numbers.len == 0)
		return;
	for (struct slice next = text_word(&before); next.len; next = text_word(&before))
		word = next;
	fact->timer = timer_named(word);
	numbers = text_after(numbers, strlen(" ("));
	take_until(&numbers, '/');
	if (text_number(take_until(&numbers, '/'), &repeats) &&
	    text_number(take_until(&numbers, ')'), &probes))
		fact->repeats = (uint64_t)(repeats > probes ? repeats : probes);
}

/* "lastsnd:20740" somewhere in the line. */
static bool find_count(struct slice line, const char *name, uint64_t *out)
{
	struct slice rest = text_find(line, name);
	struct slice word = text_after(rest, strlen(name));
	int64_t number;

	if (rest.len == 0 || !text_number(text_word(&word), &number))
		return false;
	*out = (uint64_t)number;
	return true;
}

/* "rtt:0.058/0.022", in milliseconds: the mean, and how it varies. */
static void take_rtt(struct slice line, struct socket_fact *f)
{
	static const char mark[] = " rtt:";
	struct slice rest = text_after(text_find(line, mark), strlen(mark));
	uint64_t us = 0, unit = 1000;

	for (bool point = false; rest.len && rest.ptr[0] != '/'; rest = text_after(rest, 1)) {
		if (rest.ptr[0] == '.' && !point) {
			point = true;
			continue;
		}
		if (!text_is_digit(rest.ptr[0]) || us > UINT32_MAX)
			return;
		/* Digits behind the point beyond the third are less than a microsecond. */
		if (point && unit < 10)
			continue;
		unit /= point ? 10 : 1;
		us = point ? us + (rest.ptr[0] - '0') * unit : us * 10 + (rest.ptr[0] - '0') * unit;
	}
	f->rtt_us = rest.len ? us : 0;
}

static bool take_times(struct slice line, struct socket_fact *f)
{
	take_rtt(line, f);
	f->has_times = find_count(line, " lastsnd:", &f->sent_ms) &&
		       find_count(line, " lastrcv:", &f->received_ms) &&
		       find_count(line, " lastack:", &f->acked_ms);
	return f->has_times;
}

static bool take_pair(struct slice *rest, struct socket_line *out)
{
	return take_count(rest, &out->fact.recv_q) && take_count(rest, &out->fact.send_q) &&
	       parse_address(text_word(rest), &out->local, &out->fact.local.port) &&
	       parse_address(text_word(rest), &out->peer, &out->fact.peer.port);
}

/* "ESTAB 0 200 192.0.2.1:801 192.0.2.2:2049 timer:(on,6.2sec,6)". */
static bool parse_ss(struct slice line, struct socket_line *out)
{
	struct slice word = text_word(&line);

	/* With several kinds of sockets ss says which: "tcp  ESTAB  0 ...". */
	if (slice_equal(word, slice_of_string("tcp")))
		word = text_word(&line);
	if (!parse_state(word, &out->fact.state) || !take_pair(&line, out))
		return false;
	/* In one line with -O. A list with -o shows no timer where none runs. */
	take_ss_timer(line, &out->fact);
	take_times(line, &out->fact);
	return true;
}

/* "tcp 0 200 192.0.2.1:801 192.0.2.2:2049 ESTABLISHED 1234/rsync on (6.14/6/0)". */
static bool parse_netstat(struct slice line, struct socket_line *out)
{
	struct slice word = text_word(&line);

	if (!slice_equal(word, slice_of_string("tcp")) &&
	    !slice_equal(word, slice_of_string("tcp6")))
		return false;
	if (!take_pair(&line, out) || !parse_state(text_word(&line), &out->fact.state))
		return false;
	take_netstat_timer(line, &out->fact);
	return true;
}

/*
 * "LISTEN 0 64 0.0.0.0:2049 0.0.0.0:*" of ss; "tcp 0 0 0.0.0.0:2049 0.0.0.0:* LISTEN" of netstat,
 * which has no room in the second column.
 */
static bool parse_listener(struct slice line, struct socket_line *out)
{
	static const char listen[] = "LISTEN";
	struct slice word = text_word(&line), rest = line, address;
	struct listener_fact *l = &out->listener;
	bool netstat = text_begins(word, "tcp");

	/* With several kinds of sockets ss says which: "tcp  LISTEN  0 ...". */
	if (netstat && slice_equal(text_word(&rest), slice_of_string(listen))) {
		netstat = false;
		line = rest;
	} else if (!netstat && !slice_equal(word, slice_of_string(listen))) {
		return false;
	}
	if (!take_count(&line, &l->waiting) || !take_count(&line, &l->room) ||
	    !parse_address(text_word(&line), &address, &l->port))
		return false;
	text_word(&line);
	return !netstat || slice_equal(text_word(&line), slice_of_string(listen));
}

static bool parse_more(struct slice line, struct socket_line *out)
{
	return line.len && (line.ptr[0] == '\t' || line.ptr[0] == ' ') &&
	       take_times(line, &out->fact);
}

static bool is_head(struct slice line)
{
	return text_holds(line, "Recv-Q") && text_holds(line, "Send-Q") &&
	       text_holds(line, "Local Address");
}

/* The first word of a row is a state or "tcp": each line of a text is looked at. */
static bool may_be_row(struct slice line)
{
	struct slice text = text_trim(line);

	return text.len && ((text.ptr[0] >= 'C' && text.ptr[0] <= 'T') || text.ptr[0] == 't');
}

void socket_line_parse(struct slice line, struct socket_line *out)
{
	*out = (struct socket_line){.kind = SOCKET_LINE_OTHER};
	if (is_head(line)) {
		out->kind = SOCKET_LINE_HEAD;
		return;
	}
	if (parse_more(line, out)) {
		out->kind = SOCKET_LINE_MORE;
		return;
	}
	if (!may_be_row(line))
		return;
	*out = (struct socket_line){.kind = SOCKET_LINE_ROW};
	if (parse_ss(line, out))
		return;
	*out = (struct socket_line){.kind = SOCKET_LINE_ROW};
	if (parse_netstat(line, out))
		return;
	*out = (struct socket_line){.kind = SOCKET_LINE_LISTENER};
	if (!parse_listener(line, out))
		*out = (struct socket_line){.kind = SOCKET_LINE_OTHER};
}
