// SPDX-License-Identifier: GPL-2.0-or-later
/* READDIR: RFC 8881 section 18.23. */
#include "lab/serve/nfs4/nfs4_attr.h"

enum {
	HEAD_BYTES = 8 + 8 + 8,  /* number and status, verifier, end of list and of directory */
	ENTRY_BYTES = 4 + 8 + 4, /* marker, cookie, length of the name */
	LEAST_BYTES = 64,
};

struct page {
	struct xdr_writer *w;
	size_t max_bytes; /* of the whole result */
	size_t dir_bytes; /* of names and cookies; 0: the client does not mind */
	size_t dir_used;
	uint8_t *start;
	uint32_t count;
};

/* Adds an entry; false when there is no room for it, and nothing is left of it. */
static bool entry_put(struct nfs4_run *run, struct page *page, const struct tree_entry *entry,
		      const struct xdr_bitmap *asked)
{
	struct xdr_writer before = *page->w;
	size_t dir_bytes = ENTRY_BYTES + xdr_padded((uint32_t)entry->name.len);
	struct tree_attr attr;

	if (page->dir_bytes != 0 && page->count > 0 && page->dir_used + dir_bytes > page->dir_bytes)
		return false;
	xdr_put_bool(page->w, true);
	xdr_put_u64(page->w, entry->cookie);
	xdr_put_opaque(page->w, nfs4_opaque_bytes(entry->name), TREE_NAME_MAX);
	if (tree_getattr(nfs4_tree(run), entry->fileid, &attr) != TREE_OK)
		memset(&attr, 0, sizeof(attr));
	nfs4_attr_put(run, &attr, asked, page->w);
	if (!xdr_writer_ok(page->w) ||
	    (size_t)(page->w->pos - page->start) + HEAD_BYTES > page->max_bytes) {
		*page->w = before;
		return false;
	}
	page->dir_used += dir_bytes;
	page->count++;
	return true;
}

/* The first entry decides between an empty page at the end and one that is too small. */
static uint32_t page_fill(struct nfs4_run *run, struct page *page, struct tree_walk *walk,
			  const struct xdr_bitmap *asked, bool *eof)
{
	struct tree_entry entry;

	*eof = true;
	while (tree_walk_next(walk, &entry)) {
		if (entry_put(run, page, &entry, asked))
			continue;
		*eof = false;
		return page->count > 0 ? NFS4_OK : NFS4ERR_TOOSMALL;
	}
	return NFS4_OK;
}

static uint64_t verifier_value(const uint8_t verifier[8])
{
	uint64_t value = 0;

	for (int i = 0; i < 8; i++)
		value = value << 8 | verifier[i];
	return value;
}

static uint32_t readdir_check(struct nfs4_run *run, const struct nfs4_READDIR4args *args)
{
	struct tree_attr attr;
	uint32_t status = nfs4_current_dir(run, TREE_MAY_READ, &attr);

	if (status != NFS4_OK)
		return status;
	if (xdr_bitmap_has(&args->attr_request, FATTR4_TIME_ACCESS_SET) ||
	    xdr_bitmap_has(&args->attr_request, FATTR4_TIME_MODIFY_SET))
		return NFS4ERR_INVAL;
	/* 1 and 2 are never given: RFC 7530 section 16.24.4. */
	if (args->cookie == 1 || args->cookie == 2)
		return NFS4ERR_BAD_COOKIE;
	if (args->maxcount < LEAST_BYTES)
		return NFS4ERR_TOOSMALL;
	/* nfsd does not look at it, and libnfs sends none. */
	if (args->cookie != 0 && verifier_value(args->cookieverf) != 0 &&
	    verifier_value(args->cookieverf) != tree_cookie_verifier(nfs4_tree(run)))
		return NFS4ERR_NOT_SAME;
	return NFS4_OK;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

uint32_t nfs4_op_readdir(struct nfs4_run *run, const struct nfs4_nfs_argop4 *arg,
			 struct nfs4_nfs_resop4 *res)
{
	const struct nfs4_READDIR4args *args = &arg->opreaddir;
	struct nfs4_READDIR4resok *ok = &res->opreaddir.resok4;
	uint64_t verifier = tree_cookie_verifier(nfs4_tree(run));
	struct page page = {.w = &run->scratch, .start = run->scratch.pos};
	struct tree_walk walk;
	uint32_t status = readdir_check(run, args);

	if (status == NFS4_OK)
		status = tree_walk_begin(nfs4_tree(run), run->current.fileid,
					 args->cookie ? args->cookie : TREE_COOKIE_DOTS, &walk);
	if (status != NFS4_OK)
		return status;
	page.max_bytes = least(args->maxcount, run->server->config.max_io_bytes);
	page.max_bytes = least(page.max_bytes, run->room_bytes);
	page.dir_bytes = args->dircount;
	status = page_fill(run, &page, &walk, &args->attr_request, &ok->reply.eof);
	if (status != NFS4_OK)
		return status;
	for (int i = 0; i < 8; i++)
		ok->cookieverf[i] = (uint8_t)(verifier >> (56 - 8 * i));
	xdr_put_bool(page.w, false);
	ok->reply.entries = xdr_list_make(
		page.count, slice_make(page.start, (size_t)(page.w->pos - page.start)));
	return NFS4_OK;
}
