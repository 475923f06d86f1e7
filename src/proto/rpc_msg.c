// SPDX-License-Identifier: GPL-2.0-or-later
/* See rpc_msg.h. Section numbers are RFC 5531's unless another RFC is named. */
#include "proto/rpc_msg.h"

#include "base/hash.h"
#include "proto/rpc_record.h"
#include "proto/rpc_search.h"

#include <stddef.h>

enum {
	RPC_VERSION = 2,
	RPC_GSS_VERSION = 1,
	RPC_GSS_HANDLE_MAX = RPC_AUTH_BODY_MAX,
	RPC_FLAVOR_PLAUSIBLE_MAX = RPC_AUTH_TLS,
	RPC_VERSION_PLAUSIBLE_MAX = 0xffff,
	RPC_PROCEDURE_PLAUSIBLE_MAX = 0xffff,
	RPC_AUTH_STAT_MAX = 14, /* RPCSEC_GSS_CTXPROBLEM, section 9 */
	RPC_CALL_BYTES_MIN = 40,
	RPC_ACCEPTED_BYTES_MIN = 24,
	RPC_DENIED_MISMATCH_BYTES = 24,
	RPC_DENIED_AUTH_BYTES = 20,
	RPC_HEAD_HASH_BYTES = 256,
};

static inline size_t rpc_padded(uint32_t len)
{
	return ((size_t)len + 3) & ~(size_t)3;
}

static void rpc_auth_decode_slow(struct cursor *c, struct rpc_auth *out)
{
	out->flavor = cursor_u32(c);
	out->body = xdr_opaque_slice(cursor_opaque(c, RPC_AUTH_BODY_MAX));
}

/*
 * Two fields that nearly each message has whole: read with one check, as all that stands in front
 * of the arguments; the cursor does the rest.
 */
static inline void rpc_auth_decode(struct cursor *c, struct rpc_auth *out)
{
	const uint8_t *p = c->pos;
	uint32_t len;

	if (__builtin_expect(cursor_here(c) < 8 || !cursor_ok(c), 0)) {
		rpc_auth_decode_slow(c, out);
		return;
	}
	len = rpc_mark_load(p + 4);
	if (__builtin_expect(len > RPC_AUTH_BODY_MAX || rpc_padded(len) > cursor_here(c) - 8, 0)) {
		rpc_auth_decode_slow(c, out);
		return;
	}
	out->flavor = rpc_mark_load(p);
	out->body = slice_make(p + 8, len);
	c->pos = p + 8 + rpc_padded(len);
}

/* Appendix A. */
static bool rpc_auth_sys_decode(struct slice body, struct rpc_auth_sys *out)
{
	enum { BEFORE_BYTES = 8, BEHIND_BYTES = 12 }; /* of the machine's name */
	const uint8_t *p = body.ptr;
	uint32_t name_bytes, count;
	size_t at;

	if (body.len < BEFORE_BYTES + BEHIND_BYTES)
		return false;
	name_bytes = rpc_mark_load(p + 4);
	if (name_bytes > RPC_MACHINE_NAME_MAX ||
	    rpc_padded(name_bytes) > body.len - BEFORE_BYTES - BEHIND_BYTES)
		return false;
	at = BEFORE_BYTES + rpc_padded(name_bytes);
	count = rpc_mark_load(p + at + 8);
	if (count > RPC_AUTH_GIDS_MAX || body.len - at - BEHIND_BYTES < 4 * (size_t)count)
		return false;
	out->stamp = rpc_mark_load(p);
	out->machine = slice_make(p + BEFORE_BYTES, name_bytes);
	out->uid = rpc_mark_load(p + at);
	out->gid = rpc_mark_load(p + at + 4);
	for (uint32_t i = 0; i < count; i++)
		out->gids[i] = rpc_mark_load(p + at + BEHIND_BYTES + 4 * (size_t)i);
	out->gids_len = count;
	return true;
}

