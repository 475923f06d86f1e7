// SPDX-License-Identifier: GPL-2.0-or-later
/* The switchboard: who is told of what, and in which order. */
#include "check.h"
#include "event/event.h"
#include "names/nfs3.h"
#include "names/nfs4.h"
#include "names/nlm.h"

enum { TOLD_MAX = 8 };

/* Who was told of an event, by letter. */
static char told[TOLD_MAX];
static size_t told_len;
static char four = '4', all = 'a', some = 's', other = 'o';

static void take(void *context, const struct event *e)
{
	(void)e;
	if (told_len + 1 < TOLD_MAX)
		told[told_len++] = *(char *)context;
}

static const char *told_by(const struct event_board *board, const struct event *e)
{
	memset(told, 0, sizeof(told));
	told_len = 0;
	event_emit(board, e);
	return told;
}

TEST(who_wants_calls_of_some_programs_is_told_of_no_others)
{
	struct event_board board = {0};
	struct rpc_call call = {.program = NFS_PROGRAM, .version = NFS_V3};
	struct event e = {.kind = EVENT_RPC_REPLY, .rpc = &call};

	CHECK(!event_wanted(&board, EVENT_RPC_REPLY));
	event_board_add_calls(&board, EVENT_RPC_REPLY, EVENT_CALLS_NFS4, take, &four);
	event_board_add(&board, EVENT_RPC_REPLY, take, &all);
	event_board_add_calls(&board, EVENT_RPC_REPLY, EVENT_CALLS_NFS3 | EVENT_CALLS_OTHER, take,
			      &some);
	event_board_add_calls(&board, EVENT_RPC_REPLY, EVENT_CALLS_OTHER, take, &other);
	CHECK(event_wanted(&board, EVENT_RPC_REPLY));
	CHECK(!event_wanted(&board, EVENT_RPC_CALL));
	CHECK_TEXT(told_by(&board, &e), "as");
	call.version = NFS_V4;
	CHECK_TEXT(told_by(&board, &e), "4a");
	call.version = 2;
	CHECK_TEXT(told_by(&board, &e), "aso");
	call.program = NLM_PROG;
	call.version = NFS_V4;
	CHECK_TEXT(told_by(&board, &e), "aso");
	call.program = 0x40000000;
	call.version = 1;
	call.is_callback = true;
	CHECK_TEXT(told_by(&board, &e), "4a");
	e.kind = EVENT_RPC_CALL;
	CHECK_TEXT(told_by(&board, &e), "");
}

TEST(what_is_no_call_goes_to_all_of_its_kind)
{
	struct event_board board = {0};
	struct event e = {.kind = EVENT_TCP};

	event_board_add(&board, EVENT_TCP, take, &all);
	event_board_add(&board, EVENT_TCP, take, &some);
	CHECK_TEXT(told_by(&board, &e), "as");
}
