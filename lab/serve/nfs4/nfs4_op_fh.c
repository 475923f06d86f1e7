// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Filehandles and the names on the way to them: PUTFH, LOOKUP and what else moves; ACCESS and
 * SECINFO, which say who may. RFC 7530 section 16, RFC 8881 section 18.
 */
#include "lab/serve/nfs4/nfs4_place.h"

enum { AUTH_SYS_FLAVOR = 1, AUTH_NONE_FLAVOR = 0 };

void nfs4_place_set(struct nfs4_run *run, uint64_t fileid)
{
	run->current = (struct nfs4_place){.set = true, .fileid = fileid};
}

bool nfs4_may(const struct nfs4_run *run, const struct tree_attr *attr, uint32_t what)
{
	const struct nfs4_cred *cred = &run->call->cred;
	struct tree_cred who = {
		.uid = cred->uid,
		.gid = cred->gid,
		.gids_len = cred->group_count,
		.gids = cred->groups,
	};

	return tree_may(attr, &who, what);
}

uint32_t nfs4_current_attr(const struct nfs4_run *run, struct tree_attr *attr)
{
	return tree_getattr(nfs4_tree(run), run->current.fileid, attr);
}

uint32_t nfs4_current_dir(const struct nfs4_run *run, uint32_t what, struct tree_attr *attr)
{
	uint32_t status = nfs4_current_attr(run, attr);

	if (status != NFS4_OK)
		return status;
	if (attr->kind == TREE_LINK)
		return NFS4ERR_SYMLINK;
	if (attr->kind != TREE_DIR)
		return NFS4ERR_NOTDIR;
	return nfs4_may(run, attr, what) ? NFS4_OK : NFS4ERR_ACCESS;
}

uint32_t nfs4_current_file(const struct nfs4_run *run, struct tree_attr *attr)
{
	uint32_t status = nfs4_current_attr(run, attr);

	if (status != NFS4_OK)
		return status;
	if (attr->kind == TREE_DIR)
		return NFS4ERR_ISDIR;
	if (attr->kind == TREE_LINK)
		return NFS4ERR_SYMLINK;
	return attr->kind == TREE_FILE ? NFS4_OK : NFS4ERR_INVAL;
}

uint32_t nfs4_name_check(struct xdr_opaque name)
{
	if (name.len == 0)
		return NFS4ERR_INVAL;
	if (name.len > TREE_NAME_MAX)
		return NFS4ERR_NAMETOOLONG;
	if (memchr(name.ptr, '/', name.len) || memchr(name.ptr, '\0', name.len))
		return NFS4ERR_BADNAME;
	if (name.ptr[0] == '.' && (name.len == 1 || (name.len == 2 && name.ptr[1] == '.')))
		return NFS4ERR_BADNAME;
	return NFS4_OK;
}

struct nfs4_change_info4 nfs4_change_of(const struct nfs4_run *run, uint64_t dir, uint64_t before)
{
	struct tree_attr after = {.change = before};

	tree_getattr(nfs4_tree(run), dir, &after);
	return (struct nfs4_change_info4){.atomic = true, .before = before, .after = after.change};
}

uint32_t nfs4_op_putfh(struct nfs4_run *run, const struct nfs4_nfs_argop4 *arg,
		       struct nfs4_nfs_resop4 *res)
{
	uint64_t fileid;
	enum tree_status status =
		tree_handle_find(nfs4_tree(run), xdr_opaque_slice(arg->opputfh.object), &fileid);

	(void)res;
	if (status == TREE_OK)
		nfs4_place_set(run, fileid);
	return status;
}

uint32_t nfs4_op_putrootfh(struct nfs4_run *run, const struct nfs4_nfs_argop4 *arg,
			   struct nfs4_nfs_resop4 *res)
{
	(void)arg;
	(void)res;
	nfs4_place_set(run, tree_root(nfs4_tree(run)));
	return NFS4_OK;
}

uint32_t nfs4_op_getfh(struct nfs4_run *run, const struct nfs4_nfs_argop4 *arg,
		       struct nfs4_nfs_resop4 *res)
{
	uint8_t handle[TREE_HANDLE_BYTES];
	uint8_t *at = run->scratch.pos;

	(void)arg;
	tree_handle_make(nfs4_tree(run), run->current.fileid, handle);
	xdr_put_raw(&run->scratch, slice_make(handle, sizeof(handle)));
	res->opgetfh.resok4.object = nfs4_opaque_bytes(slice_make(at, sizeof(handle)));
	return NFS4_OK;
}

uint32_t nfs4_op_savefh(struct nfs4_run *run, const struct nfs4_nfs_argop4 *arg,
			struct nfs4_nfs_resop4 *res)
{
	(void)arg;
	(void)res;
	run->saved = run->current;
	return NFS4_OK;
}

uint32_t nfs4_op_restorefh(struct nfs4_run *run, const struct nfs4_nfs_argop4 *arg,
			   struct nfs4_nfs_resop4 *res)
{
	(void)arg;
	(void)res;
	if (!run->saved.set)
		return run->minor == 0 ? NFS4ERR_RESTOREFH : NFS4ERR_NOFILEHANDLE;
	run->current = run->saved;
	return NFS4_OK;
}

