// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Steps of a directory listing: READDIR and READDIRPLUS of NFSv3 (RFC 1813
 * sections 3.3.16, 3.3.17), READDIR of NFSv4 (RFC 8881 section 18.23). Of the entries only their
 * number, what their cookies tell and their handles are kept.
 */
#include "ingest/private.h"

#include "names/nfs3.h"
#include "names/nfs4.h"
#include "proto/nfs3_xdr.h"
#include "proto/nfs4_xdr.h"

static void count_entry(struct listing_told *t, uint64_t cookie, const struct cursor *at)
{
	if (!cursor_ok(at))
		return;
	if (t->entries == 0) {
		t->first_cookie = cookie;
		t->ascending = true;
		t->same_cookies = cookie != 0 && cookie == t->cookie;
	} else {
		t->ascending &= cookie > t->last_cookie;
		t->same_cookies += cookie != 0 && cookie == t->last_cookie;
	}
	t->entries++;
	t->last_cookie = cookie;
}

static void listing_args(struct pending_call *p, struct cursor *c)
{
	struct listing_told *t = &pending_told_of(p)->listing;

	t->plus = p->call.procedure == NFSPROC3_READDIRPLUS;
	ingest_keep_handle(&t->dir, cursor_opaque(c, NFS3_FHSIZE));
	t->cookie = cursor_u64(c);
	if (!cursor_ok(c))
		return;
	p->call.told_kind = RPC_TOLD_LISTING;
	p->call.told.listing = t;
}

static void entries_v3(struct pending_call *p, struct cursor *c)
{
	struct listing_told *t = &p->own.told->listing;
	struct nfs3_entryplus3 plus;
	struct nfs3_entry3 plain;

	while (cursor_bool(c)) {
		if (t->plus) {
			nfs3_decode_entryplus3(c, &plus);
			count_entry(t, plus.cookie, c);
			if (cursor_ok(c) && plus.name_handle.handle_follows)
				pending_keep_handle(p, plus.name_handle.handle.data);
		} else {
			nfs3_decode_entry3(c, &plain);
			count_entry(t, plain.cookie, c);
		}
	}
	t->eof = cursor_bool(c);
	t->whole = cursor_ok(c);
}

void ingest_told_listing(struct pending_call *p, struct cursor c, bool reply)
{
	struct nfs3_post_op_attr dir;

	if (!reply) {
		listing_args(p, &c);
		return;
	}
	if (p->call.told_kind != RPC_TOLD_LISTING || cursor_u32(&c) != NFS3_OK)
		return;
	p->own.told->listing.answered = true;
	nfs3_decode_post_op_attr(&c, &dir);
	if (cursor_ok(&c) && dir.attributes_follow) {
		p->call.has_change = true;
		p->call.change = (uint64_t)dir.attributes.mtime.seconds << 32 |
				 dir.attributes.mtime.nseconds;
	}
	cursor_skip(&c, NFS3_COOKIEVERFSIZE);
	entries_v3(p, &c);
}

void ingest_told_readdir4(struct pending_call *p, const struct file_handle *dir, struct cursor args)
{
	struct nfs4_READDIR4args asked;
	struct listing_told *t = &pending_told_of(p)->listing;

	nfs4_decode_READDIR4args(&args, &asked);
	if (!cursor_ok(&args))
		return;
	t->dir = *dir;
	t->cookie = asked.cookie;
	for (uint32_t i = 0; i < asked.attr_request.count && i < XDR_BITMAP_WORDS; i++)
		t->plus |= asked.attr_request.words[i] != 0;
	p->call.told_kind = RPC_TOLD_LISTING;
	p->call.told.listing = t;
}

void ingest_told_readdir4_reply(struct pending_call *p, struct cursor c)
{
	struct listing_told *t;
	struct nfs4_entry4 entry;
	struct cursor at;

	if (p->call.told_kind != RPC_TOLD_LISTING)
		return;
	t = &p->own.told->listing;
	t->answered = true;
	cursor_skip(&c, NFS4_VERIFIER_BYTES);
	while (cursor_bool(&c)) {
		nfs4_decode_entry4(&c, &entry);
		count_entry(t, entry.cookie, &c);
		if (cursor_ok(&c) && xdr_bitmap_has(&entry.attrs.attrmask, FATTR4_FILEHANDLE) &&
		    nfs4_attr_find(&entry.attrs, FATTR4_FILEHANDLE, &at))
			pending_keep_handle(p, cursor_opaque(&at, RPC_HANDLE_BYTES_MAX));
	}
	t->eof = cursor_bool(&c);
	t->whole = cursor_ok(&c);
}
