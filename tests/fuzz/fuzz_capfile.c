// SPDX-License-Identifier: GPL-2.0-or-later
/* Captures, packed or not: whatever the bytes, the reader ends, and its packets hold together. */
#include "capfile/capfile.h"
#include "fuzz.h"

#include <stdlib.h>

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void note_journal(void *arg, uint64_t frame, struct slice text)
{
	uint64_t *sum = arg;

	*sum += frame;
	for (size_t i = 0; i < text.len; i++)
		*sum += text.ptr[i];
}

static void check_stats(const struct capfile *cf, uint64_t packets)
{
	struct capfile_stats stats;

	capfile_get_stats(cf, &stats);
	require(stats.packets == packets);
	require(stats.damage_count <= CAPFILE_DAMAGE_KINDS);
	require(stats.comment_count <= CAPFILE_COMMENTS_MAX);
	require(stats.first.ns <= stats.last.ns);
	for (size_t i = 0; i < stats.damage_count; i++)
		require(stats.damage[i].skipped_bytes <= source_offset(capfile_source(cf)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct source *source = source_create_memory(slice_make(data, size));
	struct capfile *cf = NULL;
	struct err *err = capfile_open(source, &cf);
	struct capfile_packet p;
	enum capfile_result result;
	uint64_t packets = 0;
	uint64_t sum = 0;
	uint64_t frame = 0;
	uint64_t offset = 0;

	if (err) {
		err_destroy(err);
		source_destroy(source);
		return 0;
	}
	capfile_set_journal(cf, note_journal, &sum);
	while ((result = capfile_next(cf, &p)) != CAPFILE_END) {
		if (result == CAPFILE_RESYNC)
			continue;
		require(p.frame > frame && p.offset >= offset);
		require(p.bytes.len == p.cap_bytes && p.cap_bytes <= p.wire_bytes);
		frame = p.frame;
		offset = p.offset;
		packets++;
		for (size_t i = 0; i < p.bytes.len; i++)
			sum += p.bytes.ptr[i];
	}
	require(capfile_next(cf, &p) == CAPFILE_END);
	check_stats(cf, packets);
	capfile_destroy(cf);
	/* so that no read is left out */
	return sum == UINT64_MAX;
}
