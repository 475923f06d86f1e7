// SPDX-License-Identifier: GPL-2.0-or-later
/* NFSv3: the procedures, and what they have in common. See nfs3.h. */
#include "lab/serve/nfs3/nfs3.h"

#define NS_PER_S INT64_C(1000000000)

static program_fn *const procedures[] = {
	[NFSPROC3_GETATTR] = nfs3_getattr,
	[NFSPROC3_SETATTR] = nfs3_setattr,
	[NFSPROC3_LOOKUP] = nfs3_lookup,
	[NFSPROC3_ACCESS] = nfs3_access,
	[NFSPROC3_READLINK] = nfs3_readlink,
	[NFSPROC3_READ] = nfs3_read,
	[NFSPROC3_WRITE] = nfs3_write,
	[NFSPROC3_CREATE] = nfs3_create,
	[NFSPROC3_MKDIR] = nfs3_mkdir,
	[NFSPROC3_SYMLINK] = nfs3_symlink,
	[NFSPROC3_MKNOD] = nfs3_mknod,
	[NFSPROC3_REMOVE] = nfs3_remove,
	[NFSPROC3_RMDIR] = nfs3_rmdir,
	[NFSPROC3_RENAME] = nfs3_rename,
	[NFSPROC3_LINK] = nfs3_link,
	[NFSPROC3_READDIR] = nfs3_readdir,
	[NFSPROC3_READDIRPLUS] = nfs3_readdirplus,
	[NFSPROC3_FSSTAT] = nfs3_fsstat,
	[NFSPROC3_FSINFO] = nfs3_fsinfo,
	[NFSPROC3_PATHCONF] = nfs3_pathconf,
	[NFSPROC3_COMMIT] = nfs3_commit,
};

enum program_done nfs3_call(struct program_call *c)
{
	if (c->in->procedure == NFSPROC3_NULL)
		return PROGRAM_DONE;
	if (c->in->procedure >= sizeof(procedures) / sizeof(procedures[0]))
		return PROGRAM_NO_PROCEDURE;
	return procedures[c->in->procedure](c);
}

uint32_t nfs3_find(const struct program_call *c, const struct nfs3_nfs_fh3 *handle,
		   uint64_t *fileid, struct tree_attr *attr)
{
	uint64_t id;
	enum tree_status status = tree_handle_find(c->tree, xdr_opaque_slice(handle->data), &id);

	if (!status)
		status = tree_getattr(c->tree, id, attr);
	if (!status)
		*fileid = id;
	return status;
}

static struct nfs3_nfstime3 time_of(int64_t ns)
{
	if (ns < 0)
		ns = 0;
	return (struct nfs3_nfstime3){.seconds = (uint32_t)(ns / NS_PER_S),
				      .nseconds = (uint32_t)(ns % NS_PER_S)};
}

int64_t nfs3_time_ns(const struct nfs3_nfstime3 *t)
{
	return (int64_t)t->seconds * NS_PER_S + (t->nseconds < NS_PER_S ? t->nseconds : 0);
}

void nfs3_fattr(const struct tree_attr *attr, struct nfs3_fattr3 *out)
{
	*out = (struct nfs3_fattr3){
		.type = attr->kind,
		.mode = attr->mode,
		.nlink = attr->nlink,
		.uid = attr->uid,
		.gid = attr->gid,
		.size = attr->size,
		.used = attr->used,
		.rdev = {.specdata1 = attr->major, .specdata2 = attr->minor},
		.fsid = attr->fsid,
		.fileid = attr->fileid,
		.atime = time_of(attr->atime_ns),
		.mtime = time_of(attr->mtime_ns),
		.ctime = time_of(attr->ctime_ns),
	};
}

struct nfs3_post_op_attr nfs3_post_attr(const struct program_call *c, uint64_t fileid)
{
	struct nfs3_post_op_attr post = {0};
	struct tree_attr attr;

	if (fileid && tree_getattr(c->tree, fileid, &attr) == TREE_OK) {
		post.attributes_follow = true;
		nfs3_fattr(&attr, &post.attributes);
	}
	return post;
}

struct nfs3_wcc_data nfs3_wcc(const struct program_call *c, uint64_t fileid,
			      const struct tree_attr *before)
{
	struct nfs3_wcc_data wcc = {.after = nfs3_post_attr(c, fileid)};

	if (before->kind != TREE_NONE) {
		wcc.before.attributes_follow = true;
		wcc.before.attributes = (struct nfs3_wcc_attr){
			.size = before->size,
			.mtime = time_of(before->mtime_ns),
			.ctime = time_of(before->ctime_ns),
		};
	}
	return wcc;
}

struct nfs3_nfs_fh3 nfs3_handle(const struct program_call *c, uint64_t fileid,
				uint8_t bytes[TREE_HANDLE_BYTES])
{
	tree_handle_make(c->tree, fileid, bytes);
	return (struct nfs3_nfs_fh3){.data = program_opaque(slice_make(bytes, TREE_HANDLE_BYTES))};
}

void nfs3_set(const struct program_call *c, const struct nfs3_sattr3 *in, struct tree_set *out)
{
	*out = (struct tree_set){0};
	if (in->mode.set_it) {
		out->what |= TREE_SET_MODE;
		out->mode = in->mode.mode;
	}
	if (in->uid.set_it) {
		out->what |= TREE_SET_UID;
		out->uid = in->uid.uid;
	}
	if (in->gid.set_it) {
		out->what |= TREE_SET_GID;
		out->gid = in->gid.gid;
	}
	if (in->size.set_it) {
		out->what |= TREE_SET_SIZE;
		out->size = in->size.size;
	}
	if (in->atime.set_it != DONT_CHANGE) {
		out->what |= TREE_SET_ATIME;
		out->atime_ns = in->atime.set_it == SET_TO_CLIENT_TIME
					? nfs3_time_ns(&in->atime.atime)
					: c->wall_ns;
	}
	if (in->mtime.set_it != DONT_CHANGE) {
		out->what |= TREE_SET_MTIME;
		out->mtime_ns = in->mtime.set_it == SET_TO_CLIENT_TIME
					? nfs3_time_ns(&in->mtime.mtime)
					: c->wall_ns;
	}
}
