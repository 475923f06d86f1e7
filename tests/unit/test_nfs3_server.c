// SPDX-License-Identifier: GPL-2.0-or-later
/* The server's rpcbind, MOUNT and NFSv3, without sockets: calls in, replies out. */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "names/mount.h"
#include "names/portmap.h"
#include "proto/mount_xdr.h"
#include "proto/nfs3_xdr.h"
#include "proto/portmap_xdr.h"
#include "serve_stage.h"

/* An NFSv3 call: the status of the result, where the cursor stands. */
static uint32_t nfs(struct stage *s, uint32_t procedure)
{
	CHECK_EQ_U64(call(s, NFS_PROGRAM, NFS_V3, procedure), RPC_ACCEPT_SUCCESS);
	return cursor_u32(&s->results);
}

TEST(rpcbind_knows_the_programs)
{
	static struct stage s;
	struct xdr_opaque text;

	stage_init(&s, "");
	PUT(&s, NFS_PROGRAM, 3, 6, 0);
	CHECK_EQ_U64(call(&s, PMAP_PROG, 2, PMAPPROC_GETPORT), 0);
	CHECK_EQ_U64(cursor_u32(&s.results), 2049);
	PUT(&s, NFS_PROGRAM, 3, 17, 0);
	CHECK_EQ_U64(call(&s, PMAP_PROG, 2, PMAPPROC_GETPORT), 0);
	CHECK_EQ_U64(cursor_u32(&s.results), 0);
	PUT(&s, MOUNT_PROGRAM, 3);
	put_text(&s, "udp");
	put_text(&s, "192.0.2.7.0.111");
	put_text(&s, "");
	CHECK_EQ_U64(call(&s, PMAP_PROG, 4, RPCB4PROC_GETVERSADDR), 0);
	portmap_decode_rpcb_uaddr(&s.results, &text);
	CHECK_BYTES(text.ptr, text.len, "192.0.2.7.3.231", 15);
	results_end(&s);
	CHECK_EQ_U64(call(&s, PMAP_PROG, 3, RPCB4PROC_GETSTAT), RPC_ACCEPT_PROC_UNAVAIL);
	CHECK_EQ_U64(call(&s, PMAP_PROG, 5, 0), RPC_ACCEPT_PROG_MISMATCH);
	CHECK_EQ_U64(call(&s, 300000, 1, 0), RPC_ACCEPT_PROG_UNAVAIL);
	PUT(&s, NFS_PROGRAM, 3);
	CHECK_EQ_U64(call(&s, PMAP_PROG, 2, PMAPPROC_GETPORT), RPC_ACCEPT_GARBAGE_ARGS);
	server_register(&s.server, SERVER_NFS, RPC_OVER_TCP, false, 0);
	CHECK_EQ_U64(call(&s, PMAP_PROG, 2, PMAPPROC_DUMP), 0);
	for (size_t i = 0; i < 3; i++) {
		CHECK(cursor_bool(&s.results));
		CHECK_EQ_U64(cursor_u32(&s.results), MOUNT_PROGRAM);
		cursor_skip(&s.results, 12);
	}
	CHECK(!cursor_bool(&s.results));
	results_end(&s);
	stage_deinit(&s);
}

TEST(mount_gives_the_handle_and_remembers)
{
	static struct stage s;
	struct mount_mountres3 res;
	struct xdr_list list;

	stage_init(&s, "dir /a/b\nfile /f\n");
	s.who.machine = slice_of_string("client");
	put_text(&s, "/a/b/");
	CHECK_EQ_U64(call(&s, MOUNT_PROGRAM, 3, MOUNTPROC_MNT), 0);
	mount_decode_mountres3(&s.results, &res);
	CHECK_EQ_U64(res.fhs_status, MNT3_OK);
	CHECK_EQ_U64(res.mountinfo.fhandle.len, TREE_HANDLE_BYTES);
	results_end(&s);
	put_text(&s, "/f");
	call(&s, MOUNT_PROGRAM, 3, MOUNTPROC_MNT);
	CHECK_EQ_U64(cursor_u32(&s.results), MNT3ERR_NOTDIR);
	put_text(&s, "/none");
	call(&s, MOUNT_PROGRAM, 3, MOUNTPROC_MNT);
	CHECK_EQ_U64(cursor_u32(&s.results), MNT3ERR_NOENT);
	call(&s, MOUNT_PROGRAM, 1, MOUNTPROC_DUMP);
	mount_decode_mountlist(&s.results, &list);
	CHECK_EQ_U64(list.count, 1);
	put_text(&s, "/a/b/");
	call(&s, MOUNT_PROGRAM, 3, MOUNTPROC_UMNT);
	results_end(&s);
	call(&s, MOUNT_PROGRAM, 3, MOUNTPROC_DUMP);
	mount_decode_mountlist(&s.results, &list);
	CHECK_EQ_U64(list.count, 0);
	call(&s, MOUNT_PROGRAM, 3, MOUNTPROC_EXPORT);
	mount_decode_exports(&s.results, &list);
	CHECK_EQ_U64(list.count, 1);
	results_end(&s);
	stage_deinit(&s);
}

