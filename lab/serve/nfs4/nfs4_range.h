/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Byte ranges that are locked, with POSIX rules as nfsd has them. Private to nfs4_*.c. */
#ifndef LAB_SERVE_NFS4_RANGE_H
#define LAB_SERVE_NFS4_RANGE_H

#include "lab/serve/nfs4/nfs4_state.h"

/* A range as operations say it; `end` included, UINT64_MAX is the end of the file. */
struct nfs4_span {
	uint64_t start;
	uint64_t end;
	bool exclusive;
};

/* From offset and length; false: INVAL (nfsd's check_lock_length). */
bool nfs4_span_make(uint64_t offset, uint64_t length, bool exclusive, struct nfs4_span *out);

/* The first range of another owner (NULL: of anybody) that stands against it; NULL: none. */
struct nfs4_range *nfs4_range_conflict(const struct nfs4_file *file, const struct nfs4_span *span,
				       const struct nfs4_owner *owner);

/* Locks: what the state has there is replaced. False where the table is full; nothing changed. */
bool nfs4_range_lock(struct nfs4_server *server, struct nfs4_state *state,
		     const struct nfs4_span *span);

/* Unlocks. False where a split has no room; nothing changed. */
bool nfs4_range_unlock(struct nfs4_server *server, struct nfs4_state *state,
		       const struct nfs4_span *span);

#endif
