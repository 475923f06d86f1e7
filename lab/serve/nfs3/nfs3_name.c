// SPDX-License-Identifier: GPL-2.0-or-later
/* NFSv3, what works on names: RFC 1813 sections 3.3.3 and 3.3.8 to 3.3.15. */
#include "lab/serve/nfs3/nfs3.h"

/* A directory and a name in it, as most procedures have them. */
struct place {
	uint64_t dir;
	struct tree_attr before; /* of the directory; kind TREE_NONE: not found */
	struct slice name;
};

enum { DIR_CHANGE = TREE_MAY_WRITE | TREE_MAY_EXECUTE };

/* The directory, if the caller may do `what` in it. */
static uint32_t place_find(const struct program_call *c, const struct nfs3_diropargs3 *args,
			   uint32_t what, struct place *p)
{
	uint32_t status;

	*p = (struct place){.name = xdr_opaque_slice(args->name)};
	status = nfs3_find(c, &args->dir, &p->dir, &p->before);
	if (status == NFS3_OK && p->before.kind != TREE_DIR)
		status = NFS3ERR_NOTDIR;
	if (status == NFS3_OK && !nfs3_may(c, &p->before, what))
		status = NFS3ERR_ACCES;
	return status;
}

static struct nfs3_wcc_data place_wcc(const struct program_call *c, const struct place *p)
{
	return nfs3_wcc(c, p->dir, &p->before);
}

enum program_done nfs3_lookup(struct program_call *c)
{
	struct nfs3_LOOKUP3args args;
	struct nfs3_LOOKUP3res res = {0};
	uint8_t bytes[TREE_HANDLE_BYTES];
	struct place p;
	uint64_t fileid;

	nfs3_decode_LOOKUP3args(&c->args, &args);
	if (!program_args_ok(c))
		return PROGRAM_GARBAGE;
	res.status = place_find(c, &args.what, TREE_MAY_EXECUTE, &p);
	if (res.status == NFS3_OK)
		res.status = tree_lookup(c->tree, p.dir, p.name, &fileid);
	if (res.status == NFS3_OK) {
		res.resok.object = nfs3_handle(c, fileid, bytes);
		res.resok.obj_attributes = nfs3_post_attr(c, fileid);
		res.resok.dir_attributes = nfs3_post_attr(c, p.dir);
	} else {
		res.resfail.dir_attributes = nfs3_post_attr(c, p.dir);
	}
	nfs3_encode_LOOKUP3res(c->out, &res);
	return PROGRAM_DONE;
}

/* Attributes for a new node: what is not set is the caller's, or nothing. */
static void new_from(const struct program_call *c, const struct place *p,
		     const struct tree_set *set, struct tree_new *what)
{
	what->mode = set->what & TREE_SET_MODE ? set->mode : 0;
	what->uid = c->cred.uid == 0 && (set->what & TREE_SET_UID) ? set->uid : c->cred.uid;
	what->gid = set->what & TREE_SET_GID ? set->gid : c->cred.gid;
	/* A directory with the set-group-id bit hands its group down. */
	if (p->before.mode & 02000) {
		what->gid = p->before.gid;
		if (what->kind == TREE_DIR)
			what->mode |= 02000;
	}
}

static void encode_made(struct program_call *c, uint32_t status, const struct place *p,
			uint64_t fileid)
{
	struct nfs3_CREATE3res res = {.status = status};
	uint8_t bytes[TREE_HANDLE_BYTES];

	if (status == NFS3_OK) {
		res.resok.obj = nfs3_post_handle(c, fileid, bytes);
		res.resok.obj_attributes = nfs3_post_attr(c, fileid);
		res.resok.dir_wcc = place_wcc(c, p);
	} else {
		res.resfail.dir_wcc = place_wcc(c, p);
	}
	nfs3_encode_CREATE3res(c->out, &res);
}

/* All that makes a node but CREATE. */
static uint32_t make(struct program_call *c, const struct nfs3_diropargs3 *where,
		     const struct nfs3_sattr3 *attributes, struct tree_new *what, struct place *p,
		     uint64_t *fileid)
{
	uint32_t status = place_find(c, where, DIR_CHANGE, p);
	struct tree_set set;

	if (status != NFS3_OK)
		return status;
	nfs3_set(c, attributes, &set);
	new_from(c, p, &set, what);
	status = tree_make(c->tree, p->dir, p->name, what, c->wall_ns, fileid);
	set.what &= TREE_SET_ATIME | TREE_SET_MTIME;
	if (status == NFS3_OK && set.what)
		tree_setattr(c->tree, *fileid, &set, c->wall_ns);
	return status;
}

