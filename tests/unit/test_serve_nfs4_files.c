// SPDX-License-Identifier: GPL-2.0-or-later
/* What the lab's NFSv4 server does with files and directories: names, attributes, pages, content.
 */
#include "check.h"
#include "nfs4_talk.h"

enum { BOTH = OPEN4_SHARE_ACCESS_BOTH };

static void bits_set(struct xdr_bitmap *map, const uint32_t *bits, size_t count)
{
	for (size_t i = 0; i < count; i++)
		xdr_bitmap_set(map, bits[i]);
}

static void getattr_add(struct talk *t, const uint32_t *bits, size_t count)
{
	struct nfs4_nfs_argop4 op = {.argop = OP_GETATTR};

	bits_set(&op.opgetattr.attr_request, bits, count);
	talk_add(t, &op);
}

/* One attribute of the last GETATTR, as a number of so many bytes. */
static uint64_t attr_of(const struct talk *t, uint32_t number)
{
	const struct nfs4_nfs_resop4 *res = &t->results[t->result_count - 1];
	struct cursor at;

	if (!CHECK(nfs4_attr_find(&res->opgetattr.resok4.obj_attributes, number, &at)))
		return UINT64_MAX;
	return cursor_left(&at) >= 8 && number != FATTR4_MODE && number != FATTR4_NUMLINKS &&
			       number != FATTR4_TYPE
		       ? cursor_u64(&at)
		       : cursor_u32(&at);
}

static void mode_set(struct nfs4_fattr4 *fattr, const uint8_t mode[4])
{
	xdr_bitmap_set(&fattr->attrmask, FATTR4_MODE);
	fattr->attr_vals = (struct xdr_opaque){.ptr = mode, .len = 4, .have = 4};
}

static void create_add(struct talk *t, uint32_t type, const char *name, const char *target)
{
	static const uint8_t mode[4] = {0, 0, 1, 0xed};
	struct nfs4_nfs_argop4 op = {.argop = OP_CREATE};

	op.opcreate.objtype.type = type;
	if (type == NF4LNK)
		op.opcreate.objtype.linkdata = talk_text(target);
	op.opcreate.objname = talk_text(name);
	mode_set(&op.opcreate.createattrs, mode);
	talk_add(t, &op);
}

static void remove_add(struct talk *t, const char *name)
{
	struct nfs4_nfs_argop4 op = {.argop = OP_REMOVE};

	op.opremove.target = talk_text(name);
	talk_add(t, &op);
}

static uint32_t rename_run(struct talk *t, struct talk_session *session, const char *from,
			   const char *to)
{
	struct nfs4_nfs_argop4 op = {.argop = OP_RENAME};

	op.oprename.oldname = talk_text(from);
	op.oprename.newname = talk_text(to);
	talk_sequence(t, session, true);
	talk_op(t, OP_PUTROOTFH);
	talk_op(t, OP_SAVEFH);
	talk_add(t, &op);
	return talk_run(t);
}

