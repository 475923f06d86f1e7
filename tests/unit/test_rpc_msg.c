// SPDX-License-Identifier: GPL-2.0-or-later
/* proto/rpc_msg.h: headers by hand, cut at every byte. */
#include "check.h"
#include "proto/rpc_encode.h"

#include <stdlib.h>

enum { MESSAGE_MAX = 512 };

struct message {
	uint8_t bytes[MESSAGE_MAX];
	size_t len;
};

static void put(struct message *m, uint32_t v)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		m->bytes[m->len++] = (uint8_t)(v >> shift);
}

static void put_all(struct message *m, const uint32_t *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		put(m, words[i]);
}

#define PUT(m, ...)                                   \
	put_all((m), (const uint32_t[]){__VA_ARGS__}, \
		sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

static struct message call_sys(void)
{
	struct message m = {.len = 0};

	PUT(&m, 0x1234, 0, 2, 100003, 4, 1);
	PUT(&m, 1, 36, 99, 5, 0x6e667331, 0x61000000, 1000, 100, 2, 7, 8); /* "nfs1a" */
	PUT(&m, 0, 0, 0xfeed);
	return m;
}

static struct message call_gss(uint32_t proc, uint32_t service)
{
	struct message m = {.len = 0};

	PUT(&m, 5, 0, 2, 100003, 4, 1, 6, 24, 1, proc, 77, service, 4, 0xaabbccdd);
	PUT(&m, 6, 4, 0x11111111);
	if (service == RPC_GSS_SERVICE_INTEGRITY)
		PUT(&m, 8, 77);
	put(&m, 0xfeed);
	return m;
}

/* Decodes a cut copy of the message, of which `whole` bytes are announced. */
static bool decode(const struct message *m, size_t have, size_t whole, struct rpc_msg *out,
		   enum cursor_fault *fault, uint32_t *next)
{
	uint8_t *copy = check_copy(m->bytes, have);
	struct cursor c = cursor_make_cut(slice_make(copy, have), whole - have);
	bool ok = rpc_msg_decode(&c, out);

	*fault = c.fault;
	*next = ok ? cursor_u32(&c) : 0;
	free(copy);
	return ok;
}

/* Up to its header's end every cut fails, as a cut or as too short, and xid and type stay. */
static void check_cuts(const struct message *m, size_t header_bytes)
{
	struct rpc_msg msg;
	enum cursor_fault fault;
	uint32_t next;

	for (size_t have = 0; have <= m->len; have++) {
		bool want = have >= header_bytes;

		CHECK(decode(m, have, m->len, &msg, &fault, &next) == want);
		CHECK_EQ_U64(fault, want ? CURSOR_OK : CURSOR_CUT);
		if (have >= 8)
			CHECK_EQ_U64(msg.xid, m->bytes[3] + 256u * m->bytes[2]);
		CHECK(decode(m, have, have, &msg, &fault, &next) == want);
		CHECK_EQ_U64(fault, want ? CURSOR_OK : CURSOR_SHORT);
	}
}

TEST(call_with_auth_sys)
{
	struct message m = call_sys();
	struct cursor c = cursor_make(slice_make(m.bytes, m.len));
	struct rpc_msg msg;

	CHECK(rpc_msg_decode(&c, &msg));
	CHECK_EQ_U64(msg.xid, 0x1234);
	CHECK_EQ_U64(msg.type, RPC_MSG_CALL);
	CHECK_EQ_U64(msg.body, RPC_BODY_PLAIN);
	CHECK_EQ_U64(msg.call.program, 100003);
	CHECK_EQ_U64(msg.call.version, 4);
	CHECK_EQ_U64(msg.call.procedure, 1);
	CHECK(msg.call.has_sys && !msg.call.has_gss);
	CHECK_BYTES(msg.call.sys.machine.ptr, msg.call.sys.machine.len, "nfs1a", 5);
	CHECK_EQ_U64(msg.call.sys.uid, 1000);
	CHECK_EQ_U64(msg.call.sys.gid, 100);
	CHECK_EQ_U64(msg.call.sys.gids_len, 2);
	CHECK_EQ_U64(msg.call.sys.gids[1], 8);
	CHECK_EQ_U64(cursor_u32(&c), 0xfeed);
	check_cuts(&m, m.len - 4);
}

TEST(credential_that_is_not_well_formed)
{
	struct message m = call_sys();
	struct cursor c = cursor_make(slice_make(m.bytes, m.len));
	struct rpc_msg msg;

	m.bytes[24 + 8 + 24 + 3] = 17; /* more groups than there may be */
	CHECK(rpc_msg_decode(&c, &msg));
	CHECK(!msg.call.has_sys);
	CHECK_EQ_U64(cursor_u32(&c), 0xfeed);
	/* Longer than any credential. */
	m.bytes[24 + 6] = 2;
	c = cursor_make(slice_make(m.bytes, m.len));
	CHECK(!rpc_msg_decode(&c, &msg));
	CHECK_EQ_U64(c.fault, CURSOR_LIMIT);
	CHECK_EQ_U64(msg.call.program, 100003);
}

TEST(call_with_rpcsec_gss)
{
	static const struct {
		uint32_t proc, service;
		enum rpc_body body;
	} cases[] = {
		{RPC_GSS_DATA, RPC_GSS_SERVICE_NONE, RPC_BODY_PLAIN},
		{RPC_GSS_DATA, RPC_GSS_SERVICE_INTEGRITY, RPC_BODY_INTEGRITY},
		{RPC_GSS_DATA, RPC_GSS_SERVICE_PRIVACY, RPC_BODY_SEALED},
		{RPC_GSS_INIT, RPC_GSS_SERVICE_NONE, RPC_BODY_SEALED},
		{RPC_GSS_DATA, 99, RPC_BODY_SEALED},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct message m = call_gss(cases[i].proc, cases[i].service);
		struct cursor c = cursor_make(slice_make(m.bytes, m.len));
		struct rpc_msg msg;

		CHECK(rpc_msg_decode(&c, &msg));
		CHECK_EQ_U64(msg.body, cases[i].body);
		CHECK(msg.call.has_gss);
		CHECK_EQ_U64(msg.call.gss.seq, 77);
		CHECK_EQ_U64(msg.call.gss.service, cases[i].service);
		CHECK_EQ_U64(msg.call.gss.handle.len, 4);
		CHECK_EQ_U64(cursor_u32(&c), 0xfeed);
		check_cuts(&m, m.len - 4);
	}
}

TEST(accepted_replies)
{
	struct message m = {.len = 0};
	struct cursor c;
	struct rpc_msg msg;
	struct rpc_auth_gss gss = {.proc = RPC_GSS_DATA, .service = RPC_GSS_SERVICE_INTEGRITY};

	PUT(&m, 9, 1, 0, 6, 4, 0x22222222, 0, 8, 77, 0xfeed);
	c = cursor_make(slice_make(m.bytes, m.len));
	CHECK(rpc_msg_decode(&c, &msg));
	CHECK_EQ_U64(msg.type, RPC_MSG_REPLY);
	CHECK_EQ_U64(msg.body, RPC_BODY_PLAIN);
	CHECK_EQ_U64(msg.reply.verf.flavor, RPC_AUTH_GSS);
	CHECK_EQ_U64(rpc_reply_enter_gss(&c, &gss), RPC_BODY_INTEGRITY);
	CHECK_EQ_U64(cursor_u32(&c), 0xfeed);
	check_cuts(&m, 28);

	m.len = 0;
	PUT(&m, 9, 1, 0, 0, 0, RPC_ACCEPT_PROG_MISMATCH, 3, 4);
	c = cursor_make(slice_make(m.bytes, m.len));
	CHECK(rpc_msg_decode(&c, &msg));
	CHECK_EQ_U64(msg.body, RPC_BODY_NONE);
	CHECK_EQ_U64(msg.reply.low, 3);
	CHECK_EQ_U64(msg.reply.high, 4);
	check_cuts(&m, m.len);

	m.bytes[23] = 6; /* no such accept_stat */
	c = cursor_make(slice_make(m.bytes, m.len));
	CHECK(!rpc_msg_decode(&c, &msg));
	CHECK_EQ_U64(c.fault, CURSOR_VALUE);
}

TEST(denied_replies)
{
	struct message m = {.len = 0};
	struct cursor c;
	struct rpc_msg msg;

	PUT(&m, 9, 1, 1, 1, 13);
	c = cursor_make(slice_make(m.bytes, m.len));
	CHECK(rpc_msg_decode(&c, &msg));
	CHECK_EQ_U64(msg.reply.reply_stat, RPC_REPLY_DENIED);
	CHECK_EQ_U64(msg.reply.auth_stat, 13);
	CHECK_EQ_U64(rpc_msg_plausible(slice_make(m.bytes, m.len), m.len), RPC_PLAUSIBLE_YES);
	check_cuts(&m, m.len);

	m.len = 0;
	PUT(&m, 9, 1, 1, 0, 2, 2);
	c = cursor_make(slice_make(m.bytes, m.len));
	CHECK(rpc_msg_decode(&c, &msg));
	CHECK_EQ_U64(msg.reply.high, 2);
	check_cuts(&m, m.len);
}

TEST(plausible_as_soon_as_can_be_told)
{
	struct message m = call_sys();
	struct message other = {.len = 0};
	struct rpc_msg msg;

	for (size_t have = 0; have <= m.len; have++)
		CHECK_EQ_U64(rpc_msg_plausible(slice_make(m.bytes, have), m.len),
			     have < 32 ? RPC_PLAUSIBLE_MORE : RPC_PLAUSIBLE_YES);
	CHECK_EQ_U64(rpc_msg_plausible(slice_make(m.bytes, m.len), 39), RPC_PLAUSIBLE_NO);
	/* Too short for a call, but not for a reply, which it may still be. */
	CHECK_EQ_U64(rpc_msg_plausible(slice_make(m.bytes, 3), 24), RPC_PLAUSIBLE_MORE);
	CHECK(rpc_msg_peek(cursor_make(slice_make(m.bytes, 24)), &msg));
	CHECK_EQ_U64(msg.call.procedure, 1);
	CHECK(!rpc_msg_peek(cursor_make(slice_make(m.bytes, 23)), &msg));
	m.bytes[11] = 3; /* RPC version */
	CHECK_EQ_U64(rpc_msg_plausible(slice_make(m.bytes, m.len), m.len), RPC_PLAUSIBLE_NO);
	PUT(&other, 0x47455420, 0x2f204854, 0x54502f31, 0x2e310d0a, 0x486f7374);
	CHECK_EQ_U64(rpc_msg_plausible(slice_make(other.bytes, other.len), 4000), RPC_PLAUSIBLE_NO);
}

TEST(what_is_encoded_is_decoded)
{
	static const struct rpc_reply_header replies[] = {
		{.reply_stat = RPC_REPLY_ACCEPTED, .accept_stat = RPC_ACCEPT_SUCCESS},
		{.reply_stat = RPC_REPLY_ACCEPTED,
		 .accept_stat = RPC_ACCEPT_PROG_MISMATCH,
		 .low = 3,
		 .high = 4},
		{.reply_stat = RPC_REPLY_DENIED,
		 .reject_stat = RPC_REJECT_MISMATCH,
		 .low = 2,
		 .high = 2},
		{.reply_stat = RPC_REPLY_DENIED,
		 .reject_stat = RPC_REJECT_AUTH_ERROR,
		 .auth_stat = 5},
	};
	struct message want = call_sys();
	uint8_t bytes[MESSAGE_MAX];
	struct xdr_writer w = xdr_writer_make(bytes, sizeof(bytes));
	struct cursor c = cursor_make(slice_make(want.bytes, want.len));
	struct rpc_msg msg, again;

	CHECK(rpc_msg_decode(&c, &msg));
	rpc_call_encode(&w, msg.xid, &msg.call);
	CHECK(xdr_writer_ok(&w));
	CHECK_BYTES(bytes, xdr_writer_bytes(&w).len, want.bytes, want.len - 4);
	w = xdr_writer_make(bytes, sizeof(bytes));
	rpc_auth_sys_encode(&w, &msg.call.sys);
	CHECK_BYTES(bytes, xdr_writer_bytes(&w).len, want.bytes + 32, 36);
	msg.call.sys.gids_len = RPC_AUTH_GIDS_MAX + 1;
	rpc_auth_sys_encode(&w, &msg.call.sys);
	CHECK(!xdr_writer_ok(&w));

	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		w = xdr_writer_make(bytes, sizeof(bytes));
		rpc_reply_encode(&w, 7, &replies[i]);
		c = cursor_make(xdr_writer_bytes(&w));
		CHECK(xdr_writer_ok(&w) && rpc_msg_decode(&c, &again));
		CHECK_EQ_U64(cursor_left(&c), 0);
		CHECK_EQ_U64(again.reply.high, replies[i].high);
		CHECK_EQ_U64(again.reply.auth_stat, replies[i].auth_stat);
	}
	w = xdr_writer_make(bytes, sizeof(bytes));
	rpc_mark_encode(&w, 100, true);
	CHECK_BYTES(bytes, xdr_writer_bytes(&w).len, "\x80\0\0\x64", 4);
}
