// SPDX-License-Identifier: GPL-2.0-or-later
/* See lists.h. */
#include "ingest/lists.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/vec.h"
#include "evidence/line/counter_line.h"
#include "evidence/line/lock_line.h"
#include "evidence/line/nfsd_client_line.h"
#include "evidence/line/nfsd_state_line.h"
#include "evidence/line/rpc_line.h"
#include "evidence/line/socket_line.h"
#include "evidence/text_scan.h"
#include "ingest/log/log_facts.h"

struct list_entry {
	struct host_fact fact; /* its texts lie in the arena */
	uint32_t evidence;
	uint64_t line;
};

/* A client that a list has. */
struct list_client {
	uint64_t clientid;
	uint32_t evidence, list;
};

struct lists {
	struct arena arena;
	struct vec entries; /* struct list_entry */
	struct map clients; /* struct list_client */
	struct rpc_reader rpc;
	struct counter_reader counter;
	uint32_t reading;                            /* the number of the last one */
	uint32_t counted[HOST_COUNTERS];             /* the reading in which it was told last */
	uint32_t counted_part[HOST_COUNTERS];        /* and its part */
	uint32_t evidence;                           /* that is being read */
	uint64_t last_lock;                          /* the number of the last row of locks */
	bool known;                                  /* a list is in it, if an empty one */
	uint32_t list;                               /* the number of the last one */
	uint64_t last_socket_line, last_client_line; /* 0: none in this evidence */
	size_t client;                               /* its entry; valid with last_client_line */
};

/* Lines of prose may stand between those of a client, but no page of them. */
enum { CLIENT_LINES_APART = 8 };

static bool client_equal(const void *item, const void *key)
{
	const struct list_client *a = item, *b = key;

	return a->clientid == b->clientid && a->evidence == b->evidence && a->list == b->list;
}

static uint64_t client_hash(const struct list_client *c)
{
	return hash_u64_pair(hash_start(), c->clientid, (uint64_t)c->evidence << 32 | c->list);
}

struct lists *lists_create(void)
{
	struct lists *l = mem_alloc(1, sizeof(*l));

	arena_init(&l->arena);
	vec_init(&l->entries, sizeof(struct list_entry));
	map_init(&l->clients, client_equal);
	return l;
}

void lists_destroy(struct lists *l)
{
	if (!l)
		return;
	vec_deinit(&l->entries);
	map_deinit(&l->clients);
	arena_deinit(&l->arena);
	free(l);
}

static struct list_entry *add(struct lists *l, uint64_t line, enum host_fact_kind kind)
{
	struct list_entry *e;

	if (l->entries.len == LISTS_MAX)
		return NULL;
	e = vec_push(&l->entries);
	*e = (struct list_entry){.evidence = l->evidence, .line = line};
	e->fact.kind = kind;
	e->fact.list = l->list;
	return e;
}

static bool take_socket(struct lists *l, uint64_t line, struct slice text)
{
	struct socket_line s;
	struct list_entry *e = vec_last(&l->entries);

	socket_line_parse(text, &s);
	switch (s.kind) {
	case SOCKET_LINE_OTHER:
		return false;
	case SOCKET_LINE_HEAD:
		l->list++;
		break;
	case SOCKET_LINE_LISTENER:
		e = add(l, line, HOST_LISTENER);
		if (e)
			e->fact.listener = s.listener;
		l->last_socket_line = 0;
		break;
	case SOCKET_LINE_MORE:
		if (!e || l->last_socket_line == 0 || line != l->last_socket_line + 1)
			break;
		e->fact.socket.has_times = true;
		e->fact.socket.sent_ms = s.fact.sent_ms;
		e->fact.socket.received_ms = s.fact.received_ms;
		e->fact.socket.acked_ms = s.fact.acked_ms;
		e->fact.socket.rtt_us = s.fact.rtt_us;
		break;
	case SOCKET_LINE_ROW: {
		uint16_t local = s.fact.local.port, peer = s.fact.peer.port;

		/* Names of hosts tell no address. */
		if (!log_address_parse(s.local, &s.fact.local) ||
		    !log_address_parse(s.peer, &s.fact.peer))
			break;
		s.fact.local.port = local;
		s.fact.peer.port = peer;
		e = add(l, line, HOST_SOCKET);
		if (e)
			e->fact.socket = s.fact;
		l->last_socket_line = e ? line : 0;
		break;
	}
	}
	return true;
}

