// SPDX-License-Identifier: GPL-2.0-or-later
/* Lines of strace in their forms. */
#include "base/stamp.h"
#include "check.h"
#include "evidence/strace.h"

#include <stdlib.h>

static struct strace_line parse(const char *text)
{
	struct strace_line l;

	strace_parse(slice_of_string(text), &l);
	return l;
}

TEST(strace_forms)
{
	struct strace_line l = parse("378   1795311536.535324 close(3) = -1 EBADF (Bad file "
				     "descriptor) <0.000017>");

	CHECK(l.kind == STRACE_CALL && l.clock == STRACE_EPOCH);
	CHECK_EQ_U64(l.pid, 378);
	CHECK_EQ_I64(l.ns, 1795311536 * STAMP_NS_PER_S + 535324000);
	CHECK_EQ_I64(l.result, -1);
	CHECK_EQ_I64(l.duration_ns, 17000);
	CHECK(slice_equal(l.error, slice_of_string("EBADF")));
	CHECK(slice_equal(l.args, slice_of_string("3")));
	l = parse("[pid 12] 02:14:17.5 read(3,  <unfinished ...>");
	CHECK(l.kind == STRACE_UNFINISHED && l.clock == STRACE_DAY && l.pid == 12);
	l = parse("     0.000102 <... read resumed>\"x = y\", 1) = 1");
	CHECK(l.kind == STRACE_RESUMED && l.clock == STRACE_RELATIVE && l.result == 1);
	CHECK(parse("openat(AT_FDCWD, \"a) = b\", O_RDONLY) = 3").result == 3);
	CHECK(parse("exit_group(0) = ?").kind == STRACE_CALL);
	CHECK(parse("--- SIGCHLD {si_signo=SIGCHLD} ---").kind == STRACE_OTHER);
	CHECK(parse("[  12.345] nfs: server not responding").kind == STRACE_OTHER);
	CHECK(parse("").kind == STRACE_OTHER);
}

TEST(strace_entries)
{
	struct slice args = slice_of_string("3, [{d_ino=1, d_name=\"a\\\"b\"}, {d_name=\"c\"}, "
					    "{d_name=\"cut");
	struct slice name;

	CHECK(strace_next_entry(&args, &name) && slice_equal(name, slice_of_string("a\\\"b")));
	CHECK(strace_next_entry(&args, &name) && slice_equal(name, slice_of_string("c")));
	CHECK(!strace_next_entry(&args, &name));
}

TEST(strace_cut_anywhere)
{
	static const char line[] = "12 1795311536.535324 getdents64(3, [{d_name=\"a\"}], 8) = 24 "
				   "<0.1>";

	for (size_t len = 0; len < sizeof(line); len++) {
		uint8_t *copy = check_copy(line, len);
		struct strace_line l;
		struct slice name;

		strace_parse(slice_make(copy, len), &l);
		strace_next_entry(&l.args, &name);
		free(copy);
	}
}
