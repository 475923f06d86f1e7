// SPDX-License-Identifier: GPL-2.0-or-later
/* See nfs4_attr.h: from the tree to the client. One function an attribute, one row each. */
#include "lab/serve/nfs4/nfs4_attr.h"

#include <stdio.h>

/* What the functions of attributes know. */
struct attr_source {
	const struct nfs4_run *run;
	const struct tree_attr *attr;
	struct tree_space space;
};

typedef void attr_put_fn(const struct attr_source *source, struct xdr_writer *w);

static void supported_fill(const struct nfs4_run *run, struct xdr_bitmap *map);

static void put_true(const struct attr_source *source, struct xdr_writer *w)
{
	(void)source;
	xdr_put_bool(w, true);
}

static void put_false(const struct attr_source *source, struct xdr_writer *w)
{
	(void)source;
	xdr_put_bool(w, false);
}

/* FH4_PERSISTENT, no ACLs, NFS4_OK as rdattr_error, and other zeroes. */
static void put_zero(const struct attr_source *source, struct xdr_writer *w)
{
	(void)source;
	xdr_put_u32(w, 0);
}

static void put_supported_attrs(const struct attr_source *source, struct xdr_writer *w)
{
	struct xdr_bitmap map = {0};

	supported_fill(source->run, &map);
	xdr_put_bitmap(w, &map);
}

static void put_type(const struct attr_source *source, struct xdr_writer *w)
{
	xdr_put_u32(w, source->attr->kind);
}

static void put_change(const struct attr_source *source, struct xdr_writer *w)
{
	xdr_put_u64(w, source->attr->change);
}

static void put_size(const struct attr_source *source, struct xdr_writer *w)
{
	xdr_put_u64(w, source->attr->size);
}

static void put_fsid(const struct attr_source *source, struct xdr_writer *w)
{
	xdr_put_u64(w, source->attr->fsid);
	xdr_put_u64(w, 0);
}

static void put_lease_time(const struct attr_source *source, struct xdr_writer *w)
{
	xdr_put_u32(w, source->run->server->config.lease_seconds);
}

static void put_filehandle(const struct attr_source *source, struct xdr_writer *w)
{
	uint8_t handle[TREE_HANDLE_BYTES];

	tree_handle_make(nfs4_tree(source->run), source->attr->fileid, handle);
	xdr_put_opaque(w, nfs4_opaque_bytes(slice_make(handle, sizeof(handle))), NFS4_FHSIZE);
}

static void put_fileid(const struct attr_source *source, struct xdr_writer *w)
{
	xdr_put_u64(w, source->attr->fileid);
}

static void put_files_free(const struct attr_source *source, struct xdr_writer *w)
{
	xdr_put_u64(w, source->space.free_nodes);
}

static void put_files_total(const struct attr_source *source, struct xdr_writer *w)
{
	xdr_put_u64(w, source->space.total_nodes);
}

static void put_maxfilesize(const struct attr_source *source, struct xdr_writer *w)
{
	(void)source;
	xdr_put_u64(w, INT64_MAX);
}

static void put_maxlink(const struct attr_source *source, struct xdr_writer *w)
{
	(void)source;
	xdr_put_u32(w, TREE_LINKS_MAX);
}

static void put_maxname(const struct attr_source *source, struct xdr_writer *w)
{
	(void)source;
	xdr_put_u32(w, TREE_NAME_MAX);
}

static void put_max_io(const struct attr_source *source, struct xdr_writer *w)
{
	xdr_put_u64(w, source->run->server->config.max_io_bytes);
}

static void put_mode(const struct attr_source *source, struct xdr_writer *w)
{
	xdr_put_u32(w, source->attr->mode);
}

static void put_numlinks(const struct attr_source *source, struct xdr_writer *w)
{
	xdr_put_u32(w, source->attr->nlink);
}

/* Numbers as text: RFC 7530 section 5.9, and what nfsd does with AUTH_SYS. */
static void put_number_text(struct xdr_writer *w, uint32_t number)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", number);
	xdr_put_opaque(w, nfs4_opaque_text(text), XDR_ANY);
}

