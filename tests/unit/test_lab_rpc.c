// SPDX-License-Identifier: GPL-2.0-or-later
/* Records and messages of the endpoints. */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "lab/rpc/message.h"
#include "lab/rpc/record.h"

/* Shows the stream in pieces of `step` bytes; returns the records, each with '|' behind it. */
static enum rpc_assembly assemble(struct slice stream, size_t step, size_t limit, char *out)
{
	struct rpc_assembler a = {.limit_bytes = limit};
	enum rpc_assembly done = RPC_ASSEMBLY_MORE;
	size_t from = 0, to = 0, out_len = 0;

	*out = '\0';
	while (done != RPC_ASSEMBLY_BROKEN && (to < stream.len || done == RPC_ASSEMBLY_RECORD)) {
		struct slice record = {0};
		size_t consumed;
		uint8_t *copy;

		if (done != RPC_ASSEMBLY_RECORD)
			to = stream.len - to < step ? stream.len : to + step;
		copy = check_copy(stream.ptr + from, to - from);
		done = rpc_assembler_take(&a, slice_make(copy, to - from), &consumed, &record);
		from += consumed;
		if (done == RPC_ASSEMBLY_RECORD) {
			memcpy(out + out_len, record.ptr, record.len);
			out_len += record.len;
			out[out_len++] = '|';
			out[out_len] = '\0';
		}
		free(copy);
	}
	rpc_assembler_deinit(&a);
	return done;
}

TEST(record_comes_whole_from_any_pieces)
{
	static const char stream[] = "\x80\0\0\4abcd"
				     "\0\0\0\2ef\0\0\0\0\x80\0\0\1g"
				     "\x80\0\0\0"
				     "\x80\0\0\2hi";
	char out[64];

	for (size_t step = 1; step < sizeof(stream); step++) {
		assemble(slice_make(stream, sizeof(stream) - 1), step, 0, out);
		CHECK_TEXT(out, "abcd|efg||hi|");
	}
}

TEST(record_above_the_limit_is_not_believed)
{
	char out[64];

	CHECK_EQ_U64(assemble(slice_make("\x80\0\0\5abcde", 9), 9, 5, out), RPC_ASSEMBLY_MORE);
	CHECK_TEXT(out, "abcde|");
	CHECK_EQ_U64(assemble(slice_make("\x80\0\0\6", 4), 4, 5, out), RPC_ASSEMBLY_BROKEN);
	CHECK_EQ_U64(assemble(slice_make("\0\0\0\3abc\x80\0\0\3", 11), 1, 5, out),
		     RPC_ASSEMBLY_BROKEN);
	CHECK_EQ_U64(assemble(slice_make("\x7f\xff\xff\xff", 4), 4, 0, out), RPC_ASSEMBLY_BROKEN);
}

TEST(record_of_empty_fragments_has_an_end)
{
	uint8_t *zeroes = calloc(RPC_RECORD_FRAGMENTS_MAX + 1, 4);
	char out[8];

	CHECK_EQ_U64(assemble(slice_make(zeroes, (RPC_RECORD_FRAGMENTS_MAX + 1) * 4), 4096, 0, out),
		     RPC_ASSEMBLY_BROKEN);
	free(zeroes);
}

static const uint32_t groups[] = {4, 20};

static struct slice make_call(uint8_t *memory, size_t size, bool sys)
{
	struct rpc_auth_sys who = {
		.machine = slice_of_string("client"), .uid = 1000, .gid = 100, .gids_len = 2};
	struct xdr_writer w = xdr_writer_make(memory, size);

	memcpy(who.gids, groups, sizeof(groups));
	rpc_call_begin(&w, 0x1234, 100003, 3, 1, sys ? &who : NULL);
	xdr_put_u32(&w, 0xaabbccdd);
	CHECK(xdr_writer_ok(&w));
	return xdr_writer_bytes(&w);
}

