// SPDX-License-Identifier: GPL-2.0-or-later
/* NFSv3, what works on one file: RFC 1813 sections 3.3.1, 2, 4 to 7 and 21. */
#include "lab/serve/nfs3/nfs3.h"

/* The owner may read and write whatever the mode says: he could open the file before. */
static bool may_as_owner(const struct program_call *c, const struct tree_attr *attr, uint32_t what)
{
	return c->cred.uid == attr->uid || nfs3_may(c, attr, what);
}

enum program_done nfs3_getattr(struct program_call *c)
{
	struct nfs3_GETATTR3args args;
	struct nfs3_GETATTR3res res = {0};
	struct tree_attr attr;
	uint64_t fileid;

	nfs3_decode_GETATTR3args(&c->args, &args);
	if (!program_args_ok(c))
		return PROGRAM_GARBAGE;
	res.status = nfs3_find(c, &args.object, &fileid, &attr);
	if (res.status == NFS3_OK)
		nfs3_fattr(&attr, &res.resok.obj_attributes);
	nfs3_encode_GETATTR3res(c->out, &res);
	return PROGRAM_DONE;
}

/* notify_change of the kernel: who may set what. */
static uint32_t check_set(const struct program_call *c, const struct tree_attr *attr,
			  const struct nfs3_sattr3 *wanted, const struct tree_set *set)
{
	bool is_owner = c->cred.uid == 0 || c->cred.uid == attr->uid;

	if ((set->what & TREE_SET_MODE) && !is_owner)
		return NFS3ERR_PERM;
	if ((set->what & TREE_SET_UID) && c->cred.uid != 0 && !(is_owner && set->uid == attr->uid))
		return NFS3ERR_PERM;
	if ((set->what & TREE_SET_GID) && !is_owner)
		return NFS3ERR_PERM;
	if ((set->what & TREE_SET_SIZE) && attr->kind == TREE_FILE &&
	    !may_as_owner(c, attr, TREE_MAY_WRITE))
		return NFS3ERR_ACCES;
	if (((set->what & TREE_SET_ATIME) && wanted->atime.set_it == SET_TO_CLIENT_TIME) ||
	    ((set->what & TREE_SET_MTIME) && wanted->mtime.set_it == SET_TO_CLIENT_TIME))
		return is_owner ? NFS3_OK : NFS3ERR_PERM;
	if ((set->what & (TREE_SET_ATIME | TREE_SET_MTIME)) &&
	    !may_as_owner(c, attr, TREE_MAY_WRITE))
		return NFS3ERR_ACCES;
	return NFS3_OK;
}

enum program_done nfs3_setattr(struct program_call *c)
{
	struct nfs3_SETATTR3args args;
	struct nfs3_SETATTR3res res = {0};
	struct tree_attr attr = {0};
	struct tree_set set;
	uint64_t fileid = 0;

	nfs3_decode_SETATTR3args(&c->args, &args);
	if (!program_args_ok(c))
		return PROGRAM_GARBAGE;
	nfs3_set(c, &args.new_attributes, &set);
	res.status = nfs3_find(c, &args.object, &fileid, &attr);
	if (res.status == NFS3_OK && args.guard.check &&
	    nfs3_time_ns(&args.guard.obj_ctime) != attr.ctime_ns)
		res.status = NFS3ERR_NOT_SYNC;
	if (res.status == NFS3_OK)
		res.status = check_set(c, &attr, &args.new_attributes, &set);
	if (res.status == NFS3_OK)
		res.status = tree_setattr(c->tree, fileid, &set, c->wall_ns);
	res.resok.obj_wcc = nfs3_wcc(c, fileid, &attr);
	nfs3_encode_SETATTR3res(c->out, &res);
	return PROGRAM_DONE;
}

enum program_done nfs3_access(struct program_call *c)
{
	enum { CHANGE = ACCESS3_MODIFY | ACCESS3_EXTEND };
	struct nfs3_ACCESS3args args;
	struct nfs3_ACCESS3res res = {0};
	struct tree_attr attr;
	uint64_t fileid = 0;
	uint32_t may = 0;

	nfs3_decode_ACCESS3args(&c->args, &args);
	if (!program_args_ok(c))
		return PROGRAM_GARBAGE;
	res.status = nfs3_find(c, &args.object, &fileid, &attr);
	if (res.status != NFS3_OK) {
		nfs3_encode_ACCESS3res(c->out, &res);
		return PROGRAM_DONE;
	}
	if (nfs3_may(c, &attr, TREE_MAY_READ))
		may |= ACCESS3_READ;
	if (nfs3_may(c, &attr, TREE_MAY_EXECUTE))
		may |= attr.kind == TREE_DIR ? ACCESS3_LOOKUP : ACCESS3_EXECUTE;
	if (nfs3_may(c, &attr, TREE_MAY_WRITE))
		may |= CHANGE;
	if (attr.kind == TREE_DIR && nfs3_may(c, &attr, TREE_MAY_WRITE | TREE_MAY_EXECUTE))
		may |= ACCESS3_DELETE;
	res.resok.access = may & args.access;
	res.resok.obj_attributes = nfs3_post_attr(c, fileid);
	nfs3_encode_ACCESS3res(c->out, &res);
	return PROGRAM_DONE;
}

enum program_done nfs3_readlink(struct program_call *c)
{
	struct nfs3_READLINK3args args;
	struct nfs3_READLINK3res res = {0};
	struct tree_attr attr;
	struct slice target = {0};
	uint64_t fileid = 0;

