// SPDX-License-Identifier: GPL-2.0-or-later
/* See call_table.h. */
#include "ingest/rpc/call_table.h"

#include "base/hash.h"
#include "base/mem.h"
#include "event/handle.h"
#include "proto/xdr.h"

#include <stddef.h>
#include <stdlib.h>

enum {
	BUCKETS_FIRST = 1024,
	OPS_FIRST = 8,
	FACTS_FIRST = 2,
	HANDLES_FIRST = 64,
	NAMES_FIRST = 256, /* bytes: most owners are shorter, and many calls may wait */
	/* Of the names of one call: an owner; a server's owner and scope. */
	NAMES_BYTES_MAX = 4 * NFS4_OWNER_KEEP_BYTES,
};

/* A block of names, which stays where it is. */
struct pending_names {
	struct pending_names *older;
	uint32_t len, cap;
	uint8_t bytes[];
};

void call_table_init(struct call_table *t, size_t max)
{
	*t = (struct call_table){.max = max ? max : CALL_TABLE_DEFAULT_MAX};
	pool_init(&t->call_pool, sizeof(struct pending_call));
	pool_init(&t->told_pool, sizeof(union pending_told));
	t->buckets_len = BUCKETS_FIRST;
	t->buckets = mem_alloc(t->buckets_len, sizeof(*t->buckets));
}

/* Frees the blocks of names; `keep`: all but the one that was made first, which is emptied. */
static void names_free(struct pending_call *p, bool keep)
{
	while (p->own.names && !(keep && !p->own.names->older)) {
		struct pending_names *names = p->own.names;

		p->own.names = names->older;
		p->own.bytes -= names->cap;
		free(names);
	}
	if (p->own.names)
		p->own.names->len = 0;
}

static void pending_free(struct call_table *t, struct pending_call *p)
{
	free(p->call.retransmissions.items);
	free(p->call.ops);
	free(p->call.facts);
	free(p->call.files);
	free(p->call.stateids);
	names_free(p, false);
	pool_free(&t->told_pool, p->own.told);
	free(p->handles);
	pool_free(&t->call_pool, p);
}

void call_table_deinit(struct call_table *t)
{
	while (t->newest) {
		struct pending_call *p = t->newest;

		call_table_remove(t, p);
		call_table_release(t, p);
	}
	while (t->spare) {
		struct pending_call *p = t->spare;

		t->spare = p->hash_next;
		pending_free(t, p);
	}
	free(t->buckets);
}

void flow_calls_init(struct flow_calls *flow, const struct conn *conn)
{
	uint64_t hash = hash_bytes(conn->server.addr, sizeof(conn->server.addr));

	hash = hash_u64(hash, hash_bytes(conn->client.addr, sizeof(conn->client.addr)));
	flow->pair = hash_u64(hash, (uint64_t)conn->server.port << 32 | conn->evidence);
}

static inline struct pending_call **bucket_of(const struct call_table *t, uint64_t hash)
{
	return &t->buckets[hash & (t->buckets_len - 1)];
}

static bool pending_is(const struct pending_call *p, const struct call_place *place)
{
	return p->call.xid == place->xid && p->pair == place->flow->pair &&
	       p->call.from == place->from;
}

struct pending_call *call_table_find(const struct call_table *t, const struct call_place *place,
				     const struct conn *conn)
{
	struct pending_call *p = *bucket_of(t, place->hash);

	while (p && (!pending_is(p, place) || p->call.conn->serial != conn->serial))
		p = p->hash_next;
	return p;
}

struct pending_call *call_table_find_elsewhere(const struct call_table *t,
					       const struct call_place *place,
					       const struct conn *conn)
{
	struct pending_call *p = *bucket_of(t, place->hash);

	for (; p; p = p->hash_next) {
		const struct conn *its = p->call.conn;

		if (pending_is(p, place) && p->call.from == CONN_FROM_CLIENT &&
		    its->serial != conn->serial && its->evidence == conn->evidence &&
		    its->transport == TRANSPORT_TCP &&
		    endpoint_same_host(&its->client, &conn->client) &&
		    endpoint_equal(&its->server, &conn->server))
			return p;
	}
	return NULL;
}

struct pending_call *call_table_crowded(const struct call_table *t, const struct call_place *place)
{
	struct pending_call *p = *bucket_of(t, place->hash);
	struct pending_call *oldest = NULL;
	uint32_t count = 0;

