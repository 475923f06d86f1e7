// SPDX-License-Identifier: GPL-2.0-or-later
/* See here.h. */
#include "lab/scene/here.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "lab/scene/child.h"

/* A table of our own, so that undoing it leaves everybody else's rules alone. */
#define TABLE "inet nfsleuth_here"

struct kind_rules {
	const char
		*input; /* an nft match of what comes from the peer, behind its address; or NULL */
	const char *output; /* of what goes to it */
	bool ends;          /* connections that there are are ended first */
	const char *netem;  /* what the interface does to what goes there; NULL: nothing */
};

const struct here_kind here_kinds[] = {
	{"silent", "nothing passes in either direction, as behind a cut cable"},
	{"no-answer", "what goes out arrives, nothing comes back"},
	{"syn", "established connections are ended, and new ones are not answered"},
	{"synack", "the same, but it is the SYN-ACKs that are dropped"},
	{"fin", "what carries a FIN is dropped, in both directions"},
	{"refused", "new connections and old ones are answered by a reset"},
	{"large", "packets above 1000 bytes are dropped, as in an MTU black hole"},
	{"loss", "one packet in ten is lost"},
	{"reset", "the connections are ended at once; they may be made anew"},
	{"slow", "what goes out is on its way for 2 s (tc with netem, which not every kernel has)"},
	{NULL, NULL},
};

static const struct kind_rules rules[] = {
	{"drop", "drop", false, NULL},
	{"drop", NULL, false, NULL},
	{NULL, "tcp flags & (syn|ack) == syn drop", true, NULL},
	{"tcp flags & (syn|ack) == syn|ack drop", NULL, true, NULL},
	{"tcp flags & fin == fin drop", "tcp flags & fin == fin drop", false, NULL},
	{NULL, "reject with tcp reset", false, NULL},
	{"meta length > 1000 drop", "meta length > 1000 drop", false, NULL},
	{"numgen random mod 10 == 0 drop", "numgen random mod 10 == 0 drop", false, NULL},
	{NULL, NULL, true, NULL},
	{NULL, NULL, false, "delay 2s"},
};

static struct err *find_kind(const char *name, size_t *out)
{
	struct strbuf known;
	struct err *err;

	strbuf_init(&known);
	for (size_t i = 0; here_kinds[i].name; i++) {
		if (strcmp(here_kinds[i].name, name) == 0) {
			*out = i;
			strbuf_deinit(&known);
			return NULL;
		}
		strbuf_add_format(&known, "%s%s", i ? ", " : "", here_kinds[i].name);
	}
	err = err_new("'%s' is no kind of fault; there are %s", name, strbuf_text(&known));
	strbuf_deinit(&known);
	return err;
}

/* The address from which packets go to the peer. */
static struct err *find_source(const struct here *h, struct sockaddr_storage *out)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)h->port)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)h->port)};
	const struct sockaddr *to = h->ipv6 ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4;
	socklen_t len = h->ipv6 ? sizeof(v6) : sizeof(v4);
	int fd = socket(to->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t room = sizeof(*out);
	struct err *err = NULL;

	(void)inet_pton(to->sa_family, h->peer,
			h->ipv6 ? (void *)&v6.sin6_addr : (void *)&v4.sin_addr);
	if (fd < 0 || connect(fd, to, len) != 0 ||
	    getsockname(fd, (struct sockaddr *)out, &room) != 0)
		err = err_new_errno(errno, "no way to %s", h->peer);
	if (fd >= 0)
		(void)close(fd);
	return err;
}

static bool address_equal(const struct sockaddr *a, const struct sockaddr_storage *b)
{
	if (!a || a->sa_family != b->ss_family)
		return false;
	if (a->sa_family == AF_INET)
		return ((const struct sockaddr_in *)a)->sin_addr.s_addr ==
		       ((const struct sockaddr_in *)b)->sin_addr.s_addr;
	return a->sa_family == AF_INET6 &&
	       memcmp(&((const struct sockaddr_in6 *)a)->sin6_addr,
		      &((const struct sockaddr_in6 *)b)->sin6_addr, 16) == 0;
}

/* The interface by which packets go to the peer: the one with the address that they come from. */
static struct err *find_device(struct here *h)
{
	struct sockaddr_storage source;
	struct ifaddrs *all = NULL;
	struct err *err = find_source(h, &source);

