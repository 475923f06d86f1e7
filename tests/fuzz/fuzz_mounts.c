// SPDX-License-Identifier: GPL-2.0-or-later
/* Lines about mounts from any bytes, up to the model and its reading of the options. */
#include "fuzz.h"
#include "ingest/mounts.h"
#include "model/mount.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct event_board board = {0};
	struct mounts *m = mounts_create();
	struct mount_model model;
	uint64_t line = 0;

	mount_model_init(&model);
	mount_model_attach(&model, &board);
	for (size_t at = 0; at < size;) {
		const uint8_t *end = memchr(data + at, '\n', size - at);
		size_t len = end ? (size_t)(end - data) - at : size - at;

		mounts_take_line(m, 0, ++line, slice_make(data + at, len));
		at += len + 1;
	}
	mounts_emit(m, &board);
	if (model.records.len + model.dropped != mounts_count(m, 0))
		abort();
	mount_model_deinit(&model);
	mounts_destroy(m);
	return 0;
}