TEST(call_is_taken_with_its_credentials)
{
	uint8_t memory[256];
	struct rpc_in in = {0};

	CHECK_EQ_U64(rpc_in_take(make_call(memory, sizeof(memory), true), &in), RPC_TAKEN_CALL);
	CHECK_EQ_U64(in.xid, 0x1234);
	CHECK_EQ_U64(in.program, 100003);
	CHECK_EQ_U64(in.procedure, 1);
	CHECK_EQ_U64(in.uid, 1000);
	CHECK_EQ_U64(in.gids_len, 2);
	CHECK_EQ_U64(in.gids[1], 20);
	CHECK_BYTES(in.machine.ptr, in.machine.len, "client", 6);
	CHECK_BYTES(in.args.ptr, in.args.len, "\xaa\xbb\xcc\xdd", 4);
	CHECK_EQ_U64(rpc_in_take(make_call(memory, sizeof(memory), false), &in), RPC_TAKEN_CALL);
	CHECK_EQ_U64(in.uid, 65534);
	CHECK_EQ_U64(in.gids_len, 0);
}

/* What the server says to a call that is changed at one word. */
static void check_refused(size_t word, uint32_t value, const char *want, size_t want_len)
{
	uint8_t memory[256], reply[64];
	struct slice call = make_call(memory, sizeof(memory), true);
	struct xdr_writer w = xdr_writer_make(reply, sizeof(reply));
	struct rpc_in in = {0};

	value = __builtin_bswap32(value);
	memcpy(memory + word * 4, &value, 4);
	if (CHECK_EQ_U64(rpc_in_take(call, &in), RPC_TAKEN_REFUSED)) {
		rpc_refuse(&w, &in);
		CHECK_BYTES(reply, xdr_writer_bytes(&w).len, want, want_len);
	}
}

TEST(call_with_a_bad_header_is_refused_or_dropped)
{
	uint8_t memory[256];
	struct slice call = make_call(memory, sizeof(memory), true);
	struct rpc_in in = {0};

	/* RPC version 3: RPC_MISMATCH, 2 to 2. */
	check_refused(2, 3, "\0\0\x12\x34\0\0\0\1\0\0\0\1\0\0\0\0\0\0\0\2\0\0\0\2", 24);
	/* A credential longer than the message; one that is not well formed: AUTH_BADCRED. */
	check_refused(7, 400, "\0\0\x12\x34\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1", 20);
	check_refused(9, 200, "\0\0\x12\x34\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1", 20);
	for (size_t len = 0; len < 12; len++) {
		uint8_t *copy = check_copy(call.ptr, len);

		CHECK_EQ_U64(rpc_in_take(slice_make(copy, len), &in), RPC_TAKEN_GARBAGE);
		free(copy);
	}
	for (size_t len = 12; len < call.len - 4; len++) {
		uint8_t *copy = check_copy(call.ptr, len);

		CHECK_EQ_U64(rpc_in_take(slice_make(copy, len), &in), RPC_TAKEN_REFUSED);
		free(copy);
	}
}

TEST(replies_are_read_back)
{
	uint8_t memory[64];
	struct xdr_writer w = xdr_writer_make(memory, sizeof(memory));
	struct rpc_in in = {0};

	rpc_reply_success(&w, 7);
	CHECK_EQ_U64(rpc_in_take(xdr_writer_bytes(&w), &in), RPC_TAKEN_REPLY);
	CHECK_EQ_U64(in.xid, 7);
	CHECK_EQ_U64(in.message.reply.accept_stat, RPC_ACCEPT_SUCCESS);
	w = xdr_writer_make(memory, sizeof(memory));
	rpc_reply_versions(&w, 8, 3, 4);
	CHECK_EQ_U64(rpc_in_take(xdr_writer_bytes(&w), &in), RPC_TAKEN_REPLY);
	CHECK_EQ_U64(in.message.reply.high, 4);
	w = xdr_writer_make(memory, sizeof(memory));
	rpc_reply_denied(&w, 9, 5);
	CHECK_EQ_U64(rpc_in_take(xdr_writer_bytes(&w), &in), RPC_TAKEN_REPLY);
	CHECK_EQ_U64(in.message.reply.auth_stat, 5);
	w = xdr_writer_make(memory, sizeof(memory));
	rpc_reply_failure(&w, 9, RPC_ACCEPT_GARBAGE_ARGS);
	CHECK_EQ_U64(rpc_in_take(xdr_writer_bytes(&w), &in), RPC_TAKEN_REPLY);
	CHECK_EQ_U64(in.message.reply.accept_stat, RPC_ACCEPT_GARBAGE_ARGS);
}