static bool take_rpc(struct lists *l, uint64_t line, struct slice text)
{
	struct list_entry *e;
	struct rpc_line r;

	rpc_line_parse(&l->rpc, text, &r);
	switch (r.kind) {
	case RPC_LINE_OTHER:
		return false;
	case RPC_LINE_SERVICES:
		l->list++;
		break;
	case RPC_LINE_SERVICE:
		e = add(l, line, HOST_SERVICE);
		if (e)
			e->fact.service = r.service;
		break;
	case RPC_LINE_COUNTS:
		e = add(l, line, HOST_RPC_COUNTS);
		if (e)
			e->fact.counts = r.counts;
		break;
	}
	return true;
}

static struct slice keep(struct lists *l, struct slice s)
{
	return slice_make(arena_copy(&l->arena, s.ptr, s.len), s.len);
}

static void client_take(struct lists *l, struct list_entry *e, uint64_t line,
			const struct nfsd_client_line *told)
{
	struct nfsd_client_fact *c = &e->fact.client;
	uint16_t port = c->at.port;

	if (told->address.len && log_address_parse(told->address, &c->at)) {
		c->at.port = port;
		c->has_address = true;
	}
	if (told->name.len)
		c->name = keep(l, told->name);
	if (told->implementation.len)
		c->implementation = keep(l, told->implementation);
	if (c->callback != CALLBACK_UNKNOWN && c->callback_line == 0)
		c->callback_line = line;
	l->last_client_line = line;
}

/* True when the client is in the list already: then the list is printed once more. */
static bool client_is_known(const struct lists *l, uint64_t clientid)
{
	const struct list_client key = {clientid, l->evidence, l->list};

	return map_find(&l->clients, client_hash(&key), &key) != NULL;
}

static void client_know(struct lists *l, uint64_t clientid)
{
	const struct list_client key = {clientid, l->evidence, l->list};
	struct list_client *c;

	if (client_is_known(l, clientid))
		return;
	c = arena_alloc(&l->arena, sizeof(*c));
	*c = key;
	map_add(&l->clients, client_hash(&key), c);
}

static bool take_client(struct lists *l, uint64_t line, struct slice text)
{
	bool open = l->last_client_line && line - l->last_client_line <= CLIENT_LINES_APART;
	struct list_entry *e = open ? vec_at(&l->entries, l->client) : NULL;
	struct nfsd_client_fact fact = e ? e->fact.client : (struct nfsd_client_fact){0};
	struct nfsd_client_line told;

	nfsd_client_line_parse(text, &fact, &told);
	if (told.kind == NFSD_CLIENT_LINE_OTHER || (!e && told.kind == NFSD_CLIENT_LINE_MORE))
		return false;
	if (told.kind == NFSD_CLIENT_LINE_BEGIN) {
		l->list += client_is_known(l, fact.clientid);
		l->last_client_line = 0;
		e = add(l, line, HOST_NFSD_CLIENT);
		if (!e)
			return true;
		client_know(l, fact.clientid);
		l->client = l->entries.len - 1;
	}
	e->fact.client = fact;
	client_take(l, e, line, &told);
	return true;
}

static bool take_state(struct lists *l, uint64_t line, struct slice text)
{
	struct nfsd_state_fact state;
	struct list_entry *e;

	if (!nfsd_state_line_parse(text, &state))
		return false;
	state.inode = keep(l, state.inode);
	state.file = keep(l, state.file);
	e = add(l, line, HOST_NFSD_STATE);
	if (e)
		e->fact.state = state;
	return true;
}

static bool take_lock(struct lists *l, uint64_t line, struct slice text)
{
	struct file_lock_fact lock;
	struct list_entry *e;

	if (!lock_line_parse(text, &lock))
		return false;
	/* The numbers ascend; a list that is printed once more begins anew. */
	l->list += lock.number < l->last_lock;
	l->last_lock = lock.number;
	lock.kind = keep(l, lock.kind);
	lock.inode = keep(l, lock.inode);
	lock.range = keep(l, lock.range);
	e = add(l, line, HOST_FILE_LOCK);
	if (e)
		e->fact.lock = lock;
	return true;
}

