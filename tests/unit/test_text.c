// SPDX-License-Identifier: GPL-2.0-or-later
/* Texts: strbuf, errors, stamps and durations. */
#include "base/err.h"
#include "base/stamp.h"
#include "base/strbuf.h"
#include "check.h"

#include <errno.h>
#include <stdlib.h>

TEST(strbuf_grows)
{
	struct strbuf sb;
	char *taken;

	strbuf_init(&sb);
	CHECK_TEXT(strbuf_text(&sb), "");
	for (int i = 0; i < 1000; i++)
		strbuf_add_format(&sb, "%d,", i % 10);
	CHECK_EQ_U64(sb.len, 2000);
	strbuf_reset(&sb);
	CHECK_TEXT(strbuf_text(&sb), "");
	strbuf_add_text(&sb, "a");
	strbuf_add_char(&sb, 'b');
	strbuf_add_hex(&sb, slice_make("\0\x9f", 2));
	taken = strbuf_take(&sb);
	CHECK_TEXT(taken, "ab009f");
	free(taken);
	taken = strbuf_take(&sb);
	CHECK_TEXT(taken, "");
	free(taken);
	strbuf_deinit(&sb);
}

TEST(strbuf_makes_bytes_of_evidence_safe)
{
	static const struct {
		const char *bytes, *text;
	} cases[] = {
		{"plain", "plain"},
		{"a\\b", "a\\\\b"},
		{"\x1b[2J", "\\x1b[2J"},
		{"line\nline", "line\\x0aline"},
		{"\x7f", "\\x7f"},
		{"caf\xc3\xa9", "caf\xc3\xa9"},
		{"\xe4\xb8\xad", "\xe4\xb8\xad"},
		{"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},
		{"\xc2\x9b", "\\xc2\\x9b"},                   /* C1 control sequence introducer */
		{"\xc0\xaf", "\\xc0\\xaf"},                   /* overlong */
		{"\xe0\x80\xaf", "\\xe0\\x80\\xaf"},          /* overlong */
		{"\xed\xa0\x80", "\\xed\\xa0\\x80"},          /* surrogate */
		{"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"}, /* above U+10FFFF */
		{"\xe2\x80", "\\xe2\\x80"},                   /* cut */
		{"\xe2\x80\xae", "\\xe2\\x80\\xae"},          /* right-to-left override */
		{"\xe2\x81\xa6", "\\xe2\\x81\\xa6"},          /* left-to-right isolate */
		{"\xc3(", "\\xc3("},                          /* the second byte is another's */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t len = strlen(cases[i].bytes);
		char *exact = check_copy(cases[i].bytes, len);
		struct strbuf sb;

		strbuf_init(&sb);
		strbuf_add_safe(&sb, slice_make(exact, len));
		CHECK_TEXT(strbuf_text(&sb), cases[i].text);
		strbuf_deinit(&sb);
		free(exact);
	}
}

TEST(err_says_what_and_why)
{
	struct err *err = err_new("%s: %d bytes wanted, %d here", "x.pcap", 24, 7);

	CHECK_TEXT(err_text(err), "x.pcap: 24 bytes wanted, 7 here");
	err_destroy(err);
	err = err_new_errno(ENOENT, "%s", "x.pcap");
	CHECK_TEXT(err_text(err), "x.pcap: No such file or directory");
	err_destroy(err);
	err_destroy(NULL);
}

static void check_stamp(int64_t ns, enum clock clock, const char *want)
{
	char text[STAMP_TEXT_BYTES];

	stamp_format((struct stamp){ns, clock}, text);
	CHECK_TEXT(text, want);
}

TEST(stamp_texts)
{
	check_stamp(0, CLOCK_UTC, "1970-01-01T00:00:00.000000000Z");
	check_stamp(-1, CLOCK_UTC, "1969-12-31T23:59:59.999999999Z");
	check_stamp(INT64_C(1709210096123456789), CLOCK_LOCAL, "2024-02-29T12:34:56.123456789");
	check_stamp(INT64_C(12345678901), CLOCK_BOOT, "[   12.345678901]");
	check_stamp(INT64_C(-500000000), CLOCK_BOOT, "[   -0.500000000]");
	check_stamp(INT64_C(-1500000000), CLOCK_BOOT, "[   -1.500000000]");
	check_stamp(5, CLOCK_UNKNOWN, "-");
	check_stamp(INT64_MAX, CLOCK_UTC, "2262-04-11T23:47:16.854775807Z");
	check_stamp(INT64_MIN, CLOCK_UTC, "1677-09-21T00:12:43.145224192Z");
	check_stamp(INT64_MIN, CLOCK_BOOT, "[-9223372036.854775808]");
}

TEST(stamp_time_of_day)
{
	char text[STAMP_TEXT_BYTES];

	stamp_format_time(stamp_utc(INT64_C(1709210096123456789)), text);
	CHECK_TEXT(text, "12:34:56.123456");
	stamp_format_time(stamp_none(), text);
	CHECK_TEXT(text, "-");
}

TEST(stamp_durations)
{
	static const struct {
		int64_t ns;
		const char *text;
	} cases[] = {
		{0, "0 ns"},
		{999, "999 ns"},
		{1000, "0.001 ms"},
		{400000, "0.40 ms"},
		{9990000, "9.99 ms"},
		{250000000, "250 ms"},
		{999400000, "999 ms"},
		{999999999, "1.0 s"},
		{12300000000, "12.3 s"},
		{-12300000000, "-12.3 s"},
		{119990000000, "2 min 0 s"},
		{250000000000, "4 min 10 s"},
		{10920000000000, "3 h 2 min"},
		{INT64_MIN, "-2562047 h 47 min"},
	};
	char text[STAMP_TEXT_BYTES];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		stamp_format_duration(cases[i].ns, text);
		CHECK_TEXT(text, cases[i].text);
	}
}