TEST(directories_links_and_names)
{
	struct talk *t = talk_create(NULL);
	struct talk_session session = talk_client(t, "a", 'v');
	static const uint32_t bits[] = {FATTR4_TYPE, FATTR4_NUMLINKS, FATTR4_MODE};
	struct nfs4_nfs_argop4 link = {.argop = OP_LINK};

	talk_sequence(t, &session, true);
	talk_op(t, OP_PUTROOTFH);
	create_add(t, NF4DIR, "d", NULL);
	getattr_add(t, bits, 3);
	CHECK_EQ_U64(talk_run(t), NFS4_OK);
	CHECK_EQ_U64(attr_of(t, FATTR4_TYPE), NF4DIR);
	CHECK_EQ_U64(attr_of(t, FATTR4_MODE), 0755);
	CHECK(t->results[2].opcreate.resok4.cinfo.after >
	      t->results[2].opcreate.resok4.cinfo.before);
	talk_sequence(t, &session, true);
	talk_op(t, OP_PUTROOTFH);
	create_add(t, NF4DIR, "d", NULL);
	CHECK_EQ_U64(talk_run(t), NFS4ERR_EXIST);
	talk_sequence(t, &session, true);
	talk_op(t, OP_PUTROOTFH);
	create_add(t, NF4LNK, "l", "d/f");
	talk_op(t, OP_READLINK);
	CHECK_EQ_U64(talk_run(t), NFS4_OK);
	CHECK_BYTES(t->results[3].opreadlink.resok4.link.ptr, 3, "d/f", 3);
	talk_opened(t, &session, "o", "f", BOTH);
	link.oplink.newname = talk_text("g");
	talk_sequence(t, &session, true);
	talk_op(t, OP_PUTROOTFH);
	talk_lookup(t, "f");
	talk_op(t, OP_SAVEFH);
	talk_op(t, OP_PUTROOTFH);
	talk_add(t, &link);
	talk_op(t, OP_RESTOREFH);
	getattr_add(t, bits, 3);
	CHECK_EQ_U64(talk_run(t), NFS4_OK);
	CHECK_EQ_U64(attr_of(t, FATTR4_NUMLINKS), 2);
	CHECK_EQ_U64(rename_run(t, &session, "g", "h"), NFS4_OK);
	CHECK_EQ_U64(rename_run(t, &session, "g", "h"), NFS4ERR_NOENT);
	CHECK_EQ_U64(rename_run(t, &session, "h", "d"), NFS4ERR_EXIST);
	CHECK_EQ_U64(rename_run(t, &session, "h", ".."), NFS4ERR_BADNAME);
	CHECK_EQ_U64(rename_run(t, &session, "h", "a/b"), NFS4ERR_BADNAME);
	CHECK_EQ_U64(rename_run(t, &session, "h", ""), NFS4ERR_INVAL);
	talk_sequence(t, &session, true);
	talk_op(t, OP_PUTROOTFH);
	remove_add(t, "d");
	remove_add(t, "l");
	remove_add(t, "nothing");
	CHECK_EQ_U64(talk_run(t), NFS4ERR_NOENT);
	CHECK_EQ_U64(t->result_count, 5);
	talk_destroy(t);
}

TEST(removed_while_open)
{
	struct talk *t = talk_create(NULL);
	struct talk_session session = talk_client(t, "a", 'v');
	struct nfs4_stateid4 open = talk_opened(t, &session, "o", "f", BOTH);
	struct nfs4_nfs_argop4 op = {.argop = OP_PUTFH};
	uint8_t handle[TREE_HANDLE_BYTES];
	uint64_t fileid;

	CHECK(tree_lookup(t->tree, tree_root(t->tree), slice_of_string("f"), &fileid) == TREE_OK);
	tree_handle_make(t->tree, fileid, handle);
	op.opputfh.object = (struct xdr_opaque){
		.ptr = handle, .len = TREE_HANDLE_BYTES, .have = TREE_HANDLE_BYTES};
	talk_sequence(t, &session, true);
	talk_op(t, OP_PUTROOTFH);
	remove_add(t, "f");
	talk_add(t, &op);
	talk_write(t, open, 0, "still there");
	talk_close(t, 0, open);
	CHECK_EQ_U64(talk_run(t), NFS4_OK);
	talk_sequence(t, &session, true);
	talk_add(t, &op);
	CHECK_EQ_U64(talk_run(t), NFS4ERR_STALE);
	talk_destroy(t);
}

/* Reads one page behind the cookie; counts the entries, and returns the last cookie. */
static uint64_t page_read(struct talk *t, struct talk_session *session, uint64_t cookie,
			  uint32_t maxcount, uint64_t *entries, bool *eof)
{
	static const uint32_t bits[] = {FATTR4_TYPE, FATTR4_FILEID, FATTR4_RDATTR_ERROR};
	struct nfs4_nfs_argop4 op = {.argop = OP_READDIR};
	struct nfs4_READDIR4resok *ok;
	struct cursor at;
	struct nfs4_entry4 entry;
	uint64_t verifier = tree_cookie_verifier(t->tree);

	op.opreaddir.cookie = cookie;
	op.opreaddir.maxcount = maxcount;
	for (int i = 0; cookie != 0 && i < 8; i++)
		op.opreaddir.cookieverf[i] = (uint8_t)(verifier >> (56 - 8 * i));
	bits_set(&op.opreaddir.attr_request, bits, 3);
	talk_sequence(t, session, false);
	talk_op(t, OP_PUTROOTFH);
	talk_lookup(t, "many");
	talk_add(t, &op);
	if (talk_run(t) != NFS4_OK)
		return 0;
	ok = &t->results[3].opreaddir.resok4;
	CHECK(ok->reply.entries.count > 0 || ok->reply.eof);
	at = ok->reply.entries.at;
	while (cursor_bool(&at)) {
		nfs4_decode_entry4(&at, &entry);
		cookie = entry.cookie;
		(*entries)++;
	}
	CHECK(cursor_ok(&at));
	*eof = ok->reply.eof;
	return cookie;
}

