// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The program over any bytes, as up to eight files of one folder: captures, archives, logs and
 * lists beside each other. A line "%%%%" ends a file.
 */
#include "fuzz.h"
#include "whole.h"

#include <string.h>

static const char mark[] = "\n%%%%\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice files[WHOLE_FILES_MAX];
	size_t count = 0;

	while (count < WHOLE_FILES_MAX) {
		const uint8_t *end = count + 1 < WHOLE_FILES_MAX && size
					     ? memmem(data, size, mark, sizeof(mark) - 1)
					     : NULL;
		size_t len = end ? (size_t)(end - data) : size;

		files[count++] = slice_make(data, len);
		if (!end)
			break;
		data += len + sizeof(mark) - 1;
		size -= len + sizeof(mark) - 1;
	}
	whole_check(files, count);
	return 0;
}
