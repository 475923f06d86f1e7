/* SPDX-License-Identifier: GPL-2.0-or-later */
/* File attributes of NFSv4 to and from the tree's. Private to nfs4_*.c. RFC 8881 section 5. */
#ifndef LAB_SERVE_NFS4_ATTR_H
#define LAB_SERVE_NFS4_ATTR_H

#include "lab/serve/nfs4/nfs4_place.h"

/*
 * Writes mask and values (a fattr4) of what is asked for and supported. `rdattr_error` is what that
 * attribute says, in READDIR.
 */
void nfs4_attr_put(const struct nfs4_run *run, const struct tree_attr *attr,
		   const struct xdr_bitmap *asked, struct xdr_writer *w);

/* What the client wants set, from outside into the tree's terms. */
struct nfs4_setting {
	struct tree_set set;
	struct xdr_bitmap done; /* what was understood, for attrset */
};

/*
 * Fails with ATTRNOTSUPP, INVAL (can only be read), BADOWNER, BADXDR. Times of the server's are
 * filled in from the run.
 */
uint32_t nfs4_setting_take(const struct nfs4_run *run, const struct nfs4_fattr4 *fattr,
			   struct nfs4_setting *out);

/* May the caller set that of this file? PERM, ACCESS. `by_open`: size under a stateid for writing.
 */
uint32_t nfs4_setting_check(const struct nfs4_run *run, const struct tree_attr *attr,
			    const struct tree_set *set, bool by_open);

#endif
