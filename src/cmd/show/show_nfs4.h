/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the views of NFSv4 state share. */
#ifndef CMD_SHOW_NFS4_H
#define CMD_SHOW_NFS4_H

#include "base/json.h"
#include "cmd/show/show.h"
#include "model/nfs4/nfs4.h"

/* "created in frame 12, 120 calls, refused in frame 300": appended to show->line. */
void show_nfs4_session_story(struct show *s, const struct nfs4_session *n);

/* The members of the session as an object, which the caller begins and ends. */
void show_nfs4_session_members(struct show *s, struct json *j, const struct nfs4_session *n);

/* A place as { evidence, frame, time }, or null. */
void show_nfs4_place(struct show *s, struct json *j, const char *key, const struct provenance *at);

/*
 * Items of a list by what they belong to: the sessions of a client ID, the client IDs of an
 * instance. Made once, so that many clients do not take quadratic time.
 */
struct show_nfs4_index {
	struct vec entries; /* struct show_nfs4_entry */
};

struct show_nfs4_entry {
	const void *owner; /* compared as an address only */
	uint64_t id;
	size_t position; /* in the list; entries of one owner and id ascend */
	const void *item;
};

void show_nfs4_index_clientids(struct show_nfs4_index *x, const struct nfs4_model *m);
void show_nfs4_index_sessions(struct show_nfs4_index *x, const struct nfs4_model *m);
void show_nfs4_index_deinit(struct show_nfs4_index *x);

/* The first entry of this owner and id, and how many there are; NULL and 0 when there is none. */
const struct show_nfs4_entry *show_nfs4_index_find(const struct show_nfs4_index *x,
						   const void *owner, uint64_t id, size_t *count);

/* A client ID or verifier as 16 hexadecimal digits. */
void show_nfs4_hex(struct json *j, const char *key, struct slice bytes);
void show_nfs4_clientid(struct json *j, const char *key, uint64_t id);

#endif
