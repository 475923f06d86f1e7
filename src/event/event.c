// SPDX-License-Identifier: GPL-2.0-or-later
/* The switchboard between ingest and those who take events. */
#include "event/event.h"

#include <stdlib.h>

void event_board_add(struct event_board *board, enum event_kind kind, event_fn *take, void *context)
{
	if (board->count[kind] == EVENT_SINKS_MAX)
		abort(); /* a mistake of ours: sinks are wired by cmd, not by input */
	board->sinks[kind][board->count[kind]++] = (struct event_sink){take, context};
}

void event_emit(const struct event_board *board, const struct event *event)
{
	for (unsigned i = 0; i < board->count[event->kind]; i++) {
		const struct event_sink *sink = &board->sinks[event->kind][i];

		sink->take(sink->context, event);
	}
}
