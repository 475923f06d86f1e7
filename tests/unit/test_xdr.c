// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every generated type: what was made, decoded and encoded again is the same; skipping goes exactly
 * as far as decoding; a message cut at any byte gives the right fault and no read beyond its end.
 */
#include "check.h"
#include "proto/xdr_type.h"
#include "xdr_make.h"
#include "xdr_null.h"

#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS = 12, MESSAGE_BYTES = 1 << 20, CUTS = 256 };

/* A type under test, with a message of it. */
struct subject {
	const struct xdr_type *type;
	struct slice message;
	void *value;     /* of the type */
	uint8_t *buffer; /* of MESSAGE_BYTES, to encode into */
	uint64_t seed;
};

static bool subject_check(const struct subject *s, bool holds, size_t cut, const char *what)
{
	if (holds)
		return true;
	printf("# %s, seed %llu, %zu of %zu bytes\n", s->type->name, (unsigned long long)s->seed,
	       cut, s->message.len);
	return check_true(false, __FILE__, __LINE__, what);
}

static void value_decode(struct subject *s, struct cursor *c)
{
	memset(s->value, 0xa5, s->type->size_bytes);
	s->type->decode(c, s->value);
}

static bool whole_check(struct subject *s)
{
	struct cursor decoded = cursor_make(s->message);
	struct cursor skipped = cursor_make(s->message);
	struct xdr_writer w = xdr_writer_make(s->buffer, MESSAGE_BYTES);
	struct xdr_printer null = xdr_null_printer();
	size_t len = s->message.len;
	bool ok;

	value_decode(s, &decoded);
	s->type->skip(&skipped);
	s->type->encode(&w, s->value);
	s->type->print(&null, "value", s->value);
	ok = subject_check(s, cursor_ok(&decoded) && cursor_left(&decoded) == 0, len, "decodes");
	ok &= subject_check(s, cursor_ok(&skipped) && cursor_left(&skipped) == 0, len, "skips");
	ok &= subject_check(s, xdr_writer_ok(&w), len, "encodes");
	ok &= subject_check(s, slice_equal(xdr_writer_bytes(&w), s->message), len, "is the same");
	return ok;
}

/* The message ends too early, and nothing says that there was more. */
static bool short_check(struct subject *s, struct slice head)
{
	struct cursor decoded = cursor_make(head);
	struct cursor skipped = cursor_make(head);

	value_decode(s, &decoded);
	s->type->skip(&skipped);
	return subject_check(s, decoded.fault == CURSOR_SHORT, head.len, "decodes to SHORT") &&
	       subject_check(s, skipped.fault == CURSOR_SHORT, head.len, "skips to SHORT");
}

/*
 * The capture ends too early. Only what can be told without the missing bytes may pass: a last
 * opaque or array, which then cannot be encoded again.
 */
static bool cut_check(struct subject *s, struct slice head)
{
	size_t missing = s->message.len - head.len;
	struct cursor decoded = cursor_make_cut(head, missing);
	struct cursor skipped = cursor_make_cut(head, missing);
	struct xdr_printer null = xdr_null_printer();
	bool passed, ok;

	value_decode(s, &decoded);
	s->type->print(&null, "value", s->value);
	s->type->skip(&skipped);
	passed = cursor_ok(&decoded);
	ok = subject_check(s, passed || decoded.fault == CURSOR_CUT, head.len, "decodes to CUT");
	ok &= subject_check(s, cursor_ok(&skipped) || skipped.fault == CURSOR_CUT, head.len,
			    "skips to CUT");
	if (passed) {
		struct xdr_writer w = xdr_writer_make(s->buffer, MESSAGE_BYTES);

		s->type->encode(&w, s->value);
		ok &= subject_check(s, cursor_left(&decoded) == 0, head.len, "ends at the end");
		/* Where only padding is missing, all of the value is here. */
		ok &= subject_check(s, w.invalid || missing <= 3, head.len, "is incomplete");
	}
	return ok;
}

static bool type_check(struct subject *s, const struct make_type *maker, uint8_t *memory)
{
	struct make_random r = {.state = s->seed};
	struct xdr_writer w = xdr_writer_make(memory, MESSAGE_BYTES);
	size_t step;
	bool ok;

	maker->make(&r, &w);
	if (!CHECK(xdr_writer_ok(&w)))
		return false;
	s->message = xdr_writer_bytes(&w);
	ok = whole_check(s);
	step = 1 + s->message.len / CUTS;
	for (size_t len = 0; len < s->message.len && ok; len += step) {
		void *copy = check_copy(s->message.ptr, len);

		ok = short_check(s, slice_make(copy, len)) && cut_check(s, slice_make(copy, len));
		free(copy);
	}
	return ok;
}

static void spec_check(const struct xdr_spec *spec, const struct make_type *makers)
{
	uint8_t *memory = malloc(MESSAGE_BYTES);
	struct subject s = {.buffer = malloc(MESSAGE_BYTES)};

	for (uint32_t i = 0; i < spec->type_count; i++) {
		bool ok = CHECK_TEXT(makers[i].name, spec->types[i].name);

		s.type = &spec->types[i];
		s.value = malloc(s.type->size_bytes);
		for (s.seed = 1; s.seed <= ROUNDS && ok; s.seed++)
			ok = type_check(&s, &makers[i], memory);
		free(s.value);
	}
	free(s.buffer);
	free(memory);
}

TEST(xdr_types_round_trip)
{
	size_t count;
	const struct xdr_spec *const *specs = xdr_specs(&count);

	CHECK_EQ_U64(count, make_types_count());
	for (size_t i = 0; i < count; i++) {
		const struct make_type *makers = make_types_find(specs[i]->name);

		if (CHECK(makers != NULL))
			spec_check(specs[i], makers);
	}
}

TEST(xdr_types_unions_are_small)
{
	size_t count;
	const struct xdr_spec *const *specs = xdr_specs(&count);

	for (size_t i = 0; i < count; i++) {
		for (uint32_t j = 0; j < specs[i]->type_count; j++)
			CHECK(specs[i]->types[j].size_bytes <= 1024);
	}
}
