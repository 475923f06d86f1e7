// SPDX-License-Identifier: GPL-2.0-or-later
/* See v3.h. */
#include "lab/probe/v3.h"

#include <stdio.h>

#include "lab/rpc/ports.h"
#include "names/mount.h"
#include "names/nfs3.h"
#include "names/portmap.h"
#include "proto/mount_xdr.h"
#include "proto/nfs3_xdr.h"

enum {
	PORTMAP_PORT = 111,
	IO_BYTES = 32768,
	NAMES_BYTES_MAX = 1 << 18, /* of one page, that are looked up one by one */
};

void v3_init(struct v3 *v, struct client *client, const struct probe_words *words)
{
	struct timing_call timing = timing_call_of_mount(&words->timing);

	*v = (struct v3){.client = client, .words = words};
	/* mount.nfs asks it, which says nothing into the log. */
	client_peer_init(&v->portmap, client, NULL, words->portmap ? words->portmap : PORTMAP_PORT,
			 &timing);
}

void v3_deinit(struct v3 *v)
{
	client_peer_deinit(&v->portmap);
	if (v->has_mountd)
		client_peer_deinit(&v->mountd);
	if (v->has_nfs)
		client_peer_deinit(&v->nfs);
	if (v->has_nlm)
		client_peer_deinit(&v->nlm);
}

static struct nfs3_nfs_fh3 wire_of(const struct v3_handle *h)
{
	return (struct nfs3_nfs_fh3){.data = v3_opaque(h->bytes, h->len)};
}

static void handle_take(struct v3_handle *h, struct xdr_opaque data)
{
	if (data.have > sizeof(h->bytes))
		return;
	h->len = data.have;
	memcpy(h->bytes, data.ptr, data.have);
}

/*
 * Sends what was begun. False when nothing came of it. A refusal is an error of the program's call,
 * which tries again with the next round: results that are not there.
 */
static bool call(struct client_peer *p, struct cursor *at)
{
	enum client_result result = client_call(p, at);

	if (result == CLIENT_REFUSED)
		*at = cursor_make(slice_make(NULL, 0));
	return result == CLIENT_ANSWERED || result == CLIENT_REFUSED;
}

static struct xdr_writer *begin(struct v3 *v, uint32_t procedure)
{
	return client_begin(&v->nfs, NFS_PROGRAM, NFS_V3, procedure);
}

bool v3_port(struct v3 *v, uint32_t program, uint32_t version, uint16_t *port)
{
	const struct net_address *server = &v->client->server;
	struct cursor at;

	ports_ask(client_begin(&v->portmap, PMAP_PROG, ports_version(server),
			       ports_procedure(server)),
		  server, false, program, version);
	return call(&v->portmap, &at) && ports_take(&at, server, port);
}

static bool find_mountd(struct v3 *v)
{
	struct timing_call timing = timing_call_of_mount(&v->words->timing);
	uint16_t port = 0;

	if (!v3_port(v, MOUNT_PROGRAM, MOUNT_V3, &port) || port == 0)
		return false;
	client_peer_init(&v->mountd, v->client, NULL, port, &timing);
	v->has_mountd = true;
	return true;
}

static bool find_nfs(struct v3 *v)
{
	struct timing_call timing = timing_call_of_mount(&v->words->timing);
	uint16_t port = v->words->port;

	if (port == 0 && (!v3_port(v, NFS_PROGRAM, NFS_V3, &port) || port == 0))
		return false;
	client_peer_init(&v->nfs, v->client, "nfs", port, &timing);
	v->has_nfs = true;
	return true;
}

static bool ask_mountd(struct v3 *v)
{
	struct xdr_writer *w = client_begin(&v->mountd, MOUNT_PROGRAM, MOUNT_V3, MOUNTPROC3_MNT);
	struct mount_mountres3 res;
	struct cursor at;

	xdr_put_opaque(w, v3_opaque(v->words->export, strlen(v->words->export)), MNTPATHLEN);
	if (!call(&v->mountd, &at))
		return false;
	mount_decode_mountres3(&at, &res);
	if (!cursor_ok(&at) || res.fhs_status != MNT3_OK) {
		client_say("mount.nfs: mounting %s:%s failed, status %u", v->words->server,
			   v->words->export, res.fhs_status);
		return false;
	}
	handle_take(&v->root, res.mountinfo.fhandle);
	client_peer_deinit(&v->mountd);
	v->has_mountd = false;
	return true;
}

static bool ask_fsinfo(struct v3 *v)
{
	const struct nfs3_FSINFO3args args = {.fsroot = wire_of(&v->root)};
	struct cursor at;

	nfs3_encode_FSINFO3args(begin(v, NFSPROC3_FSINFO), &args);
	return call(&v->nfs, &at);
}