	if (err)
		return err;
	if (getifaddrs(&all) != 0)
		return err_new_errno(errno, "no list of interfaces");
	for (const struct ifaddrs *i = all; i; i = i->ifa_next)
		if (!h->device[0] && address_equal(i->ifa_addr, &source))
			(void)snprintf(h->device, sizeof(h->device), "%s", i->ifa_name);
	freeifaddrs(all);
	return h->device[0] ? NULL : err_new("no interface leads to %s", h->peer);
}

struct err *here_parse(const char *peer, const char *port, const char *kind, struct here *out)
{
	struct here h = {.peer = peer};
	unsigned char bytes[16];
	unsigned long number;
	struct err *err;
	char *end;

	h.ipv6 = inet_pton(AF_INET6, peer, bytes) == 1;
	if (!h.ipv6 && inet_pton(AF_INET, peer, bytes) != 1)
		return err_new("'%s' is no address: packet filters know no names", peer);
	number = strtoul(port, &end, 10);
	if (end == port || *end != '\0' || number == 0 || number > UINT16_MAX)
		return err_new("'%s' is no port: 2049 is that of NFS, 'rpcinfo -p %s' lists others",
			       port, peer);
	h.port = (unsigned)number;
	err = find_kind(kind, &h.kind);
	if (!err && rules[h.kind].netem)
		err = find_device(&h);
	if (!err)
		*out = h;
	return err;
}

/* The rule of one direction; a reply comes from the peer's port. */
static void add_rule(const struct here *h, bool is_input, const char *what, struct strbuf *out)
{
	const char *chain = is_input ? "input" : "output";
	const char *family = h->ipv6 ? "ip6" : "ip";

	if (!what)
		return;
	strbuf_add_format(out,
			  "nft 'add chain " TABLE " %s { type filter hook %s priority -10; }'\n"
			  "nft 'add rule " TABLE " %s %s %s %s tcp %s %u %s'\n",
			  chain, chain, chain, family, is_input ? "saddr" : "daddr", h->peer,
			  is_input ? "sport" : "dport", h->port, what);
}

/* Only what goes to the peer's port: band 3 of a prio qdisc, which nothing else is put into. */
static void add_netem(const struct here *h, const char *netem, struct strbuf *out)
{
	const char *d = h->device;

	strbuf_add_format(
		out,
		"tc qdisc add dev %s root handle 1: prio priomap 0 0 0 0 0 0 0 0 0 0 0 0 0 "
		"0 0 0\n"
		"tc qdisc add dev %s parent 1:3 handle 30: netem %s\n"
		"tc filter add dev %s parent 1: protocol %s u32 match %s dst %s match %s "
		"dport %u 0xffff flowid 1:3\n",
		d, d, netem, d, h->ipv6 ? "ipv6" : "ip", h->ipv6 ? "ip6" : "ip", h->peer,
		h->ipv6 ? "ip6" : "ip", h->port);
}

void here_break(const struct here *h, struct strbuf *out)
{
	const struct kind_rules *r = &rules[h->kind];

	if (r->input || r->output)
		strbuf_add_text(out, "nft 'add table " TABLE "'\n");
	add_rule(h, true, r->input, out);
	add_rule(h, false, r->output, out);
	if (r->netem)
		add_netem(h, r->netem, out);
	if (r->ends)
		strbuf_add_format(out, "ss -K dst %s dport = %u\n", h->peer, h->port);
}

void here_undo(const struct here *h, struct strbuf *out)
{
	if (rules[h->kind].input || rules[h->kind].output)
		strbuf_add_text(out, "nft 'delete table " TABLE "'\n");
	if (rules[h->kind].netem)
		strbuf_add_format(out, "tc qdisc del dev %s root\n", h->device);
}

/* Words are parted by blanks; those in single quotes are one. */
static struct err *run_line(char *line)
{
	struct child_words w;
	struct err *err;

	child_words_init(&w);
	for (char *at = line; at && *at;) {
		char *word = *at == '\'' ? at + 1 : at;
		char *end = strchr(word, *at == '\'' ? '\'' : ' ');

		if (end)
			*end++ = '\0';
		child_words_add(&w, word);
		at = end && *end == ' ' ? end + 1 : end;
	}
	err = child_run(-1, &w);
	child_words_deinit(&w);
	return err;
}

struct err *here_run(const struct strbuf *commands)
{
	char *copy = mem_copy(strbuf_text(commands), commands->len);
	struct err *err = NULL;
	char *rest = copy;

	for (char *line; !err && (line = strsep(&rest, "\n"));)
		if (*line)
			err = run_line(line);
	free(copy);
	return err;
}