	for (; p; p = p->hash_next)
		if (pending_is(p, place)) {
			oldest = p;
			count++;
		}
	return count >= CALL_SAME_XID_MAX ? oldest : NULL;
}

static void call_table_grow(struct call_table *t)
{
	struct pending_call **old = t->buckets;

	t->buckets_len *= 4;
	t->buckets = mem_alloc(t->buckets_len, sizeof(*t->buckets));
	free(old);
	for (struct pending_call *p = t->oldest; p; p = p->newer) {
		struct pending_call **bucket = bucket_of(t, p->hash);

		p->hash_next = *bucket;
		*bucket = p;
	}
}

/* A call from the spare ones, with its buffers, or a new one. */
static struct pending_call *pending_fresh(struct call_table *t)
{
	struct pending_call *p = t->spare;
	struct rpc_call call;

	if (!p) {
		p = pool_alloc(&t->call_pool);
		p->own.told_pool = &t->told_pool;
		return p;
	}
	t->spare = p->hash_next;
	t->spare_len--;
	call = p->call;
	memset(p, 0, offsetof(struct pending_call, gss));
	p->call.ops = call.ops;
	p->call.facts = call.facts;
	p->call.files = call.files;
	p->call.stateids = call.stateids;
	p->call.retransmissions.items = call.retransmissions.items;
	p->call.retransmissions.cap = call.retransmissions.cap;
	return p;
}

struct pending_call *call_table_loose(struct call_table *t)
{
	return pending_fresh(t);
}

struct pending_call *call_table_add(struct call_table *t, const struct call_place *place,
				    const struct conn *conn)
{
	struct pending_call *p = pending_fresh(t);
	struct flow_calls *flow = place->flow;
	struct pending_call **bucket;

	if (t->len >= t->buckets_len)
		call_table_grow(t);
	p->call.conn = conn;
	p->call.from = place->from;
	p->call.xid = place->xid;
	p->flow = flow;
	p->pair = flow->pair;
	p->hash = place->hash;
	bucket = bucket_of(t, p->hash);
	p->hash_next = *bucket;
	*bucket = p;
	p->older = t->newest;
	if (t->newest)
		t->newest->newer = p;
	else
		t->oldest = p;
	t->newest = p;
	p->flow_older = flow->newest;
	if (flow->newest)
		flow->newest->flow_newer = p;
	else
		flow->oldest = p;
	flow->newest = p;
	t->len++;
	return p;
}

static size_t text_bytes(const char *text)
{
	return text ? strlen(text) + 1 : 0;
}

/* What a viewer asked for may be longer than all else. */
static size_t pending_text_bytes(const struct pending_call *p)
{
	size_t bytes = text_bytes(p->call.args_text) + text_bytes(p->call.result_text);

	for (uint32_t i = 0; p->call.ops_text && i < p->call.ops_len; i++)
		bytes += sizeof(char *) + text_bytes(p->call.ops_text[i]);
	return bytes;
}

static uint32_t pending_weight(const struct pending_call *p)
{
	return (uint32_t)(p->own.bytes + pending_text_bytes(p));
}

void call_table_weigh(struct call_table *t, struct pending_call *p)
{
	t->bytes -= p->weight_bytes;
	p->weight_bytes = pending_weight(p);
	t->bytes += p->weight_bytes;
}

static void flow_calls_unlink(struct pending_call *p)
{
	*(p->flow_newer ? &p->flow_newer->flow_older : &p->flow->newest) = p->flow_older;
	*(p->flow_older ? &p->flow_older->flow_newer : &p->flow->oldest) = p->flow_newer;
	p->flow_newer = p->flow_older = NULL;
}

static void stranded_unlink(struct call_table *t, struct pending_call *p)
{
	*(p->flow_newer ? &p->flow_newer->flow_older : &t->stranded_newest) = p->flow_older;
	*(p->flow_older ? &p->flow_older->flow_newer : &t->stranded_oldest) = p->flow_newer;
	p->flow_newer = p->flow_older = NULL;
	t->stranded_len--;
}

void call_table_remove(struct call_table *t, struct pending_call *p)
{
	struct pending_call **link = bucket_of(t, p->hash);

	while (*link != p)
		link = &(*link)->hash_next;
	*link = p->hash_next;
	*(p->newer ? &p->newer->older : &t->newest) = p->older;
	*(p->older ? &p->older->newer : &t->oldest) = p->newer;
	if (p->flow)
		flow_calls_unlink(p);
	else
		stranded_unlink(t, p);
	t->len--;
	t->bytes -= p->weight_bytes;
}

