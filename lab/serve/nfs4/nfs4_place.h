/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the operations on files share: time, permission, names, directories that change. Private. */
#ifndef LAB_SERVE_NFS4_PLACE_H
#define LAB_SERVE_NFS4_PLACE_H

#include "lab/serve/nfs4/nfs4_ops.h"
#include "lab/serve/tree/tree.h"

static inline struct tree *nfs4_tree(const struct nfs4_run *run)
{
	return run->server->config.tree;
}

/* For the times of files. */
static inline int64_t nfs4_wall_ns(const struct nfs4_run *run)
{
	return run->now_ns + run->server->config.wall_offset_ns;
}

/* Makes it the current filehandle; its stateid is forgotten. */
void nfs4_place_set(struct nfs4_run *run, uint64_t fileid);

bool nfs4_may(const struct nfs4_run *run, const struct tree_attr *attr, uint32_t what);

/* Attributes of the current file; STALE when it is gone. */
uint32_t nfs4_current_attr(const struct nfs4_run *run, struct tree_attr *attr);

/* The current one has to be a directory (NOTDIR, SYMLINK) where the caller may do `what` (ACCESS).
 */
uint32_t nfs4_current_dir(const struct nfs4_run *run, uint32_t what, struct tree_attr *attr);

/* The current one has to be a file: ISDIR, SYMLINK, INVAL. */
uint32_t nfs4_current_file(const struct nfs4_run *run, struct tree_attr *attr);

/* INVAL, NAMETOOLONG, BADNAME. nfsd's check_filename. */
uint32_t nfs4_name_check(struct xdr_opaque name);

/* What a change did to a directory whose change attribute was `before`. */
struct nfs4_change_info4 nfs4_change_of(const struct nfs4_run *run, uint64_t dir, uint64_t before);

/*
 * Files without a client of 4.0 in sight: who holds a delegation on what is about to be changed?
 * DELAY until it is back.
 */
uint32_t nfs4_change_check(struct nfs4_run *run, uint64_t fileid);

#endif