TEST(nfs3_creates_writes_and_commits)
{
	static struct stage s;
	struct nfs3_CREATE3res made;
	struct nfs3_WRITE3res written;
	struct nfs3_READ3res got;
	struct nfs3_COMMIT3res done;

	stage_init(&s, "");
	put_name(&s, "/", "x");
	PUT(&s, GUARDED, 1, 0640, 0, 0, 0, 0, 0);
	CHECK_EQ_U64(call(&s, NFS_PROGRAM, 3, NFSPROC3_CREATE), 0);
	nfs3_decode_CREATE3res(&s.results, &made);
	CHECK_EQ_U64(made.status, NFS3_OK);
	CHECK_EQ_U64(made.resok.obj_attributes.attributes.mode, 0640);
	CHECK(made.resok.dir_wcc.before.attributes_follow);
	results_end(&s);
	put_name(&s, "/", "x");
	PUT(&s, GUARDED, 0, 0, 0, 0, 0, 0);
	CHECK_EQ_U64(nfs(&s, NFSPROC3_CREATE), NFS3ERR_EXIST);
	put_handle(&s, "/x");
	PUT(&s, 0, 3, 5, UNSTABLE);
	put_text(&s, "hello");
	CHECK_EQ_U64(call(&s, NFS_PROGRAM, 3, NFSPROC3_WRITE), 0);
	nfs3_decode_WRITE3res(&s.results, &written);
	CHECK_EQ_U64(written.status, NFS3_OK);
	CHECK_EQ_U64(written.resok.count, 5);
	CHECK_EQ_U64(written.resok.committed, UNSTABLE);
	CHECK_EQ_U64(written.resok.file_wcc.before.attributes.size, 0);
	CHECK_EQ_U64(written.resok.file_wcc.after.attributes.size, 8);
	put_handle(&s, "/x");
	PUT(&s, 0, 2, 100);
	CHECK_EQ_U64(call(&s, NFS_PROGRAM, 3, NFSPROC3_READ), 0);
	nfs3_decode_READ3res(&s.results, &got);
	CHECK_EQ_U64(got.resok.count, 6);
	CHECK(got.resok.eof);
	CHECK_BYTES(got.resok.data.ptr, got.resok.data.len, "\0hello", 6);
	results_end(&s);
	put_handle(&s, "/x");
	PUT(&s, 0, 0, 0);
	CHECK_EQ_U64(call(&s, NFS_PROGRAM, 3, NFSPROC3_COMMIT), 0);
	nfs3_decode_COMMIT3res(&s.results, &done);
	CHECK_BYTES(done.resok.verf, 8, written.resok.verf, 8);
	results_end(&s);
	stage_deinit(&s);
}