static void put_owner(const struct attr_source *source, struct xdr_writer *w)
{
	put_number_text(w, source->attr->uid);
}

static void put_owner_group(const struct attr_source *source, struct xdr_writer *w)
{
	put_number_text(w, source->attr->gid);
}

static void put_rawdev(const struct attr_source *source, struct xdr_writer *w)
{
	xdr_put_u32(w, source->attr->major);
	xdr_put_u32(w, source->attr->minor);
}

static void put_space_free(const struct attr_source *source, struct xdr_writer *w)
{
	xdr_put_u64(w, source->space.free_bytes);
}

static void put_space_total(const struct attr_source *source, struct xdr_writer *w)
{
	xdr_put_u64(w, source->space.total_bytes);
}

static void put_space_used(const struct attr_source *source, struct xdr_writer *w)
{
	xdr_put_u64(w, source->attr->used);
}

static void put_time(struct xdr_writer *w, int64_t ns)
{
	xdr_put_u64(w, (uint64_t)(ns / NFS4_SECOND));
	xdr_put_u32(w, (uint32_t)(ns % NFS4_SECOND));
}

static void put_time_access(const struct attr_source *source, struct xdr_writer *w)
{
	put_time(w, source->attr->atime_ns);
}

static void put_time_metadata(const struct attr_source *source, struct xdr_writer *w)
{
	put_time(w, source->attr->ctime_ns);
}

static void put_time_modify(const struct attr_source *source, struct xdr_writer *w)
{
	put_time(w, source->attr->mtime_ns);
}

static void put_time_delta(const struct attr_source *source, struct xdr_writer *w)
{
	(void)source;
	put_time(w, 1);
}

/*
 * What an exclusive OPEN may set: nfsd's NFSD_SUPPATTR_EXCLCREAT. Without mode_umask a client
 * of 4.2 sends a mode that nobody has masked.
 */
static void put_suppattr_exclcreat(const struct attr_source *source, struct xdr_writer *w)
{
	static const uint32_t bits[] = {FATTR4_SIZE, FATTR4_MODE, FATTR4_OWNER, FATTR4_OWNER_GROUP};
	struct xdr_bitmap map = {0};

	for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++)
		xdr_bitmap_set(&map, bits[i]);
	if (source->run->minor >= 2)
		xdr_bitmap_set(&map, FATTR4_MODE_UMASK);
	xdr_put_bitmap(w, &map);
}

/* The tree counts. */
static void put_change_attr_type(const struct attr_source *source, struct xdr_writer *w)
{
	(void)source;
	xdr_put_u32(w, NFS4_CHANGE_TYPE_IS_MONOTONIC_INCR);
}