/* RFC 2203 section 5.3.1. */
static bool rpc_auth_gss_decode(struct slice body, struct rpc_auth_gss *out)
{
	struct cursor c = cursor_make(body);

	out->version = cursor_u32(&c);
	out->proc = cursor_u32(&c);
	out->seq = cursor_u32(&c);
	out->service = cursor_u32(&c);
	out->handle = xdr_opaque_slice(cursor_opaque(&c, RPC_GSS_HANDLE_MAX));
	return cursor_ok(&c) && out->version == RPC_GSS_VERSION;
}

/* RFC 2203 sections 5.2.3.1 and 5.3.2: what protects arguments and results. */
static enum rpc_body rpc_gss_enter(struct cursor *c, const struct rpc_auth_gss *gss)
{
	if (gss->proc != RPC_GSS_DATA)
		return RPC_BODY_SEALED;
	switch (gss->service) {
	case RPC_GSS_SERVICE_NONE:
		return RPC_BODY_PLAIN;
	case RPC_GSS_SERVICE_INTEGRITY:
		cursor_u32(c); /* length of what is protected */
		cursor_u32(c); /* its sequence number */
		return RPC_BODY_INTEGRITY;
	default:
		return RPC_BODY_SEALED;
	}
}

enum rpc_body rpc_reply_enter_gss(struct cursor *c, const struct rpc_auth_gss *call)
{
	return rpc_gss_enter(c, call);
}

static enum rpc_body rpc_call_decode(struct cursor *c, struct rpc_call_header *call)
{
	const uint8_t *p = c->pos;

	if (__builtin_expect(
		    cursor_ok(c) && cursor_here(c) >= 16 && rpc_mark_load(p) == RPC_VERSION, 1)) {
		call->rpcvers = RPC_VERSION;
		call->program = rpc_mark_load(p + 4);
		call->version = rpc_mark_load(p + 8);
		call->procedure = rpc_mark_load(p + 12);
		c->pos = p + 16;
	} else {
		call->rpcvers = cursor_u32(c);
		if (call->rpcvers != RPC_VERSION) {
			cursor_fail(c, CURSOR_VALUE);
			return RPC_BODY_NONE;
		}
		call->program = cursor_u32(c);
		call->version = cursor_u32(c);
		call->procedure = cursor_u32(c);
	}
	rpc_auth_decode(c, &call->cred);
	if (cursor_ok(c) && call->cred.flavor == RPC_AUTH_SYS)
		call->has_sys = rpc_auth_sys_decode(call->cred.body, &call->sys);
	if (cursor_ok(c) && call->cred.flavor == RPC_AUTH_GSS)
		call->has_gss = rpc_auth_gss_decode(call->cred.body, &call->gss);
	rpc_auth_decode(c, &call->verf);
	if (call->cred.flavor != RPC_AUTH_GSS)
		return RPC_BODY_PLAIN;
	return call->has_gss ? rpc_gss_enter(c, &call->gss) : RPC_BODY_SEALED;
}

static enum rpc_body rpc_accepted_decode(struct cursor *c, struct rpc_reply_header *reply)
{
	rpc_auth_decode(c, &reply->verf);
	reply->accept_stat = cursor_u32(c);
	switch (reply->accept_stat) {
	case RPC_ACCEPT_SUCCESS:
		return RPC_BODY_PLAIN;
	case RPC_ACCEPT_PROG_MISMATCH:
		reply->low = cursor_u32(c);
		reply->high = cursor_u32(c);
		return RPC_BODY_NONE;
	case RPC_ACCEPT_PROG_UNAVAIL:
	case RPC_ACCEPT_PROC_UNAVAIL:
	case RPC_ACCEPT_GARBAGE_ARGS:
	case RPC_ACCEPT_SYSTEM_ERR:
		return RPC_BODY_NONE;
	default:
		cursor_fail(c, CURSOR_VALUE);
		return RPC_BODY_NONE;
	}
}

static enum rpc_body rpc_denied_decode(struct cursor *c, struct rpc_reply_header *reply)
{
	reply->reject_stat = cursor_u32(c);
	switch (reply->reject_stat) {
	case RPC_REJECT_MISMATCH:
		reply->low = cursor_u32(c);
		reply->high = cursor_u32(c);
		break;
	case RPC_REJECT_AUTH_ERROR:
		reply->auth_stat = cursor_u32(c);
		break;
	default:
		cursor_fail(c, CURSOR_VALUE);
	}
	return RPC_BODY_NONE;
}

