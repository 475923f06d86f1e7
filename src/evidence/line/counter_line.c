// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See counter_line.h. Linux net/ipv4/proc.c (snmp_seq_show, netstat_seq_show), fs/nfsd/stats.c
 * (nfsd_show), net/sunrpc/svc_xprt.c (svc_pool_stats_show); iproute2 misc/nstat.c; net-tools
 * statistics.c, which once spelled some of its words otherwise.
 */
#include "evidence/line/counter_line.h"

#include "evidence/text_scan.h"

enum { SPELLINGS = 2, POOL_NUMBERS_MIN = 4, POOL_WOKEN = 3, RC_NUMBERS = 3, TH_FULL = 1 };

static const char *const sections[] = {"", "Ip", "Tcp", "Udp", "TcpExt"};

enum { SECTIONS = sizeof(sections) / sizeof(*sections) };

static const struct counter_name {
	uint8_t section;
	const char *name;
	enum host_counter counter;
	const char *spelled[SPELLINGS]; /* by netstat -s, behind the number */
} counter_names[] = {
	{1,
	 "ReasmFails",
	 COUNT_IP_REASSEMBLY_FAILED,
	 {"packet reassemblies failed", "packet reassembles failed"}},
	{2, "OutSegs", COUNT_TCP_SENT, {"segments sent out", "segments send out"}},
	{2, "RetransSegs", COUNT_TCP_RESENT, {"segments retransmitted", "segments retransmited"}},
	{2, "InErrs", COUNT_TCP_BAD, {"bad segments received", "bad segments received."}},
	{3, "InErrors", COUNT_UDP_BAD, {"packet receive errors", NULL}},
	{4,
	 "ListenOverflows",
	 COUNT_LISTEN_OVERFLOWS,
	 {"times the listen queue of a socket overflowed", NULL}},
};

enum { COUNTER_NAMES = sizeof(counter_names) / sizeof(*counter_names) };

static bool is_word(struct slice word, const char *text)
{
	return slice_equal(word, slice_of_string(text));
}

static bool take_number(struct slice *line, uint64_t *out)
{
	int64_t number;

	if (!text_number(text_word(line), &number))
		return false;
	*out = (uint64_t)number;
	return true;
}

static void tell(struct counter_line *out, enum host_counter counter, uint32_t part, uint64_t value)
{
	out->known = true;
	if (out->len < COUNTER_LINE_MAX)
		out->values[out->len++] =
			(struct counter_fact){.counter = counter, .part = part, .value = value};
}

/* "Tcp:" is 2; 0: it is none of them. */
static uint8_t section_of(struct slice word)
{
	if (word.len < 2 || word.ptr[word.len - 1] != ':')
		return 0;
	word.len--;
	for (uint8_t i = 1; i < SECTIONS; i++)
		if (is_word(word, sections[i]))
			return i;
	return 0;
}

/* The words of a line that names columns. */
static void take_names(struct counter_reader *r, uint8_t section, struct slice rest)
{
	struct slice word = text_word(&rest);

	r->named.section = section;
	r->named.counters_len = 0;
	for (unsigned column = 0; word.len && column < COUNTER_COLUMNS_MAX; column++) {
		for (size_t i = 0; i < COUNTER_NAMES; i++) {
			if (counter_names[i].section != section ||
			    !is_word(word, counter_names[i].name) ||
			    r->named.counters_len == COUNTER_LINE_MAX)
				continue;
			r->named.column[r->named.counters_len] = (uint8_t)column;
			r->named.counter[r->named.counters_len++] = counter_names[i].counter;
		}
		word = text_word(&rest);
	}
}

/* The values below them. Some are negative (MaxConn), none of ours. */
static void take_values(const struct counter_reader *r, struct slice rest, struct counter_line *out)
{
	unsigned next = 0;

	for (unsigned column = 0; next < r->named.counters_len; column++) {
		struct slice word = text_word(&rest);
		int64_t number;

		if (word.len == 0)
			return;
		if (r->named.column[next] != column)
			continue;
		if (!text_number(word, &number))
			return;
		tell(out, r->named.counter[next++], 0, (uint64_t)number);
	}
}

/* Two lines, the names of the columns and the values, each behind "Tcp:". */
static bool parse_proc(struct counter_reader *r, struct slice first, struct slice line,
		       struct counter_line *out)
{
	uint8_t section = section_of(first), before = r->named.section;