/* The node of that name in the current directory. */
static uint32_t name_find(struct nfs4_run *run, struct xdr_opaque name, uint64_t *fileid)
{
	struct tree_attr attr;
	uint32_t status = nfs4_current_dir(run, TREE_MAY_EXECUTE, &attr);

	if (status == NFS4_OK)
		status = nfs4_name_check(name);
	if (status == NFS4_OK)
		status = tree_lookup(nfs4_tree(run), run->current.fileid, xdr_opaque_slice(name),
				     fileid);
	return status;
}

uint32_t nfs4_op_lookup(struct nfs4_run *run, const struct nfs4_nfs_argop4 *arg,
			struct nfs4_nfs_resop4 *res)
{
	uint64_t fileid;
	uint32_t status = name_find(run, arg->oplookup.objname, &fileid);

	(void)res;
	if (status == NFS4_OK)
		nfs4_place_set(run, fileid);
	return status;
}

static uint32_t parent_find(struct nfs4_run *run, uint64_t *fileid)
{
	struct tree_attr attr;
	uint32_t status = nfs4_current_dir(run, TREE_MAY_EXECUTE, &attr);

	if (status != NFS4_OK)
		return status;
	if (run->current.fileid == tree_root(nfs4_tree(run)))
		return NFS4ERR_NOENT;
	return tree_parent(nfs4_tree(run), run->current.fileid, fileid);
}

uint32_t nfs4_op_lookupp(struct nfs4_run *run, const struct nfs4_nfs_argop4 *arg,
			 struct nfs4_nfs_resop4 *res)
{
	uint64_t fileid;
	uint32_t status = parent_find(run, &fileid);

	(void)arg;
	(void)res;
	if (status == NFS4_OK)
		nfs4_place_set(run, fileid);
	return status;
}

static const struct {
	uint32_t bit;
	uint32_t may; /* TREE_MAY_* */
	bool dirs;
	bool others;
} access_rows[] = {
	{ACCESS4_READ, TREE_MAY_READ, true, true},
	{ACCESS4_LOOKUP, TREE_MAY_EXECUTE, true, false},
	{ACCESS4_MODIFY, TREE_MAY_WRITE, true, true},
	{ACCESS4_EXTEND, TREE_MAY_WRITE, true, true},
	{ACCESS4_DELETE, TREE_MAY_WRITE, true, false},
	{ACCESS4_EXECUTE, TREE_MAY_EXECUTE, false, true},
};

uint32_t nfs4_op_access(struct nfs4_run *run, const struct nfs4_nfs_argop4 *arg,
			struct nfs4_nfs_resop4 *res)
{
	struct nfs4_ACCESS4resok *ok = &res->opaccess.resok4;
	struct tree_attr attr;
	uint32_t status = nfs4_current_attr(run, &attr);

	if (status != NFS4_OK)
		return status;
	for (size_t i = 0; i < sizeof(access_rows) / sizeof(access_rows[0]); i++) {
		bool applies = attr.kind == TREE_DIR ? access_rows[i].dirs : access_rows[i].others;

		if (!(arg->opaccess.access & access_rows[i].bit) || !applies)
			continue;
		ok->supported |= access_rows[i].bit;
		if (nfs4_may(run, &attr, access_rows[i].may))
			ok->access |= access_rows[i].bit;
	}
	return NFS4_OK;
}

/* AUTH_SYS and AUTH_NONE; behind SECINFO there is no current filehandle (RFC 8881 section 18.29).
 */
static void flavors_put(struct nfs4_run *run, struct nfs4_SECINFO4res *res)
{
	uint8_t *at = run->scratch.pos;

	xdr_put_u32(&run->scratch, AUTH_SYS_FLAVOR);
	xdr_put_u32(&run->scratch, AUTH_NONE_FLAVOR);
	res->resok4 = xdr_array_make(2, slice_make(at, 8));
	if (run->minor > 0)
		run->current.set = false;
}

uint32_t nfs4_op_secinfo(struct nfs4_run *run, const struct nfs4_nfs_argop4 *arg,
			 struct nfs4_nfs_resop4 *res)
{
	uint64_t fileid;
	uint32_t status = name_find(run, arg->opsecinfo.name, &fileid);

	if (status == NFS4_OK)
		flavors_put(run, &res->opsecinfo);
	return status;
}

uint32_t nfs4_op_secinfo_no_name(struct nfs4_run *run, const struct nfs4_nfs_argop4 *arg,
				 struct nfs4_nfs_resop4 *res)
{
	uint64_t fileid;
	uint32_t status = NFS4_OK;

	if (arg->opsecinfo_no_name == SECINFO_STYLE4_PARENT)
		status = parent_find(run, &fileid);
	if (status == NFS4_OK)
		flavors_put(run, &res->opsecinfo_no_name);
	return status;
}
