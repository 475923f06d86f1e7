// SPDX-License-Identifier: GPL-2.0-or-later
/* Straces of any bytes, aligned with themselves. */
#include "cmd/compare/compare_lists.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct source *source = source_create_memory(slice_make(data, size));
	struct trace trace;
	struct lists lists;
	struct strbuf out;

	trace_init(&trace);
	strbuf_init(&out);
	trace_read(&trace, source);
	if (lists_align(&lists, &trace, &trace))
		lists_add_text(&out, &lists, &trace, &trace);
	lists_deinit(&lists);
	strbuf_deinit(&out);
	trace_deinit(&trace);
	source_destroy(source);
	return 0;
}