TEST(pages_of_a_directory)
{
	struct talk *t = talk_create(NULL);
	struct talk_session session = talk_client(t, "a", 'v');
	uint64_t cookie = 0;
	uint64_t entries = 0;
	uint64_t many;
	bool eof = false;

	CHECK(tree_add_made_up(t->tree, "/many", "file", 5000, 10, 0, &many) == NULL);
	for (int i = 0; i < 1000 && !eof; i++)
		cookie = page_read(t, &session, cookie, 4096, &entries, &eof);
	CHECK(eof);
	CHECK_EQ_U64(entries, 5000);
	page_read(t, &session, 0, 64, &entries, &eof);
	CHECK_EQ_U64(t->status, NFS4ERR_TOOSMALL);
	page_read(t, &session, 2, 4096, &entries, &eof);
	CHECK_EQ_U64(t->status, NFS4ERR_BAD_COOKIE);
	talk_destroy(t);
}

TEST(all_supported_attributes)
{
	static const uint32_t minors[] = {0, 1, 2};
	struct talk *t = talk_create(NULL);
	struct talk_session session = talk_client(t, "a", 'v');

	for (size_t i = 0; i < 3; i++) {
		struct nfs4_nfs_argop4 op = {.argop = OP_GETATTR};
		struct nfs4_fattr4 *fattr =
			&t->results[i == 0 ? 1 : 2].opgetattr.resok4.obj_attributes;
		struct xdr_attribute_walk walk;
		uint32_t count = 0;

		for (uint32_t bit = 0; bit < 96; bit++) {
			if (bit != FATTR4_TIME_ACCESS_SET && bit != FATTR4_TIME_MODIFY_SET)
				xdr_bitmap_set(&op.opgetattr.attr_request, bit);
		}
		if (minors[i] == 0)
			talk_begin(t, 0);
		else
			talk_sequence(t, &session, true);
		t->minor = minors[i];
		talk_op(t, OP_PUTROOTFH);
		talk_add(t, &op);
		CHECK_EQ_U64(talk_run(t), NFS4_OK);
		nfs4_attr_walk(&walk, fattr);
		while (xdr_attribute_walk_next(&walk))
			count++;
		CHECK(walk.fault == CURSOR_OK);
		/* What each minor version adds: suppattr_exclcreat; the kind of change, xattrs. */
		CHECK_EQ_U64(count, minors[i] == 0 ? 43 : minors[i] == 1 ? 44 : 46);
	}
	talk_destroy(t);
}

TEST(permissions)
{
	struct talk *t = talk_create(NULL);
	struct talk_session session = talk_client(t, "a", 'v');
	struct nfs4_nfs_argop4 op = {.argop = OP_SETATTR};
	struct nfs4_nfs_argop4 access = {.argop = OP_ACCESS};
	static const uint8_t mode[4] = {0, 0, 1, 0x80};

	talk_opened(t, &session, "o", "f", BOTH);
	mode_set(&op.opsetattr.obj_attributes, mode);
	access.opaccess.access = 0x3f;
	talk_sequence(t, &session, true);
	talk_op(t, OP_PUTROOTFH);
	talk_lookup(t, "f");
	talk_add(t, &op);
	talk_add(t, &access);
	CHECK_EQ_U64(talk_run(t), NFS4_OK);
	CHECK_EQ_U64(t->results[4].opaccess.resok4.access,
		     ACCESS4_READ | ACCESS4_MODIFY | ACCESS4_EXTEND);
	t->call.cred.uid = 1000;
	talk_sequence(t, &session, true);
	talk_op(t, OP_PUTROOTFH);
	talk_lookup(t, "f");
	talk_add(t, &access);
	talk_add(t, &op);
	CHECK_EQ_U64(talk_run(t), NFS4ERR_PERM);
	CHECK_EQ_U64(t->results[3].opaccess.resok4.access, 0);
	talk_sequence(t, &session, true);
	talk_op(t, OP_PUTROOTFH);
	talk_open(t, session.client_id, "p", 0, "f", OPEN4_SHARE_ACCESS_READ, 0, false);
	CHECK_EQ_U64(talk_run(t), NFS4ERR_ACCESS);
	talk_destroy(t);
}

