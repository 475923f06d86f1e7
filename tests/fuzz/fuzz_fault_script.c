// SPDX-License-Identifier: GPL-2.0-or-later
/* Scripts of faults, and lines of the control socket. */
#include "fuzz.h"
#include "lab/fault/fault.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fault_engine *engine = fault_engine_create(1, 0);
	struct slice line = slice_make(data, size);
	struct strbuf out;

	strbuf_init(&out);
	err_destroy(fault_engine_add(engine, "fuzz", line));
	fault_engine_list(engine, &out);
	fault_control(engine, line, 0, &out);
	strbuf_deinit(&out);
	fault_engine_destroy(engine);
	return 0;
}
