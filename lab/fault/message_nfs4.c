// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The operations of COMPOUND and CB_COMPOUND (RFC 8881 sections 16.2, 20.2): numbers, the current
 * file handle and path as they go, the slot.
 */
#include "lab/fault/message.h"

#include "names/nfs4.h"
#include "proto/nfs4_xdr.h"

struct walk {
	struct fault_message *m;
	const struct fault_paths *paths;
	struct slice handle, path;             /* current */
	struct slice saved_handle, saved_path; /* SAVEFH */
};

static void enter(struct walk *w, struct fault_op *op, struct xdr_opaque name)
{
	op->path = fault_message_join(w->m, w->path, xdr_opaque_slice(name));
}

static void go_to(struct walk *w, struct slice handle, struct slice path)
{
	w->handle = handle;
	w->path = path;
}

static void walk_open(struct walk *w, struct fault_op *op, const struct nfs4_OPEN4args *args)
{
	if (args->claim.claim == CLAIM_NULL)
		enter(w, op, args->claim.file);
	else if (args->claim.claim == CLAIM_DELEGATE_CUR)
		enter(w, op, args->claim.delegate_cur_info.file);
	else if (args->claim.claim == CLAIM_DELEGATE_PREV)
		enter(w, op, args->claim.file_delegate_prev);
	else
		return;
	go_to(w, (struct slice){0}, op->path);
}

/* What an operation does to the current file handle; `op` has the current one to begin with. */
static void walk_op(struct walk *w, struct fault_op *op, const struct nfs4_nfs_argop4 *arg)
{
	switch (arg->argop) {
	case OP_PUTFH:
		op->handle = xdr_opaque_slice(arg->opputfh.object);
		op->path = fault_paths_find(w->paths, op->handle);
		go_to(w, op->handle, op->path);
		break;
	case OP_PUTROOTFH:
	case OP_PUTPUBFH:
		op->path = slice_of_string("/");
		go_to(w, (struct slice){0}, op->path);
		break;
	case OP_SAVEFH:
		w->saved_handle = w->handle;
		w->saved_path = w->path;
		break;
	case OP_RESTOREFH:
		go_to(w, w->saved_handle, w->saved_path);
		break;
	case OP_LOOKUP:
		enter(w, op, arg->oplookup.objname);
		go_to(w, (struct slice){0}, op->path);
		break;
	case OP_LOOKUPP:
	case OP_OPENATTR:
		go_to(w, (struct slice){0}, (struct slice){0});
		break;
	case OP_CREATE:
		enter(w, op, arg->opcreate.objname);
		go_to(w, (struct slice){0}, op->path);
		break;
	case OP_OPEN:
		walk_open(w, op, &arg->opopen);
		break;
	case OP_REMOVE:
		enter(w, op, arg->opremove.target);
		break;
	case OP_RENAME:
		op->path = fault_message_join(w->m, w->saved_path,
					      xdr_opaque_slice(arg->oprename.oldname));
		break;
	case OP_LINK:
		enter(w, op, arg->oplink.newname);
		break;
	case OP_SEQUENCE:
		w->m->has_slot = true;
		w->m->slot = arg->opsequence.sa_slotid;
		break;
	default: /* operations, not members of a closed enum: works on the current file handle */
		break;
	}
}

/* The operation that begins here, which is not counted yet; NULL: its number is not here. */
static struct fault_op *op_begin(struct fault_message *m, const struct cursor *c)
{
	struct fault_op *op = &m->ops[m->ops_len];
	struct cursor peek = *c;

	op->number = cursor_u32(&peek);
	if (!cursor_ok(&peek))
		return NULL;
	op->offset = cursor_offset(c);
	return op;
}

static void read_ops(struct fault_message *m, struct cursor *c, uint32_t count,
		     const struct fault_paths *paths)
{
	struct walk w = {.m = m, .paths = paths};
	struct nfs4_nfs_argop4 arg;

	while (m->ops_len < count && m->ops_len < FAULT_OPS_MAX) {
		struct fault_op *op = op_begin(m, c);

		if (!op)
			return;
		op->handle = w.handle;
		op->path = w.path;
		nfs4_decode_nfs_argop4(c, &arg);
		m->ops_len++;
		if (!cursor_ok(c))
			return;
		walk_op(&w, op, &arg);
		if (op->number == OP_GETFH) {
			m->learn_op = m->ops_len - 1;
			m->learn_path = w.path;
		}
	}
}

static void read_callback_ops(struct fault_message *m, struct cursor *c, uint32_t count)
{
	struct nfs4_nfs_cb_argop4 arg;

	while (m->ops_len < count && m->ops_len < FAULT_OPS_MAX) {
		const struct fault_op *op = op_begin(m, c);

		if (!op)
			return;
		nfs4_decode_nfs_cb_argop4(c, &arg);
		m->ops_len++;
		if (!cursor_ok(c))
			return;
		if (op->number == OP_CB_SEQUENCE) {
			m->has_slot = true;
			m->slot = arg.opcb_sequence.csa_slotid;
		}
	}
}

void fault_message_read_compound(struct fault_message *m, struct cursor c,
				 const struct fault_paths *paths)
{
	if (m->is_callback) {
		struct nfs4_CB_COMPOUND4args args;

		nfs4_decode_CB_COMPOUND4args_head(&c, &args);
		m->minor = args.minorversion;
		read_callback_ops(m, &c, args.argarray.count);
	} else {
		struct nfs4_COMPOUND4args args;

		nfs4_decode_COMPOUND4args_head(&c, &args);
		m->minor = args.minorversion;
		read_ops(m, &c, args.argarray.count, paths);
	}
}

static void learn_handle(const struct fault_call *call, struct cursor c, struct fault_paths *paths)
{
	struct nfs4_nfs_resop4 res;

	nfs4_decode_nfs_resop4(&c, &res);
	if (cursor_ok(&c) && res.resop == OP_GETFH && res.opgetfh.status == NFS4_OK)
		fault_paths_learn(paths, xdr_opaque_slice(res.opgetfh.resok4.object),
				  slice_make(call->learn, call->learn_len));
}

void fault_message_read_results(struct fault_message *m, struct cursor c,
				const struct fault_call *call, struct fault_paths *paths)
{
	struct nfs4_COMPOUND4res res; /* CB_COMPOUND4res is the same */

	nfs4_decode_COMPOUND4res_head(&c, &res);
	m->has_status = cursor_ok(&c);
	m->status = res.status;
	while (m->ops_len < res.resarray.count && m->ops_len < FAULT_OPS_MAX && cursor_ok(&c)) {
		struct fault_op *op = &m->ops[m->ops_len];

		op->offset = cursor_offset(&c);
		op->has_status = m->is_callback
					 ? nfs4_peek_nfs_cb_resop4(&c, &op->number, &op->status)
					 : nfs4_peek_nfs_resop4(&c, &op->number, &op->status);
		if (!op->has_status)
			return;
		if (paths && call->learn_len && call->learn_op == m->ops_len)
			learn_handle(call, c, paths);
		if (m->is_callback)
			nfs4_skip_nfs_cb_resop4(&c);
		else
			nfs4_skip_nfs_resop4(&c);
		m->ops_len++;
	}
}
