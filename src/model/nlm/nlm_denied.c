// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The NLM model's denials: for want of resources, by client and server; and those of requests of
 * which another copy, sent before the denial came, was granted.
 */
#include "base/mem.h"
#include "model/nlm/nlm_internal.h"
#include "names/nlm.h"

#include <stdlib.h>

/* A LOCK that was denied a short while ago. */
struct nlm_denied {
	bool used;
	struct conn conn;
	struct endpoint client, server; /* port 0 */
	struct nlm_owner owner;
	struct file_handle file;
	uint64_t offset, length;
	uint32_t xid;
	struct provenance call, reply;
};

/* --- for want of resources --- */

static struct nlm_denial *denial_find(const struct nlm_model *m, const struct nlm_request *r)
{
	for (size_t i = 0; i < m->denials.len; i++) {
		struct nlm_denial *n = *(struct nlm_denial **)vec_at(&m->denials, i);

		if (endpoint_same_host(&n->client, &r->client) &&
		    endpoint_same_host(&n->server, &r->server))
			return n;
	}
	return NULL;
}

static struct nlm_denial *denial_get(struct nlm_model *m, const struct nlm_request *r)
{
	struct nlm_denial *n = denial_find(m, r);

	if (n)
		return n;
	if (m->denials.len == NLM_DENIALS_MAX) {
		m->dropped++;
		return NULL;
	}
	n = mem_alloc(1, sizeof(*n));
	n->conn = *r->conn;
	n->client = r->client;
	n->server = r->server;
	memcpy(n->caller, r->told->caller, NLM_CALLER_KEEP_BYTES - 1);
	n->first = r->reply;
	*(struct nlm_denial **)vec_push(&m->denials) = n;
	return n;
}

void nlm_denial_add(struct nlm_model *m, const struct nlm_request *r)
{
	struct nlm_denial *n = denial_get(m, r);

	if (!n)
		return;
	if (n->count++ == 0 ||
	    nlm_apart(r->call.at, r->reply.at) > nlm_apart(n->slow_call.at, n->slow.at)) {
		n->slow_call = r->call;
		n->slow = r->reply;
	}
	n->last = r->reply;
	n->over = (struct provenance){0};
	if (n->cites_len < NLM_CITES_MAX)
		n->cites[n->cites_len++] = r->reply;
}

/* --- denied, and granted to another copy --- */

static void denied_keep(struct nlm_model *m, const struct nlm_request *r)
{
	m->denied[m->denied_next++ % NLM_DENIED_RECENT] = (struct nlm_denied){
		.used = true,
		.conn = *r->conn,
		.client = r->client,
		.server = r->server,
		.owner = nlm_request_owner(r),
		.file = r->told->file,
		.offset = r->told->offset,
		.length = r->told->length,
		.xid = r->xid,
		.call = r->call,
		.reply = r->reply,
	};
}

static struct nlm_double *double_add(struct nlm_model *m, struct nlm_denied *n)
{
	struct nlm_double *two;

	n->used = false;
	if (m->doubles.len == NLM_DOUBLES_MAX) {
		m->dropped++;
		return NULL;
	}
	two = mem_alloc(1, sizeof(*two));
	*two = (struct nlm_double){
		.owner = n->owner,
		.conn = n->conn,
		.file = n->file,
		.offset = n->offset,
		.length = n->length,
		.xid = n->xid,
		.asked = n->call,
		.denied = n->reply,
	};
	*(struct nlm_double **)vec_push(&m->doubles) = two;
	return two;
}

/* The same lock of the same owner. */
static bool denied_is(const struct nlm_denied *n, const struct nlm_request *r)
{
	return n->used && n->owner.hash == r->told->owner_hash && n->offset == r->told->offset &&
	       n->length == r->told->length && endpoint_same_host(&n->client, &r->client) &&
	       endpoint_same_host(&n->server, &r->server) && n->file.len == r->told->file.len &&
	       memcmp(n->file.bytes, r->told->file.bytes, n->file.len) == 0;
}

/* Granted: was another copy of it denied after this one was sent? */
static void denied_look_back(struct nlm_model *m, const struct nlm_request *r)
{
	for (uint32_t i = 0; i < NLM_DENIED_RECENT; i++) {
		struct nlm_denied *n = &m->denied[i];
		struct nlm_double *two;

		if (!denied_is(n, r) || nlm_apart(r->call.at, n->reply.at) <= 0)
			continue;
		two = double_add(m, n);
		if (!two)
			continue;
		two->conn = *r->conn;
		two->same_xid = r->xid == two->xid;
		two->again = r->call;
		two->granted = r->reply;
	}
}

void nlm_denied_note(struct nlm_model *m, const struct nlm_request *r)
{
	struct nlm_denial *n;

	if (r->status == NLM_DENIED && !r->told->reclaim) {
		denied_keep(m, r);
	} else if (r->status == NLM_GRANTED) {
		n = m->denials.len ? denial_find(m, r) : NULL;
		if (n && n->over.frame == FRAME_NONE)
			n->over = r->reply;
		if (m->denied_next)
			denied_look_back(m, r);
	}
}

void nlm_denied_note_unlock(struct nlm_model *m, const struct nlm_request *r)
{
	for (size_t i = 0; i < m->doubles.len; i++) {
		struct nlm_double *two = *(struct nlm_double **)vec_at(&m->doubles, i);

		if (two->given_back.frame == FRAME_NONE && two->owner.hash == r->told->owner_hash &&
		    endpoint_same_host(&two->owner.host, &r->client) &&
		    two->file.len == r->told->file.len &&
		    memcmp(two->file.bytes, r->told->file.bytes, two->file.len) == 0)
			two->given_back = r->call;
	}
}

void nlm_denied_take_repeat(struct nlm_model *m, const struct event *e)
{
	const struct rpc_call *c = e->rpc;

	if (c->status != NLM_GRANTED ||
	    (c->procedure != NLMPROC_LOCK && c->procedure != NLMPROC_NM_LOCK))
		return;
	for (uint32_t i = 0; i < NLM_DENIED_RECENT; i++) {
		struct nlm_denied *n = &m->denied[i];
		struct nlm_double *two;

		if (!n->used || n->conn.serial != c->conn->serial || n->xid != c->xid)
			continue;
		two = double_add(m, n);
		if (two) {
			two->same_xid = true;
			two->granted = e->at;
		}
	}
}

void nlm_denied_init(struct nlm_model *m)
{
	m->denied = mem_alloc(NLM_DENIED_RECENT, sizeof(*m->denied));
	vec_init(&m->denials, sizeof(struct nlm_denial *));
	vec_init(&m->doubles, sizeof(struct nlm_double *));
}

void nlm_denied_deinit(struct nlm_model *m)
{
	for (size_t i = 0; i < m->denials.len; i++)
		free(*(void **)vec_at(&m->denials, i));
	for (size_t i = 0; i < m->doubles.len; i++)
		free(*(void **)vec_at(&m->doubles, i));
	vec_deinit(&m->denials);
	vec_deinit(&m->doubles);
	free(m->denied);
}