static bool make_file(struct v3 *v)
{
	const char *name = v->words->file;
	struct nfs3_CREATE3args args = {
		.where = {.dir = wire_of(&v->root), .name = v3_opaque(name, strlen(name))}};
	struct nfs3_CREATE3res res;
	struct cursor at;

	args.how.mode = UNCHECKED;
	nfs3_encode_CREATE3args(begin(v, NFSPROC3_CREATE), &args);
	if (!call(&v->nfs, &at))
		return false;
	nfs3_decode_CREATE3res(&at, &res);
	if (cursor_ok(&at) && res.status == NFS3_OK && res.resok.obj.handle_follows)
		handle_take(&v->file, res.resok.obj.handle.data);
	return true;
}

static bool find_files(struct v3 *v)
{
	const struct probe_words *w = v->words;

	v->file = v->dir = v->root;
	if (!v3_lookup(v, &v->root, slice_of_string(w->file), &v->file))
		return false;
	if (v->status == NFS3ERR_NOENT && !make_file(v))
		return false;
	return !w->dir || v3_lookup(v, &v->root, slice_of_string(w->dir), &v->dir);
}

bool v3_mount(struct v3 *v)
{
	bool done = find_nfs(v) && find_mountd(v) && ask_mountd(v);

	/* mount.nfs is gone by now, and so is its connection. */
	client_peer_deinit(&v->portmap);
	return done && ask_fsinfo(v) && find_files(v);
}

bool v3_getattr(struct v3 *v, const struct v3_handle *of)
{
	const struct nfs3_GETATTR3args args = {.object = wire_of(of)};
	struct cursor at;

	nfs3_encode_GETATTR3args(begin(v, NFSPROC3_GETATTR), &args);
	if (!call(&v->nfs, &at))
		return false;
	v->status = cursor_u32(&at);
	return true;
}

bool v3_access(struct v3 *v, const struct v3_handle *of)
{
	const struct nfs3_ACCESS3args args = {.object = wire_of(of), .access = 0x1f};
	struct cursor at;

	nfs3_encode_ACCESS3args(begin(v, NFSPROC3_ACCESS), &args);
	if (!call(&v->nfs, &at))
		return false;
	v->status = cursor_u32(&at);
	return true;
}

bool v3_lookup(struct v3 *v, const struct v3_handle *dir, struct slice name, struct v3_handle *out)
{
	const struct nfs3_LOOKUP3args args = {
		.what = {.dir = wire_of(dir), .name = v3_opaque(name.ptr, name.len)}};
	struct nfs3_LOOKUP3res res;
	struct cursor at;

	nfs3_encode_LOOKUP3args(begin(v, NFSPROC3_LOOKUP), &args);
	if (!call(&v->nfs, &at))
		return false;
	nfs3_decode_LOOKUP3res(&at, &res);
	v->status = res.status;
	if (cursor_ok(&at) && res.status == NFS3_OK && out)
		handle_take(out, res.resok.object.data);
	return true;
}

bool v3_read(struct v3 *v)
{
	const struct nfs3_READ3args args = {.file = wire_of(&v->file), .count = IO_BYTES};
	struct cursor at;

	nfs3_encode_READ3args(begin(v, NFSPROC3_READ), &args);
	if (!call(&v->nfs, &at))
		return false;
	v->status = cursor_u32(&at);
	return true;
}

bool v3_write(struct v3 *v)
{
	static const uint8_t data[IO_BYTES];
	const struct nfs3_WRITE3args args = {.file = wire_of(&v->file),
					     .offset = v->writes++ % 16 * IO_BYTES,
					     .count = IO_BYTES,
					     .stable = FILE_SYNC,
					     .data = v3_opaque(data, IO_BYTES)};
	struct cursor at;

	nfs3_encode_WRITE3args(begin(v, NFSPROC3_WRITE), &args);
	if (!call(&v->nfs, &at))
		return false;
	v->status = cursor_u32(&at);
	return true;
}

bool v3_statfs(struct v3 *v)
{
	const struct nfs3_FSSTAT3args args = {.fsroot = wire_of(&v->root)};
	struct cursor at;

	nfs3_encode_FSSTAT3args(begin(v, NFSPROC3_FSSTAT), &args);
	if (!call(&v->nfs, &at))
		return false;
	v->status = cursor_u32(&at);
	return true;
}

/* A name comes and goes: the directory has changed. */
bool v3_touch(struct v3 *v)
{
	static const char name[] = "probe-touch";
	struct nfs3_CREATE3args args = {
		.where = {.dir = wire_of(&v->dir), .name = v3_opaque(name, strlen(name))}};
	struct nfs3_REMOVE3args gone = {.object = args.where};
	struct cursor at;

	args.how.mode = UNCHECKED;
	nfs3_encode_CREATE3args(begin(v, NFSPROC3_CREATE), &args);
	if (!call(&v->nfs, &at))
		return false;
	nfs3_encode_REMOVE3args(begin(v, NFSPROC3_REMOVE), &gone);
	if (!call(&v->nfs, &at))
		return false;
	v->status = cursor_u32(&at);
	return true;
}

