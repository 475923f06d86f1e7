// SPDX-License-Identifier: GPL-2.0-or-later
/* CREATE, LINK, REMOVE, RENAME, READLINK: RFC 8881 sections 18.4, 18.9, 18.25, 18.26, 18.24. */
#include "lab/serve/nfs4/nfs4_attr.h"
#include "lab/serve/nfs4/nfs4_lease.h"

enum {
	DIR_WRITE = TREE_MAY_WRITE | TREE_MAY_EXECUTE,
	DEFAULT_DIR_MODE = 0777,
	DEFAULT_MODE = 0666
};

/* What the type of a CREATE makes; BADTYPE for files, which OPEN makes. */
static uint32_t kind_take(const struct nfs4_createtype4 *type, struct tree_new *what)
{
	switch (type->type) {
	case NF4DIR:
		what->kind = TREE_DIR;
		return NFS4_OK;
	case NF4LNK:
		what->kind = TREE_LINK;
		what->target = xdr_opaque_slice(type->linkdata);
		if (type->linkdata.len == 0)
			return NFS4ERR_INVAL;
		return type->linkdata.len > TREE_TARGET_MAX ? NFS4ERR_NAMETOOLONG : NFS4_OK;
	case NF4BLK:
	case NF4CHR:
		what->kind = type->type == NF4BLK ? TREE_BLOCK : TREE_CHAR;
		what->major = type->devdata.specdata1;
		what->minor = type->devdata.specdata2;
		return NFS4_OK;
	case NF4SOCK:
		what->kind = TREE_SOCKET;
		return NFS4_OK;
	case NF4FIFO:
		what->kind = TREE_FIFO;
		return NFS4_OK;
	default:
		return NFS4ERR_BADTYPE;
	}
}

uint32_t nfs4_op_create(struct nfs4_run *run, const struct nfs4_nfs_argop4 *arg,
			struct nfs4_nfs_resop4 *res)
{
	const struct nfs4_CREATE4args *args = &arg->opcreate;
	uint64_t dir = run->current.fileid;
	struct nfs4_setting setting;
	struct tree_attr attr;
	struct tree_new what = {.uid = run->call->cred.uid, .gid = run->call->cred.gid};
	uint64_t fileid;
	uint32_t status = nfs4_name_check(args->objname);

	if (status == NFS4_OK)
		status = kind_take(&args->objtype, &what);
	if (status == NFS4_OK)
		status = nfs4_setting_take(run, &args->createattrs, &setting);
	if (status == NFS4_OK)
		status = nfs4_current_dir(run, DIR_WRITE, &attr);
	if (status != NFS4_OK)
		return status;
	what.mode = what.kind == TREE_DIR ? DEFAULT_DIR_MODE : DEFAULT_MODE;
	if (setting.set.what & TREE_SET_MODE)
		what.mode = setting.set.mode;
	if (what.kind == TREE_LINK) /* as Linux has them, whatever is asked for */
		what.mode = DEFAULT_DIR_MODE;
	status = tree_make(nfs4_tree(run), dir, xdr_opaque_slice(args->objname), &what,
			   nfs4_wall_ns(run), &fileid);
	if (status != NFS4_OK)
		return status;
	/* Of what is left only root may give a file away; the others' wish is not heard. */
	setting.set.what &= TREE_SET_UID | TREE_SET_GID | TREE_SET_ATIME | TREE_SET_MTIME;
	if (run->call->cred.uid != 0)
		setting.set.what &= TREE_SET_ATIME | TREE_SET_MTIME;
	if (setting.set.what != 0)
		tree_setattr(nfs4_tree(run), fileid, &setting.set, nfs4_wall_ns(run));
	nfs4_place_set(run, fileid);
	res->opcreate.resok4.cinfo = nfs4_change_of(run, dir, attr.change);
	res->opcreate.resok4.attrset = setting.done;
	return NFS4_OK;
}

uint32_t nfs4_op_link(struct nfs4_run *run, const struct nfs4_nfs_argop4 *arg,
		      struct nfs4_nfs_resop4 *res)
{
	struct tree_attr attr;
	uint32_t status = nfs4_name_check(arg->oplink.newname);

	if (status == NFS4_OK)
		status = nfs4_current_dir(run, DIR_WRITE, &attr);
	if (status == NFS4_OK)
		status = nfs4_change_check(run, run->saved.fileid);
	if (status == NFS4_OK)
		status = tree_link(nfs4_tree(run), run->saved.fileid, run->current.fileid,
				   xdr_opaque_slice(arg->oplink.newname), nfs4_wall_ns(run));
	if (status == NFS4_OK)
		res->oplink.resok4.cinfo = nfs4_change_of(run, run->current.fileid, attr.change);
	return status;
}