struct pending_call *call_table_strand(struct call_table *t, struct pending_call *p)
{
	flow_calls_unlink(p);
	p->flow = NULL;
	p->conn = *p->call.conn;
	p->call.conn = &p->conn;
	p->flow_older = t->stranded_newest;
	*(p->flow_older ? &p->flow_older->flow_newer : &t->stranded_oldest) = p;
	t->stranded_newest = p;
	t->stranded_len++;
	return t->stranded_len > CALL_TABLE_STRANDED_MAX ? t->stranded_oldest : NULL;
}

static void pending_drop_texts(struct pending_call *p)
{
	for (uint32_t i = 0; p->call.ops_text && i < p->call.ops_len; i++)
		free(p->call.ops_text[i]);
	free(p->call.ops_text);
	free(p->call.args_text);
	free(p->call.result_text);
}

void call_table_release(struct call_table *t, struct pending_call *p)
{
	if (p->call.ops_text || p->call.args_text || p->call.result_text)
		pending_drop_texts(p);
	if (p->handles) {
		free(p->handles);
		p->own.bytes -= p->handles_cap * sizeof(*p->handles);
		p->handles = NULL;
		p->handles_cap = 0;
	}
	names_free(p, true);
	if (t->spare_len == CALL_TABLE_SPARE_MAX || p->own.bytes > CALL_SPARE_BYTES_MAX) {
		pending_free(t, p);
		return;
	}
	p->hash_next = t->spare;
	t->spare = p;
	t->spare_len++;
}

void flow_calls_settle(struct flow_calls *flow, struct pending_call *p, bool kept)
{
	struct settled_call *place = &flow->settled[flow->settled_next];

	if (place->kept)
		place->kept->flow = NULL;
	if (place->used)
		flow->settled_in[place->xid % CALL_SETTLED_CLASSES]--;
	flow->settled_in[p->call.xid % CALL_SETTLED_CLASSES]++;
	*place = (struct settled_call){
		.used = true,
		.from = p->call.from,
		.xid = p->call.xid,
		.program = p->call.program,
		.version = p->call.version,
		.procedure = p->call.procedure,
		.head_hash = p->head_hash,
		.kept = kept ? p : NULL,
	};
	flow->settled_xid[flow->settled_next] = p->call.xid;
	flow->settled_next = (flow->settled_next + 1) % CALL_SETTLED_KEPT;
}

void flow_calls_leave(struct flow_calls *flow)
{
	for (unsigned i = 0; i < CALL_SETTLED_KEPT; i++)
		if (flow->settled[i].kept)
			flow->settled[i].kept->flow = NULL;
}

void call_queue_push(struct call_queue *q, struct pending_call *p)
{
	p->conn = *p->call.conn;
	p->call.conn = &p->conn;
	p->newer = NULL;
	p->older = q->newest;
	if (q->newest)
		q->newest->newer = p;
	else
		q->oldest = p;
	q->newest = p;
	q->len++;
	p->weight_bytes = pending_weight(p);
	q->bytes += p->weight_bytes;
}

struct pending_call *call_queue_pop(struct call_queue *q)
{
	struct pending_call *p = q->oldest;

	if (!p)
		return NULL;
	q->oldest = p->newer;
	if (q->oldest)
		q->oldest->older = NULL;
	else
		q->newest = NULL;
	q->len--;
	q->bytes -= p->weight_bytes;
	for (unsigned i = 0; p->flow && i < CALL_SETTLED_KEPT; i++)
		if (p->flow->settled[i].kept == p)
			p->flow->settled[i].kept = NULL;
	return p;
}

const struct settled_call *flow_calls_settled(const struct flow_calls *flow, enum conn_side from,
					      uint32_t xid)
{
	if (flow->settled_in[xid % CALL_SETTLED_CLASSES] == 0)
		return NULL;
	for (unsigned i = 0; i < CALL_SETTLED_KEPT; i++) {
		const struct settled_call *s = &flow->settled[i];

		if (flow->settled_xid[i] == xid && s->used && s->from == from)
			return s;
	}
	return NULL;
}

/* The array, with twice its room, or with `first` items at first. */
static void *pending_grow(struct pending_call *p, void *items, size_t item_bytes, uint32_t *cap,
			  uint32_t first)
{
	uint32_t more = *cap ? *cap : first;

	*cap += more;
	p->own.bytes += more * item_bytes;
	return mem_resize(items, *cap, item_bytes);
}