enum program_done nfs3_mkdir(struct program_call *c)
{
	struct nfs3_MKDIR3args args;
	struct tree_new what = {.kind = TREE_DIR};
	struct place p = {0};
	uint64_t fileid = 0;
	uint32_t status;

	nfs3_decode_MKDIR3args(&c->args, &args);
	if (!program_args_ok(c))
		return PROGRAM_GARBAGE;
	status = make(c, &args.where, &args.attributes, &what, &p, &fileid);
	encode_made(c, status, &p, fileid);
	return PROGRAM_DONE;
}

enum program_done nfs3_symlink(struct program_call *c)
{
	struct nfs3_SYMLINK3args args;
	struct tree_new what = {.kind = TREE_LINK};
	struct place p = {0};
	uint64_t fileid = 0;
	uint32_t status;

	nfs3_decode_SYMLINK3args(&c->args, &args);
	if (!program_args_ok(c))
		return PROGRAM_GARBAGE;
	what.target = xdr_opaque_slice(args.symlink.symlink_data);
	status = make(c, &args.where, &args.symlink.symlink_attributes, &what, &p, &fileid);
	encode_made(c, status, &p, fileid);
	return PROGRAM_DONE;
}

enum program_done nfs3_mknod(struct program_call *c)
{
	struct nfs3_MKNOD3args args;
	struct nfs3_sattr3 none = {0};
	const struct nfs3_sattr3 *attributes = &none;
	struct tree_new what = {0};
	struct place p = {0};
	uint64_t fileid = 0;
	uint32_t status;

	nfs3_decode_MKNOD3args(&c->args, &args);
	if (!program_args_ok(c))
		return PROGRAM_GARBAGE;
	switch (args.what.type) {
	case NF3BLK:
	case NF3CHR:
		what.major = args.what.device.spec.specdata1;
		what.minor = args.what.device.spec.specdata2;
		attributes = &args.what.device.dev_attributes;
		what.kind = (enum tree_kind)args.what.type;
		break;
	case NF3SOCK:
	case NF3FIFO:
		attributes = &args.what.pipe_attributes;
		what.kind = (enum tree_kind)args.what.type;
		break;
	default: /* tree_make answers BADTYPE */
		break;
	}
	status = make(c, &args.where, attributes, &what, &p, &fileid);
	encode_made(c, status, &p, fileid);
	return PROGRAM_DONE;
}

/* UNCHECKED creation of what is there: only the size is set. */
static uint32_t create_again(struct program_call *c, uint64_t fileid, struct tree_set *set)
{
	struct tree_attr attr;
	uint32_t status = tree_getattr(c->tree, fileid, &attr);

	if (status != NFS3_OK)
		return status;
	if (attr.kind != TREE_FILE)
		return NFS3ERR_EXIST;
	set->what &= TREE_SET_SIZE;
	if (!set->what)
		return NFS3_OK;
	if (c->cred.uid != attr.uid && !nfs3_may(c, &attr, TREE_MAY_WRITE))
		return NFS3ERR_ACCES;
	return tree_setattr(c->tree, fileid, set, c->wall_ns);
}

static uint32_t create(struct program_call *c, const struct nfs3_CREATE3args *args, struct place *p,
		       uint64_t *fileid)
{
	struct tree_new what = {.kind = TREE_FILE};
	uint32_t status = place_find(c, &args->where, TREE_MAY_EXECUTE, p);
	struct tree_set set = {0};

	if (status != NFS3_OK)
		return status;
	if (args->how.mode == EXCLUSIVE)
		what.verifier = args->how.verf;
	else
		nfs3_set(c, &args->how.obj_attributes, &set);
	new_from(c, p, &set, &what);
	if (!nfs3_may(c, &p->before, TREE_MAY_WRITE)) {
		/* What is there may still be opened so. */
		status = tree_lookup(c->tree, p->dir, p->name, fileid);
		if (status != NFS3_OK || args->how.mode != UNCHECKED)
			return NFS3ERR_ACCES;
		return create_again(c, *fileid, &set);
	}
	status = tree_make(c->tree, p->dir, p->name, &what, c->wall_ns, fileid);
	if (status == TREE_EXIST && args->how.mode == UNCHECKED)
		return create_again(c, *fileid, &set);
	set.what &= TREE_SET_SIZE | TREE_SET_ATIME | TREE_SET_MTIME;
	if (status == NFS3_OK && set.what)
		status = tree_setattr(c->tree, *fileid, &set, c->wall_ns);
	return status;
}

