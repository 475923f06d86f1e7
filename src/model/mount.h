/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mounts of NFS, as the evidence of their hosts tells them. Several files of one host tell the same
 * mount: it is kept once for each file, and rules take the first.
 */
#ifndef MODEL_MOUNT_H
#define MODEL_MOUNT_H

#include "base/arena.h"
#include "base/vec.h"
#include "event/event.h"
#include "timing/options.h"

enum { MOUNT_RECORDS_MAX = 4096 };

struct mount_record {
	struct provenance at; /* the line with the options; without a time */
	const char *server, *export, *mount_point, *options;
	bool server_is_address;
	struct endpoint server_at; /* valid with server_is_address; port 0 */
	struct timing_options timing;
	bool timing_known; /* the options could be read */
};

struct mount_model {
	struct arena arena;
	struct vec records; /* struct mount_record *, in order of the evidence */
	uint64_t dropped;   /* for want of room */
};

void mount_model_init(struct mount_model *m);
void mount_model_deinit(struct mount_model *m);

/* Registers the model's sink. */
void mount_model_attach(struct mount_model *m, struct event_board *board);

#endif
