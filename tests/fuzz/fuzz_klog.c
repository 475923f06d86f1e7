// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Kernel logs and hosts' clocks from any bytes, up to the events: lines, heads, facts, stacks,
 * dates, copies. The bytes are read as two files of one folder, so that they are each other's copy.
 */
#include "capfile/source.h"
#include "evidence/hostclock.h"
#include "fuzz.h"
#include "ingest/log/log.h"

#include <stdlib.h>

static void take(void *context, const struct event *e)
{
	uint64_t *sum = context;

	*sum += e->log->line.len + e->log->detail.len + e->log->where.len + e->log->server.len;
}

static void read_file(struct logs *l, struct evidence_list *list, const char *path,
		      struct slice bytes)
{
	struct source *source = source_create_memory(bytes);
	struct hostclock clock;

	if (hostclock_read(source, &clock))
		logs_take_clock(l, 0, "a/clock", clock.boot_ns, clock.error_ns);
	if (logs_read(l, (uint32_t)list->items.len, path, stamp_none(), source))
		evidence_list_add(list, path, EVIDENCE_KERNEL_LOG);
	source_destroy(source);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct log_options options = {0};
	struct event_board board = {0};
	struct evidence_list list;
	struct logs *l;
	uint64_t sum = 0;

	evidence_list_init(&list);
	l = logs_create(&options, &list);
	event_board_add(&board, EVENT_LOG, take, &sum);
	read_file(l, &list, "a/1", slice_make(data, size));
	read_file(l, &list, "a/2", slice_make(data, size));
	read_file(l, &list, "b/2", slice_make(data, size / 2));
	logs_settle(l, stamp_utc(INT64_C(1795310863) * STAMP_NS_PER_S));
	logs_emit(l, &board);
	logs_destroy(l);
	evidence_list_deinit(&list);
	return 0;
}