/* In a directory with the sticky bit only owners take names away. */
static uint32_t sticky_check(const struct nfs4_run *run, const struct tree_attr *dir,
			     uint64_t fileid)
{
	uint32_t uid = run->call->cred.uid;
	struct tree_attr attr;
	uint32_t status = tree_getattr(nfs4_tree(run), fileid, &attr);

	if (status != NFS4_OK)
		return status;
	return !(dir->mode & 01000) || uid == 0 || uid == dir->uid || uid == attr.uid
		       ? NFS4_OK
		       : NFS4ERR_ACCESS;
}

/* What has the name there, when it may be taken away. */
static uint32_t victim_find(struct nfs4_run *run, uint64_t dir, const struct tree_attr *attr,
			    struct xdr_opaque name, uint64_t *fileid)
{
	uint32_t status = tree_lookup(nfs4_tree(run), dir, xdr_opaque_slice(name), fileid);

	if (status == NFS4_OK)
		status = sticky_check(run, attr, *fileid);
	if (status == NFS4_OK)
		status = nfs4_change_check(run, *fileid);
	return status;
}

uint32_t nfs4_op_remove(struct nfs4_run *run, const struct nfs4_nfs_argop4 *arg,
			struct nfs4_nfs_resop4 *res)
{
	struct xdr_opaque name = arg->opremove.target;
	struct tree_attr attr;
	uint64_t fileid;
	uint32_t status;

	if (nfs4_in_grace(run->server, run->now_ns))
		return NFS4ERR_GRACE;
	status = nfs4_name_check(name);
	if (status == NFS4_OK)
		status = nfs4_current_dir(run, DIR_WRITE, &attr);
	if (status == NFS4_OK)
		status = victim_find(run, run->current.fileid, &attr, name, &fileid);
	if (status == NFS4_OK)
		status = tree_remove(nfs4_tree(run), run->current.fileid, xdr_opaque_slice(name),
				     TREE_REMOVE_ANY, nfs4_wall_ns(run));
	if (status == NFS4_OK)
		res->opremove.resok4.cinfo = nfs4_change_of(run, run->current.fileid, attr.change);
	return status;
}

static uint32_t rename_check(struct nfs4_run *run, const struct nfs4_RENAME4args *args,
			     struct tree_attr *from, struct tree_attr *to)
{
	struct nfs4_place target = run->current;
	uint64_t fileid;
	uint32_t status = nfs4_name_check(args->oldname);

	if (status == NFS4_OK)
		status = nfs4_name_check(args->newname);
	if (status == NFS4_OK)
		status = nfs4_current_dir(run, DIR_WRITE, to);
	if (status != NFS4_OK)
		return status;
	run->current = run->saved;
	status = nfs4_current_dir(run, DIR_WRITE, from);
	run->current = target;
	if (status == NFS4_OK)
		status = victim_find(run, run->saved.fileid, from, args->oldname, &fileid);
	if (status != NFS4_OK)
		return status;
	status = victim_find(run, target.fileid, to, args->newname, &fileid);
	return status == NFS4ERR_NOENT ? NFS4_OK : status;
}

uint32_t nfs4_op_rename(struct nfs4_run *run, const struct nfs4_nfs_argop4 *arg,
			struct nfs4_nfs_resop4 *res)
{
	const struct nfs4_RENAME4args *args = &arg->oprename;
	struct nfs4_RENAME4resok *ok = &res->oprename.resok4;
	struct tree_attr from;
	struct tree_attr to;
	uint32_t status;

	if (nfs4_in_grace(run->server, run->now_ns))
		return NFS4ERR_GRACE;
	status = rename_check(run, args, &from, &to);
	if (status == NFS4_OK)
		status = tree_rename(nfs4_tree(run), run->saved.fileid,
				     xdr_opaque_slice(args->oldname), run->current.fileid,
				     xdr_opaque_slice(args->newname), nfs4_wall_ns(run));
	/* NFSv4 has one word for a target of another kind: RFC 8881 section 18.26.4. */
	if (status == NFS4ERR_ISDIR || status == NFS4ERR_NOTDIR)
		return NFS4ERR_EXIST;
	if (status != NFS4_OK)
		return status;
	ok->source_cinfo = nfs4_change_of(run, run->saved.fileid, from.change);
	ok->target_cinfo = nfs4_change_of(run, run->current.fileid, to.change);
	return NFS4_OK;
}

uint32_t nfs4_op_readlink(struct nfs4_run *run, const struct nfs4_nfs_argop4 *arg,
			  struct nfs4_nfs_resop4 *res)
{
	struct slice target;
	struct tree_attr attr;
	uint32_t status = nfs4_current_attr(run, &attr);

	(void)arg;
	if (status == NFS4_OK && attr.kind != TREE_LINK)
		status = run->minor > 0 ? NFS4ERR_WRONG_TYPE : NFS4ERR_INVAL;
	if (status == NFS4_OK)
		status = tree_readlink(nfs4_tree(run), run->current.fileid, &target);
	if (status == NFS4_OK)
		res->opreadlink.resok4.link = nfs4_opaque_bytes(target);
	return status;
}