void pending_keep_handle(struct pending_call *p, struct xdr_opaque handle)
{
	struct listing_told *t = &p->own.told->listing;

	if (handle.have < handle.len || t->handles_len == RPC_LISTED_HANDLES_MAX)
		return;
	if (t->handles_len == p->handles_cap)
		p->handles = pending_grow(p, p->handles, sizeof(*p->handles), &p->handles_cap,
					  HANDLES_FIRST);
	p->handles[t->handles_len++] = file_handle_hash_bytes(handle.ptr, handle.len);
	t->handles = p->handles;
}

union pending_told *pending_told_of(struct pending_call *p)
{
	if (!p->own.told) {
		p->own.told = pool_alloc(p->own.told_pool);
		p->own.bytes += sizeof(*p->own.told);
	}
	memset(p->own.told, 0, sizeof(*p->own.told));
	return p->own.told;
}

struct nfs4_op_fact *pending_add_op(struct pending_call *p)
{
	struct nfs4_op_fact *op;

	if (p->call.ops_len == p->own.ops_cap)
		p->call.ops = pending_grow(p, p->call.ops, sizeof(*p->call.ops), &p->own.ops_cap,
					   OPS_FIRST);
	op = &p->call.ops[p->call.ops_len++];
	*op = (struct nfs4_op_fact){
		.status = NFS4_STATUS_NONE, .file = NFS4_INDEX_NONE, .stateid = NFS4_INDEX_NONE};
	return op;
}

struct nfs4_fact *pending_add_fact(struct pending_call *p)
{
	struct nfs4_fact *fact;

	if (p->call.facts_len == p->own.facts_cap)
		p->call.facts = pending_grow(p, p->call.facts, sizeof(*p->call.facts),
					     &p->own.facts_cap, FACTS_FIRST);
	fact = &p->call.facts[p->call.facts_len++];
	*fact = (struct nfs4_fact){.status = NFS4_STATUS_NONE};
	return fact;
}

uint8_t pending_keep_file(struct pending_call *p, struct xdr_opaque handle)
{
	struct file_handle *file;

	if (handle.len == 0 || handle.len > RPC_HANDLE_BYTES_MAX || handle.have < handle.len ||
	    p->call.files_len == NFS4_INDEX_NONE)
		return NFS4_INDEX_NONE;
	if (p->call.files_len == p->own.files_cap)
		p->call.files = pending_grow(p, p->call.files, sizeof(*p->call.files),
					     &p->own.files_cap, FACTS_FIRST);
	file = &p->call.files[p->call.files_len];
	memcpy(file->bytes, handle.ptr, handle.len);
	file->len = (uint8_t)handle.len;
	return (uint8_t)p->call.files_len++;
}

uint8_t pending_keep_stateid(struct pending_call *p, struct cursor at)
{
	struct nfs4_stateid stateid = {.seqid = cursor_u32(&at)};

	xdr_take_bytes(&at, stateid.other, NFS4_OTHER_BYTES);
	if (!cursor_ok(&at) || p->call.stateids_len == NFS4_INDEX_NONE)
		return NFS4_INDEX_NONE;
	if (p->call.stateids_len == p->own.stateids_cap)
		p->call.stateids = pending_grow(p, p->call.stateids, sizeof(*p->call.stateids),
						&p->own.stateids_cap, FACTS_FIRST);
	p->call.stateids[p->call.stateids_len] = stateid;
	return (uint8_t)p->call.stateids_len++;
}

struct nfs4_name pending_keep_name(struct pending_call *p, struct xdr_opaque name)
{
	uint32_t len = name.have < NFS4_OWNER_KEEP_BYTES ? name.have : NFS4_OWNER_KEEP_BYTES;
	struct pending_names *names = p->own.names;
	struct nfs4_name kept = {0};

	if (len == 0 || len > NAMES_BYTES_MAX - p->names_len)
		return kept;
	if (!names || len > names->cap - names->len) {
		uint32_t cap = len > NAMES_FIRST ? len : NAMES_FIRST;

		names = mem_alloc(1, sizeof(*names) + cap);
		names->older = p->own.names;
		names->cap = cap;
		p->own.names = names;
		p->own.bytes += cap;
	}
	kept.bytes = memcpy(names->bytes + names->len, name.ptr, len);
	kept.len = (uint16_t)len;
	names->len += len;
	p->names_len += len;
	return kept;
}
