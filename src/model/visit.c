// SPDX-License-Identifier: GPL-2.0-or-later
/* See visit.h. Linear counting: Whang, Vander-Zanden, Taylor, ACM TODS 15 (1990) 2. */
#include "model/visit.h"

#include "base/hash.h"
#include "base/mem.h"
#include "names/nfs3.h"
#include "names/nfs4.h"
#include "names/nfsacl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	ENTRY_WAYS = 8,      /* places in which an entry may stand */
	ENTRY_SET_BITS = 15, /* log2 of how many sets of them there are */
	VISIT_BITS_LOG2 = 12,
};

_Static_assert(ENTRY_WAYS << ENTRY_SET_BITS == VISIT_ENTRIES_MAX, "sets of places");
_Static_assert(1 << VISIT_BITS_LOG2 == VISIT_BITS, "bits to spread over");

/* What a call is to a visit. */
enum visit_class {
	VISIT_IS_NOTHING,
	VISIT_IS_LISTING,
	VISIT_IS_ENTRY, /* with an enum visit_call */
	VISIT_IS_WORK,
};

/* The open visits of one client at one server. */
struct visit_host {
	struct endpoint client, server;     /* client: port 0 */
	struct visit *open[VISIT_OPEN_MAX]; /* least recently used first */
	uint32_t dirs[VISIT_OPEN_MAX];      /* theirs, to be looked through at once */
	uint32_t open_len;
	uint64_t work;
	struct visit_host *older, *newer; /* by last use */
};

/* A file that a listing told of. */
struct visit_entry {
	uint32_t object, dir; /* object 0: a free place */
};

static int64_t apart_ns(struct stamp a, struct stamp b)
{
	int64_t ns;

	return a.clock != b.clock || __builtin_sub_overflow(b.ns, a.ns, &ns) ? 0 : ns;
}

int64_t visit_elapsed_ns(const struct visit *v)
{
	return apart_ns(v->first.at, v->last.at);
}

uint64_t visit_calls_count(const struct visit_calls *c)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < VISIT_CALL_COUNT; i++)
		sum += c->count[i];
	return sum;
}

uint64_t visit_calls_objects(const struct visit_calls *c)
{
	uint32_t left = VISIT_BITS - c->seen_count;

	return (uint64_t)(-(double)VISIT_BITS * log((left ? left : 1) / (double)VISIT_BITS) + 0.5);
}

/* --- what a call is --- */

static enum visit_class class_v3(const struct rpc_call *c, enum visit_call *kind)
{
	switch (c->procedure) {
	case NFSPROC3_READDIR:
	case NFSPROC3_READDIRPLUS:
		return VISIT_IS_LISTING;
	case NFSPROC3_GETATTR:
		*kind = VISIT_GETATTR;
		return VISIT_IS_ENTRY;
	case NFSPROC3_LOOKUP:
		*kind = VISIT_LOOKUP;
		return VISIT_IS_ENTRY;
	case NFSPROC3_ACCESS:
		*kind = VISIT_ACCESS;
		return VISIT_IS_ENTRY;
	case NFSPROC3_NULL:
	case NFSPROC3_FSSTAT:
	case NFSPROC3_FSINFO:
	case NFSPROC3_PATHCONF:
		return VISIT_IS_NOTHING;
	default:
		return VISIT_IS_WORK;
	}
}

/* An operation by itself; a COMPOUND is what its weightiest operation is. */
static enum visit_class class_op(uint32_t op, enum visit_call *kind)
{
	switch (op) {
	case OP_READDIR:
		return VISIT_IS_LISTING;
	case OP_GETATTR:
		*kind = VISIT_GETATTR;
		return VISIT_IS_ENTRY;
	case OP_LOOKUP:
		*kind = VISIT_LOOKUP;
		return VISIT_IS_ENTRY;
	case OP_ACCESS:
		*kind = VISIT_ACCESS;
		return VISIT_IS_ENTRY;
	case OP_OPEN:
	case OP_READ:
	case OP_WRITE:
	case OP_CREATE:
	case OP_REMOVE:
	case OP_RENAME:
	case OP_LINK:
	case OP_SETATTR:
	case OP_LOCK:
	case OP_COMMIT:
		return VISIT_IS_WORK;
	default:
		return VISIT_IS_NOTHING;
	}
}