enum program_done nfs3_create(struct program_call *c)
{
	struct nfs3_CREATE3args args;
	struct place p = {0};
	uint64_t fileid = 0;
	uint32_t status;

	nfs3_decode_CREATE3args(&c->args, &args);
	if (!program_args_ok(c))
		return PROGRAM_GARBAGE;
	status = create(c, &args, &p, &fileid);
	encode_made(c, status, &p, fileid);
	return PROGRAM_DONE;
}

/* In a directory with the sticky bit only owners take names away. */
static uint32_t check_sticky(const struct program_call *c, const struct place *p)
{
	struct tree_attr attr;
	uint64_t fileid;

	if (!(p->before.mode & 01000) || c->cred.uid == 0 || c->cred.uid == p->before.uid)
		return NFS3_OK;
	if (tree_lookup(c->tree, p->dir, p->name, &fileid) != TREE_OK ||
	    tree_getattr(c->tree, fileid, &attr) != TREE_OK)
		return NFS3_OK; /* what is wrong is told later */
	return attr.uid == c->cred.uid ? NFS3_OK : NFS3ERR_PERM;
}

static enum program_done remove_name(struct program_call *c, enum tree_remove what)
{
	struct nfs3_REMOVE3args args;
	struct nfs3_REMOVE3res res = {0};
	struct place p = {0};

	nfs3_decode_REMOVE3args(&c->args, &args);
	if (!program_args_ok(c))
		return PROGRAM_GARBAGE;
	res.status = place_find(c, &args.object, DIR_CHANGE, &p);
	if (res.status == NFS3_OK)
		res.status = check_sticky(c, &p);
	if (res.status == NFS3_OK)
		res.status = tree_remove(c->tree, p.dir, p.name, what, c->wall_ns);
	res.resok.dir_wcc = place_wcc(c, &p);
	nfs3_encode_REMOVE3res(c->out, &res);
	return PROGRAM_DONE;
}

enum program_done nfs3_remove(struct program_call *c)
{
	return remove_name(c, TREE_REMOVE_FILE);
}

enum program_done nfs3_rmdir(struct program_call *c)
{
	return remove_name(c, TREE_REMOVE_DIR);
}

enum program_done nfs3_rename(struct program_call *c)
{
	struct nfs3_RENAME3args args;
	struct nfs3_RENAME3res res = {0};
	struct place from = {0}, to = {0};
	uint32_t to_status;

	nfs3_decode_RENAME3args(&c->args, &args);
	if (!program_args_ok(c))
		return PROGRAM_GARBAGE;
	res.status = place_find(c, &args.from, DIR_CHANGE, &from);
	to_status = place_find(c, &args.to, DIR_CHANGE, &to);
	if (res.status == NFS3_OK)
		res.status = to_status;
	if (res.status == NFS3_OK)
		res.status = check_sticky(c, &from);
	if (res.status == NFS3_OK)
		res.status = check_sticky(c, &to);
	if (res.status == NFS3_OK)
		res.status = tree_rename(c->tree, from.dir, from.name, to.dir, to.name, c->wall_ns);
	res.resok.fromdir_wcc = place_wcc(c, &from);
	res.resok.todir_wcc = place_wcc(c, &to);
	nfs3_encode_RENAME3res(c->out, &res);
	return PROGRAM_DONE;
}

enum program_done nfs3_link(struct program_call *c)
{
	struct nfs3_LINK3args args;
	struct nfs3_LINK3res res = {0};
	struct tree_attr attr;
	struct place p = {0};
	uint64_t fileid = 0;

	nfs3_decode_LINK3args(&c->args, &args);
	if (!program_args_ok(c))
		return PROGRAM_GARBAGE;
	res.status = place_find(c, &args.link, DIR_CHANGE, &p);
	if (res.status == NFS3_OK)
		res.status = nfs3_find(c, &args.file, &fileid, &attr);
	if (res.status == NFS3_OK)
		res.status = tree_link(c->tree, fileid, p.dir, p.name, c->wall_ns);
	res.resok.file_attributes = nfs3_post_attr(c, fileid);
	res.resok.linkdir_wcc = place_wcc(c, &p);
	nfs3_encode_LINK3res(c->out, &res);
	return PROGRAM_DONE;
}
