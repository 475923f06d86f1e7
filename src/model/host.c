// SPDX-License-Identifier: GPL-2.0-or-later
/* See host.h. */
#include "model/host.h"

static struct slice keep(struct host_model *m, struct slice s)
{
	return slice_make(arena_copy(&m->arena, s.ptr, s.len), s.len);
}

static void take_host(void *context, const struct event *e)
{
	struct host_model *m = context;
	struct host_record *r;

	if (m->records.len == HOST_RECORDS_MAX) {
		m->dropped++;
		return;
	}
	r = arena_alloc(&m->arena, sizeof(*r));
	*r = (struct host_record){.at = e->at, .fact = *e->host};
	if (r->fact.kind == HOST_NFSD_CLIENT) {
		r->fact.client.name = keep(m, r->fact.client.name);
		r->fact.client.implementation = keep(m, r->fact.client.implementation);
	} else if (r->fact.kind == HOST_NFSD_STATE) {
		r->fact.state.inode = keep(m, r->fact.state.inode);
		r->fact.state.file = keep(m, r->fact.state.file);
	} else if (r->fact.kind == HOST_FILE_LOCK) {
		r->fact.lock.kind = keep(m, r->fact.lock.kind);
		r->fact.lock.inode = keep(m, r->fact.lock.inode);
		r->fact.lock.range = keep(m, r->fact.lock.range);
	} else if (r->fact.kind == HOST_SYSCALL) {
		r->fact.syscall.name = keep(m, r->fact.syscall.name);
		r->fact.syscall.error = keep(m, r->fact.syscall.error);
		r->fact.syscall.path = keep(m, r->fact.syscall.path);
	}
	*(struct host_record **)vec_push(&m->records) = r;
}

void host_model_init(struct host_model *m)
{
	*m = (struct host_model){0};
	arena_init(&m->arena);
	vec_init(&m->records, sizeof(struct host_record *));
}

void host_model_deinit(struct host_model *m)
{
	vec_deinit(&m->records);
	arena_deinit(&m->arena);
}

void host_model_attach(struct host_model *m, struct event_board *board)
{
	event_board_add(board, EVENT_HOST, take_host, m);
}

const struct host_record *host_model_next(const struct host_model *m, enum host_fact_kind kind,
					  size_t *index)
{
	while (m && *index < m->records.len) {
		const struct host_record *r =
			*(struct host_record **)vec_at(&m->records, (*index)++);

		if (r->fact.kind == kind)
			return r;
	}
	return NULL;
}
