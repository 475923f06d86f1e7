/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One line of a kernel stack, in all the ways in which it is written:
 *
 *	[<0>] rpc_wait_bit_killable+0x1e/0xb0 [sunrpc]               /proc/PID/stack
 *	[<ffffffff8168c169>] schedule+0x29/0x70                      before 4.10
 *	 ? apparmor_file_permission+0x69/0x160                       a guess of the unwinder
 *	[c000001b9ab07800] [c000000000b32608] schedule+0x48/0xc0     powerpc
 *	[<80a87848>] (__schedule) from [<80a88018>] (schedule+0x3c/0xa0)              32-bit ARM
 *	 __schedule from schedule+0x58/0xf8                          the same, since 6.0
 *	 #2 [ffffbfe1c0243970] rpc_wait_bit_killable at ffffffffc061455e [sunrpc]      crash
 *	#1  __schedule (kernel/sched/core.c:5382:2)                  drgn
 *	 => nfsd4_sequence                                           ftrace
 *	ffffffffc0a1b3c0 nfsd4_sequence+0x3b0 ([nfsd])               perf script
 */
#ifndef EVIDENCE_STACK_LINE_H
#define EVIDENCE_STACK_LINE_H

#include <stdint.h>

#include "base/slice.h"

enum stack_form {
	STACK_OFFSET, /* function+0x1/0x2, with or without an address before it */
	STACK_CRASH,
	STACK_DRGN,
	STACK_FTRACE,
};

struct stack_line {
	enum stack_form form;
	struct slice function, module; /* borrowed; module may be empty */
	bool guessed;
	int32_t number; /* of the frame; -1: the form has none */
	uint64_t stack; /* where the frame lies in memory; 0: the form does not tell */
};

/* "[<": most lines of stacks begin so, and hardly any other line. */
static inline bool stack_line_may_be_frame(struct slice text)
{
	return text.len > 2 && text.ptr[0] == '[' && text.ptr[1] == '<';
}

/* False: it is no line of a stack, or has an address without a name. */
bool stack_line_parse(struct slice text, struct stack_line *out);

/* "ffff91fde98a1780", with or without 0x; at least 8 digits. Returns the bytes taken, or 0. */
size_t stack_address_parse(struct slice text, uint64_t *out);

#endif
