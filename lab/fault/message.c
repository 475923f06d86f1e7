// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See message.h. NFSv2 (RFC 1094), NFSv3 and MOUNT (RFC 1813), NFSACL (Solaris), NLM (X/Open XNFS);
 * COMPOUNDs are in message_nfs4.c.
 */
#include "lab/fault/message.h"

#include "names/mount.h"
#include "names/names.h"
#include "names/nfs2.h"
#include "names/nfs3.h"
#include "names/nfs4.h"
#include "names/nfsacl.h"
#include "names/nlm.h"
#include "proto/mount_xdr.h"
#include "proto/nfs3_xdr.h"

enum { NFS2_HANDLE_BYTES = 32 };

struct slice fault_message_join(struct fault_message *m, struct slice dir, struct slice name)
{
	char *at = m->text + m->text_len;
	size_t room = sizeof(m->text) - m->text_len;
	size_t len = fault_path_join(dir, name, at, room);

	if (len == room)
		return (struct slice){0};
	m->text_len += len;
	return slice_make(at, len);
}

/* --- arguments: which file --- */

static struct slice take_opaque(struct cursor *c, uint32_t limit)
{
	return xdr_opaque_slice(cursor_opaque(c, limit));
}

static void set_named(struct fault_message *m, struct slice dir, struct slice name)
{
	m->ops[0].path = fault_message_join(m, dir, name);
	m->learn_path = m->ops[0].path;
}

/* What the call is about: the file or directory of this handle, taken from *c, or a name in it. */
static void set_file(struct fault_message *m, struct cursor *c, struct slice handle, bool has_name,
		     const struct fault_paths *paths)
{
	if (!cursor_ok(c))
		return;
	m->ops[0].handle = handle;
	m->ops[0].path = fault_paths_find(paths, handle);
	if (has_name) {
		struct slice name = take_opaque(c, XDR_ANY);

		if (cursor_ok(c))
			set_named(m, m->ops[0].path, name);
	}
}

static void read_nfs3(struct fault_message *m, struct cursor c, const struct fault_paths *paths)
{
	static const uint32_t with_name = 1u << NFSPROC3_LOOKUP | 1u << NFSPROC3_CREATE |
					  1u << NFSPROC3_MKDIR | 1u << NFSPROC3_SYMLINK |
					  1u << NFSPROC3_MKNOD | 1u << NFSPROC3_REMOVE |
					  1u << NFSPROC3_RMDIR | 1u << NFSPROC3_RENAME;
	struct slice handle = take_opaque(&c, NFS3_FHSIZE);

	if (m->procedure > NFSPROC3_COMMIT)
		return;
	set_file(m, &c, handle, with_name >> m->procedure & 1, paths);
	if (m->procedure == NFSPROC3_READDIRPLUS)
		m->learn_path = m->ops[0].path;
}

static void read_nfs2(struct fault_message *m, struct cursor c, const struct fault_paths *paths)
{
	static const uint32_t with_name =
		1u << 4 | 1u << 9 | 1u << 10 | 1u << 11 | 1u << 13 | 1u << 14 | 1u << 15;
	struct slice handle = cursor_bytes(&c, NFS2_HANDLE_BYTES);

	if (m->procedure <= 17)
		set_file(m, &c, handle, with_name >> m->procedure & 1, paths);
}

static void read_mount(struct fault_message *m, struct cursor c)
{
	struct slice path;

	if (m->procedure != MOUNTPROC3_MNT && m->procedure != MOUNTPROC3_UMNT)
		return;
	path = take_opaque(&c, MNTPATHLEN);
	if (cursor_ok(&c))
		m->ops[0].path = m->learn_path = path;
}

/* Words between the cookie and the lock: TEST, LOCK, CANCEL, UNLOCK, GRANTED and their _MSG. */
static void read_nlm(struct fault_message *m, struct cursor c, const struct fault_paths *paths)
{
	static const uint8_t words[] = {0, 1, 2, 2, 0, 1, 1, 2, 2, 0, 1};
	struct slice handle;

	if (m->procedure == NLMPROC4_NULL || m->procedure >= sizeof(words))
		return;
	take_opaque(&c, LM_MAXNETOBJ);
	cursor_skip(&c, (size_t)4 * words[m->procedure]);
	take_opaque(&c, LM_MAXSTRLEN);
	handle = take_opaque(&c, LM_MAXNETOBJ);
	if (!cursor_ok(&c))
		return;
	m->ops[0].handle = handle;
	m->ops[0].path = fault_paths_find(paths, handle);
}