/* What nearly each reply is: accepted, with an empty verifier, and results. */
static bool rpc_reply_is_plain(const struct cursor *c)
{
	static const uint8_t plain[] = {
		0, 0, 0, RPC_REPLY_ACCEPTED, 0, 0, 0, RPC_AUTH_NONE, 0, 0, 0, 0,
		0, 0, 0, RPC_ACCEPT_SUCCESS};

	return cursor_ok(c) && cursor_here(c) >= sizeof(plain) &&
	       memcmp(c->pos, plain, sizeof(plain)) == 0;
}

static enum rpc_body rpc_reply_decode(struct cursor *c, struct rpc_reply_header *reply)
{
	if (__builtin_expect(rpc_reply_is_plain(c), 1)) {
		reply->verf.body.ptr = c->pos + 12;
		c->pos += 16;
		return RPC_BODY_PLAIN;
	}
	reply->reply_stat = cursor_u32(c);
	switch (reply->reply_stat) {
	case RPC_REPLY_ACCEPTED:
		return rpc_accepted_decode(c, reply);
	case RPC_REPLY_DENIED:
		return rpc_denied_decode(c, reply);
	default:
		cursor_fail(c, CURSOR_VALUE);
		return RPC_BODY_NONE;
	}
}

bool rpc_msg_decode(struct cursor *c, struct rpc_msg *out)
{
	const uint8_t *p = c->pos;

	if (__builtin_expect(cursor_here(c) >= 8 && cursor_ok(c), 1)) {
		out->xid = rpc_mark_load(p);
		out->type = rpc_mark_load(p + 4);
		c->pos = p + 8;
	} else {
		out->xid = cursor_u32(c);
		out->type = cursor_u32(c);
	}
	out->body = RPC_BODY_NONE;
	if (out->type ==
	    RPC_MSG_REPLY) { /* its header is short: the rest of `out` is left as it was */
		out->reply = (struct rpc_reply_header){0};
		out->body = rpc_reply_decode(c, &out->reply);
		return cursor_ok(c);
	}
	memset(&out->call, 0, offsetof(struct rpc_call_header, sys));
	out->call.rpcvers = 0;
	out->call.cred = (struct rpc_auth){0};
	out->call.verf = (struct rpc_auth){0};
	if (!cursor_ok(c))
		return false;
	if (out->type == RPC_MSG_CALL)
		out->body = rpc_call_decode(c, &out->call);
	else
		cursor_fail(c, CURSOR_VALUE);
	return cursor_ok(c);
}

uint64_t rpc_msg_head_hash(struct slice message)
{
	return hash_bytes(message.ptr,
			  message.len < RPC_HEAD_HASH_BYTES ? message.len : RPC_HEAD_HASH_BYTES);
}

void rpc_ahead_decode(struct slice payload, struct rpc_ahead *out)
{
	struct cursor c;

	out->message = NULL;
	if (payload.len <= RPC_MARK_BYTES || payload.len > RPC_RECORD_BYTES_MAX ||
	    rpc_mark_load(payload.ptr) != (RPC_MARK_LAST | (payload.len - RPC_MARK_BYTES)))
		return;
	cursor_start(&c, slice_make(payload.ptr + RPC_MARK_BYTES, payload.len - RPC_MARK_BYTES), 0);
	/* What is damaged is looked at in its place. */
	if (!rpc_msg_decode(&c, &out->msg))
		return;
	out->message = payload.ptr + RPC_MARK_BYTES;
	out->message_bytes = (uint32_t)(payload.len - RPC_MARK_BYTES);
	out->header_bytes = (uint32_t)cursor_offset(&c);
	if (out->msg.type == RPC_MSG_CALL)
		out->head_hash = rpc_msg_head_hash(slice_make(out->message, out->message_bytes));
}