static enum visit_class class_v4(const struct rpc_call *c, enum visit_call *kind)
{
	enum visit_class best = VISIT_IS_NOTHING;

	for (uint32_t i = 0; i < c->ops_len; i++) {
		enum visit_call one = VISIT_GETATTR;
		enum visit_class is = class_op(c->ops[i].op, &one);

		if (is == VISIT_IS_ENTRY && (best != VISIT_IS_ENTRY || one != VISIT_GETATTR))
			*kind = one;
		if (is == VISIT_IS_LISTING || is == VISIT_IS_WORK)
			return is;
		if (is == VISIT_IS_ENTRY)
			best = is;
	}
	return best;
}

static enum visit_class class_of(const struct rpc_call *c, enum visit_call *kind)
{
	if (c->program == NFS_ACL_PROGRAM) {
		*kind = VISIT_GETACL;
		return c->version == 3 && c->procedure == ACLPROC3_GETACL ? VISIT_IS_ENTRY
									  : VISIT_IS_NOTHING;
	}
	if (c->program != NFS_PROGRAM)
		return VISIT_IS_NOTHING;
	if (c->version == NFS_V3)
		return class_v3(c, kind);
	return c->version == NFS_V4 ? class_v4(c, kind) : VISIT_IS_NOTHING;
}

/* --- pairs of client and server --- */

static bool host_is(const void *item, const void *key)
{
	const struct visit_host *a = item;
	const struct visit_host *b = key;

	return endpoint_equal(&a->client, &b->client) && endpoint_equal(&a->server, &b->server);
}

static uint64_t host_hash(const struct visit_host *h)
{
	return hash_bytes(h->client.addr, sizeof(h->client.addr)) ^
	       hash_u64(hash_bytes(h->server.addr, sizeof(h->server.addr)), h->server.port);
}

static void host_link(struct visit_model *m, struct visit_host *h)
{
	h->older = m->newest;
	h->newer = NULL;
	*(m->newest ? &m->newest->newer : &m->oldest) = h;
	m->newest = h;
}

static void host_unlink(struct visit_model *m, struct visit_host *h)
{
	*(h->older ? &h->older->newer : &m->oldest) = h->newer;
	*(h->newer ? &h->newer->older : &m->newest) = h->older;
}

static void calls_end(struct visit_calls *s)
{
	free(s->seen);
	s->seen = NULL;
}

/* Takes a visit out of the open ones. */
static struct visit *host_take(struct visit_host *h, uint32_t index)
{
	struct visit *v = h->open[index];
	uint32_t behind = --h->open_len - index;

	memmove(&h->open[index], &h->open[index + 1], behind * sizeof(h->open[0]));
	memmove(&h->dirs[index], &h->dirs[index + 1], behind * sizeof(h->dirs[0]));
	return v;
}

/* Adds it as the most recently used; there is room. */
static void host_put(struct visit_host *h, struct visit *v)
{
	h->dirs[h->open_len] = v->dir;
	h->open[h->open_len++] = v;
}

/* The visit is over, and no longer among the open ones. */
static void visit_end(struct visit_model *m, struct visit_host *h, uint32_t index)
{
	struct visit *v = host_take(h, index);

	v->work = h->work - v->work_before;
	calls_end(&v->linked);
	calls_end(&v->loose);
	if (visit_calls_count(&v->linked) + visit_calls_count(&v->loose) < VISIT_CALLS_KEEP &&
	    v->changes == 0)
		free(v);
	else
		free(longest_add(&m->visits, visit_elapsed_ns(v), v));
}

static void host_drop(struct visit_model *m, struct visit_host *h)
{
	while (h->open_len)
		visit_end(m, h, 0);
	host_unlink(m, h);
	map_remove(&m->map, host_hash(h), h);
	m->hosts_len--;
	if (m->last == h)
		m->last = NULL;
	free(h);
}

/* NULL: this pair never listed anything, and `add` is false. */
static struct visit_host *host_get(struct visit_model *m, const struct conn *conn, bool add)
{
	struct visit_host key; /* of which only the key is filled in: it is large */
	struct visit_host *h;