static void read_nfsacl(struct fault_message *m, struct cursor c, const struct fault_paths *paths)
{
	struct slice handle;

	if (m->procedure == 0 || m->version != 3)
		return;
	handle = take_opaque(&c, NFS3_FHSIZE);
	if (!cursor_ok(&c))
		return;
	m->ops[0].handle = handle;
	m->ops[0].path = fault_paths_find(paths, handle);
}

static bool is_compound(const struct fault_message *m)
{
	if (m->procedure != NFSPROC4_COMPOUND)
		return false;
	return m->is_callback ? rpc_program_is_transient(m->program)
			      : m->program == NFS4_PROGRAM && m->version == NFS_V4;
}

static void read_arguments(struct fault_message *m, struct cursor c,
			   const struct fault_paths *paths)
{
	if (m->is_compound)
		fault_message_read_compound(m, c, paths);
	else if (m->program == NFS4_PROGRAM && m->version == 3 && m->procedure != 0)
		read_nfs3(m, c, paths);
	else if (m->program == NFS4_PROGRAM && m->version == 2 && m->procedure != 0)
		read_nfs2(m, c, paths);
	else if (m->program == MOUNT_PROGRAM)
		read_mount(m, c);
	else if (m->program == NLM_PROG)
		read_nlm(m, c, paths);
	else if (m->program == NFS_ACL_PROGRAM)
		read_nfsacl(m, c, paths);
}

static void message_init(struct fault_message *m, enum fault_side side,
			 const struct fault_peer *client)
{
	/* All but the text, which is written before it is read. */
	memset(m, 0, offsetof(struct fault_message, text));
	m->side = side;
	m->client = *client;
}

bool fault_message_read_call(struct slice bytes, size_t missing_bytes, bool is_callback,
			     const struct fault_peer *client, const struct fault_paths *paths,
			     struct fault_message *m)
{
	struct cursor c = cursor_make_cut(bytes, missing_bytes);
	struct rpc_msg head;

	message_init(m, FAULT_CALL, client);
	if (!rpc_msg_decode(&c, &head) || head.type != RPC_MSG_CALL)
		return false;
	m->bytes = bytes;
	m->missing_bytes = missing_bytes;
	m->is_callback = is_callback;
	m->xid = head.xid;
	m->program = head.call.program;
	m->version = head.call.version;
	m->procedure = head.call.procedure;
	m->is_plain = head.body == RPC_BODY_PLAIN && !head.call.has_gss;
	m->body_offset = head.body == RPC_BODY_NONE ? 0 : cursor_offset(&c);
	m->has_uid = head.call.has_sys;
	m->uid = m->has_uid ? head.call.sys.uid : 0;
	m->is_compound = is_compound(m);
	if (!m->is_compound) {
		m->ops_len = 1;
		m->ops[0].number = m->procedure;
		m->ops[0].offset = m->body_offset;
	}
	if (head.body == RPC_BODY_PLAIN || head.body == RPC_BODY_INTEGRITY)
		read_arguments(m, c, paths);
	return true;
}

/* --- results --- */

static struct slice learn_path_of(const struct fault_call *call)
{
	return slice_make(call->learn, call->learn_len);
}

static void learn_nfs3(const struct fault_call *call, struct cursor c, struct fault_paths *paths)
{
	struct xdr_opaque handle = {0};

	if (call->procedure == NFSPROC3_LOOKUP) {
		handle = cursor_opaque(&c, NFS3_FHSIZE);
	} else if (call->procedure >= NFSPROC3_CREATE && call->procedure <= NFSPROC3_MKNOD) {
		struct nfs3_post_op_fh3 fh;

		nfs3_decode_post_op_fh3(&c, &fh);
		if (fh.handle_follows)
			handle = fh.handle.data;
	}
	if (cursor_ok(&c))
		fault_paths_learn(paths, xdr_opaque_slice(handle), learn_path_of(call));
}

