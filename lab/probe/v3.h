/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a client of NFSv3 does, one call after the other: portmapper, MOUNT, NFS, NLM. Results that
 * the scenes do not need are only stepped over.
 */
#ifndef LAB_PROBE_V3_H
#define LAB_PROBE_V3_H

#include "lab/probe/client.h"
#include "lab/probe/words.h"

struct v3_handle {
	uint32_t len;
	uint8_t bytes[CLIENT_HANDLE_BYTES_MAX];
};

struct v3 {
	struct client *client;
	const struct probe_words *words;
	struct client_peer portmap, mountd, nfs, nlm;
	bool has_mountd, has_nfs, has_nlm;
	struct v3_handle root, file, dir;
	uint32_t status; /* of the last call that was answered */
	uint64_t writes;
	uint32_t lock_number; /* of the last lock asked for */
};

static inline struct xdr_opaque v3_opaque(const void *bytes, size_t len)
{
	return (struct xdr_opaque){.ptr = bytes, .len = (uint32_t)len, .have = (uint32_t)len};
}

void v3_init(struct v3 *v, struct client *client, const struct probe_words *words);
void v3_deinit(struct v3 *v);

/*
 * Each returns false when the task is over, or the call came to nothing; a status that is not
 * success is in v->status and no failure.
 */

/* Asks the portmapper; *port 0 is "not registered". */
bool v3_port(struct v3 *v, uint32_t program, uint32_t version, uint16_t *port);

/* MOUNT, FSINFO; finds the file (and makes it) and the directory that the words name. */
bool v3_mount(struct v3 *v);

bool v3_getattr(struct v3 *v, const struct v3_handle *of);
bool v3_access(struct v3 *v, const struct v3_handle *of);
bool v3_lookup(struct v3 *v, const struct v3_handle *dir, struct slice name, struct v3_handle *out);
bool v3_read(struct v3 *v);
bool v3_write(struct v3 *v);
bool v3_statfs(struct v3 *v);
bool v3_touch(struct v3 *v); /* CREATE and REMOVE of a name in v->dir */

enum v3_listing {
	V3_READDIR,
	V3_READDIRPLUS,
	V3_LOOKING_UP, /* READDIR, and a LOOKUP for each name of it */
	V3_RESTARTING, /* READDIRPLUS, from the beginning again when the directory has changed */
};

/* A whole listing, page by page. */
bool v3_list(struct v3 *v, enum v3_listing how);

/* NLM_LOCK (blocking) and NLM_UNLOCK of the whole file; status is nlm4_stats. */
bool v3_lock(struct v3 *v, bool reclaim);
bool v3_unlock(struct v3 *v);

#endif
