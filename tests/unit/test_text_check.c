// SPDX-License-Identifier: GPL-2.0-or-later
/* What fuzz targets hold the program's output to can fail, and fails for the right texts. */
#include "../fuzz/text_check.h"
#include "check.h"

static bool is_safe(const char *text)
{
	return text_is_safe(slice_of_string(text));
}

static bool is_json(const char *text)
{
	return text_is_json(slice_of_string(text));
}

TEST(safe_texts)
{
	CHECK(is_safe(""));
	CHECK(is_safe("two\nlines \\x1b \303\244"));
	CHECK(is_safe("\033[1;31mred\033[0m"));
	CHECK(!is_safe("a\tb"));
	CHECK(!is_safe("\r"));
	CHECK(!is_safe("\033[2J"));
	CHECK(!is_safe("\033[1;31"));
	CHECK(!is_safe("\302\23331m"));
	CHECK(!is_safe("\342\200\256abc"));
	CHECK(!is_safe("\377"));
	CHECK(!text_is_safe(slice_make("a\0b", 3)));
}

TEST(json_texts)
{
	CHECK(is_json("{\"a\": [1, -2.5e+3, true, null, \"\\u00ff\\n\"]}\n"));
	CHECK(is_json("{}\n{}\n"));
	CHECK(is_json("[]"));
	CHECK(!is_json(""));
	CHECK(!is_json("{"));
	CHECK(!is_json("{\"a\"}"));
	CHECK(!is_json("{\"a\": 1,}"));
	CHECK(!is_json("[1 2]"));
	CHECK(!is_json("[01]"));
	CHECK(!is_json("[1.]"));
	CHECK(!is_json("nan"));
	CHECK(!is_json("\"\\x41\""));
	CHECK(!is_json("\"\\u00g0\""));
	CHECK(!is_json("\"\n\""));
	CHECK(!is_json("\"\377\""));
	CHECK(!is_json("\"\033\""));
	CHECK(!is_json("\"open"));
}