	key.client = conn->client;
	key.client.port = 0;
	key.server = conn->server;
	if (m->last && host_is(m->last, &key))
		return m->last;
	h = map_find(&m->map, host_hash(&key), &key);
	if (h && h != m->newest) {
		host_unlink(m, h);
		host_link(m, h);
	}
	if (h || !add) {
		m->last = h ? h : m->last;
		return h;
	}
	if (m->hosts_len == VISIT_HOSTS_MAX)
		host_drop(m, m->oldest);
	h = mem_alloc(1, sizeof(*h));
	h->client = key.client;
	h->server = key.server;
	map_add(&m->map, host_hash(h), h);
	host_link(m, h);
	m->hosts_len++;
	m->last = h;
	return h;
}

/* --- visits --- */

/* The open visit of the directory, now the most recently used; NULL: none. */
static struct visit *visit_find(struct visit_model *m, struct visit_host *h, uint32_t dir,
				const struct provenance *at)
{
	for (uint32_t i = h->open_len; i > 0; i--) {
		struct visit *v;

		if (h->dirs[i - 1] != dir)
			continue;
		v = h->open[i - 1];
		if (apart_ns(v->last.at, at->at) > VISIT_PAUSE_NS) {
			visit_end(m, h, i - 1);
			return NULL;
		}
		if (i < h->open_len)
			host_put(h, host_take(h, i - 1));
		return v;
	}
	return NULL;
}

static struct visit *visit_begin(struct visit_model *m, struct visit_host *h,
				 const struct rpc_call *c, const struct provenance *at)
{
	struct visit *v = mem_alloc(1, sizeof(*v));

	if (h->open_len == VISIT_OPEN_MAX)
		visit_end(m, h, 0);
	v->conn = *c->conn;
	v->client = h->client;
	v->server = h->server;
	v->dir = c->object;
	v->first = *at;
	v->work_before = h->work;
	host_put(h, v);
	return v;
}

static void visit_take_change(struct visit *v, const struct rpc_call *c,
			      const struct provenance *at)
{
	if (!c->has_change)
		return;
	if (v->change_known && v->change_value != c->change && v->changes++ == 0)
		v->change = *at;
	v->change_known = true;
	v->change_value = c->change;
}

/*
 * Spreads the hash of a handle or a name over [0, 2^bits). Without the secret seed of base/hash.h:
 * what is counted here is told, and two runs must tell the same.
 */
static uint32_t spread(uint32_t hash, unsigned bits)
{
	return (uint32_t)(hash * UINT64_C(0x9e3779b97f4a7c15) >> (64 - bits));
}

/* Where an object's entry may stand: ENTRY_WAYS places, the newest first. */
static struct visit_entry *entries_places(const struct visit_model *m, uint32_t object)
{
	return &m->entries[(size_t)spread(object, ENTRY_SET_BITS) * ENTRY_WAYS];
}

/* They are far away: what asks for them early need not wait. */
static void entries_want(const struct visit_model *m, uint32_t object)
{
	const struct visit_entry *places;

	if (!m->entries)
		return;
	places = entries_places(m, object);
	__builtin_prefetch(places);
	__builtin_prefetch(places + ENTRY_WAYS - 1);
}

static void entry_add(struct visit_model *m, struct visit_entry e)
{
	struct visit_entry *places = entries_places(m, e.object);
	size_t i = 0;

	while (i < ENTRY_WAYS - 1 && places[i].object != e.object)
		i++;
	memmove(places + 1, places, i * sizeof(*places));
	places[0] = e;
}

static void entries_add(struct visit_model *m, uint32_t dir, const struct listing_told *t)
{
	if (t->handles_len && !m->entries)
		m->entries = mem_alloc(VISIT_ENTRIES_MAX, sizeof(*m->entries));
	for (uint32_t i = 0; i < t->handles_len; i++)
		entry_add(m, (struct visit_entry){t->handles[i], dir});
}

/* The directory that told of the object; 0: none. */
static uint32_t entries_find(const struct visit_model *m, uint32_t object)
{
	const struct visit_entry *places;

	if (!m->entries)
		return 0;
	places = entries_places(m, object);
	for (size_t i = 0; i < ENTRY_WAYS; i++) {
		if (places[i].object == object)
			return places[i].dir;
	}
	return 0;
}

