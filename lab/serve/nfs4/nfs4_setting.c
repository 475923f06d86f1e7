// SPDX-License-Identifier: GPL-2.0-or-later
/* See nfs4_attr.h: what a client wants set, from the wire to the tree; and whether it may. */
#include "lab/serve/nfs4/nfs4_attr.h"

enum { PERMISSION_BITS = 07777 };

/* A number as text, and nothing else: we have no names of users. */
static bool number_take(struct cursor *at, uint32_t *out)
{
	struct xdr_opaque text = cursor_opaque(at, XDR_ANY);
	uint64_t number = 0;

	if (text.len == 0 || text.have != text.len || text.len > 10)
		return false;
	for (uint32_t i = 0; i < text.len; i++) {
		if (text.ptr[i] < '0' || text.ptr[i] > '9')
			return false;
		number = number * 10 + (text.ptr[i] - '0');
	}
	if (number > UINT32_MAX)
		return false;
	*out = (uint32_t)number;
	return true;
}

static uint32_t time_take(const struct nfs4_run *run, struct cursor *at, int64_t *out)
{
	struct nfs4_settime4 value;

	nfs4_decode_settime4(at, &value);
	if (!cursor_ok(at))
		return NFS4ERR_BADXDR;
	if (value.set_it != SET_TO_CLIENT_TIME4) {
		*out = nfs4_wall_ns(run);
		return NFS4_OK;
	}
	if (value.time.nseconds >= NFS4_SECOND)
		return NFS4ERR_INVAL;
	/* Years 1678 to 2262, which 64 bits of nanoseconds have. */
	if (value.time.seconds > INT64_MAX / NFS4_SECOND - 1 ||
	    value.time.seconds < INT64_MIN / NFS4_SECOND + 1)
		return NFS4ERR_INVAL;
	*out = value.time.seconds * NFS4_SECOND + value.time.nseconds;
	return NFS4_OK;
}

/* One attribute. ATTRNOTSUPP, or INVAL for what can only be read. */
static uint32_t attribute_take(const struct nfs4_run *run, uint32_t number, struct cursor *at,
			       struct tree_set *set)
{
	uint32_t umask;

	switch (number) {
	case FATTR4_SIZE:
		set->what |= TREE_SET_SIZE;
		set->size = cursor_u64(at);
		return NFS4_OK;
	case FATTR4_MODE:
		set->what |= TREE_SET_MODE;
		set->mode = cursor_u32(at) & PERMISSION_BITS;
		return NFS4_OK;
	case FATTR4_MODE_UMASK:
		set->what |= TREE_SET_MODE;
		set->mode = cursor_u32(at) & PERMISSION_BITS;
		umask = cursor_u32(at);
		set->mode &= ~(umask & 0777);
		return run->minor >= 2 ? NFS4_OK : NFS4ERR_ATTRNOTSUPP;
	case FATTR4_OWNER:
		set->what |= TREE_SET_UID;
		return number_take(at, &set->uid) ? NFS4_OK : NFS4ERR_BADOWNER;
	case FATTR4_OWNER_GROUP:
		set->what |= TREE_SET_GID;
		return number_take(at, &set->gid) ? NFS4_OK : NFS4ERR_BADOWNER;
	case FATTR4_TIME_ACCESS_SET:
		set->what |= TREE_SET_ATIME;
		return time_take(run, at, &set->atime_ns);
	case FATTR4_TIME_MODIFY_SET:
		set->what |= TREE_SET_MTIME;
		return time_take(run, at, &set->mtime_ns);
	default:
		return NFS4ERR_ATTRNOTSUPP;
	}
}

uint32_t nfs4_setting_take(const struct nfs4_run *run, const struct nfs4_fattr4 *fattr,
			   struct nfs4_setting *out)
{
	struct xdr_attribute_walk walk;
	uint32_t status;

	memset(out, 0, sizeof(*out));
	nfs4_attr_walk(&walk, fattr);
	while (xdr_attribute_walk_next(&walk)) {
		struct cursor at = walk.at;

		status = attribute_take(run, walk.number, &at, &out->set);
		if (status != NFS4_OK)
			return status;
		if (!cursor_ok(&at))
			return NFS4ERR_BADXDR;
		xdr_bitmap_set(&out->done, walk.number);
	}
	if (walk.fault == CURSOR_VALUE)
		return NFS4ERR_ATTRNOTSUPP;
	return walk.fault == CURSOR_OK ? NFS4_OK : NFS4ERR_BADXDR;
}

uint32_t nfs4_setting_check(const struct nfs4_run *run, const struct tree_attr *attr,
			    const struct tree_set *set, bool by_open)
{
	uint32_t uid = run->call->cred.uid;
	bool is_owner = uid == 0 || uid == attr->uid;

	if ((set->what & TREE_SET_UID) && set->uid != attr->uid && uid != 0)
		return NFS4ERR_PERM;
	if ((set->what & (TREE_SET_MODE | TREE_SET_UID | TREE_SET_GID)) && !is_owner)
		return NFS4ERR_PERM;
	if ((set->what & (TREE_SET_ATIME | TREE_SET_MTIME)) && !is_owner &&
	    !nfs4_may(run, attr, TREE_MAY_WRITE))
		return NFS4ERR_ACCESS;
	if (!(set->what & TREE_SET_SIZE))
		return NFS4_OK;
	if (attr->kind == TREE_DIR)
		return NFS4ERR_ISDIR;
	if (attr->kind != TREE_FILE)
		return NFS4ERR_INVAL;
	return by_open || is_owner || nfs4_may(run, attr, TREE_MAY_WRITE) ? NFS4_OK
									  : NFS4ERR_ACCESS;
}
