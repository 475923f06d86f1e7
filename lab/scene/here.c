// SPDX-License-Identifier: GPL-2.0-or-later
/* See here.h. */
#include "lab/scene/here.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "base/mem.h"
#include "lab/scene/child.h"

/* A table of our own, so that undoing it leaves everybody else's rules alone. */
#define TABLE "inet nfsleuth_here"

struct kind_rules {
	const char
		*input; /* an nft match of what comes from the peer, behind its address; or NULL */
	const char *output; /* of what goes to it */
	bool ends;          /* connections that there are are ended first */
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
	{NULL, NULL},
};

static const struct kind_rules rules[] = {
	{"drop", "drop", false},
	{"drop", NULL, false},
	{NULL, "tcp flags & (syn|ack) == syn drop", true},
	{"tcp flags & (syn|ack) == syn|ack drop", NULL, true},
	{"tcp flags & fin == fin drop", "tcp flags & fin == fin drop", false},
	{NULL, "reject with tcp reset", false},
	{"meta length > 1000 drop", "meta length > 1000 drop", false},
	{"numgen random mod 10 == 0 drop", "numgen random mod 10 == 0 drop", false},
	{NULL, NULL, true},
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

struct err *here_parse(const char *peer, const char *port, const char *kind, struct here *out)
{
	struct here h = {.peer = peer};
	unsigned char bytes[16];
	unsigned long number;
	char *end;

	h.ipv6 = inet_pton(AF_INET6, peer, bytes) == 1;
	if (!h.ipv6 && inet_pton(AF_INET, peer, bytes) != 1)
		return err_new("'%s' is no address: packet filters know no names", peer);
	number = strtoul(port, &end, 10);
	if (end == port || *end != '\0' || number == 0 || number > UINT16_MAX)
		return err_new("'%s' is no port: 2049 is that of NFS, 'rpcinfo -p %s' lists others",
			       port, peer);
	h.port = (unsigned)number;
	*out = h;
	return find_kind(kind, &out->kind);
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

void here_break(const struct here *h, struct strbuf *out)
{
	const struct kind_rules *r = &rules[h->kind];

	if (r->input || r->output)
		strbuf_add_text(out, "nft 'add table " TABLE "'\n");
	add_rule(h, true, r->input, out);
	add_rule(h, false, r->output, out);
	if (r->ends)
		strbuf_add_format(out, "ss -K dst %s dport = %u\n", h->peer, h->port);
}

void here_undo(const struct here *h, struct strbuf *out)
{
	if (rules[h->kind].input || rules[h->kind].output)
		strbuf_add_text(out, "nft 'delete table " TABLE "'\n");
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
