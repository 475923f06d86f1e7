// SPDX-License-Identifier: GPL-2.0-or-later
/* See log_marks.h. */
#include "ingest/log/log_marks.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "event/nfs4_date.h"
#include "names/nfs3.h"
#include "names/nfs4.h"

/*
 * A client ID that holds no date holds one of the last day by chance once in 50000 times. Where a
 * session ID begins with it, it is nfsd's (fs/nfsd/nfs4state.c: gen_sessionid), and any age will
 * do.
 */
#define START_AGE_MAX_S   86400
#define START_AHEAD_MAX_S 2

/* AUTH_SYS stamps count seconds; calls wait to be sent, but hardly for so long. */
#define STAMP_SLACK_NS (3 * STAMP_NS_PER_S)

/* A silence in which a call waited for so long is more than a pause. */
#define TROUBLED_NS (STAMP_NS_PER_S / 2)

/* Up to 2084: differences fit into 64 bits, whatever a file says. */
static bool is_believed(struct stamp at)
{
	return at.clock == CLOCK_UTC && at.ns >= 0 && at.ns < INT64_C(3600000000000000000);
}

static bool host_is(const void *item, const void *key)
{
	return endpoint_same_host(&((const struct log_mark_host *)item)->at, key);
}

void log_marks_init(struct log_marks *m)
{
	*m = (struct log_marks){0};
	map_init(&m->hosts, host_is);
	vec_init(&m->host_list, sizeof(struct log_mark_host *));
	vec_init(&m->marks, sizeof(struct log_mark));
}

void log_marks_deinit(struct log_marks *m)
{
	for (size_t i = 0; i < m->host_list.len; i++)
		free(*(struct log_mark_host **)vec_at(&m->host_list, i));
	vec_deinit(&m->host_list);
	vec_deinit(&m->marks);
	map_deinit(&m->hosts);
}

static struct log_mark_host *host_of(struct log_marks *m, const struct endpoint *at)
{
	uint64_t hash = hash_bytes(at->addr, sizeof(at->addr));
	struct log_mark_host *h = map_find(&m->hosts, hash, at);

	if (h)
		return h;
	if (m->host_list.len == LOG_MARK_HOSTS_MAX) {
		m->hosts_full = true;
		return NULL;
	}
	h = mem_alloc(1, sizeof(*h));
	h->at = *at;
	h->at.port = 0;
	h->first = h->last = h->alive = stamp_none();
	map_add(&m->hosts, hash, h);
	*(struct log_mark_host **)vec_push(&m->host_list) = h;
	return h;
}

/* NULL: there is no room for another of the kind. */
static struct log_mark *mark_add(struct log_marks *m, enum log_mark_kind kind,
				 const struct log_mark_host *h, const struct provenance *at)
{
	struct log_mark *mark;

	if (m->count[kind] == LOG_MARKS_MAX) {
		m->full[kind] = true;
		return NULL;
	}
	m->count[kind]++;
	mark = vec_push(&m->marks);
	*mark = (struct log_mark){.kind = kind,
				  .host = h->at,
				  .at = *at,
				  .date = stamp_none(),
				  .before = stamp_none()};
	return mark;
}

static void take_name(struct log_mark_host *h, struct slice name)
{
	size_t len = strlen(h->name);

	if (name.len == 0 || name.len >= sizeof(h->name) || memchr(name.ptr, '\0', name.len))
		return;
	if (len == 0)
		memcpy(h->name, name.ptr, name.len);
	else if (!slice_equal(slice_make(h->name, len), name))
		h->name_torn = true;
}

/*
 * Linux before 5.1 stamped credentials with its jiffies in seconds (net/sunrpc/auth_unix.c,
 * unx_marshal, before e8680a24a269), others with the time of day, or not at all.
 */
static void take_stamp(struct log_mark_host *h, uint32_t stamp, const struct provenance *at)
{
	int64_t apart;

	if (stamp == 0) {
		h->stamp_torn |= h->stamp != 0;
		return;
	}
	if (h->stamp == 0) {
		h->stamp = stamp;
		h->stamp_at = *at;
		return;
	}
	apart = at->at.ns - h->stamp_at.at.ns -
		((int64_t)stamp - (int64_t)h->stamp) * STAMP_NS_PER_S;
	h->stamp_torn |= apart > STAMP_SLACK_NS || apart < -STAMP_SLACK_NS;
}

static bool verifier_is_new(struct log_mark_host *h, const uint8_t verifier[NFS4_VERIFIER_BYTES])
{
	uint64_t value;

	memcpy(&value, verifier, sizeof(value));
	if (value == UINT64_MAX) /* Linux only wants the server to forget it */
		return false;
	for (uint32_t i = 0; i < h->verifiers_len; i++)
		if (h->verifiers[i] == value)
			return false;
	if (h->verifiers_len < LOG_MARK_VERIFIERS_MAX)
		h->verifiers[h->verifiers_len++] = value;
	return true;
}

static void take_introduction(struct log_marks *m, struct log_mark_host *h, const struct event *e,
			      const struct nfs4_fact *f)
{
	struct log_mark *mark;

	if (!verifier_is_new(h, f->verifier))
		return;
	mark = mark_add(m, LOG_MARK_INTRODUCED, h, &e->at);
	if (!mark)
		return;
	mark->server = e->conn->server;
	mark->server.port = 0;
	mark->date = nfs4_verifier_date(f->verifier, e->at.at);
}