/* Where a listing stands. */
struct listing {
	uint64_t cookie;
	uint8_t verifier[8];
	bool eof;
	bool has_mtime, changed;
	struct nfs3_nfstime3 mtime; /* of the directory, with the last page */
	uint32_t names_len;
	uint8_t names[NAMES_BYTES_MAX]; /* of the page, each with a NUL behind it */
};

static void note_name(struct listing *l, struct xdr_opaque name)
{
	size_t len = name.have;

	if (len + 1 > sizeof(l->names) - l->names_len)
		return;
	memcpy(l->names + l->names_len, name.ptr, len);
	l->names[l->names_len + len] = '\0';
	l->names_len += (uint32_t)len + 1;
}

/* Has it changed since the page before? Then older kernels throw away what they have. */
static void note_mtime(struct listing *l, const struct nfs3_post_op_attr *attributes)
{
	const struct nfs3_nfstime3 *now = &attributes->attributes.mtime;

	if (!attributes->attributes_follow)
		return;
	l->changed = l->has_mtime &&
		     (now->seconds != l->mtime.seconds || now->nseconds != l->mtime.nseconds);
	l->mtime = *now;
	l->has_mtime = true;
}

static bool ask_page(struct v3 *v, bool plus, struct listing *l, struct cursor *at)
{
	if (plus) {
		struct nfs3_READDIRPLUS3args args = {.dir = wire_of(&v->dir),
						     .cookie = l->cookie,
						     .dircount = v->words->page_bytes / 8,
						     .maxcount = v->words->page_bytes};

		memcpy(args.cookieverf, l->verifier, sizeof(l->verifier));
		nfs3_encode_READDIRPLUS3args(begin(v, NFSPROC3_READDIRPLUS), &args);
	} else {
		struct nfs3_READDIR3args args = {.dir = wire_of(&v->dir),
						 .cookie = l->cookie,
						 .count = v->words->page_bytes};

		memcpy(args.cookieverf, l->verifier, sizeof(l->verifier));
		nfs3_encode_READDIR3args(begin(v, NFSPROC3_READDIR), &args);
	}
	return call(&v->nfs, at);
}

static void take_plain_page(struct cursor *at, struct listing *l, uint32_t *status)
{
	struct nfs3_READDIR3res res;
	struct nfs3_entry3 entry;
	struct cursor walk;

	nfs3_decode_READDIR3res(at, &res);
	*status = res.status;
	if (!cursor_ok(at) || res.status != NFS3_OK)
		return;
	memcpy(l->verifier, res.resok.cookieverf, sizeof(l->verifier));
	l->eof = res.resok.reply.eof;
	walk = res.resok.reply.entries.at;
	while (cursor_bool(&walk)) {
		nfs3_decode_entry3(&walk, &entry);
		l->cookie = entry.cookie;
		note_name(l, entry.name);
	}
}

static void take_plus_page(struct cursor *at, struct listing *l, uint32_t *status)
{
	struct nfs3_READDIRPLUS3res res;
	struct nfs3_entryplus3 entry;
	struct cursor walk;

	nfs3_decode_READDIRPLUS3res(at, &res);
	*status = res.status;
	if (!cursor_ok(at) || res.status != NFS3_OK)
		return;
	memcpy(l->verifier, res.resok.cookieverf, sizeof(l->verifier));
	l->eof = res.resok.reply.eof;
	note_mtime(l, &res.resok.dir_attributes);
	walk = res.resok.reply.entries.at;
	while (cursor_bool(&walk)) {
		nfs3_decode_entryplus3(&walk, &entry);
		l->cookie = entry.cookie;
		note_name(l, entry.name);
	}
}

static bool look_up_each(struct v3 *v, const struct listing *l)
{
	for (uint32_t at = 0; at < l->names_len;) {
		struct slice name = slice_of_string((const char *)l->names + at);

		if (!v3_lookup(v, &v->dir, name, NULL))
			return false;
		at += (uint32_t)name.len + 1;
	}
	return true;
}

bool v3_list(struct v3 *v, enum v3_listing how)
{
	bool plus = how == V3_READDIRPLUS || how == V3_RESTARTING;
	struct listing l = {0};

	while (!l.eof) {
		uint64_t before = l.cookie;
		struct cursor at;

		l.names_len = 0;
		if (!ask_page(v, plus, &l, &at))
			return false;
		if (plus)
			take_plus_page(&at, &l, &v->status);
		else
			take_plain_page(&at, &l, &v->status);
		/* NFS3ERR_BAD_COOKIE or nothing new: the kernel begins anew, we with the next
		 * round. */
		if (v->status != NFS3_OK || (l.cookie == before && !l.eof))
			break;
		if (how == V3_LOOKING_UP && !look_up_each(v, &l))
			return false;
		if (how == V3_RESTARTING && l.changed)
			l = (struct listing){0};
	}
	return !client_is_over(v->client);
}
