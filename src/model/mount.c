// SPDX-License-Identifier: GPL-2.0-or-later
/* See mount.h. */
#include "model/mount.h"

static const char *keep(struct mount_model *m, struct slice s)
{
	return arena_copy(&m->arena, s.ptr, s.len);
}

static void take_mount(void *context, const struct event *e)
{
	struct mount_model *m = context;
	const struct mount_fact *fact = e->mount;
	struct mount_record *r;
	struct err *err;

	if (m->records.len == MOUNT_RECORDS_MAX) {
		m->dropped++;
		return;
	}
	r = arena_alloc(&m->arena, sizeof(*r));
	*r = (struct mount_record){
		.at = e->at,
		.server = keep(m, fact->server),
		.export = keep(m, fact->export),
		.mount_point = keep(m, fact->mount_point),
		.options = keep(m, fact->options),
		.server_is_address = fact->server_is_address,
		.server_at = fact->server_at,
	};
	err = timing_options_parse(fact->options, &r->timing);
	r->timing_known = !err;
	err_destroy(err);
	if (!r->timing.has_vers && slice_equal(fact->fstype, slice_of_string("nfs4"))) {
		r->timing.vers = 4;
		r->timing.has_vers = true;
	}
	*(struct mount_record **)vec_push(&m->records) = r;
}

void mount_model_init(struct mount_model *m)
{
	*m = (struct mount_model){0};
	arena_init(&m->arena);
	vec_init(&m->records, sizeof(struct mount_record *));
}

void mount_model_deinit(struct mount_model *m)
{
	vec_deinit(&m->records);
	arena_deinit(&m->arena);
}

void mount_model_attach(struct mount_model *m, struct event_board *board)
{
	event_board_add(board, EVENT_MOUNT, take_mount, m);
}
