// SPDX-License-Identifier: GPL-2.0-or-later
/* One line of a stack as the architectures and generations of kernels write it. */
#include "check.h"
#include "evidence/line/stack_line.h"

static void same(const char *text, const char *function, const char *module, bool guessed)
{
	struct stack_line line;

	if (!CHECK(stack_line_parse(slice_of_string(text), &line)))
		return;
	CHECK_BYTES(line.function.ptr, line.function.len, function, strlen(function));
	CHECK_BYTES(line.module.ptr, line.module.len, module, strlen(module));
	CHECK(line.guessed == guessed);
}

static bool is_none(const char *text)
{
	struct stack_line line;

	return !stack_line_parse(slice_of_string(text), &line);
}

TEST(x86_with_and_without_addresses)
{
	same(" rpc_wait_bit_killable+0x24/0xb0 [sunrpc]", "rpc_wait_bit_killable", "sunrpc", false);
	same("[<ffffffffb3785da9>] schedule+0x29/0x70", "schedule", "", false);
	same(" [<ffffffff81090dfe>] ? prepare_to_wait+0x4e/0x80", "prepare_to_wait", "", true);
	same(" rpc_execute+0xc4/0xf0 [sunrpc 5a1b2c3d4e5f6a7b8c9d]", "rpc_execute", "sunrpc",
	     false);
	same("[<0>] nfs4_do_open.isra.0+0xd8/0x410 [nfsv4]", "nfs4_do_open", "nfsv4", false);
}

TEST(powerpc_has_two_addresses)
{
	same("[c000001b9ab07800] [c000000000b32608] schedule+0x48/0xc0", "schedule", "", false);
	same("[c000001b9ab07800] [d00000000bb32608] nfs_readdir+0x48/0xc0 [nfs]", "nfs_readdir",
	     "nfs", false);
	same("[c000001b9ab07500] [c00000000001b5d0] __switch_to+0x280/0x470 (unreliable)",
	     "__switch_to", "", true);
	CHECK(is_none("[c000001b9ab07500] [c000001b9ab07540] 0xc000001b9ab07540 (unreliable)"));
}

TEST(s390_has_parentheses_around_the_address)
{
	same("([<0000000000a1b2c4>] __schedule+0x2cc/0x940)", "__schedule", "", false);
	same(" [<0000000000a1b2c4>] schedule+0x5a/0xd0 ", "schedule", "", false);
}

TEST(arm_tells_callee_and_caller)
{
	same("[<80a88018>] (schedule) from [<8015c138>] (io_schedule+0x14/0x3c)", "schedule", "",
	     false);
	same("[<bf0a8018>] (nfs_readdir [nfs]) from [<8015c138>] (iterate_dir+0x14/0x3c)",
	     "nfs_readdir", "nfs", false);
	same("[<c0a88018>] (schedule+0x0/0x3a8) from [<c015c138>] (schedule_timeout+0x14/0x3c)",
	     "schedule", "", false);
	same(" __schedule from schedule+0x58/0xf8", "__schedule", "", false);
	same(" rpc_wait_bit_killable [sunrpc] from __wait_on_bit+0x50/0xe4",
	     "rpc_wait_bit_killable", "sunrpc", false);
	same("__switch_to+0xdc/0x108 (T)", "__switch_to", "", false);
}

TEST(what_is_no_stack)
{
	CHECK(is_none("mail from nobody"));
	CHECK(is_none("(see below) from the list"));
	CHECK(is_none("[316100.086897] nothing"));
	CHECK(is_none("["));
	CHECK(is_none("[<"));
	CHECK(is_none("([<]"));
	CHECK(is_none("ffff880c281c5b70 0000000000000046 ffff880c2fb99d80 000000012fb99d80"));
}
