// SPDX-License-Identifier: GPL-2.0-or-later
/* Listings of packet filters from any bytes, up to the model and what its rules take. */
#include "fuzz.h"
#include "ingest/filters.h"
#include "model/filter.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct event_board board = {0};
	struct filters *m = filters_create();
	struct filter_model model;
	uint64_t line = 0;

	filter_model_init(&model);
	filter_model_attach(&model, &board);
	for (size_t at = 0; at < size;) {
		const uint8_t *end = memchr(data + at, '\n', size - at);
		size_t len = end ? (size_t)(end - data) - at : size - at;

		filters_take_line(m, 0, ++line, slice_make(data + at, len));
		at += len + 1;
	}
	filters_emit(m, &board);
	if (model.records.len + model.dropped != filters_count(m, 0))
		abort();
	for (size_t i = 0; i < model.records.len; i++) {
		const struct filter_record *r = *(struct filter_record **)vec_at(&model.records, i);

		if (r->fact.src.bits > 128 || r->fact.dst.bits > 128)
			abort();
		filter_matches(&r->fact, &(struct filter_segment){.flags = 2});
	}
	filter_model_deinit(&model);
	filters_destroy(m);
	return 0;
}
