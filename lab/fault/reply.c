// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Replies with a status that somebody wants (RFC 5531 section 9; the failing arms of results as
 * the specifications have them, without attributes).
 */
#include "lab/fault/filter.h"

#include "names/nfs4.h"
#include "names/nlm.h"
#include "proto/nfs4_xdr.h"
#include "proto/nlm_xdr.h"
#include "proto/rpc_encode.h"
#include "proto/xdr_type.h"

enum {
	BODY_BYTES_MAX = 2048, /* of a failed result: NLM's cookie is the longest */
	VALUE_BYTES_MAX = 4096 /* of the generated type of a result */
};

void fault_reply_of_status(const struct fault_status *s, uint32_t xid, struct strbuf *out)
{
	uint8_t memory[64];
	struct xdr_writer w = xdr_writer_make(memory, sizeof(memory));
	struct rpc_reply_header head = {.reply_stat = RPC_REPLY_ACCEPTED};

	if (s->kind == FAULT_STATUS_ACCEPT)
		head.accept_stat = s->value;
	if (s->kind == FAULT_STATUS_AUTH) {
		head.reply_stat = RPC_REPLY_DENIED;
		head.reject_stat = RPC_REJECT_AUTH_ERROR;
		head.auth_stat = s->value;
	}
	rpc_reply_encode(&w, xid, &head);
	strbuf_reset(out);
	strbuf_add(out, memory, xdr_writer_bytes(&w).len);
}

static bool is_rpc(const struct fault_status *s)
{
	return s->kind == FAULT_STATUS_ACCEPT || s->kind == FAULT_STATUS_AUTH;
}

/* NLM's results have the call's cookie in front of the status. */
static void encode_nlm(struct xdr_writer *w, const struct fault_message *m, uint32_t status)
{
	size_t offset = m->body_offset < m->bytes.len ? m->body_offset : m->bytes.len;
	struct cursor c = cursor_make(slice_make(m->bytes.ptr + offset, m->bytes.len - offset));
	struct xdr_opaque cookie = cursor_opaque(&c, LM_MAXNETOBJ);

	if (m->procedure == NLMPROC4_TEST && m->version == NLM4_VERS) {
		struct nlm_nlm4_testres res = {.cookie = cookie, .stat.stat = status};

		nlm_encode_nlm4_testres(w, &res);
	} else if (m->procedure == NLMPROC4_TEST) {
		struct nlm_nlm_testres res = {.cookie = cookie, .stat.stat = status};

		nlm_encode_nlm_testres(w, &res);
	} else {
		xdr_put_opaque(w, cookie, LM_MAXNETOBJ);
		xdr_put_u32(w, status);
	}
}

/* Results of any other program begin with their status; all behind it is zero. */
static bool encode_results(struct xdr_writer *w, const struct fault_message *m, uint32_t status)
{
	const struct xdr_procedure *p = xdr_procedure_find(m->program, m->version, m->procedure);
	_Alignas(max_align_t) uint8_t value[VALUE_BYTES_MAX] = {0};

	if (!p || !p->results || p->results->size_bytes > sizeof(value))
		return false;
	if (m->program == NLM_PROG) {
		encode_nlm(w, m, status);
	} else {
		memcpy(value, &status, sizeof(status));
		p->results->encode(w, value);
	}
	return xdr_writer_ok(w);
}

static void encode_header(struct xdr_writer *w, uint32_t xid)
{
	struct rpc_reply_header head = {.reply_stat = RPC_REPLY_ACCEPTED};

	rpc_reply_encode(w, xid, &head);
}

/* The result of one operation that failed. */
static void encode_op(struct xdr_writer *w, bool is_callback, uint32_t number, uint32_t status)
{
	if (is_callback) {
		xdr_put_u32(w, number);
		xdr_put_u32(w, status);
	} else {
		struct nfs4_nfs_resop4 res = {.resop = number};

		res.status = status;
		nfs4_encode_nfs_resop4(w, &res);
	}
}

