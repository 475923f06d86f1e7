// SPDX-License-Identifier: GPL-2.0-or-later
/* Containers: map, vec, arena, slices and the histogram. */
#include "base/arena.h"
#include "base/hash.h"
#include "base/hist.h"
#include "base/map.h"
#include "base/pool.h"
#include "base/slice.h"
#include "base/vec.h"
#include "check.h"

static bool is_number(const void *item, const void *key)
{
	return *(const unsigned *)item == *(const unsigned *)key;
}

/* `spread` false: all keys collide. */
static uint64_t hash_of(unsigned number, bool spread)
{
	return spread ? hash_u64(hash_start(), number) : 1;
}

/* Adds and removes in a pattern that leaves deleted slots, and compares with a plain array. */
static void churn(bool spread, unsigned rounds)
{
	enum { NUMBERS = 64 };
	unsigned numbers[NUMBERS];
	bool present[NUMBERS] = {false};
	struct map m;
	size_t count = 0;

	map_init(&m, is_number);
	for (unsigned i = 0; i < NUMBERS; i++)
		numbers[i] = i;
	for (unsigned round = 0; round < rounds; round++) {
		unsigned n = round * 37 % 101 % NUMBERS;
		uint64_t hash = hash_of(n, spread);

		CHECK(map_find(&m, hash, &n) == (present[n] ? &numbers[n] : NULL));
		if (present[n])
			CHECK(map_remove(&m, hash, &n) == &numbers[n]);
		else
			map_add(&m, hash, &numbers[n]);
		count = present[n] ? count - 1 : count + 1;
		present[n] = !present[n];
		CHECK_EQ_U64(m.len, count);
		CHECK(m.used >= m.len && m.used < m.cap);
	}
	CHECK(m.cap <= 256);
	map_deinit(&m);
}

TEST(map_keeps_what_it_was_given)
{
	churn(true, 20000);
}

TEST(map_survives_colliding_hashes)
{
	churn(false, 2000);
}

TEST(map_iterates_over_all)
{
	unsigned numbers[100];
	bool seen[100] = {false};
	struct map m;
	size_t index = 0;
	unsigned count = 0;

	map_init(&m, is_number);
	CHECK(map_next(&m, &index) == NULL);
	for (unsigned i = 0; i < 100; i++) {
		numbers[i] = i;
		map_add(&m, i, &numbers[i]); /* hashes 0 and 1 are those that mark slots */
	}
	index = 0;
	for (unsigned *n = map_next(&m, &index); n; n = map_next(&m, &index)) {
		CHECK(!seen[*n]);
		seen[*n] = true;
		count++;
	}
	CHECK_EQ_U64(count, 100);
	map_deinit(&m);
}

TEST(hash_depends_on_every_byte_and_the_length)
{
	uint8_t bytes[32] = {0};
	uint64_t plain = hash_bytes(bytes, sizeof(bytes));

	for (size_t i = 0; i < sizeof(bytes); i++) {
		bytes[i] = 1;
		CHECK(hash_bytes(bytes, sizeof(bytes)) != plain);
		bytes[i] = 0;
		CHECK(hash_bytes(bytes, i) != plain);
	}
	CHECK_EQ_U64(hash_bytes(bytes, sizeof(bytes)), plain);
}

TEST(vec_grows_and_zeroes)
{
	struct vec v;

	vec_init(&v, sizeof(uint64_t));
	CHECK(vec_last(&v) == NULL);
	for (uint64_t i = 0; i < 100; i++) {
		uint64_t *item = vec_push(&v);

		CHECK_EQ_U64(*item, 0);
		*item = i;
	}
	CHECK_EQ_U64(*(uint64_t *)vec_at(&v, 42), 42);
	CHECK_EQ_U64(*(uint64_t *)vec_last(&v), 99);
	vec_deinit(&v);
	CHECK_EQ_U64(v.len, 0);
}

TEST(arena_gives_aligned_zeroed_memory)
{
	struct arena a;

	arena_init(&a);
	for (size_t bytes = 0; bytes < 20000; bytes += 777) {
		uint8_t *p = arena_alloc(&a, bytes);

		CHECK_EQ_U64((uintptr_t)p % 16, 0);
		for (size_t i = 0; i < bytes; i++)
			if (!CHECK(p[i] == 0))
				break;
		memset(p, 0xff, bytes);
	}
	CHECK(arena_alloc(&a, 1 << 20) != NULL);
	CHECK_TEXT(arena_format(&a, "%d-%s", 7, "x"), "7-x");
	CHECK_TEXT(arena_copy(&a, "abcdef", 3), "abc");
	arena_deinit(&a);
	arena_deinit(&a);
}

TEST(slice_order)
{
	CHECK(slice_equal((struct slice){0}, slice_of_string("")));
	CHECK(!slice_equal(slice_of_string("a"), slice_of_string("b")));
	CHECK(slice_compare(slice_of_string("a"), slice_of_string("ab")) < 0);
	CHECK(slice_compare(slice_of_string("b"), slice_of_string("ab")) > 0);
	CHECK(slice_compare(slice_make("\xff", 1), slice_make("\x01", 1)) > 0);
	CHECK_EQ_I64(slice_compare((struct slice){0}, slice_of_string("")), 0);
}

TEST(hist_percentiles_are_within_their_error)
{
	struct hist h;

	hist_init(&h);
	CHECK_EQ_I64(hist_percentile(&h, 50), 0);
	for (int64_t i = 1; i <= 1000; i++)
		hist_add(&h, i * 1000);
	hist_add(&h, -5);
	CHECK_EQ_U64(h.count, 1001);
	CHECK(hist_percentile(&h, 50) >= 500000 && hist_percentile(&h, 50) <= 531250);
	CHECK(hist_percentile(&h, 99) >= 990000 && hist_percentile(&h, 99) <= 1000000);
	CHECK_EQ_I64(hist_percentile(&h, 100), 1000000);
	CHECK_EQ_I64(hist_percentile(&h, 0), 0);
	hist_deinit(&h);

	hist_add(&h, INT64_MAX);
	hist_add(&h, INT64_MAX);
	CHECK_EQ_I64(hist_percentile(&h, 100), INT64_MAX);
	hist_deinit(&h);
}

/* Items come and go in waves; each keeps what was written to it, and is zero when it is new. */
TEST(pool_keeps_items_apart)
{
	enum { ITEMS = 500, BYTES = 1000 };
	uint8_t *items[ITEMS] = {NULL};
	struct pool p;

	pool_init(&p, BYTES);
	for (unsigned round = 0; round < 6 * ITEMS; round++) {
		unsigned n = round * 131 % ITEMS;

		if (items[n]) {
			CHECK(items[n][0] == (uint8_t)n && items[n][BYTES - 1] == (uint8_t)n);
			pool_free(&p, items[n]);
			items[n] = NULL;
		} else {
			items[n] = pool_alloc(&p);
			CHECK_EQ_U64((uintptr_t)items[n] % 16, 0);
			CHECK(items[n][0] == 0 && items[n][BYTES - 1] == 0);
			memset(items[n], (int)(uint8_t)n, BYTES);
		}
	}
	for (unsigned n = 0; n < ITEMS; n++)
		pool_free(&p, items[n]);
	CHECK(p.open == NULL);
}
