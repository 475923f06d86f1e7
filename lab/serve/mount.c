// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The MOUNT protocol: versions 1 and 2 (RFC 1094 appendix A) as far as showmount needs them, and
 * version 3 (RFC 1813 section 5). The whole tree is exported, to everybody.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "lab/serve/program.h"
#include "names/mount.h"
#include "proto/mount_xdr.h"
#include "proto/rpc_msg.h"

/* Walks the path; symbolic links are not followed. No path at all is the root, for libnfs. */
static uint32_t path_find(const struct program_call *c, struct slice path, uint64_t *fileid)
{
	uint64_t at = tree_root(c->tree);

	if (path.len && path.ptr[0] != '/')
		return MNT3ERR_INVAL;
	while (path.len) {
		const uint8_t *slash = memchr(path.ptr, '/', path.len);
		size_t len = slash ? (size_t)(slash - path.ptr) : path.len;
		size_t step = slash ? len + 1 : len;

		if (len) {
			uint32_t status = tree_lookup(c->tree, at, slice_make(path.ptr, len), &at);

			if (status != TREE_OK)
				return status;
		}
		path = slice_make(path.ptr + step, path.len - step);
	}
	*fileid = at;
	return MNT3_OK;
}

/* Who it is, in his own words or by his address. */
static char *host_of(const struct program_call *c)
{
	char text[NET_ADDRESS_TEXT_BYTES] = "unknown";
	char *port;

	if (c->in->machine.len)
		return mem_copy(c->in->machine.ptr,
				c->in->machine.len < MNTNAMLEN ? c->in->machine.len : MNTNAMLEN);
	if (c->in->peer) {
		net_address_format(c->in->peer, text);
		port = strrchr(text, ':');
		if (port)
			*port = '\0';
	}
	return mem_copy(text, strlen(text));
}

static void mount_forget_at(struct server *s, size_t index)
{
	free(s->mounts[index].host);
	free(s->mounts[index].path);
	s->mounts[index] = s->mounts[--s->mounts_len];
}

/* All of this host, or the one with this path (a NULL pointer: any). */
static void mount_forget(struct program_call *c, const char *path)
{
	struct server *s = c->server;
	char *host = host_of(c);

	for (size_t i = s->mounts_len; i-- > 0;)
		if (strcmp(s->mounts[i].host, host) == 0 &&
		    (!path || strcmp(s->mounts[i].path, path) == 0))
			mount_forget_at(s, i);
	free(host);
}

static void mount_remember(struct program_call *c, const char *path)
{
	struct server *s = c->server;

	mount_forget(c, path);
	if (s->mounts_len == SERVER_MOUNTS_MAX)
		mount_forget_at(s, 0);
	s->mounts[s->mounts_len].host = host_of(c);
	s->mounts[s->mounts_len].path = mem_copy(path, strlen(path));
	s->mounts_len++;
}

static enum program_done mount_mnt3(struct program_call *c, const char *text, struct slice path)
{
	static const uint8_t flavors[] = {0, 0, 0, RPC_AUTH_SYS, 0, 0, 0, RPC_AUTH_NONE};
	struct mount_mountres3 res = {0};
	uint8_t handle[TREE_HANDLE_BYTES];
	struct tree_attr attr;
	uint64_t fileid;

	res.fhs_status = path_find(c, path, &fileid);
	if (res.fhs_status == MNT3_OK &&
	    (tree_getattr(c->tree, fileid, &attr) != TREE_OK || attr.kind != TREE_DIR))
		res.fhs_status = MNT3ERR_NOTDIR;
	if (res.fhs_status == MNT3_OK) {
		tree_handle_make(c->tree, fileid, handle);
		res.mountinfo.fhandle = program_opaque(slice_make(handle, sizeof(handle)));
		res.mountinfo.auth_flavors =
			xdr_array_make(2, slice_make(flavors, sizeof(flavors)));
		mount_remember(c, text);
	}
	mount_encode_mountres3(c->out, &res);
	return PROGRAM_DONE;
}

/* Version 1's handles are those of NFSv2, which is not served. */
static enum program_done mount_mnt1(struct program_call *c)
{
	struct mount_fhstatus res = {.fhs_status = MNT3ERR_ACCES};

	mount_encode_fhstatus(c->out, &res);
	return PROGRAM_DONE;
}

static enum program_done mount_path(struct program_call *c)
{
	struct xdr_opaque path;
	char text[MNTPATHLEN + 1];

	mount_decode_dirpath(&c->args, &path);
	if (!program_args_ok(c))
		return PROGRAM_GARBAGE;
	memcpy(text, path.ptr, path.len);
	text[path.len] = '\0';
	if (c->in->procedure == MOUNTPROC_UMNT) {
		mount_forget(c, text);
		return PROGRAM_DONE;
	}
	return c->in->version == MOUNT_V3 ? mount_mnt3(c, text, xdr_opaque_slice(path))
					  : mount_mnt1(c);
}

static void put_dump(struct program_call *c)
{
	const struct server *s = c->server;

	for (size_t i = 0; i < s->mounts_len; i++) {
		struct mount_mountbody body = {.ml_hostname = program_text(s->mounts[i].host),
					       .ml_directory = program_text(s->mounts[i].path)};

		xdr_put_bool(c->out, true);
		mount_encode_mountbody(c->out, &body);
	}
	xdr_put_bool(c->out, false);
}

static void put_exports(struct program_call *c)
{
	struct mount_exportnode all = {.ex_dir = program_text("/"),
				       .ex_groups = xdr_list_make(0, (struct slice){0})};

	xdr_put_bool(c->out, true);
	mount_encode_exportnode(c->out, &all);
	xdr_put_bool(c->out, false);
}

enum program_done mount_call(struct program_call *c)
{
	switch (c->in->procedure) {
	case MOUNTPROC_NULL:
		return PROGRAM_DONE;
	case MOUNTPROC_MNT:
	case MOUNTPROC_UMNT:
		return mount_path(c);
	case MOUNTPROC_DUMP:
		put_dump(c);
		return PROGRAM_DONE;
	case MOUNTPROC_UMNTALL:
		mount_forget(c, NULL);
		return PROGRAM_DONE;
	case MOUNTPROC_EXPORTALL:
		if (c->in->version == MOUNT_V3)
			return PROGRAM_NO_PROCEDURE;
		put_exports(c);
		return PROGRAM_DONE;
	case MOUNTPROC_EXPORT:
		put_exports(c);
		return PROGRAM_DONE;
	default:
		return PROGRAM_NO_PROCEDURE;
	}
}