TEST(exclusive_creation_is_done_once)
{
	struct talk *t = talk_create(NULL);
	struct talk_session session = talk_client(t, "a", 'v');
	struct nfs4_nfs_argop4 op = {.argop = OP_OPEN};
	struct nfs4_createhow4 *how = &op.opopen.openhow.how;

	op.opopen.share_access = BOTH;
	op.opopen.owner.owner = talk_text("o");
	op.opopen.openhow.opentype = OPEN4_CREATE;
	how->mode = EXCLUSIVE4_1;
	memset(how->ch_createboth.cva_verf, 'v', 8);
	op.opopen.claim.file = talk_text("f");
	for (int i = 0; i < 2; i++) {
		talk_sequence(t, &session, true);
		talk_op(t, OP_PUTROOTFH);
		talk_add(t, &op);
		CHECK_EQ_U64(talk_run(t), NFS4_OK);
	}
	how->ch_createboth.cva_verf[0] = 'w';
	talk_sequence(t, &session, true);
	talk_op(t, OP_PUTROOTFH);
	talk_add(t, &op);
	CHECK_EQ_U64(talk_run(t), NFS4ERR_EXIST);
	talk_destroy(t);
}

TEST(content_of_42)
{
	struct talk *t = talk_create(NULL);
	struct talk_session session = talk_client(t, "a", 'v');
	struct nfs4_stateid4 from = talk_opened(t, &session, "o", "f", BOTH);
	struct nfs4_stateid4 to = talk_opened(t, &session, "o", "g", BOTH);
	struct nfs4_nfs_argop4 copy = {.argop = OP_COPY};
	struct nfs4_nfs_argop4 seek = {.argop = OP_SEEK};
	struct nfs4_nfs_argop4 hole = {.argop = OP_DEALLOCATE};

	copy.opcopy.ca_src_stateid = from;
	copy.opcopy.ca_dst_stateid = to;
	copy.opcopy.ca_src_offset = 1;
	copy.opcopy.ca_dst_offset = 2;
	copy.opcopy.ca_count = 3;
	seek.opseek.sa_stateid = to;
	seek.opseek.sa_what = NFS4_CONTENT_HOLE;
	hole.opdeallocate.da_stateid = to;
	hole.opdeallocate.da_offset = 3;
	hole.opdeallocate.da_length = 1;
	talk_sequence(t, &session, true);
	t->minor = 2;
	talk_op(t, OP_PUTROOTFH);
	talk_lookup(t, "f");
	talk_write(t, from, 0, "abcdef");
	talk_op(t, OP_SAVEFH);
	talk_op(t, OP_PUTROOTFH);
	talk_lookup(t, "g");
	talk_add(t, &copy);
	talk_add(t, &seek);
	talk_add(t, &hole);
	talk_read(t, to, 0, 100);
	CHECK_EQ_U64(talk_run(t), NFS4_OK);
	CHECK_EQ_U64(t->results[7].opcopy.cr_resok4.cr_response.wr_count, 3);
	CHECK_EQ_U64(t->results[8].opseek.resok4.sr_offset, 5);
	CHECK_BYTES(t->results[10].opread.resok4.data.ptr, t->results[10].opread.resok4.data.len,
		    "\0\0b\0d", 5);
	talk_sequence(t, &session, true);
	talk_op(t, OP_PUTROOTFH);
	talk_add(t, &seek);
	CHECK_EQ_U64(talk_run(t), NFS4ERR_OP_ILLEGAL); /* 4.1 does not have it */
	talk_destroy(t);
}