	nfs3_decode_READLINK3args(&c->args, &args);
	if (!program_args_ok(c))
		return PROGRAM_GARBAGE;
	res.status = nfs3_find(c, &args.symlink, &fileid, &attr);
	if (res.status == NFS3_OK)
		res.status = tree_readlink(c->tree, fileid, &target);
	if (res.status == NFS3_OK) {
		res.resok.symlink_attributes = nfs3_post_attr(c, fileid);
		res.resok.data = program_opaque(target);
	} else {
		res.resfail.symlink_attributes = nfs3_post_attr(c, fileid);
	}
	nfs3_encode_READLINK3res(c->out, &res);
	return PROGRAM_DONE;
}

/* The data is read straight to where it goes out. */
static enum program_done put_data(struct program_call *c, uint64_t fileid,
				  const struct tree_attr *attr, uint64_t offset, uint32_t count)
{
	struct xdr_writer *w = c->out;
	struct nfs3_post_op_attr post = nfs3_post_attr(c, fileid);
	uint64_t left = offset < attr->size ? attr->size - offset : 0;
	uint32_t len = left < count ? (uint32_t)left : count;
	uint32_t got = 0;
	bool eof;

	xdr_put_u32(w, NFS3_OK);
	nfs3_encode_post_op_attr(w, &post);
	xdr_put_u32(w, len);
	xdr_put_bool(w, len == left);
	xdr_put_u32(w, len);
	if (!xdr_writer_ok(w) || xdr_padded(len) > (size_t)(w->end - w->pos)) {
		w->overflow = true;
		return PROGRAM_DONE;
	}
	if (tree_read(c->tree, fileid, offset, len, w->pos, &got, &eof) != TREE_OK || got != len)
		w->invalid = true;
	memset(w->pos + len, 0, xdr_padded(len) - len);
	w->pos += xdr_padded(len);
	return PROGRAM_DONE;
}

enum program_done nfs3_read(struct program_call *c)
{
	struct nfs3_READ3args args;
	struct nfs3_READ3res res = {0};
	struct tree_attr attr = {0};
	uint64_t fileid = 0;

	nfs3_decode_READ3args(&c->args, &args);
	if (!program_args_ok(c))
		return PROGRAM_GARBAGE;
	res.status = nfs3_find(c, &args.file, &fileid, &attr);
	if (res.status == NFS3_OK && attr.kind != TREE_FILE)
		res.status = attr.kind == TREE_DIR ? NFS3ERR_ISDIR : NFS3ERR_INVAL;
	/* A program that may be executed may be read. */
	if (res.status == NFS3_OK && !may_as_owner(c, &attr, TREE_MAY_READ) &&
	    !nfs3_may(c, &attr, TREE_MAY_EXECUTE))
		res.status = NFS3ERR_ACCES;
	if (res.status == NFS3_OK)
		return put_data(c, fileid, &attr, args.offset,
				args.count < nfs3_io_max(c) ? args.count : nfs3_io_max(c));
	res.resfail.file_attributes = nfs3_post_attr(c, fileid);
	nfs3_encode_READ3res(c->out, &res);
	return PROGRAM_DONE;
}

static void put_verifier(const struct program_call *c, uint8_t verf[NFS3_WRITEVERFSIZE])
{
	memcpy(verf, &c->server->write_verifier, NFS3_WRITEVERFSIZE);
}

enum program_done nfs3_write(struct program_call *c)
{
	struct nfs3_WRITE3args args;
	struct nfs3_WRITE3res res = {0};
	struct tree_attr attr = {0};
	uint64_t fileid = 0;

	nfs3_decode_WRITE3args(&c->args, &args);
	if (!program_args_ok(c) || args.data.have != args.data.len)
		return PROGRAM_GARBAGE;
	res.status = nfs3_find(c, &args.file, &fileid, &attr);
	if (res.status == NFS3_OK && attr.kind != TREE_FILE)
		res.status = attr.kind == TREE_DIR ? NFS3ERR_ISDIR : NFS3ERR_INVAL;
	if (res.status == NFS3_OK && !may_as_owner(c, &attr, TREE_MAY_WRITE))
		res.status = NFS3ERR_ACCES;
	if (res.status == NFS3_OK && (args.count > args.data.len || args.stable > FILE_SYNC))
		res.status = NFS3ERR_INVAL;
	if (res.status == NFS3_OK)
		res.status = tree_write(c->tree, fileid, args.offset,
					slice_make(args.data.ptr, args.count), c->wall_ns);
	if (res.status == NFS3_OK) {
		res.resok.file_wcc = nfs3_wcc(c, fileid, &attr);
		res.resok.count = args.count;
		res.resok.committed = args.stable;
		put_verifier(c, res.resok.verf);
	} else {
		res.resfail.file_wcc = nfs3_wcc(c, fileid, &attr);
	}
	nfs3_encode_WRITE3res(c->out, &res);
	return PROGRAM_DONE;
}

enum program_done nfs3_commit(struct program_call *c)
{
	struct nfs3_COMMIT3args args;
	struct nfs3_COMMIT3res res = {0};
	struct tree_attr attr = {0};
	uint64_t fileid = 0;

	nfs3_decode_COMMIT3args(&c->args, &args);
	if (!program_args_ok(c))
		return PROGRAM_GARBAGE;
	res.status = nfs3_find(c, &args.file, &fileid, &attr);
	if (res.status == NFS3_OK && attr.kind != TREE_FILE)
		res.status = NFS3ERR_INVAL;
	if (res.status == NFS3_OK) {
		res.resok.file_wcc = nfs3_wcc(c, fileid, &attr);
		put_verifier(c, res.resok.verf);
	} else {
		res.resfail.file_wcc = nfs3_wcc(c, fileid, &attr);
	}
	nfs3_encode_COMMIT3res(c->out, &res);
	return PROGRAM_DONE;
}
