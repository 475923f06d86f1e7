// SPDX-License-Identifier: GPL-2.0-or-later
/* Tar archives of any bytes: every member is read to its end, in order. */
#include "capfile/archive.h"
#include "fuzz.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct source *outer = source_create_memory(slice_make(data, size));
	struct archive_member *member = malloc(sizeof(*member));
	struct archive archive = archive_make(outer);

	while (member && archive_next(&archive, member)) {
		struct source *s = source_borrow_member(outer, member->bytes, member->name);

		while (source_take(s, SOURCE_WINDOW_BYTES).len)
			continue;
		source_destroy(s);
	}
	free(member);
	source_destroy(outer);
	return 0;
}