static void learn_listing(const struct fault_call *call, struct cursor c, struct fault_paths *paths)
{
	struct nfs3_post_op_attr attributes;
	struct nfs3_entryplus3 e;
	char path[FAULT_PATH_BYTES_MAX];

	nfs3_decode_post_op_attr(&c, &attributes);
	cursor_skip(&c, 8); /* cookie verifier */
	while (cursor_ok(&c) && cursor_bool(&c)) {
		struct slice name;
		size_t len;

		nfs3_decode_entryplus3(&c, &e);
		name = xdr_opaque_slice(e.name);
		if (!cursor_ok(&c) || !e.name_handle.handle_follows ||
		    (name.len <= 2 && memcmp(name.ptr, "..", name.len) == 0))
			continue;
		len = fault_path_join(learn_path_of(call), name, path, sizeof(path));
		if (len < sizeof(path))
			fault_paths_learn(paths, xdr_opaque_slice(e.name_handle.handle.data),
					  slice_make(path, len));
	}
}

static void learn_from(const struct fault_call *call, struct cursor c, struct fault_paths *paths)
{
	if (call->learn_len == 0)
		return;
	if (call->program == MOUNT_PROGRAM && call->version == 3) {
		struct xdr_opaque handle = cursor_opaque(&c, FHSIZE3);

		if (cursor_ok(&c))
			fault_paths_learn(paths, xdr_opaque_slice(handle), learn_path_of(call));
	} else if (call->program == NFS4_PROGRAM && call->version == 3) {
		if (call->procedure == NFSPROC3_READDIRPLUS)
			learn_listing(call, c, paths);
		else
			learn_nfs3(call, c, paths);
	}
}

/* MOUNT has a status in the results of MNT alone; NLM has its cookie in front of it. */
static bool read_status(const struct fault_call *call, struct cursor *c, uint32_t *status)
{
	const struct names_version *v = names_version_find(call->program, call->version);

	if (!v || call->procedure == 0)
		return false;
	if (call->program == NLM_PROG) {
		cursor_opaque(c, LM_MAXNETOBJ);
	} else if (!v->statuses ||
		   (call->program == MOUNT_PROGRAM && call->procedure != MOUNTPROC3_MNT)) {
		return false;
	}
	*status = cursor_u32(c);
	return cursor_ok(c);
}

static void read_plain_results(struct fault_message *m, struct cursor c,
			       const struct fault_call *call, struct fault_paths *paths)
{
	m->ops_len = 1;
	m->ops[0].number = m->procedure;
	m->ops[0].offset = m->body_offset;
	m->has_status = read_status(call, &c, &m->status);
	m->ops[0].has_status = m->has_status;
	m->ops[0].status = m->status;
	if (m->has_status && m->status == 0 && paths)
		learn_from(call, c, paths);
}

bool fault_message_read_reply(struct slice bytes, size_t missing_bytes,
			      const struct fault_call *call, const struct fault_peer *client,
			      struct fault_paths *paths, struct fault_message *m)
{
	struct cursor c = cursor_make_cut(bytes, missing_bytes);
	struct rpc_msg head;

	message_init(m, FAULT_REPLY, client);
	if (!rpc_msg_decode(&c, &head) || head.type != RPC_MSG_REPLY)
		return false;
	m->bytes = bytes;
	m->missing_bytes = missing_bytes;
	m->is_callback = call->is_callback;
	m->is_plain = call->is_plain;
	m->xid = head.xid;
	m->program = call->program;
	m->version = call->version;
	m->procedure = call->procedure;
	m->minor = call->minor;
	m->is_compound = is_compound(m);
	if (head.body != RPC_BODY_PLAIN || !call->is_plain)
		return true;
	m->body_offset = cursor_offset(&c);
	if (m->is_compound)
		fault_message_read_results(m, c, call, paths);
	else
		read_plain_results(m, c, call, paths);
	return true;
}

void fault_message_of_connect(uint32_t program, const struct fault_peer *client,
			      struct fault_message *m)
{
	message_init(m, FAULT_CONNECT, client);
	m->program = program;
}

void fault_call_keep(const struct fault_message *m, struct fault_call *out)
{
	out->xid = m->xid;
	out->program = m->program;
	out->version = m->version;
	out->procedure = m->procedure;
	out->minor = m->minor;
	out->is_callback = m->is_callback;
	out->is_plain = m->is_plain;
	out->plan.len = 0;
	out->learn_op = (uint8_t)m->learn_op;
	out->learn_len = 0;
	if (m->learn_path.len && m->learn_path.len <= sizeof(out->learn)) {
		memcpy(out->learn, m->learn_path.ptr, m->learn_path.len);
		out->learn_len = (uint16_t)m->learn_path.len;
	}
}
