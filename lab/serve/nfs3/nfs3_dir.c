// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * NFSv3, what reads directories and the file system: RFC 1813 sections 3.3.16 to 3.3.20.
 *
 * Entries are written straight to the reply, one after the other, until the next one would not fit
 * in what the client has room for.
 */
#include "lab/serve/nfs3/nfs3.h"

enum {
	LIST_END_BYTES = 8, /* no further entry; end of the directory or not */
	ENTRY_FIXED_BYTES = 4 + 8 + 4 + 8,
	NAME_MAX_BYTES = TREE_NAME_MAX,
	TIME_DELTA_NS = 1,
	LISTING_PREFERRED = 64 << 10,
};

/* A listing under way. */
struct listing {
	struct tree_walk walk;
	uint64_t dir;
	uint32_t max_bytes; /* of the results, status not counted */
	bool plus;
};

static uint32_t listing_begin(struct program_call *c, const struct nfs3_nfs_fh3 *handle,
			      uint64_t cookie, const uint8_t verf[NFS3_COOKIEVERFSIZE],
			      struct listing *l)
{
	uint64_t verifier = tree_cookie_verifier(c->tree);
	struct tree_attr attr;
	uint32_t status = nfs3_find(c, handle, &l->dir, &attr);

	if (status != NFS3_OK)
		return status;
	if (attr.kind != TREE_DIR)
		return NFS3ERR_NOTDIR;
	if (!nfs3_may(c, &attr, TREE_MAY_READ))
		return NFS3ERR_ACCES;
	/* None is let pass: nfsd looks at no verifier. */
	if (cookie && memcmp(verf, &verifier, sizeof(verifier)) != 0 &&
	    memcmp(verf, &(uint64_t){0}, sizeof(verifier)) != 0)
		return NFS3ERR_BAD_COOKIE;
	return tree_walk_begin(c->tree, l->dir, cookie, &l->walk);
}

static void put_entry(struct program_call *c, const struct listing *l,
		      const struct tree_entry *entry)
{
	struct xdr_opaque name = program_opaque(entry->name);
	uint8_t bytes[TREE_HANDLE_BYTES];

	xdr_put_bool(c->out, true);
	xdr_put_u64(c->out, entry->fileid);
	xdr_put_opaque(c->out, name, NAME_MAX_BYTES);
	xdr_put_u64(c->out, entry->cookie);
	if (l->plus) {
		struct nfs3_post_op_attr attr = nfs3_post_attr(c, entry->fileid);
		struct nfs3_post_op_fh3 fh = nfs3_post_handle(c, entry->fileid, bytes);

		nfs3_encode_post_op_attr(c->out, &attr);
		nfs3_encode_post_op_fh3(c->out, &fh);
	}
}

/* Writes the results; false when not even one entry fits. */
static bool put_listing(struct program_call *c, struct listing *l)
{
	struct xdr_writer *w = c->out;
	struct nfs3_post_op_attr attr = nfs3_post_attr(c, l->dir);
	uint64_t verifier = tree_cookie_verifier(c->tree);
	struct tree_entry entry;
	const uint8_t *start;
	bool eof = true, any = false;

	xdr_put_u32(w, NFS3_OK);
	start = w->pos;
	nfs3_encode_post_op_attr(w, &attr);
	xdr_put_raw(w, slice_make(&verifier, sizeof(verifier)));
	while (tree_walk_next(&l->walk, &entry)) {
		uint8_t *before = w->pos;

		put_entry(c, l, &entry);
		if (!xdr_writer_ok(w) || (size_t)(w->pos - start) + LIST_END_BYTES > l->max_bytes) {
			w->pos = before;
			w->overflow = false;
			eof = false;
			break;
		}
		any = true;
	}
	xdr_put_bool(w, false);
	xdr_put_bool(w, eof);
	return any || eof;
}

static enum program_done list(struct program_call *c, uint32_t status, struct listing *l)
{
	struct nfs3_READDIR3res res = {.status = status};
	struct xdr_writer start = *c->out;

	if (status == NFS3_OK) {
		if (put_listing(c, l))
			return PROGRAM_DONE;
		*c->out = start;
		res.status = NFS3ERR_TOOSMALL;
	}
	res.resfail.dir_attributes = nfs3_post_attr(c, l->dir);
	nfs3_encode_READDIR3res(c->out, &res);
	return PROGRAM_DONE;
}

