/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which exports answer for the handles that clients have, and which say that they are stale
 * (NFS3ERR_STALE, NFS4ERR_STALE).
 *
 * An export is told by what its handles have in common. A Linux nfsd's handle begins with a file
 * system ID (include/linux/exportfs.h, fs/nfsd/nfsfh.h: struct knfsd_fh); of others nothing is
 * assumed, and all handles of a server are taken for one export: then less is said.
 */
#ifndef MODEL_STALE_H
#define MODEL_STALE_H

#include "event/event.h"
#include "model/recent.h"

enum {
	STALE_EXPORTS_MAX = 2048, /* of one client at one server */
	STALE_PREFIX_MAX = 28,    /* bytes of a handle that tell the export */
	STALE_HANDLES_MAX = 8,    /* different handles kept */
};

/* Replies that a handle is stale, and none that says otherwise of another one. */
struct stale_run {
	uint64_t count;
	struct provenance first, last;
	uint32_t handles[STALE_HANDLES_MAX]; /* hashes of those that differ */
	uint32_t handles_len;
	bool root;                      /* among them is the export's root */
	struct provenance root_at;      /* the first such reply */
	struct provenance ended;        /* a handle was taken again; FRAME_NONE: none since */
	struct provenance worked;       /* the last reply before to a handle that was taken */
	uint64_t worked_count;          /* such replies in a row before */
	uint64_t worked_serial, serial; /* connections of `worked` and of `first` */
	bool lossy;
};

/* What one export answered one client. */
struct stale_export {
	struct recent_item item;
	/* The key. */
	struct endpoint server;
	struct endpoint client; /* port 0 */
	uint32_t version;       /* of NFS */
	uint8_t prefix[STALE_PREFIX_MAX];
	uint8_t prefix_len; /* 0: of unknown make, all of the server's */

	struct provenance worked;
	uint64_t worked_count, worked_serial;
	struct stale_run now, longest; /* under way; the longest that is over */
};

struct stale_model {
	struct recent exports;     /* struct stale_export */
	struct stale_export *last; /* saves a look-up; NULL: none */
};

void stale_model_init(struct stale_model *m);
void stale_model_deinit(struct stale_model *m);
void stale_model_attach(struct stale_model *m, struct event_board *board);

#endif
