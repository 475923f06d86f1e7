// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * proto/rpc_msg.h: a message, whole, cut, and too short. The first two bytes tell how many more
 * bytes it is said to have.
 */
#include "fuzz.h"
#include "proto/rpc_msg.h"

#include <stdlib.h>

static void require(int holds)
{
	if (!holds)
		abort();
}

static void check(struct slice bytes, size_t missing)
{
	struct cursor c = cursor_make_cut(bytes, missing);
	struct rpc_msg msg, peeked;
	bool is_peeked = rpc_msg_peek(c, &peeked);
	struct rpc_auth_gss gss = {.proc = RPC_GSS_DATA, .service = RPC_GSS_SERVICE_INTEGRITY};

	rpc_msg_plausible(bytes, bytes.len + missing);
	if (!rpc_msg_decode(&c, &msg)) {
		require(!cursor_ok(&c));
		return;
	}
	require(cursor_ok(&c) && is_peeked && peeked.xid == msg.xid);
	if (msg.type == RPC_MSG_CALL) {
		require(peeked.call.procedure == msg.call.procedure);
		require(!msg.call.has_sys || msg.call.sys.gids_len <= RPC_AUTH_GIDS_MAX);
		require(msg.call.cred.body.len <= RPC_AUTH_BODY_MAX);
	} else {
		rpc_reply_enter_gss(&c, &gss);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice bytes;

	if (size < 2)
		return 0;
	bytes = slice_make(data + 2, size - 2);
	check(bytes, 0);
	check(bytes, (size_t)data[0] << 8 | data[1]);
	return 0;
}
