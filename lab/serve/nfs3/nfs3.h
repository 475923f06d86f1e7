/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the NFSv3 server (RFC 1813) share; nobody else includes it. Where the RFC
 * leaves room it does what Linux nfsd does (fs/nfsd/vfs.c, nfs3proc.c).
 */
#ifndef LAB_SERVE_NFS3_H
#define LAB_SERVE_NFS3_H

#include "lab/serve/program.h"
#include "names/nfs3.h"
#include "proto/nfs3_xdr.h"

program_fn nfs3_getattr, nfs3_setattr, nfs3_access, nfs3_readlink, nfs3_read, nfs3_write,
	nfs3_commit;
program_fn nfs3_lookup, nfs3_create, nfs3_mkdir, nfs3_symlink, nfs3_mknod, nfs3_remove, nfs3_rmdir,
	nfs3_rename, nfs3_link;
program_fn nfs3_readdir, nfs3_readdirplus, nfs3_fsstat, nfs3_fsinfo, nfs3_pathconf;

/* The node of a handle with its attributes. Returns an nfsstat3. */
uint32_t nfs3_find(const struct program_call *c, const struct nfs3_nfs_fh3 *handle,
		   uint64_t *fileid, struct tree_attr *attr);

void nfs3_fattr(const struct tree_attr *attr, struct nfs3_fattr3 *out);

/* Attributes as they are now; none when the node is gone. fileid 0: none. */
struct nfs3_post_op_attr nfs3_post_attr(const struct program_call *c, uint64_t fileid);

/* Attributes before, from those that were taken then (kind TREE_NONE: none), and after. */
struct nfs3_wcc_data nfs3_wcc(const struct program_call *c, uint64_t fileid,
			      const struct tree_attr *before);

/* The handle in *bytes. */
struct nfs3_nfs_fh3 nfs3_handle(const struct program_call *c, uint64_t fileid,
				uint8_t bytes[TREE_HANDLE_BYTES]);

static inline struct nfs3_post_op_fh3 nfs3_post_handle(const struct program_call *c,
						       uint64_t fileid,
						       uint8_t bytes[TREE_HANDLE_BYTES])
{
	return (struct nfs3_post_op_fh3){.handle_follows = true,
					 .handle = nfs3_handle(c, fileid, bytes)};
}

/* What a client wants set. */
void nfs3_set(const struct program_call *c, const struct nfs3_sattr3 *in, struct tree_set *out);

static inline bool nfs3_may(const struct program_call *c, const struct tree_attr *attr,
			    uint32_t what)
{
	return tree_may(attr, &c->cred, what);
}

int64_t nfs3_time_ns(const struct nfs3_nfstime3 *t);

/* Bytes that one READ, WRITE or READDIR may have. */
static inline uint32_t nfs3_io_max(const struct program_call *c)
{
	return c->in->transport == RPC_OVER_UDP ? SERVER_UDP_IO_BYTES_MAX : SERVER_IO_BYTES_MAX;
}

#endif
