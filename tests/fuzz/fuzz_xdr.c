// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The generated decoders, by way of the arguments and results of every procedure.
 *
 * An input is four bytes and a message: the specification in the order of xdr_specs; twice the row
 * of the procedure, plus one for its results; where the second run has its gap (in units of four
 * bytes); and how many bytes are left out there.
 */
#include "../unit/xdr_null.h"
#include "fuzz.h"
#include "proto/xdr_type.h"

#include <stdlib.h>

enum { HEAD_BYTES = 4 };

static void require(bool holds)
{
	if (!holds)
		abort();
}

static const struct xdr_type *type_choose(const uint8_t *head)
{
	size_t count;
	const struct xdr_spec *const *specs = xdr_specs(&count);
	const struct xdr_spec *spec = specs[head[0] % count];
	const struct xdr_procedure *row = &spec->procedures[head[1] / 2 % spec->procedure_count];

	return head[1] % 2 ? row->results : row->args;
}

/* Encodes *value into memory of exactly the size that it came from. */
static struct slice value_encode(const struct xdr_type *type, const void *value, uint8_t *memory,
				 size_t size)
{
	struct xdr_writer w = xdr_writer_make(memory, size);

	type->encode(&w, value);
	require(xdr_writer_ok(&w));
	return xdr_writer_bytes(&w);
}

/* What decodes is skipped to the same place, has the same size again, and is the same the next
 * time. */
static void whole_run(const struct xdr_type *type, struct slice message)
{
	struct cursor c = cursor_make(message);
	struct cursor skipped = c;
	struct xdr_printer null = xdr_null_printer();
	void *value = calloc(1, type->size_bytes);
	uint8_t *first = malloc(message.len + 1);
	uint8_t *second = malloc(message.len + 1);

	type->decode(&c, value);
	type->print(&null, NULL, value);
	if (cursor_ok(&c)) {
		struct slice once, twice;
		struct cursor again;

		type->skip(&skipped);
		require(cursor_ok(&skipped) && skipped.pos == c.pos);
		once = value_encode(type, value, first, cursor_offset(&c));
		require(once.len == cursor_offset(&c));
		again = cursor_make(once);
		type->decode(&again, value);
		require(cursor_ok(&again) && cursor_left(&again) == 0);
		twice = value_encode(type, value, second, once.len);
		require(slice_equal(once, twice));
	}
	free(second);
	free(first);
	free(value);
}

/* Damage must only lead to a fault. */
static void damaged_run(const struct xdr_type *type, struct slice message, const uint8_t *head)
{
	size_t at = (size_t)head[2] * 4 < message.len ? (size_t)head[2] * 4 : message.len;
	struct cursor c = cursor_make_gapped(message, at, head[3], head[3] % 7);
	struct cursor skipped = c;
	struct xdr_printer null = xdr_null_printer();
	uint8_t *memory = malloc(message.len + 1);
	struct xdr_writer w = xdr_writer_make(memory, message.len);
	void *value = calloc(1, type->size_bytes);

	type->decode(&c, value);
	type->print(&null, NULL, value);
	type->skip(&skipped);
	if (cursor_ok(&c))
		require(cursor_ok(&skipped) && cursor_offset(&c) == cursor_offset(&skipped));
	type->encode(&w, value);
	free(value);
	free(memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct xdr_type *type;
	struct slice message;

	if (size < HEAD_BYTES)
		return 0;
	type = type_choose(data);
	if (!type)
		return 0;
	message = slice_make(data + HEAD_BYTES, size - HEAD_BYTES);
	whole_run(type, message);
	damaged_run(type, message, data);
	return 0;
}