static void take_listing(struct visit_model *m, const struct rpc_call *c,
			 const struct provenance *at)
{
	struct visit_host *h = host_get(m, c->conn, true);
	struct visit *v = visit_find(m, h, c->object, at);
	const struct listing_told *t = c->told_kind == RPC_TOLD_LISTING ? c->told.listing : NULL;

	if (!v)
		v = visit_begin(m, h, c, at);
	if (v->listing_calls++ == 0)
		v->listing_first = *at;
	v->listing_last = v->last = *at;
	v->listing_rtt_sum_ns += apart_ns(c->call.at, at->at);
	v->cut |= !t || !t->answered || !t->whole;
	if (c->version == NFS_V3)
		visit_take_change(v, c, at);
	if (!t)
		return;
	v->entries += t->entries;
	entries_add(m, c->object, t);
}

static void calls_add(struct visit_calls *s, const struct rpc_call *c, enum visit_call kind,
		      const struct provenance *at)
{
	uint32_t key = kind == VISIT_LOOKUP ? c->name_hash : c->object;
	uint32_t bit;

	if (visit_calls_count(s) == 0)
		s->first = *at;
	s->last = *at;
	s->count[kind]++;
	s->rtt_sum_ns += apart_ns(c->call.at, at->at);
	if (key == 0)
		return;
	bit = spread(key, VISIT_BITS_LOG2);
	if (!s->seen)
		s->seen = mem_alloc(VISIT_BITS / 8, 1);
	if (!(s->seen[bit / 8] & 1 << bit % 8)) {
		s->seen[bit / 8] |= (uint8_t)(1 << bit % 8);
		s->seen_count++;
	}
}

/* The visit whose entry this is; NULL: none. */
static struct visit *visit_of_entry(struct visit_model *m, struct visit_host *h,
				    const struct rpc_call *c, enum visit_call kind,
				    const struct provenance *at)
{
	uint32_t dir = kind == VISIT_LOOKUP ? c->object : entries_find(m, c->object);

	return dir ? visit_find(m, h, dir, at) : NULL;
}

static void take_entry(struct visit_model *m, struct visit_host *h, const struct rpc_call *c,
		       enum visit_call kind, const struct provenance *at)
{
	struct visit *v;

	if (c->object && kind != VISIT_LOOKUP && (v = visit_find(m, h, c->object, at))) {
		visit_take_change(v, c, at); /* of the directory itself */
		return;
	}
	v = c->object ? visit_of_entry(m, h, c, kind, at) : NULL;
	if (v) {
		calls_add(&v->linked, c, kind, at);
		v->last = *at;
		return;
	}
	v = h->open_len ? h->open[h->open_len - 1] : NULL;
	if (v && v->cut && (kind != VISIT_LOOKUP || v->dir == 0) &&
	    apart_ns(v->last.at, at->at) <= VISIT_PAUSE_NS) {
		calls_add(&v->loose, c, kind, at);
		v->last = *at;
	}
}

static void visit_take_reply(void *context, const struct event *e)
{
	struct visit_model *m = context;
	const struct rpc_call *c = e->rpc;
	enum visit_call kind = VISIT_GETATTR;
	enum visit_class is;
	struct visit_host *h;

	if (!c->has_call || c->from != CONN_FROM_CLIENT || c->reply_repeats ||
	    (c->has_status && c->status != NFS4_OK))
		return;
	is = class_of(c, &kind);
	if (is == VISIT_IS_NOTHING)
		return;
	if (is == VISIT_IS_LISTING) {
		take_listing(m, c, &e->at);
		return;
	}
	if (is == VISIT_IS_ENTRY)
		entries_want(m, c->object);
	h = host_get(m, c->conn, false);
	if (!h)
		return;
	if (is == VISIT_IS_WORK)
		h->work++;
	else
		take_entry(m, h, c, kind, &e->at);
}

void visit_model_init(struct visit_model *m)
{
	*m = (struct visit_model){0};
	map_init(&m->map, host_is);
	longest_init(&m->visits, VISIT_KEPT_MAX);
}

void visit_model_finish(struct visit_model *m)
{
	while (m->oldest)
		host_drop(m, m->oldest);
}

void visit_model_deinit(struct visit_model *m)
{
	visit_model_finish(m);
	for (size_t i = 0; i < longest_count(&m->visits); i++)
		free(longest_at(&m->visits, i));
	longest_deinit(&m->visits);
	map_deinit(&m->map);
	free(m->entries);
}

void visit_model_attach(struct visit_model *m, struct event_board *board)
{
	event_board_add(board, EVENT_RPC_REPLY, visit_take_reply, m);
}