/* A COMPOUND's reply with nothing but its first operation, which failed. */
static void encode_compound(struct xdr_writer *w, const struct fault_message *call, uint32_t status)
{
	xdr_put_u32(w, status);
	xdr_put_u32(w, 0); /* no tag */
	xdr_put_u32(w, 1);
	encode_op(w, call->is_callback, call->ops[0].number, status);
}

/* Without a header's credentials: the place of the count of operations in the call. */
static size_t count_offset(const struct fault_message *call)
{
	return call->ops[0].offset - 4;
}

static bool build_whole(const struct fault_status *s, const struct fault_message *call,
			struct strbuf *out)
{
	uint8_t memory[BODY_BYTES_MAX];
	struct xdr_writer w = xdr_writer_make(memory, sizeof(memory));

	if (is_rpc(s)) {
		fault_reply_of_status(s, call->xid, out);
		return true;
	}
	encode_header(&w, call->xid);
	if (call->is_compound) {
		if (call->ops_len == 0)
			return false;
		encode_compound(&w, call, s->value);
	} else if (!encode_results(&w, call, s->value)) {
		return false;
	}
	if (!xdr_writer_ok(&w))
		return false;
	strbuf_reset(out);
	strbuf_add(out, memory, xdr_writer_bytes(&w).len);
	return true;
}

bool fault_answer_build(const struct fault_status *s, uint8_t op, const struct fault_message *call,
			struct strbuf *out, bool *is_whole)
{
	*is_whole = is_rpc(s) || !call->is_compound || op == 0 || op >= call->ops_len;
	if (*is_whole)
		return build_whole(s, call, out);
	strbuf_reset(out);
	strbuf_add(out, call->bytes.ptr, call->ops[op].offset);
	fault_put_u32(out, count_offset(call), op);
	return true;
}

/* Offset of a COMPOUND reply's count: behind status and tag. */
static size_t reply_count_offset(const struct fault_message *m)
{
	struct cursor c = cursor_make(
		slice_make(m->bytes.ptr + m->body_offset, m->bytes.len - m->body_offset));

	cursor_u32(&c);
	cursor_opaque(&c, XDR_ANY);
	return cursor_ok(&c) ? m->body_offset + cursor_offset(&c) : 0;
}

/* The operation's result and all behind it go, and the failed one comes. */
static void set_compound(const struct fault_status *s, const struct fault_edit *e,
			 const struct fault_message *m, struct strbuf *bytes)
{
	uint32_t op = e->op == FAULT_OP_WHOLE ? 0 : e->op;
	uint8_t memory[BODY_BYTES_MAX];
	struct xdr_writer w = xdr_writer_make(memory, sizeof(memory));
	size_t count_at = reply_count_offset(m);

	/* An earlier operation failed: this one was never reached. */
	if (!count_at || op > m->ops_len || (op == m->ops_len && m->status != NFS4_OK))
		return;
	encode_op(&w, m->is_callback, op < m->ops_len ? m->ops[op].number : e->number, s->value);
	if (!xdr_writer_ok(&w))
		return;
	if (op < m->ops_len && m->ops[op].offset <= bytes->len)
		bytes->len = m->ops[op].offset;
	fault_put_u32(bytes, m->body_offset, s->value);
	fault_put_u32(bytes, count_at, op + 1);
	strbuf_add(bytes, memory, xdr_writer_bytes(&w).len);
}

void fault_reply_set_status(const struct fault_status *s, const struct fault_edit *e,
			    const struct fault_message *m, struct strbuf *bytes)
{
	uint8_t memory[BODY_BYTES_MAX];
	struct xdr_writer w = xdr_writer_make(memory, sizeof(memory));

	if (is_rpc(s)) {
		fault_reply_of_status(s, m->xid, bytes);
	} else if (m->body_offset == 0 || m->body_offset > m->bytes.len) {
		return;
	} else if (m->is_compound) {
		set_compound(s, e, m, bytes);
	} else if (encode_results(&w, m, s->value) && m->body_offset <= bytes->len) {
		bytes->len = m->body_offset;
		strbuf_add(bytes, memory, xdr_writer_bytes(&w).len);
	}
}