	r->named.section = 0;
	if (section == 0 || text_trim(line).len == 0)
		return false;
	out->known = true;
	if (section == before)
		take_values(r, line, out);
	else
		take_names(r, section, line);
	return true;
}

/* "TcpRetransSegs                  12                 0.0" */
static bool parse_nstat(struct slice name, struct slice line, struct counter_line *out)
{
	uint64_t value;

	/* All names begin with that of a section: each line of a text is looked at. */
	for (size_t i = 0; name.len && name.ptr[0] < 'a' && i < COUNTER_NAMES; i++) {
		const struct counter_name *n = &counter_names[i];
		const char *section = sections[n->section];

		if (!text_begins(name, section) ||
		    !is_word(text_after(name, strlen(section)), n->name))
			continue;
		if (take_number(&line, &value))
			tell(out, n->counter, 0, value);
		return out->known;
	}
	out->known = is_word(name, "#kernel");
	return out->known;
}

/* "    12 segments retransmitted" */
static bool parse_netstat(struct slice line, struct counter_line *out)
{
	uint64_t value;

	if (line.len == 0 || line.ptr[0] != ' ' || !take_number(&line, &value))
		return false;
	line = text_trim(line);
	for (size_t i = 0; i < COUNTER_NAMES; i++)
		for (size_t k = 0; k < SPELLINGS; k++)
			if (counter_names[i].spelled[k] &&
			    is_word(line, counter_names[i].spelled[k])) {
				tell(out, counter_names[i].counter, 0, value);
				return true;
			}
	return false;
}

/* "rc 0 0 470" and "th 8 0 0.000 ..." */
static bool parse_nfsd(struct slice key, struct slice line, struct counter_line *out)
{
	uint64_t numbers[RC_NUMBERS];
	unsigned len = 0;
	bool rc = is_word(key, "rc");

	if (!rc && !is_word(key, "th"))
		return false;
	while (len < RC_NUMBERS && take_number(&line, &numbers[len]))
		len++;
	if (rc && len == RC_NUMBERS && text_trim(line).len == 0)
		tell(out, COUNT_REPLY_CACHE_HITS, 0, numbers[0]);
	else if (!rc && len > TH_FULL)
		tell(out, COUNT_NFSD_ALL_BUSY, 0, numbers[TH_FULL]);
	return out->known;
}

/*
 * "# pool packets-arrived sockets-enqueued threads-woken threads-timedout", and a row for each
 * pool. What is counted as enqueued differs by kernel: before 3.19 only what found no idle thread.
 */
static bool parse_pools(struct counter_reader *r, struct slice line, struct counter_line *out)
{
	uint64_t numbers[POOL_NUMBERS_MIN];
	unsigned len = 0;

	if (text_begins(line, "# pool ") && text_holds(line, " threads-woken")) {
		r->in_pools = out->known = true;
		return true;
	}
	if (!r->in_pools)
		return false;
	while (len < POOL_NUMBERS_MIN && take_number(&line, &numbers[len]))
		len++;
	r->in_pools = len == POOL_NUMBERS_MIN && numbers[0] <= UINT32_MAX;
	if (r->in_pools)
		tell(out, COUNT_POOL_WOKEN, (uint32_t)numbers[0], numbers[POOL_WOKEN]);
	return r->in_pools;
}

/* "hits       misses     nocache" of nfsstat, and the numbers below. */
static bool parse_cache(struct counter_reader *r, struct slice first, struct slice rest,
			struct slice line, struct counter_line *out)
{
	uint64_t hits;
	bool below = r->in_cache;

	r->in_cache = is_word(first, "hits") && is_word(text_word(&rest), "misses") &&
		      is_word(text_word(&rest), "nocache");
	out->known = r->in_cache;
	if (below && take_number(&line, &hits))
		tell(out, COUNT_REPLY_CACHE_HITS, 0, hits);
	return out->known;
}

void counter_line_parse(struct counter_reader *r, struct slice line, struct counter_line *out)
{
	struct slice rest = line;
	struct slice first = text_word(&rest);

	*out = (struct counter_line){0};
	if (!parse_cache(r, first, rest, line, out) && !parse_proc(r, first, rest, out) &&
	    !parse_pools(r, line, out) && !parse_nstat(first, rest, out) &&
	    !parse_netstat(line, out))
		parse_nfsd(first, rest, out);
}
