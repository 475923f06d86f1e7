// SPDX-License-Identifier: GPL-2.0-or-later
/* strbuf_add_safe: whatever the bytes, the text that comes out is safe to print on a terminal. */
#include "base/strbuf.h"
#include "fuzz.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct strbuf safe, again;

	strbuf_init(&safe);
	strbuf_add_safe(&safe, slice_make(data, size));
	for (size_t i = 0; i < safe.len; i++)
		if ((uint8_t)safe.data[i] < 0x20 || safe.data[i] == 0x7f)
			abort();
	for (size_t at = 0, len; at < safe.len; at += len) {
		len = utf8_sequence_bytes(slice_make(safe.data + at, safe.len - at));
		if (len == 0)
			abort();
	}
	/* Only backslashes are left that could change when it is made safe again. */
	strbuf_init(&again);
	strbuf_add_safe(&again, slice_make(safe.data, safe.len));
	if (again.len < safe.len)
		abort();
	strbuf_deinit(&again);
	strbuf_deinit(&safe);
	return 0;
}
