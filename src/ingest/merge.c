// SPDX-License-Identifier: GPL-2.0-or-later
/* Captures in the order of time, see merge.h: a heap of the inputs' next packets. */
#include "ingest/merge.h"

#include <stdlib.h>

#include "base/mem.h"

struct merge_input {
	struct capture *capture;
	uint32_t evidence;
	int64_t shift_ns;
	int64_t key_ns; /* never decreases */
	bool resync;
	struct capfile_packet packet;
	uint8_t *held; /* the bytes of the first packet while the capture rests; else NULL */
};

void merge_init(struct merge *m)
{
	*m = (struct merge){0};
	vec_init(&m->inputs, sizeof(struct merge_input));
	vec_init(&m->heap, sizeof(size_t));
}

void merge_deinit(struct merge *m)
{
	for (size_t i = 0; i < m->inputs.len; i++)
		free(((struct merge_input *)vec_at(&m->inputs, i))->held);
	vec_deinit(&m->inputs);
	vec_deinit(&m->heap);
}

void merge_add(struct merge *m, uint32_t evidence, struct capture *capture, int64_t shift_ns)
{
	struct merge_input *input = vec_push(&m->inputs);

	input->capture = capture;
	input->evidence = evidence;
	input->shift_ns = shift_ns;
	input->key_ns = INT64_MIN;
}

/* Reads the input's next packet; false at its end. */
static bool merge_input_advance(struct merge_input *input)
{
	enum capfile_result result;
	int64_t key_ns = 0;

	input->resync = false;
	if (input->held) {
		free(input->held);
		input->held = NULL;
	}
	for (;;) {
		result = capture_next(input->capture, &input->packet);
		if (result != CAPFILE_RESYNC)
			break;
		input->resync = true;
	}
	if (result == CAPFILE_END) {
		capture_rest(input->capture);
		return false;
	}
	if (!stamp_known(input->packet.at))
		return true;
	if (__builtin_add_overflow(input->packet.at.ns, input->shift_ns, &key_ns))
		key_ns = input->shift_ns > 0 ? INT64_MAX : INT64_MIN;
	if (key_ns > input->key_ns)
		input->key_ns = key_ns;
	return true;
}

/* Its first packet was read: it waits for its turn. A single capture need not. */
static void merge_input_rest(struct merge_input *input)
{
	struct slice *bytes = &input->packet.bytes;

	input->held = mem_copy(bytes->ptr, bytes->len);
	bytes->ptr = input->held;
	capture_rest(input->capture);
}

static bool merge_before(const struct merge *m, size_t a, size_t b)
{
	const struct merge_input *inputs = m->inputs.items;

	if (inputs[a].key_ns != inputs[b].key_ns)
		return inputs[a].key_ns < inputs[b].key_ns;
	return a < b;
}

static void merge_swap(size_t *a, size_t *b)
{
	size_t swap = *a;

	*a = *b;
	*b = swap;
}

static void merge_sift_down(struct merge *m)
{
	size_t *heap = m->heap.items;
	size_t at = 0;

	for (;;) {
		size_t child = 2 * at + 1;

		if (child >= m->heap.len)
			return;
		if (child + 1 < m->heap.len && merge_before(m, heap[child + 1], heap[child]))
			child++;
		if (!merge_before(m, heap[child], heap[at]))
			return;
		merge_swap(&heap[child], &heap[at]);
		at = child;
	}
}

static void merge_push(struct merge *m, size_t input)
{
	size_t at = m->heap.len;
	size_t *heap;

	*(size_t *)vec_push(&m->heap) = input;
	heap = m->heap.items;
	while (at > 0 && merge_before(m, heap[at], heap[(at - 1) / 2])) {
		merge_swap(&heap[at], &heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
}

/* The input at the top of the heap was delivered: its next packet takes its place. */
static void merge_replace_top(struct merge *m)
{
	struct merge_input *inputs = m->inputs.items;
	size_t *heap = m->heap.items;

	if (__builtin_expect(!merge_input_advance(&inputs[heap[0]]), 0))
		heap[0] = heap[--m->heap.len];
	if (m->heap.len > 1)
		merge_sift_down(m);
}

/* The first packet of each capture that has not been asked for any yet. */
static void merge_begin(struct merge *m)
{
	for (; m->fresh < m->inputs.len; m->fresh++) {
		struct merge_input *fresh = vec_at(&m->inputs, m->fresh);

		if (!merge_input_advance(fresh))
			continue;
		if (m->inputs.len > 1)
			merge_input_rest(fresh);
		merge_push(m, m->fresh);
	}
}

bool merge_next(struct merge *m, struct merge_item *out)
{
	const struct merge_input *input;

	if (m->has_pending)
		merge_replace_top(m);
	m->has_pending = false;
	if (__builtin_expect(m->fresh < m->inputs.len, 0))
		merge_begin(m);
	if (m->heap.len == 0)
		return false;
	input = (const struct merge_input *)m->inputs.items + *(const size_t *)m->heap.items;
	m->has_pending = true;
	*out = (struct merge_item){
		.evidence = input->evidence,
		.resync = input->resync,
		.key_ns = input->key_ns,
		.packet = &input->packet,
	};
	return true;
}

bool merge_is_steady(const struct merge *m)
{
	for (size_t i = 0; i < m->inputs.len; i++)
		if (!capture_seekable(((struct merge_input *)vec_at(&m->inputs, i))->capture))
			return false;
	return true;
}

void merge_get_progress(const struct merge *m, uint64_t *done_bytes, uint64_t *total_bytes)
{
	*done_bytes = 0;
	*total_bytes = 0;
	for (size_t i = 0; i < m->inputs.len; i++) {
		const struct merge_input *input = vec_at(&m->inputs, i);
		uint64_t done, total;

		capture_get_progress(input->capture, &done, &total);
		*done_bytes += done;
		*total_bytes += total;
	}
}