enum program_done nfs3_readdir(struct program_call *c)
{
	struct nfs3_READDIR3args args;
	struct listing l = {0};
	uint32_t status;

	nfs3_decode_READDIR3args(&c->args, &args);
	if (!program_args_ok(c))
		return PROGRAM_GARBAGE;
	l.max_bytes = args.count < nfs3_io_max(c) ? args.count : nfs3_io_max(c);
	status = listing_begin(c, &args.dir, args.cookie, args.cookieverf, &l);
	return list(c, status, &l);
}

/* dircount is not looked at, as nfsd does: maxcount bounds the reply. */
enum program_done nfs3_readdirplus(struct program_call *c)
{
	struct nfs3_READDIRPLUS3args args;
	struct listing l = {.plus = true};
	uint32_t status;

	nfs3_decode_READDIRPLUS3args(&c->args, &args);
	if (!program_args_ok(c))
		return PROGRAM_GARBAGE;
	l.max_bytes = args.maxcount < nfs3_io_max(c) ? args.maxcount : nfs3_io_max(c);
	status = listing_begin(c, &args.dir, args.cookie, args.cookieverf, &l);
	return list(c, status, &l);
}

enum program_done nfs3_fsstat(struct program_call *c)
{
	struct nfs3_FSSTAT3args args;
	struct nfs3_FSSTAT3res res = {0};
	struct tree_space space;
	struct tree_attr attr;
	uint64_t fileid = 0;

	nfs3_decode_FSSTAT3args(&c->args, &args);
	if (!program_args_ok(c))
		return PROGRAM_GARBAGE;
	res.status = nfs3_find(c, &args.fsroot, &fileid, &attr);
	if (res.status == NFS3_OK) {
		tree_space(c->tree, &space);
		res.resok = (struct nfs3_FSSTAT3resok){
			.obj_attributes = nfs3_post_attr(c, fileid),
			.tbytes = space.total_bytes,
			.fbytes = space.free_bytes,
			.abytes = space.free_bytes,
			.tfiles = space.total_nodes,
			.ffiles = space.free_nodes,
			.afiles = space.free_nodes,
		};
	}
	nfs3_encode_FSSTAT3res(c->out, &res);
	return PROGRAM_DONE;
}

enum program_done nfs3_fsinfo(struct program_call *c)
{
	struct nfs3_FSINFO3args args;
	struct nfs3_FSINFO3res res = {0};
	struct tree_attr attr;
	uint64_t fileid = 0;
	uint32_t io = nfs3_io_max(c);

	nfs3_decode_FSINFO3args(&c->args, &args);
	if (!program_args_ok(c))
		return PROGRAM_GARBAGE;
	res.status = nfs3_find(c, &args.fsroot, &fileid, &attr);
	if (res.status == NFS3_OK)
		res.resok = (struct nfs3_FSINFO3resok){
			.obj_attributes = nfs3_post_attr(c, fileid),
			.rtmax = io,
			.rtpref = io,
			.rtmult = 1,
			.wtmax = io,
			.wtpref = io,
			.wtmult = 1,
			.dtpref = io < LISTING_PREFERRED ? io : LISTING_PREFERRED,
			.maxfilesize = INT64_MAX,
			.time_delta = {.nseconds = TIME_DELTA_NS},
			.properties = FSF3_LINK | FSF3_SYMLINK | FSF3_HOMOGENEOUS | FSF3_CANSETTIME,
		};
	nfs3_encode_FSINFO3res(c->out, &res);
	return PROGRAM_DONE;
}

enum program_done nfs3_pathconf(struct program_call *c)
{
	struct nfs3_PATHCONF3args args;
	struct nfs3_PATHCONF3res res = {0};
	struct tree_attr attr;
	uint64_t fileid = 0;

	nfs3_decode_PATHCONF3args(&c->args, &args);
	if (!program_args_ok(c))
		return PROGRAM_GARBAGE;
	res.status = nfs3_find(c, &args.object, &fileid, &attr);
	if (res.status == NFS3_OK)
		res.resok = (struct nfs3_PATHCONF3resok){
			.obj_attributes = nfs3_post_attr(c, fileid),
			.linkmax = TREE_LINKS_MAX,
			.name_max = TREE_NAME_MAX,
			.no_trunc = true,
			.chown_restricted = true,
			.case_preserving = true,
		};
	nfs3_encode_PATHCONF3res(c->out, &res);
	return PROGRAM_DONE;
}
