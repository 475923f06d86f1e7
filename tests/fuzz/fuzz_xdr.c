// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The generated decoders: what decodes is encoded to the bytes that it came from. XDR leaves only
 * the bytes of padding free (RFC 4506 section 3), which are written as zeroes: nothing else may
 * differ. Of bools 0 and 1 alone decode; the elements of arrays are copied as they are, and are
 * types in their turn.
 *
 * An input is four bytes and a message: the specification in the order of xdr_specs, with what is
 * chosen in it; a row; where the second run has its gap (in units of four bytes); and how many
 * bytes are left out there. The row is twice that of a procedure, plus one for its results; with
 * OF_TYPES it is that of a type, with two more bits of the first byte; with MADE the bytes behind
 * are no message, but choose a valid one of that type: tests/unit/xdr_make.h.
 */
#include "fuzz.h"
#include "proto/xdr_type.h"
#include "xdr_make.h"
#include "xdr_null.h"

#include <stdlib.h>
#include <string.h>

enum { HEAD_BYTES = 4, MADE_BYTES_MAX = 1 << 17 };

/* The first byte: the specification is in its lowest bits. */
enum { SPEC_BITS = 0x0f, ROW_BITS = 0x30, MADE = 0x40, OF_TYPES = 0x80 };

static void require(bool holds)
{
	if (!holds)
		abort();
}

static const struct xdr_spec *spec_choose(const uint8_t *head)
{
	size_t count;
	const struct xdr_spec *const *specs = xdr_specs(&count);

	return specs[(head[0] & SPEC_BITS) % count];
}

static uint32_t row_choose(const struct xdr_spec *spec, const uint8_t *head)
{
	return ((uint32_t)(head[0] & ROW_BITS) << 4 | head[1]) % spec->type_count;
}

static const struct xdr_type *type_choose(const uint8_t *head)
{
	const struct xdr_spec *spec = spec_choose(head);
	const struct xdr_procedure *row = &spec->procedures[head[1] / 2 % spec->procedure_count];

	if (head[0] & OF_TYPES)
		return &spec->types[row_choose(spec, head)];
	return head[1] % 2 ? row->results : row->args;
}

/* Nothing but padding may differ, and that is zero. */
static bool padded_equal(struct slice encoded, struct slice sent)
{
	if (encoded.len != sent.len || encoded.len % 4 != 0)
		return false;
	for (size_t i = 0; i < encoded.len; i++) {
		if (encoded.ptr[i] == sent.ptr[i])
			continue;
		if (i % 4 == 0)
			return false;
		for (; i % 4 != 0; i++) {
			if (encoded.ptr[i] != 0)
				return false;
		}
		i--;
	}
	return true;
}

static uint64_t value_digest(const struct xdr_type *type, const void *value)
{
	uint64_t digest = UINT64_C(0xcbf29ce484222325);
	struct xdr_printer p = xdr_digest_printer(&digest);

	type->print(&p, NULL, value);
	return digest;
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

/*
 * What decodes is skipped to the same place, has the same bytes again, and the same value the next
 * time. That is told by its printer, so that no field is lost on the way that stands in padding's
 * place. True: it decodes.
 */
static bool whole_run(const struct xdr_type *type, struct slice message)
{
	struct cursor c = cursor_make(message);
	struct cursor skipped = c;
	void *value = calloc(1, type->size_bytes);
	uint8_t *first = malloc(message.len + 1);
	uint8_t *second = malloc(message.len + 1);
	uint64_t digest;
	bool decodes;

	type->decode(&c, value);
	digest = value_digest(type, value);
	decodes = cursor_ok(&c);
	if (decodes) {
		size_t len = cursor_offset(&c);
		struct slice once, twice;
		struct cursor again;

		type->skip(&skipped);
		require(cursor_ok(&skipped) && skipped.pos == c.pos);
		once = value_encode(type, value, first, len);
		require(padded_equal(once, slice_make(message.ptr, len)));
		again = cursor_make(once);
		memset(value, 0xa5, type->size_bytes);
		type->decode(&again, value);
		require(cursor_ok(&again) && cursor_left(&again) == 0);
		require(value_digest(type, value) == digest);
		twice = value_encode(type, value, second, once.len);
		require(slice_equal(once, twice));
	}
	free(second);
	free(first);
	free(value);
	return decodes && cursor_left(&c) == 0;
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

/* A valid message of the chosen type is encoded to itself. */
static void made_run(const uint8_t *head, struct slice choices)
{
	static uint8_t memory[MADE_BYTES_MAX];
	const struct xdr_spec *spec = spec_choose(head);
	uint32_t row = row_choose(spec, head);
	struct make_random r = {.choices = choices};
	struct xdr_writer w = xdr_writer_make(memory, sizeof(memory));
	struct slice made;
	uint8_t *copy;

	make_types_find(spec->name)[row].make(&r, &w);
	if (!xdr_writer_ok(&w))
		return;
	made = xdr_writer_bytes(&w);
	copy = malloc(made.len + 1);
	if (made.len)
		memcpy(copy, made.ptr, made.len);
	made.ptr = copy;
	require(whole_run(&spec->types[row], made));
	damaged_run(&spec->types[row], made, head);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct xdr_type *type;
	struct slice message;

	if (size < HEAD_BYTES)
		return 0;
	message = slice_make(data + HEAD_BYTES, size - HEAD_BYTES);
	if (data[0] & MADE) {
		made_run(data, message);
		return 0;
	}
	type = type_choose(data);
	if (!type)
		return 0;
	whole_run(type, message);
	damaged_run(type, message, data);
	return 0;
}