static void marks_take_call(void *context, const struct event *e)
{
	struct log_marks *m = context;
	const struct rpc_call *c = e->rpc;
	struct log_mark_host *h;

	if (c->from != CONN_FROM_CLIENT || !is_believed(e->at.at))
		return;
	h = host_of(m, &e->conn->client);
	if (!h)
		return;
	h->calls |= c->program == NFS_PROGRAM;
	if (c->machine.len || c->machine_stamp) {
		take_name(h, c->machine);
		take_stamp(h, c->machine_stamp, &e->at);
	}
	for (uint32_t i = 0; i < c->facts_len; i++)
		if (c->facts[i].kind == NFS4_FACT_EXCHANGE_ID ||
		    c->facts[i].kind == NFS4_FACT_SETCLIENTID)
			take_introduction(m, h, e, &c->facts[i]);
}

/* The second at which the nfsd started that made this client ID; 0: it is not nfsd's, or too old.
 */
static uint32_t start_of(uint64_t clientid, bool proven, struct stamp seen)
{
	uint32_t words[] = {__builtin_bswap32((uint32_t)(clientid >> 32)),
			    (uint32_t)(clientid >> 32)};
	int64_t seen_s = seen.ns / STAMP_NS_PER_S;

	for (unsigned i = 0; i < 2; i++)
		if (nfs4_date_plausible(words[i], seen) &&
		    (int64_t)words[i] <= seen_s + START_AHEAD_MAX_S &&
		    (proven || (int64_t)words[i] > seen_s - START_AGE_MAX_S))
			return words[i];
	return 0;
}

static void take_start(struct log_marks *m, struct log_mark_host *server, uint64_t clientid,
		       bool proven, const struct event *e)
{
	uint32_t start_s = start_of(clientid, proven, e->at.at);
	struct log_mark *mark;

	if (start_s == 0 || start_s == server->start_s)
		return;
	server->start_s = start_s;
	mark = mark_add(m, LOG_MARK_SERVER_START, server, &e->at);
	if (!mark)
		return;
	mark->date = stamp_utc(start_s * STAMP_NS_PER_S);
	mark->before = server->alive;
}

static void take_recovery(struct log_marks *m, const struct log_mark_host *client,
			  const struct event *e)
{
	struct log_mark *mark = mark_add(m, LOG_MARK_RECOVERED, client, &e->at);

	if (!mark)
		return;
	mark->server = e->conn->server;
	mark->server.port = 0;
}

/* A session ID of nfsd begins with its client ID, byte by byte, and ends with zero. */
static bool session_proves(const uint8_t id[NFS4_SESSIONID_BYTES], uint64_t clientid)
{
	static const uint8_t reserved[4];
	uint64_t head;

	memcpy(&head, id, sizeof(head));
	return head == __builtin_bswap64(clientid) &&
	       memcmp(id + NFS4_SESSIONID_BYTES - sizeof(reserved), reserved, sizeof(reserved)) ==
		       0;
}

static void take_fact(struct log_marks *m, struct log_mark_host *client,
		      struct log_mark_host *server, const struct event *e,
		      const struct nfs4_fact *f)
{
	if (f->status != NFS4_OK)
		return;
	if (f->kind == NFS4_FACT_EXCHANGE_ID)
		take_name(server, slice_make(f->server_owner.bytes, f->server_owner.len));
	if (f->kind == NFS4_FACT_SETCLIENTID)
		take_start(m, server, f->res_clientid, false, e);
	if (f->kind == NFS4_FACT_CREATE_SESSION && session_proves(f->res_sessionid, f->clientid))
		take_start(m, server, f->clientid, true, e);
	if (f->kind == NFS4_FACT_CREATE_SESSION || f->kind == NFS4_FACT_SETCLIENTID_CONFIRM)
		take_recovery(m, client, e);
}

/* An answer ends the silence since the one before it. */
static void take_answer(struct log_marks *m, struct log_mark_host *h, const struct event *e)
{
	int64_t silent_ns = stamp_known(h->last) ? e->at.at.ns - h->last.ns : 0;
	struct log_mark *mark;

	if (!stamp_known(h->first))
		h->first = e->at.at;
	if (silent_ns >= LOG_MARK_SILENCE_MIN_NS) {
		mark = mark_add(m, LOG_MARK_SILENCE, h, &e->at);
		if (mark) {
			mark->before = h->last;
			mark->troubled = e->rpc->has_call && is_believed(e->rpc->origin.at) &&
					 e->at.at.ns - e->rpc->origin.at.ns >= TROUBLED_NS;
		}
	}
	if (silent_ns >= 0)
		h->last = e->at.at;
}

static void marks_take_reply(void *context, const struct event *e)
{
	struct log_marks *m = context;
	const struct rpc_call *c = e->rpc;
	struct log_mark_host *client, *server;

	if (c->from != CONN_FROM_CLIENT || !is_believed(e->at.at))
		return;
	client = host_of(m, &e->conn->client);
	server = host_of(m, &e->conn->server);
	if (!client || !server)
		return;
	server->answers |= c->program == NFS_PROGRAM;
	for (uint32_t i = 0; i < c->facts_len; i++)
		take_fact(m, client, server, e, &c->facts[i]);
	if (c->sequence.present && c->sequence.status == NFS4_OK)
		server->alive = e->at.at;
	take_answer(m, client, e);
	take_answer(m, server, e);
}

void log_marks_attach(struct log_marks *m, struct event_board *board)
{
	event_board_add(board, EVENT_RPC_CALL, marks_take_call, m);
	event_board_add(board, EVENT_RPC_REPLY, marks_take_reply, m);
}
