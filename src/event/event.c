// SPDX-License-Identifier: GPL-2.0-or-later
/* The switchboard between ingest and those who take events. */
#include "event/event.h"

#include "names/nfs3.h"
#include "names/nfs4.h"

#include <stdlib.h>

void event_board_add_calls(struct event_board *board, enum event_kind kind, unsigned calls,
			   event_fn *take, void *context)
{
	for (unsigned i = 0; i < EVENT_CALLS_SORTS; i++) {
		struct event_sinks *sinks = &board->sinks[kind][i];

		if (!(calls & 1U << i))
			continue;
		if (sinks->len == EVENT_SINKS_MAX)
			abort(); /* a mistake of ours: sinks are wired by cmd, not by input */
		sinks->items[sinks->len++] = (struct event_sink){take, context};
	}
	board->wanted[kind] = true;
}

void event_board_add(struct event_board *board, enum event_kind kind, event_fn *take, void *context)
{
	event_board_add_calls(board, kind, EVENT_CALLS_ALL, take, context);
}

/* Which list of sinks: bit of enum event_calls. All lists are alike where it is no RPC. */
static unsigned event_sort(const struct event *event)
{
	const struct rpc_call *call;

	if (event->kind < EVENT_RPC_CALL || event->kind > EVENT_RPC_SETTLED)
		return 0;
	call = event->rpc;
	if (call->program == NFS_PROGRAM && call->version - NFS_V3 <= NFS_V4 - NFS_V3)
		return call->version - NFS_V3;
	return call->is_callback ? 1 : 2;
}

void event_emit(const struct event_board *board, const struct event *event)
{
	const struct event_sinks *sinks = &board->sinks[event->kind][event_sort(event)];
	const struct event_sink *end = sinks->items + sinks->len;

	for (const struct event_sink *sink = sinks->items; sink != end; sink++)
		sink->take(sink->context, event);
}
