// SPDX-License-Identifier: GPL-2.0-or-later
/* GETATTR, SETATTR, VERIFY and NVERIFY: RFC 8881 sections 18.7, 18.30, 18.31, 18.15. */
#include "lab/serve/nfs4/nfs4_attr.h"
#include "lab/serve/nfs4/nfs4_deleg.h"
#include "lab/serve/nfs4/nfs4_stateid.h"

/* The values lie in the scratch; the mask is decoded from there again. */
static bool fattr_make(struct nfs4_run *run, const struct tree_attr *attr,
		       const struct xdr_bitmap *asked, struct nfs4_fattr4 *out)
{
	uint8_t *at = run->scratch.pos;
	struct cursor written;

	nfs4_attr_put(run, attr, asked, &run->scratch);
	if (!xdr_writer_ok(&run->scratch))
		return false;
	written = cursor_make(slice_make(at, (size_t)(run->scratch.pos - at)));
	nfs4_decode_fattr4(&written, out);
	return cursor_ok(&written);
}

uint32_t nfs4_op_getattr(struct nfs4_run *run, const struct nfs4_nfs_argop4 *arg,
			 struct nfs4_nfs_resop4 *res)
{
	const struct xdr_bitmap *asked = &arg->opgetattr.attr_request;
	struct tree_attr attr;
	uint32_t status = nfs4_current_attr(run, &attr);

	if (status != NFS4_OK)
		return status;
	/* Those that can only be set: nfsd4_getattr. */
	if (xdr_bitmap_has(asked, FATTR4_TIME_ACCESS_SET) ||
	    xdr_bitmap_has(asked, FATTR4_TIME_MODIFY_SET))
		return NFS4ERR_INVAL;
	return fattr_make(run, &attr, asked, &res->opgetattr.resok4.obj_attributes)
		       ? NFS4_OK
		       : NFS4ERR_RESOURCE;
}

uint32_t nfs4_change_check(struct nfs4_run *run, uint64_t fileid)
{
	return nfs4_delegs_conflict(run->server, run->client, fileid, true, run->now_ns)
		       ? NFS4ERR_DELAY
		       : NFS4_OK;
}

static uint32_t size_check(struct nfs4_run *run, const struct nfs4_stateid4 *stateid, bool *by_open)
{
	struct nfs4_state *state;
	uint32_t status = nfs4_stateid_check_io(run, stateid, true, &state);

	if (status == NFS4_OK)
		status = nfs4_change_check(run, run->current.fileid);
	*by_open = status == NFS4_OK && state != NULL;
	return status;
}

uint32_t nfs4_op_setattr(struct nfs4_run *run, const struct nfs4_nfs_argop4 *arg,
			 struct nfs4_nfs_resop4 *res)
{
	struct nfs4_setting setting;
	struct tree_attr attr;
	bool by_open = false;
	uint32_t status;

	status = nfs4_setting_take(run, &arg->opsetattr.obj_attributes, &setting);
	if (status == NFS4_OK)
		status = nfs4_current_attr(run, &attr);
	if (status == NFS4_OK && (setting.set.what & TREE_SET_SIZE) && attr.kind == TREE_FILE)
		status = size_check(run, &arg->opsetattr.stateid, &by_open);
	if (status == NFS4_OK)
		status = nfs4_setting_check(run, &attr, &setting.set, by_open);
	if (status == NFS4_OK)
		status = tree_setattr(nfs4_tree(run), run->current.fileid, &setting.set,
				      nfs4_wall_ns(run));
	if (status == NFS4_OK)
		res->opsetattr.attrsset = setting.done;
	return status;
}

/* NFS4_OK: all are as the client says; NOT_SAME; or an error. */
static uint32_t same_check(struct nfs4_run *run, const struct nfs4_fattr4 *theirs)
{
	struct nfs4_fattr4 ours;
	struct tree_attr attr;
	uint32_t status = nfs4_current_attr(run, &attr);

	if (status != NFS4_OK)
		return status;
	if (xdr_bitmap_has(&theirs->attrmask, FATTR4_RDATTR_ERROR) ||
	    xdr_bitmap_has(&theirs->attrmask, FATTR4_TIME_ACCESS_SET) ||
	    xdr_bitmap_has(&theirs->attrmask, FATTR4_TIME_MODIFY_SET))
		return NFS4ERR_INVAL;
	if (!fattr_make(run, &attr, &theirs->attrmask, &ours))
		return NFS4ERR_RESOURCE;
	for (uint32_t bit = 0; bit < 32 * XDR_BITMAP_WORDS; bit++) {
		if (xdr_bitmap_has(&theirs->attrmask, bit) && !xdr_bitmap_has(&ours.attrmask, bit))
			return NFS4ERR_ATTRNOTSUPP;
	}
	return slice_equal(xdr_opaque_slice(theirs->attr_vals), xdr_opaque_slice(ours.attr_vals))
		       ? NFS4_OK
		       : NFS4ERR_NOT_SAME;
}

uint32_t nfs4_op_verify(struct nfs4_run *run, const struct nfs4_nfs_argop4 *arg,
			struct nfs4_nfs_resop4 *res)
{
	(void)res;
	return same_check(run, &arg->opverify.obj_attributes);
}

uint32_t nfs4_op_nverify(struct nfs4_run *run, const struct nfs4_nfs_argop4 *arg,
			 struct nfs4_nfs_resop4 *res)
{
	uint32_t status = same_check(run, &arg->opnverify.obj_attributes);

	(void)res;
	if (status == NFS4_OK)
		return NFS4ERR_SAME;
	return status == NFS4ERR_NOT_SAME ? NFS4_OK : status;
}