TEST(nfs3_names)
{
	static struct stage s;
	struct nfs3_LOOKUP3res found;
	struct nfs3_RENAME3res moved;
	struct nfs3_LINK3res linked;
	struct nfs3_READLINK3res link;

	stage_init(&s, "dir /d/e\nfile /f\nlink /l target=f\n");
	put_name(&s, "/d", "..");
	CHECK_EQ_U64(call(&s, NFS_PROGRAM, 3, NFSPROC3_LOOKUP), 0);
	nfs3_decode_LOOKUP3res(&s.results, &found);
	CHECK_EQ_U64(found.resok.obj_attributes.attributes.fileid, tree_root(s.tree));
	results_end(&s);
	put_name(&s, "/", "none");
	CHECK_EQ_U64(nfs(&s, NFSPROC3_LOOKUP), NFS3ERR_NOENT);
	put_name(&s, "/f", "x");
	CHECK_EQ_U64(nfs(&s, NFSPROC3_LOOKUP), NFS3ERR_NOTDIR);
	put_handle(&s, "/l");
	CHECK_EQ_U64(call(&s, NFS_PROGRAM, 3, NFSPROC3_READLINK), 0);
	nfs3_decode_READLINK3res(&s.results, &link);
	CHECK_BYTES(link.resok.data.ptr, link.resok.data.len, "f", 1);
	put_name(&s, "/", "f");
	put_name(&s, "/d", "g");
	CHECK_EQ_U64(call(&s, NFS_PROGRAM, 3, NFSPROC3_RENAME), 0);
	nfs3_decode_RENAME3res(&s.results, &moved);
	CHECK_EQ_U64(moved.status, NFS3_OK);
	results_end(&s);
	put_handle(&s, "/d/g");
	put_name(&s, "/", "h");
	CHECK_EQ_U64(call(&s, NFS_PROGRAM, 3, NFSPROC3_LINK), 0);
	nfs3_decode_LINK3res(&s.results, &linked);
	CHECK_EQ_U64(linked.resok.file_attributes.attributes.nlink, 2);
	results_end(&s);
	put_name(&s, "/", "d");
	CHECK_EQ_U64(nfs(&s, NFSPROC3_RMDIR), NFS3ERR_NOTEMPTY);
	put_name(&s, "/", "d");
	CHECK_EQ_U64(nfs(&s, NFSPROC3_REMOVE), NFS3ERR_ISDIR);
	put_name(&s, "/d", "e");
	CHECK_EQ_U64(nfs(&s, NFSPROC3_RMDIR), NFS3_OK);
	put_name(&s, "/", "m");
	PUT(&s, NF3CHR, 0, 0, 0, 0, 0, 0, 4, 64);
	CHECK_EQ_U64(nfs(&s, NFSPROC3_MKNOD), NFS3_OK);
	put_name(&s, "/", "n");
	PUT(&s, NF3REG);
	CHECK_EQ_U64(nfs(&s, NFSPROC3_MKNOD), NFS3ERR_BADTYPE);
	stage_deinit(&s);
}

TEST(nfs3_exclusive_create_is_made_once)
{
	static struct stage s;

	stage_init(&s, "");
	for (int i = 0; i < 3; i++) {
		put_name(&s, "/", "x");
		PUT(&s, EXCLUSIVE, 1, i < 2 ? 2 : 3);
		CHECK_EQ_U64(nfs(&s, NFSPROC3_CREATE), i < 2 ? NFS3_OK : NFS3ERR_EXIST);
	}
	stage_deinit(&s);
}

TEST(nfs3_refuses_what_the_mode_forbids)
{
	static struct stage s;
	struct nfs3_ACCESS3res res;

	stage_init(&s,
		   "file /secret mode=0600 uid=5\ndir /closed mode=0700 uid=5\ndir / mode=01777");
	s.who.uid = 6;
	put_handle(&s, "/secret");
	PUT(&s, 0, 0, 10);
	CHECK_EQ_U64(nfs(&s, NFSPROC3_READ), NFS3ERR_ACCES);
	put_name(&s, "/closed", "x");
	CHECK_EQ_U64(nfs(&s, NFSPROC3_LOOKUP), NFS3ERR_ACCES);
	put_name(&s, "/", "secret");
	CHECK_EQ_U64(nfs(&s, NFSPROC3_REMOVE), NFS3ERR_PERM);
	put_handle(&s, "/secret");
	PUT(&s, 1, 0777, 0, 0, 0, 0, 0, 0);
	CHECK_EQ_U64(nfs(&s, NFSPROC3_SETATTR), NFS3ERR_PERM);
	s.who.uid = 5;
	put_handle(&s, "/secret");
	PUT(&s, 63);
	CHECK_EQ_U64(call(&s, NFS_PROGRAM, 3, NFSPROC3_ACCESS), 0);
	nfs3_decode_ACCESS3res(&s.results, &res);
	CHECK_EQ_U64(res.resok.access, ACCESS3_READ | ACCESS3_MODIFY | ACCESS3_EXTEND);
	put_handle(&s, "/secret");
	PUT(&s, 1, 0777, 0, 0, 0, 0, 0, 1, 1, 1);
	CHECK_EQ_U64(nfs(&s, NFSPROC3_SETATTR), NFS3ERR_NOT_SYNC);
	stage_deinit(&s);
}