static const struct attr_row {
	uint32_t number;
	uint32_t since_minor;
	attr_put_fn *put; /* NULL: can only be set */
} attr_rows[] = {
	{FATTR4_SUPPORTED_ATTRS, 0, put_supported_attrs},
	{FATTR4_TYPE, 0, put_type},
	{FATTR4_FH_EXPIRE_TYPE, 0, put_zero},
	{FATTR4_CHANGE, 0, put_change},
	{FATTR4_SIZE, 0, put_size},
	{FATTR4_LINK_SUPPORT, 0, put_true},
	{FATTR4_SYMLINK_SUPPORT, 0, put_true},
	{FATTR4_NAMED_ATTR, 0, put_false},
	{FATTR4_FSID, 0, put_fsid},
	{FATTR4_UNIQUE_HANDLES, 0, put_true},
	{FATTR4_LEASE_TIME, 0, put_lease_time},
	{FATTR4_RDATTR_ERROR, 0, put_zero},
	{FATTR4_ACLSUPPORT, 0, put_zero},
	{FATTR4_CANSETTIME, 0, put_true},
	{FATTR4_CASE_INSENSITIVE, 0, put_false},
	{FATTR4_CASE_PRESERVING, 0, put_true},
	{FATTR4_CHOWN_RESTRICTED, 0, put_true},
	{FATTR4_FILEHANDLE, 0, put_filehandle},
	{FATTR4_FILEID, 0, put_fileid},
	{FATTR4_FILES_AVAIL, 0, put_files_free},
	{FATTR4_FILES_FREE, 0, put_files_free},
	{FATTR4_FILES_TOTAL, 0, put_files_total},
	{FATTR4_HOMOGENEOUS, 0, put_true},
	{FATTR4_MAXFILESIZE, 0, put_maxfilesize},
	{FATTR4_MAXLINK, 0, put_maxlink},
	{FATTR4_MAXNAME, 0, put_maxname},
	{FATTR4_MAXREAD, 0, put_max_io},
	{FATTR4_MAXWRITE, 0, put_max_io},
	{FATTR4_MODE, 0, put_mode},
	{FATTR4_NO_TRUNC, 0, put_true},
	{FATTR4_NUMLINKS, 0, put_numlinks},
	{FATTR4_OWNER, 0, put_owner},
	{FATTR4_OWNER_GROUP, 0, put_owner_group},
	{FATTR4_RAWDEV, 0, put_rawdev},
	{FATTR4_SPACE_AVAIL, 0, put_space_free},
	{FATTR4_SPACE_FREE, 0, put_space_free},
	{FATTR4_SPACE_TOTAL, 0, put_space_total},
	{FATTR4_SPACE_USED, 0, put_space_used},
	{FATTR4_TIME_ACCESS, 0, put_time_access},
	{FATTR4_TIME_ACCESS_SET, 0, NULL},
	{FATTR4_TIME_DELTA, 0, put_time_delta},
	{FATTR4_TIME_METADATA, 0, put_time_metadata},
	{FATTR4_TIME_MODIFY, 0, put_time_modify},
	{FATTR4_TIME_MODIFY_SET, 0, NULL},
	{FATTR4_MOUNTED_ON_FILEID, 0, put_fileid},
	{FATTR4_SUPPATTR_EXCLCREAT, 1, put_suppattr_exclcreat},
	{FATTR4_CHANGE_ATTR_TYPE, 2, put_change_attr_type},
	{FATTR4_MODE_UMASK, 2, NULL},
	{FATTR4_XATTR_SUPPORT, 2, put_false},
};

enum { ATTR_ROWS = sizeof(attr_rows) / sizeof(attr_rows[0]) };

static void supported_fill(const struct nfs4_run *run, struct xdr_bitmap *map)
{
	for (size_t i = 0; i < ATTR_ROWS; i++) {
		if (attr_rows[i].since_minor <= run->minor)
			xdr_bitmap_set(map, attr_rows[i].number);
	}
}

static bool asks_for_space(const struct xdr_bitmap *asked)
{
	return xdr_bitmap_has(asked, FATTR4_FILES_AVAIL) ||
	       xdr_bitmap_has(asked, FATTR4_FILES_FREE) ||
	       xdr_bitmap_has(asked, FATTR4_FILES_TOTAL) ||
	       xdr_bitmap_has(asked, FATTR4_SPACE_AVAIL) ||
	       xdr_bitmap_has(asked, FATTR4_SPACE_FREE) ||
	       xdr_bitmap_has(asked, FATTR4_SPACE_TOTAL);
}

void nfs4_attr_put(const struct nfs4_run *run, const struct tree_attr *attr,
		   const struct xdr_bitmap *asked, struct xdr_writer *w)
{
	struct attr_source source = {.run = run, .attr = attr};
	const struct attr_row *given[ATTR_ROWS];
	struct xdr_bitmap map = {0};
	uint8_t *length_at;
	size_t count = 0;

	for (size_t i = 0; i < ATTR_ROWS; i++) {
		if (!attr_rows[i].put || attr_rows[i].since_minor > run->minor ||
		    !xdr_bitmap_has(asked, attr_rows[i].number))
			continue;
		xdr_bitmap_set(&map, attr_rows[i].number);
		given[count++] = &attr_rows[i];
	}
	if (asks_for_space(asked))
		tree_space(nfs4_tree(run), &source.space);
	xdr_put_bitmap(w, &map);
	length_at = w->pos;
	xdr_put_u32(w, 0);
	for (size_t i = 0; i < count; i++)
		given[i]->put(&source, w);
	if (xdr_writer_ok(w))
		nfs4_u32_set(length_at, (uint32_t)(w->pos - length_at) - 4);
}
