// SPDX-License-Identifier: GPL-2.0-or-later
/* See ladder.h. */
#include "model/ladder.h"

#include <string.h>

#include "names/nfs4.h"

static struct ladder_client *client_at(const struct ladder_model *m, size_t index)
{
	return *(struct ladder_client **)vec_at(&m->clients, index);
}

/* The client at this server; at its only one where the fact does not tell. */
static struct ladder_client *client_get(struct ladder_model *m, const struct ladder_fact *f)
{
	struct ladder_client *c;

	for (size_t i = 0; i < m->clients.len; i++) {
		c = client_at(m, i);
		if (!slice_equal(slice_of_string(c->host), f->host))
			continue;
		if (f->server.len && c->server[0] == '\0')
			c->server = arena_copy(&m->arena, f->server.ptr, f->server.len);
		if (f->server.len == 0 || slice_equal(slice_of_string(c->server), f->server))
			return c;
	}
	if (m->clients.len == LADDER_CLIENTS_MAX) {
		m->dropped++;
		return NULL;
	}
	c = arena_alloc(&m->arena, sizeof(*c));
	c->host = f->host.len ? arena_copy(&m->arena, f->host.ptr, f->host.len) : "";
	c->host_told = f->host_told;
	c->server = f->server.len ? arena_copy(&m->arena, f->server.ptr, f->server.len) : "";
	*(struct ladder_client **)vec_push(&m->clients) = c;
	return c;
}

static bool session_is_gone(int64_t status)
{
	return status == NFS4ERR_BADSESSION || status == NFS4ERR_DEADSESSION;
}

static bool clientid_is_gone(int64_t status)
{
	return status == NFS4ERR_STALE_CLIENTID || status == NFS4ERR_EXPIRED;
}

/* What the server gave is gone. */
static void refuse(struct ladder_client *c, const struct event *e)
{
	c->clientid_gone |= clientid_is_gone(e->ladder->status);
	if (c->refused)
		return;
	c->refused = true;
	c->refused_status = (uint32_t)e->ladder->status;
	c->refused_at = e->at;
	c->clientid_gone = clientid_is_gone(e->ladder->status);
}

static void rebuild(struct ladder_client *c, const struct event *e)
{
	if (!c->refused)
		return;
	c->refused = false;
	if (c->rounds++ == 0)
		c->first = c->refused_at;
	c->rounds_clientid += c->clientid_gone;
	c->last = e->at;
	if (c->cites_len == LADDER_CITES_MAX)
		return;
	c->cited_status[c->cites_len] = c->refused_status;
	c->cites[c->cites_len++] = c->refused_at;
}

static void ladder_take(void *context, const struct event *e)
{
	const struct ladder_fact *f = e->ladder;
	struct ladder_client *c = client_get(context, f);

	if (!c)
		return;
	if (f->has_server) {
		c->has_server = true;
		c->server_at = f->server_at;
	}
	if (f->has_client) {
		c->has_client = true;
		c->client_at = f->client_at;
	}
	switch (f->step) {
	case LADDER_SEQUENCE:
	case LADDER_DESTROY_SESSION:
		if (session_is_gone(f->status))
			refuse(c, e);
		break;
	case LADDER_RENEW:
		if (clientid_is_gone(f->status))
			refuse(c, e);
		break;
	case LADDER_CREATE_SESSION:
	case LADDER_SETCLIENTID_CONFIRM:
		if (f->status == NFS4_OK)
			rebuild(c, e);
		else if (c->refused)
			refuse(c, e);
		break;
	case LADDER_EXCHANGE_ID:
	case LADDER_SETCLIENTID:
	case LADDER_RECLAIM_COMPLETE:
	case LADDER_STEP_COUNT:
		break;
	}
}

void ladder_model_init(struct ladder_model *m)
{
	*m = (struct ladder_model){0};
	arena_init(&m->arena);
	vec_init(&m->clients, sizeof(struct ladder_client *));
}

void ladder_model_deinit(struct ladder_model *m)
{
	vec_deinit(&m->clients);
	arena_deinit(&m->arena);
}

void ladder_model_attach(struct ladder_model *m, struct event_board *board)
{
	event_board_add(board, EVENT_LADDER, ladder_take, m);
}