/* Reads the whole directory with replies of so many bytes; the number of entries. */
static uint64_t list_all(struct stage *s, uint32_t procedure, uint32_t bytes)
{
	uint64_t cookie = 0, verifier = 0, count = 0;
	bool eof = false;

	while (!eof) {
		struct nfs3_READDIRPLUS3res res;
		struct nfs3_entryplus3 plus;
		struct nfs3_entry3 entry;
		struct cursor walk;

		put_handle(s, "/big");
		xdr_put_u64(&s->w, cookie);
		xdr_put_raw(&s->w, slice_make(&verifier, 8));
		PUT(s, bytes);
		if (procedure == NFSPROC3_READDIRPLUS)
			PUT(s, bytes);
		call(s, NFS_PROGRAM, 3, procedure);
		CHECK(cursor_left(&s->results) <= bytes + 4);
		/* Both results have the same head. */
		res.status = cursor_u32(&s->results);
		if (!CHECK_EQ_U64(res.status, NFS3_OK))
			return count;
		nfs3_skip_post_op_attr(&s->results);
		xdr_take_bytes(&s->results, (uint8_t *)&verifier, 8);
		walk = s->results;
		while (cursor_bool(&walk)) {
			if (procedure == NFSPROC3_READDIR) {
				nfs3_decode_entry3(&walk, &entry);
				cookie = entry.cookie;
			} else {
				nfs3_decode_entryplus3(&walk, &plus);
				cookie = plus.cookie;
				CHECK(plus.name_handle.handle_follows);
			}
			count++;
		}
		eof = cursor_bool(&walk);
		if (!CHECK(cursor_ok(&walk) && cursor_left(&walk) == 0))
			return count;
	}
	return count;
}

TEST(nfs3_lists_within_the_room_that_there_is)
{
	static struct stage s;

	stage_init(&s, "dir /big entries=1000\n");
	CHECK_EQ_U64(list_all(&s, NFSPROC3_READDIR, 512), 1002);
	CHECK_EQ_U64(list_all(&s, NFSPROC3_READDIRPLUS, 4096), 1002);
	CHECK_EQ_U64(list_all(&s, NFSPROC3_READDIRPLUS, 1 << 20), 1002);
	put_handle(&s, "/big");
	PUT(&s, 0, 0, 0, 0, 100);
	CHECK_EQ_U64(nfs(&s, NFSPROC3_READDIR), NFS3ERR_TOOSMALL);
	put_handle(&s, "/big");
	PUT(&s, 0, 5, 1, 1, 1000);
	CHECK_EQ_U64(nfs(&s, NFSPROC3_READDIR), NFS3ERR_BAD_COOKIE);
	stage_deinit(&s);
}

TEST(calls_that_are_cut_are_garbage)
{
	static struct stage s;

	stage_init(&s, "");
	for (uint32_t procedure = 1; procedure <= NFSPROC3_COMMIT; procedure++) {
		PUT(&s, 24, 1, 2);
		CHECK_EQ_U64(call(&s, NFS_PROGRAM, 3, procedure), RPC_ACCEPT_GARBAGE_ARGS);
	}
	CHECK_EQ_U64(call(&s, NFS_PROGRAM, 3, 22), RPC_ACCEPT_PROC_UNAVAIL);
	CHECK_EQ_U64(call(&s, NFS_PROGRAM, 3, 0), RPC_ACCEPT_SUCCESS);
	results_end(&s);
	CHECK_EQ_U64(call(&s, NFS_PROGRAM, 2, 0), RPC_ACCEPT_PROG_MISMATCH);
	stage_deinit(&s);
}