/* A counter that is told once more begins another reading; its parts ascend in one. */
static void next_reading(struct lists *l, const struct counter_fact *c)
{
	if (l->counted[c->counter] == l->reading && c->part <= l->counted_part[c->counter])
		l->reading++;
	l->counted[c->counter] = l->reading;
	l->counted_part[c->counter] = c->part;
}

static bool take_counters(struct lists *l, uint64_t line, struct slice text)
{
	struct counter_line told;

	counter_line_parse(&l->counter, text, &told);
	for (uint32_t i = 0; i < told.len; i++) {
		struct list_entry *e;

		next_reading(l, &told.values[i]);
		e = add(l, line, HOST_COUNTER);
		if (!e)
			break;
		e->fact.list = l->reading;
		e->fact.counter = told.values[i];
	}
	return told.known;
}

/*
 * "    inet 192.0.2.10/24 brd 192.0.2.255 scope global eth0" of `ip address`, with the interface
 * before it in `ip -o address`; "inet 192.0.2.10  netmask ..." of ifconfig, which once had "addr:".
 */
static bool take_address(struct lists *l, uint64_t line, struct slice text)
{
	struct slice word;
	struct endpoint at;
	struct list_entry *e;
	const uint8_t *slash;

	text = text_trim(text);
	if (text.len == 0 || (text.ptr[0] != 'i' && !text_is_digit(text.ptr[0])))
		return false;
	word = text_word(&text);
	if (word.len > 1 && text_is_digit(word.ptr[0]) && word.ptr[word.len - 1] == ':') {
		text_word(&text);
		word = text_word(&text);
	}
	if (!slice_equal(word, slice_of_string("inet")) &&
	    !slice_equal(word, slice_of_string("inet6")))
		return false;
	word = text_word(&text);
	if (slice_equal(word, slice_of_string("addr:")))
		word = text_word(&text);
	else if (text_begins(word, "addr:"))
		word = text_after(word, 5);
	slash = word.len ? memchr(word.ptr, '/', word.len) : NULL;
	if (slash)
		word.len = (size_t)(slash - word.ptr);
	if (!log_address_parse(word, &at))
		return false;
	e = add(l, line, HOST_ADDRESS);
	if (e)
		e->fact.address.at = at;
	return true;
}

/* Rows of lists that nothing is concluded from yet: they are evidence all the same. */
static bool is_other_list(struct slice text)
{
	/* exportfs -v, whose second column is on the next line where the first is long. */
	return text.len && (text.ptr[0] == '/' || text.ptr[0] == '\t') && text_holds(text, "(") &&
	       text_holds(text, "sync,") && text_holds(text, "subtree_check");
}

bool lists_take_line(struct lists *l, uint32_t evidence, uint64_t line, struct slice text)
{
	bool known;

	if (evidence != l->evidence || l->list == 0) {
		l->list++;
		l->rpc = (struct rpc_reader){0};
		l->counter = (struct counter_reader){0};
		l->reading++;
		l->last_socket_line = l->last_client_line = 0;
		l->known = false;
		l->last_lock = 0;
	}
	l->evidence = evidence;
	if (text.len > LISTS_BYTES_MAX)
		text.len = LISTS_BYTES_MAX;
	if (text.len && text.ptr[text.len - 1] == '\r')
		text.len--;
	known = take_socket(l, line, text) || take_client(l, line, text) ||
		take_state(l, line, text) || take_rpc(l, line, text) || take_lock(l, line, text) ||
		take_counters(l, line, text) || take_address(l, line, text) || is_other_list(text);
	l->known |= known;
	return known;
}

bool lists_knows(const struct lists *l, uint32_t evidence)
{
	return l->evidence == evidence && l->known;
}

uint64_t lists_count(const struct lists *l, uint32_t evidence)
{
	uint64_t count = 0;

	for (size_t i = l->entries.len; i > 0; i--) {
		const struct list_entry *e = vec_at(&l->entries, i - 1);

		if (e->evidence != evidence)
			break;
		count++;
	}
	return count;
}

void lists_emit(const struct lists *l, const struct event_board *board)
{
	for (size_t i = 0; i < l->entries.len; i++) {
		const struct list_entry *e = vec_at(&l->entries, i);
		struct event event = {
			.kind = EVENT_HOST,
			.at = {.evidence = e->evidence, .frame = e->line, .at = stamp_none()},
			.host = &e->fact,
		};

		event_emit(board, &event);
	}
}