bool rpc_msg_peek(struct cursor c, struct rpc_msg *out)
{
	*out = (struct rpc_msg){.body = RPC_BODY_NONE};
	out->xid = cursor_u32(&c);
	out->type = cursor_u32(&c);
	if (!cursor_ok(&c) || out->type > RPC_MSG_REPLY)
		return false;
	if (out->type == RPC_MSG_REPLY)
		return true;
	out->call.rpcvers = cursor_u32(&c);
	out->call.program = cursor_u32(&c);
	out->call.version = cursor_u32(&c);
	out->call.procedure = cursor_u32(&c);
	return cursor_ok(&c) && out->call.rpcvers == RPC_VERSION;
}

/* A test of one field: what does not hold is NO, what is not here is MORE. */
struct rpc_guess {
	struct cursor c;
	enum rpc_plausible verdict;
};

static uint32_t rpc_guess_field(struct rpc_guess *g, uint32_t low, uint32_t high)
{
	uint32_t v = 0;

	if (g->verdict != RPC_PLAUSIBLE_YES)
		return 0;
	v = cursor_u32(&g->c);
	if (!cursor_ok(&g->c))
		g->verdict = RPC_PLAUSIBLE_MORE;
	else if (v < low || v > high)
		g->verdict = RPC_PLAUSIBLE_NO;
	return v;
}

static void rpc_guess_call(struct rpc_guess *g, size_t message_bytes)
{
	rpc_guess_field(g, RPC_VERSION, RPC_VERSION);
	rpc_guess_field(g, 1, UINT32_C(0x7fffffff));
	rpc_guess_field(g, 0, RPC_VERSION_PLAUSIBLE_MAX);
	rpc_guess_field(g, 0, RPC_PROCEDURE_PLAUSIBLE_MAX);
	rpc_guess_field(g, 0, RPC_FLAVOR_PLAUSIBLE_MAX);
	rpc_guess_field(g, 0, RPC_AUTH_BODY_MAX);
	/* While more is needed it may still turn out to be a reply, which can be shorter. */
	if (g->verdict == RPC_PLAUSIBLE_YES && message_bytes < RPC_CALL_BYTES_MIN)
		g->verdict = RPC_PLAUSIBLE_NO;
}

static void rpc_guess_reply(struct rpc_guess *g, size_t message_bytes)
{
	size_t bytes_min = RPC_ACCEPTED_BYTES_MIN;

	if (rpc_guess_field(g, RPC_REPLY_ACCEPTED, RPC_REPLY_DENIED) == RPC_REPLY_ACCEPTED) {
		rpc_guess_field(g, 0, RPC_FLAVOR_PLAUSIBLE_MAX);
		/* Behind the verifier; only an empty one leaves it within reach. */
		if (rpc_guess_field(g, 0, RPC_AUTH_BODY_MAX) == 0)
			rpc_guess_field(g, RPC_ACCEPT_SUCCESS, RPC_ACCEPT_SYSTEM_ERR);
	} else if (rpc_guess_field(g, RPC_REJECT_MISMATCH, RPC_REJECT_AUTH_ERROR) ==
		   RPC_REJECT_AUTH_ERROR) {
		rpc_guess_field(g, 0, RPC_AUTH_STAT_MAX);
		bytes_min = RPC_DENIED_AUTH_BYTES;
	} else {
		rpc_guess_field(g, 0, RPC_VERSION);
		bytes_min = RPC_DENIED_MISMATCH_BYTES;
	}
	if (g->verdict == RPC_PLAUSIBLE_YES && message_bytes < bytes_min)
		g->verdict = RPC_PLAUSIBLE_NO;
}

enum rpc_plausible rpc_msg_plausible(struct slice head, size_t message_bytes)
{
	struct rpc_guess g = {.c = cursor_make(head), .verdict = RPC_PLAUSIBLE_YES};

	if (message_bytes < RPC_MESSAGE_BYTES_MIN)
		return RPC_PLAUSIBLE_NO;
	rpc_guess_field(&g, 0, UINT32_MAX);
	if (rpc_guess_field(&g, RPC_MSG_CALL, RPC_MSG_REPLY) == RPC_MSG_CALL)
		rpc_guess_call(&g, message_bytes);
	else
		rpc_guess_reply(&g, message_bytes);
	return g.verdict;
}
