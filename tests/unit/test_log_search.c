// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is skipped quickly is not there: the searches that all lines of a log go through find what a
 * plain search finds, in lines that are put together from what they look for, and from its like.
 */
#include "check.h"
#include "evidence/klog/klog_head.h"
#include "evidence/text_scan.h"
#include "ingest/log/log_facts.h"

#include <stdio.h>
#include <stdlib.h>

enum { LINES = 40000, PIECES_MAX = 9, LINE_BYTES = 1024 };

static const char *const pieces[] = {
	/* heads, whole */
	"[   12.345678] ",
	"[12345.678901][ T412] ",
	"[    0.100000 <    0.000010>] ",
	"[  +0.000010] ",
	"[<    0.000010>] ",
	"[Nov22 01:32] ",
	"[Sun Nov 22 01:26:00 2026] ",
	"Nov 22 01:26:00 host kernel: ",
	"Nov 22 2026 1:26:00.5 host kernel: ",
	"11\xe6\x9c\x88 22 01:26:00 host kernel: ",
	"2026-11-22T01:26:00,000000+00:00 ",
	"2026-11-22 01:26:00 UTC host kernel: ",
	"Sun 2026-11-22 01:26:00 UTC host kernel: ",
	"<6>1 2026-11-22T01:26:00.1Z host kernel - - - ",
	"1 2026-11-22T01:26:00Z host kernel - - [a@1 b=\"c\"] ",
	"<4>[   12.345678] ",
	/* and what is like them */
	"[12.34] ",
	"[ab",
	"]",
	"[",
	"1:2",
	"01:26:00",
	"MAC=02:00:00:00:00:01 ",
	" 1:26",
	":59:",
	"T23",
	"2026-11-22",
	"Nov 22 ",
	"[+",
	"<0>",
	"\t",
	" ",
	": ",
	">",
	"\"",
	"x",
	"9",
	".",
	"kernel: ",
	"\xe6\x9c\x88",
	/* words of messages */
	"nfs: server a not responding",
	"SRC=",
	"IN= OUT= SRC=",
	"Link is up",
	"PM: PM: ",
	"nonot respclclientid",
	"locklocks lock",
	"blocked for",
	"eth0",
};

enum { PIECES = sizeof(pieces) / sizeof(*pieces) };

/* The same lines each time. */
static uint32_t number_next(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

/* A line of some pieces, of which each may be cut. */
static struct slice line_make(uint32_t *state, char *bytes)
{
	size_t len = 0;

	for (uint32_t i = number_next(state) % PIECES_MAX + 1; i > 0; i--) {
		const char *piece = pieces[number_next(state) % PIECES];
		size_t all = strlen(piece), take = all;

		if (number_next(state) % 4 == 0)
			take = number_next(state) % (all + 1);
		memcpy(bytes + len, piece, take);
		len += take;
	}
	return slice_make(bytes, len);
}

/* What may stand before a head inside of a line, as klog_find.c has it. */
static bool may_precede(uint8_t c)
{
	return c && strchr(" \t:>-`'\"|", c);
}

static bool head_find_plainly(struct slice text, size_t from, size_t *at, struct klog_head *head)
{
	for (*at = from; *at < text.len; ++*at)
		if (klog_head_may_begin(text.ptr[*at]) &&
		    (*at == 0 || text.ptr[*at] == '[' || may_precede(text.ptr[*at - 1])) &&
		    klog_head_parse(text_after(text, *at), *at > 0, head))
			return true;
	return false;
}

TEST(heads_inside_of_a_line_are_found_as_by_a_plain_search)
{
	uint32_t state = 1;
	size_t heads = 0;
	char bytes[LINE_BYTES];

	for (size_t i = 0; i < LINES; i++) {
		struct slice line = line_make(&state, bytes);
		size_t from = number_next(&state) % 3 ? 0 : number_next(&state) % (line.len + 1);
		struct klog_head head, plain;
		size_t at, plain_at;
		void *copy = check_copy(line.ptr, line.len);
		bool found = klog_head_find(slice_make(copy, line.len), from, &at, &head);

		if (!CHECK(found == head_find_plainly(line, from, &plain_at, &plain)) ||
		    (found && !CHECK(at == plain_at && head.len == plain.len &&
				     head.boot_ns == plain.boot_ns &&
				     head.date.ns_of_day == plain.date.ns_of_day)))
			printf("# %zu of: %.*s\n", from, (int)line.len, (const char *)line.ptr);
		heads += found && at > 0;
		free(copy);
	}
	CHECK(heads > LINES / 10);
}

TEST(gates_are_found_as_by_a_plain_search)
{
	uint32_t state = 2;
	size_t gates = 0;
	char bytes[LINE_BYTES];

	for (size_t i = 0; i < LINES; i++) {
		struct slice line = line_make(&state, bytes);
		uint32_t found = log_gates_find(line), plain = 0;

		for (unsigned gate = 0; gate < LOG_GATE_COUNT; gate++) {
			const char *words = log_gate_text(gate);

			if (line.len && memmem(line.ptr, line.len, words, strlen(words)))
				plain |= UINT32_C(1) << gate;
		}
		if (!CHECK(found == plain))
			printf("# %.*s\n", (int)line.len, (const char *)line.ptr);
		gates += found != 0;
	}
	CHECK(gates > LINES / 10);
}

TEST(words_are_found_as_by_a_plain_search)
{
	uint32_t state = 3;
	size_t hits = 0;
	char bytes[LINE_BYTES];

	for (size_t i = 0; i < LINES; i++) {
		struct slice line = line_make(&state, bytes);
		const char *words = pieces[number_next(&state) % PIECES];
		const uint8_t *plain =
			line.len ? memmem(line.ptr, line.len, words, strlen(words)) : NULL;
		struct slice found = text_find(line, words);

		CHECK(plain ? found.ptr == plain &&
				      found.len == line.len - (size_t)(plain - line.ptr)
			    : found.len == 0);
		hits += plain != NULL;
	}
	CHECK(hits > LINES / 20);
	CHECK(text_find(slice_of_string("abc"), "").len == 0);
	CHECK(text_find(slice_make(NULL, 0), "a").len == 0);
	CHECK(text_find(slice_of_string("aab"), "ab").len == 2);
}
